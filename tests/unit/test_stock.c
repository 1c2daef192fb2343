/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "fftools/stock.h"

/* Run sh with a script; its stdout, and its stderr if wanted, to text. @return wait status */
static int run(const char *path, const char *script, int with_stderr, char *text, size_t size)
{
    const char *argv[] = { "sh", "-c", script, NULL };
    int fds[2], status;
    size_t len = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(stock_spawn(&pid, path, argv, -1, 0, fds[1], with_stderr ? fds[1] : -1), 0);
    close(fds[1]);
    while (len < size - 1 && (n = read(fds[0], text + len, size - 1 - len)) > 0)
        len += n;
    text[len] = 0;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_spawn(void **state)
{
    char text[512], expected[64];

    (void)state;
    assert_int_equal(run("/bin/sh", "echo out; echo err >&2; exit 7", 0, text, sizeof(text)), 7 << 8);
    assert_string_equal(text, "out\n");
    run("/bin/sh", "echo out; echo err >&2", 1, text, sizeof(text));
    assert_string_equal(text, "out\nerr\n");
    assert_int_equal(run("/bin/sh", "cat", 0, text, sizeof(text)), 0); /* stdin is empty */
    assert_string_equal(text, "");

    run("/bin/sh", "echo $FFLEET_DEPTH; test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo leader",
        0, text, sizeof(text));
    snprintf(expected, sizeof(expected), "1\nleader\n");
    assert_string_equal(text, expected);
    assert_null(getenv("FFLEET_DEPTH"));
}

static void test_spawn_signals(void **state)
{
    unsigned long long blocked = 1, ignored = 1;
    char text[512];
    sigset_t set, old;
    void (*pipe_handler)(int) = signal(SIGPIPE, SIG_IGN);

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &old);
    run("/bin/sh", "grep -E '^Sig(Blk|Ign)' /proc/self/status", 0, text, sizeof(text));
    assert_int_equal(sscanf(text, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & 0x7fffffff, 0); /* the C library keeps 32 and 33 to itself */
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGPIPE, pipe_handler);
}

static void test_spawn_errors(void **state)
{
    const char *argv[] = { "x", NULL };
    pid_t pid;

    (void)state;
    assert_int_equal(stock_spawn(&pid, "/no/such/program", argv, -1, 0, -1, -1), AVERROR(ENOENT));
    assert_int_equal(stock_spawn(&pid, "/bin/true", argv, -1, 0, 2, 1), AVERROR(EINVAL));
}

static void test_spawn_plain_script(void **state)
{
    char path[] = "/tmp/ffleet-test-XXXXXX", text[64];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "echo $1\n", 8), 8);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    run(path, "word", 0, text, sizeof(text));
    unlink(path);
    assert_string_equal(text, "-c\n");
}

static void test_find(void **state)
{
    char err[256] = "", *path = NULL;

    (void)state;
    setenv("FFLEET_FFMPEG", "sh", 1);
    assert_int_equal(stock_find(&path, err, sizeof(err)), 0);
    assert_non_null(strstr(path, "/sh"));
    av_freep(&path);

    setenv("FFLEET_FFMPEG", "/proc/self/exe", 1);
    assert_int_equal(stock_find(&path, err, sizeof(err)), AVERROR(EINVAL));
    assert_null(path);
    assert_non_null(strstr(err, "/proc/self/exe"));

    setenv("FFLEET_FFMPEG", "/no/such", 1);
    assert_int_equal(stock_find(&path, err, sizeof(err)), AVERROR(ENOENT));
    assert_null(path);

    setenv("FFLEET_FFMPEG", "sh", 1);
    setenv("FFLEET_DEPTH", "1000", 1);
    assert_int_equal(stock_find(&path, err, sizeof(err)), AVERROR(ELOOP));
    unsetenv("FFLEET_DEPTH");
    unsetenv("FFLEET_FFMPEG");
}

static void test_exec_fails(void **state)
{
    char *argv[] = { "x", NULL };
    StockSignals before, after;

    (void)state;
    stock_save_signals(&before);
    assert_int_equal(stock_exec("/no/such/program", argv, &before), AVERROR(ENOENT));
    stock_save_signals(&after);
    for (int sig = 1; sig < 32; sig++) {
        assert_int_equal(sigismember(&before.mask, sig), sigismember(&after.mask, sig));
        assert_int_equal(sigismember(&before.ignored, sig), sigismember(&after.ignored, sig));
    }
}

/* What main changed of the signals must not reach stock; what was there before must. */
static void test_exec_signals(void **state)
{
    unsigned long long blocked = 0, ignored = 0;
    char *argv[] = { "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL };
    char text[512];
    int fds[2], status;
    ssize_t n;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        StockSignals inherited;
        sigset_t set;

        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_DFL);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_SETMASK, &set, NULL);
        stock_save_signals(&inherited);

        signal(SIGHUP, SIG_DFL);
        signal(SIGPIPE, SIG_IGN);
        sigfillset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
        dup2(fds[1], STDOUT_FILENO);
        stock_exec("/bin/grep", argv, &inherited);
        _exit(1);
    }
    close(fds[1]);
    n = read(fds[0], text, sizeof(text) - 1);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(n > 0);
    text[n] = 0;
    assert_int_equal(sscanf(text, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 1ull << (SIGUSR1 - 1));
    assert_true(ignored & 1ull << (SIGHUP - 1));
    assert_false(ignored & 1ull << (SIGPIPE - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spawn),
        cmocka_unit_test(test_spawn_signals),
        cmocka_unit_test(test_spawn_errors),
        cmocka_unit_test(test_spawn_plain_script),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_exec_fails),
        cmocka_unit_test(test_exec_signals),
    };

    unsetenv("FFLEET_DEPTH");
    unsetenv("FFLEET_FFMPEG");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
