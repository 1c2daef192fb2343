/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <pthread.h>
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
/* What grows beyond that is kept in pieces of that size, which the pool gives out again and again. */
#define CHUNK        ((size_t)512 << 10)

/** A piece of memory that waits to be used again: these are its first bytes. */
typedef struct FreeChunk {
    struct FreeChunk *next;
} FreeChunk;

struct BlobPool {
    char           *folder;
    size_t          budget;
    pthread_mutex_t lock;      ///< for all that follows
    size_t          memory;    ///< that blobs have
    FreeChunk      *chunks;    ///< with memory never more than the budget
    size_t          free;      ///< bytes of these
};

/** A piece of a blob's own memory. */
typedef struct Piece {
    uint8_t *data;
    size_t   capacity;  ///< all accounted for in the pool
    size_t   used;
} Piece;

/** Where an extent's bytes are, if not in the piece of that number. */
enum { IN_FILE = -1, IN_OTHER = -2 };

/** One run of a blob's bytes. */
typedef struct Extent {
    int64_t end;        ///< in the blob
    int     where;
    int64_t offset;     ///< of the first byte there
    Blob   *of;         ///< of IN_OTHER: whose bytes these are
} Extent;

struct Blob {
    BlobPool   *pool;
    atomic_int  refs;
    Extent     *extents;
    int         nb_extents;
    unsigned    extents_size;
    Piece      *pieces;
    int         nb_pieces;
    unsigned    pieces_size;
    int         fd;        ///< -1: there is no file
    int64_t     file_size; ///< bytes written there
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
    pthread_mutex_init(&p->lock, NULL);
    *pool = p;
    return 0;
}

/** Needs the lock. @return a piece that was used before, or NULL */
static FreeChunk *take_chunk(BlobPool *p)
{
    FreeChunk *c = p->chunks;

    if (c) {
        p->chunks = c->next;
        p->free  -= CHUNK;
    }
    return c;
}

void blob_pool_free(BlobPool **pool)
{
    FreeChunk *c;

    if (!*pool)
        return;
    av_assert0(!(*pool)->memory);
    while ((c = take_chunk(*pool)))
        av_free(c);
    pthread_mutex_destroy(&(*pool)->lock);
    av_freep(&(*pool)->folder);
    av_freep(pool);
}

size_t blob_pool_memory(BlobPool *pool)
{
    size_t memory;

    pthread_mutex_lock(&pool->lock);
    memory = pool->memory;
    pthread_mutex_unlock(&pool->lock);
    return memory;
}

/**
 * Take memory from the budget.
 * @param chunk not NULL: size is CHUNK, and this gets such a piece if there is one, else NULL
 * @return whether there was enough
 */
static int pool_reserve(BlobPool *p, size_t size, FreeChunk **chunk)
{
    FreeChunk *c = NULL;
    int        enough;

    pthread_mutex_lock(&p->lock);
    enough = p->memory <= p->budget && size <= p->budget - p->memory;
    if (enough) {
        p->memory += size;
        if (chunk)
            *chunk = take_chunk(p);
        else if (p->memory + p->free > p->budget)
            c = take_chunk(p);
    }
    pthread_mutex_unlock(&p->lock);
    av_free(c);
    return enough;
}

static void pool_release(BlobPool *p, size_t size)
{
    pthread_mutex_lock(&p->lock);
    p->memory -= size;
    pthread_mutex_unlock(&p->lock);
}

