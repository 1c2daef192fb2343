/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/cpu.h>
#include <libavutil/opt.h>

#include "../command/namelist.h"
#include "../compat.h"
#include "plandecide.h"
#include "streammap.h"

/* concern the encode of the stream that they match */
static const char *const encoder_options[] = { "q", "pix_fmt", "s", "aspect", "top", "bits_per_raw_sample", NULL };

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

static int take_filters(Plan *p, const CmdOption *o)
{
    int script = !strcmp(o->name, "filter_script");

    if (p->filters && p->filter_script != script)
        return plan_stock(p, "-filter and -filter_script work on the same video");
    av_freep(&p->filters);
    p->filter_script = script;
    return plan_option_text(p, o, &p->filters);
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
        if (!namelist_has(by_packet, name))
            return plan_stock(p, "the bitstream filter %s of the video is not split yet", name);
    }
    for (int i = 0; once[i]; i++)
        if (strstr(list, once[i]))
            return plan_stock(p, "the bitstream filter's %s goes into the first picture only", once[i]);
    av_freep(&p->bsf);
    p->bsf = av_strdup(list);
    return p->bsf ? 0 : plan_stock(p, "out of memory");
}

/**
 * How the name of an option stands in the dictionary of codecs' options that ffmpeg keeps for a
 * file: opt_default(), opt_bitrate() and others in cmdutils.c and ffmpeg_opt.c (5.1).
 * @return NULL: not at all, or out of memory
 */
static char *codec_key(const CmdOption *o)
{
    if (o->def && !strcmp(o->name, "timecode"))
        return av_strdup("gop_timecode");
    if (o->def ? strcmp(o->name, "b") && strcmp(o->name, "profile") : !(o->avclass & AVCLASS_CODEC))
        return NULL;
    if (o->avclass & AVCLASS_PREFIX)
        return av_asprintf("%s%s", o->spec, o->name);
    return o->spec ? av_asprintf("%s:%s", o->name, o->spec) : av_strdup(o->name);
}

static int is_flags(const char *key)
{
    const AVClass *class = avcodec_get_class();
    char name[128];
    const AVOption *o;

    av_strlcpy(name, key, FFMIN(sizeof(name), strcspn(key, ":") + 1));
    o = av_opt_find(&class, name, NULL, 0, AV_OPT_SEARCH_CHILDREN | AV_OPT_SEARCH_FAKE_OBJ);
    return o && o->type == AV_OPT_TYPE_FLAGS;
}

/**
 * That dictionary: a later option takes the place of one by the same name and specifier, or is
 * appended to its flags.
 */
static int collect_codec_options(AVDictionary **dict, const CmdFile *f)
{
    int ret = 0;

    for (int i = 0; i < f->nb_options && ret >= 0; i++) {
        const CmdOption *o = &f->options[i];
        char *key = o->value ? codec_key(o) : NULL;
        int more = key && (o->value[0] == '+' || o->value[0] == '-') && is_flags(key);

        if (key)
            ret = av_dict_set(dict, key, o->value, more ? AV_DICT_APPEND : 0);
        av_free(key);
    }
    return ret;
}

/** -bitexact is a flag of all encoders, which -flags without a sign replaces as any other. */
static int take_bitexact(AVDictionary **opts, const CmdFile *f)
{
    const CmdOption *o = cmdline_last(f->options, f->nb_options, "bitexact");
    const AVDictionaryEntry *e = av_dict_get(*opts, "flags", NULL, 0);

    return !o || o->negated || (e && *e->value != '+' && *e->value != '-') ? 0 :
           av_dict_set(opts, "flags", "+bitexact", AV_DICT_APPEND);
}

/** filter_codec_opts() in cmdutils.c: in its order, in which the last of those for one option counts. */
static int take_codec_options(Plan *p, AVDictionary **encoder_opts)
{
    const PlanStream *s = &p->streams[p->fleet_stream];
    AVDictionary *all = NULL, *own = NULL;
    const AVDictionaryEntry *e = NULL;
    int ret = collect_codec_options(&all, plan_file(p));

    while (ret >= 0 && (e = av_dict_get(all, "", e, AV_DICT_IGNORE_SUFFIX))) {
        char *colon = strchr(e->key, ':');
        const CmdOption o = { .spec = colon ? colon + 1 : NULL };
        const char *name;

        /* an invalid one was seen when the options were sorted */
        ret = streammap_option_matches(p->streams, p->nb_streams, p->fleet_stream, &o);
        if (ret <= 0)
            continue;
        if (colon)
            *colon = 0;
        name = encoder_option_name(s->encoder, e->key);
        if (name)
            ret = av_dict_set(&own, name, e->value, 0);
        if (colon)
            *colon = ':';
    }
    if (ret >= 0)
        ret = take_bitexact(&own, plan_file(p));
    for (e = NULL; ret >= 0 && (e = av_dict_get(own, "", e, AV_DICT_IGNORE_SUFFIX));) {
        ret = add_arg(&p->encoder_args, &p->nb_encoder_args, e->key, e->value);
        if (ret >= 0)
            ret = av_dict_set(encoder_opts, e->key, e->value, 0);
    }
    av_dict_free(&all);
    av_dict_free(&own);
    return ret < 0 ? plan_stock(p, "out of memory") : 0;
}

