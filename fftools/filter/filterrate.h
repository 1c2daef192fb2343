/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERRATE_H
#define FFLEET_FILTERRATE_H

/**
 * @file The frame rate that the expressions of setpts and the durations of tpad need: hosts may
 * know another one, or none.
 */

#include <libavutil/rational.h>

/**
 * Put the numbers in the place of FRAME_RATE and FR, as far as they are known, and of frames in the
 * place of durations.
 * @param filters    av_malloc'd; replaced
 * @param timing     the part of them that filterchain_timing() makes
 * @param time_base  of the frames that the filters get
 * @param frame_rate likewise; {0, 1} unknown
 * @return 0; AVERROR_PATCHWELCOME: tpad sees no frame rate; other AVERROR codes
 */
int filterrate_fix(char **filters, const char *timing, AVRational time_base, AVRational frame_rate);

#endif
