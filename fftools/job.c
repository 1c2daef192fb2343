/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libavutil/time.h>

#include "../remote/fleet.h"
#include "../remote/tempfile.h"
#include "command/terminal.h"
#include "compat.h"
#include "encode/encode.h"
#include "encode/journal.h"
#include "encode/reader.h"
#include "job.h"
#include "output/outputs.h"
#include "output/overwrite.h"
#include "remainder/remainder.h"
#include "remainder/trial.h"
#include "remainder/triallog.h"
#include "segment/inputscan.h"
#include "show/benchmark.h"
#include "show/report.h"

#define MEMORY_BUDGET    (192 << 20)  /* of packets that wait; more of them go to TMPDIR */
#define POLL_MS          50
#define STOP_TIMEOUT_US  (10 * 1000000LL)
#define INTERRUPT_STATUS 255          /* ffmpeg's after SIGINT and SIGTERM */

typedef struct Job {
    const Plan     *plan;
    const char     *stock;
    const HostList *hosts;
    Trace          *trace;
    JobResult      *result;
    int64_t         start;

    Terminal   terminal;
    WorkDir    dir;
    BlobPool  *pool;
    Journal   *journal;         ///< or NULL
    int        told;            ///< an error that nobody else can help with
    int        forget;          ///< what the journal holds is of no more use
    Encode    *encode;
    Fleet     *fleet;
    Host       local;
    Trial     *trial;
    Remainder *rest;
    Outputs   *outputs;
    Report    *report;
    Reader    *reader;
    InputScan *scan;            ///< or NULL
    int64_t    first_slot;
    int        ending;          ///< with what is there
    int        read;            ///< the inputs, by all, to the same ends
    struct rlimit files;        ///< as it was
} Job;

static int refuse(Job *j, const char *why)
{
    snprintf(j->result->reason, sizeof(j->result->reason), "%s", why);
    return AVERROR_PATCHWELCOME;
}

/** A failure to keep something, in words that help. */
static int refuse_error(Job *j, int error)
{
    char why[300];

    if (error != AVERROR(ENOSPC))
        return refuse(j, av_err2str(error));
    snprintf(why, sizeof(why), "no space is left in the temporary folder %.200s (set TMPDIR, or a larger --memory)",
             tempfile_folder());
    j->result->worth_telling = 1;
    return refuse(j, why);
}

static int interrupted(void *opaque)
{
    return terminal_poll(opaque);
}

/* ---- before the encode ---- */

/** For tests, and for hosts that are slower than anybody thought. @return milliseconds; 0: the default */
static int stall_timeout(void)
{
    const char *text = getenv("FFLEET_STALL_TIMEOUT");
    double seconds = text ? strtod(text, NULL) : 0;

    return seconds > 0 && seconds < 1e6 ? FFMAX(seconds * 1000, 1) : 0;
}

/**
 * Hundreds of slots have thousands of descriptors, more than the usual limit, but not more than it
 * may be raised to.
 */
static void raise_limit(Job *j)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &j->files) < 0)
        return;
    limit = j->files;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/**
 * Each slot has a thread, to which glibc gives a heap of its own, up to eight for each core: pictures would
 * stay in all of them.
 */
static void share_heaps(void)
{
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 2);
#endif
}

static int start_fleet(Job *j)
{
    FleetOptions opts = { 0 };
    FleetClient client;
    int64_t memory = j->plan->cmd->own.memory;
    int ret;

    j->local = (Host) { .name = (char *)"localhost", .label = (char *)"localhost", .local = 1,
                        .slots = 1, .ffmpeg = (char *)j->stock };
    opts.local          = &j->local;
    opts.local_fallback = !j->plan->cmd->own.no_fallback;
    opts.stall_timeout_ms = stall_timeout();
    opts.overlap          = 1;
    /* a quarter is the segmenter's */
    ret = blob_pool_alloc(&j->pool, (memory ? memory : MEMORY_BUDGET) / 4 * 3);
    if (ret >= 0)
        ret = encode_alloc(&j->encode, j->plan, j->pool);
    if (ret < 0)
        return ret;
    encode_client(j->encode, &client);
    return fleet_open(&j->fleet, j->hosts, &client, &opts, j->trace);
}

/** Signals are heard of by those who ask: a pipe or the network may let us wait. */
static void listen_while_reading(Job *j, int on)
{
    for (int i = 0; i < j->plan->nb_inputs; i++) {
        j->plan->inputs[i].opaque      = &j->terminal;
        j->plan->inputs[i].interrupted = on ? interrupted : NULL;
    }
}

