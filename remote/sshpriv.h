/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SSHPRIV_H
#define FFLEET_SSHPRIV_H

/**
 * @file
 * What the parts of the SSH transport share: ssh.c, and sshlogin.c, by which a session begins. The socket,
 * as libssh2 sees it.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <libssh2.h>

#include <libavutil/attributes.h>

#include "deadline.h"
#include "sshconfig.h"
#include "sshdial.h"
#include "transport.h"

/** Bytes that are taken off the socket between two ssh_wait(): libssh2 reads on for as long as something comes. */
#define SSHPRIV_IN_ENOUGH (1 << 20)

typedef struct SshPriv {
    SshConfig        cfg;
    SshLink          link;
    int              opened;     ///< link holds descriptors (not just zeroed memory)
    Deadline         deadline;   ///< of connect()
    LIBSSH2_SESSION *session;
    LIBSSH2_CHANNEL *channel;
    char            *command;    ///< on its leash, while exec() is under way
    int              running;    ///< exec() succeeded
    int              stop;       ///< tear-down: nothing goes over the socket any more
    int              up;         ///< connect() succeeded and nothing failed since
    int              eof_sent;
    int              ended[3];   ///< by TransportStream: its end was reported
    uint8_t         *out;        ///< not yet accepted by the socket
    size_t           out_pos, out_end, out_alloc;
    int              in;         ///< bytes taken off the socket since ssh_wait()
    int64_t          in_vain;    ///< bytes that came, less those that the command's own may account for
    int              spins;      ///< ssh_wait() that did not wait, since something moved
} SshPriv;

/** Put a sentence into Transport.error, behind the host's name; the connection counts as lost. @return err */
int sshpriv_fail(Transport *t, int err, const char *fmt, ...) av_printf_format(3, 4);

/**
 * Callbacks for libssh2. What is sent is always taken, and what the socket does not accept kept: see ssh.c.
 * @param abstract the SshPriv
 */
ssize_t sshpriv_send(libssh2_socket_t fd, const void *buf, size_t len, int flags, void **abstract);
ssize_t sshpriv_recv(libssh2_socket_t fd, void *buf, size_t len, int flags, void **abstract);

/** Send what is kept, as far as the socket accepts it. @return 0 or a negative errno value */
int sshpriv_flush(SshPriv *p);
/** Bytes that are kept. */
size_t sshpriv_waiting(const SshPriv *p);

/** For connect(): after EAGAIN, until the session may go on. @param opaque the SshPriv
 *  @return 0 or an AVERROR code, as deadline_poll() */
int sshpriv_block(void *opaque);

#endif
