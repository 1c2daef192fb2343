/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libavutil/lfg.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>

#include "fftools/segment/segment.h"
#include "fftools/segment/wire.h"

#define NB_PACKETS 61

static BlobPool *pool;

static int set_up(void **state)
{
    (void)state;
    return blob_pool_alloc(&pool, 64 << 20);
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(blob_pool_memory(pool), 0);
    blob_pool_free(&pool);
    return 0;
}

static AVFormatContext *make_source(void)
{
    static const uint8_t extradata[] = { 0, 0, 0, 1, 0x67, 66, 0, 10, 0x95, 0, 0, 0, 1, 0x68, 0xce };
    AVFormatContext *fc = avformat_alloc_context();
    AVStream *st = avformat_new_stream(fc, NULL);
    AVCodecParameters *par = st->codecpar;

    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id   = AV_CODEC_ID_H264;
    par->codec_tag  = MKTAG('a', 'v', 'c', '1');
    par->width      = 320;
    par->height     = 180;
    par->format     = AV_PIX_FMT_YUV420P;
    par->video_delay = 2;
    par->extradata  = av_mallocz(sizeof(extradata) + AV_INPUT_BUFFER_PADDING_SIZE);
    memcpy(par->extradata, extradata, sizeof(extradata));
    par->extradata_size = sizeof(extradata);
    st->time_base   = (AVRational) { 1, 90000 };
    st->sample_aspect_ratio = par->sample_aspect_ratio = (AVRational) { 16, 11 };
    return fc;
}

/* I b b P order: the pts of the n-th packet, in slots */
static int64_t slot_of(int n)
{
    return !n ? 0 : n % 3 == 1 ? n + 2 : n - 1;
}

static void fill(AVPacket *pkt, int n)
{
    assert_int_equal(av_new_packet(pkt, 1 + (n * 7919) % 5000), 0);
    for (int i = 0; i < pkt->size; i++)
        pkt->data[i] = (n + 1) * 31 + i * 7;
    pkt->flags    = n % 12 ? 0 : AV_PKT_FLAG_KEY;
    pkt->duration = 12345;
    pkt->dts      = AV_NOPTS_VALUE;
}

static int64_t wire_pts(int n, int64_t first)
{
    return (first + slot_of(n)) * SEGMENT_WIRE_UNITS + (n % 5 == 4 ? -1 : 0);
}

static void write_all(Blob *blob, AVRational rate, int64_t first)
{
    AVFormatContext *src = make_source();
    AVPacket *pkt = av_packet_alloc();
    WireWriter *w;

    assert_int_equal(wire_writer_open(&w, src->streams[0],
                     av_inv_q(av_mul_q(rate, av_make_q(SEGMENT_WIRE_UNITS, 1))), blob), 0);
    for (int n = 0; n < NB_PACKETS; n++) {
        fill(pkt, n);
        assert_non_null(av_packet_new_side_data(pkt, AV_PKT_DATA_PRFT, 8));
        assert_int_equal(wire_write(w, pkt, wire_pts(n, first)), 0);
        /* the caller's packet is as it was */
        assert_int_equal(pkt->duration, 12345);
        assert_int_equal(pkt->side_data_elems, 1);
        av_packet_unref(pkt);
    }
    assert_int_equal(wire_writer_finish(w), 0);
    wire_writer_free(&w);
    assert_null(w);
    av_packet_free(&pkt);
    avformat_free_context(src);
}

static void check_all(Blob *blob, AVRational rate, int64_t first)
{
    AVRational tb = av_inv_q(av_mul_q(rate, av_make_q(SEGMENT_WIRE_UNITS, 1)));
    AVFormatContext *src = make_source();
    const AVCodecParameters *a = src->streams[0]->codecpar, *b;
    AVPacket *pkt = av_packet_alloc(), *want = av_packet_alloc();
    WireReader *r;

    assert_int_equal(wire_reader_open(&r, blob, 0, 1), 0);
    b = wire_reader_stream(r)->codecpar;
    assert_int_equal(b->codec_id, a->codec_id);
    assert_int_equal(b->width, a->width);
    assert_int_equal(b->height, a->height);
    assert_int_equal(b->video_delay, a->video_delay);
    assert_int_equal(b->extradata_size, a->extradata_size);
    assert_memory_equal(b->extradata, a->extradata, a->extradata_size);
    assert_int_equal(av_cmp_q(wire_reader_stream(r)->sample_aspect_ratio,
                              src->streams[0]->sample_aspect_ratio), 0);
    for (int n = 0; n < NB_PACKETS; n++) {
        AVRational got_tb = wire_reader_stream(r)->time_base;

        assert_int_equal(wire_read(r, pkt), 0);
        fill(want, n);
        assert_int_equal(av_compare_ts(pkt->pts, got_tb, wire_pts(n, first), tb), 0);
        assert_int_equal(pkt->size, want->size);
        assert_memory_equal(pkt->data, want->data, want->size);
        assert_int_equal(pkt->flags & AV_PKT_FLAG_KEY, want->flags & AV_PKT_FLAG_KEY);
        av_packet_unref(pkt);
        av_packet_unref(want);
    }
    assert_int_equal(wire_read(r, pkt), AVERROR_EOF);
    wire_reader_close(&r);
    assert_null(r);
    av_packet_free(&pkt);
    av_packet_free(&want);
    avformat_free_context(src);
}

