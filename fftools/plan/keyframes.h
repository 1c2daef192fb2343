/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_KEYFRAMES_H
#define FFLEET_KEYFRAMES_H

/**
 * @file
 * -force_key_frames, evaluated here so that every host is told plain times. Knowledge: do_video_out() and
 * parse_forced_key_frames() in fftools/ffmpeg.c of FFmpeg 5.1, forced_kf_apply() in ffmpeg_enc.c of 7.1.
 */

#include <stdint.h>

#include <libavutil/rational.h>

typedef struct ForcedKeyframes ForcedKeyframes;

/**
 * @param spec the option's value: times, or "expr:..."
 * @return 0; AVERROR_PATCHWELCOME for "source", which only decoders know, and "chapters", see chapters.h; AVERROR(EINVAL)
 *         when it cannot be read; AVERROR(ENOMEM)
 */
int  forced_keyframes_alloc(ForcedKeyframes **k, const char *spec, AVRational frame_rate);
void forced_keyframes_free(ForcedKeyframes **k);

/**
 * Whether the next output frame is forced; to be asked once for each, in order.
 * @param slot its pts, in 1/frame_rate
 */
int  forced_keyframes_next(ForcedKeyframes *k, int64_t slot);

#endif
