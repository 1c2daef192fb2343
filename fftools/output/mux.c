/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/eval.h>
#include <libavutil/intreadwrite.h>

#include "../compat.h"
#include "../plan/carrier.h"
#include "../plan/carrierpart.h"
#include "../remainder/triallog.h"
#include "mux.h"

typedef struct MuxStream {
    int64_t step;      ///< the state of av_rescale_delta(), where stock uses it
    int64_t last_dts;  ///< of what is not the fleet's
    int64_t end;       ///< where its last packet ends on the axis of DTS, in AV_TIME_BASE units
} MuxStream;

struct Mux {
    const Plan *plan;
    Remainder  *rest;
    AVFormatContext *oc;
    AVStream   *video[PLAN_MAX_VIDEO];   ///< the fleet's, by Plan.nth_fleet
    MuxSizes    sizes;
    int64_t     total_size;
    int         header, finished;
    int64_t     end_dts;     ///< of the video, in the first stream's time base
    MuxStream  *streams;
};

static int copy_stream(AVStream *dst, const AVStream *src)
{
    int ret = avcodec_parameters_copy(dst->codecpar, src->codecpar);

    if (ret < 0)
        return ret;
    dst->id                  = 0;
    dst->time_base           = src->time_base;
    dst->disposition         = src->disposition;
    dst->avg_frame_rate      = src->avg_frame_rate;
    dst->sample_aspect_ratio = src->sample_aspect_ratio;
    ret = av_dict_copy(&dst->metadata, src->metadata, 0);
    return ret < 0 ? ret : compat_copy_stream_side_data(dst, src);
}

/**
 * The demuxer tells the handler name that the mov muxer made up; told to the muxer again it would also name the
 * tracks that it derives from this one.
 */
static void drop_default_handler(const Plan *plan, int stream, AVStream *st)
{
    static const char *const defaults[] = { "VideoHandler", "SoundHandler", "SubtitleHandler" };
    const AVDictionaryEntry *e = av_dict_get(st->metadata, "handler_name", NULL, 0);

    if (!e || !carrier_names_handlers(plan) || plan->streams[stream].in_has_handler)
        return;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(defaults); i++)
        if (!strcmp(e->value, defaults[i])) {
            av_dict_set(&st->metadata, "handler_name", NULL, 0);
            return;
        }
}

/** In another container than the output's: what its demuxer made up, and the muxer chose. */
static void drop_carriers_own(const Plan *plan, int stream, AVStream *st)
{
    const PlanStream *s = &plan->streams[stream];
    const AVDictionaryEntry *e = av_dict_get(st->metadata, "language", NULL, 0);
    const int matroska = !strcmp((s->fleet ? plan->trial_format : plan->carrier)->name, "matroska");

    if (s->fleet ? plan->trial_format == plan->oformat : !carrier_is_foreign(plan))
        return;
    if (e && !matroska && carrier_names_handlers(plan) && !s->in_has_language && !strcmp(e->value, "und"))
        av_dict_set(&st->metadata, "language", NULL, 0);
    /* Matroska's drops that where it was told, of which DASH's playlists tell */
    if (!e && matroska && s->in_has_language && !strcmp(plan->oformat->name, "dash"))
        av_dict_set(&st->metadata, "language", "und", 0);
    st->codecpar->codec_tag = s->tag;
}

/**
 * To a pipe, and where -f segment writes no trailers, Matroska's muxer can tell the length only
 * beforehand: it looks for tags that come with a Matroska input, and its own in the carrier are not
 * that.
 */
static void restore_duration_tag(const Plan *plan, int stream, AVStream *st)
{
    const char *tag = plan->streams[stream].in_duration;

    if ((plan->pipe || carrier_is_foreign(plan)) && (!strcmp(plan->carrier->name, "matroska") ||
                                                     !strcmp(plan->carrier->name, "webm")))
        av_dict_set(&st->metadata, "DURATION", *tag ? tag : NULL, 0);
}

