/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SCHED_H
#define FFLEET_SCHED_H

/**
 * @file
 * Who does what: pure decisions. No I/O, no threads, no clock: the time is an argument, in
 * seconds of any monotonic clock, so that a whole run can be simulated. Not thread-safe: fleet.c
 * holds its lock around each call.
 *
 * A slot asks sched_decide() what to do, does it, and reports with one of the events; any event, and
 * any duplicate begun, may change what the other slots are told, so slots that wait have to ask again
 * after it.
 *
 * Rules:
 * - Pending tasks go out in order of id, because the join needs them in that order.
 * - A task made to a host's measure (sched_demand()) is kept for it as long as it has room.
 * - A task is not given to a host that failed it while another healthy host has not.
 * - A task whose command failed max_tries times, or that failed in any way max_attempts times, is left
 *   to the fallback host; if it fails there too it is given up: then its input is at fault, and the
 *   hosts are innocent.
 * - A failed connection, a stall, or max_commands failed commands in a row (without a success
 *   between) make a host pause; pauses grow. After max_failures such without a success
 *   between, the host is broken: nobody waits for it, and its pauses get longer still, but when it can be reached again
 *   it works on. Wrong data, or a failure for good, and it is out for the rest of the run.
 * - The fallback host takes the rest only when no remote host is usable or still in its first
 *   connect.
 * - When no task waits and none will come, the attempt with the most time left is begun a second
 *   time on the fastest free slot, if that is going to be earlier. The first result wins; the caller
 *   stops the loser. Times come from the attempts' own progress and the measured rates of hosts.
 * - Where then no other host is left for an attempt that is very late, or has stopped moving, the fallback host
 *   begins it, too.
 *
 * An event costs O(log tasks); what free slots ask at the end of a run O(hosts + running) once an event.
 */

#include <stdint.h>

#define SCHED_MAX_SLOTS 64
/** Connections to a host, with the spare ones. */
#define SCHED_MAX_LANES 96

typedef struct Sched Sched;

/** Zero stands for the default in all fields. */
typedef struct SchedConfig {
    uint32_t seed;          ///< of the jitter
    int      max_attempts;  ///< failures of a task on remote hosts; 0: 3
    int      max_tries;     ///< failed commands of a task on remote hosts, where there is a fallback; 0: 2
    int      max_failures;  ///< of a host in a row; 0: 5
    int      max_commands;  ///< failed commands of a host in a row that make one failure; 0: 3
    double   backoff;       ///< first pause, seconds; 0: 1
    double   backoff_max;   ///< longest pause of a host that is not broken, seconds; 0: 30
    int      fallback_listed; ///< the fallback host's machine is one of the others, too: it takes no part in what these do
} SchedConfig;

enum SchedAction {
    SCHED_WAIT,        ///< ask again after any event, or at SchedDecision.until
    SCHED_CONNECT,     ///< then report sched_connected() or sched_connect_failed()
    SCHED_RUN,         ///< run the task, then report sched_done() or sched_failed()
    SCHED_DISCONNECT,  ///< close the connection, ask again
    SCHED_FINISH,      ///< there will be no more work for this slot
};

typedef struct SchedDecision {
    enum SchedAction action;
    double until;      ///< of SCHED_WAIT: INFINITY when only an event can change the answer
    int64_t id;        ///< of SCHED_RUN
    void   *task;      ///< of SCHED_RUN: as given to sched_add_task()
    int     number;    ///< of SCHED_RUN: 0 for the first attempt of this task
    int     duplicate; ///< of SCHED_RUN: another attempt of it runs
    int     spool;     ///< of SCHED_RUN: let the input travel, then wait for sched_permit()
} SchedDecision;

enum SchedFailure {
    SCHED_FAIL_TRANSPORT,  ///< the connection was lost
    SCHED_FAIL_STALLED,
    SCHED_FAIL_COMMAND,    ///< the command failed, the connection is good
    SCHED_FAIL_WRONG,      ///< wrong data: the host lies or is defect
    SCHED_FAIL_INPUT,      ///< no other host would do better, but the fallback host may; nobody is blamed
    SCHED_FAIL_CLAIM,      ///< the host says that the input is at fault: the fallback host is to tell, or without one another
                           ///< host; if that one can do it, who said so is blamed as for a failed command
    SCHED_FAIL_UNFIT,      ///< the task is not for this host, but may be for others; nobody is blamed
    SCHED_FAIL_CANCELLED,  ///< we stopped it: nobody's fault
};

/** What happens to the task of a failed attempt. */
enum SchedNext {
    SCHED_NEXT_AGAIN,    ///< tried again, there is no other host than this one
    SCHED_NEXT_OTHER,    ///< tried again, on another host if possible
    SCHED_NEXT_LOCAL,    ///< left to the fallback host
    SCHED_NEXT_GIVE_UP,  ///< the scheduler has forgotten it
    SCHED_NEXT_OTHER_RUNS, ///< another attempt of it goes on, or has won
};

enum SchedHostState {
    SCHED_HOST_NEW,      ///< not checked yet
    SCHED_HOST_READY,
    SCHED_HOST_BACKOFF,  ///< pauses after a failure
    SCHED_HOST_BROKEN,   ///< nobody counts on it any more, see sched_host_until()
};

