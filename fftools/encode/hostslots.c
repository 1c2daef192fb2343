/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/cpu.h>

#include "../compat.h"
#include "hostslots.h"

#define MAX_SLOTS 16
/* prores_ks takes 50 times as long for a frame as the one thread of ffmpeg that hands frames on. */
#define FEW_CORES 8
/* Of hardware encoders, where nobody told how many sessions they have: consumer cards have at least these. */
#define SESSIONS  2

/** Where threads come from, and how many frames wait inside the encoder. */
static const struct {
    const char *name;
    enum { BY_ROWS, BY_TILES, FEW, MANY } kind;
    int frames;
} encoders[] = {
    { "libx264",    BY_ROWS,  80 }, { "libx264rgb", BY_ROWS, 80 }, { "libx265", BY_ROWS, 110 },
    { "libvpx",     BY_TILES, 30 }, { "libvpx-vp9", BY_TILES, 40 },
    { "libaom-av1", FEW,      40 }, { "librav1e",   FEW,      50 }, { "libsvtav1", MANY, 150 },
    { .name = NULL }
};

static int find_encoder(const char *name)
{
    int i = 0;

    while (encoders[i].name && strcmp(encoders[i].name, name))
        i++;
    return i;
}

/** Cores that one encode keeps busy: threads wait for each other, for the decoder, and at both ends. */
static double busy_cores(const Plan *plan, const AVCodec *encoder, int cores)
{
    const AVCodecParameters *par = plan_video(plan)->codecpar;
    int i = find_encoder(encoder->name);
    int n = encoder->capabilities & AV_CODEC_CAP_FRAME_THREADS ? 16 : 1;

    if (encoders[i].name)
        switch (encoders[i].kind) {
        case BY_ROWS:  n = av_clip(par->height / 64, 2, 24);                 break;
        case BY_TILES: n = 1 << av_clip(av_log2(FFMAX(par->width / 512, 1)), 0, 4); break;
        case FEW:      n = av_clip(par->height / 270, 1, 4);                 break;
        case MANY:     return cores;
        }
    n = FFMIN(plan->threads ? FFMIN(n, plan->threads) : n, cores);
    return n > 1 ? 0.8 * n : 1;
}

/** Bytes, roughly: frames of the encoder's input and as much again for what it makes of them. */
static int64_t encode_memory(const Plan *plan, const AVCodec *encoder)
{
    const AVCodecParameters *par = plan_video(plan)->codecpar;
    int i = find_encoder(encoder->name);

    return (100 << 20) + 3LL * par->width * par->height * (encoders[i].name ? encoders[i].frames : 10);
}

static int is_hardware(const AVCodec *encoder)
{
    return encoder->capabilities & (AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID);
}

int hostslots_choose(const Plan *plan, const Host *host, int cores)
{
    const AVCodec *encoder = plan->streams[plan->fleet_stream].encoder;
    int slots = ceil(cores / busy_cores(plan, encoder, FFMAX(cores, 1)) - 0.1);

    if (is_hardware(encoder))
        slots = host->sessions ? host->sessions : SESSIONS;
    if (host->maxmem)
        slots = FFMIN(slots, host->maxmem / encode_memory(plan, encoder));
    return av_clip(slots, 1, MAX_SLOTS);
}

/** With the same ffmpeg. */
static int is_this_machine(const HostList *hosts, const char *stock)
{
    for (int i = 0; i < hosts->nb_hosts; i++)
        if (!hosts->hosts[i].local || (hosts->hosts[i].ffmpeg && strcmp(hosts->hosts[i].ffmpeg, stock)))
            return 0;
    return hosts->nb_hosts > 0;
}

static int limits_threads(const Command *cmd)
{
    for (int i = 1; i < cmd->argc; i++)
        if (av_strstart(cmd->argv[i], "-thread", NULL))
            return 1;
    return 0;
}

int hostslots_stock_fills(const Plan *plan, const HostList *hosts, const char *stock)
{
    const OwnOptions *own = &plan->cmd->own;
    const AVCodec *encoder, *decoder;

    if (plan->reason[0] || plan->next || plan->nb_sides || plan->filters || plan->path || own->resume ||
        own->work_dir || own->status || own->segment_length || limits_threads(plan->cmd))
        return 0;
    encoder = plan->streams[plan->fleet_stream].encoder;
    decoder = avcodec_find_decoder(plan_video(plan)->codecpar->codec_id);
    return !strcmp(encoder->name, "prores_ks") && av_cpu_count() <= FEW_CORES && is_this_machine(hosts, stock) &&
           decoder && decoder->capabilities & (AV_CODEC_CAP_FRAME_THREADS | AV_CODEC_CAP_SLICE_THREADS);
}
