/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/log.h>

#include "fftools/show/progress.h"

#define TEXT_SIZE (1 << 16)

static char dir[64];

static char *read_text(const char *name)
{
    char path[128], *text = calloc(1, TEXT_SIZE);
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "r");
    assert_non_null(text);
    assert_non_null(f);
    assert_true(fread(text, 1, TEXT_SIZE - 1, f) > 0);
    fclose(f);
    return text;
}

static double number(const char *block, const char *key)
{
    const char *p = strstr(block, key);

    assert_non_null(p);
    return strncmp(p + strlen(key), "N/A", 3) ? atof(p + strlen(key)) : -1;
}

/* What a block says of the state it was made from. */
static ProgressState parse_block(const char *block)
{
    ProgressState s = { .nb_video = 1 };

    s.frames      = number(block, "frame=");
    s.fps         = number(block, "\nfps=");
    s.video[0].q  = number(block, "\nstream_0_0_q=");
    s.total_size  = number(block, "\ntotal_size=");
    s.out_time_us = strstr(block, "\nout_time_us=N/A") ? AV_NOPTS_VALUE :
                    strtoll(strstr(block, "\nout_time_us=") + 13, NULL, 10);
    if (s.out_time_us == INT64_MIN + 1)
        s.out_time_us = AV_NOPTS_VALUE;
    s.dup         = number(block, "\ndup_frames=");
    s.drop        = number(block, "\ndrop_frames=");
    s.speed       = number(block, "\nspeed=");
    s.is_last     = !!strstr(block, "\nprogress=end");
    return s;
}

/* Whether stock printed that line. It rounds fps for the block and for the line, and we know that of the block only. */
static int has_line(const char *err, ProgressState s, enum ProgressStyle style)
{
    const double fps = s.fps;
    int found = 0;

    for (int i = -1; i <= 1 && !found; i++) {
        AVBPrint bp;

        s.fps = fps + i * 0.004;
        av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
        progress_format_line(&bp, &s, style);
        av_bprintf(&bp, "    %c", s.is_last ? '\n' : '\r');
        found = !!strstr(err, bp.str);
        av_bprint_finalize(&bp, NULL);
    }
    return found;
}

/* Take stock's blocks apart, make blocks and lines of them anew, and find these in stock's output. */
static int compare_reports(const char *progress, const char *err, enum ProgressStyle style)
{
    int n = 0;

    while (*progress && n < 1000) {
        const char *end = strstr(progress, "progress=");
        char block[1024];
        ProgressState s;
        AVBPrint bp;

        assert_non_null(end);
        end += strcspn(end, "\n") + 1;
        assert_true(end - progress < (int)sizeof(block));
        memcpy(block, progress, end - progress);
        block[end - progress] = 0;
        progress = end;
        s = parse_block(block);

        av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
        progress_format_block(&bp, &s, style);
        assert_string_equal(bp.str, block);
        if (!has_line(err, s, style))
            fail_msg("no line for '%s' is in '%s'", bp.str, err);
        av_bprint_finalize(&bp, NULL);
        n++;
    }
    return n;
}

/* Run stock; -1 when there is none. */
static int run_stock(const char *args)
{
    const char *ffmpeg = getenv("FFLEET_FFMPEG");
    char command[1024];

    snprintf(command, sizeof(command), "cd %s && %s -hide_banner -nostdin -y %s 2>err", dir,
             ffmpeg ? ffmpeg : "ffmpeg", args);
    return system(command) ? -1 : 0;
}

static enum ProgressStyle stock_style(void)
{
    char *text;
    int major = 0;

    if (run_stock("-version >version") < 0)
        skip();
    text = read_text("version");
    sscanf(text, "ffmpeg version %*[n]%d", &major);
    if (!major)
        sscanf(text, "ffmpeg version %d", &major);
    free(text);
    return major >= 7 ? PROGRESS_STYLE_7 : PROGRESS_STYLE_5;
}

