/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>

#include "../reason.h"
#include "tee.h"

/**
 * Of "f=mp4:movflags=faststart". What could make one of several fail is left to stock, which goes
 * on with the others, and says so.
 * @return 0 or AVERROR_PATCHWELCOME
 */
static int parse_options(const char *options, size_t size, char *format, size_t format_size)
{
    const char *end = options + size;

    for (const char *p = options; p < end;) {
        size_t len = strcspn(p, ":");
        const char *value;

        len = FFMIN(len, (size_t)(end - p));
        if (av_strstart(p, "f=", &value))
            av_strlcpy(format, value, FFMIN(format_size, len - 1));
        else if (!av_strstart(p, "movflags=", NULL) && !av_strstart(p, "onfail=", NULL))
            return AVERROR_PATCHWELCOME;
        p += len + 1;
    }
    return 0;
}

static int parse_slave(TeeSlave *s, const char *p, size_t size)
{
    const char *end = p + size, *close;
    char format[32] = "", name[1024];

    if (*p == '[') {
        close = memchr(p, ']', size);
        if (!close || parse_options(p + 1, close - p - 1, format, sizeof(format)) < 0)
            return 0;
        p = close + 1;
    }
    s->name      = p;
    s->name_size = end - p;
    if (p == end || s->name_size >= sizeof(name))
        return 0;
    av_strlcpy(name, p, s->name_size + 1);
    s->format = av_guess_format(*format ? format : NULL, *format ? NULL : name, NULL);
    return s->format && !(s->format->flags & AVFMT_NOFILE) && !av_strstart(name, "file:", NULL) && strcmp(name, "-") &&
           !av_strstart(name, "pipe:", NULL) && !av_strstart(name, "fd:", NULL);
}

int tee_parse(const char *text, TeeSlave *slaves, char *reason, size_t reason_size)
{
    int nb = 0;

    if (text[strcspn(text, "\\'")])
        return reason_set(reason, reason_size, "-f tee with quoted names is not split yet");
    for (const char *p = text; nb < TEE_MAX_SLAVES;) {
        size_t len = strcspn(p, "|");

        if (!parse_slave(&slaves[nb], p, len))
            return reason_set(reason, reason_size,
                              "-f tee is split only for plain files with no options but f, onfail and movflags");
        nb++;
        if (!p[len])
            return nb;
        p += len + 1;
    }
    return reason_set(reason, reason_size, "-f tee has very many outputs");
}
