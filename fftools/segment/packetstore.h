/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PACKETSTORE_H
#define FFLEET_PACKETSTORE_H

/**
 * @file
 * Where the payloads of packets wait that are too many for memory, until the segment that they are in is cut: raw video
 * is a gigabyte in a few seconds. They lie in Blobs, so in the end in TMPDIR.
 *
 * One thread at a time.
 */

#include <libavcodec/packet.h>

#include "../../remote/blob.h"

typedef struct PacketStore {
    BlobPool *pool;
    Blob     *open;   ///< the one being written; or NULL
} PacketStore;

/** A payload in a store. */
typedef struct StoredPayload {
    Blob   *blob;     ///< NULL: it is not in one
    int64_t offset;
    int     size;
} StoredPayload;

/**
 * Move a packet's payload into the store.
 * @param pkt reference counted; keeps all but its payload; unchanged on error
 * @return 0 or an AVERROR code (ENOSPC when the temporary folder is full)
 */
int  packetstore_put(PacketStore *s, AVPacket *pkt, StoredPayload *stored);
/**
 * Make a packet with its payload.
 * @param pkt   what was given to packetstore_put()
 * @param whole blank; the caller's
 * @return 0 or an AVERROR code
 */
int  packetstore_get(PacketStore *s, const AVPacket *pkt, const StoredPayload *stored, AVPacket *whole);
void packetstore_forget(StoredPayload *stored);
void packetstore_close(PacketStore *s);

#endif
