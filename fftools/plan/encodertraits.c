/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>

#include "encodertraits.h"

#define INTRA(n)     { n, ENCODER_LOCAL, RATE_FRAME_LOCAL, 1, 0, 1, NULL }
#define MPEGVIDEO(n) { n, ENCODER_MPEGVIDEO, RATE_BITRATE, 0, 1, 12, NULL }
#define NEVER(n, w)  { n, ENCODER_NEVER, RATE_BITRATE, 0, 0, 0, w }
#define BITRATE      "aims at a bit rate over the whole stream"
#define REMEMBERS    "carries more than rate control from frame to frame"
#define PASS_FLAGS   (AV_CODEC_FLAG_PASS1 | AV_CODEC_FLAG_PASS2)

static const EncoderTraits traits[] = {
    INTRA("alias_pix"), INTRA("asv1"), INTRA("asv2"), INTRA("avrp"), INTRA("avui"), INTRA("ayuv"),
    INTRA("bitpacked"), INTRA("bmp"), INTRA("cfhd"), INTRA("cljr"), INTRA("dnxhd"), INTRA("dpx"),
    INTRA("dvvideo"), INTRA("dxv"), INTRA("exr"), INTRA("ffvhuff"), INTRA("fits"), INTRA("hap"),
    INTRA("hdr"), INTRA("huffyuv"), INTRA("jpeg2000"), INTRA("jpegls"), INTRA("libjxl"),
    INTRA("libopenjpeg"), INTRA("libwebp"), INTRA("ljpeg"), INTRA("magicyuv"), INTRA("pam"),
    INTRA("pbm"), INTRA("pcx"), INTRA("pfm"), INTRA("pgm"), INTRA("pgmyuv"), INTRA("phm"),
    INTRA("png"), INTRA("ppm"), INTRA("prores"), INTRA("prores_aw"), INTRA("prores_ks"),
    INTRA("qoi"), INTRA("r10k"), INTRA("r210"), INTRA("rawvideo"), INTRA("sgi"), INTRA("sunrast"),
    INTRA("targa"), INTRA("tiff"), INTRA("utvideo"), INTRA("v210"), INTRA("v308"), INTRA("v408"),
    INTRA("v410"), INTRA("vbn"), INTRA("wbmp"), INTRA("xbm"), INTRA("xwd"),
    INTRA("y41p"), INTRA("yuv4"), INTRA("zlib"),
    { "ffv1",  ENCODER_LOCAL, RATE_FRAME_LOCAL, 0, 1, 12, NULL },
    { "qtrle", ENCODER_LOCAL, RATE_FRAME_LOCAL, 0, 1, 12, NULL },

    { "mjpeg", ENCODER_MPEGVIDEO, RATE_BITRATE, 1, 0, 1, NULL },
    { "amv",   ENCODER_MPEGVIDEO, RATE_BITRATE, 1, 0, 1, NULL },
    { "speedhq", ENCODER_MPEGVIDEO, RATE_BITRATE, 1, 0, 1, NULL },
    MPEGVIDEO("mpeg1video"), MPEGVIDEO("mpeg2video"), MPEGVIDEO("mpeg4"), MPEGVIDEO("h261"),
    MPEGVIDEO("h263"), MPEGVIDEO("h263p"), MPEGVIDEO("flv"), MPEGVIDEO("msmpeg4v2"),
    MPEGVIDEO("msmpeg4"), MPEGVIDEO("wmv1"), MPEGVIDEO("wmv2"), MPEGVIDEO("rv10"), MPEGVIDEO("rv20"),

    { "libx264",    ENCODER_X264,  RATE_QUALITY, 0, 0, 250, NULL },
    { "libx264rgb", ENCODER_X264,  RATE_QUALITY, 0, 0, 250, NULL },
    { "libx265",    ENCODER_X265,  RATE_QUALITY, 0, 0, 250, NULL },
    { "libvpx",     ENCODER_VP8,   RATE_BITRATE, 0, 0, 128, NULL },
    { "libvpx-vp9", ENCODER_VP9,   RATE_QUALITY, 0, 0, 128, NULL },
    { "libaom-av1", ENCODER_AOM,   RATE_QUALITY, 0, 0, 9999, NULL },
    { "libsvtav1",  ENCODER_SVT,   RATE_QUALITY, 0, 0, 0, NULL },
    { "librav1e",   ENCODER_RAV1E, RATE_QUALITY, 0, 0, 240, NULL },
    { "libkvazaar", ENCODER_PLAIN, RATE_QUALITY, 0, 0, 0, NULL },
    { "libvvenc",   ENCODER_PLAIN, RATE_QUALITY, 0, 0, 0, NULL },
    { "libopenh264", ENCODER_OPENH264, RATE_BITRATE, 0, 0, 0, NULL },
    { "libxvid",    ENCODER_QSCALE, RATE_BITRATE, 0, 0, 12, NULL },
    { "libtheora",  ENCODER_QSCALE, RATE_BITRATE, 0, 0, 12, NULL },

    { "h264_nvenc", ENCODER_NVENC, RATE_BITRATE, 0, 0, 250, NULL },
    { "hevc_nvenc", ENCODER_NVENC, RATE_BITRATE, 0, 0, 250, NULL },
    { "av1_nvenc",  ENCODER_NVENC, RATE_BITRATE, 0, 0, 0, NULL },
    { "h264_amf",   ENCODER_AMF, RATE_BITRATE, 0, 0, 250, NULL },
    { "hevc_amf",   ENCODER_AMF, RATE_BITRATE, 0, 0, 250, NULL },
    { "av1_amf",    ENCODER_AMF, RATE_BITRATE, 0, 0, 0, NULL },
    { "h264_vaapi", ENCODER_VAAPI, RATE_QUALITY, 0, 0, 120, NULL },
    { "hevc_vaapi", ENCODER_VAAPI, RATE_QUALITY, 0, 0, 120, NULL },
    { "av1_vaapi",  ENCODER_VAAPI, RATE_QUALITY, 0, 0, 120, NULL },
    { "vp8_vaapi",  ENCODER_VAAPI, RATE_QUALITY, 0, 0, 120, NULL },
    { "vp9_vaapi",  ENCODER_VAAPI, RATE_QUALITY, 0, 0, 250, NULL },
    { "mpeg2_vaapi", ENCODER_VAAPI, RATE_QUALITY, 0, 0, 120, NULL },
    { "mjpeg_vaapi", ENCODER_LOCAL, RATE_QUALITY, 1, 0, 1, NULL },
    { "h264_qsv",   ENCODER_GLOBAL_QUALITY, RATE_BITRATE, 0, 0, 250, NULL },
    { "hevc_qsv",   ENCODER_GLOBAL_QUALITY, RATE_BITRATE, 0, 0, 248, NULL },
    { "av1_qsv",    ENCODER_GLOBAL_QUALITY, RATE_BITRATE, 0, 0, 0, NULL },
    { "vp9_qsv",    ENCODER_GLOBAL_QUALITY, RATE_BITRATE, 0, 0, 250, NULL },
    { "mpeg2_qsv",  ENCODER_GLOBAL_QUALITY, RATE_BITRATE, 0, 0, 250, NULL },
    { "mjpeg_qsv",  ENCODER_LOCAL, RATE_QUALITY, 1, 0, 1, NULL },
    { "h264_videotoolbox", ENCODER_QSCALE, RATE_BITRATE, 0, 0, 12, NULL },
    { "hevc_videotoolbox", ENCODER_QSCALE, RATE_BITRATE, 0, 0, 12, NULL },
    { "prores_videotoolbox", ENCODER_LOCAL, RATE_FRAME_LOCAL, 1, 0, 1, NULL },

    NEVER("h263_v4l2m2m", BITRATE), NEVER("h264_v4l2m2m", BITRATE), NEVER("hevc_v4l2m2m", BITRATE),
    NEVER("mpeg4_v4l2m2m", BITRATE), NEVER("vp8_v4l2m2m", BITRATE), NEVER("h264_omx", BITRATE),
    NEVER("mpeg4_omx", BITRATE), NEVER("h264_mf", BITRATE), NEVER("hevc_mf", BITRATE),
    NEVER("h264_mediacodec", BITRATE), NEVER("hevc_mediacodec", BITRATE),
    /* nor does it mark any as a keyframe */
    NEVER("vc2", "numbers its pictures over the whole stream"),
    NEVER("snow", REMEMBERS), NEVER("svq1", REMEMBERS), NEVER("cinepak", REMEMBERS),
    NEVER("msrle", REMEMBERS),
    NEVER("msvideo1", REMEMBERS), NEVER("roqvideo", REMEMBERS), NEVER("rpza", REMEMBERS),
    NEVER("smc", REMEMBERS), NEVER("gif", REMEMBERS), NEVER("apng", REMEMBERS),
    NEVER("libwebp_anim", REMEMBERS), NEVER("flashsv", REMEMBERS), NEVER("flashsv2", REMEMBERS),
    NEVER("zmbv", REMEMBERS), NEVER("a64multi", REMEMBERS), NEVER("a64multi5", REMEMBERS),
};

