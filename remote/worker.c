/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/time.h>

#include "spool.h"
#include "worker.h"

/* Hundreds of threads may run: the default of 8 MiB each would be a lot of address space. */
#define STACK_SIZE (1 << 20)

static void trace_host(const Worker *w, const char *state, const char *why)
{
    const FleetHost *fh = w->fh;

    trace_event(w->fleet->trace, "host", "host", "s", fh->host->label, "state", "s", state,
                "why", "s", why && *why ? why : NULL, "cores", "i", (int64_t)fh->info.cores,
                "slots", "i", (int64_t)fh->info.slots, NULL);
}

static void name_failure(char *buf, size_t size, const FleetHost *fh, const char *why)
{
    av_strlcpy(buf, fh->host->label, size);
    av_strlcat(buf, ": ", size);
    av_strlcat(buf, why, size);
}

/** The host's words may be many lines. */
static void make_one_line(char *text)
{
    char *out = text;

    for (; *text; text++)
        if ((unsigned char)*text >= ' ')
            *out++ = *text;
        else if (*text == '\n' && text[1])
            *out++ = ' ';
    *out = 0;
}

/**
 * The level of a message: told are a host's first failure, and that it is left out; those between are
 * for who asks for more. Needs the lock.
 */
static int failure_level(FleetHost *fh, const char *state)
{
    int step = state && !strcmp(state, "broken") ? 2 : 1;

    if (step <= fh->told)
        return AV_LOG_VERBOSE;
    fh->told = step;
    return AV_LOG_WARNING;
}

static void note_failure(Fleet *f, FleetHost *fh, const char *why)
{
    av_strlcpy(fh->why, why, sizeof(fh->why));
    name_failure(f->last_why, sizeof(f->last_why), fh, why);
}

/** What the scheduler made of a failure, for the message and the trace. */
static const char *host_outlook(Fleet *f, const FleetHost *fh, double now, char *text, size_t size)
{
    switch (sched_host_state(f->sched, fh->index, now)) {
    case SCHED_HOST_BROKEN:
        av_strlcpy(text, "left out for the rest of the run", size);
        return "broken";
    case SCHED_HOST_BACKOFF:
        snprintf(text, size, "next try in %.1f s", sched_host_until(f->sched, fh->index) - now);
        return "backoff";
    default:
        av_strlcpy(text, "its other slots go on", size);
        return NULL;
    }
}

static void connect_failed(Worker *w, int permanent, char *why)
{
    Fleet      *f   = w->fleet;
    FleetHost  *fh  = w->fh;
    double      now = fleet_clock();
    const char *state;
    char        next[64];
    int         level;

    slot_disconnect(w->slot);
    make_one_line(why);
    pthread_mutex_lock(&f->lock);
    if (f->cancelled) {
        pthread_mutex_unlock(&f->lock);
        return;
    }
    sched_connect_failed(f->sched, fh->index, w->index, permanent, now);
    note_failure(f, fh, why);
    state = host_outlook(f, fh, now, next, sizeof(next));
    level = failure_level(fh, state);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);

    av_log(NULL, level, "host %s: %s; %s\n", fh->host->label, why, next);
    trace_host(w, "failed", why);
    if (state)
        trace_host(w, state, why);
}

/** A local command has its input at hand. */
static enum SchedFeed host_feed(const FleetHost *fh)
{
    if (!fh->spare || fh->host->local)
        return SCHED_FEED_STREAM;
    return fh->host->feed == HOST_FEED_SPOOL  ? SCHED_FEED_SPOOL  :
           fh->host->feed == HOST_FEED_STREAM ? SCHED_FEED_STREAM : SCHED_FEED_AUTO;
}

/** The host is good: open its other slots, and a few more to keep these busy. */
static void host_ready(Worker *w, HostInfo *info)
{
    Fleet     *f      = w->fleet;
    FleetHost *fh     = w->fh;
    int        wanted = fh->host->slots ? fh->host->slots : info->slots;
    int        ret    = 0;

    wanted      = av_clip(wanted, 1, SCHED_MAX_SLOTS);
    info->slots = wanted;
    fh->spare   = f->options.overlap ? (wanted + 3) / 4 : 0;
    pthread_mutex_lock(&f->lock);
    fh->info = *info;
    while (ret >= 0 && !f->cancelled && fh->nb_workers < wanted + fh->spare)
        ret = worker_start(f, fh);
    fh->spare      = FFMAX(fh->nb_workers - wanted, 0);
    fh->info.slots = fh->nb_workers - fh->spare;
    fh->checked    = 1;
    sched_set_lanes(f->sched, fh->index, fh->spare, host_feed(fh));
    sched_checked(f->sched, fh->index, fh->info.slots);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);
    if (ret < 0)
        av_log(NULL, AV_LOG_WARNING, "host %s: only %d of %d slots: %s\n", fh->host->label,
               fh->info.slots, wanted, av_err2str(ret));
}

