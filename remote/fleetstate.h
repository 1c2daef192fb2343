/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FLEETSTATE_H
#define FFLEET_FLEETSTATE_H

/**
 * @file
 * The inside of a Fleet: its state, and what is to be done whenever that changes. Only fleet.c, worker.c,
 * attempt.c and hostnews.c include this.
 */

#include <pthread.h>

#include "fleetclient.h"
#include "sched.h"
#include "slot.h"
#include "trace.h"

typedef struct Fleet Fleet;
typedef struct FleetHost FleetHost;

/** A thread with its slot. */
typedef struct Worker {
    Fleet     *fleet;
    FleetHost *fh;
    int        index;   ///< of the slot within the host
    Slot      *slot;
    pthread_t  thread;
    FleetTask *task;    ///< of the running attempt, or NULL
    int        spooling; ///< its attempt may wait for its turn
    int        ended;
} Worker;

struct FleetHost {
    const Host *host;
    int         index;      ///< of the scheduler
    HostInfo    info;       ///< written once, before `checked`
    int         checked;
    int         used;       ///< connected, or tried to
    int         tasks_done;
    char        why[256];   ///< of the last failure
    int         told;       ///< 1: a failure was reported to the user; 2: also that the host is left out
    int         spare;      ///< slots that are only there to keep the others busy
    pthread_cond_t work;    ///< for its workers: ask the scheduler again
    int         nb_workers;
    Worker     *workers[SCHED_MAX_LANES];
};

struct Fleet {
    FleetClient  client;
    FleetOptions options;   ///< with the defaults filled in, but for queue_limit
    Trace       *trace;

    pthread_mutex_t lock;   ///< of all that follows; never held during I/O or a call of the client
    pthread_cond_t  news;   ///< for fleet_submit() and fleet_next()
    Sched      *sched;
    FleetHost  *hosts;
    int         nb_hosts;   ///< including the fallback, which is the last
    char        last_why[512]; ///< the last failure of any host, with its name
    FleetTask **done;       ///< not returned yet; has room for all tasks that the fleet holds
    int         nb_done, max_done;
    int         finished, cancelled;
    double      asked;      ///< fleet_clock() when fleet_demand() wanted a task that is not here yet; 0: none
};

/** Seconds on the monotonic clock: the time of all sched_*() calls. */
double fleet_clock(void);
/** Wait for a condition up to a time of fleet_clock(); INFINITY: without limit. Needs the lock. */
void fleet_wait(Fleet *f, pthread_cond_t *cond, double until);
/** To be called after each event: finish tasks nobody can do, wake who waits. Needs the lock. */
void fleet_changed(Fleet *f);
/**
 * The same after an event that changes nothing for other hosts, unless tasks wait or none is to
 * come any more: hundreds of threads would be woken for nothing.
 */
void fleet_host_changed(Fleet *f, FleetHost *fh);
/** Wake all workers. Needs the lock. */
void fleet_wake(Fleet *f);
/** The task is done, well or not. Needs the lock. */
void fleet_task_done(Fleet *f, FleetTask *task);
/** One of its attempts is over: hand the task out if its result is there and this was the last. Needs the lock. */
void fleet_attempt_over(Fleet *f, FleetTask *task);
/** The task is done badly: no host is left for it. Needs the lock. */
void fleet_give_up(Fleet *f, FleetTask *task);

#endif
