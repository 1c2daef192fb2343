/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * @file
 * The program as it is started. libavformat and friends bring more than a hundred libraries, and
 * tens of milliseconds, which stock will spend once more. So what is stock's in any case is handed
 * over from here, linked with libavutil alone; for all else the rest of the program is loaded.
 * It stays one process and one executable: stock.c knows us by that.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "../remote/hosts.h"
#include "certain.h"
#include "command/cmdline.h"
#include "stock.h"

#define CORE_FILE "ffleet.so"
#define CORE_MAIN "ffleet_main"

typedef int MainFunc(int argc, char **argv);

/**
 * In place of the one that asks libav*, see options.h: a word that is not in ffmpeg's own table is one of
 * theirs, or the command is wrong. Either way what certain_stock() finds is stock's.
 */
int options_avclass(const char *name)
{
    const OptionDef *def = strncmp(name, "no", 2) ? NULL : options_find(name + 2);

    return def && def->flags & OPTDEF_BOOL ? 0 : AVCLASS_FORMAT;
}

static int has_hosts(const Command *cmd)
{
    HostList hosts = { 0 };
    char err[256];
    int found;

    if (cmd->own.have_hosts)
        return 1;
    /* what is wrong with the list is for the rest to say */
    found = hosts_load(&hosts, err, sizeof(err)) < 0 || hosts.nb_hosts;
    hosts_free(&hosts);
    return found;
}

/** Become stock where nothing else can come of the command; return in any other case. */
static void hand_over(int argc, char **argv)
{
    const char *trace = getenv("FFLEET_TRACE");
    Command cmd;
    char *stock = NULL, err[512];
    int ret;

    /* the decision is to be written down */
    if (trace && *trace)
        return;
    ret = cmdline_parse(&cmd, argc, argv, err, sizeof(err));
    if ((ret >= 0 || ret == AVERROR_OPTION_NOT_FOUND) &&
        !cmd.own.explain && !cmd.own.help && !cmd.own.version &&
        (ret < 0 || certain_stock(&cmd) || !has_hosts(&cmd)) &&
        stock_find(&stock, err, sizeof(err)) >= 0)
        stock_exec(stock, cmd.argv, NULL);
    av_free(stock);
    cmdline_free(&cmd);
}

/** The rest of the program; it is never unloaded. @return NULL with a message printed */
static MainFunc *load_core(void)
{
    /* lazy, as a program's start is: to bind all of those libraries takes longer than to load them */
    void *core = dlopen(CORE_FILE, RTLD_LAZY), *sym;
    MainFunc *func = NULL;

    if (core && (sym = dlsym(core, CORE_MAIN)))
        memcpy(&func, &sym, sizeof(func));
    else
        fprintf(stderr, "ffleet: a part of the program is missing: %s\n", dlerror());
    return func;
}

/** Without its other part the program can still be what it stands in for. */
static int stock_only(int argc, char **argv)
{
    char *stock = NULL, err[512];
    Command cmd;
    int ret = cmdline_parse(&cmd, argc, argv, err, sizeof(err));

    if ((ret >= 0 || ret == AVERROR_OPTION_NOT_FOUND) && !cmd.own.explain && !cmd.own.help &&
        !cmd.own.version && !cmd.own.no_fallback && stock_find(&stock, err, sizeof(err)) >= 0) {
        fprintf(stderr, "ffleet: stock ffmpeg does it all\n");
        stock_exec(stock, cmd.argv, NULL);
    }
    av_free(stock);
    cmdline_free(&cmd);
    return 1;
}

int main(int argc, char **argv)
{
    MainFunc *core_main;

    hand_over(argc, argv);
    core_main = load_core();
    return core_main ? core_main(argc, argv) : stock_only(argc, argv);
}
