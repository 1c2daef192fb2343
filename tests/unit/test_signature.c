/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fftools/segment/signature.h"

#define OLD   "\0\0\1\x06\x05" "x264 - core 148 r2"
#define NEW   "\0\0\1\x06\x05" "x264 - core 164 r3"
#define SLICE "\0\0\1\x65" "slice"

static Signature signature;
static AVCodecParameters par;

/* Give it a packet. @return whether it has become want */
static int gives(int key, const char *data, int size, const char *want, int want_size)
{
    AVPacket *pkt = av_packet_alloc();
    int ret;

    assert_int_equal(av_new_packet(pkt, size), 0);
    memcpy(pkt->data, data, size);
    pkt->flags = key ? AV_PKT_FLAG_KEY : 0;
    assert_int_equal(signature_repeat(&signature, &par, pkt), 0);
    ret = pkt->size == want_size && !memcmp(pkt->data, want, want_size);
    av_packet_free(&pkt);
    return ret;
}

#define GIVES(key, data, want) gives(key, data, sizeof(data) - 1, want, sizeof(want) - 1)

static void old_builds(void **state)
{
    (void)state;
    par = (AVCodecParameters){ .codec_id = AV_CODEC_ID_H264 };
    assert_true(GIVES(1, SLICE, SLICE));
    assert_true(GIVES(1, OLD SLICE, OLD SLICE));
    assert_true(GIVES(0, SLICE, SLICE));
    assert_true(GIVES(1, SLICE, OLD SLICE));
    assert_true(GIVES(1, "\0\0\0\1\x67" "set" SLICE, OLD "\0\0\0\1\x67" "set" SLICE));
    /* another one follows in the same file */
    assert_true(GIVES(1, NEW SLICE, NEW SLICE));
    assert_true(GIVES(1, SLICE, SLICE));
    signature_free(&signature);
}

static void with_lengths(void **state)
{
    (void)state;
    par = (AVCodecParameters){ .codec_id = AV_CODEC_ID_H264, .extradata = (uint8_t *)"\1\x64\0\x0a\xff\xe1\0",
                               .extradata_size = 7 };
    assert_true(GIVES(1, "\0\0\0\x0f\x06x264 - core 98\0\0\0\6\x65slice", "\0\0\0\x0f\x06x264 - core 98\0\0\0\6\x65slice"));
    assert_true(GIVES(1, "\0\0\0\6\x65slice", "\0\0\0\x0f\x06x264 - core 98\0\0\0\6\x65slice"));
    signature_free(&signature);
}

static void other_codecs(void **state)
{
    (void)state;
    par = (AVCodecParameters){ .codec_id = AV_CODEC_ID_MPEG4 };
    assert_true(GIVES(1, OLD SLICE, OLD SLICE));
    assert_true(GIVES(1, SLICE, SLICE));
    signature_free(&signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_builds),
        cmocka_unit_test(with_lengths),
        cmocka_unit_test(other_codecs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
