/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * @file
 * The program, once front.c has loaded it: parse the command line, then either run the job on the fleet
 * or become the stock ffmpeg.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "../remote/hosts.h"
#include "../remote/trace.h"
#include "certain.h"
#include "command/cmdline.h"
#include "command/loglevel.h"
#include "command/usage.h"
#include "encode/hostslots.h"
#include "explain.h"
#include "input/arglist.h"
#include "job.h"
#include "plan/fonts.h"
#include "plan/planmake.h"
#include "plan/soundends.h"
#include "segment/timingscan.h"
#include "show/reportfile.h"
#include "stock.h"

#define TAG FFLEET_PROGRAM ": "

/** All that has to be given back before the program ends or becomes another. */
typedef struct Program {
    StockSignals inherited;
    Command   cmd;
    HostList  hosts;
    Trace    *trace;
    Plan     *plan;
    ReportFile report;
    char     *stock;
    int       signal;   ///< to die of, in the end
    char      err[512];
} Program;

/** That a muxer begins a file, or goes over it once more. What is wrong with its options stock has said in the trial. */
static int is_muxers_news(void *ctx, const AVClass *class, int level)
{
    return level == AV_LOG_INFO && !strcmp(class->class_name, "AVFormatContext") && ((AVFormatContext *)ctx)->oformat;
}

/* What libraries say while we look at files, stock says too: once is enough. An "OutputFile" is
 * not theirs but ffmpeg's own, in whose name progress.c speaks. */
static void log_ours(void *ctx, int level, const char *fmt, va_list ap)
{
    const AVClass *class = ctx ? *(const AVClass **)ctx : NULL;

    va_list copy;

    if (class && strcmp(class->class_name, "OutputFile") && !is_muxers_news(ctx, class, level) &&
        av_log_get_level() < AV_LOG_VERBOSE)
        return;
    va_copy(copy, ap);
    reportfile_log(ctx, level, fmt, copy);
    va_end(copy);
    av_log_default_callback(ctx, level, fmt, ap);
}

static int set_user(HostList *hosts, const char *user)
{
    for (int i = 0; user && i < hosts->nb_hosts; i++)
        if (!hosts->hosts[i].user && !hosts->hosts[i].local) {
            hosts->hosts[i].user = av_strdup(user);
            if (!hosts->hosts[i].user)
                return AVERROR(ENOMEM);
        }
    return 0;
}

static int find_hosts(Program *p)
{
    const OwnOptions *own = &p->cmd.own;
    int ret = 0;

    for (int i = 0; ret >= 0 && i < own->nb_hosts; i++)
        ret = hosts_parse(&p->hosts, own->hosts[i], "--hosts", p->err, sizeof(p->err));
    if (!own->have_hosts)
        ret = hosts_load(&p->hosts, p->err, sizeof(p->err));
    if (ret >= 0)
        ret = set_user(&p->hosts, own->ssh_user);
    /* local slots must not find ourselves by the name of ffmpeg */
    for (int i = 0; ret >= 0 && i < p->hosts.nb_hosts; i++)
        if (p->hosts.hosts[i].local && !p->hosts.hosts[i].ffmpeg) {
            p->hosts.hosts[i].ffmpeg = av_strdup(p->stock);
            ret = p->hosts.hosts[i].ffmpeg ? 0 : AVERROR(ENOMEM);
        }
    return ret;
}

static void program_free(Program *p)
{
    reportfile_close(&p->report, 0);
    plan_free(&p->plan);
    trace_close(&p->trace);
    hosts_free(&p->hosts);
    cmdline_free(&p->cmd);
    av_freep(&p->stock);
}

/** The words for stock: as they were typed, but for the names of FIFOs. */
static int build_words(ArgList *l, const Program *p, int overwrite)
{
    const Command *cmd = &p->cmd;
    const Plan *plan = p->plan;

    arglist_add(l, cmd->argv[0]);
    if (overwrite)
        arglist_add(l, "-y");
    for (int i = 1; i < cmd->argc; i++) {
        const PlanInput *in = NULL;

        for (int k = 0; plan && k < plan->nb_inputs; k++)
            if (plan->inputs[k].alias && (i == cmd->inputs[k].index || i + 1 == cmd->inputs[k].index))
                in = &plan->inputs[k];
        /* before its "-i" */
        if (in && i + 1 == in->file->index && in->alias_format[0])
            arglist_add_words(l, "-f", in->alias_format, NULL);
        arglist_add(l, in && i == in->file->index ? in->alias : cmd->argv[i]);
    }
    return arglist_error(l);
}