/** @return 0; AVERROR code and *permanent when the host cannot be used */
static int check_host(Worker *w, int *permanent, char *why, size_t why_size)
{
    Fleet      *f    = w->fleet;
    const Host *host = w->fh->host;
    HostInfo    info = { 0 };
    SlotResult  result;
    AVBPrint    out;
    char       *command;
    int         ret = 0;

    if (f->client.probe_command) {
        command = f->client.probe_command(f->client.opaque, host);
        if (!command) {
            av_strlcpy(why, "out of memory", why_size);
            return AVERROR(ENOMEM);
        }
        av_bprint_init(&out, 0, AV_BPRINT_SIZE_UNLIMITED);
        slot_probe(w->slot, command, f->options.connect_timeout_ms, &out, &result);
        ret = result.error;
        if (ret < 0) {
            av_strlcpy(why, result.why, why_size);
        } else {
            ret = f->client.host_check(f->client.opaque, host, result.status,
                                       av_bprint_is_complete(&out) ? out.str : "",
                                       &info, why, why_size);
            *permanent = ret < 0;
        }
        av_bprint_finalize(&out, NULL);
        av_free(command);
    }
    if (ret >= 0)
        host_ready(w, &info);
    return ret;
}

/** Failures that another try cannot change, or that may lock us out if repeated. */
static int is_permanent(int error)
{
    return error == AVERROR(EACCES) || error == AVERROR(EPERM) || error == AVERROR(EINVAL) ||
           error == AVERROR(ENOSYS) || error == AVERROR(EKEYREJECTED);
}

static void worker_connect(Worker *w)
{
    Fleet     *f         = w->fleet;
    FleetHost *fh        = w->fh;
    char       why[512]  = "";
    int        permanent = 0;
    int        first, checked, ret;

    pthread_mutex_lock(&f->lock);
    first    = !sched_host_up(f->sched, fh->index);
    checked  = fh->checked;
    fh->used = 1;
    pthread_mutex_unlock(&f->lock);

    if (first)
        trace_host(w, "connecting", NULL);
    ret = slot_connect(w->slot, f->options.connect_timeout_ms, why, sizeof(why));
    if (ret < 0) {
        connect_failed(w, is_permanent(ret), why);
        return;
    }
    pthread_mutex_lock(&f->lock);
    sched_connected(f->sched, fh->index, w->index);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);
    if (!checked) {
        ret = check_host(w, &permanent, why, sizeof(why));
        if (ret < 0) {
            if (!*why)
                av_strerror(ret, why, sizeof(why));
            connect_failed(w, permanent, why);
            return;
        }
    }
    if (first)
        trace_host(w, "ready", NULL);
}

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
    int           spool;        ///< the input travels first
    char          said[200];    ///< the beginning of stderr
    int           answered, uploaded; ///< that, too, was told
} Try;

/** Tell the scheduler how far it is. */
static void tell(Try *t)
{
    Fleet       *f = t->f;
    Worker      *w = t->w;
    SlotProgress p;

    slot_progress(w->slot, &p);
    if (t->answered && t->a.frames <= t->told && (t->uploaded || !p.input_sent))
        return;
    pthread_mutex_lock(&f->lock);
    if (!t->answered)
        sched_answered(f->sched, w->fh->index, w->index, fleet_clock());
    if (t->a.frames > t->told)
        sched_progress(f->sched, w->fh->index, w->index, t->a.frames, fleet_clock());
    pthread_mutex_unlock(&f->lock);
    t->answered = 1;
    t->uploaded = p.input_sent;
    t->told     = FFMAX(t->told, t->a.frames);
}

static int try_out(void *opaque, const uint8_t *data, size_t size)
{
    Try *t = opaque;

    if (!t->answered)
        tell(t);
    return t->f->client.attempt_stdout(t->f->client.opaque, &t->a, data, size);
}

static void try_err(void *opaque, const char *data, size_t size)
{
    Try   *t   = opaque;
    size_t len = strlen(t->said), room = sizeof(t->said) - 1 - len;

    if (t->spool)
        memcpy(t->said + len, data, FFMIN(room, size));
    if (t->f->client.attempt_stderr)
        t->f->client.attempt_stderr(t->f->client.opaque, &t->a, data, size);
    tell(t);
}

static int try_gate(void *opaque)
{
    Try    *t = opaque;
    Fleet  *f = t->f;
    Worker *w = t->w;
    int     open;

    pthread_mutex_lock(&f->lock);
    if (!t->uploaded) {
        sched_uploaded(f->sched, w->fh->index, w->index, fleet_clock());
        fleet_changed(f);
    }
    open = sched_permit(f->sched, w->fh->index, w->index, fleet_clock());
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
                   t->error == AVERROR_PATCHWELCOME ? SCHED_FAIL_INPUT : SCHED_FAIL_COMMAND;
        if (t->error < 0 && !*t->why)
            snprintf(t->why, sizeof(t->why), "exit status %d", t->r.status);
        return;
    case SLOT_END_TRANSPORT: t->kind = SCHED_FAIL_TRANSPORT; break;
    case SLOT_END_STALLED:   t->kind = SCHED_FAIL_STALLED;   break;
    case SLOT_END_CANCELLED: t->kind = SCHED_FAIL_CANCELLED; break;
    case SLOT_END_CLIENT:
        t->kind = t->r.error == AVERROR_INVALIDDATA ? SCHED_FAIL_WRONG : is_ours(t->r.error) ? SCHED_FAIL_INPUT :
                  SCHED_FAIL_COMMAND;
        break;
    }
    av_strlcpy(t->why, t->r.why, sizeof(t->why));
}

