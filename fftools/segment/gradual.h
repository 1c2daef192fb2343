/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_GRADUAL_H
#define FFLEET_GRADUAL_H

/**
 * @file
 * H.264 that is refreshed bit by bit (x264's intra-refresh, some broadcasters): libavformat takes
 * the places where that begins for keyframes, but from there whole pictures come only some frames
 * later. Knowledge: ITU-T H.264 7.3.1, 7.3.2.3 and D.1.8.
 */

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>

/** Whether a packet marked as a keyframe is only such a place. */
int gradual_is_start(const AVCodecParameters *par, const AVPacket *pkt);

#endif
