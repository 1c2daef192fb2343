/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TIMELIMITS_H
#define FFLEET_TIMELIMITS_H

/**
 * @file
 * -ss, -t, -to, -sseof and -itsoffset of one file, and the trim filters that ffmpeg makes of them. Knowledge:
 * open_input_file(), open_output_file() in fftools/ffmpeg_opt.c and insert_trim() in ffmpeg_filter.c of FFmpeg 5.1;
 * libavfilter/trim.c.
 */

#include <stddef.h>

#include <libavutil/rational.h>

#include "cmdline.h"

/** Microseconds. */
typedef struct TimeLimits {
    int64_t start;     ///< AV_NOPTS_VALUE: not given
    int64_t start_eof; ///< likewise; of inputs only, from their end
    int64_t duration;  ///< INT64_MAX: without limit
    int64_t ts_offset; ///< of inputs only
} TimeLimits;

/** @return 0, or AVERROR(EINVAL) with the sentence in reason: stock tells the user what is wrong */
int timelimits_parse(TimeLimits *t, const CmdFile *f, char *reason, size_t reason_size);

/** What a trim filter lets pass. */
typedef struct Trim {
    int64_t start, duration; ///< in its time base; AV_NOPTS_VALUE and 0: without limit
    int64_t first;           ///< pts of the first frame that passed
    int     eof;             ///< nothing passes any more
} Trim;

/** @param start, duration microseconds, as in TimeLimits */
void trim_init(Trim *t, int64_t start, int64_t duration, AVRational time_base);
/** @return nonzero when the next frame, in presentation order, passes */
int  trim_passes(Trim *t, int64_t pts);

#endif
