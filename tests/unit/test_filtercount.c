/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "fftools/filter/filtercount.h"

static void shift(void **state)
{
    static const struct { const char *chain, *shifted; } rows[] = {
        { "hflip", "hflip" },
        { "fade=in:10:30", "fade=type=in:start_frame=10:nb_frames=30" },
        { "hue=h=n*2", "hue=h=(n+100)*2" },
        { "geq=lum=N+sin(X)", "geq=lum=(N+100)+sin(X)" },
        { "boxblur=3:enable=gte(n\\,50)", "boxblur=luma_radius=3:enable=gte((n+100)\\,50)" },
        { "drawtext=text=%{n}", "drawtext=text=%{n}:start_number=100" },
        { "drawtext=text=%{n}:start_number=5", "drawtext=text=%{n}:start_number=105" },
        { "eq=brightness=n/9", "eq=brightness=n/9" },
        { "eq=brightness=n/9:eval=frame", "eq=brightness=(n+100)/9:eval=frame" },
        { "crop=n:9:n:0", "crop=out_w=n:out_h=9:x=(n+100):y=0" },
        { "fade=out:110:5", "fade=type=out:start_frame=10:nb_frames=5" },
        { "fade=in:2:30", "fade=type=out:start_frame=2147483647:nb_frames=30" },
        { "fade=out:2:30:color=red", "fade=color=red:type=in:start_frame=2147483647:nb_frames=30" },
        { "fps=5,fade=in:30:9", "fps=5,fade=type=in:start_frame=10:nb_frames=9" },
        { "select=gte(n\\,50),setpts=PTS-STARTPTS", "select=expr=gte((n+100)\\,50),setpts=PTS-STARTPTS" },
        { "select=gte(n-prev_selected_n\\,9)", "select=gte(n-prev_selected_n\\,9)" },
        { "trim=start_frame=9:end_frame=120,hue=h=n", "trim=start_frame=0:end_frame=20,hue=h=(n+20)" },
        { "select=not(mod(n\\,2))", "select=expr=not(mod((n+100)\\,2))" },
        { "fps=9,select=not(mod(n\\,2))", "fps=9,select=not(mod(n\\,2))" },
        { "drawtext=timecode=01\\\\:00\\\\:59\\\\:00:r=25",
          "drawtext=r=25:timecode=01\\\\:01\\\\:03\\\\:00:start_number=100" },
        { "drawtext=timecode='01\\:00\\:58\\;00':rate=30000/1001",
          "drawtext=rate=30000/1001:timecode=01\\\\:01\\\\:01\\;12:start_number=100" },
    };
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(filtercount_shift(rows[i].chain, i == 1 ? 0 : 100, 20, &text), 0);
        assert_string_equal(text, rows[i].shifted);
        av_free(text);
    }
    /* in the middle of it */
    assert_int_equal(filtercount_shift("fade=in:90:30", 100, 0, &text), AVERROR_PATCHWELCOME);
}

static void judge(void **state)
{
    static const struct { const char *chain; int ok; } rows[] = {
        { "hflip", 1 }, { "fade=in:0:30", 1 }, { "fps=9,fade=in:0:30", 1 }, { "fade=in:0:30,fps=9", 1 },
        { "fade=in:0:30,fps=9,hue=h=n", 1 }, { "fps=9,hue=h=n,select=gte(t\\,1)", 0 },
        { "fade=t=in:st=5", 0 }, { "fade=t=in:s=5:d=1", 0 }, { "trim=end_frame=5,hue=h=n", 1 },
        { "fps=9,trim=end_frame=5", 0 }, { "drawtext=timecode=0\\\\:0\\\\:0\\\\:0:r=25", 1 },
        { "drawtext=timecode=0\\\\:0\\\\:0\\\\:0", 0 }, { "drawtext=timecode=1:r=25", 0 },
    };
    char reason[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        FilterCount c = { 0 };

        assert_int_equal(filtercount_judge(&c, rows[i].chain, reason, sizeof(reason)),
                         rows[i].ok ? 0 : AVERROR_PATCHWELCOME);
        if (rows[i].ok)
            assert_int_equal(c.used, i > 0);
    }
}

static void ranges(void **state)
{
    FilterCount c = { 0 };
    char reason[256];

    (void)state;
    assert_int_equal(filtercount_judge(&c, "fade=in:10:30,fps=5,fade=out:50:5", reason, sizeof(reason)), 0);
    assert_int_equal(c.nb_ranges, 2);
    assert_true(filtercount_may_begin(&c, 10, 0, 4));
    assert_false(filtercount_may_begin(&c, 11, 0, 4));
    assert_false(filtercount_may_begin(&c, 44, 0, 4));
    assert_true(filtercount_may_begin(&c, 45, 0, 4));
    assert_false(filtercount_may_begin(&c, 99, 51, 0));
    assert_true(filtercount_may_begin(&c, 51, 50, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shift), cmocka_unit_test(judge), cmocka_unit_test(ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
