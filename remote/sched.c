/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <math.h>
#include <string.h>

#include <libavutil/avassert.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "sched.h"

/* sshd drops connections at random when more than ten wait for authentication (MaxStartups) */
#define MAX_CONNECTING 4

enum SlotPhase { DOWN, CONNECTING, CHECKING, IDLE, RUNNING, GONE };

typedef struct Task {
    int64_t   id;
    double    weight;
    void     *opaque;
    int       running;
    int       number;      ///< attempts begun
    int       failures;    ///< on remote hosts
    int       local_only;
    uint64_t *failed_on;   ///< bit set of hosts
} Task;

typedef struct SlotInfo {
    enum SlotPhase phase;
    Task    *task;
    unsigned epoch;      ///< of the host when what now goes on here began
    int      failures;   ///< of connects in a row, while the host's other slots were well
    double   retry_at;
} SlotInfo;

typedef struct HostEntry {
    int      fallback, checked, broken, wrong;
    int      nb_slots;
    SlotInfo slots[SCHED_MAX_SLOTS];
    /* All slots of a host notice the same incident. It counts once: a failure moves the host to a
     * new epoch, and failures of what began in an older one do not count. */
    unsigned epoch;
    int      failures;   ///< in a row
    int      commands;   ///< failed commands in a row
    double   retry_at;
} HostEntry;

struct Sched {
    SchedConfig config;
    uint32_t    random;
    HostEntry **hosts;
    int         nb_hosts;
    int         fallback;   ///< index, or -1
    Task      **tasks;      ///< not done yet, in order of id
    int         nb_tasks, max_tasks;
    int         finishing;
};

int sched_alloc(Sched **sp, const SchedConfig *config)
{
    Sched *s = av_mallocz(sizeof(*s));

    *sp = s;
    if (!s)
        return AVERROR(ENOMEM);
    s->config   = *config;
    s->random   = config->seed ? config->seed : 1;
    s->fallback = -1;
    if (!s->config.max_attempts)
        s->config.max_attempts = 3;
    if (!s->config.max_failures)
        s->config.max_failures = 5;
    if (!s->config.max_commands)
        s->config.max_commands = 3;
    if (!s->config.backoff)
        s->config.backoff = 1;
    if (!s->config.backoff_max)
        s->config.backoff_max = 30;
    return 0;
}

static void task_free(Task *t)
{
    av_free(t->failed_on);
    av_free(t);
}

void sched_free(Sched **sp)
{
    Sched *s = *sp;

    if (!s)
        return;
    for (int i = 0; i < s->nb_tasks; i++)
        task_free(s->tasks[i]);
    for (int i = 0; i < s->nb_hosts; i++)
        av_free(s->hosts[i]);
    av_free(s->tasks);
    av_free(s->hosts);
    av_freep(sp);
}

int sched_add_host(Sched *s, int fallback)
{
    HostEntry **hosts;
    HostEntry  *h;

    av_assert0(!s->nb_tasks && !(fallback && s->fallback >= 0));
    hosts = av_realloc_array(s->hosts, s->nb_hosts + 1, sizeof(*hosts));
    if (!hosts)
        return AVERROR(ENOMEM);
    s->hosts = hosts;
    h = av_mallocz(sizeof(*h));
    if (!h)
        return AVERROR(ENOMEM);
    h->fallback = fallback;
    h->nb_slots = 1;
    s->hosts[s->nb_hosts] = h;
    if (fallback)
        s->fallback = s->nb_hosts;
    return s->nb_hosts++;
}

