/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FIELDPAIRS_H
#define FFLEET_FIELDPAIRS_H

/**
 * @file
 * Interlaced H.264 whose fields are pictures of their own, as of camcorders (AVCHD) and
 * broadcasters: the demuxer gives two packets for a frame. Here the second one is put behind the
 * first: a packet is a frame then, with the timestamps and the duration of its first field, which
 * decoders go by, too. They take both ways. Knowledge: libavcodec/h264_parser.c and
 * h264_field_start() in h264_slice.c of FFmpeg 5.1.
 */

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>

typedef struct FieldPairs FieldPairs;

/** Whether the codec may have such packets. */
int  fieldpairs_is_needed(const AVCodecParameters *par);

/** @return 0 or AVERROR(ENOMEM) */
int  fieldpairs_open(FieldPairs **f, const AVCodecParameters *par);
void fieldpairs_close(FieldPairs **f);

/**
 * Give it the next packet, in decoding order, when fieldpairs_receive() asks for it.
 * @param pkt moved from; NULL: the input ended
 * @return 0 or AVERROR(ENOMEM)
 */
int  fieldpairs_send(FieldPairs *f, AVPacket *pkt);

/** The next frame's packet. @return 0; AVERROR(EAGAIN): send more; AVERROR_EOF */
int  fieldpairs_receive(FieldPairs *f, AVPacket *pkt);

#endif
