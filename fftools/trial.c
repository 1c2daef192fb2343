/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/eval.h>
#include <libavutil/time.h>

#include "arglist.h"
#include "carrier.h"
#include "compat.h"
#include "stock.h"
#include "stocklog.h"
#include "streammap.h"
#include "trial.h"

#define TRIAL_FRAMES      4.5
#define TRIAL_AUDIO       0.25              /* seconds: two packets of any codec */
#define START_TIMEOUT_US  (60 * 1000000LL)  /* until the output's dump is printed */
#define GRACE_US          (700 * 1000LL)    /* from then until it is asked to stop */
#define STOP_TIMEOUT_US   (20 * 1000000LL)  /* from then until it is killed */
#define MAX_LOG           (4 << 20)

static int refuse(char *reason, size_t size, const char *why)
{
    snprintf(reason, size, "%s", why);
    return AVERROR_PATCHWELCOME;
}

static int copies_audio(const Plan *plan)
{
    for (int i = 0; i < plan->nb_streams; i++)
        if (plan->streams[i].type == AVMEDIA_TYPE_AUDIO && plan->streams[i].copy)
            return carrier_is_mov(plan);
    return 0;
}

static double find_start(const Plan *plan, int64_t first_slot)
{
    const AVStream *st = plan_video(plan);
    double start = st->start_time == AV_NOPTS_VALUE ? 0 :
                   st->start_time * av_q2d(st->time_base) + plan->ts_offset / 1e6;

    /* the input's -ss leaves nothing before 0 */
    if (plan_video_input(plan)->trim)
        start = 0;
    if (plan->out_limits.start != AV_NOPTS_VALUE)
        first_slot = 0;
    return FFMAX(fabs(start), first_slot / av_q2d(plan->frame_rate));
}

static void add_output(ArgList *l, const Plan *plan, int64_t first_slot, const char *file_name)
{
    /* the first frames of the input tell as much as those at -ss, and sooner */
    static const char *const skip_output[] = { "ss", "t", "to", NULL };

    carrier_add_options(l, plan, plan->trial_format, skip_output);
    arglist_add(l, "-t");
    arglist_addf(l, "%.6f", find_start(plan, first_slot) +
                            FFMAX(TRIAL_FRAMES / av_q2d(plan->frame_rate),
                                  copies_audio(plan) ? TRIAL_AUDIO : 0));
    carrier_add_trial(l, plan);
    arglist_add_words(l, "-f", plan->trial_format->name, file_name, NULL);
}

static void build_args(ArgList *l, const Plan *plan, int64_t first_slot, const Trial *t)
{
    static const char *const skip[] = {
        "y", "n", "stats", "stats_period", "progress", "stdin", "loglevel", "hide_banner", NULL
    };
    const Command *cmd = plan->cmd;

    arglist_add_words(l, cmd->argv[0], "-nostdin", "-y", "-nostats", "-loglevel", "level+info",
                      NULL);
    arglist_add_options(l, cmd, cmd->globals, cmd->nb_globals, skip);
    arglist_add_inputs(l, cmd);
    for (; t; t = t->next)
        if (!t->plan->nth_fleet)
            add_output(l, t->plan, first_slot, t->file_name);
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
    SpoolFeed *feed = NULL;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return AVERROR(errno);
    if (plan_stdin(plan))
        ret = spool_feed_open(&feed, plan_stdin(plan)->spool, &input);
    if (ret >= 0)
        ret = stock_spawn(&pid, stock, (const char *const *)args->argv, input, -1, fds[1]);
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
    spool_feed_close(&feed);
    return ret;
}

/** "  overlay:default -> Stream #0:0 (libx264)": what a filter graph makes. */
static int filtered_agrees(const PlanStream *s, int output, int n, const char *line)
{
    const char *p = strstr(line, " -> Stream #");
    char want[128];

    snprintf(want, sizeof(want), " -> Stream #%d:%d (%s)", output, n,
             s->encoder ? s->encoder->name : "");
    return p && !strcmp(p, want);
}

