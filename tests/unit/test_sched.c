/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/lfg.h>

#include "remote/sched.h"

static const SchedConfig config = { .seed = 7 };

/** A scheduler with so many checked remote hosts of one slot, and a fallback (not connected). */
static Sched *make(int hosts, int fallback)
{
    Sched *s;

    assert_int_equal(sched_alloc(&s, &config), 0);
    for (int i = 0; i < hosts; i++)
        assert_int_equal(sched_add_host(s, 0), i);
    if (fallback)
        assert_int_equal(sched_add_host(s, 1), hosts);
    for (int i = 0; i < hosts; i++) {
        assert_int_equal(sched_decide(s, i, 0, 0).action, SCHED_CONNECT);
        sched_connected(s, i, 0);
        sched_checked(s, i, 1);
    }
    return s;
}

static void add(Sched *s, int64_t id)
{
    assert_int_equal(sched_add_task(s, id, 1, NULL), 0);
}

static void expect(Sched *s, int host, double now, enum SchedAction action, int64_t id)
{
    SchedDecision d = sched_decide(s, host, 0, now);

    assert_int_equal(d.action, action);
    if (action == SCHED_RUN)
        assert_int_equal(d.id, id);
}

static void expect_up(Sched *s, int host, double now)
{
    expect(s, host, now, SCHED_CONNECT, 0);
    sched_connected(s, host, 0);
}

static void test_order(void **state)
{
    Sched *s = make(2, 0);

    (void)state;
    expect(s, 0, 0, SCHED_WAIT, 0);
    add(s, 30);
    add(s, 10);
    add(s, 20);
    assert_int_equal(sched_add_task(s, 20, 1, NULL), AVERROR(EEXIST));
    assert_int_equal(sched_pending(s), 3);
    expect(s, 0, 0, SCHED_RUN, 10);
    expect(s, 1, 0, SCHED_RUN, 20);
    assert_int_equal(sched_done(s, 0, 0, 1), 0);
    expect(s, 0, 0, SCHED_RUN, 30);
    sched_finish(s);
    assert_int_equal(sched_done(s, 1, 0, 1), 0);
    expect(s, 1, 0, SCHED_WAIT, 0);        /* 30 may still fail */
    assert_int_equal(sched_done(s, 0, 0, 1), 0);
    expect(s, 0, 0, SCHED_FINISH, 0);
    expect(s, 1, 0, SCHED_FINISH, 0);
    assert_int_equal(sched_open(s), 0);
    sched_free(&s);
}

static void test_other_host(void **state)
{
    Sched *s = make(3, 1);

    (void)state;
    add(s, 1);
    expect(s, 0, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_OTHER);
    expect(s, 0, 0, SCHED_WAIT, 0);        /* not again while others are healthy */
    expect(s, 1, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_OTHER);
    expect(s, 1, 0, SCHED_WAIT, 0);
    expect(s, 3, 0, SCHED_WAIT, 0);
    sched_break(s, 2);
    expect(s, 2, 0, SCHED_DISCONNECT, 0);
    expect(s, 2, 0, SCHED_FINISH, 0);
    expect(s, 0, 0, SCHED_RUN, 1);         /* both have failed it, but there is no other */
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_LOCAL);
    expect(s, 0, 0, SCHED_WAIT, 0);        /* its attempts are used up */
    expect(s, 1, 0, SCHED_WAIT, 0);
    expect_up(s, 3, 0);
    sched_checked(s, 3, 1);
    add(s, 0);
    expect(s, 3, 0, SCHED_RUN, 1);         /* only that one, the hosts are well */
    assert_int_equal(sched_failed(s, 3, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_GIVE_UP);
    assert_int_equal(sched_open(s), 1);
    sched_free(&s);
}

static void test_one_host(void **state)
{
    Sched *s = make(1, 0);

    (void)state;
    add(s, 1);
    for (int i = 0; i < 2; i++) {
        SchedDecision d = sched_decide(s, 0, 0, 0);

        assert_int_equal(d.action, SCHED_RUN);
        assert_int_equal(d.number, i);
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_AGAIN);
    }
    expect(s, 0, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_GIVE_UP);
    sched_free(&s);
}

