/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/intreadwrite.h>

#include "../command/namelist.h"
#include "plandecide.h"
#include "streammap.h"

static int find_delay(const CmdFile *f, const char *name, double seconds)
{
    const CmdOption *o = cmdline_last(f->options, f->nb_options, name);

    return av_clipd(o ? strtod(o->value, NULL) : seconds, 0, 1000) * AV_TIME_BASE;
}

int decide_output(Plan *p)
{
    static const char *const formats[] = {
        "mp4", "mov", "ipod", "3gp", "3g2", "f4v", "psp", "matroska", "webm", "mpegts", "flv",
        "nut", "avi", "asf", "ogg", "ogv", "mxf", "hls", "dash", "segment",
        "stream_segment,ssegment", "null", "h264", "hevc", "mpeg1video", "mpeg2video", "mjpeg",
        "ivf", "obu", "dnxhd", "framemd5", "framehash", "framecrc", "crc", "md5", "hash",
        "streamhash", "tee", "image2", "image2pipe", NULL
    };
    const CmdFile *f = plan_file(p);
    const CmdOption *fmt = cmdline_last(f->options, f->nb_options, "f");
    const AVDictionaryEntry *flags;

    p->oformat = av_guess_format(fmt ? fmt->value : NULL, fmt ? NULL : f->url, NULL);
    if (!p->oformat)
        return plan_stock(p, "no output format is known for %s", f->url);
    if (!namelist_has(formats, p->oformat->name))
        return plan_stock(p, "the output format %s is not split yet", p->oformat->name);
    p->pipe = !strcmp(f->url, "-") || !strcmp(f->url, "pipe:") || !strcmp(f->url, "pipe:1");
    p->pipe &= !!strcmp(p->oformat->name, "null");
    /* nobody inherits one that closes on exec: ffleet.c put it where there was none */
    if (p->pipe && fcntl(STDOUT_FILENO, F_GETFD) & FD_CLOEXEC)
        return plan_stock(p, "stdout is closed");
    if (strcmp(p->oformat->name, "null") && !p->pipe && (!strncmp(f->url, "pipe:", 5) || strstr(f->url, "://") ||
                     !strncmp(f->url, "fd:", 3)))
        return plan_stock(p, "the output is not a file");
    if (input_format_options(f, &p->format_options) < 0)
        return plan_stock(p, "out of memory");
    p->max_delay = find_delay(f, "muxdelay", 0.7);
    p->preload   = find_delay(f, "muxpreload", 0);
    flags = av_dict_get(p->format_options, "movflags", NULL, 0);
    if ((flags && (strstr(flags->value, "negative_cts") || strstr(flags->value, "cmaf"))) ||
        av_dict_get(p->format_options, "use_editlist", NULL, 0))
        return plan_stock(p, "without an edit list the output's timestamps cannot be told apart");
    return 0;
}

/** What is copied keeps its tag if it means the same in the output's format (init_output_stream_streamcopy()). */
static uint32_t copied_tag(const Plan *p, int stream)
{
    const PlanStream *s = &p->streams[stream];
    const AVCodecParameters *in = p->inputs[s->file].fc->streams[s->index]->codecpar;
    const struct AVCodecTag *const *tags = p->oformat->codec_tag;
    unsigned other;

    return s->copy && (!tags || av_codec_get_id(tags, in->codec_tag) == in->codec_id ||
                       !av_codec_get_tag2(tags, in->codec_id, &other)) ? in->codec_tag : 0;
}

/** -tag as ffmpeg reads it: a number or four characters. */
static uint32_t find_tag(const Plan *p, int stream)
{
    const CmdFile *f = plan_file(p);
    uint32_t tag = copied_tag(p, stream);

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];
        char buf[4] = { 0 }, *end;

        if (!o->def || strcmp(o->name, "tag") ||
            streammap_option_matches(p->streams, p->nb_streams, stream, o) <= 0)
            continue;
        tag = strtol(o->value, &end, 0);
        if (*end) {
            memcpy(buf, o->value, FFMIN(sizeof(buf), strlen(o->value)));
            tag = AV_RL32(buf);
        }
    }
    return tag;
}

/** Whether a stream is a picture beside the video that stock encodes as one. */
static int is_cover(const Plan *p, const PlanStream *s)
{
    const AVStream *in = p->inputs[s->file].fc->streams[s->index];

    return s->type == AVMEDIA_TYPE_VIDEO && !s->copy && !s->complex && in->disposition & AV_DISPOSITION_ATTACHED_PIC;
}

int decide_streams(Plan *p)
{
    int ret = streammap_resolve(p->cmd, p->output, p->inputs, p->nb_inputs, &p->complex, p->oformat,
                                &p->streams, &p->nb_streams, p->reason, sizeof(p->reason));
    const CmdFile *f = plan_file(p);
    const AVDictionaryEntry *e;

    if (ret < 0)
        return p->reason[0] ? 1 : plan_stock(p, "the streams cannot be mapped: %s", av_err2str(ret));
    p->nb_fleet = 0;
    for (int i = 0; i < p->nb_streams; i++) {
        PlanStream *s = &p->streams[i];
        const AVStream *in = p->inputs[s->file].fc->streams[s->index];

        s->in_bit_rate    = in->codecpar->bit_rate;
        s->in_has_handler = !!av_dict_get(in->metadata, "handler_name", NULL, 0);
        s->tag             = find_tag(p, i);
        e = cmdline_last(f->options, f->nb_options, "map_metadata") ? NULL :
            av_dict_get(in->metadata, "DURATION", NULL, 0);
        av_strlcpy(s->in_duration, e ? e->value : "", sizeof(s->in_duration));
        s->in_has_language = !!av_dict_get(in->metadata, "language", NULL, 0);
        if (p->streams[i].type != AVMEDIA_TYPE_VIDEO || p->streams[i].copy || is_cover(p, s))
            continue;
        if (p->nb_fleet++ == p->nth_fleet)
            p->fleet_stream = i;
        p->streams[i].fleet = 1;
    }
    if (!p->nb_fleet)
        return plan_stock(p, p->cmd->nb_outputs > 1 ? "it encodes no video for one of its outputs" :
                        "it encodes no video");
    return input_check_splittable(plan_video_input(p), plan_video(p), p->reason, sizeof(p->reason)) < 0;
}

/**
 * They are stock's, where the output shows them as any other stream; where in the file they come
 * depends on when streams end.
 */
int decide_covers(Plan *p)
{
    int nb = 0;

    for (int i = 0; i < p->nb_streams; i++)
        nb += is_cover(p, &p->streams[i]);
    if (nb && strcmp(p->oformat->name, "matroska") && strcmp(p->oformat->name, "webm"))
        return plan_stock(p, "it encodes a cover picture as well, which is not split in %s", p->oformat->name);
    if (nb && (p->filter_script || p->tied_ends))
        return plan_stock(p, "it encodes a cover picture as well, which is not split with %s",
                          p->tied_ends ? "-shortest or -frames" : "-filter_script");
    return 0;
}
