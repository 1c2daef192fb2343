/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>

#include "reportfile.h"

#define VARIABLE "FFREPORT"

/* av_log's callback is one for the whole process, and is told nothing of whose it is. */
static struct {
    pthread_mutex_t lock;
    FILE *file;       ///< NULL: none is written
    int   level;
    int   print_prefix;
} sink = { .lock = PTHREAD_MUTEX_INITIALIZER };

int reportfile_init(ReportFile *r, const Command *cmd)
{
    const char *env = getenv(VARIABLE);

    *r = (ReportFile) {
        .wanted = env || cmdline_last(cmd->globals, cmd->nb_globals, "report"),
        .level  = AV_LOG_DEBUG,
        .start  = time(NULL),
    };
    if (!env)
        return 0;
    r->env = av_strdup(env);
    unsetenv(VARIABLE);
    return r->env ? 0 : AVERROR(ENOMEM);
}

/** Of "file=NAME:level=N". What is not understood is for stock to say. */
static int parse_env(const ReportFile *r, char **pattern, int *level)
{
    const char *env = r->env;

    while (env && *env) {
        char *key, *value, *tail = NULL;
        int ok = av_opt_get_key_value(&env, "=", ":", 0, &key, &value) >= 0;

        if (!ok)
            return AVERROR_PATCHWELCOME;
        env += !!*env;
        if (!strcmp(key, "file")) {
            av_free(*pattern);
            *pattern = value;
            value    = NULL;
        } else {
            ok     = !strcmp(key, "level");
            *level = strtol(value, &tail, 10);
            ok    &= !*tail;
        }
        av_free(key);
        av_free(value);
        if (!ok)
            return AVERROR_PATCHWELCOME;
    }
    return 0;
}

static char *expand_name(const char *pattern, const struct tm *tm)
{
    char stamp[64], *name = NULL;
    AVBPrint bp;

    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", tm);
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (const char *p = pattern; *p; p++) {
        if (*p != '%')
            av_bprint_chars(&bp, *p, 1);
        else if (!*++p)
            break;
        else if (*p == 'p' || *p == 't')
            av_bprintf(&bp, "%s", *p == 'p' ? "ffmpeg" : stamp);
        else if (*p == '%')
            av_bprint_chars(&bp, '%', 1);
    }
    av_bprint_finalize(&bp, &name);
    return name;
}

/** As ffmpeg quotes it: so that a shell could read it, and with no byte that would not print. */
static void print_argument(FILE *f, const char *word)
{
    static const char plain[] = "+,-./0123456789:@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    if (!word[strspn(word, plain)]) {
        fputs(word, f);
        return;
    }
    fputc('"', f);
    for (const unsigned char *p = (const unsigned char *)word; *p; p++)
        if (strchr("\\\"$`", *p))
            fprintf(f, "\\%c", *p);
        else if (*p < ' ' || *p > '~')
            fprintf(f, "\\x%02x", *p);
        else
            fputc(*p, f);
    fputc('"', f);
}

/** A file that can be taken back. */
static int may_create(const char *name)
{
    struct stat st;

    return lstat(name, &st) < 0 || S_ISREG(st.st_mode);
}

int reportfile_open(ReportFile *r, const Command *cmd)
{
    char *pattern = NULL, date[64];
    FILE *file = NULL;
    struct tm tm;
    int level = -1, ret;

    if (!r->wanted)
        return 0;
    ret = parse_env(r, &pattern, &level);
    if (ret >= 0 && localtime_r(&r->start, &tm))
        r->name = expand_name(pattern ? pattern : "%p-%t.log", &tm);
    av_free(pattern);
    if (ret < 0 || !r->name || !may_create(r->name) || !(file = fopen(r->name, "we"))) {
        av_freep(&r->name);
        return AVERROR_PATCHWELCOME;
    }
    r->level = level >= 0 ? level : FFMAX(r->level, av_log_get_level());
    pthread_mutex_lock(&sink.lock);
    sink.level        = r->level;
    sink.print_prefix = 1;
    sink.file         = file;
    pthread_mutex_unlock(&sink.lock);

    strftime(date, sizeof(date), "%Y-%m-%d at %H:%M:%S", &tm);
    av_log(NULL, AV_LOG_INFO, "ffmpeg started on %s\nReport written to \"%s\"\nLog level: %d\n", date,
           r->name, r->level);
    fprintf(file, "Command line:\n");
    for (int i = 0; i < cmd->argc; i++) {
        print_argument(file, cmd->argv[i]);
        fputc(i < cmd->argc - 1 ? ' ' : '\n', file);
    }
    fflush(file);
    return 0;
}

void reportfile_close(ReportFile *r, int discard)
{
    pthread_mutex_lock(&sink.lock);
    if (sink.file)
        fclose(sink.file);
    sink.file = NULL;
    pthread_mutex_unlock(&sink.lock);
    if (r->name && discard)
        unlink(r->name);
    if (r->env && discard)
        setenv(VARIABLE, r->env, 1);
    av_freep(&r->name);
    av_freep(&r->env);
}

void reportfile_log(void *ctx, int level, const char *fmt, va_list ap)
{
    char line[1024];

    pthread_mutex_lock(&sink.lock);
    if (sink.file && level <= sink.level) {
        av_log_format_line2(ctx, level, fmt, ap, line, sizeof(line), &sink.print_prefix);
        fputs(line, sink.file);
        fflush(sink.file);
    }
    pthread_mutex_unlock(&sink.lock);
}
