/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_DEADLINE_H
#define FFLEET_DEADLINE_H

/**
 * @file
 * A point in time until which a blocking piece of work may last, and the
 * descriptor that ends it earlier. Plain data; any thread.
 */

#include <stdint.h>

typedef struct Deadline {
    int64_t end;      ///< microseconds of av_gettime_relative()
    int     wake_fd;  ///< readable: stop now; -1: none
} Deadline;

/** That time from now. @param wake_fd -1: none; not owned */
Deadline deadline_in(int timeout_ms, int wake_fd);

/** The same, but at most timeout_ms from now. */
Deadline deadline_sooner(const Deadline *d, int timeout_ms);

/** Milliseconds left, rounded up; 0 when it has passed. */
int deadline_left(const Deadline *d);

/** Whether to go on. @return 0, AVERROR(ETIMEDOUT), or AVERROR_EXIT when wake_fd is readable */
int deadline_check(const Deadline *d);

/**
 * Sleep until fd has one of the poll() events (or an error, or a hang-up).
 * @param fd -1: none, just sleep
 * @return 0, AVERROR(ETIMEDOUT), AVERROR_EXIT when wake_fd is readable, or another AVERROR code
 */
int deadline_poll(const Deadline *d, int fd, short events);

#endif
