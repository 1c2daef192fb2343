/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_STREAMMAP_H
#define FFLEET_STREAMMAP_H

/**
 * @file
 * Which streams of the input become which streams of the output, and which options reach which of
 * them, as ffmpeg decides it. Knowledge: open_output_file() and check_stream_specifier() of
 * FFmpeg's fftools. The trial run of stock later confirms what was found here.
 */

#include "plan.h"

/**
 * @param output   its number
 * @param graph    of -filter_complex; empty: none
 * @param streams  av_malloc'd; each label, too
 * @param reason   gets the sentence when stock has to make it
 * @return 0 or an AVERROR code
 */
int streammap_resolve(const Command *cmd, int output, const PlanInput *inputs, int nb_inputs,
                      const ComplexGraph *graph, const AVOutputFormat *oformat, PlanStream **streams,
                      int *nb_streams, char *reason, size_t reason_size);

/** Whether an output option's specifier matches an output stream. @return 1, 0, or an AVERROR code */
int streammap_option_matches(const PlanStream *streams, int nb_streams, int index,
                             const CmdOption *o);

/** Whether the encoder has a list of frame rates without this one. */
int streammap_rate_unsupported(const AVCodec *encoder, AVRational rate);

#endif
