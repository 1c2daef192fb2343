/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavutil/avstring.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include "../command/filterargs.h"
#include "../command/namelist.h"
#include "../compat.h"
#include "../reason.h"
#include "lavfi.h"

static const AVInputFormat lavfi_format = { .name = "lavfi", .flags = AVFMT_NOFILE };

struct Lavfi {
    AVFilterGraph   *graph;
    AVFilterContext *sink;
    AVFrame         *frame;
    enum AVColorRange range;  ///< of all pictures, like the rest
    enum AVColorSpace space;
};

/** Filters may open files and sockets as soon as they are named: only of these is it sure that they do not, and that
 *  they make the same each time. */
static int is_harmless(const char *name)
{
    static const char *const names[] = {
        "anullsrc", "sine", "aevalsrc", "anoisesrc", "volume", "aformat", "aresample", "asetnsamples",
        "afade", "lowpass", "highpass", "bandpass", "tremolo", "pan", "amerge", "amix",
        "testsrc", "testsrc2", "color", "smptebars", "smptehdbars", "pal75bars", "pal100bars", "rgbtestsrc",
        "yuvtestsrc", "mandelbrot", "allrgb", "allyuv", "format", "scale", "setsar", "noise", "hue", "eq",
        "hflip", "vflip", "crop", "pad", "drawbox", "drawgrid", NULL
    };

    return namelist_has(names, name);
}

/** Look at the names of all filters before libavfilter does. */
static int check_names(const char *s, char *reason, size_t size)
{
    for (;;) {
        char name[64];

        for (s += strspn(s, FILTER_BLANKS ",;"); *s == '['; s += strspn(s, FILTER_BLANKS ",;"))
            s += strcspn(s, "]") + !!strchr(s, ']');
        if (!*s)
            return 0;
        av_strlcpy(name, s, FFMIN(sizeof(name), strcspn(s, "=@[,;" FILTER_BLANKS) + 1));
        if (!is_harmless(name))
            return reason_set(reason, size, "an input is lavfi's with '%s', which is not split yet", name);
        s = filterargs_skip(s, "[,;");
    }
}

/** The formats that the demuxer has codecs for. */
static int limit_sound(AVFilterContext *sink)
{
    static const enum AVSampleFormat formats[] = {
        AV_SAMPLE_FMT_U8, AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_S32, AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_DBL,
        AV_SAMPLE_FMT_NONE
    };
    int ret = av_opt_set_int_list(sink, "sample_fmts", formats, AV_SAMPLE_FMT_NONE, AV_OPT_SEARCH_CHILDREN);

    return ret < 0 ? ret : av_opt_set_int(sink, "all_channel_counts", 1, AV_OPT_SEARCH_CHILDREN);
}

/** 5.1's demuxer names all formats in order, which matters where a source can make several. */
static int limit_pictures(AVFilterContext *sink)
{
    enum AVPixelFormat formats[AV_PIX_FMT_NB + 1];
    int nb = 0;

    if (LIBAVFILTER_VERSION_MAJOR >= 10)
        return 0;
    for (const AVPixFmtDescriptor *d = av_pix_fmt_desc_next(NULL); d; d = av_pix_fmt_desc_next(d))
        if (!(d->flags & AV_PIX_FMT_FLAG_HWACCEL))
            formats[nb++] = av_pix_fmt_desc_get_id(d);
    formats[nb] = AV_PIX_FMT_NONE;
    return av_opt_set_int_list(sink, "pix_fmts", formats, AV_PIX_FMT_NONE, AV_OPT_SEARCH_CHILDREN);
}