static void like_stock(void **state)
{
    static const char *const args[] = {
        "-f lavfi -i testsrc2=s=64x64:d=2 -c:v mpeg4 -progress p -f avi out",
        "-f lavfi -i testsrc2=s=64x64:d=2 -c:v mpeg4 -progress p -f null -",
        "-f lavfi -i testsrc2=s=64x64:d=2 -c:v mpeg4 -r 10 -progress p -f avi out",
        "-f lavfi -i testsrc2=s=64x64:d=2:r=5 -c:v rawvideo -r 10 -progress p -f avi out",
        "-re -f lavfi -i testsrc2=s=64x64:d=1.4 -c:v mpeg4 -stats_period 0.2 -progress p -f avi out",
        "-re -f lavfi -i testsrc2=s=64x64:d=1.3:r=4 -c:v mpeg4 -stats_period 0.2 -progress p -f avi out",
    };
    enum ProgressStyle style = stock_style();

    (void)state;
    for (size_t i = 0; i < sizeof(args) / sizeof(*args); i++) {
        char *progress, *err;

        assert_int_equal(run_stock(args[i]), 0);
        progress = read_text("p");
        err      = read_text("err");
        assert_true(compare_reports(progress, err, style) >= 1);
        free(progress);
        free(err);
    }
}

static void check_summary(const ProgressSummary *s, enum ProgressStyle style, const char *text, int whole)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    progress_format_summary(&bp, s, style);
    if (whole ? strcmp(text, bp.str) : !strstr(text, bp.str))
        fail_msg("'%s' is not '%s'", bp.str, text);
    av_bprint_finalize(&bp, NULL);
}

/* Raw video in one AVI: the packets' size is known. */
static void summary_like_stock(void **state)
{
    enum ProgressStyle style = stock_style();
    ProgressSummary s = { .video = 10 * 64 * 64 * 3 / 2 };
    char *err, *progress;

    (void)state;
    assert_int_equal(run_stock("-f lavfi -i testsrc2=s=64x64:d=2 -pix_fmt yuv420p -c:v rawvideo "
                               "-frames:v 10 -progress p -f avi out"), 0);
    err      = read_text("err");
    progress = read_text("p");
    for (const char *p = progress; (p = strstr(p, "total_size=")); p++)
        s.total_size = atoll(p + 11);
    check_summary(&s, style, err, 0);
    free(err);
    free(progress);
}

static void summaries(void **state)
{
    ProgressSummary s = { .video = 73728, .audio = 1536, .extra = 512, .total_size = 76000 };

    (void)state;
    check_summary(&s, PROGRESS_STYLE_5, "video:72kB audio:2kB subtitle:0kB other streams:0kB "
                  "global headers:0kB muxing overhead: 0.977891%", 1);
    check_summary(&s, PROGRESS_STYLE_7, "video:72KiB audio:2KiB subtitle:0KiB other streams:0KiB "
                  "global headers:0KiB muxing overhead: 0.977891%", 1);
    s.total_size = 0;
    check_summary(&s, PROGRESS_STYLE_7, "video:72KiB audio:2KiB subtitle:0KiB other streams:0KiB "
                  "global headers:0KiB muxing overhead: unknown", 1);
    s = (ProgressSummary){ .video = 1000, .total_size = 3234567 };
    check_summary(&s, PROGRESS_STYLE_5, "video:1kB audio:0kB subtitle:0kB other streams:0kB "
                  "global headers:0kB muxing overhead: 323356.687500%", 1);
    check_summary(&s, PROGRESS_STYLE_7, "video:1KiB audio:0KiB subtitle:0KiB other streams:0KiB "
                  "global headers:0KiB muxing overhead: 323356.700000%", 1);
}

static void check_line(const ProgressState *s, enum ProgressStyle style, const char *expected)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    progress_format_line(&bp, s, style);
    assert_string_equal(bp.str, expected);
    av_bprint_finalize(&bp, NULL);
}

static void lines(void **state)
{
    ProgressState s = { .video = { { 0, 0, 24.96f }, { 0, 2, -1 } }, .nb_video = 1, .frames = 123456,
                        .fps = 9.9, .speed = 1234.5, .total_size = 5000000,
                        .out_time_us = 3 * 3600000000LL + 83456789 };

    (void)state;
    check_line(&s, PROGRESS_STYLE_5, "frame=123456 fps=9.9 q=25.0 size=    4883kB time=03:01:23.45 "
               "bitrate=   3.7kbits/s speed=1.23e+03x");
    s.nb_video    = 2;
    s.is_last     = 1;
    s.fps         = 131.2;
    s.dup         = 4;
    s.out_time_us = AV_NOPTS_VALUE;
    s.speed       = -1;
    check_line(&s, PROGRESS_STYLE_7, "frame=123456 fps=131 q=25.0 Lq=-1.0 size=    4883KiB time=N/A "
               "bitrate=N/A dup=4 drop=0 speed=N/A");
    check_line(&s, PROGRESS_STYLE_5, "frame=123456 fps=131 q=25.0 Lq=-1.0 size=    4883kB "
               "time=-577014:32:22.77 bitrate=N/A dup=4 drop=0 speed=N/A");
    s.total_size  = -1;
    s.out_time_us = -1500000;
    check_line(&s, PROGRESS_STYLE_7, "frame=123456 fps=131 q=25.0 Lq=-1.0 size=N/A time=-00:00:01.50 "
               "bitrate=N/A dup=4 drop=0 speed=N/A");
}

