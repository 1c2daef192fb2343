/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * @file
 * A filter stands in the group of its default options; an option that changes that has a rule.
 */

#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>

#include "filtertable.h"

#define P FILTER_POINTWISE
#define E FILTERGROUP_EXPR
#define I FILTERGROUP_INIT
#define FILE_ FILTER_NEEDS_FILE
#define SHIP FILTER_SHIPS_FILE
#define GPU FILTER_NEEDS_DEVICE

static const FilterGroup groups[] = {
    { P, 0, 0, NULL,
      "alphaextract avgblur bilateral bm3d boxblur cas chromahold chromakey chromanr "
      "chromashift ciescope colorbalance colorchannelmixer colorcontrast colorcorrect colorhold "
      "colorize colorkey colorlevels colormatrix colorspace colortemperature convolution copy "
      "curves datascope dblur dctdnoiz deband deblock deflate despill dilation drawbox drawgrid "
      "edgedetect entropy epx erosion exposure fftdnoiz field fieldorder fifo fillborders "
      "floodfill format gblur gradfun grayworld greyedge guided hflip histeq histogram hqx "
      "hsvhold hsvkey huesaturation il inflate kirsch lenscorrection limiter lumakey lut lutrgb "
      "lutyuv maskfun median monochrome negate nlmeans noformat noise normalize null "
      "owdenoise perms pixdesctest pixelize pixscope prewitt pseudocolor readeia608 readvitc "
      "removegrain rgbashift roberts sab scharr selectivecolor setdar setfield setparams setrange "
      "setsar shear showpalette shuffleplanes smartblur sobel stereo3d super2xsai swapuv tonemap "
      "transpose unsharp v360 vaguedenoiser vectorscope vflip vibrance waveform xbr yaepblur" },
    { P, E, 0, NULL, "addroi crop delogo geq hue overlay rotate swaprect" },
    { P, E | I, 0, NULL, "eq fftfilt pad perspective scale zscale" },
    { P, 0, FILTER_JOINS, "has more than one input or output",
      "alphamerge displace hstack hysteresis lut2 maskedclamp maskedmax maskedmerge maskedmin maskedthreshold "
      "mergeplanes mix multiply premultiply threshold unpremultiply vstack xmedian xstack" },
    { P, E, FILTER_JOINS, "has more than one input or output", "blend" },
    { P, E, FILTER_NEEDS_FONT, NULL, "drawtext" },
    { P, E, 0, NULL, "qrencode" },
    { P, 0, FILE_, "needs a file of this machine", "lensfun nnedi ocr ocv sr" },
    { P, 0, SHIP, "needs a file of this machine", "lut1d lut3d removelogo" },
    { P, 0, GPU, "runs on a device",
      "avgblur_opencl avgblur_vulkan bilateral_cuda boxblur_opencl chromaber_vulkan chromakey_cuda "
      "colorkey_opencl colorspace_cuda convolution_opencl coreimage denoise_vaapi dilation_opencl "
      "drawbox_vaapi erosion_opencl flip_vulkan gblur_vulkan hflip_vulkan hwdownload hwmap hwupload "
      "hwupload_cuda nlmeans_opencl nlmeans_vulkan pad_opencl pad_vaapi prewitt_opencl "
      "procamp_vaapi roberts_opencl scale_cuda scale_npp scale_qsv scale_vaapi scale_vt "
      "scale_vulkan sharpen_npp sharpness_vaapi sobel_opencl tonemap_vaapi transpose_npp "
      "transpose_opencl transpose_vaapi transpose_vt transpose_vulkan unsharp_opencl vflip_vulkan" },

    { FILTER_READS_T, 0, SHIP | FILTER_NEEDS_FONT, "draws a subtitle file by time",
      "ass subtitles" },
    { FILTER_RETIMING, 0, 0, "changes the number of frames or their times",
      "fps framestep select setpts settb tpad trim" },
    { FILTER_READS_N, 0, 0, "counts frames unless it is given a time and a duration", "fade" },

    { FILTER_WINDOW, 0, 0, "looks at neighbouring frames",
      "amplify atadenoise bwdif dedot deflicker estdif kerndeint mestimate phase tblend tlut2 tmedian "
      "tmidequalizer tmix w3fdif yadif" },
    { FILTER_WINDOW, 0, GPU, "looks at neighbouring frames", "yadif_cuda yadif_videotoolbox" },

    { FILTER_FADING, 0, 0, "carries a memory of earlier frames",
      "backgroundkey fspp hqdn3d lagfun mcdeint photosensitivity pp pp7 spp tiltandshift uspp" },
    { FILTER_FADING, E | I, 0, "carries a memory of earlier frames", "vignette" },
    { FILTER_FADING, 0, GPU, "carries a memory of earlier frames",
      "deshake_opencl tonemap_opencl" },

    { FILTER_WHOLE, 0, 0, "depends on the whole stream",
      "deshake drawgraph elbg loop palettegen random reverse scroll shuffleframes thistogram "
      "thumbnail" },
    { FILTER_WHOLE, 0, 0, "draws each second frame in another way", "oscilloscope" },
    { FILTER_WHOLE, 0, 0, "makes a random order unless it is given a seed", "shufflepixels" },
    { FILTER_WHOLE, 0, 0, "reports what it sees of the whole stream",
      "bbox bench bitplanenoise blackdetect blackframe blockdetect blurdetect cropdetect "
      "freezedetect graphmonitor idet latency metadata quirc scdet showinfo sidedata signalstats "
      "siti vfrdet vmafmotion" },
    { FILTER_WHOLE, 0, 0, "reads side data of the decoder", "ccrepack codecview iccdetect iccgen lcevc qp" },
    { FILTER_WHOLE, 0, 0, "depends on the clock or on commands", "cue realtime sendcmd zmq" },
    { FILTER_WHOLE, 0, FILE_, "depends on a file or plugin of this machine",
      "cover_rect derain dnn_classify dnn_detect dnn_processing fieldhint find_rect frei0r "
      "signature vidstabdetect vidstabtransform" },
    { FILTER_WHOLE, 0, GPU, "depends on the whole stream", "thumbnail_cuda" },
    { FILTER_WHOLE, 0, GPU, "may carry a memory of earlier frames",
      "libplacebo program_opencl vpp_amf vpp_qsv" },

    { FILTER_TIMING, 0, 0, "changes the number of frames or their times",
      "decimate dejudder detelecine doubleweave fieldmatch framerate interlace "
      "minterpolate mpdecimate pullup repeatfields separatefields telecine "
      "tile tinterlace untile weave zoompan" },
    { FILTER_TIMING, 0, FILE_, "changes the times of frames", "fsync" },
    { FILTER_TIMING, 0, GPU, "may change the number of frames",
      "bwdif_cuda bwdif_vulkan deinterlace_qsv deinterlace_vaapi" },

    { FILTER_MULTI_INPUT, 0, 0, "has more than one input or output",
      "colormap concat convolve corr deconvolve extractplanes feedback framepack "
      "freezeframes identity interleave limitdiff midequalizer morpho msad "
      "paletteuse psnr remap scale2ref segment split ssim ssim360 streamselect "
      "varblur vif xcorrelate xfade xpsnr" },
    { FILTER_MULTI_INPUT, 0, FILE_, "has more than one input", "haldclut libvmaf" },
    { FILTER_MULTI_INPUT, 0, GPU, "has more than one input",
      "blend_vulkan hstack_qsv hstack_vaapi libvmaf_cuda overlay_cuda overlay_opencl overlay_qsv "
      "overlay_vaapi overlay_vulkan remap_opencl scale2ref_npp vstack_qsv vstack_vaapi "
      "xfade_opencl xfade_vulkan xstack_qsv xstack_vaapi" },

    { FILTER_SOURCE, 0, 0, "is a source or a sink",
      "allrgb allyuv buffer buffersink cellauto color colorchart colorspectrum gradients "
      "haldclutsrc life mandelbrot mptestsrc nullsink nullsrc pal100bars pal75bars perlin "
      "qrencodesrc rgbtestsrc sierpinski smptebars smptehdbars testsrc testsrc2 yuvtestsrc "
      "zoneplate" },
    { FILTER_SOURCE, 0, FILE_, "is a source", "frei0r_src movie" },
    { FILTER_SOURCE, 0, GPU, "is a source", "color_vulkan coreimagesrc ddagrab openclsrc" },

    /* Those whose pads tell nothing, or whose output is video; other names: by their pads. */
    { FILTER_AUDIO, 0, 0, "works on sound",
      "a3dscope abitscope acrossover adrawgraph afir afireqsrc agraphmonitor ahistogram "
      "ainterleave amerge amix amovie anullsink aphasemeter asegment aselect asplit astreamselect "
      "avectorscope avsynctest axcorrelate channelsplit ebur128 headphone join ladspa lv2 showcqt "
      "showcwt showfreqs showspatial showspectrum showspectrumpic showvolume showwaves showwavespic "
      "spectrumsynth" },
};

