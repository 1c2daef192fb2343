/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How big the next task shall be, and for whom: so that all hosts end at the same time.
 */
#include <math.h>

#include <libavutil/common.h>

#include "schedpriv.h"

/* Seconds of work below which it costs too much to begin an attempt. */
#define WORTHWHILE 2.0
/* Seconds of work that a task may have, whatever the client takes for long: its start has to weigh little. */
#define AFFORDABLE 10.0
/*
 * Of what a slot will do, the first task is one part, while nothing is known of rates; fewer where
 * they are small.
 */
#define FIRST_PARTS 4
/* The same where all slots are of one host: what is not known does not differ between them. */
#define FIRST_PARTS_ALIKE 2
/* Estimates change with time alone: how often to look at them, seconds. */
#define RECHECK    0.25

/** Weight a second of one slot; from attempts that run if none has ended yet. 0: not known */
static double known_rate(const HostEntry *h)
{
    double sum = 0;
    int    nb = 0;

    if (h->rate)
        return h->rate;
    for (int i = 0; i < h->nb_slots; i++) {
        const SlotInfo *sl = &h->slots[i];
        double total = sl->task && sl->permit ? sched_attempt_total(sl) : 0;

        if (!total)
            continue;
        sum += sl->task->weight / total;
        nb++;
    }
    return nb ? sum / nb : 0;
}

/** Weight that the host has not done yet of what it was given. */
static double in_hand(const HostEntry *h)
{
    double sum = 0;

    for (int i = 0; i < h->nb_slots; i++)
        if (h->slots[i].task && !h->slots[i].task->done)
            sum += h->slots[i].task->weight - h->slots[i].done;
    return sum;
}

/** The same of the slot that is free next: the host's others share what is left with it. */
static double next_in_hand(const HostEntry *h)
{
    double soonest = INFINITY;
    int    nb = 0;

    for (int i = 0; i < h->nb_slots; i++) {
        const SlotInfo *sl = &h->slots[i];

        if (!sl->task || sl->task->done)
            continue;
        soonest = FFMIN(soonest, sl->task->weight - sl->done);
        nb++;
    }
    if (nb > h->max_permits)    /* some only wait for their turn */
        return in_hand(h) / h->max_permits;
    return nb < h->max_permits ? 0 : soonest;
}

/** Whether the host could begin a task that is made now. @param until when to ask again, at the latest */
static int has_room(const Sched *s, int host, double now, double *until)
{
    const HostEntry *h = s->hosts[host];
    int spool;

    if (!h->checked || h->broken)
        return 0;
    if (now < h->retry_at) {
        *until = FFMIN(*until, h->retry_at);
        return 0;
    }
    return h->phases[IDLE] && sched_lane_room(s, host, now, s->making, until, &spool);
}

typedef struct Outlook {
    double rates;      ///< of all slots together
    double mean;       ///< of a slot; 0: nothing is known
    double work;       ///< in hand
    int    slots;
    int    hosts;
} Outlook;

static Outlook look_ahead(const Sched *s)
{
    Outlook o = { 0 };
    int     known = 0;

    for (int i = 0; i < s->nb_hosts; i++) {
        const HostEntry *h = s->hosts[i];
        double rate = h->fallback || h->broken ? 0 : known_rate(h);

        if (h->fallback || h->broken)
            continue;
        o.slots += h->max_permits;
        o.hosts++;
        o.work  += in_hand(h);
        o.rates += rate * h->max_permits;
        known   += rate > 0 ? h->max_permits : 0;
    }
    if (known) {
        o.mean   = o.rates / known;
        o.rates += o.mean * (o.slots - known);
    }
    return o;
}

/** What one slot of the host can do until all work ends, beyond what the slot free first has in hand. */
static double part_of(const HostEntry *h, const Outlook *o, double remaining)
{
    double rate = known_rate(h), end = (remaining + o->work) / o->rates;
    double hand = next_in_hand(h);

    return (rate ? rate : o->mean) * end - hand;
}

/** Whether another host, busy now, would be done with the least task before this one. */
static int better_elsewhere(const Sched *s, int host, const Outlook *o, double least)
{
    double rate = known_rate(s->hosts[host]);
    double time = least / (rate ? rate : o->mean);

    for (int i = 0; i < s->nb_hosts; i++) {
        const HostEntry *h = s->hosts[i];
        double other = h->fallback || h->broken || !h->checked || i == host ? 0 : known_rate(h);

        if (other && (in_hand(h) / h->max_permits + least) / other < 0.9 * time)
            return 1;
    }
    return 0;
}

int sched_demand(Sched *s, double remaining, double usual, double least, double most, double now,
                 double *size, double *until)
{
    Outlook o = look_ahead(s);
    int     best = -1, nb_usable = 0;
    double  part = 0;

    *until    = INFINITY;
    *size     = (remaining + o.work) / sched_slots(s);
    *size    /= av_clip(*size / FFMAX(usual, 1e-6), 1, o.hosts > 1 ? FIRST_PARTS : FIRST_PARTS_ALIKE);
    *size     = FFMIN(*size, most);
    s->wanted = -1;
    if (sched_first_fresh(s))
        return 0;
    for (int i = 0; i < s->nb_hosts; i++) {
        const HostEntry *h = s->hosts[i];
        double p;

        if (h->fallback)
            continue;
        nb_usable += !h->broken;
        if (!has_room(s, i, now, until))
            continue;
        p = o.mean ? part_of(h, &o, remaining) : 0;
        if (best < 0 || p > part) {
            best = i;
            part = p;
        }
    }
    if (best < 0)
        return !nb_usable || (s->fallback >= 0 && !sched_any_usable(s, now));
    if (!o.mean) {
        s->wanted = best;
        return 1;
    }
    if (part < least / 2 && better_elsewhere(s, best, &o, FFMIN(least, remaining))) {
        *until = FFMIN(*until, now + RECHECK);
        return 0;
    }
    s->wanted = best;
    usual = FFMAX(usual, FFMIN(WORTHWHILE * o.mean, part));
    most  = FFMAX(most, AFFORDABLE * o.mean);
    *size = av_clipd(part >= 2 * usual ? part / 2 : part, least, FFMAX(most, least));
    /* what would be left is not worth an attempt of its own */
    if (remaining - *size < least / 2)
        *size = FFMAX(remaining, *size);
    return 1;
}
