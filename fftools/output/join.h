/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_JOIN_H
#define FFLEET_JOIN_H

/**
 * @file
 * Verified results of segments, in order, become one packet stream: timestamps in slots, decoding timestamps
 * made anew, the encoder's signature only once. One thread.
 */

#include "../encode/encode.h"
#include "../remainder/trial.h"

typedef struct Join Join;

/**
 * @param t of the stream's plan; where it does not tell how far packets are reordered, the results' headers or, if more,
 *        the first result's packets do
 */
int  join_alloc(Join **j, const Trial *t);
void join_free(Join **j);

/** The next segment's result; its predecessor must have been read to its end. Keeps a reference to the packets. */
int  join_add(Join *j, const Segment *seg, const Encoded *r);

/** Codec parameters as the encoder gave them (extradata, delay); valid after the first join_add(). */
const AVCodecParameters *join_params(const Join *j);

/**
 * The next packet, in units of 1/frame_rate.
 * @return 0; AVERROR(EAGAIN): the next segment is needed; AVERROR_PATCHWELCOME: the packets cannot
 *         be ordered (reason); other AVERROR codes
 */
int  join_read(Join *j, AVPacket *pkt, char *reason, size_t reason_size);

#endif
