/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FLEETCLIENT_H
#define FFLEET_FLEETCLIENT_H

/**
 * @file
 * What a fleet and its client tell each other: the tasks, the tries of them, what the client says of
 * hosts and results, and its wishes. fleet.h begins with it.
 */

#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "hosts.h"

struct Transport;

/** What a client learned of a host; filled by FleetClient.host_check. */
typedef struct HostInfo {
    int   cores;       ///< 0: unknown
    int   slots;       ///< wanted by the client when the user gave none; 0: 1
    void *priv;        ///< the client's; freed with FleetClient.host_free
} HostInfo;

/** One unit of work. Filled and owned by the caller; must live until fleet_next() returned it or fleet_close(). */
typedef struct FleetTask {
    int64_t id;        ///< the segment's number; unique
    Blob   *input;     ///< sealed; bytes for stdin
    double  weight;    ///< estimated work, in the unit of FleetAttempt.frames
    void   *opaque;    ///< the client's

    /* set by the fleet */
    void   *result;    ///< what attempt_end() of the accepted attempt returned; the caller's
    int     error;     ///< 0, or the AVERROR code of a task that could not be done anywhere
    char    why[512];  ///< the last failure, in one line
    int     running;   ///< attempts that run now; the fleet's own
    int     settled;   ///< it has its result, the other attempts are on their way out; the fleet's own
} FleetTask;

/** One try, as the client sees it. */
typedef struct FleetAttempt {
    FleetTask      *task;
    const Host     *host;
    const HostInfo *info;
    int             slot;    ///< index within the host
    int             number;  ///< 0 for the first try of this task
    int             duplicate; ///< another attempt of this task runs, too: one of them is in vain
    int64_t         frames;  ///< set by the client: work done so far; -1: unknown
    void           *priv;    ///< the client's
} FleetAttempt;

/**
 * All called from slot threads, never two at a time for the same attempt. probe_command (no probe
 * then: every host is taken as it is), host_free, attempt_stderr, attempt_free and result_free may
 * be NULL.
 */
typedef struct FleetClient {
    void *opaque;

    /** The sh text that tells what a host can do; malloc'd by av_*. Run once a host. */
    char *(*probe_command)(void *opaque, const Host *host);

    /**
     * Judge a host by the probe's output.
     * @param out NUL-terminated stdout followed by stderr
     * @return 0: use it, *info is the fleet's until host_free() (its slots become the number really
     *         opened); else an AVERROR code, with nothing kept in *info and the reason (without the host's name) in why
     */
    int (*host_check)(void *opaque, const Host *host, int status, const char *out,
                      HostInfo *info, char *why, size_t why_size);
    void (*host_free)(void *opaque, HostInfo *info);

    /**
     * An attempt begins: return the sh text to run in *command (av_malloc'd; the fleet frees it).
     * @return 0; AVERROR(ENOSYS): this host is not to do it, which is not its fault; or another AVERROR code
     */
    int (*attempt_begin)(void *opaque, FleetAttempt *a, char **command);
    /** A piece of stdout. An error ends the attempt as failed. */
    int (*attempt_stdout)(void *opaque, FleetAttempt *a, const uint8_t *data, size_t size);
    /** A piece of stderr. @return whether it tells of progress */
    int (*attempt_stderr)(void *opaque, FleetAttempt *a, const char *data, size_t size);
    /**
     * The command ended with this exit status: verify.
     * @return 0 and *result: accepted. AVERROR_INVALIDDATA: the host returned wrong data, it is
     *         left out for the rest of the run. AVERROR_PATCHWELCOME: the input seems to be at
     *         fault, so that only this machine is tried as well, or with no local_fallback one
     *         other host. Other errors: a failed attempt. why: the reason
     */
    int (*attempt_end)(void *opaque, FleetAttempt *a, int status, void **result,
                       char *why, size_t why_size);
    /** Always the last call of an attempt, whatever happened: free a->priv. */
    void (*attempt_free)(void *opaque, FleetAttempt *a);
    /** Free a result that was not handed out by fleet_next(): its task was not returned before
     *  fleet_close(), or its host was left out for wrong data meanwhile. Any thread. */
    void (*result_free)(void *opaque, void *result);
} FleetClient;

typedef struct FleetOptions {
    int local_fallback;   ///< 1: this machine finishes what no host could (unset by --no-fallback)
    const Host *local;    ///< the host entry used for that (Host.local set); not owned
    int max_attempts;     ///< remote tries of a task before the local one; 0: 3
    int connect_timeout_ms; ///< 0: 10,000
    int queue_limit;      ///< tasks waiting in fleet_submit(); 0: 1 + number of slots known
    int stall_timeout_ms; ///< see SlotJob: the attempt failed; 0: 60,000
    int overlap;          ///< 1: a slot starts its next command while the one before ends, see sched_set_lanes()
    int backoff_ms;       ///< first pause of a host that failed, doubled for each further one; 0: 1,000
    /** Makes the connections; NULL: transport_alloc(). */
    int (*transport_alloc)(struct Transport **t, const Host *host, int wake_fd);
} FleetOptions;

#endif
