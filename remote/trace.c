/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/avassert.h>
#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/time.h>

#include "trace.h"

struct Trace {
    int     fd;
    int64_t start;   ///< monotonic, microseconds
};

/** Replace "%p" by our pid: each process of a script gets a trace of its own. */
static char *expand_path(const char *path)
{
    AVBPrint bp;
    char    *name = NULL;

    av_bprint_init(&bp, 64, AV_BPRINT_SIZE_UNLIMITED);
    while (*path) {
        if (path[0] == '%' && path[1] == 'p') {
            av_bprintf(&bp, "%ld", (long)getpid());
            path += 2;
        } else {
            av_bprint_chars(&bp, *path++, 1);
        }
    }
    if (av_bprint_is_complete(&bp))
        av_bprint_finalize(&bp, &name);
    else
        av_bprint_finalize(&bp, NULL);
    return name;
}

int trace_open(Trace **t, const char *path)
{
    Trace *trace = NULL;
    char  *name  = NULL;
    int    ret;

    *t = NULL;
    if (!path || !*path)
        return 0;
    trace = av_mallocz(sizeof(*trace));
    name  = expand_path(path);
    if (!trace || !name) {
        ret = AVERROR(ENOMEM);
        goto fail;
    }
    trace->fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (trace->fd < 0) {
        ret = AVERROR(errno);
        goto fail;
    }
    trace->start = av_gettime_relative();
    av_free(name);
    *t = trace;
    return 0;
fail:
    av_free(name);
    av_free(trace);
    return ret;
}

void trace_close(Trace **t)
{
    if (!*t)
        return;
    close((*t)->fd);
    av_freep(t);
}

double trace_now(const Trace *t)
{
    return t ? (av_gettime_relative() - t->start) / 1e6 : 0;
}

static void put_string(AVBPrint *bp, const char *s)
{
    const uint8_t *p = (const uint8_t *)s;
    const uint8_t *end, *start;
    int32_t        code;

    if (!s) {
        av_bprintf(bp, "null");
        return;
    }
    end = p + strlen(s);
    av_bprint_chars(bp, '"', 1);
    while (p < end) {
        start = p;
        if (av_utf8_decode(&code, &p, end, 0) < 0)
            av_bprintf(bp, "\xEF\xBF\xBD"); /* U+FFFD */
        else if (code == '"' || code == '\\')
            av_bprintf(bp, "\\%c", (char)code);
        else if (code == '\n')
            av_bprintf(bp, "\\n");
        else if (code == '\t')
            av_bprintf(bp, "\\t");
        else if (code < 0x20 || code == 0x7F)
            av_bprintf(bp, "\\u%04x", (unsigned)code);
        else
            av_bprint_append_data(bp, (const char *)start, p - start);
    }
    av_bprint_chars(bp, '"', 1);
}

static void put_double(AVBPrint *bp, double value)
{
    if (isfinite(value))
        av_bprintf(bp, "%.6f", value);
    else
        av_bprintf(bp, "null");
}

static void put_fields(AVBPrint *bp, va_list ap)
{
    const char *name, *type;

    while ((name = va_arg(ap, const char *))) {
        type = va_arg(ap, const char *);
        av_bprintf(bp, ", ");
        put_string(bp, name);
        av_bprintf(bp, ": ");
        switch (*type) {
        case 's': put_string(bp, va_arg(ap, const char *));                break;
        case 'i': av_bprintf(bp, "%lld", (long long)va_arg(ap, int64_t));  break;
        case 'f': put_double(bp, va_arg(ap, double));                      break;
        case 'b': av_bprintf(bp, "%s", va_arg(ap, int) ? "true" : "false"); break;
        default:  av_assert0(!"unknown type of a trace field");
        }
    }
}

/** One write(2) a line: O_APPEND then keeps lines of several writers whole. */
static void write_line(int fd, const char *line, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, line, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;   /* a trace that cannot be written must not stop the job */
        line += n;
        size -= n;
    }
}

void trace_event(Trace *t, const char *event, ...)
{
    AVBPrint bp;
    va_list  ap;

    if (!t)
        return;
    av_bprint_init(&bp, 256, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&bp, "{\"event\": ");
    put_string(&bp, event);
    av_bprintf(&bp, ", \"time\": ");
    put_double(&bp, trace_now(t));
    va_start(ap, event);
    put_fields(&bp, ap);
    va_end(ap);
    av_bprintf(&bp, "}\n");
    if (av_bprint_is_complete(&bp))
        write_line(t->fd, bp.str, bp.len);
    av_bprint_finalize(&bp, NULL);
}
