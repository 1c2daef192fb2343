/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/parseutils.h>

#include "../compat.h"
#include "chapters.h"

/** The input that they are copied from, or NULL. */
static const PlanInput *find_source(const Plan *p)
{
    const CmdFile *f = plan_file(p);
    const CmdOption *o = cmdline_last(f->options, f->nb_options, "map_chapters");
    long n;

    for (int i = 0; !o && i < p->nb_inputs; i++)
        if (p->inputs[i].fc->nb_chapters)
            return &p->inputs[i];
    n = o ? strtol(o->value, NULL, 10) : -1;
    return n >= 0 && n < p->nb_inputs ? &p->inputs[n] : NULL;
}

/** What ffmpeg adds to the input's timestamps when it opens it. */
static int64_t ts_offset(const Plan *p, const PlanInput *in)
{
    const CmdOption *zero = cmdline_last(p->cmd->globals, p->cmd->nb_globals, "start_at_zero");
    int64_t start  = in->fc->start_time == AV_NOPTS_VALUE ? 0 : in->fc->start_time;
    int64_t offset = in->limits.ts_offset;

    if (p->copyts)
        return offset + (zero && !zero->negated ? start : 0);
    return offset - start - (in->limits.start == AV_NOPTS_VALUE ? 0 : in->limits.start);
}

/** Its start in microseconds; 5.1 counts in frames, and an own offset by itself. */
static int64_t keyframe_time(const Plan *p, int64_t start, AVRational tb, int64_t offset)
{
    AVRational frame = av_inv_q(p->frame_rate);

    if (COMPAT_TIMING_7)
        return av_rescale_q(start, tb, AV_TIME_BASE_Q) + offset;
    return av_rescale_q(av_rescale_q(start, tb, frame) + av_rescale_q(offset, AV_TIME_BASE_Q, frame),
                        frame, AV_TIME_BASE_Q);
}

static void add_chapters(AVBPrint *out, const Plan *p, int64_t offset)
{
    const PlanInput *in = find_source(p);
    const TimeLimits *limits = &p->out_limits;
    int64_t begin = limits->start == AV_NOPTS_VALUE ? 0 : limits->start;

    for (unsigned i = 0; in && i < in->fc->nb_chapters; i++) {
        const AVChapter *c = in->fc->chapters[i];
        int64_t off = av_rescale_q(begin - ts_offset(p, in), AV_TIME_BASE_Q, c->time_base);

        if (c->end < off)
            continue;
        if (limits->duration != INT64_MAX &&
            c->start > av_rescale_q(limits->duration, AV_TIME_BASE_Q, c->time_base) + off)
            break;
        av_bprintf(out, "%s%"PRId64"us", out->len ? "," : "",
                   keyframe_time(p, FFMAX(0, c->start - off), c->time_base, offset));
    }
}

int chapters_resolve(const Plan *p, const char *spec, char **times)
{
    AVBPrint out;
    int ret = 0;

    av_bprint_init(&out, 0, AV_BPRINT_SIZE_UNLIMITED);
    while (*spec && ret >= 0) {
        size_t len = strcspn(spec, ",");
        const char *rest;

        if (av_strstart(spec, "chapters", &rest)) {
            char *word = av_strndup(rest, len - strlen("chapters"));
            int64_t offset = 0;

            ret = word ? 0 : AVERROR(ENOMEM);
            if (word && *word)
                ret = av_parse_time(&offset, word, 1);
            av_free(word);
            if (ret >= 0)
                add_chapters(&out, p, offset);
        } else {
            av_bprintf(&out, "%s", out.len ? "," : "");
            av_bprint_append_data(&out, spec, len);
        }
        spec += len + !!spec[len];
    }
    if (ret < 0) {
        av_bprint_finalize(&out, NULL);
        return ret;
    }
    return av_bprint_finalize(&out, times);
}
