/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include <libavutil/avassert.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "schedpriv.h"

/* sshd drops connections at random when more than ten wait for authentication (MaxStartups) */
#define MAX_CONNECTING 4

int sched_alloc(Sched **sp, const SchedConfig *config)
{
    Sched *s = av_mallocz(sizeof(*s));

    *sp = s;
    if (!s)
        return AVERROR(ENOMEM);
    s->config   = *config;
    s->random   = config->seed ? config->seed : 1;
    s->fallback = s->wanted = -1;
    if (!s->config.max_attempts)
        s->config.max_attempts = 3;
    if (!s->config.max_failures)
        s->config.max_failures = 5;
    if (!s->config.max_commands)
        s->config.max_commands = 3;
    if (!s->config.max_tries)
        s->config.max_tries = 2;
    if (!s->config.backoff)
        s->config.backoff = 1;
    if (!s->config.backoff_max)
        s->config.backoff_max = 30;
    return 0;
}

void sched_free(Sched **sp)
{
    Sched *s = *sp;

    if (!s)
        return;
    sched_task_free_all(s);
    for (int i = 0; i < s->nb_hosts; i++)
        av_free(s->hosts[i]);
    av_free(s->hosts);
    av_freep(sp);
}

int sched_add_host(Sched *s, int fallback)
{
    HostEntry **hosts;
    HostEntry  *h;

    av_assert0(!s->nb_open && !(fallback && s->fallback >= 0));
    hosts = av_realloc_array(s->hosts, s->nb_hosts + 1, sizeof(*hosts));
    if (!hosts)
        return AVERROR(ENOMEM);
    s->hosts = hosts;
    h = av_mallocz(sizeof(*h));
    if (!h)
        return AVERROR(ENOMEM);
    h->fallback     = fallback;
    h->nb_slots     = 1;
    h->max_permits  = 1;
    h->phases[DOWN] = 1;
    for (int i = 0; i < SCHED_MAX_LANES; i++) {
        h->slots[i].host = s->nb_hosts;
        h->slots[i].slot = i;
    }
    s->hosts[s->nb_hosts] = h;
    if (fallback)
        s->fallback = s->nb_hosts;
    return s->nb_hosts++;
}

int sched_add_task(Sched *s, int64_t id, double weight, void *opaque)
{
    s->version++;
    return sched_task_add(s, id, weight, opaque);
}

void sched_finish(Sched *s)
{
    s->version++;
    s->finishing = 1;
}

static void set_phase(HostEntry *h, SlotInfo *sl, enum SlotPhase phase)
{
    h->phases[sl->phase]--;
    sl->phase = phase;
    h->phases[phase]++;
}

/** Whether a healthy host exists that has not failed this task. */
static int innocent_host(const Sched *s, const Task *t, double now)
{
    for (int i = 0; i < s->nb_hosts; i++)
        if (s->hosts[i]->checked && !sched_failed_on(t, i) && sched_host_usable(s->hosts[i], now))
            return 1;
    return 0;
}

static int may_take(const Sched *s, const Task *t, int host, double now)
{
    if (!t->local_only)
        return !sched_failed_on(t, host) || !innocent_host(s, t, now);
    /* in the end it need not queue for the fallback while another host has nothing to do */
    return s->finishing && !t->input && !t->nb_claims && !sched_failed_on(t, host) && s->fallback >= 0 &&
           s->hosts[s->fallback]->phases[RUNNING];
}

/** Whether a waiting task was made for another host that is about to take it. */
static int kept_for_other(const Sched *s, const Task *t, int host, double now)
{
    const HostEntry *h = t->wanted >= 0 && t->wanted != host ? s->hosts[t->wanted] : NULL;
    double until = INFINITY;
    int spool;

    return h && !h->broken && now >= h->retry_at && h->phases[IDLE] &&
           sched_lane_room(s, t->wanted, now, s->making, &until, &spool);
}

int sched_kept_for(const Sched *s, double now)
{
    const Task *t = s->nb_pending == 1 ? sched_first_fresh(s) : NULL;

    return t && kept_for_other(s, t, -1, now) ? t->wanted : -1;
}

/** The waiting task with the lowest id that is for this host, or NULL. */
static Task *pick_task(const Sched *s, int host, double now)
{
    int   fallback = s->hosts[host]->fallback;
    int   all      = fallback && s->nb_pending && !sched_any_usable(s, now);
    Task *best     = !fallback || all ? sched_first_fresh(s) : NULL;

    if (best && !fallback && kept_for_other(s, best, host, now))
        best = NULL;

    for (int i = 0; i < s->nb_troubled; i++) {
        Task *t = s->troubled[i];

        if (best && best->id < t->id)
            continue;
        if (fallback ? all || t->local_only : may_take(s, t, host, now))
            best = t;
    }
    return best;
}

