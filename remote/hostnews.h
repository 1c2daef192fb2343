/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_HOSTNEWS_H
#define FFLEET_HOSTNEWS_H

/**
 * @file
 * What becomes of a host, in words: for the trace, and for people. Inside of a Fleet.
 */

#include <stddef.h>

#include "fleetstate.h"

/** Trace that the worker's host is in this state now. @param why may be NULL. Takes no lock. */
void hostnews_trace(const Worker *w, const char *state, const char *why);

/** Write why with the host's name before it. */
void hostnews_name(char *buf, size_t size, const FleetHost *fh, const char *why);

/** In place: the host's words may be many lines, and hold what terminals obey. */
void hostnews_one_line(char *text);

/**
 * The level of a message: told are a host's first failure, and that it is left out; those between are
 * for who asks for more. Needs the fleet's lock.
 * @param state as hostnews_outlook() returned it
 */
int hostnews_level(FleetHost *fh, const char *state);

/** Keep the reason of the host's, and the fleet's, last failure. Needs the fleet's lock. */
void hostnews_note(Fleet *f, FleetHost *fh, const char *why);

/**
 * What the scheduler made of a failure. Needs the fleet's lock.
 * @param text for the message
 * @return for the trace; NULL: the host goes on
 */
const char *hostnews_outlook(Fleet *f, const FleetHost *fh, double now, char *text, size_t size);

#endif
