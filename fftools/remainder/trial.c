/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/bprint.h>
#include <libavutil/time.h>

#include "../compat.h"
#include "../input/arglist.h"
#include "../plan/carrier.h"
#include "../plan/sideoutput.h"
#include "../reason.h"
#include "../stock.h"
#include "carrierargs.h"
#include "partargs.h"
#include "partlog.h"
#include "trial.h"
#include "trialfile.h"
#include "triallog.h"

#define TRIAL_FRAMES      4.5
#define TRIAL_AUDIO       0.25              /* seconds: two packets of any codec */
#define START_TIMEOUT_US  (60 * 1000000LL)  /* until the output's dump is printed */
#define GRACE_US          (700 * 1000LL)    /* from then until it is asked to stop */
#define STOP_TIMEOUT_US   (20 * 1000000LL)  /* from then until it is killed */
#define MAX_LOG           (4 << 20)

static int copies_audio(const Plan *plan)
{
    for (int i = 0; i < plan->nb_streams; i++)
        if (plan->streams[i].type == AVMEDIA_TYPE_AUDIO && plan->streams[i].copy)
            return 1;
    return 0;
}

static double find_start(const Plan *plan, int64_t first_slot)
{
    const AVStream *st = plan_video(plan);
    double start = st->start_time == AV_NOPTS_VALUE ? 0 :
                   st->start_time * av_q2d(st->time_base) + plan->ts_offset / 1e6;

    /* the input's -ss leaves nothing before that */
    if (plan->copyts && plan_video_input(plan)->limits.start != AV_NOPTS_VALUE)
        start = FFMAX(start + plan_video_input(plan)->limits.start / 1e6,
                      plan->trim_start == AV_NOPTS_VALUE ? 0 : plan->trim_start / 1e6);
    else if (plan_video_input(plan)->trim)
        start = 0;
    if (plan->out_limits.start != AV_NOPTS_VALUE)
        first_slot = 0;
    return FFMAX(fabs(start), first_slot / av_q2d(plan->frame_rate));
}

/**
 * In another format, VSYNC_VSCFR has no name: as the rate is to be constant, the first frame would stand for all the time
 * before it. In 5.1, where copied sound begins tells more.
 */
static int moves_start(const Plan *plan)
{
    return plan->copyts && plan->vsync == VSYNC_VSCFR && plan->trial_format != plan->oformat &&
           (COMPAT_TIMING_7 || !copies_audio(plan));
}

static double find_length(const Plan *plan, int64_t first_slot)
{
    return (moves_start(plan) ? 0 : find_start(plan, first_slot)) + FFMAX(TRIAL_FRAMES / av_q2d(plan_usual_rate(plan)),
                                                copies_audio(plan) && carrier_is_mov(plan) ? TRIAL_AUDIO : 0);
}

/** Which streams ffmpeg takes by itself is the format's affair; and of those that were named some may be elsewhere. */
static void add_maps(ArgList *l, const Plan *plan)
{
    const CmdFile *f = plan_file(plan);

    if (carrierpart_exists(plan, CARRIER_TEXT) ||
        (plan->trial_format != plan->oformat && !cmdline_last(f->options, f->nb_options, "map")))
        partargs_maps(l, plan, CARRIER_MAIN);
}

static void add_output(ArgList *l, const Plan *plan, int64_t first_slot, const char *file_name)
{
    /* the first frames of the input tell as much as those at -ss, and sooner, but for the one thing */
    const double start = find_start(plan, first_slot) - 0.25 / av_q2d(plan->frame_rate);
    const char *skip_output[6] = { "t", "to", "shortest" };
    int nb = 3;

    if (!trialfile_sees_start(plan))
        skip_output[nb++] = "ss";
    if (carrierpart_exists(plan, CARRIER_TEXT))
        skip_output[nb++] = "map";

    add_maps(l, plan);
    carrierargs_options(l, plan, plan->trial_format, skip_output);
    carrierargs_fps_mode(l, plan, plan->trial_format);
    if (moves_start(plan) && start > 0) {
        arglist_add(l, "-ss");
        arglist_addf(l, "%.6f", start);
    }
    arglist_add(l, "-t");
    arglist_addf(l, "%.6f", find_length(plan, first_slot));
    carrierargs_trial(l, plan);
    arglist_add_words(l, "-f", plan->trial_format->name, file_name, NULL);
}

