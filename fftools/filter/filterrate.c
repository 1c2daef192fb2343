/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/bprint.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
#include <libavutil/parseutils.h>

#include "../command/filterargs.h"
#include "filterrate.h"
#include "timinggraph.h"

#define MAX_READERS 16

typedef struct Rates {
    AVBPrint   before;             ///< the timing filters so far
    AVRational time_base, first;   ///< of what the filters get
    AVRational rates[MAX_READERS]; ///< that each setpts and tpad sees
    int nb;
} Rates;

static int reads_rate(const char *name)
{
    return !strcmp(name, "setpts") || !strcmp(name, "tpad");
}

static int collect_rate(void *opaque, const char *name, AVDictionary **opts)
{
    Rates *r = opaque;
    AVRational rate = r->first;
    TimingGraph *g = NULL;

    if (reads_rate(name) && r->before.len) {
        int ret = timinggraph_open(&g, r->before.str, r->time_base, r->first);

        if (ret < 0)
            return ret;
        rate = timinggraph_frame_rate(g);
        timinggraph_free(&g);
    }
    if (reads_rate(name)) {
        if (r->nb < MAX_READERS)
            r->rates[r->nb] = rate;
        r->nb++;
    }
    if (r->before.len)
        av_bprint_chars(&r->before, ',', 1);
    filterargs_print(&r->before, name, *opts);
    return av_bprint_is_complete(&r->before) ? 0 : AVERROR(ENOMEM);
}

/** @return whether there was anything to replace */
static int replace_rate(AVBPrint *bp, const char *expr, AVRational rate)
{
    int found = 0;

    while (*expr) {
        int is_name;
        size_t len = filterargs_expr_word(expr, &is_name);

        if ((len == 2 && !strncmp(expr, "FR", 2)) || (len == 10 && !strncmp(expr, "FRAME_RATE", 10))) {
            av_bprintf(bp, "(%d/%d)", rate.num, rate.den);
            found = 1;
        } else {
            len = FFMAX(len, 1);
            av_bprint_append_data(bp, expr, len);
        }
        expr += len;
    }
    return found;
}

static int count_readers(void *opaque, const char *name, AVDictionary **opts)
{
    (void)opts;
    *(int *)opaque += reads_rate(name);
    return 0;
}

/** The number of frames in the place of a duration, as tpad finds it. @return 1, or an AVERROR code */
static int set_padding(AVDictionary **opts, AVRational rate)
{
    static const char *const names[][2] = { { "start_duration", "start" }, { "stop_duration", "stop" } };
    int ret = 0;

    for (int i = 0; ret >= 0 && i < 2; i++) {
        const AVDictionaryEntry *e = av_dict_get(*opts, names[i][0], NULL, AV_DICT_MATCH_CASE);
        int64_t time = 0;

        if (!e || av_parse_time(&time, e->value, 1) < 0 || !time)
            continue;
        ret = av_dict_set(opts, names[i][0], NULL, AV_DICT_MATCH_CASE);
        if (ret >= 0)
            ret = av_dict_set(opts, names[i][1], NULL, AV_DICT_MATCH_CASE);
        if (ret >= 0)
            ret = av_dict_set_int(opts, names[i][1], av_rescale_q(time, rate, av_inv_q(AV_TIME_BASE_Q)),
                                  AV_DICT_MATCH_CASE);
    }
    return ret < 0 ? ret : 1;
}

static int set_rate(void *opaque, const char *name, AVDictionary **opts)
{
    Rates *r = opaque;
    const AVDictionaryEntry *e = av_dict_get(*opts, "expr", NULL, AV_DICT_MATCH_CASE);
    AVRational rate;
    AVBPrint bp;
    int ret = 0;

    if (!reads_rate(name))
        return 0;
    rate = r->rates[r->nb++];
    if (!strcmp(name, "tpad"))
        return rate.num > 0 && rate.den > 0 ? set_padding(opts, rate) : AVERROR_PATCHWELCOME;
    if (!e || rate.num <= 0 || rate.den <= 0)
        return 0;
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (replace_rate(&bp, e->value, rate))
        ret = av_bprint_is_complete(&bp) ? av_dict_set(opts, "expr", bp.str, AV_DICT_MATCH_CASE) : AVERROR(ENOMEM);
    else
        ret = AVERROR(EAGAIN);
    av_bprint_finalize(&bp, NULL);
    return ret == AVERROR(EAGAIN) ? 0 : ret < 0 ? ret : 1;
}

int filterrate_fix(char **filters, const char *timing, AVRational time_base, AVRational frame_rate)
{
    char *copy = av_strdup(timing);
    Rates r = { .time_base = time_base, .first = frame_rate };
    int nb = 0, ret = copy ? 0 : AVERROR(ENOMEM);

    av_bprint_init(&r.before, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (ret >= 0)
        ret = filterargs_visit(&copy, collect_rate, &r);
    if (ret >= 0)
        ret = filterargs_visit(filters, count_readers, &nb);
    /* the same ones, then: a second input has none */
    if (ret >= 0 && nb == r.nb && nb <= MAX_READERS) {
        r.nb = 0;
        ret  = filterargs_visit(filters, set_rate, &r);
    }
    av_bprint_finalize(&r.before, NULL);
    av_free(copy);
    return ret;
}
