/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SIZING_H
#define FFLEET_SIZING_H

/**
 * @file
 * How long segments ought to be: big ones first, because each costs a start-up and a keyframe of its own,
 * small ones last, so that all hosts end together.
 */

#include "../../remote/fleet.h"
#include "plan.h"

/**
 * Waits until one of the hosts could begin it: the later it is cut, the more is known of their rates.
 *
 * @param fleet    NULL: there is none yet, only a number of slots
 * @param position slot where the segment begins
 * @return its wanted length in slots, at least 1, or AVERROR_EXIT after fleet_cancel(). Any thread
 */
int64_t sizing_next(const Plan *plan, Fleet *fleet, int slots, int64_t position);

/** Slots that a segment should have at least, even where they are many bytes; 0: a cut costs nothing. */
int64_t sizing_least(const Plan *plan);

#endif
