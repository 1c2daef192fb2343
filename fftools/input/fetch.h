/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FETCH_H
#define FFLEET_FETCH_H

/**
 * @file
 * What a server gives only from beginning to end is fetched once: by a stock ffmpeg that copies the
 * bytes into a pipe. It goes on when we become stock ourselves, and ends with the process. Where
 * the connection ends the input does, as for stock: without a size nobody can tell an end from
 * another.
 */

#include <sys/types.h>

/** Whether an option is for the network, and of no use to who reads the pipe. */
int  fetch_takes_option(const char *name);

/**
 * Call from a thread that lives on.
 * @param pid     fetch_stop() it, unless we become stock
 * @param read_fd the caller's, closed on exec
 * @return 0 or an AVERROR code
 */
int  fetch_start(pid_t *pid, const char *url, int *read_fd);
/** Kill it and wait for its end. @param pid 0: nothing runs; 0 afterwards */
void fetch_stop(pid_t *pid);

#endif
