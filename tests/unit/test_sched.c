/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

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
    assert_int_equal(sched_done(s, 0, 0, 1, 0), 0);
    expect(s, 0, 0, SCHED_RUN, 30);
    sched_finish(s);
    assert_int_equal(sched_done(s, 1, 0, 1, 0), 0);
    expect(s, 1, 0, SCHED_WAIT, 0);        /* 30 may still fail */
    assert_int_equal(sched_done(s, 0, 0, 1, 0), 0);
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
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_TRANSPORT, 1, 0), SCHED_NEXT_OTHER);
    expect(s, 0, 9, SCHED_WAIT, 0);        /* not again while others are healthy */
    expect(s, 1, 9, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_TRANSPORT, 1, 9), SCHED_NEXT_OTHER);
    expect(s, 1, 18, SCHED_WAIT, 0);
    expect(s, 3, 18, SCHED_WAIT, 0);
    sched_break(s, 2);
    expect(s, 2, 18, SCHED_DISCONNECT, 0);
    expect(s, 2, 18, SCHED_FINISH, 0);
    expect(s, 0, 18, SCHED_RUN, 1);        /* both have failed it, but there is no other */
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_TRANSPORT, 1, 18), SCHED_NEXT_LOCAL);
    expect(s, 1, 18, SCHED_WAIT, 0);       /* its attempts are used up */
    expect_up(s, 3, 18);
    sched_checked(s, 3, 1);
    add(s, 0);
    expect(s, 3, 18, SCHED_RUN, 1);        /* only that one, the hosts are well */
    assert_int_equal(sched_failed(s, 3, 0, SCHED_FAIL_COMMAND, 1, 18), SCHED_NEXT_GIVE_UP);
    assert_int_equal(sched_open(s), 1);
    sched_free(&s);
}

/* A command that fails on two hosts is tried here, however many hosts there are. */
static void test_two_commands(void **state)
{
    Sched *s = make(5, 1);

    (void)state;
    add(s, 1);
    expect(s, 0, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_OTHER);
    expect(s, 1, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_LOCAL);
    expect(s, 2, 0, SCHED_WAIT, 0);
    expect_up(s, 5, 0);
    sched_checked(s, 5, 1);
    expect(s, 5, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 5, 0, SCHED_FAIL_COMMAND, 1, 0), SCHED_NEXT_GIVE_UP);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sched_host_state(s, i, 0), SCHED_HOST_READY);
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
    expect_up(s, 1, now);
    sched_checked(s, 1, 1);
    expect(s, 1, now, SCHED_RUN, 1);
    add(s, 2);
    expect(s, 0, now, SCHED_WAIT, 0);
    assert_true(sched_host_until(s, 0) >= now + 12 && sched_host_until(s, 0) <= now + 16);
    /* once more in vain, and then it has been started again */
    now = sched_host_until(s, 0);
    expect(s, 0, now, SCHED_CONNECT, 0);
    sched_connect_failed(s, 0, 0, 0, now);
    assert_int_equal(sched_host_state(s, 0, now), SCHED_HOST_BROKEN);
    assert_int_equal(sched_slots(s), 1);
    now = sched_host_until(s, 0);
    expect_up(s, 0, now);
    assert_int_equal(sched_host_state(s, 0, now), SCHED_HOST_READY);
    expect(s, 0, now, SCHED_RUN, 2);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_TRANSPORT, 0, now), SCHED_NEXT_LOCAL);
    assert_int_equal(sched_host_state(s, 0, now), SCHED_HOST_BROKEN);
    sched_break(s, 0);
    assert_true(isinf(sched_host_until(s, 0)));
    expect(s, 0, now, SCHED_FINISH, 0);
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
        assert_int_equal(sched_done(s, 0, 0, 1, 0), 0);
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
        assert_int_equal(sched_done(s, 1, 0, 1, 0), 0);
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
    assert_int_equal(sched_done(s, 0, 1, 1, 0), AVERROR(EPERM));   /* too late to be believed */
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
    assert_int_equal(sched_done(s, 2, 0, 1, 0), 0);
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
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_CLAIM, 1, 0), SCHED_NEXT_LOCAL);
        expect(s, 1, 0, SCHED_WAIT, 0);
    }
    assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_READY);
    expect_up(s, 2, 0);
    sched_checked(s, 2, 1);
    expect(s, 2, 0, SCHED_RUN, 1);
    assert_int_equal(sched_failed(s, 2, 0, SCHED_FAIL_CLAIM, 1, 0), SCHED_NEXT_GIVE_UP);
    expect(s, 2, 0, SCHED_RUN, 2);
    assert_int_equal(sched_done(s, 2, 0, 1, 0), 0);
    /* the host that said so of nearly all that it got was wrong in one case: no pause yet */
    assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_READY);
    sched_free(&s);
}

