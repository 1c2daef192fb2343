/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/error.h>
#include <libavutil/time.h>

#include "child.h"

void child_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* posix_spawn()'s dup2 actions would trample on each other below 3. */
static int lift_fds(int fd[2])
{
    for (int i = 0; i < 2; i++) {
        int high = fd[i];

        if (high > 2)
            continue;
        high = fcntl(fd[i], F_DUPFD_CLOEXEC, 3);
        if (high < 0) {
            int ret = AVERROR(errno);

            child_close_fd(&fd[0]);
            child_close_fd(&fd[1]);
            return ret;
        }
        close(fd[i]);
        fd[i] = high;
    }
    return 0;
}

int child_pipe(int fd[2], int flags)
{
    if (pipe2(fd, flags | O_CLOEXEC) < 0) {
        fd[0] = fd[1] = -1;
        return AVERROR(errno);
    }
    return lift_fds(fd);
}

int child_socketpair(int fd[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0) {
        fd[0] = fd[1] = -1;
        return AVERROR(errno);
    }
    return lift_fds(fd);
}

static int add_fd(posix_spawn_file_actions_t *actions, int fd, int target)
{
    if (fd < 0)
        return posix_spawn_file_actions_addopen(actions, target, "/dev/null", O_RDWR, 0);
    return posix_spawn_file_actions_adddup2(actions, fd, target);
}

int child_spawn(pid_t *pid, const char *const *argv, int in, int out, int err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int ret;

    sigemptyset(&none);
    sigfillset(&all);
    ret = posix_spawn_file_actions_init(&actions);
    if (ret)
        return AVERROR(ret);
    ret = posix_spawnattr_init(&attr);
    if (ret) {
        posix_spawn_file_actions_destroy(&actions);
        return AVERROR(ret);
    }
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                    POSIX_SPAWN_SETSID);
    ret = add_fd(&actions, in, 0);
    if (!ret)
        ret = add_fd(&actions, out, 1);
    if (!ret)
        ret = add_fd(&actions, err, 2);
    if (!ret)
        ret = posix_spawnp(pid, argv[0], &actions, &attr, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return AVERROR(ret);
}

int child_ended(pid_t pid)
{
    siginfo_t info = { 0 };

    if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return errno != EINTR;
    return info.si_pid == pid;
}

static int ended_within(pid_t pid, int ms)
{
    int64_t end = av_gettime_relative() + ms * INT64_C(1000);

    while (!child_ended(pid)) {
        if (av_gettime_relative() >= end)
            return 0;
        av_usleep(2000);
    }
    return 1;
}

int child_finish(pid_t pid, int signal, int grace_ms, int *status)
{
    int unused, ended;

    if (signal)
        kill(-pid, signal);
    ended = ended_within(pid, grace_ms);
    /* Not yet reaped, so the group's number cannot be anybody else's. */
    kill(-pid, SIGKILL);
    if (!ended && !ended_within(pid, 500))
        return AVERROR(EAGAIN);
    while (waitpid(pid, status ? status : &unused, 0) < 0 && errno == EINTR)
        ;
    return 0;
}
