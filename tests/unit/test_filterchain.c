/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "fftools/filter/filterchain.h"

static const char *const trait_names[] = {
    [FILTER_POINTWISE]   = "pointwise",
    [FILTER_READS_T]     = "reads-t",
    [FILTER_RETIMING]    = "retiming",
    [FILTER_WINDOW]      = "window",
    [FILTER_READS_N]     = "reads-n",
    [FILTER_FADING]      = "fading",
    [FILTER_WHOLE]       = "whole",
    [FILTER_TIMING]      = "timing",
    [FILTER_MULTI_INPUT] = "multi-input",
    [FILTER_SOURCE]      = "source",
    [FILTER_AUDIO]       = "audio",
    [FILTER_UNKNOWN]     = "unknown",
};

static void every_filter_has_an_entry(void **state)
{
    const AVFilter *f;
    void *opaque = NULL;
    int n = 0, unknown = 0;

    (void)state;
    while ((f = av_filter_iterate(&opaque))) {
        n++;
        if (filtertable_trait(f->name, NULL) == FILTER_UNKNOWN) {
            fprintf(stderr, "no entry: %s\n", f->name);
            unknown++;
        }
    }
    assert_true(n > 100);
    assert_int_equal(unknown, 0);
    assert_int_equal(filtertable_trait("nosuchfilter", NULL), FILTER_UNKNOWN);
}

/* A filter with several pads, or with sound on them, must not pass as a simple one. */
static void pads_agree(void **state)
{
    const AVFilter *f;
    void *opaque = NULL;

    (void)state;
    while ((f = av_filter_iterate(&opaque))) {
        int flags;
        enum FilterTrait t = filtertable_trait(f->name, &flags);
        int in = avfilter_filter_pad_count(f, 0), out = avfilter_filter_pad_count(f, 1);

        /* judged by its main input only: a picture on the second one is there all the time */
        if (!strcmp(f->name, "overlay") || flags & FILTER_JOINS)
            continue;
        if (t >= FILTER_MULTI_INPUT || f->flags & (AVFILTER_FLAG_DYNAMIC_INPUTS | AVFILTER_FLAG_DYNAMIC_OUTPUTS))
            continue;
        if (in != 1 || out != 1)
            fprintf(stderr, "wrong trait for %s (%d, %d)\n", f->name, in, out);
        assert_int_equal(in, 1);
        assert_int_equal(out, 1);
        assert_int_equal(avfilter_pad_get_type(f->inputs, 0), AVMEDIA_TYPE_VIDEO);
    }
}

