/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LEASH_H
#define FFLEET_LEASH_H

/**
 * @file
 * Keep a command on a leash: it does not outlive the process that started it.
 *
 * Without a terminal nobody tells a command that its connection died, and one
 * that neither reads nor writes would run on for ever. The leash is sh text around the
 * command with a watchdog that asks once a second whether the parent (the SSH
 * server's session, or this program) still lives. If not, the command's process
 * group gets SIGHUP and SIGTERM, three times in as many seconds, and then SIGKILL: time to tidy up.
 *
 * The command's stdin, stdout, stderr and exit status pass through untouched; a command killed by
 * signal n ends with status 128 + n. When the command ends, the watchdog is gone before the exit is seen.
 *
 * Works with dash, bash and busybox sh; whatever the login shell is (csh and fish included),
 * as the text is one line of printable ASCII without '!' in one pair of single quotes.
 *
 * Not covered: a command that leaves its process group, and a connection that
 * is dead without the server noticing (no FIN, no ClientAliveInterval).
 */

/**
 * @param command text for a POSIX sh
 * @param parent  the process that starts it, where known; 0: whoever is the shell's parent
 * @return the text to run instead, to be freed with av_free(); NULL: out of memory.
 *         Thread-safe.
 */
char *leash_command(const char *command, long parent);

#endif
