/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CERTAIN_H
#define FFLEET_CERTAIN_H

/** @file What the command line alone shows to be stock's, before any file or library is opened. */

#include "command/cmdline.h"

/**
 * A sufficient condition: what is found here is right even where the command turns out to be wrong,
 * as stock has to say so then.
 * @return the reason, a constant; NULL: not certain
 */
const char *certain_stock(const Command *cmd);

#endif
