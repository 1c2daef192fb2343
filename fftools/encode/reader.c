/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdio.h>

#include <libavutil/mem.h>

#include "../plan/sizing.h"
#include "../reason.h"
#include "../segment/segmenter.h"
#include "reader.h"

#define END_MARGIN 60   /* seconds: segments end at keyframes, and headers may be wrong */

typedef struct ReaderSegment {
    Segment *seg;   ///< freed and NULL once joined
    int      done;  ///< the fleet has given it back; before, its task is not ours to look at
} ReaderSegment;

struct Reader {
    const Plan *plan;
    BlobPool   *pool;
    Journal    *journal;        ///< or NULL
    Encode     *encode;
    Fleet      *fleet;
    Trace      *trace;
    Segmenter  *segmenter;
    Segment    *first;          ///< waits for the thread
    int64_t     next_id;        ///< the thread's: of the next segment
    pthread_t   thread;
    int         started;
    int         next;           ///< id of the next segment to join

    int64_t     nb_frames;      ///< the thread's: in the segments so far
    int         limited;        ///< likewise: the segmenter knows of the limit

    pthread_mutex_t lock;       ///< for all that follows
    pthread_cond_t  changed;    ///< limit, stopped
    int64_t    limit;           ///< of reader_limit(); 0: not known yet
    int        stopped;
    ReaderSegment *segments;    ///< by id
    int        nb_segments;
    int        ret;             ///< 0 while it reads, AVERROR_EOF, or why it ended
    char       reason[256];
};

int reader_alloc(Reader **out, const Plan *plan, BlobPool *pool, Journal *journal, Encode *encode,
                 Fleet *fleet, Trace *trace)
{
    Reader *r = *out = av_mallocz(sizeof(*r));

    if (!r)
        return AVERROR(ENOMEM);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    r->plan    = plan;
    r->pool    = pool;
    r->journal = journal;
    r->encode  = encode;
    r->fleet   = fleet;
    r->trace   = trace;
    return segmenter_open(&r->segmenter, plan, pool);
}

void reader_free(Reader **rp)
{
    Reader *r = *rp;

    if (!r)
        return;
    segmenter_close(&r->segmenter);
    segment_free(&r->first);
    for (int i = 0; i < r->nb_segments; i++)
        if (r->segments[i].seg) {
            Encoded *result = r->segments[i].seg->task.result;

            encoded_free(&result);
            segment_free(&r->segments[i].seg);
        }
    av_freep(&r->segments);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    av_freep(rp);
}

static int keep_segment(Reader *r, Segment *seg)
{
    ReaderSegment *list;
    int ret = 0;

    pthread_mutex_lock(&r->lock);
    list = av_realloc_array(r->segments, r->nb_segments + 1, sizeof(*list));
    if (list) {
        r->segments = list;
        list[r->nb_segments++] = (ReaderSegment) { .seg = seg };
    } else {
        ret = AVERROR(ENOMEM);
    }
    pthread_mutex_unlock(&r->lock);
    return ret;
}

/** @return 0; AVERROR_EXIT: the thread is to end; AVERROR_PATCHWELCOME: it comes too late */
static int wait_for_limit(Reader *r, char *reason, size_t reason_size)
{
    int ret = 0;

    pthread_mutex_lock(&r->lock);
    while (!r->limit && !r->stopped)
        pthread_cond_wait(&r->changed, &r->lock);
    if (r->stopped)
        ret = AVERROR_EXIT;
    else if (segmenter_limit(r->segmenter, r->limit) < 0)
        ret = reason_set(reason, reason_size, "the video ends earlier than its inputs tell");
    pthread_mutex_unlock(&r->lock);
    r->limited = 1;
    return ret;
}