/** "  Stream #0:1 -> #0:0 (copy)" or "(h264 (native) -> hevc (libx265))". */
static int stream_agrees(const PlanStream *s, int output, int n, const char *line)
{
    int file, index, out_file, out_index;
    size_t len = strlen(line);
    char want[128] = "(copy)";

    if (sscanf(line, "Stream #%d:%d -> #%d:%d", &file, &index, &out_file, &out_index) != 4 ||
        file != s->file || out_file != output || index != s->index || out_index != n)
        return 0;
    if (!s->copy) {
        /* the encoder is the last name; "native" when it is called like its codec */
        const char *codec = avcodec_get_name(s->encoder->id);

        snprintf(want, sizeof(want), "-> %s (%s))", codec,
                 strcmp(s->encoder->name, codec) ? s->encoder->name : "native");
    }
    return len >= strlen(want) && !strcmp(line + len - strlen(want), want);
}

/** Stock prints a line for each stream that goes into a filter graph, then one for each output stream or -attach. */
static int mapping_agrees(const Plan *plan, const char *log)
{
    static const char head[] = "[info]   ";
    const char *p = strstr(log, "Stream mapping:\n"), *end;
    int n = 0;

    for (p = p ? strchr(p, '\n') + 1 : NULL; p && av_strstart(p, head, &p); p = end + 1) {
        const char *arrow;
        char line[512];
        int ok;

        end = strchr(p, '\n');
        if (!end)
            return 0;
        av_strlcpy(line, p, FFMIN(sizeof(line), (size_t)(end - p) + 1));
        arrow = strstr(line, " -> ");
        if (av_strstart(line, "File ", NULL) ||
            (av_strstart(line, "Stream #", NULL) && arrow && arrow[4] != '#'))
            continue;
        if (!plan)
            return 0;
        ok = plan->streams[n].complex ?
             filtered_agrees(&plan->streams[n], plan->output, n, line) :
             stream_agrees(&plan->streams[n], plan->output, n, line);
        if (!ok)
            return 0;
        if (++n == plan->nb_streams) {
            plan = plan_next_output(plan);
            n    = 0;
        }
    }
    return !plan;
}

static void find_version(Trial *t)
{
    const char *p = strstr(t->log, "libavformat");
    int a, b, c;

    if (p && sscanf(p, "libavformat %d.%d.%d", &a, &b, &c) == 3)
        snprintf(t->lavf_ident, sizeof(t->lavf_ident), "%d.%d.%d", a, b, c);
}

static int compares_params(enum AVCodecID id)
{
    return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC;
}

/** Some formats keep decoding timestamps; of others the demuxer makes them up. */
static int keeps_dts(const AVFormatContext *fc)
{
    return av_strstart(fc->iformat->name, "mov", NULL) || !strcmp(fc->iformat->name, "mpegts") ||
           !strcmp(fc->iformat->name, "flv");
}

/** These tell how many frames they hold back, and date the first packet that much before its pts. */
static int tells_delay(const AVCodec *encoder)
{
    static const char *const names[] = {
        "libx264", "libx264rgb", "libx265", "mpeg4", "mpeg2video", "mpeg1video", NULL
    };

    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], encoder->name))
            return 1;
    return 0;
}

/** The plan's stream that an audio stream of the file is, or -1; streams without packets are not in mp4 files. */
static int audio_of_plan(const AVFormatContext *file, const Plan *plan, int index)
{
    int nth = 0, nb_file = 0, nb_plan = 0, found = -1;

    for (unsigned i = 0; i < file->nb_streams; i++)
        if (file->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
            nth += (int)i < index;
            nb_file++;
        }
    for (int i = 0; i < plan->nb_streams; i++)
        if (plan->streams[i].type == AVMEDIA_TYPE_AUDIO && nb_plan++ == nth)
            found = i;
    return nb_file == nb_plan ? found : -1;
}

/** Whether packets last a multiple of that time base: no rounding can be seen, or does harm. */
static int is_exact(AVRational tb, const AVCodecParameters *par)
{
    return par->frame_size > 0 && par->sample_rate > 0 &&
           !((int64_t)par->frame_size * tb.den % ((int64_t)par->sample_rate * tb.num));
}

/**
 * FFmpeg 5.1 rounds the timestamps of a copied stream to the input's time base when packets of it
 * come before all encoders have started (of_check_init() in ffmpeg_mux.c), and else counts samples.
 * Only a try tells which.
 */
