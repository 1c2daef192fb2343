/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/common.h>
#include <libavutil/intreadwrite.h>

#include "nalunits.h"

static int next_sized(NalUnits *u, NalUnit *nal)
{
    const uint8_t *s = u->p;

    if (u->end - s < u->length_size)
        return 0;
    nal->start = s;
    nal->size  = 0;
    for (int i = 0; i < u->length_size; i++)
        nal->size = nal->size << 8 | *s++;
    nal->data = s;
    nal->size = FFMIN(nal->size, (size_t)(u->end - s));
    u->p      = s + nal->size;
    return nal->size > 0;
}

int nalunits_next(NalUnits *u, NalUnit *nal)
{
    const uint8_t *s = u->p;

    if (u->length_size)
        return next_sized(u, nal);
    while (u->end - s > 3 && AV_RB24(s) != 1)
        s++;
    if (u->end - s <= 3)
        return 0;
    nal->start = s > u->p && !s[-1] ? s - 1 : s;
    nal->data  = s += 3;
    while (u->end - s >= 3 && AV_RB24(s) > 1)
        s++;
    u->p      = u->end - s >= 3 ? s : u->end;
    nal->size = u->p - nal->data;
    while (nal->size && !nal->data[nal->size - 1])
        nal->size--;
    return 1;
}
