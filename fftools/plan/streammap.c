/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/codec_desc.h>
#include <libavutil/avstring.h>

#include "../compat.h"
#include "../input/decoding.h"
#include "streammap.h"

#define DEFAULT_BONUS 5000000

typedef struct MapContext {
    const CmdFile *file;
    const PlanInput *inputs;
    int nb_inputs;
    const ComplexGraph *graph;
    const AVOutputFormat *oformat;
    PlanStream *streams;
    int nb_streams;
    int ignore_unknown;   ///< -ignore_unknown
    char *reason;
    size_t reason_size;
} MapContext;

static int av_printf_format(2, 3) refuse(MapContext *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->reason, c->reason_size, fmt, ap);
    va_end(ap);
    return AVERROR_PATCHWELCOME;
}

int streammap_option_matches(const PlanStream *streams, int nb_streams, int index,
                             const CmdOption *o)
{
    AVFormatContext *oc;
    int ret = 0;

    if (!o->spec || !*o->spec)
        return 1;
    /* the specifier counts streams of a type, so it needs the whole output */
    oc = avformat_alloc_context();
    if (!oc)
        return AVERROR(ENOMEM);
    for (int i = 0; i < nb_streams; i++) {
        AVStream *st = avformat_new_stream(oc, NULL);

        if (!st) {
            ret = AVERROR(ENOMEM);
            goto end;
        }
        st->codecpar->codec_type = streams[i].type;
    }
    ret = avformat_match_stream_specifier(oc, oc->streams[index], o->spec);
end:
    avformat_free_context(oc);
    return ret;
}

int streammap_rate_unsupported(const AVCodec *encoder, AVRational rate)
{
    const AVRational *list = NULL;

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    if (avcodec_get_supported_config(NULL, encoder, AV_CODEC_CONFIG_FRAME_RATE, 0,
                                     (const void **)&list, NULL) < 0)
        list = NULL;
#else
    list = encoder->supported_framerates;
#endif
    if (!list)
        return 0;
    for (; list->num; list++)
        if (!av_cmp_q(*list, rate))
            return 0;
    return 1;
}

static int add_stream(MapContext *c, int file, int index)
{
    PlanStream *s = av_realloc_array(c->streams, c->nb_streams + 1, sizeof(*s));

    if (!s)
        return AVERROR(ENOMEM);
    c->streams = s;
    memset(&s[c->nb_streams], 0, sizeof(*s));
    s[c->nb_streams].file  = file;
    s[c->nb_streams].index = index;
    s[c->nb_streams].type  = c->inputs[file].fc->streams[index]->codecpar->codec_type;
    c->nb_streams++;
    return 0;
}

/** A stream of that type that goes into the filter graph, or might: for what it stands in, any will do. */
static int find_any(const MapContext *c, enum AVMediaType type, GraphSource *source)
{
    for (int f = 0; f < c->nb_inputs; f++)
        for (unsigned i = 0; i < c->inputs[f].fc->nb_streams; i++)
            if (c->inputs[f].fc->streams[i]->codecpar->codec_type == type &&
                !decoding_is_disabled(&c->inputs[f], c->inputs[f].fc->streams[i])) {
                *source = (GraphSource) { f, i };
                return 1;
            }
    return 0;
}

static int add_filtered(MapContext *c, const char *map)
{
    char *label = av_strndup(map + 1, strcspn(map + 1, "]"));
    const GraphPath *path;
    GraphSource source;
    int ret;

    if (!label)
        return AVERROR(ENOMEM);
    path = complexgraph_find(c->graph, label);
    if (path)
        source = path->main;
    if (!path && (!c->graph->sound || !find_any(c, AVMEDIA_TYPE_AUDIO, &source)))
        ret = refuse(c, "-map %s takes what no filter graph makes", map);
    else
        ret = add_stream(c, source.file, source.index);
    if (ret < 0) {
        av_free(label);
        return ret;
    }
    c->streams[c->nb_streams - 1].complex = 1;
    c->streams[c->nb_streams - 1].label   = label;
    return 0;
}

