/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LEADIN_H
#define FFLEET_LEADIN_H

/**
 * @file
 * Where an input does not begin with a keyframe, or begins with frames that refer to what is not
 * there (recordings cut anywhere, -ss in transport and program streams): which of its first packets
 * the decoder makes frames of. Nothing but the decoder itself knows.
 */

#include <libavformat/avformat.h>

/** What became of a packet. */
enum {
    LEADIN_NOTHING,
    LEADIN_DAMAGED,   ///< a frame with that pts came out, but the decoder had to make parts of it up
    LEADIN_WHOLE,
};

/**
 * Decode some packets from the start, to their end.
 * @param decoded for each packet: one of the above
 * @return 0; AVERROR_PATCHWELCOME when the decoder gives frames at times that no packet has; other AVERROR codes
 */
int leadin_decode(const AVStream *st, AVPacket *const *pkts, int nb, uint8_t *decoded);

#endif
