/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/common.h>

#include "../compat.h"
#include "sizing.h"

/* Seconds. Less costs quality where keyframes are free, more makes a failure expensive unless hosts are quick. */
#define MIN_LENGTH     4.0
#define MAX_LENGTH     30.0
/* Of inputs so short that some hosts would have nothing to do. */
#define SHORTEST       2.0
/* When nothing is known, and where keyframes are free but for the last ones. */
#define USUAL_LENGTH   8.0

/** Then each segment adds a keyframe that stock's output does not have. */
static int adds_keyframe(const Plan *plan)
{
    return !plan->gop && !plan->force_keyframes && !plan->source_keyframes && plan->judge.rate != RATE_FRAME_LOCAL;
}

int64_t sizing_least(const Plan *plan)
{
    double length = plan->segment_length ? plan->segment_length : adds_keyframe(plan) ? MIN_LENGTH : 0;

    return length * av_q2d(plan->frame_rate) + 0.5;
}

int64_t sizing_next(const Plan *plan, Fleet *fleet, int slots, int64_t position)
{
    double rate = av_q2d(plan->frame_rate), length = plan->segment_length;
    double left = plan->duration - position / rate, share = 0;
    double min   = adds_keyframe(plan) ? USUAL_LENGTH : MIN_LENGTH;
    double least = adds_keyframe(plan) ? MIN_LENGTH : SHORTEST;
    /* the fleet's work is frames; a slot may be the tick of a clock */
    double frames = av_q2d(plan_usual_rate(plan));
    int ret;

    if (!length && left > 0)
        min = av_clipd(plan->duration / (fleet ? fleet_slots(fleet) : slots), least, min);
    if (fleet) {
        ret = fleet_demand(fleet, FFMAX(left, 0) * frames, min * frames, least * frames,
                           MAX_LENGTH * frames, &share);
        if (ret < 0)
            return ret;
        share /= frames;
    } else {
        share = FFMIN(left / slots / av_clip(left / slots / min, 1, 4), MAX_LENGTH);
    }
    if (!length)
        length = left > 0 ? FFMAX(share, FFMIN(least, left)) : plan->duration > 0 ? min : USUAL_LENGTH;
    return FFMAX(length * rate + 0.5, 1);
}
