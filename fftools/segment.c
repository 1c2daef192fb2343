/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/mathematics.h>

#include "compat.h"
#include "keyframes.h"
#include "segment.h"
#include "videoreader.h"
#include "wire.h"

/* Packets of one segment that may wait in memory, before the next place to cut is found. */
#define MAX_PENDING_BYTES (256 << 20)
#define MAX_SEGMENT_BYTES (64 << 20)
/* Each costs a term of an expression on the host's command line. */
#define MAX_RANGES 600
#define MAX_FORCED 1000

typedef struct Frame {
    AVPacket *pkt;
    int64_t   pts;      ///< with ffmpeg's offset, in the stream's time base
    int64_t   dts;      ///< likewise; INT64_MIN: unknown
    int64_t   duration;
    int64_t   slot, count;
    int64_t   index;    ///< of the first output frame that shows it
    int64_t   wire;
    int       key;
    int       hidden;   ///< decoded, but not for the filters to see: edit lists, -ss and -t of the input
    int       discard;  ///< never shown: hidden, or by -ss and -t of the output
    int       forced;   ///< its first output frame is a forced keyframe
    int       placed;   ///< slot and count are set; count may still grow while it is the last
} Frame;

struct Segmenter {
    const Plan *plan;
    BlobPool   *pool;
    AVStream   *st;
    VideoReader *reader;
    AVPacket   *pkt;
    Timeline    timeline;
    ForcedKeyframes *keyframes;   ///< or NULL
    int64_t    *forced;        ///< slots of forced keyframes not yet in a segment
    int         nb_forced;
    Trim        in_trim, out_trim;
    int64_t     max_slot;      ///< -t of the output: the first slot that is not made

    Frame     **frames;        ///< of the segment being collected, in decoding order
    int         nb_frames;
    size_t      frames_size;   ///< for av_fast_realloc()
    int64_t     bytes;
    Frame     **waiting;       ///< not placed yet, by pts
    int         nb_waiting;
    size_t      waiting_size;
    Frame      *last;          ///< the last one placed and not discarded
    Frame      *start;         ///< the first one that the segment owes

    int64_t     target;        ///< slots
    int64_t     next_id;
    int         first_seen;    ///< by the filters
    const Frame *drop_to;      ///< a keyframe before -ss: what is before it is of no use
    Frame      *cut;           ///< where the next segment begins; waits for the frames behind it
    int         after_cut;     ///< frames placed since
    int         ended;         ///< no further frame is shown
    int         after_end;     ///< frames placed since
    int         eof;
};

