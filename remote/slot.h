/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SLOT_H
#define FFLEET_SLOT_H

/**
 * @file
 * One connection to one host, one command at a time: an explicit state machine over a Transport.
 *
 *   DOWN -> CONNECTING -> IDLE -> EXEC -> PUMP -> STATUS -> IDLE
 *                          ^                                  anything that goes wrong -> DOWN
 *
 * A slot belongs to one thread; only slot_cancel(), slot_abort(), slot_poke() and slot_progress()
 * may be called by others.
 */

#include <stddef.h>
#include <stdint.h>

#include <libavutil/bprint.h>

#include "blob.h"
#include "hosts.h"

struct Transport;
typedef struct Slot Slot;

/** As transport_alloc(), see transport.h. */
typedef int (*SlotTransportFunc)(struct Transport **t, const Host *host, int wake_fd);

enum SlotState {
    SLOT_DOWN, SLOT_CONNECTING, SLOT_IDLE, SLOT_EXEC, SLOT_PUMP, SLOT_STATUS,
};

/** A command to run. */
typedef struct SlotJob {
    const char *command;
    const Blob *input;            ///< sealed; NULL: stdin is empty
    int         stall_timeout_ms; ///< no byte in either direction for so long: stalled; talk that tells of no
                                  ///< progress counts ten times as long
    void       *opaque;           ///< for the functions below
    /** A piece of stdout. @return 1: that is progress, 0: just talk; an error ends the command */
    int       (*out)(void *opaque, const uint8_t *data, size_t size);
    /** A piece of stderr. @return whether it tells of progress */
    int       (*err)(void *opaque, const char *data, size_t size);
    /** Not NULL: when all of the input is on its way, ask this until it returns 1, then send SPOOL_GO. */
    int       (*gate)(void *opaque);
} SlotJob;

enum SlotEnd {
    SLOT_END_STATUS,     ///< the command ended; SlotResult.status is valid, the slot is idle
    SLOT_END_TRANSPORT,  ///< the connection failed
    SLOT_END_STALLED,
    SLOT_END_CANCELLED,
    SLOT_END_CLIENT,     ///< SlotJob.out returned an error, or the input could not be read
};

typedef struct SlotResult {
    enum SlotEnd end;
    int     error;       ///< AVERROR code, 0 for SLOT_END_STATUS
    int     status;      ///< exit status as in TransportOps.exit_status()
    char    why[512];    ///< one line without the host's name; empty for SLOT_END_STATUS
    int64_t bytes_up, bytes_down;
    int64_t first_byte;  ///< of stdout: av_gettime_relative(), or 0: none came
} SlotResult;

typedef struct SlotProgress {
    enum SlotState state;
    int64_t bytes_up, bytes_down;  ///< of the running or last command
    int     input_sent;            ///< all of stdin has been taken
    int     answering;             ///< stdout came after that
    double  since;                 ///< seconds since the last byte or change of state
} SlotProgress;

/**
 * @param host      not copied, must outlive the slot
 * @param transport NULL: transport_alloc()
 */
int  slot_alloc(Slot **s, const Host *host, SlotTransportFunc transport);
/** Disconnects. Its thread has ended, or is the caller. */
void slot_free(Slot **s);

/**
 * Connect anew. Blocks.
 * @param why the reason of a failure, without the host's name
 * @return 0 or an AVERROR code; AVERROR_EXIT when cancelled
 */
int  slot_connect(Slot *s, int timeout_ms, char *why, size_t why_size);
/** Down again, also after a failure; may take a second. */
void slot_disconnect(Slot *s);
/** Whether it could run a command, as far as that can be seen from here. */
int  slot_connected(const Slot *s);

/**
 * Run a command to its end. Blocks. After any end but SLOT_END_STATUS the slot is no longer connected;
 * slot_disconnect() gives the rest back, which may take a second.
 */
void slot_run(Slot *s, const SlotJob *job, SlotResult *result);

/**
 * Run a command without stdin and collect what it writes: all of stdout, then all of stderr
 * (up to 1 MiB of each).
 * @param out initialized by the caller, appended to
 */
void slot_probe(Slot *s, const char *command, int stall_timeout_ms, AVBPrint *out,
                SlotResult *result);

/** For good: whatever runs ends as cancelled at once, and so does all that is begun later. Any thread. */
void slot_cancel(Slot *s);
/** Only what runs now ends as cancelled; what is begun before slot_rearm() does, too. Any thread. */
void slot_abort(Slot *s);
/** Something has changed that SlotJob.gate wants to know. Any thread. */
void slot_poke(Slot *s);
/** Before a command is given to the slot: a slot_abort() that came too late for the one before is forgotten. */
void slot_rearm(Slot *s);
/** Any thread. */
void slot_progress(const Slot *s, SlotProgress *progress);

#endif
