/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LOOPEND_H
#define FFLEET_LOOPEND_H

/**
 * @file
 * -stream_loop: by how much stock shifts an input's timestamps each time that it reads it once more. That depends on
 * all of its streams that are in use. Knowledge: seek_to_start() in ffmpeg.c (5.1) and in ffmpeg_demux.c (7.1).
 */

#include "plan.h"

typedef struct LoopEnd LoopEnd;

/** Whether it can be foreseen with an input's sound in use as well: of p's video. */
int  loopend_knows(const Plan *p, const PlanStream *sound);

/** For the input that p's video comes from; closed input streams are marked to be read. */
int  loopend_alloc(LoopEnd **l, const Plan *p);
void loopend_free(LoopEnd **l);

/** A packet of the first time, of any stream, as it was read. @return 0 or AVERROR(ENOMEM) */
int  loopend_add(LoopEnd *l, const AVPacket *pkt);
/** The input has been read to its end. @return 0 or an AVERROR code: it cannot be told */
int  loopend_next(LoopEnd *l);
/** What is added to timestamps from now on, beside Plan.ts_offset. */
int64_t loopend_shift(const LoopEnd *l, AVRational time_base);

#endif