static void note_copied(Trial *t, const Plan *plan, const AVPacket *pkt)
{
    const AVStream *st = t->file->streams[pkt->stream_index];
    int index = st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO ? -1 :
                audio_of_plan(t->file, plan, pkt->stream_index);
    const PlanStream *s = &plan->streams[FFMAX(index, 0)];
    TrialStream *ts     = &t->streams[FFMAX(index, 0)];
    AVRational in_tb;
    int64_t step, rounded;

    if (index < 0 || !s->copy || pkt->dts == AV_NOPTS_VALUE)
        return;
    in_tb = plan->inputs[s->file].fc->streams[s->index]->time_base;
    if (ts->nb_packets++ && av_cmp_q(in_tb, st->time_base) > 0 &&
        !is_exact(in_tb, plan->inputs[s->file].fc->streams[s->index]->codecpar)) {
        step    = pkt->dts - ts->last_dts;
        rounded = av_rescale_q(av_rescale_q(step, st->time_base, in_tb), in_tb, st->time_base);
        ts->coarse = FFABS(rounded - step) <= 1 && (ts->coarse || ts->nb_packets == 2);
    }
    ts->last_dts = pkt->dts;
}

/** In MPEG-TS the rounding that note_copied() looks for cannot be seen: its demuxer makes up most timestamps. */
static int hides_rounding(const Trial *t, const Plan *plan)
{
    if (COMPAT_TIMING_7 || plan->trial_format != plan->oformat ||
        strcmp(t->file->iformat->name, "mpegts"))
        return 0;
    for (int i = 0; i < plan->nb_streams; i++) {
        const PlanStream *s = &plan->streams[i];
        const AVStream *st  = plan->inputs[s->file].fc->streams[s->index];
        AVRational tb = { 1, FFMAX(st->codecpar->sample_rate, 1) };

        if (s->copy && s->type == AVMEDIA_TYPE_AUDIO &&
            av_cmp_q(st->time_base, tb) > 0 && av_cmp_q(st->time_base, (AVRational) { 1, 90000 }) > 0)
            return 1;
    }
    return 0;
}

/** What would be lost on the way: NUT carries no side data. */
static int has_vital_side_data(const AVPacket *pkt)
{
    for (int i = 0; i < pkt->side_data_elems; i++)
        if (pkt->side_data[i].type == AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL)
            return 1;
    return 0;
}

/** Read the short output through. mp4, for one, keeps decoding timestamps; Matroska's demuxer makes them up. */
static int read_packets(Trial *t, const Plan *plan, char *reason, size_t reason_size)
{
    AVPacket *pkt = av_packet_alloc();
    int64_t dts = AV_NOPTS_VALUE, pts = INT64_MAX;
    int ret = pkt ? 0 : AVERROR(ENOMEM);

    while (ret >= 0 && (ret = av_read_frame(t->file, pkt)) >= 0) {
        if (pkt->stream_index == t->video->index) {
            if (dts == AV_NOPTS_VALUE)
                dts = pkt->dts;
            pts = FFMIN(pts, pkt->pts);
            if (has_vital_side_data(pkt))
                ret = refuse(reason, reason_size, "the encoded video has parts that cannot travel");
        } else {
            note_copied(t, plan, pkt);
        }
        av_packet_unref(pkt);
    }
    t->reorder_delay = -1;
    if (keeps_dts(t->file) && dts != AV_NOPTS_VALUE && pts != INT64_MAX && pts >= dts)
        t->reorder_delay = av_rescale_q(pts - dts, t->video->time_base,
                                        av_inv_q(plan->frame_rate));
    else if (tells_delay(plan->streams[plan->fleet_stream].encoder))
        t->reorder_delay = t->video->codecpar->video_delay;
    av_packet_free(&pkt);
    return ret == AVERROR(ENOMEM) || ret == AVERROR_PATCHWELCOME ? ret : 0;
}