/** Become stock. Returns only when that fails. */
static int become_stock(Program *p, const char *reason, int overwrite)
{
    ArgList words = { 0 };
    int ret = 0;

    reportfile_close(&p->report, 1);
    trace_event(p->trace, "plan", "decision", "s", "stock", "reason", "s", reason, NULL);
    for (int i = 0; p->plan && i < p->plan->nb_inputs && ret >= 0; i++)
        ret = p->plan->reason[0] ? input_return(&p->plan->inputs[i]) : input_replay(&p->plan->inputs[i]);
    if (ret < 0) {
        snprintf(p->err, sizeof(p->err), "what was read of a pipe cannot be put back: %s", av_err2str(ret));
        return ret;
    }
    ret = build_words(&words, p, overwrite);
    if (ret >= 0)
        ret = stock_exec(p->stock, words.argv, &p->inherited);
    snprintf(p->err, sizeof(p->err), "cannot run %s: %s", p->stock, av_err2str(ret));
    arglist_free(&words);
    return ret;
}

static int run_fleet(Program *p, int *status)
{
    JobResult result;
    int ret;

    if (reportfile_open(&p->report, &p->cmd) < 0)
        return become_stock(p, "the report cannot be begun here", 0);
    trace_event(p->trace, "plan", "decision", "s", "fleet", "reason", "s", "", NULL);
    ret = job_run(p->plan, p->stock, &p->hosts, p->trace, &result);
    *status = result.status;
    p->signal = result.signal;
    if (ret != AVERROR_PATCHWELCOME)
        return ret;
    av_log(NULL, result.worth_telling ? AV_LOG_WARNING : AV_LOG_VERBOSE,
           TAG "%s; stock ffmpeg does it all\n", result.reason);
    return become_stock(p, result.reason, result.overwrite);
}

/** Decide. @return 0 with the exit status, or an AVERROR code with p->err */
static int run(Program *p, int *status)
{
    const OwnOptions *own = &p->cmd.own;
    const char *reason = certain_stock(&p->cmd);
    int ret = stock_find(&p->stock, p->err, sizeof(p->err));

    if (ret < 0)
        return ret;
    if (reason && !own->explain)
        return become_stock(p, reason, 0);
    ret = find_hosts(p);
    if (ret < 0)
        return ret;
    if (!p->hosts.nb_hosts && !own->explain)
        return become_stock(p, "there are no hosts", 0);
    ret = reportfile_init(&p->report, &p->cmd);
    if (ret < 0)
        return ret;
    loglevel_apply(&p->cmd);
    av_log_set_callback(log_ours);
    ret = plan_make(&p->plan, &p->cmd);
    if (ret >= 0)
        ret = timingscan_run(p->plan);
    if (ret < 0)
        return ret;
    if (p->hosts.nb_hosts) {
        ret = fonts_resolve(p->plan, p->stock);
        if (ret >= 0)
            ret = soundends_resolve(p->plan, p->stock);
        if (ret < 0)
            return ret;
    }
    if (hostslots_stock_fills(p->plan, &p->hosts, p->stock)) {
        reason = "this machine is the only host, and the encoder keeps its cores busy by itself";
        if (!own->explain)
            return become_stock(p, reason, 0);
        snprintf(p->plan->reason, sizeof(p->plan->reason), "%s", reason);
    }
    if (own->explain)
        return explain_print(p->plan, &p->hosts);
    if (p->plan->reason[0])
        return become_stock(p, p->plan->reason, 0);
    return run_fleet(p, status);
}

/**
 * Where stdin, stdout or stderr is closed, nothing else must get its number. An exec closes them
 * again: stock shall find what we found.
 */
static int fill_std_fds(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
            return AVERROR(EBADF);
    return 0;
}

static void die_of(int sig)
{
    sigset_t set;

    signal(sig, SIG_DFL);
    raise(sig);
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/** Called by front.c. @return the exit status */
int ffleet_main(int argc, char **argv);

int ffleet_main(int argc, char **argv)
{
    Program p = { 0 };
    int ret, status = 0;

    if (fill_std_fds() < 0)
        return 1;
    stock_save_signals(&p.inherited);
    /* whoever ignores it is never told how a child ended */
    signal(SIGCHLD, SIG_DFL);
    ret = cmdline_parse(&p.cmd, argc, argv, p.err, sizeof(p.err));
    if (ret >= 0 || ret == AVERROR_OPTION_NOT_FOUND)
        trace_open(&p.trace, getenv("FFLEET_TRACE"));
    if (ret == AVERROR_OPTION_NOT_FOUND) {
        char reason[sizeof(p.err)];

        av_strlcpy(reason, p.err, sizeof(reason));
        if (p.cmd.own.explain) {
            printf("stock ffmpeg makes all of it: %s\n", reason);
            ret = 0;
        } else {
            ret = stock_find(&p.stock, p.err, sizeof(p.err));
            if (ret >= 0)
                ret = become_stock(&p, reason, 0);
        }
    } else if (ret >= 0 && (p.cmd.own.help || p.cmd.own.version)) {
        ret = p.cmd.own.help ? usage_help() : usage_version();
    } else if (ret >= 0) {
        ret = run(&p, &status);
    }
    if (ret < 0) {
        if (!p.err[0])
            snprintf(p.err, sizeof(p.err), "%s", av_err2str(ret));
        av_log(NULL, AV_LOG_ERROR, TAG "%s\n", p.err);
        status = 1;
    }
    program_free(&p);
    if (p.signal)
        die_of(p.signal);
    return status;
}
