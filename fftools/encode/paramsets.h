/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PARAMSETS_H
#define FFLEET_PARAMSETS_H

/**
 * @file
 * The parameter sets of H.264 and HEVC streams, however they are packed, and the encoder's signature
 * in their SEI. Knowledge: ITU-T H.264 7.3.1, 7.3.2.3 and Annex B; H.265 7.3.1.2, 7.3.2.4;
 * ISO/IEC 14496-15 5.3.3.1 (avcC) and 8.3.3.1 (hvcC).
 */

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>

typedef struct ParamSets {
    enum AVCodecID codec_id;
    uint8_t *data;   ///< for H.264 and HEVC the NAL units of parameter sets, each after a 4 byte length; else the extradata
    size_t   size;
    char     version[64];    ///< of x265, as its signature tells; empty: it does not
    int      width, height;  ///< not compared
} ParamSets;

/** Take the parameter sets out of extradata. @return 0, AVERROR_INVALIDDATA, AVERROR(ENOMEM) */
int  paramsets_parse(ParamSets *ps, const AVCodecParameters *par);
/** Take them out of an Annex B packet, where a format has no place for extradata. As paramsets_parse(). */
int  paramsets_parse_packet(ParamSets *ps, enum AVCodecID id, const AVPacket *pkt);
/** @return nonzero when both streams can go on in one */
int  paramsets_equal(const ParamSets *a, const ParamSets *b);
void paramsets_free(ParamSets *ps);

/**
 * Take x264's and x265's signature (SEI user_data_unregistered with their UUIDs) out of an Annex B
 * packet: stock writes it only once, an encode in segments writes it in each.
 */
int paramsets_strip_signature(enum AVCodecID id, AVPacket *pkt);

#endif
