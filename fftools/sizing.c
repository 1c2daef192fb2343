/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/common.h>

#include "compat.h"
#include "sizing.h"

/* Seconds. Less costs quality where keyframes are free, more makes a failure expensive. */
#define MIN_LENGTH     4.0
#define MAX_LENGTH     30.0
/* Of inputs so short that some hosts would have nothing to do. */
#define SHORTEST       2.0
/* When nothing is known, and where each frame of its own costs words of the host's command line. */
#define USUAL_LENGTH   8.0

int64_t sizing_next(const Plan *plan, Fleet *fleet, int slots, int64_t position)
{
    double rate = av_q2d(plan->frame_rate), length = plan->segment_length;
    double left = plan->duration - position / rate;
    /* then each segment adds a keyframe that stock's output does not have */
    int free_keys = !plan->gop && !plan->force_keyframes && !plan->source_keyframes && plan->judge.rate != RATE_FRAME_LOCAL;
    double min  = free_keys ? USUAL_LENGTH : MIN_LENGTH;
    double max  = plan->vsync == VSYNC_VFR || plan->force_keyframes ? USUAL_LENGTH : MAX_LENGTH;

    if (!length && left > 0) {
        if (fleet)
            slots = fleet_slots(fleet);
        min    = av_clipd(plan->duration / slots, free_keys ? MIN_LENGTH : SHORTEST,
                          free_keys ? USUAL_LENGTH : MIN_LENGTH);
        length = av_clipd(fleet ? fleet_share(fleet, left) : left / (3 * slots), min, max);
    } else if (!length) {
        length = plan->duration > 0 ? min : USUAL_LENGTH;
    }
    return FFMAX(length * rate + 0.5, 1);
}
