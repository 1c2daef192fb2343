/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/mem.h>

#include "../certain.h"
#include "../filter/complexparse.h"
#include "../input/decoding.h"
#include "carrier.h"
#include "loopend.h"
#include "planchain.h"
#include "plandecide.h"
#include "planmake.h"
#include "sideoutput.h"

static int decide_shape(Plan *p)
{
    const char *reason = certain_stock(p->cmd);

    return reason ? plan_stock(p, "%s", reason) : 0;
}

static int decide_limits(Plan *p)
{
    return timelimits_parse(&p->out_limits, plan_file(p), p->reason, sizeof(p->reason)) < 0;
}

static int decide_inputs(Plan *p)
{
    if (p != p->first) {
        p->inputs    = p->first->inputs;
        p->nb_inputs = p->first->nb_inputs;
        return 0;
    }
    if (p->inputs)
        return 0;
    p->inputs = av_calloc(p->cmd->nb_inputs, sizeof(*p->inputs));
    if (!p->inputs)
        return plan_stock(p, "out of memory");
    for (int i = 0; i < p->cmd->nb_inputs; i++) {
        if (!strcmp(p->cmd->inputs[i].url, plan_file(p)->url))
            return plan_stock(p, "input and output are the same file");
        if (plan_pipe(p) && input_is_pipe(p->cmd->inputs[i].url))
            return plan_stock(p, "it reads several pipes");
        p->nb_inputs++;
        if (input_open(&p->inputs[i], &p->cmd->inputs[i], p->reason, sizeof(p->reason)) < 0)
            return p->reason[0] ? 1 : plan_stock(p, "out of memory");
        if (p->inputs[i].store && plan_pipe(p) != &p->inputs[i])
            return plan_stock(p, "it reads several pipes");
    }
    return 0;
}

static int decide_decoding(Plan *p)
{
    for (int i = 0; i < p->nb_inputs && p == p->first; i++)
        if (decoding_check(&p->inputs[i], p->reason, sizeof(p->reason)) < 0)
            return 1;
    return 0;
}

static int decide_complex(Plan *p)
{
    const CmdOption *o = NULL;
    char *text;
    int ret;

    for (int i = 0; i < p->cmd->nb_globals; i++) {
        const CmdOption *g = &p->cmd->globals[i];

        if (!g->def || strcmp(g->name, "filter_complex"))
            continue;
        if (o)
            return plan_stock(p, "there are several filter graphs");
        o = g;
    }
    if (!o)
        return 0;
    if (plan_option_text(p, o, &text))
        return 1;
    ret = complexparse_graph(&p->complex, text, p->inputs, p->nb_inputs, p->reason, sizeof(p->reason));
    av_free(text);
    return ret >= 0 ? 0 : p->reason[0] ? 1 : plan_stock(p, "out of memory");
}

/** Whether nothing but other streams ends one. */
static int is_endless(const Plan *p, const PlanStream *s)
{
    if (p->out_limits.duration != INT64_MAX || (s->fleet && p->max_frames != INT64_MAX))
        return 0;
    for (int k = 0; k < p->nb_inputs; k++)
        if (p->inputs[k].endless && p->inputs[k].limits.duration == INT64_MAX &&
            (k == s->file || (s->complex && s->type == AVMEDIA_TYPE_AUDIO)))
            return 1;
    return 0;
}

/** Stock would never end: nobody shall wait for its remainder to do so. */
static int decide_endless(Plan *p)
{
    int nb = 0;

    for (int i = 0; i < p->nb_streams; i++)
        nb += is_endless(p, &p->streams[i]);
    /* the others end them: -shortest, -frames in 5.1 */
    if (!nb || (p->tied_ends && nb < p->nb_streams && !p->complex.mixes))
        return 0;
    return plan_stock(p, "nothing ends its endless inputs");
}

