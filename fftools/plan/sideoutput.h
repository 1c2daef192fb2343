/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SIDEOUTPUT_H
#define FFLEET_SIDEOUTPUT_H

/**
 * @file
 * Outputs that stock makes from beginning to end, beside those with the fleet's video: the sound in a file of its
 * own, pictures, copies, what cannot be split. Nothing of an output depends on others, unless streams are to
 * end by each other (Plan.tied_ends). It is the remainder that writes them, right where the user wants them.
 */

#include "../input/arglist.h"
#include "plan.h"

/**
 * Take an output that the fleet cannot make for one of these.
 * @param first the chain's; its inputs are open
 * @return 1, 0: nor is it one of these, or AVERROR(ENOMEM)
 */
int  sideoutput_take(Plan *first, int output);
/** Once the chain is whole: whether they are what they would be beside the video's encode. @return 0, or
 *  AVERROR_PATCHWELCOME with the first plan's reason */
int  sideoutput_check(Plan *first);
/** The output of that number, or NULL: it is the fleet's. */
const SideOutput *sideoutput_find(const Plan *plan, int output);

/** Its options and its name, for the remainder. */
void sideoutput_add(ArgList *l, const Plan *plan, const SideOutput *s);
/** Likewise for the trial: its first seconds only, into another file. */
void sideoutput_add_trial(ArgList *l, const Plan *plan, const SideOutput *s, double seconds,
                          const char *file_name);

#endif
