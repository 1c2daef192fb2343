/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CARRIERFILE_H
#define FFLEET_CARRIERFILE_H

/**
 * @file
 * A file in which stock has handed over what it made of an output: reads it back, and takes off what
 * the carrier's muxer and demuxer have added. For remainder.c.
 */

#include "../plan/carrierpart.h"
#include "workdir.h"

/** How far a stream of the file was read. */
typedef struct CarrierStream {
    int64_t nb_packets;
    int64_t first_dts;
} CarrierStream;

typedef struct CarrierFile {
    const Plan *plan;      ///< the output's first
    enum CarrierPart part;
    char *name;
    AVFormatContext *fc;   ///< NULL until it is open, or there is no text
    int64_t nb_video;      ///< frames of the stand-in; with Plan.tied_ends as many as each video has
    int64_t shift;         ///< what the muxer added to all timestamps, AV_TIME_BASE units
    AVPacket *pkt;         ///< the next packet, when have_pkt
    int   have_pkt, eof;
    CarrierStream *streams;  ///< by their places
} CarrierFile;

int  carrierfile_alloc(CarrierFile **c, const Plan *plan, enum CarrierPart part, const WorkDir *dir);

/**
 * Once stock is done.
 * @param first_slot of the stand-in
 * @return 0, AVERROR_EXTERNAL when it is not as it should be, AVERROR_PATCHWELCOME when the videos of several streams
 *         end at different frames, other AVERROR codes
 */
int  carrierfile_open(CarrierFile *c, int64_t first_slot);

/** As remainder_peek() and remainder_consume(), of this file; a stream has the plan's number. */
int  carrierfile_peek(CarrierFile *c, AVPacket **pkt);
void carrierfile_consume(CarrierFile *c);

void carrierfile_free(CarrierFile **c);

#endif
