/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TRANSPORT_H
#define FFLEET_TRANSPORT_H

/**
 * @file
 * One way to run commands on one host. A struct of functions, like FFmpeg's
 * URLProtocol: ssh.c runs them over libssh2, spawn.c on this machine.
 *
 * A Transport belongs to one thread at a time (libssh2 sessions are not thread
 * safe). At most one command runs on it at a time. All calls but connect() are
 * non-blocking: they do what they can and return AVERROR(EAGAIN) when they would
 * have to wait; TransportOps.wait() then waits. Errors are AVERROR codes; a
 * sentence for people, naming the host, stands in Transport.error.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hosts.h"

typedef struct Transport Transport;

enum TransportStream {
    TRANSPORT_STDOUT = 1,
    TRANSPORT_STDERR = 2,
};

typedef struct TransportOps {
    const char *name;
    size_t      priv_size;

    /**
     * Connect and authenticate. Blocks up to timeout_ms; must return early with
     * AVERROR_EXIT when wake_fd becomes readable.
     */
    int (*connect)(Transport *t, int timeout_ms);

    /**
     * Start a command (text for the host's POSIX sh, already quoted). May return
     * AVERROR(EAGAIN): call again with the same command until 0 or an error.
     * AVERROR(E2BIG): the command is too long.
     */
    int (*exec)(Transport *t, const char *command);

    /** Write to the command's stdin. @return bytes taken, or an AVERROR code;
     *  AVERROR(EPIPE) when the command no longer reads. After EAGAIN the caller
     *  repeats the call with the same pointer and length. */
    ssize_t (*write)(Transport *t, const uint8_t *buf, size_t size);

    /** Close the command's stdin. EAGAIN as above. */
    int (*write_eof)(Transport *t);

    /** Read what the command wrote. @return bytes, 0 at the end of that stream,
     *  or an AVERROR code. Both streams must be drained by the caller. */
    ssize_t (*read)(Transport *t, enum TransportStream which, uint8_t *buf, size_t size);

    /**
     * After both streams ended: collect the exit status and free the command's
     * channel. EAGAIN as above.
     * @param status exit status, or 128 + signal number when it died of a signal
     * @return 0 only when the status was really received, AVERROR(EIO) when the
     *         connection ended without one
     */
    int (*exit_status)(Transport *t, int *status);

    /** Stop the running command as well as the transport can (kill, signal,
     *  channel close), without blocking. The transport may need a new connect() afterwards. */
    void (*cancel)(Transport *t);

    /** Sleep until the command may make progress, wake_fd is readable or
     *  timeout_ms passed. want_write: data is waiting to be written.
     *  @return 0 or an AVERROR code */
    int (*wait)(Transport *t, int want_write, int timeout_ms);

    /** Whether connect() is done and the connection has not failed since. */
    int (*connected)(const Transport *t);

    /** Give back everything. Never blocks for more than a second. */
    void (*close)(Transport *t);
} TransportOps;

struct Transport {
    const TransportOps *ops;
    const Host         *host;     ///< not owned; outlives the transport
    int                 wake_fd;  ///< an eventfd of the caller's; readable means: return at once. -1: none
    char                error[512]; ///< the last failure, in one line that names the host
    void               *priv;     ///< ops->priv_size zeroed bytes
};

extern const TransportOps transport_ssh;
extern const TransportOps transport_spawn;

/**
 * Make a transport of the kind that the host asks for (Host.local: spawn, else
 * ssh). Does not connect.
 * @param host    not copied, must outlive the transport
 * @param wake_fd see Transport.wake_fd
 */
int  transport_alloc(Transport **t, const Host *host, int wake_fd);
void transport_free(Transport **t);

#endif
