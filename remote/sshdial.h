/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SSHDIAL_H
#define FFLEET_SSHDIAL_H

/**
 * @file
 * Get a byte stream to a host's SSH server: TCP, ProxyJump (by `ssh -W`), or ProxyCommand.
 */

#include <stddef.h>
#include <sys/types.h>

#include "deadline.h"
#include "sshconfig.h"

typedef struct SshLink {
    int   fd;         ///< non-blocking stream socket; -1: none
    pid_t proxy;      ///< 0: none
    int   proxy_err;  ///< the proxy's stderr, non-blocking; -1: none
} SshLink;

/**
 * Connect. Every address of the name is tried.
 * @param why gets the reason of a failure
 * @return 0, or an AVERROR code: ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH (also: name not found), ...,
 *         AVERROR_EXIT. link is always valid for ssh_hangup() afterwards
 */
int  ssh_dial(SshLink *link, const SshConfig *cfg, const Deadline *d, char *why, size_t why_size);

/** Close, end the proxy. Lasts up to half a second. */
void ssh_hangup(SshLink *link);

/** The last line that a proxy has written to stderr, else "". */
void ssh_proxy_says(SshLink *link, char *buf, size_t size);

#endif
