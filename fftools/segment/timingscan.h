/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TIMINGSCAN_H
#define FFLEET_TIMINGSCAN_H

/**
 * @file Whether videos that are timed in several ways show the same frames at the same times, see
 * planchain_is_timed_apart().
 */

#include "../plan/plan.h"

/**
 * Where it has to be known, read the chain's input up to the first difference, and open it again.
 * What differs is left to stock; so it is where the input can be read only once.
 * @param first its reason is set where stock has to make all
 * @return 0 or AVERROR(ENOMEM)
 */
int timingscan_run(Plan *first);

#endif
