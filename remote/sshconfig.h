/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SSHCONFIG_H
#define FFLEET_SSHCONFIG_H

/**
 * @file
 * What the user's OpenSSH configuration says about a host, as resolved by
 * `ssh -G` (so that Include, Match and canonical names need no second implementation).
 * $FFLEET_SSH_CONFIG, if set, replaces the user's and the system's configuration files (`ssh -F`).
 */

#include <stddef.h>

#include "deadline.h"
#include "hosts.h"

typedef struct SshConfig {
    char  *alias;            ///< Host.name
    char  *hostname;
    char  *user;
    int    port;
    int    family;           ///< AF_UNSPEC, AF_INET, AF_INET6
    char  *hostkeyalias;     ///< or NULL
    char  *proxyjump;        ///< or NULL
    char  *proxycommand;     ///< tokens expanded, or NULL
    int    proxy_passes;     ///< ProxyUseFdpass: it hands over a connection instead of being one
    int    connect_timeout;  ///< seconds, 0: none
    int    identities_only;
    int    identity_none;    ///< IdentityAgent none
    char  *identity_agent;   ///< socket, or NULL: $SSH_AUTH_SOCK
    char **identities;       ///< Host.key, then IdentityFile: paths, existing or not
    int    nb_identities;
    char **known_hosts;      ///< UserKnownHostsFile, then GlobalKnownHostsFile: paths, existing or not
    int    nb_known_hosts;
    char  *ciphers, *macs;   ///< lists in order of preference, or NULL
    char **revoked;          ///< RevokedHostKeys: paths
    int    nb_revoked;
} SshConfig;

/**
 * Ask `ssh -G`, or take what it said before (Host.note). Forget that, with hostnote_set(), where a
 * connection made by it fails: networks change, and `Match exec` may see that.
 * @param why gets the reason of a failure
 * @return 0, or an AVERROR code; AVERROR(ETIMEDOUT) and AVERROR_EXIT as deadline_poll().
 *         On error cfg needs no freeing.
 */
int  sshconfig_load(SshConfig *cfg, const Host *host, const Deadline *d,
                    char *why, size_t why_size);

/** The same from the text that `ssh -G` prints. */
int  sshconfig_parse(SshConfig *cfg, const Host *host, const char *text);

void sshconfig_free(SshConfig *cfg);

/** $FFLEET_SSH_CONFIG or NULL. */
const char *sshconfig_file(void);

#endif
