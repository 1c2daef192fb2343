/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>

#include "../reason.h"
#include "carrier.h"
#include "carrierpart.h"
#include "tee.h"

static const char *option(const Plan *p, const char *name)
{
    const AVDictionaryEntry *e = av_dict_get(p->format_options, name, NULL, 0);

    return e ? e->value : NULL;
}

static int is_segment(const Plan *p)
{
    return !strcmp(p->oformat->name, "segment") ||
           av_strstart(p->oformat->name, "stream_segment", NULL);
}

static int is_tee(const Plan *p)
{
    return !strcmp(p->oformat->name, "tee");
}

static int is_mov(const AVOutputFormat *f)
{
    return av_match_name(f->name, "mov,mp4,ipod,3gp,3g2,psp,f4v");
}

static int is_matroska(const AVOutputFormat *f)
{
    return !strcmp(f->name, "matroska") || !strcmp(f->name, "webm");
}

static int is_hash(const AVOutputFormat *f)
{
    return av_match_name(f->name, "framemd5,framehash,framecrc,crc,md5,hash,streamhash");
}

int carrier_is_mov(const Plan *p)
{
    return is_mov(p->carrier);
}

int carrier_names_handlers(const Plan *p)
{
    return is_mov(p->carrier) || is_mov(p->trial_format);
}

/** The format of each of its files; NULL: not known. */
static const AVOutputFormat *inner_format(const Plan *p)
{
    const char *type;

    if (is_segment(p)) {
        type = option(p, "segment_format");
        return av_guess_format(type, type ? NULL : plan_file(p)->url, NULL);
    }
    if (!strcmp(p->oformat->name, "hls")) {
        type = option(p, "hls_segment_type");
        return av_guess_format(type && strcmp(type, "0") && strcmp(type, "mpegts") ? "mp4" :
                               "mpegts", NULL, NULL);
    }
    return av_guess_format("mp4", NULL, NULL);
}

static int is_dash(const Plan *p)
{
    return !strcmp(p->oformat->name, "dash");
}

static enum AVCodecID codec_of(const Plan *p, const PlanStream *s)
{
    return s->copy ? p->inputs[s->file].fc->streams[s->index]->codecpar->codec_id : s->encoder->id;
}

/** Whether DASH puts that into WebM: select_segment_type() there. */
static int goes_to_webm(const Plan *p, enum AVCodecID id)
{
    const char *type = is_dash(p) ? option(p, "dash_segment_type") : "mp4";

    if (type && !av_match_name(type, "auto,0"))
        return !!av_match_name(type, "webm,2");
    return id == AV_CODEC_ID_OPUS || id == AV_CODEC_ID_VORBIS || id == AV_CODEC_ID_VP9;
}

/** There the header or the last packet tells what mp4 does not. */
static int has_webm(const Plan *p, int fleet)
{
    for (int i = 0; i < p->nb_streams; i++)
        if (p->streams[i].fleet == fleet && goes_to_webm(p, codec_of(p, &p->streams[i])))
            return 1;
    return 0;
}

/** Matroska does not tell whether it was "und" or nothing. */
static int sets_language(const Plan *p)
{
    const CmdFile *f = plan_file(p);

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];

        if (o->def && (!strcmp(o->name, "map_metadata") ||
                       (!strcmp(o->name, "metadata") && av_stristart(o->value, "language=", NULL))))
            return 1;
    }
    return 0;
}

/** A new file begins at a keyframe: those that segments of ours add would be among them. */
static int check_cuts(const Plan *p, char *reason, size_t size)
{
    if (p->judge.gop >= 1 || p->force_keyframes || p->source_keyframes || option(p, "break_non_keyframes"))
        return 0;
    return reason_set(reason, size, "%s cuts at keyframes, and nothing fixes where they fall "
                  "(-force_key_frames, or -g with -sc_threshold 0)", p->oformat->name);
}

