/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/common.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/timecode.h>

#include "pictureclock.h"

#define SEQUENCE_HEADER 0x1b3
#define GROUP_HEADER    0x1b8
#define PICTURE_HEADER  0x100

/* by frame_rate_code, rounded; those from 9 on are FFmpeg's */
static const uint8_t rates[16] = { 0, 24, 24, 25, 30, 30, 50, 60, 60, 15, 5, 10, 12, 15 };

/** drop_frame_flag, hours, minutes, marker_bit, seconds, pictures: 25 bits in front of 7 others. */
static void write_code(uint8_t *p, int rate, int64_t n)
{
    const uint32_t word = AV_RB32(p);

    if (word >> 31)
        n = av_timecode_adjust_ntsc_framenum2(av_clip64(n, 0, INT_MAX), rate);
    AV_WB32(p, (word & 0x8008007f) | (uint32_t)(n / (rate * 3600LL) % 24) << 26 | (uint32_t)(n / (rate * 60LL) % 60) << 20 |
               (uint32_t)(n / rate % 60) << 13 | (uint32_t)(n % rate) << 7);
}

int pictureclock_set(enum AVCodecID id, AVPacket *pkt, int64_t n)
{
    int rate = 0;

    if (id != AV_CODEC_ID_MPEG1VIDEO && id != AV_CODEC_ID_MPEG2VIDEO)
        return 0;
    for (int i = 0; i + 8 <= pkt->size; i++) {
        const uint32_t code = AV_RB32(pkt->data + i);

        if (code == PICTURE_HEADER)
            return 0;
        if (code == SEQUENCE_HEADER)
            rate = rates[pkt->data[i + 7] & 15];
        if (code == GROUP_HEADER && rate) {
            int ret = av_packet_make_writable(pkt);

            if (ret >= 0)
                write_code(pkt->data + i + 4, rate, n);
            return ret;
        }
    }
    return 0;
}
