/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SCHEDTEST_H
#define FFLEET_SCHEDTEST_H

/** @file Schedulers to be tested, and what they are expected to decide. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavutil/error.h>

#include "remote/sched.h"

static const SchedConfig config = { .seed = 7 };

/** A scheduler with so many checked remote hosts of one slot, and a fallback (not connected). */
static inline Sched *make(int hosts, int fallback)
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

static inline void add(Sched *s, int64_t id)
{
    assert_int_equal(sched_add_task(s, id, 1, NULL), 0);
}

static inline void expect(Sched *s, int host, double now, enum SchedAction action, int64_t id)
{
    SchedDecision d = sched_decide(s, host, 0, now);

    assert_int_equal(d.action, action);
    if (action == SCHED_RUN)
        assert_int_equal(d.id, id);
}

static inline void expect_up(Sched *s, int host, double now)
{
    expect(s, host, now, SCHED_CONNECT, 0);
    sched_connected(s, host, 0);
}

/** Two hosts of which the second has proved to be four times as fast. */
static inline Sched *make_measured(void)
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

#endif
