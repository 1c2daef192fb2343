/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/opt.h>

#include "namelist.h"

#define NAME_SIZE 128 /* what ffmpeg looks at of an AVOption's name */

/* libswscale's and libswresample's: libraries we do not link. */
static const char *const sws_names[] = {
    "sws_flags", "src_range", "dst_range", "param0", "param1", "src_v_chr_pos",
    "src_h_chr_pos", "dst_v_chr_pos", "dst_h_chr_pos", "sws_dither", "gamma",
    "alphablend", "threads", NULL
};

static const char *const swr_names[] = {
    "uch", "used_channel_count", "isr", "in_sample_rate", "osr", "out_sample_rate",
    "isf", "in_sample_fmt", "osf", "out_sample_fmt", "tsf", "internal_sample_fmt",
    "ichl", "in_chlayout", "ochl", "out_chlayout", "uchl", "used_chlayout",
    "clev", "center_mix_level", "slev", "surround_mix_level", "lfe_mix_level", "rmvol", "rematrix_volume",
    "rematrix_maxval", "flags", "swr_flags", "dither_scale", "dither_method",
    "filter_size", "phase_shift", "linear_interp", "exact_rational", "cutoff",
    "resample_cutoff", "resampler", "precision", "cheby", "min_comp",
    "min_hard_comp", "comp_duration", "max_soft_comp", "async", "first_pts",
    "matrix_encoding", "filter_type", "kaiser_beta", "output_sample_bits",
#if LIBAVCODEC_VERSION_MAJOR < 61
    "ich", "in_channel_count", "och", "out_channel_count", "icl",
    "in_channel_layout", "ocl", "out_channel_layout",
#endif
    NULL
};

static int class_knows(const AVClass *class, const char *name, int flags)
{
    const AVOption *o = av_opt_find(&class, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ | flags);

    return o && o->flags;
}

int options_avclass(const char *name)
{
    const AVClass *codec = avcodec_get_class();
    char bare[NAME_SIZE];
    int classes = 0;

    av_strlcpy(bare, name, FFMIN(sizeof(bare), strcspn(name, ":") + 1));

    if (class_knows(codec, bare, AV_OPT_SEARCH_CHILDREN))
        classes |= AVCLASS_CODEC;
    else if (*name && strchr("vas", *name) && class_knows(codec, name + 1, 0))
        classes |= AVCLASS_CODEC | AVCLASS_PREFIX;
    if (class_knows(avformat_get_class(), name, AV_OPT_SEARCH_CHILDREN))
        classes |= AVCLASS_FORMAT;
    /* a name the first two know never reaches these */
    if (!classes && namelist_has(sws_names, name))
        classes |= AVCLASS_SWS;
    if (!classes && namelist_has(swr_names, name))
        classes |= AVCLASS_SWR;
    return classes;
}
