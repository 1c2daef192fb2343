/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavcodec/avcodec.h>

#include "leadin.h"

/** @return the packet with that pts, or -1 */
static int find_packet(AVPacket *const *pkts, int nb, int64_t pts)
{
    for (int i = 0; i < nb; i++)
        if (pkts[i]->pts == pts)
            return i;
    return -1;
}

static int receive_frames(AVCodecContext *dec, AVFrame *frame, AVPacket *const *pkts, int nb,
                          uint8_t *decoded)
{
    int ret;

    while ((ret = avcodec_receive_frame(dec, frame)) >= 0) {
        int i = find_packet(pkts, nb, frame->best_effort_timestamp);

        if (i < 0)
            return AVERROR_PATCHWELCOME;
        decoded[i] = frame->decode_error_flags || frame->flags & AV_FRAME_FLAG_CORRUPT ? LEADIN_DAMAGED :
                     LEADIN_WHOLE;
        av_frame_unref(frame);
    }
    return ret == AVERROR(EAGAIN) || ret == AVERROR_EOF ? 0 : ret;
}

int leadin_decode(const AVStream *st, AVPacket *const *pkts, int nb, uint8_t *decoded)
{
    const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
    AVCodecContext *dec = avcodec_alloc_context3(codec);
    AVFrame *frame = av_frame_alloc();
    int ret = dec && frame ? 0 : AVERROR(ENOMEM);

    memset(decoded, LEADIN_NOTHING, nb);
    if (!codec)
        ret = AVERROR_PATCHWELCOME;
    if (ret >= 0)
        ret = avcodec_parameters_to_context(dec, st->codecpar);
    if (ret >= 0) {
        dec->pkt_timebase = st->time_base;
        ret = avcodec_open2(dec, codec, NULL);
    }
    for (int i = 0; ret >= 0 && i <= nb; i++) {
        /* what cannot be decoded ffmpeg goes past */
        ret = avcodec_send_packet(dec, i < nb ? pkts[i] : NULL);
        if (ret != AVERROR(ENOMEM))
            ret = receive_frames(dec, frame, pkts, nb, decoded);
        if (ret == AVERROR_INVALIDDATA)
            ret = 0;
    }
    av_frame_free(&frame);
    avcodec_free_context(&dec);
    return ret;
}
