/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_EARLIER_H
#define FFLEET_EARLIER_H

/**
 * @file
 * What a decoder knows from earlier packets when it comes to a keyframe. Hosts begin there, with nothing but the
 * container's headers: parameter sets, sequence headers and tables that have changed since must come again.
 * Knowledge: ITU-T H.264 7.4.1, H.265 7.4.2, T.81 B.2; ISO/IEC 13818-2 6.2.2, 14496-2 6.2.3.
 */

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>

typedef struct Earlier {
    int changed;        ///< headers other than the container's have come
    int tables;         ///< Huffman tables that have come, a bit each
    int keys;           ///< packets marked as keyframes in a row
} Earlier;

/**
 * To be called with each packet.
 * @return nonzero when a decoder that begins with it makes something else than one that has seen all before
 */
int earlier_is_needed(Earlier *e, const AVCodecParameters *par, const AVPacket *pkt);

/** Of H.264 and HEVC: how many bytes tell a unit's length; 0: start codes are between them. */
int earlier_length_size(const AVCodecParameters *par);

#endif
