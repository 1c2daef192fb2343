/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SIGNATURE_H
#define FFLEET_SIGNATURE_H

/**
 * @file
 * libavcodec decodes 4:4:4 and lossless H.264 in another way where x264 before its build 151 has made it, which only
 * the first keyframe tells. So all others get that message, too. Knowledge: libavcodec/h264_sei.c, h264_mb.c and
 * h264_cabac.c; ITU-T H.264 D.1.7.
 */

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>

typedef struct Signature {
    uint8_t *unit;     ///< of such a build, with what stands in front of it; NULL: none has come
    size_t   size;
} Signature;

/** To be called with each packet. @return 0 or an AVERROR code */
int  signature_repeat(Signature *s, const AVCodecParameters *par, AVPacket *pkt);
void signature_free(Signature *s);

#endif
