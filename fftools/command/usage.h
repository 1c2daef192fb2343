/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_USAGE_H
#define FFLEET_USAGE_H

/** @file The text of --help and --version. */

#define FFLEET_PROGRAM "ffleet"

/** Print ffleet's own help to stdout. @return 0, or an AVERROR code when stdout failed */
int usage_help(void);
/** Print ffleet's version and the libraries' to stdout. @return as usage_help() */
int usage_version(void);

#endif
