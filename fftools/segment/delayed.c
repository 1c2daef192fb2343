/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/mem.h>

#include "../compat.h"
#include "delayed.h"

#define MAX_WAITING 64

enum { UNKNOWN, SHOWN_AT_ONCE, SHOWN_LATER };

struct Delayed {
    const AVStream *st;
    AVPacket *queue[MAX_WAITING];
    int      nb;
    int      blank;       ///< of them that whose frame the decoder holds, without a pts; -1: none
    int      holds;       ///< it holds a frame
    int64_t  held_pts, held_duration;
    int64_t  last_pts;    ///< of the last frame that came out
    int64_t  last_end;    ///< where it ends
    int64_t  next_dts;    ///< behind the last packet
    int      eof;
};

int delayed_is_needed(const AVCodecParameters *par)
{
    return par->video_delay > 0 &&
           (par->codec_id == AV_CODEC_ID_MPEG1VIDEO || par->codec_id == AV_CODEC_ID_MPEG2VIDEO ||
            par->codec_id == AV_CODEC_ID_MPEG4);
}

int delayed_open(Delayed **out, const AVStream *st)
{
    Delayed *d = *out = av_mallocz(sizeof(*d));

    if (!d)
        return AVERROR(ENOMEM);
    d->st       = st;
    d->blank    = -1;
    d->last_pts = d->last_end = d->next_dts = AV_NOPTS_VALUE;
    return 0;
}

void delayed_close(Delayed **dp)
{
    Delayed *d = *dp;

    if (!d)
        return;
    for (int i = 0; i < d->nb; i++)
        av_packet_free(&d->queue[i]);
    av_freep(dp);
}

/** The first picture's header from a place on; at its end if there is none. */
static int find_picture(const AVPacket *pkt, int from, uint8_t code)
{
    int i = from;

    while (i + 5 < pkt->size && (pkt->data[i] || pkt->data[i + 1] || pkt->data[i + 2] != 1 || pkt->data[i + 3] != code))
        i++;
    return i + 5 < pkt->size ? i + 4 : pkt->size;
}

static int picture_kind(const Delayed *d, const AVPacket *pkt)
{
    int part4 = d->st->codecpar->codec_id == AV_CODEC_ID_MPEG4;
    int at    = find_picture(pkt, 0, part4 ? 0xb6 : 0x00);

    /* two in a packet, as of DivX */
    if (at == pkt->size || (part4 && find_picture(pkt, at, 0xb6) < pkt->size))
        return UNKNOWN;
    if (part4)
        return pkt->data[at] >> 6 == 2 ? SHOWN_AT_ONCE : SHOWN_LATER;
    return (pkt->data[at + 1] >> 3 & 7) == 3 ? SHOWN_AT_ONCE : SHOWN_LATER;
}

/** A frame comes out. @return whether that is in order */
static int come_out(Delayed *d, int64_t pts, int64_t duration)
{
    if (pts == AV_NOPTS_VALUE || (d->last_pts != AV_NOPTS_VALUE && pts <= d->last_pts))
        return 0;
    d->last_pts = pts;
    d->last_end = pts + duration;
    return 1;
}

/** The frame that the decoder holds comes out. @param dts what stock takes if it has no pts */
static int release(Delayed *d, int64_t dts)
{
    if (!d->holds)
        return 1;
    d->holds = 0;
    if (d->blank >= 0) {
        d->queue[d->blank]->pts = d->held_pts = dts;
        d->blank = -1;
        if (dts == AV_NOPTS_VALUE)
            return 1;
    }
    return come_out(d, d->held_pts, d->held_duration);
}

/** What cannot be known is no longer waited for, nor checked. */
static void give_up(Delayed *d)
{
    d->holds    = 0;
    d->blank    = -1;
    d->last_pts = d->last_end = AV_NOPTS_VALUE;
}

int delayed_send(Delayed *d, AVPacket *pkt)
{
    int kind, ordered = 1;
    AVPacket *copy;

    if (!pkt) {
        d->eof = 1;
        return release(d, COMPAT_TIMING_7 ? d->last_end : d->next_dts) ? 0 : AVERROR_INVALIDDATA;
    }
    kind = picture_kind(d, pkt);
    if (kind == UNKNOWN || d->nb == MAX_WAITING - 1)
        give_up(d);
    if (kind == SHOWN_AT_ONCE && pkt->pts != AV_NOPTS_VALUE) {
        ordered = !d->holds || come_out(d, pkt->pts, pkt->duration);
    } else if (kind == SHOWN_LATER) {
        ordered     = release(d, pkt->dts);
        d->holds    = 1;
        d->held_pts = pkt->pts;
        d->blank    = pkt->pts == AV_NOPTS_VALUE ? d->nb : -1;
        d->held_duration = pkt->duration;
    }
    d->next_dts = pkt->dts == AV_NOPTS_VALUE || pkt->duration <= 0 ? AV_NOPTS_VALUE : pkt->dts + pkt->duration;
    copy = av_packet_alloc();
    if (!copy)
        return AVERROR(ENOMEM);
    av_packet_move_ref(copy, pkt);
    d->queue[d->nb++] = copy;
    return ordered ? 0 : AVERROR_INVALIDDATA;
}

int delayed_receive(Delayed *d, AVPacket *pkt)
{
    if (!d->nb)
        return d->eof ? AVERROR_EOF : AVERROR(EAGAIN);
    if (!d->blank && !d->eof)
        return AVERROR(EAGAIN);
    d->blank -= d->blank >= 0;
    av_packet_move_ref(pkt, d->queue[0]);
    av_packet_free(&d->queue[0]);
    memmove(d->queue, d->queue + 1, --d->nb * sizeof(*d->queue));
    return 0;
}