/** Everything that encoder_judge() works with. */
typedef struct Judge {
    const EncoderTraits *t;
    AVDictionary        *opts;    ///< not owned
    AVDictionary        *params;  ///< of x264-params and the like
    unsigned             flags;   ///< AV_CODEC_FLAG_*, as the encoder gets them
    EncoderJudgement    *j;
    char                *why;
    size_t               why_size;
} Judge;

const EncoderTraits *encoder_traits(const char *name)
{
    for (size_t i = 0; i < FF_ARRAY_ELEMS(traits); i++)
        if (!strcmp(traits[i].name, name))
            return &traits[i];
    return NULL;
}

int encoder_flags(const char *name, const char *value, unsigned *flags)
{
    AVCodecContext *enc = avcodec_alloc_context3(avcodec_find_encoder_by_name(name));

    if (!enc)
        return AVERROR(ENOMEM);
    enc->flags |= *flags;
    /* what is no flag stock's encoder tells */
    if (value)
        av_opt_set(enc, "flags", value, 0);
    *flags = enc->flags;
    avcodec_free_context(&enc);
    return 0;
}

static int refuse(const Judge *c, const char *fmt, ...) av_printf_format(2, 3);

static int refuse(const Judge *c, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(c->why, c->why_size, "the encoder %s %s", c->t->name, text);
    return AVERROR(ENOSYS);
}