static const struct {
    const char *graph;
    enum FilterTrait worst;
    int flags;
    const char *why; ///< must be part of the reason
} cases[] = {
    { "", FILTER_POINTWISE, 0, "" },
    { "null", FILTER_POINTWISE, 0, "" },
    { "scale=640:-2,format=yuv420p|yuv422p", FILTER_POINTWISE, 0, "" },
    { " [in] scale=w=iw/2:h=ih/2:flags=lanczos , setsar=1 [out] ", FILTER_POINTWISE, 0, "" },
    { "sws_flags=bicubic;scale=640:360", FILTER_POINTWISE, 0, "" },
    { "scale@a=640:360", FILTER_POINTWISE, 0, "" },
    { "crop=iw-10:ih:5:0,pad=ceil(iw/2)*2:ih:(ow-iw)/2:0:black", FILTER_POINTWISE, 0, "" },
    { "crop=100:100:x='10*t'", FILTER_READS_T, 0, "crop" },
    { "crop=100:100:n:0", FILTER_READS_N, 0, "'n'" },
    { "crop=100:100:x=x+1", FILTER_WHOLE, 0, "crop" },
    { "crop=100:100:x=random(0)*10", FILTER_WHOLE, 0, "random" },
    { "crop=100:100:x=10n", FILTER_POINTWISE, 0, "" },
    { "eq=brightness=0.1:contrast=t", FILTER_POINTWISE, 0, "" },
    { "eq=brightness='sin(t)':eval=frame", FILTER_READS_T, 0, "eq" },
    { "scale=w='100+n':h=100:eval=frame", FILTER_WHOLE, 0, "scale" },
    { "scale=ref_w:ref_h:eval=frame", FILTER_MULTI_INPUT, 0, "scale" },
    { "hue=h=90", FILTER_POINTWISE, 0, "" },
    { "hue='H=2*PI*t'", FILTER_READS_T, 0, "hue" },
    { "rotate=PI/6", FILTER_POINTWISE, 0, "" },
    { "rotate='2*PI*t'", FILTER_READS_T, 0, "rotate" },
    { "geq=lum='lum(X,Y)':r='r(X,Y)'", FILTER_POINTWISE, 0, "" },
    { "geq=lum='lum(X,Y)*N'", FILTER_READS_N, 0, "geq" },
    { "geq=lum='st(0,1)+ld(0)'", FILTER_WHOLE, 0, "geq" },
    { "perspective=eval=frame:x0=on", FILTER_READS_N, 0, "perspective" },
    { "hflip=enable='between(t,1,2)'", FILTER_READS_T, 0, "hflip" },
    { "hflip=enable='gte(n,10)'", FILTER_READS_N, 0, "hflip" },
    { "boxblur=enable='between(t\\,1\\,2)',null", FILTER_READS_T, 0, "boxblur" },
    { "drawbox=x=10:y=10:w=20:h=20:t=fill", FILTER_POINTWISE, 0, "" },
    { "drawtext=text=hello t n", FILTER_POINTWISE, FILTER_NEEDS_FONT, "font" },
    { "drawtext=fontfile=/t/n.ttf:text=hi", FILTER_POINTWISE, FILTER_SHIPS_FILE, "font" },
    { "drawtext=text=a:x='w-t*10'", FILTER_READS_T, FILTER_NEEDS_FONT, "drawtext" },
    { "drawtext=text=a:x=(w-text_w)/2:y=h-th", FILTER_POINTWISE, FILTER_NEEDS_FONT, "font" },
    { "drawtext=text='%{n}'", FILTER_READS_N, FILTER_NEEDS_FONT, "number" },
    { "drawtext=text='%{pts\\:hms}'", FILTER_READS_T, FILTER_NEEDS_FONT, "time" },
    { "drawtext=text='%{pts\\:localtime\\:0}'", FILTER_WHOLE, FILTER_NEEDS_FONT, "time" },
    { "drawtext=text='%{localtime}'", FILTER_WHOLE, FILTER_NEEDS_FONT, "localtime" },
    { "drawtext=text='%{e\\:n*2}'", FILTER_READS_N, FILTER_NEEDS_FONT, "'n'" },
    { "drawtext=text='%{eif\\:rand(0,9)\\:d}'", FILTER_WHOLE, FILTER_NEEDS_FONT, "rand" },
    { "drawtext=text='%{metadata\\:x}'", FILTER_WHOLE, FILTER_NEEDS_FONT, "metadata" },
    { "drawtext=textfile=a.txt", FILTER_POINTWISE, FILTER_NEEDS_FONT | FILTER_SHIPS_FILE, "file" },
    { "drawtext=textfile=a.txt:reload=1", FILTER_WHOLE, FILTER_NEEDS_FONT | FILTER_SHIPS_FILE | FILTER_NEEDS_FILE, "again" },
    { "drawtext=timecode='00\\:00\\:00\\:00':r=25", FILTER_READS_N, FILTER_NEEDS_FONT, "timecode" },
    { "drawtext=text=x:expansion=strftime", FILTER_WHOLE, FILTER_NEEDS_FONT, "clock" },
    { "subtitles=nosuchfile.srt:fontsdir=x", FILTER_READS_T, FILTER_NEEDS_FILE | FILTER_SHIPS_FILE | FILTER_NEEDS_FONT, "fonts" },
    { "subtitles=nosuchfile.srt", FILTER_READS_T, FILTER_SHIPS_FILE | FILTER_NEEDS_FONT, "subtitles" },
    { "lut3d=file=nosuch.cube", FILTER_POINTWISE, FILTER_SHIPS_FILE, "lut3d" },
    { "curves=preset=vintage", FILTER_POINTWISE, 0, "" },
    { "curves=psfile=a.acv", FILTER_POINTWISE, FILTER_SHIPS_FILE, "curves" },
    { "scale=/w=a.txt:h=2", FILTER_WHOLE, FILTER_NEEDS_FILE, "scale" },
    { "noise=alls=20", FILTER_POINTWISE, 0, "" },
    { "noise=alls=20:allf=u+p", FILTER_POINTWISE, 0, "" },
    { "noise=alls=20:allf=t", FILTER_WHOLE, 0, "noise" },
    { "noise=c0s=20:c0f=a+u", FILTER_WHOLE, 0, "noise" },
    { "fade=in:0:25", FILTER_READS_N, 0, "fade" },
    { "fade=t=in:st=0:d=1", FILTER_READS_T, 0, "fade" },
    { "fade=t=in:s=10:d=1", FILTER_READS_N, 0, "fade" },
    { "fade=t=out:st=5:d=0", FILTER_READS_N, 0, "fade" },
    { "vignette", FILTER_FADING, 0, "vignette" },
    { "vignette=PI/4:dither=0", FILTER_POINTWISE, 0, "" },
    { "vignette=PI/4:dither=0:enable=t", FILTER_READS_T, 0, "" },
    { "vignette=dither=0:angle=n/100", FILTER_POINTWISE, 0, "" },
    { "vignette=dither=0:eval=frame:angle=n/100", FILTER_READS_N, 0, "vignette" },
    { "vignette=eval=frame:dither=0:x0=random(1)*w", FILTER_WHOLE, 0, "random" },
    { "hue=b=tb*1000", FILTER_READS_T, 0, "'tb'" },
    { "hue=h=t*r", FILTER_WHOLE, 0, "'r'" },
    { "eq=gamma=n/r:eval=frame", FILTER_WHOLE, 0, "'r'" },
    { "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)'", FILTER_POINTWISE, 0, "" },
    { "oscilloscope", FILTER_WHOLE, 0, "second" },
    { "tmix=enable='gte(t,2)'", FILTER_WHOLE, 0, "switched" },
    { "yadif=enable='gte(n,2)'", FILTER_WHOLE, 0, "switched" },
    { "tblend=all_expr='(A+B)/2+max(0,X)'", FILTER_WINDOW, 0, "tblend" },
    { "tblend=all_expr='if(mod(N,50),A,B)'", FILTER_WHOLE, 0, "more than" },
    { "yadif", FILTER_WINDOW, 0, "yadif" },
    { "yadif=0:-1:0", FILTER_WINDOW, 0, "yadif" },
    { "yadif=1", FILTER_WINDOW, 0, "yadif" },
    { "yadif=mode=send_field", FILTER_WINDOW, 0, "yadif" },
    { "yadif=1:-1:1", FILTER_TIMING, 0, "interlaced" },
    { "yadif=0:-1:1", FILTER_WINDOW, 0, "yadif" },
    { "bwdif", FILTER_WINDOW, 0, "bwdif" },
    { "bwdif=deint=interlaced", FILTER_TIMING, 0, "interlaced" },
    { "bwdif=send_frame", FILTER_WINDOW, 0, "bwdif" },
    { "w3fdif=mode=frame", FILTER_WINDOW, 0, "w3fdif" },
    { "tmix=frames=3", FILTER_WINDOW, 0, "tmix" },
    { "hqdn3d", FILTER_FADING, 0, "hqdn3d" },
    { "fftdnoiz", FILTER_POINTWISE, 0, "" },
    { "fftdnoiz=prev=1", FILTER_WINDOW, 0, "fftdnoiz" },
    { "normalize=smoothing=10", FILTER_FADING, 0, "normalize" },
    { "waveform=e=instant", FILTER_POINTWISE, 0, "" },
    { "waveform=e=peak", FILTER_FADING, 0, "waveform" },
    { "vectorscope=envelope=3", FILTER_FADING, 0, "vectorscope" },
    { "bm3d=ref=1", FILTER_MULTI_INPUT, 0, "bm3d" },
    { "stereo3d=sbsl:arcd", FILTER_POINTWISE, 0, "" },
    { "stereo3d=sbsl:al", FILTER_TIMING, 0, "stereo3d" },
    { "stereo3d=out=17", FILTER_TIMING, 0, "stereo3d" },
    { "reverse", FILTER_WHOLE, 0, "reverse" },
    { "cropdetect", FILTER_WHOLE, 0, "cropdetect" },
    { "scale=10:10,fps=25,hqdn3d", FILTER_FADING, 0, "hqdn3d" },
    { "fps=25", FILTER_RETIMING, 0, "fps" },
    { "fps=source_fps*2", FILTER_TIMING, 0, "worked out" },
    { "fps=25:start_time=1", FILTER_TIMING, 0, "fps" },
    { "fps=10,tmix,fps=50", FILTER_TIMING, 0, "again" },
    { "select='not(mod(n,2))'", FILTER_RETIMING, 0, "select" },
    { "select='gt(scene,0.4)'", FILTER_TIMING, 0, "scene" },
    { "select='st(0,n)'", FILTER_TIMING, 0, "worked out" },
    { "framestep=2", FILTER_RETIMING, 0, "framestep" },
    { "trim=1:2", FILTER_RETIMING, 0, "trim" },
    { "trim=start_frame=10", FILTER_RETIMING, 0, "trim" },
    { "tpad=stop_mode=clone:stop_duration=2,scale=64:64", FILTER_RETIMING, 0, "tpad" },
    { "yadif,tpad=stop=5", FILTER_WINDOW, 0, "yadif" },
    { "fps=25,tpad=5", FILTER_RETIMING, 0, "" },
    { "tpad=start=5,fps=25", FILTER_TIMING, 0, "in front of the first" },
    { "tpad=start=5,yadif", FILTER_TIMING, 0, "in front of the first" },
    { "tpad=5,hue=H=t", FILTER_TIMING, 0, "reads times" },
    { "tpad=stop=-1", FILTER_TIMING, 0, "without end" },
    { "tpad=stop_duration=60", FILTER_TIMING, 0, "very many" },
    { "setpts=PTS*2,fade=d=1", FILTER_RETIMING, 0, "setpts" },
    { "setpts=N/30/TB,fade=d=1", FILTER_TIMING, 0, "setpts" },
    { "setpts=RTCTIME", FILTER_TIMING, 0, "worked out" },
    { "select='eq(pict_type,I)'", FILTER_TIMING, 0, "select" },
    { "setpts=PTS-STARTPTS", FILTER_RETIMING, 0, "setpts" },
    { "overlay=W-w-5:5", FILTER_POINTWISE, 0, "" },
    { "overlay=x='t*3':y=5", FILTER_READS_T, 0, "overlay" },
    { "overlay=shortest=1", FILTER_MULTI_INPUT, 0, "overlay" },
    { "overlay=eof_action=pass", FILTER_MULTI_INPUT, 0, "overlay" },
    { "overlay=repeatlast=0", FILTER_MULTI_INPUT, 0, "overlay" },
    { "split[a][b];[a][b]hstack", FILTER_MULTI_INPUT, FILTER_JOINS, "split" },
    { "hstack,scale=99:-2", FILTER_POINTWISE, FILTER_JOINS, "more than one input" },
    { "blend=all_expr=A*N", FILTER_READS_N, FILTER_JOINS, "blend" },
    { "blend=all_expr=A*T", FILTER_READS_T, FILTER_JOINS, "blend" },
    { "blend=all_expr=A*random(0)", FILTER_WHOLE, FILTER_JOINS, "blend" },
    { "[x]null[out]", FILTER_MULTI_INPUT, 0, "label" },
    { "null[a];[a]null", FILTER_MULTI_INPUT, 0, "label" },
    { "movie=nosuch.png[l];[in][l]overlay", FILTER_SOURCE, FILTER_NEEDS_FILE, "movie" },
    { "testsrc", FILTER_SOURCE, 0, "testsrc" },
    { "volume=2", FILTER_AUDIO, 0, "volume" },
    { "showwaves", FILTER_AUDIO, 0, "showwaves" },
    { "nosuchfilter=1", FILTER_UNKNOWN, 0, "nosuchfilter" },
    { "scale_vaapi=w=10", FILTER_POINTWISE, FILTER_NEEDS_DEVICE, "device" },
};

