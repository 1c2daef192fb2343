/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/pixdesc.h>

#include "../compat.h"
#include "../encode/hostcommand.h"
#include "../plan/sideoutput.h"
#include "carrierargs.h"
#include "remainderargs.h"

/** Filters that drop frames or repeat them would do so with the only one that there is. */
static int leaves_filters_out(const Plan *plan)
{
    return plan->timing || plan->filter_script || plan->streams[plan->fleet_stream].complex;
}

/**
 * One frame like the input's, so that the user's filters and encoder take it; like the output's, where
 * filters that drop frames or repeat them have to be left out.
 */
static void add_placeholder(ArgList *l, const Plan *plan, const Trial *t, int64_t first_slot)
{
    const int made = leaves_filters_out(plan);
    const AVCodecParameters *par = made ? t->video->codecpar : plan_video(plan)->codecpar;
    const char *fmt = av_get_pix_fmt_name(par->format);
    AVRational r = plan_usual_rate(plan);
    /* -ss may fall between frames; with so fine a time base nobody can guess a frame rate, so else not */
    int64_t start = (plan->out_limits.start == AV_NOPTS_VALUE ? 0 : plan->out_limits.start) +
                    av_rescale_q(first_slot, av_inv_q(plan->frame_rate), AV_TIME_BASE_Q);
    const char *tb = start || plan->drop_first ? "settb=AVTB," : "";
    int turned = plan->autorotate && !made && av_strstart(plan->autorotate, "transpose", NULL);

    if (plan->drop_first)
        start -= av_rescale_q(1, av_inv_q(r), AV_TIME_BASE_Q);
    if (start) {
        arglist_add(l, "-itsoffset");
        arglist_addf(l, "%"PRId64"us", start);
    }
    if (plan->filters && !made) {  /* some take no others: zscale */
        const char *words[HOSTCOMMAND_COLOR_WORDS];
        int nb = hostcommand_add_colors(words, 0, par);

        for (int i = 0; i < nb; i++)
            arglist_add(l, words[i]);
    }
    arglist_add_words(l, "-f", "lavfi", "-i", NULL);
    arglist_addf(l, "color=c=black:s=%dx%d:r=%d/%d,trim=end_frame=%d,%sformat=%s",
                 turned ? par->height : par->width, turned ? par->width : par->height,
                 r.num, r.den, 1 + plan->drop_first, tb, fmt ? fmt : "yuv420p");
}

static int copies(const PlanStream *streams, int nb, const PlanStream *s)
{
    for (int i = 0; i < nb; i++)
        if (streams[i].copy && streams[i].file == s->file && streams[i].index == s->index)
            return 1;
    return 0;
}

/** Whether an earlier output copies the same stream. */
static int copied_before(const Plan *plan, const PlanStream *s)
{
    const Plan *first = plan->first;

    for (const Plan *p = first; p->output != plan->output; p = p->next)
        if (copies(p->streams, p->nb_streams, s))
            return 1;
    for (int i = 0; i < first->nb_sides; i++)
        if (first->sides[i].output < plan->output &&
            copies(first->sides[i].streams, first->sides[i].nb_streams, s))
            return 1;
    return 0;
}

/**
 * A copy that is read for its effect on others. Dropped before the muxer, which would complain of
 * timestamps; but for the first packet, where an empty stream would be complained of. Not where the
 * input is looped: in 5.1 a bitstream filter hears of the end of the first turn, and of what then
 * comes it complains packet by packet.
 */
static void add_dropped(ArgList *l, const Plan *plan, int file)
{
    const Command *cmd = plan->cmd;

    arglist_add_words(l, "-c", "copy", NULL);
    if (!plan->inputs[file].loop)
        arglist_add_words(l, "-bsf", cmdline_last(cmd->globals, cmd->nb_globals, "abort_on") ?
                          "noise=drop=n" : "noise=drop=1", NULL);
    arglist_add_words(l, "-f", "null", "-", NULL);
}

/**
 * The trial tells whether stock rounds copied timestamps to the input's time base. It does in the second
 * output of two that copy the same stream: av_rescale_delta()'s state is theirs together in 5.1.
 */
static void add_first_copy(ArgList *l, const Plan *plan, const Trial *t)
{
    const TimeLimits *limits = &plan->out_limits;

    for (int i = 0; i < plan->nb_streams; i++) {
        if (!t->streams[i].coarse || copied_before(plan, &plan->streams[i]))
            continue;
        arglist_add(l, "-map");
        arglist_addf(l, "%d:%d", plan->streams[i].file, plan->streams[i].index);
        if (limits->start != AV_NOPTS_VALUE) {
            arglist_add(l, "-ss");
            arglist_addf(l, "%"PRId64"us", limits->start);
        }
        if (limits->duration != INT64_MAX) {
            arglist_add(l, "-t");
            arglist_addf(l, "%"PRId64"us", limits->duration);
        }
        add_dropped(l, plan, plan->streams[i].file);
    }
}

/**
 * Where the stand-in is found in the output, and at what rate: its own clock is too fine to guess one. In FFmpeg 7, -r
 * would make the rate constant.
 */
static void add_place(ArgList *l, const Plan *plan, int64_t first_slot)
{
    const int even = plan->vsync == VSYNC_CFR || plan->vsync == VSYNC_VSCFR;
    const AVRational r = plan->frame_rate;

    if (!first_slot && plan->out_limits.start == AV_NOPTS_VALUE)
        return;
    for (int i = 0; i < plan->nb_streams; i++) {
        if (!plan->streams[i].fleet)
            continue;
        arglist_addf(l, COMPAT_TIMING_7 && !even ? "-enc_time_base:%d" : "-r:%d",
                     carrierpart_place(plan, i));
        if (COMPAT_TIMING_7 && !even)
            arglist_addf(l, "%d:%d", r.den, r.num);
        else
            arglist_addf(l, "%d/%d", r.num, r.den);
    }
    if (!even)
        carrierargs_fps_mode(l, plan, plan->carrier);
}

