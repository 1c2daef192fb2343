/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SEGMENT_H
#define FFLEET_SEGMENT_H

/**
 * @file
 * A segment of the video on the presentation axis: it owes the output frames (slots, see timeline.h) from
 * first_slot on; its packets start at a keyframe at or before the first of them and go on until all of them
 * can be decoded. segmenter.h makes them.
 *
 * On the wire a packet's pts is where its frame is first shown, in SEGMENT_WIRE_UNITS a slot, so that
 * hosts need to know nothing of the frame rate conversion: `fps` fills what is missing. Frames that
 * stock drops come just before the next one that is shown; `fps` drops them too. With timing filters
 * it is the true timestamp (see SegmentChain). The wire format is NUT.
 */

#include <libavutil/mathematics.h>

#include "../../remote/fleetclient.h"
#include "../plan/plan.h"

/** Time units of a slot on the wire. */
#define SEGMENT_WIRE_UNITS 1024
/** Slots that wire timestamps, both ways, are ahead of the real ones: NUT has no negative timestamps. */
#define SEGMENT_WIRE_BASE  16
/** Likewise seconds, where slots are a clock's ticks: far more than encoders hold frames back. */
#define SEGMENT_OPEN_BASE  1000

static inline int64_t segment_wire_base(const Plan *plan)
{
    return plan->rate_open ? av_rescale(SEGMENT_OPEN_BASE, plan->frame_rate.num, plan->frame_rate.den) :
                             SEGMENT_WIRE_BASE;
}

/** Slots that show a frame, without a gap. */
typedef struct SlotRange {
    int64_t first, count;
} SlotRange;

/** Frames that the filters make one after another, shown in slots one after another. */
typedef struct ChainRun {
    int64_t index;         ///< of the first, among those the filters make on the host
    int64_t count;
    int64_t slot;          ///< of the first; where the frame rate is open, by how much slots are ahead of the times
                           ///< they have there
} ChainRun;

/**
 * With filters that read or change the frames' times (Plan.timing) hosts get the true ones, and only behind
 * the filters are the frames counted out into slots.
 */
typedef struct SegmentChain {
    int64_t   shift;       ///< added to the times on the wire, in Plan.in_time_base
    int64_t   from, to;    ///< times of the frames that the filters see, likewise
    int64_t   nb_seen;     ///< how many
    int64_t   nb_sure;     ///< those of them that they see at least, before one of them ends all (trim)
    int64_t   before;      ///< frames that stock's filters see before those
    int64_t   after;       ///< and that they make before the first one made here
    ChainRun *runs;
    int       nb_runs;
} SegmentChain;

typedef struct Segment {
    FleetTask task;        ///< task.opaque is the Segment; task.input the packets in NUT
    int64_t   first_slot;  ///< of the owed output frames
    int64_t   nb_slots;    ///< from the first owed one to the last, gaps (VFR) included
    int64_t   nb_frames;   ///< owed output frames
    int64_t   nb_repeats;  ///< of the last input frame that is shown, at the end of them
    SlotRange *ranges;     ///< their slots, in order
    int       nb_ranges;
    int64_t  *forced;      ///< slots of forced keyframes, in order
    int       nb_forced;
    int64_t   filter_from, filter_to; ///< wire times of what the filters have to see: the owed frames and their neighbours
    int64_t   nb_window;   ///< input frames between the trim points: what `fps` must have seen
    SegmentChain chain;    ///< instead of filter_from, filter_to and nb_window, with timing filters
    int       fragile;     ///< to be decoded by this machine's version of libavcodec only, see videoreader_is_fragile()
    int64_t   nb_dup;      ///< of the whole input up to the end of this segment, as stock counts
    int64_t   nb_drop;
} Segment;

/** With its packets. */
void segment_free(Segment **seg);

#endif
