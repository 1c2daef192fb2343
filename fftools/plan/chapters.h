/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CHAPTERS_H
#define FFLEET_CHAPTERS_H

/**
 * @file
 * Where an output's chapters begin, for -force_key_frames. Knowledge: copy_chapters() in fftools/ffmpeg_opt.c and
 * parse_forced_key_frames() in ffmpeg.c of FFmpeg 5.1; ffmpeg_mux_init.c of 7.1.
 */

#include "plan.h"

/**
 * Put times in place of each "chapters" and "chapters+1.5" of a -force_key_frames.
 * @param p     its inputs are open, its frame rate is known
 * @param times av_malloc'd; empty: there are no chapters
 * @return 0, AVERROR(EINVAL), AVERROR(ENOMEM)
 */
int chapters_resolve(const Plan *p, const char *spec, char **times);

#endif
