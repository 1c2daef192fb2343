/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/mathematics.h>

#include "../compat.h"
#include "../input/decoder.h"
#include "discont.h"

#define DELTA_THRESHOLD (10 * AV_TIME_BASE)  /* stock's -dts_delta_threshold */
#define BACK_THRESHOLD  (AV_TIME_BASE / 10)
/* Sound may last that much longer than its headers say, without being looked at. */
#define SOUND_SLACK     (AV_TIME_BASE / 20)
/* As many packets as a decoder of sound may need to make the last frame as ever. */
#define NB_LAST         8
/* Packets after which it is known how far pts are ahead of DTS at least. */
#define NB_SETTLED      32

/** Times are in AV_TIME_BASE units. */
typedef struct DiscontStream {
    const AVStream *st;
    int      used;
    int      vague;        ///< whether it is, only stock knows
    int      decoded;      ///< sound that is not copied
    int      wrap_done;    ///< stock's wrap_correction_done
    int      begun;        ///< a keyframe was read
    int64_t  next_dts;     ///< where stock expects the next packet; AV_NOPTS_VALUE: there was none
    int      known;        ///< next_dts is exact
    int      timed;        ///< so is the DTS of the packet before
    int64_t  least, most;  ///< what stock sees the next packet go back from
    int64_t  ahead;        ///< of DTS, by which pts are at least
    int64_t  nb_packets;
    AVPacket *last[NB_LAST];  ///< of decoded sound, by their number modulo that
} DiscontStream;

struct Discont {
    const AVFormatContext *fc;
    DiscontStream *streams;
    int        nb_streams;
    int        copyts;
    AVRational in_rate;    ///< -r of the input
    int64_t    offset;     ///< what ffmpeg adds to all timestamps
    int64_t    jumps;      ///< beside that, for the jumps so far
    int64_t    drift;      ///< by how much stock may have moved them more or less
    int64_t    last_ts;
};

int discont_is_needed(const Plan *p)
{
    return !!(plan_video_input(p)->fc->iformat->flags & AVFMT_TS_DISCONT);
}

static void mark_streams(Discont *d, const Plan *p, const PlanStream *streams, int nb)
{
    for (int i = 0; i < nb; i++)
        if (streams[i].file == p->streams[p->fleet_stream].file && streams[i].index < d->nb_streams) {
            d->streams[streams[i].index].used     = 1;
            d->streams[streams[i].index].decoded |= !streams[i].copy;
        }
}

static void mark_used(Discont *d, const Plan *p)
{
    for (const Plan *q = p->first; q; q = q->next)
        mark_streams(d, p, q->streams, q->nb_streams);
    for (int i = 0; i < p->first->nb_sides; i++)
        mark_streams(d, p, p->first->sides[i].streams, p->first->sides[i].nb_streams);
    for (int i = 0; i < d->nb_streams; i++) {
        DiscontStream *s = &d->streams[i];
        enum AVMediaType type = s->st->codecpar->codec_type;

        s->vague    = !s->used && p->first->complex.sound && type == AVMEDIA_TYPE_AUDIO;
        s->used    |= s->vague;
        s->decoded &= type == AVMEDIA_TYPE_AUDIO;
        if (s->used)
            d->fc->streams[i]->discard = AVDISCARD_NONE;
    }
}

int discont_alloc(Discont **out, const Plan *p)
{
    Discont *d = *out = av_mallocz(sizeof(*d));

    if (!d)
        return AVERROR(ENOMEM);
    d->fc      = plan_video_input(p)->fc;
    d->streams = av_calloc(d->fc->nb_streams, sizeof(*d->streams));
    if (!d->streams)
        return AVERROR(ENOMEM);
    d->nb_streams = d->fc->nb_streams;
    d->copyts     = p->copyts;
    d->in_rate    = p->in_rate;
    d->offset     = p->ts_offset;
    d->last_ts    = AV_NOPTS_VALUE;
    for (int i = 0; i < d->nb_streams; i++) {
        d->streams[i].st       = d->fc->streams[i];
        d->streams[i].next_dts = AV_NOPTS_VALUE;
        d->streams[i].ahead    = INT64_MAX;
    }
    mark_used(d, p);
    return 0;
}

void discont_free(Discont **dp)
{
    Discont *d = *dp;

    if (!d)
        return;
    for (int i = 0; i < d->nb_streams; i++)
        for (int k = 0; k < NB_LAST; k++)
            av_packet_free(&d->streams[i].last[k]);
    av_freep(&d->streams);
    av_freep(dp);
}

