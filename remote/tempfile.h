/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TEMPFILE_H
#define FFLEET_TEMPFILE_H

/**
 * @file
 * Temporary files without a name: whatever ends the program, nothing is left behind.
 */

/** $TMPDIR, or /tmp. Not to be freed. */
const char *tempfile_folder(void);

/**
 * Create an empty unnamed file, for reading and writing, closed on exec. Any thread.
 * @return its descriptor, or an AVERROR code
 */
int tempfile_open(const char *folder);

#endif
