/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_STOCK_H
#define FFLEET_STOCK_H

/**
 * @file
 * The real ffmpeg: find it without ever finding ourselves, run it, become it.
 */

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include <libavutil/bprint.h>

/** The signal state a process inherits through exec. */
typedef struct StockSignals {
    sigset_t mask;      ///< blocked
    sigset_t ignored;   ///< SIG_IGN
} StockSignals;

/** Note what we inherited: for main, before it changes any of it. */
void stock_save_signals(StockSignals *s);

/**
 * Path of the stock ffmpeg: $FFLEET_FFMPEG, else the first "ffmpeg" on PATH that is not this
 * program (device and inode of /proc/self/exe compared, symlinks followed).
 * @param path av_malloc'd
 * FFLEET_DEPTH counts the hand-overs that came back to us, as by a wrapper script named ffmpeg that
 * runs ffleet: at depth n the n first candidates on PATH are passed over while others follow.
 * @return 0, or AVERROR(ENOENT)/AVERROR(EINVAL) with err set; AVERROR(ELOOP) when that count shows
 *         that we keep being called by ourselves
 */
int stock_find(char **path, char *err, size_t err_size);

/**
 * Become stock: same pid, stdin, stdout, stderr. argv[0] is kept as given.
 * @param inherited signal state to restore; NULL: leave it as it is
 * @return only on failure, an AVERROR code
 */
int stock_exec(const char *path, char *const *argv, const StockSignals *inherited);

/**
 * Run stock as a child: in its own process group so that a terminal's Ctrl-C reaches only us.
 * No signal is blocked or ignored in it. It is killed when the thread that called this ends, however
 * that comes: call from a thread that lives on. Any thread.
 * @param input_fd  what it reads; -1: nothing
 * @param input_number  under which number it finds that; stdin, if that is another one, is /dev/null. One that is open here
 * @param stdout_fd, stderr_fd  where its output goes; -1: /dev/null; not each other's number
 * @return 0 or an AVERROR code
 */
int stock_spawn(pid_t *pid, const char *path, const char *const *argv, int input_fd, int input_number,
                int stdout_fd, int stderr_fd);

/**
 * Run stock without any input, to its end, and take what it prints to stderr. Blocks.
 * @param timeout in microseconds; it is killed then
 * @param log     appended to; at most a megabyte or so
 * @return 0 or an AVERROR code
 */
int stock_capture(const char *path, const char *const *argv, int64_t timeout, AVBPrint *log);

#endif
