/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "../plan/carrier.h"
#include "../plan/streammap.h"
#include "carrierargs.h"
#include "partargs.h"

static int is_muxers_own(const CmdOption *o)
{
    return !o->def && !(o->avclass & ~AVCLASS_FORMAT);
}

/** Whether a -c is meant for the stream: of a second one ffmpeg would warn. */
static int names_codec(const Plan *p, int stream)
{
    const CmdFile *f = plan_file(p);

    for (int i = 0; i < f->nb_options; i++)
        if (f->options[i].def && !strcmp(f->options[i].name, "c") &&
            streammap_option_matches(p->streams, p->nb_streams, stream, &f->options[i]) > 0)
            return 1;
    return 0;
}

void carrierargs_options(ArgList *l, const Plan *p, const AVOutputFormat *format,
                         const char *const *skip)
{
    int foreign = format != p->oformat;
    const CmdFile *f = plan_file(p);

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];

        if (foreign && is_muxers_own(o) && strcmp(o->name, "fflags"))
            continue;
        if (carrierpart_exists(p, CARRIER_TEXT))
            partargs_option(l, p, CARRIER_MAIN, o, skip);
        else
            arglist_add_options(l, p->cmd, o, 1, skip);
    }
    /* which ones are the default is the format's affair */
    for (int i = 0; foreign && i < p->nb_streams; i++) {
        if (p->streams[i].part != CARRIER_MAIN || names_codec(p, i))
            continue;
        arglist_addf(l, "-c:%d", carrierpart_place(p, i));
        arglist_add(l, p->streams[i].copy ? "copy" : p->streams[i].encoder->name);
    }
}

void carrierargs_fps_mode(ArgList *l, const Plan *p, const AVOutputFormat *format)
{
    const Command *cmd = p->cmd;
    const CmdFile *f   = plan_file(p);
    const char *mode   = p->vsync == VSYNC_PASSTHROUGH ? "passthrough" :
                         p->vsync == VSYNC_VFR ? "vfr" : "cfr";

    if (format == p->oformat || cmdline_last(f->options, f->nb_options, "fps_mode") ||
        cmdline_last(cmd->globals, cmd->nb_globals, "vsync"))
        return;
    for (int i = 0; i < p->nb_streams; i++)
        if (p->streams[i].fleet) {
            arglist_addf(l, "-fps_mode:%d", carrierpart_place(p, i));
            arglist_add(l, mode);
        }
}

static void add_exact_mov(ArgList *l, const Plan *p)
{
    static const char *const fragments[] = {
        "frag_duration", "frag_size", "frag_interleave", "min_frag_duration", "write_prft", NULL
    };
    const AVDictionaryEntry *movflags = av_dict_get(p->format_options, "movflags", NULL, 0);

    arglist_add_words(l, "-movflags", carrier_is_foreign(p) ||
                      (movflags && strstr(movflags->value, "use_metadata_tags")) ?
                      "use_metadata_tags" : "0", NULL);
    for (int i = 0; fragments[i]; i++) {
        arglist_addf(l, "-%s", fragments[i]);
        arglist_add(l, "0");
    }
    /* edit lists count in this unit: a multiple of the usual sample rates loses nothing; a btrt box
     * would be read back as part of a text stream's header */
    arglist_add_words(l, "-movie_timescale", "35280000", "-write_btrt", "0", NULL);
}

/** NUT has no negative timestamps. */
static void add_exact_nut(ArgList *l, const Plan *p)
{
    arglist_add_words(l, "-avoid_negative_ts", "disabled", "-output_ts_offset", NULL);
    arglist_addf(l, "%d", CARRIER_NUT_OFFSET);
    for (int i = 0; i < p->nb_streams; i++) {
        unsigned tag = p->streams[i].fleet ? carrier_nut_tag(p->streams[i].encoder->id) : 0;

        if (tag) {
            arglist_addf(l, "-tag:%d", carrierpart_place(p, i));
            arglist_addf(l, "%u", tag);
        }
    }
}

void carrierargs_exact(ArgList *l, const Plan *p)
{
    if (carrier_is_mov(p))
        add_exact_mov(l, p);
    else if (carrier_is_nut(p))
        add_exact_nut(l, p);
    else
        carrierargs_trial(l, p);
}

void carrierargs_text(ArgList *l, const Plan *p, const char *file_name)
{
    partargs_text(l, p, 1);
    arglist_add_words(l, "-map_metadata", "-1", "-map_chapters", "-1", "-avoid_negative_ts", "disabled",
                      "-output_ts_offset", NULL);
    arglist_addf(l, "%d", CARRIER_TEXT_OFFSET);
    arglist_add_words(l, "-f", carrierpart_format(p, CARRIER_TEXT)->name, file_name, NULL);
}

void carrierargs_trial(ArgList *l, const Plan *p)
{
    /* one packet of sound a PES packet: only the first one in it has a timestamp */
    if (p->trial_format != p->oformat && !strcmp(p->trial_format->name, "mpegts"))
        arglist_add_words(l, "-pes_payload_size", "0", NULL);
}
