/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/cpu.h>
#include <libavutil/display.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/opt.h>
#include <libavutil/parseutils.h>

#include "carrier.h"
#include "certain.h"
#include "compat.h"
#include "filterfiles.h"
#include "filtertraits.h"
#include "keyframes.h"
#include "plan.h"
#include "renditions.h"
#include "streammap.h"
#include "timinggraph.h"

#define COUNTING_REACH         48
#define MAX_RATE_RATIO         30
#define MIN_SPLIT_DURATION     (4 * AV_TIME_BASE)

/** Reason for stock; returns 1 so that a decision can end with it. */
static int av_printf_format(2, 3) stock(Plan *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->reason, sizeof(p->reason), fmt, ap);
    va_end(ap);
    return 1;
}

/* What ffleet does with each of ffmpeg's own options. One that is in no list goes to stock. */
static const char *const global_options[] = {
    "y", "n", "hide_banner", "loglevel", "stats", "stats_period", "progress", "stdin",
    "vsync", "filter_threads", "filter_complex_threads", "filter_complex",
    "benchmark", "xerror", "max_error_rate", "copyts",
    "start_at_zero", NULL
};
static const char *const input_options[] = {
    "f", "thread_queue_size", "autorotate", "ss", "t", "to", "sseof", "itsoffset", "r",
    "accurate_seek", "s", "pix_fmt", NULL
};
/* concern the remainder or the muxer only */
static const char *const output_options[] = {
    "f", "map", "an", "sn", "dn", "c", "metadata", "map_metadata", "map_chapters",
    "disposition", "max_muxing_queue_size", "muxdelay", "muxpreload", "r", "fps_mode", "filter",
    "q", "pix_fmt", "s", "aspect", "profile", "tag", "b", "ac", "ar", "sample_fmt",
    "channel_layout", "ch_layout", "vol", "apad", "guess_layout_max", "ss", "t", "to", "frames",
    "force_key_frames", "bsf", "timecode", "attach", NULL
};
/* concern the encode of the stream that they match */
static const char *const encoder_options[] = { "q", "pix_fmt", "s", "aspect", "profile", "b", NULL };
/* change nothing that is split only while they match no video */
static const char *const audio_only_options[] = { "ac", "ar", "sample_fmt", "vol", NULL };

static int listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (!strcmp(*list, name))
            return 1;
    return 0;
}

static int decide_shape(Plan *p)
{
    const Command *cmd = p->cmd;
    const char *reason = certain_stock(cmd);

    if (reason)
        return stock(p, "%s", reason);
    if (cmd->nb_trailing)
        return stock(p, "options stand after the output");
    return 0;
}

static int check_options(Plan *p, const CmdOption *opts, int nb, const char *const *known,
                         int avclasses, const char *where)
{
    for (int i = 0; i < nb; i++) {
        const CmdOption *o = &opts[i];

        if (o->from_file)
            return stock(p, "-/%s reads its value from a file", o->name);
        /* of the decoder, whose frames are the same with any number of them */
        if (known == input_options && !o->def && !strcmp(o->name, "threads"))
            continue;
        if (o->def ? !listed(known, o->name) : !(o->avclass & avclasses))
            return stock(p, "the %s option -%s is not one that is split yet", where, o->name);
        if (o->spec && strchr("pmiu#", o->spec[0]))
            return stock(p, "the stream specifier of -%s:%s is not one that is split yet",
                         o->name, o->spec);
    }
    return 0;
}

static int decide_options(Plan *p)
{
    const CmdFile *out = plan_file(p);

    for (int i = 0; i < p->cmd->nb_inputs && p == p->first; i++) {
        const CmdFile *in = &p->cmd->inputs[i];

        if (check_options(p, in->options, in->nb_options, input_options, AVCLASS_FORMAT, "input"))
            return 1;
    }
    if (check_options(p, p->cmd->globals, p->cmd->nb_globals, global_options, 0, "global") ||
        check_options(p, out->options, out->nb_options, output_options,
                      AVCLASS_CODEC | AVCLASS_FORMAT | AVCLASS_SWS | AVCLASS_SWR, "output"))
        return 1;
    return 0;
}

static int decide_limits(Plan *p)
{
    return timelimits_parse(&p->out_limits, plan_file(p), p->reason,
                            sizeof(p->reason)) < 0;
}

