/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_ATTEMPT_H
#define FFLEET_ATTEMPT_H

/**
 * @file
 * One attempt, from the scheduler's decision to what it is told of the end. Inside of a Fleet.
 */

#include "fleetstate.h"

/**
 * Run the task on the worker's slot, which is connected, and report how it ended. Blocks; takes the fleet's
 * lock. Worker.task is set by the caller, and NULL afterwards.
 */
void attempt_run(Worker *w, const SchedDecision *d);

#endif
