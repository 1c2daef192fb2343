/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include <libavutil/mathematics.h>
#include <libavutil/mem.h>

#include "../compat.h"
#include "segmentbuild.h"
#include "wire.h"

/* Each costs a term of an expression on the host's command line. */
#define MAX_RANGES 600

static int by_pts(const void *a, const void *b)
{
    const Frame *x = *(Frame *const *)a, *y = *(Frame *const *)b;

    return FFDIFFSIGN(x->pts, y->pts);
}

/** The first slot that shows it in a segment, where that begins in the middle of it. */
static int64_t first_shown(const Frame *f, int64_t first)
{
    return f->slot < first && f->slot + f->count > first ? first : f->slot;
}

/**
 * Set the wire timestamps of frames sorted by pts.
 * @param first, end slots: the first that is owed, and the first behind those
 */
static int set_wire_times(Frame **sorted, int nb, int64_t first, int64_t end)
{
    int64_t shown = INT64_MAX, next = INT64_MAX;  /* wire times of the next one shown, and of the next one */
    int last_shown = nb - 1;

    while (last_shown >= 0 && !(sorted[last_shown]->placed && sorted[last_shown]->count))
        last_shown--;
    /* between shown ones `fps` would take the discarded for these */
    for (int i = 0, begun = 0; i < last_shown; i++) {
        if (begun && sorted[i]->discard)
            return AVERROR_PATCHWELCOME;
        begun |= sorted[i]->placed && sorted[i]->count && first_shown(sorted[i], first) >= first;
    }
    /* what follows the last frame known to be shown only has to stay out of the way */
    for (int i = last_shown + 1; i < nb; i++)
        sorted[i]->wire = (end + i - last_shown) * SEGMENT_WIRE_UNITS;
    for (int i = last_shown; i >= 0; i--) {
        Frame *f = sorted[i];
        /* dropped ones before the first that is owed are nobody's: a host may be unable to decode them */
        int apart = f->discard || shown == first * SEGMENT_WIRE_UNITS;

        if (f->count)
            f->wire = shown = first_shown(f, first) * SEGMENT_WIRE_UNITS;
        else if (apart)
            f->wire = FFMIN(next - 1, shown - SEGMENT_WIRE_UNITS / 2 - 1);
        else
            f->wire = next - 1;
        if (f->wire >= next || f->wire <= -SEGMENT_WIRE_BASE * SEGMENT_WIRE_UNITS ||
            (!apart && f->wire < shown - SEGMENT_WIRE_UNITS / 2))
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

/** Note which of the slots from seg->first_slot up to b->end show a frame. */
static int find_ranges(const SegmentBuild *b, Segment *seg, Frame **shown, int nb)
{
    SlotRange *last = NULL;

    for (int i = 0; i < nb; i++) {
        const Frame *f = shown[i];
        int64_t from = FFMAX(f->slot, seg->first_slot), to = FFMIN(f->slot + f->count, b->end);

        if (!f->placed || !f->count || from >= to)
            continue;
        if (!last || last->first + last->count != from) {
            last = av_realloc_array(seg->ranges, seg->nb_ranges + 1, sizeof(*seg->ranges));
            if (!last)
                return AVERROR(ENOMEM);
            seg->ranges = last;
            last = &seg->ranges[seg->nb_ranges++];
            *last = (SlotRange) { .first = from };
        }
        last->count    += to - from;
        seg->nb_frames += to - from;
        seg->nb_slots   = last->first + last->count - seg->first_slot;
        seg->nb_repeats = to - from - 1;
    }
    /* where the frame rate is open they are on no command line */
    return seg->nb_ranges > MAX_RANGES && !b->plan->rate_open ? AVERROR_PATCHWELCOME : 0;
}

/* ---- with timing filters ---- */

int64_t segment_input_end(const Plan *plan, TimingFrame last)
{
    AVRational tb = plan->in_time_base;
    int64_t end = av_rescale_q(last.pts, tb, AV_TIME_BASE_Q);

    if (COMPAT_OVERLAY_HIDES_END && plan->path && plan->path->fills_behind)
        return last.pts;
    /* send_filter_eof() in ffmpeg.c (5.1) goes by microseconds */
    end += last.duration > 0 ? av_rescale_q(last.duration, tb, AV_TIME_BASE_Q) :
                               av_rescale_q(1, av_inv_q(plan->in_frame_rate), AV_TIME_BASE_Q);
    return av_rescale_q_rnd(end, AV_TIME_BASE_Q, tb, AV_ROUND_NEAR_INF);
}

typedef struct Simulation {
    TimingGraph *graph;
    TimingFrame *frames;   ///< that come out
    unsigned size;
    int nb;
    int ended;             ///< no more will come
} Simulation;

static int collect(Simulation *m)
{
    TimingFrame f;
    int ret;

    while ((ret = timinggraph_receive(m->graph, &f)) >= 0) {
        TimingFrame *grown = av_fast_realloc(m->frames, &m->size, (m->nb + 1) * sizeof(*grown));

        if (!grown)
            return AVERROR(ENOMEM);
        m->frames = grown;
        grown[m->nb++] = f;
    }
    m->ended = ret == AVERROR_EOF;
    return ret == AVERROR(EAGAIN) || ret == AVERROR_EOF ? 0 : ret;
}

/**
 * What a host's filters make of these frames. Only at the end of the input do those count that come when the
 * host's input ends: it cannot know how long its last frame lasts.
 * @param nb_sure gets how many of the frames seen they take at least, before they end by themselves (trim)
 * @return how many, or an AVERROR code
 */
static int simulate(const SegmentBuild *b, Frame **seen, int nb_seen, int at_end, TimingFrame **made,
                    int *nb_sure)
{
    const Plan *plan = b->plan;
    Simulation m = { 0 };
    TimingFrame f = { 0 };
    char *timing = NULL;
    int ret = plan->counts.trims && nb_seen ?
              filtercount_shift(plan->timing, seen[0]->number, 0, &timing) : 0;

    if (ret >= 0)
        ret = timinggraph_open(&m.graph, timing ? timing : plan->timing, plan->in_time_base,
                               plan->in_frame_rate);
    av_free(timing);

    *nb_sure = nb_seen;
    for (int i = 0; ret >= 0 && !m.ended && i < nb_seen; i++) {
        f   = (TimingFrame) { .source = seen[i]->number, .pts = seen[i]->when, .duration = seen[i]->duration };
        ret = timinggraph_send(m.graph, &f);
        m.ended = ret == AVERROR_EOF;
        if (ret >= 0)
            ret = collect(&m);
        if (m.ended) {
            *nb_sure = ret < 0 ? i : i + 1;
            ret = 0;
        }
    }
    if (ret >= 0 && at_end && !m.ended)
        ret = timinggraph_end(m.graph, segment_input_end(plan, f));
    if (ret >= 0)
        ret = collect(&m);
    timinggraph_free(&m.graph);
    *made = m.frames;
    return ret < 0 ? ret : m.nb;
}

/** Where the owed frames are among those a host makes. @return the index of the first; -1: they are not */
static int find_made(const SegmentBuild *b, const TimingFrame *made, int nb, int before, int after)
{
    for (int skip = before; skip + b->nb_made + after <= nb; skip++) {
        int i = 0;

        while (i < b->nb_made && made[skip + i].source == b->made[i]->number && made[skip + i].blank == b->made[i]->blank)
            i++;
        if (i == b->nb_made)
            return skip;
    }
    return -1;
}

/**
 * @param nb_sure see simulate()
 * @return index of the first owed frame among those made of seen[from..to]; -1: they are not there
 */
static int try_range(const SegmentBuild *b, Frame **seen, int nb_seen, int from, int to, int *nb_sure)
{
    const int margin = b->plan->window ? 2 * b->plan->window + 2 : 0;
    const int at_end = b->at_end && to == nb_seen - 1;
    /* then filters that look at neighbours have seen none, here and there */
    const int fresh  = !seen[from]->number || seen[from]->number <= b->swallowed;
    TimingFrame *made;
    int nb = simulate(b, seen + from, to - from + 1, at_end, &made, nb_sure), skip;
    int ended = at_end || *nb_sure <= to - from;

    skip = nb < 0 ? nb : find_made(b, made, nb, fresh ? 0 : margin, ended ? 0 : margin);
    av_free(made);
    return skip;
}

/**
 * How many frames before and after those that the owed ones are made of does a host have to see, so
 * that its filters make the same? Tried out: first where to begin, then where to end.
 * @return index of the first owed one among what it makes then; AVERROR_PATCHWELCOME: no number will do
 */
static int find_lead(const SegmentBuild *b, Frame **seen, int nb_seen, int *from, int *to, int *nb_sure)
{
    const int window = b->plan->window ? b->plan->window + 1 : 0;
    int first = 0, last = nb_seen - 1, skip = -1;

    while (first < last && seen[first]->number < b->made[0]->number)
        first++;
    while (last > first && seen[last]->number > b->made[b->nb_made - 1]->number)
        last--;
    for (int lead = window; skip == -1 && lead <= b->plan->reach; lead++) {
        *from = FFMAX(first - lead, 0);
        skip  = try_range(b, seen, nb_seen, *from, nb_seen - 1, nb_sure);
        if (lead > first)
            break;
    }
    if (skip < 0)
        return skip == -1 ? AVERROR_PATCHWELCOME : skip;
    for (*to = FFMIN(last + window, nb_seen - 1); *to < nb_seen - 1; ++*to) {
        int sure, ret = try_range(b, seen, nb_seen, *from, *to, &sure);

        if (ret == skip) {
            *nb_sure = sure;
            break;
        }
        if (ret < -1)
            return ret;
    }
    return skip;
}

/**
 * Note which of the frames that the filters make are shown where.
 * @param made all that they make
 */
static int find_runs(const SegmentBuild *b, SegmentChain *c, int skip, const TimingFrame *made)
{
    const int open = b->plan->rate_open;
    ChainRun *last = NULL;
    int64_t next_slot = 0;

    for (int i = 0; i < b->nb_made; i++) {
        const Frame *f = b->made[i];
        int64_t slot   = f->slot - (open ? made[skip + i].pts : 0);

        if (!f->count)
            continue;
        if (!last || last->index + last->count != skip + i || slot != next_slot) {
            last = av_realloc_array(c->runs, c->nb_runs + 1, sizeof(*c->runs));
            if (!last)
                return AVERROR(ENOMEM);
            c->runs = last;
            last  = &c->runs[c->nb_runs++];
            *last = (ChainRun) { .index = skip + i, .slot = slot };
        }
        last->count++;
        next_slot = last->slot + (open ? 0 : last->count);
        if (f->count > 1)
            next_slot = -1;
    }
    return c->nb_runs > MAX_RANGES ? AVERROR_PATCHWELCOME : 0;
}

/** @return the first packet that is needed */
static int describe_chain(const SegmentBuild *b, Frame **sorted, Segment *seg)
{
    SegmentChain *c = &seg->chain;
    int first = 0, last = b->nb_frames, from, to, skip, nb_sure, keep = 0, ret = 0;
    TimingFrame *made = NULL;
    int64_t least = 0;

    while (first < last && sorted[first]->number < 0)
        first++;
    while (last > first && sorted[last - 1]->number < 0)
        last--;
    for (int i = first; i < last; i++)
        if (sorted[i]->number < 0)
            return AVERROR_PATCHWELCOME;
    if (first == last || !b->nb_made)
        return AVERROR_PATCHWELCOME;
    sorted += first;
    skip = find_lead(b, sorted, last - first, &from, &to, &nb_sure);
    if (skip < 0)
        return skip;
    if (b->plan->rate_open)
        ret = simulate(b, sorted + from, to - from + 1, b->at_end && to == last - first - 1, &made, &nb_sure);
    if (ret >= 0)
        ret = find_runs(b, c, skip, made);
    av_free(made);
    if (ret < 0)
        return ret;
    c->from    = sorted[from]->pts;
    c->to      = sorted[to]->pts + 1;
    c->nb_seen = to - from + 1;
    c->nb_sure = nb_sure;
    c->before  = sorted[from]->number;
    c->after   = b->made[0]->order - skip;
    for (const Plan *p = b->plan; p; p = p->next)
        if (!filtercount_may_begin(&p->counts, c->before, c->after, 0))
            return AVERROR_PATCHWELCOME;
    for (int i = 0; i < b->nb_frames; i++)
        if (b->frames[i]->key && b->frames[i]->pts <= c->from)
            keep = i;
    for (int i = 0; i < b->nb_frames; i++)
        least = FFMIN(least, b->frames[i]->pts);
    c->shift = b->nb_frames - least;   /* no packet's DTS, which counts them, may be behind its pts */
    return keep;
}

/* ---- all together ---- */

/** Without timing filters the wire tells of slots. */
static int describe_slots(const SegmentBuild *b, Frame **sorted, Segment *seg)
{
    int ret = set_wire_times(sorted, b->nb_frames, b->first, b->end);

    if (ret < 0)
        return ret;
    find_filter_range(seg, sorted, b->nb_frames, b->end, b->plan->window);
    seg->nb_window = count_window(sorted, b->nb_frames, seg->first_slot, b->end);
    return 0;
}

static int write_packets(const SegmentBuild *b, const Segment *seg, int from, Blob *blob)
{
    const Plan *plan = b->plan;
    AVRational tb = plan->timing ? plan->in_time_base :
                    av_inv_q(av_mul_q(plan->frame_rate, (AVRational){ SEGMENT_WIRE_UNITS, 1 }));
    AVPacket *pkt = av_packet_alloc();
    WireWriter *w = NULL;
    int ret = pkt ? shipment_write(&plan->files, blob) : AVERROR(ENOMEM);

    if (ret >= 0)
        ret = wire_writer_open(&w, b->st, tb, blob);

    for (int i = from; ret >= 0 && i < b->nb_frames; i++) {
        const Frame *f = b->frames[i];
        int64_t pts = plan->timing ? f->pts + seg->chain.shift : f->wire + SEGMENT_WIRE_BASE * SEGMENT_WIRE_UNITS;

        if (!f->stored.blob) {
            ret = wire_write(w, f->pkt, pts);
        } else if (f->stored.size >= WIRE_MIN_PART) {
            packetstore_seal(b->store, &f->stored);
            ret = wire_write_part(w, f->pkt->flags, &f->stored, pts);
        } else {
            ret = packetstore_get(b->store, f->pkt, &f->stored, pkt);
            if (ret >= 0)
                ret = wire_write(w, pkt, pts);
            av_packet_unref(pkt);
        }
    }
    if (ret >= 0)
        ret = wire_writer_finish(w);
    wire_writer_free(&w);
    av_packet_free(&pkt);
    return ret;
}

int segment_build(const SegmentBuild *b, Segment *seg)
{
    Frame **sorted = av_memdup(b->frames, b->nb_frames * sizeof(*sorted));
    Blob *blob = NULL;
    int from, ret;

    if (!sorted)
        return AVERROR(ENOMEM);
    qsort(sorted, b->nb_frames, sizeof(*sorted), by_pts);
    seg->first_slot = b->first;
    from = b->plan->timing ? describe_chain(b, sorted, seg) : describe_slots(b, sorted, seg);
    ret  = from;
    if (ret >= 0)
        ret = b->plan->timing ? find_ranges(b, seg, b->made, b->nb_made) :
                                find_ranges(b, seg, sorted, b->nb_frames);
    if (ret >= 0)
        ret = blob_alloc(&blob, b->pool);
    if (ret >= 0)
        ret = write_packets(b, seg, from, blob);
    if (ret >= 0) {
        blob_seal(blob);
        seg->task.input  = blob;
        seg->task.weight = seg->nb_frames;
        seg->task.opaque = seg;
        blob = NULL;
    }
    blob_unref(&blob);
    av_free(sorted);
    return ret;
}
