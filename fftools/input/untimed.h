/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_UNTIMED_H
#define FFLEET_UNTIMED_H

/**
 * @file
 * Video of elementary streams (.h264, .hevc, .m2v, ...): its packets have no pts, and stock gives
 * each frame a time as it comes out of the decoder. So it has to be decoded here as well, though
 * not to look at: that tells which frame is of which packet.
 *
 * Knowledge: process_input_packet() and decode_video() in fftools/ffmpeg.c of FFmpeg 5.1; video_frame_process() and
 * video_duration_estimate() in ffmpeg_dec.c of 7.1.
 */

#include <libavformat/avformat.h>

typedef struct Untimed Untimed;

/** Whether the stream needs it. */
int  untimed_is_needed(const AVFormatContext *fc, const AVStream *st);

/** @return 0; AVERROR_PATCHWELCOME: it cannot be decoded here; AVERROR(ENOMEM) */
int  untimed_open(Untimed **u, const AVStream *st);
void untimed_close(Untimed **u);

/**
 * Give it the next packet, in decoding order.
 * @param pkt referenced; NULL: the input ended
 * @return 0; AVERROR_PATCHWELCOME: packets and frames do not correspond; AVERROR(ENOMEM)
 */
int  untimed_send(Untimed *u, AVPacket *pkt);

/**
 * The next packet, with the pts of its frame, and a dts that no later packet's pts is below.
 * @return 0; AVERROR(EAGAIN): send more; AVERROR_EOF
 */
int  untimed_receive(Untimed *u, AVPacket *pkt);

#endif
