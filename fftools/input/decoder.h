/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_DECODER_H
#define FFLEET_DECODER_H

/** @file Decoding here, in this process, where only a decoder tells what stock is going to see. */

#include <libavcodec/avcodec.h>

/**
 * The decoder that stock takes for such packets if it is told nothing. It is to be opened by
 * avcodec_open2(*dec, NULL, NULL), and in any case given back with avcodec_free_context().
 * @param time_base of the packets
 * @return 0, AVERROR_DECODER_NOT_FOUND, AVERROR(ENOMEM), or what the parameters are refused with
 */
int decoder_alloc(AVCodecContext **dec, const AVCodecParameters *par, AVRational time_base);

#endif
