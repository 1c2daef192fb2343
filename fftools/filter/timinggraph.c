/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/avstring.h>
#include <libavutil/frame.h>
#include <libavutil/mem.h>

#include "../compat.h"
#include "filterlink.h"
#include "timinggraph.h"

/* Deinterlacers want a few lines. */
#define SIDE 32

struct TimingGraph {
    AVFilterGraph   *graph;
    AVFilterContext *src, *sink;
    AVFrame *blank;
    AVFrame *out;
    int64_t  source;   ///< of the last frame that came out, or of the first that went in
    int      begun;
};

static int link_filters(TimingGraph *g, const char *filters, AVRational tb, AVRational rate)
{
    char args[160];

    snprintf(args, sizeof(args), "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d", SIDE, SIDE,
             AV_PIX_FMT_YUV420P, tb.num, tb.den);
    if (rate.num > 0 && rate.den > 0)
        av_strlcatf(args, sizeof(args), ":frame_rate=%d/%d", rate.num, rate.den);
    return filterlink_open(g->graph, args, filters, &g->src, &g->sink);
}

int timinggraph_open(TimingGraph **out, const char *filters, AVRational time_base,
                     AVRational frame_rate)
{
    TimingGraph *g = av_mallocz(sizeof(*g));
    int ret = AVERROR(ENOMEM);

    if (!g)
        return ret;
    g->graph = avfilter_graph_alloc();
    g->blank = av_frame_alloc();
    g->out   = av_frame_alloc();
    if (!g->graph || !g->blank || !g->out)
        goto fail;
    g->graph->nb_threads = 1;
    g->blank->width  = g->blank->height = SIDE;
    g->blank->format = AV_PIX_FMT_YUV420P;
    ret = av_frame_get_buffer(g->blank, 0);
    if (ret < 0)
        goto fail;
    for (int i = 0; i < 3; i++)
        memset(g->blank->data[i], 0, (size_t)g->blank->linesize[i] * (i ? SIDE / 2 : SIDE));
    ret = link_filters(g, filters, time_base, frame_rate);
    if (ret < 0)
        goto fail;
    *out = g;
    return 0;
fail:
    timinggraph_free(&g);
    return ret;
}

void timinggraph_free(TimingGraph **gp)
{
    TimingGraph *g = *gp;

    if (!g)
        return;
    avfilter_graph_free(&g->graph);
    av_frame_free(&g->blank);
    av_frame_free(&g->out);
    av_freep(gp);
}

AVRational timinggraph_time_base(const TimingGraph *g)
{
    return av_buffersink_get_time_base(g->sink);
}

AVRational timinggraph_frame_rate(const TimingGraph *g)
{
    return av_buffersink_get_frame_rate(g->sink);
}

int timinggraph_send(TimingGraph *g, const TimingFrame *frame)
{
    g->blank->pts    = frame->pts;
    g->blank->opaque = (void *)(intptr_t)(frame->source + 1);
    if (!g->begun++)
        g->source = frame->source;
    compat_set_frame_duration(g->blank, frame->duration);
    return av_buffersrc_add_frame_flags(g->src, g->blank,
                                        AV_BUFFERSRC_FLAG_KEEP_REF | AV_BUFFERSRC_FLAG_PUSH);
}

int timinggraph_end(TimingGraph *g, int64_t pts)
{
    return av_buffersrc_close(g->src, pts, AV_BUFFERSRC_FLAG_PUSH);
}

int timinggraph_receive(TimingGraph *g, TimingFrame *frame)
{
    int ret = av_buffersink_get_frame(g->sink, g->out);

    if (ret < 0)
        return ret;
    frame->blank    = !g->out->opaque;
    frame->source   = g->source = frame->blank ? g->source : (intptr_t)g->out->opaque - 1;
    frame->pts      = g->out->pts;
    frame->duration = compat_frame_duration(g->out);
    av_frame_unref(g->out);
    return 0;
}