/** Whether -map goes past a stream that it matches. */
static int is_passed_over(const MapContext *c, int file, const AVStream *st)
{
    return decoding_is_disabled(&c->inputs[file], st) ||
           (c->ignore_unknown && st->codecpar->codec_type == AVMEDIA_TYPE_UNKNOWN);
}

/** Take an input's stream away again, however often it was added. */
static void remove_stream(MapContext *c, int file, int index)
{
    for (int k = c->nb_streams - 1; k >= 0; k--) {
        const PlanStream *s = &c->streams[k];

        if (s->complex || s->file != file || s->index != index)
            continue;
        memmove(&c->streams[k], &c->streams[k + 1], (c->nb_streams - k - 1) * sizeof(*c->streams));
        c->nb_streams--;
    }
}

/** One -map: input streams added, or taken away again by a negative one. */
static int apply_map(MapContext *c, const char *map)
{
    int negative = map[0] == '-', optional, found = 0, ret;
    AVFormatContext *ic;
    char *spec, *tail;
    long file;

    map += negative;
    if (map[0] == '[')
        return add_filtered(c, map);
    if (strchr(map, ','))
        return refuse(c, "-map %s has a synchronisation part", map);
    file = strtol(map, &tail, 0);
    if (file < 0 || file >= c->nb_inputs)
        return refuse(c, "-map %s is not understood", map);
    /* without a number, "a:0" is of the first file */
    spec = av_strdup(*tail == ':' ? tail + 1 : tail);
    if (!spec)
        return AVERROR(ENOMEM);
    optional = *spec && spec[strlen(spec) - 1] == '?';
    if (*spec && optional)
        spec[strlen(spec) - 1] = 0;

    ic = c->inputs[file].fc;
    for (unsigned i = 0; i < ic->nb_streams; i++) {
        ret = avformat_match_stream_specifier(ic, ic->streams[i], spec);
        if (ret < 0) {
            ret = refuse(c, "-map %s is not understood", map);
            goto end;
        }
        if (!ret || (!negative && is_passed_over(c, file, ic->streams[i])))
            continue;
        found = 1;
        if (negative)
            remove_stream(c, file, i);
        else if ((ret = add_stream(c, file, i)) < 0)
            goto end;
    }
    ret = found || optional || negative ? 0 : refuse(c, "-map %s matches no streams", map);
end:
    av_free(spec);
    return ret;
}

static int resolve_maps(MapContext *c, int *nb_maps)
{
    int kept = 0;

    for (int i = 0; i < c->file->nb_options; i++) {
        const CmdOption *o = &c->file->options[i];
        int ret;

        if (!o->def || strcmp(o->name, "map"))
            continue;
        (*nb_maps)++;
        ret = apply_map(c, o->value);
        if (ret < 0)
            return ret;
    }
    for (int i = 0; i < c->nb_streams; i++)
        if (!decoding_leaves_out(c->file, c->streams[i].type))
            c->streams[kept++] = c->streams[i];
        else
            av_freep(&c->streams[i].label);
    c->nb_streams = kept;
    return 0;
}

static enum AVCodecID default_codec(const MapContext *c, enum AVMediaType type)
{
    return av_guess_codec(c->oformat, NULL, c->file->url, NULL, type);
}

/* Frames seen while probing count for more than anything else: stock asks the same. */
static int64_t stream_score(const AVStream *st)
{
    const AVCodecParameters *par = st->codecpar;
    int64_t score = 0;

    if (par->codec_type == AVMEDIA_TYPE_VIDEO) {
        score = (int64_t)par->width * par->height;
        if (st->disposition & AV_DISPOSITION_ATTACHED_PIC)
            score = 1;
    } else {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(59, 24, 100)
        score = par->ch_layout.nb_channels;
#endif
    }
    if (st->disposition & AV_DISPOSITION_DEFAULT)
        score += DEFAULT_BONUS;
    return score + (par->width || par->sample_rate ? 100000000 : 0);
}

