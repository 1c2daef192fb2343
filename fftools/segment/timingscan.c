/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../plan/planchain.h"
#include "segmenter.h"
#include "timingscan.h"

#define SCAN_MEMORY (32 << 20)

/** @return 0: another reason for stock that comes first is left to be found; 1; AVERROR(ENOMEM) */
static int differ(Plan *first)
{
    PlanInput *in  = &first->inputs[first->streams[first->fleet_stream].file];
    BlobPool *pool = NULL;
    Segmenter *s   = NULL;
    Segment *seg   = NULL;
    char reason[256] = "";
    int differs, ret;

    if (in->lavfi)   /* as even as can be */
        return 0;
    if (in->store || in->network)
        return 1;
    ret = blob_pool_alloc(&pool, SCAN_MEMORY);
    if (ret >= 0)
        ret = segmenter_open(&s, first, pool);
    while (ret >= 0) {
        segmenter_set_length(s, 1);
        ret = segmenter_next(s, &seg, reason, sizeof(reason));
        segment_free(&seg);
    }
    differs = s && segmenter_differs(s);
    segmenter_close(&s);
    blob_pool_free(&pool);
    if (ret == AVERROR(ENOMEM) || input_reopen(in, first->reason, sizeof(first->reason)) == AVERROR(ENOMEM))
        return AVERROR(ENOMEM);
    return differs;
}

int timingscan_run(Plan *first)
{
    int ret = !first->reason[0] && planchain_is_timed_apart(first) ? differ(first) : 0;

    return ret > 0 && !first->reason[0] ? planchain_leave_apart(first) : ret;
}
