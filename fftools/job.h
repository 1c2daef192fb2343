/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_JOB_H
#define FFLEET_JOB_H

/**
 * @file
 * Carries out a plan: reader thread -> fleet -> join -> mux, beside it the remainder, and what the
 * user sees and says meanwhile.
 */

#include "../remote/hosts.h"
#include "../remote/trace.h"
#include "plan/plan.h"

typedef struct JobResult {
    int  status;        ///< for exit(), when job_run() returned 0
    char reason[512];   ///< why stock has to do it all after all
    int  overwrite;     ///< the user allowed to overwrite the output, or it was begun: stock must not ask again
    int  worth_telling; ///< hosts have worked in vain, or the user can help
    int  signal;        ///< after all is cleaned up, die of this signal as ffmpeg would; 0: none
} JobResult;

/**
 * @param stock path of the real ffmpeg
 * @return 0: done, well or not, result->status; AVERROR_PATCHWELCOME: nothing is left of the attempt, stock
 *         has to do it (result->reason)
 */
int job_run(const Plan *plan, const char *stock, const HostList *hosts, Trace *trace,
            JobResult *result);

#endif
