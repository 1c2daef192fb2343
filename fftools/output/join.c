/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "../compat.h"
#include "../segment/wire.h"
#include "join.h"
#include "pictureclock.h"

/* Frames that an encoder may hold back; it says so itself. */
#define MAX_DELAY 128

struct Join {
    const Plan *plan;
    WireReader *reader;          ///< of the current segment; NULL: none
    AVCodecParameters *params;
    int     start_slots;         ///< slots from the first DTS to the first pts, as the trial tells; -1: it does not
    int     delay;               ///< frames between a packet's place in decoding and in presentation order
    int64_t start_delay;         ///< slots from the first DTS to the first pts
    int64_t nb_packets;          ///< joined so far
    int64_t slots[MAX_DELAY + 1];///< the last of them in presentation order, by nb_packets modulo their number
    SlotRange *ranges;           ///< of the current segment
    int     nb_ranges, range;
    int64_t in_range;            ///< slots of ranges[range] used up
    int     first_of_segment;
    int     nb_segments;
};

int join_alloc(Join **out, const Trial *t)
{
    Join *j = av_mallocz(sizeof(*j));

    *out = j;
    if (!j)
        return AVERROR(ENOMEM);
    j->plan   = t->plan;
    j->delay  = t->reorder_delay;
    j->start_slots = t->reorder_slots;
    j->params = avcodec_parameters_alloc();
    return j->params ? 0 : AVERROR(ENOMEM);
}

void join_free(Join **jp)
{
    Join *j = *jp;

    if (!j)
        return;
    wire_reader_close(&j->reader);
    avcodec_parameters_free(&j->params);
    av_freep(&j->ranges);
    av_freep(jp);
}

const AVCodecParameters *join_params(const Join *j)
{
    return j->params;
}

/** The slot of the n-th frame of a segment; past its end as if it went on. */
static int64_t slot_of(const Segment *seg, int64_t n)
{
    for (int i = 0; i < seg->nb_ranges; i++) {
        if (n < seg->ranges[i].count)
            return seg->ranges[i].first + n;
        n -= seg->ranges[i].count;
    }
    return seg->first_slot + seg->nb_slots + n;
}

static int64_t next_slot(Join *j)
{
    int64_t slot;

    if (j->range == j->nb_ranges)
        return AV_NOPTS_VALUE;
    slot = j->ranges[j->range].first + j->in_range++;
    if (j->in_range == j->ranges[j->range].count) {
        j->range++;
        j->in_range = 0;
    }
    return slot;
}

/** The n-th packet's DTS is the n-th smallest pts, delayed; so x264 makes it (encoder.c), and others in effect. */
static int64_t next_dts(Join *j)
{
    int64_t n = j->nb_packets++, slot = next_slot(j);

    if (slot == AV_NOPTS_VALUE)
        return AV_NOPTS_VALUE;
    j->slots[n % (MAX_DELAY + 1)] = slot;
    return n < j->delay ? slot - j->start_delay : j->slots[(n - j->delay) % (MAX_DELAY + 1)];
}

static int take_ranges(Join *j, const Segment *seg)
{
    av_freep(&j->ranges);
    j->ranges    = av_memdup(seg->ranges, seg->nb_ranges * sizeof(*seg->ranges));
    j->nb_ranges = j->ranges ? seg->nb_ranges : 0;
    j->range     = 0;
    j->in_range  = 0;
    return j->ranges ? 0 : AVERROR(ENOMEM);
}

/** How far the packets of the first segment are reordered; libx265's header, for one, does not tell. */
static int measure_delay(const Join *j, const Segment *seg, const Encoded *r, int *delay)
{
    WireReader *reader = NULL;
    AVPacket *pkt = av_packet_alloc();
    int told = *delay;
    int ret  = pkt ? wire_reader_open(&reader, r->packets, j->plan->number, plan_count(j->plan)) :
                     AVERROR(ENOMEM);

    for (int64_t n = 0; ret >= 0 && (ret = wire_read(reader, pkt)) >= 0; n++) {
        int64_t slot = av_rescale_q(pkt->pts, wire_reader_stream(reader)->time_base,
                                    av_inv_q(j->plan->frame_rate)) - segment_wire_base(j->plan);

        while (*delay < FFMIN(n, MAX_DELAY) && slot_of(seg, n - *delay) > slot)
            (*delay)++;
        av_packet_unref(pkt);
    }
    /* later segments may go farther, and no container asks for the delay to be exact then */
    if (*delay > told)
        *delay = FFMAX(*delay + 1, 3);
    wire_reader_close(&reader);
    av_packet_free(&pkt);
    return ret == AVERROR_EOF ? 0 : ret;
}

int join_add(Join *j, const Segment *seg, const Encoded *r)
{
    int ret = take_ranges(j, seg);

    if (ret < 0)
        return ret;
    wire_reader_close(&j->reader);
    ret = wire_reader_open(&j->reader, r->packets, j->plan->number, plan_count(j->plan));
    if (ret < 0) {
        wire_reader_close(&j->reader);
        return ret;
    }
    j->first_of_segment = 1;
    if (j->nb_segments++)
        return 0;
    ret = avcodec_parameters_copy(j->params, wire_reader_stream(j->reader)->codecpar);
    if (j->start_slots >= 0)  /* so many frames, without gaps between them */
        for (j->delay = 0; j->delay < MAX_DELAY && slot_of(seg, j->delay) - slot_of(seg, 0) < j->start_slots;)
            j->delay++;
    if (ret >= 0 && j->delay < 0) {
        j->delay = av_clip(j->params->video_delay, 0, MAX_DELAY);
        ret = measure_delay(j, seg, r, &j->delay);
    }
    j->delay = av_clip(j->delay, 0, MAX_DELAY);
    j->params->video_delay = j->delay;
    j->start_delay = slot_of(seg, j->delay) - slot_of(seg, 0);
    return ret;
}

int join_read(Join *j, AVPacket *pkt, char *reason, size_t reason_size)
{
    AVRational tb;
    int ret;

    if (!j->reader)
        return AVERROR(EAGAIN);
    tb  = wire_reader_stream(j->reader)->time_base;
    ret = wire_read(j->reader, pkt);
    if (ret == AVERROR_EOF) {
        wire_reader_close(&j->reader);
        return AVERROR(EAGAIN);
    }
    if (ret < 0)
        return ret;
    if (j->first_of_segment && j->nb_segments > 1) {
        ret = paramsets_strip_signature(j->params->codec_id, pkt);
        if (ret < 0)
            return ret;
    }
    j->first_of_segment = 0;
    ret = pictureclock_set(j->params->codec_id, pkt, j->nb_packets);
    if (ret < 0)
        return ret;
    av_packet_free_side_data(pkt);
    pkt->time_base = av_inv_q(j->plan->frame_rate);
    pkt->pts = av_rescale_q(pkt->pts, tb, pkt->time_base) - segment_wire_base(j->plan);
    pkt->dts = next_dts(j);
    if (pkt->dts == AV_NOPTS_VALUE || pkt->dts > pkt->pts) {
        snprintf(reason, reason_size, "the encoder reorders frames farther than it says");
        return AVERROR_PATCHWELCOME;
    }
    return 0;
}
