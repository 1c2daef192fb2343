/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/lfg.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>

#include "fftools/encode/paramsets.h"

#define NB_FRAMES 12

/* A short encode. */
typedef struct Stream {
    AVCodecParameters *par;
    AVPacket *packets[NB_FRAMES];
    int nb_packets;
} Stream;

static void take_packets(AVCodecContext *enc, Stream *s)
{
    AVPacket *pkt = av_packet_alloc();

    while (avcodec_receive_packet(enc, pkt) >= 0) {
        assert_true(s->nb_packets < NB_FRAMES);
        s->packets[s->nb_packets++] = pkt;
        pkt = av_packet_alloc();
    }
    av_packet_free(&pkt);
}

/* variant: with other parameter sets */
static void encode(const char *name, int global_header, int variant, Stream *s)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    AVCodecContext *enc  = codec ? avcodec_alloc_context3(codec) : NULL;
    AVFrame *frame = av_frame_alloc();

    memset(s, 0, sizeof(*s));
    if (!enc) {
        av_frame_free(&frame);
        print_message("no encoder %s\n", name);
        skip();
    }
    enc->width     = enc->height = 64;
    enc->pix_fmt   = AV_PIX_FMT_YUV420P;
    enc->time_base = (AVRational) { 1, 25 };
    enc->refs      = variant ? 4 : 1;
    enc->flags    |= global_header ? AV_CODEC_FLAG_GLOBAL_HEADER : 0;
    av_opt_set(enc->priv_data, "preset", "ultrafast", 0);
    av_opt_set(enc->priv_data, "x265-params", variant ? "log-level=none:pools=1:bframes=0" :
               "log-level=none:pools=1", 0);
    assert_int_equal(avcodec_open2(enc, codec, NULL), 0);
    frame->width  = frame->height = 64;
    frame->format = AV_PIX_FMT_YUV420P;
    for (int i = 0; i < NB_FRAMES; i++) {
        assert_int_equal(av_frame_get_buffer(frame, 0), 0);
        for (int p = 0; p < 3; p++)
            memset(frame->data[p], 16 * i + p, frame->linesize[p] * (p ? 32 : 64));
        frame->pts = i;
        assert_int_equal(avcodec_send_frame(enc, frame), 0);
        take_packets(enc, s);
        av_buffer_unref(&frame->buf[0]);
        av_buffer_unref(&frame->buf[1]);
        av_buffer_unref(&frame->buf[2]);
    }
    avcodec_send_frame(enc, NULL);
    take_packets(enc, s);
    assert_int_equal(s->nb_packets, NB_FRAMES);
    s->par = avcodec_parameters_alloc();
    assert_true(avcodec_parameters_from_context(s->par, enc) >= 0);
    av_frame_free(&frame);
    avcodec_free_context(&enc);
}

static void stream_free(Stream *s)
{
    for (int i = 0; i < s->nb_packets; i++)
        av_packet_free(&s->packets[i]);
    avcodec_parameters_free(&s->par);
}

/* Through an mp4 file, which packs the parameter sets in another way. */
static void through_mp4(const Stream *s, AVCodecParameters *par)
{
    const char *tmp = getenv("TMPDIR");
    AVFormatContext *fc = NULL;
    AVPacket *pkt = av_packet_alloc();
    char name[512];
    int fd;

    snprintf(name, sizeof(name), "%s/paramsetsXXXXXX", tmp ? tmp : "/tmp");
    fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    assert_true(avformat_alloc_output_context2(&fc, NULL, "mp4", name) >= 0);
    assert_true(avcodec_parameters_copy(avformat_new_stream(fc, NULL)->codecpar, s->par) >= 0);
    fc->streams[0]->time_base = (AVRational) { 1, 25 };
    fc->streams[0]->codecpar->codec_tag = 0;
    assert_int_equal(avio_open(&fc->pb, name, AVIO_FLAG_WRITE), 0);
    assert_true(avformat_write_header(fc, NULL) >= 0);
    for (int i = 0; i < s->nb_packets; i++) {
        assert_int_equal(av_packet_ref(pkt, s->packets[i]), 0);
        av_packet_rescale_ts(pkt, (AVRational) { 1, 25 }, fc->streams[0]->time_base);
        assert_int_equal(av_write_frame(fc, pkt), 0);
        av_packet_unref(pkt);
    }
    assert_int_equal(av_write_trailer(fc), 0);
    avio_closep(&fc->pb);
    avformat_free_context(fc);
    av_packet_free(&pkt);

    fc = NULL;
    assert_int_equal(avformat_open_input(&fc, name, NULL, NULL), 0);
    assert_true(avcodec_parameters_copy(par, fc->streams[0]->codecpar) >= 0);
    avformat_close_input(&fc);
    unlink(name);
}

/* Parse a copy without a byte behind its end. */
static int parse(ParamSets *ps, enum AVCodecID id, const uint8_t *data, size_t size)
{
    AVCodecParameters par = { .codec_id = id, .extradata_size = size };
    int ret;

    par.extradata = malloc(size ? size : 1);
    assert_non_null(par.extradata);
    memcpy(par.extradata, data, size);
    ret = paramsets_parse(ps, &par);
    free(par.extradata);
    return ret;
}