static void test_backoff(void **state)
{
    Sched        *s = make(1, 1);
    SchedDecision d;
    double        now = 100, last = 0;

    (void)state;
    add(s, 1);
    expect(s, 0, now, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_TRANSPORT, 0, now), SCHED_NEXT_AGAIN);
    for (int i = 1; i < 5; i++) {
        assert_int_equal(sched_host_state(s, 0, now), SCHED_HOST_BACKOFF);
        d = sched_decide(s, 0, 0, now);
        assert_int_equal(d.action, SCHED_WAIT);
        assert_true(d.until - now > last && d.until - now <= 30);
        last = d.until - now;
        now  = d.until;
        expect(s, 0, now, SCHED_CONNECT, 0);
        sched_connect_failed(s, 0, 0, 0, now);
    }
    assert_int_equal(sched_host_state(s, 0, now), SCHED_HOST_BROKEN);
    expect(s, 0, now, SCHED_FINISH, 0);
    expect_up(s, 1, now);
    sched_checked(s, 1, 1);
    expect(s, 1, now, SCHED_RUN, 1);
    sched_free(&s);
}

/* A success ends the pause and the count. */
static void test_recovery(void **state)
{
    Sched *s = make(1, 0);
    double now = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        add(s, i);
        expect(s, 0, now, SCHED_RUN, i);
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_STALLED, 0, now), SCHED_NEXT_AGAIN);
        now = sched_host_until(s, 0);
        expect_up(s, 0, now);
        expect(s, 0, now, SCHED_RUN, i);
        assert_int_equal(sched_done(s, 0, 0, 1), 0);
        assert_int_equal(sched_host_state(s, 0, now), SCHED_HOST_READY);
    }
    sched_free(&s);
}

/* All slots of a host lose their connection at once: that is one failure. */
static void test_one_incident(void **state)
{
    Sched *s;
    int    connecting = 0;

    (void)state;
    assert_int_equal(sched_alloc(&s, &config), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    expect_up(s, 0, 0);
    sched_checked(s, 0, 64);
    for (int i = 1; i < 64; i++)
        connecting += sched_decide(s, 0, i, 0).action == SCHED_CONNECT;
    assert_int_equal(connecting, 4);       /* sshd does not like more at a time */
    for (int i = 1; i < 64; i++) {
        if (i > 4)
            assert_int_equal(sched_decide(s, 0, i, 0).action, SCHED_CONNECT);
        sched_connected(s, 0, i);
    }
    for (int i = 0; i < 64; i++) {
        add(s, i);
        assert_int_equal(sched_decide(s, 0, i, 0).action, SCHED_RUN);
    }
    for (int i = 0; i < 64; i++)
        sched_failed(s, 0, i, SCHED_FAIL_TRANSPORT, 0, 1);
    assert_int_equal(sched_host_state(s, 0, 1), SCHED_HOST_BACKOFF);
    sched_free(&s);
}

/* A host that takes fewer connections than it has slots is a good host. */
static void test_too_many_slots(void **state)
{
    Sched *s;
    double now = 0;

    (void)state;
    assert_int_equal(sched_alloc(&s, &config), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    expect_up(s, 0, 0);
    sched_checked(s, 0, 2);
    for (int i = 0; i < 5; i++) {
        SchedDecision d = sched_decide(s, 0, 1, now);

        if (d.action == SCHED_WAIT) {
            now = d.until;
            d   = sched_decide(s, 0, 1, now);
        }
        assert_int_equal(d.action, SCHED_CONNECT);
        sched_connect_failed(s, 0, 1, 0, now);
        assert_int_equal(sched_host_state(s, 0, now), SCHED_HOST_READY);
    }
    assert_int_equal(sched_decide(s, 0, 1, now).action, SCHED_FINISH);
    add(s, 1);
    expect(s, 0, now, SCHED_RUN, 1);
    sched_free(&s);
}

static void test_commands(void **state)
{
    Sched *s = make(2, 0);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_READY);
        add(s, i);
        expect(s, 0, 0, SCHED_RUN, i);
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_OTHER);
    }
    assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_BACKOFF);
    for (int i = 0; i < 3; i++) {
        expect(s, 1, 0, SCHED_RUN, i);
        assert_int_equal(sched_done(s, 1, 0, 1), 0);
    }
    assert_int_equal(sched_host_state(s, 1, 0), SCHED_HOST_READY);
    sched_free(&s);
}

/* A host that pauses gets nothing new, though it is connected. */
static void test_pause_idle(void **state)
{
    Sched        *s = make(1, 0);
    SchedDecision d;

    (void)state;
    for (int i = 3; i > 0; i--) {
        add(s, i);
        expect(s, 0, 0, SCHED_RUN, i);
        sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0);
    }
    d = sched_decide(s, 0, 0, 0);
    assert_int_equal(d.action, SCHED_WAIT);
    assert_true(d.until > 0 && d.until <= 1);
    expect(s, 0, d.until, SCHED_RUN, 1);
    sched_free(&s);
}