static int decide_inputs(Plan *p)
{
    if (p != p->first) {
        p->inputs    = p->first->inputs;
        p->nb_inputs = p->first->nb_inputs;
        return 0;
    }
    p->inputs = av_calloc(p->cmd->nb_inputs, sizeof(*p->inputs));
    if (!p->inputs)
        return stock(p, "out of memory");
    for (int i = 0; i < p->cmd->nb_inputs; i++) {
        if (!strcmp(p->cmd->inputs[i].url, plan_file(p)->url))
            return stock(p, "input and output are the same file");
        if (plan_stdin(p) && input_is_stdin(p->cmd->inputs[i].url))
            return stock(p, "it reads stdin several times");
        p->nb_inputs++;
        if (input_open(&p->inputs[i], &p->cmd->inputs[i], p->reason, sizeof(p->reason)) < 0)
            return p->reason[0] ? 1 : stock(p, "out of memory");
    }
    return 0;
}

static int decide_complex(Plan *p)
{
    const CmdOption *o = NULL;

    for (int i = 0; i < p->cmd->nb_globals; i++) {
        const CmdOption *g = &p->cmd->globals[i];

        if (!g->def || strcmp(g->name, "filter_complex"))
            continue;
        if (o)
            return stock(p, "there are several filter graphs");
        o = g;
    }
    if (!o)
        return 0;
    if (complexgraph_parse(&p->complex, o->value, p->inputs, p->nb_inputs, p->reason, sizeof(p->reason)) < 0)
        return p->reason[0] ? 1 : stock(p, "out of memory");
    return 0;
}

/** A second input of the filters travels whole, if it is a single picture. */
static int add_side(Plan *p, const GraphSource *side)
{
    const PlanInput *in = &p->inputs[side->file];
    const char *format  = in->fc->iformat->name;
    size_t len = strlen(format);
    int ret;

    if ((strcmp(format, "image2") && (len < 5 || strcmp(format + len - 5, "_pipe"))) ||
        in->file->nb_options || in->fc->nb_streams != 1)
        return stock(p, "the filters' second input %s is more than a picture", in->file->url);
    ret = shipment_add(&p->files, in->file->url, NULL);
    if (ret < 0)
        return stock(p, "%s cannot travel to hosts: %s", in->file->url, av_err2str(ret));
    return 0;
}

static int decide_graph(Plan *p)
{
    const PlanStream *s = &p->streams[p->fleet_stream];
    const GraphPath *g  = s->complex ? complexgraph_find(&p->complex, s->label) : NULL;

    p->path = g;
    if (!g && p->complex.nb_paths && p->cmd->nb_outputs == 1 && p->nb_fleet == 1)
        return stock(p, "what the filter graph makes is not the video of the output");
    if (!g)
        return 0;
    if (p->filters)
        return stock(p, "-filter_complex and -vf work on the same video");
    p->filters = av_strdup(g->filters);
    if (!p->filters)
        return stock(p, "out of memory");
    for (int i = 0; i < g->nb_sides; i++)
        if (add_side(p, &g->sides[i]))
            return 1;
    return 0;
}

static int find_delay(const CmdFile *f, const char *name, double seconds)
{
    const CmdOption *o = cmdline_last(f->options, f->nb_options, name);

    return av_clipd(o ? strtod(o->value, NULL) : seconds, 0, 1000) * AV_TIME_BASE;
}

static int decide_output(Plan *p)
{
    static const char *const formats[] = {
        "mp4", "mov", "ipod", "3gp", "3g2", "f4v", "psp", "matroska", "webm", "mpegts", "flv",
        "nut", "avi", "asf", "ogg", "ogv", "mxf", "hls", "dash", "segment",
        "stream_segment,ssegment", NULL
    };
    const CmdFile *f = plan_file(p);
    const CmdOption *fmt = cmdline_last(f->options, f->nb_options, "f");
    const AVDictionaryEntry *flags;

    p->oformat = av_guess_format(fmt ? fmt->value : NULL, fmt ? NULL : f->url, NULL);
    if (!p->oformat)
        return stock(p, "no output format is known for %s", f->url);
    if (!listed(formats, p->oformat->name))
        return stock(p, "the output format %s is not split yet", p->oformat->name);
    p->pipe = !strcmp(f->url, "-") || !strcmp(f->url, "pipe:") || !strcmp(f->url, "pipe:1");
    if (!p->pipe && (!strncmp(f->url, "pipe:", 5) || strstr(f->url, "://") ||
                     !strncmp(f->url, "fd:", 3)))
        return stock(p, "the output is not a file");
    if (input_av_options(f, AVCLASS_FORMAT, &p->format_options) < 0)
        return stock(p, "out of memory");
    p->max_delay = find_delay(f, "muxdelay", 0.7);
    p->preload   = find_delay(f, "muxpreload", 0);
    flags = av_dict_get(p->format_options, "movflags", NULL, 0);
    if ((flags && (strstr(flags->value, "negative_cts") || strstr(flags->value, "cmaf"))) ||
        av_dict_get(p->format_options, "use_editlist", NULL, 0))
        return stock(p, "without an edit list the output's timestamps cannot be told apart");
    return 0;
}