static SchedDecision decide_down(Sched *s, int host, SlotInfo *sl, double now)
{
    HostEntry    *h     = s->hosts[host];
    double        until = FFMAX(h->retry_at, sl->retry_at);
    int           limit = h->failures ? 1 : MAX_CONNECTING;
    SchedDecision d     = { .action = SCHED_WAIT, .until = INFINITY };

    if (h->fallback && !pick_task(s, host, now) && !sched_pick_late(s, now, &d.until))
        return d;
    d.until = INFINITY;
    if (now < until) {
        d.until = until;
        return d;
    }
    if (h->phases[CONNECTING] + h->phases[CHECKING] >= limit)
        return d;
    set_phase(h, sl, CONNECTING);
    sl->epoch = h->epoch;
    d.action  = SCHED_CONNECT;
    return d;
}

static SchedDecision decide_idle(Sched *s, int host, SlotInfo *sl, double now)
{
    HostEntry    *h = s->hosts[host];
    SchedDecision d = { .action = SCHED_WAIT, .until = INFINITY };
    Task         *t;

    if (now < h->retry_at) {
        d.until = h->retry_at;
        return d;
    }
    if (!sched_lane_room(s, host, now, 0, &d.until, &d.spool))
        return d;
    t = pick_task(s, host, now);
    if (!t && h->fallback)
        t = sched_pick_late(s, now, &d.until);
    else if (!t && sched_lane_free(s, host, now))
        t = sched_pick_straggler(s, host, now, &d.until);
    if (!t)
        return d;
    d.duplicate = t->nb_running > 0;
    if (sched_attempt_begin(s, t, sl, now) < 0) {
        d.until = now + 1;
        return d;
    }
    s->version++;
    sched_lane_begin(s, sl, d.spool, now);
    set_phase(h, sl, RUNNING);
    sl->epoch = h->epoch;
    d.action  = SCHED_RUN;
    d.id      = t->id;
    d.task    = t->opaque;
    d.number  = t->number++;
    return d;
}

SchedDecision sched_decide(Sched *s, int host, int slot, double now)
{
    HostEntry    *h  = s->hosts[host];
    SlotInfo     *sl = &h->slots[slot];
    SchedDecision d  = { .action = SCHED_FINISH };

    av_assert0(slot < h->nb_slots && !sl->task);
    if (h->broken && sl->phase != DOWN && sl->phase != GONE) {
        set_phase(h, sl, DOWN);
        d.action = SCHED_DISCONNECT;
        return d;
    }
    if (sched_host_out(h) || sl->phase == GONE || (s->finishing && !s->nb_open)) {
        set_phase(h, sl, GONE);
        return d;
    }
    return sl->phase == DOWN ? decide_down(s, host, sl, now)
                             : decide_idle(s, host, sl, now);
}

void sched_connected(Sched *s, int host, int slot)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];

    s->version++;
    if (h->checked)
        sched_host_revive(h);
    set_phase(h, sl, h->checked ? IDLE : CHECKING);
    sl->failures = 0;
    sl->retry_at = 0;
}

void sched_dropped(Sched *s, int host, int slot)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];

    if (sl->phase != IDLE)
        return;
    s->version++;
    set_phase(h, sl, DOWN);
}

void sched_checked(Sched *s, int host, int nb_slots)
{
    HostEntry *h = s->hosts[host];

    s->version++;
    h->checked       = 1;
    sched_host_revive(h);
    h->max_permits   = av_clip(nb_slots, 1, SCHED_MAX_SLOTS);
    h->nb_slots      = FFMIN(h->max_permits + h->spare, SCHED_MAX_LANES);
    h->phases[DOWN] += h->nb_slots - 1;
    set_phase(h, &h->slots[0], IDLE);
}

void sched_connect_failed(Sched *s, int host, int slot, int permanent, double now)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];

    s->version++;
    set_phase(h, sl, DOWN);
    if (h->phases[IDLE] + h->phases[RUNNING]) {
        /* the host is well, it only does not want so many of us */
        sl->failures++;
        sl->retry_at = now + sched_pause_length(s, sl->failures, s->config.backoff_max);
        if (permanent || sl->failures >= s->config.max_failures)
            set_phase(h, sl, GONE);
    } else if (permanent) {
        h->broken = h->out = 1;
    } else {
        sched_host_failure(s, h, sl, now);
    }
}

static Task *end_attempt(Sched *s, HostEntry *h, SlotInfo *sl, int up, int good, double now)
{
    s->version++;
    sched_lane_end(s, sl, good, now);
    set_phase(h, sl, up ? IDLE : DOWN);
    return sched_attempt_end(s, sl);
}

