/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <libavutil/error.h>
#include <libavutil/log.h>

#include "terminal.h"

/* ffmpeg ends at once, with this status, when it gets more signals than it can be patient with */
#define MAX_SIGNALS 3
#define HARD_EXIT_STATUS 123

int terminal_open(Terminal *t)
{
    sigset_t set;

    *t = (Terminal) { .signal_fd = -1 };
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGXCPU);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return AVERROR(errno);
    signal(SIGPIPE, SIG_IGN);
    t->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return t->signal_fd < 0 ? AVERROR(errno) : 0;
}

void terminal_start_keys(Terminal *t)
{
    struct termios tty;

    t->keys = 1;
    if (tcgetattr(0, &tty) < 0)
        return;
    /* a job in the background must not touch the terminal */
    if (tcgetpgrp(0) != getpgrp()) {
        t->keys = 0;
        return;
    }
    t->saved      = tty;
    t->have_saved = 1;
    tty.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    tty.c_oflag |= OPOST;
    tty.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
    tty.c_cc[VMIN]  = 1;
    tty.c_cc[VTIME] = 0;
    tcsetattr(0, TCSANOW, &tty);
}

static void take_signals(Terminal *t)
{
    struct signalfd_siginfo info;

    while (read(t->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        t->last_signal = info.ssi_signo;
        if (++t->nb_signals > MAX_SIGNALS) {
            static const char msg[] = "Received > 3 system signals, hard exiting\n";

            terminal_close(t);
            (void)!write(2, msg, sizeof(msg) - 1);
            _exit(HARD_EXIT_STATUS);
        }
    }
}

static void take_key(Terminal *t)
{
    struct pollfd p = { .fd = 0, .events = POLLIN };
    char c;

    if (!t->keys || poll(&p, 1, 0) <= 0 || !(p.revents & (POLLIN | POLLHUP)))
        return;
    if (read(0, &c, 1) != 1) {
        t->keys = 0;
        return;
    }
    if (c == 'q')
        t->quit = 1;
}

int terminal_poll(Terminal *t)
{
    take_signals(t);
    take_key(t);
    return t->nb_signals || t->quit;
}

int terminal_ask_overwrite(Terminal *t, const char *url)
{
    sigset_t set;
    int c, yes;

    /* Ctrl-C ends the program at the question, as it does in ffmpeg */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    fprintf(stderr, "File '%s' already exists. Overwrite? [y/N] ", url);
    fflush(stderr);
    c   = getchar();
    yes = c == 'y' || c == 'Y';
    while (c != '\n' && c != EOF)
        c = getchar();
    sigprocmask(SIG_BLOCK, &set, NULL);
    (void)t;
    return yes;
}

void terminal_close(Terminal *t)
{
    if (t->have_saved)
        tcsetattr(0, TCSANOW, &t->saved);
    t->have_saved = 0;
    t->keys       = 0;
    if (t->signal_fd >= 0)
        close(t->signal_fd);
    t->signal_fd = -1;
}
