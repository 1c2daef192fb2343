/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TRIAL_H
#define FFLEET_TRIAL_H

/**
 * @file
 * The trial: stock ffmpeg runs the user's own command for the first few frames, into a temporary
 * file. It tells what no model of ours could know as well: that the command is right at all, how
 * streams are mapped, what the output's video stream looks like (parameters, tags, dispositions),
 * and the text that stock prints before it encodes.
 */

#include "../encode/paramsets.h"
#include "../plan/plan.h"
#include "workdir.h"

/** A stream of the plan, in the short output. */
typedef struct TrialStream {
    int64_t last_dts;        ///< while reading
    int nb_packets;
    int coarse;              ///< copied, and its timestamps rounded to the input's time base on the way
} TrialStream;

/** Of one plan; those of a chain are a chain, too. */
typedef struct Trial {
    struct Trial *next;
    const Plan *plan;
    AVFormatContext *file;   ///< the short output, probed
    AVStream *video;         ///< of it: the fleet's stream
    TrialStream *streams;    ///< of the plan
    ParamSets params;        ///< of the video; empty when its codec is not compared
    const char *log;         ///< stock's stderr with "[level]" marks; of the chain's first
    char *file_name;
    char *sides[PLAN_MAX_OUTPUTS];  ///< of the chain's first: likewise of outputs that are not the fleet's, by number
    int   reorder_slots;     ///< from the first DTS to the first pts; -1: the format does not tell
    int   reorder_delay;     ///< then, in frames; -1: the encoder does not tell either
    char  lavf_ident[64];    ///< of the stock ffmpeg, as in "59.27.100"; empty when not printed
} Trial;

/**
 * Run it, once for all plans of a chain. Blocks until it is over (a second or less as a rule, bounded).
 * @param first_slot of the output: where its first frame is
 * @param interrupted polled; nonzero ends the wait with AVERROR_EXIT
 * @param reason why the command goes to stock, when AVERROR_PATCHWELCOME is returned
 */
int  trial_run(Trial **t, const Plan *plan, int64_t first_slot, const char *stock,
               const WorkDir *dir, int (*interrupted)(void *), void *opaque, char *reason,
               size_t reason_size);
/** The whole chain. */
void trial_free(Trial **t);

#endif