/** Nobody looks at it: its encoder has to work, and stock tells of its streams. */
static void add_text(ArgList *l, const Plan *plan, int64_t first_slot)
{
    partargs_text(l, plan, 0);
    arglist_add(l, "-t");
    arglist_addf(l, "%.6f", find_length(plan, first_slot));
    arglist_add_words(l, "-f", "null", "-", NULL);
}

static void build_args(ArgList *l, const Plan *plan, int64_t first_slot, const Trial *t)
{
    static const char *const skip[] = {
        "y", "n", "stats", "progress", "stdin", "loglevel", "hide_banner",
        "abort_on", "report", NULL
    };
    const Command *cmd = plan->cmd;
    const Trial *first = t;

    arglist_add_words(l, cmd->argv[0], "-nostdin", "-y", "-nostats", "-loglevel", "level+info",
                      NULL);
    arglist_add_options(l, cmd, cmd->globals, cmd->nb_globals, skip);
    /* of several inputs it tells in which order they are read */
    arglist_add_inputs(l, cmd, plan->inputs, ARGLIST_HARDWARE | (cmd->nb_inputs > 1 ? ARGLIST_PACED : 0));
    for (int i = 0; i < cmd->nb_outputs; i++) {
        const SideOutput *side = sideoutput_find(plan, i);

        if (side) {
            sideoutput_add_trial(l, plan, side, find_length(plan, first_slot), first->sides[i]);
            continue;
        }
        while (t->plan->output < i)
            t = t->next;
        add_output(l, t->plan, first_slot, t->file_name);
    }
    for (const Plan *p = plan; p; p = plan_next_output(p))
        if (carrierpart_exists(p, CARRIER_TEXT))
            add_text(l, p, first_slot);
    /* of no effect, but stock says so */
    arglist_add_options(l, cmd, cmd->trailing, cmd->nb_trailing, NULL);
}

/** Whether the dumps of all outputs are in the log. */
static int seen_all_outputs(const char *log, int nb_outputs)
{
    for (int i = 0; i < nb_outputs; i++) {
        char want[32];

        snprintf(want, sizeof(want), "Output #%d,", i);
        if (!strstr(log, want))
            return 0;
    }
    return 1;
}

/** Read stderr until it ends; stop the child once it has said what we want to know. */
static int watch(int fd, pid_t pid, int nb_outputs, AVBPrint *log, int (*interrupted)(void *),
                 void *opaque, int *stopped)
{
    int64_t deadline = av_gettime_relative() + START_TIMEOUT_US;
    int seen_output = 0;

    *stopped = 0;
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char buf[4096];
        ssize_t n;

        if (interrupted(opaque))
            return AVERROR_EXIT;
        if (av_gettime_relative() > deadline) {
            if (!seen_output || *stopped)
                return AVERROR(ETIMEDOUT);
            kill(pid, SIGINT);
            *stopped = 1;
            deadline = av_gettime_relative() + STOP_TIMEOUT_US;
        }
        if (poll(&p, 1, 50) <= 0)
            continue;
        n = read(fd, buf, sizeof(buf));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return 0;
        if (log->len < MAX_LOG)
            av_bprint_append_data(log, buf, n);
        if (!seen_output && av_bprint_is_complete(log) && seen_all_outputs(log->str, nb_outputs)) {
            seen_output = 1;
            deadline    = av_gettime_relative() + GRACE_US;
        }
    }
}