/** Where the output has several of the fleet's: by its place among all video streams. */
static AVStream *nth_video(const AVFormatContext *file, const Plan *plan)
{
    AVStream *found = NULL;
    int nth = 0, nb_plan = 0, nb_file = 0;

    for (int i = 0; i < plan->nb_streams; i++) {
        const PlanStream *s = &plan->streams[i];
        const AVStream *in  = plan->inputs[s->file].fc->streams[s->index];

        if (s->type != AVMEDIA_TYPE_VIDEO || in->disposition & AV_DISPOSITION_ATTACHED_PIC)
            continue;
        nth += i < plan->fleet_stream;
        nb_plan++;
    }
    for (unsigned i = 0; i < file->nb_streams; i++) {
        AVStream *st = file->streams[i];

        if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO ||
            st->disposition & AV_DISPOSITION_ATTACHED_PIC)
            continue;
        if (nb_file++ == nth)
            found = st;
    }
    return nb_file == nb_plan ? found : NULL;
}

/** mp4 leaves out streams without packets, as those are that begin later; FLV's are in the order of their packets. */
static AVStream *find_video(const AVFormatContext *file, const Plan *plan)
{
    enum AVCodecID id = plan->streams[plan->fleet_stream].encoder->id;
    int flv  = !strcmp(plan->trial_format->name, "flv");
    int last = flv ? (int)file->nb_streams - 1 :
                     FFMIN(plan->fleet_stream, (int)file->nb_streams - 1);

    if (plan->nb_fleet > 1)
        return nth_video(file, plan);
    for (int i = last; i >= 0; i--) {
        AVStream *st = file->streams[i];

        if (st->codecpar->codec_id == id && !(st->disposition & AV_DISPOSITION_ATTACHED_PIC))
            return st;
    }
    return NULL;
}

static int open_output(Trial *t, const Plan *plan, char *reason, size_t reason_size)
{
    int ret = avformat_open_input(&t->file, t->file_name, NULL, NULL);

    if (ret >= 0)
        ret = avformat_find_stream_info(t->file, NULL);
    if (ret >= 0)
        t->video = find_video(t->file, plan);
    if (ret < 0 || !t->video)
        return refuse(reason, reason_size, "stock ffmpeg's first frames cannot be read back");
    if (compares_params(t->video->codecpar->codec_id)) {
        ret = paramsets_parse(&t->params, t->video->codecpar);
        if (ret < 0)
            return ret;
    }
    if (hides_rounding(t, plan))
        return refuse(reason, reason_size, "the timestamps of copied audio in MPEG-TS cannot be foreseen");
    return read_packets(t, plan, reason, reason_size);
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
    }
    return 0;
}

static int read_log(Trial *first, AVBPrint *log)
{
    char *text;
    int ret = av_bprint_finalize(log, &text);

    if (ret < 0)
        return ret;
    for (Trial *t = first; t; t = t->next)
        t->log = text;
    find_version(first);
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
        ret = run(plan, stock, &args, plan->cmd->nb_outputs, &log, interrupted, opaque, &ok);
    if (ret == AVERROR(ETIMEDOUT))
        ret = refuse(reason, reason_size, "stock ffmpeg did not get to its first frames");
    if (ret < 0) {
        av_bprint_finalize(&log, NULL);
        goto end;
    }
    ret = read_log(*out, &log);
    if (ret < 0)
        goto end;
    if (!ok)
        ret = refuse(reason, reason_size, "stock ffmpeg refuses it");
    else if (!mapping_agrees(plan, (*out)->log))
        ret = refuse(reason, reason_size, "stock ffmpeg maps its streams differently");
    for (Trial *t = *out; t && ret >= 0; t = t->next)
        ret = open_output(t, t->plan, reason, reason_size);
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
        av_free(t);
    }
    *tp = NULL;
}

/** As the dump of the output tells it, in kbit/s. */
static int64_t dumped_bit_rate(const Trial *t, int stream)
{
    const char *p, *end, *rate;
    char want[32];

    snprintf(want, sizeof(want), "Output #%d,", t->plan->output);
    p = strstr(t->log, want);
    snprintf(want, sizeof(want), "  Stream #%d:%d", t->plan->output, stream);
    p = p ? strstr(p, want) : NULL;
    end = p ? strchr(p, '\n') : NULL;
    rate = end ? memmem(p, end - p, " kb/s", 5) : NULL;
    if (!rate)
        return 0;
    while (rate > p && rate[-1] >= '0' && rate[-1] <= '9')
        rate--;
    return strtoll(rate, NULL, 10) * 1000;
}

