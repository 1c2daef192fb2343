/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/log.h>
#include <libavutil/macros.h>

#include "stocklog.h"

static int mark_level(const char *mark, size_t len)
{
    static const struct { const char *name; int level; } levels[] = {
        { "[panic]", AV_LOG_PANIC }, { "[fatal]", AV_LOG_FATAL }, { "[error]", AV_LOG_ERROR },
        { "[warning]", AV_LOG_WARNING }, { "[info]", AV_LOG_INFO },
    };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(levels); i++)
        if (strlen(levels[i].name) == len && !strncmp(mark, levels[i].name, len))
            return levels[i].level;
    return -1;
}

int stocklog_unmark(AVBPrint *out, const char *line, size_t len)
{
    const char *p = line, *end = line + len;
    int level = -1;

    /* contexts come before the mark, each in brackets of its own */
    while (p < end && *p == '[' && level < 0) {
        const char *close = memchr(p, ']', end - p);
        size_t size;

        if (!close)
            break;
        level = mark_level(p, close + 1 - p);
        size  = close + 1 - p + (close + 1 < end && close[1] == ' ');
        if (level < 0)
            av_bprint_append_data(out, p, size);
        p += size;
    }
    av_bprint_append_data(out, p, end - p);
    return level;
}