static void add_output(ArgList *l, const Plan *plan, int64_t first_slot, const char *file_name)
{
    static const char *const skip[] = { "map", "filter_script", NULL };
    const Command *cmd = plan->cmd;

    for (int i = 0; i < plan->nb_streams; i++) {
        if (plan->streams[i].part != CARRIER_MAIN)
            continue;
        arglist_add(l, "-map");
        if (plan->streams[i].fleet)
            arglist_addf(l, "%d:0", cmd->nb_inputs);
        else if (plan->streams[i].complex)
            arglist_addf(l, "[%s]", plan->streams[i].label);
        else
            arglist_addf(l, "%d:%d", plan->streams[i].file, plan->streams[i].index);
    }
    add_place(l, plan, first_slot);
    carrierargs_options(l, plan, plan->carrier, skip);
    /* as -enc_time_base means it for the video: the stand-in's input has another */
    for (int i = 0; i < plan->nb_streams; i++)
        if (plan->streams[i].fleet && cmdline_last(plan_file(plan)->options, plan_file(plan)->nb_options, "enc_time_base")) {
            arglist_addf(l, "-enc_time_base:%d", i);
            arglist_addf(l, "%d:%d", plan->frame_rate.den, plan->frame_rate.num);
        }
    for (int i = 0; i < plan->nb_streams; i++)
        if (plan->streams[i].fleet && leaves_filters_out(plan)) {
            arglist_addf(l, "-filter:%d", carrierpart_place(plan, i));
            arglist_add(l, "null");
        }
    carrierargs_exact(l, plan);
    arglist_add_words(l, "-f", plan->carrier->name, file_name, NULL);
}

/* As wide as x265 needs to use its threads as ever; their number, which decides how long an encoder holds back its
 * packets, follows the height else. */
static int narrow_width(const Plan *plan, int width)
{
    const char *name = plan->streams[plan->fleet_stream].encoder->name;

    return FFMIN(width, strcmp(name, "libx265") ? 64 : 256);
}

/** An output of the command, with its video in narrow pictures. @param t of its first plan */
static void add_whole(ArgList *l, const Remainder *r, const Trial *t)
{
    static const char *const skip[] = { NULL };
    const Plan *plan = r->plan;

    carrierargs_options(l, plan, plan->carrier, skip);
    carrierargs_fps_mode(l, plan, plan->carrier);
    for (; t && t->plan->output == plan->output; t = t->next) {
        const AVCodecParameters *par = t->video->codecpar;

        arglist_addf(l, "-s:%d", t->plan->fleet_stream);
        arglist_addf(l, "%dx%d", narrow_width(t->plan, par->width), par->height);
    }
    carrierargs_exact(l, plan);
    arglist_add_words(l, "-f", plan->carrier->name, r->files[CARRIER_MAIN]->name, NULL);
}

/** All of the command, in its order. */
static void build_whole(ArgList *l, const Remainder *r, const Trial *t)
{
    const Plan *plan = r->plan;

    arglist_add_inputs(l, plan->cmd, plan->inputs, 0);
    for (int i = 0; i < plan->cmd->nb_outputs; i++) {
        const SideOutput *side = sideoutput_find(plan, i);

        if (side) {
            sideoutput_add(l, plan, side);
            continue;
        }
        add_whole(l, r, t);
        while (t && t->plan->output == i)
            t = t->next;
        r = r->next;
    }
}

void remainderargs_build(ArgList *l, const Remainder *first, const Trial *t)
{
    const char *const skip[] = {
        "y", "n", "stats", "stats_period", "progress", "stdin", "loglevel", "hide_banner",
        "report", first->plan->tied_ends ? NULL : "filter_complex", NULL
    };
    const Plan *plan = first->plan;
    const Command *cmd = plan->cmd;
    const PlanInput *video = plan_video_input(plan);
    const PlanStream *s = &plan->streams[plan->fleet_stream];

    arglist_add_words(l, cmd->argv[0], "-nostdin", "-y", "-nostats", "-hide_banner",
                      "-loglevel", "level+error", NULL);
    arglist_add_options(l, cmd, cmd->globals, cmd->nb_globals, skip);
    if (plan->tied_ends) {
        build_whole(l, first, t);
        return;
    }
    arglist_add_inputs(l, cmd, plan->inputs, 0);
    add_placeholder(l, plan, t, first->first_slot);
    for (; t; t = t->next)
        if (!t->plan->nth_fleet)
            add_first_copy(l, t->plan, t);
    if (plan->complex.sound)
        arglist_add_words(l, "-filter_complex", plan->complex.sound, NULL);
    for (int i = 0; i < cmd->nb_outputs; i++) {
        const SideOutput *side = sideoutput_find(plan, i);

        if (side) {
            sideoutput_add(l, plan, side);
        } else {
            add_output(l, first->plan, first->first_slot, first->files[CARRIER_MAIN]->name);
            if (first->files[CARRIER_TEXT])
                carrierargs_text(l, first->plan, first->files[CARRIER_TEXT]->name);
            first = first->next;
        }
    }
    /* stock corrects the start time by the streams in use, shifts by them what it loops, and demuxers seek by them: keep the
     * video in use */
    if (video->fc->iformat->flags & AVFMT_TS_DISCONT || video->limits.start != AV_NOPTS_VALUE || video->loop > 0) {
        arglist_add(l, "-map");
        arglist_addf(l, "%d:%d", s->file, s->index);
        add_dropped(l, plan, s->file);
    }
}
