/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_OUTPUTS_H
#define FFLEET_OUTPUTS_H

/**
 * @file
 * All outputs of a job: the results of each segment are joined to what came before, and go with the remainder into
 * the output's muxer. One thread.
 */

#include "../encode/encode.h"
#include "../remainder/remainder.h"
#include "../remainder/trial.h"
#include "mux.h"

typedef struct Outputs Outputs;

/** @param plan, t, r the first of their chains; must outlive it */
int  outputs_alloc(Outputs **o, const Plan *plan, const Trial *t, Remainder *r);

/**
 * Write the next segment, once the remainder is done. The first one creates the files.
 * @return 0; AVERROR_PATCHWELCOME with a reason when stock has to do it all; other AVERROR codes when an output
 *         cannot be written, which was told
 */
int  outputs_write(Outputs *o, const Segment *seg, const Encoded *r, char *reason,
                   size_t reason_size);

/** Whether files were created. */
int  outputs_started(const Outputs *o);

/** Write what is left, and the files' ends. @param whole, @return as of mux_finish() */
int  outputs_finish(Outputs *o, int whole);

/** Of an output; NULL before it is created. */
const Mux *outputs_mux(const Outputs *o, int output);

/** As mux_out_time(), of all outputs. */
int64_t outputs_out_time(const Outputs *o);

/** What was not finished stays as it is. */
void outputs_free(Outputs **o);

#endif