static const FilterRule rules[] = {
    { "bm3d",          "ref",          "0 false",  0, FILTER_MULTI_INPUT, 0, "has a second input" },
    { "guided",        "guidance",     "off 0",    0, FILTER_MULTI_INPUT, 0, "has a second input" },
    { "yadif_cuda",    "mode",         "send_frame 0 send_frame_nospatial 2", 0, FILTER_TIMING, 0,
      "makes a frame of each field" },
    { "fps",           "start_time",   "",         0, FILTER_TIMING, 0, "begins at a time of its own" },
    { "overlay",       "shortest",     "0 false",  0, FILTER_MULTI_INPUT, 0, "ends with the shorter input" },
    { "overlay",       "eof_action",   "repeat 0", 0, FILTER_MULTI_INPUT, 0, "ends with the shorter input" },
    { "overlay",       "repeatlast",   "1 true",   0, FILTER_MULTI_INPUT, 0, "does not repeat its second input" },
    { "select",        "outputs",      "1",        0, FILTER_MULTI_INPUT, 0, "has several outputs" },
    { "select",        "n",            "1",        0, FILTER_MULTI_INPUT, 0, "has several outputs" },
    { "nnedi",         "field",        NULL,      -1, FILTER_WINDOW, 0, "looks at neighbouring frames" },
    { "nnedi",         "field",        "a t b -1 0 1", 0, FILTER_TIMING, 0, "makes a frame of each field" },
    { "nnedi",         "field",        "a t b -1 0 1", 1, FILTER_WINDOW, 0, "looks at neighbouring frames" },
    { "fftdnoiz",      "prev",         "0",        0, FILTER_WINDOW, 0, "looks at neighbouring frames" },
    { "fftdnoiz",      "next",         "0",        0, FILTER_WINDOW, 0, "looks at neighbouring frames" },
    { "normalize",     "smoothing",    "0",        0, FILTER_FADING, 0, "smooths over earlier frames" },
    { "waveform",      "envelope",     "none 0 instant 1", 0, FILTER_FADING, 0, "holds the peaks of earlier frames" },
    { "waveform",      "e",            "none 0 instant 1", 0, FILTER_FADING, 0, "holds the peaks of earlier frames" },
    { "vectorscope",   "envelope",     "none 0 instant 1", 0, FILTER_FADING, 0, "holds the peaks of earlier frames" },
    { "vectorscope",   "e",            "none 0 instant 1", 0, FILTER_FADING, 0, "holds the peaks of earlier frames" },
    { "rotate",        "fillcolor",    "none",     1, FILTER_FADING, 0, "leaves what was there of earlier frames" },
    { "rotate",        "c",            "none",     1, FILTER_FADING, 0, "leaves what was there of earlier frames" },
    { "vignette",      "dither",       "0 false",  1, P, 0, NULL },
    { "shufflepixels", "seed",         "-1",       0, P, 0, NULL },
    { "shufflepixels", "s",            "-1",       0, P, 0, NULL },
    { "perms",         "mode",         "random 4", 2, FILTER_WHOLE, 0, "is random" },
    { "stereo3d",      "in",           "al ar",    2, FILTER_TIMING, 0, "pairs alternating frames" },
    { "stereo3d",      "out",          "al ar",    2, FILTER_TIMING, 0, "alternates frames" },
    { "curves",        "psfile",       "",         0, P, SHIP, "needs a file of this machine" },
    { "curves",        "plot",         "",         0, P, FILE_, "writes a file" },
    { "selectivecolor", "psfile",      "",         0, P, SHIP, "needs a file of this machine" },
    { "drawtext",      "fontfile",     "",         0, P, SHIP, "needs a font file" },
    { "drawtext",      "textfile",     "",         0, P, SHIP, "reads its text from a file" },
    { "drawtext",      "reload",       "0 false",  0, FILTER_WHOLE, FILE_, "reads its text again and again" },
    { "subtitles",     "fontsdir",     "",         0, FILTER_READS_T, FILE_, "reads a folder of fonts" },
    { "ass",           "fontsdir",     "",         0, FILTER_READS_T, FILE_, "reads a folder of fonts" },
    { "drawtext",      "timecode",     "",         0, FILTER_READS_N, 0, "counts frames for its timecode" },
    { "drawtext",      "text_source",  "",         0, FILTER_WHOLE, 0, "reads side data" },
    { "drawtext",      "expansion",    "strftime 2", 2, FILTER_WHOLE, 0, "shows the clock" },
    { "drawbox",       "box_source",   "",         0, FILTER_WHOLE, 0, "reads side data" },
    { "qrencode",      "textfile",     "",         0, P, SHIP, "reads its text from a file" },
};

