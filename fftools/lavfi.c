/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavutil/avstring.h>
#include <libavutil/opt.h>

#include "filterargs.h"
#include "lavfi.h"
#include "reason.h"

#define BLANKS " \n\t\r"

static const AVInputFormat lavfi_format = { .name = "lavfi" };

/** Filters may open files and sockets as soon as they are named: only of these is it sure that they do not. */
static int is_harmless(const char *name)
{
    static const char *const names[] = {
        "anullsrc", "sine", "aevalsrc", "anoisesrc", "volume", "aformat", "aresample", "asetnsamples",
        "afade", "lowpass", "highpass", "bandpass", "tremolo", "pan", "amerge", "amix", NULL
    };

    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], name))
            return 1;
    return 0;
}

/** Look at the names of all filters before libavfilter does. */
static int check_names(const char *s, char *reason, size_t size)
{
    for (;;) {
        char name[64];

        for (s += strspn(s, BLANKS ",;"); *s == '['; s += strspn(s, BLANKS ",;"))
            s += strcspn(s, "]") + !!strchr(s, ']');
        if (!*s)
            return 0;
        av_strlcpy(name, s, FFMIN(sizeof(name), strcspn(s, "=@[,;" BLANKS) + 1));
        if (!is_harmless(name))
            return reason_set(reason, size, "an input is lavfi's with '%s', which is not split yet", name);
        s = filterargs_skip(s, "[,;");
    }
}

/** The formats that the demuxer has codecs for. */
static int add_sink(AVFilterGraph *graph, AVFilterInOut *out, AVFilterContext **sink)
{
    static const enum AVSampleFormat formats[] = {
        AV_SAMPLE_FMT_U8, AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_S32, AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_DBL,
        AV_SAMPLE_FMT_NONE
    };
    int ret = avfilter_graph_create_filter(sink, avfilter_get_by_name("abuffersink"), "sink", NULL, NULL,
                                           graph);

    if (ret >= 0)
        ret = av_opt_set_int_list(*sink, "sample_fmts", formats, AV_SAMPLE_FMT_NONE,
                                  AV_OPT_SEARCH_CHILDREN);
    if (ret >= 0)
        ret = av_opt_set_int(*sink, "all_channel_counts", 1, AV_OPT_SEARCH_CHILDREN);
    if (ret >= 0)
        ret = avfilter_link(out->filter_ctx, out->pad_idx, *sink, 0);
    return ret < 0 ? ret : avfilter_graph_config(graph, NULL);
}

/** Sources without a duration go on for ever. @return of the one that ends first; AV_NOPTS_VALUE: one never does */
static int64_t find_duration(const AVFilterGraph *graph)
{
    int64_t least = INT64_MAX;

    for (unsigned i = 0; i < graph->nb_filters; i++) {
        int64_t duration = 0;

        if (graph->filters[i]->nb_inputs)
            continue;
        if (av_opt_get_int(graph->filters[i]->priv, "duration", 0, &duration) < 0 || duration <= 0)
            return AV_NOPTS_VALUE;
        least = FFMIN(least, duration);
    }
    return least;
}

static int make_context(AVFormatContext **out, const char *graph, const AVFilterContext *sink)
{
    AVFormatContext *fc = *out = avformat_alloc_context();
    AVStream *st = fc ? avformat_new_stream(fc, NULL) : NULL;
    AVCodecParameters *par;

    if (!st || !(fc->url = av_strdup(graph)))
        return AVERROR(ENOMEM);
    fc->iformat    = &lavfi_format;
    fc->start_time = 0;
    st->time_base  = av_buffersink_get_time_base(sink);
    st->start_time = 0;
    par = st->codecpar;
    par->codec_type  = AVMEDIA_TYPE_AUDIO;
    par->format      = av_buffersink_get_format(sink);
    par->codec_id    = av_get_pcm_codec(par->format, -1);
    par->sample_rate = av_buffersink_get_sample_rate(sink);
    par->bits_per_coded_sample = av_get_bits_per_sample(par->codec_id);
    par->bit_rate    = (int64_t)par->bits_per_coded_sample * par->sample_rate *
                       av_buffersink_get_channels(sink);
    return av_buffersink_get_ch_layout(sink, &par->ch_layout);
}

int lavfi_open(AVFormatContext **fc, const char *text, int *endless, char *reason, size_t reason_size)
{
    AVFilterGraph *graph = avfilter_graph_alloc();
    AVFilterInOut *in = NULL, *out = NULL;
    AVFilterContext *sink = NULL;
    int ret = graph ? check_names(text, reason, reason_size) : AVERROR(ENOMEM);

    *fc = NULL;
    if (ret < 0)
        goto end;
    ret = avfilter_graph_parse_ptr(graph, text, &in, &out, NULL);
    if (ret >= 0 && (in || !out || out->next || !out->name || !av_strstart(out->name, "out", NULL)))
        ret = reason_set(reason, reason_size, "an input is lavfi's with several links, which is not split yet");
    if (ret >= 0)
        ret = add_sink(graph, out, &sink);
    if (ret >= 0) {
        ret = make_context(fc, text, sink);
    }
    if (ret >= 0) {
        (*fc)->duration = find_duration(graph);
        *endless = (*fc)->duration == AV_NOPTS_VALUE;
    }
    if (ret < 0 && ret != AVERROR(ENOMEM) && ret != AVERROR_PATCHWELCOME)
        ret = reason_set(reason, reason_size, "the input %s cannot be opened: %s", text, av_err2str(ret));
end:
    if (ret < 0) {
        avformat_free_context(*fc);
        *fc = NULL;
    }
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    avfilter_graph_free(&graph);
    return ret;
}
