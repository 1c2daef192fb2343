/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/resource.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "attempt.h"
#include "hostnews.h"
#include "thread.h"
#include "worker.h"

/* Descriptors of a slot: its own, its connection's, its proxy's, and those of a moment. */
#define SLOT_FDS  4
/* Those that the rest of the program needs. */
#define OTHER_FDS 64

static void connect_failed(Worker *w, int permanent, char *why)
{
    Fleet      *f   = w->fleet;
    FleetHost  *fh  = w->fh;
    double      now = fleet_clock();
    const char *state;
    char        next[64];
    int         level;

    slot_disconnect(w->slot);
    hostnews_one_line(why);
    pthread_mutex_lock(&f->lock);
    if (f->cancelled) {
        pthread_mutex_unlock(&f->lock);
        return;
    }
    sched_connect_failed(f->sched, fh->index, w->index, permanent, now);
    hostnews_note(f, fh, why);
    state = hostnews_outlook(f, fh, now, next, sizeof(next));
    level = hostnews_level(fh, state);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);

    av_log(NULL, level, "host %s: %s; %s\n", fh->host->label, why, next);
    hostnews_trace(w, "failed", why);
    if (state)
        hostnews_trace(w, state, why);
}

/** A local command has its input at hand. */
static enum SchedFeed host_feed(const FleetHost *fh)
{
    if (!fh->spare || fh->host->local)
        return SCHED_FEED_STREAM;
    return fh->host->feed == HOST_FEED_SPOOL  ? SCHED_FEED_SPOOL  :
           fh->host->feed == HOST_FEED_STREAM ? SCHED_FEED_STREAM : SCHED_FEED_AUTO;
}

/** The host is good: open its other slots, and a few more to keep these busy. */
static void host_ready(Worker *w, HostInfo *info)
{
    Fleet     *f      = w->fleet;
    FleetHost *fh     = w->fh;
    int        wanted = fh->host->slots ? fh->host->slots : info->slots;
    int        ret    = 0;

    wanted      = av_clip(wanted, 1, SCHED_MAX_SLOTS);
    info->slots = wanted;
    fh->spare   = f->options.overlap ? (wanted + 3) / 4 : 0;
    pthread_mutex_lock(&f->lock);
    fh->info = *info;
    while (ret >= 0 && !f->cancelled && fh->nb_workers < wanted + fh->spare)
        ret = worker_start(f, fh);
    fh->spare      = FFMAX(fh->nb_workers - wanted, 0);
    fh->info.slots = fh->nb_workers - fh->spare;
    fh->checked    = 1;
    sched_set_lanes(f->sched, fh->index, fh->spare, host_feed(fh));
    sched_checked(f->sched, fh->index, fh->info.slots);
    fleet_host_changed(f, fh);
    pthread_mutex_unlock(&f->lock);
    if (ret < 0)
        av_log(NULL, AV_LOG_WARNING, "host %s: only %d of %d slots: %s\n", fh->host->label,
               fh->info.slots, wanted, av_err2str(ret));
}

/** @return 0; AVERROR code and *permanent when the host cannot be used */
static int check_host(Worker *w, int *permanent, char *why, size_t why_size)
{
    Fleet      *f    = w->fleet;
    const Host *host = w->fh->host;
    HostInfo    info = { 0 };
    SlotResult  result;
    AVBPrint    out;
    char       *command;
    int         ret = 0;

    if (f->client.probe_command) {
        command = f->client.probe_command(f->client.opaque, host);
        if (!command) {
            av_strlcpy(why, "out of memory", why_size);
            return AVERROR(ENOMEM);
        }
        av_bprint_init(&out, 0, AV_BPRINT_SIZE_UNLIMITED);
        slot_probe(w->slot, command, f->options.connect_timeout_ms, &out, &result);
        ret = result.error;
        if (ret < 0) {
            av_strlcpy(why, result.why, why_size);
        } else {
            ret = f->client.host_check(f->client.opaque, host, result.status,
                                       av_bprint_is_complete(&out) ? out.str : "",
                                       &info, why, why_size);
            *permanent = ret < 0;
        }
        av_bprint_finalize(&out, NULL);
        av_free(command);
    }
    if (ret >= 0)
        host_ready(w, &info);
    return ret;
}