static void rates(void **state)
{
    ProgressState s = { .frames = 50, .out_time_us = 2000000 };

    (void)state;
    progress_rates(&s, 0.5);
    assert_true(s.fps == 0 && s.speed == 4);
    progress_rates(&s, 2);
    assert_true(s.fps == 25 && s.speed == 1);
    progress_rates(&s, 0);
    assert_true(s.speed < 0);
}

static void timing(void **state)
{
    Progress *p;

    (void)state;
    assert_int_equal(progress_open(&p, -1, 0, NULL, NULL), 0);
    assert_true(progress_due(p, 77));
    assert_false(progress_due(p, 77 + 499999));
    assert_true(progress_due(p, 77 + 500000));
    assert_false(progress_due(p, 77 + 500001));
    progress_close(&p);
    assert_null(p);
    assert_int_equal(progress_open(&p, 0, 100, NULL, NULL), 0);
    assert_false(progress_due(p, 77));
    progress_close(&p);
    assert_int_equal(progress_open(&p, 0, 100, "/nonexistent/x", NULL), AVERROR(ENOENT));
    assert_null(p);
}

/* What reaches stderr and the -progress file. */
static char *report_with(int print_stats, int level, int last)
{
    ProgressState s = { .nb_video = 1, .frames = 1, .speed = -1, .total_size = 0, .is_last = last };
    int old = av_log_get_level(), saved = dup(2);
    char url[128], path[128];
    FILE *f;
    Progress *p;

    snprintf(url, sizeof(url), "file:%s/progress", dir);
    snprintf(path, sizeof(path), "%s/stderr", dir);
    assert_int_equal(progress_open(&p, print_stats, 0, url, NULL), 0);
    fflush(stderr);
    f = fopen(path, "w");
    assert_non_null(f);
    fputc('<', f);
    fflush(f);
    dup2(fileno(f), 2);
    av_log_set_level(level);
    progress_report(p, &s);
    av_log_set_level(old);
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    fclose(f);
    progress_close(&p);
    return read_text("stderr");
}

static void where_it_goes(void **state)
{
    static const struct {
        int stats, level, last;
        const char *end;
    } cases[] = {
        { -1, AV_LOG_INFO, 0, "    \r" },   { -1, AV_LOG_INFO, 1, "    \n" },
        { -1, AV_LOG_WARNING, 0, NULL },    { -1, AV_LOG_WARNING, 1, NULL },
        {  1, AV_LOG_WARNING, 0, "    \r" }, {  1, AV_LOG_QUIET, 1, "    \n" },
        {  0, AV_LOG_INFO, 0, NULL },       {  0, AV_LOG_INFO, 1, "    \n" },
        {  0, AV_LOG_WARNING, 1, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *err = report_with(cases[i].stats, cases[i].level, cases[i].last);
        char *block = read_text("progress");

        if (cases[i].end) {
            assert_non_null(strstr(err, "frame=    1 "));
            assert_non_null(strstr(err, cases[i].end));
        } else {
            assert_string_equal(err, "<");
        }
        assert_int_equal(strncmp(block, "frame=1\nfps=0.00\nstream_0_0_q=0.0\n", 34), 0);
        assert_non_null(strstr(block, cases[i].last ? "progress=end\n" : "progress=continue\n"));
        free(err);
        free(block);
    }
}

static int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(dir, sizeof(dir), "%s/progress-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const names[] = { "p", "err", "out", "version", "stderr", "progress" };
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(summaries),
        cmocka_unit_test(rates),
        cmocka_unit_test(timing),
        cmocka_unit_test(where_it_goes),
        cmocka_unit_test(like_stock),
        cmocka_unit_test(summary_like_stock),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
