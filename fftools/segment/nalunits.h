/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_NALUNITS_H
#define FFLEET_NALUNITS_H

/** @file The NAL units of a packet or of headers, H.264 or HEVC, one after another. Pure. */

#include <stddef.h>
#include <stdint.h>

typedef struct NalUnits {
    const uint8_t *p, *end;    ///< what has not been looked at
    int length_size;           ///< bytes of the length in front of each; 0: there are start codes
} NalUnits;

typedef struct NalUnit {
    const uint8_t *start;      ///< of what is in front of it
    const uint8_t *data;       ///< in the buffer, its header first
    size_t size;               ///< without zeros that only fill
} NalUnit;

/** @return 1; 0: there is no more */
int nalunits_next(NalUnits *u, NalUnit *nal);

#endif
