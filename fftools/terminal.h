/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TERMINAL_H
#define FFLEET_TERMINAL_H

/**
 * @file
 * What the user may say during a run: signals and keys. Knowledge: term_init(), read_key() and
 * sigterm_handler() in fftools/ffmpeg.c of FFmpeg 5.1. One thread.
 */

#include <termios.h>

typedef struct Terminal {
    int signal_fd;        ///< becomes readable with SIGINT, SIGTERM, SIGQUIT, SIGXCPU
    int nb_signals;       ///< received so far
    int last_signal;
    int keys;             ///< stdin is listened to
    int quit;             ///< 'q' was typed
    int have_saved;
    struct termios saved;
} Terminal;

/** Block the signals for this thread and those made from now on. @return 0 or an AVERROR code */
int  terminal_open(Terminal *t);
/** Listen to keys from now on (not with -nostdin). */
void terminal_start_keys(Terminal *t);
/** Take in what came; never blocks. @return nonzero once the run is to end: a signal, or 'q' */
int  terminal_poll(Terminal *t);
/** Ask ffmpeg's overwrite question. @return 1 yes, 0 no */
int  terminal_ask_overwrite(Terminal *t, const char *url);
/** Restore the terminal; signals stay blocked. */
void terminal_close(Terminal *t);

#endif
