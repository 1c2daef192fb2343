/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>

#include <libavutil/parseutils.h>
#include <libavutil/time.h>

#include "../compat.h"
#include "../plan/sideoutput.h"
#include "panel.h"
#include "progress.h"
#include "report.h"

_Static_assert(PLAN_MAX_VIDEO <= PROGRESS_MAX_VIDEO, "each video stream has its place in a stats line");

#define MAX_PANEL_HOSTS 256

struct Report {
    const Plan *plan;
    Encode     *encode;
    Fleet      *fleet;
    Progress   *progress;
    Panel       panel;
    int         show_panel;
    int64_t     start;
    int64_t     joined;       ///< output frames written
    int64_t     dup, drop;
    FleetHostStatus *status;  ///< MAX_PANEL_HOSTS of them, for the panel
};

int report_open(Report **out, const Plan *plan, Encode *encode, Fleet *fleet)
{
    const Command *cmd = plan->cmd;
    const CmdOption *stats  = cmdline_last(cmd->globals, cmd->nb_globals, "stats");
    const CmdOption *period = cmdline_last(cmd->globals, cmd->nb_globals, "stats_period");
    const CmdOption *url    = cmdline_last(cmd->globals, cmd->nb_globals, "progress");
    int64_t period_us = 0;
    Report *r = av_mallocz(sizeof(*r));
    int print_stats = stats ? !stats->negated : -1, ret;

    if (!r)
        return AVERROR(ENOMEM);
    r->plan   = plan;
    r->encode = encode;
    r->fleet  = fleet;
    r->start  = av_gettime_relative();
    r->show_panel = cmd->own.short_form || cmd->own.status;
    panel_init(&r->panel);
    if (r->show_panel) {
        print_stats = 0;
        r->status = av_calloc(MAX_PANEL_HOSTS, sizeof(*r->status));
        if (!r->status) {
            av_free(r);
            return AVERROR(ENOMEM);
        }
    }
    if (period)
        av_parse_time(&period_us, period->value, 1);
    ret = progress_open(&r->progress, print_stats, period_us, url ? url->value : NULL, NULL);
    if (ret < 0) {
        report_close(&r);
        return ret;
    }
    *out = r;
    return 0;
}

/** The command's first output may be one that stock writes. */
static int64_t first_size(const Report *r, const Outputs *o)
{
    const SideOutput *side = sideoutput_find(r->plan, 0);
    struct stat st;

    if (!side)
        return mux_total_size(outputs_mux(o, 0));
    return side->oformat->flags & AVFMT_NOFILE || stat(r->plan->cmd->outputs[0].url, &st) < 0 ?
           AVERROR(EINVAL) : st.st_size;
}

static void fill_state(const Report *r, const Outputs *o, int is_last, ProgressState *s)
{
    int64_t frames = is_last ? r->joined : encode_frames(r->encode);
    const Mux *mux = outputs_mux(o, r->plan->output);
    /* 5.1 counts the frames of all streams in one */
    int nb_counted = COMPAT_TIMING_7 ? 1 : plan_count(r->plan);

    *s = (ProgressState) {
        .frames      = frames,
        .total_size  = mux ? first_size(r, o) : 0,
        .out_time_us = frames ? av_rescale_q(frames, av_inv_q(plan_usual_rate(r->plan)),
                                             AV_TIME_BASE_Q) : AV_NOPTS_VALUE,
        .dup         = r->dup * nb_counted,
        .drop        = r->drop * nb_counted,
        .is_last     = is_last,
    };
    if (is_last && mux)
        s->out_time_us = outputs_out_time(o);
    for (const Plan *p = r->plan; p; p = p->next)
        s->video[s->nb_video++] = (ProgressVideo) {
            .file   = p->output,
            .stream = p->fleet_stream,
            .q      = is_last ? -1 : encode_quantiser(r->encode, p->number),
        };
    progress_rates(s, (av_gettime_relative() - r->start) / 1e6);
}

static void print_panel(Report *r)
{
    PanelHost hosts[MAX_PANEL_HOSTS];
    int n = FFMIN(fleet_status(r->fleet, r->status, MAX_PANEL_HOSTS), MAX_PANEL_HOSTS);
    int queued = fleet_queued(r->fleet);

    for (int i = 0; i < n; i++) {
        EncodeSpeed speed = encode_speed(r->encode, r->status[i].host);

        panel_host_init(&hosts[i], &r->status[i], !queued, speed.fps, speed.time_us);
    }
    panel_print(&r->panel, queued, hosts, n);
}

void report_update(Report *r, const Outputs *o)
{
    int64_t now = av_gettime_relative();
    ProgressState s;

    if (r->show_panel && panel_due(&r->panel, now))
        print_panel(r);
    if (progress_due(r->progress, now)) {
        fill_state(r, o, 0, &s);
        progress_report(r->progress, &s);
    }
}

void report_joined(Report *r, const Segment *seg)
{
    r->joined += seg->nb_frames;
    r->dup     = seg->nb_dup;
    r->drop    = seg->nb_drop;
}

static void add_sizes(ProgressSummary *s, const Mux *mux)
{
    MuxSizes sizes;

    mux_sizes(mux, &sizes);
    s->video    += sizes.video;
    s->audio    += sizes.audio;
    s->subtitle += sizes.subtitle;
    s->other    += sizes.other;
    s->extra    += sizes.headers;
}

/** 5.1 sums up all outputs, against the size of the first; 7.1 each of them. */
static void finish_progress(Report *r, const Outputs *o, const ProgressState *s)
{
    ProgressSummary sum = { .format = r->plan->oformat->name, .packets = r->joined,
                            .file = r->plan->output, .total_size = first_size(r, o) };

    for (const Plan *p = r->plan; p; p = plan_next_output(p)) {
        const Mux *mux = outputs_mux(o, p->output);

        if (!mux)
            continue;
        if (p != r->plan && PROGRESS_STYLE == PROGRESS_STYLE_7) {
            progress_final_summary(&sum);
            sum = (ProgressSummary) { .format = p->oformat->name, .packets = r->joined,
                                      .file = p->output, .total_size = mux_total_size(mux) };
        }
        add_sizes(&sum, mux);
    }
    progress_finish(r->progress, s, &sum);
}

void report_finish(Report *r, const Outputs *o)
{
    ProgressState s;

    if (r->show_panel)
        print_panel(r);
    fill_state(r, o, 1, &s);
    if (outputs_mux(o, r->plan->output))
        finish_progress(r, o, &s);
    else  /* there is nothing of ours to sum up */
        progress_report(r->progress, &s);
}

void report_close(Report **rp)
{
    Report *r = *rp;

    if (!r)
        return;
    progress_close(&r->progress);
    av_freep(&r->status);
    av_freep(rp);
}