static int run(const Plan *plan, const char *stock, const ArgList *args, int nb_outputs, AVBPrint *log,
               int (*interrupted)(void *), void *opaque, int *ok)
{
    int fds[2], input = -1, status = 0, stopped, ret = 0;
    PipeFeed *feed = NULL;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return AVERROR(errno);
    if (plan_pipe(plan))
        ret = pipestore_feed_open(&feed, plan_pipe(plan)->store, &input);
    if (ret >= 0)
        ret = stock_spawn(&pid, stock, (const char *const *)args->argv, input,
                          feed ? plan_pipe(plan)->number : 0, -1, fds[1]);
    close(fds[1]);
    if (input >= 0)
        close(input);
    if (ret >= 0) {
        ret = watch(fds[0], pid, nb_outputs, log, interrupted, opaque, &stopped);
        if (ret < 0)
            kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        *ok = WIFEXITED(status) && (!WEXITSTATUS(status) || (stopped && WEXITSTATUS(status) == 255));
    }
    close(fds[0]);
    pipestore_feed_close(&feed);
    return ret;
}

/** A chain of them, one for each plan. */
static int alloc_trials(Trial **out, const Plan *plan, const WorkDir *dir)
{
    for (; plan; plan = plan->next, out = &(*out)->next) {
        Trial *t = *out = av_mallocz(sizeof(*t));

        if (!t)
            return AVERROR(ENOMEM);
        t->plan      = plan;
        t->file_name = workdir_file(dir, WORK_TRIAL, plan->output);
        t->streams   = av_calloc(plan->nb_streams, sizeof(*t->streams));
        if (!t->file_name || !t->streams)
            return AVERROR(ENOMEM);
        for (int i = 0; plan == plan->first && i < plan->nb_sides; i++) {
            int output = plan->sides[i].output;

            t->sides[output] = workdir_file(dir, WORK_TRIAL, output);
            if (!t->sides[output])
                return AVERROR(ENOMEM);
        }
    }
    return 0;
}

static int read_log(Trial *first, AVBPrint *log)
{
    char *text = NULL;
    int ret = av_bprint_finalize(log, &text);

    if (ret >= 0)
        ret = partlog_join(&text, first->plan);
    if (ret < 0) {
        av_free(text);
        return ret;
    }
    for (Trial *t = first; t; t = t->next)
        t->log = text;
    triallog_version(first);
    return 0;
}

int trial_run(Trial **out, const Plan *plan, int64_t first_slot, const char *stock,
              const WorkDir *dir, int (*interrupted)(void *), void *opaque, char *reason,
              size_t reason_size)
{
    ArgList args = { 0 };
    AVBPrint log;
    int ret, ok = 0;

    av_bprint_init(&log, 0, AV_BPRINT_SIZE_UNLIMITED);
    *out = NULL;
    ret  = alloc_trials(out, plan, dir);
    if (ret >= 0)
        build_args(&args, plan, first_slot, *out);
    if (ret >= 0)
        ret = arglist_error(&args);
    if (ret >= 0)
        ret = run(plan, stock, &args, partlog_nb_outputs(plan), &log, interrupted, opaque, &ok);
    if (ret == AVERROR(ETIMEDOUT))
        ret = reason_set(reason, reason_size, "stock ffmpeg did not get to its first frames");
    if (ret < 0) {
        av_bprint_finalize(&log, NULL);
        goto end;
    }
    ret = read_log(*out, &log);
    if (ret < 0)
        goto end;
    if (!ok)
        ret = reason_set(reason, reason_size, "stock ffmpeg refuses it");
    else if (!triallog_mapping_agrees(plan, (*out)->log))
        ret = reason_set(reason, reason_size, "stock ffmpeg maps its streams differently");
    else if (triallog_uses_hardware((*out)->log))
        ret = reason_set(reason, reason_size, "stock ffmpeg decodes with this machine's hardware");
    for (Trial *t = *out; t && ret >= 0; t = t->next)
        ret = trialfile_open(t, t->plan, reason, reason_size);
end:
    arglist_free(&args);
    return ret;
}

void trial_free(Trial **tp)
{
    Trial *t = *tp, *next;

    if (t)
        av_free((char *)t->log);
    for (; t; t = next) {
        next = t->next;
        avformat_close_input(&t->file);
        paramsets_free(&t->params);
        av_freep(&t->streams);
        av_freep(&t->file_name);
        for (int i = 0; i < PLAN_MAX_OUTPUTS; i++)
            av_freep(&t->sides[i]);
        av_free(t);
    }
    *tp = NULL;
}