/** Files are named by the clock, or continue what a run before has left, of which some may be ours. */
static int check_names(Plan *p, char *reason, size_t size)
{
    static const char *const names[] = {
        "strftime", "segment_atclocktime", "hls_start_number_source", NULL
    };
    const char *flags = option(p, "hls_flags");

    for (int i = 0; names[i]; i++)
        if (option(p, names[i]))
            return reason_set(reason, size, "-%s depends on the time of day", names[i]);
    p->appends = flags && strstr(flags, "append_list");
    if (p->appends && (p->cmd->own.resume || p->cmd->own.work_dir))
        return reason_set(reason, size, "the output continues an earlier one, which may be what this run is to resume");
    return 0;
}

/** Those whose packets, headers and timestamps come back from a carrier as they went in. */
static int fits(const Plan *p, enum AVCodecID id)
{
    if (is_matroska(p->carrier))
        return id == AV_CODEC_ID_OPUS || id == AV_CODEC_ID_VORBIS;
    switch (id) {
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_MP3:
    case AV_CODEC_ID_AC3:
        return 1;
    case AV_CODEC_ID_OPUS:
        return carrier_is_mov(p);
    case AV_CODEC_ID_MP2:
    case AV_CODEC_ID_EAC3:
    case AV_CODEC_ID_DTS:
        return !carrier_is_mov(p);
    default:
        return 0;
    }
}

/**
 * mp4 counts sound in samples. What is copied comes in the input's time base, and with durations that only
 * the next timestamp tells.
 */
static int survives_mov(const Plan *p, const AVStream *in)
{
    AVRational tb = in->time_base;
    int rate = in->codecpar->sample_rate;

    return is_segment(p) || is_tee(p) ? tb.num == 1 && tb.den == rate :
                           tb.den && !((int64_t)rate * tb.num % tb.den);
}

static int check_stream(const Plan *p, const PlanStream *s, char *reason, size_t size)
{
    const AVStream *in = p->inputs[s->file].fc->streams[s->index];
    enum AVCodecID id = codec_of(p, s);

    if (s->fleet || s->part != CARRIER_MAIN)
        return 0;
    if (s->type != AVMEDIA_TYPE_AUDIO || !fits(p, id))
        return reason_set(reason, size, "%s (%s) beside the video of %s is not split yet",
                      av_get_media_type_string(s->type), avcodec_get_name(id), p->oformat->name);
    if (s->copy && carrier_is_mov(p) && !survives_mov(p, in))
        return reason_set(reason, size, "the timestamps of copied audio in %s cannot be foreseen",
                      p->oformat->name);
    return 0;
}

/**
 * HLS adds up durations where a playlist has sound alone, and of MPEG-TS comes what its demuxer
 * makes of frames: a tick less than what is rounded.
 */
static int has_sound_alone(const Plan *p)
{
    const char *map = !strcmp(p->oformat->name, "hls") ? option(p, "var_stream_map") : NULL;

    for (; map && *map; map += strspn(map, " \t")) {
        size_t len = strcspn(map, " \t");

        if (memmem(map, len, "a:", 2) && !memmem(map, len, "v:", 2))
            return 1;
        map += len;
    }
    return 0;
}

/** Each of the output's files is of that format, so that it fits as well as in one file. */
static int choose_foreign(Plan *p, char *reason, size_t size)
{
    enum AVCodecID video = p->streams[p->fleet_stream].encoder->id;
    const AVOutputFormat *inner = inner_format(p);
    int ret;

    if (!inner)
        return reason_set(reason, size, "the format of the output's files is not known");
    carrierpart_divide(p);
    if ((ret = check_cuts(p, reason, size)) < 0 || (ret = check_names(p, reason, size)) < 0 ||
        (ret = carrierpart_check(p, reason, size)) < 0)
        return ret;
    p->carrier = p->trial_format = inner;
    if (is_segment(p) && is_matroska(inner))
        return 0;
    if (strcmp(inner->name, "mpegts") && strcmp(inner->name, "mp4") && strcmp(inner->name, "mov"))
        return reason_set(reason, size, "%s files of the format %s are not split yet",
                      p->oformat->name, inner->name);
    if (strcmp(inner->name, "mov") && video != AV_CODEC_ID_H264 && video != AV_CODEC_ID_HEVC &&
        !(is_dash(p) && (video == AV_CODEC_ID_VP9 || video == AV_CODEC_ID_AV1)))
        return reason_set(reason, size, "%s with %s is not split yet", p->oformat->name,
                      avcodec_get_name(video));
    if (has_sound_alone(p))
        p->carrier = av_guess_format("mp4", NULL, NULL);
    if ((has_webm(p, 0) || has_webm(p, 1)) && sets_language(p))
        return reason_set(reason, size, "the language of streams in WebM is not split yet in dash");
    if (has_webm(p, 0))
        p->carrier = av_guess_format("matroska", NULL, NULL);
    if (has_webm(p, 1))
        p->trial_format = av_guess_format("matroska", NULL, NULL);
    for (int i = 0; ret >= 0 && i < p->nb_streams; i++)
        ret = check_stream(p, &p->streams[i], reason, size);
    return ret;
}

