/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole runs of the scheduler over a virtual clock, held to bounds.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include <libavutil/common.h>
#include <libavutil/lfg.h>

#include "remote/sched.h"

#define MAX_HOSTS  2000
#define MAX_TASKS  20000
#define MAX_SLOTS  4
#define STALL      60
#define RTT        0.05

typedef struct SimSlot {
    int      host, slot;
    int      alive, waiting;
    enum { NOTHING, CONNECTS, RUNS } doing;
    enum SchedFailure kind;      ///< how the attempt ends, when it does not end well
    int      fails;
    int64_t  task;
    double   start, end, full;   ///< full: seconds for all of the task
    double   freezes;            ///< when it stops moving
    unsigned token;              ///< of the event that is waited for
} SimSlot;

typedef struct SimHost {
    double  rate;                ///< weight a second
    int     nb_done;
    double  refuses, drops, fails, lies, hangs;   ///< probabilities
    double  slows, slow;         ///< from that time on it is so many times as slow; slow 0: never
    double  joins, leaves;       ///< times between which it can be reached
    int     slots, checked;
    SimSlot slot[MAX_SLOTS];
} SimHost;

typedef struct Event {
    double   time;
    SimSlot *slot;               ///< NULL: only ask who waits
    unsigned token;
} Event;

typedef struct Sim {
    Sched  *s;
    AVLFG   lfg;
    SimHost hosts[MAX_HOSTS + 1];
    int     nb_hosts;            ///< with the fallback
    Event  *events;              ///< a binary heap
    int     nb_events, max_events;
    double  next_ask;            ///< when an event without slot comes
    double  total, left, floor, max;   ///< work; least and most of a task
    int     done[MAX_TASKS], given_up[MAX_TASKS], running[MAX_TASKS], ids[MAX_TASKS];
    double  weight[MAX_TASKS];
    int     nb_tasks, nb_done, nb_given_up;
    long    decisions, wasted;
    int     again;               ///< a duplicate was begun: the others have to ask again
    double  now, last_done, wait_since;
} Sim;

static double rnd(Sim *m)
{
    return av_lfg_get(&m->lfg) / 4294967296.0;
}

/* ---- the heap ---- */

static void push(Sim *m, double time, SimSlot *slot)
{
    int i = m->nb_events++;

    if (i == m->max_events) {
        m->max_events = FFMAX(1024, 2 * i);
        m->events     = realloc(m->events, m->max_events * sizeof(*m->events));
        assert_non_null(m->events);
    }
    for (; i && m->events[(i - 1) / 2].time > time; i = (i - 1) / 2)
        m->events[i] = m->events[(i - 1) / 2];
    m->events[i] = (Event){ time, slot, slot ? slot->token : 0 };
}

static Event pop(Sim *m)
{
    Event first = m->events[0], last = m->events[--m->nb_events];
    int   i = 0, child;

    while ((child = 2 * i + 1) < m->nb_events) {
        if (child + 1 < m->nb_events && m->events[child + 1].time < m->events[child].time)
            child++;
        if (m->events[child].time >= last.time)
            break;
        m->events[i] = m->events[child];
        i = child;
    }
    m->events[i] = last;
    return first;
}

/* ---- the client ---- */

static void sim_give_up(Sim *m)
{
    void *task;

    while (sched_given_up(m->s, &task)) {
        m->given_up[*(int *)task]++;
        m->nb_given_up++;
    }
}

/** As the reader does: one at a time, whenever a host wants it. */
static void sim_submit(Sim *m)
{
    double w, until = INFINITY;

    while (m->left > 0) {
        int id = m->nb_tasks;

        if (!sched_demand(m->s, m->left, m->floor, m->floor / 2, INFINITY, m->now, &w, &until))
            break;
        w = av_clipd(w, m->floor, m->max);
        w = m->left - w < m->floor / 2 ? m->left : w;
        assert_true(id < MAX_TASKS);
        m->ids[id]    = id;
        m->weight[id] = w;
        m->left       = m->left - w;
        assert_int_equal(sched_add_task(m->s, id, w, &m->ids[id]), 0);
        m->nb_tasks++;
        m->again = 1;
    }
    if (until < m->next_ask) {
        m->next_ask = until;
        push(m, until, NULL);
    }
    if (m->left <= 0)
        sched_finish(m->s);
    sim_give_up(m);
}

