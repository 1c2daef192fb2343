/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/common.h>

#include "gradual.h"
#include "nalunits.h"

#define NAL_IDR            5
#define NAL_SEI            6
#define SEI_RECOVERY_POINT 6
#define MAX_SEI            1024   /* bytes of it that are looked at */

/** Without the bytes that keep start codes out of it. @return how many are left */
static int unescape(uint8_t *out, const uint8_t *nal, size_t size)
{
    int n = 0, zeros = 0;

    for (size_t i = 1; i < size && n < MAX_SEI; i++) {
        if (zeros < 2 || nal[i] != 3)
            out[n++] = nal[i];
        zeros = nal[i] ? 0 : zeros + 1;
    }
    return n;
}

/** The number that a message begins with. */
static unsigned get_golomb(const uint8_t *p, int size)
{
    int zeros = 0;
    unsigned value = 0;

    while (zeros < FFMIN(size * 8, 16) && !(p[zeros / 8] >> (7 - zeros % 8) & 1))
        zeros++;
    for (int i = zeros; i <= 2 * zeros && i < size * 8; i++)
        value = value << 1 | (p[i / 8] >> (7 - i % 8) & 1);
    return FFMAX(value, 1) - 1;
}

/** @return the frames until the recovery point, 0: there is none */
static unsigned find_recovery(const uint8_t *nal, size_t nal_size)
{
    uint8_t sei[MAX_SEI];
    int n = unescape(sei, nal, nal_size);

    for (int i = 0; i + 2 < n;) {
        int type = 0, size = 0;

        while (i + 1 < n && sei[i] == 0xff)
            type += sei[i++];
        type += sei[i++];
        while (i + 1 < n && sei[i] == 0xff)
            size += sei[i++];
        size += i < n ? sei[i++] : 0;
        if (type == SEI_RECOVERY_POINT)
            return get_golomb(sei + i, FFMIN(size, n - i));
        i += size;
    }
    return 0;
}

int gradual_is_start(const AVCodecParameters *par, const AVPacket *pkt)
{
    int length_size = par->extradata_size > 6 && par->extradata[0] == 1 ? (par->extradata[4] & 3) + 1 : 0;
    NalUnits units  = { pkt->data, pkt->data + pkt->size, length_size };
    NalUnit nal;

    if (par->codec_id != AV_CODEC_ID_H264)
        return 0;
    while (nalunits_next(&units, &nal)) {
        int type = nal.size ? nal.data[0] & 0x1f : 0;

        /* slices */
        if (type && type <= NAL_IDR)
            return 0;
        if (type == NAL_SEI && find_recovery(nal.data, nal.size))
            return 1;
    }
    return 0;
}