/** What is copied keeps its tag if it means the same in the output's format (init_output_stream_streamcopy()). */
static uint32_t copied_tag(const Plan *p, int stream)
{
    const PlanStream *s = &p->streams[stream];
    const AVCodecParameters *in = p->inputs[s->file].fc->streams[s->index]->codecpar;
    const struct AVCodecTag *const *tags = p->oformat->codec_tag;
    unsigned other;

    return s->copy && (!tags || av_codec_get_id(tags, in->codec_tag) == in->codec_id ||
                       !av_codec_get_tag2(tags, in->codec_id, &other)) ? in->codec_tag : 0;
}

/** -tag as ffmpeg reads it: a number or four characters. */
static uint32_t find_tag(const Plan *p, int stream)
{
    const CmdFile *f = plan_file(p);
    uint32_t tag = copied_tag(p, stream);

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];
        char buf[4] = { 0 }, *end;

        if (!o->def || strcmp(o->name, "tag") ||
            streammap_option_matches(p->streams, p->nb_streams, stream, o) <= 0)
            continue;
        tag = strtol(o->value, &end, 0);
        if (*end) {
            memcpy(buf, o->value, FFMIN(sizeof(buf), strlen(o->value)));
            tag = AV_RL32(buf);
        }
    }
    return tag;
}

static int decide_streams(Plan *p)
{
    int ret = streammap_resolve(plan_file(p), !p->output, p->inputs, p->nb_inputs, &p->complex, p->oformat,
                                &p->streams, &p->nb_streams, p->reason, sizeof(p->reason));
    const CmdFile *f = plan_file(p);
    const AVDictionaryEntry *e;

    if (ret < 0)
        return p->reason[0] ? 1 : stock(p, "the streams cannot be mapped: %s", av_err2str(ret));
    p->nb_fleet = 0;
    for (int i = 0; i < p->nb_streams; i++) {
        PlanStream *s = &p->streams[i];
        const AVStream *in = p->inputs[s->file].fc->streams[s->index];

        s->in_bit_rate    = in->codecpar->bit_rate;
        s->in_has_handler = !!av_dict_get(in->metadata, "handler_name", NULL, 0);
        s->tag             = find_tag(p, i);
        e = cmdline_last(f->options, f->nb_options, "map_metadata") ? NULL :
            av_dict_get(in->metadata, "DURATION", NULL, 0);
        av_strlcpy(s->in_duration, e ? e->value : "", sizeof(s->in_duration));
        s->in_has_language = !!av_dict_get(in->metadata, "language", NULL, 0);
        if (p->streams[i].type != AVMEDIA_TYPE_VIDEO || p->streams[i].copy)
            continue;
        if (p->nb_fleet++ == p->nth_fleet)
            p->fleet_stream = i;
        p->streams[i].fleet = 1;
    }
    if (!p->nb_fleet)
        return stock(p, p->cmd->nb_outputs > 1 ? "it encodes no video for one of its outputs" :
                        "it encodes no video");
    if (plan_video(p)->disposition & AV_DISPOSITION_ATTACHED_PIC)
        return stock(p, "its video is a cover picture");
    return input_check_splittable(plan_video_input(p), plan_video(p), p->reason, sizeof(p->reason)) < 0;
}

/** ffmpeg's filter_codec_opts(): does this AVOption reach that video encoder, and by which name? */
static const char *encoder_option_name(const AVCodec *encoder, const char *name)
{
    const int flags = AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_ENCODING_PARAM;
    const AVClass *cc = avcodec_get_class();

    if (av_opt_find(&cc, name, NULL, flags, AV_OPT_SEARCH_FAKE_OBJ) ||
        (encoder->priv_class &&
         av_opt_find((void *)&encoder->priv_class, name, NULL, flags, AV_OPT_SEARCH_FAKE_OBJ)))
        return name;
    if (name[0] == 'v' && av_opt_find(&cc, name + 1, NULL, flags, AV_OPT_SEARCH_FAKE_OBJ))
        return name + 1;
    return NULL;
}

static int add_arg(char ***words, int *nb, const char *name, const char *value)
{
    char **args = av_realloc_array(*words, *nb + 3, sizeof(*args));

    if (!args)
        return AVERROR(ENOMEM);
    *words = args;
    args[*nb]     = av_asprintf("-%s", name);
    args[*nb + 1] = av_strdup(value);
    args[*nb + 2] = NULL;
    *nb += 2;
    return args[*nb - 2] && args[*nb - 1] ? 0 : AVERROR(ENOMEM);
}

