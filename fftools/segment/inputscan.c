/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdatomic.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/mem.h>

#include "../../remote/thread.h"
#include "../plan/planmake.h"
#include "inputscan.h"
#include "samepicture.h"
#include "videoreader.h"

#define LEAST_SECONDS 60   /* what is shorter is soon read by the reader itself */
#define LEAST_BYTES   (64 << 20)   /* likewise; clocks that begin anew tell less seconds than there are */
#define LOOK_SECONDS  8    /* from one keyframe that is looked at to the next: pictures rarely change for less */

struct InputScan {
    const Command *cmd;
    pthread_t   thread;
    atomic_int  stopped;
    atomic_int  found;      ///< reason is set, and stays
    char        reason[256];
};

/** Whether all of the input counts, and can be opened a second time. */
static int is_read_to_its_end(const Plan *p)
{
    const PlanInput *in = plan_video_input(p);

    for (int i = 0; i < p->nb_inputs; i++)
        if (p->inputs[i].store || p->inputs[i].network || p->inputs[i].virtual)
            return 0;
    for (const Plan *q = p; q; q = q->next)
        if (q->out_limits.duration != INT64_MAX || q->max_frames != INT64_MAX || q->tied_ends ||
            (q->timing && strstr(q->timing, "trim")))
            return 0;
    return !in->loop && in->limits.duration == INT64_MAX;
}

static int is_worth_it(const Plan *p)
{
    return (plan_video_input(p)->fc->iformat->flags & AVFMT_TS_DISCONT ||
            plan_video(p)->codecpar->field_order > AV_FIELD_PROGRESSIVE) &&
           is_read_to_its_end(p) &&
           (!p->duration || p->duration >= LEAST_SECONDS || avio_size(plan_video_input(p)->fc->pb) >= LEAST_BYTES);
}

/** @param next when a keyframe is to be looked at again, in the stream's time base */
static int look(const Plan *p, const AVPacket *pkt, PictureKind *first, int64_t *next, char *reason, size_t reason_size)
{
    const AVStream *st = plan_video(p);

    if (!(pkt->flags & AV_PKT_FLAG_KEY) || pkt->pts < *next)
        return 0;
    *next = pkt->pts + av_rescale_q(LOOK_SECONDS, av_make_q(1, 1), st->time_base);
    return samepicture_check(first, st, pkt, reason, reason_size);
}

static void scan(InputScan *s, const Plan *p)
{
    VideoReader *r = NULL;
    AVPacket *pkt  = av_packet_alloc();
    PictureKind kind = { 0 };
    int64_t next     = INT64_MIN;
    char reason[sizeof(s->reason)] = "";
    int ret = pkt ? videoreader_open(&r, p) : AVERROR(ENOMEM);

    while (ret >= 0 && !atomic_load(&s->stopped)) {
        ret = videoreader_next(r, pkt, reason, sizeof(reason));
        if (ret >= 0)
            ret = look(p, pkt, &kind, &next, reason, sizeof(reason));
        if (ret >= 0)
            av_packet_unref(pkt);
    }
    if (ret == AVERROR_PATCHWELCOME) {
        av_strlcpy(s->reason, reason, sizeof(s->reason));
        atomic_store(&s->found, 1);
    }
    videoreader_close(&r);
    av_packet_free(&pkt);
}

static void *thread_main(void *opaque)
{
    InputScan *s = opaque;
    Plan *p;

    if (plan_make(&p, s->cmd) >= 0 && !p->reason[0])
        scan(s, p);
    plan_free(&p);
    return NULL;
}

int inputscan_start(InputScan **out, const Plan *p)
{
    InputScan *s;
    int ret;

    *out = NULL;
    if (!is_worth_it(p))
        return 0;
    s = av_mallocz(sizeof(*s));
    if (!s)
        return AVERROR(ENOMEM);
    s->cmd = p->cmd;
    ret = thread_start(&s->thread, thread_main, s);
    if (ret < 0)
        av_free(s);
    else
        *out = s;
    return ret;
}

int inputscan_found(InputScan *s, char *reason, size_t reason_size)
{
    if (!s || !atomic_load(&s->found))
        return 0;
    av_strlcpy(reason, s->reason, reason_size);
    return 1;
}

void inputscan_stop(InputScan **sp)
{
    InputScan *s = *sp;

    if (!s)
        return;
    atomic_store(&s->stopped, 1);
    pthread_join(s->thread, NULL);
    av_freep(sp);
}
