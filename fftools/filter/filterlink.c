/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "filterlink.h"

int filterlink_open(AVFilterGraph *graph, const char *source, const char *filters,
                    AVFilterContext **src, AVFilterContext **sink)
{
    AVFilterInOut *in = avfilter_inout_alloc(), *out = avfilter_inout_alloc();
    int ret = AVERROR(ENOMEM);

    if (!in || !out)
        goto end;
    ret = avfilter_graph_create_filter(src, avfilter_get_by_name("buffer"), "in", source, NULL, graph);
    if (ret >= 0)
        ret = avfilter_graph_create_filter(sink, avfilter_get_by_name("buffersink"), "out", NULL, NULL, graph);
    if (ret < 0)
        goto end;
    *out = (AVFilterInOut) { .name = av_strdup("in"), .filter_ctx = *src };
    *in  = (AVFilterInOut) { .name = av_strdup("out"), .filter_ctx = *sink };
    ret = avfilter_graph_parse_ptr(graph, filters, &in, &out, graph);
    if (ret >= 0)
        ret = avfilter_graph_config(graph, NULL);
end:
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    return ret;
}
