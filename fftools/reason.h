/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_REASON_H
#define FFLEET_REASON_H

/** @file The sentence that says why something is left to stock ffmpeg. */

#include <stddef.h>

#include <libavutil/attributes.h>

/** Write it, cut to size. @return AVERROR_PATCHWELCOME, so that a decision can end with it */
int reason_set(char *reason, size_t size, const char *fmt, ...) av_printf_format(3, 4);

#endif