/** As stock's: all but what only the encoder knows is read back from the trial. */
static int set_video_stream(Mux *m, AVStream *st, const Trial *t, const AVCodecParameters *params)
{
    AVCodecParameters *par = st->codecpar;
    int ret = copy_stream(st, t->video);

    if (ret < 0)
        return ret;
    st->time_base      = av_inv_q(m->plan->frame_rate);
    st->avg_frame_rate = m->plan->rate_open ? (AVRational) { 0, 0 } : m->plan->frame_rate;
    if (!st->sample_aspect_ratio.num)
        st->sample_aspect_ratio = par->sample_aspect_ratio;
    par->sample_aspect_ratio = st->sample_aspect_ratio;
    par->video_delay   = params->video_delay;
    if (m->plan->trial_format != m->plan->oformat)
        par->field_order = triallog_field_order(t, t->plan->fleet_stream);
    m->video[t->plan->nth_fleet] = st;
    /* libaom gives them with the first packet only, and NUT has no place for that */
    if (params->extradata_size <= 0 && par->codec_id == AV_CODEC_ID_AV1)
        return 0;
    av_freep(&par->extradata);
    par->extradata_size = 0;
    if (params->extradata_size > 0 && !plan_repeats_headers(t->plan)) {
        par->extradata = av_mallocz(params->extradata_size + AV_INPUT_BUFFER_PADDING_SIZE);
        if (!par->extradata)
            return AVERROR(ENOMEM);
        memcpy(par->extradata, params->extradata, params->extradata_size);
        par->extradata_size = params->extradata_size;
    }
    return 0;
}

/** The trial of the plan for a stream of the output. */
static const Trial *trial_of(const Trial *t, int stream)
{
    while (t->plan->fleet_stream != stream)
        t = t->next;
    return t;
}

/** Sound that begins late may have no packet in the trial, whose file may not tell of it then. */
static int guess_layout(AVChannelLayout *layout, const AVCodecParameters *in)
{
    if (layout->order != AV_CHANNEL_ORDER_UNSPEC)
        return 0;
    if (in->ch_layout.order != AV_CHANNEL_ORDER_UNSPEC && in->ch_layout.nb_channels == layout->nb_channels)
        return av_channel_layout_copy(layout, &in->ch_layout);
    av_channel_layout_default(layout, layout->nb_channels);
    return 0;
}

/** NUT knows the number of channels only, and nothing of what only ASF's header tells. */
static int complete_audio(AVStream *st, const Trial *t, const Plan *plan, int stream)
{
    const PlanStream *s = &plan->streams[stream];
    AVCodecParameters *own = st->codecpar;
    const AVCodecParameters *par = t->file->nb_streams < (unsigned)plan->nb_streams ? NULL :
                                   t->file->streams[stream]->codecpar;
    int ret = 0;

    if (!carrier_is_nut(plan) || own->codec_type != AVMEDIA_TYPE_AUDIO)
        return 0;
    if (par && par->codec_type == AVMEDIA_TYPE_AUDIO && !strcmp(plan->oformat->name, "asf"))
        return avcodec_parameters_copy(own, par);
    if (par && par->codec_type == AVMEDIA_TYPE_AUDIO &&
        par->ch_layout.nb_channels == own->ch_layout.nb_channels)
        ret = av_channel_layout_copy(&own->ch_layout, &par->ch_layout);
    return ret < 0 ? ret : guess_layout(&own->ch_layout, plan->inputs[s->file].fc->streams[s->index]->codecpar);
}

/** The demuxer takes an attached picture for a video stream. */
static int make_attachment(AVStream *dst, const AVStream *src)
{
    AVCodecParameters *par = dst->codecpar;
    int ret = copy_stream(dst, src);

    if (ret < 0 || par->codec_type == AVMEDIA_TYPE_ATTACHMENT)
        return ret;
    memset(&dst->sample_aspect_ratio, 0, sizeof(dst->sample_aspect_ratio));
    dst->disposition = 0;
    av_freep(&par->extradata);
    par->codec_type     = AVMEDIA_TYPE_ATTACHMENT;
    par->extradata_size = src->attached_pic.size;
    par->extradata      = av_mallocz(par->extradata_size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!par->extradata)
        return AVERROR(ENOMEM);
    memcpy(par->extradata, src->attached_pic.data, par->extradata_size);
    return 0;
}

