/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_WORKER_H
#define FFLEET_WORKER_H

/**
 * @file
 * The threads of a Fleet, one for each slot: they connect it, have the host checked, and carry out what the
 * scheduler decides.
 */

#include "fleetstate.h"

/** Start the thread of the host's next slot. Needs the lock. @return 0, AVERROR(EMFILE), or another AVERROR code */
int worker_start(Fleet *f, FleetHost *fh);

#endif