int sched_done(Sched *s, int host, int slot, int up, double now)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];
    Task      *t  = sl->task;
    int        ret = h->wrong ? AVERROR(EPERM) : t->done ? AVERROR(EEXIST) : 0;

    if (!h->wrong) {
        sched_measure(s, sl, now);
        h->failures = 0;
        h->commands = 0;
        h->retry_at = 0;
        sched_host_revive(h);
    }
    t->done |= !ret;
    if (!ret)
        sched_refute_claims(s, t, now);
    end_attempt(s, h, sl, up, !ret, now);
    if (t->done && !t->nb_running)
        sched_task_forget(s, t);
    return ret;
}

int sched_loser(Sched *s, int *host, int *slot)
{
    for (int i = 0; i < s->nb_running; i++) {
        SlotInfo *sl = s->running[i];

        if (!sl->task->done || sl->told)
            continue;
        sl->told = 1;
        *host    = sl->host;
        *slot    = sl->slot;
        return 1;
    }
    return 0;
}

static int hopeless(const Sched *s, const Task *t, int nb_remote)
{
    return !sched_fallback_works(s) && (t->local_only || !nb_remote);
}

/**
 * Whether nobody but the fallback host is to tell that it is the input, or nobody at all: without
 * that one, two hosts have to agree, or there is only one.
 */
static int is_condemned(const Sched *s, const Task *t)
{
    if (!t->nb_claims || sched_fallback_works(s) || t->nb_claims == FF_ARRAY_ELEMS(t->claims))
        return t->nb_claims;
    for (int i = 0; i < s->nb_hosts; i++)
        if (!s->hosts[i]->fallback && !s->hosts[i]->broken && !sched_failed_on(t, i))
            return 0;
    return 1;
}

/** What a failure means for the task, and for the host. */
static void note_failure(Sched *s, HostEntry *h, SlotInfo *sl, enum SchedFailure kind, double now)
{
    Task *t = sl->task;

    sched_note_failed_on(t, sl->host);
    t->failures++;
    t->commands += kind == SCHED_FAIL_COMMAND;
    t->input |= kind == SCHED_FAIL_INPUT;
    if (kind == SCHED_FAIL_CLAIM && t->nb_claims < (int)FF_ARRAY_ELEMS(t->claims))
        t->claims[t->nb_claims++] = sl->host;
    if (t->input || is_condemned(s, t) || t->failures >= s->config.max_attempts ||
        (t->commands >= s->config.max_tries && sched_fallback_works(s)))
        t->local_only = 1;
    if (kind != SCHED_FAIL_INPUT && kind != SCHED_FAIL_CLAIM && kind != SCHED_FAIL_UNFIT)
        sched_blame_host(s, h, sl, kind, now);
}

enum SchedNext sched_failed(Sched *s, int host, int slot, enum SchedFailure kind, int up,
                            double now)
{
    HostEntry *h         = s->hosts[host];
    SlotInfo  *sl        = &h->slots[slot];
    Task      *t         = sl->task;
    int        cancelled = kind == SCHED_FAIL_CANCELLED;
    int        nb_remote;

    if (!cancelled && h->fallback) {
        sched_absolve_hosts(s, t);
        sched_note_failed_on(t, host);   /* not once more while it runs elsewhere */
    } else if (!cancelled) {
        note_failure(s, h, sl, kind, now);
    }
    end_attempt(s, h, sl, up, 0, now);
    if (t->nb_running)
        return SCHED_NEXT_OTHER_RUNS;
    if (t->done) {
        sched_task_forget(s, t);
        return SCHED_NEXT_OTHER_RUNS;
    }
    nb_remote = sched_remote_hosts(s);
    if ((!cancelled && h->fallback) || hopeless(s, t, nb_remote)) {
        sched_task_forget(s, t);
        return SCHED_NEXT_GIVE_UP;
    }
    if (t->local_only || !nb_remote)
        return SCHED_NEXT_LOCAL;
    return nb_remote == 1 && !h->broken ? SCHED_NEXT_AGAIN : SCHED_NEXT_OTHER;
}

/** A waiting task that no host is left for. */
static Task *find_hopeless(const Sched *s)
{
    int nb_remote = sched_remote_hosts(s);

    for (int i = 0; i < s->nb_troubled; i++)
        if (hopeless(s, s->troubled[i], nb_remote))
            return s->troubled[i];
    return nb_remote ? NULL : sched_first_fresh(s);
}

int sched_given_up(Sched *s, void **task)
{
    Task *t = sched_fallback_works(s) || !s->nb_pending ? NULL : find_hopeless(s);

    if (!t)
        return 0;
    *task = t->opaque;
    sched_task_forget(s, t);
    return 1;
}

int sched_open(const Sched *s)
{
    return s->nb_open;
}

int sched_pending(const Sched *s)
{
    return s->nb_pending;
}
