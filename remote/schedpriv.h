/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SCHEDPRIV_H
#define FFLEET_SCHEDPRIV_H

/**
 * @file
 * The inside of a Sched. Only the files sched*.c include this.
 */

#include "sched.h"

struct AVTreeNode;

/* Attempts of a task that may run at a time: even a duplicate may be on a host that hangs. */
#define MAX_AT_ONCE 4
/* Hosts that a task remembers to have failed on; with more failures it is the fallback's anyway. */
#define MAX_FAILED_ON 16

enum SlotPhase { DOWN, CONNECTING, CHECKING, IDLE, RUNNING, GONE, NB_PHASES };

typedef struct SlotInfo SlotInfo;

typedef struct Task {
    int64_t   id;
    double    weight;
    void     *opaque;
    SlotInfo *attempts[MAX_AT_ONCE];
    int       nb_running;
    int       number;      ///< attempts begun
    int       failures;    ///< on remote hosts
    int       commands;    ///< of these, failed commands
    int       local_only;
    int       input;       ///< no remote host can do it
    int       claims[2];   ///< hosts that say it is the input's fault
    int       nb_claims;
    int       done;        ///< its result is there; what still runs has lost
    int       failed_on[MAX_FAILED_ON];
    int       nb_failed_on;
    struct AVTreeNode *open, *fresh;   ///< its places in the trees, NULL while it is in one
    int       wanted;      ///< the host it was made for, or -1
    int       troubled;    ///< 1 + index in Sched.troubled; 0: not there
} Task;

struct SlotInfo {
    enum SlotPhase phase;
    int      host, slot;
    Task    *task;
    int      running;    ///< 1 + index in Sched.running; 0: not there
    int      told;       ///< a loser that was told to stop
    double   start;      ///< of the attempt's work
    double   begun;      ///< of the attempt
    int      permit;     ///< it works, and counts as one of the host's
    int      spooled;    ///< its input travels first
    int      uploading, answered;
    double   done;       ///< weight done so far, by its own account
    double   done_at;    ///< when that last changed
    double   pace;       ///< weight a second, of late; 0: not known
    double   gap;        ///< seconds from the account before the last to the last; 0: there was one at most
    double   first, first_at;   ///< the first account, and when: an encoder looks ahead before it gives anything
    unsigned epoch;      ///< of the host when what now goes on here began
    int      failures;   ///< of connects in a row, while the host's other slots were well
    double   retry_at;
};

typedef struct HostEntry {
    int      fallback, checked, wrong;
    int      broken;              ///< nobody counts on it: it is tried again after a pause, unless it is ...
    int      out;                 ///< ... left out for the rest of the run
    int      nb_slots;            ///< lanes
    int      max_permits;         ///< attempts that may work at a time
    int      nb_permits;          ///< those that do
    int      nb_queued;           ///< attempts whose input travels, or has arrived
    int      nb_uploading;        ///< of these, the former
    int      spare;               ///< lanes more than max_permits
    enum SchedFeed feed;
    double   lead;                ///< seconds from a command's start to the first of its result
    double   upload_time, work_time;   ///< of spooled attempts
    int      phases[NB_PHASES];   ///< how many slots are in each
    SlotInfo slots[SCHED_MAX_LANES];
    /* All slots of a host notice the same incident. It counts once: a failure moves the host to a
     * new epoch, and failures of what began in an older one do not count. */
    unsigned epoch;
    int      failures;   ///< in a row
    int      commands;   ///< failed commands in a row
    double   retry_at;
    double   rate;       ///< weight a second, of one slot; 0: not known yet
} HostEntry;

/** What all idle slots ask for at the same moment, found once. */
typedef struct Straggler {
    unsigned version;    ///< of the scheduler
    double   time;
    Task    *slowest;    ///< the one with the most time left, or NULL
    int      fastest;    ///< the fastest host with an idle slot, or -1
} Straggler;

struct Sched {
    SchedConfig config;
    uint32_t    random;
    HostEntry **hosts;
    int         nb_hosts;
    int         fallback;      ///< index, or -1