static const char *get(AVDictionary *d, const char *key)
{
    AVDictionaryEntry *e = av_dict_get(d, key, NULL, AV_DICT_MATCH_CASE);

    return e ? e->value : NULL;
}

/* Whether a value is given and neither zero, empty nor negative (which stands for "not set"). */
static int is_set(const char *value)
{
    char *end;

    if (!value || !*value || !av_strcasecmp(value, "false") || !av_strcasecmp(value, "no"))
        return 0;
    return strtod(value, &end) > 0 || *end;
}

/* A number that may be zero but not negative. */
static int given(const char *value)
{
    char *end;

    return value && *value && (strtod(value, &end) >= 0 || end == value);
}

static int get_int(const char *value, int otherwise)
{
    return value ? av_clip64(strtoll(value, NULL, 10), INT_MIN, INT_MAX) : otherwise;
}

/* The last +name or -name in a value of -flags; 0 when there is none. */
static int get_flag(const char *flags, const char *name)
{
    const char *p = flags;
    size_t len = strlen(name);
    int ret = 0;

    while (p && (p = strstr(p, name))) {
        int whole = (p == flags || strchr("+-|", p[-1])) && (!p[len] || strchr("+-|", p[len]));

        if (whole)
            ret = p > flags && p[-1] == '-' ? -1 : 1;
        p += len;
    }
    return ret;
}

/*
 * Add "key=value:key" to c->params. x264 and x265 read '_' as '-', "no-key" as key=0, and a
 * key alone as key=1.
 */
static int add_params(Judge *c, const char *text, const char *separators)
{
    while (*text) {
        char key[64], *value = NULL;
        size_t n = strcspn(text, separators), k = strcspn(text, "=");
        int no, ret;

        k = FFMIN(k, n);
        no = k == n && (av_strstart(text, "no-", NULL) || av_strstart(text, "no_", NULL)) ? 3 : 0;
        av_strlcpy(key, text + no, FFMIN(k - no + 1, sizeof(key)));
        for (char *p = key; *p; p++)
            if (*p == '_')
                *p = '-';
        value = k < n ? av_strndup(text + k + 1, n - k - 1) : av_strdup(no ? "0" : "1");
        if (!value)
            return AVERROR(ENOMEM);
        ret = av_dict_set(&c->params, key, value, AV_DICT_DONT_STRDUP_VAL);
        if (ret < 0)
            return ret;
        text += n;
        text += *text != 0;
    }
    return 0;
}

