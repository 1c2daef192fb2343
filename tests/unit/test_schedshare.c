/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "schedtest.h"

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
