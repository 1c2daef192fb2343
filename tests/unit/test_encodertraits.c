/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <libavcodec/avcodec.h>
#include <libavutil/error.h>

#include "fftools/plan/encodertraits.h"

#define NO AVERROR(ENOSYS)

static const struct {
    const char *encoder, *opts; ///< "key=value key=value"
    int ret, gop, max_gop;
    const char *why;            ///< must be part of the reason
} cases[] = {
    { "libx264", "", 0, 0, 250, "" },
    { "libx264", "crf=20", 0, 0, 250, "" },
    { "libx264", "crf=20 b=1M", 0, 0, 250, "" },
    { "libx264", "b=1M", NO, 0, 250, "bit rate" },
    { "libx264", "b=0", 0, 0, 250, "" },
    { "libx264", "crf=20 maxrate=2M bufsize=4M", NO, 0, 250, "maxrate" },
    { "libx264", "crf=20 crf_max=30", NO, 0, 250, "crf_max" },
    { "libx264", "b=1M pass=1", NO, 0, 250, "two passes" },
    { "libx264", "flags=+pass2 b=1M", NO, 0, 250, "two passes" },
    { "libx264", "x264-params=bitrate=1000", NO, 0, 250, "bitrate" },
    { "libx264", "x264-params=vbv-maxrate=1000:vbv_bufsize=2000", NO, 0, 250, "vbv-maxrate" },
    { "libx264", "x264opts=vbv_maxrate=1000", NO, 0, 250, "vbv-maxrate" },
    { "libx264", "x264-params=nal-hrd=vbr", NO, 0, 250, "nal-hrd" },
    { "libx264", "x264-params=nal-hrd=none", 0, 0, 250, "" },
    { "libx264", "x264-params=zones=0,10,q=20", NO, 0, 250, "zones" },
    { "libx264", "x264-params=cqmfile=a", NO, 0, 250, "file of this machine" },
    { "libx264", "x264opts=dump_yuv=a", NO, 0, 250, "file of this machine" },
    { "libx264", "intra-refresh=1", NO, 0, 250, "keyframes" },
    { "libx264", "qp=20 g=48", 0, 0, 48, "" },
    { "libx264", "qp=20 g=48 sc_threshold=0", 0, 48, 48, "" },
    { "libx264", "qp=20 sc_threshold=0", 0, 250, 250, "" },
    { "libx264", "qp=20 sc_threshold=-1 g=48", 0, 0, 48, "" },
    { "libx264", "preset=ultrafast g=30", 0, 30, 30, "" },
    { "libx264", "preset=ultrafast g=30 sc_threshold=40", 0, 0, 30, "" },
    { "libx264", "x264-params=scenecut=0:keyint=60", 0, 60, 60, "" },
    { "libx264", "x264-params=no-scenecut:keyint=60", 0, 60, 60, "" },
    { "libx264", "x264opts=no-scenecut:keyint=60 g=10", 0, 60, 60, "" },
    { "libx264", "x264-params=scenecut=0:keyint=infinite", 0, 0, 0, "" },
    { "libx264", "x264-params=scenecut=0:keyint=60:open-gop=1", 0, 0, 60, "" },
    { "libx264", "flags=-cgop sc_threshold=0", 0, 0, 250, "" },
    { "libx264", "flags=psnr sc_threshold=0", 0, 0, 250, "" },
    { "libx264", "flags=-cgop+psnr sc_threshold=0", 0, 0, 250, "" },
    { "libx264", "flags=cgop sc_threshold=0", 0, 250, 250, "" },
    { "libx264", "flags=512", NO, 0, 250, "two passes" },
    { "libx264", "g=0", 0, 1, 1, "" },
    { "libx264", "g=1", 0, 1, 1, "" },
    { "libx264rgb", "qp=0", 0, 0, 250, "" },
    { "libx265", "", 0, 0, 250, "" },
    { "libx265", "b=1M", NO, 0, 250, "bit rate" },
    { "libx265", "b=1M crf=20", 0, 0, 250, "" },
    { "libx265", "b=1M qp=20", NO, 0, 250, "bit rate" },
    { "libx265", "x265-params=bitrate=500", NO, 0, 250, "bitrate" },
    { "libx265", "x265-params=qp=20:scenecut=0:keyint=12", 0, 0, 12, "" },
    { "libx265", "x265-params=qp=20:scenecut=0:keyint=12:open-gop=0", 0, 12, 12, "" },
    { "libx265", "flags=+cgop x265-params=scenecut=0 g=24", 0, 24, 24, "" },
    { "libx265", "x265-params=no-scenecut:no-open-gop:keyint=24", 0, 24, 24, "" },
    { "libx265", "x265-params=csv=a.csv", NO, 0, 250, "file of this machine" },
    { "libx265", "x265-params=scaling-list=default", 0, 0, 250, "" },
    { "libx265", "x265-params=scaling-list=a", NO, 0, 250, "file of this machine" },
    { "libvpx", "", NO, 0, 128, "bit rate" },
    { "libvpx", "crf=30", NO, 0, 128, "limits" },
    { "libvpx-vp9", "", 0, 0, 128, "" },
    { "libvpx-vp9", "crf=30", 0, 0, 128, "" },
    { "libvpx-vp9", "crf=30 b=0 g=48 keyint_min=48", 0, 48, 48, "" },
    { "libvpx-vp9", "crf=30 b=1M", NO, 0, 128, "bit rate" },
    { "libvpx-vp9", "lossless=1", 0, 0, 128, "" },
    { "libvpx-vp9", "lossless=0", NO, 0, 128, "lossless" },
    { "libaom-av1", "crf=30", 0, 0, 9999, "" },
    { "libaom-av1", "crf=30 b=1M", NO, 0, 9999, "bit rate" },
    { "libaom-av1", "aom-params=end-usage=vbr", NO, 0, 9999, "end-usage" },
    { "libsvtav1", "", 0, 0, 0, "" },
    { "libsvtav1", "crf=30 b=1M", 0, 0, 0, "" },
    { "libsvtav1", "b=1M", NO, 0, 0, "bit rate" },
    { "libsvtav1", "svtav1-params=tbr=1000:rc=1", NO, 0, 0, "tbr" },
    { "libsvtav1", "svtav1-params=rc=0 crf=30 g=60", 0, 60, 60, "" },
    { "libsvtav1", "g=60 svtav1-params=scd=1", 0, 0, 60, "" },
    { "libsvtav1", "g=60 svtav1-params=keyint=10s", 0, 0, 0, "" },
    { "librav1e", "", 0, 0, 240, "" },
    { "librav1e", "b=1M", NO, 0, 240, "bit rate" },
    { "librav1e", "b=1M qp=80", 0, 0, 240, "" },
    { "mpeg4", "", NO, 0, 12, "-q:v" },
    { "mpeg4", "b=2M", NO, 0, 12, "-q:v" },
    { "mpeg4", "qscale=4", 0, 0, 12, "" },
    { "mpeg4", "qscale=4 sc_threshold=1000000000", 0, 12, 12, "" },
    { "mpeg4", "qscale=4 g=50 sc_threshold=1000000000", 0, 50, 50, "" },
    { "mpeg4", "qscale=4 bf=2 sc_threshold=1000000000", 0, 0, 12, "" },
    { "mpeg4", "qscale=4 bf=2 sc_threshold=1000000000 mpv_flags=+strict_gop flags=+cgop", 0, 12, 12, "" },
    { "mpeg4", "qscale=4 g=0", 0, 1, 0, "" },
    { "mpeg4", "qscale=4 maxrate=1M bufsize=1M", NO, 0, 12, "maxrate" },
    { "mpeg4", "qscale=4 flags=+psnr", 0, 0, 12, "" },
    { "mpeg4", "qscale=4 flags=psnr", NO, 0, 12, "bit rate" },
    { "mpeg4", "qscale=4 flags=+pass1", NO, 0, 12, "two passes" },
    { "mpeg2video", "qscale=2 g=1000 sc_threshold=1000000000", 0, 600, 600, "" },
    { "mpeg2video", "global_quality=2", NO, 0, 12, "-q:v" },
    { "mpeg1video", "qscale=2", NO, 0, 12, "threads" },
    { "mpeg1video", "qscale=2 threads=1", 0, 0, 12, "" },
    { "wmv2", "qscale=2", 0, 0, 12, "" },
    { "mjpeg", "", NO, 1, 1, "-q:v" },
    { "mjpeg", "qscale=3", 0, 1, 1, "" },
    { "speedhq", "", NO, 1, 1, "-q:v" },
    { "prores", "", 0, 1, 1, "" },
    { "prores_ks", "profile=3 b=100M", 0, 1, 1, "" },
    { "dnxhd", "b=120M", 0, 1, 1, "" },
    { "rawvideo", "", 0, 1, 1, "" },
    { "ffvhuff", "", 0, 1, 1, "" },
    { "ffvhuff", "context=1", NO, 1, 1, "context" },
    { "huffyuv", "context=0", 0, 1, 1, "" },
    { "ffv1", "", 0, 12, 12, "" },
    { "ffv1", "g=1", 0, 1, 1, "" },
    { "ffv1", "g=0", 0, 1, 1, "" },
    { "ffv1", "pass=2", NO, 12, 12, "two passes" },
    { "qtrle", "g=30", 0, 30, 30, "" },
    { "snow", "qscale=3", NO, 0, 0, "carries" },
    { "cinepak", "", NO, 0, 0, "carries" },
    { "gif", "", NO, 0, 0, "carries" },
    { "libxvid", "qscale=3", 0, 0, 12, "" },
    { "libxvid", "b=1M", NO, 0, 12, "-q:v" },
    { "libtheora", "qscale=6", 0, 0, 12, "" },
    { "h264_nvenc", "", NO, 0, 250, "bit rate" },
    { "h264_nvenc", "rc=constqp qp=20", 0, 0, 250, "" },
    { "h264_nvenc", "qp=20", 0, 0, 250, "" },
    { "h264_nvenc", "rc=vbr", NO, 0, 250, "vbr" },
    { "h264_nvenc", "rc=vbr cq=20", 0, 0, 250, "" },
    { "hevc_nvenc", "rc=cbr cq=20", NO, 0, 250, "cbr" },
    { "h264_vaapi", "", 0, 0, 120, "" },
    { "h264_vaapi", "qp=20", 0, 0, 120, "" },
    { "h264_vaapi", "b=1M", NO, 0, 120, "bit rate" },
    { "h264_vaapi", "rc_mode=QVBR", NO, 0, 120, "QVBR" },
    { "h264_vaapi", "rc_mode=CQP b=1M", 0, 0, 120, "" },
    { "h264_qsv", "", NO, 0, 250, "global_quality" },
    { "h264_qsv", "global_quality=25", 0, 0, 250, "" },
    { "h264_amf", "", NO, 0, 250, "bit rate" },
    { "h264_amf", "rc=cqp", 0, 0, 250, "" },
    { "h264_videotoolbox", "qscale=50", 0, 0, 12, "" },
    { "h264_v4l2m2m", "", NO, 0, 0, "bit rate" },
    { "libopenh264", "", NO, 0, 0, "bit rate" },
    { "libopenh264", "rc_mode=off", 0, 0, 0, "" },
    { "nosuchencoder", "crf=20", NO, 0, 0, "not known" },
};