int64_t trial_bit_rate(const Trial *t, const Plan *plan, int stream,
                       const AVCodecParameters *par)
{
    const PlanStream *s = &plan->streams[stream];
    const CmdFile *f = plan_file(plan);

    if (s->copy)
        return s->in_bit_rate;
    if (s->type == AVMEDIA_TYPE_AUDIO && av_get_exact_bits_per_sample(s->encoder->id))
        return par->bit_rate;
    for (int i = f->nb_options - 1; i >= 0; i--) {
        const CmdOption *o = &f->options[i];
        double rate;

        if (strcmp(o->name, "b") || !o->value ||
            streammap_option_matches(plan->streams, plan->nb_streams, stream, o) <= 0)
            continue;
        if (av_expr_parse_and_eval(&rate, o->value, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0,
                                   NULL) >= 0)
            return rate;
    }
    return dumped_bit_rate(t, stream);
}

/** The name ends there: /proc/1/fd/1 is not in /proc/1/fd/10. */
static const char *find_file_name(const Trial *t, const char *line, size_t len)
{
    size_t name_len  = strlen(t->file_name);
    const char *name = memmem(line, len, t->file_name, name_len);

    return name && (name + name_len == line + len || name[name_len] < '0' || name[name_len] > '9') ?
           name : NULL;
}

/** Print one line, at the level it is marked with. */
static void print_line(const Trial *first, const char *line, size_t len)
{
    const Trial *t = first;
    const char *name;
    int level = -1;
    AVBPrint bp;

    while (!(name = find_file_name(t, line, len)) && t->next)
        t = t->next;
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (name) {
        const char *rest = name + strlen(t->file_name);

        level = stocklog_unmark(&bp, line, name - line);
        if (t->plan->trial_format != t->plan->oformat && av_strstart(line, "[info] Output #", NULL)) {
            av_bprint_clear(&bp);
            av_bprintf(&bp, "Output #%d, %s, to '", t->plan->output, t->plan->oformat->name);
        }
        av_bprintf(&bp, "%s", t->plan->pipe ? "pipe:" : plan_file(t->plan)->url);
        av_bprint_append_data(&bp, rest, line + len - rest);
    } else {
        level = stocklog_unmark(&bp, line, len);
    }
    if (av_bprint_is_complete(&bp))
        av_log(NULL, level < 0 ? AV_LOG_INFO : level, "%s\n", bp.str);
    av_bprint_finalize(&bp, NULL);
}

static int is_banner(const char *line)
{
    return !strncmp(line, "[info] ffmpeg version", 21) || !strncmp(line, "[info]   built with", 19) ||
           !strncmp(line, "[info]   configuration:", 23) || !strncmp(line, "[info]   lib", 12);
}

void trial_print_log(const Trial *t, int part, int keys)
{
    const Command *cmd = t->plan->cmd;
    int nb_dumps = 0;
    int banner = !cmdline_last(cmd->globals, cmd->nb_globals, "hide_banner");
    const char *p = t->log;
    int in_part = 0, in_dump = 0, in_mapping = 0;

    while (*p) {
        const char *end = strchr(p, '\n');
        size_t len = end ? (size_t)(end - p) : strlen(p);

        if (!strncmp(p, "[info] Stream mapping:", 22))
            in_part = banner = in_mapping = 1;
        else if (in_mapping && strncmp(p, "[info]   Stream #", 17)) {
            in_mapping = 0;
            if (part && keys)
                av_log(NULL, AV_LOG_INFO, "Press [q] to stop, [?] for help\n");
        }
        if (!strncmp(p, "[info] Output #", 15)) {
            nb_dumps++;
            in_dump = 1;
        } else if (in_dump && strncmp(p, "[info]   ", 9)) {
            in_dump = 0;
            if (nb_dumps == cmd->nb_outputs)
                return;
        }
        if (in_part == part && (banner || !is_banner(p)))
            print_line(t, p, len);
        p += len + !!end;
    }
}