/* What fails here too is not the fault of the hosts. */
static void test_absolve(void **state)
{
    Sched *s;

    (void)state;
    assert_int_equal(sched_alloc(&s, &(SchedConfig){ .seed = 1, .max_attempts = 1 }), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    assert_int_equal(sched_add_host(s, 1), 1);
    expect_up(s, 0, 0);
    sched_checked(s, 0, 1);
    for (int i = 0; i < 10; i++) {
        add(s, i);
        expect(s, 0, 0, SCHED_RUN, i);
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_LOCAL);
        if (!i) {
            expect_up(s, 1, 0);
            sched_checked(s, 1, 1);
        }
        expect(s, 1, 0, SCHED_RUN, i);
        assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_GIVE_UP);
        assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_READY);
    }
    sched_free(&s);
}

static void test_wrong_data(void **state)
{
    Sched *s;

    (void)state;
    assert_int_equal(sched_alloc(&s, &config), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    assert_int_equal(sched_add_host(s, 0), 1);
    expect_up(s, 0, 0);
    sched_checked(s, 0, 2);
    assert_int_equal(sched_decide(s, 0, 1, 0).action, SCHED_CONNECT);
    sched_connected(s, 0, 1);
    add(s, 1);
    add(s, 2);
    expect(s, 0, 0, SCHED_RUN, 1);
    assert_int_equal(sched_decide(s, 0, 1, 0).id, 2);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_WRONG, 1, 0), SCHED_NEXT_OTHER);
    assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_BROKEN);
    assert_int_equal(sched_done(s, 0, 1, 1), AVERROR(EPERM));   /* too late to be believed */
    assert_int_equal(sched_pending(s), 2);
    assert_int_equal(sched_decide(s, 0, 0, 0).action, SCHED_DISCONNECT);
    assert_int_equal(sched_decide(s, 0, 1, 0).action, SCHED_DISCONNECT);
    expect_up(s, 1, 0);
    sched_checked(s, 1, 1);
    expect(s, 1, 0, SCHED_RUN, 1);
    sched_free(&s);
}

static void test_fallback(void **state)
{
    Sched *s;
    void  *task;

    (void)state;
    assert_int_equal(sched_alloc(&s, &config), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    assert_int_equal(sched_add_host(s, 0), 1);
    assert_int_equal(sched_add_host(s, 1), 2);
    add(s, 1);
    expect(s, 0, 0, SCHED_CONNECT, 0);
    expect(s, 1, 0, SCHED_CONNECT, 0);
    expect(s, 2, 0, SCHED_WAIT, 0);
    sched_connect_failed(s, 0, 0, 1, 1);
    expect(s, 2, 1, SCHED_WAIT, 0);        /* 1 is in its first connect */
    sched_connect_failed(s, 1, 0, 0, 1);
    expect_up(s, 2, 1);                    /* all have failed */
    sched_checked(s, 2, 1);
    expect(s, 2, 1, SCHED_RUN, 1);
    add(s, 2);
    expect_up(s, 1, 40);
    sched_checked(s, 1, 1);
    assert_int_equal(sched_done(s, 2, 0, 1), 0);
    expect(s, 2, 40, SCHED_WAIT, 0);       /* 1 has come back */
    expect(s, 1, 40, SCHED_RUN, 2);
    sched_break(s, 2);
    assert_int_equal(sched_given_up(s, &task), 0);
    sched_break(s, 1);
    assert_int_equal(sched_given_up(s, &task), 0);   /* it runs: may end well */
    assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_CANCELLED, 0, 40), SCHED_NEXT_GIVE_UP);
    add(s, 3);
    assert_int_equal(sched_given_up(s, &task), 1);
    assert_int_equal(sched_given_up(s, &task), 0);
    assert_int_equal(sched_open(s), 0);
    sched_free(&s);
}

/* Only the fallback host may tell whether it is the input; no host is blamed. */
static void test_input_at_fault(void **state)
{
    Sched *s = make(2, 1);

    (void)state;
    for (int id = 1; id <= 5; id++) {
        add(s, id);
        expect(s, 0, 0, SCHED_RUN, id);
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_INPUT, 1, 0), SCHED_NEXT_LOCAL);
        expect(s, 1, 0, SCHED_WAIT, 0);
    }
    assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_READY);
    expect_up(s, 2, 0);
    sched_checked(s, 2, 1);
    expect(s, 2, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 2, 0, SCHED_FAIL_INPUT, 1, 0), SCHED_NEXT_GIVE_UP);
    expect(s, 2, 0, SCHED_RUN, 2);
    assert_int_equal(sched_done(s, 2, 0, 1), 0);
    sched_free(&s);
}

