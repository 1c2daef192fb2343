/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PLANCHAIN_H
#define FFLEET_PLANCHAIN_H

/**
 * @file
 * A plan for each of the command's videos: whether and how they are made together, and which of their
 * outputs are left to stock beside the others. What returns 0 may have set the first plan's reason.
 */

#include "plan.h"

/** Once there is a plan for each video. @return 0 or AVERROR(ENOMEM) */
int planchain_join(Plan *first);

/**
 * Whether a video is timed in another way than the first one, as by MP4's constant rate beside
 * Matroska's variable one: only the timestamps of the input tell whether they show the same frames
 * at the same times. See timingscan.h.
 */
int planchain_is_timed_apart(const Plan *first);
/**
 * They do not: stock makes the outputs of such videos, if it can beside the others.
 * @return 0 or AVERROR(ENOMEM)
 */
int planchain_leave_apart(Plan *first);

#endif
