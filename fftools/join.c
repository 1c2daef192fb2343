/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "compat.h"
#include "join.h"
#include "wire.h"

struct Join {
    const Plan *plan;
    WireReader *reader;          ///< of the current segment; NULL: none
    AVCodecParameters *params;
    int     delay;
    int64_t nb_packets;          ///< joined so far
    int64_t origin;              ///< first slot of all
    int     first_of_segment;
    int     nb_segments;
};

int join_alloc(Join **out, const Plan *plan, int reorder_delay)
{
    Join *j = av_mallocz(sizeof(*j));

    *out = j;
    if (!j)
        return AVERROR(ENOMEM);
    j->plan   = plan;
    j->delay  = reorder_delay;
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
    av_freep(jp);
}

const AVCodecParameters *join_params(const Join *j)
{
    return j->params;
}

int join_add(Join *j, const Segment *seg, const Encoded *r)
{
    int ret;

    wire_reader_close(&j->reader);
    ret = wire_reader_open(&j->reader, r->packets);
    if (ret < 0) {
        wire_reader_close(&j->reader);
        return ret;
    }
    j->first_of_segment = 1;
    if (j->nb_segments++)
        return 0;
    j->origin = seg->first_slot;
    ret = avcodec_parameters_copy(j->params, wire_reader_stream(j->reader)->codecpar);
    if (j->delay < 0)
        j->delay = j->params->video_delay;
    j->params->video_delay = j->delay;
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
    av_packet_free_side_data(pkt);
    pkt->time_base = av_inv_q(j->plan->frame_rate);
    pkt->pts = av_rescale_q(pkt->pts, tb, pkt->time_base) - SEGMENT_WIRE_BASE;
    /* slots follow each other without a gap, so the n-th smallest pts is known */
    pkt->dts = j->origin + j->nb_packets++ - j->delay;
    if (pkt->dts > pkt->pts) {
        snprintf(reason, reason_size, "the encoder reorders frames farther than it says");
        return AVERROR_PATCHWELCOME;
    }
    return 0;
}
