/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/mathematics.h>

#include "../compat.h"
#include "../filter/filterchain.h"
#include "../plan/sizing.h"
#include "../reason.h"
#include "segmentpriv.h"

/* The host's command line has to stay of a sane length. */
#define MAX_WORDS 200
/* Seconds, or a part of the segment, that may be decoded for nothing in front of it. */
#define MAX_LEAD      5.0
#define MAX_LEAD_PART 3
/* So much longer or shorter than wanted, as a part of it, a segment may be to end at a keyframe of the input. */
#define MARGIN_PART   32
/* So much has to go to a host before it can be done. */
#define HUGE_BYTES    (2LL << 30)
#define TIMING_DIFFERS "its video streams differ in the timing of frames"

/**
 * Whether durations count for stock: 5.1 heeds them only where no filter is given, be it a graph of
 * other streams.
 */
static int uses_durations(const Plan *plan)
{
    const Command *cmd = plan->cmd;

    return !plan->filters && (COMPAT_TIMING_7 || !cmdline_last(cmd->globals, cmd->nb_globals, "filter_complex"));
}

static void start_timeline(Timeline *t, const Plan *plan)
{
    const TimeLimits *out = &plan->out_limits;
    TimelineConfig cfg = { 0 };

    cfg.vsync           = plan->vsync;
    cfg.frame_rate      = plan->frame_rate;
    cfg.in_time_base    = plan->filter_time_base;
    cfg.duration_time_base = plan->timing ? plan->filter_time_base :
                             COMPAT_TIMING_7 ? plan->in_time_base : plan_video(plan)->time_base;
    cfg.sink_frame_rate = plan->filter_frame_rate;
    cfg.use_duration    = uses_durations(plan);
    cfg.no_duration     = plan->no_durations;
    /* do_video_out() and transcode_init() in ffmpeg.c (5.1) */
    cfg.uncapped        = plan->streams[plan->fleet_stream].complex && plan->complex.nb_inputs != 1;
    cfg.start           = out->start == AV_NOPTS_VALUE ? 0 : out->start;
    timeline_init(t, &cfg);
}

static int start_timelines(Segmenter *s)
{
    int nb = 0;

    start_timeline(&s->timeline, s->plan);
    for (const Plan *p = s->plan->next; p; p = p->next) {
        Timeline *others = av_realloc_array(s->others, nb + 1, sizeof(*others));

        if (!others)
            return AVERROR(ENOMEM);
        s->others = others;
        start_timeline(&others[nb++], p);
    }
    return 0;
}

/** Whether all plans' timelines take the same step. @param f NULL: the input ended */
static int others_agree(Segmenter *s, const Frame *f, const TimelineStep *step)
{
    int i = 0;

    s->differs = 1;
    for (const Plan *p = s->plan->next; p; p = p->next, i++) {
        TimelineStep t = { 0 };

        if (!f)
            timeline_flush(&s->others[i], &t);
        else if (timeline_add(&s->others[i], f->when, f->duration, &t) < 0)
            return 0;
        if (t.prev_count != step->prev_count || (t.prev_count && t.prev_slot != step->prev_slot) ||
            (f && (t.count != step->count || (t.count && t.slot != step->slot))))
            return 0;
    }
    s->differs = 0;
    return 1;
}

/** In Plan.in_time_base, and a little less: stock's rounding is its own. */
static int64_t swallowed_before(const Plan *plan)
{
    int64_t time = plan->timing ? filterchain_swallows(plan->timing_all ? plan->timing_all : plan->timing) : INT64_MIN;

    return time == INT64_MIN ? time : av_rescale_q(time - 1000, AV_TIME_BASE_Q, plan->in_time_base) - 1;
}

int segment_place_open(Segmenter *s)
{
    const TimeLimits *in = &plan_video_input(s->plan)->limits, *out = &s->plan->out_limits;
    const Plan *plan = s->plan;

    trim_init(&s->in_trim, plan->trim_start, in->duration, plan->in_time_base);
    trim_init(&s->out_trim, out->start, out->duration, plan->filter_time_base);
    s->max_slot = out->duration == INT64_MAX ? INT64_MAX :
                  av_rescale_q_rnd(out->duration, AV_TIME_BASE_Q, av_inv_q(plan->frame_rate),
                                   AV_ROUND_UP);
    s->max_frames  = plan->max_frames;
    s->least       = sizing_least(plan);
    s->last_source = s->swallowed = -1;
    s->swallows    = swallowed_before(plan);
    if (plan->force_keyframes &&
        forced_keyframes_alloc(&s->keyframes, plan->force_keyframes, plan->frame_rate) < 0)
        return AVERROR(ENOMEM);
    if (start_timelines(s) < 0)
        return AVERROR(ENOMEM);
    return plan->timing ? timinggraph_open(&s->graph, plan->timing_all ? plan->timing_all : plan->timing,
                                           plan->in_time_base, plan->in_frame_rate) : 0;
}

