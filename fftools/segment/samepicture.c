/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>

#include "samepicture.h"

static int decode(AVFrame *frame, const AVStream *st, const AVPacket *pkt)
{
    const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
    AVCodecContext *dec  = codec ? avcodec_alloc_context3(codec) : NULL;
    int ret = !codec ? AVERROR_DECODER_NOT_FOUND : dec ? 0 : AVERROR(ENOMEM);

    if (ret >= 0)
        ret = avcodec_parameters_to_context(dec, st->codecpar);
    if (ret >= 0) {
        dec->thread_count     = 1;
        dec->skip_loop_filter = AVDISCARD_ALL;
        /* if it is damaged, somebody else will say so */
        dec->log_level_offset = AV_LOG_TRACE;
        ret = avcodec_open2(dec, codec, NULL);
    }
    if (ret >= 0)
        ret = avcodec_send_packet(dec, pkt);
    if (ret >= 0)
        ret = avcodec_send_packet(dec, NULL);
    if (ret >= 0)
        ret = avcodec_receive_frame(dec, frame);
    avcodec_free_context(&dec);
    return ret;
}

static PictureKind kind_of(const AVFrame *f)
{
    return (PictureKind) {
        .known = 1, .width = f->width, .height = f->height, .format = f->format,
        .sample_aspect_ratio = f->sample_aspect_ratio,
        .colorspace = f->colorspace, .color_range = f->color_range,
        .color_primaries = f->color_primaries, .color_trc = f->color_trc,
    };
}

static int is_same(const PictureKind *a, const PictureKind *b)
{
    return a->width == b->width && a->height == b->height && a->format == b->format &&
           !av_cmp_q(a->sample_aspect_ratio, b->sample_aspect_ratio) &&
           a->colorspace == b->colorspace && a->color_range == b->color_range &&
           a->color_primaries == b->color_primaries && a->color_trc == b->color_trc;
}

int samepicture_check(PictureKind *first, const AVStream *st, const AVPacket *pkt)
{
    AVFrame *frame = av_frame_alloc();
    PictureKind kind;
    int ret;

    if (!frame)
        return AVERROR(ENOMEM);
    ret  = decode(frame, st, pkt);
    /* the container's word counts for more */
    if (st->sample_aspect_ratio.num)
        frame->sample_aspect_ratio = st->sample_aspect_ratio;
    kind = kind_of(frame);
    av_frame_free(&frame);
    if (ret < 0)
        return ret == AVERROR(ENOMEM) ? ret : 1;
    if (!first->known)
        *first = kind;
    return is_same(first, &kind);
}