/** Of -attach: they follow all others in the carrier, too. */
static int add_attachments(Mux *m)
{
    const AVFormatContext *file = remainder_file(m->rest);
    const CmdFile *f = plan_file(m->plan);
    int nb = 0;

    for (int i = 0; i < f->nb_options; i++)
        nb += f->options[i].def && !strcmp(f->options[i].name, "attach");
    if ((int)file->nb_streams < carrierpart_count(m->plan, CARRIER_MAIN) + nb)
        return AVERROR_EXTERNAL;
    for (int i = file->nb_streams - nb; i < (int)file->nb_streams; i++) {
        AVStream *st = avformat_new_stream(m->oc, NULL);
        int ret = st ? make_attachment(st, file->streams[i]) : AVERROR(ENOMEM);

        if (ret < 0)
            return ret;
    }
    return 0;
}

/** -streamid, which the trial knows to be right. */
static int find_id(const Plan *plan, int stream)
{
    const CmdFile *f = plan_file(plan);
    int id = 0;

    for (int i = 0; i < f->nb_options; i++) {
        char *end;

        if (f->options[i].def && !strcmp(f->options[i].name, "streamid") &&
            av_strtod(f->options[i].value, &end) == stream && *end == ':')
            id = av_strtod(end + 1, NULL);
    }
    return id;
}

static int add_streams(Mux *m, const Trial *t, Join *const *joins)
{
    for (int i = 0; i < m->plan->nb_streams; i++) {
        AVStream *st = avformat_new_stream(m->oc, NULL);
        int ret;

        if (!st)
            return AVERROR(ENOMEM);
        if (m->plan->streams[i].fleet) {
            const Trial *of = trial_of(t, i);

            ret = set_video_stream(m, st, of, join_params(joins[of->plan->number]));
        } else if (m->plan->streams[i].part == CARRIER_TEXT) {
            st->codecpar->codec_type = AVMEDIA_TYPE_SUBTITLE;
            st->codecpar->codec_id   = AV_CODEC_ID_WEBVTT;
            ret = 0;
        } else {
            ret = copy_stream(st, remainder_stream(m->rest, i));
        }
        if (ret >= 0)
            ret = complete_audio(st, t, m->plan, i);
        if (ret < 0)
            return ret;
        st->id = find_id(m->plan, i);
        drop_default_handler(m->plan, i, st);
        drop_carriers_own(m->plan, i, st);
        restore_duration_tag(m->plan, i, st);
        st->codecpar->bit_rate = triallog_bit_rate(t, m->plan, i, st->codecpar);
        m->sizes.headers += st->codecpar->extradata_size;
    }
    return add_attachments(m);
}

/** That of the output's own format, as mov's demuxer adds some. */
static const AVDictionary *find_metadata(const Plan *plan, const Trial *t, const Remainder *r)
{
    return carrier_is_foreign(plan) && carrier_is_mov(plan) &&
           plan->trial_format == plan->oformat ? t->file->metadata : remainder_file(r)->metadata;
}

/** A transport stream keeps the title as its program's name. */
static int copy_program_names(AVFormatContext *dst, const AVFormatContext *src)
{
    return src->nb_programs ? av_dict_copy(&dst->metadata, src->programs[0]->metadata, 0) : 0;
}

static int copy_chapters(AVFormatContext *dst, const AVFormatContext *src)
{
    if (!src->nb_chapters)
        return 0;
    dst->chapters = av_calloc(src->nb_chapters, sizeof(*dst->chapters));
    if (!dst->chapters)
        return AVERROR(ENOMEM);
    for (unsigned i = 0; i < src->nb_chapters; i++) {
        AVChapter *c = av_mallocz(sizeof(*c));
        const AVDictionaryEntry *t;
        int ret;

        if (!c)
            return AVERROR(ENOMEM);
        *c = *src->chapters[i];
        c->metadata = NULL;
        dst->chapters[dst->nb_chapters++] = c;
        ret = av_dict_copy(&c->metadata, src->chapters[i]->metadata, 0);
        if (ret < 0)
            return ret;
        /* mp4 knows no chapter without a title; an empty one would make a text track of them */
        t = av_dict_get(c->metadata, "title", NULL, 0);
        if (t && !*t->value)
            av_dict_set(&c->metadata, "title", NULL, 0);
    }
    return 0;
}