void reader_limit(Reader *r, int64_t nb_frames)
{
    pthread_mutex_lock(&r->lock);
    r->limit = nb_frames;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/** Whether a segment may reach to where other streams end the video. */
static int may_be_too_long(const Reader *r, int64_t length)
{
    double fps = av_q2d(r->plan->frame_rate);

    return r->plan->tied_ends && !r->limited &&
           (segmenter_position(r->segmenter) + length) / fps + END_MARGIN > r->plan->sure_end;
}

static int read_segment(Reader *r, Segment **seg, char *reason, size_t reason_size)
{
    int64_t length = journal_length(r->journal, r->next_id);
    int ret;

    /* the first one is read while the hosts are being connected */
    if (!length)
        length = sizing_next(r->plan, r->started ? r->fleet : NULL, fleet_slots(r->fleet),
                             segmenter_position(r->segmenter));
    if (length < 0)
        return length;
    if (may_be_too_long(r, length) && (ret = wait_for_limit(r, reason, reason_size)) < 0)
        return ret;
    journal_cut(r->journal, r->next_id++, length);
    segmenter_set_length(r->segmenter, length);
    ret = segmenter_next(r->segmenter, seg, reason, reason_size);
    if (ret >= 0)
        r->nb_frames += (*seg)->nb_frames;
    return ret;
}

/** The input is read. @return AVERROR_EOF, or AVERROR_PATCHWELCOME: stock has another number of frames */
static int check_end(Reader *r, char *reason, size_t reason_size)
{
    int ret = r->plan->tied_ends && !r->limited ? wait_for_limit(r, reason, reason_size) : 0;

    if (ret >= 0 && r->plan->tied_ends && r->nb_frames != r->limit)
        ret = reason_set(reason, reason_size, "the video ends elsewhere than it should");
    return ret < 0 ? ret : AVERROR_EOF;
}

int reader_first(Reader *r, int64_t *slot, char *reason, size_t reason_size)
{
    int ret;

    /* where it may end is not known yet */
    if (r->plan->tied_ends)
        return segmenter_first(r->segmenter, slot, reason, reason_size);
    ret = read_segment(r, &r->first, reason, reason_size);
    if (ret >= 0)
        *slot = r->first->first_slot;
    return ret;
}

void reader_done(Reader *r, int64_t id)
{
    pthread_mutex_lock(&r->lock);
    r->segments[id].done = 1;
    pthread_mutex_unlock(&r->lock);
}

/** Take the segment's result from an earlier run. @return whether there is one */
static int restore_segment(Reader *r, Segment *seg)
{
    Blob *packets;
    Encoded *result = NULL;

    if (!journal_find(r->journal, seg, r->pool, &packets) ||
        encode_restore(r->encode, seg, packets, &result) < 0)
        return 0;
    blob_unref(&seg->task.input);
    seg->task.result = result;
    trace_event(r->trace, "restored", "segment", "i", seg->task.id, NULL);
    reader_done(r, seg->task.id);
    return 1;
}

static void *thread_main(void *opaque)
{
    Reader *r = opaque;
    char reason[256] = "";
    Segment *seg = r->first;
    int ret = 0;

    r->first = NULL;
    if (!seg)
        ret = read_segment(r, &seg, reason, sizeof(reason));
    while (ret >= 0) {
        ret = keep_segment(r, seg);
        if (ret < 0) {
            segment_free(&seg);
            break;
        }
        if (!restore_segment(r, seg))
            ret = fleet_submit(r->fleet, &seg->task);
        if (ret >= 0)
            ret = read_segment(r, &seg, reason, sizeof(reason));
    }
    if (ret == AVERROR_EOF)
        ret = check_end(r, reason, sizeof(reason));
    if (ret == AVERROR_EOF)
        fleet_finish(r->fleet);
    pthread_mutex_lock(&r->lock);
    r->ret = ret;
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

int reader_start(Reader *r)
{
    int ret;

    /* the thread looks at it, too */
    r->started = 1;
    ret = pthread_create(&r->thread, NULL, thread_main, r);
    if (ret)
        r->started = 0;
    return AVERROR(ret);
}

void reader_join(Reader *r)
{
    if (!r || !r->started)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopped = 1;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    r->started = 0;
}

int reader_state(Reader *r, char *reason, size_t size)
{
    int ret;

    pthread_mutex_lock(&r->lock);
    ret = r->ret;
    snprintf(reason, size, "%s", r->reason);
    pthread_mutex_unlock(&r->lock);
    return ret;
}

Segment *reader_ready(Reader *r)
{
    Segment *seg = NULL;

    pthread_mutex_lock(&r->lock);
    if (r->next < r->nb_segments && r->segments[r->next].done)
        seg = r->segments[r->next].seg;
    pthread_mutex_unlock(&r->lock);
    return seg;
}

void reader_forget(Reader *r, Segment *seg)
{
    Encoded *result = seg->task.result;

    pthread_mutex_lock(&r->lock);
    r->segments[r->next++].seg = NULL;
    pthread_mutex_unlock(&r->lock);
    encoded_free(&result);
    segment_free(&seg);
}

int reader_is_empty(Reader *r)
{
    int empty;

    pthread_mutex_lock(&r->lock);
    empty = r->next == r->nb_segments;
    pthread_mutex_unlock(&r->lock);
    return empty;
}

int reader_all_done(Reader *r)
{
    int done;

    pthread_mutex_lock(&r->lock);
    done = r->ret == AVERROR_EOF;
    for (int i = r->next; done && i < r->nb_segments; i++)
        done = r->segments[i].done;
    pthread_mutex_unlock(&r->lock);
    return done;
}
