/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LIKENESS_H
#define FFLEET_LIKENESS_H

/**
 * @file Whether a host's pictures show what they were made of, and not another film, nothing but
 * green, or yesterday's segment.
 */

#include <libavutil/frame.h>

#include "../plan/plan.h"
#include "../segment/segment.h"

/**
 * Make the first picture of a segment here, from its packets and through the filters that hosts are
 * given, and look at it and the host's from afar: both as thumbnails. Any thread.
 * @param picture that the host's result begins with
 * @return 1: it may well be that one, or nothing can be said (filters with files, what cannot be decoded here); 0: it shows
 *         something else; AVERROR(ENOMEM)
 */
int likeness_check(const Plan *plan, const Segment *seg, const AVFrame *picture);

/**
 * How far two thumbnails of LIKENESS_WIDTH x LIKENESS_HEIGHT samples are from each other.
 * @return whether no encoder makes one of the other, however bad its quality
 */
int likeness_differs(const uint8_t *a, int a_linesize, const uint8_t *b, int b_linesize);

#define LIKENESS_WIDTH  32
#define LIKENESS_HEIGHT 18

#endif
