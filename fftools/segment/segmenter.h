/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SEGMENTER_H
#define FFLEET_SEGMENTER_H

/** @file Reads the input once and cuts its video into segments. */

#include "../../remote/blob.h"
#include "../plan/plan.h"
#include "segment.h"

typedef struct Segmenter Segmenter;

/**
 * @param pool for the segments' packets; outlives them
 */
int segmenter_open(Segmenter **s, const Plan *plan, BlobPool *pool);

/** Least length of the next segment; it ends where the first one after that may begin. */
void segmenter_set_length(Segmenter *s, int64_t slots);
/** The slot where the next segment begins. */
int64_t segmenter_position(const Segmenter *s);

/**
 * Read on to the end of the next segment. One thread at a time.
 * @param seg the caller's; give back with segment_free()
 * @return 0; AVERROR_EOF after the last; AVERROR_PATCHWELCOME when the input turns out to be
 *         something that only stock can treat right (reason tells); other AVERROR codes
 */
int segmenter_next(Segmenter *s, Segment **seg, char *reason, size_t reason_size);

/**
 * Read on to the first output frame only, to know where the output begins.
 * @param slot gets its slot
 * @return as segmenter_next()
 */
int segmenter_first(Segmenter *s, int64_t *slot, char *reason, size_t reason_size);

/**
 * No more output frames than that.
 * @return 0; AVERROR_PATCHWELCOME when more have been read already
 */
int segmenter_limit(Segmenter *s, int64_t nb_frames);

/** Whether it was given up because a further video of the plan shows other frames, or at other times. */
int segmenter_differs(const Segmenter *s);

void segmenter_close(Segmenter **s);

#endif
