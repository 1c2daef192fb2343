/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which attempt is worth a second one.
 */
#include <math.h>

#include <libavutil/common.h>

#include "schedpriv.h"

/* A duplicate has to promise that much, or the first attempt is left to itself. */
#define MIN_GAIN  1.2
/* Seconds that it costs to begin an attempt, at least. */
#define MIN_START 0.2
/* Estimates change with time alone: how often free slots look at them, seconds. */
#define RECHECK   1.0
/*
 * This machine begins what runs elsewhere only if that is going to be as many times as early as it
 * would take itself, ...
 */
#define LATE_GAIN 3.0
/* ... there is so much to gain, seconds, ... */
#define LATE_LEAST 10.0
/* ... or, while nobody has shown how long it ought to take, nothing has moved for so long, ... */
#define LATE_QUIET 60.0
/* ... or for so many times as long as it took from one account to the next. */
#define LATE_GAPS  20
/* Estimates of the same moment. */
#define SAME_TIME 0.05

/** Seconds until the task is done. */
static double time_left(const Sched *s, const Task *t, double now)
{
    double left = INFINITY;

    for (int i = 0; i < t->nb_running; i++)
        left = FFMIN(left, sched_attempt_left(s, t->attempts[i], now));
    return left;
}

/** @param host -1: any */
static int may_duplicate(const Task *t, int host)
{
    if (t->done || t->input || t->nb_claims || t->nb_running == MAX_AT_ONCE || sched_failed_on(t, host))
        return 0;
    for (int i = 0; i < t->nb_running; i++)
        if (t->attempts[i]->host == host)
            return 0;
    return 1;
}

static double time_needed(const Task *t, double rate)
{
    return (t->weight / rate + MIN_START) * MIN_GAIN;
}

/** The task with the most time left, of those that it pays for a host of this rate to begin once more. */
static Task *find_slowest(const Sched *s, int host, double rate, double now)
{
    Task  *found = NULL;
    double max   = 0;

    for (int i = 0; i < s->nb_running; i++) {
        Task  *t    = s->running[i]->task;
        double left = may_duplicate(t, host) ? time_left(s, t, now) : -1;

        if (left > max && left >= time_needed(t, rate)) {
            max   = left;
            found = t;
        }
    }
    return found;
}

static int find_fastest(const Sched *s, double now)
{
    int fastest = -1;

    for (int i = 0; i < s->nb_hosts; i++) {
        const HostEntry *h = s->hosts[i];

        if (!h->fallback && !h->broken && h->checked && h->phases[IDLE] && now >= h->retry_at &&
            sched_lane_free(s, i, now) &&
            (fastest < 0 || sched_rate_of(s, i) > sched_rate_of(s, fastest)))
            fastest = i;
    }
    return fastest;
}

/** What pays for no slot as fast as the fastest free one pays for none. */
static void find_straggler(Sched *s, double now)
{
    Straggler *g = &s->straggler;

    g->version = s->version;
    g->time    = now;
    g->fastest = find_fastest(s, now);
    g->slowest = g->fastest < 0 ? NULL : find_slowest(s, -1, sched_rate_of(s, g->fastest), now);
}

static void look_for_straggler(Sched *s, double now)
{
    const Straggler *g = &s->straggler;

    if (g->version != s->version || now - g->time > SAME_TIME || now < g->time)
        find_straggler(s, now);
}

Task *sched_pick_straggler(Sched *s, int host, double now, double *until)
{
    Straggler *g    = &s->straggler;
    double     rate = sched_rate_of(s, host);
    Task      *t;

    *until = INFINITY;
    if (!s->finishing || !s->nb_running || !rate)
        return NULL;
    look_for_straggler(s, now);
    *until = now + RECHECK;
    t = g->slowest;
    if (t && !may_duplicate(t, host))
        t = find_slowest(s, host, rate, now);
    if (!t || time_left(s, t, now) < time_needed(t, rate))
        return NULL;
    if (g->fastest >= 0 && g->fastest != host && may_duplicate(t, g->fastest) &&
        sched_rate_of(s, g->fastest) > rate)
        return NULL;
    return t;
}

/** Whether none of its attempts moves any more. */
static int stands_still(const Task *t, double now)
{
    for (int i = 0; i < t->nb_running; i++) {
        const SlotInfo *sl = t->attempts[i];
        double limit = sl->gap ? av_clipd(LATE_GAPS * sl->gap, LATE_LEAST, LATE_QUIET) : LATE_QUIET;

        if (now - sl->done_at < limit)
            return 0;
    }
    return 1;
}

/** Whether a free host is going to begin it once more. */
static int has_taker(const Sched *s, const Task *t, double left)
{
    int fastest = s->straggler.fastest;

    return fastest >= 0 && may_duplicate(t, fastest) && sched_rate_of(s, fastest) &&
           left >= time_needed(t, sched_rate_of(s, fastest));
}

Task *sched_pick_late(Sched *s, double now, double *until)
{
    double rate, max = 0;
    Task  *found = NULL;

    *until = INFINITY;
    if (!s->finishing || s->nb_pending || !s->nb_running || s->config.fallback_listed)
        return NULL;
    look_for_straggler(s, now);
    *until = now + RECHECK;
    rate   = sched_rate_of(s, s->fallback);
    for (int i = 0; i < s->nb_running; i++) {
        Task  *t    = s->running[i]->task;
        double left = may_duplicate(t, s->fallback) ? time_left(s, t, now) : -1;
        int    late = rate ? left >= FFMAX(LATE_LEAST, LATE_GAIN * time_needed(t, rate)) :
                             left > 0 && stands_still(t, now);

        if (late && left > max && !has_taker(s, t, left)) {
            max   = left;
            found = t;
        }
    }
    return found;
}
