/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/mem.h>

#include "plan.h"

PlanInput *plan_pipe(const Plan *p)
{
    for (int i = 0; i < p->nb_inputs; i++)
        if (p->inputs[i].store)
            return &p->inputs[i];
    return NULL;
}

static void free_words(char ***words, int nb)
{
    for (int i = 0; i < nb; i++)
        av_freep(&(*words)[i]);
    av_freep(words);
}

void plan_free_streams(PlanStream **streams, int nb)
{
    for (int i = 0; i < nb; i++)
        av_freep(&(*streams)[i].label);
    av_freep(streams);
}

void plan_forget_output(Plan *p)
{
    Plan keep = { .cmd = p->cmd, .first = p->first, .inputs = p->inputs,
                  .nb_inputs = p->nb_inputs, .sides = p->sides, .nb_sides = p->nb_sides };

    plan_free_streams(&p->streams, p->nb_streams);
    complexgraph_free(&p->complex);
    complexgraph_free(&p->linked);
    shipment_free(&p->files);
    av_dict_free(&p->format_options);
    free_words(&p->encoder_args, p->nb_encoder_args);
    free_words(&p->scaler_args, p->nb_scaler_args);
    av_freep(&p->filters);
    av_freep(&p->force_keyframes);
    av_freep(&p->bsf);
    av_freep(&p->timing);
    av_freep(&p->timing_all);
    av_freep(&p->font_filters);
    av_freep(&p->known_fonts);
    *p = keep;
}

void plan_free(Plan **pp)
{
    Plan *p = *pp, *next;

    for (int i = 0; p && i < p->nb_inputs; i++)
        input_close(&p->inputs[i]);
    for (int i = 0; p && i < p->nb_sides; i++)
        plan_free_streams(&p->sides[i].streams, p->sides[i].nb_streams);
    if (p) {
        av_freep(&p->inputs);
        av_freep(&p->sides);
    }
    for (; p; p = next) {
        next = p->next;
        plan_forget_output(p);
        av_free(p);
    }
    *pp = NULL;
}