/** ffmpeg's own options of the video, and those of the scaler. */
static int take_option(Plan *p, const CmdOption *o, AVDictionary **encoder_opts)
{
    if (o->def && !strcmp(o->name, "bsf"))
        return take_bsf(p, o->value);
    if (o->def && (!strcmp(o->name, "filter") || !strcmp(o->name, "filter_script")))
        return take_filters(p, o);
    if (!o->def && o->avclass & AVCLASS_SWS)
        return add_arg(&p->scaler_args, &p->nb_scaler_args, o->name, o->value) < 0 ?
               plan_stock(p, "out of memory") : 0;
    if (!o->def || !namelist_has(encoder_options, o->name))
        return 0;
    if (add_arg(&p->encoder_args, &p->nb_encoder_args, o->name, o->value) < 0 ||
        av_dict_set(encoder_opts, strcmp(o->name, "q") ? o->name : "qscale", o->value, 0) < 0)
        return plan_stock(p, "out of memory");
    return 0;
}

/** Sort the output's options: those of the video encoder, the filters, the timing. */
static int decide_video_options(Plan *p, AVDictionary **encoder_opts)
{
    const CmdFile *f = plan_file(p);

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];
        int match;

        /* its specifier names chapters, programs and the file as well */
        if (o->def && !strcmp(o->name, "metadata"))
            continue;
        match = streammap_option_matches(p->streams, p->nb_streams, p->fleet_stream, o);
        if (match < 0)
            return plan_stock(p, "the stream specifier of -%s:%s is invalid", o->name, o->spec);
        if (!match && o->def && !strcmp(o->name, "filter_script"))
            return plan_stock(p, "-filter_script of another stream than the video is not split yet");
        if (match && take_option(p, o, encoder_opts))
            return 1;
    }
    return take_codec_options(p, encoder_opts);
}

/**
 * Where stock puts keyframes of its own accord: at regular distances, as far as is known.
 * Native encoders begin to count anew at scene cuts, which nobody can foresee; without such cuts the grid is right.
 */
static int find_gop(const Plan *p, const char *encoder)
{
    const EncoderTraits *traits = encoder_traits(encoder);

    if (!strcmp(encoder, "dvvideo"))
        return 2;   /* of 720 lines, frames take turns at the channels */
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

/** Frames that x265 encodes at a time: of its own accord, as -threads is no number of threads there. */
static int x265_frames(int cpus, int height)
{
    return cpus >= 32 ? height > 2000 ? 6 : 5 : cpus >= 16 ? 4 : cpus >= 8 ? 3 : cpus >= 4 ? 2 : 1;
}

/** What "auto" means on this machine: hosts with more cores would encode other frames. */
static int auto_threads(const char *encoder, AVDictionary *opts, const AVCodecParameters *par)
{
    const EncoderTraits *traits = encoder_traits(encoder);
    int cpus = av_cpu_count();

    if (traits && traits->family == ENCODER_X264)
        return x264_sliced(opts) ? FFMIN(cpus, 128) : FFMIN(cpus * 3 / 2, 128);
    if (traits && traits->family == ENCODER_X265)
        return x265_frames(cpus, par->height);
    cpus = FFMIN(cpus, (par->height + 15) / 16);
    return cpus > 1 ? FFMIN(cpus + 1, 16) : 1;
}

static int find_global_header(Plan *p, AVDictionary *opts)
{
    const AVDictionaryEntry *e = av_dict_get(opts, "flags", NULL, 0);
    unsigned flags = p->oformat->flags & AVFMT_GLOBALHEADER ? AV_CODEC_FLAG_GLOBAL_HEADER : 0;

    if (encoder_flags(p->streams[p->fleet_stream].encoder->name, e ? e->value : NULL, &flags) < 0)
        return plan_stock(p, "out of memory");
    p->global_header = !!(flags & AV_CODEC_FLAG_GLOBAL_HEADER);
    return 0;
}

int decide_encoder(Plan *p)
{
    const PlanStream *s = &p->streams[p->fleet_stream];
    AVDictionary *opts = NULL;
    int ret;

    ret = decide_video_options(p, &opts);
    /* -timecode, too, which it counts on from */
    if (!ret && av_dict_get(opts, "gop_timecode", NULL, 0))
        ret = plan_stock(p, "the encoder %s counts time codes", s->encoder->name);
    /* only parameter sets would tell that a segment begins with a picture of another kind */
    if (!ret && !strcmp(plan_video_input(p)->fc->iformat->name, "image2") &&
        s->encoder->id != AV_CODEC_ID_H264 && s->encoder->id != AV_CODEC_ID_HEVC &&
        !av_dict_get(opts, "pix_fmt", NULL, 0))
        ret = plan_stock(p, "the images may be of several pixel formats (-pix_fmt fixes it)");
    if (!ret && encoder_judge(s->encoder->name, opts, &p->judge, p->reason, sizeof(p->reason)) < 0)
        ret = p->reason[0] ? 1 : plan_stock(p, "the encoder %s is not split yet", s->encoder->name);
    if (!ret)
        ret = find_global_header(p, opts);
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
        return namelist_has(x264, find_arg(p, "preset", "medium"));
    if (!strcmp(name, "libx265"))
        return namelist_has(x265, find_arg(p, "preset", "medium"));
    if (!strcmp(name, "libvpx-vp9"))
        return strcmp(find_arg(p, "deadline", find_arg(p, "quality", "good")), "realtime") &&
               atoi(find_arg(p, "cpu-used", find_arg(p, "speed", "1"))) <= 3;
    if (!strcmp(name, "libaom-av1"))
        return strcmp(find_arg(p, "usage", "good"), "realtime") && atoi(find_arg(p, "cpu-used", "1")) <= 6;
    return !strcmp(name, "libsvtav1") && atoi(find_arg(p, "preset", "10")) <= 6;
}
