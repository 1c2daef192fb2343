/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LOGLEVEL_H
#define FFLEET_LOGLEVEL_H

/**
 * @file
 * ffmpeg's -loglevel, for our own av_log() output. Knowledge: opt_loglevel() in fftools/opt_common.c of FFmpeg 5.1.
 */

#include "cmdline.h"

/** Set av_log's level and flags as the command asks for. */
void loglevel_apply(const Command *cmd);

#endif
