/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libavutil/avutil.h>

#include "fftools/command/timelimits.h"

#define SEC 1000000LL

/** Parse the options of the one input of a command line. */
static int parse(TimeLimits *t, int argc, const char **argv)
{
    char err[256];
    Command cmd;
    int ret;

    assert_int_equal(cmdline_parse(&cmd, argc, (char **)argv, err, sizeof(err)), 0);
    assert_int_equal(cmd.nb_inputs, 1);
    ret = timelimits_parse(t, &cmd.inputs[0], err, sizeof(err));
    cmdline_free(&cmd);
    return ret;
}

#define PARSE(t, ...) \
    parse(t, sizeof((const char *[]){ "ffmpeg", __VA_ARGS__, "-i", "in", "out.mp4" }) / \
             sizeof(char *), (const char *[]){ "ffmpeg", __VA_ARGS__, "-i", "in", "out.mp4", NULL })

static void test_parse(void **state)
{
    TimeLimits t;

    (void)state;
    assert_int_equal(PARSE(&t, "-ss", "1:02.5", "-t", "10"), 0);
    assert_true(t.start == 62500000 && t.duration == 10 * SEC);
    assert_int_equal(PARSE(&t, "-ss", "2", "-to", "5"), 0);
    assert_true(t.start == 2 * SEC && t.duration == 3 * SEC);
    /* -t wins over -to */
    assert_int_equal(PARSE(&t, "-to", "5", "-t", "1"), 0);
    assert_true(t.start == AV_NOPTS_VALUE && t.duration == SEC);
    assert_int_equal(PARSE(&t, "-sseof", "-3", "-itsoffset", "0.5"), 0);
    assert_true(t.start_eof == -3 * SEC && t.ts_offset == SEC / 2 && t.duration == INT64_MAX);
    assert_true(PARSE(&t, "-ss", "5", "-to", "5") < 0);
    assert_true(PARSE(&t, "-ss", "soon") < 0);
}

/** As the trim filter: the start is included, the duration counts from the first frame that passed. */
static void test_trim(void **state)
{
    AVRational tb = { 1, 25 };
    Trim t;

    (void)state;
    trim_init(&t, 2 * SEC, 1 * SEC, tb);
    assert_false(trim_passes(&t, 49));
    assert_true(trim_passes(&t, 52));
    assert_true(trim_passes(&t, 76));
    assert_false(t.eof);
    assert_false(trim_passes(&t, 77));
    assert_true(t.eof);
    assert_false(trim_passes(&t, 60));

    trim_init(&t, AV_NOPTS_VALUE, INT64_MAX, tb);
    assert_true(trim_passes(&t, -1000));
    assert_true(trim_passes(&t, INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_trim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
