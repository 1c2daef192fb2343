/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SAMEPICTURE_H
#define FFLEET_SAMEPICTURE_H

/**
 * @file
 * Broadcasts change the shape of their pixels, joined recordings the size or format of their
 * pictures in mid-stream. Stock's output stays as it began; a host that begins behind such a place
 * would not know of it. So keyframes at which segments begin are decoded here, too. Some are none.
 *
 * Knowledge: ifilter_send_frame() in fftools/ffmpeg.c of FFmpeg 5.1 and ffmpeg_filter.c of 7.1.
 */

#include <libavformat/avformat.h>

/** What a keyframe's picture is like. */
typedef struct PictureKind {
    int known;
    int width, height, format;
    AVRational sample_aspect_ratio;
    enum AVColorSpace colorspace;
    enum AVColorRange color_range;
    enum AVColorPrimaries color_primaries;
    enum AVColorTransferCharacteristic color_trc;
} PictureKind;

/**
 * Decode a keyframe and hold it against the first one.
 * @param first blank before the first one, which it takes over
 * @return 0: it is of the same kind, as raw video always is, or cannot be decoded by itself;
 *         AVERROR_PATCHWELCOME with the reason for stock: of another, or no keyframe; AVERROR(ENOMEM)
 */
int samepicture_check(PictureKind *first, const AVStream *st, const AVPacket *pkt, char *reason, size_t reason_size);

#endif