static int add_encoder_arg(Plan *p, const CmdOption *o, const char *name)
{
    return !o->def && o->avclass & AVCLASS_SWS ?
           add_arg(&p->scaler_args, &p->nb_scaler_args, name, o->value) :
           add_arg(&p->encoder_args, &p->nb_encoder_args, name, o->value);
}

/** Sort the output's options: those of the video encoder, the filters, the timing. */
static int decide_video_options(Plan *p, AVDictionary **encoder_opts)
{
    const PlanStream *s = &p->streams[p->fleet_stream];
    const CmdFile *f = plan_file(p);

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];
        const char *name = o->name;
        int match;

        /* its specifier names chapters, programs and the file as well */
        if (o->def && !strcmp(name, "metadata"))
            continue;
        match = streammap_option_matches(p->streams, p->nb_streams, p->fleet_stream, o);
        if (match < 0)
            return stock(p, "the stream specifier of -%s:%s is invalid", o->name, o->spec);
        if (!match)
            continue;
        if (o->def && !strcmp(name, "bsf"))
            return stock(p, "the bitstream filter %s of the video is not split yet", o->value);
        if (o->def && !strcmp(name, "filter")) {
            av_freep(&p->filters);
            p->filters = av_strdup(o->value);
            continue;
        }
        if (o->def && listed(audio_only_options, name))
            continue;
        if (o->def ? !listed(encoder_options, name) :
            !(o->avclass & (AVCLASS_CODEC | AVCLASS_SWS)))
            continue;
        if (!o->value)
            return stock(p, "-%s has no value", name);
        if (!o->def && (o->avclass & AVCLASS_CODEC) && !(o->avclass & AVCLASS_SWS)) {
            name = encoder_option_name(s->encoder, name);
            if (!name)
                continue;
        }
        if (add_encoder_arg(p, o, name) < 0)
            return stock(p, "out of memory");
        av_dict_set(encoder_opts, strcmp(name, "q") ? name : "qscale", o->value, 0);
    }
    return 0;
}

/**
 * Where stock puts keyframes of its own accord: at regular distances, as far as is known.
 * Native encoders begin to count anew at scene cuts, which nobody can foresee; without such cuts the grid is right.
 */
static int find_gop(const Plan *p, const char *encoder)
{
    const EncoderTraits *traits = encoder_traits(encoder);

    if (p->judge.gop > 1)
        return p->judge.gop;
    return !p->judge.gop && traits && traits->gop_fixed_native ? p->judge.max_gop : 0;
}

/** x264's threads work on slices of one frame, not on several frames. */
static int x264_sliced(AVDictionary *opts)
{
    static const char *const params[] = { "x264opts", "x264-params" };
    const AVDictionaryEntry *tune = av_dict_get(opts, "tune", NULL, 0);
    const AVDictionaryEntry *type = av_dict_get(opts, "thread_type", NULL, 0);
    int sliced = tune && strstr(tune->value, "zerolatency");

    if (type)
        sliced = !strcmp(type->value, "slice");
    for (int i = 0; i < 2; i++) {
        const AVDictionaryEntry *e = av_dict_get(opts, params[i], NULL, 0);

        if (e && strstr(e->value, "sliced"))
            sliced = !strstr(e->value, "no-sliced") && !strstr(e->value, "sliced-threads=0");
    }
    return sliced;
}

/** What "auto" means on this machine: hosts with more cores would encode other frames. */
static int auto_threads(const char *encoder, AVDictionary *opts, const AVCodecParameters *par)
{
    const EncoderTraits *traits = encoder_traits(encoder);
    int cpus = av_cpu_count();

    if (traits && traits->family == ENCODER_X264)
        return x264_sliced(opts) ? FFMIN(cpus, 128) : FFMIN(cpus * 3 / 2, 128);
    cpus = FFMIN(cpus, (par->height + 15) / 16);
    return cpus > 1 ? FFMIN(cpus + 1, 16) : 1;
}

