/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scheduler's lanes: a host has more connections than commands that may work at a time, so that
 * one command starts, or its input travels, while another one works.
 */
#include <math.h>

#include <libavutil/common.h>

#include "schedpriv.h"

/* How much a new measurement moves an old one. */
#define GAIN 0.5
/* An upload that takes a smaller part of the work than this is not worth the host's disk. */
#define SMALL_UPLOAD 0.05
/* Seconds before its estimated end that an attempt makes room for the next one. */
#define MAX_LEAD 1.0
/* Seconds that the next task is asked for before there is room for it, at most. */
#define MAX_MAKING 2.0
/* How often to look whether an attempt tells by now how long it takes, seconds. */
#define LOOK_AGAIN 0.25

static void measure(double *value, double now)
{
    *value += (now - *value) * (*value ? GAIN : 1);
}

void sched_set_lanes(Sched *s, int host, int spare, enum SchedFeed feed)
{
    s->hosts[host]->spare = spare;
    s->hosts[host]->feed  = feed;
}

enum SchedFeed sched_feed(const Sched *s, int host)
{
    return s->hosts[host]->feed;
}

/**
 * Attempts that work, and are not about to end.
 * @param ahead so many seconds earlier than one that starts now would have to
 * @param until gets the time when the next one is
 */
static int busy_lanes(const Sched *s, const HostEntry *h, double now, double ahead, double *until)
{
    double lead = h->lead + ahead;
    int    n    = h->nb_permits;

    if (!h->spare)
        return n;
    if (!h->lead) {    /* the first ones have not begun to answer yet */
        *until = n ? FFMIN(*until, now + LOOK_AGAIN) : *until;
        return n;
    }
    for (int i = 0; i < h->nb_slots; i++) {
        const SlotInfo *sl = &h->slots[i];
        double left;

        if (!sl->permit)
            continue;
        /* one that is shorter than it takes to give the first account goes by its host's others */
        if (!sl->done && !h->rate) {
            *until = FFMIN(*until, now + LOOK_AGAIN);
            continue;
        }
        left = sched_attempt_left(s, sl, now);
        if (left <= lead)
            n--;
        else
            *until = FFMIN(*until, now + FFMAX((left - lead) / 2, 0.05));   /* it may get faster */
    }
    return n;
}

static int free_permits(const Sched *s, const HostEntry *h, double now, double ahead, double *until)
{
    return h->max_permits - busy_lanes(s, h, now, ahead, until) - h->nb_queued;
}

/**
 * Whether the input of the next attempt ought to travel now: late, so that it is cut when more is known of
 * the hosts' rates, but in time, twice over.
 * @param until gets the time when it ought to
 */
static int prefetch_due(const Sched *s, const HostEntry *h, double now, double *until)
{
    double soonest = INFINITY, lead = FFMAX(MAX_LEAD, 2.5 * h->upload_time);

    for (int i = 0; i < h->nb_slots; i++) {
        const SlotInfo *sl = &h->slots[i];
        double left;

        if (!sl->task || !sl->permit)
            continue;
        left = h->rate || sched_attempt_total(sl) ? sched_attempt_left(s, sl, now) : INFINITY;
        /* how long an upload takes is not known: in the middle */
        if (!h->upload_time && !isinf(left))
            left -= FFMAX(0, (left + now - sl->start) / 2 - lead);
        soonest = FFMIN(soonest, left);
    }
    if (isinf(soonest)) {
        *until = FFMIN(*until, now + LOOK_AGAIN);
        return h->feed == SCHED_FEED_SPOOL || !h->nb_permits;
    }
    if (soonest <= lead)
        return 1;
    *until = FFMIN(*until, now + FFMAX(soonest - lead, 0.05));
    return 0;
}

int sched_lane_room(const Sched *s, int host, double now, double ahead, double *until, int *spool)
{
    const HostEntry *h = s->hosts[host];
    int free = free_permits(s, h, now, ahead, until);

    *spool = h->feed == SCHED_FEED_SPOOL || (h->feed == SCHED_FEED_AUTO && free <= 0);
    /* uploads one after the other: the first to arrive is the first to work */
    if (*spool)
        return !h->nb_uploading && h->nb_queued < h->max_permits &&
               (free > 0 || prefetch_due(s, h, now, until));
    return free > 0;
}

int sched_lane_free(const Sched *s, int host, double now)
{
    double until = INFINITY;

    return free_permits(s, s->hosts[host], now, 0, &until) > 0;
}

void sched_lane_begin(Sched *s, SlotInfo *sl, int spool, double now)
{
    HostEntry *h = s->hosts[sl->host];

    sl->begun     = now;
    sl->spooled   = spool;
    sl->uploading = spool;
    sl->permit    = !spool;
    sl->answered  = 0;
    h->nb_uploading += spool;
    h->nb_queued    += spool;
    h->nb_permits   += !spool;
}

void sched_lane_end(Sched *s, SlotInfo *sl, int good, double now)
{
    HostEntry *h = s->hosts[sl->host];

    if (good && sl->spooled && sl->permit) {
        measure(&h->work_time, now - sl->start);
        if (h->feed == SCHED_FEED_AUTO)
            h->feed = h->upload_time < SMALL_UPLOAD * h->work_time ? SCHED_FEED_STREAM :
                                                                     SCHED_FEED_SPOOL;
    }
    h->nb_uploading -= sl->uploading;
    h->nb_queued    -= sl->spooled && !sl->permit;
    h->nb_permits   -= sl->permit;
    sl->uploading = sl->permit = sl->spooled = 0;
}

void sched_uploaded(Sched *s, int host, int slot, double now)
{
    SlotInfo *sl = &s->hosts[host]->slots[slot];

    if (!sl->task || !sl->uploading)
        return;
    sl->uploading = 0;
    s->hosts[host]->nb_uploading--;
    s->version++;
    measure(&s->hosts[host]->upload_time, now - sl->begun);
}

void sched_answered(Sched *s, int host, int slot, double now)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];

    if (!sl->task || !sl->permit || sl->answered)
        return;
    sl->answered = 1;
    measure(&h->lead, FFMAX(now - sl->start, 1e-3));
    h->lead = FFMIN(h->lead, MAX_LEAD);
}

void sched_made(Sched *s, double seconds)
{
    measure(&s->making, FFMAX(seconds, 1e-3));
    s->making = FFMIN(s->making, MAX_MAKING);
}

/** Whether another attempt on the host waits for longer. */
static int has_predecessor(const HostEntry *h, const SlotInfo *sl)
{
    for (int i = 0; i < h->nb_slots; i++) {
        const SlotInfo *o = &h->slots[i];

        if (o != sl && o->task && o->spooled && !o->permit && !o->uploading && !o->task->done &&
            o->begun < sl->begun)
            return 1;
    }
    return 0;
}

int sched_permit(Sched *s, int host, int slot, double now)
{
    HostEntry *h     = s->hosts[host];
    SlotInfo  *sl    = &h->slots[slot];
    double     until = INFINITY;

    if (!sl->task || sl->permit)
        return 1;
    if (busy_lanes(s, h, now, 0, &until) >= h->max_permits || has_predecessor(h, sl))
        return 0;
    h->nb_queued--;
    h->nb_permits++;
    sl->permit = 1;
    sl->start  = sl->done_at = now;
    s->version++;
    return 1;
}
