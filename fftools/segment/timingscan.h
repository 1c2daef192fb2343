/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TIMINGSCAN_H
#define FFLEET_TIMINGSCAN_H

/**
 * @file
 * Whether several videos show the same frames at the same times although they time them in other ways, as MP4's constant rate
 * does beside Matroska's variable one. Of most films they do; only the timestamps of all of the input tell.
 */

#include "../plan/plan.h"

/** Whether a video is timed in another way than the first of its chain. */
int timingscan_is_needed(const Plan *p);

/**
 * Read the chain's input, up to the first difference, and open it again.
 * @param first its reason is set where the input cannot be opened again
 * @return 1: there is a difference, or the input can be read only once; 0: there is none, or another reason for stock
 *         comes first, which is left to be found; AVERROR(ENOMEM)
 */
int timingscan_differs(Plan *first);

#endif
