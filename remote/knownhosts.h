/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_KNOWNHOSTS_H
#define FFLEET_KNOWNHOSTS_H

/**
 * @file
 * OpenSSH's known_hosts files, always strictly: which keys a host may show.
 * Format: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: patterns with '*', '?' and '!', hashed names,
 * [host]:port, @revoked. @cert-authority lines and lines that make no sense are skipped.
 *
 * Not libssh2_knownhost_*: that knows no patterns, no markers and no line numbers, gives up on a
 * file at the first line it cannot parse, and takes an entry of another port for a changed key.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct KnownKey {
    char    *type;     ///< "ssh-ed25519", ...
    uint8_t *blob;     ///< as on the wire
    int      size;
    char    *file;     ///< where it stands
    int      line;
    int      revoked;
    int      any_port; ///< entry without port for a host with another port than 22: may confirm where its own port
                       ///< has none, not contradict
} KnownKey;

typedef struct KnownHosts {
    KnownKey *keys;    ///< those of the host only (and all revoked ones)
    int       nb_keys;
} KnownHosts;

enum KnownVerdict {
    KNOWN_OK,
    KNOWN_UNKNOWN,     ///< no entry with a key of this type
    KNOWN_CHANGED,     ///< only other keys of this type
    KNOWN_REVOKED,
};

/**
 * Collect a host's keys. Files that are absent or unreadable hold none.
 * @param alias HostKeyAlias, used instead of host and port; or NULL
 * @return 0 or AVERROR(ENOMEM)
 */
int  knownhosts_load(KnownHosts *kh, char *const *files, int nb_files,
                     const char *host, int port, const char *alias);
void knownhosts_free(KnownHosts *kh);

/**
 * Judge the key that a host showed.
 * @param which the entry that decided (not for KNOWN_UNKNOWN); may be NULL
 */
enum KnownVerdict knownhosts_check(const KnownHosts *kh, const uint8_t *blob, int size,
                                   const KnownKey **which);

/** Whether a key of that type is known (and not revoked). */
int  knownhosts_has_type(const KnownHosts *kh, const char *type);

/** The name under which files list a host: the alias, host, or [host]:port. @return av_malloc'd */
char *knownhosts_name(const char *host, int port, const char *alias);

/** The type written in a key blob; "unknown" when there is none. */
void  knownhosts_blob_type(const uint8_t *blob, int size, char *type, size_t type_size);

#endif