/** Where the input could not be stored, the command did not run: the next ones get it as they read it. */
static void spool_failed(Worker *w, Try *t)
{
    t->kind  = SCHED_FAIL_CANCELLED;
    t->error = AVERROR(ENOSPC);
    make_one_line(t->said);
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
    if (t->error < 0) {
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
    int            was_broken, level;

    pthread_mutex_lock(&f->lock);
    was_broken = sched_host_state(f->sched, fh->index, now) == SCHED_HOST_BROKEN;
    next = sched_failed(f->sched, fh->index, w->index, t->kind, slot_connected(w->slot), now);
    w->task = NULL;
    fleet_attempt_over(f, task);
    if (t->kind == SCHED_FAIL_CANCELLED) {
        if (next == SCHED_NEXT_GIVE_UP)
            fleet_give_up(f, task);
        fleet_changed(f);
        pthread_mutex_unlock(&f->lock);
        trace_attempt(t, failure_name(t));
        return;
    }
    make_one_line(t->why);
    if (next != SCHED_NEXT_OTHER_RUNS) {
        task->error = t->error;
        name_failure(task->why, sizeof(task->why), fh, t->why);
    }
    note_failure(f, fh, t->why);
    state = host_outlook(f, fh, now, outlook, sizeof(outlook));
    if (t->kind == SCHED_FAIL_WRONG && state && !strcmp(state, "broken"))
        for (int i = 0; i < fh->nb_workers; i++)
            if (fh->workers[i] != w)
                slot_cancel(fh->workers[i]->slot);
    if (next == SCHED_NEXT_GIVE_UP)
        fleet_task_done(f, task);
    level = t->kind == SCHED_FAIL_INPUT ? AV_LOG_VERBOSE : failure_level(fh, state);
    fleet_changed(f);
    pthread_mutex_unlock(&f->lock);

    trace_attempt(t, failure_name(t));
    if (state && !strcmp(state, "broken"))
        av_log(NULL, level, "host %s: segment %"PRId64": %s; %s\n", fh->host->label, t->id,
               t->why, outlook);
    else
        av_log(NULL, level, "host %s: segment %"PRId64": %s; %s\n", fh->host->label, t->id,
               t->why, next_names[next]);
    if (t->kind == SCHED_FAIL_TRANSPORT)
        trace_host(w, "lost", t->why);
    if (state && !was_broken)
        trace_host(w, state, t->why);
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
    fleet_changed(f);
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

static void worker_run(Worker *w, const SchedDecision *d)
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
    if (t.error < 0)
        attempt_failed(w, &t);
    else
        attempt_done(w, &t);
    poke_host(w);
    if (!slot_connected(w->slot))
        slot_disconnect(w->slot);
}

static void *worker_main(void *arg)
{
    Worker       *w = arg;
    Fleet        *f = w->fleet;
    SchedDecision d;

    pthread_mutex_lock(&f->lock);
    while (!f->cancelled) {
        d = sched_decide(f->sched, w->fh->index, w->index, fleet_clock());
        if (d.action == SCHED_FINISH)
            break;
        if (d.action == SCHED_WAIT) {
            fleet_wait(f, &f->work, d.until);
            continue;
        }
        slot_rearm(w->slot);
        w->spooling = 0;
        if (d.action == SCHED_RUN) {
            w->spooling = d.spool;
            w->task = d.task;
            w->task->running++;
            if (d.duplicate)    /* the next fastest slot may have its turn now */
                pthread_cond_broadcast(&f->work);
        }
        pthread_mutex_unlock(&f->lock);
        if (d.action == SCHED_CONNECT)
            worker_connect(w);
        else if (d.action == SCHED_RUN)
            worker_run(w, &d);
        else
            slot_disconnect(w->slot);
        pthread_mutex_lock(&f->lock);
    }
    w->ended = 1;
    pthread_mutex_unlock(&f->lock);
    slot_disconnect(w->slot);
    return NULL;
}

/** Signals are the main thread's business. */
static int create_thread(Worker *w)
{
    pthread_attr_t attr;
    sigset_t       all, old;
    int            ret = pthread_attr_init(&attr);

    if (ret)
        return AVERROR(ret);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    ret = pthread_create(&w->thread, &attr, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return AVERROR(ret);
}

int worker_start(Fleet *f, FleetHost *fh)
{
    Worker *w = av_mallocz(sizeof(*w));
    int     ret;

    if (!w)
        return AVERROR(ENOMEM);
    w->fleet = f;
    w->fh    = fh;
    w->index = fh->nb_workers;
    ret = slot_alloc(&w->slot, fh->host, f->options.transport_alloc);
    if (ret >= 0)
        ret = create_thread(w);
    if (ret < 0) {
        slot_free(&w->slot);
        av_free(w);
        return ret;
    }
    fh->workers[fh->nb_workers++] = w;
    return 0;
}