static int collect_params(Judge *c)
{
    static const struct {
        const char *option, *separators;
    } lists[] = {
        { "x264opts",       ":" },
        { "x264-params",    ":" },
        { "x265-params",    ":" },
        { "svtav1-params",  ":" },
        { "aom-params",     ":" },
        { "rav1e-params",   ":" },
        { "kvazaar-params", ",:" },
        { "vvenc-params",   ":" },
    };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(lists); i++) {
        const char *text = get(c->opts, lists[i].option);
        int ret = text ? add_params(c, text, lists[i].separators) : 0;

        if (ret < 0)
            return ret;
    }
    return 0;
}

/* x264 and SVT-AV1 close their GOPs by themselves. */
static int find_flags(Judge *c)
{
    if (c->t->family == ENCODER_X264 || c->t->family == ENCODER_SVT)
        c->flags |= AV_CODEC_FLAG_CLOSED_GOP;
    if (get(c->opts, "qscale"))
        c->flags |= AV_CODEC_FLAG_QSCALE;
    return encoder_flags(c->t->name, get(c->opts, "flags"), &c->flags);
}

/* What keeps any rate-controlled encoder from being split. */
static int judge_common(const Judge *c)
{
    static const char *const options[] = { "maxrate", "minrate", "bufsize", "crf_max", "crf-max" };
    static const char *const params[] = {
        "vbv-maxrate", "vbv-bufsize", "bitrate", "abr", "crf-max", "pass", "passes", "stats", "nal-hrd",
        "strict-cbr", "tbr", "mbr", "rc", "target-bitrate", "end-usage", "rate-control-mode",
        "max-bitrate", "bitratekbps", "targetbitrate", "max-rate", "maxbitrate", "hrd",
    };
    static const char *const places[] = {
        "zones", "zonefile", "qpfile", "analysis-save", "analysis-load", "analysis-reuse-file",
        "frames", "seek", "roi", "intra-refresh", "two-pass-stats", "first-pass", "second-pass",
        "force-key-frames",
    };
    static const char *const files[] = {
        "cqmfile", "dump-yuv", "csv", "recon", "scaling-list", "lambda-file", "dhdr10-info", "dolby-vision-rpu",
        "nalu-file", "film-grain-table", "fgs-table",
    };

    if (is_set(get(c->opts, "pass")) || is_set(get(c->opts, "stats")) || c->flags & PASS_FLAGS)
        return refuse(c, "is to encode in two passes");
    for (size_t i = 0; i < FF_ARRAY_ELEMS(options); i++)
        if (is_set(get(c->opts, options[i])))
            return refuse(c, "has to keep within limits of its rate (-%s)", options[i]);
    for (size_t i = 0; i < FF_ARRAY_ELEMS(params); i++)
        if (is_set(get(c->params, params[i])) && strcmp(get(c->params, params[i]), "none"))
            return refuse(c, "has a rate to keep over the whole stream (%s)", params[i]);
    for (size_t i = 0; i < FF_ARRAY_ELEMS(places); i++)
        if (is_set(get(c->params, places[i])))
            return refuse(c, "has options that count the frames of the whole stream (%s)", places[i]);
    for (size_t i = 0; i < FF_ARRAY_ELEMS(files); i++)
        if (is_set(get(c->params, files[i])) && !av_match_name(get(c->params, files[i]), "off,default"))
            return refuse(c, "reads or writes a file of this machine (%s)", files[i]);
    if (is_set(get(c->opts, "intra-refresh")))
        return refuse(c, "makes no keyframes (-intra-refresh)");
    return 0;
}

/* A bit rate is what it aims at, unless this option outranks it. */
static int judge_bitrate(const Judge *c, int outranked)
{
    return is_set(get(c->opts, "b")) && !outranked ? refuse(c, BITRATE " (-b)") : 0;
}

/* Lossless codecs that learn from the frames before. */
static int judge_local(const Judge *c)
{
    if (is_set(get(c->opts, "pass")) || c->flags & PASS_FLAGS)
        return refuse(c, "is to encode in two passes");
    if (is_set(get(c->opts, "context")) &&
        (!strcmp(c->t->name, "huffyuv") || !strcmp(c->t->name, "ffvhuff")))
        return refuse(c, "learns its tables from earlier frames (-context)");
    if (!strcmp(c->t->name, "cljr") && get_int(get(c->opts, "dither_type"), 1) == 1)
        return refuse(c, "scatters by the number of the frame (-dither_type)");
    return 0;
}

