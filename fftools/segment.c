/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/mathematics.h>

#include "compat.h"
#include "keyframes.h"
#include "segmentbuild.h"
#include "timinggraph.h"
#include "videoreader.h"

/* Packets of one segment that may wait in memory, before the next place to cut is found. */
#define MAX_PENDING_BYTES (256 << 20)
#define MAX_SEGMENT_BYTES (64 << 20)   /* without --memory */
/* Each costs a term of an expression on the host's command line. */
#define MAX_FORCED 1000
#define TIMING_DIFFERS "its video streams differ in the timing of frames"

struct Segmenter {
    const Plan *plan;
    BlobPool   *pool;
    AVStream   *st;
    VideoReader *reader;
    AVPacket   *pkt;
    Timeline    timeline;
    Timeline   *others;        ///< of the further plans, which have to agree with it
    TimingGraph *graph;        ///< or NULL
    ForcedKeyframes *keyframes;   ///< or NULL
    int64_t    *forced;        ///< slots of forced keyframes not yet in a segment
    int         nb_forced;
    Trim        in_trim, out_trim;
    int64_t     max_slot;      ///< -t of the output: the first slot that is not made

    Frame     **frames;        ///< of the segment being collected, in decoding order
    int         nb_frames;
    size_t      frames_size;   ///< for av_fast_realloc()
    int64_t     bytes;
    Frame     **made;          ///< by the timing filters, from the segment's first one on
    int         nb_made;
    size_t      made_size;
    int64_t     next_number;   ///< of a frame that the filters see
    TimingFrame last_seen;     ///< by them
    int64_t     last_source;   ///< of the last one made
    Frame     **waiting;       ///< not placed yet, by pts
    int         nb_waiting;
    size_t      waiting_size;
    Frame      *last;          ///< the last one placed and not discarded
    Frame      *start;         ///< the first one that the segment owes

    int64_t     target;        ///< slots
    int64_t     max_bytes;     ///< a segment ends earlier then
    int64_t     next_id;
    int         first_seen;    ///< by the filters
    const Frame *drop_to;      ///< a keyframe before -ss: what is before it is of no use
    Frame      *cut;           ///< where the next segment begins; waits for the frames behind it
    int         after_cut;     ///< frames placed since
    int         ended;         ///< no further frame is shown
    int         after_end;     ///< frames placed since
    int         drained;       ///< the filters know that the input ended
    int         eof;
};

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
    cfg.use_duration    = !plan->filters;
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
    return 1;
}

int segmenter_open(Segmenter **sp, const Plan *plan, BlobPool *pool)
{
    const TimeLimits *in = &plan_video_input(plan)->limits, *out = &plan->out_limits;
    Segmenter *s = av_mallocz(sizeof(*s));

    if (!s)
        return AVERROR(ENOMEM);
    s->plan     = plan;
    s->pool     = pool;
    s->st       = plan_video(plan);
    s->target   = 1;
    s->max_bytes = plan->cmd->own.memory ? plan->cmd->own.memory / 4 : MAX_SEGMENT_BYTES;
    s->pkt      = av_packet_alloc();

    trim_init(&s->in_trim, plan->trim_start, in->duration,
              s->st->time_base);
    trim_init(&s->out_trim, out->start, out->duration, plan->filter_time_base);
    s->max_slot = out->duration == INT64_MAX ? INT64_MAX :
                  av_rescale_q_rnd(out->duration, AV_TIME_BASE_Q, av_inv_q(plan->frame_rate),
                                   AV_ROUND_UP);

    *sp = s;
    if (plan->force_keyframes &&
        forced_keyframes_alloc(&s->keyframes, plan->force_keyframes, plan->frame_rate) < 0)
        return AVERROR(ENOMEM);
    if (start_timelines(s) < 0)
        return AVERROR(ENOMEM);
    s->last_source = -1;
    if (plan->timing) {
        int ret = timinggraph_open(&s->graph, plan->timing, plan->in_time_base, plan->in_frame_rate);

        if (ret < 0)
            return ret;
    }
    return s->pkt ? videoreader_open(&s->reader, plan) : AVERROR(ENOMEM);
}

