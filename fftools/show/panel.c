/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/avutil.h>
#include <libavutil/common.h>
#include <libavutil/error.h>

#include "panel.h"

#define STALE_SECONDS 30

/** One of the three steps of a host's pipeline. */
typedef struct Step {
    const char *name, *busy, *done, *arrow;
    enum FleetState state;
} Step;

static const Step steps[] = {
    { "SENDER",   "SENDING",     "SENT",       "->", FLEET_SENDING },
    { "COMPRESS", "COMPRESSING", "COMPRESSED", "*",  FLEET_COMPRESSING },
    { "DOWNLOAD", "DOWNLOADING", "DOWNLOADED", "<-", FLEET_DOWNLOADING },
};

void panel_init(Panel *p)
{
    memset(p, 0, sizeof(*p));
    p->nb = p->next = 1; /* the average starts from a standing fleet */
}

int panel_due(Panel *p, int64_t now)
{
    if (p->drawn && now - p->last < 1000000)
        return 0;
    p->drawn = 1;
    p->last  = now;
    return 1;
}

void panel_host_init(PanelHost *h, const FleetHostStatus *status, int draining, double fps, int64_t time_us)
{
    *h = (PanelHost){
        .label      = status->host ? status->host->label : "?",
        .state      = status->state,
        .draining   = draining,
        .tasks_done = status->tasks_done,
        .slots      = status->slots,
        .nb_slots   = FFMIN(status->nb_slots, (int)FF_ARRAY_ELEMS(status->slots)),
        .fps        = fps,
        .time_us    = time_us,
    };
}

/* The first slot in a state, or NULL. */
static const FleetSlotStatus *find_slot(const PanelHost *h, enum FleetState state, int *count)
{
    const FleetSlotStatus *found = NULL;

    *count = 0;
    for (int i = 0; i < h->nb_slots; i++) {
        if (h->slots[i].state != state)
            continue;
        if (!found)
            found = &h->slots[i];
        ++*count;
    }
    return found;
}

static const char *host_state(const PanelHost *h)
{
    switch (h->state) {
    case FLEET_CONNECTING: return "IDLE";
    case FLEET_BROKEN:     return "BROKEN";
    case FLEET_FINISHED:   return "FINISHED";
    default:               return h->draining ? "DRAINING" : "RUNNING";
    }
}

/* Whether anything has left a step: a slot is in a later one, or a task was done. */
static int was_used(const PanelHost *h, int step)
{
    int n;

    for (int i = step + 1; i < (int)FF_ARRAY_ELEMS(steps); i++)
        if (find_slot(h, steps[i].state, &n))
            return 1;
    return h->tasks_done > 0;
}

static void format_step(AVBPrint *bp, const PanelHost *h, int i)
{
    const Step *step = &steps[i];
    int count;
    const FleetSlotStatus *slot = find_slot(h, step->state, &count);

    if (slot)
        av_bprintf(bp, "%s(%s, %d, %soutput%04"PRId64")", step->name, step->busy, count - 1,
                   step->arrow, slot->task);
    else
        av_bprintf(bp, "%s(%s, 0)", step->name, h->state == FLEET_BROKEN ? "BROKEN" :
                   h->state == FLEET_FINISHED ? "FINISHED" : was_used(h, i) ? step->done : "IDLE");
}

static int is_stale(const PanelHost *h)
{
    for (int i = 0; i < h->nb_slots; i++)
        if (h->slots[i].state == FLEET_COMPRESSING && h->slots[i].since > STALE_SECONDS)
            return 1;
    return 0;
}

static double host_fps(const PanelHost *h)
{
    int n;

    return find_slot(h, FLEET_COMPRESSING, &n) ? h->fps : 0.0;
}

void panel_format_host(AVBPrint *bp, const PanelHost *h)
{
    int n;

    av_bprintf(bp, "%s\t[p%02d]: ST: %s | ", h->label, h->tasks_done, host_state(h));
    for (int i = 0; i < (int)FF_ARRAY_ELEMS(steps); i++) {
        format_step(bp, h, i);
        if (i + 1 < (int)FF_ARRAY_ELEMS(steps))
            av_bprintf(bp, " -> ");
    }
    av_bprintf(bp, " | stale: %s | fps: %.1f time: ", is_stale(h) ? "True" : "False", host_fps(h));
    if (find_slot(h, FLEET_COMPRESSING, &n) && h->time_us != AV_NOPTS_VALUE && h->time_us >= 0)
        av_bprintf(bp, "time=%02"PRId64":%02"PRId64":%02"PRId64".%02"PRId64,
                   h->time_us / 3600000000, h->time_us / 60000000 % 60, h->time_us / 1000000 % 60,
                   h->time_us / 10000 % 100);
}

void panel_format(Panel *p, AVBPrint *bp, int queued, const PanelHost *hosts, int nb_hosts)
{
    double now = 0, sum = 0;

    av_bprintf(bp, "Qsize: %d\n", queued);
    for (int i = 0; i < nb_hosts; i++) {
        panel_format_host(bp, &hosts[i]);
        av_bprintf(bp, "\n");
        now += host_fps(&hosts[i]);
    }
    p->fps[p->next] = now;
    p->next = (p->next + 1) % PANEL_SAMPLES;
    p->nb   = FFMIN(p->nb + 1, PANEL_SAMPLES);
    for (int i = 0; i < p->nb; i++)
        sum += p->fps[i];
    av_bprintf(bp, "AVG: %.2f fps | CURR: %.2f fps\n\n", sum / p->nb, now);
}

int panel_print(Panel *p, int queued, const PanelHost *hosts, int nb_hosts)
{
    AVBPrint bp;
    int ret = 0;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    panel_format(p, &bp, queued, hosts, nb_hosts);
    if (!av_bprint_is_complete(&bp))
        ret = AVERROR(ENOMEM);
    else
        fwrite(bp.str, 1, bp.len, stderr);
    fflush(stderr);
    av_bprint_finalize(&bp, NULL);
    return ret;
}
