/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/time.h>

#include "attempt.h"
#include "hostnews.h"
#include "spool.h"

/* So much of stdout is progress; less, again and again, comes of a link that is as good as dead, or of a host that plays for
 * time. Of an encoder that is that slow stderr tells. */
#define OUT_PROGRESS (64 << 10)

/** One attempt on its way through run_attempt(). */
typedef struct Try {
    Fleet        *f;
    FleetAttempt  a;
    int64_t       id;           ///< of the task, which may be gone once the fleet has it back
    SlotResult    r;
    double        start, end;   ///< of trace_now()
    int64_t       clock;        ///< av_gettime_relative() at start
    int           error;        ///< 0: accepted
    enum SchedFailure kind;     ///< of an error
    void         *result;
    char          why[512];
    Worker       *w;
    int64_t       told;         ///< of a.frames, to the scheduler
    int64_t       trickle;      ///< bytes of stdout since the last progress
    int           spool;        ///< the input travels first
    char          said[200];    ///< the beginning of stderr
    int           answered, uploaded; ///< that there is a result, that its input is there: that, too, was told
} Try;

/** Tell the scheduler how far it is. @param answers there is something of the result */
static void tell(Try *t, int answers)
{
    Fleet       *f = t->f;
    Worker      *w = t->w;

    answers &= !t->answered;
    if (!answers && t->a.frames <= t->told)
        return;
    pthread_mutex_lock(&f->lock);
    if (answers)
        sched_answered(f->sched, w->fh->index, w->index, fleet_clock());
    if (t->a.frames > t->told)
        sched_progress(f->sched, w->fh->index, w->index, t->a.frames, fleet_clock());
    pthread_mutex_unlock(&f->lock);
    t->answered |= answers;
    t->told     = FFMAX(t->told, t->a.frames);
}

static int try_out(void *opaque, const uint8_t *data, size_t size)
{
    Try *t = opaque;
    int  ret;

    if (!t->answered)
        tell(t, 1);
    ret = t->f->client.attempt_stdout(t->f->client.opaque, &t->a, data, size);
    if (ret < 0)
        return ret;
    t->trickle += size;
    if (t->trickle < OUT_PROGRESS)
        return 0;
    t->trickle = 0;
    return 1;
}

static int try_err(void *opaque, const char *data, size_t size)
{
    Try   *t   = opaque;
    size_t len = strlen(t->said), room = sizeof(t->said) - 1 - len;
    int    moved = 0;

    if (t->spool)
        memcpy(t->said + len, data, FFMIN(room, size));
    if (t->f->client.attempt_stderr)
        moved = t->f->client.attempt_stderr(t->f->client.opaque, &t->a, data, size);
    tell(t, t->a.frames > 0);
    return moved;
}

static int try_gate(void *opaque)
{
    Try    *t = opaque;
    Fleet  *f = t->f;
    Worker *w = t->w;
    int     open;

    pthread_mutex_lock(&f->lock);
    if (!t->uploaded)
        sched_uploaded(f->sched, w->fh->index, w->index, fleet_clock());
    open = sched_permit(f->sched, w->fh->index, w->index, fleet_clock());
    /* the input of another one may travel now */
    if (!t->uploaded || open)
        fleet_host_changed(f, w->fh);
    pthread_mutex_unlock(&f->lock);
    t->uploaded = 1;
    return open;
}

/** Whether a failure to read or keep data is this machine's, so that no other host can do better. */
static int is_ours(int error)
{
    return error == AVERROR(ENOSPC) || error == AVERROR(EDQUOT) || error == AVERROR(EIO);
}

/** Judge by how the command ended. */
static void judge(Try *t)
{
    const FleetClient *c = &t->f->client;

    t->error = t->r.error;
    switch (t->r.end) {
    case SLOT_END_STATUS:
        t->error = c->attempt_end(c->opaque, &t->a, t->r.status, &t->result,
                                  t->why, sizeof(t->why));
        t->kind  = t->error == AVERROR_INVALIDDATA  ? SCHED_FAIL_WRONG :
                   t->error == AVERROR_PATCHWELCOME ? SCHED_FAIL_CLAIM : SCHED_FAIL_COMMAND;
        if (t->error < 0 && !*t->why)
            snprintf(t->why, sizeof(t->why), "exit status %d", t->r.status);
        return;
    case SLOT_END_TRANSPORT:
        /* a command that is too long for one host is so for all, and none is to blame */
        t->kind = t->r.error == AVERROR(E2BIG) ? SCHED_FAIL_INPUT : SCHED_FAIL_TRANSPORT;
        break;
    case SLOT_END_STALLED:   t->kind = SCHED_FAIL_STALLED;   break;
    case SLOT_END_CANCELLED: t->kind = SCHED_FAIL_CANCELLED; break;
    case SLOT_END_CLIENT:
        t->kind = t->r.error == AVERROR_INVALIDDATA ? SCHED_FAIL_WRONG :
                  is_ours(t->r.error) ? SCHED_FAIL_INPUT : SCHED_FAIL_COMMAND;
        break;
    }
    av_strlcpy(t->why, t->r.why, sizeof(t->why));
}