/** As stock does it. What the muxer does not take is for stock to complain of, as long as nothing is written
 *  that cannot be taken back. */
static int open_output(Mux *m, AVDictionary **opts)
{
    const char *url = m->oc->url;
    int ret = 0;

    m->oc->max_delay = m->plan->max_delay;
    if (m->plan->out_limits.duration != INT64_MAX)
        m->oc->duration = m->plan->out_limits.duration;
    if (m->plan->preload)
        ret = av_dict_set_int(opts, "preload", m->plan->preload, 0);
    if (ret >= 0 && !(m->oc->oformat->flags & AVFMT_NOFILE)) {
        ret = avio_open2(&m->oc->pb, url, AVIO_FLAG_WRITE, NULL, opts);
        if (ret < 0) {
            av_log(NULL, AV_LOG_ERROR, "%s: %s\n", url, av_err2str(ret));
            return ret;
        }
    }
    if (ret >= 0)
        ret = avformat_write_header(m->oc, opts);
    m->header = ret >= 0;
    if (ret >= 0)
        return 0;
    if (!m->plan->pipe || !m->oc->pb || !avio_tell(m->oc->pb))
        return AVERROR_PATCHWELCOME;
    av_log(NULL, AV_LOG_ERROR, "the header of %s cannot be written\n", url);
    return ret;
}

int mux_open(Mux **out, const Plan *plan, const Trial *t, Remainder *r, Join *const *joins)
{
    const char *url = plan->pipe ? "pipe:" : plan_file(plan)->url;
    AVDictionary *opts = NULL;
    Mux *m = av_mallocz(sizeof(*m));
    int ret;

    *out = m;
    if (!m)
        return AVERROR(ENOMEM);
    m->plan = plan;
    m->rest = r;
    m->end_dts = INT64_MIN;
    ret = avformat_alloc_output_context2(&m->oc, plan->oformat, NULL, url);
    if (ret < 0)
        goto end;
    m->streams = av_malloc_array(plan->nb_streams, sizeof(*m->streams));
    if (!m->streams) {
        ret = AVERROR(ENOMEM);
        goto end;
    }
    for (int i = 0; i < plan->nb_streams; i++)
        m->streams[i] = (MuxStream) { AV_NOPTS_VALUE, AV_NOPTS_VALUE, AV_NOPTS_VALUE };
    if ((ret = add_streams(m, t, joins)) < 0 ||
        (ret = av_dict_copy(&m->oc->metadata, find_metadata(plan, t, r), 0)) < 0 ||
        (ret = copy_program_names(m->oc, remainder_file(r))) < 0 ||
        (ret = copy_chapters(m->oc, remainder_file(r))) < 0 ||
        (ret = av_dict_copy(&opts, plan->format_options, 0)) < 0)
        goto end;
    ret = open_output(m, &opts);
end:
    av_dict_free(&opts);
    return ret;
}

/** MPEG-TS puts headers in front of AAC that came without: stock counts before its muxer does so. */
static int added_header(const Mux *m, const AVPacket *pkt)
{
    const PlanStream *s = &m->plan->streams[pkt->stream_index];
    const AVStream *in  = m->plan->inputs[s->file].fc->streams[s->index];

    if (strcmp(m->plan->carrier->name, "mpegts") || s->type != AVMEDIA_TYPE_AUDIO ||
        m->oc->streams[pkt->stream_index]->codecpar->codec_id != AV_CODEC_ID_AAC || (s->copy && !in->codecpar->extradata_size))
        return 0;
    return pkt->size > 7 && (AV_RB16(pkt->data) & 0xfff6) == 0xfff0 ? 7 : 0;
}