/* A whole run over a virtual clock. */

#define HOSTS 200
#define TASKS 2000

typedef struct SimSlot {
    int     alive;
    double  wake;      ///< when what it does ends, or when it asks again
    enum { ASK, CONNECTS, RUNS } doing;
    int64_t task;
} SimSlot;

typedef struct SimHost {
    double  rate;      ///< seconds for a task
    double  refuses, drops, fails, lies;
    int     slots, checked;
    SimSlot slot[SCHED_MAX_SLOTS];
} SimHost;

typedef struct Sim {
    Sched  *s;
    AVLFG   lfg;
    SimHost hosts[HOSTS + 1];
    int     done[TASKS], given_up[TASKS], running[TASKS];
    int     ids[TASKS];
    int     nb_done, next;
    long    decisions;
    double  now;
} Sim;

static double rnd(Sim *m)
{
    return av_lfg_get(&m->lfg) / 4294967296.0;
}

static void sim_give_up(Sim *m)
{
    void *task;

    while (sched_given_up(m->s, &task)) {
        m->given_up[*(int *)task]++;
        m->nb_done++;
    }
}

static void sim_connect_end(Sim *m, int i, int j)
{
    SimHost *h = &m->hosts[i];

    if (rnd(m) < h->refuses) {
        sched_connect_failed(m->s, i, j, 0, m->now);
        return;
    }
    sched_connected(m->s, i, j);
    if (h->checked)
        return;
    h->checked = 1;
    sched_checked(m->s, i, h->slots);
    for (int k = 1; k < h->slots; k++)
        h->slot[k].alive = 1;
}

static void sim_run_end(Sim *m, int i, int j)
{
    SimHost *h  = &m->hosts[i];
    int64_t  id = h->slot[j].task;
    double   r  = rnd(m);
    enum SchedFailure kind;

    m->running[id]--;
    if (r < h->drops)
        kind = r < h->drops / 2 ? SCHED_FAIL_TRANSPORT : SCHED_FAIL_STALLED;
    else if (r < h->drops + h->fails)
        kind = SCHED_FAIL_COMMAND;
    else if (r < h->drops + h->fails + h->lies)
        kind = SCHED_FAIL_WRONG;
    else {
        if (sched_done(m->s, i, j, 1) >= 0) {
            m->done[id]++;
            m->nb_done++;
        }
        return;
    }
    if (sched_failed(m->s, i, j, kind, kind >= SCHED_FAIL_COMMAND, m->now) == SCHED_NEXT_GIVE_UP) {
        m->given_up[id]++;
        m->nb_done++;
    }
}

static void sim_decide(Sim *m, int i, int j)
{
    SimHost      *h  = &m->hosts[i];
    SimSlot      *sl = &h->slot[j];
    SchedDecision d  = sched_decide(m->s, i, j, m->now);

    m->decisions++;
    sl->doing = ASK;
    sl->wake  = m->now;
    switch (d.action) {
    case SCHED_WAIT:
        assert_true(d.until > m->now);
        sl->wake = d.until;
        break;
    case SCHED_CONNECT:
        sl->doing = CONNECTS;
        sl->wake  = m->now + 0.1 + rnd(m);
        break;
    case SCHED_RUN:
        sl->doing = RUNS;
        sl->task  = d.id;
        sl->wake  = m->now + h->rate * (0.5 + rnd(m));
        assert_ptr_equal(d.task, &m->ids[d.id]);
        assert_int_equal(m->running[d.id]++, 0);
        assert_int_equal(m->done[d.id] + m->given_up[d.id], 0);
        assert_true(d.number <= 200);
        break;
    case SCHED_DISCONNECT:
        break;
    case SCHED_FINISH:
        sl->alive = 0;
        break;
    }
}

/** As the client does: keep the queue full. */
static void sim_submit(Sim *m)
{
    while (m->next < TASKS && sched_pending(m->s) < 50) {
        m->ids[m->next] = m->next;
        assert_int_equal(sched_add_task(m->s, m->next, 1, &m->ids[m->next]), 0);
        m->next++;
    }
    if (m->next == TASKS)
        sched_finish(m->s);
    sim_give_up(m);
}

