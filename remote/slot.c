/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/time.h>

#include "slot.h"
#include "spool.h"
#include "transport.h"

#define IN_SIZE   (256 << 10)
#define OUT_SIZE  (128 << 10)
#define ERR_SIZE  (16 << 10)
#define PROBE_MAX (1 << 20)
/* What writes more there, and gets no further, writes without end: that is no sign of life. */
#define ERR_MAX   (8 << 20)

/* A transport that misses a wake-up must not make fleet_close() wait for longer. */
#define MAX_WAIT_MS 500
/* So many times as long as silence, talk that tells of no progress may last. */
#define TALK_FACTOR 10
/* The time alone may open a gate. */
#define GATE_WAIT_MS 50

struct Slot {
    const Host       *host;
    SlotTransportFunc transport_alloc;
    Transport        *t;
    int               wake_fd;
    atomic_int        cancelled;
    atomic_int        aborted;   ///< the running command only
    int               failed;    ///< the transport is of no use any more

    /* for slot_progress() */
    atomic_int   state;
    atomic_llong bytes_up, bytes_down, last;
    atomic_int   input_sent, answering;
};

/** The running command. */
typedef struct Run {
    const SlotJob *job;
    SlotResult    *result;
    enum SlotEnd   blame;     ///< how to end when a step returns an error
    uint8_t *in, *out, *err;
    size_t   in_pos, in_size; ///< what the transport has not taken yet of in
    int64_t  offset;          ///< of the next piece in the input
    int      in_done;
    int      gated;           ///< the input is sent, the gate is not open yet
    int      went;            ///< SPOOL_GO is in `in`, or sent
    int      out_done, err_done;
    int64_t  err_total;       ///< since the last progress
    int64_t  moved;           ///< when there was progress
} Run;

static void touch(Slot *s)
{
    atomic_store(&s->last, av_gettime_relative());
}

/** Something moves. */
static void progress(Slot *s, Run *r)
{
    touch(s);
    r->moved = atomic_load(&s->last);
}

/** Whether it only talks, and has done so for too long. */
static int talks_on(const Run *r)
{
    return av_gettime_relative() - r->moved > r->job->stall_timeout_ms * INT64_C(1000) * TALK_FACTOR;
}

/** Something was said. FFmpeg 7 reports every half a second even when it hangs. */
static void hear(Slot *s, Run *r, int moved)
{
    if (moved)
        progress(s, r);
    else if (!talks_on(r))
        touch(s);
}

static void set_state(Slot *s, enum SlotState state)
{
    atomic_store(&s->state, state);
    touch(s);
}

int slot_alloc(Slot **sp, const Host *host, SlotTransportFunc transport)
{
    Slot *s = av_mallocz(sizeof(*s));
    int   ret;

    *sp = NULL;
    if (!s)
        return AVERROR(ENOMEM);
    s->host            = host;
    s->transport_alloc = transport ? transport : transport_alloc;
    s->wake_fd         = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0) {
        ret = AVERROR(errno);
        av_free(s);
        return ret;
    }
    set_state(s, SLOT_DOWN);
    *sp = s;
    return 0;
}

void slot_free(Slot **sp)
{
    Slot *s = *sp;

    if (!s)
        return;
    transport_free(&s->t);
    close(s->wake_fd);
    av_freep(sp);
}

/** All waits to come return at once until calm(). */
static void wake(Slot *s)
{
    uint64_t one = 1;

    /* can only fail when it is full, which is as good */
    if (write(s->wake_fd, &one, sizeof(one)) < 0)
        return;
}

void slot_cancel(Slot *s)
{
    atomic_store(&s->cancelled, 1);
    wake(s);
}

void slot_abort(Slot *s)
{
    atomic_store(&s->aborted, 1);
    wake(s);
}

void slot_poke(Slot *s)
{
    wake(s);
}

