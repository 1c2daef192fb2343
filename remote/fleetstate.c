/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include <libavutil/avassert.h>
#include <libavutil/common.h>
#include <libavutil/error.h>

#include "fleetstate.h"

double fleet_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

void fleet_wait(Fleet *f, pthread_cond_t *cond, double until)
{
    struct timespec ts;

    if (isinf(until)) {
        pthread_cond_wait(cond, &f->lock);
        return;
    }
    ts.tv_sec  = until;
    ts.tv_nsec = av_clip((until - ts.tv_sec) * 1e9, 0, 999999999);
    pthread_cond_timedwait(cond, &f->lock, &ts);
}

void fleet_task_done(Fleet *f, FleetTask *task)
{
    av_assert0(f->nb_done < f->max_done);
    f->done[f->nb_done++] = task;
}

void fleet_attempt_over(Fleet *f, FleetTask *task)
{
    if (!--task->running && task->settled)
        fleet_task_done(f, task);
}

void fleet_give_up(Fleet *f, FleetTask *task)
{
    if (!task->error) {   /* else it keeps the reason of its own last failure */
        task->error = AVERROR(EHOSTUNREACH);
        snprintf(task->why, sizeof(task->why), "no host is left%s%.480s%s",
                 *f->last_why ? " (" : "", f->last_why, *f->last_why ? ")" : "");
    }
    fleet_task_done(f, task);
}

void fleet_wake(Fleet *f)
{
    for (int i = 0; i < f->nb_hosts; i++)
        pthread_cond_broadcast(&f->hosts[i].work);
}

void fleet_changed(Fleet *f)
{
    void *task;

    while (sched_given_up(f->sched, &task))
        fleet_give_up(f, task);
    fleet_wake(f);
    pthread_cond_broadcast(&f->news);
}

void fleet_host_changed(Fleet *f, FleetHost *fh)
{
    if (f->finished || sched_pending(f->sched)) {
        fleet_changed(f);
        return;
    }
    pthread_cond_broadcast(&fh->work);
    pthread_cond_broadcast(&f->news);
}
