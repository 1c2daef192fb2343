/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_BYTESIZE_H
#define FFLEET_BYTESIZE_H

/** @file Sizes as people give them: 4G, 512M, 300MiB. */

/**
 * @param text a number with a suffix of av_strtod(), whose B, by which that one counts bits, stands for bytes here
 * @return bytes, of any sign and size, or NAN if that is no number or more follows; bounds are the caller's business
 */
double bytesize_parse(const char *text);

#endif
