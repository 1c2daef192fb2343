/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_DELAYED_H
#define FFLEET_DELAYED_H

/**
 * @file
 * MPEG-1, 2 and 4 with B-frames: decoders give these at once, and other frames when the next such
 * one comes, whatever the timestamps say. Where these say something else, as where a frame is lost,
 * stock's frames have other times. In AVI and program streams (DVDs) the others often have no pts:
 * to stock, they have the dts of the packet with which they come out.
 *
 * Knowledge: decode_video() in fftools/ffmpeg.c of FFmpeg 5.1, video_frame_process() in
 * ffmpeg_dec.c of 7.1, guess_correct_pts() in libavcodec/decode.c; ISO/IEC 13818-2 6.2.3, 14496-2
 * 6.2.5.
 */

#include <libavformat/avformat.h>

typedef struct Delayed Delayed;

/** Whether the stream is such a one. */
int  delayed_is_needed(const AVCodecParameters *par);

/** @return 0 or AVERROR(ENOMEM) */
int  delayed_open(Delayed **d, const AVStream *st);
void delayed_close(Delayed **d);

/**
 * Give it the next packet, in decoding order, when delayed_receive() asks for it.
 * @param pkt moved from; NULL: the input ended
 * @return 0; AVERROR_INVALIDDATA: the frames come out in another order than that of their pts; AVERROR(ENOMEM)
 */
int  delayed_send(Delayed *d, AVPacket *pkt);

/** The next packet, with a pts if that can be known. @return 0; AVERROR(EAGAIN): send more; AVERROR_EOF */
int  delayed_receive(Delayed *d, AVPacket *pkt);

#endif
