/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PARTLOG_H
#define FFLEET_PARTLOG_H

/**
 * @file
 * In the trial each output with CARRIER_TEXT has one more for that, behind all others and in their order: what
 * stock says of the streams there belongs to the streams of the user's output.
 */

#include "../plan/plan.h"

/** How many outputs the trial has. @param plan the first of its chain */
int partlog_nb_outputs(const Plan *plan);

/**
 * Put the lines of these streams, in the mapping and in the dumps of the outputs, where they belong and with the
 * numbers of there.
 * @param log av_malloc'd; replaced
 * @return 0 or AVERROR(ENOMEM)
 */
int partlog_join(char **log, const Plan *plan);

#endif