static int64_t to_us(int64_t ts, const AVStream *st)
{
    return av_rescale_q(ts, st->time_base, AV_TIME_BASE_Q);
}

static void move(AVPacket *pkt, int64_t by)
{
    if (pkt->pts != AV_NOPTS_VALUE)
        pkt->pts += by;
    if (pkt->dts != AV_NOPTS_VALUE)
        pkt->dts += by;
}

/** What is farther from the start than half of the clock's range stock takes for being before it, at first. */
static int is_wrapped(const Discont *d, DiscontStream *s, const AVPacket *pkt)
{
    int64_t end;

    if (s->wrap_done || d->fc->start_time == AV_NOPTS_VALUE || s->st->pts_wrap_bits >= 63)
        return 0;
    s->wrap_done = 1;
    end = av_rescale_q(d->fc->start_time, AV_TIME_BASE_Q, s->st->time_base) + (1LL << (s->st->pts_wrap_bits - 1));
    return (pkt->dts != AV_NOPTS_VALUE && pkt->dts > end) || (pkt->pts != AV_NOPTS_VALUE && pkt->pts > end);
}

/** How long the sound is that the decoder makes of the last packet, or an AVERROR code. */
static int64_t decode_last(const DiscontStream *s)
{
    AVFrame *frame = av_frame_alloc();
    int64_t length = 0;
    AVCodecContext *dec;
    int ret = decoder_alloc(&dec, s->st->codecpar, s->st->time_base);

    if (ret >= 0)
        ret = frame ? avcodec_open2(dec, NULL, NULL) : AVERROR(ENOMEM);
    for (int64_t i = FFMAX(s->nb_packets - NB_LAST, 0); ret >= 0 && i < s->nb_packets; i++) {
        int sent = avcodec_send_packet(dec, s->last[i % NB_LAST]);

        /* the first ones may lack what went before */
        if (sent < 0 && i == s->nb_packets - 1)
            ret = sent;
        length = 0;
        while (ret >= 0 && avcodec_receive_frame(dec, frame) >= 0) {
            length += dec->sample_rate > 0 ? (int64_t)AV_TIME_BASE * frame->nb_samples / dec->sample_rate : 0;
            if (frame->decode_error_flags)
                ret = AVERROR_INVALIDDATA;
            av_frame_unref(frame);
        }
    }
    avcodec_free_context(&dec);
    av_frame_free(&frame);
    return ret < 0 ? ret : length > 0 ? length : AVERROR_INVALIDDATA;
}

/** Where the last packet of decoded sound ends, for 5.1, which goes by what was decoded. */
static int settle_sound(DiscontStream *s)
{
    int64_t length;

    if (s->known || !s->timed || !s->decoded)
        return 0;
    length = decode_last(s);
    if (length < 0)
        return length == AVERROR(ENOMEM) ? length : AVERROR_PATCHWELCOME;
    s->next_dts = s->least = s->most = s->least + length;
    s->known = 1;
    return 0;
}

static int goes_far(const DiscontStream *s, int64_t dts)
{
    return FFABS(dts - s->next_dts) > DELTA_THRESHOLD;
}

/**
 * @param by gets what the timestamps are too large by, if it jumps
 * @return as discont_apply()
 */
static int find_jump(Discont *d, DiscontStream *s, int64_t dts, int64_t *by)
{
    int ret;

    if (s->next_dts == AV_NOPTS_VALUE) {
        *by = d->last_ts == AV_NOPTS_VALUE ? 0 : dts - d->last_ts;
        return FFABS(*by) > DELTA_THRESHOLD;
    }
    if (!goes_far(s, dts) && dts + BACK_THRESHOLD >= s->most)
        return 0;
    ret = settle_sound(s);
    if (ret < 0)
        return ret;
    *by = dts - s->next_dts;
    if (goes_far(s, dts) || dts + BACK_THRESHOLD < s->least)
        return s->known ? 1 : AVERROR_PATCHWELCOME;
    if (dts + BACK_THRESHOLD < s->most && !d->copyts)
        d->drift += FFABS(*by);
    return 0;
}

static int64_t frame_length(const AVCodecParameters *par)
{
    return par->sample_rate > 0 ? (int64_t)AV_TIME_BASE * par->frame_size / par->sample_rate : 0;
}

