/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/eval.h>
#include <libavutil/parseutils.h>
#include <libavutil/pixdesc.h>

#include "../command/filterargs.h"
#include "../compat.h"
#include "../filter/complexparse.h"
#include "../filter/filterchain.h"
#include "../filter/filterfiles.h"
#include "../filter/filterrate.h"
#include "../filter/timinggraph.h"
#include "plandecide.h"

#define COUNTING_REACH 48
#define MAX_RATE_RATIO 30
/* For finer ones libavfilter takes microseconds where it joins. */
#define MAX_FORK_CLOCK 250000

/** Whether it is a file with one picture, however often that is shown. */
static int is_picture(const PlanInput *in)
{
    const char *format = in->fc->iformat->name;
    size_t len = strlen(format);

    for (int i = 0; i < in->file->nb_options; i++)
        if (!av_match_name(in->file->options[i].name, "loop,framerate"))
            return 0;
    return in->fc->nb_streams == 1 &&
           (strcmp(format, "image2") ? len >= 5 && !strcmp(format + len - 5, "_pipe") :
            !in->file->url[strcspn(in->file->url, "%*?[{")]);
}

/** Likewise of a file that a filter opens. */
static int is_picture_file(const char *name)
{
    AVFormatContext *ic = NULL;
    struct stat st;
    int ret = 0;

    if (!stat(name, &st) && S_ISREG(st.st_mode) && avformat_open_input(&ic, name, NULL, NULL) >= 0) {
        size_t len = strlen(ic->iformat->name);

        ret = ic->nb_streams == 1 && len >= 5 && !strcmp(ic->iformat->name + len - 5, "_pipe");
    }
    avformat_close_input(&ic);
    return ret;
}

/** A second input of the filters travels whole, if it is a single picture. */
static int add_side(Plan *p, const GraphPath *g, int side)
{
    const PlanInput *in = g->side_files[side] ? NULL : &p->inputs[g->sides[side].file];
    const char *name = in ? in->file->url : g->side_files[side];
    int ret;

    if (in ? !is_picture(in) : !is_picture_file(name))
        return plan_stock(p, "the filters' second input %s is more than a picture", name);
    ret = shipment_add(&p->files, name, NULL);
    if (ret < 0)
        return plan_stock(p, "%s cannot travel to hosts: %s", name, av_err2str(ret));
    return 0;
}

/**
 * Those of -filter_complex do not get the scaler's options, but what -s adds behind them does. On hosts, a path
 * without a second input is a plain -filter.
 */
static int decide_scaler(Plan *p)
{
    for (int i = 0; i < p->nb_encoder_args && p->nb_scaler_args; i += 2)
        if (!strcmp(p->encoder_args[i], "-s"))
            return plan_stock(p, "%s is not split together with -s and a filter graph", p->scaler_args[0]);
    for (; p->nb_scaler_args; p->nb_scaler_args--)
        av_freep(&p->scaler_args[p->nb_scaler_args - 1]);
    return 0;
}

/** Whether there may be labels: between chains, or at the ends of one. */
static int has_links(const char *filters)
{
    size_t len = strlen(filters);

    while (len && strchr(FILTER_BLANKS, filters[len - 1]))
        len--;
    return strchr(filters, ';') || filters[strspn(filters, FILTER_BLANKS)] == '[' || (len && filters[len - 1] == ']');
}

/** -vf whose filters are linked by labels. */
static int decide_links(Plan *p)
{
    const PlanStream *s = &p->streams[p->fleet_stream];
    const GraphSource video = { s->file, s->index };

    if (!p->filters || !has_links(p->filters) || av_strstart(p->filters, "sws_flags", NULL))
        return 0;
    if (complexparse_chain(&p->linked, p->filters, video, p->reason, sizeof(p->reason)) < 0)
        return p->reason[0] ? 1 : plan_stock(p, "out of memory");
    p->path = &p->linked.paths[0];
    av_freep(&p->filters);
    p->filters = av_strdup(p->path->filters);
    if (!p->filters)
        return plan_stock(p, "out of memory");
    for (int i = 0; i < p->path->nb_sides; i++)
        if (add_side(p, p->path, i))
            return 1;
    return p->path->nb_sides && p->nb_scaler_args ?
           plan_stock(p, "%s is not split together with a second input of filters", p->scaler_args[0]) : 0;
}