static void count_size(Mux *m, const AVPacket *pkt)
{
    m->sizes.audio -= added_header(m, pkt);
    switch (m->oc->streams[pkt->stream_index]->codecpar->codec_type) {
    case AVMEDIA_TYPE_VIDEO:    m->sizes.video    += pkt->size; break;
    case AVMEDIA_TYPE_AUDIO:    m->sizes.audio    += pkt->size; break;
    case AVMEDIA_TYPE_SUBTITLE: m->sizes.subtitle += pkt->size; break;
    default:                    m->sizes.other    += pkt->size; break;
    }
}

static int write_packet(Mux *m, AVPacket *pkt)
{
    AVStream *st = m->oc->streams[pkt->stream_index];
    int ret;

    count_size(m, pkt);
    if (pkt->dts != AV_NOPTS_VALUE)
        m->streams[st->index].end = av_rescale_q(pkt->dts + pkt->duration, st->time_base, AV_TIME_BASE_Q);
    ret = av_interleaved_write_frame(m->oc, pkt);
    if (ret >= 0 && m->oc->pb && m->oc->pb->error < 0)
        ret = m->oc->pb->error;
    if (ret < 0)
        av_log(NULL, AV_LOG_ERROR, "%s cannot be written: %s\n", plan_file(m->plan)->url,
               av_err2str(ret));
    return ret;
}

/**
 * Stock evens out the times of copied sound when it converts them for the output: mux_fixup_ts() in
 * ffmpeg_mux.c (7.1). In a carrier that counts samples it has not done so yet.
 */
static void rescale_rest(Mux *m, AVPacket *pkt, AVRational from, AVRational to)
{
    const PlanStream *s = pkt->stream_index < m->plan->nb_streams ? &m->plan->streams[pkt->stream_index] : NULL;
    const AVCodecParameters *par;
    int duration;

    if (!COMPAT_TIMING_7 || !s || !s->copy || s->type != AVMEDIA_TYPE_AUDIO || !carrier_is_nut(m->plan) ||
        pkt->dts == AV_NOPTS_VALUE) {
        av_packet_rescale_ts(pkt, from, to);
        return;
    }
    par      = m->plan->inputs[s->file].fc->streams[s->index]->codecpar;
    duration = av_get_audio_frame_duration2((AVCodecParameters *)par, pkt->size);
    pkt->dts = pkt->pts = av_rescale_delta(from, pkt->dts, av_make_q(1, par->sample_rate),
                                           duration ? duration : par->frame_size,
                                           &m->streams[pkt->stream_index].step, to);
    pkt->duration = av_rescale_q(pkt->duration, from, to);
}

/**
 * Stock moves on what comes no later than the packet before it, unless the muxer takes it (mux_fixup_ts() in
 * ffmpeg_mux.c). A carrier's may have taken it.
 */
static void keep_order(Mux *m, AVPacket *pkt)
{
    MuxStream *s = &m->streams[pkt->stream_index];

    if (m->oc->oformat->flags & (AVFMT_NOTIMESTAMPS | AVFMT_TS_NONSTRICT) || pkt->dts == AV_NOPTS_VALUE)
        return;
    if (s->last_dts != AV_NOPTS_VALUE && pkt->dts <= s->last_dts) {
        if (pkt->pts != AV_NOPTS_VALUE && pkt->pts >= pkt->dts)
            pkt->pts = FFMAX(pkt->pts, s->last_dts + 1);
        pkt->dts = s->last_dts + 1;
    }
    s->last_dts = pkt->dts;
}