/* Without a fallback, one other host is asked; who was wrong is blamed in the end. */
static void test_input_claimed(void **state)
{
    Sched *s = make(2, 0);
    void *task;

    (void)state;
    for (int id = 1; id <= 3; id++) {
        add(s, id);
        assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_READY);
        expect(s, 0, 0, SCHED_RUN, id);
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_CLAIM, 1, 0), SCHED_NEXT_OTHER);
        expect(s, 0, 0, SCHED_WAIT, 0);
        expect(s, 1, 0, SCHED_RUN, id);
        assert_int_equal(sched_done(s, 1, 0, 1, 0), 0);
    }
    assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_BACKOFF);
    add(s, 4);
    expect(s, 1, 0, SCHED_RUN, 4);
    assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_CLAIM, 1, 0), SCHED_NEXT_OTHER);
    expect(s, 0, 40, SCHED_RUN, 4);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_CLAIM, 1, 40), SCHED_NEXT_GIVE_UP);
    sched_break(s, 0);
    add(s, 5);
    expect(s, 1, 40, SCHED_RUN, 5);
    assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_CLAIM, 1, 40), SCHED_NEXT_GIVE_UP);
    assert_int_equal(sched_given_up(s, &task), 0);
    sched_free(&s);
}

/* Tasks that are not for a host go to others, and it is not blamed. */
static void test_unfit(void **state)
{
    Sched *s = make(2, 1);

    (void)state;
    for (int id = 1; id <= 5; id++) {
        add(s, id);
        expect(s, 0, 0, SCHED_RUN, id);
        assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_UNFIT, 1, 0), SCHED_NEXT_OTHER);
        expect(s, 0, 0, SCHED_WAIT, 0);
        expect(s, 1, 0, SCHED_RUN, id);
        assert_int_equal(sched_done(s, 1, 0, 1, 0), 0);
    }
    assert_int_equal(sched_host_state(s, 0, 0), SCHED_HOST_READY);
    sched_free(&s);
}

/** Two hosts of which the second has proved to be four times as fast. */
static Sched *make_measured(void)
{
    Sched *s = make(2, 1);

    for (int id = 1; id <= 2; id++)
        assert_int_equal(sched_add_task(s, id, 40, NULL), 0);
    expect(s, 0, 0, SCHED_RUN, 1);
    expect(s, 1, 0, SCHED_RUN, 2);
    assert_int_equal(sched_done(s, 1, 0, 1, 10), 0);
    assert_int_equal(sched_done(s, 0, 0, 1, 40), 0);
    assert_true(sched_rate(s, 0) == 1 && sched_rate(s, 1) == 4);
    return s;
}

/** Such, and a task that runs on the slow one. */
static Sched *make_uneven(void)
{
    Sched *s = make_measured();

    assert_int_equal(sched_add_task(s, 3, 40, NULL), 0);
    expect(s, 0, 100, SCHED_RUN, 3);
    expect(s, 1, 100, SCHED_WAIT, 0);      /* there may be more to come */
    sched_finish(s);
    return s;
}

