/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/cpu.h>
#include <libavutil/file.h>
#include <libavutil/opt.h>

#include "../compat.h"
#include "plandecide.h"
#include "streammap.h"

/* concern the encode of the stream that they match */
static const char *const encoder_options[] = { "q", "pix_fmt", "s", "aspect", "profile", "b", NULL };
/* change nothing that is split only while they match no video */
static const char *const audio_only_options[] = { "ac", "ar", "sample_fmt", "vol", NULL };

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

static int take_filters(Plan *p, const CmdOption *o)
{
    int script = !strcmp(o->name, "filter_script"), ret;
    uint8_t *text = NULL;
    size_t size = 0;

    if (p->filters && p->filter_script != script)
        return plan_stock(p, "-filter and -filter_script work on the same video");
    av_freep(&p->filters);
    p->filter_script = script;
    if (!script && !o->from_file) {
        p->filters = av_strdup(o->value);
        return p->filters ? 0 : plan_stock(p, "out of memory");
    }
    ret = av_file_map(o->value, &text, &size, AV_LOG_DEBUG, NULL);
    if (ret < 0)
        return plan_stock(p, "the filters in %s cannot be read: %s", o->value, av_err2str(ret));
    p->filters = av_strndup((const char *)text, size);
    av_file_unmap(text, size);
    return p->filters ? 0 : plan_stock(p, "out of memory");
}

/** Bitstream filters that make of each packet another, whatever came before. */
static int take_bsf(Plan *p, const char *list)
{
    static const char *const by_packet[] = {
        "null", "h264_mp4toannexb", "hevc_mp4toannexb", "h264_metadata", "hevc_metadata",
        "mpeg2_metadata", "av1_metadata", "vp9_metadata", "prores_metadata", "filter_units",
        "dump_extra", NULL
    };
    /* what goes into the first picture of the stream */
    static const char *const once[] = { "sei_user_data", "rotate", "flip", "display_orientation", NULL };

    for (const char *s = list; *s; s += strcspn(s, ",") + !!s[strcspn(s, ",")]) {
        char name[64];

        av_strlcpy(name, s, FFMIN(sizeof(name), strcspn(s, "=,") + 1));
        if (!plan_listed(by_packet, name))
            return plan_stock(p, "the bitstream filter %s of the video is not split yet", name);
    }
    for (int i = 0; once[i]; i++)
        if (strstr(list, once[i]))
            return plan_stock(p, "the bitstream filter's %s goes into the first picture only", once[i]);
    av_freep(&p->bsf);
    p->bsf = av_strdup(list);
    return p->bsf ? 0 : plan_stock(p, "out of memory");
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
            return plan_stock(p, "the stream specifier of -%s:%s is invalid", o->name, o->spec);
        if (!match && o->def && !strcmp(name, "filter_script"))
            return plan_stock(p, "-filter_script of another stream than the video is not split yet");
        if (!match)
            continue;
        if (o->def && !strcmp(name, "bsf")) {
            if (take_bsf(p, o->value))
                return 1;
            continue;
        }
        if (o->def && (!strcmp(name, "filter") || !strcmp(name, "filter_script"))) {
            if (take_filters(p, o))
                return 1;
            continue;
        }
        if (o->def && plan_listed(audio_only_options, name))
            continue;
        if (o->def ? !plan_listed(encoder_options, name) :
            !(o->avclass & (AVCLASS_CODEC | AVCLASS_SWS)))
            continue;
        if (!o->value)
            return plan_stock(p, "-%s has no value", name);
        if (!o->def && (o->avclass & AVCLASS_CODEC) && !(o->avclass & AVCLASS_SWS)) {
            name = encoder_option_name(s->encoder, name);
            if (!name)
                continue;
        }
        if (add_encoder_arg(p, o, name) < 0)
            return plan_stock(p, "out of memory");
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

/** -flags as libavutil reads them: what has no sign at first replaces all. */
static int find_global_header(const Plan *p)
{
    int on = !!(p->oformat->flags & AVFMT_GLOBALHEADER);

    for (int i = 0; i < p->nb_encoder_args; i += 2) {
        const char *value = p->encoder_args[i + 1], *s = value;

        if (strcmp(p->encoder_args[i], "-flags"))
            continue;
        if (*s != '+' && *s != '-')
            on = 0;
        while ((s = strstr(s, "global_header"))) {
            on = s == value || s[-1] != '-';
            s += strlen("global_header");
        }
    }
    return on;
}

int decide_encoder(Plan *p)
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
        ret = plan_stock(p, "the encoder %s counts time codes", s->encoder->name);
    /* only parameter sets would tell that a segment begins with a picture of another kind */
    if (!ret && !strcmp(plan_video_input(p)->fc->iformat->name, "image2") &&
        s->encoder->id != AV_CODEC_ID_H264 && s->encoder->id != AV_CODEC_ID_HEVC &&
        !av_dict_get(opts, "pix_fmt", NULL, 0))
        ret = plan_stock(p, "the images may be of several pixel formats (-pix_fmt fixes it)");
    if (!ret && encoder_judge(s->encoder->name, opts, &p->judge, p->reason, sizeof(p->reason)) < 0)
        ret = p->reason[0] ? 1 : plan_stock(p, "the encoder %s is not split yet", s->encoder->name);
    p->global_header = find_global_header(p);
    p->gop = find_gop(p, s->encoder->name);
    if (p->judge.threads_matter && (p->gop || p->judge.rate == RATE_FRAME_LOCAL) &&
        !av_dict_get(opts, "threads", NULL, 0))
        p->threads = auto_threads(s->encoder->name, opts, plan_video(p)->codecpar);
    av_dict_free(&opts);
    return ret;
}

/** The last value of an encoder's option, or what it is by itself. */
static const char *find_arg(const Plan *p, const char *name, const char *value)
{
    for (int i = 0; i < p->nb_encoder_args; i += 2)
        if (!strcmp(p->encoder_args[i] + 1, name))
            value = p->encoder_args[i + 1];
    return value;
}

int encoder_is_slow(const Plan *p)
{
    static const char *const x264[] = { "slower", "veryslow", "placebo", NULL };
    static const char *const x265[] = { "medium", "slow", "slower", "veryslow", "placebo", NULL };
    const char *name = p->streams[p->fleet_stream].encoder->name;

    if (av_strstart(name, "libx264", NULL))
        return plan_listed(x264, find_arg(p, "preset", "medium"));
    if (!strcmp(name, "libx265"))
        return plan_listed(x265, find_arg(p, "preset", "medium"));
    if (!strcmp(name, "libvpx-vp9"))
        return strcmp(find_arg(p, "deadline", find_arg(p, "quality", "good")), "realtime") &&
               atoi(find_arg(p, "cpu-used", find_arg(p, "speed", "1"))) <= 3;
    if (!strcmp(name, "libaom-av1"))
        return strcmp(find_arg(p, "usage", "good"), "realtime") && atoi(find_arg(p, "cpu-used", "1")) <= 6;
    return !strcmp(name, "libsvtav1") && atoi(find_arg(p, "preset", "10")) <= 6;
}
