/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "progress.h"

struct Progress {
    int          print_stats;
    int64_t      period;
    int64_t      last;     ///< time of the last report
    int          started;  ///< there was one
    AVIOContext *avio;
};

/** A time as ffmpeg takes it apart. */
typedef struct Clock {
    int64_t pts;
    const char *sign;
    int64_t hours;
    int mins, secs, us;
    int none;              ///< shown as N/A
} Clock;

static Clock split_time(int64_t pts, enum ProgressStyle style)
{
    Clock c = { .none = pts == AV_NOPTS_VALUE };
    uint64_t abs;

    /* 5.1 starts from a value next to AV_NOPTS_VALUE, never shows N/A, and keeps seconds in an int */
    if (style == PROGRESS_STYLE_5 && c.none) {
        pts++;
        c.none = 0;
    }
    abs    = pts < 0 ? -(uint64_t)pts : (uint64_t)pts;
    c.pts  = pts;
    c.sign = pts < 0 ? "-" : "";
    c.us   = abs % AV_TIME_BASE;
    abs   /= AV_TIME_BASE;
    if (style == PROGRESS_STYLE_5)
        abs = (uint32_t)abs;
    c.secs  = abs % 60;
    c.mins  = abs / 60 % 60;
    c.hours = abs / 3600;
    return c;
}

static double bit_rate(const ProgressState *s, const Clock *c)
{
    if (c->none || !c->pts || s->total_size < 0)
        return -1;
    return s->total_size * 8 / (c->pts / 1000.0);
}

void progress_rates(ProgressState *s, double elapsed)
{
    float t = elapsed;
    Clock c = split_time(s->out_time_us, PROGRESS_STYLE);

    s->fps   = t > 1 ? (float)(s->frames / t) : 0;
    s->speed = !c.none && t != 0.0 ? (double)c.pts / AV_TIME_BASE / t : -1;
}

void progress_format_line(AVBPrint *bp, const ProgressState *s, enum ProgressStyle style)
{
    Clock c = split_time(s->out_time_us, style);
    double rate = bit_rate(s, &c);
    float fps = s->fps;

    for (int i = 0; i < s->nb_video; i++) {
        if (i) {
            av_bprintf(bp, "q=%2.1f ", s->video[i].q);
            continue;
        }
        av_bprintf(bp, "frame=%5"PRId64" fps=%3.*f q=%3.1f ", s->frames, fps < 9.95, fps, s->video[0].q);
        if (s->is_last)
            av_bprintf(bp, "L");
    }
    if (s->total_size < 0)
        av_bprintf(bp, "size=N/A time=");
    else
        av_bprintf(bp, "size=%8.0f%s time=", s->total_size / 1024.0,
                   style == PROGRESS_STYLE_5 ? "kB" : "KiB");
    if (c.none)
        av_bprintf(bp, "N/A ");
    else
        av_bprintf(bp, "%s%02"PRId64":%02d:%02d.%02d ", c.sign, c.hours, c.mins, c.secs,
                   (int)(100LL * c.us / AV_TIME_BASE));
    if (rate < 0)
        av_bprintf(bp, "bitrate=N/A");
    else
        av_bprintf(bp, "bitrate=%6.1fkbits/s", rate);
    if (s->dup || s->drop)
        av_bprintf(bp, " dup=%"PRId64" drop=%"PRId64, s->dup, s->drop);
    if (s->speed < 0)
        av_bprintf(bp, " speed=N/A");
    else
        av_bprintf(bp, " speed=%4.3gx", s->speed);
}

void progress_format_block(AVBPrint *bp, const ProgressState *s, enum ProgressStyle style)
{
    Clock c = split_time(s->out_time_us, style);
    double rate = bit_rate(s, &c);

    for (int i = 0; i < s->nb_video; i++) {
        if (!i)
            av_bprintf(bp, "frame=%"PRId64"\nfps=%.2f\n", s->frames, s->fps);
        av_bprintf(bp, "stream_%d_%d_q=%.1f\n", s->video[i].file, s->video[i].stream, s->video[i].q);
    }
    if (rate < 0)
        av_bprintf(bp, "bitrate=N/A\n");
    else
        av_bprintf(bp, "bitrate=%6.1fkbits/s\n", rate);
    if (s->total_size < 0)
        av_bprintf(bp, "total_size=N/A\n");
    else
        av_bprintf(bp, "total_size=%"PRId64"\n", s->total_size);
    if (c.none)
        av_bprintf(bp, "out_time_us=N/A\nout_time_ms=N/A\nout_time=N/A\n");
    else
        av_bprintf(bp, "out_time_us=%"PRId64"\nout_time_ms=%"PRId64"\n"
                   "out_time=%s%02"PRId64":%02d:%02d.%06d\n", c.pts, c.pts, c.sign, c.hours, c.mins,
                   c.secs, c.us);
    av_bprintf(bp, "dup_frames=%"PRId64"\ndrop_frames=%"PRId64"\n", s->dup, s->drop);
    if (s->speed < 0)
        av_bprintf(bp, "speed=N/A\n");
    else
        av_bprintf(bp, "speed=%4.3gx\n", s->speed);
    av_bprintf(bp, "progress=%s\n", s->is_last ? "end" : "continue");
}

