/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_OVERWRITE_H
#define FFLEET_OVERWRITE_H

/**
 * @file
 * Whether an output can be written where it is wanted, and whether the user allows it. Knowledge:
 * assert_file_overwrite() in fftools/ffmpeg_opt.c of FFmpeg 5.1.
 */

#include "../command/terminal.h"
#include "../plan/plan.h"

/**
 * Look at one output before anything is printed; what is wrong there is for stock to say.
 * @param plan the chain's first
 * @param ours an earlier run of the same command has begun it
 * @param keys the user can be asked
 * @return 0; 1: the user is to be asked; AVERROR_PATCHWELCOME with a reason
 */
int overwrite_check(const Plan *plan, int output, int ours, int keys, char *reason,
                    size_t reason_size);

/** Ask. @return 1 go on; 0: the run is over, which was said; AVERROR_EXIT: a signal came */
int overwrite_ask(Terminal *t, const char *url);

#endif