/** Index of the first task whose id is not below. */
static int task_position(const Sched *s, int64_t id)
{
    int lo = 0, hi = s->nb_tasks;

    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;

        if (s->tasks[mid]->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int sched_add_task(Sched *s, int64_t id, double weight, void *opaque)
{
    int   pos = task_position(s, id);
    Task *t;

    if (pos < s->nb_tasks && s->tasks[pos]->id == id)
        return AVERROR(EEXIST);
    if (s->nb_tasks == s->max_tasks) {
        int    max   = s->max_tasks ? 2 * s->max_tasks : 64;
        Task **tasks = av_realloc_array(s->tasks, max, sizeof(*tasks));

        if (!tasks)
            return AVERROR(ENOMEM);
        s->tasks     = tasks;
        s->max_tasks = max;
    }
    t = av_mallocz(sizeof(*t));
    if (!t)
        return AVERROR(ENOMEM);
    t->failed_on = av_calloc(s->nb_hosts / 64 + 1, sizeof(*t->failed_on));
    if (!t->failed_on) {
        av_free(t);
        return AVERROR(ENOMEM);
    }
    t->id     = id;
    t->weight = weight;
    t->opaque = opaque;
    memmove(s->tasks + pos + 1, s->tasks + pos, (s->nb_tasks - pos) * sizeof(*s->tasks));
    s->tasks[pos] = t;
    s->nb_tasks++;
    return 0;
}

void sched_finish(Sched *s)
{
    s->finishing = 1;
}

static void forget_task(Sched *s, Task *t)
{
    int pos = task_position(s, t->id);

    s->nb_tasks--;
    memmove(s->tasks + pos, s->tasks + pos + 1, (s->nb_tasks - pos) * sizeof(*s->tasks));
    task_free(t);
}

static int failed_on(const Task *t, int host)
{
    return t->failed_on[host / 64] >> (host % 64) & 1;
}

static int count_slots(const HostEntry *h, enum SlotPhase from, enum SlotPhase to)
{
    int n = 0;

    for (int i = 0; i < h->nb_slots; i++)
        n += h->slots[i].phase >= from && h->slots[i].phase <= to;
    return n;
}

/** Whether a remote host works, or may still turn out to: it is not up to the fallback then. */
static int usable(const HostEntry *h, double now)
{
    if (h->fallback || h->broken)
        return 0;
    if (!h->failures)
        return 1;                    /* first connect, or all is well */
    if (!h->checked)
        return 0;
    if (now < h->retry_at)           /* it pauses, but what runs there may end well */
        return count_slots(h, RUNNING, RUNNING) > 0;
    return count_slots(h, IDLE, RUNNING) > 0;
}

static int any_usable(const Sched *s, double now)
{
    for (int i = 0; i < s->nb_hosts; i++)
        if (usable(s->hosts[i], now))
            return 1;
    return 0;
}

/** Whether a healthy host exists that has not failed this task. */
static int innocent_host(const Sched *s, const Task *t, double now)
{
    for (int i = 0; i < s->nb_hosts; i++)
        if (s->hosts[i]->checked && !failed_on(t, i) && usable(s->hosts[i], now))
            return 1;
    return 0;
}

static Task *pick_task(const Sched *s, int host, double now)
{
    int fallback = s->hosts[host]->fallback;
    int all      = fallback && !any_usable(s, now);

    for (int i = 0; i < s->nb_tasks; i++) {
        Task *t = s->tasks[i];

        if (t->running)
            continue;
        if (fallback) {
            if (all || t->local_only)
                return t;
        } else if (!t->local_only) {
            if (!failed_on(t, host) || !innocent_host(s, t, now))
                return t;
        }
    }
    return NULL;
}

static SchedDecision decide_down(Sched *s, int host, SlotInfo *sl, double now)
{
    HostEntry    *h     = s->hosts[host];
    double        until = FFMAX(h->retry_at, sl->retry_at);
    int           limit = h->failures ? 1 : MAX_CONNECTING;
    SchedDecision d     = { .action = SCHED_WAIT, .until = INFINITY };

    if (h->fallback && !pick_task(s, host, now))
        return d;
    if (now < until) {
        d.until = until;
        return d;
    }
    if (count_slots(h, CONNECTING, CHECKING) >= limit)
        return d;
    sl->phase = CONNECTING;
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
    t = pick_task(s, host, now);
    if (!t)
        return d;
    t->running = 1;
    sl->task   = t;
    sl->phase  = RUNNING;
    sl->epoch  = h->epoch;
    d.action   = SCHED_RUN;
    d.id       = t->id;
    d.task     = t->opaque;
    d.number   = t->number++;
    return d;
}

SchedDecision sched_decide(Sched *s, int host, int slot, double now)
{
    HostEntry    *h  = s->hosts[host];
    SlotInfo     *sl = &h->slots[slot];
    SchedDecision d  = { .action = SCHED_FINISH };

    av_assert0(slot < h->nb_slots && !sl->task);
    if (h->broken && sl->phase != DOWN && sl->phase != GONE) {
        sl->phase = DOWN;
        d.action  = SCHED_DISCONNECT;
        return d;
    }
    if (h->broken || sl->phase == GONE || (s->finishing && !s->nb_tasks)) {
        sl->phase = GONE;
        return d;
    }
    return sl->phase == DOWN ? decide_down(s, host, sl, now)
                             : decide_idle(s, host, sl, now);
}

void sched_connected(Sched *s, int host, int slot)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];

    sl->phase    = h->checked ? IDLE : CHECKING;
    sl->failures = 0;
    sl->retry_at = 0;
}

void sched_checked(Sched *s, int host, int nb_slots)
{
    HostEntry *h = s->hosts[host];

    h->checked        = 1;
    h->nb_slots       = av_clip(nb_slots, 1, SCHED_MAX_SLOTS);
    h->slots[0].phase = IDLE;
}

void sched_break(Sched *s, int host)
{
    s->hosts[host]->broken = 1;
}

/** Pauses double, and differ between hosts so that these do not all come back at once. */
static double pause_length(Sched *s, int failures)
{
    double length = s->config.backoff * (1 << FFMIN(failures - 1, 20));

    s->random ^= s->random << 13;
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    return FFMIN(length, s->config.backoff_max) * (0.75 + 0.25 * s->random / UINT32_MAX);
}

static void host_failure(Sched *s, HostEntry *h, const SlotInfo *sl, double now)
{
    if (sl->epoch != h->epoch)
        return;
    h->epoch++;
    h->commands = 0;
    h->failures++;
    if (h->failures >= s->config.max_failures)
        h->broken = 1;
    else
        h->retry_at = now + pause_length(s, h->failures);
}

