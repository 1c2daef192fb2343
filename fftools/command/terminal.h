/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TERMINAL_H
#define FFLEET_TERMINAL_H

/**
 * @file
 * What the user may say during a run: signals and keys. Knowledge: term_init(), read_key() and
 * sigterm_handler() in fftools/ffmpeg.c of FFmpeg 5.1. One thread, but for a watcher of its own, so that the
 * fourth signal ends the program whatever it is doing.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <termios.h>

typedef struct Terminal {
    int signal_fd;          ///< becomes readable with SIGINT, SIGTERM, SIGQUIT, SIGXCPU
    int stop_fd;            ///< ends the watcher
    pthread_t  watcher;
    int        watching;
    atomic_int nb_signals;  ///< received so far
    atomic_int last_signal;
    atomic_int have_saved;
    struct termios saved;   ///< read only while have_saved
    int keys;               ///< stdin is listened to
    int quit;               ///< 'q' was typed
} Terminal;

/** Block the signals for this thread and those made from now on. @return 0 or an AVERROR code */
int  terminal_open(Terminal *t);
/** Listen to keys from now on (not with -nostdin). */
void terminal_start_keys(Terminal *t);
/** Take in what came; never blocks. @return nonzero once the run is to end: a signal, or 'q' */
int  terminal_poll(Terminal *t);
/** Ask ffmpeg's overwrite question. @return 1 yes, 0 no, AVERROR_EXIT: a signal came */
int  terminal_ask_overwrite(Terminal *t, const char *url);
/** Restore the terminal; signals stay blocked. Also after a failed terminal_open(). */
void terminal_close(Terminal *t);

#endif
