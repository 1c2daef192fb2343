/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/error.h>

#include "packetstore.h"

/* A blob is given back when nothing in it is needed any more. */
#define BLOB_SIZE (32 << 20)

static void close_blob(PacketStore *s)
{
    if (s->open)
        blob_seal(s->open);
    blob_unref(&s->open);
}

int packetstore_put(PacketStore *s, AVPacket *pkt, WirePayload *stored)
{
    int64_t offset;
    int ret = 0;

    if (s->open && blob_size(s->open) >= BLOB_SIZE)
        close_blob(s);
    if (!s->open)
        ret = blob_alloc(&s->open, s->pool);
    if (ret < 0)
        return ret;
    offset = blob_size(s->open);
    ret    = blob_append(s->open, pkt->data, pkt->size);
    if (ret < 0)
        return ret;
    *stored = (WirePayload) { blob_ref(s->open), offset, pkt->size };
    av_buffer_unref(&pkt->buf);
    pkt->data = NULL;
    pkt->size = 0;
    return 0;
}

void packetstore_seal(PacketStore *s, const WirePayload *stored)
{
    if (stored->blob == s->open)
        close_blob(s);
}

int packetstore_get(PacketStore *s, const AVPacket *pkt, const WirePayload *stored, AVPacket *whole)
{
    int ret, done = 0;

    packetstore_seal(s, stored);
    ret = av_new_packet(whole, stored->size);
    if (ret >= 0)
        ret = av_packet_copy_props(whole, pkt);
    while (ret >= 0 && done < stored->size) {
        ret = blob_read(stored->blob, stored->offset + done, whole->data + done, stored->size - done);
        if (!ret)
            ret = AVERROR(EIO);
        done += ret;
    }
    return ret < 0 ? ret : 0;
}

void packetstore_forget(WirePayload *stored)
{
    blob_unref(&stored->blob);
}

void packetstore_close(PacketStore *s)
{
    close_blob(s);
}