static void test_straggler(void **state)
{
    Sched *s = make_uneven();
    SchedDecision d;
    int    host = -1, slot = -1;

    (void)state;
    d = sched_decide(s, 1, 0, 101);
    assert_int_equal(d.action, SCHED_RUN);
    assert_int_equal(d.id, 3);
    assert_true(d.duplicate);
    expect(s, 2, 101, SCHED_WAIT, 0);
    assert_int_equal(sched_loser(s, &host, &slot), 0);
    assert_int_equal(sched_done(s, 1, 0, 1, 111), 0);
    assert_int_equal(sched_loser(s, &host, &slot), 1);
    assert_true(host == 0 && slot == 0);
    assert_int_equal(sched_loser(s, &host, &slot), 0);   /* once is enough */
    assert_int_equal(sched_open(s), 1);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_CANCELLED, 0, 111), SCHED_NEXT_OTHER_RUNS);
    assert_int_equal(sched_open(s), 0);
    assert_int_equal(sched_host_state(s, 0, 111), SCHED_HOST_READY);
    expect(s, 1, 111, SCHED_FINISH, 0);
    sched_free(&s);
}

/* Both end before the loser is stopped: only one result counts. */
static void test_dead_heat(void **state)
{
    Sched *s = make_uneven();

    (void)state;
    expect(s, 1, 101, SCHED_RUN, 3);
    assert_int_equal(sched_done(s, 0, 0, 1, 111), 0);
    assert_int_equal(sched_done(s, 1, 0, 1, 111), AVERROR(EEXIST));
    assert_int_equal(sched_open(s), 0);
    sched_free(&s);
}

/* One of two attempts fails: the other one goes on, and the task is not pending. */
static void test_duplicate_fails(void **state)
{
    Sched *s = make_uneven();

    (void)state;
    expect(s, 1, 101, SCHED_RUN, 3);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_COMMAND, 1, 102), SCHED_NEXT_OTHER_RUNS);
    assert_int_equal(sched_pending(s), 0);
    expect(s, 0, 200, SCHED_WAIT, 0);      /* it has failed there */
    assert_int_equal(sched_failed(s, 1, 0, SCHED_FAIL_COMMAND, 1, 201), SCHED_NEXT_LOCAL);
    assert_int_equal(sched_pending(s), 1);
    sched_free(&s);
}

/* What is about to end is left alone, unless it no longer moves. */
static void test_almost_done(void **state)
{
    Sched *s = make_uneven();
    SchedDecision d;

    (void)state;
    sched_progress(s, 0, 0, 36, 136);
    d = sched_decide(s, 1, 0, 136);
    assert_int_equal(d.action, SCHED_WAIT);
    assert_true(d.until > 136 && d.until <= 137);
    sched_progress(s, 0, 0, 30, 140);      /* less than before: nothing new */
    expect(s, 1, 140, SCHED_WAIT, 0);
    expect(s, 1, 150, SCHED_RUN, 3);
    sched_free(&s);
}

/* What has been fast gets slow: its time left goes by what it does of late. */
static void test_slows_down(void **state)
{
    Sched *s = make_uneven();

    (void)state;
    for (int t = 1; t <= 30; t++)
        sched_progress(s, 0, 0, t, 100 + t);
    expect(s, 1, 130, SCHED_WAIT, 0);
    for (int t = 1; t <= 8; t++)
        sched_progress(s, 0, 0, 30 + 0.1 * t, 130 + t);
    expect(s, 1, 138, SCHED_RUN, 3);
    sched_free(&s);
}

/* Of two free hosts the faster one takes it, whoever asks first. */
static void test_fastest_free(void **state)
{
    Sched *s = make(3, 0);

    (void)state;
    for (int id = 1; id <= 3; id++)
        assert_int_equal(sched_add_task(s, id, 40, NULL), 0);
    for (int i = 0; i < 3; i++)
        expect(s, i, 0, SCHED_RUN, i + 1);
    assert_int_equal(sched_done(s, 1, 0, 1, 10), 0);
    assert_int_equal(sched_done(s, 0, 0, 1, 20), 0);
    sched_finish(s);
    expect(s, 0, 200, SCHED_WAIT, 0);
    expect(s, 1, 200, SCHED_RUN, 3);
    sched_free(&s);
}

