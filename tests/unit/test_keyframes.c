/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libavutil/error.h>

#include "fftools/compat.h"
#include "fftools/plan/keyframes.h"

/** The slots, of the first nb from origin on, that are forced; as a list in text form. */
static void check(const char *spec, AVRational rate, int64_t origin, int nb, const int64_t *want,
                  int nb_want)
{
    ForcedKeyframes *k;
    int n = 0;

    assert_int_equal(forced_keyframes_alloc(&k, spec, rate), 0);
    for (int i = 0; i < nb; i++) {
        if (!forced_keyframes_next(k, origin + i))
            continue;
        assert_true(n < nb_want);
        assert_int_equal(want[n], origin + i);
        n++;
    }
    assert_int_equal(n, nb_want);
    forced_keyframes_free(&k);
    assert_null(k);
}

static void test_times(void **state)
{
    /* 3.33 s is frame 83.25: the nearest one in 5.1, the next one in 7.1 */
    const int64_t want[] = { 0, COMPAT_TIMING_7 ? 84 : 83, 125, 300 };

    (void)state;
    /* out of order, and one beyond the end */
    check("0,5,3.33,00:00:12,99", (AVRational){ 25, 1 }, 0, 400, want, 4);
}

static void test_two_times_in_one_frame(void **state)
{
    const int64_t want[] = { 25, 26 };

    (void)state;
    /* each time forces a frame of its own */
    check("1,1.001", (AVRational){ 25, 1 }, 0, 100, want, 2);
}

static void test_expression(void **state)
{
    const int64_t every_two[] = { 0, 60, 120, 180 };
    const int64_t ntsc[] = { 7, 67, 127 };
    const int64_t by_n[] = { 3, 10, 17 };

    (void)state;
    check("expr:gte(t,n_forced*2)", (AVRational){ 30, 1 }, 0, 200, every_two, 4);
    /* t counts from the first frame, and 2 s are not a whole number of frames */
    check("expr:gte(t,n_forced*2)", (AVRational){ 30000, 1001 }, 7, 150, ntsc, 3);
    check("expr:eq(mod(n,7),3)", (AVRational){ 25, 1 }, 0, 20, by_n, 3);
}

static void test_previous(void **state)
{
    const int64_t want[] = { 0, 10, 20 };

    (void)state;
    check("expr:if(isnan(prev_forced_n),1,gte(n,prev_forced_n+10))", (AVRational){ 25, 1 }, 0, 25,
          want, 3);
}

static void test_refused(void **state)
{
    ForcedKeyframes *k;

    (void)state;
    assert_int_equal(forced_keyframes_alloc(&k, "source", (AVRational){ 25, 1 }),
                     AVERROR_PATCHWELCOME);
    assert_int_equal(forced_keyframes_alloc(&k, "0,chapters-0.1", (AVRational){ 25, 1 }),
                     AVERROR_PATCHWELCOME);
    assert_true(forced_keyframes_alloc(&k, "1,abc", (AVRational){ 25, 1 }) < 0);
    assert_true(forced_keyframes_alloc(&k, "expr:gte(t,", (AVRational){ 25, 1 }) < 0);
    assert_null(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_two_times_in_one_frame),
        cmocka_unit_test(test_expression),
        cmocka_unit_test(test_previous),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