/** @return 0 or AVERROR(ENOMEM) */
int  sched_alloc(Sched **s, const SchedConfig *config);
void sched_free(Sched **s);

/**
 * Add a host; all must be added before the first task. It has one slot until sched_checked().
 * @param fallback this is the host of last resort (one at most)
 * @return its index, counted from 0, or AVERROR(ENOMEM)
 */
int sched_add_host(Sched *s, int fallback);

/**
 * @param id     unique among the tasks the scheduler knows
 * @param weight estimated work, any unit
 * @return 0, AVERROR(EEXIST) or AVERROR(ENOMEM)
 */
int  sched_add_task(Sched *s, int64_t id, double weight, void *task);
/** No more tasks will be added. */
void sched_finish(Sched *s);

/** What shall this slot do now? Call only for a slot that does nothing. */
SchedDecision sched_decide(Sched *s, int host, int slot, double now);

/** The slot may run tasks, if the host is checked. */
void sched_connected(Sched *s, int host, int slot);
/** The connection of a slot that does nothing has ended. That is no failure: it may have been idle for long. */
void sched_dropped(Sched *s, int host, int slot);
/** @param permanent it makes no sense to try again (refused key, failed check) */
void sched_connect_failed(Sched *s, int host, int slot, int permanent, double now);
/** How the input gets to a host. */
enum SchedFeed {
    SCHED_FEED_AUTO,     ///< the first attempts show which is better
    SCHED_FEED_STREAM,   ///< while the command reads it
    SCHED_FEED_SPOOL,    ///< before the command begins, while the one before works
};

/**
 * Before sched_checked(): the host shall have so many connections more than commands that work at a time.
 * On them, the next command starts when one is about to end, or its input travels meanwhile.
 */
void sched_set_lanes(Sched *s, int host, int spare, enum SchedFeed feed);
/** What it is by now. */
enum SchedFeed sched_feed(const Sched *s, int host);
/** All of the attempt's input is on its way. */
void sched_uploaded(Sched *s, int host, int slot, double now);
/** The first of the attempt's result is there: its start is over. */
void sched_answered(Sched *s, int host, int slot, double now);
/** Whether the command of a spooled attempt may begin; to be asked after each event, and now and then. */
int  sched_permit(Sched *s, int host, int slot, double now);

/** The host is good; called once, after sched_connected() of its slot 0. @param nb_slots commands at a time */
void sched_checked(Sched *s, int host, int nb_slots);
/** Out for the rest of the run, for a reason of the caller's. */
void sched_break(Sched *s, int host);

/**
 * How much of its task's weight the attempt of this slot has done, by its own account. Lower
 * than before: ignored.
 */
void sched_progress(Sched *s, int host, int slot, double done, double now);

/**
 * The attempt of this slot ended well.
 * @param up whether the slot is still connected
 * @return 0: accepted. AVERROR(EEXIST): another attempt was faster. AVERROR(EPERM): the host has
 *         returned wrong data elsewhere meanwhile; the result must not be used. Once no attempt of an
 *         accepted task runs the scheduler has forgotten it
 */
int sched_done(Sched *s, int host, int slot, int up, double now);
/**
 * An attempt whose task is done. Call after sched_done() until it returns 0; stop each, and
 * report its end as that of any other.
 */
int sched_loser(Sched *s, int *host, int *slot);
enum SchedNext sched_failed(Sched *s, int host, int slot, enum SchedFailure kind, int up,
                            double now);

/**
 * Take out a task that no host is left for. Call after each event until it returns 0.
 * @return 1 and the task, as given to sched_add_task(); 0: none
 */
int sched_given_up(Sched *s, void **task);

enum SchedHostState sched_host_state(const Sched *s, int host, double now);
/** The end of the host's pause; 0: none yet; INFINITY: it is out for the rest of the run. */
double sched_host_until(const Sched *s, int host);
/** Connected slots of a host. */
int sched_host_up(const Sched *s, int host);
/** Tasks not done yet; of these, those that no slot has. */
int sched_open(const Sched *s);
int sched_pending(const Sched *s);
/**
 * The host that the only waiting task is kept for, see sched_demand(); -1: it is not, or there are
 * more of them.
 */
int sched_kept_for(const Sched *s, double now);
/** Slots of all remote hosts that are not broken, at least one. */
int sched_slots(const Sched *s);
/** Measured weight a second of one of the host's slots; 0: not known yet. */
double sched_rate(const Sched *s, int host);
/**
 * Whether a host could begin another task if there were one, and how big that ought to be so that all hosts
 * end together: about half of what the host can do until then, and in the end all of it (factoring by rates).
 * The next task added is kept for that host.
 * @param remaining weight of what is not a task yet
 * @param usual     least weight of a task but for the last ones
 * @param least     of any task, unless nothing else is left
 * @param most      of any task, unless even more is done in a few seconds; INFINITY: no matter
 * @param until     when to ask again without an event; INFINITY: an event has to come
 * @return 0: one waits already, nobody wants one now, or a busy host would do it sooner than the free ones
 */
int sched_demand(Sched *s, double remaining, double usual, double least, double most, double now,
                 double *size, double *until);
/**
 * How long it took to make a task after sched_demand() wanted it: the next one is wanted so much
 * earlier than there is room for it.
 */
void sched_made(Sched *s, double seconds);

#endif