/** The trial confirms the plan, or stock does it all. */
static int confirm_plan(Job *j)
{
    unsigned v = avformat_version();
    char reason[256] = "", ident[64];
    int ret = workdir_make(&j->dir, j->plan->cmd->nb_outputs);

    if (ret < 0)
        return refuse(j, "there is no place for temporary files");
    ret = journal_open(&j->journal, j->plan, reason, sizeof(reason));
    if (ret < 0) {
        av_log(NULL, AV_LOG_ERROR, "%s\n", reason);
        j->told = 1;
        return ret;
    }
    ret = reader_alloc(&j->reader, j->plan, j->pool, j->journal, j->encode, j->fleet, j->trace);
    listen_while_reading(j, 1);
    if (ret >= 0)
        ret = reader_first(j->reader, &j->first_slot, reason, sizeof(reason));
    listen_while_reading(j, 0);
    if (ret >= 0)
        ret = trial_run(&j->trial, j->plan, j->first_slot, j->stock, &j->dir, interrupted,
                        &j->terminal, reason, sizeof(reason));
    if (ret == AVERROR_PATCHWELCOME)
        return refuse(j, reason);
    if (ret < 0)
        return ret;
    snprintf(ident, sizeof(ident), "%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff);
    if (j->trial->lavf_ident[0] && strcmp(j->trial->lavf_ident, ident)) {
        snprintf(reason, sizeof(reason), "stock ffmpeg has libavformat %s, ffleet has %s",
                 j->trial->lavf_ident, ident);
        return refuse(j, reason);
    }
    for (const Trial *t = j->trial; t && ret >= 0; t = t->next)
        ret = encode_set_reference(j->encode, t->plan->number, &t->params,
                                   (int64_t)t->video->codecpar->width * t->video->codecpar->height);
    return ret;
}

/** Whether what is written cannot be taken back, should stock have to do it after all. */
static int writes_for_good(const Plan *plan)
{
    while (plan && !plan->pipe && !plan->appends)
        plan = plan->next;
    return !!plan;
}

static int muxers_open_files(const Plan *plan)
{
    while (plan && !(plan->oformat->flags & AVFMT_NOFILE))
        plan = plan->next;
    return !!plan;
}

/** @return 0 go on, 1 the run is over, or AVERROR_EXIT */
static int ask_overwrite(Job *j, int output)
{
    int answer = overwrite_ask(&j->terminal, j->plan->cmd->outputs[output].url);

    /* there ffmpeg has no handler for it */
    if (answer < 0 && j->terminal.last_signal == SIGINT)
        j->result->signal = SIGINT;
    if (answer < 0)
        return answer;
    j->result->overwrite = answer;
    /* FFmpeg 7 takes a no for a good end */
    j->result->status    = !answer && !COMPAT_TIMING_7;
    return !answer;
}

static int listens_to_keys(const Plan *plan)
{
    const Command *cmd = plan->cmd;
    const CmdOption *o = cmdline_last(cmd->globals, cmd->nb_globals, "stdin");

    return !(o && o->negated) && !(plan_pipe(plan) && input_takes_stdin(plan_pipe(plan)));
}

/* ---- while it runs ---- */

static int take_results(Job *j, int timeout)
{
    FleetTask *task;
    int ret;

    while ((ret = fleet_next(j->fleet, &task, timeout)) >= 0) {
        timeout = 0;
        blob_unref(&task->input);
        if (task->error) {
            char why[512];

            snprintf(why, sizeof(why), "segment %"PRId64" cannot be encoded: %.400s", task->id,
                     task->why);
            if (task->error == AVERROR(ENOSPC))
                return refuse_error(j, task->error);
            if (!j->plan->cmd->own.no_fallback || task->error == AVERROR_PATCHWELCOME)
                return refuse(j, why);
            av_log(NULL, AV_LOG_ERROR, "%s\n", why);
            return AVERROR_EXTERNAL;
        }
        journal_add(j->journal, task->opaque, ((Encoded *)task->result)->packets);
        reader_done(j->reader, task->id);
    }
    if (ret == AVERROR_EOF) {
        av_usleep(timeout * 1000);
        return 0;
    }
    return ret == AVERROR(EAGAIN) || ret == AVERROR_EXIT ? 0 : ret;
}

/** @return 0, AVERROR_PATCHWELCOME, or an AVERROR code of the muxer, which has told of it */
static int write_segment(Job *j, Segment *seg)
{
    char reason[256];
    int ret;

    j->result->overwrite = 1;
    journal_output(j->journal);
    ret = outputs_write(j->outputs, seg, seg->task.result, reason, sizeof(reason));
    if (ret == AVERROR_PATCHWELCOME)
        return refuse(j, reason);
    if (ret < 0)
        return ret;
    report_joined(j->report, seg);
    reader_forget(j->reader, seg);
    return 0;
}

/** An input that is still being written has other ends for the reader and for the remainder. */
static int check_inputs(Job *j, int remainder_done)
{
    char reason[256];
    int all = remainder_done && reader_state(j->reader, reason, sizeof(reason)) == AVERROR_EOF;

    for (int i = 0; !j->read && i < j->plan->nb_inputs; i++)
        if (input_has_changed(&j->plan->inputs[i]))
            return refuse(j, "an input is still being written");
    j->read |= all;
    return 0;
}

/** Join what is there, as soon as the remainder is. */
static int write_ready(Job *j)
{
    Segment *seg;
    int ret = remainder_poll(j->rest);

    if (ret < 0)
        return refuse(j, ret == AVERROR_PATCHWELCOME ? "its video streams end at different frames" :
                      "stock ffmpeg could not make the other streams");
    if (!j->ending && check_inputs(j, ret) < 0)
        return AVERROR_PATCHWELCOME;
    if (ret && j->plan->tied_ends)
        reader_limit(j->reader, remainder_nb_video(j->rest));
    if (!ret || (writes_for_good(j->plan) && !j->ending && !(j->read && reader_all_done(j->reader))))
        return 0;
    while ((seg = reader_ready(j->reader))) {
        ret = write_segment(j, seg);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int run_loop(Job *j)
{
    for (;;) {
        char reason[256];
        int reader, ret;

        if (terminal_poll(&j->terminal))
            return AVERROR_EXIT;
        ret = take_results(j, POLL_MS);
        if (ret >= 0)
            ret = write_ready(j);
        if (ret < 0)
            return ret;
        reader = reader_state(j->reader, reason, sizeof(reason));
        if (reader == AVERROR_PATCHWELCOME)
            return refuse(j, reason);
        if (reader < 0 && reader != AVERROR_EOF)
            return refuse_error(j, reader);
        if (!reader && inputscan_found(j->scan, reason, sizeof(reason)))
            return refuse(j, reason);
        if (reader == AVERROR_EOF && reader_is_empty(j->reader))
            return 0;
        report_update(j->report, j->outputs);
    }
}

static void stop_fleet(Job *j)
{
    if (j->fleet)
        fleet_cancel(j->fleet);
    for (int i = 0; i < j->plan->nb_inputs; i++)
        input_stop(&j->plan->inputs[i]);
    reader_join(j->reader);
}

/** Nothing of the fleet's is there yet: what stock made in the trial is a playable file, too. */
static int write_trial(Job *j, const Plan *plan)
{
    const char *url = plan->pipe ? "pipe:" : plan_file(plan)->url;
    int fd = workdir_fd(&j->dir, WORK_TRIAL, plan->output);
    AVIOContext *out = NULL;
    uint8_t buf[4096];
    int64_t pos = 0;
    ssize_t n;
    int ret = avio_open(&out, url, AVIO_FLAG_WRITE), err;

    if (ret < 0) {
        av_log(NULL, AV_LOG_ERROR, "%s: %s\n", url, av_err2str(ret));
        return ret;
    }
    while ((n = pread(fd, buf, sizeof(buf), pos)) > 0) {
        avio_write(out, buf, n);
        pos += n;
    }
    ret = n < 0 ? AVERROR(errno) : 0;
    err = avio_closep(&out);
    return ret < 0 ? ret : err;
}

/** After a signal or 'q': make a playable file of what was encoded in order so far. */
static int finish_early(Job *j)
{
    int64_t deadline = av_gettime_relative() + STOP_TIMEOUT_US;
    int ret = take_results(j, 0);

    j->ending = 1;
    stop_fleet(j);
    remainder_stop(j->rest);
    while (ret >= 0 && !(ret = remainder_poll(j->rest)) && av_gettime_relative() < deadline &&
           atomic_load(&j->terminal.nb_signals) < 2)
        av_usleep(10000);
    if (ret > 0)
        ret = write_ready(j);
    if (outputs_started(j->outputs))
        return ret >= 0 ? outputs_finish(j->outputs, 0) : ret;
    ret = 0;
    journal_output(j->journal);
    for (const Plan *p = j->plan; p && ret >= 0; p = plan_next_output(p))
        ret = p->trial_format == p->oformat ? write_trial(j, p) : 0;
    return ret;
}

static void say_signal(Job *j)
{
    if (atomic_load(&j->terminal.nb_signals) && !j->result->signal)
        av_log(NULL, AV_LOG_INFO, "Exiting normally, received signal %d.\n",
               atomic_load(&j->terminal.last_signal));
}

/** FFmpeg 7 exits with the error's own number. */
static int error_status(int ret)
{
    return ret >= 0 ? 0 : COMPAT_TIMING_7 && ret != AVERROR_EXTERNAL ? ret & 0xff : 1;
}

static int finish(Job *j, int ret)
{
    if (ret == AVERROR_PATCHWELCOME)
        return ret;
    if (ret == AVERROR_EXIT) {
        ret = finish_early(j);
        j->result->status = atomic_load(&j->terminal.nb_signals) ? INTERRUPT_STATUS : ret < 0;
    } else if (ret >= 0) {
        ret = outputs_finish(j->outputs, 1);
        j->result->status = error_status(ret);
        j->forget = ret >= 0;
    } else {
        j->result->status = error_status(ret);
        if (outputs_started(j->outputs) && (ret == AVERROR_EXTERNAL || muxers_open_files(j->plan)))
            outputs_finish(j->outputs, 0);
    }
    report_finish(j->report, j->outputs);
    benchmark_print(j->plan->cmd, j->start);
    say_signal(j);
    return 0;
}

static int start_encode(Job *j, int keys)
{
    int ret = report_open(&j->report, j->plan, j->encode, j->fleet);

    if (ret < 0) {
        /* it has told of -progress's url; FFmpeg 7 exits with the error's own number */
        j->result->status = COMPAT_TIMING_7 ? ret & 0xff : 1;
        return ret;
    }
    if (keys)
        terminal_start_keys(&j->terminal);
    if (remainder_start(&j->rest, j->plan, j->trial, j->first_slot, j->stock, &j->dir) < 0 ||
        outputs_alloc(&j->outputs, j->plan, j->trial, j->rest) < 0 ||
        reader_start(j->reader) < 0 || inputscan_start(&j->scan, j->plan) < 0)
        return refuse(j, "the encode could not be started");
    j->result->worth_telling = 1;
    return 0;
}

static int encode_all(Job *j)
{
    int keys = listens_to_keys(j->plan);
    int ret  = 0, ask = 0;

    for (int i = 0; i < j->plan->cmd->nb_outputs; i++) {
        char reason[256];

        ret = overwrite_check(j->plan, i, journal_has_output(j->journal), keys, reason,
                              sizeof(reason));
        if (ret < 0)
            return refuse(j, reason);
        ask |= ret << i;
    }
    triallog_print(j->trial, 0, keys);
    for (int i = 0; i < j->plan->cmd->nb_outputs; i++) {
        ret = ask >> i & 1 ? ask_overwrite(j, i) : 0;
        if (ret)
            return ret < 0 ? ret : 0;
    }
    triallog_print(j->trial, 1, keys);
    ret = start_encode(j, keys);
    if (ret < 0)
        return ret == AVERROR_PATCHWELCOME ? ret : 0;
    return finish(j, run_loop(j));
}

static void job_close(Job *j)
{
    stop_fleet(j);
    inputscan_stop(&j->scan);
    fleet_close(&j->fleet);
    reader_free(&j->reader);
    outputs_free(&j->outputs);
    remainder_free(&j->rest);
    trial_free(&j->trial);
    report_close(&j->report);
    workdir_remove(&j->dir);
    journal_close(&j->journal, j->forget);
    encode_free(&j->encode);
    blob_pool_free(&j->pool);
    /* last, so that impatient signals count until then */
    terminal_close(&j->terminal);
    if (j->files.rlim_max)
        setrlimit(RLIMIT_NOFILE, &j->files);
}

int job_run(const Plan *plan, const char *stock, const HostList *hosts, Trace *trace,
            JobResult *result)
{
    Job j = { .plan = plan, .stock = stock, .hosts = hosts, .trace = trace, .result = result,
              .start = av_gettime_relative() };
    int64_t frames = 0;
    int ret;

    memset(result, 0, sizeof(*result));
    raise_limit(&j);
    share_heaps();
    ret = terminal_open(&j.terminal);
    if (ret >= 0)
        ret = start_fleet(&j);
    if (ret >= 0)
        ret = confirm_plan(&j);
    if (ret >= 0)
        ret = encode_all(&j);
    if (ret == AVERROR_EXIT) {
        result->status = INTERRUPT_STATUS;
        say_signal(&j);
        ret = 0;
    } else if (j.told) {
        result->status = 1;
        ret = 0;
    } else if (ret < 0 && ret != AVERROR_PATCHWELCOME) {
        ret = refuse_error(&j, ret);
    }
    if (j.encode)
        frames = encode_frames(j.encode);
    j.forget |= ret == AVERROR_PATCHWELCOME;
    job_close(&j);
    /* hosts are given back by then, which may take seconds: who wants an end is not to get a beginning */
    if (ret == AVERROR_PATCHWELCOME && atomic_load(&j.terminal.nb_signals)) {
        result->status = INTERRUPT_STATUS;
        say_signal(&j);
        ret = 0;
    }
    if (ret >= 0)
        trace_event(trace, "done", "status", "i", (int64_t)result->status, "frames", "i", frames,
                    "wall", "f", (av_gettime_relative() - j.start) / 1e6, NULL);
    return ret;
}