static void test_round_trip(void **state)
{
    static const AVRational rates[] = {
        { 25, 1 }, { 24000, 1001 }, { 30000, 1001 }, { 60000, 1001 }, { 120000, 1001 }, { 60, 1 },
        { 25, 2 }, { 15, 1 }, { 1, 1 }, { 1, 10 }, { 19001, 317 }, { 1000, 1 },
    };
    static const int64_t firsts[] = { SEGMENT_WIRE_BASE, 100, 1234567, 40 * 3600 * 60 };

    (void)state;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(rates); i++)
        for (size_t k = 0; k < FF_ARRAY_ELEMS(firsts); k++) {
            Blob *blob;

            assert_int_equal(blob_alloc(&blob, pool), 0);
            write_all(blob, rates[i], firsts[k]);
            blob_seal(blob);
            check_all(blob, rates[i], firsts[k]);
            check_all(blob, rates[i], firsts[k]);
            blob_unref(&blob);
        }
}

/* Payloads that lie in other blobs: what arrives is the same. */
static void test_parts(void **state)
{
    AVFormatContext *src = make_source();
    AVPacket *pkt = av_packet_alloc();
    Blob *blob[2], *store;
    WireWriter *w;
    uint8_t *read[2];

    (void)state;
    assert_int_equal(blob_alloc(&store, pool), 0);
    for (int n = 0; n < 10; n++) {
        assert_int_equal(av_new_packet(pkt, WIRE_MIN_PART + 100000 * n), 0);
        for (int i = 0; i < pkt->size; i++)
            pkt->data[i] = n + i * 7 + (i >> 8);
        assert_int_equal(blob_append(store, pkt->data, pkt->size), 0);
        av_packet_unref(pkt);
    }
    blob_seal(store);
    for (int part = 0; part < 2; part++) {
        int64_t at = 0;

        assert_int_equal(blob_alloc(&blob[part], pool), 0);
        assert_int_equal(wire_writer_open(&w, src->streams[0], av_make_q(1, 25 * SEGMENT_WIRE_UNITS), blob[part]), 0);
        for (int n = 0; n < 10; n++) {
            WirePayload payload = { store, at, WIRE_MIN_PART + 100000 * n };

            assert_int_equal(av_new_packet(pkt, payload.size), 0);
            pkt->flags = n % 4 ? 0 : AV_PKT_FLAG_KEY;
            assert_int_equal(blob_read(store, at, pkt->data, pkt->size), pkt->size);
            at += pkt->size;
            assert_int_equal(part && n % 3 ? wire_write_part(w, pkt->flags, &payload, n * SEGMENT_WIRE_UNITS) :
                             wire_write(w, pkt, n * SEGMENT_WIRE_UNITS), 0);
            av_packet_unref(pkt);
        }
        assert_int_equal(wire_writer_finish(w), 0);
        wire_writer_free(&w);
        blob_seal(blob[part]);
        read[part] = av_malloc(blob_size(blob[part]));
        assert_int_equal(blob_read(blob[part], 0, read[part], blob_size(blob[part])), blob_size(blob[part]));
    }
    blob_unref(&store);
    assert_int_equal(blob_size(blob[0]), blob_size(blob[1]));
    assert_memory_equal(read[0], read[1], blob_size(blob[0]));
    for (int part = 0; part < 2; part++) {
        av_free(read[part]);
        blob_unref(&blob[part]);
    }
    av_packet_free(&pkt);
    avformat_free_context(src);
}


/* Two readers of one blob are independent of each other. */
static void test_two_readers(void **state)
{
    AVPacket *pkt = av_packet_alloc();
    WireReader *a, *b;
    int64_t first;
    Blob *blob;

    (void)state;
    assert_int_equal(blob_alloc(&blob, pool), 0);
    write_all(blob, (AVRational) { 25, 1 }, 16);
    blob_seal(blob);
    assert_int_equal(wire_reader_open(&a, blob, 0, 1), 0);
    assert_int_equal(wire_reader_open(&b, blob, 0, 1), 0);
    blob_unref(&blob);
    assert_int_equal(wire_read(a, pkt), 0);
    first = pkt->pts;
    av_packet_unref(pkt);
    assert_int_equal(wire_read(a, pkt), 0);
    av_packet_unref(pkt);
    assert_int_equal(wire_read(b, pkt), 0);
    assert_int_equal(pkt->pts, first);
    av_packet_free(&pkt);
    wire_reader_close(&a);
    wire_reader_close(&b);
}

