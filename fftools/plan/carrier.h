/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CARRIER_H
#define FFLEET_CARRIER_H

/**
 * @file
 * In which container stock hands over what it makes for us. Where the output is one file that can be read
 * back, that is its own: what it holds survives, and nothing else would have survived in the output. Formats
 * that write several files, or none, are carried in another, and only with what that one holds exactly.
 *
 * Knowledge: libavformat/hlsenc.c, dashenc.c, segment.c, movenc.c and mov.c of FFmpeg 5.1 and 7.1.
 */

#include <string.h>

#include "plan.h"

/**
 * Choose plan->carrier and plan->trial_format, once the streams and their keyframes are known.
 * @param reason the sentence, when stock has to make the output
 * @return 0 or AVERROR_PATCHWELCOME
 */
int carrier_choose(Plan *plan, char *reason, size_t reason_size);

/** Whether the remainder's format is not the output's. */
static inline int carrier_is_foreign(const Plan *plan)
{
    return plan->carrier != plan->oformat;
}

/** Whether the carrier is one of the mov muxer's formats. */
int carrier_is_mov(const Plan *plan);
/**
 * Whether it, or the trial's file, which tells of the video, is such a one: their demuxer tells
 * handler names that nobody gave.
 */
int carrier_names_handlers(const Plan *plan);

/**
 * Whether it is NUT: in place of another one, or as it is the output's; then with times that no
 * shift has rounded.
 */
int carrier_is_nut(const Plan *plan);

/**
 * Whether the times of packets there compare as they would in the output: 5.1 goes by them when it
 * chooses what to work on next (choose_output() in ffmpeg.c), and the output's may be rounded.
 */
int carrier_keeps_clocks(const Plan *plan);

/**
 * What reads such a file back; NULL: that is seen from it. A single frame of MPEG-2 in MPEG-TS is
 * taken for a raw stream.
 */
static inline const AVInputFormat *carrier_demuxer(const AVOutputFormat *f)
{
    return !strcmp(f->name, "mpegts") ? av_find_input_format("mpegts") : NULL;
}

/** Seconds that timestamps are ahead there. */
#define CARRIER_NUT_OFFSET 100

/** The duration of a packet as its encoder gave it; the carrier may only tell when the next one comes. */
int64_t carrier_duration(const Plan *plan, int stream, const AVStream *st, const AVPacket *pkt);

/**
 * NUT has no tag of its own for some codecs (DNxHD, QuickTime RLE); its demuxer knows QuickTime's.
 * @return 0: needs none
 */
unsigned carrier_nut_tag(enum AVCodecID id);

#endif
