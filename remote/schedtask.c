/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scheduler's tasks: which wait, which run where.
 */

#include <libavutil/avassert.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/tree.h>

#include "schedpriv.h"

static int by_id(const void *a, const void *b)
{
    const Task *x = a, *y = b;

    return FFDIFFSIGN(x->id, y->id);
}

static int before_all(const void *key, const void *elem)
{
    (void)key;
    (void)elem;
    return -1;
}

static void task_free(Task *t)
{
    av_free(t->open);
    av_free(t->fresh);
    av_free(t);
}

/** Move the node from the task into the tree. */
static void enter(struct AVTreeNode **root, Task *t, struct AVTreeNode **node)
{
    av_tree_insert(root, t, by_id, node);
    av_assert0(!*node);
}

/** Take the task out; it has its node back then. */
static void leave(struct AVTreeNode **root, Task *t, struct AVTreeNode **node)
{
    if (!*node)
        av_tree_insert(root, t, by_id, node);
}

int sched_task_add(Sched *s, int64_t id, double weight, void *opaque)
{
    Task *t = av_mallocz(sizeof(*t));

    if (!t)
        return AVERROR(ENOMEM);
    t->id     = id;
    t->weight = FFMAX(weight, 1e-6);
    t->opaque = opaque;
    t->wanted = s->wanted;
    s->wanted = -1;
    t->open   = av_tree_node_alloc();
    t->fresh  = av_tree_node_alloc();
    if (!t->open || !t->fresh) {
        task_free(t);
        return AVERROR(ENOMEM);
    }
    if (av_tree_find(s->open, t, by_id, NULL)) {
        task_free(t);
        return AVERROR(EEXIST);
    }
    enter(&s->open, t, &t->open);
    enter(&s->fresh, t, &t->fresh);
    s->nb_open++;
    s->nb_pending++;
    return 0;
}

static void leave_troubled(Sched *s, Task *t)
{
    Task *last;

    if (!t->troubled)
        return;
    last = s->troubled[--s->nb_troubled];
    s->troubled[t->troubled - 1] = last;
    last->troubled = t->troubled;
    t->troubled    = 0;
}

static int is_waiting(const Task *t)
{
    return !t->nb_running && !t->done;
}

void sched_task_forget(Sched *s, Task *t)
{
    av_assert0(!t->nb_running);
    s->nb_pending -= is_waiting(t);
    s->nb_open--;
    leave(&s->open, t, &t->open);
    leave(&s->fresh, t, &t->fresh);
    leave_troubled(s, t);
    task_free(t);
}

static int free_one(void *opaque, void *elem)
{
    Task *t = elem;

    (void)opaque;
    /* those nodes that are NULL here are in a tree, and go with it */
    task_free(t);
    return 0;
}

void sched_task_free_all(Sched *s)
{
    av_tree_enumerate(s->open, NULL, NULL, free_one);
    av_tree_destroy(s->open);
    av_tree_destroy(s->fresh);
    av_freep(&s->troubled);
    av_freep(&s->running);
}

int sched_failed_on(const Task *t, int host)
{
    for (int i = 0; i < t->nb_failed_on; i++)
        if (t->failed_on[i] == host)
            return 1;
    return 0;
}

void sched_note_failed_on(Task *t, int host)
{
    if (!sched_failed_on(t, host) && t->nb_failed_on < MAX_FAILED_ON)
        t->failed_on[t->nb_failed_on++] = host;
}

Task *sched_first_fresh(const Sched *s)
{
    void *next[2] = { NULL, NULL };

    av_tree_find(s->fresh, NULL, before_all, next);
    return next[1];
}

int sched_attempt_begin(Sched *s, Task *t, SlotInfo *sl, double now)
{
    SlotInfo **list = av_fast_realloc(s->running, &s->running_size,
                                      (s->nb_running + 1) * sizeof(*list));

    if (!list)
        return AVERROR(ENOMEM);
    s->running = list;
    list[s->nb_running++] = sl;
    sl->running = s->nb_running;
    if (!t->nb_running) {
        s->nb_pending--;
        leave(&s->fresh, t, &t->fresh);
        leave_troubled(s, t);
    }
    t->attempts[t->nb_running++] = sl;
    sl->task  = t;
    sl->told  = 0;
    sl->start = sl->done_at = now;
    sl->done  = sl->pace = sl->gap = 0;
    return 0;
}

/** After a failure the order of ids is kept as well as a short list allows. */
static void wait_again(Sched *s, Task *t)
{
    Task **list = av_fast_realloc(s->troubled, &s->troubled_size,
                                  (s->nb_troubled + 1) * sizeof(*list));

    s->nb_pending++;
    if (!list) {     /* the other list needs no memory */
        enter(&s->fresh, t, &t->fresh);
        return;
    }
    s->troubled = list;
    list[s->nb_troubled++] = t;
    t->troubled = s->nb_troubled;
}

Task *sched_attempt_end(Sched *s, SlotInfo *sl)
{
    Task     *t = sl->task;
    SlotInfo *last;
    int       i = 0;

    av_assert0(t && sl->running);
    last = s->running[--s->nb_running];
    s->running[sl->running - 1] = last;
    last->running = sl->running;
    sl->running   = 0;
    sl->task      = NULL;
    while (t->attempts[i] != sl)
        i++;
    t->attempts[i] = t->attempts[--t->nb_running];
    if (is_waiting(t))
        wait_again(s, t);
    return t;
}