static int judge_rc_mode(const Judge *c, const char *option, const char *const *qualities)
{
    const char *rc = get(c->opts, option);

    if (!rc)
        return 0;
    for (; *qualities; qualities++)
        if (!av_strcasecmp(rc, *qualities))
            return 1;
    return refuse(c, "aims at a rate over the whole stream (-%s %s)", option, rc);
}

static int judge_hardware(const Judge *c)
{
    static const char *const nvenc[] = { "constqp", "0", NULL };
    static const char *const nvenc_cq[] = { "constqp", "0", "vbr", "1", "vbr_hq", "-1", NULL };
    static const char *const vaapi[] = { "CQP", "1", "ICQ", "auto", "0", NULL };
    static const char *const amf[] = { "cqp", "0", NULL };
    int ret;

    switch (c->t->family) {
    case ENCODER_NVENC:
        if (is_set(get(c->opts, "cbr")))
            return refuse(c, BITRATE " (-cbr)");
        ret = judge_rc_mode(c, "rc", is_set(get(c->opts, "cq")) ? nvenc_cq : nvenc);
        if (ret || is_set(get(c->opts, "cq")) || given(get(c->opts, "qp")))
            return FFMIN(ret, 0);
        return refuse(c, BITRATE " by default");
    case ENCODER_VAAPI:
        ret = judge_rc_mode(c, "rc_mode", vaapi);
        return ret < 0 ? ret : judge_bitrate(c, ret && !av_strcasecmp(get(c->opts, "rc_mode"), "CQP"));
    default:
        ret = judge_rc_mode(c, "rc", amf);
        return ret < 0 ? ret : ret ? 0 : refuse(c, BITRATE " by default");
    }
}

static int judge_rate(const Judge *c)
{
    AVDictionary *o = c->opts;
    int qscale = given(get(o, "qscale")) && c->flags & AV_CODEC_FLAG_QSCALE;
    int crf = given(get(o, "crf")), qp = given(get(o, "qp"));
    int ret = c->t->family == ENCODER_LOCAL ? judge_local(c) : judge_common(c);

    if (ret < 0)
        return ret;
    switch (c->t->family) {
    case ENCODER_LOCAL:
        return 0;
    case ENCODER_NEVER:
        return refuse(c, "%s", c->t->why);
    case ENCODER_MPEGVIDEO:
        /* with slices in parallel its P frames came out differently behind the same keyframe */
        if (qscale && !strcmp(c->t->name, "mpeg1video") && get_int(get(o, "threads"), 0) != 1)
            return refuse(c, "depends on earlier frames, unless it runs with -threads 1");
        return qscale ? 0 : refuse(c, BITRATE " unless it is given -q:v");
    case ENCODER_QSCALE:
        return qscale ? 0 : refuse(c, BITRATE " unless it is given -q:v");
    case ENCODER_GLOBAL_QUALITY:
        if (qscale || (is_set(get(o, "global_quality")) && !is_set(get(o, "b"))))
            return 0;
        return refuse(c, BITRATE " unless it is given -global_quality");
    case ENCODER_X264:
    case ENCODER_X265:
        return judge_bitrate(c, crf || (qp && c->t->family == ENCODER_X264));
    case ENCODER_VP8:
        return refuse(c, crf ? "has a quality within limits of its rate (-crf)" : BITRATE);
    case ENCODER_VP9:
        if (get(o, "lossless") && !is_set(get(o, "lossless")) && !crf)
            return refuse(c, BITRATE " by default with -lossless 0");
        return judge_bitrate(c, is_set(get(o, "lossless")));
    case ENCODER_AOM:
    case ENCODER_PLAIN:
        return judge_bitrate(c, 0);
    case ENCODER_SVT:
        return judge_bitrate(c, is_set(get(o, "crf")) || is_set(get(o, "qp")));
    case ENCODER_RAV1E:
        return judge_bitrate(c, qp);
    case ENCODER_OPENH264:
        if (get(o, "rc_mode") && !av_match_name(get(o, "rc_mode"), "off,-1"))
            return refuse(c, BITRATE " (-rc_mode)");
        return get(o, "rc_mode") ? 0 : refuse(c, BITRATE " by default");
    default:
        return judge_hardware(c);
    }
}