/** Within a file a default stream goes first, between files it does not. */
static int pick_best(MapContext *c, enum AVMediaType type)
{
    int best_file = -1, best = -1;
    int64_t best_score = 0;

    if (decoding_leaves_out(c->file, type) || default_codec(c, type) == AV_CODEC_ID_NONE)
        return 0;
    if (type == AVMEDIA_TYPE_VIDEO && c->nb_streams && c->streams[0].complex)
        return 0; /* there is one already */
    for (int f = 0; f < c->nb_inputs; f++) {
        const AVFormatContext *ic = c->inputs[f].fc;
        int64_t file_score = 0;
        int file_best = -1;

        for (unsigned i = 0; i < ic->nb_streams; i++) {
            int64_t score = stream_score(ic->streams[i]);

            if (ic->streams[i]->codecpar->codec_type == type && score > file_score &&
                !decoding_is_disabled(&c->inputs[f], ic->streams[i])) {
                file_score = score;
                file_best  = i;
            }
        }
        if (file_best >= 0 && ic->streams[file_best]->disposition & AV_DISPOSITION_DEFAULT)
            file_score -= DEFAULT_BONUS;
        if (file_best >= 0 && file_score > best_score) {
            best_score = file_score;
            best_file  = f;
            best       = file_best;
        }
    }
    return best >= 0 ? add_stream(c, best_file, best) : 0;
}

static int codec_props(enum AVCodecID id)
{
    const AVCodecDescriptor *d = avcodec_descriptor_get(id);

    return d ? d->props & (AV_CODEC_PROP_TEXT_SUB | AV_CODEC_PROP_BITMAP_SUB) : 0;
}

static const CmdOption *codec_option(const MapContext *c, const char *type, const char *full)
{
    for (int i = c->file->nb_options - 1; i >= 0; i--) {
        const CmdOption *o = &c->file->options[i];

        if (o->def && !strcmp(o->name, "c") && o->spec &&
            (!strcmp(o->spec, type) || !strcmp(o->spec, full)))
            return o;
    }
    return NULL;
}

static int subtitle_fits(enum AVCodecID id, const AVCodec *enc, int named)
{
    int in = codec_props(id), out = enc ? codec_props(enc->id) : 0;

    return named || (in & out) || !in || !out;
}

static int pick_subtitle(MapContext *c)
{
    const AVCodec *enc = avcodec_find_encoder(c->oformat->subtitle_codec);
    int named = !!codec_option(c, "s", "s");

    if (decoding_leaves_out(c->file, AVMEDIA_TYPE_SUBTITLE) || (!enc && !named))
        return 0;
    for (int f = 0; f < c->nb_inputs; f++)
        for (unsigned i = 0; i < c->inputs[f].fc->nb_streams; i++) {
            const AVCodecParameters *par = c->inputs[f].fc->streams[i]->codecpar;

            if (par->codec_type == AVMEDIA_TYPE_SUBTITLE &&
                !decoding_is_disabled(&c->inputs[f], c->inputs[f].fc->streams[i]) &&
                subtitle_fits(par->codec_id, enc, named))
                return add_stream(c, f, i);
        }
    return 0;
}

static int pick_data(MapContext *c)
{
    enum AVCodecID id = default_codec(c, AVMEDIA_TYPE_DATA);
    int ret = 0;

    if (decoding_leaves_out(c->file, AVMEDIA_TYPE_DATA) || id == AV_CODEC_ID_NONE)
        return 0;
    for (int f = 0; f < c->nb_inputs; f++)
        for (unsigned i = 0; ret >= 0 && i < c->inputs[f].fc->nb_streams; i++) {
            const AVCodecParameters *par = c->inputs[f].fc->streams[i]->codecpar;

            if (par->codec_type == AVMEDIA_TYPE_DATA && par->codec_id == id &&
                !decoding_is_disabled(&c->inputs[f], c->inputs[f].fc->streams[i]))
                ret = add_stream(c, f, i);
        }
    return ret;
}

