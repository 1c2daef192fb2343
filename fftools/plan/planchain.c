/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/mem.h>

#include "planchain.h"
#include "plandecide.h"
#include "renditions.h"
#include "sideoutput.h"

static void remove_output(Plan *first, int output)
{
    int number = 0;

    for (Plan **pp = &first; *pp;) {
        Plan *p = *pp;

        if (p->output == output) {
            *pp = p->next;
            plan_forget_output(p);
            av_free(p);
        } else {
            p->number = number++;
            pp = &p->next;
        }
    }
}

static int conflicts(const Plan *p)
{
    return !!renditions_conflict(p->first, p);
}

/** Let stock make those outputs that have a video of that kind, as far as it can. */
static int leave_outputs(Plan *first, int (*is_such)(const Plan *p))
{
    for (int output = first->output + 1; output < first->cmd->nb_outputs; output++) {
        int found = 0, ret;

        for (const Plan *p = first->next; p && !found; p = p->next)
            found = p->output == output && is_such(p);
        ret = found ? sideoutput_take(first, output) : 0;
        if (ret < 0)
            return ret;
        if (ret)
            remove_output(first, output);
    }
    return 0;
}

/** Whether outputs have the same beside their videos: encoders that hold back more would end these elsewhere. */
static int same_others(const Plan *a, const Plan *b)
{
    int i = 0, k = 0;

    for (;; i++, k++) {
        const PlanStream *s, *t;

        while (i < a->nb_streams && a->streams[i].fleet)
            i++;
        while (k < b->nb_streams && b->streams[k].fleet)
            k++;
        if (i == a->nb_streams || k == b->nb_streams)
            return i == a->nb_streams && k == b->nb_streams;
        s = &a->streams[i];
        t = &b->streams[k];
        if (s->file != t->file || s->index != t->index || s->copy != t->copy || s->encoder != t->encoder)
            return 0;
    }
}

/** Where streams end each other, the order of work in all outputs is one: all do, or none does. */
static int decide_ties(Plan *first)
{
    int nb = 0, nb_tied = 0;

    for (Plan *p = first; p; p = p->next) {
        if (p->tied_ends && p->max_frames == INT64_MAX && !same_others(first, p))
            return plan_stock(first, "its outputs have other sound each, and -shortest may end their videos at "
                              "different frames");
        nb++;
        nb_tied += p->tied_ends;
        first->sure_end = FFMIN(first->sure_end, p->sure_end);
    }
    return nb_tied && nb_tied < nb ?
           plan_stock(first, "its outputs' streams end each other in several ways (-shortest, -frames)") : 0;
}

/** What stock makes beside might never end, or be of the sound that sets how long a turn of the loop is. */
static int decide_beside(Plan *p)
{
    for (int i = 0; i < p->nb_inputs && p->nb_sides; i++)
        if (p->inputs[i].endless || p->inputs[i].loop)
            return plan_stock(p, "an endless or looped input is not split yet where there are outputs without the "
                              "fleet's video");
    return 0;
}

static int is_timed_apart(const Plan *p)
{
    const Plan *first = p->first;

    return p->vsync != first->vsync || !p->filters != !first->filters ||
           av_cmp_q(p->filter_time_base, first->filter_time_base) ||
           av_cmp_q(p->filter_frame_rate, first->filter_frame_rate);
}

int planchain_is_timed_apart(const Plan *first)
{
    const Plan *p = first;

    while (p && !is_timed_apart(p))
        p = p->next;
    return !!p;
}

int planchain_leave_apart(Plan *first)
{
    int ret = leave_outputs(first, is_timed_apart);

    if (ret < 0)
        return ret;
    if (planchain_is_timed_apart(first))
        plan_stock(first, "its video streams differ in the timing of frames");
    else if (!decide_beside(first))
        sideoutput_check(first);
    return 0;
}

int planchain_join(Plan *first)
{
    int ret;

    renditions_align(first);
    ret = leave_outputs(first, conflicts);

    if (ret >= 0 && !decide_beside(first) && !decide_ties(first) && !sideoutput_check(first) &&
        !decide_length(first) && !renditions_check(first))
        renditions_unite(first);
    return ret;
}
