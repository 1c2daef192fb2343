/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TRIALLOG_H
#define FFLEET_TRIALLOG_H

/** @file What stock printed during the trial: what it says of the command, and showing it to the user. */

#include "trial.h"

/** Whether it maps the streams of all outputs as the chain of plans does. */
int triallog_mapping_agrees(const Plan *plan, const char *log);
/** Note the version that its banner tells: t->lavf_ident. */
void triallog_version(Trial *t);

/** The bit rate that stock's muxer is told for a stream of the output, bits a second; 0: none. par: as read back */
int64_t triallog_bit_rate(const Trial *t, const Plan *plan, int stream,
                           const AVCodecParameters *par);
/** Likewise the order of the fields of a video stream, which not every container tells. */
enum AVFieldOrder triallog_field_order(const Trial *t, int stream);

/** Whether -hwaccel auto found what decodes, not just a device that turns out to be of no use for that. */
int triallog_uses_hardware(const char *log);

/** How many errors stock told of while it opened the inputs: lines that are marked. */
int triallog_nb_opening_errors(const Trial *t);

/**
 * Print what stock printed up to and including its dumps of the outputs, at the levels that are
 * wanted, the temporary files' names replaced by the user's: first what comes before the stream mapping (part
 * 0), then the rest (1).
 * @param t    the first of its chain
 * @param keys say that 'q' stops it, as ffmpeg does when it listens to keys
 */
void triallog_print(const Trial *t, int part, int keys);

#endif