/** All of a tee's files are Matroska, whose times that keeps as they are; or MP4 knows all of theirs. */
static const char *find_for_tee(const Plan *p, const TeeSlave *slaves, int nb)
{
    int matroska = 0, timed = 0;

    for (int i = 0; i < nb; i++) {
        const char *name = slaves[i].format->name;

        matroska += !strcmp(name, "matroska");
        timed    += is_mov(slaves[i].format) || !strcmp(name, "mpegts");
        for (int k = 0; k < p->cmd->nb_inputs; k++)
            if (strlen(p->cmd->inputs[k].url) == slaves[i].name_size &&
                !strncmp(p->cmd->inputs[k].url, slaves[i].name, slaves[i].name_size))
                return NULL;
    }
    return matroska == nb ? "matroska" : timed == nb ? "mp4" : NULL;
}

static int choose_tee(Plan *p, char *reason, size_t size)
{
    TeeSlave slaves[TEE_MAX_SLAVES];
    int ret = tee_parse(plan_file(p)->url, slaves, reason, size);
    const char *name;

    if (ret < 0)
        return ret;
    name = find_for_tee(p, slaves, ret);
    /* tee knows hardly any, and what it does not is an error in the end */
    if (!name || av_dict_count(p->format_options))
        return reason_set(reason, size, "-f tee is split only for Matroska, or for MP4 and MPEG-TS, without further options");
    p->carrier = p->trial_format = av_guess_format(name, NULL, NULL);
    for (int i = 0; i < p->nb_streams && carrier_is_mov(p); i++) {
        const PlanStream *s = &p->streams[i];
        int ok = s->fleet ? s->encoder->id == AV_CODEC_ID_H264 || s->encoder->id == AV_CODEC_ID_HEVC :
                 check_stream(p, s, reason, size) >= 0 &&
                 (s->copy || s->encoder->id != AV_CODEC_ID_OPUS);

        if (!ok)
            return *reason ? AVERROR_PATCHWELCOME :
                   reason_set(reason, size, "-f tee of these codecs is not split yet");
    }
    return 0;
}

static int has_fragments(const Plan *p)
{
    const char *flags = option(p, "movflags");

    return option(p, "frag_duration") || option(p, "frag_size") ||
           (flags && (strstr(flags, "frag") || strstr(flags, "empty_moov") ||
                      strstr(flags, "dash") || strstr(flags, "isml")));
}

/** The muxer asks what else it has got of a stream when it closes a fragment: of one packet, that is its duration. */
static int has_tiny_fragments(const Plan *p)
{
    const char *flags = option(p, "movflags");

    return carrier_is_mov(p) && p->nb_streams > 1 &&
           (option(p, "frag_size") || (flags && strstr(flags, "frag_every_frame")));
}

/** The header is written for good before the packets are. */
static int header_comes_first(const Plan *p)
{
    return p->pipe || p->oformat->flags & AVFMT_NOFILE || (carrier_is_mov(p) && has_fragments(p));
}

static int encodes_flac(const Plan *p)
{
    for (int i = 0; i < p->nb_streams; i++)
        if (!p->streams[i].copy && p->streams[i].encoder->id == AV_CODEC_ID_FLAC)
            return 1;
    return 0;
}

/** Its packets tell all that a header in AVI says of it. */
static int tells_itself(enum AVCodecID id)
{
    return id == AV_CODEC_ID_MP3 || id == AV_CODEC_ID_MP2 || id == AV_CODEC_ID_AC3 ||
           id == AV_CODEC_ID_AAC;
}