static int decide_encoder(Plan *p)
{
    const PlanStream *s = &p->streams[p->fleet_stream];
    const CmdFile *f = plan_file(p);
    AVDictionary *opts = NULL;
    int ret;

    ret = decide_video_options(p, &opts);
    /* opt_timecode() hands it to the encoder, too, which counts on from it */
    if (!ret && (av_dict_get(opts, "gop_timecode", NULL, 0) ||
                 (cmdline_last(f->options, f->nb_options, "timecode") &&
                  encoder_option_name(s->encoder, "gop_timecode"))))
        ret = stock(p, "the encoder %s counts time codes", s->encoder->name);
    /* only parameter sets would tell that a segment begins with a picture of another kind */
    if (!ret && !strcmp(plan_video_input(p)->fc->iformat->name, "image2") &&
        s->encoder->id != AV_CODEC_ID_H264 && s->encoder->id != AV_CODEC_ID_HEVC &&
        !av_dict_get(opts, "pix_fmt", NULL, 0))
        ret = stock(p, "the images may be of several pixel formats (-pix_fmt fixes it)");
    if (!ret && encoder_judge(s->encoder->name, opts, &p->judge, p->reason, sizeof(p->reason)) < 0)
        ret = p->reason[0] ? 1 : stock(p, "the encoder %s is not split yet", s->encoder->name);
    p->gop = find_gop(p, s->encoder->name);
    if (p->judge.threads_matter && (p->gop || p->judge.rate == RATE_FRAME_LOCAL) &&
        !av_dict_get(opts, "threads", NULL, 0))
        p->threads = auto_threads(s->encoder->name, opts, plan_video(p)->codecpar);
    av_dict_free(&opts);
    return ret;
}

/** ffmpeg's insertion of filters for the display matrix (ffmpeg_filter.c); mirrored matrices go to stock. */
static int decide_rotation(Plan *p)
{
    const CmdFile *f = plan_video_input(p)->file;
    const CmdOption *o = cmdline_last(f->options, f->nb_options, "autorotate");
    const AVStream *st = plan_video(p);
    const int32_t *matrix = NULL;
    double theta;

    for (int i = 0; i < compat_nb_stream_side_data(st); i++) {
        const AVPacketSideData *sd = compat_stream_side_data(st, i);

        switch (sd->type) {
        case AV_PKT_DATA_DISPLAYMATRIX:
            matrix = sd->size >= 9 * sizeof(*matrix) ? (const int32_t *)sd->data : NULL;
            break;
        case AV_PKT_DATA_CPB_PROPERTIES:
        case AV_PKT_DATA_STEREO3D:
        case AV_PKT_DATA_SPHERICAL:
            break;
        default:
            return stock(p, "the video carries side data that cannot travel (type %d)", sd->type);
        }
    }
    if (!matrix || (o && o->negated))
        return 0;
    theta = -round(av_display_rotation_get(matrix));
    theta -= 360 * floor(theta / 360 + 0.9 / 360);
    if ((int64_t)matrix[0] * matrix[4] - (int64_t)matrix[1] * matrix[3] < 0)
        return stock(p, "the input's display matrix mirrors the picture");
    if (fabs(theta - 90) < 1.0)
        p->autorotate = "transpose=clock";
    else if (fabs(theta - 180) < 1.0)
        p->autorotate = "hflip,vflip";
    else if (fabs(theta - 270) < 1.0)
        p->autorotate = "transpose=cclock";
    else if (fabs(theta) > 1.0)
        return stock(p, "the input is rotated by an uneven angle");
    return 0;
}

static int decide_filter_files(Plan *p, int flags)
{
    int ret = 0;

    if (flags & FILTER_NEEDS_FONT)
        ret = filterfiles_fonts(p->filters, &p->font_filters);
    if (ret == AVERROR_PATCHWELCOME)
        return stock(p, "drawtext without a fontsize takes it from this machine's fonts");
    if (ret >= 0 && flags & FILTER_SHIPS_FILE)
        ret = filterfiles_ship(&p->filters, &p->files, p->reason, sizeof(p->reason));
    return ret < 0 ? p->reason[0] ? 1 : stock(p, "out of memory") : 0;
}

