/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "compat.h"
#include "encode/hostcommand.h"
#include "explain.h"
#include "plan/sizing.h"
#include "segment/segmenter.h"

static void print_streams(const Plan *plan)
{
    for (int i = 0; i < plan->nb_streams; i++) {
        const PlanStream *s = &plan->streams[i];
        const char *type = av_get_media_type_string(s->type);

        printf("  #%d:%d -> #%d:%d  %s, ", s->file, s->index, plan->output, i, type ? type : "unknown");
        if (s->fleet)
            printf("encoded with %s by the fleet, %d/%d %s per second\n", s->encoder->name,
                   plan->frame_rate.num, plan->frame_rate.den, plan->rate_open ? "ticks" : "frames");
        else if (s->copy)
            printf("copied here\n");
        else
            printf("encoded with %s here, by stock ffmpeg\n", s->encoder->name);
    }
}

static void print_hosts(const HostList *hosts)
{
    printf("hosts (%s):\n", hosts->origin ? hosts->origin : "none");
    for (int i = 0; i < hosts->nb_hosts; i++) {
        const Host *h = &hosts->hosts[i];

        printf("  %s, ", h->label);
        if (h->slots)
            printf("%d slot%s\n", h->slots, h->slots == 1 ? "" : "s");
        else
            printf("slots as fit\n");
    }
}

/** As the reader would begin, were all hosts as fast as each other. */
static int next_segment(Segmenter *s, const Plan *plan, int slots, Segment **seg,
                        char *reason, size_t reason_size)
{
    segmenter_set_length(s, sizing_next(plan, NULL, slots, segmenter_position(s)));
    return segmenter_next(s, seg, reason, reason_size);
}

static int print_segments(const Plan *plan, int slots, char *reason, size_t reason_size)
{
    Segmenter *s = NULL;
    Segment *seg = NULL, *first = NULL;
    BlobPool *pool = NULL;
    double rate = av_q2d(plan->frame_rate);
    int ret;

    ret = blob_pool_alloc(&pool, 64 << 20);
    if (ret >= 0)
        ret = segmenter_open(&s, plan, pool);
    if (ret >= 0)
        printf("segments:%s\n", plan->segment_length ? "" : " (about; it depends on the hosts' speed)");
    while (ret >= 0 && (ret = next_segment(s, plan, slots, &seg, reason, reason_size)) >= 0) {
        printf("  %"PRId64": frames %"PRId64" to %"PRId64", %.3f s to %.3f s, %"PRId64" bytes up\n",
               seg->task.id, seg->first_slot, seg->first_slot + seg->nb_slots - 1,
               seg->first_slot / rate, (seg->first_slot + seg->nb_slots) / rate,
               blob_size(seg->task.input));
        if (!first) {
            first = seg;
            seg   = NULL;
        }
        segment_free(&seg);
    }
    if (first) {
        char *command = hostcommand_encode(plan, first, "ffmpeg", LIBAVCODEC_VERSION_INT);

        if (command)
            printf("command on a host, for segment 0:\n  %s\n", command);
        av_free(command);
    }
    segment_free(&first);
    segmenter_close(&s);
    blob_pool_free(&pool);
    return ret == AVERROR_EOF ? 0 : ret;
}

int explain_print(const Plan *plan, const HostList *hosts)
{
    char reason[256] = "";
    int slots = 0, ret;

    if (plan->reason[0]) {
        printf("stock ffmpeg makes all of it: %s\n", plan->reason);
        return 0;
    }
    if (!hosts->nb_hosts)
        printf("stock ffmpeg makes all of it: there are no hosts (--hosts, FFLEET_HOSTS, "
               "~/.config/ffleet/hosts); with hosts it would be split like this\n");
    else
        printf("the fleet encodes the video\n");
    printf("streams:\n");
    for (const Plan *p = plan; p; p = plan_next_output(p))
        print_streams(p);
    for (int i = 0; i < plan->nb_sides; i++)
        printf("  output %d is made here by stock ffmpeg\n", plan->sides[i].output);
    print_hosts(hosts);
    for (int i = 0; i < hosts->nb_hosts; i++)
        slots += FFMAX(hosts->hosts[i].slots, 1);
    ret = print_segments(plan, FFMAX(slots, 1), reason, sizeof(reason));
    if (ret == AVERROR_PATCHWELCOME) {
        printf("stock ffmpeg makes all of it after all: %s\n", reason);
        ret = 0;
    }
    return ret;
}
