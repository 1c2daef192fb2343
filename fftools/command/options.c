/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <string.h>

#include <libavcodec/version.h>

#define ARG    OPTDEF_ARG
#define BOOL   OPTDEF_BOOL
#define GLOBAL OPTDEF_GLOBAL
#define IN     OPTDEF_INPUT
#define OUT    OPTDEF_OUTPUT
#define BOTH   (OPTDEF_INPUT | OPTDEF_OUTPUT)
#define SPEC   OPTDEF_SPEC
#define INFO   (OPTDEF_INFO | OPTDEF_GLOBAL)

#define OPT(name, flags)                    { name, flags, NULL, NULL }
#define ALIAS(name, flags, canonical, spec) { name, flags, canonical, spec }

/* Up to FFmpeg 6 these two booleans took an argument as well. */
#if LIBAVCODEC_VERSION_MAJOR < 61
#define BOOL_OR_ARG (ARG | BOOL)
#define BSF_SCOPE   OUT
#else
#define BOOL_OR_ARG BOOL
#define BSF_SCOPE   BOTH
#endif
#if LIBAVCODEC_VERSION_MAJOR < 60
#define QUEUE_SCOPE IN
#else
#define QUEUE_SCOPE BOTH
#endif

/* FFmpeg 4.4 to 8. An alias without SPEC has its own specifier whatever is typed. */
static const OptionDef table[] = {
    /* print something and end */
    OPT("L",            INFO), OPT("h",         INFO), OPT("?",         INFO),
    OPT("help",         INFO), OPT("-help",     INFO), OPT("version",   INFO),
    OPT("buildconf",    INFO), OPT("formats",   INFO), OPT("muxers",    INFO),
    OPT("demuxers",     INFO), OPT("devices",   INFO), OPT("codecs",    INFO),
    OPT("decoders",     INFO), OPT("encoders",  INFO), OPT("bsfs",      INFO),
    OPT("protocols",    INFO), OPT("filters",   INFO), OPT("pix_fmts",  INFO),
    OPT("layouts",      INFO), OPT("colors",    INFO), OPT("hwaccels",  INFO),
    OPT("sample_fmts",  INFO), OPT("sources",   INFO | ARG), OPT("sinks", INFO | ARG),
    OPT("dispositions", INFO),

    /* global */
    OPT("loglevel",                GLOBAL | ARG),
    ALIAS("v",                     GLOBAL | ARG, "loglevel", NULL),
    OPT("report",                  GLOBAL),
    OPT("max_alloc",               GLOBAL | ARG),
    OPT("cpuflags",                GLOBAL | ARG),
    OPT("cpucount",                GLOBAL | ARG),
    OPT("hide_banner",             GLOBAL | BOOL),
    OPT("y",                       GLOBAL | BOOL),
    OPT("n",                       GLOBAL | BOOL),
    OPT("ignore_unknown",          GLOBAL | BOOL),
    OPT("copy_unknown",            GLOBAL | BOOL),
    OPT("recast_media",            GLOBAL | BOOL),
    OPT("benchmark",               GLOBAL | BOOL),
    OPT("benchmark_all",           GLOBAL | BOOL),
    OPT("progress",                GLOBAL | ARG),
    OPT("stdin",                   GLOBAL | BOOL),
    OPT("timelimit",               GLOBAL | ARG),
    OPT("dump",                    GLOBAL | BOOL),
    OPT("hex",                     GLOBAL | BOOL),
    OPT("vsync",                   GLOBAL | ARG),
    OPT("frame_drop_threshold",    GLOBAL | ARG),
    OPT("async",                   GLOBAL | ARG),
    OPT("adrift_threshold",        GLOBAL | ARG),
    OPT("copyts",                  GLOBAL | BOOL),
    OPT("start_at_zero",           GLOBAL | BOOL),
    OPT("copytb",                  GLOBAL | ARG),
    OPT("dts_delta_threshold",     GLOBAL | ARG),
    OPT("dts_error_threshold",     GLOBAL | ARG),
    OPT("xerror",                  GLOBAL | BOOL),
    OPT("abort_on",                GLOBAL | ARG),
    OPT("filter_threads",          GLOBAL | ARG),
    OPT("filter_complex",          GLOBAL | ARG),
    ALIAS("lavfi",                 GLOBAL | ARG, "filter_complex", NULL),
    ALIAS("filter_complex_script", GLOBAL | ARG, "filter_complex", NULL),
    OPT("filter_complex_threads",  GLOBAL | ARG),
    OPT("filter_buffered_frames",  GLOBAL | ARG),
    OPT("auto_conversion_filters", GLOBAL | BOOL),
    OPT("stats",                   GLOBAL | BOOL),
    OPT("stats_period",            GLOBAL | ARG),
    OPT("debug_ts",                GLOBAL | BOOL),
    OPT("max_error_rate",          GLOBAL | ARG),
    OPT("print_graphs",            GLOBAL | BOOL),
    OPT("print_graphs_file",       GLOBAL | ARG),
    OPT("print_graphs_format",     GLOBAL | ARG),
    OPT("psnr",                    GLOBAL | BOOL),
    OPT("vstats",                  GLOBAL),
    OPT("vstats_file",             GLOBAL | ARG),
    OPT("vstats_version",          GLOBAL | ARG),
    OPT("qphist",                  GLOBAL | BOOL),
    OPT("vdt",                     GLOBAL | ARG),
    OPT("vol",                     GLOBAL | ARG),
    OPT("sdp_file",                GLOBAL | ARG | OUT),
    OPT("vaapi_device",            GLOBAL | ARG),
    OPT("qsv_device",              GLOBAL | ARG),
    OPT("init_hw_device",          GLOBAL | ARG),
    OPT("filter_hw_device",        GLOBAL | ARG),
    OPT("videotoolbox_pixfmt",     GLOBAL | ARG),
#if LIBAVCODEC_VERSION_MAJOR < 59
    OPT("deinterlace",             GLOBAL | BOOL),
    OPT("intra",                   GLOBAL | BOOL),
    OPT("vc",                      GLOBAL | ARG),
    OPT("tvstd",                   GLOBAL | ARG),
#endif

    /* of an input */
    OPT("sseof",                   ARG | IN),
    OPT("seek_timestamp",          ARG | IN),
    OPT("accurate_seek",           BOOL | IN),
    OPT("isync",                   ARG | IN),
    OPT("itsoffset",               ARG | IN),
    OPT("itsscale",                ARG | SPEC | IN),
    OPT("re",                      BOOL | IN),
    OPT("readrate",                ARG | IN),
    OPT("readrate_initial_burst",  ARG | IN),
    OPT("readrate_catchup",        ARG | IN),
    OPT("reinit_filter",           ARG | SPEC | IN),
    OPT("drop_changed",            ARG | SPEC | IN),
    OPT("dump_attachment",         ARG | SPEC | IN),
    OPT("stream_loop",             ARG | IN),
    OPT("discard",                 ARG | SPEC | IN),
    OPT("thread_queue_size",       ARG | QUEUE_SCOPE),
    OPT("find_stream_info",        BOOL | IN),
    OPT("hwaccel",                 ARG | SPEC | IN),
    OPT("hwaccel_device",          ARG | SPEC | IN),
    OPT("hwaccel_output_format",   ARG | SPEC | IN),
    OPT("autorotate",              BOOL_OR_ARG | SPEC | IN),
    OPT("apply_cropping",          ARG | SPEC | IN),
    OPT("display_rotation",        ARG | SPEC | IN),
    OPT("display_hflip",           BOOL | SPEC | IN),
    OPT("display_vflip",           BOOL | SPEC | IN),
    OPT("mastering_display",       ARG | SPEC | IN),
    OPT("content_light",           ARG | SPEC | IN),
    OPT("guess_layout_max",        ARG | SPEC | IN),
    OPT("fix_sub_duration",        BOOL | SPEC | IN),
    OPT("canvas_size",             ARG | SPEC | IN),

    /* of either */
    OPT("f",                       ARG | BOTH),
    OPT("c",                       ARG | SPEC | BOTH),
    ALIAS("codec",                 ARG | SPEC | BOTH, "c", NULL),
    ALIAS("vcodec",                ARG | BOTH, "c", "v"),
    ALIAS("acodec",                ARG | BOTH, "c", "a"),
    ALIAS("scodec",                ARG | BOTH, "c", "s"),
    ALIAS("dcodec",                ARG | BOTH, "c", "d"),
    OPT("t",                       ARG | BOTH),
    OPT("to",                      ARG | BOTH),
    OPT("ss",                      ARG | BOTH),
    OPT("bitexact",                BOOL | BOTH),
    OPT("tag",                     ARG | SPEC | BOTH),
    ALIAS("vtag",                  ARG | BOTH, "tag", "v"),
    OPT("r",                       ARG | SPEC | BOTH),
    OPT("s",                       ARG | SPEC | BOTH),
    OPT("pix_fmt",                 ARG | SPEC | BOTH),
    OPT("vn",                      BOOL | BOTH),
    OPT("an",                      BOOL | BOTH),
    OPT("sn",                      BOOL | BOTH),
    OPT("dn",                      BOOL | BOTH),
    OPT("top",                     ARG | SPEC | BOTH),
    OPT("ar",                      ARG | SPEC | BOTH),
    OPT("ac",                      ARG | SPEC | BOTH),
    OPT("sample_fmt",              ARG | SPEC | BOTH),
    OPT("ch_layout",               ARG | SPEC | BOTH),
    ALIAS("channel_layout",        ARG | SPEC | BOTH, "ch_layout", NULL),
    OPT("bsf",                     ARG | SPEC | BSF_SCOPE),

    /* of an output */
    ALIAS("absf",                  ARG | OUT, "bsf", "a"),
    ALIAS("vbsf",                  ARG | OUT, "bsf", "v"),
    ALIAS("atag",                  ARG | OUT, "tag", "a"),
    ALIAS("stag",                  ARG | OUT, "tag", "s"),
    OPT("pre",                     ARG | SPEC | OUT),
    OPT("apre",                    ARG | OUT),
    OPT("vpre",                    ARG | OUT),
    OPT("spre",                    ARG | OUT),
    OPT("fpre",                    ARG | OUT),
    OPT("map",                     ARG | OUT),
    OPT("map_channel",             ARG | OUT),
    OPT("map_metadata",            ARG | SPEC | OUT),
    OPT("map_chapters",            ARG | OUT),
    OPT("fs",                      ARG | OUT),
    OPT("timestamp",               ARG | OUT),
    OPT("metadata",                ARG | SPEC | OUT),
    OPT("program",                 ARG | SPEC | OUT),
    OPT("stream_group",            ARG | SPEC | OUT),
    OPT("target",                  ARG | OUT),
    OPT("shortest",                BOOL | OUT),
    OPT("shortest_buf_duration",   ARG | OUT),
    OPT("apad",                    ARG | SPEC | OUT),
    OPT("copyinkf",                BOOL | SPEC | OUT),
    OPT("copypriorss",             ARG | SPEC | OUT),
    OPT("frames",                  ARG | SPEC | OUT),
    ALIAS("vframes",               ARG | OUT, "frames", "v"),
    ALIAS("aframes",               ARG | OUT, "frames", "a"),
    ALIAS("dframes",               ARG | OUT, "frames", "d"),
    OPT("q",                       ARG | SPEC | OUT),
    ALIAS("qscale",                ARG | SPEC | OUT, "q", "v"),
    ALIAS("aq",                    ARG | OUT, "q", "a"),
    ALIAS("profile",               ARG | SPEC | OUT, "profile", "v"),
    OPT("filter",                  ARG | SPEC | OUT),
    ALIAS("vf",                    ARG | OUT, "filter", "v"),
    ALIAS("af",                    ARG | OUT, "filter", "a"),
    OPT("filter_script",           ARG | SPEC | OUT),
    OPT("attach",                  ARG | OUT),
    OPT("disposition",             ARG | SPEC | OUT),
    OPT("bits_per_raw_sample",     ARG | SPEC | OUT),
    OPT("stats_enc_pre",           ARG | SPEC | OUT),
    OPT("stats_enc_post",          ARG | SPEC | OUT),
    OPT("stats_mux_pre",           ARG | SPEC | OUT),
    OPT("stats_enc_pre_fmt",       ARG | SPEC | OUT),
    OPT("stats_enc_post_fmt",      ARG | SPEC | OUT),
    OPT("stats_mux_pre_fmt",       ARG | SPEC | OUT),
    OPT("fpsmax",                  ARG | SPEC | OUT),
    OPT("aspect",                  ARG | SPEC | OUT),
    OPT("rc_override",             ARG | SPEC | OUT),
    OPT("timecode",                ARG | OUT),
    OPT("pass",                    ARG | SPEC | OUT),
    OPT("passlogfile",             ARG | SPEC | OUT),
    OPT("intra_matrix",            ARG | SPEC | OUT),
    OPT("inter_matrix",            ARG | SPEC | OUT),
    OPT("chroma_intra_matrix",     ARG | SPEC | OUT),
    OPT("fps_mode",                ARG | SPEC | OUT),
    OPT("force_fps",               BOOL | SPEC | OUT),
    OPT("streamid",                ARG | OUT),
    OPT("force_key_frames",        ARG | SPEC | OUT),
    ALIAS("b",                     ARG | SPEC | OUT, "b", "v"),
    ALIAS("ab",                    ARG | SPEC | OUT, "b", "a"),
    OPT("autoscale",               BOOL_OR_ARG | SPEC | OUT),
    OPT("fix_sub_duration_heartbeat", BOOL | SPEC | OUT),
    OPT("muxdelay",                ARG | OUT),
    OPT("muxpreload",              ARG | OUT),
    OPT("time_base",               ARG | SPEC | OUT),
    OPT("enc_time_base",           ARG | SPEC | OUT),
    OPT("max_muxing_queue_size",   ARG | SPEC | OUT),
    OPT("muxing_queue_data_threshold", ARG | SPEC | OUT),
    OPT(NULL, 0),
};

const OptionDef *options_find(const char *name)
{
    for (const OptionDef *def = table; def->name; def++)
        if (!strcmp(def->name, name))
            return def;
    return NULL;
}

const OptionDef *options_all(void)
{
    return table;
}