static int decide_filters(Plan *p)
{
    const char *chain;
    enum FilterTrait worst;
    int flags;

    if (decide_graph(p))
        return 1;
    if (!p->filters)
        return 0;
    chain = p->path ? p->path->path : p->filters;
    flags = filterchain_traits(chain, &worst, p->reason, sizeof(p->reason));
    if (flags < 0 || flags & ~(FILTER_SHIPS_FILE | FILTER_NEEDS_FONT))
        return p->reason[0] ? 1 : stock(p, "the filters %s are not split yet", p->filters);
    if (worst == FILTER_WINDOW) {
        p->window = filterchain_window(chain, &p->drop_first);
        if (p->window < 0)
            worst = FILTER_UNKNOWN;
    }
    if (worst > FILTER_WINDOW || filterchain_timing(chain, &p->timing) < 0)
        return p->reason[0] ? 1 : stock(p, "the filters %s are not split yet", p->filters);
    if (p->path && p->path->nb_sides && !p->timing)  /* a picture comes at its own time */
        p->timing = av_strdup("null");
    if (p->timing)
        p->drop_first = 0; /* left to the timing graph */
    p->reason[0] = 0;
    return decide_filter_files(p, flags);
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

/** What the filters get, and what they make of it. */
static int decide_filter_timing(Plan *p)
{
    const CmdFile *in  = plan_video_input(p)->file;
    const CmdOption *rate = cmdline_last(in->options, in->nb_options, "r");
    TimingGraph *g = NULL;
    int ret;

    p->in_time_base  = plan_video(p)->time_base;
    p->in_frame_rate = av_guess_frame_rate(plan_video_input(p)->fc, plan_video(p), NULL);
    if (rate) {
        if (av_parse_video_rate(&p->in_rate, rate->value) < 0)
            return stock(p, "the frame rate %s is invalid", rate->value);
        if (p->timing || plan_video_input(p)->limits.start != AV_NOPTS_VALUE ||
            plan_video_input(p)->limits.duration != INT64_MAX)
            return stock(p, "-r of the input is not split together with time limits or filters that read times");
        p->in_frame_rate = p->in_rate;
        p->in_time_base  = av_inv_q(p->in_rate);
    }
    p->reach             = p->window;
    p->filter_time_base  = p->in_time_base;
    p->filter_frame_rate = p->in_frame_rate;
    if (!p->timing)
        return 0;
    ret = timinggraph_open(&g, p->timing, p->in_time_base, p->in_frame_rate);
    if (ret < 0)
        return stock(p, "the filters %s cannot be set up: %s", p->filters, av_err2str(ret));
    p->filter_time_base  = timinggraph_time_base(g);
    p->filter_frame_rate = timinggraph_frame_rate(g);
    p->reach             = find_reach(p);
    timinggraph_free(&g);
    return 0;
}

static enum VsyncMethod parse_vsync(const char *s)
{
    static const char *const names[] = { "passthrough", "cfr", "vfr" };

    for (int i = 0; i < 3; i++)
        if (!av_strcasecmp(s, names[i]) || (s[0] == '0' + i && !s[1]))
            return i;
    return !av_strcasecmp(s, "drop") ? VSYNC_DROP : VSYNC_AUTO;
}

static int is_set(const Plan *p, const char *name)
{
    const CmdOption *o = cmdline_last(p->cmd->globals, p->cmd->nb_globals, name);

    return o && !o->negated;
}

/** new_video_stream() in ffmpeg_opt.c (5.1), new_stream_video() in ffmpeg_mux_init.c (7.1). */
static enum VsyncMethod auto_vsync(const Plan *p, int have_rate)
{
    const PlanInput *in = plan_video_input(p);
    enum VsyncMethod v;

    if (COMPAT_TIMING_7 && have_rate)
        v = VSYNC_CFR;
    else if (!strcmp(p->oformat->name, "avi"))
        v = VSYNC_VFR;
    else if (p->oformat->flags & AVFMT_VARIABLE_FPS)
        v = p->oformat->flags & AVFMT_NOTIMESTAMPS ? VSYNC_PASSTHROUGH : VSYNC_VFR;
    else
        v = VSYNC_CFR;
    if (v == VSYNC_CFR && !p->streams[p->fleet_stream].complex && in->fc->nb_streams == 1 && !in->limits.ts_offset)
        v = VSYNC_VSCFR;
    return v == VSYNC_CFR && p->copyts ? VSYNC_VSCFR : v;
}

static const CmdOption *last_video_option(const Plan *p, const char *name)
{
    const CmdFile *f = plan_file(p);

    for (int i = f->nb_options - 1; i >= 0; i--)
        if (!strcmp(f->options[i].name, name) && f->options[i].def &&
            streammap_option_matches(p->streams, p->nb_streams, p->fleet_stream,
                                     &f->options[i]) > 0)
            return &f->options[i];
    return NULL;
}

/** So late that what stands in the video's place at 0 is far from the rest of stock's part. */
static int begins_late(const Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    int64_t start = in->limits.ts_offset;

    if (in->limits.start != AV_NOPTS_VALUE)
        start += in->limits.start;
    if (in->fc->start_time != AV_NOPTS_VALUE && !is_set(p, "start_at_zero"))
        start += in->fc->start_time;
    return start > 10 * AV_TIME_BASE;
}

static int decide_copyts(Plan *p)
{
    static const char *const late_formats[] = { "mp4", "mov", "ipod", "matroska", "webm", NULL };

    p->copyts = is_set(p, "copyts");
    if (p->copyts && (p->out_limits.start != AV_NOPTS_VALUE || p->timing ||
                      p->out_limits.duration != INT64_MAX))
        return stock(p, "-copyts is not split together with time limits of the output or filters "
                     "that read times");
    if (p->copyts && begins_late(p) && !listed(late_formats, p->oformat->name))
        return stock(p, "-copyts lets the output begin late, which is not split in %s yet", p->oformat->name);
    return 0;
}

static int decide_vsync(Plan *p)
{
    const CmdOption *mode = last_video_option(p, "fps_mode");
    const CmdOption *vsync = cmdline_last(p->cmd->globals, p->cmd->nb_globals, "vsync");

    p->out_rate_given = !!last_video_option(p, "r");
    p->vsync = VSYNC_AUTO;
    if (vsync)
        p->vsync = parse_vsync(vsync->value);
    if (mode)
        p->vsync = parse_vsync(mode->value);
    if (p->vsync == VSYNC_AUTO)
        p->vsync = auto_vsync(p, p->out_rate_given);
    if (p->vsync == VSYNC_DROP || (p->vsync == VSYNC_PASSTHROUGH && COMPAT_TIMING_7 && !p->out_rate_given))
        return stock(p, "frame timestamps are passed through unchanged");
    return 0;
}

static int decide_frame_rate(Plan *p)
{
    const CmdOption *rate = last_video_option(p, "r");
    const AVCodec *enc = p->streams[p->fleet_stream].encoder;

    if (enc->id == AV_CODEC_ID_NONE)
        return stock(p, "no encoder");
    p->frame_rate = p->filter_frame_rate;
    if (rate && av_parse_video_rate(&p->frame_rate, rate->value) < 0)
        return stock(p, "the frame rate %s is invalid", rate->value);
    /* choose_out_timebase() in ffmpeg_filter.c (7.1) */
    if (p->timing && (p->frame_rate.num <= 0 || p->frame_rate.den <= 0) &&
        (p->vsync == VSYNC_CFR || p->vsync == VSYNC_VSCFR))
        p->frame_rate = (AVRational) { 25, 1 };
    if (p->frame_rate.num <= 0 || p->frame_rate.den <= 0)
        return stock(p, p->timing ? "the filters leave the frame rate open" : "the input's frame rate is unknown");
    if (av_q2d(p->frame_rate) > 1000 || p->frame_rate.num > INT32_MAX / 1024)
        return stock(p, "the frame rate is very high");
    if (streammap_rate_unsupported(enc, p->frame_rate))
        return stock(p, "the encoder %s does not take %d/%d frames per second", enc->name,
                     p->frame_rate.num, p->frame_rate.den);
    if (enc->id == AV_CODEC_ID_MPEG4)
        av_reduce(&p->frame_rate.num, &p->frame_rate.den, p->frame_rate.num, p->frame_rate.den,
                  65535);
    return 0;
}

static int decide_keyframes(Plan *p)
{
    const CmdOption *o = last_video_option(p, "force_key_frames");
    ForcedKeyframes *k = NULL;
    int ret;

    if (!o)
        return 0;
    ret = forced_keyframes_alloc(&k, o->value, p->frame_rate);
    forced_keyframes_free(&k);
    if (ret < 0)
        return stock(p, ret == AVERROR_PATCHWELCOME ? "-force_key_frames %s is not split yet" :
                        "-force_key_frames %s cannot be read", o->value);
    p->force_keyframes = o->value;
    return 0;
}

/** In 5.1 the number of frames ends the whole output, wherever the other streams are then. */
static int decide_frame_limit(Plan *p)
{
    const CmdOption *o = last_video_option(p, "frames");
    char *end;

    p->max_frames = INT64_MAX;
    if (!o)
        return 0;
    p->max_frames = strtoll(o->value, &end, 10);
    if (*end || p->max_frames <= 0)
        return stock(p, "-frames %s is not a number of frames", o->value);
    if (!COMPAT_TIMING_7 && p->nb_streams > 1)
        return stock(p, "-frames ends the other streams too, at a place that cannot be foreseen");
    return 0;
}

/** When the first of the output's streams that come from the same input as its video starts. */
static int64_t first_start(const Plan *p)
{
    const AVFormatContext *ic = plan_video_input(p)->fc;
    int64_t start = INT64_MAX;

    for (int i = 0; i < p->nb_streams; i++) {
        const AVStream *st;

        if (p->streams[i].file != p->streams[p->fleet_stream].file)
            continue;
        st = ic->streams[p->streams[i].index];
        if (st->start_time != AV_NOPTS_VALUE)
            start = FFMIN(start, av_rescale_q(st->start_time, st->time_base, AV_TIME_BASE_Q));
    }
    return start;
}

/** What ffmpeg adds to all timestamps: open_input_file() and process_input() in ffmpeg.c (5.1). */
static void find_ts_offset(Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    const AVFormatContext *ic = in->fc;
    int64_t start = INT64_MAX;
    int zero = is_set(p, "start_at_zero");

    p->ts_offset  = in->limits.ts_offset;
    p->trim_start = in->trim ? 0 : AV_NOPTS_VALUE;
    if (p->copyts && in->trim)
        p->trim_start = in->limits.start + (zero || ic->start_time == AV_NOPTS_VALUE ?
                                            0 : ic->start_time);
    if (in->limits.start != AV_NOPTS_VALUE && !p->copyts)
        p->ts_offset -= in->limits.start;
    if (ic->start_time == AV_NOPTS_VALUE || (p->copyts && !zero))
        return;
    p->ts_offset -= ic->start_time;
    if (!(ic->iformat->flags & AVFMT_TS_DISCONT) || p->ts_offset != -ic->start_time)
        return;
    for (const Plan *q = p; q; q = q->next)
        start = FFMIN(start, first_start(q));
    if (start != INT64_MAX && start > ic->start_time)
        p->ts_offset = -start;
}

static int decide_carrier(Plan *p)
{
    return carrier_choose(p, p->reason, sizeof(p->reason)) < 0;
}

static int decide_length(Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    int64_t duration = in->fc->duration == AV_NOPTS_VALUE ? INT64_MAX : in->fc->duration;

    find_ts_offset(p);
    p->segment_length = p->cmd->own.segment_length;
    if (duration != INT64_MAX && in->limits.start != AV_NOPTS_VALUE)
        duration -= in->limits.start;
    duration = FFMIN3(duration, in->limits.duration, p->out_limits.duration);
    if (p->max_frames != INT64_MAX)
        duration = FFMIN(duration, p->max_frames * AV_TIME_BASE / av_q2d(p->frame_rate));
    p->duration = duration == INT64_MAX ? 0 : FFMAX(duration, 0) / (double)AV_TIME_BASE;
    if (duration < MIN_SPLIT_DURATION && !p->segment_length)
        return stock(p, "the input is too short to be worth splitting");
    return 0;
}

PlanInput *plan_stdin(const Plan *p)
{
    for (int i = 0; i < p->nb_inputs; i++)
        if (p->inputs[i].spool)
            return &p->inputs[i];
    return NULL;
}

/** @param first of the chain, which gets the reason; NULL: it is this one */
static Plan *make_one(Plan *first, const Command *cmd, int output, int nth_fleet)
{
    static int (*const decisions[])(Plan *) = {
        decide_shape, decide_options, decide_output, decide_limits, decide_inputs, decide_complex,
        decide_streams,
        decide_encoder, decide_rotation, decide_filters, decide_filter_timing,
        decide_copyts, decide_vsync, decide_frame_rate, decide_keyframes,
        decide_frame_limit, decide_carrier,
    };
    Plan *p = av_mallocz(sizeof(*p));

    if (!p)
        return NULL;
    p->cmd       = cmd;
    p->first     = first ? first : p;
    p->output    = output;
    p->nth_fleet = nth_fleet;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(decisions); i++)
        if (decisions[i](p))
            break;
    if (p != p->first)
        av_strlcpy(p->first->reason, p->reason, sizeof(p->first->reason));
    return p;
}