/** One host of two is out, and the slow one has the last task: 40 seconds at its rate. The fallback is connected. */
static Sched *make_late(double weight)
{
    Sched *s = make_measured();

    sched_break(s, 1);
    expect(s, 1, 100, SCHED_DISCONNECT, 0);
    assert_int_equal(sched_add_task(s, 3, weight, NULL), 0);
    expect(s, 0, 100, SCHED_RUN, 3);
    expect(s, 2, 100, SCHED_WAIT, 0);      /* there may be more to come */
    sched_finish(s);
    return s;
}

/* With no other host left this machine begins, too, what is very late; it is not told twice if it cannot. */
static void test_late(void **state)
{
    Sched *s = make_late(40);
    SchedDecision d = sched_decide(s, 2, 0, 101);
    int    host = -1, slot = -1;

    (void)state;
    assert_int_equal(d.action, SCHED_WAIT);         /* 39 s: the mean of the hosts would be done in 16 */
    assert_true(d.until > 101 && d.until <= 102);
    sched_progress(s, 0, 0, 4, 120);
    sched_progress(s, 0, 0, 8, 140);
    expect_up(s, 2, 141);                           /* but that slow it was not before */
    sched_checked(s, 2, 1);
    d = sched_decide(s, 2, 0, 142);
    assert_true(d.action == SCHED_RUN && d.id == 3 && d.duplicate);
    assert_int_equal(sched_failed(s, 2, 0, SCHED_FAIL_COMMAND, 1, 150), SCHED_NEXT_OTHER_RUNS);
    expect(s, 2, 200, SCHED_WAIT, 0);
    assert_int_equal(sched_done(s, 0, 0, 1, 300), 0);
    sched_free(&s);

    s = make_late(40);
    expect_up(s, 2, 220);                           /* silent since it began */
    sched_checked(s, 2, 1);
    expect(s, 2, 220, SCHED_RUN, 3);
    assert_int_equal(sched_done(s, 2, 0, 1, 230), 0);
    assert_int_equal(sched_loser(s, &host, &slot), 1);
    assert_true(host == 0 && slot == 0);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_CANCELLED, 0, 230), SCHED_NEXT_OTHER_RUNS);
    assert_int_equal(sched_open(s), 0);
    sched_free(&s);

    s = make_late(2);                               /* nothing to gain */
    sched_progress(s, 0, 0, 1, 104);
    expect(s, 2, 104, SCHED_WAIT, 0);
    sched_free(&s);
}

/* Nothing is known of how long it takes: what moves is left alone, what has not moved for a minute is not. */
static void test_late_unmeasured(void **state)
{
    Sched *s = make(1, 1);

    (void)state;
    add(s, 1);
    expect(s, 0, 0, SCHED_RUN, 1);
    sched_finish(s);
    expect(s, 1, 59, SCHED_WAIT, 0);
    sched_progress(s, 0, 0, 0.01, 59);
    expect(s, 1, 100, SCHED_WAIT, 0);
    expect(s, 1, 120, SCHED_CONNECT, 0);
    sched_free(&s);
    /* what moved every half a second does not stop for ten */
    s = make(1, 1);
    add(s, 1);
    expect(s, 0, 0, SCHED_RUN, 1);
    sched_finish(s);
    sched_progress(s, 0, 0, 0.01, 20);
    sched_progress(s, 0, 0, 0.02, 20.5);
    expect(s, 1, 30, SCHED_WAIT, 0);
    expect(s, 1, 30.6, SCHED_CONNECT, 0);
    sched_free(&s);
}

