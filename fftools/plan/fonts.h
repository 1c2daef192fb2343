/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FONTS_H
#define FFLEET_FONTS_H

/**
 * @file
 * Fonts that nobody named: which files of this machine drawtext and libass take, found by letting
 * stock draw everything once, small and on nothing; they travel with the segments.
 */

#include "plan.h"

/**
 * Find the fonts of a plan with font_filters, add them to its files and name them in its filters. Where that cannot
 * be done with certainty, plan->reason is set. Blocks for a second or so.
 * @return 0 or an AVERROR code
 */
int fonts_resolve(Plan *plan, const char *stock);

/**
 * A line of a host's stderr, when it tells which font is used.
 * @return nonzero when that is not one that stock took here
 */
int fonts_line_is_foreign(const Plan *plan, const char *line);

#endif