static void frame_free(Frame **f)
{
    if (*f)
        av_packet_free(&(*f)->pkt);
    av_freep(f);
}

void segmenter_close(Segmenter **sp)
{
    Segmenter *s = *sp;

    if (!s)
        return;
    for (int i = 0; i < s->nb_frames; i++)
        frame_free(&s->frames[i]);
    av_freep(&s->frames);
    for (int i = 0; i < s->nb_made; i++)
        frame_free(&s->made[i]);
    av_freep(&s->made);
    timinggraph_free(&s->graph);
    av_freep(&s->waiting);
    av_freep(&s->others);
    av_freep(&s->forced);
    forced_keyframes_free(&s->keyframes);
    av_packet_free(&s->pkt);
    videoreader_close(&s->reader);
    av_freep(sp);
}

void segment_free(Segment **seg)
{
    if (!*seg)
        return;
    blob_unref(&(*seg)->task.input);
    av_freep(&(*seg)->ranges);
    av_freep(&(*seg)->chain.runs);
    av_freep(&(*seg)->forced);
    av_freep(seg);
}

static int stock_only(char *reason, size_t size, const char *why)
{
    snprintf(reason, size, "%s", why);
    return AVERROR_PATCHWELCOME;
}

static int insert_waiting(Segmenter *s, Frame *f)
{
    Frame **w = av_fast_realloc(s->waiting, (unsigned *)&s->waiting_size,
                                (s->nb_waiting + 1) * sizeof(*w));
    int i = s->nb_waiting;

    if (!w)
        return AVERROR(ENOMEM);
    s->waiting = w;
    for (; i > 0 && w[i - 1]->pts > f->pts; i--)
        w[i] = w[i - 1];
    w[i] = f;
    s->nb_waiting++;
    return 0;
}

static int append_frame(Segmenter *s, Frame *f)
{
    Frame **a = av_fast_realloc(s->frames, (unsigned *)&s->frames_size,
                                (s->nb_frames + 1) * sizeof(*a));

    if (!a)
        return AVERROR(ENOMEM);
    s->frames = a;
    a[s->nb_frames++] = f;
    s->bytes += f->pkt->size;
    return 0;
}

/** Read one packet of the video. @return 0, AVERROR_EOF or an error */
static int read_frame(Segmenter *s, char *reason, size_t reason_size)
{
    Frame *f;
    int ret;

    av_packet_unref(s->pkt);
    ret = videoreader_next(s->reader, s->pkt, reason, reason_size);
    if (ret < 0)
        return ret;
    f = av_mallocz(sizeof(*f));
    if (!f || !(f->pkt = av_packet_clone(s->pkt))) {
        av_freep(&f);
        return AVERROR(ENOMEM);
    }
    f->pts      = s->pkt->pts;
    f->dts      = s->pkt->dts == AV_NOPTS_VALUE ? INT64_MIN : s->pkt->dts;
    f->duration = COMPAT_TIMING_7 && s->plan->in_rate.num ? 1 : s->pkt->duration;
    f->key      = !!(s->pkt->flags & AV_PKT_FLAG_KEY);
    f->number   = -1;
    f->hidden   = !!(s->pkt->flags & AV_PKT_FLAG_DISCARD);
    ret = append_frame(s, f);
    if (ret < 0) {
        frame_free(&f);
        return ret;
    }
    return insert_waiting(s, f);
}