/** Where the input could not be stored, the command did not run: the next ones get it as they read it. */
static void spool_failed(Worker *w, Try *t)
{
    t->kind  = SCHED_FAIL_CANCELLED;
    t->error = AVERROR(ENOSPC);
    hostnews_one_line(t->said);
    snprintf(t->why, sizeof(t->why), "its temporary folder cannot take the input: %s", t->said);
    av_log(NULL, AV_LOG_WARNING, "host %s: %s; its input is streamed from now on\n",
           w->fh->host->label, t->why);
    pthread_mutex_lock(&w->fleet->lock);
    sched_set_lanes(w->fleet->sched, w->fh->index, w->fh->spare, SCHED_FEED_STREAM);
    pthread_mutex_unlock(&w->fleet->lock);
}

/** @return the text for the host, or NULL */
static char *attempt_command(Try *t, char *command)
{
    char *spooled;

    if (!t->spool)
        return command;
    spooled = spool_command(command, blob_size(t->a.task->input));
    av_free(command);
    return spooled;
}

static void run_attempt(Worker *w, Try *t)
{
    Fleet             *f = w->fleet;
    const FleetClient *c = &f->client;
    char              *command = NULL;
    SlotJob            job     = {
        .input            = t->a.task->input,
        .stall_timeout_ms = f->options.stall_timeout_ms,
        .opaque           = t,
        .out              = try_out,
        .err              = try_err,
        .gate             = t->spool ? try_gate : NULL,
    };

    t->start = trace_now(f->trace);
    t->clock = av_gettime_relative();
    t->error = c->attempt_begin(c->opaque, &t->a, &command);
    if (t->error >= 0 && !(command = attempt_command(t, command)))
        t->error = AVERROR(ENOMEM);
    if (t->error == AVERROR(ENOSYS)) {
        t->kind = SCHED_FAIL_UNFIT;
        av_strlcpy(t->why, "it is not for a host like this one", sizeof(t->why));
    } else if (t->error < 0) {
        t->kind = SCHED_FAIL_COMMAND;
        snprintf(t->why, sizeof(t->why), "cannot prepare it: %s", av_err2str(t->error));
    } else {
        job.command = command;
        slot_run(w->slot, &job, &t->r);
        if (t->spool && t->r.end == SLOT_END_STATUS && t->r.status == SPOOL_STATUS)
            spool_failed(w, t);
        else
            judge(t);
    }
    if (c->attempt_free)
        c->attempt_free(c->opaque, &t->a);
    av_free(command);
    t->end = trace_now(f->trace);
}

static void trace_attempt(const Try *t, const char *outcome)
{
    double first = t->r.first_byte ? t->start + (t->r.first_byte - t->clock) / 1e6 : NAN;

    trace_event(t->f->trace, "attempt", "segment", "i", t->id,
                "host", "s", t->a.host->label, "slot", "i", (int64_t)t->a.slot,
                "number", "i", (int64_t)t->a.number, "start", "f", t->start,
                "first_byte", "f", first, "end", "f", t->end,
                "bytes_up", "i", t->r.bytes_up, "bytes_down", "i", t->r.bytes_down,
                "frames", "i", t->a.frames, "feed", "s", t->spool ? "spool" : "stream",
                "outcome", "s", outcome,
                "why", "s", *t->why ? t->why : NULL, NULL);
}

static const char *failure_name(const Try *t)
{
    switch (t->kind) {
    case SCHED_FAIL_STALLED:   return "stalled";
    case SCHED_FAIL_WRONG:     return "wrong";
    case SCHED_FAIL_CANCELLED: return "cancelled";
    default:                   return "failed";
    }
}

static const char *const next_names[] = {
    [SCHED_NEXT_AGAIN]   = "trying again",
    [SCHED_NEXT_OTHER]   = "trying again on another host",
    [SCHED_NEXT_LOCAL]   = "trying again locally",
    [SCHED_NEXT_GIVE_UP] = "given up",
    [SCHED_NEXT_OTHER_RUNS] = "it runs on another host, too",
};

/** The scheduler's part of a failure. Needs the lock. */
static enum SchedNext report_failure(Worker *w, const Try *t, double now)
{
    Fleet *f = w->fleet;
    enum SchedNext next = sched_failed(f->sched, w->fh->index, w->index, t->kind, slot_connected(w->slot), now);

    w->task = NULL;
    fleet_attempt_over(f, t->a.task);
    return next;
}

/** We stopped it, which is news to nobody. Takes the lock. */
static void attempt_cancelled(Worker *w, Try *t)
{
    Fleet *f = w->fleet;

    pthread_mutex_lock(&f->lock);
    if (report_failure(w, t, fleet_clock()) == SCHED_NEXT_GIVE_UP)
        fleet_give_up(f, t->a.task);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);
    trace_attempt(t, failure_name(t));
}

