/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TEE_H
#define FFLEET_TEE_H

/**
 * @file
 * The output of `-f tee`: one encode for several muxers. Pure. Knowledge: libavformat/tee.c,
 * tee_common.c of FFmpeg 5.1.
 */

#include <stddef.h>

#include <libavformat/avformat.h>

#define TEE_MAX_SLAVES 16

/** What is known of one; name points into the text. */
typedef struct TeeSlave {
    const AVOutputFormat *format;
    const char *name;
    size_t name_size;
} TeeSlave;

/**
 * Take "[f=mp4]a.mp4|b.mkv" apart.
 * @param slaves of TEE_MAX_SLAVES
 * @return how many, or AVERROR_PATCHWELCOME with the sentence in reason: one is not a plain file, or is written so
 *         that only the muxer itself should read it
 */
int tee_parse(const char *text, TeeSlave *slaves, char *reason, size_t reason_size);

#endif
