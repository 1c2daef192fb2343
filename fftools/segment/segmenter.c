/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "../compat.h"
#include "../reason.h"
#include "segmenter.h"
#include "segmentpriv.h"

/* Packets of one segment that may wait, before the next place to cut is found. */
#define MAX_PENDING_BYTES (4LL << 30)
/* Those of them in memory, without --memory. */
#define MAX_HELD_BYTES (48 << 20)
/* Packets as big as that are stored at once. */
#define STORE_SIZE (128 << 10)
/* Each costs a term of an expression on the host's command line. */
#define MAX_FORCED 1000

int segmenter_open(Segmenter **sp, const Plan *plan, BlobPool *pool)
{
    Segmenter *s = *sp = av_mallocz(sizeof(*s));
    int ret;

    if (!s)
        return AVERROR(ENOMEM);
    s->plan      = plan;
    s->pool      = pool;
    s->st        = plan_video(plan);
    s->target    = 1;
    s->max_held  = plan->cmd->own.memory ? plan->cmd->own.memory / 4 : MAX_HELD_BYTES;
    s->store.pool = pool;
    s->pkt       = av_packet_alloc();
    ret = s->pkt ? segment_place_open(s) : AVERROR(ENOMEM);
    return ret < 0 ? ret : videoreader_open(&s->reader, plan);
}

static void free_frame(Frame **f)
{
    if (*f) {
        av_packet_free(&(*f)->pkt);
        packetstore_forget(&(*f)->stored);
    }
    av_freep(f);
}

void segmenter_close(Segmenter **sp)
{
    Segmenter *s = *sp;

    if (!s)
        return;
    for (int i = 0; i < s->nb_frames; i++)
        free_frame(&s->frames[i]);
    av_freep(&s->frames);
    for (int i = 0; i < s->nb_made; i++)
        free_frame(&s->made[i]);
    av_freep(&s->made);
    segment_place_close(s);
    av_freep(&s->waiting);
    av_freep(&s->forced);
    av_packet_free(&s->pkt);
    packetstore_close(&s->store);
    videoreader_close(&s->reader);
    av_freep(sp);
}

static int insert_waiting(Segmenter *s, Frame *f)
{
    Frame **w = av_fast_realloc(s->waiting, &s->waiting_size, (s->nb_waiting + 1) * sizeof(*w));
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
    Frame **a = av_fast_realloc(s->frames, &s->frames_size, (s->nb_frames + 1) * sizeof(*a));
    int size = f->pkt->size;

    if (!a)
        return AVERROR(ENOMEM);
    s->frames = a;
    if (size >= STORE_SIZE || s->held + size > s->max_held) {
        int ret = packetstore_put(&s->store, f->pkt, &f->stored);

        if (ret < 0)
            return ret;
    } else {
        s->held += size;
    }
    s->bytes += size;
    a[s->nb_frames++] = f;
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
    f->key      = f->of_key = !!(s->pkt->flags & AV_PKT_FLAG_KEY);
    f->number   = -1;
    f->hidden   = !!(s->pkt->flags & AV_PKT_FLAG_DISCARD);
    ret = append_frame(s, f);
    if (ret < 0) {
        free_frame(&f);
        return ret;
    }
    return insert_waiting(s, f);
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

/**
 * The pts of the n-th frame, in presentation order, before (n < 0) or after f; of the outermost
 * where there are fewer.
 */
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
            (s->graph && s->frames[i]->number > FFMAX(s->last_source, s->swallowed)))
            return AVERROR_PATCHWELCOME;
    for (int i = 0; i < keep; i++) {
        s->held  -= s->frames[i]->pkt->size;
        s->bytes -= s->frames[i]->pkt->size + s->frames[i]->stored.size;
        free_frame(&s->frames[i]);
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
        free_frame(&s->made[nb++]);
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
        .plan   = s->plan,   .st = s->st, .pool = s->pool, .store = &s->store,
        .frames = s->frames, .nb_frames = nb,
        .first  = segment_position(s), .end = end, .at_end = !cut, .swallowed = s->swallowed,
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
        if (segment_may_start(s, s->made[i])) {
            segment_set_cut(s, s->made[i]);
            s->after_cut = s->last_seen.source - s->cut->number;
        }
}

/** Whether the keyframe with which a segment begins looks like the first one's. */
static int check_start(Segmenter *s, char *reason, size_t reason_size)
{
    const Frame *source = s->graph ? segment_find_source(s, s->start->number) : s->start;
    const AVPacket *pkt = NULL;

    for (int i = 0; source && i < s->nb_frames; i++) {
        const Frame *f = s->frames[i];

        if (f->key && !f->stored.blob && f->pts <= source->pts)
            pkt = f->pkt;
    }
    return pkt ? samepicture_check(&s->first_kind, s->st, pkt, reason, reason_size) : 0;
}

