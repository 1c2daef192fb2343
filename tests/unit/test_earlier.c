/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fftools/segment/earlier.h"

#define JPEG   "\xff\xd8"
#define QUANT  "\xff\xdb\x00\x07\x00" "1234"
#define TABLE  "\xff\xc4\x00\x14\x10" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "x"
#define FRAME  "\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"
#define SCAN   "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" "bits"

static Earlier earlier;
static AVCodecParameters par;

static void begin(enum AVCodecID id, const char *extradata, int size)
{
    earlier = (Earlier){ 0 };
    par = (AVCodecParameters){ .codec_id = id, .extradata = (uint8_t *)extradata, .extradata_size = size };
}

static int look(int key, const char *data, int size)
{
    AVPacket pkt = { .data = (uint8_t *)data, .size = size, .flags = key ? AV_PKT_FLAG_KEY : 0 };

    return !!earlier_is_needed(&earlier, &par, &pkt);
}

#define BEGIN(id, text) begin(id, text, sizeof(text) - 1)
#define LOOK(key, text) look(key, text, sizeof(text) - 1)

static void parameter_sets(void **state)
{
    (void)state;
    BEGIN(AV_CODEC_ID_H264, "\0\0\0\1\x67" "ab\0\0\0\1\x68" "cd");
    assert_int_equal(LOOK(1, "\0\0\0\1\x67" "ab\0\0\0\1\x68" "cd\0\0\1\x65" "slice"), 0);
    assert_int_equal(LOOK(1, "\0\0\1\x65" "slice"), 0);
    /* others come, and the next keyframe has none */
    assert_int_equal(LOOK(1, "\0\0\0\1\x67" "ab\0\0\0\1\x68" "ef\0\0\1\x65" "slice"), 0);
    assert_int_equal(LOOK(0, "\0\0\1\x41" "slice"), 0);
    assert_int_equal(LOOK(1, "\0\0\0\1\x68" "ef\0\0\1\x65" "slice"), 1);
    assert_int_equal(LOOK(1, "\0\0\1\x65" "slice"), 1);
    assert_int_equal(LOOK(1, "\0\0\0\1\x67" "ab\0\0\0\1\x68" "ef\0\0\1\x65" "slice"), 0);

    BEGIN(AV_CODEC_ID_H264, "\1\x64\0\x0a\xff\xe1\0\3\x67" "ab\1\0\3\x68" "cd");
    assert_int_equal(LOOK(1, "\0\0\0\6\x65" "slice"), 0);
    assert_int_equal(LOOK(0, "\0\0\0\3\x68" "ef\0\0\0\6\x41" "slice"), 0);
    assert_int_equal(LOOK(1, "\0\0\0\6\x65" "slice"), 1);

    BEGIN(AV_CODEC_ID_HEVC, "\0\0\0\1\x42\1ab\0\0\0\1\x44\1cd");
    assert_int_equal(LOOK(1, "\0\0\0\1\x42\1ab\0\0\0\1\x44\1ef\0\0\1\x26\1slice"), 0);
    assert_int_equal(LOOK(1, "\0\0\1\x26\1slice"), 1);
}

static void sequence_headers(void **state)
{
    (void)state;
    BEGIN(AV_CODEC_ID_MPEG2VIDEO, "\0\0\1\xb3" "abc\0\0\1\xb5" "d");
    assert_int_equal(LOOK(1, "\0\0\1\xb3" "abc\0\0\1\xb5" "d\0\0\1\xb8gop\0\0\1\0pic"), 0);
    assert_int_equal(LOOK(1, "\0\0\1\xb8gop\0\0\1\0pic"), 0);
    assert_int_equal(LOOK(1, "\0\0\1\xb3" "xyz\0\0\1\xb5" "d\0\0\1\xb8gop\0\0\1\0pic"), 0);
    assert_int_equal(LOOK(0, "\0\0\1\0pic"), 0);
    assert_int_equal(LOOK(1, "\0\0\1\xb8gop\0\0\1\0pic"), 1);

    BEGIN(AV_CODEC_ID_MPEG4, "\0\0\1\x20layer");
    assert_int_equal(LOOK(1, "\0\0\1\xb6picture"), 0);
    assert_int_equal(LOOK(1, "\0\0\1\x20other\0\0\1\xb6picture"), 0);
    assert_int_equal(LOOK(1, "\0\0\1\xb6picture"), 1);
}

static void jpeg_tables(void **state)
{
    (void)state;
    BEGIN(AV_CODEC_ID_MJPEG, "");
    assert_int_equal(LOOK(1, JPEG QUANT FRAME SCAN), 0);
    assert_int_equal(LOOK(1, JPEG FRAME SCAN), 1);
    assert_int_equal(LOOK(1, JPEG QUANT FRAME TABLE SCAN), 0);
    /* the usual Huffman tables are no longer in use */
    assert_int_equal(LOOK(1, JPEG QUANT FRAME SCAN), 1);
    assert_int_equal(LOOK(1, "no picture"), 0);
    assert_int_equal(LOOK(1, JPEG "\xff\xdb\xff\xff"), 0);
}

static void only_keyframes(void **state)
{
    (void)state;
    BEGIN(AV_CODEC_ID_CINEPAK, "");
    assert_int_equal(LOOK(1, "a"), 0);
    assert_int_equal(LOOK(0, "b"), 0);
    assert_int_equal(LOOK(1, "c"), 0);
    assert_int_equal(LOOK(1, "d"), 1);
    BEGIN(AV_CODEC_ID_HUFFYUV, "");
    assert_int_equal(LOOK(1, "a"), 0);
    assert_int_equal(LOOK(1, "b"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_sets),
        cmocka_unit_test(sequence_headers),
        cmocka_unit_test(jpeg_tables),
        cmocka_unit_test(only_keyframes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
