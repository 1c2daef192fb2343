/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERJUDGE_H
#define FFLEET_FILTERJUDGE_H

/** @file One filter with its options: what filterchain.c judges a chain by. Pure; any thread. */

#include <libavutil/attributes.h>
#include <libavutil/dict.h>

#include "filtertable.h"

/** What is known of one filter of the chain so far. */
typedef struct FilterVerdict {
    enum FilterTrait trait;
    int  flags;
    int  renumbers; ///< frames get times that begin anew with the first one
    int  leads;     ///< frames come before the first one, on each host before its first
    char why[128];  ///< predicate of a sentence
} FilterVerdict;

/**
 * Judge a filter.
 * @param args of the filter, with the quotes taken off
 * @return 0 or an AVERROR code
 */
int filterjudge_filter(FilterVerdict *v, const char *name, const char *args);

/** Become worse, never better. A long reason is cut. @param fmt for the reason; NULL: none */
void filterjudge_raise(FilterVerdict *v, enum FilterTrait trait, int flags, const char *fmt, ...)
    av_printf_format(4, 5);

int filterjudge_is_deinterlacer(const char *filter);

/** Of a deinterlacer: whether it makes two frames of one. */
int filterjudge_makes_fields(const char *filter, AVDictionary *opts);

#endif
