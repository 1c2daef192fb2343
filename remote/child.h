/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CHILD_H
#define FFLEET_CHILD_H

/**
 * @file
 * Child processes without signal handlers. All functions: any thread; a child
 * is waited for by its pid only.
 */

#include <sys/types.h>

/** A close-on-exec pipe with both ends above stderr. flags: for pipe2(). @return 0 or an AVERROR code */
int child_pipe(int fd[2], int flags);

/** Likewise a stream socket pair. */
int child_socketpair(int fd[2]);

/** close() and set to -1; does nothing for -1. */
void child_close_fd(int *fd);

/**
 * Start argv[0] (looked up on PATH) in its own session and process group, with
 * default signals, and these descriptors; -1: /dev/null.
 * @return 0, or an AVERROR code when it could not be started
 */
int child_spawn(pid_t *pid, const char *const *argv, int in, int out, int err);

/**
 * Whether it has ended, without reaping it.
 * @return 1 or 0
 */
int child_ended(pid_t pid);

/**
 * Wait for the end up to grace_ms, then kill the rest of its process group and reap it. Never
 * lasts much longer than grace_ms + half a second (a child that cannot be killed is left behind).
 * @param signal sent to the group first; 0: none
 * @param status of waitpid(); may be NULL
 * @return 0, or AVERROR(EAGAIN) when it has not ended
 */
int child_finish(pid_t pid, int signal, int grace_ms, int *status);

#endif
