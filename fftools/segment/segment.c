/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/mem.h>

#include "segment.h"

void segment_free(Segment **seg)
{
    if (!*seg)
        return;
    blob_unref(&(*seg)->task.input);
    av_freep(&(*seg)->ranges);
    av_freep(&(*seg)->chain.runs);
    av_freep(&(*seg)->forced);
    av_freep(seg);
}
