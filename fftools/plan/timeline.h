/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TIMELINE_H
#define FFLEET_TIMELINE_H

/**
 * @file
 * Which output frames stock ffmpeg makes of which input frames, worked out in advance from
 * timestamps. Knowledge: do_video_out() in fftools/ffmpeg.c of FFmpeg 5.1 and
 * video_sync_process() in fftools/ffmpeg_filter.c of FFmpeg 7.1; which of them applies follows the
 * libavcodec that ffleet was built with.
 *
 * A slot is an output frame's pts in units of 1/frame_rate.
 */

#include <stdint.h>
#include <libavutil/rational.h>

enum VsyncMethod {
    VSYNC_AUTO = -1,
    VSYNC_PASSTHROUGH,
    VSYNC_CFR,
    VSYNC_VFR,
    VSYNC_VSCFR,
    VSYNC_DROP,
};

typedef struct TimelineConfig {
    enum VsyncMethod vsync;
    AVRational frame_rate;       ///< of the output (encoder's time base is its inverse)
    AVRational in_time_base;     ///< of pts given to timeline_add()
    AVRational duration_time_base; ///< of duration
    AVRational sink_frame_rate;  ///< of the filter graph's output; {0, 1} unknown
    int        out_rate_given;   ///< -r is among the output's options
    int64_t    start;            ///< -ss of the output, in AV_TIME_BASE units: what is there becomes slot 0
    int        no_duration;      ///< FFmpeg 7: a filter makes frames without
    int        uncapped;         ///< FFmpeg 5.1: a frame may last longer than one of the output
    int        use_duration;     ///< packet durations count (no user filters; in 5.1 no graph anywhere, either)
} TimelineConfig;

typedef struct Timeline {
    TimelineConfig cfg;
    int64_t next_slot;           ///< ffmpeg's sync_opts / next_pts
    int64_t frame_number;
    int64_t prev_hist[3];
    int     last_dropped;
    int     seen;                ///< a frame was given before
    int64_t last_pts;            ///< of the last frame (7.1: durations are estimated from it)
    int64_t last_duration;
    int64_t nb_dup, nb_drop;
} Timeline;

/** What one more input frame means. */
typedef struct TimelineStep {
    int64_t prev_count;  ///< the previous frame is shown so many times more first, from prev_slot on
    int64_t prev_slot;
    int64_t slot;        ///< first slot of this frame
    int64_t count;       ///< times this frame is shown from slot on, before the next one is known; 0: dropped, unless a
                         ///< later step's prev_count brings it back
} TimelineStep;

/** Nothing to free. @param cfg copied */
void timeline_init(Timeline *t, const TimelineConfig *cfg);

/**
 * Take one more frame, in presentation order.
 * @param pts      in cfg.in_time_base, ffmpeg's offset already applied
 * @param duration of the packet, in cfg.duration_time_base; 0: unknown
 * @return 0, or AVERROR_PATCHWELCOME where stock does something that is not modelled
 */
int timeline_add(Timeline *t, int64_t pts, int64_t duration, TimelineStep *step);

/** The input ended: only prev_count and prev_slot of *step are set. */
void timeline_flush(Timeline *t, TimelineStep *step);

#endif