/* ---- hosts ---- */

static int reachable(const Sim *m, const SimHost *h)
{
    return m->now >= h->joins && m->now < h->leaves;
}

static void connect_end(Sim *m, SimSlot *sl)
{
    SimHost *h = &m->hosts[sl->host];

    if (!reachable(m, h) || rnd(m) < h->refuses) {
        sched_connect_failed(m->s, sl->host, sl->slot, 0, m->now);
        return;
    }
    sched_connected(m->s, sl->host, sl->slot);
    if (h->checked)
        return;
    h->checked = 1;
    sched_checked(m->s, sl->host, h->slots);
    for (int k = 1; k < h->slots; k++)
        h->slot[k].alive = h->slot[k].waiting = 1;
}

static void stop_losers(Sim *m)
{
    int host, slot;

    while (sched_loser(m->s, &host, &slot)) {
        SimSlot *sl = &m->hosts[host].slot[slot];

        assert_int_equal(sl->doing, RUNS);
        sl->fails = 1;
        sl->kind  = SCHED_FAIL_CANCELLED;
        sl->token++;
        m->wasted++;
        push(m, m->now + 0.01, sl);
    }
}

static void run_end(Sim *m, SimSlot *sl)
{
    int64_t id = sl->task;

    m->running[id]--;
    if (!sl->fails) {
        int ret = sched_done(m->s, sl->host, sl->slot, 1, m->now);

        if (ret >= 0) {
            m->done[id]++;
            m->nb_done++;
            m->last_done = m->now;
            m->hosts[sl->host].nb_done++;
            stop_losers(m);
        }
        return;
    }
    if (sched_failed(m->s, sl->host, sl->slot, sl->kind,
                     sl->kind == SCHED_FAIL_COMMAND || sl->kind == SCHED_FAIL_WRONG,
                     m->now) == SCHED_NEXT_GIVE_UP) {
        m->given_up[id]++;
        m->nb_given_up++;
    }
}

/** When a host has done what takes so many seconds at its first rate. */
static double end_of(const SimHost *h, double from, double seconds)
{
    double fast = h->slow ? av_clipd(h->slows - from, 0, seconds) : seconds;

    return from + fast + (seconds - fast) * h->slow;
}

/** The seconds at its first rate that it has had for it. */
static double worked(const SimHost *h, double from, double to)
{
    double fast = h->slow ? av_clipd(h->slows - from, 0, to - from) : to - from;

    return fast + (h->slow ? (to - from - fast) / h->slow : 0);
}

static void run_begin(Sim *m, SimSlot *sl, const SchedDecision *d)
{
    SimHost *h = &m->hosts[sl->host];
    double   r = rnd(m);

    assert_ptr_equal(d->task, &m->ids[d->id]);
    assert_int_equal(d->duplicate, m->running[d->id] > 0);
    assert_true(++m->running[d->id] <= 4);
    assert_int_equal(m->done[d->id] + m->given_up[d->id], 0);
    assert_true(d->number <= 200);
    sl->task  = d->id;
    sl->start = m->now;
    sl->full  = m->weight[d->id] / h->rate * (0.9 + 0.2 * rnd(m)) + RTT;
    sl->end   = end_of(h, m->now, sl->full);
    sl->fails = 1;
    sl->freezes = INFINITY;
    if (r < h->hangs) {
        sl->kind    = SCHED_FAIL_STALLED;
        sl->freezes = m->now + rnd(m) * sl->full;
        sl->end     = sl->freezes + STALL;
    } else if ((r -= h->hangs) < h->drops) {
        sl->kind = SCHED_FAIL_TRANSPORT;
        sl->end  = m->now + rnd(m) * sl->full;
    } else if ((r -= h->drops) < h->fails) {
        sl->kind = SCHED_FAIL_COMMAND;
        sl->end  = m->now + rnd(m) * sl->full;
    } else if ((r -= h->fails) < h->lies) {
        sl->kind = SCHED_FAIL_WRONG;
    } else {
        sl->fails = 0;
    }
    if (sl->end > h->leaves) {
        sl->fails = 1;
        sl->kind  = SCHED_FAIL_TRANSPORT;
        sl->end   = FFMAX(h->leaves, m->now);
    }
    push(m, sl->end, sl);
}

