/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "../reason.h"
#include "carrierpart.h"

/** HLS takes no other text. */
static enum CarrierPart find_part(const Plan *p, const PlanStream *s)
{
    const AVStream *in = p->inputs[s->file].fc->streams[s->index];
    enum AVCodecID id  = s->copy ? in->codecpar->codec_id : s->encoder->id;

    return s->type == AVMEDIA_TYPE_SUBTITLE && id == AV_CODEC_ID_WEBVTT &&
           !strcmp(p->oformat->name, "hls") ? CARRIER_TEXT : CARRIER_MAIN;
}

void carrierpart_divide(Plan *p)
{
    for (int i = 0; i < p->nb_streams; i++)
        p->streams[i].part = find_part(p, &p->streams[i]);
}

/** Decoders that give their text with the packet in which it stands. */
static int comes_at_once(enum AVCodecID id)
{
    return id == AV_CODEC_ID_SUBRIP || id == AV_CODEC_ID_ASS || id == AV_CODEC_ID_MOV_TEXT ||
           id == AV_CODEC_ID_WEBVTT || id == AV_CODEC_ID_TEXT;
}

/**
 * av_interleaved_write_frame() sorts what comes within ten seconds of each other. Of another file stock reads the next
 * text right after the last one, long before it is shown as a rule, and then nothing is sorted; text that waits for
 * the next one's time is as much too late.
 */
static int check_text(const Plan *p, const PlanStream *s, char *reason, size_t size)
{
    const PlanInput *in = &p->inputs[s->file];
    const CmdFile *f    = in->file;

    if (in != plan_video_input(p))
        return reason_set(reason, size, "%s is not split with subtitles of another file than the video's, "
                          "which come before their time", p->oformat->name);
    if (cmdline_last(f->options, f->nb_options, "fix_sub_duration") || cmdline_last(f->options, f->nb_options, "itsscale") ||
        !comes_at_once(in->fc->streams[s->index]->codecpar->codec_id))
        return reason_set(reason, size, "%s is not split with subtitles that come at another time than the video beside them",
                          p->oformat->name);
    return 0;
}

int carrierpart_check(const Plan *p, char *reason, size_t size)
{
    const Command *cmd = p->cmd;
    int ret = 0;

    for (int i = 0; i < p->nb_streams && ret >= 0; i++)
        if (p->streams[i].part == CARRIER_TEXT)
            ret = check_text(p, &p->streams[i], reason, size);
    /* what comes at the same time is moved on, which then is an error */
    if (ret >= 0 && carrierpart_exists(p, CARRIER_TEXT) && cmdline_last(cmd->globals, cmd->nb_globals, "xerror"))
        ret = reason_set(reason, size, "-xerror is not split beside the subtitles of %s", p->oformat->name);
    return ret;
}

int carrierpart_count(const Plan *p, enum CarrierPart part)
{
    int nb = 0;

    for (int i = 0; i < p->nb_streams; i++)
        nb += p->streams[i].part == (int)part;
    return nb;
}

int carrierpart_exists(const Plan *p, enum CarrierPart part)
{
    return part == CARRIER_MAIN || carrierpart_count(p, part);
}

int carrierpart_place(const Plan *p, int stream)
{
    int place = 0;

    for (int i = 0; i < stream; i++)
        place += p->streams[i].part == p->streams[stream].part;
    return place;
}

int carrierpart_stream(const Plan *p, enum CarrierPart part, int place)
{
    for (int i = 0; i < p->nb_streams; i++)
        if (p->streams[i].part == (int)part && !place--)
            return i;
    return -1;
}

const AVOutputFormat *carrierpart_format(const Plan *p, enum CarrierPart part)
{
    return part == CARRIER_TEXT ? av_guess_format("matroska", NULL, NULL) : p->carrier;
}