/* Whether one of the words, separated by blanks, is name. */
static int has_word(const char *words, const char *name)
{
    size_t len = strlen(name);
    const char *p = words;

    while (*p) {
        size_t n = strcspn(p, " ");

        if (n == len && !strncmp(p, name, len))
            return 1;
        p += n;
        p += strspn(p, " ");
    }
    return 0;
}

const FilterGroup *filtertable_find(const char *name)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
        if (has_word(groups[i].names, name))
            return &groups[i];
    return NULL;
}

static int has_audio_pad(const AVFilter *f, const AVFilterPad *pads, int output)
{
    int n = avfilter_filter_pad_count(f, output);

    for (int i = 0; i < n; i++)
        if (avfilter_pad_get_type(pads, i) == AVMEDIA_TYPE_AUDIO)
            return 1;
    return 0;
}

enum FilterTrait filtertable_trait(const char *name, int *flags)
{
    const FilterGroup *g = filtertable_find(name);
    const AVFilter *f;

    if (flags)
        *flags = g ? g->flags : 0;
    if (g)
        return g->trait;
    f = avfilter_get_by_name(name);
    if (f && (has_audio_pad(f, f->inputs, 0) || has_audio_pad(f, f->outputs, 1)))
        return FILTER_AUDIO;
    return FILTER_UNKNOWN;
}

const FilterRule *filtertable_rule(const FilterRule *after, const char *filter)
{
    const FilterRule *r = after ? after + 1 : rules;

    for (; r < rules + sizeof(rules) / sizeof(*rules); r++)
        if (!strcmp(r->filter, filter))
            return r;
    return NULL;
}

int filtertable_rule_hits(const FilterRule *rule, const char *value)
{
    if (!value)
        return rule->match < 0;
    if (rule->match < 0)
        return 0;
    if (!rule->values[0])
        return (*value == 0) == rule->match;
    if (rule->match == 2)   /* a number may stand for any of the names */
        return has_word(rule->values, value) || (av_tolower(*value) < 'a' || av_tolower(*value) > 'z');
    return has_word(rule->values, value) == rule->match;
}
