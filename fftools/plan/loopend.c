/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/mathematics.h>

#include "../compat.h"
#include "../input/decoder.h"
#include "loopend.h"

/* As many packets as a decoder may need to make its last frame as ever. */
#define NB_LAST 16

typedef struct LoopStream {
    const AVStream *st;
    int       used, decoded;  ///< decoded: it is sound, and not copied
    int64_t   min, max, end;  ///< of the first time: pts, and where packets end; max < min: none
    AVPacket *last[NB_LAST];  ///< by their number modulo that
    int64_t   nb_packets;
    int64_t   sound_end;      ///< of the decoded sound, in samples
    int       nb_samples;     ///< of its last frame
} LoopStream;

struct LoopEnd {
    LoopStream *streams;
    int         nb_streams;
    int64_t     ts_offset;
    int         have_sound;   ///< one is decoded
    int         nb_read;      ///< times that the input was read
    int64_t     max, min, shift;
    AVRational  max_tb, min_tb, shift_tb;
};

int loopend_knows(const Plan *p, const PlanStream *sound)
{
    const PlanInput *in = &p->inputs[sound->file];
    const AVStream *st  = in->fc->streams[sound->index];

    /* stock reads the video along with the sound, which has to end by itself, see remainderargs.c */
    if (sound->type != AVMEDIA_TYPE_AUDIO || p->complex.sound || in->loop < 0)
        return 0;
    /* 7.1 counts samples, where others' rounded times would have to be followed from the start */
    return sound->copy || !COMPAT_TIMING_7 ||
           !av_cmp_q(st->time_base, av_make_q(1, FFMAX(st->codecpar->sample_rate, 1)));
}

int loopend_alloc(LoopEnd **out, const Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    LoopEnd *l = *out = av_mallocz(sizeof(*l));

    if (!l)
        return AVERROR(ENOMEM);
    l->streams = av_calloc(in->fc->nb_streams, sizeof(*l->streams));
    if (!l->streams)
        return AVERROR(ENOMEM);
    l->nb_streams = in->fc->nb_streams;
    l->ts_offset  = p->ts_offset;
    l->shift_tb   = AV_TIME_BASE_Q;
    for (int i = 0; i < l->nb_streams; i++) {
        l->streams[i].st  = in->fc->streams[i];
        l->streams[i].min = INT64_MAX;
        l->streams[i].max = l->streams[i].end = INT64_MIN;
    }
    for (; p; p = p->next)
        for (int i = 0; i < p->nb_streams; i++) {
            const PlanStream *ps = &p->streams[i];
            LoopStream *s;

            if (&p->inputs[ps->file] != in)
                continue;
            s = &l->streams[ps->index];
            s->used        = 1;
            s->decoded    |= ps->type == AVMEDIA_TYPE_AUDIO && !ps->copy;
            l->have_sound |= s->decoded;
            in->fc->streams[ps->index]->discard = AVDISCARD_NONE;
        }
    return 0;
}

void loopend_free(LoopEnd **lp)
{
    LoopEnd *l = *lp;

    if (!l)
        return;
    for (int i = 0; i < l->nb_streams; i++)
        for (int k = 0; k < NB_LAST; k++)
            av_packet_free(&l->streams[i].last[k]);
    av_freep(&l->streams);
    av_freep(lp);
}

int loopend_add(LoopEnd *l, const AVPacket *pkt)
{
    LoopStream *s = pkt->stream_index < l->nb_streams ? &l->streams[pkt->stream_index] : NULL;
    AVPacket **last;
    int64_t pts;

    if (!s || !s->used || l->nb_read)
        return 0;
    if (pkt->pts != AV_NOPTS_VALUE) {
        pts    = pkt->pts + av_rescale_q(l->ts_offset, AV_TIME_BASE_Q, s->st->time_base);
        s->min = FFMIN(s->min, pts);
        s->max = FFMAX(s->max, pts);
        s->end = FFMAX(s->end, pts + pkt->duration);
    }
    if (!s->decoded)
        return 0;
    last = &s->last[s->nb_packets++ % NB_LAST];
    av_packet_free(last);
    *last = av_packet_clone(pkt);
    return *last ? 0 : AVERROR(ENOMEM);
}

