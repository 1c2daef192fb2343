/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/parseutils.h>

#include "../command/filterargs.h"
#include "filterchain.h"
#include "filterjudge.h"

/* More neighbours than this are not worth carrying along. */
#define MAX_WINDOW 64

/* "[in]" before the first filter and "[out]" behind the last say nothing; other labels do. */
static int skip_labels(const char **p, const char *harmless, int *foreign)
{
    while (**p == '[') {
        const char *q = *p + 1;
        char *label = av_get_token(&q, "]");

        if (!label)
            return AVERROR(ENOMEM);
        *foreign |= strcmp(label, harmless) != 0;
        av_free(label);
        if (*q != ']')
            return AVERROR(EINVAL);
        *p = q + 1 + strspn(q + 1, FILTER_BLANKS);
    }
    return 0;
}

/* One "name@id=args". */
static int next_filter(const char **p, FilterVerdict *v, char *name, size_t name_size)
{
    char *word = av_get_token(p, "=,;["), *args = NULL;
    int ret = AVERROR(ENOMEM);

    if (!word)
        return ret;
    av_strlcpy(name, word, name_size);
    name[strcspn(name, "@")] = 0;
    if (**p == '=') {
        (*p)++;
        args = av_get_token(p, "[],;");
        if (!args)
            goto end;
    }
    ret = name[0] ? filterjudge_filter(v, name, args ? args : "") : AVERROR(EINVAL);

end:
    av_free(word);
    av_free(args);
    return ret;
}

/** What filters in front of one mean for it. */
typedef struct Before {
    int renumbered, leads;    ///< as of FilterVerdict
    int windows;              ///< some look at neighbours
    int nb_rates;             ///< how many change the frame rate
} Before;

static void judge_place(Before *b, FilterVerdict *v, const char *name)
{
    if (b->renumbered && v->trait == FILTER_READS_T)
        filterjudge_raise(v, FILTER_TIMING, 0, "reads times that 'setpts' has changed");
    if (b->renumbered && v->trait == FILTER_READS_N && strcmp(name, "fade"))
        filterjudge_raise(v, FILTER_TIMING, 0, "may read times that 'setpts' has changed");
    b->windows    |= v->trait == FILTER_WINDOW;
    if ((b->leads && v->trait == FILTER_RETIMING) || (b->windows && (b->leads || v->leads)))
        filterjudge_raise(v, FILTER_TIMING, 0, "is beside frames that 'tpad' puts in front of the first");
    b->leads      |= v->leads;
    b->nb_rates   += av_match_name(name, "fps,framestep,select");
    b->renumbered |= v->renumbers;
    if (b->windows && b->nb_rates > 1)
        filterjudge_raise(v, FILTER_TIMING, 0,
                          "changes the frame rate again, around filters that look at neighbouring frames");
}

static int parse_chain(const char *p, enum FilterTrait *worst, char *why, size_t why_size)
{
    int flags = 0, foreign = 0, ret;
    Before before = { 0 };

    p += strspn(p, FILTER_BLANKS);
    if (av_strstart(p, "sws_flags=", NULL)) {
        p += strcspn(p, ";");
        p += *p == ';';
    }
    for (int first = 1; p[strspn(p, FILTER_BLANKS)] || !first; first = 0) {
        char name[64], end;
        FilterVerdict v;

        p += strspn(p, FILTER_BLANKS);
        if ((ret = skip_labels(&p, first ? "in" : "", &foreign)) < 0 ||
            (ret = next_filter(&p, &v, name, sizeof(name))) < 0)
            return ret;
        p += strspn(p, FILTER_BLANKS);
        if ((ret = skip_labels(&p, "out", &foreign)) < 0)
            return ret;
        end = *p;
        if (end && end != ',' && end != ';')
            return AVERROR(EINVAL);
        if (end == ';' || foreign)
            filterjudge_raise(&v, FILTER_MULTI_INPUT, 0, "is linked by labels");
        judge_place(&before, &v, name);
        if (v.why[0] && (v.trait > *worst || !why[0]))
            snprintf(why, why_size, "the filter '%s' %s", name, v.why);
        *worst = FFMAX(*worst, v.trait);
        flags |= v.flags;
        if (!end)
            break;
        p++;
    }
    return flags;
}

int filterchain_traits(const char *graph, enum FilterTrait *worst, char *why, size_t why_size)
{
    int ret;

    *worst = FILTER_POINTWISE;
    if (why_size)
        why[0] = 0;
    ret = parse_chain(graph, worst, why, why_size);
    if (ret < 0) {
        *worst = FILTER_UNKNOWN;
        snprintf(why, why_size, "the filter text '%s' cannot be parsed", graph);
    }
    return ret;
}

/** Frames on either side; a little more than is needed does no harm. */
static int filter_window(const char *name, const char *args)
{
    static const struct { const char *name; int frames; } windows[] = {
        { "yadif", 3 }, { "bwdif", 3 }, { "w3fdif", 3 }, { "estdif", 3 }, { "tblend", 2 },
    };
    AVDictionary *opts = NULL;
    AVDictionaryEntry *e;
    int frames = AVERROR(ENOSYS);

    for (size_t i = 0; i < FF_ARRAY_ELEMS(windows); i++)
        if (!strcmp(windows[i].name, name))
            return windows[i].frames;
    if (strcmp(name, "tmix"))
        return frames;
    if (filterargs_parse(&opts, avfilter_get_by_name(name), args) >= 0) {
        e = av_dict_get(opts, "frames", NULL, AV_DICT_MATCH_CASE);
        frames = e ? atoi(e->value) : 3;
    }
    av_dict_free(&opts);
    return frames > 0 && frames <= MAX_WINDOW ? frames : AVERROR(ENOSYS);
}