/** One event of one slot, then all that wait are asked. @return 0 when no slot is left */
static int sim_step(Sim *m, int nb_hosts)
{
    SimSlot *first = NULL;
    int      fi = 0, fj = 0;

    for (int i = 0; i < nb_hosts; i++)
        for (int j = 0; j < m->hosts[i].slots; j++) {
            SimSlot *sl = &m->hosts[i].slot[j];

            if (sl->alive && (!first || sl->wake < first->wake)) {
                first = sl;
                fi    = i;
                fj    = j;
            }
        }
    if (!first)
        return 0;
    assert_false(isinf(first->wake));      /* all wait for an event that cannot come */
    m->now = FFMAX(m->now, first->wake);
    if (first->doing == ASK) {
        sim_decide(m, fi, fj);
        return 1;
    }
    if (first->doing == CONNECTS)
        sim_connect_end(m, fi, fj);
    else
        sim_run_end(m, fi, fj);
    first->doing = ASK;
    first->wake  = m->now;
    sim_submit(m);
    for (int i = 0; i < nb_hosts; i++)
        for (int j = 0; j < m->hosts[i].slots; j++) {
            SimSlot *sl = &m->hosts[i].slot[j];

            if (sl->alive && sl->doing == ASK)
                sl->wake = m->now;
        }
    return 1;
}

static void simulate(Sim *m, int fallback, double badness)
{
    int nb_hosts = HOSTS + fallback;

    assert_int_equal(sched_alloc(&m->s, &config), 0);
    for (int i = 0; i < nb_hosts; i++) {
        SimHost *h = &m->hosts[i];

        h->rate  = exp(4 * rnd(m));        /* 1 to 55 seconds */
        h->slots = 1 + (i % 4);
        h->slot[0].alive = 1;
        assert_int_equal(sched_add_host(m->s, i == HOSTS), i);
        if (i == HOSTS) {
            h->slots = 1;
            continue;                      /* this machine does not fail */
        }
        h->refuses = i % 5 == 0 ? badness : 0;
        h->drops   = i % 3 == 0 ? badness / 2 : 0;
        h->fails   = i % 7 == 0 ? badness : 0.02 * badness;
        h->lies    = i % 20 == 0 ? badness / 4 : 0;
    }
    sim_submit(m);
    for (int steps = 0; sim_step(m, nb_hosts); steps++)
        assert_true(steps < 3000000);
    assert_int_equal(m->nb_done, TASKS);
    assert_int_equal(sched_open(m->s), 0);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(m->done[i] + m->given_up[i], 1);
    /* every event wakes whoever waits; but nobody may spin */
    assert_true(m->decisions < 3000000);
    sched_free(&m->s);
}

static void run_simulation(unsigned seed, int fallback, double badness)
{
    Sim *m = calloc(1, sizeof(*m));
    int  given_up = 0;

    assert_non_null(m);
    av_lfg_init(&m->lfg, seed);
    simulate(m, fallback, badness);
    for (int i = 0; i < TASKS; i++)
        given_up += m->given_up[i];
    if (fallback)
        assert_int_equal(given_up, 0);
    free(m);
}

static void test_simulation(void **state)
{
    (void)state;
    run_simulation(1, 1, 0);
    run_simulation(2, 1, 0.3);
    run_simulation(3, 1, 0.9);
    run_simulation(4, 0, 0.3);
}

/* Each host refuses for ever: the fallback does it all. */
static void test_all_refuse(void **state)
{
    Sim *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    av_lfg_init(&m->lfg, 5);
    assert_int_equal(sched_alloc(&m->s, &config), 0);
    for (int i = 0; i < 11; i++) {
        m->hosts[i] = (SimHost){ .rate = 1, .refuses = i < 10 ? 2 : 0, .slots = 1 };
        m->hosts[i].slot[0].alive = 1;
        assert_int_equal(sched_add_host(m->s, i == 10), i);
    }
    sim_submit(m);
    for (int steps = 0; sim_step(m, 11); steps++)
        assert_true(steps < 100000);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(m->done[i], 1);
    sched_free(&m->s);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_other_host),
        cmocka_unit_test(test_one_host),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_one_incident),
        cmocka_unit_test(test_too_many_slots),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_pause_idle),
        cmocka_unit_test(test_absolve),
        cmocka_unit_test(test_wrong_data),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_input_at_fault),
        cmocka_unit_test(test_simulation),
        cmocka_unit_test(test_all_refuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