void segment_place_close(Segmenter *s)
{
    timinggraph_free(&s->graph);
    av_freep(&s->others);
    forced_keyframes_free(&s->keyframes);
}

/** -t and -frames:v: nothing is shown from that slot and that number of output frames on. */
static void limit_frame(Segmenter *s, Frame *f)
{
    int64_t left = FFMIN(s->max_slot - FFMAX(f->slot, 0), s->max_frames - f->index);

    if (f->count < left)
        return;
    s->ended = 1;
    f->count = FFMAX(left, 0);
}

/** Whether the filters swallow the frame that they see next, see Plan.drop_first. */
static int swallowed(Segmenter *s)
{
    int first = s->plan->drop_first && !s->first_seen;

    s->first_seen = 1;
    return first;
}

/**
 * Now that it is known how often a frame is shown: which of its output frames are forced keyframes?
 * Of a keyframe of the input only the first is, and a host would not know which that is.
 */
static int settle_frame(Segmenter *s, Frame *f, char *reason, size_t reason_size)
{
    if (s->plan->source_keyframes && f->of_key && f->count > 1)
        return reason_set(reason, reason_size, "a keyframe of the input is shown several times");
    /* which of them are depends on what it coded before */
    if (f->count > 1 && s->plan->streams[s->plan->fleet_stream].encoder->id == AV_CODEC_ID_THEORA)
        return reason_set(reason, reason_size, "libtheora's packets of frames that are repeated may be empty");
    for (int64_t i = 0; s->keyframes && i < f->count; i++) {
        int64_t *list;

        if (!forced_keyframes_next(s->keyframes, f->slot + i))
            continue;
        if (!f->forced)
            f->forced = i + 1;
        list = av_realloc_array(s->forced, s->nb_forced + 1, sizeof(*list));
        if (!list)
            return AVERROR(ENOMEM);
        s->forced = list;
        list[s->nb_forced++] = f->slot + i;
    }
    return 0;
}

/** Not in the middle of what a host cannot take up, nor so near behind it that one would have to see it. */
static int filters_may_start(const Segmenter *s, const Frame *f)
{
    for (const Plan *p = s->plan; p; p = p->next)
        if (!filtercount_may_begin(&p->counts, f->number, f->order, 2 * p->reach + 2))
            return 0;
    return 1;
}

/** Whether options say where keyframes are. */
static int has_fixed_places(const Segmenter *s)
{
    return s->keyframes || s->plan->source_keyframes || s->plan->gop;
}

/**
 * Where the encoder begins anew, or may at no cost: behind so many of the frame's slots. Only
 * without filters that hosts would have to begin there, too, is a frame cut in two.
 * @return -1: nowhere there
 */
static int64_t find_place(const Segmenter *s, const Frame *f)
{
    int64_t place;

    if (s->keyframes)
        place = f->forced - 1;
    else if (s->plan->source_keyframes)
        place = f->key - 1;
    else if (s->plan->gop)
        place = (s->plan->gop - f->index % s->plan->gop) % s->plan->gop;
    else
        place = f->near_key - 1;
    return place < f->count && (place <= 0 || (!s->graph && !s->plan->reach)) ? place : -1;
}

/** The slot where the next such place is expected. */
static int64_t next_place(const Segmenter *s)
{
    return s->place_gap ? s->last_place + s->place_gap : INT64_MAX;
}

/**
 * Whether the segment ought to end at any frame, although there hosts have to decode what comes
 * between the last keyframe of the input and this frame for nothing: when keyframes are far apart,
 * those lengths that let all hosts end together are worth more.
 */
static int ends_anywhere(const Segmenter *s, const Frame *f, int64_t length, int64_t margin)
{
    double lead = FFMAX(length / MAX_LEAD_PART, MAX_LEAD * av_q2d(s->plan->frame_rate));

    if (has_fixed_places(s) || length < s->target || f->slot - s->last_place > lead)
        return 0;
    return next_place(s) - f->slot > margin || length >= s->target + margin;
}

