/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include <time.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/random_seed.h>

#include "fleet.h"
#include "fleetstate.h"
#include "worker.h"

_Static_assert(HOST_MAX_SLOTS <= SCHED_MAX_SLOTS, "a host's slots need not be cut");

static void set_options(FleetOptions *o, const FleetOptions *given)
{
    *o = *given;
    if (o->max_attempts <= 0)
        o->max_attempts = 3;
    if (o->connect_timeout_ms <= 0)
        o->connect_timeout_ms = 10000;
    if (o->stall_timeout_ms <= 0)
        o->stall_timeout_ms = 60000;
    if (o->backoff_ms <= 0)
        o->backoff_ms = 1000;
}

/** With the clock that fleet_wait() goes by. */
static int init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    int                ret = pthread_condattr_init(&attr);

    if (ret)
        return AVERROR(ret);
    /* with glibc these do not fail */
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
    return 0;
}

static int init_sync(Fleet *f)
{
    int ret = init_cond(&f->news);

    if (ret >= 0)
        pthread_mutex_init(&f->lock, NULL);
    return ret;
}

static int add_host(Fleet *f, const Host *host, int fallback)
{
    FleetHost *fh = &f->hosts[f->nb_hosts];
    int        ret;

    fh->host  = host;
    fh->index = sched_add_host(f->sched, fallback);
    if (fh->index < 0)
        return fh->index;
    ret = init_cond(&fh->work);
    if (ret < 0)
        return ret;
    f->nb_hosts++;
    return 0;
}

static int add_hosts(Fleet *f, const HostList *list)
{
    int ret;

    f->hosts = av_calloc(list->nb_hosts + 1, sizeof(*f->hosts));
    if (!f->hosts)
        return AVERROR(ENOMEM);
    for (int i = 0; i < list->nb_hosts; i++) {
        ret = add_host(f, &list->hosts[i], 0);
        if (ret < 0)
            return ret;
    }
    return f->options.local_fallback ? add_host(f, f->options.local, 1) : 0;
}

static void start_hosts(Fleet *f)
{
    int ret;

    for (int i = 0; i < f->nb_hosts; i++) {
        FleetHost *fh = &f->hosts[i];

        pthread_mutex_lock(&f->lock);
        ret = worker_start(f, fh);
        if (ret < 0) {
            sched_break(f->sched, fh->index);
            av_strlcpy(fh->why, av_err2str(ret), sizeof(fh->why));
            fleet_changed(f);
        }
        pthread_mutex_unlock(&f->lock);
        if (ret < 0)
            av_log(NULL, AV_LOG_WARNING, "host %s: cannot start its thread: %s\n",
                   fh->host->label, av_err2str(ret));
    }
}

int fleet_open(Fleet **fp, const HostList *hosts, const FleetClient *client,
               const FleetOptions *opts, Trace *trace)
{
    SchedConfig config = { .seed = av_get_random_seed() };
    Fleet      *f;
    int         ret;

    *fp = NULL;
    if (opts->local_fallback && !opts->local)
        return AVERROR(EINVAL);
    f = av_mallocz(sizeof(*f));
    if (!f)
        return AVERROR(ENOMEM);
    ret = init_sync(f);
    if (ret < 0) {
        av_free(f);
        return ret;
    }
    f->client = *client;
    f->trace  = trace;
    set_options(&f->options, opts);
    config.max_attempts = f->options.max_attempts;
    config.backoff      = f->options.backoff_ms / 1e3;
    for (int i = 0; i < hosts->nb_hosts; i++)
        config.fallback_listed |= hosts->hosts[i].local;
    ret = sched_alloc(&f->sched, &config);
    if (ret >= 0)
        ret = add_hosts(f, hosts);
    if (ret < 0) {
        fleet_close(&f);
        return ret;
    }
    start_hosts(f);
    *fp = f;
    return 0;
}

/** Make room in the list of done tasks for all that the fleet holds, and one more. */
static int reserve_done(Fleet *f)
{
    int         needed = f->nb_done + sched_open(f->sched) + 1;
    FleetTask **done;

    if (needed <= f->max_done)
        return 0;
    done = av_realloc_array(f->done, 2 * needed, sizeof(*done));
    if (!done)
        return AVERROR(ENOMEM);
    f->done     = done;
    f->max_done = 2 * needed;
    return 0;
}

