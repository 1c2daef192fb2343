/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../compat.h"
#include "../input/onepicture.h"
#include "../reason.h"
#include "samepicture.h"

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

int samepicture_check(PictureKind *first, const AVStream *st, const AVPacket *pkt, char *reason, size_t reason_size)
{
    AVFrame *frame;
    enum AVPictureType type;
    PictureKind kind;
    int key, ret;

    if (st->codecpar->codec_id == AV_CODEC_ID_RAWVIDEO)
        return 0;
    frame = av_frame_alloc();
    if (!frame)
        return AVERROR(ENOMEM);
    ret  = onepicture_decode(frame, st->codecpar, pkt);
    /* the container's word counts for more */
    if (st->sample_aspect_ratio.num)
        frame->sample_aspect_ratio = st->sample_aspect_ratio;
    kind = kind_of(frame);
    type = frame->pict_type;
    key  = compat_is_key(frame);
    av_frame_free(&frame);
    if (ret < 0)
        return ret == AVERROR(ENOMEM) ? ret : 0;
    /* where a container does not tell which ones are keyframes, all count as such */
    if (!key && (type == AV_PICTURE_TYPE_P || type == AV_PICTURE_TYPE_B))
        return reason_set(reason, reason_size, "the input's keyframes cannot all be decoded by themselves");
    if (!first->known)
        *first = kind;
    return is_same(first, &kind) ? 0 :
           reason_set(reason, reason_size, "the input's pictures change their size, shape or format");
}
