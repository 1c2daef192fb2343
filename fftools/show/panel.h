/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PANEL_H
#define FFLEET_PANEL_H

/**
 * @file
 * The status panel: a line for each host, drawn once a second. Pure formatting.
 *
 * Knowledge: yaffmpegp's panel, as its command line is our short form.
 */

#include <stdint.h>

#include <libavutil/bprint.h>

#include "../../remote/fleet.h"

#define PANEL_SAMPLES 100

/** What is shown of a host. */
typedef struct PanelHost {
    const char *label;            ///< not owned
    enum FleetState state;
    int     draining;             ///< no new task will come to it
    int     tasks_done;
    const FleetSlotStatus *slots; ///< not owned
    int     nb_slots;
    double  fps;                  ///< of its encodes now
    int64_t time_us;              ///< position within the segment; AV_NOPTS_VALUE: not known
} PanelHost;

/** Remembers the speeds for the average. Belongs to one thread. */
typedef struct Panel {
    double  fps[PANEL_SAMPLES];
    int     nb, next;
    int     drawn;
    int64_t last;
} Panel;

/** Nothing to free. */
void panel_init(Panel *p);

/** Whether a second has passed since it last said so; the first time always. @param now microseconds */
int panel_due(Panel *p, int64_t now);

/** Fill a PanelHost from a snapshot, which must outlive it. */
void panel_host_init(PanelHost *h, const FleetHostStatus *status, int draining, double fps, int64_t time_us);

/** One host, without the newline. */
void panel_format_host(AVBPrint *bp, const PanelHost *h);

/** All of it; takes a sample for the average. @param queued tasks that wait for a slot */
void panel_format(Panel *p, AVBPrint *bp, int queued, const PanelHost *hosts, int nb_hosts);

/** panel_format() onto stderr. @return 0 or AVERROR(ENOMEM) */
int panel_print(Panel *p, int queued, const PanelHost *hosts, int nb_hosts);

#endif
