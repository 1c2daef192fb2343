/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavutil/mathematics.h>
#include <libavutil/mem.h>

#include "renditions.h"

/* Frames between places where all streams have a keyframe; farther, segments would get too long. */
#define MAX_COMMON_GOP 2000

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static int same_words(char *const *a, int nb_a, char *const *b, int nb_b)
{
    if (nb_a != nb_b)
        return 0;
    for (int i = 0; i < nb_a; i++)
        if (strcmp(a[i], b[i]))
            return 0;
    return 1;
}

const char *renditions_conflict(const Plan *a, const Plan *b)
{
    const PlanStream *s = &a->streams[a->fleet_stream], *t = &b->streams[b->fleet_stream];

    if (s->file != t->file || s->index != t->index)
        return "its video streams come from several streams of the input";
    if (a->files.nb_files || b->files.nb_files || a->font_filters || b->font_filters)
        return "filters that need files, of several video streams, are not split yet";
    if (!same_text(a->timing, b->timing))
        return "its video streams have filters that time frames differently";
    if (av_cmp_q(a->frame_rate, b->frame_rate) || a->drop_first != b->drop_first)
        return "its video streams have several frame rates";
    if (a->out_limits.start != b->out_limits.start ||
        a->out_limits.duration != b->out_limits.duration || a->max_frames != b->max_frames)
        return "its outputs have several time limits";
    if (!same_text(a->force_keyframes, b->force_keyframes) || a->source_keyframes != b->source_keyframes)
        return "its video streams have keyframes forced at different times";
    if (!same_words(a->scaler_args, a->nb_scaler_args, b->scaler_args, b->nb_scaler_args))
        return "its outputs scale with different options";
    return NULL;
}

/** Whether its filters want true times, but change none. */
static int only_reads_times(const Plan *p)
{
    return p->timing && !strcmp(p->timing, "null");
}

void renditions_align(Plan *first)
{
    int found = 0;

    for (const Plan *p = first; p; p = p->next)
        found |= only_reads_times(p);
    for (Plan *p = first; p && found; p = p->next)
        if (!p->timing && p->filters && !p->drop_first && !p->window && !p->in_rate.num)
            p->timing = av_strdup("null");
}

/** The distance of keyframes that all streams have. 0: all are free in that. */
static int common_gop(const Plan *first)
{
    int64_t gop = 0;

    for (const Plan *p = first; p && gop <= MAX_COMMON_GOP; p = p->next)
        if (p->gop)
            gop = gop ? gop / av_gcd(gop, p->gop) * p->gop : p->gop;
    return FFMIN(gop, MAX_COMMON_GOP + 1);
}

int renditions_check(Plan *first)
{
    const char *why = NULL;

    for (Plan *p = first->next; p && !why; p = p->next) {
        why = renditions_conflict(first, p);
        if (p->number >= PLAN_MAX_VIDEO)
            why = "it encodes very many video streams";
    }
    if (!why && common_gop(first) > MAX_COMMON_GOP)
        why = "the keyframes of its video streams hardly ever meet";
    if (why)
        snprintf(first->reason, sizeof(first->reason), "%s", why);
    return !!why;
}

void renditions_unite(Plan *first)
{
    int gop = common_gop(first), window = 0, reach = 0;

    if (!first->next)
        return;
    for (Plan *p = first; p; p = p->next) {
        window = FFMAX(window, p->window);
        reach  = FFMAX(reach, p->reach);
    }
    for (Plan *p = first; p; p = p->next) {
        p->gop            = gop;
        p->window         = window;
        p->reach          = reach;
        p->ts_offset      = first->ts_offset;
        p->segment_length = first->segment_length;
    }
}