static int queue_full(const Fleet *f)
{
    int limit = f->options.queue_limit > 0 ? f->options.queue_limit : 1 + sched_slots(f->sched);

    return sched_pending(f->sched) >= limit;
}

/** A task was added: made for a host that has room for it, it is nobody else's. */
static void wake_for_new(Fleet *f)
{
    int host = sched_kept_for(f->sched, fleet_clock());

    if (host < 0)
        fleet_changed(f);
    else
        pthread_cond_broadcast(&f->hosts[host].work);
}

int fleet_submit(Fleet *f, FleetTask *task)
{
    int ret;

    task->result = NULL;
    task->error  = 0;
    *task->why   = 0;
    task->running = task->settled = 0;
    pthread_mutex_lock(&f->lock);
    if (f->asked)
        sched_made(f->sched, fleet_clock() - f->asked);
    f->asked = 0;
    while (!f->cancelled && queue_full(f))
        fleet_wait(f, &f->news, INFINITY);
    ret = f->cancelled ? AVERROR_EXIT : reserve_done(f);
    if (ret >= 0)
        ret = sched_add_task(f->sched, task->id, task->weight, task);
    if (ret >= 0)
        wake_for_new(f);
    pthread_mutex_unlock(&f->lock);
    return ret;
}

void fleet_finish(Fleet *f)
{
    pthread_mutex_lock(&f->lock);
    f->finished = 1;
    sched_finish(f->sched);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);
}

static int take_done(Fleet *f, FleetTask **task)
{
    if (f->cancelled)
        return AVERROR_EXIT;
    if (!f->nb_done)
        return f->finished && !sched_open(f->sched) ? AVERROR_EOF : AVERROR(EAGAIN);
    *task = f->done[0];
    f->nb_done--;
    memmove(f->done, f->done + 1, f->nb_done * sizeof(*f->done));
    return 0;
}

int fleet_next(Fleet *f, FleetTask **task, int timeout_ms)
{
    double until = timeout_ms < 0 ? INFINITY : fleet_clock() + timeout_ms / 1e3;
    int    ret;

    *task = NULL;
    pthread_mutex_lock(&f->lock);
    ret = take_done(f, task);
    while (ret == AVERROR(EAGAIN) && fleet_clock() < until) {
        fleet_wait(f, &f->news, until);
        ret = take_done(f, task);
    }
    pthread_mutex_unlock(&f->lock);
    return ret;
}

void fleet_cancel(Fleet *f)
{
    pthread_mutex_lock(&f->lock);
    f->cancelled = 1;
    for (int i = 0; i < f->nb_hosts; i++)
        for (int j = 0; j < f->hosts[i].nb_workers; j++)
            slot_cancel(f->hosts[i].workers[j]->slot);
    fleet_wake(f);
    pthread_cond_broadcast(&f->news);
    pthread_mutex_unlock(&f->lock);
}

/** The workers of all hosts wake each other and stop each other's slots until the last has ended. */
static void join_workers(Fleet *f)
{
    for (int i = 0; i < f->nb_hosts; i++)
        for (int j = 0; j < f->hosts[i].nb_workers; j++)
            pthread_join(f->hosts[i].workers[j]->thread, NULL);
}

static void close_host(Fleet *f, FleetHost *fh)
{
    for (int i = 0; i < fh->nb_workers; i++) {
        slot_free(&fh->workers[i]->slot);
        av_free(fh->workers[i]);
    }
    if (fh->checked && f->client.host_free)
        f->client.host_free(f->client.opaque, &fh->info);
    pthread_cond_destroy(&fh->work);
}

