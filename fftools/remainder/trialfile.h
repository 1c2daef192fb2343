/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TRIALFILE_H
#define FFLEET_TRIALFILE_H

/** @file The short file that stock made in the trial: open it and learn what it tells of the output's streams. */

#include "trial.h"

/**
 * Open t->file_name and read it through. Sets file, video, params, streams and reorder_... of t.
 * @param plan t's own
 * @return 0, AVERROR_PATCHWELCOME with a reason, other AVERROR codes
 */
int trialfile_open(Trial *t, const Plan *plan, char *reason, size_t reason_size);

/**
 * Whether the trial is to begin where the output does, if that is later than the input: FFmpeg 5.1
 * rounds the times of copied sound, or not, by what comes first there. Not so far into the input
 * that decoding all before would take long.
 */
int trialfile_sees_start(const Plan *plan);

#endif
