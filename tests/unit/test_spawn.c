/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/error.h>

#include "remote/transport.h"
#include "procstate.h"

#define LOOPS 100000

static const Host local = { .name = "localhost", .label = "localhost", .local = 1 };

static Transport *start(const char *command)
{
    Transport *t;

    assert_int_equal(transport_alloc(&t, &local, -1), 0);
    assert_ptr_equal(t->ops, &transport_spawn);
    assert_int_equal(t->ops->connected(t), 0);
    assert_int_equal(t->ops->connect(t, 1000), 0);
    assert_int_equal(t->ops->connected(t), 1);
    if (command)
        assert_int_equal(t->ops->exec(t, command), 0);
    return t;
}

/* Feed in, collect both streams, return the status. */
static int talk(Transport *t, const uint8_t *in, size_t in_size, uint8_t *out[3], size_t size[3])
{
    size_t sent = 0;
    int open[3] = { 1, 1, 1 }, status = -1, ret;

    size[1] = size[2] = 0;
    while (open[1] || open[2]) {
        if (open[0]) {
            ssize_t n = sent < in_size ? t->ops->write(t, in + sent, in_size - sent) : 0;

            if (n > 0)
                sent += n;
            else if (n != AVERROR(EAGAIN))
                open[0] = t->ops->write_eof(t);
        }
        for (int i = 1; i < 3; i++) {
            uint8_t buf[5000];
            ssize_t n = open[i] ? t->ops->read(t, i, buf, sizeof(buf)) : AVERROR(EAGAIN);

            if (n == AVERROR(EAGAIN))
                continue;
            assert_true(n >= 0);
            open[i]  = n > 0;
            out[i]   = realloc(out[i], size[i] + n + 1);
            memcpy(out[i] + size[i], buf, n);
            size[i] += n;
            out[i][size[i]] = 0;
        }
        assert_int_equal(t->ops->wait(t, open[0], 1000), 0);
    }
    for (int i = 0; i < LOOPS; i++) {
        ret = t->ops->exit_status(t, &status);
        if (ret != AVERROR(EAGAIN))
            break;
        t->ops->wait(t, 0, 1000);
    }
    assert_int_equal(ret, 0);
    return status;
}

static void check(const char *command, const char *in, const char *want_out, const char *want_err,
                  int want_status)
{
    Transport *t = start(command);
    uint8_t *out[3] = { NULL };
    size_t size[3];
    int status = talk(t, (const uint8_t *)in, strlen(in), out, size);

    assert_string_equal((char *)out[1], want_out);
    assert_string_equal((char *)out[2], want_err);
    assert_int_equal(status, want_status);
    free(out[1]);
    free(out[2]);
    transport_free(&t);
    assert_null(t);
}

static void test_status(void **state)
{
    (void)state;
    check("exit 0",   "", "", "", 0);
    check("exit 42",  "", "", "", 42);
    check("exit 255", "", "", "", 255);
    check("sh -c 'kill -9 $$'", "", "", "", 137);
    check("sh -c 'kill -15 $$'", "", "", "", 143);
    check("kill -9 $$", "", "", "", 137);
    check("echo out; echo err >&2; cat", "in", "out\nin", "err\n", 0);
    check("trap 'echo end; exit 5' EXIT; echo x", "", "x\nend\n", "", 5);
}

static void test_large(void **state)
{
    size_t want = 3 << 20, size[3];
    uint8_t *in = malloc(want), *out[3] = { NULL };
    Transport *t = start("tee /dev/fd/2");

    (void)state;
    for (size_t i = 0; i < want; i++)
        in[i] = i * 2654435761u >> 13;
    assert_int_equal(talk(t, in, want, out, size), 0);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(size[i], want);
        assert_memory_equal(out[i], in, want);
        free(out[i]);
    }
    free(in);
    transport_free(&t);
}

static void test_again(void **state)
{
    Transport *t = start("echo 1");
    uint8_t *out[3] = { NULL };
    size_t size[3];

    (void)state;
    assert_int_equal(t->ops->exec(t, "echo 2"), AVERROR(EINVAL));
    assert_non_null(strstr(t->error, "localhost"));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(talk(t, NULL, 0, out, size), 0);
        assert_int_equal(size[1], 2);
        if (i < 4)
            assert_int_equal(t->ops->exec(t, "echo 3"), 0);
    }
    free(out[1]);
    free(out[2]);
    transport_free(&t);
}

