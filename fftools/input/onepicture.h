/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_ONEPICTURE_H
#define FFLEET_ONEPICTURE_H

/** @file The picture of a single keyframe, to be looked at. */

#include <libavcodec/avcodec.h>

/**
 * Decode a keyframe by itself, quickly: without what smooths the edges of blocks. Says nothing of it.
 * @param frame gets the picture
 * @return 0; AVERROR_INVALIDDATA: there is no whole picture in it; AVERROR_DECODER_NOT_FOUND; AVERROR(ENOMEM)
 */
int onepicture_decode(AVFrame *frame, const AVCodecParameters *par, const AVPacket *pkt);

#endif