/**
 * FFmpeg's NUT muxer leaves out the first bytes of MP3 and MP2 frames. Where the size that follows
 * from the bit rate is one of frames with a padding byte, its header tells the opposite of the
 * commonest of its frame codes, and what comes back is garbage (build_frame_code() and
 * write_mainheader() in libavformat/nutenc.c).
 */
static int survives_nut(const AVCodecParameters *par)
{
    static const uint16_t kbits[] = { 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224,
                                      256, 320, 384 };
    /* for stream copy ffmpeg takes these for none */
    int none = !par->block_align || par->block_align == 1 || par->block_align == 576 || par->block_align == 1152;
    int64_t samples = par->codec_id == AV_CODEC_ID_MP3 && par->sample_rate < 28000 ? 576 : 1152, size;

    if (par->codec_id != AV_CODEC_ID_MP3 && par->codec_id != AV_CODEC_ID_MP2)
        return 1;
    if (par->sample_rate <= 0)
        return 0;
    size = none ? samples * par->bit_rate / (8LL * par->sample_rate) : par->block_align;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(kbits); i++)
        if (size == samples * 125 * kbits[i] / par->sample_rate + 1)
            return 0;
    return 1;
}

/** Whether what is written to NUT for the user cannot be read back: then nothing is to be read back. */
static int loses_in_nut(const Plan *p)
{
    for (int i = 0; i < p->nb_streams && carrier_is_nut(p); i++)
        if (p->streams[i].copy &&
            !survives_nut(p->inputs[p->streams[i].file].fc->streams[p->streams[i].index]->codecpar))
            return 1;
    return 0;
}

/** Whether all that stock makes is sound of which NUT loses nothing but durations. */
static int fits_nut(const Plan *p, int pcm_only)
{
    const AVOutputFormat *nut = av_guess_format("nut", NULL, NULL);

    for (int i = 0; nut && i < p->nb_streams; i++) {
        const PlanStream *s = &p->streams[i];
        const AVStream *in  = p->inputs[s->file].fc->streams[s->index];
        enum AVCodecID id   = s->copy ? in->codecpar->codec_id : s->encoder->id;
        AVRational tb       = in->time_base;

        if (s->fleet)
            continue;
        if (s->type != AVMEDIA_TYPE_AUDIO || !av_codec_get_tag(nut->codec_tag, id) ||
            !(av_get_exact_bits_per_sample(id) || (!pcm_only && tells_itself(id))))
            return 0;
        if (s->copy && !survives_nut(in->codecpar))
            return 0;
        if (pcm_only && s->copy && (int64_t)in->codecpar->sample_rate * tb.num % tb.den)
            return 0;
    }
    return nut && p->nb_streams > 1;
}

/** Whether all that stock makes is sound that it encodes with one of these. */
static int encodes_only(const Plan *p, const enum AVCodecID *ids, int nb)
{
    for (int i = 0; i < p->nb_streams; i++) {
        const PlanStream *s = &p->streams[i];
        int found = s->fleet;

        for (int k = 0; k < nb && !s->copy; k++)
            found |= s->encoder->id == ids[k];
        if (!found)
            return 0;
    }
    return 1;
}

/** Its last packets tell how long the file is: mov knows durations, and of NUT's sound they are constant. */
static const AVOutputFormat *find_for_asf(const Plan *p)
{
    static const enum AVCodecID exact[]    = { AV_CODEC_ID_AAC, AV_CODEC_ID_MP3, AV_CODEC_ID_AC3 };
    static const enum AVCodecID constant[] = { AV_CODEC_ID_WMAV1, AV_CODEC_ID_WMAV2 };

    /* mov lets the first chapter begin at 0 */
    for (int i = 0; i < p->nb_inputs; i++)
        if (p->inputs[i].fc->nb_chapters)
            return NULL;
    return encodes_only(p, exact, FF_ARRAY_ELEMS(exact)) ? av_guess_format("mov", NULL, NULL) :
           encodes_only(p, constant, FF_ARRAY_ELEMS(constant)) ?
           av_guess_format("nut", NULL, NULL) : NULL;
}

