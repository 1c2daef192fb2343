/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scheduler's hosts: which can be counted on, and what failures make of them.
 */
#include <math.h>

#include <libavutil/common.h>

#include "schedpriv.h"

/* So many times as long as that of another, the pause of a broken host may be. */
#define BROKEN_PAUSES 4

int sched_host_usable(const HostEntry *h, double now)
{
    if (h->fallback || h->broken)
        return 0;
    if (!h->failures)
        return 1;                    /* first connect, or all is well */
    if (!h->checked)
        return 0;
    if (now < h->retry_at)           /* it pauses, but what runs there may end well */
        return h->phases[RUNNING] > 0;
    return h->phases[IDLE] + h->phases[RUNNING] > 0;
}

int sched_any_usable(const Sched *s, double now)
{
    for (int i = 0; i < s->nb_hosts; i++)
        if (sched_host_usable(s->hosts[i], now))
            return 1;
    return 0;
}

int sched_host_out(const HostEntry *h)
{
    return h->out || (h->broken && h->fallback);
}

int sched_fallback_works(const Sched *s)
{
    return s->fallback >= 0 && !s->hosts[s->fallback]->broken;
}

int sched_remote_hosts(const Sched *s)
{
    int n = 0;

    for (int i = 0; i < s->nb_hosts; i++)
        n += !s->hosts[i]->fallback && !s->hosts[i]->broken;
    return n;
}

/** It may be one that was started again, or the network's fault: another failure, and it pauses for longer still. */
void sched_host_revive(HostEntry *h)
{
    h->broken = h->out;
}

/** Pauses double, and differ between hosts so that these do not all come back at once. */
double sched_pause_length(Sched *s, int failures, double max)
{
    double length = s->config.backoff * (1 << FFMIN(failures - 1, 20));

    s->random ^= s->random << 13;
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    return FFMIN(length, max) * (0.75 + 0.25 * s->random / UINT32_MAX);
}

static void fail_host(Sched *s, HostEntry *h, double now)
{
    h->epoch++;
    h->commands = 0;
    h->failures++;
    h->broken  |= h->failures >= s->config.max_failures;
    h->retry_at = now + sched_pause_length(s, h->failures, s->config.backoff_max * (h->broken ? BROKEN_PAUSES : 1));
}

void sched_host_failure(Sched *s, HostEntry *h, const SlotInfo *sl, double now)
{
    if (sl->epoch == h->epoch)
        fail_host(s, h, now);
}

/**
 * What hosts have said of the input was wrong, as another one could do with it: as if their
 * commands had failed.
 */
void sched_refute_claims(Sched *s, const Task *t, double now)
{
    for (int i = 0; i < t->nb_claims; i++) {
        HostEntry *h = s->hosts[t->claims[i]];

        if (!h->fallback && !h->broken && ++h->commands >= s->config.max_commands)
            fail_host(s, h, now);
    }
}

void sched_blame_host(Sched *s, HostEntry *h, const SlotInfo *sl,
                       enum SchedFailure kind, double now)
{
    switch (kind) {
    case SCHED_FAIL_WRONG:
        h->broken = h->out = h->wrong = 1;
        break;
    case SCHED_FAIL_COMMAND:
        if (sl->epoch == h->epoch && ++h->commands >= s->config.max_commands)
            sched_host_failure(s, h, sl, now);
        break;
    default:
        sched_host_failure(s, h, sl, now);
        break;
    }
}

/** It failed here too: the input is at fault, not the hosts that could not do it. */
void sched_absolve_hosts(Sched *s, const Task *t)
{
    for (int i = 0; i < s->nb_hosts; i++)
        if (sched_failed_on(t, i))
            s->hosts[i]->commands = 0;
}

void sched_break(Sched *s, int host)
{
    s->version++;
    s->hosts[host]->broken = s->hosts[host]->out = 1;
}

enum SchedHostState sched_host_state(const Sched *s, int host, double now)
{
    const HostEntry *h = s->hosts[host];

    if (h->broken)
        return SCHED_HOST_BROKEN;
    if (now < h->retry_at)
        return SCHED_HOST_BACKOFF;
    return h->checked ? SCHED_HOST_READY : SCHED_HOST_NEW;
}

double sched_host_until(const Sched *s, int host)
{
    return sched_host_out(s->hosts[host]) ? INFINITY : s->hosts[host]->retry_at;
}

int sched_host_up(const Sched *s, int host)
{
    const HostEntry *h = s->hosts[host];

    return h->phases[CHECKING] + h->phases[IDLE] + h->phases[RUNNING];
}

int sched_slots(const Sched *s)
{
    int n = 0;

    for (int i = 0; i < s->nb_hosts; i++)
        if (!s->hosts[i]->fallback && !s->hosts[i]->broken)
            n += s->hosts[i]->max_permits;
    return FFMAX(n, 1);
}
