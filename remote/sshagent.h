/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SSHAGENT_H
#define FFLEET_SSHAGENT_H

/**
 * @file
 * A client of ssh-agent that does not wait for ever: libssh2's own does, and an agent may hang, or wait for
 * a person who is not there.
 */

#include <stddef.h>
#include <stdint.h>

#include "deadline.h"

typedef struct AgentKey {
    uint8_t *blob;      ///< public key
    size_t   size;
    char    *comment;
} AgentKey;

typedef struct SshAgent {
    int       fd;       ///< -1: none
    AgentKey *keys;
    int       nb_keys;
} SshAgent;

/**
 * Connect and ask for the keys. With any result, sshagent_close() has to follow.
 * @return 0, AVERROR(ETIMEDOUT), AVERROR_EXIT when the deadline's wake_fd is readable, or another AVERROR code
 */
int  sshagent_open(SshAgent *a, const char *path, const Deadline *d);

/**
 * Sign what libssh2 wants signed for this key (RFC 4252, 7).
 * @param sig gets the signature without its algorithm's name; to be freed with free()
 * @return as above; AVERROR(EACCES): the agent refuses
 */
int  sshagent_sign(SshAgent *a, const AgentKey *key, const uint8_t *data, size_t data_size,
                   unsigned char **sig, size_t *sig_size, const Deadline *d);

void sshagent_close(SshAgent *a);

#endif
