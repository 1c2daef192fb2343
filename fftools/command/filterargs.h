/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERARGS_H
#define FFLEET_FILTERARGS_H

/** @file The text of one filter's arguments. Knowledge: libavfilter/graphparser.c, libavutil/opt.c and eval.c. */

#include <libavfilter/avfilter.h>
#include <libavutil/bprint.h>
#include <libavutil/dict.h>

/** What libavfilter skips around words. */
#define FILTER_BLANKS " \n\t\r"

/** The end of what comes before one of the characters in stop; quotes and escapes are skipped. */
const char *filterargs_skip(const char *s, const char *stop);

/**
 * The length of the name or number that an expression begins with; 0: it begins with neither.
 * @param is_name set where it is a name: of a variable, or of a function
 */
size_t filterargs_expr_word(const char *expr, int *is_name);

/**
 * Split a filter's arguments, the graph's own escapes already taken away, into options in their order. Values
 * without a key take the names of the filter's options in their order, aliases left out.
 * @param f NULL: not known, then they get the key ""
 */
int  filterargs_parse(AVDictionary **opts, const AVFilter *f, const char *args);

/** Append "name=key=value:..." as it stands in a filter graph. */
void filterargs_print(AVBPrint *bp, const char *name, const AVDictionary *opts);

/** Called for each filter of a text; may change its options. @return 1: it did, 0, or an AVERROR code */
typedef int (*FilterVisitor)(void *opaque, const char *name, AVDictionary **opts);

/**
 * Call visit for each filter of a text, in order, with its name only; labels and commas stay as they are.
 * @param filters av_malloc'd; replaced
 * @return 0 or the first AVERROR code
 */
int  filterargs_visit(char **filters, FilterVisitor visit, void *opaque);

#endif
