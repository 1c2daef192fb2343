/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_VERIFY_H
#define FFLEET_VERIFY_H

/**
 * @file
 * Whether what a host returned is what was asked for. Nothing of it is trusted before.
 */

#include "../plan/plan.h"
#include "../segment/segment.h"
#include "paramsets.h"

/**
 * Read a result through: the right codec, each owed slot exactly once, the first packet a keyframe that can be
 * decoded, and the packets those that the encoder made.
 * @param hash       of the stream's packets, see HOSTCOMMAND_HASH; NULL: not known
 * @param compare    whether the first picture has to show what the segment's source does, see likeness.h
 * @param params     gets its parameter sets; paramsets_free() them
 * @param why        the reason, on error
 * @return 0, AVERROR_INVALIDDATA, AVERROR(ENOMEM)
 */
int verify_result(Blob *result, const Plan *plan, const Segment *seg, const char *hash, int compare,
                  ParamSets *params, char *why, size_t why_size);

#endif
