/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "schedtest.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