/* x264, x265: fixed without scene cuts. */
static void judge_x26x_gop(const Judge *c)
{
    const char *preset = get(c->opts, "preset"), *cut = get(c->opts, "sc_threshold");
    const char *keyint = get(c->params, "keyint");
    int open = !(c->flags & AV_CODEC_FLAG_CLOSED_GOP), scenecut = 1;

    if (preset && (!strcmp(preset, "ultrafast") || !strcmp(preset, "0")))
        scenecut = 0;
    if (c->t->family == ENCODER_X264 && given(cut))
        scenecut = is_set(cut);
    if (get(c->params, "scenecut"))
        scenecut = is_set(get(c->params, "scenecut"));
    scenecut |= is_set(get(c->params, "hist-scenecut")) || is_set(get(c->params, "scenecut-aware-qp")) ||
                is_set(get(c->params, "radl")) || is_set(get(c->params, "gop-lookahead"));
    if (get(c->params, "open-gop"))
        open = is_set(get(c->params, "open-gop"));
    c->j->open_gop = open;
    if (keyint)
        c->j->max_gop = get_int(keyint, 0) < 0 ? 0 : get_int(keyint, 0);
    if (keyint && !av_isdigit(*keyint))
        return;                       /* infinite */
    if (c->j->max_gop <= 1)
        c->j->gop = c->j->max_gop = 1;
    else if (!scenecut && !open)
        c->j->gop = c->j->max_gop;
}

/* The native encoders, which look for scene changes unless told not to. */
static void judge_mpegvideo_gop(const Judge *c)
{
    int bf = get_int(get(c->opts, "bf"), 0);
    int strict_gop = get_flag(get(c->opts, "mpv_flags"), "strict_gop") > 0;

    c->j->open_gop = bf && !(c->flags & AV_CODEC_FLAG_CLOSED_GOP);
    if (c->j->max_gop > 600 && get_int(get(c->opts, "strict"), 0) > -2)
        c->j->max_gop = 600;
    if (c->j->max_gop <= 1)
        c->j->gop = 1;
    else if (get_int(get(c->opts, "sc_threshold"), 0) >= 1000000000 &&
             (!bf || (strict_gop && !c->j->open_gop)))
        c->j->gop = c->j->max_gop;
}

static void judge_gop(const Judge *c)
{
    EncoderJudgement *j = c->j;
    int g = get_int(get(c->opts, "g"), -1), min = get_int(get(c->opts, "keyint_min"), -1);

    j->max_gop = g >= 0 ? g : c->t->default_gop;
    if (c->t->intra_only) {
        j->gop = j->max_gop = 1;
        return;
    }
    switch (c->t->family) {
    case ENCODER_X264:
    case ENCODER_X265:
        judge_x26x_gop(c);
        return;
    case ENCODER_MPEGVIDEO:
        judge_mpegvideo_gop(c);
        return;
    case ENCODER_LOCAL:
        if (get(c->opts, "g") && g < 0)
            j->max_gop = 0;
        else
            j->gop = j->max_gop = FFMAX(j->max_gop, 1);
        return;
    case ENCODER_VP9:
    case ENCODER_AOM:
    case ENCODER_RAV1E:
        if (g > 1 && min == g && !c->params)
            j->gop = g;
        return;
    case ENCODER_SVT:
        j->open_gop = !(c->flags & AV_CODEC_FLAG_CLOSED_GOP);
        if (get(c->params, "keyint") || get(c->params, "irefresh-type"))
            j->max_gop = 0;
        else if (g > 1 && !j->open_gop && !is_set(get(c->params, "scd")) &&
                 !is_set(get(c->opts, "sc_detection")) && !is_set(get(c->params, "pred-struct")))
            j->gop = g;
        return;
    default:
        return;
    }
}

int encoder_judge(const char *name, AVDictionary *opts, EncoderJudgement *j, char *why, size_t why_size)
{
    Judge c = { .t = encoder_traits(name), .opts = opts, .j = j, .why = why, .why_size = why_size };
    int ret;

    *j = (EncoderJudgement){ .rate = RATE_BITRATE };
    if (why_size)
        why[0] = 0;
    if (!c.t) {
        snprintf(why, why_size, "the encoder %s is not known to ffleet", name);
        return AVERROR(ENOSYS);
    }
    if ((ret = collect_params(&c)) < 0 || (ret = find_flags(&c)) < 0)
        goto end;
    ret = judge_rate(&c);
    j->rate = ret < 0 ? RATE_BITRATE : c.t->family == ENCODER_LOCAL ? RATE_FRAME_LOCAL : RATE_QUALITY;
    judge_gop(&c);
    j->threads_matter = c.t->family != ENCODER_LOCAL;

end:
    av_dict_free(&c.params);
    return ret;
}
