/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/bprint.h>

#include "../filter/trimjoin.h"
#include "../input/arglist.h"
#include "../stock.h"
#include "soundends.h"

#define TIMEOUT_US (60 * INT64_C(1000000))
/* Sound is decoded at least so many times as fast as it plays. */
#define LEAST_SPEED 10

static int run(const Plan *plan, const char *stock, AVBPrint *log)
{
    const PlanStream *video = &plan->streams[plan->fleet_stream];
    const PlanInput *in     = plan_video_input(plan);
    int64_t timeout = TIMEOUT_US + FFMAX(in->fc->duration, 0) / LEAST_SPEED;
    ArgList args = { 0 };
    int ret;

    arglist_add_words(&args, "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-v", "verbose", NULL);
    arglist_add_inputs(&args, plan->cmd, plan->inputs, 0);
    arglist_add_words(&args, "-filter_complex", plan->complex.ends, NULL);
    for (int i = 0; i < plan->complex.nb_ends; i++) {
        char name[16];

        trimjoin_end_name(name, i);
        arglist_add(&args, "-map");
        arglist_addf(&args, "[%s]", name);
        arglist_add_words(&args, "-f", "null", "-", NULL);
    }
    /* demuxers seek by the streams in use */
    if (in->limits.start != AV_NOPTS_VALUE) {
        arglist_add(&args, "-map");
        arglist_addf(&args, "%d:%d", video->file, video->index);
        arglist_add_words(&args, "-c", "copy", "-f", "null", "-", NULL);
    }
    ret = arglist_error(&args);
    if (ret >= 0)
        ret = stock_capture(stock, (const char *const *)args.argv, timeout, log);
    arglist_free(&args);
    return ret;
}

/** @return nonzero: each is told once, and is after the begin */
static int read_ends(const char *log, int64_t *ends, int nb)
{
    for (int i = 0; i < nb; i++) {
        static const char said[] = "Segment finished at pts=";
        char name[16], head[32];
        const char *line, *pts;

        trimjoin_end_name(name, i);
        snprintf(head, sizeof(head), "[concat@%s @ ", name);
        for (line = log; (line = strstr(line, head)); line++)
            if ((pts = strstr(line, said)) && pts < line + strcspn(line, "\n"))
                break;
        ends[i] = line ? strtoll(pts + strlen(said), NULL, 10) : 0;
        for (line = line ? line + 1 : NULL; line && (line = strstr(line, head)); line++)
            if ((pts = strstr(line, said)) && pts < line + strcspn(line, "\n"))
                return 0;
        if (ends[i] <= 0)
            return 0;
    }
    return 1;
}

int soundends_resolve(Plan *plan, const char *stock)
{
    int64_t ends[TRIMJOIN_MAX_PARTS];
    const int nb = plan->complex.nb_ends;
    AVBPrint log;
    int ret;

    if (plan->reason[0] || !plan->complex.ends || nb > TRIMJOIN_MAX_PARTS)
        return 0;
    av_bprint_init(&log, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = run(plan, stock, &log);
    if (ret >= 0 && !read_ends(log.str, ends, nb))
        ret = AVERROR_INVALIDDATA;
    av_bprint_finalize(&log, NULL);
    for (Plan *p = plan; ret >= 0 && p; p = p->next)
        if (p->path && p->path->join) {
            p->timing_all = av_strdup(p->timing);
            ret = p->timing_all ? trimjoin_set_ends(&p->timing_all, ends, nb) : AVERROR(ENOMEM);
        }
    if (ret < 0 && ret != AVERROR(ENOMEM)) {
        snprintf(plan->reason, sizeof(plan->reason), "where the sounds end that concat puts together cannot be found out");
        ret = 0;
    }
    return ret;
}
