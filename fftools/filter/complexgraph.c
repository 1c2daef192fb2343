/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/mem.h>

#include "complexgraph.h"

void complexgraph_free(ComplexGraph *g)
{
    for (int i = 0; i < g->nb_paths; i++) {
        av_freep(&g->paths[i].path);
        av_freep(&g->paths[i].filters);
        av_freep(&g->paths[i].before);
        av_freep(&g->paths[i].join);
        av_freep(&g->paths[i].spine);
        for (int k = 0; k < MAX_SIDES; k++)
            av_freep(&g->paths[i].side_files[k]);
        av_freep(&g->paths[i].label);
    }
    g->nb_paths = 0;
    av_freep(&g->sound);
    av_freep(&g->ends);
}

const GraphPath *complexgraph_find(const ComplexGraph *g, const char *label)
{
    for (int i = 0; i < g->nb_paths; i++) {
        const char *l = g->paths[i].label;

        if (label ? l && !strcmp(l, label) : !l)
            return &g->paths[i];
    }
    return NULL;
}
