/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/mathematics.h>
#include <libavutil/parseutils.h>

#include "timelimits.h"

/** @return 1 when it was given, 0 when not, AVERROR(EINVAL) when it cannot be read */
static int find_time(const CmdFile *f, const char *name, int64_t *us, char *reason, size_t size)
{
    const CmdOption *o = cmdline_last(f->options, f->nb_options, name);

    if (!o || !o->def)
        return 0;
    if (av_parse_time(us, o->value, 1) < 0) {
        snprintf(reason, size, "the time %s of -%s is invalid", o->value, name);
        return AVERROR(EINVAL);
    }
    return 1;
}

int timelimits_parse(TimeLimits *t, const CmdFile *f, char *reason, size_t size)
{
    int64_t stop;
    int have_stop, have_duration;

    *t = (TimeLimits) { .start = AV_NOPTS_VALUE, .start_eof = AV_NOPTS_VALUE,
                        .duration = INT64_MAX };
    if (find_time(f, "ss", &t->start, reason, size) < 0 ||
        find_time(f, "sseof", &t->start_eof, reason, size) < 0 ||
        find_time(f, "itsoffset", &t->ts_offset, reason, size) < 0 ||
        (have_duration = find_time(f, "t", &t->duration, reason, size)) < 0 ||
        (have_stop = find_time(f, "to", &stop, reason, size)) < 0)
        return AVERROR(EINVAL);
    if (have_stop && !have_duration) {
        t->duration = stop - (t->start == AV_NOPTS_VALUE ? 0 : t->start);
        if (t->duration <= 0) {
            snprintf(reason, size, "-to ends before -ss begins");
            return AVERROR(EINVAL);
        }
    }
    if (t->duration <= 0) {
        snprintf(reason, size, "-t leaves nothing");
        return AVERROR(EINVAL);
    }
    return 0;
}

void trim_init(Trim *t, int64_t start, int64_t duration, AVRational tb)
{
    *t = (Trim) { .start = AV_NOPTS_VALUE, .first = AV_NOPTS_VALUE };
    if (start != AV_NOPTS_VALUE)
        t->start = av_rescale_q(start, AV_TIME_BASE_Q, tb);
    if (duration != INT64_MAX)
        t->duration = av_rescale_q(duration, AV_TIME_BASE_Q, tb);
}

int trim_passes(Trim *t, int64_t pts)
{
    if (t->eof || (t->start != AV_NOPTS_VALUE && pts < t->start))
        return 0;
    if (t->first == AV_NOPTS_VALUE)
        t->first = pts;
    if (t->duration && pts - t->first >= t->duration)
        t->eof = 1;
    return !t->eof;
}