/** All of the remainder up to a time, in a video stream's time base. */
static int write_rest(Mux *m, int64_t dts, AVRational tb)
{
    AVPacket *pkt;
    int ret;

    while ((ret = remainder_peek(m->rest, &pkt)) >= 0) {
        const AVStream *from = remainder_stream(m->rest, pkt->stream_index);
        AVStream *to   = m->oc->streams[pkt->stream_index];

        if (dts != INT64_MAX && pkt->dts != AV_NOPTS_VALUE &&
            av_compare_ts(pkt->dts, from->time_base, dts, tb) > 0)
            return 0;
        rescale_rest(m, pkt, from->time_base, to->time_base);
        if (to->codecpar->codec_type == AVMEDIA_TYPE_AUDIO || to->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE)
            keep_order(m, pkt);
        pkt->pos = -1;
        ret = write_packet(m, pkt);
        remainder_consume(m->rest);
        if (ret < 0)
            return ret;
    }
    return ret == AVERROR_EOF ? 0 : ret;
}

int mux_video(Mux *m, int nth, AVPacket *pkt)
{
    AVStream *st = m->video[nth];
    int cfr = m->plan->vsync == VSYNC_CFR || m->plan->vsync == VSYNC_VSCFR;
    int ret;

    pkt->stream_index = st->index;
    pkt->duration     = (cfr || COMPAT_TIMING_7) && !m->plan->rate_open;
    pkt->pos          = -1;
    av_packet_rescale_ts(pkt, av_inv_q(m->plan->frame_rate), st->time_base);
    m->end_dts = av_rescale_q(pkt->dts, st->time_base, m->video[0]->time_base);
    ret = write_rest(m, pkt->dts, st->time_base);
    if (ret >= 0)
        ret = write_packet(m, pkt);
    av_packet_unref(pkt);
    return ret;
}

/** As print_report() of stock finds it; negative: not known. */
static int64_t total_size(const Mux *m, int at_end)
{
    int64_t size = m->oc->pb && at_end ? avio_size(m->oc->pb) : 0;

    if (!m->oc->pb)
        return AVERROR(EINVAL);
    return size > 0 ? size : avio_tell(m->oc->pb);
}

/** Before FFmpeg 7 stock says so and is content; what could not be kept is lost all the same. */
static int is_fatal_at_end(const Mux *m, int err)
{
    const Command *cmd = m->plan->cmd;

    return COMPAT_TIMING_7 || err != AVERROR(EINVAL) ||
           cmdline_last(cmd->globals, cmd->nb_globals, "xerror");
}

int mux_finish(Mux *m, int whole)
{
    int ret = write_rest(m, whole ? INT64_MAX : m->end_dts, m->video[0]->time_base);
    int err;

    m->header = 0;
    err = av_write_trailer(m->oc);
    if (err < 0 && ret >= 0) {
        av_log(NULL, AV_LOG_ERROR, "Error writing trailer of %s: %s\n",
               plan_file(m->plan)->url, av_err2str(err));
        ret = is_fatal_at_end(m, err) ? err : 0;
    }
    m->total_size = total_size(m, 1);
    m->finished = 1;
    err = m->oc->pb ? avio_closep(&m->oc->pb) : 0;
    return ret < 0 ? ret : err;
}

int64_t mux_total_size(const Mux *m)
{
    return m->finished ? m->total_size : total_size(m, 0);
}

int64_t mux_out_time(const Mux *m)
{
    int64_t time = COMPAT_TIMING_7 ? INT64_MAX : AV_NOPTS_VALUE;

    for (int i = 0; i < m->plan->nb_streams; i++) {
        const AVStream *st = m->oc->streams[i];
        int64_t end = compat_stream_end(st);

        if (!COMPAT_TIMING_7) {
            if (end != AV_NOPTS_VALUE)
                time = FFMAX(time, av_rescale_q(end, st->time_base, AV_TIME_BASE_Q));
        } else if (m->streams[i].end == AV_NOPTS_VALUE) {
            return AV_NOPTS_VALUE;
        } else {
            time = FFMIN(time, m->streams[i].end);
        }
    }
    return time;
}

void mux_sizes(const Mux *m, MuxSizes *sizes)
{
    *sizes = m->sizes;
}

void mux_free(Mux **mp)
{
    Mux *m = *mp;

    if (!m)
        return;
    if (m->oc && m->oc->pb)
        avio_closep(&m->oc->pb);
    avformat_free_context(m->oc);
    av_freep(&m->streams);
    av_freep(mp);
}