static int add_sink(AVFilterGraph *graph, AVFilterInOut *out, AVFilterContext **sink)
{
    int video = avfilter_pad_get_type(out->filter_ctx->output_pads, out->pad_idx) == AVMEDIA_TYPE_VIDEO;
    int ret = avfilter_graph_create_filter(sink, avfilter_get_by_name(video ? "buffersink" : "abuffersink"), "sink",
                                           NULL, NULL, graph);

    if (ret >= 0)
        ret = video ? limit_pictures(*sink) : limit_sound(*sink);
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

static int describe_sound(AVStream *st, const AVFilterContext *sink)
{
    AVCodecParameters *par = st->codecpar;

    par->codec_type  = AVMEDIA_TYPE_AUDIO;
    par->format      = av_buffersink_get_format(sink);
    par->codec_id    = av_get_pcm_codec(par->format, -1);
    par->sample_rate = av_buffersink_get_sample_rate(sink);
    par->bits_per_coded_sample = av_get_bits_per_sample(par->codec_id);
    par->bit_rate    = (int64_t)par->bits_per_coded_sample * par->sample_rate *
                       av_buffersink_get_channels(sink);
    return av_buffersink_get_ch_layout(sink, &par->ch_layout);
}

/** 5.1 hands pictures on as raw video, 7.1 as they are: then all that they say counts. */
static int describe_pictures(Lavfi *l, AVStream *st, char *reason, size_t size)
{
    AVCodecParameters *par = st->codecpar;
    AVRational rate = av_buffersink_get_frame_rate(l->sink);
    int ret = av_buffersink_get_frame_flags(l->sink, l->frame, AV_BUFFERSINK_FLAG_PEEK);

    if (ret < 0)
        return ret;
    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id   = AV_CODEC_ID_RAWVIDEO;
    par->format     = av_buffersink_get_format(l->sink);
    par->codec_tag  = avcodec_pix_fmt_to_codec_tag(par->format);
    par->width      = av_buffersink_get_w(l->sink);
    par->height     = av_buffersink_get_h(l->sink);
    st->sample_aspect_ratio = par->sample_aspect_ratio = av_buffersink_get_sample_aspect_ratio(l->sink);
    l->range = l->frame->color_range;
    l->space = l->frame->colorspace;
    if (COMPAT_TIMING_7) {
        par->color_range   = l->range;
        par->color_space   = l->space;
        st->avg_frame_rate = rate;
    }
    av_frame_unref(l->frame);
    st->r_frame_rate = rate;
    return rate.num > 0 && !av_cmp_q(av_inv_q(rate), st->time_base) ? 0 :
           reason_set(reason, size, "an input is lavfi's with a clock of another kind than pictures a second");
}

static int make_context(AVFormatContext **out, const char *graph, Lavfi *l, char *reason, size_t size)
{
    AVFormatContext *fc = *out = avformat_alloc_context();
    AVStream *st = fc ? avformat_new_stream(fc, NULL) : NULL;

    if (!st || !(fc->url = av_strdup(graph)))
        return AVERROR(ENOMEM);
    fc->iformat    = &lavfi_format;
    fc->start_time = 0;
    st->time_base  = av_buffersink_get_time_base(l->sink);
    st->start_time = 0;
    st->pts_wrap_bits = 64;
    return av_buffersink_get_type(l->sink) == AVMEDIA_TYPE_VIDEO ? describe_pictures(l, st, reason, size) :
           describe_sound(st, l->sink);
}

static int open_graph(Lavfi *l, const char *text, char *reason, size_t size)
{
    AVFilterInOut *in = NULL, *out = NULL;
    int ret;

    l->graph = avfilter_graph_alloc();
    l->frame = av_frame_alloc();
    if (!l->graph || !l->frame)
        return AVERROR(ENOMEM);
    /* what has no context would be taken for a message of ours */
    ret = avfilter_graph_parse_ptr(l->graph, text, &in, &out, l->graph);
    if (ret >= 0 && (in || !out || out->next || !out->name || !av_strstart(out->name, "out", NULL)))
        ret = reason_set(reason, size, "an input is lavfi's with several links, which is not split yet");
    if (ret >= 0)
        ret = add_sink(l->graph, out, &l->sink);
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    return ret;
}

int lavfi_open(Lavfi **out, AVFormatContext **fc, const char *text, int *endless, char *reason, size_t reason_size)
{
    Lavfi *l = *out = av_mallocz(sizeof(*l));
    int ret = l ? check_names(text, reason, reason_size) : AVERROR(ENOMEM);

    *fc = NULL;
    if (ret >= 0)
        ret = open_graph(l, text, reason, reason_size);
    if (ret >= 0)
        ret = make_context(fc, text, l, reason, reason_size);
    if (ret >= 0) {
        (*fc)->duration = find_duration(l->graph);
        *endless = (*fc)->duration == AV_NOPTS_VALUE;
    }
    if (ret < 0 && ret != AVERROR(ENOMEM) && ret != AVERROR_PATCHWELCOME)
        ret = reason_set(reason, reason_size, "the input %s cannot be opened: %s", text, av_err2str(ret));
    if (ret < 0) {
        avformat_free_context(*fc);
        *fc = NULL;
    }
    if (ret < 0 || (*fc)->streams[0]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
        lavfi_close(out);
    return ret;
}

void lavfi_close(Lavfi **lp)
{
    Lavfi *l = *lp;

    if (!l)
        return;
    avfilter_graph_free(&l->graph);
    av_frame_free(&l->frame);
    av_freep(lp);
}

/** Whether raw video beside the stream's parameters says all that the picture does. */
static int is_plain(const Lavfi *l)
{
    const AVFrame *f = l->frame;

    return !av_dict_count(f->metadata) && !f->nb_side_data && f->repeat_pict == 0 &&
           (!COMPAT_TIMING_7 || (f->color_range == l->range && f->colorspace == l->space &&
            f->color_primaries == AVCOL_PRI_UNSPECIFIED && f->color_trc == AVCOL_TRC_UNSPECIFIED));
}

int lavfi_read(Lavfi *l, AVPacket *pkt)
{
    AVFrame *f = l->frame;
    int ret = av_buffersink_get_frame(l->sink, f), size;

    if (ret < 0)
        return ret;
    size = av_image_get_buffer_size(f->format, f->width, f->height, 1);
    ret  = size < 0 ? size : is_plain(l) ? av_new_packet(pkt, size) : AVERROR_PATCHWELCOME;
    if (ret >= 0)
        ret = av_image_copy_to_buffer(pkt->data, size, (const uint8_t *const *)f->data, f->linesize, f->format,
                                      f->width, f->height, 1);
    pkt->pts = pkt->dts = f->pts;
    pkt->duration = 1;
    pkt->flags   |= AV_PKT_FLAG_KEY;
    av_frame_unref(f);
    return FFMIN(ret, 0);
}
