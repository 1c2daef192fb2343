/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/bprint.h>

#include "../../remote/shellquote.h"
#include "../compat.h"
#include "hostcaps.h"
#include "hostslots.h"

#define OLDEST_LAVC AV_VERSION_INT(58, 134, 100)  /* FFmpeg 4.4 */

const char *hostcaps_ffmpeg(const Host *host)
{
    return host->ffmpeg ? host->ffmpeg : "ffmpeg";
}

static const char *encoder_name(const Plan *p)
{
    return p->streams[p->fleet_stream].encoder->name;
}

/** Whether an earlier plan of the chain asks for the same encoder. */
static int encoder_known(const Plan *p)
{
    for (const Plan *q = p->first; q != p; q = q->next)
        if (!strcmp(encoder_name(q), encoder_name(p)))
            return 1;
    return 0;
}

/** The banner of -h tells the version: to start ffmpeg, with all its libraries, is what a probe costs. */
char *hostcaps_command(const Plan *plan, const Host *host)
{
    const char *ffmpeg = hostcaps_ffmpeg(host);
    AVBPrint bp;
    char *text = NULL;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&bp, "echo cores=`nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || "
                    "sysctl -n hw.ncpu 2>/dev/null`");
    for (const Plan *p = plan; p; p = p->next) {
        char help[128];

        if (encoder_known(p))
            continue;
        snprintf(help, sizeof(help), "encoder=%s", encoder_name(p));
        av_bprintf(&bp, p == plan ? ";" : " &&");
        shellquote_argv(&bp, (const char *const[]){ ffmpeg, "-nostdin", "-h", help, NULL });
        av_bprintf(&bp, " </dev/null");
    }
    av_bprint_finalize(&bp, &text);
    return text;
}

static int parse_lavc(const char *out)
{
    const char *p = strstr(out, "libavcodec");
    int major, minor, micro;

    if (!p || sscanf(p, "libavcodec %d. %d.%d", &major, &minor, &micro) != 3)
        return 0;
    return major < 0 || minor < 0 || micro < 0 || major > 1000 || minor > 255 || micro > 255 ?
           0 : AV_VERSION_INT(major, minor, micro);
}

static const Plan *missing_encoder(const Plan *plan, const char *out)
{
    for (const Plan *p = plan; p; p = p->next) {
        char want[128];

        snprintf(want, sizeof(want), "Encoder %s [", encoder_name(p));
        if (!strstr(out, want))
            return p;
    }
    return NULL;
}

/**
 * The first stream for which hosts need this machine's libavcodec: its own lossy encoders change
 * from version to version (FFmpeg 7's ProRes and MPEG-4, for two) with nothing in the headers that
 * tells, unlike libraries that have one version of their own.
 */
static const Plan *version_bound(const Plan *plan)
{
    for (const Plan *p = plan; p; p = p->next) {
        const AVCodec *encoder = p->streams[p->fleet_stream].encoder;
        const AVCodecDescriptor *d = avcodec_descriptor_get(encoder->id);

        /* what libtheora's versions put into the headers, all packets depend on */
        if (encoder->id == AV_CODEC_ID_THEORA)
            return p;
        if (!encoder->wrapper_name && (!d || d->props & AV_CODEC_PROP_LOSSY))
            return p;
    }
    return NULL;
}

/** What was said instead, be it by a login shell that runs nothing. */
static const char *words_of(const char *out)
{
    const char *p = strstr(out, "cores=");

    p = p ? strchr(p, '\n') : NULL;
    return p ? p + 1 : out;
}

/** What ran there is no ffmpeg. @return an AVERROR code */
static int refuse_answer(const Host *host, int status, const char *out, char *why, size_t why_size)
{
    const char *ffmpeg = hostcaps_ffmpeg(host);

    if (status == 126 || status == 127)
        snprintf(why, why_size, "there is no %s (install ffmpeg there, or name it with ffmpeg=PATH)", ffmpeg);
    else if (status)
        snprintf(why, why_size, "%s -h failed with status %d: %.200s", ffmpeg, status, words_of(out));
    else
        snprintf(why, why_size, "%s -h does not tell a version: %.200s", ffmpeg, words_of(out));
    return AVERROR(ENOENT);
}

/** Whether the host's ffmpeg makes what this machine's does. @return 0 or an AVERROR code with the reason */
static int check_version(const Plan *plan, const HostCaps *caps, const char *out, char *why, size_t why_size)
{
    const int same = caps->lavc == LIBAVCODEC_VERSION_INT;
    const Plan *bound = same ? NULL : version_bound(plan), *missing = missing_encoder(plan, out);

    if (plan->need_version && !same)
        snprintf(why, why_size, "the filters of its ffmpeg %s may make other pixels than this machine's", caps->version);
    else if (plan->rate_open && AV_VERSION_MAJOR(caps->lavc) != LIBAVCODEC_VERSION_MAJOR)
        snprintf(why, why_size, "its ffmpeg %s may give the encoder a frame rate, this machine's leaves it open",
                 caps->version);
    else if (bound)
        snprintf(why, why_size, "its ffmpeg %s may encode with %s otherwise than this machine's", caps->version,
                 encoder_name(bound));
    else if (caps->lavc < OLDEST_LAVC)
        snprintf(why, why_size, "its ffmpeg %s is older than 4.4", caps->version);
    else if (missing)
        snprintf(why, why_size, "its ffmpeg %s has no encoder %s", caps->version, encoder_name(missing));
    else
        return 0;
    return AVERROR(ENOSYS);
}

int hostcaps_check(const Plan *plan, const Host *host, int status, const char *out, HostInfo *info,
                   char *why, size_t why_size)
{
    const char *cores = strstr(out, "cores="), *version = strstr(out, "ffmpeg version ");
    HostCaps *caps;
    int ret;

    info->cores = cores ? av_clip(atoi(cores + strlen("cores=")), 0, 4096) : 0;
    if (!version)
        return refuse_answer(host, status, out, why, why_size);
    caps = av_mallocz(sizeof(*caps));
    if (!caps)
        return AVERROR(ENOMEM);
    sscanf(version, "ffmpeg version %63s", caps->version);
    caps->lavc = parse_lavc(out);
    ret = check_version(plan, caps, out, why, why_size);
    if (ret < 0) {
        av_free(caps);
        return ret;
    }
    info->priv  = caps;
    info->slots = hostslots_choose(plan, host, info->cores);
    return 0;
}
