/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <libavutil/mem.h>

#include "fftools/filter/filterrate.h"

/** @param timing NULL: all of filters */
static void check(const char *filters, const char *timing, const char *expected)
{
    char *text = av_strdup(filters);

    assert_int_equal(filterrate_fix(&text, timing ? timing : filters, (AVRational) { 1, 1000 },
                                    (AVRational) { 30000, 1001 }), 0);
    assert_string_equal(text, expected);
    av_free(text);
}

static void numbers_take_the_place_of_names(void **state)
{
    (void)state;
    check("setpts=N/FRAME_RATE/TB", NULL, "setpts=expr=N/(30000/1001)/TB");
    check("setpts=N/FR/TB,fps=12", NULL, "setpts=expr=N/(30000/1001)/TB,fps=12");
    check("scale=64:-2,setpts='N/(FR*TB)'", "setpts='N/(FR*TB)'", "scale=64:-2,setpts=expr=N/((30000/1001)*TB)");
}

static void frames_take_the_place_of_durations(void **state)
{
    (void)state;
    check("tpad=start_duration=2", NULL, "tpad=start=60");
    check("tpad=stop_mode=clone:stop_duration=0.5", NULL, "tpad=stop_mode=clone:stop=15");
    check("fps=10,hflip,tpad=stop_duration=1", "fps=10,tpad=stop_duration=1", "fps=10,hflip,tpad=stop=10");
    check("tpad=stop=7", NULL, "tpad=stop=7");
}

static void it_is_the_rate_at_that_place(void **state)
{
    (void)state;
    check("fps=12,setpts=N/FR/TB", NULL, "fps=12,setpts=expr=N/(12/1)/TB");
    check("hflip,fps=5,negate,setpts=N/FR/TB", "fps=5,setpts=N/FR/TB", "hflip,fps=5,negate,setpts=expr=N/(5/1)/TB");
}

static void the_rest_stays(void **state)
{
    (void)state;
    check("setpts=0.5*PTS,fps=12", NULL, "setpts=0.5*PTS,fps=12");
    check("setpts=PTS-STARTPTS+0*AFR", NULL, "setpts=PTS-STARTPTS+0*AFR");
    /* not the same ones: hands off */
    check("setpts=N/FR/TB,setpts=N/FR/TB", "setpts=N/FR/TB", "setpts=N/FR/TB,setpts=N/FR/TB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_take_the_place_of_names),
        cmocka_unit_test(frames_take_the_place_of_durations),
        cmocka_unit_test(it_is_the_rate_at_that_place),
        cmocka_unit_test(the_rest_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
