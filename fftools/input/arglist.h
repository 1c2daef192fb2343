/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_ARGLIST_H
#define FFLEET_ARGLIST_H

/**
 * @file
 * Builds argument lists for the stock ffmpeg out of the user's own words.
 */

#include "inputs.h"

/** Zeroed: empty. Grows; the first error (out of memory) sticks and is returned by arglist_error(). */
typedef struct ArgList {
    char **argv;   ///< NULL-terminated once something was added
    int    argc;
    int    error;
} ArgList;

/** Add one word, which is copied. */
void arglist_add(ArgList *l, const char *word);
void arglist_addf(ArgList *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Add words up to a NULL. */
void arglist_add_words(ArgList *l, ...) __attribute__((sentinel));
/** Add options as they were typed, except those whose canonical name is in skip (ended by NULL; or NULL). */
void arglist_add_options(ArgList *l, const Command *cmd, const CmdOption *opts, int nb,
                         const char *const *skip);

/** Options of inputs that are left out unless asked for. */
enum {
    ARGLIST_PACED    = 1 << 0, ///< they slow the reading down
    ARGLIST_HARDWARE = 1 << 1, ///< decoders look for hardware, and complain
};
/**
 * Add all inputs with their options, as they were typed, but for the names of FIFOs.
 * @param inputs the command's, open
 * @param with   ARGLIST_*
 */
void arglist_add_inputs(ArgList *l, const Command *cmd, const PlanInput *inputs, int with);
/** @return 0 or AVERROR(ENOMEM): then words are missing */
int  arglist_error(const ArgList *l);
/** Empty again. */
void arglist_free(ArgList *l);

#endif
