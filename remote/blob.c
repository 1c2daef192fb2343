/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/avassert.h>
#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "blob.h"
#include "tempfile.h"

#define MIN_CAPACITY 4096

struct BlobPool {
    size_t        budget;
    atomic_size_t memory;
    char         *folder;
};

struct Blob {
    BlobPool   *pool;
    atomic_int  refs;
    uint8_t    *data;      ///< while in memory
    size_t      capacity;  ///< bytes at data, all accounted for in the pool
    int         fd;        ///< -1: in memory
    int64_t     size;
    int         sealed;
};

int blob_pool_alloc(BlobPool **pool, size_t budget)
{
    BlobPool *p = av_mallocz(sizeof(*p));

    *pool = NULL;
    if (!p)
        return AVERROR(ENOMEM);
    p->folder = av_strdup(tempfile_folder());
    if (!p->folder) {
        av_free(p);
        return AVERROR(ENOMEM);
    }
    p->budget = budget;
    atomic_init(&p->memory, 0);
    *pool = p;
    return 0;
}

void blob_pool_free(BlobPool **pool)
{
    if (!*pool)
        return;
    av_assert0(!atomic_load(&(*pool)->memory));
    av_freep(&(*pool)->folder);
    av_freep(pool);
}

size_t blob_pool_memory(const BlobPool *pool)
{
    return atomic_load(&((BlobPool *)pool)->memory);
}

/** Take memory from the budget. @return whether there was enough */
static int pool_reserve(BlobPool *pool, size_t size)
{
    size_t now = atomic_load(&pool->memory);

    do {
        if (now > pool->budget || size > pool->budget - now)
            return 0;
    } while (!atomic_compare_exchange_weak(&pool->memory, &now, now + size));
    return 1;
}

static void pool_release(BlobPool *pool, size_t size)
{
    atomic_fetch_sub(&pool->memory, size);
}

int blob_alloc(Blob **blob, BlobPool *pool)
{
    Blob *b = av_mallocz(sizeof(*b));

    *blob = b;
    if (!b)
        return AVERROR(ENOMEM);
    b->pool = pool;
    b->fd   = -1;
    atomic_init(&b->refs, 1);
    return 0;
}

int blob_from_file(Blob **blob, BlobPool *pool, int fd)
{
    struct stat st;
    int ret = fstat(fd, &st) < 0 ? AVERROR(errno) : blob_alloc(blob, pool);

    if (ret < 0) {
        *blob = NULL;
        close(fd);
        return ret;
    }
    (*blob)->fd     = fd;
    (*blob)->size   = st.st_size;
    (*blob)->sealed = 1;
    return 0;
}

Blob *blob_ref(Blob *blob)
{
    atomic_fetch_add(&blob->refs, 1);
    return blob;
}

static void drop_memory(Blob *b)
{
    av_freep(&b->data);
    pool_release(b->pool, b->capacity);
    b->capacity = 0;
}

void blob_unref(Blob **blob)
{
    Blob *b = *blob;

    *blob = NULL;
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
        return;
    drop_memory(b);
    if (b->fd >= 0)
        close(b->fd);
    av_free(b);
}

static int write_all(int fd, const uint8_t *data, size_t size, int64_t offset)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, data, size, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? AVERROR(errno) : AVERROR(ENOSPC);
        data   += n;
        size   -= n;
        offset += n;
    }
    return 0;
}

/** Move what is in memory to a file. On error the blob stays as it was. */
static int spill(Blob *b)
{
    int ret, fd = tempfile_open(b->pool->folder);

    if (fd < 0)
        return fd;
    ret = write_all(fd, b->data, b->size, 0);
    if (ret < 0) {
        close(fd);
        return ret;
    }
    drop_memory(b);
    b->fd = fd;
    return 0;
}

static int resize(Blob *b, size_t capacity)
{
    uint8_t *data = av_realloc(b->data, capacity);

    if (!data)
        return AVERROR(ENOMEM);
    b->data     = data;
    b->capacity = capacity;
    return 0;
}

/** Make room in memory. @return 0; AVERROR(EAGAIN): the budget does not allow it */
static int grow(Blob *b, size_t needed)
{
    size_t roomy = FFMAX(needed, FFMAX(b->capacity / 2 * 3, MIN_CAPACITY));
    size_t sizes[2], more;
    int    ret;

    sizes[0] = roomy;
    sizes[1] = needed;
    for (int i = 0; i < 2; i++) {
        more = sizes[i] - b->capacity;
        if (!pool_reserve(b->pool, more))
            continue;
        ret = resize(b, sizes[i]);
        if (ret < 0)
            pool_release(b->pool, more);
        return ret;
    }
    return AVERROR(EAGAIN);
}

int blob_append(Blob *blob, const uint8_t *data, size_t size)
{
    int ret;

    av_assert0(!blob->sealed);
    if (!size)
        return 0;
    if (size > (size_t)(INT64_MAX - blob->size))
        return AVERROR(EFBIG);
    if (blob->fd < 0 && size > blob->capacity - (size_t)blob->size) {
        ret = size > SIZE_MAX / 2 - (size_t)blob->size ?
              AVERROR(EAGAIN) : grow(blob, blob->size + size);
        /* memory that the budget allows but malloc refuses is a reason to spill too */
        if (ret < 0)
            ret = spill(blob);
        if (ret < 0)
            return ret;
    }
    if (blob->fd < 0) {
        memcpy(blob->data + blob->size, data, size);
    } else {
        ret = write_all(blob->fd, data, size, blob->size);
        if (ret < 0)
            return ret;
    }
    blob->size += size;
    return 0;
}

void blob_seal(Blob *blob)
{
    size_t unused = blob->capacity - (blob->fd < 0 ? (size_t)blob->size : 0);

    if (!blob->sealed && blob->size && unused && resize(blob, blob->size) >= 0)
        pool_release(blob->pool, unused);
    blob->sealed = 1;
}

int64_t blob_size(const Blob *blob)
{
    return blob->size;
}

int blob_read(const Blob *blob, int64_t offset, uint8_t *buf, size_t size)
{
    ssize_t n;

    if (offset < 0)
        return AVERROR(EINVAL);
    if (offset >= blob->size)
        return 0;
    size = FFMIN(size, INT_MAX);
    size = FFMIN((int64_t)size, blob->size - offset);
    if (blob->fd < 0) {
        memcpy(buf, blob->data + offset, size);
        return size;
    }
    do {
        n = pread(blob->fd, buf, size, offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return AVERROR(errno);
    /* the file is shorter than what was written to it */
    return n || !size ? n : AVERROR(EIO);
}
