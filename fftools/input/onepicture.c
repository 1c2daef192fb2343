/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/log.h>

#include "onepicture.h"

static int decode(AVCodecContext *dec, const AVCodec *decoder, AVFrame *frame, const AVCodecParameters *par,
                  const AVPacket *pkt)
{
    int ret = avcodec_parameters_to_context(dec, par);

    dec->thread_count     = 1;
    dec->skip_loop_filter = AVDISCARD_ALL;
    dec->log_level_offset = AV_LOG_MAX_OFFSET;
    if (ret >= 0)
        ret = avcodec_open2(dec, decoder, NULL);
    if (ret >= 0)
        ret = avcodec_send_packet(dec, pkt);
    if (ret >= 0)
        ret = avcodec_send_packet(dec, NULL);
    return ret < 0 ? ret : avcodec_receive_frame(dec, frame);
}

int onepicture_decode(AVFrame *frame, const AVCodecParameters *par, const AVPacket *pkt)
{
    const AVCodec *decoder = avcodec_find_decoder(par->codec_id);
    AVCodecContext *dec;
    int ret;

    /* libavcodec's own decoder of AV1 needs hardware */
    if (!decoder || !strcmp(decoder->name, "av1"))
        return AVERROR_DECODER_NOT_FOUND;
    dec = avcodec_alloc_context3(decoder);
    if (!dec)
        return AVERROR(ENOMEM);
    ret = decode(dec, decoder, frame, par, pkt);
    avcodec_free_context(&dec);
    if (ret == AVERROR(ENOMEM))
        return ret;
    return ret < 0 || frame->decode_error_flags ? AVERROR_INVALIDDATA : 0;
}