/** Forget wake-ups, but not those for good. */
static void calm(Slot *s)
{
    uint64_t count;

    while (read(s->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
    if (atomic_load(&s->cancelled))
        wake(s);
}

void slot_rearm(Slot *s)
{
    atomic_store(&s->aborted, 0);
    calm(s);
}

void slot_progress(const Slot *cs, SlotProgress *p)
{
    Slot *s = (Slot *)cs;   /* atomic loads of C11 before DR 459 want no const */

    p->state      = atomic_load(&s->state);
    p->bytes_up   = atomic_load(&s->bytes_up);
    p->bytes_down = atomic_load(&s->bytes_down);
    p->input_sent = atomic_load(&s->input_sent);
    p->answering  = atomic_load(&s->answering);
    p->since      = FFMAX(av_gettime_relative() - atomic_load(&s->last), 0) / 1e6;
}

/** The transport's sentence without the host's name: whoever prints it names the host. */
static void copy_error(const Slot *s, int error, char *why, size_t why_size)
{
    const char *text  = s->t ? s->t->error : "";
    const char *label = s->host->label;
    size_t      len   = label ? strlen(label) : 0;

    if (len && !strncmp(text, label, len) && !strncmp(text + len, ": ", 2))
        text += len + 2;
    if (*text)
        av_strlcpy(why, text, why_size);
    else if (av_strerror(error, why, why_size) < 0)
        av_strlcpy(why, "the connection failed", why_size);
}

int slot_connected(const Slot *s)
{
    return s->t && !s->failed && s->t->ops->connected(s->t);
}

void slot_disconnect(Slot *s)
{
    transport_free(&s->t);
    s->failed = 0;
    set_state(s, SLOT_DOWN);
}

int slot_connect(Slot *s, int timeout_ms, char *why, size_t why_size)
{
    int ret;

    slot_disconnect(s);
    set_state(s, SLOT_CONNECTING);
    ret = s->transport_alloc(&s->t, s->host, s->wake_fd);
    if (ret >= 0)
        ret = atomic_load(&s->cancelled) ? AVERROR_EXIT : s->t->ops->connect(s->t, timeout_ms);
    if (ret < 0) {
        copy_error(s, ret, why, why_size);
        slot_disconnect(s);
        return atomic_load(&s->cancelled) ? AVERROR_EXIT : ret;
    }
    set_state(s, SLOT_IDLE);
    return 0;
}

/* The steps return 1 when something moved, 0 when the transport has to be waited for. */

static int step_exec(Slot *s, Run *r)
{
    int ret = s->t->ops->exec(s->t, r->job->command);

    if (ret == AVERROR(EAGAIN))
        return 0;
    if (ret < 0)
        return ret;
    set_state(s, SLOT_PUMP);
    return 1;
}

static int end_input(Slot *s, Run *r, int closed)
{
    int ret = closed ? 0 : s->t->ops->write_eof(s->t);

    if (ret == AVERROR(EAGAIN))
        return 0;
    if (ret < 0 && ret != AVERROR(EPIPE))
        return ret;
    r->in_done = 1;
    atomic_store(&s->input_sent, 1);
    return 1;
}

/** The input is all written. @return as the steps; 1 with the word to go in the buffer */
static int pass_gate(Slot *s, Run *r)
{
    r->gated = !r->job->gate(r->job->opaque);
    progress(s, r);    /* the time it takes is not the host's */
    if (r->gated)
        return 0;
    r->went    = 1;
    r->in_pos  = 0;
    r->in_size = strlen(SPOOL_GO);
    memcpy(r->in, SPOOL_GO, r->in_size);
    return 1;
}

static int pump_in(Slot *s, Run *r)
{
    ssize_t n;
    int     ret;

    if (r->in_done)
        return 0;
    if (!r->in_size) {
        ret = r->went ? 0 : r->job->input ? blob_read(r->job->input, r->offset, r->in, IN_SIZE) : 0;
        if (ret < 0) {
            av_strlcpy(r->result->why, "cannot read back the input", sizeof(r->result->why));
            r->blame = SLOT_END_CLIENT;
            return ret;
        }
        if (!ret)
            return r->job->gate && !r->went ? pass_gate(s, r) : end_input(s, r, 0);
        r->in_pos  = 0;
        r->in_size = ret;
        r->offset += ret;
    }
    /* after EAGAIN this is the same pointer and length again */
    n = s->t->ops->write(s->t, r->in + r->in_pos, r->in_size);
    if (n == AVERROR(EAGAIN) || !n)
        return 0;
    if (n == AVERROR(EPIPE))    /* it has read enough; its exit status tells whether that is good */
        return end_input(s, r, 1);
    if (n < 0)
        return n;
    r->in_pos  += n;
    r->in_size -= n;
    r->result->bytes_up += n;
    atomic_store(&s->bytes_up, r->result->bytes_up);
    progress(s, r);
    return 1;
}

/** @param size of the piece of stdout that was refused */
static void blame_output(Run *r, int error, size_t size)
{
    SlotResult *res = r->result;
    size_t shown = 0;

    r->blame = SLOT_END_CLIENT;
    if (error == AVERROR_INVALIDDATA && res->bytes_down == (int64_t)size)
        while (shown < FFMIN(size, 60) && r->out[shown] >= ' ' && r->out[shown] <= '~')
            shown++;
    /* what greets people is the usual reason */
    if (shown > 1)
        snprintf(res->why, sizeof(res->why), "its output is no result, but begins with \"%.*s\": "
                 "a start-up file of its shell must not print anything", (int)shown, (const char *)r->out);
    else
        snprintf(res->why, sizeof(res->why), "its output cannot be kept: %s", av_err2str(error));
}

static int pump_out(Slot *s, Run *r)
{
    ssize_t n;
    int     ret;

    if (r->out_done)
        return 0;
    n = s->t->ops->read(s->t, TRANSPORT_STDOUT, r->out, OUT_SIZE);
    if (n == AVERROR(EAGAIN))
        return 0;
    if (n < 0)
        return n;
    if (!n) {
        r->out_done = 1;
        return 1;
    }
    if (!r->result->first_byte)
        r->result->first_byte = av_gettime_relative();
    r->result->bytes_down += n;
    atomic_store(&s->bytes_down, r->result->bytes_down);
    if (r->in_done)
        atomic_store(&s->answering, 1);
    ret = r->job->out(r->job->opaque, r->out, n);
    hear(s, r, ret);    /* the time it took is not the host's */
    if (ret < 0)
        blame_output(r, ret, n);
    return ret < 0 ? ret : 1;
}

static int pump_err(Slot *s, Run *r)
{
    ssize_t n;
    int     moved;

    if (r->err_done)
        return 0;
    n = s->t->ops->read(s->t, TRANSPORT_STDERR, r->err, ERR_SIZE);
    if (n == AVERROR(EAGAIN))
        return 0;
    if (n < 0)
        return n;
    if (!n) {
        r->err_done = 1;
        return 1;
    }
    r->err_total += n;
    if (r->err_total > ERR_MAX) {
        av_strlcpy(r->result->why, "it writes to stderr without end", sizeof(r->result->why));
        r->blame = SLOT_END_CLIENT;
        return AVERROR(EFBIG);
    }
    moved = r->job->err(r->job->opaque, (const char *)r->err, n);
    if (moved)
        r->err_total = 0;
    hear(s, r, moved);
    return 1;
}

/** One turn for each direction: none can starve the others. */
static int step_pump(Slot *s, Run *r)
{
    int (*const pumps[])(Slot *, Run *) = { pump_in, pump_out, pump_err };
    int moved = 0, ret;

    for (size_t i = 0; i < FF_ARRAY_ELEMS(pumps); i++) {
        ret = pumps[i](s, r);
        if (ret < 0)
            return ret;
        moved |= ret;
    }
    if (r->out_done && r->err_done) {
        set_state(s, SLOT_STATUS);
        return 1;
    }
    return moved;
}

static int step_status(Slot *s, Run *r)
{
    int ret = s->t->ops->exit_status(s->t, &r->result->status);

    if (ret == AVERROR(EAGAIN))
        return 0;
    if (ret < 0)
        return ret;
    set_state(s, SLOT_IDLE);
    return 1;
}

static int step(Slot *s, Run *r)
{
    switch (atomic_load(&s->state)) {
    case SLOT_EXEC: return step_exec(s, r);
    case SLOT_PUMP: return step_pump(s, r);
    default:        return step_status(s, r);
    }
}

/** Sleep until the transport can go on. */
static int wait_progress(Slot *s, Run *r)
{
    int64_t quiet = (av_gettime_relative() - atomic_load(&s->last)) / 1000;
    int64_t left  = r->job->stall_timeout_ms - quiet;
    int     ret;

    if (left <= 0) {
        int talk = talks_on(r);

        snprintf(r->result->why, sizeof(r->result->why), "%snothing moved for %g seconds",
                 talk ? "it talks, but " : "", r->job->stall_timeout_ms / 1e3 * (talk ? TALK_FACTOR : 1));
        r->blame = SLOT_END_STALLED;
        return AVERROR(ETIMEDOUT);
    }
    ret = s->t->ops->wait(s->t, atomic_load(&s->state) == SLOT_PUMP && !r->in_done && !r->gated,
                          FFMIN(left, r->gated ? GATE_WAIT_MS : MAX_WAIT_MS));
    calm(s);
    return ret;
}

static int run_steps(Slot *s, Run *r)
{
    int ret = 0;

    while (ret >= 0 && atomic_load(&s->state) != SLOT_IDLE) {
        if (atomic_load(&s->cancelled) || atomic_load(&s->aborted)) {
            r->blame = SLOT_END_CANCELLED;
            return AVERROR_EXIT;
        }
        ret = step(s, r);
        if (!ret)
            ret = wait_progress(s, r);
    }
    return ret;
}

void slot_run(Slot *s, const SlotJob *job, SlotResult *result)
{
    Run r = { .job = job, .result = result, .blame = SLOT_END_TRANSPORT };
    int ret = AVERROR(ENOMEM);

    memset(result, 0, sizeof(*result));
    atomic_store(&s->bytes_up, 0);
    atomic_store(&s->bytes_down, 0);
    atomic_store(&s->input_sent, 0);
    atomic_store(&s->answering, 0);
    r.in  = job->input ? av_malloc(IN_SIZE) : NULL;
    r.out = av_malloc(OUT_SIZE);
    r.err = av_malloc(ERR_SIZE);
    if ((job->input && !r.in) || !r.out || !r.err) {
        r.blame = SLOT_END_CLIENT;
        av_strlcpy(result->why, "out of memory", sizeof(result->why));
    } else if (!s->t) {
        ret = AVERROR(ENOTCONN);
    } else {
        set_state(s, SLOT_EXEC);
        r.moved = atomic_load(&s->last);
        ret = run_steps(s, &r);
    }
    if (ret < 0) {
        result->end   = atomic_load(&s->cancelled) ? SLOT_END_CANCELLED : r.blame;
        result->error = ret;
        if (result->end == SLOT_END_CANCELLED)
            av_strlcpy(result->why, "cancelled", sizeof(result->why));
        else if (!*result->why)
            copy_error(s, ret, result->why, sizeof(result->why));
        if (s->t)
            s->t->ops->cancel(s->t);
        s->failed = 1;
        set_state(s, SLOT_DOWN);
    }
    av_free(r.in);
    av_free(r.out);
    av_free(r.err);
}

typedef struct Probe {
    AVBPrint *out;
    AVBPrint  err;
} Probe;

static int probe_out(void *opaque, const uint8_t *data, size_t size)
{
    Probe *p = opaque;

    if (p->out->len < PROBE_MAX)
        av_bprint_append_data(p->out, (const char *)data, size);
    return 0;
}

static int probe_err(void *opaque, const char *data, size_t size)
{
    Probe *p = opaque;

    if (p->err.len < PROBE_MAX)
        av_bprint_append_data(&p->err, data, size);
    return 0;
}

void slot_probe(Slot *s, const char *command, int stall_timeout_ms, AVBPrint *out,
                SlotResult *result)
{
    Probe   p   = { .out = out };
    SlotJob job = {
        .command = command, .stall_timeout_ms = stall_timeout_ms,
        .opaque  = &p, .out = probe_out, .err = probe_err,
    };

    av_bprint_init(&p.err, 0, AV_BPRINT_SIZE_UNLIMITED);
    slot_run(s, &job, result);
    av_bprint_append_data(out, p.err.str, FFMIN(p.err.len, p.err.size - 1));
    av_bprint_finalize(&p.err, NULL);
}
