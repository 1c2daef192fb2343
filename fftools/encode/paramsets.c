/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mem.h>

#include "../segment/nalunits.h"
#include "paramsets.h"

static const uint8_t x264_uuid[16] = {
    0xdc, 0x45, 0xe9, 0xbd, 0xe6, 0xd9, 0x48, 0xb7, 0x96, 0x2c, 0xd8, 0x20, 0xd9, 0x23, 0xee, 0xef
};
static const uint8_t x265_uuid[16] = {
    0x2c, 0xa2, 0xde, 0x09, 0xb5, 0x17, 0x47, 0xdb, 0xbb, 0x55, 0xa4, 0xfe, 0x7f, 0xc2, 0xfc, 0x4e
};

static int nal_type(enum AVCodecID id, uint8_t first)
{
    return id == AV_CODEC_ID_H264 ? first & 0x1f : (first >> 1) & 0x3f;
}

static int is_param_set(enum AVCodecID id, uint8_t first)
{
    int type = nal_type(id, first);

    return id == AV_CODEC_ID_H264 ? type == 7 || type == 8 || type == 13 : type >= 32 && type <= 34;
}

/** @return where the text behind the UUID begins; 0: it is no signature */
static size_t find_signature(enum AVCodecID id, const uint8_t *nal, size_t size)
{
    const uint8_t *uuid = id == AV_CODEC_ID_H264 ? x264_uuid : x265_uuid;
    size_t pos = id == AV_CODEC_ID_H264 ? 1 : 2;
    int type = nal_type(id, nal[0]);

    if (id == AV_CODEC_ID_H264 ? type != 6 : type != 39)
        return 0;
    if (size < pos + 1 || nal[pos++] != 5)
        return 0;
    while (pos < size && nal[pos] == 0xff)
        pos++;
    pos++;
    return pos + 16 <= size && !memcmp(nal + pos, uuid, 16) ? pos + 16 : 0;
}

/**
 * "x265 (build 199) - 3.5+1-f0c1022b6:[Linux]...": what it was built with does not matter. Another x265 makes other
 * frames, and its signature is part of the headers that stock writes.
 */
static void note_version(ParamSets *ps, const uint8_t *nal, size_t size)
{
    size_t pos = ps->codec_id == AV_CODEC_ID_HEVC ? find_signature(ps->codec_id, nal, size) : 0, n = 0;

    if (!pos)
        return;
    while (n + 1 < sizeof(ps->version) && pos + n < size && nal[pos + n] != '[' && nal[pos + n]) {
        ps->version[n] = nal[pos + n];
        n++;
    }
    ps->version[n] = 0;
}

static int add_nal(ParamSets *ps, const uint8_t *nal, size_t size)
{
    uint8_t *data;

    if (size)
        note_version(ps, nal, size);
    if (!size || !is_param_set(ps->codec_id, nal[0]))
        return 0;
    data = av_realloc(ps->data, ps->size + 4 + size);
    if (!data)
        return AVERROR(ENOMEM);
    ps->data = data;
    AV_WB32(data + ps->size, size);
    memcpy(data + ps->size + 4, nal, size);
    ps->size += 4 + size;
    return 0;
}

static int parse_annexb(ParamSets *ps, const uint8_t *p, const uint8_t *end)
{
    NalUnits units = { p, end, 0 };
    NalUnit nal;
    int ret = 0;

    while (ret >= 0 && nalunits_next(&units, &nal))
        ret = add_nal(ps, nal.data, nal.size);
    return ret;
}

/** count NAL units, each after a 16 bit length */
static int parse_sized(ParamSets *ps, const uint8_t **p, const uint8_t *end, int count)
{
    while (count--) {
        size_t size;
        int ret;

        if (end - *p < 2)
            return AVERROR_INVALIDDATA;
        size = AV_RB16(*p);
        *p += 2;
        if ((size_t)(end - *p) < size)
            return AVERROR_INVALIDDATA;
        ret = add_nal(ps, *p, size);
        if (ret < 0)
            return ret;
        *p += size;
    }
    return 0;
}

static int parse_avcc(ParamSets *ps, const uint8_t *p, const uint8_t *end)
{
    int ret;

    if (end - p < 7)
        return AVERROR_INVALIDDATA;
    p += 6;
    ret = parse_sized(ps, &p, end, p[-1] & 0x1f);
    if (ret >= 0 && p < end) {
        p++;
        ret = parse_sized(ps, &p, end, p[-1]);
    }
    return ret;
}

static int parse_hvcc(ParamSets *ps, const uint8_t *p, const uint8_t *end)
{
    int nb_arrays, ret = 0;

    if (end - p < 23)
        return AVERROR_INVALIDDATA;
    nb_arrays = p[22];
    p += 23;
    while (ret >= 0 && nb_arrays--) {
        if (end - p < 3)
            return AVERROR_INVALIDDATA;
        p += 3;
        ret = parse_sized(ps, &p, end, AV_RB16(p - 2));
    }
    return ret;
}

int paramsets_parse(ParamSets *ps, const AVCodecParameters *par)
{
    const uint8_t *p = par->extradata, *end = p + par->extradata_size;
    int ret;

    memset(ps, 0, sizeof(*ps));
    ps->codec_id = par->codec_id;
    ps->width    = par->width;
    ps->height   = par->height;
    if (par->extradata_size <= 0)
        return 0;
    if (par->codec_id != AV_CODEC_ID_H264 && par->codec_id != AV_CODEC_ID_HEVC) {
        ps->data = av_memdup(p, par->extradata_size);
        ps->size = par->extradata_size;
        return ps->data ? 0 : AVERROR(ENOMEM);
    }
    if (p[0] != 1)
        ret = parse_annexb(ps, p, end);
    else if (par->codec_id == AV_CODEC_ID_H264)
        ret = parse_avcc(ps, p, end);
    else
        ret = parse_hvcc(ps, p, end);
    if (ret < 0)
        paramsets_free(ps);
    return ret;
}

int paramsets_parse_packet(ParamSets *ps, enum AVCodecID id, const AVPacket *pkt)
{
    int ret = 0;

    memset(ps, 0, sizeof(*ps));
    ps->codec_id = id;
    if (id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC)
        ret = parse_annexb(ps, pkt->data, pkt->data + pkt->size);
    if (ret < 0)
        paramsets_free(ps);
    return ret;
}

int paramsets_equal(const ParamSets *a, const ParamSets *b)
{
    return a->codec_id == b->codec_id && a->size == b->size &&
           (!a->version[0] || !b->version[0] || !strcmp(a->version, b->version)) &&
           (!a->size || !memcmp(a->data, b->data, a->size));
}

void paramsets_free(ParamSets *ps)
{
    av_freep(&ps->data);
    ps->size = 0;
}

int paramsets_strip_signature(enum AVCodecID id, AVPacket *pkt)
{
    NalUnits units = { pkt->data, pkt->data + pkt->size, 0 };
    NalUnit nal;

    if (id != AV_CODEC_ID_H264 && id != AV_CODEC_ID_HEVC)
        return 0;
    while (nalunits_next(&units, &nal)) {
        size_t head = nal.start - pkt->data, tail = units.end - units.p;
        int ret;

        if (!nal.size || !find_signature(id, nal.data, nal.size))
            continue;
        ret = av_packet_make_writable(pkt);
        if (ret < 0)
            return ret;
        memmove(pkt->data + head, pkt->data + pkt->size - tail, tail);
        av_shrink_packet(pkt, head + tail);
        return 0;
    }
    return 0;
}
