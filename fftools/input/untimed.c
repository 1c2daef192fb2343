/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>

#include "../compat.h"
#include "decoder.h"
#include "untimed.h"

#define MAX_DELAY 64   /* packets that wait for a frame; decoders are one frame behind for each that is reordered */

typedef struct Waiting {
    AVPacket *pkt;
    int64_t   pts;         ///< AV_NOPTS_VALUE: not known yet
} Waiting;

struct Untimed {
    const AVStream *st;
    AVCodecContext *dec;
    AVFrame *frame;
    Waiting  queue[MAX_DELAY];
    int      nb;
    int64_t  first;        ///< number of the first one in the queue
    int64_t  last_pts;     ///< of the last frame
    int      ended;
    /* stock's clock: of 5.1, in microseconds */
    int64_t  next_dts;
    int64_t  drained[MAX_DELAY]; ///< times for frames that come when the decoder is drained
    int      nb_drained;
    int64_t  last_duration; ///< 7.1's
};

int untimed_is_needed(const AVFormatContext *fc, const AVStream *st)
{
    static const char *const formats[] = { "h264", "hevc", "mpegvideo", "m4v" };

    if (COMPAT_TIMING_7)
        return fc->iformat->flags & AVFMT_NOTIMESTAMPS && st->codecpar->codec_id != AV_CODEC_ID_RAWVIDEO;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(formats); i++)
        if (!strcmp(fc->iformat->name, formats[i]))
            return 1;
    return 0;
}

int untimed_open(Untimed **out, const AVStream *st)
{
    Untimed *u = *out = av_mallocz(sizeof(*u));
    int ret;

    if (!u)
        return AVERROR(ENOMEM);
    u->st       = st;
    u->last_pts = AV_NOPTS_VALUE;
    u->frame    = av_frame_alloc();
    ret = decoder_alloc(&u->dec, st->codecpar, st->time_base);
    if (ret >= 0 && !u->frame)
        ret = AVERROR(ENOMEM);
    if (ret < 0)
        return ret == AVERROR_DECODER_NOT_FOUND ? AVERROR_PATCHWELCOME : ret;
    u->dec->thread_count     = 1;
    /* nobody looks at the pictures */
    u->dec->skip_loop_filter = AVDISCARD_ALL;
    compat_number_frames(u->dec);
    if (!COMPAT_TIMING_7)
        u->dec->framerate = st->avg_frame_rate;
    if (avcodec_open2(u->dec, NULL, NULL) < 0)
        return AVERROR_PATCHWELCOME;
    if (st->avg_frame_rate.num)
        u->next_dts = -u->dec->has_b_frames * AV_TIME_BASE / av_q2d(st->avg_frame_rate);
    return 0;
}

void untimed_close(Untimed **up)
{
    Untimed *u = *up;

    if (!u)
        return;
    for (int i = 0; i < u->nb; i++)
        av_packet_free(&u->queue[i].pkt);
    av_frame_free(&u->frame);
    avcodec_free_context(&u->dec);
    av_freep(up);
}

/** What 5.1 adds to its clock when there is no packet any more. */
static int64_t drain_duration(const AVCodecContext *dec)
{
    AVRational rate = dec->framerate;

    return rate.num > 0 && rate.den > 0 ? (int64_t)AV_TIME_BASE * rate.den / rate.num : 0;
}

/**
 * 5.1: a frame without timestamp has that of the packet with which it comes out; when drained, of
 * the clock going on.
 */
static int64_t time_of_51(Untimed *u)
{
    int64_t pts = u->frame->best_effort_timestamp;

    if (pts != AV_NOPTS_VALUE || !u->nb_drained)
        return pts;
    pts = u->drained[0];
    memmove(u->drained, u->drained + 1, --u->nb_drained * sizeof(*u->drained));
    return pts;
}

/** 7.1: where the one before ends. */
static int64_t time_of_71(Untimed *u)
{
    int64_t pts = u->last_pts == AV_NOPTS_VALUE ? 0 : u->last_pts + u->last_duration;
    AVRational rate = av_mul_q(u->dec->framerate, (AVRational) { 2, 1 });
    int64_t d = rate.num && rate.den ? av_rescale_q(u->frame->repeat_pict + 2, av_inv_q(rate), u->st->time_base) : 0;

    u->last_duration = d;
    return d > 0 ? pts : AV_NOPTS_VALUE;
}

