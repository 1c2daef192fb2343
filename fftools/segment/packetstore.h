/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PACKETSTORE_H
#define FFLEET_PACKETSTORE_H

/**
 * @file
 * Where the payloads of packets wait that are too many for memory, until the segment that they are
 * in is cut, and big ones at once, which are never copied again: raw video is a gigabyte in a few
 * seconds. They lie in Blobs, so in the end in TMPDIR.
 *
 * One thread at a time.
 */

#include <libavcodec/packet.h>

#include "wire.h"

/** Zeroed but for the pool: empty. */
typedef struct PacketStore {
    BlobPool *pool;
    Blob     *open;   ///< the one being written; or NULL
} PacketStore;

/**
 * Move a packet's payload into the store.
 * @param pkt reference counted; keeps all but its payload; unchanged on error
 * @return 0 or an AVERROR code (ENOSPC when the temporary folder is full)
 */
int  packetstore_put(PacketStore *s, AVPacket *pkt, WirePayload *stored);
/**
 * Make a packet with its payload.
 * @param pkt   what was given to packetstore_put()
 * @param whole blank; the caller's
 * @return 0 or an AVERROR code
 */
int  packetstore_get(PacketStore *s, const AVPacket *pkt, const WirePayload *stored, AVPacket *whole);
/** Payloads that come from now on lie in another blob: that of this one is sealed. */
void packetstore_seal(PacketStore *s, const WirePayload *stored);
/** A payload is not needed any more; one that was never stored may be given, too. */
void packetstore_forget(WirePayload *stored);
void packetstore_close(PacketStore *s);

#endif
