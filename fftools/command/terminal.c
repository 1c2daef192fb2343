/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <libavutil/common.h>
#include <libavutil/error.h>

#include "terminal.h"

/* ffmpeg ends at once, with this status, when it gets more signals than it can be patient with */
#define MAX_SIGNALS 3
#define HARD_EXIT_STATUS 123

#define QUESTION_POLL_MS 50

static void restore(Terminal *t)
{
    if (atomic_exchange(&t->have_saved, 0))
        tcsetattr(0, TCSANOW, &t->saved);
}

static void take_signals(Terminal *t)
{
    static const char msg[] = "Received > 3 system signals, hard exiting\n";
    struct signalfd_siginfo info;

    while (read(t->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        atomic_store(&t->last_signal, info.ssi_signo);
        if (atomic_fetch_add(&t->nb_signals, 1) < MAX_SIGNALS)
            continue;
        /* temporary files have no names and children end with us: nothing stays behind */
        restore(t);
        (void)!write(2, msg, sizeof(msg) - 1);
        _exit(HARD_EXIT_STATUS);
    }
}

static void *watch(void *opaque)
{
    Terminal *t = opaque;
    struct pollfd p[2] = { { t->signal_fd, POLLIN, 0 }, { t->stop_fd, POLLIN, 0 } };

    do {
        if (poll(p, FF_ARRAY_ELEMS(p), -1) > 0)
            take_signals(t);
    } while (!p[1].revents);
    return NULL;
}

int terminal_open(Terminal *t)
{
    sigset_t set;
    int ret;

    memset(t, 0, sizeof(*t));
    t->signal_fd = t->stop_fd = -1;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGXCPU);
    ret = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (ret)
        return AVERROR(ret);
    signal(SIGPIPE, SIG_IGN);
    t->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    t->stop_fd   = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (t->signal_fd < 0 || t->stop_fd < 0)
        return AVERROR(errno);
    ret = pthread_create(&t->watcher, NULL, watch, t);
    t->watching = !ret;
    return AVERROR(ret);
}

void terminal_start_keys(Terminal *t)
{
    struct termios tty;
    pid_t foreground;

    t->keys = 1;
    if (tcgetattr(0, &tty) < 0)
        return;
    /* a job in the background must not touch the terminal */
    foreground = tcgetpgrp(0);
    if (foreground >= 0 && foreground != getpgrp()) {
        t->keys = 0;
        return;
    }
    t->saved = tty;
    atomic_store(&t->have_saved, 1);
    tty.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    tty.c_oflag |= OPOST;
    tty.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
    tty.c_cc[VMIN]  = 1;
    tty.c_cc[VTIME] = 0;
    tcsetattr(0, TCSANOW, &tty);
}

static void take_key(Terminal *t)
{
    struct pollfd p = { .fd = 0, .events = POLLIN };
    char c;

    if (!t->keys || poll(&p, 1, 0) <= 0)
        return;
    if (read(0, &c, 1) != 1) {
        t->keys = 0;
        return;
    }
    if (c == 'q')
        t->quit = 1;
    else if (c == '?')
        fprintf(stderr, "key    function\n?      show this help\nq      quit\n");
}

int terminal_poll(Terminal *t)
{
    take_key(t);
    return atomic_load(&t->nb_signals) || t->quit;
}

int terminal_ask_overwrite(Terminal *t, const char *url)
{
    struct pollfd p = { .fd = 0, .events = POLLIN };
    char buf[4096], first = 0;
    ssize_t n;

    fprintf(stderr, "File '%s' already exists. Overwrite? [y/N] ", url);
    fflush(stderr);
    /* like stdio, so that what follows the answer is lost here, too */
    do {
        while (poll(&p, 1, QUESTION_POLL_MS) <= 0)
            if (atomic_load(&t->nb_signals))
                return AVERROR_EXIT;
        n = read(0, buf, sizeof(buf));
        if (n > 0 && !first)
            first = buf[0];
    } while ((n > 0 && !memchr(buf, '\n', n)) || (n < 0 && errno == EINTR));
    return first == 'y' || first == 'Y';
}

void terminal_close(Terminal *t)
{
    uint64_t one = 1;

    restore(t);
    t->keys = 0;
    if (t->watching) {
        (void)!write(t->stop_fd, &one, sizeof(one));
        pthread_join(t->watcher, NULL);
    }
    t->watching = 0;
    if (t->signal_fd >= 0)
        close(t->signal_fd);
    if (t->stop_fd >= 0)
        close(t->stop_fd);
    t->signal_fd = t->stop_fd = -1;
}