/* A reader that left: EPIPE, no signal (the default action of which would end this program). */
static void test_epipe(void **state)
{
    Transport *t = start("exit 3");
    static uint8_t buf[65536];
    ssize_t n = 0;
    sigset_t pending;

    (void)state;
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < LOOPS && n != AVERROR(EPIPE); i++) {
        n = t->ops->write(t, buf, sizeof(buf));
        if (n == AVERROR(EAGAIN))
            t->ops->wait(t, 1, 1000);
    }
    assert_int_equal(n, AVERROR(EPIPE));
    sigemptyset(&pending);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
    transport_free(&t);
}

static void read_line(Transport *t, char *buf, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < LOOPS && !memchr(buf, '\n', used); i++) {
        ssize_t n = t->ops->read(t, TRANSPORT_STDOUT, (uint8_t *)buf + used, size - 1 - used);

        if (n > 0)
            used += n;
        else
            assert_int_equal(n, AVERROR(EAGAIN));
        assert_int_equal(t->ops->wait(t, 0, 1000), 0);
    }
    buf[used] = 0;
}

static void check_gone(pid_t pid)
{
    assert_true(pid > 1);
    for (int i = 0; i < 12000 && !process_is_gone(pid); i++)
        usleep(5000);
    assert_true(process_is_gone(pid));
}

static void check_cancel(const char *command, int cancel)
{
    Transport *t = start(command);
    char line[64] = "";
    int shell, child;

    read_line(t, line, sizeof(line));
    assert_int_equal(sscanf(line, "%d %d", &shell, &child), 2);
    if (cancel) {
        t->ops->cancel(t);
        assert_int_equal(t->ops->connected(t), 0);
        assert_int_equal(t->ops->connect(t, 1000), 0);
        assert_int_equal(t->ops->exec(t, "true"), 0);
    }
    transport_free(&t);
    check_gone(shell);
    check_gone(child);
}

static void test_cancel(void **state)
{
    (void)state;
    for (int cancel = 0; cancel < 2; cancel++) {
        check_cancel("sleep 300 & echo $$ $!; wait", cancel);
        check_cancel("trap '' TERM; sleep 300 & echo $$ $!; wait", cancel);
        check_cancel("trap '' TERM HUP; (while :; do :; done) & echo $$ $!; while :; do :; done", cancel);
    }
}

/* What the command leaves in its group ends with it. */
static void test_leftover(void **state)
{
    Transport *t = start("sleep 300 >/dev/null 2>&1 </dev/null & echo $$ $!");
    char line[64] = "";
    uint8_t *out[3] = { NULL };
    size_t size[3];
    int shell, child;

    (void)state;
    read_line(t, line, sizeof(line));
    assert_int_equal(sscanf(line, "%d %d", &shell, &child), 2);
    assert_int_equal(talk(t, NULL, 0, out, size), 0);
    check_gone(child);
    free(out[1]);
    free(out[2]);
    transport_free(&t);
}

/* Even kill -9 of the program ends its commands. */
static void test_killed(void **state)
{
    int fd[2], shell, child, status;
    char line[64] = "";
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        Transport *t = start("trap '' TERM; (while :; do :; done) & echo $$ $!; wait");

        read_line(t, line, sizeof(line));
        if (write(fd[1], line, strlen(line)) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    close(fd[1]);
    assert_true(read(fd[0], line, sizeof(line) - 1) > 0);
    close(fd[0]);
    assert_int_equal(sscanf(line, "%d %d", &shell, &child), 2);
    assert_false(process_is_gone(child));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    check_gone(child);
    check_gone(shell);
}

static void test_wake(void **state)
{
    Transport *t;
    int fd = eventfd(1, EFD_CLOEXEC);

    (void)state;
    assert_int_equal(transport_alloc(&t, &local, fd), 0);
    assert_int_equal(t->ops->connect(t, 1000), 0);
    assert_int_equal(t->ops->exec(t, "sleep 300"), 0);
    assert_int_equal(t->ops->wait(t, 0, -1), 0);
    transport_free(&t);
    close(fd);
}

static int count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void test_descriptors(void **state)
{
    int before = count_fds();
    sigset_t block, old;

    (void)state;
    /* Those that we ourselves were given are not ours to close. */
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    /* The child sees three descriptors (and ls's own), and no blocked or ignored signal. */
    sigfillset(&block);
    pthread_sigmask(SIG_SETMASK, &block, &old);
    signal(SIGHUP, SIG_IGN);
    check("exec ls /proc/self/fd", "", "0\n1\n2\n3\n", "", 0);
    /* glibc itself ignores its internal signals 32 and 33 in a spawned child. */
    check("grep -cE 'SigBlk:.0{16}|SigIgn:.0{7}[01][08]0{7}' /proc/self/status", "", "2\n", "", 0);
    signal(SIGHUP, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    check_cancel("echo $$ $$; sleep 300", 1);
    assert_int_equal(count_fds(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_epipe),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_leftover),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