/* A writer that is given up in the middle leaves nothing behind. */
static void test_abandoned_writer(void **state)
{
    AVFormatContext *src = make_source();
    AVPacket *pkt = av_packet_alloc();
    WireWriter *w, *none = NULL;
    Blob *blob;

    (void)state;
    assert_int_equal(blob_alloc(&blob, pool), 0);
    assert_int_equal(wire_writer_open(&w, src->streams[0], (AVRational) { 1, 25600 }, blob), 0);
    fill(pkt, 0);
    assert_int_equal(wire_write(w, pkt, 16384), 0);
    wire_writer_free(&w);
    wire_writer_free(&none);
    blob_unref(&blob);
    av_packet_free(&pkt);
    avformat_free_context(src);
}

/* Read what a host might send instead. Must come to an end. */
static void read_whatever(const uint8_t *data, size_t size)
{
    AVPacket *pkt = av_packet_alloc();
    WireReader *r = NULL;
    Blob *blob;
    int ret, n = 0;

    assert_int_equal(blob_alloc(&blob, pool), 0);
    assert_int_equal(blob_append(blob, data, size), 0);
    blob_seal(blob);
    ret = wire_reader_open(&r, blob, 0, 1);
    if (ret >= 0) {
        assert_int_equal(wire_reader_stream(r)->index, 0);
        while ((ret = wire_read(r, pkt)) >= 0) {
            assert_true(pkt->size >= 0 && pkt->size <= (int)size);
            assert_true(n++ < 10000);
            av_packet_unref(pkt);
        }
    }
    assert_true(ret < 0);
    wire_reader_close(&r);
    blob_unref(&blob);
    av_packet_free(&pkt);
}

static void test_damage(void **state)
{
    uint8_t *data, *copy;
    int64_t size;
    AVLFG lfg;
    Blob *blob;

    (void)state;
    assert_int_equal(blob_alloc(&blob, pool), 0);
    write_all(blob, (AVRational) { 30000, 1001 }, 16);
    blob_seal(blob);
    size = blob_size(blob);
    data = malloc(size);
    copy = malloc(size);
    assert_true(data && copy);
    assert_int_equal(blob_read(blob, 0, data, size), size);
    blob_unref(&blob);

    read_whatever(data, 0);
    for (int n = 1; n < size; n += n < 400 ? 1 : 997)
        read_whatever(data, n);
    av_lfg_init(&lfg, 11);
    for (int run = 0; run < 400; run++) {
        int head = run & 1 ? FFMIN(size, 300) : size;

        memcpy(copy, data, size);
        for (int i = 0; i < 1 + run % 6; i++)
            copy[av_lfg_get(&lfg) % head] = av_lfg_get(&lfg);
        read_whatever(copy, size);
    }
    for (int i = 0; i < size; i++)
        copy[i] = av_lfg_get(&lfg);
    read_whatever(copy, size);
    memset(copy, 0, size);
    read_whatever(copy, size);
    read_whatever((const uint8_t *)"bash: ffmpeg: command not found\n", 32);
    free(data);
    free(copy);
}

/* One stream is what was asked for. */
static void test_two_streams(void **state)
{
    AVFormatContext *src = make_source(), *fc = NULL;
    WireReader *r;
    uint8_t *data;
    Blob *blob;
    int size;

    (void)state;
    assert_true(avformat_alloc_output_context2(&fc, NULL, "nut", NULL) >= 0);
    for (int i = 0; i < 2; i++) {
        AVStream *st = avformat_new_stream(fc, NULL);

        assert_true(avcodec_parameters_copy(st->codecpar, src->streams[0]->codecpar) >= 0);
        st->codecpar->codec_tag = 0;
        st->time_base = (AVRational) { 1, 25 };
    }
    assert_int_equal(avio_open_dyn_buf(&fc->pb), 0);
    assert_true(avformat_write_header(fc, NULL) >= 0);
    assert_int_equal(av_write_trailer(fc), 0);
    size = avio_close_dyn_buf(fc->pb, &data);
    assert_true(size > 0);
    assert_int_equal(blob_alloc(&blob, pool), 0);
    assert_int_equal(blob_append(blob, data, size), 0);
    blob_seal(blob);
    assert_true(wire_reader_open(&r, blob, 0, 1) < 0);
    wire_reader_close(&r);
    blob_unref(&blob);
    av_free(data);
    avformat_free_context(fc);
    avformat_free_context(src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_readers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_abandoned_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_streams, set_up, tear_down),
    };

    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
