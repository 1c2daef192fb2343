/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/parseutils.h>

#include "../plan/carrier.h"
#include "carrierfile.h"

int carrierfile_alloc(CarrierFile **out, const Plan *plan, enum CarrierPart part, const WorkDir *dir)
{
    CarrierFile *c = *out = av_mallocz(sizeof(*c));

    if (!c)
        return AVERROR(ENOMEM);
    c->plan    = plan;
    c->part    = part;
    c->pkt     = av_packet_alloc();
    c->name    = workdir_file(dir, part == CARRIER_TEXT ? WORK_TEXT : WORK_REMAINDER, plan->output);
    c->streams = av_calloc(plan->nb_streams, sizeof(*c->streams));
    return c->pkt && c->name && c->streams ? 0 : AVERROR(ENOMEM);
}

void carrierfile_free(CarrierFile **cp)
{
    CarrierFile *c = *cp;

    if (!c)
        return;
    avformat_close_input(&c->fc);
    av_packet_free(&c->pkt);
    av_freep(&c->name);
    av_freep(&c->streams);
    av_freep(cp);
}

/**
 * Part of a frame, as where -ss cuts into copied audio, confuses MPEG-TS's demuxer: then only stock
 * itself will do.
 */
static int in_order(CarrierFile *c, const AVPacket *pkt)
{
    const AVStream *st = c->fc->streams[pkt->stream_index];
    int64_t *last;
    int ok;

    if (pkt->stream_index >= carrierpart_count(c->plan, c->part) || pkt->dts == AV_NOPTS_VALUE ||
        st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
        return 1;
    last  = &c->streams[pkt->stream_index].first_dts;
    ok    = *last == AV_NOPTS_VALUE || pkt->dts > *last;
    *last = pkt->dts;
    return ok;
}

/** The stand-in was given to the muxer at the first slot; where it is found now is the muxer's shift. */
static int find_shift(CarrierFile *c, int64_t first_slot)
{
    AVPacket *pkt = av_packet_alloc();
    int ret  = pkt ? 0 : AVERROR(ENOMEM);
    int is_ts = !strcmp(c->fc->iformat->name, "mpegts");
    int whole = is_ts || c->plan->tied_ends;
    AVRational tb;

    for (int i = 0; i < c->plan->nb_streams; i++)
        c->streams[i].first_dts = AV_NOPTS_VALUE;
    while (ret >= 0 && (whole || !c->nb_video) && (ret = av_read_frame(c->fc, pkt)) >= 0) {
        int index = pkt->stream_index, stream = carrierpart_stream(c->plan, c->part, index);

        tb = c->fc->streams[index]->time_base;
        if (stream >= 0)
            c->streams[index].nb_packets++;
        if (stream == c->plan->fleet_stream && !c->nb_video++)
            c->shift = pkt->pts == AV_NOPTS_VALUE ? 0 :
                       av_rescale_q(pkt->pts - av_rescale_q(first_slot, av_inv_q(c->plan->frame_rate), tb),
                                    tb, AV_TIME_BASE_Q);
        if (is_ts && !in_order(c, pkt))
            ret = AVERROR_EXTERNAL;
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    for (int i = 0; i < carrierpart_count(c->plan, c->part); i++) {
        if (c->plan->tied_ends && c->plan->streams[carrierpart_stream(c->plan, c->part, i)].fleet &&
            c->streams[i].nb_packets != c->nb_video)
            ret = AVERROR_PATCHWELCOME;
        c->streams[i].nb_packets = 0;
    }
    return ret == AVERROR_EOF ? (c->nb_video ? 0 : AVERROR_EXTERNAL) : ret;
}

/** Whether the clock of MPEG-TS may begin anew in the output, after 26 hours. */
static int wraps(const CarrierFile *c, int64_t first_slot)
{
    return !c->plan->duration || first_slot / av_q2d(c->plan->frame_rate) + c->plan->duration > 24 * 3600;
}

/**
 * Of WebVTT Matroska's demuxer leaves out cues without text, with all that follows them closely, and empty lines
 * at the end. It hands out any other text as it is.
 */
static void take_as_text(AVFormatContext *fc)
{
    for (unsigned i = 0; i < fc->nb_streams; i++)
        fc->streams[i]->codecpar->codec_id = AV_CODEC_ID_TEXT;
}

static int open_input(CarrierFile *c, int64_t first_slot)
{
    AVDictionary *opts = NULL;
    int ret;

    /* with sound and video a minute and more apart, MPEG-TS's demuxer takes what comes first for having wrapped */
    if (!wraps(c, first_slot))
        av_dict_set(&opts, "correct_ts_overflow", "0", 0);
    /* the muxer's own edit lists only move the start; to apply them to packets as well would cut the last ones */
    av_dict_set(&opts, "advanced_editlist", "0", 0);
    ret = avformat_open_input(&c->fc, c->name, carrier_demuxer(carrierpart_format(c->plan, c->part)), &opts);
    av_dict_free(&opts);
    if (ret >= 0 && c->part == CARRIER_TEXT)
        take_as_text(c->fc);
    else if (ret >= 0)
        ret = avformat_find_stream_info(c->fc, NULL);
    return ret >= 0 && (int)c->fc->nb_streams < carrierpart_count(c->plan, c->part) ? AVERROR_EXTERNAL : ret;
}

int carrierfile_open(CarrierFile *c, int64_t first_slot)
{
    int ret = open_input(c, first_slot);

    if (c->part == CARRIER_TEXT) {
        c->shift = CARRIER_TEXT_OFFSET * (int64_t)AV_TIME_BASE;
        /* without a packet Matroska's muxer has not finished the header either */
        c->eof = ret == AVERROR_EOF;
        return c->eof ? 0 : ret;
    }
    if (carrier_is_nut(c->plan) && !c->plan->tied_ends) {
        c->shift = CARRIER_NUT_OFFSET * (int64_t)AV_TIME_BASE;
        return ret;
    }
    if (ret >= 0)
        ret = find_shift(c, first_slot);
    /* once more from the start: seeking back would lose packets before time 0 */
    if (ret >= 0) {
        avformat_close_input(&c->fc);
        ret = open_input(c, first_slot);
    }
    return ret;
}

/** What Matroska's demuxer takes off the timestamps of a stream. */
static int64_t codec_delay(const AVStream *st)
{
    const AVCodecParameters *par = st->codecpar;
    int rate = par->codec_id == AV_CODEC_ID_OPUS ? 48000 : par->sample_rate;

    return par->initial_padding <= 0 || rate <= 0 ? 0 :
           av_rescale_q(par->initial_padding, av_make_q(1, rate), st->time_base);
}

/** Matroska's muxer puts it on again only since FFmpeg 7. */
static void restore_codec_delay(const AVStream *st, AVPacket *pkt)
{
    int64_t delay = LIBAVFORMAT_VERSION_MAJOR >= 61 ? 0 : codec_delay(st);

    if (pkt->pts != AV_NOPTS_VALUE)
        pkt->pts += delay;
    if (pkt->dts != AV_NOPTS_VALUE)
        pkt->dts += delay;
}

/** Matroska keeps the length of a shortened last packet only in the stream's DURATION, FLV in the file's. */
static void clip_duration(const AVFormatContext *fc, const AVStream *st, AVPacket *pkt)
{
    const AVDictionaryEntry *e = av_dict_get(st->metadata, "DURATION", NULL, 0);
    int flv = !strcmp(fc->iformat->name, "flv");
    int64_t end = flv ? fc->duration : AV_NOPTS_VALUE;

    if ((!flv && !av_strstart(fc->iformat->name, "matroska", NULL)) ||
        st->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE) /* each block has its own */
        return;
    if (e && av_parse_time(&end, e->value, 1) < 0)
        return;
    if (end == AV_NOPTS_VALUE || pkt->pts == AV_NOPTS_VALUE)
        return;
    end = av_rescale_q(end, AV_TIME_BASE_Q, st->time_base);
    if (!flv && LIBAVFORMAT_VERSION_MAJOR >= 61)
        end -= codec_delay(st);
    if (pkt->pts < end && pkt->pts + pkt->duration > end)
        pkt->duration = end - pkt->pts;
    /* made by the demuxer out of the default duration, it was cut to whole milliseconds, not rounded */
    if (!flv && pkt->duration > 1 && pkt->pts + pkt->duration + 1 == end)
        pkt->duration++;
}

/**
 * Our demuxer for mp4 takes the last packet to last until the media's whole duration, but counts that from
 * the edit list's start.
 */
static void mend_last_duration(CarrierFile *c, AVPacket *pkt)
{
    const AVStream *st = c->fc->streams[pkt->stream_index];
    CarrierStream *s = &c->streams[pkt->stream_index];

    if (!s->nb_packets++)
        s->first_dts = pkt->dts;
    if (s->nb_packets == st->nb_frames && st->duration != AV_NOPTS_VALUE &&
        pkt->dts != AV_NOPTS_VALUE && s->first_dts != AV_NOPTS_VALUE &&
        st->duration + s->first_dts > pkt->dts && av_strstart(c->fc->iformat->name, "mov", NULL))
        pkt->duration = st->duration + s->first_dts - pkt->dts;
    else
        pkt->duration = carrier_duration(c->plan, carrierpart_stream(c->plan, c->part, pkt->stream_index), st, pkt);
}

/** mp4's muxer ends each text track with an empty sample; ours will too. */
static int is_end_of_text(const CarrierFile *c, const AVPacket *pkt)
{
    const AVStream *st = c->fc->streams[pkt->stream_index];

    return st->codecpar->codec_id == AV_CODEC_ID_MOV_TEXT && pkt->size == 2 &&
           !pkt->data[0] && !pkt->data[1] &&
           c->streams[pkt->stream_index].nb_packets == st->nb_frames;
}

/** The first line of what is left of a packet, as side data, if it is not empty. */
static int take_line(AVPacket *pkt, enum AVPacketSideDataType type)
{
    const uint8_t *end = pkt->size > 0 ? memchr(pkt->data, '\n', pkt->size) : NULL;
    size_t len = end ? end - pkt->data : 0;
    uint8_t *data;

    if (!end)
        return AVERROR_INVALIDDATA;
    if (len) {
        data = av_packet_new_side_data(pkt, type, len);
        if (!data)
            return AVERROR(ENOMEM);
        memcpy(data, pkt->data, len);
    }
    pkt->data += len + 1;
    pkt->size -= len + 1;
    return 0;
}

/** In Matroska's blocks WebVTT's identifier and settings are lines in front of the text. */
static int unwrap_text(AVPacket *pkt)
{
    int ret = take_line(pkt, AV_PKT_DATA_WEBVTT_IDENTIFIER);

    pkt->dts = pkt->pts;
    return ret < 0 ? ret : take_line(pkt, AV_PKT_DATA_WEBVTT_SETTINGS);
}

/** What the carrier has made of a packet. @return 1, 0: it is only the carrier's, or an AVERROR code */
static int mend_packet(CarrierFile *c, AVPacket *pkt)
{
    const AVStream *st = c->fc->streams[pkt->stream_index];

    if (c->part == CARRIER_TEXT) {
        int ret = unwrap_text(pkt);

        return ret < 0 ? ret : 1;
    }
    mend_last_duration(c, pkt);
    if (is_end_of_text(c, pkt))
        return 0;
    if (av_strstart(c->fc->iformat->name, "matroska", NULL))
        restore_codec_delay(st, pkt);
    clip_duration(c->fc, st, pkt);
    return 1;
}

/** @return as mend_packet(); AVERROR_EOF */
static int read_packet(CarrierFile *c, AVPacket *pkt)
{
    int ret = av_read_frame(c->fc, pkt);
    int stream = ret < 0 ? -1 : carrierpart_stream(c->plan, c->part, pkt->stream_index);
    int64_t shift;

    if (ret < 0)
        return ret;
    /* streams beyond the plan's are the muxer's own, and our muxer makes them again */
    if (stream < 0 || c->plan->streams[stream].fleet)
        return 0;
    ret = mend_packet(c, pkt);
    if (ret <= 0)
        return ret;
    shift = av_rescale_q(c->shift, AV_TIME_BASE_Q, c->fc->streams[pkt->stream_index]->time_base);
    if (pkt->pts != AV_NOPTS_VALUE)
        pkt->pts -= shift;
    if (pkt->dts != AV_NOPTS_VALUE)
        pkt->dts -= shift;
    pkt->stream_index = stream;
    return 1;
}

int carrierfile_peek(CarrierFile *c, AVPacket **pkt)
{
    while (!c->have_pkt && !c->eof) {
        int ret = read_packet(c, c->pkt);

        c->have_pkt = ret > 0;
        c->eof      = ret == AVERROR_EOF;
        if (ret <= 0)
            av_packet_unref(c->pkt);
        if (ret < 0 && ret != AVERROR_EOF)
            return ret;
    }
    *pkt = c->pkt;
    return c->have_pkt ? 0 : AVERROR_EOF;
}

void carrierfile_consume(CarrierFile *c)
{
    av_packet_unref(c->pkt);
    c->have_pkt = 0;
}
