/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERFILES_H
#define FFLEET_FILTERFILES_H

/** @file The files that filters read: which they are, and how a filter text names them on a host. */

#include "shipment.h"

/**
 * Put the files of all filters with FILTER_SHIPS_FILE into s and their names there into the text.
 * @param filters av_malloc'd; replaced
 * @param reason  what is wrong with a file, with AVERROR_PATCHWELCOME
 * @return 0 or an AVERROR code
 */
int filterfiles_ship(char **filters, Shipment *s, char *reason, size_t reason_size);

/**
 * Whether other versions of FFmpeg make other pixels: one of the filters draws text, with whatever
 * font, or has changed.
 * @return 1, 0, or an AVERROR code
 */
int filterfiles_need_version(const char *filters);

/**
 * The filters of a text that draw with fonts nobody named (FILTER_NEEDS_FONT), as a chain.
 * @param text av_malloc'd
 * @return 0 or an AVERROR code
 */
int filterfiles_fonts(const char *filters, char **text);

/**
 * Name the font file of the n-th of those; only for drawtext. From then on it is none of those.
 * @param size in pixels; 0: it has one
 */
int filterfiles_set_font(char **filters, int n, const char *name, int size);

/**
 * A drawtext like the n-th of those that draws a text of all kinds of letters.
 * @param sample av_malloc'd; NULL: its size is given
 */
int filterfiles_sample(const char *filters, int n, char **sample);

#endif
