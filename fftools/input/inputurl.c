/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavformat/avio.h>
#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "inputurl.h"

#define MAX_DEPTH 8   /* protocols in a row */

typedef struct Walk {
    int (*see)(void *opaque, const char *path);
    void *opaque;
} Walk;

static int walk(const Walk *w, const char *url, int depth);

static int walk_concat(const Walk *w, const char *list, int depth)
{
    int ret = 0;

    while (*list && ret >= 0) {
        size_t len = strcspn(list, "|");
        char *url  = av_strndup(list, len);

        if (!url)
            return AVERROR(ENOMEM);
        ret = walk(w, url, depth);
        av_free(url);
        list += len + strspn(list + len, "|");
    }
    return ret;
}

static int walk(const Walk *w, const char *url, int depth)
{
    const char *name = avio_find_protocol_name(url), *rest = url;

    if (!name || depth >= MAX_DEPTH)
        return AVERROR_PATCHWELCOME;
    if (!strcmp(name, "file")) {
        av_strstart(url, "file:", &rest);
        return w->see(w->opaque, rest);
    }
    if (!strcmp(name, "concat") && av_strstart(url, "concat:", &rest))
        return walk_concat(w, rest, depth + 1);
    if ((!strcmp(name, "async") && av_strstart(url, "async:", &rest)) ||
        (!strcmp(name, "cache") && av_strstart(url, "cache:", &rest)))
        return walk(w, rest, depth + 1);
    /* its options, between commas, end with an empty one */
    if (!strcmp(name, "subfile") && (rest = strstr(url, ",,:")))
        return walk(w, rest + strlen(",,:"), depth + 1);
    return AVERROR_PATCHWELCOME;
}

int inputurl_each_file(const char *url, int (*see)(void *opaque, const char *path), void *opaque)
{
    return walk(&(Walk) { see, opaque }, url, 0);
}