static void check_packings(const char *encoder)
{
    AVCodecParameters *boxed = avcodec_parameters_alloc();
    ParamSets annexb, box, packet, other;
    Stream global, local, variant;

    encode(encoder, 1, 0, &global);
    encode(encoder, 0, 0, &local);
    encode(encoder, 1, 1, &variant);
    through_mp4(&global, boxed);
    assert_int_equal(global.par->extradata[0], 0);
    assert_int_equal(boxed->extradata[0], 1);
    assert_int_equal(paramsets_parse(&annexb, global.par), 0);
    assert_int_equal(paramsets_parse(&box, boxed), 0);
    assert_int_equal(paramsets_parse(&other, variant.par), 0);
    assert_int_equal(paramsets_parse_packet(&packet, global.par->codec_id, local.packets[0]), 0);
    assert_true(annexb.size > 10);
    assert_true(paramsets_equal(&annexb, &box));
    assert_true(paramsets_equal(&annexb, &packet));
    assert_false(paramsets_equal(&annexb, &other));
    paramsets_free(&annexb);
    paramsets_free(&box);
    paramsets_free(&other);
    paramsets_free(&packet);
    avcodec_parameters_free(&boxed);
    stream_free(&global);
    stream_free(&local);
    stream_free(&variant);
}

static void test_packings_h264(void **state)
{
    (void)state;
    check_packings("libx264");
}

static void test_packings_hevc(void **state)
{
    (void)state;
    check_packings("libx265");
}

/* All beginnings of it, and all of it with one byte changed: an error or a result, nothing else. */
static void check_damage(enum AVCodecID id, const uint8_t *data, size_t size, int boxed)
{
    uint8_t *copy = av_memdup(data, size);
    ParamSets whole, ps;
    int nb_invalid = 0;

    assert_non_null(copy);
    assert_int_equal(parse(&whole, id, data, size), 0);
    for (size_t n = 0; n < size; n++) {
        int ret = parse(&ps, id, data, n);

        assert_true(ret == 0 || ret == AVERROR_INVALIDDATA);
        assert_true(ret == 0 || !ps.data);
        assert_true(ps.size <= whole.size);
        nb_invalid += ret < 0;
        paramsets_free(&ps);
    }
    /* only the end of avcC may be missing */
    assert_true(boxed ? nb_invalid >= (int)size - 6 : nb_invalid == 0);
    for (size_t i = 0; i < size; i++)
        for (int v = 0; v < 256; v += 5) {
            int ret;

            copy[i] = data[i] ^ v;
            ret = parse(&ps, id, copy, size);
            assert_true(ret == 0 || ret == AVERROR_INVALIDDATA);
            paramsets_free(&ps);
            copy[i] = data[i];
        }
    paramsets_free(&whole);
    av_free(copy);
}

static void check_damages(const char *encoder)
{
    AVCodecParameters *boxed = avcodec_parameters_alloc();
    Stream s;

    encode(encoder, 1, 0, &s);
    through_mp4(&s, boxed);
    check_damage(s.par->codec_id, s.par->extradata, s.par->extradata_size, 0);
    check_damage(s.par->codec_id, boxed->extradata, boxed->extradata_size, 1);
    avcodec_parameters_free(&boxed);
    stream_free(&s);
}

static void test_damage_h264(void **state)
{
    (void)state;
    check_damages("libx264");
}

static void test_damage_hevc(void **state)
{
    (void)state;
    check_damages("libx265");
}

static void test_noise(void **state)
{
    uint8_t data[64];
    ParamSets ps;
    AVLFG lfg;

    (void)state;
    av_lfg_init(&lfg, 3);
    for (int run = 0; run < 50000; run++) {
        size_t size = av_lfg_get(&lfg) % sizeof(data);
        enum AVCodecID id = run & 1 ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC;

        /* mostly start codes and small lengths */
        for (size_t i = 0; i < size; i++)
            data[i] = av_lfg_get(&lfg) % 3 ? av_lfg_get(&lfg) % 3 : av_lfg_get(&lfg);
        if (size)
            data[0] = run >> 1 & 1;
        parse(&ps, id, data, size);
        paramsets_free(&ps);
    }
}

/* Of other codecs the extradata as it is. */
static void test_other_codecs(void **state)
{
    static const uint8_t a[] = { 1, 2, 3 }, b[] = { 1, 2, 4 };
    ParamSets p, q, r, none;

    (void)state;
    assert_int_equal(parse(&p, AV_CODEC_ID_MPEG4, a, 3), 0);
    assert_int_equal(parse(&q, AV_CODEC_ID_MPEG4, a, 3), 0);
    assert_int_equal(parse(&r, AV_CODEC_ID_MPEG4, b, 3), 0);
    assert_int_equal(parse(&none, AV_CODEC_ID_H264, a, 0), 0);
    assert_true(paramsets_equal(&p, &q));
    assert_false(paramsets_equal(&p, &r));
    assert_false(paramsets_equal(&p, &none));
    assert_null(none.data);
    q.codec_id = AV_CODEC_ID_MPEG2VIDEO;
    assert_false(paramsets_equal(&p, &q));
    paramsets_free(&p);
    paramsets_free(&q);
    paramsets_free(&r);
}

