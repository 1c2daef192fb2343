/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../input/arglist.h"
#include "../stock.h"
#include "remainder.h"
#include "remainderargs.h"
#include "stocklog.h"
#include "triallog.h"

/* of stock's output; what is longer is cut */
#define MAX_LINE 1024

/** A chain of them, one for each output. */
static int alloc_remainders(Remainder **out, const Plan *plan, const WorkDir *dir)
{
    for (; plan; plan = plan_next_output(plan), out = &(*out)->next) {
        Remainder *r = *out = av_mallocz(sizeof(*r));
        int ret;

        if (!r)
            return AVERROR(ENOMEM);
        r->plan   = plan;
        r->log_fd = -1;
        av_bprint_init(&r->log, 0, MAX_LINE);
        for (int part = 0; part < CARRIER_NB; part++) {
            ret = carrierpart_exists(plan, part) ? carrierfile_alloc(&r->files[part], plan, part, dir) : 0;
            if (ret < 0)
                return ret;
        }
    }
    return 0;
}

int remainder_start(Remainder **out, const Plan *plan, const Trial *t, int64_t first_slot,
                    const char *stock, const WorkDir *dir)
{
    Remainder *r;
    ArgList args = { 0 };
    int fds[2], input = -1, ret;

    *out = NULL;
    ret  = alloc_remainders(out, plan, dir);
    r    = *out;
    if (ret >= 0) {
        for (Remainder *q = r; q; q = q->next)
            q->first_slot = plan->vsync == VSYNC_VSCFR && !plan->copyts && !plan->tied_ends ? 0 : first_slot;
        r->nb_known   = triallog_nb_opening_errors(t);
        remainderargs_build(&args, r, t);
        ret = arglist_error(&args);
    }
    if (ret >= 0 && plan_pipe(plan))
        ret = pipestore_feed_open(&r->feed, plan_pipe(plan)->store, &input);
    if (ret >= 0 && pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        ret = AVERROR(errno);
    if (ret >= 0) {
        /* only our end of it: the child would see its writes fail */
        fcntl(fds[1], F_SETFL, 0);
        r->log_fd = fds[0];
        ret = stock_spawn(&r->pid, stock, (const char *const *)args.argv, input,
                          r->feed ? plan_pipe(plan)->number : 0, -1, fds[1]);
        close(fds[1]);
    }
    if (input >= 0)
        close(input);
    if (ret < 0 && r)
        r->pid = 0;
    arglist_free(&args);
    return ret;
}

/** Of the stand-in's encoder nobody wants to hear: only marked lines are passed on. */
static void pass_line(Remainder *r)
{
    AVBPrint bp;
    int level;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    level = stocklog_unmark(&bp, r->log.str, strlen(r->log.str));
    /* its exit status does not always tell */
    if (strstr(r->log.str, "Error writing trailer") || strstr(r->log.str, "Error closing file") ||
        strstr(r->log.str, strerror(ENOSPC)) || strstr(r->log.str, "Empty output")) /* of -abort_on */
        r->failed = 1;
    /* it goes on with what it got of the network */
    for (int i = 0; i < r->plan->nb_inputs; i++)
        r->failed |= level >= 0 && level <= AV_LOG_ERROR && r->plan->inputs[i].network;
    if (level >= 0 && r->nb_known > 0)
        r->nb_known--;
    else if (level >= 0 && !r->failed && av_bprint_is_complete(&bp))
        av_log(NULL, level, "%s\n", bp.str);
    av_bprint_finalize(&bp, NULL);
    av_bprint_clear(&r->log);
}

static void pass_log(Remainder *r)
{
    char buf[4096];
    ssize_t n;

    while (r->log_fd >= 0 && (n = read(r->log_fd, buf, sizeof(buf))) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (buf[i] == '\n')
                pass_line(r);
            else
                av_bprint_chars(&r->log, buf[i], 1);
        }
}

static int open_files(Remainder *r)
{
    int ret = 0;

    for (int part = 0; part < CARRIER_NB && ret >= 0; part++)
        if (r->files[part])
            ret = carrierfile_open(r->files[part], r->first_slot);
    return ret;
}

int remainder_poll(Remainder *r)
{
    int status;
    pid_t pid;

    if (r->done)
        return 1;
    pass_log(r);
    pid = waitpid(r->pid, &status, WNOHANG);
    if (!pid || (pid < 0 && errno == EINTR))
        return 0;
    if (pid < 0)
        return AVERROR(errno);
    r->pid = 0;
    pass_log(r);
    if (r->failed || !WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != 255))
        return AVERROR_EXTERNAL;
    for (Remainder *q = r; q; q = q->next) {
        int ret = open_files(q);

        if (ret >= 0 && q->plan->tied_ends && remainder_nb_video(q) != remainder_nb_video(r))
            ret = AVERROR_PATCHWELCOME;
        if (ret < 0)
            return ret;
    }
    r->done = 1;
    return 1;
}

void remainder_stop(Remainder *r)
{
    if (r->pid)
        kill(r->pid, SIGINT);
}

int64_t remainder_nb_video(const Remainder *r)
{
    return r->files[CARRIER_MAIN]->nb_video;
}

const AVFormatContext *remainder_file(const Remainder *r)
{
    return r->files[CARRIER_MAIN]->fc;
}

const AVStream *remainder_stream(const Remainder *r, int stream)
{
    const AVFormatContext *fc = r->files[r->plan->streams[stream].part]->fc;

    return fc ? fc->streams[carrierpart_place(r->plan, stream)] : NULL;
}

static int comes_before(const Remainder *r, const AVPacket *a, const AVPacket *b)
{
    if (a->dts == AV_NOPTS_VALUE || b->dts == AV_NOPTS_VALUE)
        return a->dts == AV_NOPTS_VALUE;
    return av_compare_ts(a->dts, remainder_stream(r, a->stream_index)->time_base,
                         b->dts, remainder_stream(r, b->stream_index)->time_base) < 0;
}

int remainder_peek(Remainder *r, AVPacket **pkt)
{
    int found = 0;

    for (int part = 0; part < CARRIER_NB; part++) {
        AVPacket *other;
        int ret = r->files[part] ? carrierfile_peek(r->files[part], &other) : AVERROR_EOF;

        if (ret == AVERROR_EOF)
            continue;
        if (ret < 0)
            return ret;
        if (!found++ || comes_before(r, other, *pkt)) {
            *pkt = other;
            r->next_file = part;
        }
    }
    return found ? 0 : AVERROR_EOF;
}

void remainder_consume(Remainder *r)
{
    carrierfile_consume(r->files[r->next_file]);
}

void remainder_free(Remainder **rp)
{
    Remainder *r = *rp, *next;
    int status;

    if (r && r->pid) {
        kill(r->pid, SIGKILL);
        while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    for (; r; r = next) {
        next = r->next;
        pipestore_feed_close(&r->feed);
        for (int part = 0; part < CARRIER_NB; part++)
            carrierfile_free(&r->files[part]);
        if (r->log_fd >= 0)
            close(r->log_fd);
        av_bprint_finalize(&r->log, NULL);
        av_free(r);
    }
    *rp = NULL;
}
