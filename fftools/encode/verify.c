/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavutil/hash.h>

#include "../compat.h"
#include "../segment/wire.h"
#include "hostcommand.h"
#include "verify.h"

/** One byte a slot of the segment: 0 for those that have to come. */
static uint8_t *unseen_slots(const Segment *seg)
{
    uint8_t *seen = av_malloc(seg->nb_slots);

    if (!seen)
        return NULL;
    memset(seen, 1, seg->nb_slots);
    for (int i = 0; i < seg->nb_ranges; i++)
        memset(seen + seg->ranges[i].first - seg->first_slot, 0, seg->ranges[i].count);
    return seen;
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

/** Each owed slot once, the first packet a keyframe. */
static int verify_packets(WireReader *r, const Segment *seg, const Plan *plan,
                          const char *hash, ParamSets *params, char *why, size_t why_size)
{
    struct AVHashContext *ctx = NULL;
    const AVStream *st = wire_reader_stream(r);
    uint8_t *seen = unseen_slots(seg);
    AVPacket *pkt = av_packet_alloc();
    int64_t n = 0;
    int ret = seen && pkt ? av_hash_alloc(&ctx, HOSTCOMMAND_HASH) : AVERROR(ENOMEM);

    if (ret >= 0)
        av_hash_init(ctx);
    while (ret >= 0 && (ret = wire_read(r, pkt)) >= 0) {
        int64_t slot = pkt->pts == AV_NOPTS_VALUE ? -1 :
                       av_rescale_q(pkt->pts, st->time_base, av_inv_q(plan->frame_rate)) -
                       segment_wire_base(plan) - seg->first_slot;

        if (slot < 0 || slot >= seg->nb_slots || seen[slot] || !pkt->size ||
            (!n && (slot || !(pkt->flags & AV_PKT_FLAG_KEY)))) {
            snprintf(why, why_size, "packet %"PRId64" of the result is not what was asked for", n);
            ret = AVERROR_INVALIDDATA;
        } else {
            seen[slot] = 1;
            if (hash)
                av_hash_update(ctx, pkt->data, pkt->size);
            if (!n++ && !params->size)
                ret = paramsets_parse_packet(params, st->codecpar->codec_id, pkt);
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
    av_free(seen);
    return ret;
}

int verify_result(Blob *result, const Plan *plan, const Segment *seg, const char *hash,
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
        ret = verify_packets(r, seg, plan, hash, params, why, why_size);
    params->width  = par->width;
    params->height = par->height;
end:
    wire_reader_close(&r);
    return ret < 0 && ret != AVERROR(ENOMEM) ? AVERROR_INVALIDDATA : ret;
}
