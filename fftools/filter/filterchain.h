/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERCHAIN_H
#define FFLEET_FILTERCHAIN_H

/**
 * @file
 * What a chain of libavfilter filters needs from the frames around the one it works on. Pure: opens no
 * file and initialises no filter, so that a text can be judged before anything is decided.
 *
 * Knowledge: the sources of libavfilter of FFmpeg 5.1 and 7.1 (frame handlers, option tables, the
 * variables of each filter's expressions), and libavutil/eval.c.
 */

#include <stddef.h>
#include <stdint.h>

#include "filtertable.h"

/**
 * Judge the text of -vf (or -filter:v), each filter by its own options.
 *
 * A text that libavfilter would refuse is not necessarily refused here.
 *
 * @param worst the worst trait of all filters; FILTER_POINTWISE for an empty text
 * @param why   one sentence on the first filter of the worst kind; "" for FILTER_POINTWISE with no flags
 * @return FILTER_NEEDS_* and other bits of all filters together, or an AVERROR code: AVERROR(EINVAL) when the text
 *         cannot be parsed (*worst is FILTER_UNKNOWN then), AVERROR(ENOMEM)
 */
int filterchain_traits(const char *graph, enum FilterTrait *worst, char *why, size_t why_size);

/**
 * How far a chain whose worst trait is FILTER_WINDOW looks.
 *
 * @param drops_first set when the chain swallows the stream's first frame
 * @return frames before and after the one that is made, all filters together; AVERROR(ENOSYS) for filters
 *         whose window is not known, other AVERROR codes
 */
int filterchain_window(const char *graph, int *drops_first);

/**
 * The part of a chain, no worse than FILTER_WINDOW, that decides which frames there are and when: for
 * timinggraph_open(). Everything else is left out.
 *
 * @param timing av_malloc'd; NULL when neither the number nor the times of the frames change and no
 *               filter reads them
 * @return 0 or an AVERROR code
 */
int filterchain_timing(const char *graph, char **timing);

/**
 * Whether the frames that come out of a chain without labels have no duration (FFmpeg 7).
 * @return 1, 0, or an AVERROR code
 */
int filterchain_loses_durations(const char *graph);

/**
 * Those filters of a chain without labels that change which frames there are, or when; "": none.
 * @param retimes av_malloc'd
 * @return 0 or an AVERROR code
 */
int filterchain_retimes(const char *graph, char **retimes);

/**
 * Before which time a chain's first filter swallows all frames: trim, where it goes by time.
 * @return microseconds; INT64_MIN: it does not, or nobody knows
 */
int64_t filterchain_swallows(const char *graph);

#endif
