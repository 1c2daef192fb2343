/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/hash.h>

#include "../compat.h"
#include "../input/onepicture.h"
#include "../segment/wire.h"
#include "hostcommand.h"
#include "likeness.h"
#include "verify.h"

/** What has come of the frames that are owed. */
typedef struct Owed {
    const Segment *seg;
    int64_t *before;   ///< of each range: how many frames those in front of it have
    uint8_t *seen;     ///< of each frame
} Owed;

static int owed_alloc(Owed *o, const Segment *seg)
{
    int64_t nb = 0;

    o->seg    = seg;
    o->before = av_malloc_array(FFMAX(seg->nb_ranges, 1), sizeof(*o->before));
    if (!o->before)
        return AVERROR(ENOMEM);
    for (int i = 0; i < seg->nb_ranges; i++) {
        o->before[i] = nb;
        nb += seg->ranges[i].count;
    }
    o->seen = av_mallocz(FFMAX(nb, 1));
    return o->seen ? 0 : AVERROR(ENOMEM);
}

static void owed_free(Owed *o)
{
    av_freep(&o->before);
    av_freep(&o->seen);
}

/** @return whether the frame of that slot is owed, and had not come yet */
static int owed_take(Owed *o, int64_t slot)
{
    int from = 0, to = o->seg->nb_ranges;   /* it is in one of these */
    const SlotRange *r;
    int64_t i;

    while (to - from > 1) {
        int middle = (from + to) / 2;

        if (o->seg->ranges[middle].first <= slot)
            from = middle;
        else
            to = middle;
    }
    r = &o->seg->ranges[from];
    if (from == to || slot < r->first || slot - r->first >= r->count)
        return 0;
    i = o->before[from] + slot - r->first;
    return !o->seen[i] && (o->seen[i] = 1);
}

/** Whether all bytes are as they left the encoder. */
static int verify_hash(struct AVHashContext *ctx, const char *hash, char *why, size_t why_size)
{
    uint8_t text[HOSTCOMMAND_HASH_LEN + 1];

    av_hash_final_hex(ctx, text, sizeof(text));
    if (!hash || !strcmp((const char *)text, hash))
        return 0;
    snprintf(why, why_size, "the result is damaged: its checksum is wrong");
    return AVERROR_INVALIDDATA;
}

/** Whether its decoder can judge, as it needs nothing that NUT does not carry. */
static int has_judge(const Plan *plan, enum AVCodecID id)
{
    static const enum AVCodecID complete[] = {
        AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1, AV_CODEC_ID_VP8, AV_CODEC_ID_VP9, AV_CODEC_ID_MPEG1VIDEO,
        AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4, AV_CODEC_ID_MJPEG, AV_CODEC_ID_PRORES, AV_CODEC_ID_DNXHD,
        AV_CODEC_ID_FFV1, AV_CODEC_ID_PNG, AV_CODEC_ID_THEORA,
    };

    /* what the user's bitstream filters make need not be decodable */
    for (size_t i = 0; !plan->bsf && i < FF_ARRAY_ELEMS(complete); i++)
        if (complete[i] == id)
            return 1;
    return 0;
}

/**
 * Whether the first packet holds a whole picture of the size that the header tells, and what it
 * shows: one a segment costs next to nothing.
 */
static int verify_picture(const Plan *plan, const Segment *seg, const AVCodecParameters *par, const AVPacket *pkt,
                          int compare, char *why, size_t why_size)
{
    AVFrame *frame = av_frame_alloc();
    int ret = frame ? AVERROR_DECODER_NOT_FOUND : AVERROR(ENOMEM);

    if (frame && has_judge(plan, par->codec_id))
        ret = onepicture_decode(frame, par, pkt);
    if (ret == AVERROR_DECODER_NOT_FOUND) {
        ret = 0;
    } else if (ret == AVERROR_INVALIDDATA || (ret >= 0 && (frame->width != par->width || frame->height != par->height))) {
        snprintf(why, why_size, "the first picture of the result cannot be decoded");
        ret = AVERROR_INVALIDDATA;
    } else if (ret >= 0 && compare && !(ret = likeness_check(plan, seg, frame))) {
        snprintf(why, why_size, "the result shows something else than the input");
        ret = AVERROR_INVALIDDATA;
    }
    av_frame_free(&frame);
    return ret;
}