/** -t and -frames:v: nothing is shown from that slot and that number of output frames on. */
static void limit_frame(Segmenter *s, Frame *f)
{
    int64_t left = FFMIN(s->max_slot - FFMAX(f->slot, 0), s->plan->max_frames - f->index);

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

/** Now that it is known how often a frame is shown: which of its output frames are forced keyframes? */
static int settle_frame(Segmenter *s, Frame *f)
{
    for (int64_t i = 0; s->keyframes && i < f->count; i++) {
        int64_t *list;

        if (!forced_keyframes_next(s->keyframes, f->slot + i))
            continue;
        f->forced |= !i;
        list = av_realloc_array(s->forced, s->nb_forced + 1, sizeof(*list));
        if (!list)
            return AVERROR(ENOMEM);
        s->forced = list;
        list[s->nb_forced++] = f->slot + i;
    }
    return 0;
}

static int may_start(const Segmenter *s, const Frame *f)
{
    int64_t length = f->slot - s->start->slot;

    if (f == s->start || !f->count || (length < s->target && s->bytes < s->max_bytes))
        return 0;
    if (s->keyframes)
        return f->forced;
    if (s->plan->gop)
        return !(f->index % s->plan->gop);
    return f->key;
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

    if (settled && settled->when >= f->when)
        return stock_only(reason, reason_size, "the order of the input's frames is unusual");
    if (timeline_add(&s->timeline, f->when, f->duration, &step) < 0)
        return stock_only(reason, reason_size, "the frame timing is out of the ordinary");
    if (!others_agree(s, f, &step))
        return stock_only(reason, reason_size, TIMING_DIFFERS);
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
    limit_frame(s, f);
    if (f->count && !s->start)
        s->start = f;
    if (!settled)
        return 0;
    ret = settle_frame(s, settled);
    if (ret >= 0 && s->start && !s->cut && may_start(s, settled)) {
        s->cut       = settled;
        s->after_cut = 0;
    }
    return ret;
}

static Frame *find_source(const Segmenter *s, int64_t number)
{
    for (int i = s->nb_frames - 1; i >= 0; i--)
        if (s->frames[i]->number == number)
            return s->frames[i];
    return NULL;
}

/** A frame that the timing filters made. */
static int take_made(Segmenter *s, const TimingFrame *t, char *reason, size_t reason_size)
{
    Frame *source = find_source(s, t->source), *f, **made;
    int first = t->source != s->last_source;

    if (!source || t->source < s->last_source)
        return stock_only(reason, reason_size, "the filters put frames in another order");
    s->last_source = t->source;
    if (s->ended || !trim_passes(&s->out_trim, t->pts)) {
        s->ended |= s->out_trim.eof;
        if (source->key && !s->start)
            s->drop_to = source;
        return 0;
    }
    f    = av_mallocz(sizeof(*f));
    made = av_fast_realloc(s->made, (unsigned *)&s->made_size, (s->nb_made + 1) * sizeof(*made));
    if (made)
        s->made = made;
    if (!f || !made) {
        av_free(f);
        return AVERROR(ENOMEM);
    }
    f->pts      = f->when = t->pts;
    f->duration = t->duration;
    f->number   = t->source;
    f->key      = source->key && first;
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
    const TimingFrame t = { f->number, f->when, f->duration };
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
    f->hidden |= !trim_passes(&s->in_trim, f->when);
    s->ended  |= s->in_trim.eof;
    if (!f->hidden) {
        f->number    = s->next_number++;
        s->last_seen = (TimingFrame) { f->number, f->when, f->duration };
    }
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

/** Place all frames up to dts; stop at one that may start a new segment: *cut. */
static int place_frames(Segmenter *s, int64_t dts, Frame **cut, char *reason, size_t reason_size)
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

/** Hand over the forced keyframes before end. */
static int take_forced(Segmenter *s, Segment *seg, int64_t end)
{
    int n = 0;

    while (n < s->nb_forced && s->forced[n] < end)
        n++;
    if (!n)
        return 0;
    if (n > MAX_FORCED)
        return AVERROR_PATCHWELCOME;
    seg->forced = av_memdup(s->forced, n * sizeof(*s->forced));
    if (!seg->forced)
        return AVERROR(ENOMEM);
    seg->nb_forced = n;
    s->nb_forced  -= n;
    memmove(s->forced, s->forced + n, s->nb_forced * sizeof(*s->forced));
    return 0;
}

/** The pts of the n-th frame, in presentation order, before (n < 0) or after f; of the outermost where there are fewer. */
static int64_t neighbour_pts(const Segmenter *s, const Frame *f, int n)
{
    int64_t pts = f->pts;

    for (; n; n += n < 0 ? 1 : -1) {
        int64_t best = AV_NOPTS_VALUE;

        for (int i = 0; i < s->nb_frames; i++) {
            int64_t p = s->frames[i]->pts;

            if (n < 0 ? p < pts && (best == AV_NOPTS_VALUE || p > best) :
                        p > pts && (best == AV_NOPTS_VALUE || p < best))
                best = p;
        }
        if (best == AV_NOPTS_VALUE)
            break;
        pts = best;
    }
    return pts;
}

/** After a cut at a frame of the input: forget what no later segment needs. */
static int drop_before(Segmenter *s, const Frame *f)
{
    int64_t lead = neighbour_pts(s, f, -s->plan->reach);
    int keep = 0;

    for (int i = 0; i < s->nb_frames; i++) {
        if (s->frames[i]->key && s->frames[i]->pts <= lead)
            keep = i;
        if (s->frames[i] == f)
            break;
    }
    for (int i = 0; i < keep; i++)
        if (!s->frames[i]->placed || s->frames[i] == s->last || s->frames[i] == f ||
            (s->graph && s->frames[i]->number > s->last_source))
            return AVERROR_PATCHWELCOME;
    for (int i = 0; i < keep; i++) {
        s->bytes -= s->frames[i]->pkt->size;
        frame_free(&s->frames[i]);
    }
    s->nb_frames -= keep;
    memmove(s->frames, s->frames + keep, s->nb_frames * sizeof(*s->frames));
    return 0;
}

/** Forget the made frames before cut. @return how many there were */
static int drop_made(Segmenter *s, const Frame *cut)
{
    int nb = 0;

    while (nb < s->nb_made && s->made[nb] != cut)
        frame_free(&s->made[nb++]);
    s->nb_made -= nb;
    if (s->nb_made)
        memmove(s->made, s->made + nb, s->nb_made * sizeof(*s->made));
    return nb;
}

/** @param nb frames whose packets are in it @param cut where the next one starts; NULL: this is the last */
static int make_segment(Segmenter *s, int nb, const Frame *cut, int64_t end, Segment **out)
{
    Segment *seg = av_mallocz(sizeof(*seg));
    SegmentBuild b = {
        .plan   = s->plan,   .st = s->st, .pool = s->pool,
        .frames = s->frames, .nb_frames = nb,
        .first  = s->start->slot, .end = end, .at_end = !cut,
    };
    int64_t first = INT64_MAX;
    int ret = seg ? 0 : AVERROR(ENOMEM);

    for (int i = 0; i < nb; i++)
        first = FFMIN(first, s->frames[i]->pts);
    if (s->graph && ret >= 0) {
        drop_made(s, s->start);
        b.made = s->made;
        while (b.nb_made < s->nb_made && s->made[b.nb_made] != cut)
            b.nb_made++;
        while (b.nb_made > 0 && !s->made[b.nb_made - 1]->count)
            b.nb_made--;
    }
    if (ret >= 0)
        ret = take_forced(s, seg, end);
    if (ret >= 0)
        ret = segment_build(&b, seg);
    if (ret < 0) {
        segment_free(&seg);
        return ret;
    }
    seg->fragile = videoreader_is_fragile(s->reader, first);
    seg->nb_dup  = s->timeline.nb_dup;
    seg->nb_drop = s->timeline.nb_drop;
    seg->task.id = s->next_id++;
    *out = seg;
    return 0;
}

/** While the last cut waited for the frames behind it, the place for the next one may have come by. */
static void find_next_cut(Segmenter *s)
{
    for (int i = 0; i < s->nb_made && s->made[i] != s->last && !s->cut; i++)
        if (may_start(s, s->made[i])) {
            s->cut       = s->made[i];
            s->after_cut = s->last_seen.source - s->cut->number;
        }
}

static int cut_segment(Segmenter *s, Frame *cut, Segment **seg, char *reason, size_t reason_size)
{
    const Frame *source = s->graph ? find_source(s, cut->number) : cut;
    int nb = 0, ret = source ? 0 : AVERROR_PATCHWELCOME;

    if (source) {
        int64_t tail = neighbour_pts(s, source, s->plan->reach);

        for (int i = 0; i < s->nb_frames; i++)
            if (s->frames[i]->pts < tail)
                nb = i + 1;
        ret = make_segment(s, nb, cut, cut->slot, seg);
    }
    if (ret >= 0) {
        s->start = cut;
        drop_made(s, cut);
        find_next_cut(s);
        ret = drop_before(s, source);
    }
    if (ret < 0)
        segment_free(seg);
    return ret == AVERROR_PATCHWELCOME ?
           stock_only(reason, reason_size, "the order of the input's frames is unusual") : ret;
}

static int last_segment(Segmenter *s, Segment **seg, char *reason, size_t reason_size)
{
    TimelineStep step;
    Frame *cut = NULL;
    int64_t end = 0;
    int ret, nb;
    Frame **shown;

    ret = place_frames(s, INT64_MAX, &cut, reason, reason_size);
    if (ret >= 0 && !cut && s->graph && !s->drained) {
        s->drained = 1;
        ret = timinggraph_end(s->graph, segment_input_end(s->plan, s->last_seen));
        if (ret >= 0)
            ret = drain_filters(s, reason, reason_size);
        ret = ret == AVERROR_EOF ? 0 : ret;
    }
    if (ret < 0)
        return ret;
    if (!cut) {
        cut    = s->cut;
        s->cut = NULL;
    }
    if (cut)
        return cut_segment(s, cut, seg, reason, reason_size);
    s->eof = 1;
    if (!s->start)
        return stock_only(reason, reason_size, "the input has no video frames");
    timeline_flush(&s->timeline, &step);
    if (!others_agree(s, NULL, &step))
        return stock_only(reason, reason_size, TIMING_DIFFERS);
    if (s->last && step.prev_count) {
        s->last->count += step.prev_count;
        limit_frame(s, s->last);
    }
    if (s->last && (ret = settle_frame(s, s->last)) < 0)
        return ret;
    shown = s->graph ? s->made : s->frames;
    nb    = s->graph ? s->nb_made : s->nb_frames;
    for (int i = 0; i < nb; i++)
        if (shown[i]->count)
            end = FFMAX(end, shown[i]->slot + shown[i]->count);
    ret = make_segment(s, s->nb_frames, NULL, end, seg);
    return ret == AVERROR_PATCHWELCOME ?
           stock_only(reason, reason_size, "the frame timing is out of the ordinary") : ret;
}

void segmenter_set_length(Segmenter *s, int64_t slots)
{
    s->target = FFMAX(slots, 1);
}

int64_t segmenter_position(const Segmenter *s)
{
    return s->start ? s->start->slot : 0;
}

int segmenter_next(Segmenter *s, Segment **seg, char *reason, size_t reason_size)
{
    *seg = NULL;
    if (s->eof)
        return AVERROR_EOF;
    for (;;) {
        Frame *cut = NULL;
        int tail = s->plan->reach;
        int ret = s->ended && s->after_end >= tail ? AVERROR_EOF :
                  read_frame(s, reason, reason_size);

        if (ret == AVERROR_EOF)
            return last_segment(s, seg, reason, reason_size);
        if (ret >= 0)
            ret = place_frames(s, s->frames[s->nb_frames - 1]->dts, &cut, reason, reason_size);
        if (ret < 0)
            return ret;
        if (cut)
            return cut_segment(s, cut, seg, reason, reason_size);
        if (s->drop_to && (ret = drop_before(s, s->drop_to)) < 0)
            return stock_only(reason, reason_size, "the order of the input's frames is unusual");
        s->drop_to = NULL;
        if (s->bytes > MAX_PENDING_BYTES)
            return stock_only(reason, reason_size, "the input's keyframes are too far apart");
    }
}