/** Tell the scheduler, and people, of a failure. Takes the lock. */
static void attempt_failed(Worker *w, Try *t)
{
    Fleet         *f    = w->fleet;
    FleetHost     *fh   = w->fh;
    FleetTask     *task = t->a.task;
    double         now  = fleet_clock();
    const char    *state;
    char           outlook[64];
    enum SchedNext next;
    int            was_broken, is_broken, level;

    hostnews_one_line(t->why);
    pthread_mutex_lock(&f->lock);
    was_broken = sched_host_state(f->sched, fh->index, now) == SCHED_HOST_BROKEN;
    next = report_failure(w, t, now);
    if (next != SCHED_NEXT_OTHER_RUNS) {
        task->error = t->error;
        hostnews_name(task->why, sizeof(task->why), fh, t->why);
    }
    hostnews_note(f, fh, t->why);
    state = hostnews_outlook(f, fh, now, outlook, sizeof(outlook));
    is_broken = state && !strcmp(state, "broken");
    if (t->kind == SCHED_FAIL_WRONG && is_broken)
        for (int i = 0; i < fh->nb_workers; i++)
            if (fh->workers[i] != w)
                slot_cancel(fh->workers[i]->slot);
    if (next == SCHED_NEXT_GIVE_UP)
        fleet_task_done(f, task);
    level = t->kind == SCHED_FAIL_INPUT || t->kind == SCHED_FAIL_CLAIM || t->kind == SCHED_FAIL_UNFIT ? AV_LOG_VERBOSE :
            hostnews_level(fh, state);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);

    trace_attempt(t, failure_name(t));
    av_log(NULL, level, "host %s: segment %"PRId64": %s; %s\n", fh->host->label, t->id, t->why,
           is_broken ? outlook : next_names[next]);
    if (t->kind == SCHED_FAIL_TRANSPORT)
        hostnews_trace(w, "lost", t->why);
    if (state && !was_broken)
        hostnews_trace(w, state, t->why);
}

/** The result is there: whoever else works on the task may stop. Needs the lock. */
static void stop_losers(Fleet *f)
{
    int host, slot;

    while (sched_loser(f->sched, &host, &slot))
        slot_abort(f->hosts[host].workers[slot]->slot);
}

/** Hand in the result. Takes the lock. */
static void attempt_done(Worker *w, Try *t)
{
    Fleet     *f    = w->fleet;
    FleetHost *fh   = w->fh;
    FleetTask *task = t->a.task;
    int        ret  = AVERROR_EXIT;

    pthread_mutex_lock(&f->lock);
    w->task = NULL;
    if (!f->cancelled)
        ret = sched_done(f->sched, fh->index, w->index, slot_connected(w->slot), fleet_clock());
    if (ret >= 0) {
        fh->tasks_done++;
        task->error   = 0;
        task->result  = t->result;
        task->settled = 1;
        stop_losers(f);
    }
    fleet_attempt_over(f, task);
    fleet_host_changed(f, fh);
    pthread_mutex_unlock(&f->lock);
    if (ret == AVERROR(EEXIST))
        av_strlcpy(t->why, "another attempt was faster", sizeof(t->why));
    else if (ret < 0)
        av_strlcpy(t->why, "the host is no longer trusted, or the job was cancelled",
                   sizeof(t->why));
    trace_attempt(t, ret < 0 ? "cancelled" : "ok");
    if (ret < 0 && f->client.result_free && t->result)
        f->client.result_free(f->client.opaque, t->result);
}

/** An attempt is over: another one may wait for its turn. */
static void poke_host(Worker *w)
{
    Fleet *f = w->fleet;

    pthread_mutex_lock(&f->lock);
    for (int i = 0; w->fh->spare && i < w->fh->nb_workers; i++)
        if (w->fh->workers[i]->spooling)
            slot_poke(w->fh->workers[i]->slot);
    pthread_mutex_unlock(&f->lock);
}

void attempt_run(Worker *w, const SchedDecision *d)
{
    FleetHost *fh   = w->fh;
    FleetTask *task = d->task;
    Try        t    = {
        .f  = w->fleet,
        .w  = w,
        .id = task->id,
        .spool = d->spool,
        .a  = { .task = task, .host = fh->host, .info = &fh->info, .slot = w->index,
                .number = d->number, .duplicate = d->duplicate, .frames = -1 },
    };

    run_attempt(w, &t);
    if (t.error >= 0)
        attempt_done(w, &t);
    else if (t.kind == SCHED_FAIL_CANCELLED)
        attempt_cancelled(w, &t);
    else
        attempt_failed(w, &t);
    poke_host(w);
    if (!slot_connected(w->slot))
        slot_disconnect(w->slot);
}
