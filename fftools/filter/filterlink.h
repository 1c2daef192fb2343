/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERLINK_H
#define FFLEET_FILTERLINK_H

/** @file libavfilter itself, run here on frames of our own. */

#include <libavfilter/avfilter.h>

/**
 * Set up a graph of one path of video: frames go in by src (buffersrc.h) and come out of sink
 * (buffersink.h). Both are the graph's.
 * @param graph   empty; the caller's, also on error
 * @param source  options of the filter `buffer`: what the frames are
 * @param filters the filters between
 * @return 0, or an AVERROR code: they cannot be set up
 */
int filterlink_open(AVFilterGraph *graph, const char *source, const char *filters,
                    AVFilterContext **src, AVFilterContext **sink);

#endif
