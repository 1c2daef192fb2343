/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include <libavfilter/avfilter.h>
#include <libavutil/bprint.h>
#include <libavutil/mem.h>

#include "complexsound.h"

/**
 * What a filter makes of sounds from several files depends on the order in which stock reads these
 * (where the samples are cut into frames, when it hears of an end), and that on how far the video
 * is.
 */
static int mixes_files(Parser *p)
{
    long first = -1;
    int mixes = 0, several = 0;

    for (int i = 0; i < p->nb_nodes; i++) {
        const Node *n = &p->nodes[i];
        const AVFilter *f = avfilter_get_by_name(n->name);

        if (!complexnodes_is_sound(n))
            continue;
        mixes |= f->flags & AVFILTER_FLAG_DYNAMIC_INPUTS || avfilter_filter_pad_count(f, 0) > 1;
        for (int k = 0; k < n->nb_in; k++) {
            long file = strtol(n->in[k], NULL, 10);

            if (complexnodes_find_maker(p, n->in[k]))
                continue;
            several |= first >= 0 && file != first;
            first = file;
        }
    }
    return mixes && several;
}

/** Whether it is sound that was put together with pictures that it works on. */
static int is_behind_mixed(Parser *p, const Node *n, int depth)
{
    if (n->follows && (complexnodes_is_mixed(n - 1) || (depth < MAX_NODES && is_behind_mixed(p, n - 1, depth + 1))))
        return 1;
    for (int k = 0; k < n->nb_in; k++) {
        const Node *maker = complexnodes_find_maker(p, n->in[k]);

        if (maker && (complexnodes_is_mixed(maker) || (depth < MAX_NODES && is_behind_mixed(p, maker, depth + 1))))
            return 1;
    }
    return 0;
}

static void print_node(AVBPrint *bp, const Node *n)
{
    av_bprintf(bp, "%s", !bp->len ? "" : n->follows ? "," : ";");
    for (int k = 0; k < n->nb_in; k++)
        av_bprintf(bp, "[%s]", n->in[k]);
    av_bprintf(bp, "%s", n->text);
    for (int k = 0; k < n->nb_out; k++)
        av_bprintf(bp, "[%s]", n->out[k]);
}

/** What tells where sounds end, with the filters of sound in front of it. */
static int complete_ends(Parser *p)
{
    AVBPrint bp;

    if (!p->graph->ends)
        return 0;
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (int i = 0; i < p->nb_nodes; i++)
        if (complexnodes_is_sound(&p->nodes[i]) && !is_behind_mixed(p, &p->nodes[i], 0))
            print_node(&bp, &p->nodes[i]);
    av_bprintf(&bp, "%s", p->graph->ends);
    av_freep(&p->graph->ends);
    return av_bprint_finalize(&bp, &p->graph->ends);
}

/** The filters of sound, as they were, for stock. */
static int collect_all(Parser *p)
{
    AVBPrint bp;

    p->graph->mixes = mixes_files(p) || p->graph->ends;
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (int i = 0; i < p->nb_nodes; i++) {
        const Node *n = &p->nodes[i];

        if (!complexnodes_is_sound(n))
            continue;
        if (!n->follows && !n->nb_in) {
            av_bprint_finalize(&bp, NULL);
            return complexnodes_refuse(p, "the filter graph's '%s' takes what it finds", n->name);
        }
        print_node(&bp, n);
    }
    if (bp.len)
        return av_bprint_finalize(&bp, &p->graph->sound);
    av_bprint_finalize(&bp, NULL);
    return 0;
}

int complexsound_collect(Parser *p)
{
    int ret = collect_all(p);

    return ret < 0 ? ret : complete_ends(p);
}