/** What stock expects behind a packet of sound. */
static int expect_sound(DiscontStream *s, const AVPacket *pkt)
{
    const AVCodecParameters *par = s->st->codecpar;
    int64_t length = par->sample_rate > 0 ? frame_length(par) : to_us(pkt->duration, s->st);
    AVPacket **last;

    s->known = COMPAT_TIMING_7 || !s->decoded;
    if (!s->known) {
        length  = FFMAX(length, to_us(pkt->duration, s->st));
        s->most = s->least + length + SOUND_SLACK;
        last = &s->last[s->nb_packets % NB_LAST];
        av_packet_free(last);
        *last = av_packet_clone(pkt);
        if (!*last)
            return AVERROR(ENOMEM);
    }
    s->next_dts = s->least + length;
    return 0;
}

/**
 * Whether the decoder is sure to make no frame before a keyframe: MPEG-2's waits for one, H.264's
 * does not always.
 */
static int is_silent(const DiscontStream *s)
{
    enum AVCodecID id = s->st->codecpar->codec_id;

    return !s->begun && (id == AV_CODEC_ID_MPEG1VIDEO || id == AV_CODEC_ID_MPEG2VIDEO);
}

/**
 * Likewise of video. 5.1 also looks at how far the decoder has come, which is 0 until there is a
 * frame. Where pts are all ahead, frames are, too.
 */
static void expect_video(const Discont *d, DiscontStream *s, const AVPacket *pkt)
{
    int64_t length = to_us(pkt->duration, s->st), ahead = 0;

    s->begun |= pkt->flags & AV_PKT_FLAG_KEY;
    if (pkt->pts != AV_NOPTS_VALUE && pkt->dts != AV_NOPTS_VALUE)
        s->ahead = FFMIN(s->ahead, to_us(pkt->pts - pkt->dts, s->st));
    if (s->nb_packets >= NB_SETTLED && s->ahead != INT64_MAX)
        ahead = FFMAX(s->ahead, 0);
    s->known    = pkt->duration > 0 && !d->in_rate.num;
    s->next_dts = s->least + length;
    if (!COMPAT_TIMING_7)
        s->most = FFMAX(is_silent(s) ? s->least : s->least + length + ahead, 0);
}

static int expect_next(const Discont *d, DiscontStream *s, const AVPacket *pkt)
{
    int ret = 0, first = s->next_dts == AV_NOPTS_VALUE;

    s->least = s->most = pkt->dts != AV_NOPTS_VALUE ? to_us(pkt->dts, s->st) : first ? 0 : s->next_dts;
    if (s->st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
        ret = expect_sound(s, pkt);
    else
        expect_video(d, s, pkt);
    s->timed  = pkt->dts != AV_NOPTS_VALUE;
    s->known &= s->timed;
    s->nb_packets++;
    return ret;
}

/** Add ffmpeg's offset. @return whether it is known to the tick */
static int add_offset(const Discont *d, AVPacket *pkt, AVRational tb)
{
    int64_t fixed = COMPAT_TIMING_7 ? d->offset : 0, moving = d->offset + d->jumps - fixed;

    move(pkt, av_rescale_q(fixed, AV_TIME_BASE_Q, tb) + av_rescale_q(moving, AV_TIME_BASE_Q, tb));
    return av_rescale_q(moving - d->drift, AV_TIME_BASE_Q, tb) ==
           av_rescale_q(moving + d->drift, AV_TIME_BASE_Q, tb);
}

int discont_apply(Discont *d, AVPacket *pkt)
{
    DiscontStream *s;
    enum AVMediaType type;
    int64_t by;
    int ret = 0;

    /* streams that appear later stock does not read */
    if (pkt->stream_index >= d->nb_streams)
        return 0;
    s = &d->streams[pkt->stream_index];
    if (!s->used)
        return 0;
    type = s->st->codecpar->codec_type;
    if (is_wrapped(d, s, pkt) || !add_offset(d, pkt, s->st->time_base))
        return AVERROR_PATCHWELCOME;
    if (type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_AUDIO) {
        if (pkt->dts != AV_NOPTS_VALUE)
            ret = find_jump(d, s, to_us(pkt->dts, s->st), &by);
        if (ret > 0 && (s->vague || d->copyts))
            ret = AVERROR_PATCHWELCOME;
        if (ret > 0) {
            d->jumps -= by;
            move(pkt, -av_rescale_q(by, AV_TIME_BASE_Q, s->st->time_base));
        }
        if (ret < 0 || expect_next(d, s, pkt) < 0)
            return ret < 0 ? ret : AVERROR(ENOMEM);
    }
    if (pkt->dts != AV_NOPTS_VALUE && !s->vague)
        d->last_ts = to_us(pkt->dts, s->st);
    return ret;
}

int64_t discont_shift(const Discont *d)
{
    return d->jumps;
}