static int cut_segment(Segmenter *s, Frame *cut, Segment **seg, char *reason, size_t reason_size)
{
    const Frame *source = s->graph ? segment_find_source(s, cut->number) : cut;
    int nb = 0, ret = check_start(s, reason, reason_size);

    if (ret < 0)
        return ret;
    ret = source ? 0 : AVERROR_PATCHWELCOME;
    if (source) {
        int64_t tail = neighbour_pts(s, source, s->plan->reach);

        for (int i = 0; i < s->nb_frames; i++)
            if (s->frames[i]->pts < tail || (cut->skip && s->frames[i]->pts <= cut->pts))
                nb = i + 1;
        ret = make_segment(s, nb, cut, cut->slot + cut->skip, seg);
    }
    if (ret >= 0) {
        s->start   = cut;
        s->nb_gaps = 0;
        drop_made(s, cut);
        find_next_cut(s);
        ret = drop_before(s, source);
    }
    if (ret < 0)
        segment_free(seg);
    return ret == AVERROR_PATCHWELCOME ?
           reason_set(reason, reason_size, s->graph ?
                      "the filters make other frames of a part of the video than of all of it" :
                      "the order of the input's frames is unusual") : ret;
}

/**
 * Whether filters that look at neighbours would have too few of them behind a cut for a segment
 * that ends there.
 */
static int is_near_end(const Segmenter *s, const Frame *cut)
{
    int behind = 0;

    if (!s->graph || !s->plan->window)
        return 0;
    while (behind < s->nb_made && s->made[s->nb_made - 1 - behind] != cut)
        behind++;
    return behind < 2 * s->plan->window + 4;
}

static int last_segment(Segmenter *s, Segment **seg, char *reason, size_t reason_size)
{
    Frame *cut = NULL;
    int64_t end = 0;
    int ret, nb;
    Frame **shown;

    ret = segment_place_frames(s, INT64_MAX, &cut, reason, reason_size);
    if (ret >= 0 && !cut)
        ret = segment_place_drain(s, reason, reason_size);
    if (ret < 0)
        return ret;
    if (!cut) {
        cut    = s->cut;
        s->cut = NULL;
    }
    if (cut && !is_near_end(s, cut))
        return cut_segment(s, cut, seg, reason, reason_size);
    s->eof = 1;
    if (!s->start)
        return reason_set(reason, reason_size, "the input has no video frames");
    ret = segment_place_last(s, reason, reason_size);
    if (ret >= 0)
        ret = check_start(s, reason, reason_size);
    if (ret < 0)
        return ret;
    shown = s->graph ? s->made : s->frames;
    nb    = s->graph ? s->nb_made : s->nb_frames;
    for (int i = 0; i < nb; i++)
        if (shown[i]->count)
            end = FFMAX(end, shown[i]->slot + shown[i]->count);
    ret = make_segment(s, s->nb_frames, NULL, end, seg);
    return ret == AVERROR_PATCHWELCOME ?
           reason_set(reason, reason_size, "the frame timing is out of the ordinary") : ret;
}

void segmenter_set_length(Segmenter *s, int64_t slots)
{
    s->target = FFMAX(slots, 1);
}

int64_t segmenter_position(const Segmenter *s)
{
    return segment_position(s);
}

/** Forget what -ss leaves out. */
static int drop_hidden(Segmenter *s, char *reason, size_t reason_size)
{
    int ret = s->drop_to ? drop_before(s, s->drop_to) : 0;

    s->drop_to = NULL;
    if (ret < 0)
        return reason_set(reason, reason_size, "the order of the input's frames is unusual");
    if (s->bytes > MAX_PENDING_BYTES)
        return reason_set(reason, reason_size, "the input's keyframes are too far apart");
    return 0;
}

int segmenter_first(Segmenter *s, int64_t *slot, char *reason, size_t reason_size)
{
    segmenter_set_length(s, INT64_MAX);
    while (!s->start) {
        Frame *cut = NULL;
        int ret = read_frame(s, reason, reason_size);

        if (ret >= 0)
            ret = segment_place_frames(s, s->frames[s->nb_frames - 1]->dts, &cut, reason,
                                       reason_size);
        if (ret == AVERROR_EOF)
            return reason_set(reason, reason_size, "the input is too short to be worth splitting");
        if (ret < 0)
            return ret;
        ret = drop_hidden(s, reason, reason_size);
        if (ret < 0)
            return ret;
    }
    *slot = segment_position(s);
    return 0;
}

int segmenter_limit(Segmenter *s, int64_t nb_frames)
{
    s->max_frames = FFMIN(s->max_frames, nb_frames);
    return s->timeline.frame_number > nb_frames ? AVERROR_PATCHWELCOME : 0;
}

int segmenter_differs(const Segmenter *s)
{
    return s->differs;
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
            ret = segment_place_frames(s, s->frames[s->nb_frames - 1]->dts, &cut, reason,
                                       reason_size);
        if (ret < 0)
            return ret;
        if (cut)
            return cut_segment(s, cut, seg, reason, reason_size);
        ret = drop_hidden(s, reason, reason_size);
        if (ret < 0)
            return ret;
    }
}
