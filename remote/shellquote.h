/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SHELLQUOTE_H
#define FFLEET_SHELLQUOTE_H

/** @file Words for a shell. Pure; any thread. */

#include <libavutil/bprint.h>

/** Append one word, quoted so that any POSIX sh (whatever csh-like login shell
 *  hands it to `sh -c` included) reads exactly these bytes. Blanks separate words:
 *  one is added before unless the buffer is empty. */
void shellquote_word(AVBPrint *bp, const char *word);

/** Append a NULL-terminated argv. */
void shellquote_argv(AVBPrint *bp, const char *const *argv);

#endif