int segmenter_open(Segmenter **sp, const Plan *plan, BlobPool *pool)
{
    AVFormatContext *fc = plan_video_input(plan)->fc;
    const TimeLimits *in = &plan_video_input(plan)->limits, *out = &plan->out_limits;
    Segmenter *s = av_mallocz(sizeof(*s));
    TimelineConfig cfg = { 0 };

    if (!s)
        return AVERROR(ENOMEM);
    s->plan     = plan;
    s->pool     = pool;
    s->st       = plan_video(plan);
    s->target   = FFMAX(1, plan->segment_length * av_q2d(plan->frame_rate) + 0.5);
    s->pkt      = av_packet_alloc();

    cfg.vsync           = plan->vsync;
    cfg.frame_rate      = plan->frame_rate;
    cfg.in_time_base    = s->st->time_base;
    cfg.sink_frame_rate = av_guess_frame_rate(fc, s->st, NULL);
    cfg.use_duration    = !plan->filters;
    cfg.start           = out->start == AV_NOPTS_VALUE ? 0 : out->start;
    timeline_init(&s->timeline, &cfg);
    trim_init(&s->in_trim, in->start == AV_NOPTS_VALUE ? AV_NOPTS_VALUE : 0, in->duration,
              s->st->time_base);
    trim_init(&s->out_trim, out->start, out->duration, s->st->time_base);
    s->max_slot = out->duration == INT64_MAX ? INT64_MAX :
                  av_rescale_q_rnd(out->duration, AV_TIME_BASE_Q, av_inv_q(plan->frame_rate),
                                   AV_ROUND_UP);

    *sp = s;
    if (plan->force_keyframes &&
        forced_keyframes_alloc(&s->keyframes, plan->force_keyframes, plan->frame_rate) < 0)
        return AVERROR(ENOMEM);
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
    av_freep(&s->waiting);
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
    f->duration = s->pkt->duration;
    f->key      = !!(s->pkt->flags & AV_PKT_FLAG_KEY);
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

/** Give a frame that cannot be overtaken any more its place among the output frames. */
static int place_frame(Segmenter *s, Frame *f, char *reason, size_t reason_size)
{
    TimelineStep step;

    f->placed = 1;
    s->after_end += s->ended;
    f->hidden  |= !trim_passes(&s->in_trim, f->pts);
    f->discard  = f->hidden || s->ended || swallowed(s) || !trim_passes(&s->out_trim, f->pts);
    s->ended |= s->in_trim.eof || s->out_trim.eof;
    if (f->discard) {
        if (f->key && !s->start)
            s->drop_to = f;
        return 0;
    }
    if (timeline_add(&s->timeline, f->pts, f->duration, &step) < 0)
        return stock_only(reason, reason_size, "the frame timing is out of the ordinary");
    if (s->last && s->last->pts >= f->pts)
        return stock_only(reason, reason_size, "the order of the input's frames is unusual");
    if (s->last && step.prev_count) {
        if (!s->last->count) {
            s->last->slot  = step.prev_slot;
            s->last->index = s->timeline.frame_number - step.count - step.prev_count;
        }
        s->last->count += step.prev_count;
        limit_frame(s, s->last);
    }
    f->slot  = step.slot;
    f->count = step.count;
    f->index = s->timeline.frame_number - step.count;
    s->last  = f;
    limit_frame(s, f);
    if (f->count && !s->start)
        s->start = f;
    return 0;
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

    if (f == s->start || !f->count || (length < s->target && s->bytes < MAX_SEGMENT_BYTES))
        return 0;
    if (s->keyframes)
        return f->forced;
    if (s->plan->gop)
        return !(f->index % s->plan->gop);
    return f->key;
}

/** Place all frames up to dts; stop at one that may start a new segment: *cut. */
static int place_frames(Segmenter *s, int64_t dts, Frame **cut, char *reason, size_t reason_size)
{
    while (s->nb_waiting && s->waiting[0]->pts <= dts) {
        Frame *f = s->waiting[0], *settled = s->last;
        int ret;

        /* only once the next frame is known is it sure that the last one stays where it is */
        ret = place_frame(s, f, reason, reason_size);
        if (ret < 0)
            return ret;
        s->after_cut++;
        s->nb_waiting--;
        memmove(s->waiting, s->waiting + 1, s->nb_waiting * sizeof(*s->waiting));
        if (settled && settled != s->last) {
            ret = settle_frame(s, settled);
            if (ret < 0)
                return ret;
            if (s->start && !s->cut && may_start(s, settled)) {
                s->cut       = settled;
                s->after_cut = 0;
            }
        }
        if (s->cut && s->after_cut >= s->plan->window) {
            *cut   = s->cut;
            s->cut = NULL;
            return 0;
        }
    }
    return 0;
}

static int by_pts(const void *a, const void *b)
{
    const Frame *x = *(Frame *const *)a, *y = *(Frame *const *)b;

    return FFDIFFSIGN(x->pts, y->pts);
}

/**
 * Set the wire timestamps of frames sorted by pts.
 * @param end first slot that is not owed
 */
static int set_wire_times(Frame **sorted, int nb, int64_t end)
{
    int64_t shown = INT64_MAX, next = INT64_MAX;  /* wire times of the next one shown, and of the next one */
    int last_shown = nb - 1;

    while (last_shown >= 0 && !(sorted[last_shown]->placed && sorted[last_shown]->count))
        last_shown--;
    /* what follows the last frame known to be shown only has to stay out of the way */
    for (int i = last_shown + 1; i < nb; i++)
        sorted[i]->wire = (end + i - last_shown) * SEGMENT_WIRE_UNITS;
    for (int i = last_shown; i >= 0; i--) {
        Frame *f = sorted[i];

        if (f->count)
            f->wire = shown = f->slot * SEGMENT_WIRE_UNITS;
        else if (f->discard)
            f->wire = FFMIN(next - 1, shown - SEGMENT_WIRE_UNITS / 2 - 1);
        else
            f->wire = next - 1;
        if (f->wire >= next || f->wire <= -SEGMENT_WIRE_BASE * SEGMENT_WIRE_UNITS ||
            (!f->discard && f->wire < shown - SEGMENT_WIRE_UNITS / 2))
            return AVERROR_PATCHWELCOME;
        next = f->wire;
    }
    return 0;
}

/** The wire times between which the filters' input lies: window frames more on either side. */
static void find_filter_range(Segment *seg, Frame **sorted, int nb, int64_t end, int window)
{
    int64_t half = SEGMENT_WIRE_UNITS / 2;
    int64_t from = seg->first_slot * SEGMENT_WIRE_UNITS - half;
    int64_t to   = end * SEGMENT_WIRE_UNITS - half;
    int first = 0, last = nb;

    while (first < nb && sorted[first]->wire < from)
        first++;
    while (last > 0 && sorted[last - 1]->wire >= to)
        last--;
    seg->filter_from = from;
    for (int i = 1; i <= window && i <= first && !sorted[first - i]->hidden; i++)
        seg->filter_from = sorted[first - i]->wire;
    seg->filter_to = to;
    for (int i = 0; i < window && last + i < nb && !sorted[last + i]->hidden; i++)
        seg->filter_to = sorted[last + i]->wire + 1;
}

static int64_t count_window(Frame **frames, int nb, int64_t first, int64_t end)
{
    int64_t from = first * SEGMENT_WIRE_UNITS - SEGMENT_WIRE_UNITS / 2;
    int64_t to   = end   * SEGMENT_WIRE_UNITS - SEGMENT_WIRE_UNITS / 2, n = 0;

    for (int i = 0; i < nb; i++)
        n += frames[i]->wire >= from && frames[i]->wire < to;
    return n;
}

/** Note which of the slots from seg->first_slot up to end show a frame. */
static int find_ranges(Segment *seg, Frame **sorted, int nb, int64_t end)
{
    SlotRange *last = NULL;

    for (int i = 0; i < nb; i++) {
        const Frame *f = sorted[i];

        if (!f->placed || !f->count || f->slot < seg->first_slot || f->slot >= end)
            continue;
        if (!last || last->first + last->count != f->slot) {
            last = av_realloc_array(seg->ranges, seg->nb_ranges + 1, sizeof(*seg->ranges));
            if (!last)
                return AVERROR(ENOMEM);
            seg->ranges = last;
            last = &seg->ranges[seg->nb_ranges++];
            *last = (SlotRange) { .first = f->slot };
        }
        last->count    += f->count;
        seg->nb_frames += f->count;
        seg->nb_slots   = last->first + last->count - seg->first_slot;
    }
    return seg->nb_ranges > MAX_RANGES ? AVERROR_PATCHWELCOME : 0;
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

/** Make a segment of the first nb frames collected. */
static int make_segment(Segmenter *s, int nb, int64_t end, Segment **out)
{
    Segment *seg   = av_mallocz(sizeof(*seg));
    Frame **sorted = av_memdup(s->frames, nb * sizeof(*sorted));
    Blob *blob = NULL;
    WireWriter *w = NULL;
    int ret = AVERROR(ENOMEM);

    if (!seg || !sorted)
        goto end;
    qsort(sorted, nb, sizeof(*sorted), by_pts);
    ret = set_wire_times(sorted, nb, end);
    seg->first_slot = s->start->slot;
    if (ret >= 0)
        ret = find_ranges(seg, sorted, nb, end);
    if (ret >= 0)
        ret = take_forced(s, seg, end);
    if (ret < 0)
        goto end;
    ret = blob_alloc(&blob, s->pool);
    if (ret < 0)
        goto end;
    ret = wire_writer_open(&w, s->st, av_inv_q(av_mul_q(s->plan->frame_rate,
                           (AVRational){ SEGMENT_WIRE_UNITS, 1 })), blob);
    for (int i = 0; ret >= 0 && i < nb; i++)
        ret = wire_write(w, s->frames[i]->pkt, s->frames[i]->wire +
                         SEGMENT_WIRE_BASE * SEGMENT_WIRE_UNITS);
    if (ret >= 0)
        ret = wire_writer_finish(w);
    if (ret < 0)
        goto end;
    blob_seal(blob);
    find_filter_range(seg, sorted, nb, end, s->plan->window);
    seg->fragile     = videoreader_is_fragile(s->reader, sorted[0]->pts);
    seg->nb_window   = count_window(sorted, nb, seg->first_slot, end);
    seg->nb_dup      = s->timeline.nb_dup;
    seg->nb_drop     = s->timeline.nb_drop;
    seg->task.id     = s->next_id++;
    seg->task.input  = blob;
    seg->task.weight = seg->nb_frames;
    seg->task.opaque = seg;
    *out = seg;
    seg  = NULL;
    blob = NULL;
end:
    wire_writer_free(&w);
    blob_unref(&blob);
    av_free(sorted);
    segment_free(&seg);
    return ret;
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

/** After a cut at f: forget what no later segment needs. */
static int drop_before(Segmenter *s, const Frame *f)
{
    int64_t lead = neighbour_pts(s, f, -s->plan->window);
    int keep = 0;

    for (int i = 0; i < s->nb_frames; i++) {
        if (s->frames[i]->key && s->frames[i]->pts <= lead)
            keep = i;
        if (s->frames[i] == f)
            break;
    }
    for (int i = 0; i < keep; i++)
        if (!s->frames[i]->placed || s->frames[i] == s->last || s->frames[i] == f)
            return AVERROR_PATCHWELCOME;
    for (int i = 0; i < keep; i++) {
        s->bytes -= s->frames[i]->pkt->size;
        frame_free(&s->frames[i]);
    }
    s->nb_frames -= keep;
    memmove(s->frames, s->frames + keep, s->nb_frames * sizeof(*s->frames));
    return 0;
}

static int cut_segment(Segmenter *s, Frame *cut, Segment **seg, char *reason, size_t reason_size)
{
    int64_t tail = neighbour_pts(s, cut, s->plan->window);
    int nb = 0, ret;

    for (int i = 0; i < s->nb_frames; i++)
        if (s->frames[i]->pts < tail)
            nb = i + 1;
    ret = make_segment(s, nb, cut->slot, seg);
    if (ret >= 0) {
        s->start = cut;
        ret = drop_before(s, cut);
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
    int ret;

    ret = place_frames(s, INT64_MAX, &cut, reason, reason_size);
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
    if (s->last && step.prev_count) {
        s->last->count += step.prev_count;
        limit_frame(s, s->last);
    }
    if (s->last && (ret = settle_frame(s, s->last)) < 0)
        return ret;
    for (int i = 0; i < s->nb_frames; i++)
        if (s->frames[i]->count)
            end = FFMAX(end, s->frames[i]->slot + s->frames[i]->count);
    ret = make_segment(s, s->nb_frames, end, seg);
    return ret == AVERROR_PATCHWELCOME ?
           stock_only(reason, reason_size, "the frame timing is out of the ordinary") : ret;
}

int segmenter_next(Segmenter *s, Segment **seg, char *reason, size_t reason_size)
{
    *seg = NULL;
    if (s->eof)
        return AVERROR_EOF;
    for (;;) {
        Frame *cut = NULL;
        int ret = s->ended && s->after_end >= s->plan->window ? AVERROR_EOF :
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
