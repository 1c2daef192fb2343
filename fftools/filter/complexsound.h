/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPLEXSOUND_H
#define FFLEET_COMPLEXSOUND_H

/**
 * @file
 * In complexparse.c's work: what works on sound, and stays with stock.
 */

#include "complexnodes.h"

/** Once all video is followed: set sound, mixes and ends of the graph. @return 0 or an AVERROR code */
int complexsound_collect(Parser *p);

#endif