void sched_connect_failed(Sched *s, int host, int slot, int permanent, double now)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];

    sl->phase = DOWN;
    if (count_slots(h, IDLE, RUNNING)) {
        /* the host is well, it only does not want so many of us */
        sl->failures++;
        sl->retry_at = now + pause_length(s, sl->failures);
        if (permanent || sl->failures >= s->config.max_failures)
            sl->phase = GONE;
    } else if (permanent) {
        h->broken = 1;
    } else {
        host_failure(s, h, sl, now);
    }
}

/** End the attempt of a slot. @return its task, which is pending again */
static Task *end_attempt(SlotInfo *sl, int up)
{
    Task *t = sl->task;

    av_assert0(t && sl->phase == RUNNING);
    t->running = 0;
    sl->task   = NULL;
    sl->phase  = up ? IDLE : DOWN;
    return t;
}

int sched_done(Sched *s, int host, int slot, int up)
{
    HostEntry *h = s->hosts[host];
    Task      *t = end_attempt(&h->slots[slot], up);

    if (h->wrong)
        return AVERROR(EPERM);
    h->failures = 0;
    h->commands = 0;
    h->retry_at = 0;
    forget_task(s, t);
    return 0;
}

static void blame_host(Sched *s, HostEntry *h, const SlotInfo *sl,
                       enum SchedFailure kind, double now)
{
    switch (kind) {
    case SCHED_FAIL_WRONG:
        h->broken = h->wrong = 1;
        break;
    case SCHED_FAIL_COMMAND:
        if (sl->epoch == h->epoch && ++h->commands >= s->config.max_commands)
            host_failure(s, h, sl, now);
        break;
    default:
        host_failure(s, h, sl, now);
        break;
    }
}

/** It failed here too: the input is at fault, not the hosts that could not do it. */
static void absolve_hosts(Sched *s, const Task *t)
{
    for (int i = 0; i < s->nb_hosts; i++)
        if (failed_on(t, i))
            s->hosts[i]->commands = 0;
}

static int fallback_works(const Sched *s)
{
    return s->fallback >= 0 && !s->hosts[s->fallback]->broken;
}

/** Remote hosts that are not broken. */
static int remote_hosts(const Sched *s)
{
    int n = 0;

    for (int i = 0; i < s->nb_hosts; i++)
        n += !s->hosts[i]->fallback && !s->hosts[i]->broken;
    return n;
}

static int hopeless(const Sched *s, const Task *t, int nb_remote)
{
    return !fallback_works(s) && (t->local_only || !nb_remote);
}

enum SchedNext sched_failed(Sched *s, int host, int slot, enum SchedFailure kind, int up,
                            double now)
{
    HostEntry *h  = s->hosts[host];
    SlotInfo  *sl = &h->slots[slot];
    Task      *t  = end_attempt(sl, up);
    int        nb_remote;

    if (kind != SCHED_FAIL_CANCELLED && h->fallback) {
        absolve_hosts(s, t);
        forget_task(s, t);
        return SCHED_NEXT_GIVE_UP;
    }
    if (kind != SCHED_FAIL_CANCELLED) {
        t->failed_on[host / 64] |= UINT64_C(1) << (host % 64);
        t->failures++;
        t->local_only = kind == SCHED_FAIL_INPUT || t->failures >= s->config.max_attempts;
        if (kind != SCHED_FAIL_INPUT)
            blame_host(s, h, sl, kind, now);
    }
    nb_remote = remote_hosts(s);
    if (hopeless(s, t, nb_remote)) {
        forget_task(s, t);
        return SCHED_NEXT_GIVE_UP;
    }
    if (t->local_only || !nb_remote)
        return SCHED_NEXT_LOCAL;
    return nb_remote == 1 && !h->broken ? SCHED_NEXT_AGAIN : SCHED_NEXT_OTHER;
}

int sched_given_up(Sched *s, void **task)
{
    int nb_remote = remote_hosts(s);

    if (fallback_works(s))
        return 0;
    for (int i = 0; i < s->nb_tasks; i++) {
        Task *t = s->tasks[i];

        if (t->running || !hopeless(s, t, nb_remote))
            continue;
        *task = t->opaque;
        forget_task(s, t);
        return 1;
    }
    return 0;
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
    return s->hosts[host]->retry_at;
}

int sched_host_up(const Sched *s, int host)
{
    return count_slots(s->hosts[host], CHECKING, RUNNING);
}

int sched_open(const Sched *s)
{
    return s->nb_tasks;
}

int sched_pending(const Sched *s)
{
    int n = 0;

    for (int i = 0; i < s->nb_tasks; i++)
        n += !s->tasks[i]->running;
    return n;
}

int sched_slots(const Sched *s)
{
    int n = 0;

    for (int i = 0; i < s->nb_hosts; i++)
        if (!s->hosts[i]->fallback && !s->hosts[i]->broken)
            n += s->hosts[i]->nb_slots;
    return FFMAX(n, 1);
}
