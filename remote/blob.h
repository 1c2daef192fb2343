/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_BLOB_H
#define FFLEET_BLOB_H

/**
 * @file
 * Bytes that wait: a segment on its way to a host, or a result on its way to the
 * join. In memory while the pool's budget lasts, what comes beyond it in an unlinked file
 * in TMPDIR, so that memory stays bounded and nothing is left behind by a crash. The pool keeps
 * memory that is no longer used, for the next blobs: to get it anew from the system costs as much
 * as to fill it.
 *
 * Written by one thread; after blob_seal() read by any number of threads at a time. Reference counted.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct BlobPool BlobPool;
typedef struct Blob Blob;

/** @param budget bytes of memory that all blobs of the pool may hold together @return 0 or an AVERROR code */
int  blob_pool_alloc(BlobPool **pool, size_t budget);
/** All blobs must have been released. */
void blob_pool_free(BlobPool **pool);

/** An empty one, with one reference. @return 0 or AVERROR(ENOMEM) */
int     blob_alloc(Blob **blob, BlobPool *pool);
/** A sealed blob of what a file holds. @param fd the blob's from here on, also on error */
int     blob_from_file(Blob **blob, BlobPool *pool, int fd);
/** One more reference, for any thread. @return blob */
Blob   *blob_ref(Blob *blob);
/** The last one frees it. @param blob NULL afterwards */
void    blob_unref(Blob **blob);
/**
 * @return 0, or AVERROR code (ENOSPC when the temporary folder is full), then with a beginning of
 * the data at most
 */
int     blob_append(Blob *blob, const uint8_t *data, size_t size);
/** Append bytes of another blob without copying them; they stay with that one. @param of sealed; another reference is kept
 *  @return 0 or an AVERROR code (EINVAL: it has no such bytes) */
int     blob_append_part(Blob *blob, Blob *of, int64_t offset, int64_t size);
/** Nothing will be appended any more. */
void    blob_seal(Blob *blob);
/** Bytes so far. */
int64_t blob_size(const Blob *blob);
/** Read up to size bytes at offset. @return bytes read, 0 at the end, or an AVERROR code */
int     blob_read(const Blob *blob, int64_t offset, uint8_t *buf, size_t size);
/** Bytes of memory now held by all blobs of the pool. */
size_t  blob_pool_memory(BlobPool *pool);

#endif
