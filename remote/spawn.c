/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands on this machine. Each runs on a leash, in a session of its own, so that
 * its whole process group can be ended, and ends even when we are killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "child.h"
#include "leash.h"
#include "transport.h"

/* A command with files of its own removes them, and the machine may be busy. */
#define GRACE_MS 3000

typedef struct SpawnPriv {
    int   connected;
    int   opened;      ///< the descriptors below are set (not just zeroed memory)
    pid_t pid;         ///< 0: no command
    int   fd[3];       ///< our ends of stdin, stdout, stderr; -1: closed
} SpawnPriv;

static int spawn_fail(Transport *t, int err, const char *what)
{
    snprintf(t->error, sizeof(t->error), "%s: %s: %s", t->host->label, what, av_err2str(err));
    return err;
}

static void close_fds(SpawnPriv *p)
{
    for (int i = 0; i < 3 && p->opened; i++)
        child_close_fd(&p->fd[i]);
}

static void spawn_close(Transport *t)
{
    SpawnPriv *p = t->priv;

    close_fds(p);
    if (p->pid)
        child_finish(p->pid, SIGTERM, GRACE_MS, NULL);
    p->pid       = 0;
    p->connected = 0;
}

static int spawn_connect(Transport *t, int timeout_ms)
{
    SpawnPriv *p = t->priv;

    (void)timeout_ms;
    spawn_close(t);
    p->fd[0] = p->fd[1] = p->fd[2] = -1;
    p->opened    = 1;
    p->connected = 1;
    t->error[0]  = 0;
    return 0;
}

static int spawn_exec(Transport *t, const char *command)
{
    SpawnPriv *p = t->priv;
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 }, ret;
    const char *argv[4] = { "/bin/sh", "-c" };
    char *leashed;

    if (!p->connected || p->pid)
        return spawn_fail(t, AVERROR(EINVAL), p->pid ? "a command runs already" : "not connected");
    leashed = leash_command(command, getpid());
    if (!leashed)
        return spawn_fail(t, AVERROR(ENOMEM), "cannot start a command");
    argv[2] = leashed;
    ret = child_pipe(in, 0);
    if (ret >= 0)
        ret = child_pipe(out, 0);
    if (ret >= 0)
        ret = child_pipe(err, 0);
    /* Only our ends: the flag belongs to the open file, which the child shares. */
    if (ret >= 0 && (fcntl(in[1],  F_SETFL, O_WRONLY | O_NONBLOCK) < 0 ||
                     fcntl(out[0], F_SETFL, O_RDONLY | O_NONBLOCK) < 0 ||
                     fcntl(err[0], F_SETFL, O_RDONLY | O_NONBLOCK) < 0))
        ret = AVERROR(errno);
    if (ret >= 0)
        ret = child_spawn(&p->pid, argv, in[0], out[1], err[1]);
    /* its children inherit it; that it cannot be done is no reason to do without the host */
    if (ret >= 0 && t->host->nice)
        setpriority(PRIO_PGRP, p->pid, t->host->nice);
    av_free(leashed);
    child_close_fd(&in[0]);
    child_close_fd(&out[1]);
    child_close_fd(&err[1]);
    if (ret < 0) {
        p->pid = 0;
        child_close_fd(&in[1]);
        child_close_fd(&out[0]);
        child_close_fd(&err[0]);
        return spawn_fail(t, ret, "cannot start a command");
    }
    p->fd[0] = in[1];
    p->fd[1] = out[0];
    p->fd[2] = err[0];
    return 0;
}

/* write() that answers EPIPE without a signal to the program: SIGPIPE goes to the
 * writing thread, so block it there and take it off again. */
static ssize_t quiet_write(int fd, const uint8_t *buf, size_t size)
{
    const struct timespec now = { 0 };
    sigset_t pipe, old, pending;
    ssize_t ret;
    int err;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    do {
        ret = write(fd, buf, size);
    } while (ret < 0 && errno == EINTR);
    err = errno;
    if (ret < 0 && err == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return ret < 0 ? AVERROR(err) : ret;
}

static ssize_t spawn_write(Transport *t, const uint8_t *buf, size_t size)
{
    SpawnPriv *p = t->priv;

    if (!p->pid || p->fd[0] < 0)
        return AVERROR(EPIPE);
    return quiet_write(p->fd[0], buf, size);
}

static int spawn_write_eof(Transport *t)
{
    SpawnPriv *p = t->priv;

    if (p->pid)
        child_close_fd(&p->fd[0]);
    return 0;
}

static ssize_t spawn_read(Transport *t, enum TransportStream which, uint8_t *buf, size_t size)
{
    SpawnPriv *p = t->priv;
    ssize_t ret;

    if (!p->pid)
        return AVERROR(EIO);
    if (p->fd[which] < 0)
        return 0;
    do {
        ret = read(p->fd[which], buf, size);
    } while (ret < 0 && errno == EINTR);
    if (ret < 0)
        return AVERROR(errno);
    if (!ret && size)
        child_close_fd(&p->fd[which]);
    return ret;
}

static int spawn_exit_status(Transport *t, int *status)
{
    SpawnPriv *p = t->priv;
    int raw;

    if (!p->pid)
        return AVERROR(EIO);
    if (!child_ended(p->pid))
        return AVERROR(EAGAIN);
    close_fds(p);
    child_finish(p->pid, 0, 0, &raw);
    p->pid  = 0;
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return 0;
}

static void spawn_cancel(Transport *t)
{
    SpawnPriv *p = t->priv;

    /* Not reaped before exit_status() or close(): the group is still ours. */
    if (p->pid) {
        kill(-p->pid, SIGHUP);   /* see leash.c */
        kill(-p->pid, SIGTERM);
    }
    close_fds(p);
    p->connected = 0;
}

static int spawn_wait(Transport *t, int want_write, int timeout_ms)
{
    SpawnPriv *p = t->priv;
    struct pollfd fds[4] = {
        { t->wake_fd, POLLIN, 0 }, { -1, POLLOUT, 0 }, { -1, POLLIN, 0 }, { -1, POLLIN, 0 },
    };

    if (p->pid) {
        if (want_write)
            fds[1].fd = p->fd[0];
        fds[2].fd = p->fd[TRANSPORT_STDOUT];
        fds[3].fd = p->fd[TRANSPORT_STDERR];
        /* With both streams ended the exit is a matter of milliseconds; no descriptor tells. */
        if (fds[2].fd < 0 && fds[3].fd < 0)
            timeout_ms = timeout_ms < 0 ? 5 : FFMIN(timeout_ms, 5);
    }
    if (poll(fds, 4, timeout_ms) < 0 && errno != EINTR)
        return spawn_fail(t, AVERROR(errno), "poll");
    return 0;
}

static int spawn_connected(const Transport *t)
{
    const SpawnPriv *p = t->priv;

    return p->connected;
}

const TransportOps transport_spawn = {
    .name        = "spawn",
    .priv_size   = sizeof(SpawnPriv),
    .connect     = spawn_connect,
    .exec        = spawn_exec,
    .write       = spawn_write,
    .write_eof   = spawn_write_eof,
    .read        = spawn_read,
    .exit_status = spawn_exit_status,
    .cancel      = spawn_cancel,
    .wait        = spawn_wait,
    .connected   = spawn_connected,
    .close       = spawn_close,
};
