/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

#include "../command/namelist.h"
#include "../reason.h"
#include "decoding.h"

int decoding_leaves_out(const CmdFile *f, enum AVMediaType type)
{
    const char *name = type == AVMEDIA_TYPE_VIDEO ? "vn" : type == AVMEDIA_TYPE_AUDIO ? "an" :
                       type == AVMEDIA_TYPE_SUBTITLE ? "sn" : type == AVMEDIA_TYPE_DATA ? "dn" : "";
    const CmdOption *o = cmdline_last(f->options, f->nb_options, name);

    return o && !o->negated;
}

int decoding_is_disabled(const PlanInput *in, const AVStream *st)
{
    return decoding_leaves_out(in->file, st->codecpar->codec_type);
}

static int matches(const PlanInput *in, const AVStream *st, const CmdOption *o)
{
    return !o->spec || avformat_match_stream_specifier(in->fc, (AVStream *)st, o->spec) > 0;
}

static const AVCodec *find_decoder(const char *name)
{
    const AVCodec *dec = avcodec_find_decoder_by_name(name);
    const AVCodecDescriptor *desc;

    return dec || !(desc = avcodec_descriptor_get_by_name(name)) ? dec : avcodec_find_decoder(desc->id);
}

/** A decoder that was named is the one that there would have been, or at least makes nothing that travels. */
static int check_decoder(const PlanInput *in, const AVStream *st, char *reason, size_t size)
{
    const CmdOption *named = NULL;
    const AVCodec *dec;

    for (int i = 0; i < in->file->nb_options; i++) {
        const CmdOption *o = &in->file->options[i];

        if (o->def && !strcmp(o->name, "c") && matches(in, st, o))
            named = o;
    }
    if (!named)
        return 0;
    dec = find_decoder(named->value);
    if (!dec || dec->id != st->codecpar->codec_id)
        return reason_set(reason, size, "the decoder %s is not one for what the input holds", named->value);
    if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && dec != avcodec_find_decoder(dec->id))
        return reason_set(reason, size, "the video is to be decoded with %s, which hosts may do in another way",
                          named->value);
    return 0;
}

/** Whether the stream's decoder hears of an AVOption: filter_codec_opts(). */
static int reaches(const AVStream *st, const char *name)
{
    const int flags = AV_OPT_FLAG_VIDEO_PARAM | AV_OPT_FLAG_DECODING_PARAM;
    const AVCodec *dec = avcodec_find_decoder(st->codecpar->codec_id);
    const AVClass *cc = avcodec_get_class();

    return av_opt_find(&cc, name, NULL, flags, AV_OPT_SEARCH_FAKE_OBJ) ||
           (*name == 'v' && av_opt_find(&cc, name + 1, NULL, flags, AV_OPT_SEARCH_FAKE_OBJ)) ||
           (dec && dec->priv_class &&
            av_opt_find((void *)&dec->priv_class, name, NULL, flags, AV_OPT_SEARCH_FAKE_OBJ));
}

/** Decoders on hosts get these, too. @return NULL: not that one; or the word for them, without the specifier */
static const char *told_word(const CmdOption *o)
{
    static const char *const words[] = { "-err_detect", "-ec", "-skip_loop_filter", "-skip_idct" };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(words) && !o->def; i++)
        if (!strcmp(o->name, words[i] + 1))
            return words[i];
    return NULL;
}

/**
 * The frames are the same with any number of threads, and only decoders that are not finished ask
 * how strict to be.
 */
static int is_harmless(const CmdOption *o)
{
    static const char *const lax[] = { "experimental", "unofficial", "normal", "-2", "-1", "0", NULL };

    return !strcmp(o->name, "threads") || !strcmp(o->name, "thread_type") ||
           (!strcmp(o->name, "strict") && namelist_has(lax, o->value));
}

static int check_option(const PlanInput *in, const AVStream *st, const CmdOption *o, char *reason, size_t size)
{
    static const char *const software[] = { "none", "auto", NULL };

    if (!matches(in, st, o))
        return 0;
    if (o->def && !strcmp(o->name, "hwaccel") && !namelist_has(software, o->value))
        return reason_set(reason, size, "-hwaccel %s decodes with this machine's hardware", o->value);
    if (o->def || !(o->avclass & AVCLASS_CODEC) || !reaches(st, o->name) || is_harmless(o) || told_word(o))
        return 0;
    return reason_set(reason, size, "the option -%s of the video's decoder is not one that is split yet", o->name);
}

int decoding_check(const PlanInput *in, char *reason, size_t size)
{
    int ret = 0;

    for (unsigned k = 0; k < in->fc->nb_streams && ret >= 0; k++) {
        const AVStream *st = in->fc->streams[k];

        ret = check_decoder(in, st, reason, size);
        for (int i = 0; i < in->file->nb_options && ret >= 0; i++)
            if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
                ret = check_option(in, st, &in->file->options[i], reason, size);
    }
    if (ret >= 0 && decoding_words(in, NULL, NULL) > DECODING_MAX_WORDS)
        ret = reason_set(reason, size, "there are very many options of decoders");
    return ret;
}

int decoding_words(const PlanInput *in, const AVStream *st, const char **words)
{
    int nb = 0;

    for (int i = 0; i < in->file->nb_options; i++) {
        const CmdOption *o = &in->file->options[i];

        if (!told_word(o) || (st && !matches(in, st, o)))
            continue;
        if (words) {
            words[nb]     = told_word(o);
            words[nb + 1] = o->value;
        }
        nb += 2;
    }
    return nb;
}