static void chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum FilterTrait worst;
        char why[256];
        int ret = filterchain_traits(cases[i].graph, &worst, why, sizeof(why));

        if (ret != cases[i].flags || worst != cases[i].worst || !strstr(why, cases[i].why) ||
            (!cases[i].why[0] && cases[i].worst == FILTER_POINTWISE && why[0]))
            fail_msg("'%s': %s, flags %d, '%s' (expected %s, %d, '%s')", cases[i].graph,
                     trait_names[worst], ret, why, trait_names[cases[i].worst],
                     cases[i].flags, cases[i].why);
    }
}

static void malformed(void **state)
{
    static const char *const texts[] = { ",", "scale,", "scale;", "[in", "scale=1:2]", "=1", "[a][b]" };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        enum FilterTrait worst;
        char why[256];

        assert_int_equal(filterchain_traits(texts[i], &worst, why, sizeof(why)), AVERROR(EINVAL));
        assert_int_equal(worst, FILTER_UNKNOWN);
        assert_non_null(strstr(why, "parsed"));
    }
}

static void timing_part(void **state)
{
    static const struct { const char *graph, *timing; } parts[] = {
        { "scale=10:10", NULL },
        { "yadif,scale=10:10", NULL },
        { "hue=H=t", "null" },
        { "scale=10:10,fps=25,hflip", "fps=25" },
        { "yadif=1,hflip", "yadif=1" },
        { "yadif,fps=10", "yadif,fps=10" },
        { "select='not(mod(n,2))',setpts=PTS/2,tblend", "select=not(mod(n\\,2)),setpts=PTS/2,tblend" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        char *timing;

        assert_int_equal(filterchain_timing(parts[i].graph, &timing), 0);
        if (parts[i].timing)
            assert_string_equal(timing, parts[i].timing);
        else
            assert_null(timing);
        av_free(timing);
    }
}

/* What the first filter never lets pass. */
static void swallowed(void **state)
{
    static const struct { const char *graph; int64_t until; } chains[] = {
        { "trim=3600:3700", 3600000000 }, { "trim=start=2.5,fps=30", 2500000 }, { " trim = starti=1 ", 1000000 },
        { "trim=end=5", INT64_MIN }, { "trim=5:start_frame=3", INT64_MIN }, { "trim=start=5:start_pts=9", INT64_MIN },
        { "fps=30,trim=5", INT64_MIN }, { "null", INT64_MIN }, { "", INT64_MIN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++)
        assert_true(filterchain_swallows(chains[i].graph) == chains[i].until);
}

/* What the text in a file reads counts as if it stood in the filter. */
static void text_files(void **state)
{
    static const struct { const char *text; enum FilterTrait worst; } files[] = {
        { "", FILTER_POINTWISE }, { "plain", FILTER_POINTWISE }, { "%{pict_type}%", FILTER_POINTWISE },
        { "frame %{n}", FILTER_READS_N }, { "%{pts:hms}\n", FILTER_READS_T }, { "at %{localtime}", FILTER_WHOLE },
    };
    char name[] = "/tmp/ffleet-text-XXXXXX";
    int fd = mkstemp(name);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        enum FilterTrait worst;
        char graph[128], why[256];

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, files[i].text, strlen(files[i].text), 0), strlen(files[i].text));
        snprintf(graph, sizeof(graph), "null,drawtext=textfile=%s:fontsize=9", name);
        assert_int_equal(filterchain_traits(graph, &worst, why, sizeof(why)), FILTER_NEEDS_FONT | FILTER_SHIPS_FILE);
        assert_int_equal(worst, files[i].worst);
    }
    close(fd);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_filter_has_an_entry),
        cmocka_unit_test(pads_agree), cmocka_unit_test(timing_part),
        cmocka_unit_test(chains),
        cmocka_unit_test(swallowed),
        cmocka_unit_test(text_files),
        cmocka_unit_test(malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
