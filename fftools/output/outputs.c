/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "../compat.h"
#include "join.h"
#include "outputs.h"

struct Outputs {
    const Plan  *plan;
    const Trial *trial;
    Remainder   *rest;
    Join     *joins[PLAN_MAX_VIDEO];   ///< by the plans' numbers, as the next two
    AVPacket *pkts[PLAN_MAX_VIDEO];    ///< the next one of each
    int       have_pkt[PLAN_MAX_VIDEO];
    Mux      *muxes[PLAN_MAX_OUTPUTS]; ///< by output; NULL where the fleet has no part
};

int outputs_alloc(Outputs **out, const Plan *plan, const Trial *t, Remainder *r)
{
    Outputs *o = *out = av_mallocz(sizeof(*o));
    int ret = o ? 0 : AVERROR(ENOMEM);

    if (ret < 0)
        return ret;
    o->plan  = plan;
    o->trial = t;
    o->rest  = r;
    for (; t && ret >= 0; t = t->next) {
        int i = t->plan->number;

        o->pkts[i] = av_packet_alloc();
        ret = o->pkts[i] ? join_alloc(&o->joins[i], t) : AVERROR(ENOMEM);
    }
    return ret;
}

void outputs_free(Outputs **op)
{
    Outputs *o = *op;

    if (!o)
        return;
    for (int i = 0; i < PLAN_MAX_OUTPUTS; i++)
        mux_free(&o->muxes[i]);
    for (int i = 0; i < PLAN_MAX_VIDEO; i++) {
        join_free(&o->joins[i]);
        av_packet_free(&o->pkts[i]);
    }
    av_freep(op);
}

static int open_muxes(Outputs *o, int pipes)
{
    Remainder *r = o->rest;
    int ret = 0;

    for (const Trial *t = o->trial; t && ret >= 0; t = t->next) {
        if (t->plan->nth_fleet)
            continue;
        if (t->plan->pipe == pipes)
            ret = mux_open(&o->muxes[t->plan->output], t->plan, t, r, o->joins);
        r = r->next;
    }
    return ret;
}

static int read_failed(char *reason, size_t size)
{
    if (!*reason)
        snprintf(reason, size, "the results cannot be read back");
    return AVERROR_PATCHWELCOME;
}

/** The plan of the output whose next packet comes first; NULL: the segment is used up. */
static int next_of_output(Outputs *o, const Plan *plan, const Plan **next, char *reason,
                          size_t reason_size)
{
    *next = NULL;
    for (const Plan *p = plan; p && p->output == plan->output; p = p->next) {
        int i = p->number;

        if (!o->have_pkt[i]) {
            int ret = join_read(o->joins[i], o->pkts[i], reason, reason_size);

            if (ret == AVERROR(EAGAIN))
                continue;
            if (ret < 0) {
                av_packet_unref(o->pkts[i]);
                return read_failed(reason, reason_size);
            }
            o->have_pkt[i] = 1;
        }
        if (!*next || o->pkts[i]->dts < o->pkts[(*next)->number]->dts)
            *next = p;
    }
    return 0;
}

static int write_output(Outputs *o, const Plan *plan, char *reason, size_t reason_size)
{
    const Plan *next;
    int ret;

    while ((ret = next_of_output(o, plan, &next, reason, reason_size)) >= 0 && next) {
        o->have_pkt[next->number] = 0;
        ret = mux_video(o->muxes[plan->output], next->nth_fleet, o->pkts[next->number]);
        if (ret < 0)
            break;
    }
    return ret;
}

int outputs_write(Outputs *o, const Segment *seg, const Encoded *r, char *reason,
                  size_t reason_size)
{
    int ret = 0;

    *reason = 0;
    for (const Plan *p = o->plan; p; p = p->next)
        if (join_add(o->joins[p->number], seg, r) < 0)
            return read_failed(reason, reason_size);
    if (!outputs_started(o)) {
        /* what goes into a pipe cannot be taken back */
        ret = open_muxes(o, 0);
        if (ret >= 0)
            ret = open_muxes(o, 1);
        if (ret == AVERROR_PATCHWELCOME)
            snprintf(reason, reason_size,
                     "an output's format or its options are not as they should be");
    }
    for (const Plan *p = o->plan; p && ret >= 0; p = plan_next_output(p))
        ret = write_output(o, p, reason, reason_size);
    return ret;
}

int outputs_started(const Outputs *o)
{
    for (int i = 0; o && i < PLAN_MAX_OUTPUTS; i++)
        if (o->muxes[i])
            return 1;
    return 0;
}

int outputs_finish(Outputs *o, int whole)
{
    int ret = 0;

    for (int i = 0; i < PLAN_MAX_OUTPUTS; i++)
        if (o->muxes[i]) {
            int err = mux_finish(o->muxes[i], whole);

            ret = ret < 0 ? ret : err;
        }
    return ret;
}

const Mux *outputs_mux(const Outputs *o, int output)
{
    return o ? o->muxes[output] : NULL;
}

int64_t outputs_out_time(const Outputs *o)
{
    int64_t time = mux_out_time(o->muxes[o->plan->output]);

    for (int i = o->plan->output + 1; i < PLAN_MAX_OUTPUTS; i++) {
        int64_t t;

        if (!o->muxes[i])
            continue;
        t = mux_out_time(o->muxes[i]);
        if (time == AV_NOPTS_VALUE || (t == AV_NOPTS_VALUE && COMPAT_TIMING_7))
            time = COMPAT_TIMING_7 ? AV_NOPTS_VALUE : t;
        else if (t != AV_NOPTS_VALUE)
            time = COMPAT_TIMING_7 ? FFMIN(time, t) : FFMAX(time, t);
    }
    return time;
}
