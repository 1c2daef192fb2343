/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_JOURNAL_H
#define FFLEET_JOURNAL_H

/**
 * @file
 * What is done of a run, so that the same command can go on after a crash (--resume): a folder beside the
 * output, or --work-dir, with a file for each finished segment and a list of them. The list names the
 * run by a hash of its arguments, of what its filters read from files, and of its inputs' paths, sizes and times;
 * another run's is refused.
 *
 * The list is written in lines that are only ever appended, each after what it speaks of is safe on
 * the disk; a line without its end does not count. Where segments were cut is kept for
 * those that are not done, too: it depends on how fast hosts were, and has to be the same again.
 *
 * Any thread. A NULL Journal keeps nothing.
 */

#include "../../remote/blob.h"
#include "../plan/plan.h"
#include "../segment/segment.h"

typedef struct Journal Journal;

/**
 * Open what an earlier run left, or begin.
 * @param j   NULL when the command does not ask for it
 * @param why the reason of an error
 * @return 0; AVERROR(EEXIST): it is another run's; AVERROR(EBUSY): that run goes on; other AVERROR codes
 */
int  journal_open(Journal **j, const Plan *plan, char *why, size_t why_size);

/** The length with which the segment was cut, for segmenter_set_length(); 0: it was not yet. */
int64_t journal_length(Journal *j, int64_t id);
/** It is going to be cut with that length. */
void journal_cut(Journal *j, int64_t id, int64_t length);

/**
 * @param blob gets the segment's result, sealed; the caller's. Not to be trusted
 * @return 1, or 0: it is not there, or damaged
 */
int  journal_find(Journal *j, const Segment *seg, BlobPool *pool, Blob **blob);
/** A verified result. A failure is told of once, and ends the journal. */
void journal_add(Journal *j, const Segment *seg, const Blob *result);

/** The outputs are going to be written. */
void journal_output(Journal *j);
/** Whether an earlier run said so: they are ours to overwrite. */
int  journal_has_output(const Journal *j);

/** The run is over. @param remove nothing of it is needed any more */
void journal_close(Journal **j, int remove);

#endif
