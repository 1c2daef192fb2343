/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CARRIERPART_H
#define FFLEET_CARRIERPART_H

/**
 * @file
 * Stock hands over an output in one file or in several, each with its part of the streams: what no single format
 * holds exactly does not have to be together. The remainder puts them together again.
 */

#include "plan.h"

enum CarrierPart {
    CARRIER_MAIN,  ///< Plan.carrier: the stand-in of the video, and all that is in no other part
    CARRIER_TEXT,  ///< WebVTT, for muxers that write it into files beside the others: Matroska
    CARRIER_NB,
};

/** Seconds that timestamps are ahead in CARRIER_TEXT: it has no negative ones. */
#define CARRIER_TEXT_OFFSET 1000000

/** Set PlanStream.part of each stream. */
void carrierpart_divide(Plan *plan);
/**
 * Whether stock puts the parts together by their DTS, whatever the order is in which they come.
 * @return 0, or AVERROR_PATCHWELCOME with the sentence
 */
int  carrierpart_check(const Plan *plan, char *reason, size_t reason_size);
/** Whether the output has streams of it; it always has a main part. */
int  carrierpart_exists(const Plan *plan, enum CarrierPart part);
/** The number that a stream has in its file. */
int  carrierpart_place(const Plan *plan, int stream);
/** The stream that has the number there; -1: there are not so many. */
int  carrierpart_stream(const Plan *plan, enum CarrierPart part, int place);
/** How many there are. */
int  carrierpart_count(const Plan *plan, enum CarrierPart part);
const AVOutputFormat *carrierpart_format(const Plan *plan, enum CarrierPart part);

#endif
