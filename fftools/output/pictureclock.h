/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PICTURECLOCK_H
#define FFLEET_PICTURECLOCK_H

/**
 * @file
 * The time code in MPEG-1 and MPEG-2 groups of pictures, by which encoders count pictures: on hosts each segment
 * begins with the first one. Knowledge: ISO/IEC 13818-2 6.2.2.1, 6.2.2.6 and 6.3.8.
 */

#include <libavcodec/codec_id.h>
#include <libavcodec/packet.h>

/**
 * Make it that of the n-th picture in the order of decoding, if there is one in the packet.
 * @return 0, AVERROR(ENOMEM)
 */
int pictureclock_set(enum AVCodecID id, AVPacket *pkt, int64_t n);

#endif
