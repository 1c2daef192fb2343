/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_HOSTCOMMAND_H
#define FFLEET_HOSTCOMMAND_H

/** @file The command line that encodes one segment on a host. */

#include <libavutil/bprint.h>

#include "../plan/plan.h"
#include "../segment/segment.h"

/** With timing filters: the filter that says how many frames have come in. */
#define HOSTCOMMAND_COUNTER "vfrdet@entry"

/**
 * The hash of each stream's packets, in hex, stands on stderr in the end: NUT has none of them.
 * Lines of libavformat's streamhash muxer: "0,v,murmur3=..."
 */
#define HOSTCOMMAND_HASH "murmur3"
#define HOSTCOMMAND_HASH_LEN 32

/** Words that hostcommand_add_colors() adds at the most. */
#define HOSTCOMMAND_COLOR_WORDS 10

/**
 * What neither NUT nor lavfi carries of a video's colours, as options for its decoder. The words are libavutil's.
 * @param n words in argv
 * @return how many there are then
 */
int hostcommand_add_colors(const char **argv, int n, const AVCodecParameters *par);

/**
 * The tag of the input's codec, which NUT replaces by its own and some decoders go by (Ut Video for
 * the pixel format, MPEG-4 for slips of encoders, raw video for the order of planes); 0: it says
 * nothing.
 */
uint32_t hostcommand_input_tag(const Plan *plan);

/**
 * The filters between a host's decoder and its encoder, for frames with the times that they have on the wire.
 * @param end what comes behind the last one: ",another", or a label
 * @return 0 or an AVERROR code
 */
int hostcommand_print_filters(AVBPrint *bp, const Plan *plan, const Segment *seg, const char *end);

/**
 * @param ffmpeg       its name or path there
 * @param lavc_version AV_VERSION_INT of its libavcodec: options are spelled as it knows them
 * @return text for a POSIX sh, av_malloc'd; NULL: out of memory
 */
char *hostcommand_encode(const Plan *plan, const Segment *seg, const char *ffmpeg,
                         int lavc_version);

#endif
