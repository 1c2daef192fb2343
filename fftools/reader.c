/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdio.h>

#include <libavutil/mem.h>

#include "reader.h"
#include "sizing.h"

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

    pthread_mutex_t lock;       ///< for all that follows
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

static int read_segment(Reader *r, Segment **seg, char *reason, size_t reason_size)
{
    int64_t length = journal_length(r->journal, r->next_id);

    if (!length)
        length = sizing_next(r->plan, r->fleet, 1, segmenter_position(r->segmenter));
    journal_cut(r->journal, r->next_id++, length);
    segmenter_set_length(r->segmenter, length);
    return segmenter_next(r->segmenter, seg, reason, reason_size);
}

int reader_first(Reader *r, int64_t *slot, char *reason, size_t reason_size)
{
    int ret = read_segment(r, &r->first, reason, reason_size);

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
    do {
        ret = keep_segment(r, seg);
        if (ret < 0) {
            segment_free(&seg);
            break;
        }
        if (!restore_segment(r, seg))
            ret = fleet_submit(r->fleet, &seg->task);
        if (ret < 0)
            break;
    } while ((ret = read_segment(r, &seg, reason, sizeof(reason))) >= 0);
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
    int ret = pthread_create(&r->thread, NULL, thread_main, r);

    r->started = !ret;
    return AVERROR(ret);
}

void reader_join(Reader *r)
{
    if (r && r->started)
        pthread_join(r->thread, NULL);
    if (r)
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
