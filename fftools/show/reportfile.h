/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_REPORTFILE_H
#define FFLEET_REPORTFILE_H

/**
 * @file
 * -report and FFREPORT: a file with the command line and all that is logged, named as stock's. Knowledge: init_report() in
 * fftools/opt_common.c and parse_loglevel() in cmdutils.c of FFmpeg 5.1.
 */

#include <time.h>

#include "../command/cmdline.h"

typedef struct ReportFile {
    int   wanted;
    char *env;       ///< FFREPORT, or NULL
    char *name;      ///< of the file, or NULL
    int   level;
    time_t start;
} ReportFile;

/**
 * Find out whether a report is wanted. Takes FFREPORT out of the environment, so that no ffmpeg
 * that we run writes one. Before there are threads.
 * @return 0 or AVERROR(ENOMEM)
 */
int  reportfile_init(ReportFile *r, const Command *cmd);

/**
 * Create it, and have av_log write to it, too. Before there are threads, and for one report at a time.
 * @return 0; AVERROR_PATCHWELCOME when stock had better do it
 */
int  reportfile_open(ReportFile *r, const Command *cmd);

/**
 * When no other thread is left.
 * @param discard stock will make one: what is written is removed, and FFREPORT is there again
 */
void reportfile_close(ReportFile *r, int discard);

/** What av_log gets, for its callback. Any thread. */
void reportfile_log(void *ctx, int level, const char *fmt, va_list ap);

#endif
