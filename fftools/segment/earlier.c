/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/intreadwrite.h>

#include "earlier.h"
#include "nalunits.h"

static int is_container_s(const AVCodecParameters *par, const uint8_t *header, size_t size)
{
    return par->extradata_size > 0 && memmem(par->extradata, par->extradata_size, header, size);
}

int earlier_length_size(const AVCodecParameters *par)
{
    const uint8_t *p = par->extradata;

    if (par->codec_id == AV_CODEC_ID_H264 && par->extradata_size > 6 && p[0] == 1)
        return (p[4] & 3) + 1;
    /* hvcC of drafts begins with 0 */
    if (par->codec_id == AV_CODEC_ID_HEVC && par->extradata_size > 22 && (p[0] || p[1] || p[2] > 1))
        return (p[21] & 3) + 1;
    return 0;
}

/** Which header a unit is, as a bit; 0: none; -1: a picture, behind which none follows. */
static int unit_kind(enum AVCodecID id, uint8_t first)
{
    int type = id == AV_CODEC_ID_H264 ? first & 0x1f : first >> 1 & 0x3f;

    if (id == AV_CODEC_ID_H264)
        return type == 7 ? 1 : type == 8 ? 2 : type && type <= 5 ? -1 : 0;
    return type == 33 ? 1 : type == 34 ? 2 : type < 32 ? -1 : 0;
}

static int lacks_sets(Earlier *e, const AVCodecParameters *par, const AVPacket *pkt)
{
    NalUnits units = { pkt->data, pkt->data + pkt->size, earlier_length_size(par) };
    NalUnit nal;
    int kind = 0, found = 0;

    while (kind >= 0 && nalunits_next(&units, &nal)) {
        kind = nal.size ? unit_kind(par->codec_id, nal.data[0]) : 0;
        if (kind > 0) {
            found      |= kind;
            e->changed |= !is_container_s(par, nal.data, nal.size);
        }
    }
    return e->changed && found != 3;
}

/** MPEG-1, -2 and -4: what is behind a start code. */
static int lacks_header(Earlier *e, const AVCodecParameters *par, const AVPacket *pkt)
{
    const int mpeg4 = par->codec_id == AV_CODEC_ID_MPEG4;
    NalUnits units  = { pkt->data, pkt->data + pkt->size, 0 };
    NalUnit unit;
    int found = 0;

    /* up to the picture, of which the code is 0 or 0xb6 */
    while (nalunits_next(&units, &unit) && unit.size && unit.data[0] != (mpeg4 ? 0xb6 : 0)) {
        const int code = unit.data[0];

        if (mpeg4 ? code >= 0x20 && code <= 0x2f : code == 0xb3 || code == 0xb5) {
            found      |= code != 0xb5;
            e->changed |= !is_container_s(par, unit.data, unit.size);
        }
    }
    return e->changed && !found;
}

/** The tables of a DQT or DHT segment, as bits. */
static int find_tables(const uint8_t *p, const uint8_t *end, int huffman)
{
    int found = 0;

    while (p < end) {
        int size = 1 + (*p >> 4 ? 128 : 64);

        found |= 1 << ((huffman ? *p >> 2 & 4 : 0) | (*p & 3));
        if (huffman) {
            size = 17;
            for (int i = 1; i <= 16 && end - p > 16; i++)
                size += p[i];
        }
        if (end - p < size)
            break;
        p += size;
    }
    return found;
}

/** Huffman tables that nobody has brought are the usual ones. */
static int lacks_tables(Earlier *e, const AVPacket *pkt)
{
    const uint8_t *p = pkt->data, *end = p + pkt->size;
    int quant = 0, huffman = 0, need_quant = 0, need_huffman = 0;

    if (pkt->size < 4 || AV_RB16(p) != 0xffd8)
        return 0;
    for (p += 2; end - p >= 4 && p[0] == 0xff; ) {
        const int marker = p[1], size = AV_RB16(p + 2);
        const uint8_t *s = p + 4, *next = p + 2 + size;

        if (marker == 0xff) {
            p++;
            continue;
        }
        if (size < 2 || end - p < 2 + size)
            return 0;
        if (marker == 0xdb)
            quant |= find_tables(s, next, 0);
        if (marker == 0xc4)
            huffman |= find_tables(s, next, 1);
        if (marker >= 0xc0 && marker <= 0xc2 && size >= 8)
            for (int i = 0; i < s[5] && 6 + 3 * i + 2 < size - 2; i++)
                need_quant |= 1 << (s[6 + 3 * i + 2] & 3);
        if (marker == 0xda && size >= 3)
            for (int i = 0; i < s[0] && 2 + 2 * i < size - 2; i++)
                need_huffman |= 1 << (s[2 + 2 * i] >> 4 & 3) | 16 << (s[2 + 2 * i] & 3);
        if (marker == 0xda)
            break;
        p = next;
    }
    e->tables |= huffman;
    return need_quant & ~quant || need_huffman & ~huffman & e->tables;
}

/** Where containers do not tell which ones they are, all frames count as keyframes: of these codecs, the decoder does not tell, either. */
static int are_all_keys(Earlier *e, enum AVCodecID id, const AVPacket *pkt)
{
    static const enum AVCodecID silent[] = {
        AV_CODEC_ID_RPZA, AV_CODEC_ID_CINEPAK, AV_CODEC_ID_MSVIDEO1, AV_CODEC_ID_MSRLE, AV_CODEC_ID_SMC,
        AV_CODEC_ID_TSCC, AV_CODEC_ID_INDEO2, AV_CODEC_ID_INDEO3, AV_CODEC_ID_INDEO4, AV_CODEC_ID_INDEO5,
        AV_CODEC_ID_AASC, AV_CODEC_ID_ULTI, AV_CODEC_ID_TRUEMOTION1,
    };

    e->keys = pkt->flags & AV_PKT_FLAG_KEY ? e->keys + 1 : 0;
    for (size_t i = 0; e->keys > 1 && i < sizeof(silent) / sizeof(*silent); i++)
        if (silent[i] == id)
            return 1;
    return 0;
}

int earlier_is_needed(Earlier *e, const AVCodecParameters *par, const AVPacket *pkt)
{
    const int key = pkt->flags & AV_PKT_FLAG_KEY;

    switch (par->codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
        return lacks_sets(e, par, pkt) && key;
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
        return lacks_header(e, par, pkt) && key;
    case AV_CODEC_ID_MJPEG:
        return lacks_tables(e, pkt);
    default:
        return are_all_keys(e, par->codec_id, pkt);
    }
}
