/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/resource.h>

#include <libavutil/log.h>
#include <libavutil/time.h>

#include "../compat.h"
#include "benchmark.h"

static double seconds(struct timeval t)
{
    return t.tv_sec + t.tv_usec / 1e6;
}

void benchmark_print(const Command *cmd, int64_t start)
{
    const CmdOption *o = cmdline_last(cmd->globals, cmd->nb_globals, "benchmark");
    struct rusage own, stock;

    if (!o || o->negated || getrusage(RUSAGE_SELF, &own) < 0 ||
        getrusage(RUSAGE_CHILDREN, &stock) < 0)
        return;
    av_log(NULL, AV_LOG_INFO, "bench: utime=%0.3fs stime=%0.3fs rtime=%0.3fs\n",
           seconds(own.ru_utime) + seconds(stock.ru_utime),
           seconds(own.ru_stime) + seconds(stock.ru_stime),
           (av_gettime_relative() - start) / 1e6);
    av_log(NULL, AV_LOG_INFO, "bench: maxrss=%li%s\n", FFMAX(own.ru_maxrss, stock.ru_maxrss),
           COMPAT_TIMING_7 ? "KiB" : "kB");
}
