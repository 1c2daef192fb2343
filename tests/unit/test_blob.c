/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libavutil/common.h>
#include <libavutil/error.h>

#include "remote/blob.h"

static void fill(uint8_t *buf, size_t size, int64_t offset)
{
    for (size_t i = 0; i < size; i++)
        buf[i] = (offset + i) * 2654435761u >> 13;
}

static void append(Blob *b, size_t size, size_t piece)
{
    uint8_t buf[5000];

    while (size > 0) {
        size_t n = FFMIN(FFMIN(size, piece), sizeof(buf));

        fill(buf, n, blob_size(b));
        assert_int_equal(blob_append(b, buf, n), 0);
        size -= n;
    }
}

static void check(const Blob *b, int64_t size, size_t piece)
{
    uint8_t buf[5000], expected[5000];
    int64_t offset = 0;
    int     n;

    assert_int_equal(blob_size(b), size);
    while ((n = blob_read(b, offset, buf, piece)) > 0) {
        fill(expected, n, offset);
        assert_memory_equal(buf, expected, n);
        offset += n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(offset, size);
}

static void test_memory(void **state)
{
    BlobPool *pool;
    Blob     *b, *ref;
    uint8_t   c;

    (void)state;
    assert_int_equal(blob_pool_alloc(&pool, 1 << 20), 0);
    assert_int_equal(blob_alloc(&b, pool), 0);
    check(b, 0, 100);
    append(b, 100000, 777);
    assert_true(blob_pool_memory(pool) >= 100000);
    blob_seal(b);
    assert_int_equal(blob_pool_memory(pool), 100000);
    check(b, 100000, 4999);
    assert_int_equal(blob_read(b, -1, &c, 1), AVERROR(EINVAL));
    ref = blob_ref(b);
    blob_unref(&b);
    assert_null(b);
    check(ref, 100000, 5000);
    blob_unref(&ref);
    blob_unref(&ref);
    assert_int_equal(blob_pool_memory(pool), 0);
    blob_pool_free(&pool);
    blob_pool_free(&pool);
}

static void test_spill(void **state)
{
    BlobPool *pool;
    Blob     *a, *b, *c;

    (void)state;
    assert_int_equal(blob_pool_alloc(&pool, 50000), 0);
    assert_int_equal(blob_alloc(&a, pool), 0);
    assert_int_equal(blob_alloc(&b, pool), 0);
    assert_int_equal(blob_alloc(&c, pool), 0);
    append(a, 30000, 1000);
    blob_seal(a);
    assert_int_equal(blob_pool_memory(pool), 30000);
    append(b, 200000, 1234);        /* crosses the budget on its way: what is in memory stays there */
    assert_in_range(blob_pool_memory(pool), 40000, 50000);
    append(c, 20000, 5000);
    assert_in_range(blob_pool_memory(pool), 40000, 50000);
    blob_seal(b);
    blob_seal(c);
    check(a, 30000, 4096);
    check(b, 200000, 4096);
    check(c, 20000, 4096);
    blob_unref(&b);
    assert_in_range(blob_pool_memory(pool), 30000, 40000);
    blob_unref(&a);
    assert_int_equal(blob_alloc(&a, pool), 0);
    append(a, 30000, 5000);         /* there is room again */
    assert_true(blob_pool_memory(pool) >= 30000);
    check(a, 30000, 4096);
    blob_unref(&a);
    blob_unref(&c);
    blob_pool_free(&pool);
}

/* Big ones, of which memory is used again; never more than the budget. */
static void test_again(void **state)
{
    BlobPool *pool;
    Blob     *b[3];

    (void)state;
    assert_int_equal(blob_pool_alloc(&pool, 4 << 20), 0);
    for (int n = 0; n < 5; n++) {
        for (int i = 0; i < 3; i++) {
            assert_int_equal(blob_alloc(&b[i], pool), 0);
            append(b[i], 1900000 + 1000 * n, 5000);
            assert_true(blob_pool_memory(pool) <= 4 << 20);
        }
        for (int i = 0; i < 3; i++) {
            blob_seal(b[i]);
            check(b[i], 1900000 + 1000 * n, 4999);
            blob_unref(&b[i]);
        }
        assert_int_equal(blob_pool_memory(pool), 0);
    }
    blob_pool_free(&pool);
}

/* Bytes of others between its own. */
static void test_parts(void **state)
{
    BlobPool *pool;
    Blob     *memory, *file, *b;
    uint8_t   c;

    (void)state;
    assert_int_equal(blob_pool_alloc(&pool, 300000), 0);
    assert_int_equal(blob_alloc(&memory, pool), 0);
    assert_int_equal(blob_alloc(&file, pool), 0);
    assert_int_equal(blob_alloc(&b, pool), 0);
    append(memory, 200000, 5000);
    append(file, 1200000, 5000);
    blob_seal(memory);
    blob_seal(file);
    append(b, 1000, 300);
    assert_int_equal(blob_append_part(b, memory, 1000, 9000), 0);
    append(b, 10, 3);
    assert_int_equal(blob_append_part(b, memory, 10010, 5000), 0);
    assert_int_equal(blob_append_part(b, memory, 15010, 184990), 0);
    assert_int_equal(blob_append_part(b, file, 200000, 1000000), 0);
    append(b, 50000, 5000);         /* to a file of its own, in the end */
    assert_int_equal(blob_append_part(b, file, 200001, 1000000), AVERROR(EINVAL));
    assert_int_equal(blob_append_part(b, file, -1, 10), AVERROR(EINVAL));
    assert_int_equal(blob_append_part(b, file, 1200000, 0), 0);
    blob_seal(b);
    blob_unref(&memory);
    blob_unref(&file);
    assert_true(blob_pool_memory(pool) >= 200000);
    check(b, 1250000, 5000);
    check(b, 1250000, 777);
    assert_int_equal(blob_read(b, 1250000, &c, 1), 0);
    blob_unref(&b);
    assert_int_equal(blob_pool_memory(pool), 0);
    blob_pool_free(&pool);
}

static void test_no_folder(void **state)
{
    BlobPool *pool;
    Blob     *b;
    uint8_t   buf[200] = { 0 };

    (void)state;
    setenv("TMPDIR", "/nonexistent/folder", 1);
    assert_int_equal(blob_pool_alloc(&pool, 100), 0);
    unsetenv("TMPDIR");
    assert_int_equal(blob_alloc(&b, pool), 0);
    append(b, 60, 60);
    assert_int_equal(blob_append(b, buf, sizeof(buf)), AVERROR(ENOENT));
    check(b, 60, 60);               /* as it was */
    append(b, 40, 40);
    blob_seal(b);
    check(b, 100, 100);
    blob_unref(&b);
    blob_pool_free(&pool);
}

/* A limit on the size of files stands for a full disk: a short write comes first there too. */
static void test_full(void **state)
{
    struct rlimit old, limit;
    BlobPool     *pool;
    Blob         *b;
    uint8_t       buf[5000];
    void        (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    (void)state;
    assert_int_equal(blob_pool_alloc(&pool, 0), 0);
    assert_int_equal(blob_alloc(&b, pool), 0);
    append(b, 8000, 1000);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit          = old;
    limit.rlim_cur = 10000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fill(buf, sizeof(buf), 123456);
    assert_int_equal(blob_append(b, buf, sizeof(buf)), AVERROR(EFBIG));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    check(b, 8000, 3000);           /* what was half written does not count */
    append(b, 5000, 5000);
    blob_seal(b);
    check(b, 13000, 5000);
    blob_unref(&b);
    blob_pool_free(&pool);
}

/* The file has no name: not even a crash leaves it behind. */
static void test_left_behind(void **state)
{
    char      folder[] = "/tmp/test_blob.XXXXXX";
    BlobPool *pool;
    Blob     *b;

    (void)state;
    assert_non_null(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
    assert_int_equal(blob_pool_alloc(&pool, 10), 0);
    unsetenv("TMPDIR");
    assert_int_equal(blob_alloc(&b, pool), 0);
    append(b, 100000, 1000);
    assert_int_equal(rmdir(folder), 0);   /* empty while the blob is in use */
    blob_seal(b);
    check(b, 100000, 1000);
    blob_unref(&b);
    blob_pool_free(&pool);
}

static void *writer(void *arg)
{
    BlobPool *pool = arg;
    Blob     *b;

    for (int i = 0; i < 20; i++) {
        assert_int_equal(blob_alloc(&b, pool), 0);
        append(b, 20000 + i, 3000);
        blob_seal(b);
        check(b, 20000 + i, 5000);
        blob_unref(&b);
    }
    return NULL;
}

static void *reader(void *arg)
{
    check(arg, 60000, 1000);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[8];
    BlobPool *pool;
    Blob     *b[2];

    (void)state;
    assert_int_equal(blob_pool_alloc(&pool, 70000), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(blob_alloc(&b[i], pool), 0);
        append(b[i], 60000, 5000);
        blob_seal(b[i]);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < 4 ? writer : reader,
                                        i < 4 ? (void *)pool : (void *)b[i % 2]), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    blob_unref(&b[0]);
    blob_unref(&b[1]);
    assert_int_equal(blob_pool_memory(pool), 0);
    blob_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_spill),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_no_folder),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_left_behind),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
