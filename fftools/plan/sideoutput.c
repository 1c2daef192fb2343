/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>

#include "../command/namelist.h"
#include "../compat.h"
#include "../reason.h"
#include "sideoutput.h"
#include "streammap.h"

/** Whether an option concerns more than its output, or files of which a trial must not write. */
static int reaches_farther(const CmdOption *o)
{
    static const char *const names[] = {
        "shortest", "fs", "pass", "passlogfile", "target", "sdp_file", "fix_sub_duration_heartbeat", NULL
    };

    return o->def && (namelist_has(names, o->name) || av_strstart(o->name, "stats_", NULL));
}

/** One that writes several files by names of its own cannot be tried into a temporary one. */
static int may_be_tried(const AVOutputFormat *f, const char *url)
{
    int pipe = !strcmp(url, "-") || av_strstart(url, "pipe:", NULL) || av_strstart(url, "fd:", NULL);

    if (f->flags & AVFMT_NOFILE)
        return !strcmp(f->name, "null") || (!strcmp(f->name, "image2") && !pipe);
    return !pipe && !strstr(url, "://");
}

static int resolve(const Plan *first, SideOutput *s)
{
    const CmdFile *f = &first->cmd->outputs[s->output];
    const CmdOption *fmt = cmdline_last(f->options, f->nb_options, "f");
    char reason[256] = "";
    int ret;

    s->oformat = av_guess_format(fmt ? fmt->value : NULL, fmt ? NULL : f->url, NULL);
    if (!s->oformat || !may_be_tried(s->oformat, f->url))
        return 0;
    for (int i = 0; i < f->nb_options; i++)
        if (reaches_farther(&f->options[i]))
            return 0;
    ret = streammap_resolve(first->cmd, s->output, first->inputs, first->nb_inputs, &first->complex,
                            s->oformat, &s->streams, &s->nb_streams, reason, sizeof(reason));
    if (ret < 0)
        return ret == AVERROR(ENOMEM) ? ret : 0;
    for (int i = 0; i < s->nb_streams; i++)
        if (first->inputs[s->streams[i].file].virtual)
            return 0;
    /* -frames ends all of an output's streams in 5.1 */
    return s->nb_streams == 1 || (s->nb_streams && (COMPAT_TIMING_7 ||
                                  !cmdline_last(f->options, f->nb_options, "frames")));
}

int sideoutput_take(Plan *first, int output)
{
    SideOutput s = { .output = output }, *list;
    int ret;

    if (cmdline_last(first->cmd->globals, first->cmd->nb_globals, "filter_complex") ||
        first->cmd->nb_outputs > PLAN_MAX_OUTPUTS)
        return 0;
    ret = resolve(first, &s);
    if (ret > 0) {
        list = av_realloc_array(first->sides, first->nb_sides + 1, sizeof(*list));
        if (list) {
            first->sides = list;
            list[first->nb_sides++] = s;
            return 1;
        }
        ret = AVERROR(ENOMEM);
    }
    plan_free_streams(&s.streams, s.nb_streams);
    return ret;
}

/**
 * In 5.1 what is copied of a stream is cut, and dated where it has no DTS, by a clock that runs
 * otherwise while the stream is decoded as well (process_input_packet()). The remainder does not
 * decode the fleet's video.
 */
static int copies_undecoded(const Plan *first, int output, const PlanStream *streams, int nb)
{
    const PlanStream *video = &first->streams[first->fleet_stream];
    const CmdFile *f = &first->cmd->outputs[output];
    const PlanInput *in = plan_video_input(first);
    int exact = av_match_name("mp4", in->fc->iformat->name) ||
                av_match_name("mpegts", in->fc->iformat->name) ||
                av_match_name("flv", in->fc->iformat->name);

    for (int i = 0; i < nb; i++)
        if (streams[i].copy && streams[i].file == video->file && streams[i].index == video->index)
            return !exact || in->limits.duration != INT64_MAX ||
                   cmdline_last(f->options, f->nb_options, "ss") ||
                   cmdline_last(f->options, f->nb_options, "t") ||
                   cmdline_last(f->options, f->nb_options, "to");
    return 0;
}

int sideoutput_check(Plan *first)
{
    int wrong = 0;

    for (int i = 0; i < first->nb_sides; i++)
        wrong |= copies_undecoded(first, first->sides[i].output, first->sides[i].streams,
                                  first->sides[i].nb_streams);
    for (const Plan *p = first; p; p = p->next)
        wrong |= copies_undecoded(first, p->output, p->streams, p->nb_streams);
    return wrong ? reason_set(first->reason, sizeof(first->reason),
                              "where a copy of the video is cut depends on its being decoded") : 0;
}

const SideOutput *sideoutput_find(const Plan *plan, int output)
{
    for (int i = 0; i < plan->first->nb_sides; i++)
        if (plan->first->sides[i].output == output)
            return &plan->first->sides[i];
    return NULL;
}

void sideoutput_add(ArgList *l, const Plan *plan, const SideOutput *s)
{
    static const char *const skip[] = { "map", NULL };
    const CmdFile *f = &plan->cmd->outputs[s->output];

    /* what ffmpeg chooses by itself could be the stand-in */
    for (int i = 0; i < s->nb_streams; i++) {
        arglist_add(l, "-map");
        arglist_addf(l, "%d:%d", s->streams[i].file, s->streams[i].index);
    }
    arglist_add_options(l, plan->cmd, f->options, f->nb_options, skip);
    arglist_add(l, f->url);
}

void sideoutput_add_trial(ArgList *l, const Plan *plan, const SideOutput *s, double seconds,
                          const char *file_name)
{
    static const char *const skip[] = { "ss", "t", "to", NULL };
    const CmdFile *f = &plan->cmd->outputs[s->output];

    arglist_add_options(l, plan->cmd, f->options, f->nb_options, skip);
    arglist_add(l, "-t");
    arglist_addf(l, "%.6f", seconds);
    if (!strcmp(s->oformat->name, "image2"))
        arglist_add_words(l, "-update", "1", NULL);
    arglist_add_words(l, "-f", s->oformat->name, file_name, NULL);
}
