/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TRACE_H
#define FFLEET_TRACE_H

/**
 * @file
 * FFLEET_TRACE: one JSON object a line for each decision. Thread-safe. A NULL Trace is silent.
 */

#include <stdint.h>

typedef struct Trace Trace;

/**
 * @param path "%p" in it becomes the pid; appended to. NULL or "": *t stays NULL
 */
int    trace_open(Trace **t, const char *path);
void   trace_close(Trace **t);
/** Seconds since trace_open() on the monotonic clock (0 for NULL). */
double trace_now(const Trace *t);

/**
 * Write one line: {"event": event, "time": now, ...fields}.
 * Fields are triples ended by NULL: name, type, value, where type is one of
 * "s" (const char *, NULL becomes null), "i" (int64_t), "f" (double, seconds
 * with 6 decimals; NAN becomes null), "b" (int).
 *   trace_event(t, "plan", "decision", "s", "fleet", NULL);
 */
void trace_event(Trace *t, const char *event, ...);

#endif