/** Whether sound is copied, and all that is has timestamps that count samples: NUT keeps those. */
static int copies_samples(const Plan *p)
{
    int found = 0;

    for (int i = 0; i < p->nb_streams; i++) {
        const PlanStream *s = &p->streams[i];
        const AVStream *in  = p->inputs[s->file].fc->streams[s->index];

        if (!s->copy || s->type != AVMEDIA_TYPE_AUDIO)
            continue;
        if (av_cmp_q(in->time_base, (AVRational){ 1, in->codecpar->sample_rate }))
            return 0;
        found = 1;
    }
    return found;
}

/**
 * AVI and MXF count frames and samples, so that the muxer's shift of the timestamps cannot be seen in them; ASF
 * knows no durations; FLV numbers its streams in the order of their packets. The demuxers of AVI and mov hand
 * out PCM in pieces of their own, and how the final file is interleaved depends on them. MPEG-TS tells the time of
 * the first frame of sound in a PES packet only, and copied ones need not follow evenly.
 */
static int choose_single(Plan *p, char *reason, size_t size)
{
    int counts = !strcmp(p->oformat->name, "avi") || !strcmp(p->oformat->name, "mxf");
    int asf    = !strcmp(p->oformat->name, "asf");
    enum AVCodecID mp3 = AV_CODEC_ID_MP3;

    if (loses_in_nut(p))
        return reason_set(reason, size, "FFmpeg's NUT does not keep all of the copied sound");
    if ((counts || is_mov(p->oformat)) && fits_nut(p, !counts))
        p->carrier = av_guess_format("nut", NULL, NULL);
    else if (!strcmp(p->oformat->name, "mpegts") && copies_samples(p) && fits_nut(p, 0))
        p->carrier = av_guess_format("nut", NULL, NULL);
    else if (asf)
        p->carrier = find_for_asf(p);
    else if (!strcmp(p->oformat->name, "flv") && p->nb_streams > 1 && encodes_only(p, &mp3, 1))
        p->carrier = av_guess_format("mov", NULL, NULL);
    else if (counts && p->nb_streams > 1)
        p->carrier = NULL;
    return p->carrier ? 0 : reason_set(reason, size, "what is beside the video of %s is not split yet",
                                   p->oformat->name);
}

/** Nothing that can be read back with its times. */
static int is_write_only(const AVOutputFormat *f)
{
    return f->flags & AVFMT_NOTIMESTAMPS || is_hash(f);
}

/** A file each, by a pattern: what is wrong with it is stock's to say, and beside other outputs so are pictures. */
static int check_pictures(const Plan *p, char *reason, size_t size)
{
    enum AVCodecID id = p->streams[p->fleet_stream].encoder->id;
    char name[4096];

    if (p->cmd->nb_outputs > 1 || p->nb_streams > 1)
        return reason_set(reason, size, "pictures are not split beside other streams or outputs");
    if (id != AV_CODEC_ID_PNG && id != AV_CODEC_ID_MJPEG)
        return reason_set(reason, size, "pictures other than PNG and JPEG are not split yet");
    if (option(p, "strftime") || option(p, "protocol_opts") ||
        (!strcmp(p->oformat->name, "image2") && !option(p, "update") &&
         av_get_frame_filename(name, sizeof(name), plan_file(p)->url, 1) < 0))
        return reason_set(reason, size, "the pictures' names are not numbered");
    return 0;
}

/**
 * Of the null muxer nobody sees more than how much it got; what follows a raw stream is its
 * packets, and no file may be a better place for the rest. A hash tells of every bit.
 */
static int choose_write_only(Plan *p, char *reason, size_t size)
{
    const char *name = p->streams[p->fleet_stream].encoder->name;
    const EncoderTraits *traits = encoder_traits(name);

    p->carrier = p->trial_format = av_guess_format("matroska", NULL, NULL);
    if (av_strstart(p->oformat->name, "image2", NULL))
        return check_pictures(p, reason, size);
    if (!is_hash(p->oformat))
        return 0;
    if (!strcmp(name, "rawvideo"))
        return reason_set(reason, size, "decoded frames are more to send than their hashes are to make");
    /* cfhd's packets differ from run to run, and those that hash each packet also hash what stands beside it, as the quality
     * that dnxhd and mjpeg tell */
    if (p->judge.gop != 1 || !traits || !strcmp(name, "cfhd") ||
        (av_strstart(p->oformat->name, "frame", NULL) &&
         (p->judge.rate != RATE_FRAME_LOCAL || !strcmp(name, "dnxhd"))) ||
        (p->judge.rate != RATE_FRAME_LOCAL && !traits->intra_only))
        return reason_set(reason, size, "the hash of what %s makes in segments is another one", name);
    if (p->nb_streams > 1 && !fits_nut(p, 1))
        return reason_set(reason, size, "what is beside the video of %s is not split yet", p->oformat->name);
    if (p->nb_streams > 1) {
        p->carrier      = av_guess_format("nut", NULL, NULL);
        p->trial_format = av_guess_format("mov", NULL, NULL); /* knows channel layouts */
    }
    return 0;
}