    struct AVTreeNode *open;   ///< all tasks, by id
    struct AVTreeNode *fresh;  ///< those that wait and never failed
    Task      **troubled;      ///< those that wait after a failure
    int         nb_troubled;
    unsigned    troubled_size;
    SlotInfo  **running;       ///< slots with an attempt
    int         nb_running;
    unsigned    running_size;
    int         nb_open, nb_pending;
    int         finishing;
    int         wanted;        ///< the host that the next task is for, or -1
    double      making;        ///< seconds from the demand for a task until it is there

    unsigned    version;       ///< changes with every event
    Straggler   straggler;
    double      rate_sum;      ///< of the hosts whose rate is known
    int         rate_count;
};

/* schedtask.c */

/** @return 0, AVERROR(EEXIST) or AVERROR(ENOMEM) */
int   sched_task_add(Sched *s, int64_t id, double weight, void *opaque);
void  sched_task_forget(Sched *s, Task *t);
void  sched_task_free_all(Sched *s);
int   sched_failed_on(const Task *t, int host);
void  sched_note_failed_on(Task *t, int host);
/** The waiting task that never failed with the lowest id, or NULL. */
Task *sched_first_fresh(const Sched *s);
/** A slot takes the task: it waits no more. */
int   sched_attempt_begin(Sched *s, Task *t, SlotInfo *sl, double now);
/** The slot's attempt is over. With none left and no result its task waits again. @return the task */
Task *sched_attempt_end(Sched *s, SlotInfo *sl);

/* schedrate.c */

/** Seconds that a single attempt takes from its start to its end, by its own progress; 0: too early to tell */
double sched_attempt_total(const SlotInfo *sl);
/** Seconds until a single attempt ends, by its own progress, else by its host's rate. INFINITY: no idea */
double sched_attempt_left(const Sched *s, const SlotInfo *sl, double now);

/** Weight a second of one slot of a host; of one not measured yet the others' mean. 0: nothing is known */
double sched_rate_of(const Sched *s, int host);
/** An attempt ended well: what does that say of its host? */
void  sched_measure(Sched *s, const SlotInfo *sl, double now);
/* schedlane.c */

/**
 * Whether one more attempt may begin on the host.
 * @param ahead or could in so many seconds
 * @param until when to ask again, at the latest; kept if there is no such time
 * @param spool whether its input shall travel first
 */
int  sched_lane_room(const Sched *s, int host, double now, double ahead, double *until, int *spool);
/** Whether it could even work at once. */
int  sched_lane_free(const Sched *s, int host, double now);
void sched_lane_begin(Sched *s, SlotInfo *sl, int spool, double now);
void sched_lane_end(Sched *s, SlotInfo *sl, int good, double now);

/* schedlate.c */

/**
 * A task whose running attempt a second one of this slot would outrun, and that no faster slot is free for.
 * @param until when to ask again, if there is none
 */
Task *sched_pick_straggler(Sched *s, int host, double now, double *until);
/**
 * A task that runs, and is so late that the fallback host is to begin it as well, with nothing else
 * to be done and no other host that could. How fast the fallback is, nobody knows: it is taken to
 * be as fast as the others were.
 * @param until when to ask again, if there is none
 */
Task *sched_pick_late(Sched *s, double now, double *until);

/* schedhost.c */

/** Whether a remote host works, or may still turn out to: it is not up to the fallback then. */
int    sched_host_usable(const HostEntry *h, double now);
/** Whether any is. */
int    sched_any_usable(const Sched *s, double now);
/** Whether it is not tried again. */
int    sched_host_out(const HostEntry *h);
int    sched_fallback_works(const Sched *s);
/** Remote hosts that are not broken. */
int    sched_remote_hosts(const Sched *s);
/** A broken host can be reached again. */
void   sched_host_revive(HostEntry *h);
/** Seconds of a pause after so many failures in a row. */
double sched_pause_length(Sched *s, int failures, double max);
/** A failure of the host, if what failed began after the one before. */
void   sched_host_failure(Sched *s, HostEntry *h, const SlotInfo *sl, double now);
/** What a failed attempt means for its host. */
void   sched_blame_host(Sched *s, HostEntry *h, const SlotInfo *sl, enum SchedFailure kind, double now);
/** Another host could do what these hosts said was the input's fault. */
void   sched_refute_claims(Sched *s, const Task *t, double now);
/** The fallback could not do it either: nobody is to blame for that task. */
void   sched_absolve_hosts(Sched *s, const Task *t);

#endif