static int receive_frames(LoopStream *s, AVCodecContext *dec, AVFrame *frame, int64_t offset)
{
    int ret;

    while ((ret = avcodec_receive_frame(dec, frame)) >= 0) {
        int64_t pts = frame->pts == AV_NOPTS_VALUE ? s->sound_end : frame->pts + offset;

        s->nb_samples = frame->nb_samples;
        s->sound_end  = pts + frame->nb_samples;
        av_frame_unref(frame);
    }
    return ret == AVERROR(EAGAIN) || ret == AVERROR_EOF ? 0 : ret;
}

/** What the decoder makes of the last packets. */
static int decode_last(LoopEnd *l, LoopStream *s)
{
    int64_t offset = av_rescale_q(l->ts_offset, AV_TIME_BASE_Q, s->st->time_base);
    AVFrame *frame = av_frame_alloc();
    AVCodecContext *dec;
    int ret = decoder_alloc(&dec, s->st->codecpar, s->st->time_base);

    if (ret >= 0)
        ret = frame ? avcodec_open2(dec, NULL, NULL) : AVERROR(ENOMEM);
    for (int64_t i = FFMAX(s->nb_packets - NB_LAST, 0); ret >= 0 && i < s->nb_packets; i++) {
        /* the first ones may lack what went before */
        avcodec_send_packet(dec, s->last[i % NB_LAST]);
        receive_frames(s, dec, frame, offset);
    }
    if (ret >= 0) {
        avcodec_send_packet(dec, NULL);
        ret = receive_frames(s, dec, frame, offset);
    }
    avcodec_free_context(&dec);
    av_frame_free(&frame);
    return ret >= 0 && !s->nb_samples ? AVERROR(EINVAL) : ret;
}

#if COMPAT_TIMING_7
static void raise_max(LoopEnd *l, int64_t ts, AVRational tb)
{
    if (l->max_tb.num && av_compare_ts(l->max, l->max_tb, ts, tb) >= 0)
        return;
    l->max    = ts;
    l->max_tb = tb;
}

static int find_shift(LoopEnd *l)
{
    for (int i = 0; i < l->nb_streams; i++) {
        LoopStream *s = &l->streams[i];
        AVRational tb = s->st->time_base;

        if (!s->used || s->max < s->min)
            continue;
        raise_max(l, (l->have_sound ? s->max : s->end) + loopend_shift(l, tb), tb);
        if (!l->min_tb.num || av_compare_ts(l->min, l->min_tb, s->min, tb) > 0) {
            l->min    = s->min;
            l->min_tb = tb;
        }
    }
    for (int i = 0; i < l->nb_streams; i++)
        if (l->streams[i].decoded)
            raise_max(l, l->streams[i].sound_end + loopend_shift(l, l->streams[i].st->time_base),
                      l->streams[i].st->time_base);
    if (!l->max_tb.num)
        return AVERROR(EINVAL);
    l->shift    = l->max - av_rescale_q(l->min, l->min_tb, l->max_tb);
    l->shift_tb = l->max_tb;
    return 0;
}
#else
static int find_shift(LoopEnd *l)
{
    int64_t longest = l->shift;
    AVRational longest_tb = l->shift_tb;

    for (int i = 0; i < l->nb_streams; i++) {
        LoopStream *s   = &l->streams[i];
        AVRational tb   = s->st->time_base, rate = s->st->avg_frame_rate;
        int64_t length  = rate.num ? av_rescale_q(1, av_inv_q(rate), tb) : 1;

        if (l->have_sound && !s->decoded)
            continue;
        if (s->decoded)
            length = av_rescale_q(s->nb_samples, av_make_q(1, s->st->codecpar->sample_rate), tb);
        if (s->used && s->max >= s->min && s->max + loopend_shift(l, tb) > s->min)
            length += s->max + loopend_shift(l, tb) - s->min;
        if (!longest || av_compare_ts(longest, longest_tb, length, tb) < 0) {
            longest    = length;
            longest_tb = tb;
        }
    }
    l->shift    = longest;
    l->shift_tb = longest_tb;
    return 0;
}
#endif

int loopend_next(LoopEnd *l)
{
    int ret = 0;

    for (int i = 0; !l->nb_read && ret >= 0 && i < l->nb_streams; i++)
        if (l->streams[i].decoded)
            ret = decode_last(l, &l->streams[i]);
    l->nb_read++;
    if (ret >= 0)
        ret = find_shift(l);
    return ret >= 0 && l->shift <= 0 ? AVERROR(EINVAL) : ret;
}

int64_t loopend_shift(const LoopEnd *l, AVRational time_base)
{
    return av_rescale_q(l->shift, l->shift_tb, time_base);
}
