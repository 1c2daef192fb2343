/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The leash under each shell of this machine, as "sh" on PATH. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/mem.h>

#include "remote/leash.h"
#include "procstate.h"

static char dir[] = "/tmp/test_leash.XXXXXX";
static char *path;

/* Make program the "sh" that the leash finds. @return 0 when it is not there */
static int use_shell(const char *program)
{
    char command[256], link[64], target[512] = "";
    FILE *f;

    setenv("PATH", path, 1);
    snprintf(command, sizeof(command), "command -v %s", program);
    f = popen(command, "r");
    assert_non_null(f);
    if (!fgets(target, sizeof(target), f))
        target[0] = 0;
    pclose(f);
    target[strcspn(target, "\n")] = 0;
    if (target[0] != '/')
        return 0;
    snprintf(link, sizeof(link), "%s/sh", dir);
    unlink(link);
    assert_int_equal(symlink(target, link), 0);
    snprintf(command, sizeof(command), "%s:%s", dir, path);
    setenv("PATH", command, 1);
    return 1;
}

/* As a server does: a session of its own, pipes. */
static pid_t start(const char *command, long parent, const char *in, int out[2])
{
    char *leashed = leash_command(command, parent);
    int fd[2];
    pid_t pid;

    assert_non_null(leashed);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], in, strlen(in)), strlen(in));
    close(fd[1]);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        setsid();
        dup2(fd[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(fd[0]);
        close(out[0]);
        close(out[1]);
        execlp("sh", "sh", "-c", leashed, (char *)NULL);
        _exit(126);
    }
    close(fd[0]);
    close(out[1]);
    av_free(leashed);
    return pid;
}

static void check(const char *command, const char *in, const char *want, int want_status)
{
    char buf[4096];
    size_t used = 0;
    int out[2], status;
    ssize_t n;
    pid_t pid = start(command, 0, in, out);

    while ((n = read(out[0], buf + used, sizeof(buf) - 1 - used)) > 0)
        used += n;
    buf[used] = 0;
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_string_equal(buf, want);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), want_status);
    /* Nobody of its group is left, neither the watchdog nor its sleep. */
    assert_int_equal(kill(-pid, 0), -1);
}

/* The parent dies of SIGKILL; nobody closes or tells anything. */
static void check_orphan(const char *command)
{
    int say[2], out[2], inner, status;
    char line[64] = "";
    pid_t parent;

    assert_int_equal(pipe(say), 0);
    parent = fork();
    assert_true(parent >= 0);
    if (!parent) {
        start(command, 0, "", out);
        if (read(out[0], line, sizeof(line) - 1) <= 0 || write(say[1], line, sizeof(line)) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    close(say[1]);
    assert_true(read(say[0], line, sizeof(line)) > 0);
    close(say[0]);
    inner = atoi(line);
    assert_true(inner > 1);
    assert_false(process_is_gone(inner));
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, &status, 0), parent);
    for (int i = 0; i < 12000 && !process_is_gone(inner); i++)
        usleep(5000);
    assert_true(process_is_gone(inner));
}

/* The parent was gone before the shell began: somebody else is in $PPID. */
static void check_late(void)
{
    int out[2], status;
    pid_t pid, gone = fork();

    assert_true(gone >= 0);
    if (!gone)
        _exit(0);
    assert_int_equal(waitpid(gone, &status, 0), gone);
    pid = start("exec sleep 300", gone, "", out);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) ? WEXITSTATUS(status) > 128 : WTERMSIG(status) > 0);
    close(out[0]);

    /* Told to end when it has hardly begun, it is told again: after SIGKILL alone, what it made would stay. */
    for (int i = 0; i < 5; i++) {
        char made[64] = "";

        pid = start("d=/tmp/test_leash.$$; trap 'rmdir $d; exit 143' HUP TERM; mkdir $d && echo $d; sleep 300", gone, "", out);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (read(out[0], made, sizeof(made) - 1) > 0) {
            made[strcspn(made, "\n")] = 0;
            assert_int_not_equal(rmdir(made), 0);
        }
        close(out[0]);
    }
}

/* Likewise, and nobody could tell whose parent it was: init is in $PPID. */
static void check_adopted(void)
{
    char *leashed = leash_command("exec sleep 300", 0);
    struct pollfd ended = { .events = POLLIN };
    int out[2], status;
    pid_t pid;

    assert_non_null(leashed);
    assert_int_equal(pipe(out), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        pid_t parent = getpid();

        if (fork())
            _exit(0);
        close(out[0]);
        dup2(out[1], 1);
        for (int i = 0; i < 12000 && getppid() == parent; i++)
            usleep(5000);
        if (getppid() == 1 && setsid() > 0)   /* elsewhere somebody else adopts */
            execlp("sh", "sh", "-c", leashed, (char *)NULL);
        _exit(1);
    }
    close(out[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ended.fd = out[0];
    assert_int_equal(poll(&ended, 1, 60000), 1);
    assert_true(ended.revents & POLLHUP);
    close(out[0]);
    av_free(leashed);
}

static void test_shell(void **state)
{
    const char *shell = *state;

    /* not skip(): some versions of cmocka report that as "not ok" */
    if (!use_shell(shell)) {
        print_message("# no %s here\n", shell);
        return;
    }
    for (int i = 0; i < 20; i++)
        check("true", "", "", 0);
    check("exit 7", "", "", 7);
    check("exit 255", "", "", 255);
    check("cat; echo err >&2; exit 3", "data\n", "data\nerr\n", 3);
    check("sh -c 'kill -KILL $$'", "", "", 137);
    check("sh -c 'kill -SEGV $$'", "", "", 139);
    check("kill -TERM $$; echo alive", "", "alive\n", 0);
    check("trap 'echo trap; exit 4' EXIT; echo one", "", "one\ntrap\n", 4);
    check("echo a # comment", "", "a\n", 0);
    check("cat <<X\nhere $((1 + 1))\nX", "", "here 2\n", 0);
    check("wait; echo \"$#\"", "", "0\n", 0);
    check("sleep 1.2; echo later", "", "later\n", 0);
    check_orphan("sh -c 'echo $$; exec sleep 300'");
    check_orphan("sh -c 'trap \"\" TERM HUP INT; echo $$; while :; do :; done'");
    check_late();
    check_adopted();
}

int main(void)
{
    static const char *const shells[] = { "dash", "bash", "busybox" };
    struct CMUnitTest tests[sizeof(shells) / sizeof(*shells)];
    char link[64];
    int ret;

    for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
        tests[i] = (struct CMUnitTest){ shells[i], test_shell, NULL, NULL, (void *)shells[i] };
    path = strdup(getenv("PATH"));
    if (!path || !mkdtemp(dir))
        return 1;
    ret = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(link, sizeof(link), "%s/sh", dir);
    unlink(link);
    rmdir(dir);
    free(path);
    return ret;
}