static int resolve_defaults(MapContext *c)
{
    int ret;

    if ((ret = pick_best(c, AVMEDIA_TYPE_VIDEO)) < 0 ||
        (ret = pick_best(c, AVMEDIA_TYPE_AUDIO)) < 0 ||
        (ret = pick_subtitle(c)) < 0)
        return ret;
    return pick_data(c);
}

static const AVCodec *find_encoder(const char *name, enum AVMediaType type)
{
    const AVCodec *enc = avcodec_find_encoder_by_name(name);
    const AVCodecDescriptor *desc;

    if (!enc && (desc = avcodec_descriptor_get_by_name(name)))
        enc = avcodec_find_encoder(desc->id);
    return enc && enc->type == type ? enc : NULL;
}

static int choose_encoder(MapContext *c, int index)
{
    PlanStream *s = &c->streams[index];
    const char *name = NULL;

    for (int i = 0; i < c->file->nb_options; i++) {
        const CmdOption *o = &c->file->options[i];
        int ret;

        if (!o->def || strcmp(o->name, "c"))
            continue;
        ret = streammap_option_matches(c->streams, c->nb_streams, index, o);
        if (ret < 0)
            return refuse(c, "the stream specifier of -c:%s is invalid", o->spec);
        if (ret)
            name = o->value;
    }
    if (s->type == AVMEDIA_TYPE_ATTACHMENT || s->type == AVMEDIA_TYPE_DATA ||
        (name && !strcmp(name, "copy"))) {
        s->copy = 1;
        return 0;
    }
    if (s->type != AVMEDIA_TYPE_VIDEO && s->type != AVMEDIA_TYPE_AUDIO &&
        s->type != AVMEDIA_TYPE_SUBTITLE)
        return refuse(c, "stream #%d:%d is of an unknown type", s->file, s->index);
    s->encoder = name ? find_encoder(name, s->type) :
                        avcodec_find_encoder(default_codec(c, s->type));
    if (!s->encoder)
        return name ? refuse(c, "there is no encoder %s here", name) :
                      refuse(c, "there is no encoder for stream #%d:%d here", s->file, s->index);
    return 0;
}

int streammap_resolve(const Command *cmd, int output, const PlanInput *inputs, int nb_inputs,
                      const ComplexGraph *graph, const AVOutputFormat *oformat, PlanStream **streams,
                      int *nb_streams, char *reason, size_t reason_size)
{
    const CmdOption *ignore = cmdline_last(cmd->globals, cmd->nb_globals, "ignore_unknown");
    const CmdOption *copy   = cmdline_last(cmd->globals, cmd->nb_globals, "copy_unknown");
    MapContext c = { .file = &cmd->outputs[output], .inputs = inputs,
                     .nb_inputs = nb_inputs, .graph = graph, .oformat = oformat,
                     .reason = reason, .reason_size = reason_size };
    const GraphPath *path;
    int nb_maps = 0, ret = 0;

    c.ignore_unknown = ignore && !ignore->negated && !(copy && !copy->negated);
    /* what has no label belongs to the first output, before everything else */
    path = output ? NULL : complexgraph_find(graph, NULL);
    if (path) {
        ret = add_stream(&c, path->main.file, path->main.index);
        if (ret >= 0)
            c.streams[0].complex = 1;
    }
    if (ret >= 0)
        ret = resolve_maps(&c, &nb_maps);
    if (ret >= 0 && !nb_maps)
        ret = resolve_defaults(&c);
    for (int i = 0; ret >= 0 && i < c.nb_streams; i++)
        ret = choose_encoder(&c, i);
    if (ret < 0) {
        for (int i = 0; i < c.nb_streams; i++)
            av_freep(&c.streams[i].label);
        av_freep(&c.streams);
        return ret;
    }
    *streams    = c.streams;
    *nb_streams = c.nb_streams;
    return 0;
}
