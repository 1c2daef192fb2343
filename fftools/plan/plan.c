/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/file.h>
#include <libavutil/intreadwrite.h>

#include "../certain.h"
#include "../command/namelist.h"
#include "../compat.h"
#include "../input/decoding.h"
#include "carrier.h"
#include "loopend.h"
#include "plandecide.h"
#include "sideoutput.h"
#include "streammap.h"

int plan_stock(Plan *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->reason, sizeof(p->reason), fmt, ap);
    va_end(ap);
    return 1;
}

int plan_option_text(Plan *p, const CmdOption *o, char **text)
{
    const int from_file = o->from_file || !strcmp(o->name, "filter_script");
    uint8_t *data = NULL;
    size_t size = 0;
    int ret;

    *text = from_file ? NULL : av_strdup(o->value);
    ret   = from_file ? av_file_map(o->value, &data, &size, AV_LOG_DEBUG, NULL) : 0;
    if (ret < 0)
        return plan_stock(p, "the filters in %s cannot be read: %s", o->value, av_err2str(ret));
    if (data)
        *text = av_strndup((const char *)data, size);
    if (data)
        av_file_unmap(data, size);
    return *text ? 0 : plan_stock(p, "out of memory");
}

/* What ffleet does with each of ffmpeg's own options. One that is in no list goes to stock. */
static const char *const global_options[] = {
    "y", "n", "hide_banner", "loglevel", "stats", "stats_period", "progress", "stdin",
    "vsync", "filter_threads", "filter_complex_threads", "filter_complex",
    "benchmark", "xerror", "max_error_rate", "copyts",
    "start_at_zero", "abort_on", "report", "ignore_unknown", "copy_unknown", "async", NULL
};
static const char *const input_options[] = {
    "f", "thread_queue_size", "autorotate", "ss", "t", "to", "sseof", "itsoffset", "r",
    "accurate_seek", "s", "pix_fmt", "stream_loop", "itsscale", "re", "readrate", "readrate_initial_burst",
    "readrate_catchup", "vn", "an", "sn", "dn", "hwaccel", "hwaccel_device", "hwaccel_output_format", "c",
    "ar", "ac", "channel_layout", "ch_layout", "sample_fmt", "guess_layout_max", "fix_sub_duration", "canvas_size", NULL
};
/* concern the remainder or the muxer only */
static const char *const output_options[] = {
    "f", "map", "an", "sn", "dn", "c", "metadata", "map_metadata", "map_chapters",
    "disposition", "max_muxing_queue_size", "muxdelay", "muxpreload", "r", "fps_mode", "filter", "filter_script",
    "q", "pix_fmt", "s", "aspect", "profile", "tag", "b", "ac", "ar", "sample_fmt",
    "channel_layout", "ch_layout", "vol", "apad", "guess_layout_max", "ss", "t", "to", "frames",
    "force_key_frames", "bsf", "timecode", "attach", "shortest", "muxing_queue_data_threshold", "copyinkf",
    "copypriorss", "streamid", "top", "bits_per_raw_sample", "bitexact", NULL
};
static int decide_shape(Plan *p)
{
    const Command *cmd = p->cmd;
    const char *reason = certain_stock(cmd);

    if (reason)
        return plan_stock(p, "%s", reason);
    return 0;
}

static int check_options(Plan *p, const CmdOption *opts, int nb, const char *const *known,
                         int avclasses, const char *where)
{
    for (int i = 0; i < nb; i++) {
        const CmdOption *o = &opts[i];

        if (o->from_file && strcmp(o->name, "filter") && strcmp(o->name, "filter_complex"))
            return plan_stock(p, "-/%s reads its value from a file", o->name);
        if (o->def ? !namelist_has(known, o->name) : !(o->avclass & avclasses))
            return plan_stock(p, "the %s option -%s is not one that is split yet", where, o->name);
        if (o->spec && strchr("pmiu#", o->spec[0]))
            return plan_stock(p, "the stream specifier of -%s:%s is not one that is split yet",
                         o->name, o->spec);
    }
    return 0;
}