/** @param data of CHUNK bytes */
static void release_chunk(BlobPool *p, uint8_t *data)
{
    FreeChunk *c = (FreeChunk *)data;

    pthread_mutex_lock(&p->lock);
    p->memory -= CHUNK;
    p->free   += CHUNK;
    c->next    = p->chunks;
    p->chunks  = c;
    pthread_mutex_unlock(&p->lock);
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

/** One more run of bytes, none yet. @return NULL: no memory */
static Extent *add_extent(Blob *b, int where, int64_t offset)
{
    Extent *list = av_fast_realloc(b->extents, &b->extents_size, (b->nb_extents + 1) * sizeof(*list));

    if (!list)
        return NULL;
    b->extents = list;
    list[b->nb_extents] = (Extent) { .end = b->size, .where = where, .offset = offset };
    return &list[b->nb_extents++];
}

static int64_t extent_start(const Blob *b, const Extent *e)
{
    return e > b->extents ? e[-1].end : 0;
}

/** Add bytes that are there, right behind the last ones or elsewhere. @return 0 or AVERROR(ENOMEM) */
static int extend(Blob *b, int where, int64_t offset, Blob *of, int64_t size)
{
    Extent *e = b->nb_extents ? &b->extents[b->nb_extents - 1] : NULL;

    if (!e || e->where != where || e->of != of || e->offset + e->end - extent_start(b, e) != offset) {
        e = add_extent(b, where, offset);
        if (!e)
            return AVERROR(ENOMEM);
        e->of = of ? blob_ref(of) : NULL;
    }
    b->size = e->end = b->size + size;
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
    (*blob)->fd        = fd;
    (*blob)->file_size = st.st_size;
    ret = extend(*blob, IN_FILE, 0, NULL, st.st_size);
    if (ret < 0)
        blob_unref(blob);
    else
        (*blob)->sealed = 1;
    return ret;
}

Blob *blob_ref(Blob *blob)
{
    atomic_fetch_add(&blob->refs, 1);
    return blob;
}

void blob_unref(Blob **blob)
{
    Blob *b = *blob;

    *blob = NULL;
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
        return;
    for (int i = 0; i < b->nb_extents; i++)
        blob_unref(&b->extents[i].of);
    for (int i = 0; i < b->nb_pieces; i++) {
        Piece *m = &b->pieces[i];

        if (m->capacity == CHUNK) {
            release_chunk(b->pool, m->data);
        } else {
            av_free(m->data);
            pool_release(b->pool, m->capacity);
        }
    }
    av_free(b->extents);
    av_free(b->pieces);
    if (b->fd >= 0)
        close(b->fd);
    av_free(b);
}

static int pwrite_all(int fd, const uint8_t *data, size_t size, int64_t offset)
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

/** Once in the file, all that is appended goes there. On error the blob stays as it was. */
static int append_file(Blob *b, const uint8_t *data, size_t size)
{
    int ret;

    if (b->fd < 0) {
        int fd = tempfile_open(b->pool->folder);

        if (fd < 0)
            return fd;
        b->fd = fd;
    }
    ret = pwrite_all(b->fd, data, size, b->file_size);
    if (ret >= 0)
        ret = extend(b, IN_FILE, b->file_size, NULL, size);
    if (ret >= 0)
        b->file_size += size;
    return ret;
}

static int resize(Piece *m, size_t capacity)
{
    uint8_t *data = av_realloc(m->data, capacity);

    if (!data)
        return AVERROR(ENOMEM);
    m->data     = data;
    m->capacity = capacity;
    return 0;
}

/** Make a first, small piece bigger. @return 0; AVERROR(EAGAIN): the budget does not allow it */
static int grow(Blob *b, Piece *m, size_t needed)
{
    size_t roomy = FFMAX(needed, FFMAX(m->capacity / 2 * 3, MIN_CAPACITY));
    size_t sizes[2], more;
    int    ret;

    sizes[0] = FFMIN(roomy, CHUNK);
    sizes[1] = needed;
    for (int i = 0; i < 2; i++) {
        more = sizes[i] - m->capacity;
        if (!pool_reserve(b->pool, more, NULL))
            continue;
        ret = resize(m, sizes[i]);
        if (ret < 0)
            pool_release(b->pool, more);
        return ret;
    }
    return AVERROR(EAGAIN);
}

/** One more piece, without memory. */
static Piece *add_piece(Blob *b)
{
    Piece *list = av_fast_realloc(b->pieces, &b->pieces_size, (b->nb_pieces + 1) * sizeof(*list));

    if (!list)
        return NULL;
    b->pieces = list;
    list[b->nb_pieces] = (Piece) { 0 };
    return &list[b->nb_pieces++];
}

static int add_chunk(Blob *b)
{
    FreeChunk *c;
    Piece     *m;

    if (!pool_reserve(b->pool, CHUNK, &c))
        return AVERROR(EAGAIN);
    if (!c)
        c = av_realloc(NULL, CHUNK);
    m = c ? add_piece(b) : NULL;
    if (!m) {
        av_free(c);
        pool_release(b->pool, CHUNK);
        return AVERROR(ENOMEM);
    }
    m->data     = (uint8_t *)c;
    m->capacity = CHUNK;
    return 0;
}

/**
 * Find room in memory for the next bytes, at least one.
 * @return how many fit into the last piece, or an AVERROR code
 */
static int64_t make_room(Blob *b, size_t size)
{
    Piece *m = b->nb_pieces ? &b->pieces[b->nb_pieces - 1] : NULL;
    int ret = 0;

    if (!m && size <= CHUNK) {
        m = add_piece(b);
        if (!m)
            return AVERROR(ENOMEM);
    }
    if (m && b->nb_pieces == 1 && size > m->capacity - m->used && size <= CHUNK - m->used)
        ret = grow(b, m, m->used + size);
    else if (!m || m->used == m->capacity)
        ret = add_chunk(b);
    if (ret < 0)
        return ret;
    m = &b->pieces[b->nb_pieces - 1];
    return FFMIN(size, m->capacity - m->used);
}

static int append_memory(Blob *b, const uint8_t *data, size_t size)
{
    Piece *m = &b->pieces[b->nb_pieces - 1];
    int ret  = extend(b, b->nb_pieces - 1, m->used, NULL, size);

    if (ret < 0)
        return ret;
    memcpy(m->data + m->used, data, size);
    m->used += size;
    return 0;
}

int blob_append(Blob *blob, const uint8_t *data, size_t size)
{
    av_assert0(!blob->sealed);
    if (size > (size_t)(INT64_MAX - blob->size))
        return AVERROR(EFBIG);
    while (size > 0) {
        int64_t n = blob->fd < 0 ? make_room(blob, size) : AVERROR(EAGAIN);
        int ret;

        /* memory that the budget allows but malloc refuses is a reason for the file too */
        if (n < 0)
            return append_file(blob, data, size);
        ret = append_memory(blob, data, n);
        if (ret < 0)
            return ret;
        data += n;
        size -= n;
    }
    return 0;
}

int blob_append_part(Blob *blob, Blob *of, int64_t offset, int64_t size)
{
    av_assert0(!blob->sealed && of->sealed);
    if (offset < 0 || size < 0 || offset > of->size || size > of->size - offset)
        return AVERROR(EINVAL);
    return size ? extend(blob, IN_OTHER, offset, of, size) : 0;
}

void blob_seal(Blob *blob)
{
    Piece *m = blob->nb_pieces ? &blob->pieces[blob->nb_pieces - 1] : NULL;
    size_t unused = m ? m->capacity - m->used : 0;

    if (!blob->sealed && unused && m->used && resize(m, m->used) >= 0)
        pool_release(blob->pool, unused);
    blob->sealed = 1;
}

int64_t blob_size(const Blob *blob)
{
    return blob->size;
}

/** The extent with the byte at offset, which is less than the blob's size. */
static const Extent *find_extent(const Blob *b, int64_t offset)
{
    int low = 0, high = b->nb_extents - 1;

    while (low < high) {
        int mid = (low + high) / 2;

        if (b->extents[mid].end > offset)
            high = mid;
        else
            low = mid + 1;
    }
    return &b->extents[low];
}

static int read_extent(const Blob *b, const Extent *e, int64_t offset, uint8_t *buf, size_t size)
{
    ssize_t n;

    offset += e->offset;
    if (e->of)
        return blob_read(e->of, offset, buf, size);
    if (e->where >= 0) {
        memcpy(buf, b->pieces[e->where].data + offset, size);
        return size;
    }
    do {
        n = pread(b->fd, buf, size, offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return AVERROR(errno);
    /* the file is shorter than what was written to it */
    return n ? n : AVERROR(EIO);
}

int blob_read(const Blob *blob, int64_t offset, uint8_t *buf, size_t size)
{
    const Extent *e;
    int done = 0, n = 1;

    if (offset < 0)
        return AVERROR(EINVAL);
    if (offset >= blob->size)
        return 0;
    size = FFMIN((int64_t)FFMIN(size, INT_MAX), blob->size - offset);
    e    = find_extent(blob, offset);
    while (done < (int)size && n > 0) {
        int64_t at = offset + done;

        while (e->end <= at)
            e++;
        n = read_extent(blob, e, at - extent_start(blob, e), buf + done,
                        FFMIN((int64_t)size - done, e->end - at));
        done += FFMAX(n, 0);
    }
    return n < 0 ? n : done;
}
