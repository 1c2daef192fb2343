/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schedtest.h"

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
    expect(s, 1, 111, SCHED_WAIT, 0);      /* nor is it begun a third time, while the loser runs */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_straggler),
        cmocka_unit_test(test_dead_heat),
        cmocka_unit_test(test_duplicate_fails),
        cmocka_unit_test(test_almost_done),
        cmocka_unit_test(test_slows_down),
        cmocka_unit_test(test_fastest_free),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_late_unmeasured),
        cmocka_unit_test(test_late_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