int carrier_choose(Plan *p, char *reason, size_t size)
{
    p->carrier = p->trial_format = p->oformat;
    if (is_write_only(p->oformat))
        return choose_write_only(p, reason, size);
    if (is_tee(p))
        return choose_tee(p, reason, size);
    if (p->pipe && carrier_is_mov(p) && !has_fragments(p))
        return reason_set(reason, size, "%s cannot be written to a pipe", p->oformat->name);
    if (header_comes_first(p) && encodes_flac(p))
        return reason_set(reason, size, "the header of FLAC is known in the end only");
    if (has_tiny_fragments(p))
        return reason_set(reason, size, "fragments of single packets tell by what waits in the muxer how long these are");
    if (option(p, "encryption_scheme"))
        return reason_set(reason, size, "encrypted output is not split yet");
    if (strcmp(p->carrier->name, "matroska") &&
        cmdline_last(plan_file(p)->options, plan_file(p)->nb_options, "attach"))
        return reason_set(reason, size, "-attach with %s is not split yet", p->oformat->name);
    return p->oformat->flags & AVFMT_NOFILE ? choose_foreign(p, reason, size) :
                                              choose_single(p, reason, size);
}

/**
 * HLS, DASH and segment have the clocks of the muxers behind them. Those of mov and NUT count
 * samples and frames, as tee's do, which are the encoders'.
 */
int carrier_keeps_clocks(const Plan *p)
{
    return !carrier_is_foreign(p) || (p->oformat->flags & AVFMT_NOFILE && p->carrier == inner_format(p)) ||
           (is_tee(p) && carrier_is_mov(p)) || (is_mov(p->oformat) && carrier_is_nut(p));
}

int carrier_is_nut(const Plan *p)
{
    return !strcmp(p->carrier->name, "nut");
}

/**
 * Matroska's demuxer cuts what follows from the frame's size to milliseconds, and so has it when it
 * is copied from there.
 */
static int is_cut(const Plan *p, int stream)
{
    const PlanStream *s = &p->streams[stream];
    AVRational tb = p->inputs[s->file].fc->streams[s->index]->time_base;

    return (is_segment(p) || is_dash(p)) && is_matroska(p->carrier) && !(s->copy && tb.num == 1 && tb.den == 1000);
}

int64_t carrier_duration(const Plan *p, int stream, const AVStream *st, const AVPacket *pkt)
{
    int frame;

    if (p->streams[stream].type != AVMEDIA_TYPE_AUDIO ||
        !((carrier_is_foreign(p) && carrier_is_mov(p) && !p->streams[stream].copy) || is_cut(p, stream)))
        return pkt->duration;
    frame = av_get_audio_frame_duration2(st->codecpar, pkt->size);
    /* it cannot tell from the size, but FFmpeg's encoder knows no other */
    if (frame <= 0 && !p->streams[stream].copy && st->codecpar->codec_id == AV_CODEC_ID_EAC3)
        frame = 1536;
    return frame > 0 ? av_rescale_q(frame, av_make_q(1, st->codecpar->sample_rate), st->time_base) :
                       pkt->duration;
}

unsigned carrier_nut_tag(enum AVCodecID id)
{
    const AVOutputFormat *nut = av_guess_format("nut", NULL, NULL);
    const AVOutputFormat *mov = av_guess_format("mov", NULL, NULL);

    return nut && mov && !av_codec_get_tag(nut->codec_tag, id) ?
           av_codec_get_tag(mov->codec_tag, id) : 0;
}