/** Of the whole command. */
static int decide_common_options(Plan *p)
{
    for (int i = 0; i < p->cmd->nb_inputs && p == p->first; i++) {
        const CmdFile *in = &p->cmd->inputs[i];

        if (check_options(p, in->options, in->nb_options, input_options, AVCLASS_FORMAT | AVCLASS_CODEC, "input"))
            return 1;
    }
    return check_options(p, p->cmd->globals, p->cmd->nb_globals, global_options, 0, "global");
}

/** The trial goes without, as streams may be empty in it that are not later: nobody else finds wrong flags. */
static int decide_abort(Plan *p)
{
    static const char *const flags[] = { "empty_output", "empty_output_stream", NULL };
    const CmdOption *o = cmdline_last(p->cmd->globals, p->cmd->nb_globals, "abort_on");

    for (const char *s = o ? o->value : ""; *s;) {
        char name[32];

        s += *s == '+';
        av_strlcpy(name, s, FFMIN(sizeof(name), strcspn(s, "+") + 1));
        if (!namelist_has(flags, name))
            return plan_stock(p, "-abort_on %s is not split yet", o->value);
        s += strcspn(s, "+");
    }
    return 0;
}

static int decide_options(Plan *p)
{
    const CmdFile *out = plan_file(p);

    /* when the muxer has got so much depends on sizes of packets, on threads and, in 5.1, on the other outputs */
    if (cmdline_last(out->options, out->nb_options, "fs"))
        return plan_stock(p, "-fs ends the output at a size, which the same frames reach elsewhere when other "
                          "encoders make them");
    return check_options(p, out->options, out->nb_options, output_options,
                         AVCLASS_CODEC | AVCLASS_FORMAT | AVCLASS_SWS | AVCLASS_SWR, "output");
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
    ret = complexgraph_parse(&p->complex, text, p->inputs, p->nb_inputs, p->reason, sizeof(p->reason));
    av_free(text);
    return ret >= 0 ? 0 : p->reason[0] ? 1 : plan_stock(p, "out of memory");
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
        "stream_segment,ssegment", "null", "h264", "hevc", "mpeg1video", "mpeg2video", "mjpeg",
        "ivf", "obu", "dnxhd", "framemd5", "framehash", "framecrc", "crc", "md5", "hash",
        "streamhash", "tee", "image2", "image2pipe", NULL
    };
    const CmdFile *f = plan_file(p);
    const CmdOption *fmt = cmdline_last(f->options, f->nb_options, "f");
    const AVDictionaryEntry *flags;

    p->oformat = av_guess_format(fmt ? fmt->value : NULL, fmt ? NULL : f->url, NULL);
    if (!p->oformat)
        return plan_stock(p, "no output format is known for %s", f->url);
    if (!namelist_has(formats, p->oformat->name))
        return plan_stock(p, "the output format %s is not split yet", p->oformat->name);
    p->pipe = !strcmp(f->url, "-") || !strcmp(f->url, "pipe:") || !strcmp(f->url, "pipe:1");
    p->pipe &= !!strcmp(p->oformat->name, "null");
    /* nobody inherits one that closes on exec: ffleet.c put it where there was none */
    if (p->pipe && fcntl(STDOUT_FILENO, F_GETFD) & FD_CLOEXEC)
        return plan_stock(p, "stdout is closed");
    if (strcmp(p->oformat->name, "null") && !p->pipe && (!strncmp(f->url, "pipe:", 5) || strstr(f->url, "://") ||
                     !strncmp(f->url, "fd:", 3)))
        return plan_stock(p, "the output is not a file");
    if (input_av_options(f, AVCLASS_FORMAT, &p->format_options) < 0)
        return plan_stock(p, "out of memory");
    p->max_delay = find_delay(f, "muxdelay", 0.7);
    p->preload   = find_delay(f, "muxpreload", 0);
    flags = av_dict_get(p->format_options, "movflags", NULL, 0);
    if ((flags && (strstr(flags->value, "negative_cts") || strstr(flags->value, "cmaf"))) ||
        av_dict_get(p->format_options, "use_editlist", NULL, 0))
        return plan_stock(p, "without an edit list the output's timestamps cannot be told apart");
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

