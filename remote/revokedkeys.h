/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_REVOKEDKEYS_H
#define FFLEET_REVOKEDKEYS_H

/**
 * @file
 * OpenSSH's RevokedHostKeys: a list of public keys, one a line, or a key revocation list, which
 * `ssh-keygen -Q` reads.
 */

#include <stdint.h>

#include "deadline.h"

/**
 * Whether a host key is in the file. Any thread; may block until the deadline, and a little longer.
 * @param blob the key as on the wire
 * @return 1 or 0; an AVERROR code: it cannot be told, so that nobody is to trust the key (ssh does not, either)
 */
int revokedkeys_has(const char *file, const uint8_t *blob, int size, const Deadline *d);

#endif
