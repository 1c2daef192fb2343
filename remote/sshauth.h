/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SSHAUTH_H
#define FFLEET_SSHAUTH_H

/**
 * @file
 * Public-key authentication as the OpenSSH client does it: keys of the agent,
 * first those that belong to identity files, then the identity files themselves.
 * Never asks for a passphrase.
 */

#include <libssh2.h>

#include "deadline.h"
#include "sshconfig.h"

typedef struct SshAuth {
    LIBSSH2_SESSION *session;  ///< non-blocking, handshake done, host key checked
    const SshConfig *cfg;
    int              key_given; ///< the first identity is the user's own choice: say so when it is not there
    const Deadline  *deadline; ///< for the agent
    /** Called after LIBSSH2_ERROR_EAGAIN. @return 0: try again, or an AVERROR code */
    int            (*wait)(void *opaque);
    void            *opaque;
} SshAuth;

/**
 * @param why gets the reason of a failure, unless wait() failed (then it is empty)
 * @return 0; AVERROR(EACCES): no key was accepted, or there is none; AVERROR(EIO): connection lost;
 *         AVERROR(ETIMEDOUT): the agent did not sign in time; AVERROR_EXIT: the deadline's wake_fd became readable;
 *         or what wait() returned
 */
int sshauth_run(const SshAuth *a, char *why, size_t why_size);

#endif
