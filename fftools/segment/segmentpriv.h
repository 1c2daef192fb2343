/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SEGMENTPRIV_H
#define FFLEET_SEGMENTPRIV_H

/**
 * @file
 * The inside of a Segmenter. segmenter.c collects frames and cuts; segmentplace.c finds out where each one is shown,
 * and with that where the next segment may begin. Only these two include this.
 */

#include "../filter/timinggraph.h"
#include "../plan/keyframes.h"
#include "samepicture.h"
#include "segmentbuild.h"
#include "videoreader.h"

typedef struct Segmenter {
    const Plan *plan;
    BlobPool   *pool;
    AVStream   *st;
    VideoReader *reader;
    AVPacket   *pkt;
    PictureKind first_kind;    ///< what the first segment's keyframe shows
    Timeline    timeline;
    Timeline   *others;        ///< of the further plans, which have to agree with it
    int         differs;       ///< one does not
    TimingGraph *graph;        ///< or NULL
    ForcedKeyframes *keyframes;   ///< or NULL
    int64_t    *forced;        ///< slots of forced keyframes not yet in a segment
    int         nb_forced;
    Trim        in_trim, out_trim;
    int64_t     max_slot;      ///< -t of the output: the first slot that is not made
    int64_t     max_frames;    ///< -frames:v, or what segmenter_limit() sets

    Frame     **frames;        ///< of the segment being collected, in decoding order
    int         nb_frames;
    unsigned    frames_size;   ///< for av_fast_realloc()
    int64_t     bytes;         ///< of their packets
    int64_t     held;          ///< those of them that are in memory
    PacketStore store;         ///< where the others are
    Frame     **made;          ///< by the timing filters, from the segment's first one on
    int         nb_made;
    unsigned    made_size;
    int64_t     next_number;   ///< of a frame that the filters see
    TimingFrame last_seen;     ///< by them
    int64_t     last_source;   ///< of the last one made
    int64_t     swallows;      ///< what they see before that time does not get past the first of them
    int64_t     swallowed;     ///< number of the last such frame, or -1
    int64_t     next_made;     ///< order of the next one
    Frame     **waiting;       ///< not placed yet, by pts
    int         nb_waiting;
    unsigned    waiting_size;
    Frame      *last;          ///< the last one placed and not discarded
    Frame      *start;         ///< the first one that the segment owes

    int64_t     target;        ///< slots
    int64_t     least;         ///< slots; a segment shorter than that ends only before it would get huge
    int64_t     max_held;      ///< more bytes are not kept in memory, and a segment ends earlier then
    int64_t     last_place;    ///< the last slot where a segment might begin
    int64_t     place_gap;     ///< slots from the one before to it
    int         key_passed;    ///< a keyframe of the input came since the last frame that is shown
    int         nb_gaps;       ///< in the slots of this segment: each costs a term of an expression
    int64_t     next_id;
    int         first_seen;    ///< by the filters
    const Frame *drop_to;      ///< a keyframe before -ss: what is before it is of no use
    Frame      *cut;           ///< where the next segment begins; waits for the frames behind it
    int         after_cut;     ///< frames placed since
    int         ended;         ///< no further frame is shown
    int         after_end;     ///< frames placed since
    int         drained;       ///< the filters know that the input ended
    int         eof;
} Segmenter;

/** The slot where the next segment begins. */
static inline int64_t segment_position(const Segmenter *s)
{
    return s->start ? s->start->slot + s->start->skip : 0;
}

/**
 * What places frames, for Segmenter.plan; undone by segment_place_close(), also on failure.
 * @return 0 or an AVERROR code
 */
int  segment_place_open(Segmenter *s);
void segment_place_close(Segmenter *s);

/**
 * Place all frames up to dts; stop where the next segment is to begin.
 * @param cut set then; Segmenter.cut is NULL again
 * @return 0; AVERROR_PATCHWELCOME with a reason; other AVERROR codes
 */
int segment_place_frames(Segmenter *s, int64_t dts, Frame **cut, char *reason, size_t reason_size);
/** No more frames come: let the filters give what they still hold. As segment_place_frames(). */
int segment_place_drain(Segmenter *s, char *reason, size_t reason_size);
/** After that: how long the last frame is shown. As segment_place_frames(). */
int segment_place_last(Segmenter *s, char *reason, size_t reason_size);

/** Whether a segment may begin with f, now that it is settled. */
int segment_may_start(const Segmenter *s, const Frame *f);
/** The next one is to begin there, in the middle of its slots if the place is. */
void segment_set_cut(Segmenter *s, Frame *f);
/** The frame of the input that has that number among those that filters see, or NULL. */
Frame *segment_find_source(const Segmenter *s, int64_t number);

#endif