/**
 * Call do_filter for each filter of a chain without labels. args: never NULL.
 * @return 0 or its first AVERROR code
 */
static int walk_chain(const char *p, int (*do_filter)(void *opaque, const char *name, const char *args),
                      void *opaque)
{
    int ret = 0;

    while (ret >= 0 && p[strspn(p, FILTER_BLANKS)]) {
        char *word, *args = NULL;

        p += strspn(p, FILTER_BLANKS);
        word = av_get_token(&p, "=,;[");
        if (!word)
            return AVERROR(ENOMEM);
        word[strcspn(word, "@")] = 0;
        if (*p == '=') {
            p++;
            args = av_get_token(&p, "[],;");
        }
        ret = do_filter(opaque, word, args ? args : "");
        av_free(args);
        av_free(word);
        if (*p && *p != ',')
            return AVERROR(ENOSYS);
        p += *p == ',';
    }
    return ret;
}

typedef struct Windows {
    int total;
    int drops_first;
} Windows;

static int add_window(void *opaque, const char *name, const char *args)
{
    Windows *w = opaque;
    FilterVerdict v;
    int frames = 0;

    if (filterjudge_filter(&v, name, args) < 0)
        return AVERROR(EINVAL);
    if (v.trait == FILTER_WINDOW)
        frames = filter_window(name, args);
    w->drops_first |= !strcmp(name, "tblend");
    w->total += FFMAX(frames, 0);
    return FFMIN(frames, 0);
}

int filterchain_window(const char *graph, int *drops_first)
{
    Windows w = { 0 };
    int ret = walk_chain(graph, add_window, &w);

    *drops_first = w.drops_first;
    return ret < 0 ? ret : w.total;
}

typedef struct Timing {
    AVBPrint text;
    int needed;
} Timing;

/* The deinterlacers take part even when they keep the number of frames: others stand behind them. */
static int add_timing(void *opaque, const char *name, const char *args)
{
    Timing *t = opaque;
    FilterVerdict v;
    AVDictionary *opts = NULL;
    int ret = filterjudge_filter(&v, name, args);

    if (ret < 0)
        return ret;
    if (v.trait == FILTER_READS_T || v.trait == FILTER_RETIMING || v.trait == FILTER_READS_N)
        t->needed = 1;
    if (v.trait != FILTER_RETIMING && !filterjudge_is_deinterlacer(name) && strcmp(name, "tblend"))
        return 0;
    ret = filterargs_parse(&opts, avfilter_get_by_name(name), args);
    t->needed |= filterjudge_is_deinterlacer(name) && filterjudge_makes_fields(name, opts);
    av_dict_free(&opts);
    av_bprintf(&t->text, "%s%s%s", t->text.len ? "," : "", name, *args ? "=" : "");
    av_bprint_escape(&t->text, args, "[],;", AV_ESCAPE_MODE_BACKSLASH, AV_ESCAPE_FLAG_WHITESPACE);
    return ret;
}

static int find_durations(void *opaque, const char *name, const char *args)
{
    (void)args;
    if (av_match_name(name, "hstack,vstack,xstack,mix,tmix,xmedian,mergeplanes"))
        *(int *)opaque = 1;
    if (av_match_name(name, "fps,setpts"))
        *(int *)opaque = 0;
    return 0;
}

int filterchain_loses_durations(const char *graph)
{
    int loses = 0, ret = walk_chain(graph, find_durations, &loses);

    return ret < 0 ? ret : loses;
}

int filterchain_retimes(const char *graph, char **retimes)
{
    Timing t = { .needed = 0 };
    int ret;

    av_bprint_init(&t.text, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = walk_chain(graph, add_timing, &t);
    if (ret < 0) {
        *retimes = NULL;
        av_bprint_finalize(&t.text, NULL);
        return ret;
    }
    return av_bprint_finalize(&t.text, retimes);
}

int filterchain_timing(const char *graph, char **timing)
{
    Timing t = { .needed = 0 };
    int ret;

    *timing = NULL;
    av_bprint_init(&t.text, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = walk_chain(graph, add_timing, &t);
    if (ret >= 0 && t.needed && !t.text.len)
        av_bprintf(&t.text, "null");
    if (ret < 0 || !t.needed)
        av_bprint_finalize(&t.text, NULL);
    else
        ret = av_bprint_finalize(&t.text, timing);
    return FFMIN(ret, 0);
}

typedef struct Swallows {
    int64_t until;
    int     nb;
} Swallows;

static int add_swallows(void *opaque, const char *name, const char *args)
{
    Swallows *w = opaque;
    AVDictionary *opts = NULL;
    const AVDictionaryEntry *e, *i;
    int ret = 0;

    if (w->nb++ || strcmp(name, "trim"))
        return 0;
    ret = filterargs_parse(&opts, avfilter_get_by_name(name), args);
    e   = av_dict_get(opts, "start",  NULL, AV_DICT_MATCH_CASE);
    i   = av_dict_get(opts, "starti", NULL, AV_DICT_MATCH_CASE);
    if (!e || !i)
        e = e ? e : i;
    else
        e = NULL;   /* the last one counts */
    /* any of these lets frames pass */
    if (e && !av_dict_get(opts, "start_frame", NULL, AV_DICT_MATCH_CASE) &&
        !av_dict_get(opts, "start_pts", NULL, AV_DICT_MATCH_CASE) && av_parse_time(&w->until, e->value, 1) < 0)
        w->until = INT64_MIN;
    av_dict_free(&opts);
    return ret;
}

int64_t filterchain_swallows(const char *graph)
{
    Swallows w = { .until = INT64_MIN };

    return walk_chain(graph, add_swallows, &w) < 0 ? INT64_MIN : w.until;
}
