/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decoder.h"

int decoder_alloc(AVCodecContext **dec, const AVCodecParameters *par, AVRational time_base)
{
    const AVCodec *codec = avcodec_find_decoder(par->codec_id);

    *dec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!*dec)
        return codec ? AVERROR(ENOMEM) : AVERROR_DECODER_NOT_FOUND;
    (*dec)->pkt_timebase = time_base;
    return avcodec_parameters_to_context(*dec, par);
}