/** Failures that another try cannot change, or that may lock us out if repeated. */
static int is_permanent(int error)
{
    return error == AVERROR(EACCES) || error == AVERROR(EPERM) || error == AVERROR(EINVAL) ||
           error == AVERROR(ENOSYS) || error == AVERROR(EKEYREJECTED);
}

static void worker_connect(Worker *w)
{
    Fleet     *f         = w->fleet;
    FleetHost *fh        = w->fh;
    char       why[512]  = "";
    int        permanent = 0;
    int        first, checked, ret;

    pthread_mutex_lock(&f->lock);
    first    = !sched_host_up(f->sched, fh->index);
    checked  = fh->checked;
    fh->used = 1;
    pthread_mutex_unlock(&f->lock);

    if (first)
        hostnews_trace(w, "connecting", NULL);
    ret = slot_connect(w->slot, f->options.connect_timeout_ms, why, sizeof(why));
    if (ret < 0) {
        connect_failed(w, is_permanent(ret), why);
        return;
    }
    pthread_mutex_lock(&f->lock);
    sched_connected(f->sched, fh->index, w->index);
    fleet_host_changed(f, fh);
    pthread_mutex_unlock(&f->lock);
    if (!checked) {
        ret = check_host(w, &permanent, why, sizeof(why));
        if (ret < 0) {
            if (!*why)
                av_strerror(ret, why, sizeof(why));
            connect_failed(w, permanent, why);
            return;
        }
    }
    if (first)
        hostnews_trace(w, "ready", NULL);
}

static void *worker_main(void *arg)
{
    Worker       *w = arg;
    Fleet        *f = w->fleet;
    SchedDecision d;

    pthread_mutex_lock(&f->lock);
    while (!f->cancelled) {
        if (!slot_connected(w->slot))
            sched_dropped(f->sched, w->fh->index, w->index);
        d = sched_decide(f->sched, w->fh->index, w->index, fleet_clock());
        if (d.action == SCHED_FINISH)
            break;
        if (d.action == SCHED_WAIT) {
            fleet_wait(f, &w->fh->work, d.until);
            continue;
        }
        slot_rearm(w->slot);
        w->spooling = 0;
        if (d.action == SCHED_RUN) {
            w->spooling = d.spool;
            w->task = d.task;
            w->task->running++;
            pthread_cond_broadcast(&f->news);    /* there is room for another task */
            /* the next fastest slot may have its turn now, or the host that the next task was made for */
            if (d.duplicate || sched_pending(f->sched))
                fleet_wake(f);
        }
        pthread_mutex_unlock(&f->lock);
        if (d.action == SCHED_CONNECT)
            worker_connect(w);
        else if (d.action == SCHED_RUN)
            attempt_run(w, &d);
        else
            slot_disconnect(w->slot);
        pthread_mutex_lock(&f->lock);
    }
    w->ended = 1;
    pthread_mutex_unlock(&f->lock);
    slot_disconnect(w->slot);
    return NULL;
}

/** Whether one more slot leaves the program the descriptors that it needs to write its output. Needs the lock. */
static int has_room(const Fleet *f)
{
    struct rlimit limit;
    rlim_t        nb = 1;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return 1;
    for (int i = 0; i < f->nb_hosts; i++)
        nb += f->hosts[i].nb_workers;
    return nb * SLOT_FDS + FFMIN(OTHER_FDS, limit.rlim_cur / 2) <= limit.rlim_cur;
}

int worker_start(Fleet *f, FleetHost *fh)
{
    Worker *w;
    int     ret;

    if (fh->host != f->options.local && !has_room(f))
        return AVERROR(EMFILE);
    w = av_mallocz(sizeof(*w));
    if (!w)
        return AVERROR(ENOMEM);
    w->fleet = f;
    w->fh    = fh;
    w->index = fh->nb_workers;
    ret = slot_alloc(&w->slot, fh->host, f->options.transport_alloc);
    if (ret >= 0)
        ret = thread_start(&w->thread, worker_main, w);
    if (ret < 0) {
        slot_free(&w->slot);
        av_free(w);
        return ret;
    }
    fh->workers[fh->nb_workers++] = w;
    return 0;
}
