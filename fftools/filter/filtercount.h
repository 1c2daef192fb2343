/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERCOUNT_H
#define FFLEET_FILTERCOUNT_H

/**
 * @file
 * Filters that count frames, FILTER_READS_N, and trim by frames: on a host, which sees a part of
 * them, they have to count on from where stock's would be. Pure. Knowledge: vf_fade.c,
 * vf_drawtext.c, timecode.c and the `n` of expressions in libavfilter of FFmpeg 5.1 and 7.1.
 */

#include <stddef.h>
#include <stdint.h>

/** A host must not begin among these: fade cannot be told to have begun. */
typedef struct CountRange {
    int     after;      ///< counted behind the filters that change the number of frames; else in front of them
    int64_t from, to;   ///< the first and the last one
} CountRange;

#define FILTERCOUNT_MAX_RANGES 8

typedef struct FilterCount {
    int        used;    ///< there are such filters
    int        trims;   ///< trim or select is among them: what is known of times has to be shifted as well
    CountRange ranges[FILTERCOUNT_MAX_RANGES];
    int        nb_ranges;
} FilterCount;

/**
 * Whether all filters of a chain that count can be told where to begin.
 * @param reason the sentence, when not
 * @return 0, AVERROR_PATCHWELCOME with a reason, AVERROR(ENOMEM)
 */
int filtercount_judge(FilterCount *c, const char *chain, char *reason, size_t reason_size);

/**
 * Whether a host may begin behind so many frames, see filtercount_shift().
 * @param lead of which it may see some more
 */
int filtercount_may_begin(const FilterCount *c, int64_t before, int64_t after, int64_t lead);

/**
 * The chain for a host.
 * @param before frames of stock's that go into it before the host's first one
 * @param after  likewise those that come out of the filters that change their number
 * @param shifted av_malloc'd
 * @return 0 or an AVERROR code
 */
int filtercount_shift(const char *chain, int64_t before, int64_t after, char **shifted);

#endif
