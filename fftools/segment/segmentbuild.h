/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SEGMENTBUILD_H
#define FFLEET_SEGMENTBUILD_H

/** @file Inside segmenter.c: how the frames collected become a Segment, once it is known where it ends. */

#include "../filter/timinggraph.h"
#include "packetstore.h"
#include "segment.h"

/** A frame of the input; or, with timing filters, one that these make: then without a packet. */
typedef struct Frame {
    AVPacket *pkt;
    WirePayload stored;  ///< the packet's, if it is not with it
    int64_t   pts;      ///< with ffmpeg's offset, in the stream's time base (made ones: the filters')
    int64_t   dts;      ///< likewise; INT64_MIN: unknown
    int64_t   duration;
    int64_t   when;     ///< where the frame timing sees it, in Plan.in_time_base (made ones: the filters')
    int64_t   number;   ///< of those the filters see, in order; of a made one: its source's; -1: not seen
    int64_t   order;    ///< of a made one: among all that are made
    int64_t   slot, count;
    int64_t   index;    ///< of the first output frame that shows it
    int64_t   skip;     ///< a segment begins behind so many of its slots, which are owed by the one before
    int64_t   wire;
    int       key;
    int       near_key; ///< a keyframe of the input comes between the frame shown before and this, or is this
    int       of_key;   ///< it shows a keyframe of the input
    int       hidden;   ///< decoded, but not for the filters to see: edit lists, -ss and -t of the input
    int       discard;  ///< never shown: hidden, or by -ss and -t of the output
    int       blank;    ///< of a made one: nothing of its source is in it
    int       late;     ///< of a made one: only the end of the input lets it come, after others of its source
    int64_t   forced;   ///< 0: it is no forced keyframe, n: its n-th output frame is the first that is
    int       placed;   ///< slot and count are set; count may still grow while it is the last
} Frame;

typedef struct SegmentBuild {
    const Plan *plan;
    AVStream   *st;        ///< of the input
    BlobPool   *pool;
    PacketStore *store;
    Frame     **frames;    ///< whose packets may be needed, in decoding order
    int         nb_frames;
    Frame     **made;      ///< with timing filters: those of the segment, from its first owed one on; else NULL
    int         nb_made;
    int64_t     first;     ///< slot
    int64_t     end;       ///< first slot that is not owed
    int         at_end;    ///< of the input
    int64_t     swallowed; ///< number of the last frame that does not get past the first filter, as none before it does; or -1
} SegmentBuild;

/** When stock tells its filters that the input ended, after that last frame; in Plan.in_time_base. */
int64_t segment_input_end(const Plan *plan, TimingFrame last);

/**
 * Make seg's packets and all that says what to do with them.
 * @param seg zeroed; given back with segment_free() by the caller, on failure as well
 * @return 0; AVERROR_PATCHWELCOME where the frames are in no order that can be described; other AVERROR codes
 */
int segment_build(const SegmentBuild *b, Segment *seg);

#endif