static void judgements(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AVDictionary *opts = NULL;
        EncoderJudgement j;
        char why[256];
        int ret;

        assert_int_equal(av_dict_parse_string(&opts, cases[i].opts, "=", " ", 0), 0);
        ret = encoder_judge(cases[i].encoder, opts, &j, why, sizeof(why));
        av_dict_free(&opts);
        if (ret != cases[i].ret || j.gop != cases[i].gop || j.max_gop != cases[i].max_gop ||
            !strstr(why, cases[i].why) || !ret != !why[0] || (ret < 0) != (j.rate == RATE_BITRATE && why[0]))
            fail_msg("%s %s: %d, gop %d of at most %d, '%s' (expected %d, %d, %d, '%s')",
                     cases[i].encoder, cases[i].opts, ret, j.gop, j.max_gop, why, cases[i].ret,
                     cases[i].gop, cases[i].max_gop, cases[i].why);
    }
}

static void structure(void **state)
{
    AVDictionary *opts = NULL;
    EncoderJudgement j;
    char why[256];

    (void)state;
    encoder_judge("libx265", NULL, &j, why, sizeof(why));
    assert_int_equal(j.open_gop, 1);
    assert_int_equal(j.rate, RATE_QUALITY);
    assert_int_equal(j.threads_matter, 1);
    encoder_judge("libx264", NULL, &j, why, sizeof(why));
    assert_int_equal(j.open_gop, 0);
    av_dict_set(&opts, "flags", "+global_header-cgop", 0);
    encoder_judge("libx264", opts, &j, why, sizeof(why));
    assert_int_equal(j.open_gop, 1);
    av_dict_free(&opts);
    encoder_judge("ffv1", NULL, &j, why, sizeof(why));
    assert_int_equal(j.rate, RATE_FRAME_LOCAL);
    assert_int_equal(j.threads_matter, 0);
}

/* Encoders of the installed libavcodec that ffleet ought to know are in the table. */
static void installed_encoders(void **state)
{
    static const char *const strangers[] = { "libxavs", "libxavs2", "libxeve", "libdavs2", "xface",
                                             "wrapped_avframe", "vnull", "h264_d3d12va" };
    const AVCodec *codec;
    void *opaque = NULL;
    int unknown = 0;

    (void)state;
    while ((codec = av_codec_iterate(&opaque))) {
        const EncoderTraits *t = encoder_traits(codec->name);
        int stranger = 0;

        if (!av_codec_is_encoder(codec) || codec->type != AVMEDIA_TYPE_VIDEO ||
            codec->capabilities & AV_CODEC_CAP_HARDWARE)
            continue;
        for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
            stranger |= !strcmp(strangers[i], codec->name);
        if (!t && !stranger) {
            fprintf(stderr, "not in the table: %s\n", codec->name);
            unknown++;
        }
    }
    assert_int_equal(unknown, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judgements),
        cmocka_unit_test(structure),
        cmocka_unit_test(installed_encoders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