/** What is looped is shifted by how long the streams in use are: of video alone that is easy to say. */
static int decide_loop(Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    const char *format  = in->fc->iformat->name;

    if (!in->loop)
        return 0;
    if (p->copyts || in->limits.start != AV_NOPTS_VALUE || in->limits.duration != INT64_MAX ||
        p->in_rate.num || (strncmp(format, "mov,", 4) && strncmp(format, "matroska", 8)))
        return plan_stock(p, "-stream_loop of such a video is not split yet");
    for (int i = 0; i < p->nb_streams; i++)
        if (!p->streams[i].fleet && (p->complex.sound ||
            (p->streams[i].file == p->streams[p->fleet_stream].file && !loopend_knows(p, &p->streams[i]))))
            return plan_stock(p, "-stream_loop of a video and such sound is not split yet");
    return 0;
}

static int decide_virtual(Plan *p)
{
    for (int i = 0; i < p->nb_streams; i++)
        if (p->inputs[p->streams[i].file].virtual && p->streams[i].copy)
            return plan_stock(p, "a lavfi input is copied");
    if (plan_video_input(p)->virtual && !encoder_is_slow(p))
        return plan_stock(p, "lavfi's pictures are more to send than the encoder %s has to do with them",
                          p->streams[p->fleet_stream].encoder->name);
    return 0;
}

static int decide_carrier(Plan *p)
{
    return carrier_choose(p, p->reason, sizeof(p->reason)) < 0;
}

/** @return nonzero when the reason for stock is one for all outputs */
static int decide(Plan *p)
{
    static int (*const decisions[])(Plan *) = {
        decide_shape, decide_common_options, decide_abort, decide_options, decide_output, decide_limits,
        decide_inputs, decide_decoding, decide_complex, decide_streams,
        decide_encoder, decide_rotation, decide_filters, decide_filter_timing,
        decide_copyts, decide_scale, decide_vsync, decide_frame_rate, decide_keyframes,
        decide_frame_limit, decide_virtual, decide_loop, decide_carrier, decide_late, decide_ends, decide_covers, decide_pace,
        decide_endless,
    };
    for (size_t i = 0; i < FF_ARRAY_ELEMS(decisions); i++)
        if (decisions[i](p))
            return decisions[i] == decide_shape || decisions[i] == decide_common_options ||
                   decisions[i] == decide_inputs || decisions[i] == decide_decoding || decisions[i] == decide_complex;
    return 0;
}

/**
 * The plan of the next stream; outputs in which the fleet has no part are passed over.
 * @param first  of the chain, which gets the reason; NULL: it is this one
 * @param output its number; that of the one found
 * @return 1; 0: there is none left, or a reason for stock; AVERROR(ENOMEM)
 */
static int make_next(Plan **out, Plan *first, const Command *cmd, int *output, int nth_fleet)
{
    Plan *p = *out = av_mallocz(sizeof(*p));
    char reason[sizeof(p->reason)] = "";
    int ret, all;

    if (!p)
        return AVERROR(ENOMEM);
    p->cmd   = cmd;
    p->first = first ? first : p;
    do {
        p->output    = *output;
        p->nth_fleet = nth_fleet;
        all = decide(p);
        if (!p->reason[0])
            return 1;
        if (!reason[0] || all)
            av_strlcpy(reason, p->reason, sizeof(reason));
        ret = all || nth_fleet || cmd->nb_outputs == 1 || decide_inputs(p) ? 0 :
              sideoutput_take(p->first, *output);
        plan_forget_output(p);
    } while (ret > 0 && ++*output < cmd->nb_outputs);
    if (ret <= 0 || p == p->first)
        av_strlcpy(p->first->reason, reason, sizeof(p->first->reason));
    return ret < 0 ? ret : 0;
}

int plan_make(Plan **out, const Command *cmd)
{
    Plan *last = NULL;
    int output = 0, nth = 0;

    *out = NULL;
    do {
        Plan *p;
        int ret = make_next(&p, *out, cmd, &output, nth);

        if (ret <= 0 && *out)
            av_freep(&p);
        if (!*out)
            *out = p;
        if (ret < 0) {
            plan_free(out);
            return ret;
        }
        if (!ret)
            break;
        if (last) {
            p->number  = last->number + 1;
            last->next = p;
        }
        last = p;
        if (++nth >= p->nb_fleet) {
            output++;
            nth = 0;
        }
    } while (!(*out)->reason[0] && output < cmd->nb_outputs);
    if (!(*out)->reason[0] && planchain_join(*out) < 0) {
        plan_free(out);
        return AVERROR(ENOMEM);
    }
    return 0;
}