/* ---- the signature ---- */

static int has_bytes(const AVPacket *pkt, const char *text)
{
    return !!memmem(pkt->data, pkt->size, text, strlen(text));
}

static int decodes(const Stream *s, const AVPacket *first)
{
    AVCodecContext *dec = avcodec_alloc_context3(avcodec_find_decoder(s->par->codec_id));
    AVFrame *frame = av_frame_alloc();
    int n = 0;

    assert_true(avcodec_parameters_to_context(dec, s->par) >= 0);
    dec->thread_count   = 1;
    dec->err_recognition = AV_EF_EXPLODE;
    assert_int_equal(avcodec_open2(dec, NULL, NULL), 0);
    for (int i = 0; i <= s->nb_packets; i++) {
        const AVPacket *pkt = i == s->nb_packets ? NULL : i ? s->packets[i] : first;

        assert_int_equal(avcodec_send_packet(dec, pkt), 0);
        while (avcodec_receive_frame(dec, frame) >= 0)
            n++;
    }
    av_frame_free(&frame);
    avcodec_free_context(&dec);
    return n;
}

static void check_signature(const char *encoder, const char *mark, int global_header)
{
    AVPacket *pkt = av_packet_alloc(), *shared = av_packet_alloc();
    Stream s;
    int size;

    encode(encoder, global_header, 0, &s);
    assert_int_equal(av_packet_ref(pkt, s.packets[0]), 0);
    assert_int_equal(av_packet_ref(shared, s.packets[0]), 0);
    assert_true(has_bytes(pkt, mark));
    size = pkt->size;
    assert_int_equal(paramsets_strip_signature(s.par->codec_id, pkt), 0);
    assert_false(has_bytes(pkt, mark));
    assert_true(pkt->size < size - 100);
    /* the other reference is as it was */
    assert_int_equal(shared->size, size);
    assert_true(has_bytes(shared, mark));
    assert_int_equal(decodes(&s, pkt), NB_FRAMES);

    /* nothing more to find, here and in later packets */
    size = pkt->size;
    assert_int_equal(paramsets_strip_signature(s.par->codec_id, pkt), 0);
    assert_int_equal(pkt->size, size);
    size = s.packets[1]->size;
    assert_int_equal(paramsets_strip_signature(s.par->codec_id, s.packets[1]), 0);
    assert_int_equal(s.packets[1]->size, size);
    av_packet_free(&pkt);
    av_packet_free(&shared);
    stream_free(&s);
}

static void test_signature_x264(void **state)
{
    (void)state;
    check_signature("libx264", "x264 - core", 0);
    check_signature("libx264", "x264 - core", 1);
}

static void test_signature_x265(void **state)
{
    (void)state;
    check_signature("libx265", "x265 (build", 0);
}

static void test_signature_damage(void **state)
{
    Stream s;
    int size;

    (void)state;
    encode("libx264", 0, 0, &s);
    size = FFMIN(s.packets[0]->size, 900);
    for (int n = 0; n < size; n++) {
        AVPacket pkt = { .data = malloc(n ? n : 1), .size = n };
        uint8_t *start = pkt.data;

        /* without a reference to count, it is copied where it has to be changed */
        memcpy(start, s.packets[0]->data, n);
        assert_int_equal(paramsets_strip_signature(AV_CODEC_ID_H264, &pkt), 0);
        assert_true(pkt.size <= n);
        av_buffer_unref(&pkt.buf);
        free(start);
    }
    stream_free(&s);
}

/* Other people's SEI stay, and other codecs are none of its business. */
static void test_not_a_signature(void **state)
{
    static const uint8_t sei[] = {
        0, 0, 0, 1, 6, 5, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 'h', 'i', 0x80,
        0, 0, 1, 0x65, 0x88, 0x84
    };
    AVPacket *pkt = av_packet_alloc();

    (void)state;
    assert_int_equal(av_new_packet(pkt, sizeof(sei)), 0);
    memcpy(pkt->data, sei, sizeof(sei));
    assert_int_equal(paramsets_strip_signature(AV_CODEC_ID_H264, pkt), 0);
    assert_int_equal(paramsets_strip_signature(AV_CODEC_ID_MPEG4, pkt), 0);
    assert_int_equal(pkt->size, sizeof(sei));
    assert_memory_equal(pkt->data, sei, sizeof(sei));
    av_packet_free(&pkt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packings_h264),
        cmocka_unit_test(test_packings_hevc),
        cmocka_unit_test(test_damage_h264),
        cmocka_unit_test(test_damage_hevc),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_other_codecs),
        cmocka_unit_test(test_signature_x264),
        cmocka_unit_test(test_signature_x265),
        cmocka_unit_test(test_signature_damage),
        cmocka_unit_test(test_not_a_signature),
    };

    av_log_set_level(AV_LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
