/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libavutil/log.h>

#include "fftools/input/decoder.h"

static int alloc_for(enum AVMediaType type, enum AVCodecID id, AVCodecContext **dec)
{
    AVCodecParameters *par = avcodec_parameters_alloc();
    int ret;

    assert_non_null(par);
    par->codec_type  = type;
    par->codec_id    = id;
    par->sample_rate = 8000;
    ret = decoder_alloc(dec, par, (AVRational) { 1, 8000 });
    avcodec_parameters_free(&par);
    return ret;
}

static void test_alloc(void **state)
{
    AVCodecContext *dec;

    (void)state;
    assert_int_equal(alloc_for(AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_FLAC, &dec), 0);
    assert_int_equal(dec->codec_id, AV_CODEC_ID_FLAC);
    assert_int_equal(dec->sample_rate, 8000);
    assert_int_equal(dec->pkt_timebase.den, 8000);
    assert_int_equal(avcodec_open2(dec, NULL, NULL), 0);
    avcodec_free_context(&dec);
}

/** It is not the memory that is missing. */
static void test_missing(void **state)
{
    AVCodecContext *dec;

    (void)state;
    assert_int_equal(alloc_for(AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_NONE, &dec), AVERROR_DECODER_NOT_FOUND);
    assert_null(dec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_missing),
    };

    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