int segment_may_start(const Segmenter *s, const Frame *f)
{
    int64_t length = f->slot - segment_position(s);
    int64_t margin = s->target / MARGIN_PART, early = s->place_gap / 2;
    int full = (s->bytes >= s->max_held && length >= s->least) || s->bytes >= HUGE_BYTES ||
               s->nb_gaps + s->nb_forced >= MAX_WORDS;

    if (f == s->start || !f->count || f->late || !filters_may_start(s, f))
        return 0;
    /*
     * where no keyframe came by in time, the host's command line counts for more than what is
     * decoded for nothing
     */
    if (s->nb_gaps + s->nb_forced >= 2 * MAX_WORDS && !has_fixed_places(s))
        return 1;
    if (s->plan->segment_length || full)
        return find_place(s, f) >= 0 && (full || length >= s->target);
    if (find_place(s, f) < 0)
        return ends_anywhere(s, f, length, margin);
    /* the next place may be farther from what is wanted */
    if (!has_fixed_places(s))
        early = FFMIN(early, margin);
    return length >= s->target - early;
}

/** Whether the frames shown up to one, and from the next on, take terms of their own in an expression. */
static int breaks_run(const Segmenter *s, const Frame *f, const Frame *next)
{
    if (!f->count)
        return !!s->graph;
    return next->slot != f->slot + f->count || (s->graph && f->count > 1);
}

/** Where few frames are shown, keyframes of the input hardly ever are: the next frame is as good a place. */
static void pass_key(Segmenter *s, Frame *settled)
{
    settled->near_key |= s->key_passed;
    s->key_passed      = settled->near_key && !settled->count;
}

static void note_place(Segmenter *s, const Frame *f)
{
    int64_t place = find_place(s, f);

    if (!f->count || place < 0)
        return;
    s->place_gap  = f->slot + place - s->last_place;
    s->last_place = f->slot + place;
}

void segment_set_cut(Segmenter *s, Frame *f)
{
    s->cut  = f;
    f->skip = FFMAX(find_place(s, f), 0);
}

/**
 * Give a frame that comes out of the filters its slots. Only once the next one is known is it sure that the
 * one before stays where it is: then that may become the place to cut.
 */
static int show_frame(Segmenter *s, Frame *f, char *reason, size_t reason_size)
{
    Frame *settled = s->last;
    TimelineStep step;
    int ret;

    /* setpts=PTS/60 gives many the same time, and hosts count them */
    if (settled && settled->when >= f->when + !!s->graph)
        return reason_set(reason, reason_size, "the order of the input's frames is unusual");
    if (timeline_add(&s->timeline, f->when, f->duration, &step) < 0)
        return reason_set(reason, reason_size, "the frame timing is out of the ordinary");
    if (!others_agree(s, f, &step))
        return reason_set(reason, reason_size, TIMING_DIFFERS);
    if (settled && step.prev_count) {
        if (!settled->count) {
            settled->slot  = step.prev_slot;
            settled->index = s->timeline.frame_number - step.count - step.prev_count;
        }
        settled->count += step.prev_count;
        limit_frame(s, settled);
    }
    f->slot  = step.slot;
    f->count = step.count;
    f->index = s->timeline.frame_number - step.count;
    s->last  = f;
    s->nb_gaps += settled && breaks_run(s, settled, f);
    limit_frame(s, f);
    if (f->count && !s->start)
        s->start = f;
    if (!settled)
        return 0;
    pass_key(s, settled);
    ret = settle_frame(s, settled, reason, reason_size);
    if (ret >= 0)
        note_place(s, settled);
    if (ret >= 0 && s->start && !s->cut && segment_may_start(s, settled)) {
        segment_set_cut(s, settled);
        s->after_cut = 0;
    }
    return ret;
}

Frame *segment_find_source(const Segmenter *s, int64_t number)
{
    for (int i = s->nb_frames - 1; i >= 0; i--)
        if (s->frames[i]->number == number)
            return s->frames[i];
    return NULL;
}

/** Whether one of the frames that the filters saw after a number, up to another, is a keyframe. */
static int saw_key(const Segmenter *s, int64_t after, int64_t to)
{
    for (int i = s->nb_frames - 1; i >= 0; i--) {
        int64_t number = s->frames[i]->number;

        if (s->frames[i]->key && number >= 0 && number <= to)
            return number > after;
    }
    return 0;
}