void progress_format_summary(AVBPrint *bp, const ProgressSummary *s, enum ProgressStyle style)
{
    const char *unit = style == PROGRESS_STYLE_5 ? "kB" : "KiB";
    uint64_t data = s->video + s->audio + s->subtitle + s->other;

    av_bprintf(bp, "video:%1.0f%s audio:%1.0f%s subtitle:%1.0f%s other streams:%1.0f%s "
               "global headers:%1.0f%s muxing overhead: ", s->video / 1024.0, unit,
               s->audio / 1024.0, unit, s->subtitle / 1024.0, unit, s->other / 1024.0, unit,
               s->extra / 1024.0, unit);
    if (data && s->total_size > 0 && (uint64_t)s->total_size >= data) {
        /* 5.1 holds the share in a float */
        double percent = 100.0 * (s->total_size - data) / data;

        av_bprintf(bp, "%f%%", style == PROGRESS_STYLE_5 ? (float)percent : percent);
    } else {
        av_bprintf(bp, "unknown");
    }
}

int progress_open(Progress **pp, int print_stats, int64_t stats_period, const char *url,
                  const AVIOInterruptCB *int_cb)
{
    Progress *p = av_mallocz(sizeof(*p));
    int ret;

    *pp = NULL;
    if (!p)
        return AVERROR(ENOMEM);
    p->print_stats = print_stats;
    p->period      = stats_period > 0 ? stats_period : 500000;
    if (url) {
        if (url[0] == '-' && !url[1])
            url = "pipe:";
        ret = avio_open2(&p->avio, url, AVIO_FLAG_WRITE, int_cb, NULL);
        if (ret < 0) {
            av_log(NULL, AV_LOG_ERROR, "Failed to open progress URL \"%s\": %s\n", url, av_err2str(ret));
            av_free(p);
            return ret;
        }
    }
    *pp = p;
    return 0;
}

void progress_close(Progress **pp)
{
    Progress *p = *pp;
    int ret;

    if (!p)
        return;
    ret = avio_closep(&p->avio);
    if (ret < 0)
        av_log(NULL, AV_LOG_ERROR, "Error closing progress log, loss of information possible: %s\n",
               av_err2str(ret));
    av_freep(pp);
}

int progress_due(Progress *p, int64_t now)
{
    if (!p->print_stats && !p->avio)
        return 0;
    if (p->started && now - p->last < p->period)
        return 0;
    p->started = 1;
    p->last    = now;
    return 1;
}

static void write_block(Progress *p, const ProgressState *s)
{
    AVBPrint bp;
    int ret;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    progress_format_block(&bp, s, PROGRESS_STYLE);
    avio_write(p->avio, (const unsigned char *)bp.str, FFMIN(bp.len, bp.size - 1));
    avio_flush(p->avio);
    av_bprint_finalize(&bp, NULL);
    if (s->is_last && (ret = avio_closep(&p->avio)) < 0)
        av_log(NULL, AV_LOG_ERROR, "Error closing progress log, loss of information possible: %s\n",
               av_err2str(ret));
}

void progress_report(Progress *p, const ProgressState *s)
{
    const char end = s->is_last ? '\n' : '\r';
    AVBPrint bp;

    if (p->print_stats || s->is_last) {
        av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
        progress_format_line(&bp, s, PROGRESS_STYLE);
        if (p->print_stats == 1 && AV_LOG_INFO > av_log_get_level())
            fprintf(stderr, "%s    %c", bp.str, end);
        else
            av_log(NULL, AV_LOG_INFO, "%s    %c", bp.str, end);
        fflush(stderr);
        av_bprint_finalize(&bp, NULL);
    }
    if (p->avio)
        write_block(p, s);
}

/** Stands for 7.1's muxer in the log: "[out#0/mp4 @ 0x...]". */
typedef struct LogOutput {
    const AVClass *class;
    char name[64];
} LogOutput;

static const char *log_output_name(void *obj)
{
    return ((LogOutput *)obj)->name;
}

void progress_final_summary(const ProgressSummary *s)
{
    static const AVClass class = {
        .class_name = "OutputFile",
        .item_name  = log_output_name,
        .version    = LIBAVUTIL_VERSION_INT,
        .category   = AV_CLASS_CATEGORY_MUXER,
    };
    LogOutput output = { .class = &class };
    uint64_t data = s->video + s->audio + s->subtitle + s->other;
    const char *advice = "(check -ss / -t / -frames parameters if used)";
    void *log = PROGRESS_STYLE == PROGRESS_STYLE_5 ? NULL : &output;
    AVBPrint bp;

    snprintf(output.name, sizeof(output.name), "out#%d/%s", s->file, s->format ? s->format : "");
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    progress_format_summary(&bp, s, PROGRESS_STYLE);
    av_log(log, AV_LOG_INFO, "%s\n", bp.str);
    av_bprint_finalize(&bp, NULL);

    if (PROGRESS_STYLE == PROGRESS_STYLE_5 ? !(data + s->extra) : !s->packets)
        av_log(log, AV_LOG_WARNING, "Output file is empty, nothing was encoded%s%s\n",
               PROGRESS_STYLE == PROGRESS_STYLE_5 ? " " : "", s->pass1 ? "" : advice);
}

void progress_finish(Progress *p, const ProgressState *s, const ProgressSummary *summary)
{
    ProgressState last = *s;

    last.is_last = 1;
    if (PROGRESS_STYLE == PROGRESS_STYLE_7)
        progress_final_summary(summary);
    progress_report(p, &last);
    if (PROGRESS_STYLE == PROGRESS_STYLE_5)
        progress_final_summary(summary);
}
