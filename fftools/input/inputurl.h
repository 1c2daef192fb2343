/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_INPUTURL_H
#define FFLEET_INPUTURL_H

/**
 * @file
 * Which files an input's url leads to, by way of the protocols that only pass their bytes on. Knowledge:
 * libavformat/avio.c, concat.c, subfile.c, async.c and cache.c of FFmpeg 5.1.
 */

/**
 * Look at each of them. Opens none.
 * @param see gets the name of a file, which may not exist; negative: that ends it
 * @return 0; AVERROR_PATCHWELCOME: it leads elsewhere; AVERROR(ENOMEM); what see returned
 */
int inputurl_each_file(const char *url, int (*see)(void *opaque, const char *path), void *opaque);

#endif
