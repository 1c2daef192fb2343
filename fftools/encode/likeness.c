/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/macros.h>

#include "../compat.h"
#include "../filter/filterlink.h"
#include "../input/decoder.h"
#include "../segment/wire.h"
#include "hostcommand.h"
#include "likeness.h"

/*
 * As levels of 0 to 255, and of 1: encoders blur and shift much less, and hardly ever anything that
 * two films share is more.
 */
#define FAR_APART   24
#define UNCORRELATED 0.5
/* Packets to look for the first picture in: where the keyframe is far before it, that would be half an encode. */
#define MAX_PACKETS 32
#define THUMBNAIL "scale=" AV_STRINGIFY(LIKENESS_WIDTH) ":" AV_STRINGIFY(LIKENESS_HEIGHT) ":flags=area,format=gray"

/** Decoded frames through filters. */
typedef struct Thumbnailer {
    AVFilterGraph   *graph;
    AVFilterContext *src, *sink;
} Thumbnailer;

static void thumbnailer_close(Thumbnailer *t)
{
    avfilter_graph_free(&t->graph);
}

/** @param like what the frames will be */
static int thumbnailer_open(Thumbnailer *t, const AVFrame *like, AVRational tb, AVRational rate, const char *filters)
{
    char source[256];

    snprintf(source, sizeof(source), "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d:pixel_aspect=%d/%d",
             like->width, like->height, like->format, tb.num, tb.den, like->sample_aspect_ratio.num,
             FFMAX(like->sample_aspect_ratio.den, 1));
    if (rate.num > 0 && rate.den > 0)
        av_strlcatf(source, sizeof(source), ":frame_rate=%d/%d", rate.num, rate.den);
    compat_add_source_colors(source, sizeof(source), like);
    t->graph = avfilter_graph_alloc();
    if (!t->graph)
        return AVERROR(ENOMEM);
    t->graph->nb_threads = 1;
    return filterlink_open(t->graph, source, filters, &t->src, &t->sink);
}

/** The thumbnail of one picture. */
static int shrink(const AVFrame *picture, AVFrame *thumbnail)
{
    Thumbnailer t = { 0 };
    int ret = thumbnailer_open(&t, picture, av_make_q(1, 25), av_make_q(0, 1), THUMBNAIL);

    if (ret >= 0)
        ret = av_buffersrc_write_frame(t.src, picture);
    if (ret >= 0)
        ret = av_buffersrc_close(t.src, AV_NOPTS_VALUE, 0);
    if (ret >= 0)
        ret = av_buffersink_get_frame(t.sink, thumbnail);
    thumbnailer_close(&t);
    return ret;
}

/** The source of a segment, as a host gets it. */
typedef struct Source {
    WireReader     *reader;
    AVCodecContext *dec;
    AVPacket       *pkt;
    AVFrame        *frame;
    Thumbnailer     filters;
    int             nb_packets;
} Source;

static void source_close(Source *s)
{
    thumbnailer_close(&s->filters);
    wire_reader_close(&s->reader);
    avcodec_free_context(&s->dec);
    av_packet_free(&s->pkt);
    av_frame_free(&s->frame);
}

static int source_open(Source *s, const Plan *plan, const Segment *seg)
{
    const AVCodecParameters *par;
    int ret = wire_reader_open(&s->reader, seg->task.input, 0, 1);

    if (ret < 0)
        return ret;
    par      = wire_reader_stream(s->reader)->codecpar;
    s->pkt   = av_packet_alloc();
    s->frame = av_frame_alloc();
    if (!s->pkt || !s->frame)
        return AVERROR(ENOMEM);
    ret = decoder_alloc(&s->dec, par, wire_reader_stream(s->reader)->time_base);
    if (ret < 0)
        return ret;
    if (hostcommand_input_tag(plan))
        s->dec->codec_tag = hostcommand_input_tag(plan);
    s->dec->log_level_offset = AV_LOG_MAX_OFFSET;
    s->dec->thread_count     = 1;
    return avcodec_open2(s->dec, NULL, NULL);
}

