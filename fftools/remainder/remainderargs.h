/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_REMAINDERARGS_H
#define FFLEET_REMAINDERARGS_H

/** @file The command of the stock ffmpeg that makes the remainder. */

#include "../input/arglist.h"
#include "remainder.h"

/**
 * Add all of its words, the program's name first.
 * @param first of the chain, with Remainder.plan and Remainder.files known
 * @param t     the first of the chain, done
 */
void remainderargs_build(ArgList *l, const Remainder *first, const Trial *t);

#endif