/** Whether a stream is a picture beside the video that stock encodes as one. */
static int is_cover(const Plan *p, const PlanStream *s)
{
    const AVStream *in = p->inputs[s->file].fc->streams[s->index];

    return s->type == AVMEDIA_TYPE_VIDEO && !s->copy && !s->complex && in->disposition & AV_DISPOSITION_ATTACHED_PIC;
}

/**
 * They are stock's, where the output shows them as any other stream; where in the file they come
 * depends on when streams end.
 */
static int decide_covers(Plan *p)
{
    int nb = 0;

    for (int i = 0; i < p->nb_streams; i++)
        nb += is_cover(p, &p->streams[i]);
    if (nb && strcmp(p->oformat->name, "matroska") && strcmp(p->oformat->name, "webm"))
        return plan_stock(p, "it encodes a cover picture as well, which is not split in %s", p->oformat->name);
    if (nb && (p->filter_script || p->tied_ends))
        return plan_stock(p, "it encodes a cover picture as well, which is not split with %s",
                          p->tied_ends ? "-shortest or -frames" : "-filter_script");
    return 0;
}

static int decide_streams(Plan *p)
{
    int ret = streammap_resolve(p->cmd, p->output, p->inputs, p->nb_inputs, &p->complex, p->oformat,
                                &p->streams, &p->nb_streams, p->reason, sizeof(p->reason));
    const CmdFile *f = plan_file(p);
    const AVDictionaryEntry *e;

    if (ret < 0)
        return p->reason[0] ? 1 : plan_stock(p, "the streams cannot be mapped: %s", av_err2str(ret));
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
        if (p->streams[i].type != AVMEDIA_TYPE_VIDEO || p->streams[i].copy || is_cover(p, s))
            continue;
        if (p->nb_fleet++ == p->nth_fleet)
            p->fleet_stream = i;
        p->streams[i].fleet = 1;
    }
    if (!p->nb_fleet)
        return plan_stock(p, p->cmd->nb_outputs > 1 ? "it encodes no video for one of its outputs" :
                        "it encodes no video");
    return input_check_splittable(plan_video_input(p), plan_video(p), p->reason, sizeof(p->reason)) < 0;
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

PlanInput *plan_pipe(const Plan *p)
{
    for (int i = 0; i < p->nb_inputs; i++)
        if (p->inputs[i].store)
            return &p->inputs[i];
    return NULL;
}

/** @return nonzero when the reason for stock is one for all outputs */
static int decide(Plan *p)
{
    static int (*const decisions[])(Plan *) = {
        decide_shape, decide_common_options, decide_abort, decide_options, decide_output, decide_limits,
        decide_inputs, decide_decoding, decide_complex, decide_streams,
        decide_encoder, decide_rotation, decide_filters, decide_filter_timing,
        decide_copyts, decide_scale, decide_vsync, decide_frame_rate, decide_keyframes,
        decide_frame_limit, decide_virtual, decide_loop, decide_carrier, decide_ends, decide_covers, decide_pace,
        decide_endless,
    };
    for (size_t i = 0; i < FF_ARRAY_ELEMS(decisions); i++)
        if (decisions[i](p))
            return decisions[i] == decide_shape || decisions[i] == decide_common_options ||
                   decisions[i] == decide_inputs || decisions[i] == decide_decoding || decisions[i] == decide_complex;
    return 0;
}

static void free_words(char ***words, int nb)
{
    for (int i = 0; i < nb; i++)
        av_freep(&(*words)[i]);
    av_freep(words);
}

void plan_forget_output(Plan *p)
{
    Plan keep = { .cmd = p->cmd, .first = p->first, .inputs = p->inputs,
                  .nb_inputs = p->nb_inputs, .sides = p->sides, .nb_sides = p->nb_sides };

    for (int i = 0; i < p->nb_streams; i++)
        av_freep(&p->streams[i].label);
    av_freep(&p->streams);
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

void plan_free(Plan **pp)
{
    Plan *p = *pp, *next;

    for (int i = 0; p && i < p->nb_inputs; i++)
        input_close(&p->inputs[i]);
    if (p) {
        av_freep(&p->inputs);
        sideoutput_free_all(p);
    }
    for (; p; p = next) {
        next = p->next;
        plan_forget_output(p);
        av_free(p);
    }
    *pp = NULL;
}