int plan_make(Plan **out, const Command *cmd)
{
    Plan *last = NULL;
    int output = 0, nth = 0;

    *out = NULL;
    do {
        Plan *p = make_one(*out, cmd, output, nth);

        if (!p) {
            plan_free(out);
            return AVERROR(ENOMEM);
        }
        if (last) {
            p->number  = last->number + 1;
            last->next = p;
        } else {
            *out = p;
        }
        last = p;
        if (++nth >= p->nb_fleet) {
            output++;
            nth = 0;
        }
    } while (!(*out)->reason[0] && output < cmd->nb_outputs);
    if (!(*out)->reason[0] && !decide_length(*out))
        renditions_unite(*out);
    return 0;
}

static void free_words(char ***words, int nb)
{
    for (int i = 0; i < nb; i++)
        av_freep(&(*words)[i]);
    av_freep(words);
}

void plan_free(Plan **pp)
{
    Plan *p = *pp, *next;

    for (int i = 0; p && i < p->nb_inputs; i++)
        input_close(&p->inputs[i]);
    if (p)
        av_freep(&p->inputs);
    for (; p; p = next) {
        next = p->next;
        for (int i = 0; i < p->nb_streams; i++)
            av_freep(&p->streams[i].label);
        av_freep(&p->streams);
        complexgraph_free(&p->complex);
        shipment_free(&p->files);
        av_dict_free(&p->format_options);
        free_words(&p->encoder_args, p->nb_encoder_args);
        free_words(&p->scaler_args, p->nb_scaler_args);
        av_freep(&p->filters);
        av_freep(&p->timing);
        av_freep(&p->font_filters);
        av_freep(&p->known_fonts);
        av_free(p);
    }
    *pp = NULL;
}