static void decide(Sim *m, SimSlot *sl)
{
    SchedDecision d;

    do {
        d = sched_decide(m->s, sl->host, sl->slot, m->now);
        m->decisions++;
    } while (d.action == SCHED_DISCONNECT);
    sl->waiting = 0;
    sl->token++;
    switch (d.action) {
    case SCHED_CONNECT:
        sl->doing = CONNECTS;
        push(m, m->now + 0.1 + 0.3 * rnd(m), sl);
        break;
    case SCHED_RUN:
        sl->doing = RUNS;
        m->again |= d.duplicate;
        run_begin(m, sl, &d);
        break;
    case SCHED_FINISH:
        sl->alive = 0;
        break;
    default:
        assert_true(d.until > m->now);
        sl->waiting = 1;
        if (d.until < m->next_ask) {
            m->next_ask = d.until;
            push(m, d.until, NULL);
        }
    }
}

static void tell_progress(Sim *m)
{
    for (int i = 0; i < m->nb_hosts; i++)
        for (int j = 0; j < m->hosts[i].slots; j++) {
            SimSlot *sl = &m->hosts[i].slot[j];

            if (sl->doing == RUNS)
                sched_progress(m->s, i, j, worked(&m->hosts[i], sl->start, FFMIN(m->now, sl->freezes)) /
                               sl->full * m->weight[sl->task], m->now);
        }
}

/** All that wait are asked, as after each event. */
static void ask_all(Sim *m)
{
    do {
        m->again = 0;
        for (int i = 0; i < m->nb_hosts; i++)
            for (int j = 0; j < m->hosts[i].slots; j++) {
                SimSlot *sl = &m->hosts[i].slot[j];

                if (sl->alive && sl->waiting)
                    decide(m, sl);
            }
        sim_submit(m);
    } while (m->again);
}

static int sim_step(Sim *m, double *told)
{
    Event    e;
    SimSlot *sl;

    if (!m->nb_events)
        return 0;
    e      = pop(m);
    m->now = FFMAX(m->now, e.time);
    sl     = e.slot;
    if (sl && e.token != sl->token)
        return 1;
    if (!sl) {
        if (e.time != m->next_ask)
            return 1;
        m->next_ask = INFINITY;
    } else {
        if (sl->doing == CONNECTS)
            connect_end(m, sl);
        else
            run_end(m, sl);
        sl->doing   = NOTHING;
        sl->waiting = 1;
    }
    if (m->now - *told > 0.5) {
        *told = m->now;
        tell_progress(m);
    }
    ask_all(m);
    return 1;
}

static SimHost *sim_host(Sim *m, double rate, int slots)
{
    SimHost *h = &m->hosts[m->nb_hosts];

    h->rate   = rate;
    h->slots  = slots;
    h->leaves = INFINITY;
    for (int j = 0; j < slots; j++)
        h->slot[j] = (SimSlot){ .host = m->nb_hosts, .slot = j, .alive = !j, .waiting = !j };
    m->nb_hosts++;
    return h;
}

static Sim *sim_alloc(unsigned seed, double total)
{
    Sim *m = calloc(1, sizeof(*m));
    SchedConfig config = { .seed = seed };

    assert_non_null(m);
    av_lfg_init(&m->lfg, seed);
    assert_int_equal(sched_alloc(&m->s, &config), 0);
    m->total = m->left = total;
    m->floor = 100;
    m->max   = 750;
    m->next_ask = INFINITY;
    return m;
}

/** @return the time of the last result */
static double sim_run(Sim *m, int fallback)
{
    double told = 0;

    for (int i = 0; i < m->nb_hosts; i++)
        assert_int_equal(sched_add_host(m->s, fallback && i == m->nb_hosts - 1), i);
    ask_all(m);
    for (int steps = 0; sim_step(m, &told); steps++)
        assert_true(steps < 3000000);
    assert_int_equal(m->nb_done + m->nb_given_up, m->nb_tasks);
    assert_int_equal(sched_open(m->s), 0);
    for (int i = 0; i < m->nb_tasks; i++)
        assert_int_equal(m->done[i] + m->given_up[i], 1);
    return m->last_done;
}

