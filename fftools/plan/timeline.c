/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include <libavutil/avutil.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mathematics.h>

#include "../compat.h"
#include "timeline.h"

/* Stock drops a frame that would be repeated more often: 30 times its -dts_error_threshold. */
#define MAX_DUPLICATES (3600LL * 30 * 30)

void timeline_init(Timeline *t, const TimelineConfig *cfg)
{
    memset(t, 0, sizeof(*t));
    t->cfg      = *cfg;
    t->last_pts = AV_NOPTS_VALUE;
}

/* The place of a timestamp on the axis of slots, as a real number; both versions compute it with
 * a finer time base and then avoid exact midpoints. */
static double exact_slot(const TimelineConfig *cfg, int64_t pts)
{
    AVRational tb = av_inv_q(cfg->frame_rate);
    int extra_bits = av_clip(29 - av_log2(tb.den), 0, 16);
    double slot;

    tb.den <<= extra_bits;
    slot = av_rescale_q(pts, cfg->in_time_base, tb) - av_rescale_q(cfg->start, AV_TIME_BASE_Q, tb);
    slot /= 1 << extra_bits;
    if (!COMPAT_TIMING_7 || slot != llrint(slot))
        slot += FFSIGN(slot) * 1.0 / (1 << 17);
    return slot;
}

#if COMPAT_TIMING_7
/* ffmpeg_dec.c, video_duration_estimate(), for inputs with timestamps */
static int64_t estimate_duration(const Timeline *t, int64_t pts, int64_t duration)
{
    int64_t ts_diff = t->last_pts != AV_NOPTS_VALUE ? pts - t->last_pts : -1;

    if (duration > 0 && !(duration == 1 && ts_diff > 2))
        return duration;
    if (ts_diff > 0)
        return ts_diff;
    return FFMAX(duration, FFMAX(t->last_duration, 1));
}

static double frame_duration(Timeline *t, int64_t pts, int64_t duration)
{
    const TimelineConfig *cfg = &t->cfg;

    t->last_duration = estimate_duration(t, pts, duration);
    if (cfg->use_duration)
        duration = t->last_duration;
    else if (cfg->no_duration)
        duration = 0;
    if (!cfg->use_duration && cfg->sink_frame_rate.num > 0 && cfg->sink_frame_rate.den > 0 && !duration)
        duration = av_rescale_q(1, av_inv_q(cfg->sink_frame_rate), cfg->duration_time_base);
    return duration * av_q2d(cfg->duration_time_base) * av_q2d(cfg->frame_rate);
}
#else
static double frame_duration(Timeline *t, int64_t pts, int64_t duration)
{
    const TimelineConfig *cfg = &t->cfg;
    AVRational enc_tb = av_inv_q(cfg->frame_rate);
    double d = 0;

    (void)pts;
    if (cfg->sink_frame_rate.num > 0 && cfg->sink_frame_rate.den > 0)
        d = 1 / (av_q2d(cfg->sink_frame_rate) * av_q2d(enc_tb));
    /* ffmpeg takes the smaller one as soon as the output's rate is set, which its encoder
     * set-up always does, and it knows a single stream that the frame comes from */
    if (!cfg->uncapped)
        d = FFMIN(d, 1 / (av_q2d(cfg->frame_rate) * av_q2d(enc_tb)));
    if (cfg->use_duration &&
        lrintf(duration * av_q2d(cfg->duration_time_base) / av_q2d(enc_tb)) > 0)
        d = lrintf(duration * av_q2d(cfg->duration_time_base) / av_q2d(enc_tb));
    return d;
}
#endif

static void decide_cfr(double delta, double delta0, int64_t *nb, int64_t *nb_prev)
{
    if (delta < -1.1) {
        *nb = 0;
    } else if (delta > 1.1) {
        *nb = llrintf(delta);
        if (delta0 > 1.1)
            *nb_prev = llrintf(delta0 - 0.6);
    }
}

static void count_frames(Timeline *t, int64_t nb, int64_t nb_prev)
{
    int shown = (nb_prev && t->last_dropped) + (nb > nb_prev);

    memmove(t->prev_hist + 1, t->prev_hist, 2 * sizeof(t->prev_hist[0]));
    t->prev_hist[0] = nb_prev;
    if (!nb_prev && t->last_dropped)
        t->nb_drop++;
    if (nb > shown)
        t->nb_dup += nb - shown;
}

/**
 * How often a frame is shown, by the method.
 * @param nb      gets how often a frame is shown now, next_slot is where
 * @param nb_prev gets how many of these are the one before, once more
 */
static int decide_slots(Timeline *t, double slot, double duration, int64_t *nb, int64_t *nb_prev)
{
    enum VsyncMethod vsync = t->cfg.vsync;
    double delta0 = slot - t->next_slot;
    double delta  = delta0 + duration;

    *nb      = 1;
    *nb_prev = 0;
    if (delta0 < 0 && delta > 0 && vsync != VSYNC_PASSTHROUGH && vsync != VSYNC_DROP) {
        slot    = t->next_slot;
        delta0  = 0;
    }

    switch (vsync) {
    case VSYNC_VSCFR:
        if (!t->frame_number && delta0 >= 0.5) {
            delta        = duration;
            delta0       = 0;
            t->next_slot = llrint(slot);
        }
        /* fallthrough */
    case VSYNC_CFR:
        decide_cfr(delta, delta0, nb, nb_prev);
        break;
    case VSYNC_VFR:
        if (delta <= -0.6)
            *nb = 0;
        else if (delta > 0.6)
            t->next_slot = llrint(slot);
        break;
    case VSYNC_PASSTHROUGH:
        if (t->seen && llrint(slot) < t->next_slot)
            return AVERROR_PATCHWELCOME; /* the encoder gets two frames of the same time */
        t->next_slot = llrint(slot);
        break;
    default:
        return AVERROR_PATCHWELCOME;
    }
    *nb_prev = FFMIN(*nb_prev, *nb);
    return 0;
}

int timeline_add(Timeline *t, int64_t pts, int64_t frame_dur, TimelineStep *step)
{
    int64_t nb, nb_prev;
    int ret = decide_slots(t, exact_slot(&t->cfg, pts), frame_duration(t, pts, frame_dur), &nb, &nb_prev);

    if (ret < 0)
        return ret;
    if (nb > MAX_DUPLICATES)
        return AVERROR_PATCHWELCOME;
    count_frames(t, nb, nb_prev);
    t->last_dropped = nb == nb_prev;
    t->last_pts     = pts;

    /* without a previous frame there is nothing to repeat: ffmpeg shows the new one */
    if (!t->seen)
        nb_prev = 0;
    t->seen          = 1;
    step->prev_slot  = t->next_slot;
    step->prev_count = nb_prev;
    step->slot       = t->next_slot + nb_prev;
    step->count      = nb - nb_prev;
    t->next_slot    += nb;
    t->frame_number += nb;
    return 0;
}

void timeline_flush(Timeline *t, TimelineStep *step)
{
    int64_t a = t->prev_hist[0], b = t->prev_hist[1], c = t->prev_hist[2];
    int64_t median = FFMAX(FFMIN(a, b), FFMIN(FFMAX(a, b), c));

    memset(step, 0, sizeof(*step));
    step->prev_slot  = t->next_slot;
    step->prev_count = median;
    if (!median && t->last_dropped)
        t->nb_drop++;
    else if (median)
        count_frames(t, median, median);
    t->next_slot    += median;
    t->frame_number += median;
}
