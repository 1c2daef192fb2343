/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

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
