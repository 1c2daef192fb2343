/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_WIRE_H
#define FFLEET_WIRE_H

/**
 * @file
 * NUT in a Blob: how packets travel to a host and back. NUT keeps packets and timestamps exactly, but no
 * DTS, durations, side data and only some stream parameters; nobody may rely on those.
 */

#include <libavformat/avformat.h>

#include "../../remote/blob.h"

typedef struct WireWriter WireWriter;

/** Whether a codec has no tag there, so that who reads it has to be told which decoder to take. */
int  wire_hides_codec(enum AVCodecID id);

/**
 * Begin a stream with the codec parameters of st.
 * @param tb   of the timestamps given to wire_write()
 * @param blob gets all that is written; has to outlive the writer, which does not seal it
 * @return 0, AVERROR(EINVAL): NUT cannot keep such times, or another AVERROR code
 */
int  wire_writer_open(WireWriter **w, const AVStream *st, AVRational tb, Blob *blob);
/**
 * Write one packet, in decoding order.
 * @param pts in the writer's time base; not negative, no two equal
 * @return 0 or an AVERROR code (ENOSPC when the temporary folder is full)
 */
int  wire_write(WireWriter *w, const AVPacket *pkt, int64_t pts);
/** A packet's payload that lies in a sealed blob. */
typedef struct WirePayload {
    Blob   *blob;     ///< NULL: it is not in one
    int64_t offset;
    int     size;
} WirePayload;
/** NUT's muxer looks into smaller ones: what they begin with may be left out. */
#define WIRE_MIN_PART (16 << 10)
/**
 * As wire_write(), without copying the payload, which has at least WIRE_MIN_PART bytes.
 * @param flags of the packet
 */
int  wire_write_part(WireWriter *w, int flags, const WirePayload *part, int64_t pts);
/** Write what is left. @return as wire_write() */
int  wire_writer_finish(WireWriter *w);
void wire_writer_free(WireWriter **w);

typedef struct WireReader WireReader;

/** Open one of the nb_streams streams that a sealed blob has to hold. What it says is not to be trusted.
 *  @return 0 or an AVERROR code */
int  wire_reader_open(WireReader **r, Blob *blob, int stream, int nb_streams);
/** The stream: codec parameters (extradata, video_delay) and time base. */
const AVStream *wire_reader_stream(const WireReader *r);
/** The next packet, in wire_reader_stream()'s time base. @return 0, AVERROR_EOF or another AVERROR code */
int  wire_read(WireReader *r, AVPacket *pkt);
void wire_reader_close(WireReader **r);

#endif
