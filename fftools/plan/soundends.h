/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SOUNDENDS_H
#define FFLEET_SOUNDENDS_H

/**
 * @file
 * Where the sounds of parts end that concat puts together with their pictures: the next part begins
 * no sooner. Only who decodes the sound knows that to the sample, so stock does, once, before
 * anything else; libavfilter's log tells.
 *
 * Knowledge: flush_segment() in avf_concat.c of FFmpeg 5.1 and 7.1.
 */

#include "plan.h"

/**
 * Set plan->timing_all, where they count. Where they cannot be found out, plan->reason is set. Blocks as long as
 * stock needs for the sound alone.
 * @return 0 or an AVERROR code
 */
int soundends_resolve(Plan *plan, const char *stock);

#endif
