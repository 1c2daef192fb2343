/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_RENDITIONS_H
#define FFLEET_RENDITIONS_H

/**
 * @file
 * Several video streams of one command, in one output or in several, that the fleet makes of the same segments: an
 * input's segment travels once, is decoded once, and one command on a host makes all of them. For that
 * they must come from one stream of the input and show the same frames at the same times.
 */

#include "plan.h"

/**
 * Have all be timed by filters where one is only for the sake of true times (branches that are
 * joined, pictures laid over it), as long as that changes nothing. What cannot be done so is a
 * conflict then.
 */
void renditions_align(Plan *first);

/** @return why two of the streams cannot be made together, or NULL */
const char *renditions_conflict(const Plan *a, const Plan *b);

/**
 * Whether the plans of a chain can be made together.
 * @param first gets the reason, when not
 * @return nonzero then
 */
int renditions_check(Plan *first);

/**
 * Make them fit together: segments may begin only where all streams may have a keyframe, and bring as
 * many neighbouring frames along as any of the filters needs. Nothing to do for a single one.
 */
void renditions_unite(Plan *first);

#endif
