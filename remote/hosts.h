/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_HOSTS_H
#define FFLEET_HOSTS_H

/**
 * @file
 * The hosts of the fleet: their grammar and where the list is found.
 *
 *   list  = entry { (blank | newline) entry }        '#' starts a comment up to the end of the line
 *   entry = [user@]host[:port][/slots]{,option[=value]}
 *   host  = name | IPv4 | [IPv6] | localhost          (localhost: local slots, without SSH,
 *                                                      unless it has a user or a port)
 *   option= ffmpeg=PATH | key=FILE | maxmem=SIZE | sessions=NUMBER | spool | stream
 */

#include <stddef.h>
#include <stdint.h>

#define HOST_MAX_SLOTS 64

enum HostFeed { HOST_FEED_AUTO, HOST_FEED_STREAM, HOST_FEED_SPOOL };

typedef struct Host {
    char *name;    ///< as the user wrote it (alias for ssh_config), without user, port, brackets
    char *user;    ///< or NULL
    int   port;    ///< or 0: ssh_config's or 22
    int   slots;   ///< concurrent encodes; 0: not given
    int   local;   ///< localhost without user and port: no SSH
    char *ffmpeg;  ///< ffmpeg=PATH, or NULL: "ffmpeg" on the host's PATH
    char *key;     ///< key=FILE, or NULL
    int64_t maxmem;   ///< bytes that all encodes there may use together; 0: not given
    int   sessions;   ///< hardware encodes at a time; 0: not given
    enum HostFeed feed; ///< whether input travels while it is read, or before
    int   nice;    ///< of what runs on this machine, so that we and its user have the first word
    struct HostNote *note; ///< what ssh_config says of it, once a connection has asked; NULL: each asks, see hostnote.h
    char *label;   ///< for messages, traces and panels: as unambiguous as needed; never NULL
} Host;

typedef struct HostList {
    Host *hosts;
    int   nb_hosts;
    char *origin;  ///< where it came from: "--hosts", "FFLEET_HOSTS", a file name; NULL: nothing found
} HostList;

/**
 * Parse a list. Appends to *list.
 * @param origin named in errors as "origin:line: ..." (and stored in list->origin)
 * @param err    gets the message that names origin, line and the offending word
 * @return 0 or AVERROR(EINVAL), AVERROR(ENOMEM); on error *list is unchanged
 */
int hosts_parse(HostList *list, const char *text, const char *origin, char *err, size_t err_size);

/**
 * Find the list as ssh-like tools do: $FFLEET_HOSTS, else
 * $XDG_CONFIG_HOME/ffleet/hosts (~/.config/ffleet/hosts), else /etc/ffleet/hosts.
 * A set but empty FFLEET_HOSTS means no hosts. An absent file is not an error; an unreadable one is.
 */
int hosts_load(HostList *list, char *err, size_t err_size);

void hosts_free(HostList *list);

#endif
