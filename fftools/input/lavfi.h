/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LAVFI_H
#define FFLEET_LAVFI_H

/**
 * @file
 * `-f lavfi` inputs. Their demuxer is libavdevice's, which we have no use for: of sound it has only
 * to be known what there is, and pictures libavfilter itself makes here as it does for stock.
 * Knowledge: lavfi_read_header() and lavfi_read_packet() in libavdevice/lavfi.c of FFmpeg 5.1 and
 * 7.1.
 */

#include <libavformat/avformat.h>

typedef struct Lavfi Lavfi;

/**
 * Find out what the graph gives.
 * @param l       gets what makes the pictures; NULL where it gives sound
 * @param fc      gets a context with its stream; the caller's, for avformat_free_context()
 * @param endless set where the stream does not end by itself, or nobody knows
 * @param reason  the sentence, when stock has to read it
 * @return 0, AVERROR_PATCHWELCOME with a reason, AVERROR(ENOMEM)
 */
int  lavfi_open(Lavfi **l, AVFormatContext **fc, const char *graph, int *endless, char *reason, size_t reason_size);
void lavfi_close(Lavfi **l);

/** The next picture, as raw video. @return 0; AVERROR_EOF; AVERROR_PATCHWELCOME: it says more than raw video can; other
 *  AVERROR codes */
int  lavfi_read(Lavfi *l, AVPacket *pkt);

#endif
