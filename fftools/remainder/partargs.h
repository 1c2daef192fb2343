/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PARTARGS_H
#define FFLEET_PARTARGS_H

/**
 * @file
 * Where an output is handed over in several parts, each of them is an output for stock: with its own streams,
 * which have other numbers there.
 */

#include "../input/arglist.h"
#include "../plan/carrierpart.h"

/**
 * Add one of the output's options, if it reaches the part; where it names streams by their numbers, by those that they
 * have there.
 * @param skip as for arglist_add_options()
 */
void partargs_option(ArgList *l, const Plan *plan, enum CarrierPart part, const CmdOption *o,
                     const char *const *skip);
/** -map for what is in the part, from the inputs or from a filter graph. */
void partargs_maps(ArgList *l, const Plan *plan, enum CarrierPart part);
/** Streams and options of CARRIER_TEXT. @param limits also what limits it in time */
void partargs_text(ArgList *l, const Plan *plan, int limits);

#endif
