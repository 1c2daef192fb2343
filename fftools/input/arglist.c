/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "../command/namelist.h"
#include "arglist.h"

static void take(ArgList *l, char *word)
{
    char **argv = word ? av_realloc_array(l->argv, l->argc + 2, sizeof(*argv)) : NULL;

    if (!argv) {
        av_free(word);
        l->error = AVERROR(ENOMEM);
        return;
    }
    l->argv = argv;
    argv[l->argc++] = word;
    argv[l->argc]   = NULL;
}

void arglist_add(ArgList *l, const char *word)
{
    take(l, av_strdup(word));
}

void arglist_addf(ArgList *l, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    arglist_add(l, text);
}

void arglist_add_words(ArgList *l, ...)
{
    const char *word;
    va_list ap;

    va_start(ap, l);
    while ((word = va_arg(ap, const char *)))
        arglist_add(l, word);
    va_end(ap);
}

void arglist_add_options(ArgList *l, const Command *cmd, const CmdOption *opts, int nb,
                         const char *const *skip)
{
    for (int i = 0; i < nb; i++) {
        if (skip && opts[i].def && namelist_has(skip, opts[i].name))
            continue;
        for (int k = 0; k < opts[i].nargs; k++)
            arglist_add(l, cmd->argv[opts[i].index + k]);
    }
}

void arglist_add_inputs(ArgList *l, const Command *cmd, const PlanInput *inputs, int with)
{
    static const char *const pace[] = { "re", "readrate", "readrate_initial_burst", "readrate_catchup" };
    static const char *const hardware[] = { "hwaccel", "hwaccel_device", "hwaccel_output_format" };
    const char *skip[FF_ARRAY_ELEMS(pace) + FF_ARRAY_ELEMS(hardware) + 1];
    int nb = 0;

    for (size_t i = 0; i < FF_ARRAY_ELEMS(pace) && !(with & ARGLIST_PACED); i++)
        skip[nb++] = pace[i];
    for (size_t i = 0; i < FF_ARRAY_ELEMS(hardware) && !(with & ARGLIST_HARDWARE); i++)
        skip[nb++] = hardware[i];
    skip[nb] = NULL;

    for (int i = 0; i < cmd->nb_inputs; i++) {
        arglist_add_options(l, cmd, cmd->inputs[i].options, cmd->inputs[i].nb_options, skip);
        if (inputs[i].alias_format[0])
            arglist_add_words(l, "-f", inputs[i].alias_format, NULL);
        arglist_add_words(l, "-i", inputs[i].alias ? inputs[i].alias : cmd->inputs[i].url, NULL);
    }
}

int arglist_error(const ArgList *l)
{
    return l->error;
}

void arglist_free(ArgList *l)
{
    for (int i = 0; i < l->argc; i++)
        av_freep(&l->argv[i]);
    av_freep(&l->argv);
    l->argc = 0;
}