/** The slot of a packet; INT64_MIN: none. */
static int64_t find_slot(const AVPacket *pkt, AVRational tb, const Plan *plan)
{
    /* of times that are too large it makes INT64_MIN */
    int64_t slot = pkt->pts == AV_NOPTS_VALUE ? -1 : av_rescale_q(pkt->pts, tb, av_inv_q(plan->frame_rate));

    return slot < 0 ? INT64_MIN : slot - segment_wire_base(plan);
}

/** Each owed slot once, the first packet a keyframe. */
static int verify_packets(WireReader *r, const Segment *seg, const Plan *plan,
                          const char *hash, int compare, ParamSets *params, char *why, size_t why_size)
{
    struct AVHashContext *ctx = NULL;
    const AVStream *st = wire_reader_stream(r);
    AVPacket *pkt = av_packet_alloc();
    Owed owed = { 0 };
    int64_t n = 0;
    int ret = pkt ? owed_alloc(&owed, seg) : AVERROR(ENOMEM);

    if (ret >= 0)
        ret = av_hash_alloc(&ctx, HOSTCOMMAND_HASH);
    if (ret >= 0)
        av_hash_init(ctx);
    while (ret >= 0 && (ret = wire_read(r, pkt)) >= 0) {
        int64_t slot = find_slot(pkt, st->time_base, plan);

        if (!owed_take(&owed, slot) || !pkt->size ||
            (!n && (slot != seg->first_slot || !(pkt->flags & AV_PKT_FLAG_KEY)))) {
            snprintf(why, why_size, "packet %"PRId64" of the result is not what was asked for", n);
            ret = AVERROR_INVALIDDATA;
        } else {
            if (hash)
                av_hash_update(ctx, pkt->data, pkt->size);
            if (!n && !params->size)
                ret = paramsets_parse_packet(params, st->codecpar->codec_id, pkt);
            if (!n++ && ret >= 0)
                ret = verify_picture(plan, seg, st->codecpar, pkt, compare, why, why_size);
        }
        av_packet_unref(pkt);
    }
    if (ret == AVERROR_EOF)
        ret = 0;
    else if (ret < 0 && !why[0])
        snprintf(why, why_size, "the result cannot be read: %s", av_err2str(ret));
    if (ret >= 0 && n != seg->nb_frames) {
        snprintf(why, why_size, "the result has %"PRId64" frames instead of %"PRId64, n,
                 seg->nb_frames);
        ret = AVERROR_INVALIDDATA;
    }
    if (ret >= 0)
        ret = verify_hash(ctx, hash, why, why_size);
    av_hash_freep(&ctx);
    av_packet_free(&pkt);
    owed_free(&owed);
    return ret;
}

int verify_result(Blob *result, const Plan *plan, const Segment *seg, const char *hash, int compare,
                  ParamSets *params, char *why, size_t why_size)
{
    const AVCodec *encoder = plan->streams[plan->fleet_stream].encoder;
    const AVCodecParameters *par;
    WireReader *r = NULL;
    int ret;

    memset(params, 0, sizeof(*params));
    why[0] = 0;
    ret = wire_reader_open(&r, result, plan->number, plan_count(plan));
    if (ret < 0) {
        snprintf(why, why_size, "the result is not a NUT stream: %s", av_err2str(ret));
        goto end;
    }
    par = wire_reader_stream(r)->codecpar;
    if (par->codec_id != encoder->id) {
        snprintf(why, why_size, "the result is another codec");
        ret = AVERROR_INVALIDDATA;
        goto end;
    }
    ret = paramsets_parse(params, par);
    if (ret < 0)
        snprintf(why, why_size, "the result's headers cannot be read");
    else
        ret = verify_packets(r, seg, plan, hash, compare, params, why, why_size);
    params->width  = par->width;
    params->height = par->height;
end:
    wire_reader_close(&r);
    return ret < 0 && ret != AVERROR(ENOMEM) ? AVERROR_INVALIDDATA : ret;
}
