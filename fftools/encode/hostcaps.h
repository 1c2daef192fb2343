/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_HOSTCAPS_H
#define FFLEET_HOSTCAPS_H

/**
 * @file
 * What a host's ffmpeg is able to do, and whether that is enough for a plan.
 */

#include "../../remote/fleetclient.h"
#include "../plan/plan.h"

/** HostInfo.priv of hosts that were checked; from av_mallocz(). */
typedef struct HostCaps {
    int  lavc;           ///< AV_VERSION_INT of its libavcodec
    char version[64];
} HostCaps;

/** The program to run there. Valid as long as the host is. */
const char *hostcaps_ffmpeg(const Host *host);

/** The sh text that asks. @return from av_malloc(), or NULL */
char *hostcaps_command(const Plan *plan, const Host *host);

/** Judge the answer; as FleetClient.host_check. info->priv becomes a HostCaps. */
int hostcaps_check(const Plan *plan, const Host *host, int status, const char *out, HostInfo *info,
                   char *why, size_t why_size);

#endif