/* A free host comes first, and what it can have is nothing for this machine; nor is what runs on this machine. */
static void test_late_elsewhere(void **state)
{
    SchedConfig listed = { .seed = 7, .fallback_listed = 1 };
    Sched *s = make_uneven();

    (void)state;
    expect(s, 2, 135, SCHED_WAIT, 0);
    expect(s, 1, 135, SCHED_RUN, 3);
    sched_free(&s);

    assert_int_equal(sched_alloc(&s, &listed), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    assert_int_equal(sched_add_host(s, 1), 1);
    expect_up(s, 0, 0);
    sched_checked(s, 0, 1);
    add(s, 1);
    expect(s, 0, 0, SCHED_RUN, 1);
    sched_finish(s);
    expect(s, 1, 500, SCHED_WAIT, 0);
    sched_free(&s);
}

static void test_share(void **state)
{
    double first, slow, fast, until;
    Sched *s = make(2, 1);

    (void)state;
    assert_int_equal(sched_demand(s, 1000, 10, 10, INFINITY, 0, &first, &until), 1);
    assert_true(first >= 100 && first <= 250);
    sched_free(&s);
    s = make_measured();
    assert_int_equal(sched_demand(s, 1000, 10, 10, INFINITY, 40, &fast, &until), 1);
    /* what was made for the fast one is kept for it */
    assert_int_equal(sched_add_task(s, 3, fast, NULL), 0);
    expect(s, 0, 40, SCHED_WAIT, 0);
    expect(s, 1, 40, SCHED_RUN, 3);
    assert_int_equal(sched_demand(s, 1000 - fast, 10, 10, INFINITY, 40, &slow, &until), 1);
    assert_true(slow < fast);
    /* no crumbs */
    assert_int_equal(sched_done(s, 1, 0, 1, 41), 0);
    assert_int_equal(sched_demand(s, 57, 40, 30, INFINITY, 41, &fast, &until), 1);
    assert_true(fast == 57);
    sched_free(&s);
}

/* What is left is little, and a fast host that is busy would be done with it before the slow one that is free. */
static void test_share_better_elsewhere(void **state)
{
    double size, until;
    Sched *s = make_measured();

    (void)state;
    assert_int_equal(sched_add_task(s, 3, 20, NULL), 0);
    expect(s, 1, 40, SCHED_RUN, 3);
    assert_int_equal(sched_demand(s, 20, 10, 30, INFINITY, 40, &size, &until), 0);
    assert_true(until > 40 && until < 41);
    /* when it has much to do itself, the slow one had better begin */
    assert_int_equal(sched_add_task(s, 4, 400, NULL), 0);
    assert_int_equal(sched_done(s, 1, 0, 1, 44), 0);
    expect(s, 1, 44, SCHED_RUN, 4);
    assert_int_equal(sched_demand(s, 20, 10, 30, INFINITY, 44, &size, &until), 1);
    sched_free(&s);
}

/* Of a host with two slots, one is free and the other has much to do: all of that time is the free one's. */
static void test_share_of_free_slot(void **state)
{
    double size, until;
    Sched *s;

    (void)state;
    assert_int_equal(sched_alloc(&s, &config), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    expect_up(s, 0, 0);
    sched_checked(s, 0, 2);
    assert_int_equal(sched_decide(s, 0, 1, 0).action, SCHED_CONNECT);
    sched_connected(s, 0, 1);
    assert_int_equal(sched_add_task(s, 1, 100, NULL), 0);
    assert_int_equal(sched_add_task(s, 2, 1000, NULL), 0);
    expect(s, 0, 0, SCHED_RUN, 1);
    assert_int_equal(sched_decide(s, 0, 1, 0).action, SCHED_RUN);
    assert_int_equal(sched_done(s, 0, 0, 1, 1), 0);                  /* 100 a second */
    sched_progress(s, 0, 1, 100, 1);
    assert_int_equal(sched_demand(s, 300, 10, 10, INFINITY, 1, &size, &until), 1);
    assert_true(size >= 300);
    /* of 4800 it does 2850, half of that now; that is more than 200, but takes a few seconds only */
    assert_int_equal(sched_demand(s, 4800, 10, 10, 200, 1, &size, &until), 1);
    assert_true(size > 900 && size <= 1000);
    sched_free(&s);
}

/* A slow start, and what an encoder gives late, are not its rate: 5 a second here, and 29 seconds for a hundred. */
static void test_rate_of_running(void **state)
{
    double size, until;
    Sched *s = make(2, 1);

    (void)state;
    for (int id = 1; id <= 2; id++)
        assert_int_equal(sched_add_task(s, id, 100, NULL), 0);
    expect(s, 0, 0, SCHED_RUN, 1);
    expect(s, 1, 0, SCHED_RUN, 2);
    sched_progress(s, 0, 0, 5, 10);
    sched_progress(s, 0, 0, 25, 14);
    assert_int_equal(sched_done(s, 1, 0, 1, 10), 0);
    assert_int_equal(sched_demand(s, 1000, 10, 10, INFINITY, 14, &size, &until), 1);
    assert_true(size > 390 && size < 410);
    sched_free(&s);
}

/** One host of one slot and a spare lane, both connected; tasks 1 to 4 wait. */
static Sched *make_lanes(enum SchedFeed feed)
{
    Sched *s;

    assert_int_equal(sched_alloc(&s, &config), 0);
    assert_int_equal(sched_add_host(s, 0), 0);
    expect_up(s, 0, 0);
    sched_set_lanes(s, 0, 1, feed);
    sched_checked(s, 0, 1);
    assert_int_equal(sched_slots(s), 1);
    assert_int_equal(sched_decide(s, 0, 1, 0).action, SCHED_CONNECT);
    sched_connected(s, 0, 1);
    for (int id = 1; id <= 4; id++)
        assert_int_equal(sched_add_task(s, id, 40, NULL), 0);
    return s;
}

/* The next command starts when the one before is about to end. */
static void test_stream_overlap(void **state)
{
    Sched *s = make_lanes(SCHED_FEED_STREAM);
    SchedDecision d;

    (void)state;
    expect(s, 0, 0, SCHED_RUN, 1);
    d = sched_decide(s, 0, 1, 0);
    assert_true(d.action == SCHED_WAIT && d.until < 1);
    sched_answered(s, 0, 0, 0.5);
    d = sched_decide(s, 0, 1, 1);
    assert_true(d.action == SCHED_WAIT && d.until < 2);    /* accounts are no events: it looks for them */
    sched_progress(s, 0, 0, 20, 10);
    d = sched_decide(s, 0, 1, 10);
    assert_int_equal(d.action, SCHED_WAIT);
    assert_true(d.until > 10 && d.until < 20);
    d = sched_decide(s, 0, 1, 19.6);
    assert_int_equal(d.action, SCHED_WAIT);      /* it has said nothing for long */
    sched_progress(s, 0, 0, 39, 19.6);
    d = sched_decide(s, 0, 1, 19.7);
    assert_int_equal(d.action, SCHED_RUN);
    assert_true(d.id == 2 && !d.spool);
    assert_int_equal(sched_done(s, 0, 0, 1, 20), 0);
    expect(s, 0, 20, SCHED_WAIT, 0);
    assert_int_equal(sched_done(s, 0, 1, 1, 40), 0);
    sched_free(&s);
}

/* That nothing was said since the last account is no standstill, until twice as much time has passed as between these. */
static void test_between_accounts(void **state)
{
    Sched *s = make_lanes(SCHED_FEED_STREAM);

    (void)state;
    expect(s, 0, 0, SCHED_RUN, 1);
    sched_answered(s, 0, 0, 0.5);
    sched_progress(s, 0, 0, 18, 9);
    sched_progress(s, 0, 0, 20, 10);
    sched_progress(s, 0, 0, 38, 19);
    assert_int_equal(sched_decide(s, 0, 1, 19.4).action, SCHED_WAIT);
    assert_int_equal(sched_decide(s, 0, 1, 19.6).action, SCHED_RUN);
    sched_free(&s);
}

/* The next task is made so early that it is there when it is to begin. */
static void test_made_ahead(void **state)
{
    double size, until;
    Sched *s = make_lanes(SCHED_FEED_STREAM);

    (void)state;
    for (int id = 1; id < 4; id++) {
        expect(s, 0, 100 * id, SCHED_RUN, id);
        assert_int_equal(sched_done(s, 0, 0, 1, 100 * id + 20), 0);
    }
    sched_made(s, 1);
    expect(s, 0, 400, SCHED_RUN, 4);
    sched_answered(s, 0, 0, 400.5);
    sched_progress(s, 0, 0, 18, 409);
    sched_progress(s, 0, 0, 36, 418);
    assert_int_equal(sched_demand(s, 1000, 10, 10, INFINITY, 418.4, &size, &until), 0);
    assert_int_equal(sched_demand(s, 1000, 10, 10, INFINITY, 418.6, &size, &until), 1);
    assert_int_equal(sched_add_task(s, 5, 40, NULL), 0);
    assert_int_equal(sched_decide(s, 0, 1, 419).action, SCHED_WAIT);
    assert_int_equal(sched_kept_for(s, 419), 0);
    assert_int_equal(sched_decide(s, 0, 1, 419.6).action, SCHED_RUN);
    sched_free(&s);
}

/* Inputs travel one after the other, and each command begins when the one before has ended. */
static void test_spool(void **state)
{
    Sched *s = make_lanes(SCHED_FEED_SPOOL);
    SchedDecision d = sched_decide(s, 0, 0, 0);

    (void)state;
    assert_true(d.action == SCHED_RUN && d.spool && d.id == 1);
    assert_int_equal(sched_decide(s, 0, 1, 0).action, SCHED_WAIT);
    sched_uploaded(s, 0, 0, 5);
    assert_int_equal(sched_permit(s, 0, 0, 5), 1);
    d = sched_decide(s, 0, 1, 5);
    assert_true(d.action == SCHED_RUN && d.spool && d.id == 2);
    sched_uploaded(s, 0, 1, 10);
    assert_int_equal(sched_permit(s, 0, 1, 10), 0);
    assert_int_equal(sched_done(s, 0, 0, 1, 15), 0);
    assert_true(sched_rate(s, 0) == 4);          /* the upload does not count */
    assert_int_equal(sched_permit(s, 0, 1, 15), 1);
    d = sched_decide(s, 0, 0, 15);
    assert_true(d.action == SCHED_RUN && d.spool && d.id == 3);
    assert_int_equal(sched_failed(s, 0, 0, SCHED_FAIL_CANCELLED, 0, 16), SCHED_NEXT_AGAIN);
    assert_int_equal(sched_done(s, 0, 1, 1, 25), 0);
    sched_free(&s);
}

/* What is better shows by itself. */
static void auto_feed(double upload, enum SchedFeed feed)
{
    Sched *s = make_lanes(SCHED_FEED_AUTO);
    SchedDecision d = sched_decide(s, 0, 0, 0);

    assert_true(d.action == SCHED_RUN && !d.spool);
    assert_int_equal(sched_decide(s, 0, 1, 0).action, SCHED_WAIT);   /* in the middle is early enough */
    sched_progress(s, 0, 0, 20, 40);
    d = sched_decide(s, 0, 1, 41);
    assert_true(d.action == SCHED_RUN && d.spool);
    sched_uploaded(s, 0, 1, 41 + upload);
    assert_int_equal(sched_done(s, 0, 0, 1, 100), 0);
    assert_int_equal(sched_permit(s, 0, 1, 100), 1);
    assert_int_equal(sched_done(s, 0, 1, 1, 200), 0);
    assert_int_equal(sched_feed(s, 0), feed);
    sched_free(&s);
}

static void test_auto_feed(void **state)
{
    (void)state;
    auto_feed(1, SCHED_FEED_STREAM);
    auto_feed(50, SCHED_FEED_SPOOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_other_host),
        cmocka_unit_test(test_two_commands),
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
        cmocka_unit_test(test_input_claimed),
        cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_straggler),
        cmocka_unit_test(test_dead_heat),
        cmocka_unit_test(test_duplicate_fails),
        cmocka_unit_test(test_almost_done),
        cmocka_unit_test(test_slows_down),
        cmocka_unit_test(test_fastest_free),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_late_unmeasured),
        cmocka_unit_test(test_late_elsewhere),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_share_better_elsewhere),
        cmocka_unit_test(test_share_of_free_slot),
        cmocka_unit_test(test_rate_of_running),
        cmocka_unit_test(test_stream_overlap),
        cmocka_unit_test(test_between_accounts),
        cmocka_unit_test(test_made_ahead),
        cmocka_unit_test(test_spool),
        cmocka_unit_test(test_auto_feed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