static void sim_free(Sim *m)
{
    sched_free(&m->s);
    free(m->events);
    free(m);
}

/** All hosts busy all the time, and then the longest segment once more on a host like the others. */
static double lower_bound(const Sim *m, int nb)
{
    double sum = 0, longest = 0;

    for (int i = 0; i < nb; i++)
        sum += m->hosts[i].rate * m->hosts[i].slots;
    for (int i = 0; i < m->nb_tasks; i++)
        longest = FFMAX(longest, m->weight[i]);
    return m->total / sum + longest * nb / sum;
}

static void check_bound(Sim *m, int nb, double factor, const char *name)
{
    double time = sim_run(m, nb < m->nb_hosts), bound = lower_bound(m, nb);

    print_message("# %s: %d segments, %.1f s, %.3f of the bound; %ld decisions, "
                  "%ld stopped, %d here\n", name, m->nb_tasks, time, time / bound, m->decisions,
                  m->wasted, nb < m->nb_hosts ? m->hosts[nb].nb_done : 0);
    assert_int_equal(m->nb_given_up, 0);
    assert_true(time <= factor * bound);
    sim_free(m);
}

static void even_hosts(int nb, double work, double factor)
{
    char name[64];
    Sim *m = sim_alloc(nb, nb * work);

    for (int i = 0; i < nb; i++)
        sim_host(m, 100, 1);
    snprintf(name, sizeof(name), "%d even hosts", nb);
    check_bound(m, nb, factor, name);
}

static void test_even(void **state)
{
    (void)state;
    even_hosts(1, 20000, 1.05);
    even_hosts(8, 4500, 1.10);      /* a clip of three minutes for each */
    even_hosts(100, 10000, 1.10);
    even_hosts(2000, 2000, 1.15);
}

static void test_uneven(void **state)
{
    static const double rates[] = { 1, 1, 2, 4 };
    Sim *m = sim_alloc(3, 36000);

    (void)state;
    for (int i = 0; i < 4; i++)
        sim_host(m, 100 * rates[i], 1);
    check_bound(m, 4, 1.10, "hosts 1:1:2:4");
}

static void test_thousand(void **state)
{
    (void)state;
    for (int seed = 1; seed <= 3; seed++) {
        Sim *m = sim_alloc(seed, 1000 * 3000);

        for (int i = 0; i < 1000; i++) {
            SimHost *h = sim_host(m, 50 * exp(2 * rnd(m)), 1);

            if (i % 20 == 0)
                h->drops = h->hangs = h->fails = 0.15;
        }
        sim_host(m, 100, 1);
        check_bound(m, 1000, 1.15, "1000 uneven hosts, 5 % of them failing");
        m = sim_alloc(seed, 1000 * 3000);
        for (int i = 0; i < 1000; i++) {
            SimHost *h = sim_host(m, 50 * exp(2 * rnd(m)), 1);

            h->drops = 0.03;
            h->fails = 0.02;
        }
        sim_host(m, 100, 1);
        check_bound(m, 1000, 1.15, "1000 uneven hosts, 5 % of attempts failing");
    }
}

/* One attempt in fifty hangs for three times as long as the whole run takes. */
static void test_hangs(void **state)
{
    Sim *m = sim_alloc(3, 1000 * 3000);

    (void)state;
    for (int i = 0; i < 1000; i++)
        sim_host(m, 50 * exp(2 * rnd(m)), 1)->hangs = 0.02;
    sim_host(m, 100, 1);
    check_bound(m, 1000, 1.3, "1000 uneven hosts, 2 % of attempts hang");
}

/* A host that is twenty times as slow as the others must not hold up the end. */
static void test_slow_host(void **state)
{
    Sim *m = sim_alloc(11, 8 * 3000);

    (void)state;
    for (int i = 0; i < 8; i++)
        sim_host(m, i ? 100 : 5, 1);
    check_bound(m, 8, 1.15, "one slow host of eight");
}

/* Hosts that get slow with most of it done: what they work at is begun elsewhere as soon as there is nothing else to do. */
static void test_slowing_hosts(void **state)
{
    (void)state;
    for (int seed = 1; seed <= 4; seed++) {
        Sim *m = sim_alloc(seed, 4 * 4500);

        for (int i = 0; i < 4; i++)
            sim_host(m, 100, 1);
        m->hosts[3].slows = 36;
        m->hosts[3].slow  = seed % 2 ? 20 : 1000;
        check_bound(m, 4, 1.12, "four hosts, one of which gets slow");
    }
}

