/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_THREAD_H
#define FFLEET_THREAD_H

/** @file Starting threads beside the main one. */

#include <pthread.h>

/**
 * Start a thread that gets no signals: they are the main thread's business, and of a reader that
 * has gone only write() shall tell. Its stack is 1 MiB, as there may be hundreds.
 * @param thread to be joined; NULL: it is detached
 * @return 0 or an AVERROR code
 */
int thread_start(pthread_t *thread, void *(*func)(void *), void *opaque);

#endif
