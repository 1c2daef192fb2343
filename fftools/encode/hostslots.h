/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_HOSTSLOTS_H
#define FFLEET_HOSTSLOTS_H

/**
 * @file
 * How many encodes of a plan a host should run at a time: as many as keep its cores busy. What is known of
 * encoders comes from their documentation (x264's and x265's frame threads, libvpx's tile columns).
 */

#include "../../remote/hosts.h"
#include "../plan/plan.h"

/**
 * @param cores of the host; 0: unknown
 * @return at least 1, within the host's maxmem= and sessions=
 */
int hostslots_choose(const Plan *plan, const Host *host, int cores);

/**
 * Whether one stock ffmpeg keeps all cores busy that there are, so that nothing can be gained: this
 * machine is the only host, and the encoder has a thread for each core and takes many times as long
 * for a frame as the threads that feed it.
 */
int hostslots_stock_fills(const Plan *plan, const HostList *hosts, const char *stock);

#endif
