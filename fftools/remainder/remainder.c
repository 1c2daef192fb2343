/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/parseutils.h>

#include "../compat.h"
#include "../input/arglist.h"
#include "../plan/carrier.h"
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

        if (!r)
            return AVERROR(ENOMEM);
        r->plan   = plan;
        r->log_fd = -1;
        av_bprint_init(&r->log, 0, MAX_LINE);
        r->pkt       = av_packet_alloc();
        r->file_name = workdir_file(dir, WORK_REMAINDER, plan->output);
        r->streams   = av_calloc(plan->nb_streams, sizeof(*r->streams));
        if (!r->pkt || !r->file_name || !r->streams)
            return AVERROR(ENOMEM);
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

/**
 * Part of a frame, as where -ss cuts into copied audio, confuses MPEG-TS's demuxer: then only stock
 * itself will do.
 */
static int in_order(Remainder *r, const AVPacket *pkt)
{
    const AVStream *st = r->file->streams[pkt->stream_index];
    int64_t *last;
    int ok;

    if (pkt->stream_index >= r->plan->nb_streams || pkt->dts == AV_NOPTS_VALUE ||
        st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
        return 1;
    last  = &r->streams[pkt->stream_index].first_dts;
    ok    = *last == AV_NOPTS_VALUE || pkt->dts > *last;
    *last = pkt->dts;
    return ok;
}

/** The stand-in was given to the muxer at the first slot; where it is found now is the muxer's shift. */
static int find_shift(Remainder *r)
{
    AVPacket *pkt = av_packet_alloc();
    int ret  = pkt ? 0 : AVERROR(ENOMEM);
    int is_ts = !strcmp(r->file->iformat->name, "mpegts");
    int whole = is_ts || r->plan->tied_ends;
    AVRational tb;

    for (int i = 0; i < r->plan->nb_streams; i++)
        r->streams[i].first_dts = AV_NOPTS_VALUE;
    while (ret >= 0 && (whole || !r->nb_video) && (ret = av_read_frame(r->file, pkt)) >= 0) {
        int index = pkt->stream_index;

        tb = r->file->streams[index]->time_base;
        if (index < r->plan->nb_streams)
            r->streams[index].nb_packets++;
        if (index == r->plan->fleet_stream && !r->nb_video++)
            r->shift = pkt->pts == AV_NOPTS_VALUE ? 0 :
                       av_rescale_q(pkt->pts - av_rescale_q(r->first_slot, av_inv_q(r->plan->frame_rate), tb),
                                    tb, AV_TIME_BASE_Q);
        if (is_ts && !in_order(r, pkt))
            ret = AVERROR_EXTERNAL;
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    for (int i = 0; i < r->plan->nb_streams; i++) {
        if (r->plan->tied_ends && r->plan->streams[i].fleet && r->streams[i].nb_packets != r->nb_video)
            ret = AVERROR_PATCHWELCOME;
        r->streams[i].nb_packets = 0;
    }
    return ret == AVERROR_EOF ? (r->nb_video ? 0 : AVERROR_EXTERNAL) : ret;
}

/** Whether the clock of MPEG-TS may begin anew in the output, after 26 hours. */
static int wraps(const Remainder *r)
{
    return !r->plan->duration || r->first_slot / av_q2d(r->plan->frame_rate) + r->plan->duration > 24 * 3600;
}

static int open_input(Remainder *r)
{
    AVDictionary *opts = NULL;
    int ret;

    /* with sound and video a minute and more apart, MPEG-TS's demuxer takes what comes first for having wrapped */
    if (!wraps(r))
        av_dict_set(&opts, "correct_ts_overflow", "0", 0);
    /* the muxer's own edit lists only move the start; to apply them to packets as well would cut the last ones */
    av_dict_set(&opts, "advanced_editlist", "0", 0);
    ret = avformat_open_input(&r->file, r->file_name, carrier_demuxer(r->plan->carrier), &opts);
    av_dict_free(&opts);
    if (ret >= 0)
        ret = avformat_find_stream_info(r->file, NULL);
    return ret >= 0 && (int)r->file->nb_streams < r->plan->nb_streams ? AVERROR_EXTERNAL : ret;
}

static int open_file(Remainder *r)
{
    int ret = open_input(r);

    if (carrier_is_nut(r->plan) && !r->plan->tied_ends) {
        r->shift = CARRIER_NUT_OFFSET * (int64_t)AV_TIME_BASE;
        return ret;
    }
    if (ret >= 0)
        ret = find_shift(r);
    /* once more from the start: seeking back would lose packets before time 0 */
    if (ret >= 0) {
        avformat_close_input(&r->file);
        ret = open_input(r);
    }
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

int remainder_poll(Remainder *r)
{
    int status, ret;
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
        ret = open_file(q);
        if (ret >= 0 && q->plan->tied_ends && q->nb_video != r->nb_video)
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

/** What Matroska's demuxer takes off the timestamps of a stream. */
static int64_t codec_delay(const AVStream *st)
{
    const AVCodecParameters *par = st->codecpar;
    int rate = par->codec_id == AV_CODEC_ID_OPUS ? 48000 : par->sample_rate;

    return par->initial_padding <= 0 || rate <= 0 ? 0 :
           av_rescale_q(par->initial_padding, av_make_q(1, rate), st->time_base);
}

/** Matroska's muxer puts it on again only since FFmpeg 7. */
static void restore_codec_delay(const AVStream *st, AVPacket *pkt)
{
    int64_t delay = LIBAVFORMAT_VERSION_MAJOR >= 61 ? 0 : codec_delay(st);

    if (pkt->pts != AV_NOPTS_VALUE)
        pkt->pts += delay;
    if (pkt->dts != AV_NOPTS_VALUE)
        pkt->dts += delay;
}

/** Matroska keeps the length of a shortened last packet only in the stream's DURATION, FLV in the file's. */
static void clip_duration(const AVFormatContext *fc, const AVStream *st, AVPacket *pkt)
{
    const AVDictionaryEntry *e = av_dict_get(st->metadata, "DURATION", NULL, 0);
    int flv = !strcmp(fc->iformat->name, "flv");
    int64_t end = flv ? fc->duration : AV_NOPTS_VALUE;

    if (!flv && !av_strstart(fc->iformat->name, "matroska", NULL))
        return;
    if (e && av_parse_time(&end, e->value, 1) < 0)
        return;
    if (end == AV_NOPTS_VALUE || pkt->pts == AV_NOPTS_VALUE)
        return;
    end = av_rescale_q(end, AV_TIME_BASE_Q, st->time_base);
    if (!flv && LIBAVFORMAT_VERSION_MAJOR >= 61)
        end -= codec_delay(st);
    if (pkt->pts < end && pkt->pts + pkt->duration > end)
        pkt->duration = end - pkt->pts;
    /* made by the demuxer out of the default duration, it was cut to whole milliseconds, not rounded */
    if (!flv && pkt->duration > 1 && pkt->pts + pkt->duration + 1 == end)
        pkt->duration++;
}

/**
 * Our demuxer for mp4 takes the last packet to last until the media's whole duration, but counts that from
 * the edit list's start.
 */
static void mend_last_duration(Remainder *r, AVPacket *pkt)
{
    const AVStream *st = r->file->streams[pkt->stream_index];
    RemainderStream *s = &r->streams[pkt->stream_index];

    if (!s->nb_packets++)
        s->first_dts = pkt->dts;
    if (s->nb_packets == st->nb_frames && st->duration != AV_NOPTS_VALUE &&
        pkt->dts != AV_NOPTS_VALUE && s->first_dts != AV_NOPTS_VALUE &&
        st->duration + s->first_dts > pkt->dts && av_strstart(r->file->iformat->name, "mov", NULL))
        pkt->duration = st->duration + s->first_dts - pkt->dts;
    else
        pkt->duration = carrier_duration(r->plan, pkt->stream_index, st, pkt);
}

/** mp4's muxer ends each text track with an empty sample; ours will too. */
static int is_end_of_text(const Remainder *r, const AVPacket *pkt)
{
    const AVStream *st = r->file->streams[pkt->stream_index];

    return st->codecpar->codec_id == AV_CODEC_ID_MOV_TEXT && pkt->size == 2 &&
           !pkt->data[0] && !pkt->data[1] &&
           r->streams[pkt->stream_index].nb_packets == st->nb_frames;
}

int remainder_peek(Remainder *r, AVPacket **pkt)
{
    while (!r->have_pkt && !r->eof) {
        int ret = av_read_frame(r->file, r->pkt);
        AVStream *st;
        int64_t shift;

        if (ret == AVERROR_EOF) {
            r->eof = 1;
            break;
        }
        if (ret < 0)
            return ret;
        /* streams beyond the plan's are the muxer's own, and our muxer makes them again */
        if (r->pkt->stream_index >= r->plan->nb_streams ||
            r->plan->streams[r->pkt->stream_index].fleet) {
            av_packet_unref(r->pkt);
            continue;
        }
        st = r->file->streams[r->pkt->stream_index];
        mend_last_duration(r, r->pkt);
        if (is_end_of_text(r, r->pkt)) {
            av_packet_unref(r->pkt);
            continue;
        }
        if (av_strstart(r->file->iformat->name, "matroska", NULL))
            restore_codec_delay(st, r->pkt);
        clip_duration(r->file, st, r->pkt);
        shift = av_rescale_q(r->shift, AV_TIME_BASE_Q, st->time_base);
        if (r->pkt->pts != AV_NOPTS_VALUE)
            r->pkt->pts -= shift;
        if (r->pkt->dts != AV_NOPTS_VALUE)
            r->pkt->dts -= shift;
        r->have_pkt = 1;
    }
    *pkt = r->pkt;
    return r->have_pkt ? 0 : AVERROR_EOF;
}

void remainder_consume(Remainder *r)
{
    av_packet_unref(r->pkt);
    r->have_pkt = 0;
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
        avformat_close_input(&r->file);
        av_packet_free(&r->pkt);
        if (r->log_fd >= 0)
            close(r->log_fd);
        av_bprint_finalize(&r->log, NULL);
        av_freep(&r->file_name);
        av_freep(&r->streams);
        av_free(r);
    }
    *rp = NULL;
}
