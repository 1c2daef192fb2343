/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LAVFI_H
#define FFLEET_LAVFI_H

/**
 * @file
 * `-f lavfi` inputs that only give sound. Their demuxer is libavdevice's, which we have no use for: nobody here reads
 * such an input, but what it offers has to be known. Knowledge: lavfi_read_header() in libavdevice/lavfi.c of
 * FFmpeg 5.1.
 */

#include <libavformat/avformat.h>

/**
 * Find out what the graph gives.
 * @param fc      gets a context with its stream, and no packets; the caller's, for avformat_free_context()
 * @param endless set where the sound does not end by itself, or nobody knows
 * @param reason  the sentence, when stock has to read it
 * @return 0, AVERROR_PATCHWELCOME with a reason, AVERROR(ENOMEM)
 */
int lavfi_open(AVFormatContext **fc, const char *graph, int *endless, char *reason, size_t reason_size);

#endif
