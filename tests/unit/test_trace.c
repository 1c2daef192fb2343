/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include <libavutil/error.h>

#include "remote/trace.h"

static char folder[] = "/tmp/test_trace.XXXXXX";
static char path[300], expanded[300], text[1 << 20];

/** The file's text; the file is removed. */
static char *slurp(void)
{
    int     fd = open(expanded, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, text, sizeof(text) - 1);
    assert_true(n >= 0);
    text[n] = 0;
    close(fd);
    unlink(expanded);
    return text;
}

/** The line without its time, which is checked to be a number. */
static const char *one_line(void)
{
    static char line[4096], event[64], rest[4000];
    double      time;
    int         n = sscanf(slurp(), "{\"event\": \"%63[^\"]\", \"time\": %lf%3999[^\n]", event,
                           &time, rest);

    assert_int_equal(n, 3);
    assert_true(time >= 0);
    assert_non_null(strchr(text, '\n'));
    assert_string_equal(strchr(text, '\n'), "\n");
    snprintf(line, sizeof(line), "%s%s", event, rest);
    return line;
}

static void test_silent(void **state)
{
    Trace *t = (Trace *)1;

    (void)state;
    assert_int_equal(trace_open(&t, NULL), 0);
    assert_null(t);
    t = (Trace *)1;
    assert_int_equal(trace_open(&t, ""), 0);
    assert_null(t);
    trace_event(t, "x", "a", "i", (int64_t)1, NULL);
    assert_true(trace_now(t) == 0);
    trace_close(&t);
    assert_int_equal(trace_open(&t, "/nonexistent/file"), AVERROR(ENOENT));
    assert_null(t);
}

static void test_types(void **state)
{
    Trace *t;

    (void)state;
    assert_int_equal(trace_open(&t, path), 0);
    trace_event(t, "e", "s", "s", "word", "null", "s", NULL, "i", "i", INT64_MIN, "f", "f", 1.5,
                "nan", "f", NAN, "inf", "f", INFINITY, "yes", "b", 7, "no", "b", 0, NULL);
    trace_close(&t);
    assert_null(t);
    assert_string_equal(one_line(), "e, \"s\": \"word\", \"null\": null, "
                        "\"i\": -9223372036854775808, \"f\": 1.500000, \"nan\": null, "
                        "\"inf\": null, \"yes\": true, \"no\": false}");
}

static void test_escapes(void **state)
{
    Trace *t;

    (void)state;
    assert_int_equal(trace_open(&t, path), 0);
    trace_event(t, "e", "a", "s", "q\" b\\ n\n t\t r\r one\x01 del\x7f", "b", "s", "\xc3\xa4\xe2\x82\xac",
                "c", "s", "x\xffy\xc3", "d", "s", "\xc0\xaf|\xed\xa0\x80|\xf0\x9f\x98\x80", NULL);
    trace_close(&t);
    assert_string_equal(one_line(), "e, \"a\": \"q\\\" b\\\\ n\\n t\\t r\\u000d one\\u0001 del\\u007f\", "
                        "\"b\": \"\xc3\xa4\xe2\x82\xac\", \"c\": \"x\xef\xbf\xbdy\xef\xbf\xbd\", "
                        "\"d\": \"\xef\xbf\xbd|\xef\xbf\xbd|\xf0\x9f\x98\x80\"}");
}

static void test_append(void **state)
{
    Trace *t;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(trace_open(&t, path), 0);
        trace_event(t, i ? "second" : "first", NULL);
        trace_close(&t);
    }
    slurp();
    assert_non_null(strstr(text, "{\"event\": \"first\", "));
    assert_non_null(strstr(text, "}\n{\"event\": \"second\", "));
}

static void *writer(void *arg)
{
    char word[600];

    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = 0;
    for (int i = 0; i < 100; i++)
        trace_event(arg, "w", "word", "s", word, NULL);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[4];
    Trace    *t;
    int       lines = 0;
    char     *line, *save;

    (void)state;
    assert_int_equal(trace_open(&t, path), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, writer, t), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    trace_close(&t);
    for (line = strtok_r(slurp(), "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        assert_int_equal(strncmp(line, "{\"event\": \"w\", ", 15), 0);
        assert_string_equal(line + strlen(line) - 4, "aa\"}");
        lines++;
    }
    assert_int_equal(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_threads),
    };
    int ret;

    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof(path), "%s/%%p-%%P.trace", folder);
    snprintf(expanded, sizeof(expanded), "%s/%ld-%%P.trace", folder, (long)getpid());
    ret = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return ret;
}