static int decide_graph(Plan *p)
{
    const PlanStream *s = &p->streams[p->fleet_stream];
    const GraphPath *g  = s->complex ? complexgraph_find(&p->complex, s->label) : NULL;

    p->path = g;
    if (!g && p->complex.nb_paths && p->cmd->nb_outputs == 1 && p->nb_fleet == 1)
        return plan_stock(p, "what the filter graph makes is not the video of the output");
    if (!g)
        return decide_links(p);
    if (p->filters)
        return plan_stock(p, "-filter_complex and -vf work on the same video");
    p->filters = av_strdup(g->filters);
    if (!p->filters)
        return plan_stock(p, "out of memory");
    for (int i = 0; i < g->nb_sides; i++)
        if (add_side(p, g, i))
            return 1;
    return g->nb_sides || g->nb_sources > 1 ? 0 : decide_scaler(p);
}

/** Whether it does that: up to FFmpeg 6, -autorotate takes a number. */
static int rotates(const Plan *p)
{
    const CmdFile *f = plan_video_input(p)->file;
    int ret = 1;

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];

        if (o->def && !strcmp(o->name, "autorotate") &&
            (!o->spec || avformat_match_stream_specifier(plan_video_input(p)->fc, plan_video(p), o->spec) > 0))
            ret = !o->negated && (!o->value || av_strtod(o->value, NULL));
    }
    return ret;
}

/** ffmpeg's insertion of filters for the display matrix (ffmpeg_filter.c); mirrored matrices go to stock. */
int decide_rotation(Plan *p)
{
    const AVStream *st = plan_video(p);
    const int32_t *matrix = NULL;
    double theta;

    for (int i = 0; i < compat_nb_stream_side_data(st); i++) {
        const AVPacketSideData *sd = compat_stream_side_data(st, i);

        switch (sd->type) {
        case AV_PKT_DATA_DISPLAYMATRIX:
            matrix = sd->size >= 9 * sizeof(*matrix) ? (const int32_t *)sd->data : NULL;
            break;
        case AV_PKT_DATA_STEREO3D:
            if (av_strstart(p->streams[p->fleet_stream].encoder->name, "libx264", NULL))
                return plan_stock(p, "libx264 writes how the pictures for both eyes are packed, which hosts are not told");
            break;
        case AV_PKT_DATA_CPB_PROPERTIES:
        case AV_PKT_DATA_SPHERICAL:
            break;
        default:
            return plan_stock(p, "the video carries side data that cannot travel (type %d)", sd->type);
        }
    }
    if (!matrix || !rotates(p))
        return 0;
    theta = -round(av_display_rotation_get(matrix));
    theta -= 360 * floor(theta / 360 + 0.9 / 360);
    if ((int64_t)matrix[0] * matrix[4] - (int64_t)matrix[1] * matrix[3] < 0)
        return plan_stock(p, "the input's display matrix mirrors the picture");
    if (fabs(theta - 90) < 1.0)
        p->autorotate = "transpose=clock";
    else if (fabs(theta - 180) < 1.0)
        p->autorotate = "hflip,vflip";
    else if (fabs(theta - 270) < 1.0)
        p->autorotate = "transpose=cclock";
    else if (fabs(theta) > 1.0)
        return plan_stock(p, "the input is rotated by an uneven angle");
    return 0;
}

static int decide_filter_files(Plan *p, int flags)
{
    int ret = 0;

    p->need_version = filterfiles_need_version(p->filters);
    if (p->need_version < 0)
        return plan_stock(p, "out of memory");
    if (flags & FILTER_NEEDS_FONT)
        ret = filterfiles_fonts(p->filters, &p->font_filters);
    if (ret >= 0 && flags & FILTER_SHIPS_FILE)
        ret = filterfiles_ship(&p->filters, &p->files, p->reason, sizeof(p->reason));
    return ret < 0 ? p->reason[0] ? 1 : plan_stock(p, "out of memory") : 0;
}

/**
 * Where parts are put together, their own filters are not in the chain that is judged. What goes by
 * times behind them would see others on a host: there a part begins with the first frame that the
 * host gets of it.
 */
