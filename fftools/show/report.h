/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_REPORT_H
#define FFLEET_REPORT_H

/**
 * @file
 * Keeps the user informed while a job runs: the stats line, -progress, the status panel, the summary. One thread.
 */

#include "../../remote/fleet.h"
#include "../encode/encode.h"
#include "../output/outputs.h"

typedef struct Report Report;

/** @return 0, or the AVERROR code of opening -progress's url (already reported) */
int  report_open(Report **r, const Plan *plan, Encode *encode, Fleet *fleet);
/** Call often; prints when something is due. */
void report_update(Report *r, const Outputs *o);
/** A segment was written to its end. */
void report_joined(Report *r, const Segment *seg);
/** The last report and the summary. */
void report_finish(Report *r, const Outputs *o);
void report_close(Report **r);

#endif
