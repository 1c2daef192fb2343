/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_STOCKLOG_H
#define FFLEET_STOCKLOG_H

/** @file What stock prints with -loglevel level+...: lines with a "[level]" mark. */

#include <stddef.h>

#include <libavutil/bprint.h>

/**
 * Take the mark out: "[mp4 @ 0x1] [warning] text" -> "[mp4 @ 0x1] text".
 * @param out the line is appended
 * @return the AV_LOG_* level, or -1: the line carries no mark (a library printed it by itself)
 */
int stocklog_unmark(AVBPrint *out, const char *line, size_t len);

#endif