static int decide_join(Plan *p)
{
    const GraphPath *g = p->path;
    char *before = NULL, *behind = NULL;
    int ret = filterchain_timing(g->before, &before), timed;

    if (ret >= 0)
        ret = filterchain_timing(g->path + g->nb_judged + (g->path[g->nb_judged] == ','), &behind);
    timed = !!behind;
    av_freep(&p->timing);
    p->timing = before ? av_asprintf("%s,%s", before, g->join) : av_strdup(g->join);
    av_free(before);
    av_free(behind);
    if (ret < 0 || !p->timing)
        return plan_stock(p, "the filters %s are not split yet", p->filters);
    if (timed)
        return plan_stock(p, "filters that go by times are not split behind concat");
    if (p->counts.used || p->window || strstr(g->path, "FR") || strstr(g->path, "tpad"))
        return plan_stock(p, "filters that count frames, look at their neighbours or read the frame rate are not split "
                          "together with concat");
    if (p->complex.ends && (plan_pipe(p) || p->nb_inputs > 1 || p->inputs->network || p->inputs->loop ||
                            p->inputs->fc->iformat->flags & AVFMT_TS_DISCONT ||
                            cmdline_last(p->cmd->globals, p->cmd->nb_globals, "copyts")))
        return plan_stock(p, "concat of sound and video is not split of such an input");
    return 0;
}

/** Branches that are joined again wait for each other, so that all is well as long as their times are. */
static int decide_fork(Plan *p)
{
    if (strstr(p->path->path, "FR") || strstr(p->path->path, "tpad"))
        return plan_stock(p, "filters that go by the frame rate are not split where branches are joined");
    if (!p->timing)
        p->timing = av_strdup("null");
    return p->timing ? 0 : plan_stock(p, "out of memory");
}

/**
 * Where stock converts between its own filters, so does hostcommand.c. But some formats cannot be turned, and
 * are converted before.
 */
static int decide_conversion(Plan *p)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(plan_video(p)->codecpar->format);

    if (!plan_converts_between(p) ||
        (desc && desc->log2_chroma_w == desc->log2_chroma_h &&
         !(desc->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL))))
        return 0;
    return plan_stock(p, "the input is turned and cut, and its pixel format may be converted between that for %s",
                      p->filters);
}

/**
 * What the filters need of neighbours, counts and times.
 * @param chain those that are judged @param timed those of them that time frames
 * @param flags gets FILTER_NEEDS_* and other bits
 */
static int judge_filters(Plan *p, const char *chain, const char *timed, int *flags)
{
    const int forked = p->path && p->path->spine;
    enum FilterTrait worst;

    *flags = filterchain_traits(chain, &worst, p->reason, sizeof(p->reason));
    if (*flags < 0 || *flags & ~(FILTER_SHIPS_FILE | FILTER_NEEDS_FONT | (forked ? FILTER_JOINS : 0)))
        return p->reason[0] ? 1 : plan_stock(p, "the filters %s are not split yet", p->filters);
    if (worst <= FILTER_READS_N) {
        if (filtercount_judge(&p->counts, chain, p->reason, sizeof(p->reason)) < 0)
            return p->reason[0] ? 1 : plan_stock(p, "out of memory");
        if (p->counts.used && p->path && p->path->nb_sides)
            return plan_stock(p, "filters that count frames are not split together with a second input");
        if (p->counts.nb_ranges && p->out_limits.start != AV_NOPTS_VALUE)
            return plan_stock(p, "a fade by frames is not split together with -ss of the output");
        worst = FFMIN(worst, FILTER_WINDOW);
    }
    if (worst == FILTER_WINDOW) {
        p->window = filterchain_window(chain, &p->drop_first);
        if (p->window < 0)
            worst = FILTER_UNKNOWN;
    }
    if (worst > FILTER_WINDOW || filterchain_timing(timed, &p->timing) < 0)
        return p->reason[0] ? 1 : plan_stock(p, "the filters %s are not split yet", p->filters);
    p->no_durations = filterchain_loses_durations(timed) > 0;
    return 0;
}

/** A second input, which is a picture: what its time and its end mean for the filters beside it. */
static int decide_sides(Plan *p)
{
    const GraphPath *g = p->path;

    for (int i = 0; g->fills_behind && i < g->nb_sides; i++)
        if (g->looped[i])
            return plan_stock(p, "filters that fill up to the end of the input are not split behind a picture that "
                              "is repeated");
    if (COMPAT_OVERLAY_HIDES_END && g->fills_behind && strstr(g->path, "tpad"))
        return plan_stock(p, "tpad does not hear behind overlay when the input ends");
    if (COMPAT_OVERLAY_HIDES_END && g->fills_before && g->fills_behind)
        return plan_stock(p, "filters that fill up to the end of the input are not split on both sides of a second "
                          "input");
    if (!g->nb_sides)
        return 0;
    /*
     * In 5.1, what `enable` says of the first frame of all is asked once more, with the time and number of the
     * second input's picture (consume_update() in avfilter.c): on hosts that must be a frame that nobody sees.
     */
    if (strstr(p->filters, "enable"))
        p->window = FFMAX(p->window, 1);
    /* a picture comes at its own time */
    if (!p->timing)
        p->timing = av_strdup("null");
    return p->timing ? 0 : plan_stock(p, "out of memory");
}

