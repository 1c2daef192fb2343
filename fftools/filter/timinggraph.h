/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TIMINGGRAPH_H
#define FFLEET_TIMINGGRAPH_H

/**
 * @file
 * Which frames a filter chain makes of which, and when: libavfilter itself, run on tiny blank frames with the
 * timestamps of the real ones. Only filters whose timing depends on timestamps and the
 * order of frames may be in it, see filterchain_timing().
 */

#include <stdint.h>

#include <libavutil/rational.h>

typedef struct TimingGraph TimingGraph;

/** A frame that comes out. */
typedef struct TimingFrame {
    int64_t source;    ///< the number that was sent with the frame it is made of
    int64_t pts;       ///< in timinggraph_time_base()
    int64_t duration;  ///< likewise; 0: unknown
    int     blank;     ///< a filter made it of nothing; source is then of the one before, or the first
} TimingFrame;

/**
 * @param filters    as filterchain_timing() makes it
 * @param time_base  of what is sent
 * @param frame_rate of the input; {0, 1} unknown
 * @return 0, or an AVERROR code: the filters cannot be set up
 */
int  timinggraph_open(TimingGraph **g, const char *filters, AVRational time_base,
                      AVRational frame_rate);
void timinggraph_free(TimingGraph **g);

/** Of the frames that come out. */
AVRational timinggraph_time_base(const TimingGraph *g);
/** {0, 1} or {1, 0}: the filters leave it open. */
AVRational timinggraph_frame_rate(const TimingGraph *g);

/** In presentation order. @return 0; AVERROR_EOF when the filters take no more; other AVERROR codes */
int  timinggraph_send(TimingGraph *g, const TimingFrame *frame);
/**
 * The input ended.
 * @param pts where its last frame ended, in the time base of what was sent
 * @return 0 or an AVERROR code
 */
int  timinggraph_end(TimingGraph *g, int64_t pts);
/** @return 0; AVERROR(EAGAIN): send more; AVERROR_EOF: no more will come; other AVERROR codes */
int  timinggraph_receive(TimingGraph *g, TimingFrame *frame);

#endif
