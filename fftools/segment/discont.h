/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_DISCONT_H
#define FFLEET_DISCONT_H

/**
 * @file
 * Inputs whose clock may jump (AVFMT_TS_DISCONT: transport and program streams, FLV, Ogg): stock
 * then moves all timestamps of the file, so that the stream with the first packet behind the jump
 * goes on where it was. Followed here for all streams in use, as each may be that one.
 *
 * Knowledge: process_input(), process_input_packet() and decode_audio() in fftools/ffmpeg.c of FFmpeg 5.1;
 * ts_fixup(), ts_discontinuity_process() and ist_dts_update() in ffmpeg_demux.c of 7.1.
 */

#include "../plan/plan.h"

typedef struct Discont Discont;

/** Whether the input of p's video is of that kind. */
int  discont_is_needed(const Plan *p);

/** For that input, whose streams in use are marked to be read. @return 0 or AVERROR(ENOMEM) */
int  discont_alloc(Discont **d, const Plan *p);
void discont_free(Discont **d);

/**
 * Give the next packet of the input, of any stream, stock's timestamps.
 * @return 0; 1: at this packet the clock has jumped; AVERROR_PATCHWELCOME: what stock does then cannot be foreseen;
 *         AVERROR(ENOMEM)
 */
int  discont_apply(Discont *d, AVPacket *pkt);

/** What has been added so far to timestamps because of jumps, in AV_TIME_BASE units. */
int64_t discont_shift(const Discont *d);

#endif