/* The slow one is all that is left in the end: this machine does not wait for it. */
static void test_slow_last(void **state)
{
    Sim   *m = sim_alloc(11, 10 * 300);
    double time;

    (void)state;
    sim_host(m, 5, 1);
    sim_host(m, 100, 1)->leaves = 27;
    sim_host(m, 100, 1);
    time = sim_run(m, 1);
    print_message("# a slow host, the other one leaves after 27 s: %.1f s, %d segments of %d here\n", time,
                  m->hosts[2].nb_done, m->nb_tasks);
    assert_int_equal(m->nb_given_up, 0);
    assert_true(time < 45);
    sim_free(m);
}

/* Hosts come late, and go; some for good. */
static void test_joins_and_leaves(void **state)
{
    Sim   *m = sim_alloc(5, 400 * 2000);
    double time;

    (void)state;
    for (int i = 0; i < 200; i++) {
        SimHost *h = sim_host(m, 50 * exp(rnd(m)), 1 + i % MAX_SLOTS);

        if (i % 4 == 1)
            h->joins = 5 * rnd(m);
        if (i % 4 == 2)
            h->leaves = 20 * rnd(m);
    }
    sim_host(m, 100, 1);
    time = sim_run(m, 1);
    assert_int_equal(m->nb_given_up, 0);
    assert_true(time < 60);
    sim_free(m);
}

/* Half of the hosts are only started when the others have worked for five minutes. */
static void test_late_hosts(void **state)
{
    Sim   *m = sim_alloc(7, 8 * 60000);
    double time;

    (void)state;
    for (int i = 0; i < 8; i++)
        sim_host(m, 100, 1)->joins = i % 2 ? 300 : 0;
    sim_host(m, 100, 1);
    time = sim_run(m, 1);
    print_message("# four hosts join after 300 s: %.1f s, %d segments by one of them\n", time, m->hosts[1].nb_done);
    assert_true(time < 1.2 * (600 + 150));
    sim_free(m);
}

/* Everything goes wrong all the time: every task is done once, or given up once, and nobody spins. */
static void badness(unsigned seed, int fallback, double bad)
{
    Sim *m = sim_alloc(seed, 200 * 2000);

    for (int i = 0; i < 200; i++) {
        SimHost *h = sim_host(m, 20 * exp(3 * rnd(m)), 1 + i % MAX_SLOTS);

        h->refuses = i % 5 == 0 ? bad : 0;
        h->drops   = i % 3 == 0 ? bad / 2 : 0;
        h->hangs   = i % 9 == 0 ? bad / 4 : 0;
        h->fails   = i % 7 == 0 ? bad : 0.02 * bad;
        h->lies    = i % 20 == 0 ? bad / 4 : 0;
    }
    if (fallback)
        sim_host(m, 1000, 1);
    sim_run(m, fallback);
    if (fallback)
        assert_int_equal(m->nb_given_up, 0);
    assert_true(m->decisions < 5000000);
    sim_free(m);
}

static void test_badness(void **state)
{
    (void)state;
    badness(1, 1, 0);
    badness(2, 1, 0.3);
    badness(3, 1, 0.9);
    badness(4, 0, 0.3);
}

/* Each host refuses for ever: the fallback does it all. */
static void test_all_refuse(void **state)
{
    Sim *m = sim_alloc(5, 100 * 100);

    (void)state;
    for (int i = 0; i < 10; i++)
        sim_host(m, 100, 1)->refuses = 2;
    sim_host(m, 100, 1);
    sim_run(m, 1);
    assert_int_equal(m->nb_done, m->nb_tasks);
    sim_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_even),
        cmocka_unit_test(test_uneven),
        cmocka_unit_test(test_thousand),
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_slow_host),
        cmocka_unit_test(test_slowing_hosts),
        cmocka_unit_test(test_slow_last),
        cmocka_unit_test(test_joins_and_leaves),
        cmocka_unit_test(test_late_hosts),
        cmocka_unit_test(test_badness),
        cmocka_unit_test(test_all_refuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
