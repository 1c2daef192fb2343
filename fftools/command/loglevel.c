/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/log.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "loglevel.h"

static int parse_level(const char *s, int *level)
{
    static const struct { const char *name; int level; } levels[] = {
        { "quiet", AV_LOG_QUIET }, { "panic", AV_LOG_PANIC }, { "fatal", AV_LOG_FATAL },
        { "error", AV_LOG_ERROR }, { "warning", AV_LOG_WARNING }, { "info", AV_LOG_INFO },
        { "verbose", AV_LOG_VERBOSE }, { "debug", AV_LOG_DEBUG }, { "trace", AV_LOG_TRACE },
    };
    char *end;

    for (size_t i = 0; i < FF_ARRAY_ELEMS(levels); i++)
        if (!strcmp(levels[i].name, s)) {
            *level = levels[i].level;
            return 1;
        }
    *level = strtol(s, &end, 10);
    return end != s && !*end;
}

void loglevel_apply(const Command *cmd)
{
    const CmdOption *o = cmdline_last(cmd->globals, cmd->nb_globals, "loglevel");
    int flags = AV_LOG_SKIP_REPEATED, level = AV_LOG_INFO;
    const char *p = o ? o->value : "";

    if (strchr(p, '+') || strchr(p, '-') == p)
        flags = *p == '+' || *p == '-' ? flags : 0;
    while (*p) {
        char *word;
        int off = *p == '-';

        p += *p == '+' || *p == '-';
        word = av_strndup(p, strcspn(p, "+"));
        if (!word)
            return;
        p += strlen(word);
        if (!strcmp(word, "repeat"))
            flags = off ? flags | AV_LOG_SKIP_REPEATED : flags & ~AV_LOG_SKIP_REPEATED;
        else if (!strcmp(word, "level"))
            flags = off ? flags & ~AV_LOG_PRINT_LEVEL : flags | AV_LOG_PRINT_LEVEL;
        else
            parse_level(word, &level);
        av_free(word);
    }
    av_log_set_flags(flags);
    av_log_set_level(level);
}
