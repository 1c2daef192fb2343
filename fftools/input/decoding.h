/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_DECODING_H
#define FFLEET_DECODING_H

/**
 * @file
 * Options in front of -i that say which streams of an input there are, and how they are decoded. Knowledge:
 * add_input_streams(), choose_decoder() in fftools/ffmpeg_opt.c (5.1), ist_add() in ffmpeg_demux.c (7.1),
 * filter_codec_opts() in cmdutils.c, hw_device_setup_for_decode() in ffmpeg_hw.c.
 */

#include "inputs.h"

/**
 * Whether -vn, -an, -sn or -dn among the options of a file, be it an input or an output, leave out
 * such streams.
 */
int decoding_leaves_out(const CmdFile *f, enum AVMediaType type);

/** Whether they do so in front of an input. */
int decoding_is_disabled(const PlanInput *in, const AVStream *st);

/**
 * Whether hosts decode its video as stock does here: that has the last word on -hwaccel auto, see triallog.h.
 * @param reason the sentence, when they do not
 * @return 0 or AVERROR_PATCHWELCOME
 */
int decoding_check(const PlanInput *in, char *reason, size_t reason_size);

/** Words that decoding_words() makes of one input, at most. */
#define DECODING_MAX_WORDS 16

/**
 * The options that decoders on hosts have to get as well.
 * @param words with room for DECODING_MAX_WORDS; they are the command's. NULL: only count them
 * @return how many words
 */
int decoding_words(const PlanInput *in, const AVStream *st, const char **words);

#endif
