/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavcodec/avcodec.h>

#include "../input/decoder.h"
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
    AVFrame *frame = av_frame_alloc();
    AVCodecContext *dec;
    int ret = decoder_alloc(&dec, st->codecpar, st->time_base);

    memset(decoded, LEADIN_NOTHING, nb);
    if (ret == AVERROR_DECODER_NOT_FOUND)
        ret = AVERROR_PATCHWELCOME;
    if (ret >= 0)
        ret = frame ? avcodec_open2(dec, NULL, NULL) : AVERROR(ENOMEM);
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