/** @return 0; AVERROR_EOF: there are no more frames; other AVERROR codes */
static int source_decode(Source *s)
{
    int ret;

    while ((ret = avcodec_receive_frame(s->dec, s->frame)) == AVERROR(EAGAIN)) {
        if (s->nb_packets++ == MAX_PACKETS)
            return AVERROR_PATCHWELCOME;
        ret = wire_read(s->reader, s->pkt);
        if (ret < 0 && ret != AVERROR_EOF)
            return ret;
        ret = avcodec_send_packet(s->dec, ret < 0 ? NULL : s->pkt);
        av_packet_unref(s->pkt);
        if (ret < 0)
            return ret;
    }
    s->frame->pts = s->frame->best_effort_timestamp;
    return ret;
}

/** The filters of a host, and behind them the thumbnail's. */
static int source_filter(Source *s, const Plan *plan, const Segment *seg)
{
    const AVStream *st = wire_reader_stream(s->reader);
    AVBPrint filters;
    int ret;

    av_bprint_init(&filters, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = hostcommand_print_filters(&filters, plan, seg, "," THUMBNAIL "[out]");
    if (ret >= 0)
        ret = av_bprint_is_complete(&filters) ?
              thumbnailer_open(&s->filters, s->frame, st->time_base, plan->in_frame_rate, filters.str) : AVERROR(ENOMEM);
    av_bprint_finalize(&filters, NULL);
    return ret;
}

/** The thumbnail of the first picture that should come of it. */
static int source_thumbnail(Source *s, const Plan *plan, const Segment *seg, AVFrame *thumbnail)
{
    int ret = source_open(s, plan, seg);

    while (ret >= 0) {
        ret = source_decode(s);
        if (ret >= 0 && !s->filters.graph)
            ret = source_filter(s, plan, seg);
        if (ret >= 0)
            ret = av_buffersrc_add_frame_flags(s->filters.src, s->frame, AV_BUFFERSRC_FLAG_PUSH);
        else if (ret == AVERROR_EOF && s->filters.graph)
            ret = av_buffersrc_close(s->filters.src, AV_NOPTS_VALUE, AV_BUFFERSRC_FLAG_PUSH);
        if (ret < 0 && ret != AVERROR_EOF)
            break;
        if (!s->filters.graph)
            break;
        ret = av_buffersink_get_frame(s->filters.sink, thumbnail);
        if (ret != AVERROR(EAGAIN))
            break;
        ret = 0;
    }
    return ret;
}

int likeness_differs(const uint8_t *a, int a_linesize, const uint8_t *b, int b_linesize)
{
    const double n = LIKENESS_WIDTH * LIKENESS_HEIGHT;
    double apart = 0, sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0, spread;

    for (int y = 0; y < LIKENESS_HEIGHT; y++, a += a_linesize, b += b_linesize)
        for (int x = 0; x < LIKENESS_WIDTH; x++) {
            apart += abs(a[x] - b[x]);
            sum_a += a[x];
            sum_b += b[x];
            aa    += a[x] * a[x];
            bb    += b[x] * b[x];
            ab    += a[x] * b[x];
        }
    spread = (aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n);
    return apart / n > FAR_APART && ab - sum_a * sum_b / n < UNCORRELATED * sqrt(FFMAX(spread, n));
}

int likeness_check(const Plan *plan, const Segment *seg, const AVFrame *picture)
{
    AVFrame *theirs = av_frame_alloc(), *ours = av_frame_alloc();
    Source source = { 0 };
    int ret = AVERROR(ENOMEM), alike = 1;

    /* pictures that are laid over it, fonts and other files are on hosts; and here there is one input */
    if (plan->files.nb_files || plan->font_filters ||
        (plan->path && (plan->path->nb_sides || plan->path->nb_sources > 1)))
        ret = 0;
    else if (theirs && ours && (ret = source_thumbnail(&source, plan, seg, ours)) >= 0 &&
             (ret = shrink(picture, theirs)) >= 0)
        alike = !likeness_differs(ours->data[0], ours->linesize[0], theirs->data[0], theirs->linesize[0]);
    source_close(&source);
    av_frame_free(&theirs);
    av_frame_free(&ours);
    return ret == AVERROR(ENOMEM) ? ret : alike;
}