static int take_frame(Untimed *u)
{
    int64_t i = compat_frame_number(u->frame) - u->first;
    int64_t pts = COMPAT_TIMING_7 ? time_of_71(u) : time_of_51(u);

    if (i < 0 || i >= u->nb || u->queue[i].pts != AV_NOPTS_VALUE || pts == AV_NOPTS_VALUE ||
        (u->last_pts != AV_NOPTS_VALUE && pts <= u->last_pts) || u->frame->decode_error_flags)
        return AVERROR_PATCHWELCOME;
    if (COMPAT_TIMING_7)
        u->queue[i].pkt->duration = u->last_duration;
    u->queue[i].pts = u->last_pts = pts;
    av_frame_unref(u->frame);
    return 0;
}

/** @return how many frames came, or an AVERROR code */
static int receive_frames(Untimed *u, int max)
{
    int nb = 0, ret;

    while (nb <= max && (ret = avcodec_receive_frame(u->dec, u->frame)) >= 0) {
        ret = take_frame(u);
        if (ret < 0)
            return ret;
        nb++;
    }
    return nb > max ? AVERROR_PATCHWELCOME : ret == AVERROR(ENOMEM) ? ret :
           ret != AVERROR(EAGAIN) && ret != AVERROR_EOF ? AVERROR_PATCHWELCOME : nb;
}

static int drain(Untimed *u)
{
    int64_t d = drain_duration(u->dec);

    for (int i = 0; i < MAX_DELAY && d > 0; i++, u->nb_drained++)
        u->drained[i] = av_rescale_q(u->next_dts + i * d, AV_TIME_BASE_Q, u->st->time_base);
    u->ended = 1;
    if (avcodec_send_packet(u->dec, NULL) < 0 || receive_frames(u, MAX_DELAY) < 0)
        return AVERROR_PATCHWELCOME;
    for (int i = 0; i < u->nb; i++)
        if (u->queue[i].pts == AV_NOPTS_VALUE)
            return AVERROR_PATCHWELCOME;
    return 0;
}

int untimed_send(Untimed *u, AVPacket *pkt)
{
    AVPacket *copy;
    int ret;

    if (!pkt)
        return u->ended ? 0 : drain(u);
    /* 5.1 would go by the parser then */
    if (u->nb == MAX_DELAY || pkt->duration <= 0)
        return AVERROR_PATCHWELCOME;
    copy = av_packet_clone(pkt);
    if (!copy)
        return AVERROR(ENOMEM);
    u->queue[u->nb++] = (Waiting) { copy, AV_NOPTS_VALUE };
    compat_number_packet(pkt, u->first + u->nb - 1);
    if (COMPAT_TIMING_7) {
        pkt->pts = pkt->dts = AV_NOPTS_VALUE;
    } else {
        if (pkt->dts != AV_NOPTS_VALUE)
            u->next_dts = av_rescale_q(pkt->dts, u->st->time_base, AV_TIME_BASE_Q);
        pkt->dts = av_rescale_q(u->next_dts, AV_TIME_BASE_Q, u->st->time_base);
        u->next_dts += av_rescale_q(pkt->duration, u->st->time_base, AV_TIME_BASE_Q);
    }
    ret = avcodec_send_packet(u->dec, pkt);
    if (ret >= 0)
        ret = receive_frames(u, 1);
    return ret >= 0 || ret == AVERROR(ENOMEM) ? FFMIN(ret, 0) : AVERROR_PATCHWELCOME;
}

int untimed_receive(Untimed *u, AVPacket *pkt)
{
    int64_t pts = u->queue[0].pts;

    if (!u->nb)
        return u->ended ? AVERROR_EOF : AVERROR(EAGAIN);
    if (pts == AV_NOPTS_VALUE)
        return AVERROR(EAGAIN);
    av_packet_move_ref(pkt, u->queue[0].pkt);
    av_packet_free(&u->queue[0].pkt);
    memmove(u->queue, u->queue + 1, --u->nb * sizeof(*u->queue));
    u->first++;
    pkt->pts = pts;
    /* later frames come out later */
    pkt->dts = u->last_pts;
    for (int i = 0; i < u->nb; i++)
        if (u->queue[i].pts != AV_NOPTS_VALUE)
            pkt->dts = FFMIN(pkt->dts, u->queue[i].pts - 1);
    return 0;
}
