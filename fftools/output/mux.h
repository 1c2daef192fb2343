/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_MUX_H
#define FFLEET_MUX_H

/**
 * @file
 * The output: libavformat's muxer, with the user's options, fed with the joined video and the remainder.
 * Knowledge: fftools/ffmpeg_mux.c of FFmpeg for what stock sets before it writes. One thread.
 */

#include "../remainder/remainder.h"
#include "../remainder/trial.h"
#include "join.h"

typedef struct MuxSizes {
    int64_t video, audio, subtitle, other, headers;  ///< payload bytes
} MuxSizes;

typedef struct Mux Mux;

/**
 * Create an output (an existing file is truncated now) and write its header.
 * @param plan, t  of its first video stream
 * @param r        its remainder, finished
 * @param joins    of the plans, by their numbers; with parameters
 * @return 0; AVERROR_PATCHWELCOME when the muxer or its options are not right: stock tells the user what is
 *         wrong; other AVERROR codes, which it has told of
 */
int  mux_open(Mux **m, const Plan *plan, const Trial *t, Remainder *r, Join *const *joins);
/**
 * Write one packet of the joined video (unreferenced here), after all of the remainder that comes before it.
 * @param nth which of the output's video streams, as Plan.nth_fleet
 * @return 0, or an AVERROR code of the muxer
 */
int  mux_video(Mux *m, int nth, AVPacket *pkt);
/**
 * Write what is left and the trailer.
 * @param whole 0: interrupted: leave out what comes after the video's end
 * @return as mux_video()
 */
int  mux_finish(Mux *m, int whole);
/** Bytes of the output so far. Negative: not known, as of several files. */
int64_t  mux_total_size(const Mux *m);
/**
 * The time that ffmpeg reports at the end: in 5.1 the end of the longest stream, in 7.1 that of the
 * shortest. In AV_TIME_BASE units; AV_NOPTS_VALUE: none. Knowledge: print_report() of 5.1,
 * trailing_dts() in ffmpeg_sched.c of 7.1.
 */
int64_t  mux_out_time(const Mux *m);
/** What was written so far. */
void mux_sizes(const Mux *m, MuxSizes *sizes);
/** Closes the file; what was not finished stays as it is. */
void mux_free(Mux **m);

#endif
