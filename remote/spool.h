/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SPOOL_H
#define FFLEET_SPOOL_H

/**
 * @file
 * A command whose input is stored on the host first, and that begins when it is told to. The folder for
 * it is removed however the command ends, also when the connection does.
 */

#include <stdint.h>

/** What the command is told when it may begin; comes after its input. */
#define SPOOL_GO "go\n"
/** Exit status when the input could not be stored there; stderr tells why. */
#define SPOOL_STATUS 113

/**
 * @param command  reads its input from stdin
 * @param size     of the input
 * @return a command for the host's sh, from av_malloc(), or NULL
 */
char *spool_command(const char *command, int64_t size);

#endif
