/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPLEXPARSE_H
#define FFLEET_COMPLEXPARSE_H

/**
 * @file
 * -filter_complex, or -vf with links, to a ComplexGraph, or why it is left to stock. Opens nothing.
 *
 * Knowledge: libavfilter/graphparser.c, and init_input_filter() in fftools/ffmpeg_filter.c of FFmpeg 5.1,
 * for the grammar and for what unlabelled inputs mean.
 */

#include "../input/inputs.h"
#include "complexgraph.h"

/**
 * @param text   of -filter_complex
 * @param reason why it has to be left to stock, with AVERROR_PATCHWELCOME
 * @return 0 or an AVERROR code
 */
int  complexparse_graph(ComplexGraph *g, const char *text, const PlanInput *inputs, int nb_inputs,
                        char *reason, size_t reason_size);
/**
 * Likewise the text of -vf, where filters are linked by labels: one path.
 * @param video that goes in
 */
int  complexparse_chain(ComplexGraph *g, const char *text, GraphSource video, char *reason, size_t reason_size);

#endif