/** A frame that the timing filters made. */
static int take_made(Segmenter *s, const TimingFrame *t, char *reason, size_t reason_size)
{
    Frame *source = segment_find_source(s, t->source), *f, **made;
    int first = t->source != s->last_source, near_key;
    int64_t order;

    if (!source || t->source < s->last_source)
        return reason_set(reason, reason_size, "the filters put frames in another order");
    near_key = first && saw_key(s, s->last_source, t->source);
    s->last_source = t->source;
    order = s->next_made++;
    if (!trim_passes(&s->out_trim, t->pts)) {
        s->ended |= s->out_trim.eof;
        if (source->key && !s->start)
            s->drop_to = source;
        return 0;
    }
    f    = av_mallocz(sizeof(*f));
    made = av_fast_realloc(s->made, &s->made_size, (s->nb_made + 1) * sizeof(*made));
    if (made)
        s->made = made;
    if (!f || !made) {
        av_free(f);
        return AVERROR(ENOMEM);
    }
    f->pts      = f->when = t->pts;
    f->duration = t->duration;
    f->number   = t->source;
    f->order    = order;
    f->key      = source->key && first;
    f->near_key = near_key;
    f->of_key   = source->key;
    f->blank    = t->blank;
    f->late     = s->drained && !first;
    f->placed   = 1;
    made[s->nb_made++] = f;
    return show_frame(s, f, reason, reason_size);
}

/** @return AVERROR_EOF when the filters are done */
static int drain_filters(Segmenter *s, char *reason, size_t reason_size)
{
    TimingFrame t;
    int ret;

    while ((ret = timinggraph_receive(s->graph, &t)) >= 0)
        if ((ret = take_made(s, &t, reason, reason_size)) < 0)
            return ret;
    return ret == AVERROR(EAGAIN) ? 0 : ret;
}

static int filter_frame(Segmenter *s, const Frame *f, char *reason, size_t reason_size)
{
    const TimingFrame t = { .source = f->number, .pts = f->when, .duration = f->duration };
    int ret = timinggraph_send(s->graph, &t);

    if (ret >= 0)
        ret = drain_filters(s, reason, reason_size);
    if (ret != AVERROR_EOF)
        return ret;
    s->ended = 1; /* as with trim: nothing comes any more */
    return 0;
}

/** Take a frame that cannot be overtaken any more. */
static int place_frame(Segmenter *s, Frame *f, char *reason, size_t reason_size)
{
    f->placed = 1;
    s->after_end += s->ended;
    f->when    = s->plan->in_rate.num ? s->next_number : f->pts;
    /* the time of -t begins with the first frame that is not cut away by an edit list */
    f->hidden  = f->hidden || !trim_passes(&s->in_trim, f->when);
    s->ended  |= s->in_trim.eof;
    if (!f->hidden) {
        f->number    = s->next_number++;
        s->last_seen = (TimingFrame) { .source = f->number, .pts = f->when, .duration = f->duration };
        if (s->graph && f->when < s->swallows)
            s->swallowed = f->number;
        if (s->swallowed == f->number && f->key && !s->start)
            s->drop_to = f;
    }
    f->near_key = f->key;
    f->discard = f->hidden || s->ended ||
                 (!s->graph && (swallowed(s) || !trim_passes(&s->out_trim, f->when)));
    s->ended |= s->out_trim.eof;
    if (f->discard) {
        if (f->key && !s->start)
            s->drop_to = f;
        return 0;
    }
    return s->graph ? filter_frame(s, f, reason, reason_size) : show_frame(s, f, reason, reason_size);
}

int segment_place_frames(Segmenter *s, int64_t dts, Frame **cut, char *reason, size_t reason_size)
{
    const int tail = s->plan->reach;

    while (s->nb_waiting && s->waiting[0]->pts <= dts) {
        int ret;

        s->after_cut++;
        ret = place_frame(s, s->waiting[0], reason, reason_size);
        if (ret < 0)
            return ret;
        s->nb_waiting--;
        memmove(s->waiting, s->waiting + 1, s->nb_waiting * sizeof(*s->waiting));
        if (s->cut && s->after_cut >= tail) {
            *cut   = s->cut;
            s->cut = NULL;
            return 0;
        }
    }
    return 0;
}

int segment_place_drain(Segmenter *s, char *reason, size_t reason_size)
{
    int ret;

    if (!s->graph || s->drained)
        return 0;
    s->drained = 1;
    ret = timinggraph_end(s->graph, segment_input_end(s->plan, s->last_seen));
    if (ret >= 0)
        ret = drain_filters(s, reason, reason_size);
    return ret == AVERROR_EOF ? 0 : ret;
}

int segment_place_last(Segmenter *s, char *reason, size_t reason_size)
{
    TimelineStep step;

    timeline_flush(&s->timeline, &step);
    if (!others_agree(s, NULL, &step))
        return reason_set(reason, reason_size, TIMING_DIFFERS);
    if (!s->last)
        return 0;
    if (step.prev_count) {
        s->last->count += step.prev_count;
        limit_frame(s, s->last);
    }
    return settle_frame(s, s->last, reason, reason_size);
}
