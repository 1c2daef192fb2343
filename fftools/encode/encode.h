/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_ENCODE_H
#define FFLEET_ENCODE_H

/**
 * @file
 * What the fleet is to do for a plan: the question put to each host, the command that encodes a segment,
 * and the verification of what comes back. This is the FleetClient of a job.
 */

#include "../../remote/fleetclient.h"
#include "../plan/plan.h"
#include "../segment/segment.h"
#include "paramsets.h"

/** A verified result: FleetTask.result. */
typedef struct Encoded {
    Blob   *packets;   ///< NUT, in wire timestamps; a stream for each plan
    int64_t frames;
} Encoded;

typedef struct Encode Encode;

/**
 * @param plan the first of its chain
 * @param pool for results; must outlive them
 */
int  encode_alloc(Encode **e, const Plan *plan, BlobPool *pool);
void encode_free(Encode **e);

/** The callbacks; valid while e lives. */
void encode_client(Encode *e, FleetClient *client);

/** Output frames that hosts have encoded so far, of accepted and of running attempts. Any thread. */
int64_t encode_frames(const Encode *e);

/** What the attempts that run on a host now say of themselves. */
typedef struct EncodeSpeed {
    double  fps;      ///< all of them together
    int64_t time_us;  ///< position in the segment of the one that is farthest; AV_NOPTS_VALUE: none runs
} EncodeSpeed;
/** Any thread. */
EncodeSpeed encode_speed(Encode *e, const Host *host);
/** The quantiser that was last reported of a plan's stream, by its number; -1 before. Any thread. */
float encode_quantiser(Encode *e, int number);

/**
 * Parameter sets that every host has to produce for a plan's stream; without them, or empty, those of the first
 * result are. Before the first task. Copied.
 * @param pixels of a picture; 0: not known
 */
int encode_set_reference(Encode *e, int number, const ParamSets *reference, int64_t pixels);

/**
 * A result of an earlier run, verified like any other. Any thread.
 * @param packets the result's, or given back on error
 * @return 0, or an AVERROR code: it is not used, and nobody to blame
 */
int encode_restore(Encode *e, const Segment *seg, Blob *packets, Encoded **r);

/** With its packets. */
void encoded_free(Encoded **r);

#endif
