/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CARRIERARGS_H
#define FFLEET_CARRIERARGS_H

/** @file The output's options for stock, where it hands over in a carrier what it makes for us. */

#include "../input/arglist.h"
#include "../plan/plan.h"

/**
 * Add the output's options for its main part; for a file of another format, without those that concern only the output's muxer.
 * @param skip as for arglist_add_options()
 */
void carrierargs_options(ArgList *l, const Plan *plan, const AVOutputFormat *format,
                         const char *const *skip);

/**
 * In a file of another format: -fps_mode as the output's own would have it, which may not take
 * frames as they come.
 */
void carrierargs_fps_mode(ArgList *l, const Plan *plan, const AVOutputFormat *format);

/** Add options for the remainder's file, after all others: in one piece, with timestamps that lose nothing. */
void carrierargs_exact(ArgList *l, const Plan *plan);

/** Likewise for the trial's, of which timestamps are looked at. */
void carrierargs_trial(ArgList *l, const Plan *plan);

/** Add all of the output in which stock hands over CARRIER_TEXT. */
void carrierargs_text(ArgList *l, const Plan *plan, const char *file_name);

#endif
