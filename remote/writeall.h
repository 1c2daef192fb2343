/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_WRITEALL_H
#define FFLEET_WRITEALL_H

#include <stddef.h>

/**
 * @file
 * write() until all is written, whatever interrupts it. Async-signal-safe; blocks.
 */

/** @return 0 or an AVERROR code; then an unknown part is written */
int write_all(int fd, const void *data, size_t size);

#endif