int decide_filters(Plan *p)
{
    const char *chain;
    int flags, forked;

    if (decide_graph(p))
        return 1;
    if (!p->filters)
        return 0;
    forked = p->path && p->path->spine;
    chain  = p->path ? p->path->path : p->filters;
    if (judge_filters(p, chain, forked ? p->path->spine : chain, &flags))
        return 1;
    if (p->path && (decide_sides(p) || (p->path->join && decide_join(p)) || (forked && decide_fork(p))))
        return 1;
    if (p->timing)
        p->drop_first = 0; /* left to the timing graph */
    p->reason[0] = 0;
    return decide_conversion(p) || decide_filter_files(p, flags);
}

/** Filters that count may have to begin some frames earlier to come out right; windows are given twofold, in
 * frames of the lower rate. */
static int find_reach(const Plan *p)
{
    int windows = p->window ? 2 * p->window + 2 : 0;
    double ratio = p->filter_frame_rate.num > 0 && p->filter_frame_rate.den > 0 ?
                   av_q2d(av_div_q(p->in_frame_rate, p->filter_frame_rate)) : 1;

    return (strcmp(p->timing, "null") ? COUNTING_REACH : 0) + windows * av_clipd(ratio, 1, MAX_RATE_RATIO);
}

/**
 * fps fills up to where its input ends, and tpad goes on from there. After trim, or -t of the
 * input, that is how far the input has been read by then: on and on for the sake of a stream that
 * has no packets for a while.
 */
static int fills_to_unknown(const Plan *p)
{
    if (!p->timing || !(strstr(p->timing, "fps") || strstr(p->timing, "tpad")) ||
        (!strstr(p->timing, "trim") && plan_video_input(p)->limits.duration == INT64_MAX))
        return 0;
    for (int i = 0; i < p->nb_streams; i++)
        if (p->streams[i].type != AVMEDIA_TYPE_VIDEO && p->streams[i].type != AVMEDIA_TYPE_AUDIO)
            return 1;
    return 0;
}

/** What the filters get, and what they make of it. */
int decide_filter_timing(Plan *p)
{
    const CmdFile *in  = plan_video_input(p)->file;
    const CmdOption *rate = cmdline_last(in->options, in->nb_options, "r");
    TimingGraph *g = NULL;
    int ret;

    p->in_time_base  = plan_video(p)->time_base;
    p->in_frame_rate = av_guess_frame_rate(plan_video_input(p)->fc, plan_video(p), NULL);
    if (rate) {
        if (av_parse_video_rate(&p->in_rate, rate->value) < 0)
            return plan_stock(p, "the frame rate %s is invalid", rate->value);
        if (p->timing)
            return plan_stock(p, "-r of the input is not split together with filters that read times");
        p->in_frame_rate = p->in_rate;
        p->in_time_base  = av_inv_q(p->in_rate);
    }
    p->reach             = p->window;
    p->filter_time_base  = p->in_time_base;
    p->filter_frame_rate = p->in_frame_rate;
    if (!p->timing)
        return 0;
    if (fills_to_unknown(p))
        return plan_stock(p, "how far fps fills up to an end is not known beside subtitles or data");
    ret = timinggraph_open(&g, p->timing, p->in_time_base, p->in_frame_rate);
    if (ret < 0)
        return plan_stock(p, "the filters %s cannot be set up: %s", p->filters, av_err2str(ret));
    p->filter_time_base  = timinggraph_time_base(g);
    p->filter_frame_rate = timinggraph_frame_rate(g);
    p->reach             = find_reach(p);
    timinggraph_free(&g);
    if (p->path && p->path->spine && FFMAX(p->in_time_base.den, p->filter_time_base.den) > MAX_FORK_CLOCK)
        return plan_stock(p, "branches of a video whose clock is very fine are not split where they are joined");
    if (p->path && p->path->join)
        return 0;
    ret = filterrate_fix(&p->filters, p->timing, p->in_time_base, p->in_frame_rate);
    if (ret < 0)
        return plan_stock(p, ret == AVERROR_PATCHWELCOME ? "tpad in %s sees no frame rate, by which it goes" :
                          "the filters %s cannot be read", p->filters);
    return 0;
}