void fleet_close(Fleet **fp)
{
    Fleet *f = *fp;

    if (!f)
        return;
    /* from here on no worker starts another one, so that the lists stand still */
    fleet_cancel(f);
    join_workers(f);
    for (int i = 0; i < f->nb_hosts; i++)
        close_host(f, &f->hosts[i]);
    for (int i = 0; i < f->nb_done; i++) {
        if (f->done[i]->result && f->client.result_free)
            f->client.result_free(f->client.opaque, f->done[i]->result);
        f->done[i]->result = NULL;
    }
    sched_free(&f->sched);
    pthread_cond_destroy(&f->news);
    pthread_mutex_destroy(&f->lock);
    av_free(f->done);
    av_free(f->hosts);
    av_freep(fp);
}

static void slot_status(const Worker *w, FleetSlotStatus *st)
{
    SlotProgress p;

    slot_progress(w->slot, &p);
    st->task       = w->task ? w->task->id : -1;
    st->bytes_up   = w->task ? p.bytes_up : 0;
    st->bytes_down = w->task ? p.bytes_down : 0;
    st->since      = p.since;
    if (w->ended)
        st->state = FLEET_FINISHED;
    else if (p.state == SLOT_DOWN || p.state == SLOT_CONNECTING)
        st->state = FLEET_CONNECTING;
    else if (!w->task)                /* the probe still belongs to connecting */
        st->state = w->fh->checked ? FLEET_IDLE : FLEET_CONNECTING;
    else if (p.state == SLOT_IDLE || p.state == SLOT_EXEC || !p.input_sent)
        st->state = FLEET_SENDING;
    else
        st->state = p.answering ? FLEET_DOWNLOADING : FLEET_COMPRESSING;
}

/** The state of a host is that of its busiest slot. */
static enum FleetState busiest(enum FleetState a, enum FleetState b)
{
    static const int rank[] = {
        [FLEET_FINISHED] = 0, [FLEET_BROKEN] = 1, [FLEET_CONNECTING] = 2, [FLEET_IDLE] = 3,
        [FLEET_SENDING] = 4, [FLEET_COMPRESSING] = 5, [FLEET_DOWNLOADING] = 6,
    };

    return rank[a] >= rank[b] ? a : b;
}

static void host_status(Fleet *f, const FleetHost *fh, FleetHostStatus *st)
{
    int broken = sched_host_state(f->sched, fh->index, fleet_clock()) == SCHED_HOST_BROKEN;

    memset(st, 0, sizeof(*st));
    st->host       = fh->host;
    st->state      = FLEET_FINISHED;
    st->tasks_done = fh->tasks_done;
    st->nb_slots   = FFMIN(fh->nb_workers, HOST_MAX_SLOTS);
    for (int i = 0; i < st->nb_slots; i++) {
        slot_status(fh->workers[i], &st->slots[i]);
        st->state = busiest(st->state, st->slots[i].state);
    }
    if (broken) {
        st->state = FLEET_BROKEN;
        av_strlcpy(st->why, fh->why, sizeof(st->why));
    }
}

int fleet_status(Fleet *f, FleetHostStatus *status, int max)
{
    int nb;

    pthread_mutex_lock(&f->lock);
    nb = f->nb_hosts;
    if (f->options.local_fallback && !f->hosts[nb - 1].used)
        nb--;
    for (int i = 0; i < FFMIN(nb, max); i++)
        host_status(f, &f->hosts[i], &status[i]);
    pthread_mutex_unlock(&f->lock);
    return nb;
}

int fleet_queued(Fleet *f)
{
    int n;

    pthread_mutex_lock(&f->lock);
    n = sched_pending(f->sched);
    pthread_mutex_unlock(&f->lock);
    return n;
}

int fleet_slots(Fleet *f)
{
    int n;

    pthread_mutex_lock(&f->lock);
    n = sched_slots(f->sched);
    pthread_mutex_unlock(&f->lock);
    return n;
}

int fleet_demand(Fleet *f, double remaining, double usual, double least, double most, double *size)
{
    double until;
    int    ret;

    pthread_mutex_lock(&f->lock);
    while (!f->cancelled &&
           !sched_demand(f->sched, remaining, usual, least, most, fleet_clock(), size, &until))
        fleet_wait(f, &f->news, until);
    f->asked = fleet_clock();
    ret = f->cancelled ? AVERROR_EXIT : 0;
    pthread_mutex_unlock(&f->lock);
    return ret;
}
