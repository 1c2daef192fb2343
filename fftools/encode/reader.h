/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_READER_H
#define FFLEET_READER_H

/**
 * @file
 * The thread that cuts the input into segments and hands them to the fleet, and the list of those that are not
 * joined yet. What an earlier run has left in the journal is not encoded again.
 *
 * All but the thread itself is for one thread, the job's.
 */

#include "../../remote/fleet.h"
#include "../../remote/trace.h"
#include "../segment/segment.h"
#include "encode.h"
#include "journal.h"

typedef struct Reader Reader;

/** @param journal NULL: none. All outlive the reader. @return 0 or an AVERROR code */
int  reader_alloc(Reader **r, const Plan *plan, BlobPool *pool, Journal *journal, Encode *encode,
                  Fleet *fleet, Trace *trace);

/**
 * Read the first segment, before anything is said or done.
 * @param slot gets the first slot of the output
 * @return as segmenter_next()
 */
int  reader_first(Reader *r, int64_t *slot, char *reason, size_t reason_size);

/**
 * With Plan.tied_ends, once it is known: the video has so many frames. What may be past them has to
 * wait for that.
 */
void reader_limit(Reader *r, int64_t nb_frames);

/** Start the thread; it goes on from the first segment. @return 0 or an AVERROR code */
int  reader_start(Reader *r);
/** Wait for the thread's end. The fleet has to be cancelled or at its end. NULL is fine. */
void reader_join(Reader *r);

/** @return 0 while it reads; AVERROR_EOF once it has read all; an AVERROR code when it could not, with a reason */
int  reader_state(Reader *r, char *reason, size_t reason_size);

/** The fleet has given a segment back. */
void reader_done(Reader *r, int64_t id);
/** The segment to be joined next, once it is done; or NULL. */
Segment *reader_ready(Reader *r);
/** It is joined: free it and its result. */
void reader_forget(Reader *r, Segment *seg);

/** Whether all that was read is joined. */
int  reader_is_empty(Reader *r);
/** Whether all is read, and done: nothing can go wrong any more that would leave the output to stock. */
int  reader_all_done(Reader *r);

/** Join the thread first. */
void reader_free(Reader **r);

#endif
