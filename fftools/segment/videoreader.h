/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_VIDEOREADER_H
#define FFLEET_VIDEOREADER_H

/**
 * @file
 * Reads the packets of the video that the fleet encodes, as stock's decoder would get them; those
 * at the start that it makes no frames of are left out. Knowledge: process_input() in
 * fftools/ffmpeg.c of FFmpeg 5.1.
 */

#include "../plan/plan.h"

typedef struct VideoReader VideoReader;

/** One thread at a time; nobody else may read the input meanwhile. */
int  videoreader_open(VideoReader **r, const Plan *plan);
void videoreader_close(VideoReader **r);

/**
 * The next packet, in decoding order; the first one is a keyframe unless videoreader_is_fragile().
 * @param pkt timestamps are in the stream's time base, with what ffmpeg adds to them; pts is always set
 * @return 0; AVERROR_EOF; AVERROR_PATCHWELCOME when only stock can treat the input right (reason tells); other AVERROR
 *         codes
 */
int  videoreader_next(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size);

/**
 * Whether what is shown at that time depends on how a decoder patches up for keyframes that are
 * missing, so that only the very same decoder will do. Valid after the first packet.
 */
int  videoreader_is_fragile(const VideoReader *r, int64_t pts);

#endif
