/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_BENCHMARK_H
#define FFLEET_BENCHMARK_H

/** @file -benchmark: what a run took on this machine, in ffmpeg's words. */

#include "../command/cmdline.h"

/** Print it if the command asks for it. @param start av_gettime_relative() when the run began */
void benchmark_print(const Command *cmd, int64_t start);

#endif
