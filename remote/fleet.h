/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FLEET_H
#define FFLEET_FLEET_H

/**
 * @file
 * Run tasks on the slots of many hosts. A task is a command with bytes for its
 * stdin; its stdout is the result. The fleet knows nothing of what the command
 * does: what to run, what a host must be able to do, and whether a result is good are the
 * client's to say.
 *
 * One thread a slot (and one for each local slot); sched.c decides, slot.c carries out.
 * A failed attempt is tried on another slot, preferably of another host; when
 * attempts or hosts are used up, on this machine (FleetOptions.local_fallback). In the end, slots
 * that have nothing to do begin what is late a second time; the first good result wins.
 */

#include <stdint.h>

#include "fleetclient.h"
#include "hosts.h"
#include "trace.h"

typedef struct Fleet Fleet;

/**
 * Start connecting to all hosts at once, in the background; returns at once. A host that fails gets
 * a trace event "host" each time; av_log() tells of its first failure and of its being left out at
 * AV_LOG_WARNING, else at AV_LOG_VERBOSE. hosts and trace must outlive the fleet; client and opts
 * are copied.
 */
int fleet_open(Fleet **f, const HostList *hosts, const FleetClient *client,
               const FleetOptions *opts, Trace *trace);

/** Queue a task; blocks while the queue is full. @return 0, or AVERROR_EXIT after fleet_cancel() */
int fleet_submit(Fleet *f, FleetTask *task);
/** No more tasks will come. */
void fleet_finish(Fleet *f);
/**
 * Wait for any task to be done, well or not (task->error).
 * @param timeout_ms -1: no limit
 * @return 0 and *task; AVERROR(EAGAIN) after the timeout; AVERROR_EOF when all were returned after
 *         fleet_finish(); AVERROR_EXIT after fleet_cancel()
 */
int fleet_next(Fleet *f, FleetTask **task, int timeout_ms);
/** Stop everything as soon as possible: running commands are cancelled. Async-signal-unsafe, any thread. */
void fleet_cancel(Fleet *f);
/** Cancel what still runs, join all threads, free. Tasks not returned stay the caller's. */
void fleet_close(Fleet **f);

/** What a host's pipeline does now, for the status panel. */
enum FleetState {
    FLEET_CONNECTING, FLEET_IDLE, FLEET_SENDING, FLEET_COMPRESSING,
    FLEET_DOWNLOADING, FLEET_BROKEN, FLEET_FINISHED,
};
typedef struct FleetSlotStatus {
    enum FleetState state;   ///< of its one attempt
    int64_t task;            ///< id, or -1
    int64_t bytes_up, bytes_down;
    double  since;           ///< seconds since the last byte in either direction
} FleetSlotStatus;
typedef struct FleetHostStatus {
    const Host *host;
    enum FleetState state;
    char why[256];           ///< of FLEET_BROKEN
    int  tasks_done;
    int  nb_slots;
    FleetSlotStatus slots[HOST_MAX_SLOTS];
} FleetHostStatus;

/**
 * Snapshot.
 * @return number of hosts (may be more than max; then only max are filled), local fallback last
 * when used
 */
int fleet_status(Fleet *f, FleetHostStatus *status, int max);
/** Tasks waiting for a slot. */
int fleet_queued(Fleet *f);
/** Slots of all hosts that are not left out, as far as they are known by now. At least 1. */
int fleet_slots(Fleet *f);
/**
 * Wait until a host could begin another task. Blocks.
 * @param size how big it ought to be, see sched_demand()
 * @return 0, or AVERROR_EXIT after fleet_cancel()
 */
int fleet_demand(Fleet *f, double remaining, double usual, double least, double most, double *size);

#endif
