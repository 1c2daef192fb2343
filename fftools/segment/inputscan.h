/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_INPUTSCAN_H
#define FFLEET_INPUTSCAN_H

/**
 * @file
 * Inputs in which something may turn up late that only stock can treat right, as clocks that jump
 * and damage in recordings: they are read ahead once more, as fast as it goes, so that hosts do not
 * work in vain until the reader gets there.
 */

#include "../plan/plan.h"

typedef struct InputScan InputScan;

/**
 * Start a thread that looks through the input of p's video, if that is of such a kind and long
 * enough. It opens it for itself.
 * @param s gets NULL where there is nothing to look for
 * @return 0 or an AVERROR code
 */
int  inputscan_start(InputScan **s, const Plan *p);
/** Whether something was found. @param s may be NULL @param reason gets the sentence then */
int  inputscan_found(InputScan *s, char *reason, size_t reason_size);
/** Ends it, wherever it is. */
void inputscan_stop(InputScan **s);

#endif
