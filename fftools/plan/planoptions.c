/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>

#include "../command/namelist.h"
#include "plandecide.h"

/* What ffleet does with each of ffmpeg's own options. One that is in no list goes to stock. */
static const char *const global_options[] = {
    "y", "n", "hide_banner", "loglevel", "stats", "stats_period", "progress", "stdin",
    "vsync", "filter_threads", "filter_complex_threads", "filter_complex",
    "benchmark", "xerror", "max_error_rate", "copyts", "copytb",
    "start_at_zero", "abort_on", "report", "ignore_unknown", "copy_unknown", "async", NULL
};
static const char *const input_options[] = {
    "f", "thread_queue_size", "autorotate", "ss", "t", "to", "sseof", "itsoffset", "r",
    "accurate_seek", "s", "pix_fmt", "stream_loop", "itsscale", "re", "readrate", "readrate_initial_burst",
    "readrate_catchup", "vn", "an", "sn", "dn", "hwaccel", "hwaccel_device", "hwaccel_output_format", "c",
    "ar", "ac", "channel_layout", "ch_layout", "sample_fmt", "guess_layout_max", "fix_sub_duration", "canvas_size", NULL
};
/* concern the remainder or the muxer only */
static const char *const output_options[] = {
    "f", "map", "an", "sn", "dn", "c", "metadata", "map_metadata", "map_chapters",
    "disposition", "max_muxing_queue_size", "muxdelay", "muxpreload", "r", "fps_mode", "filter", "filter_script",
    "q", "pix_fmt", "s", "aspect", "profile", "tag", "b", "ac", "ar", "sample_fmt",
    "channel_layout", "ch_layout", "vol", "apad", "guess_layout_max", "ss", "t", "to", "frames",
    "force_key_frames", "bsf", "timecode", "attach", "shortest", "muxing_queue_data_threshold", "copyinkf",
    "copypriorss", "streamid", "top", "bits_per_raw_sample", "bitexact",
    "enc_time_base", NULL
};

static int check_options(Plan *p, const CmdOption *opts, int nb, const char *const *known,
                         int avclasses, const char *where)
{
    for (int i = 0; i < nb; i++) {
        const CmdOption *o = &opts[i];

        if (o->from_file && strcmp(o->name, "filter") && strcmp(o->name, "filter_complex"))
            return plan_stock(p, "-/%s reads its value from a file", o->name);
        if (o->def ? !namelist_has(known, o->name) : !(o->avclass & avclasses))
            return plan_stock(p, "the %s option -%s is not one that is split yet", where, o->name);
        if (o->spec && strchr("pmiu#", o->spec[0]))
            return plan_stock(p, "the stream specifier of -%s:%s is not one that is split yet",
                         o->name, o->spec);
    }
    return 0;
}

/** Of the whole command. */
int decide_common_options(Plan *p)
{
    for (int i = 0; i < p->cmd->nb_inputs && p == p->first; i++) {
        const CmdFile *in = &p->cmd->inputs[i];

        if (check_options(p, in->options, in->nb_options, input_options, AVCLASS_FORMAT | AVCLASS_CODEC, "input"))
            return 1;
    }
    return check_options(p, p->cmd->globals, p->cmd->nb_globals, global_options, 0, "global");
}

/** The trial goes without, as streams may be empty in it that are not later: nobody else finds wrong flags. */
int decide_abort(Plan *p)
{
    static const char *const flags[] = { "empty_output", "empty_output_stream", NULL };
    const CmdOption *o = cmdline_last(p->cmd->globals, p->cmd->nb_globals, "abort_on");

    for (const char *s = o ? o->value : ""; *s;) {
        char name[32];

        s += *s == '+';
        av_strlcpy(name, s, FFMIN(sizeof(name), strcspn(s, "+") + 1));
        if (!namelist_has(flags, name))
            return plan_stock(p, "-abort_on %s is not split yet", o->value);
        s += strcspn(s, "+");
    }
    return 0;
}

int decide_options(Plan *p)
{
    const CmdFile *out = plan_file(p);

    /* when the muxer has got so much depends on sizes of packets, on threads and, in 5.1, on the other outputs */
    if (cmdline_last(out->options, out->nb_options, "fs"))
        return plan_stock(p, "-fs ends the output at a size, which the same frames reach elsewhere when other "
                          "encoders make them");
    return check_options(p, out->options, out->nb_options, output_options,
                         AVCLASS_CODEC | AVCLASS_FORMAT | AVCLASS_SWS | AVCLASS_SWR, "output");
}
