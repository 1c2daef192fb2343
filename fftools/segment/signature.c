/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <libavutil/mem.h>

#include "earlier.h"
#include "nalunits.h"
#include "signature.h"

#define NAL_IDR   5
#define NAL_SEI   6
#define NEW_BUILD 151

/** @return the build that a message tells, -1: none */
static int find_build(const NalUnit *nal)
{
    static const char text[] = "x264 - core ";
    const uint8_t *p = memmem(nal->data, nal->size, text, strlen(text));
    char number[8] = "";

    if (!p)
        return -1;
    p += strlen(text);
    memcpy(number, p, FFMIN(sizeof(number) - 1, (size_t)(nal->data + nal->size - p)));
    return atoi(number);
}

static int keep(Signature *s, const NalUnit *nal, int build)
{
    signature_free(s);
    if (build >= NEW_BUILD)
        return 0;
    s->size = nal->data + nal->size - nal->start;
    s->unit = av_memdup(nal->start, s->size);
    return s->unit ? 0 : AVERROR(ENOMEM);
}

static int prepend(const Signature *s, AVPacket *pkt)
{
    const int size = pkt->size;
    int ret = av_grow_packet(pkt, s->size);

    if (ret >= 0)
        ret = av_packet_make_writable(pkt);
    if (ret < 0)
        return ret;
    memmove(pkt->data + s->size, pkt->data, size);
    memcpy(pkt->data, s->unit, s->size);
    return 0;
}

int signature_repeat(Signature *s, const AVCodecParameters *par, AVPacket *pkt)
{
    NalUnits units = { pkt->data, pkt->data + pkt->size, earlier_length_size(par) };
    NalUnit nal;

    if (par->codec_id != AV_CODEC_ID_H264 || !(pkt->flags & AV_PKT_FLAG_KEY))
        return 0;
    while (nalunits_next(&units, &nal)) {
        const int type  = nal.size ? nal.data[0] & 0x1f : 0;
        const int build = type == NAL_SEI ? find_build(&nal) : -1;

        if (build >= 0)
            return keep(s, &nal, build);
        if (type && type <= NAL_IDR)
            break;
    }
    return s->unit ? prepend(s, pkt) : 0;
}

void signature_free(Signature *s)
{
    av_freep(&s->unit);
    s->size = 0;
}
