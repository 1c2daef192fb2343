/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>
#include <libavutil/parseutils.h>
#include <libavutil/timecode.h>

#include "../command/filterargs.h"
#include "../reason.h"
#include "filterchain.h"
#include "filtercount.h"
#include "filtertable.h"

#define DEFAULT_FADE 25
#define MAX_COUNT    1000000000
#define MAX_HOURS    10000

typedef struct Walk {
    FilterCount *count;      ///< while judging; NULL: while shifting
    int64_t      before, after;
    int          changed;    ///< a filter that changes the number of frames was seen
    int          counted;    ///< behind that, one that counts
    char        *reason;
    size_t       reason_size;
} Walk;

/** Those that setpts and settb are not: they keep the number of frames. */
static int changes_number(const char *filter)
{
    return av_match_name(filter, "fps,framestep,select,trim,yadif,bwdif,w3fdif,estdif,tblend");
}

/**
 * Write an expression with another number added wherever it reads that of the frame.
 * @return how often
 */
static int shift_expr(AVBPrint *bp, const char *expr, int64_t shift)
{
    int nb = 0;

    while (*expr) {
        int is_name;
        size_t n = filterargs_expr_word(expr, &is_name);
        size_t blank = n + strspn(expr + n, FILTER_BLANKS);

        if (is_name && n == 1 && (*expr == 'n' || *expr == 'N') && expr[blank] != '(') {
            av_bprintf(bp, "(%c+%"PRId64")", *expr, shift);
            nb++;
        } else {
            av_bprint_append_data(bp, expr, FFMAX(n, 1));
        }
        expr += FFMAX(n, 1);
    }
    return nb;
}

static int64_t find_number(const AVDictionary *opts, const char *name, const char *alias, int64_t value)
{
    const AVDictionaryEntry *e = NULL;

    while ((e = av_dict_get(opts, "", e, AV_DICT_IGNORE_SUFFIX)))
        if (!strcmp(e->key, name) || !strcmp(e->key, alias))
            value = strtoll(e->value, NULL, 10);
    return value;
}

static int is_given(const AVDictionary *opts, const char *name, const char *alias)
{
    const AVDictionaryEntry *e = av_dict_get(opts, name, NULL, AV_DICT_MATCH_CASE);

    if (!e)
        e = av_dict_get(opts, alias, NULL, AV_DICT_MATCH_CASE);
    return e && strspn(e->value, "0.") != strlen(e->value);
}

static int fades_out(const AVDictionary *opts)
{
    const AVDictionaryEntry *e = NULL;
    int out = 0;

    while ((e = av_dict_get(opts, "", e, AV_DICT_IGNORE_SUFFIX)))
        if (!strcmp(e->key, "type") || !strcmp(e->key, "t"))
            out = !strcmp(e->value, "out") || !strcmp(e->value, "1");
    return out;
}

/** By frames alone. Before it begins and after it ends, it is one that never begins. */
static int shift_fade(AVDictionary **opts, int64_t shift)
{
    int64_t start = find_number(*opts, "start_frame", "s", 0) - shift;
    int64_t nb    = find_number(*opts, "nb_frames", "n", DEFAULT_FADE);
    int out = fades_out(*opts), ret = 0;
    AVDictionary *new = NULL;
    const AVDictionaryEntry *e = NULL;

    if (start < 0) {
        if (start + nb >= 0)
            return AVERROR_PATCHWELCOME;
        out   = !out;
        start = INT_MAX;
    }
    while (ret >= 0 && (e = av_dict_get(*opts, "", e, AV_DICT_IGNORE_SUFFIX)))
        if (av_match_name(e->key, "alpha,color,c,enable"))
            ret = av_dict_set(&new, e->key, e->value, 0);
    if (ret < 0 || (ret = av_dict_set(&new, "type", out ? "out" : "in", 0)) < 0 ||
        (ret = av_dict_set_int(&new, "start_frame", start, 0)) < 0 ||
        (ret = av_dict_set_int(&new, "nb_frames", nb, 0)) < 0) {
        av_dict_free(&new);
        return ret;
    }
    av_dict_free(opts);
    *opts = new;
    return 1;
}

/** Whether the values of such an option are expressions that are evaluated for each frame. */
static int is_expression(const char *filter, const AVDictionary *opts, const char *key)
{
    const FilterGroup *g = filtertable_find(filter);
    const AVDictionaryEntry *eval = av_dict_get(opts, "eval", NULL, AV_DICT_MATCH_CASE);

    if (!strcmp(key, "enable"))
        return 1;
    if (!strcmp(filter, "select"))
        return av_match_name(key, "expr,e");
    if (!g || !(g->how & FILTERGROUP_EXPR) || !strcmp(filter, "drawtext"))
        return 0;
    /* read once, before there are frames */
    if ((!strcmp(filter, "crop") || !strcmp(filter, "rotate")) &&
        av_match_name(key, "w,h,out_w,out_h,ow,oh,c,fillcolor"))
        return 0;
    return !(g->how & FILTERGROUP_INIT) ||
           (eval && strcmp(eval->value, "init") && strcmp(eval->value, "0"));
}

static int shift_expressions(const char *filter, AVDictionary **opts, int64_t shift)
{
    AVDictionary *new = NULL;
    const AVDictionaryEntry *e = NULL;
    int nb = 0, ret = 0;

    while (ret >= 0 && (e = av_dict_get(*opts, "", e, AV_DICT_IGNORE_SUFFIX))) {
        AVBPrint bp;

        av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
        if (is_expression(filter, *opts, e->key))
            nb += shift_expr(&bp, e->value, shift);
        else
            av_bprintf(&bp, "%s", e->value);
        ret = av_bprint_is_complete(&bp) ?
              av_dict_set(&new, e->key, bp.str, AV_DICT_MULTIKEY | AV_DICT_MATCH_CASE) : AVERROR(ENOMEM);
        av_bprint_finalize(&bp, NULL);
    }
    if (ret < 0 || !nb) {
        av_dict_free(&new);
        return ret;
    }
    av_dict_free(opts);
    *opts = new;
    return 1;
}

static int counts_trim(const char *name, const AVDictionary *opts)
{
    return !strcmp(name, "trim") && (av_dict_get(opts, "start_frame", NULL, AV_DICT_MATCH_CASE) ||
                                     av_dict_get(opts, "end_frame", NULL, AV_DICT_MATCH_CASE));
}

/**
 * A select whose expression reads the number of its frame can be told it. One that reads of what it
 * selected before as well would compare that with its own numbers.
 */
static int counts_select(const char *name, const AVDictionary *opts)
{
    const AVDictionaryEntry *e = NULL;
    AVBPrint bp;
    int nb = 0;

    while (!strcmp(name, "select") && (e = av_dict_get(opts, "", e, AV_DICT_IGNORE_SUFFIX)))
        if (is_expression(name, opts, e->key)) {
            av_bprint_init(&bp, 0, AV_BPRINT_SIZE_COUNT_ONLY);
            nb = strstr(e->value, "selected_n") ? 0 : shift_expr(&bp, e->value, 0);
        }
    return nb > 0;
}

static int shift_trim(AVDictionary **opts, int64_t shift)
{
    static const char *const names[] = { "start_frame", "end_frame" };
    int ret = 1;

    for (size_t i = 0; ret >= 0 && i < FF_ARRAY_ELEMS(names); i++)
        if (av_dict_get(*opts, names[i], NULL, AV_DICT_MATCH_CASE)) {
            int64_t n = find_number(*opts, names[i], names[i], 0);

            ret = av_dict_set_int(opts, names[i], FFMAX(n - shift, 0), 0);
        }
    return ret < 0 ? ret : 1;
}

/** As libavutil does, which would complain aloud. @return 0 or AVERROR(EINVAL) */
static int read_timecode(AVTimecode *tc, AVRational rate, const char *text)
{
    int hh, mm, ss, ff, minutes;
    int64_t start;
    char c;

    memset(tc, 0, sizeof(*tc));
    if (rate.num <= 0 || rate.den <= 0 || sscanf(text, "%d:%d:%d%c%d", &hh, &mm, &ss, &c, &ff) != 5)
        return AVERROR(EINVAL);
    tc->fps   = (rate.num + rate.den / 2LL) / rate.den;
    tc->flags = c != ':' ? AV_TIMECODE_FLAG_DROPFRAME : 0;
    if (!tc->fps || FFMIN3(hh, mm, FFMIN(ss, ff)) < 0 || hh > MAX_HOURS || mm > 59 || ss > 59 ||
        (tc->flags && tc->fps % 30))
        return AVERROR(EINVAL);
    minutes = 60 * hh + mm;
    start   = (minutes * 60LL + ss) * tc->fps + ff;
    if (tc->flags)
        start -= tc->fps / 30 * 2LL * (minutes - minutes / 10);
    tc->start = start;
    return start >= 0 && start <= MAX_COUNT ? 0 : AVERROR(EINVAL);
}

/**
 * The timecode of drawtext: that of its first frame.
 * @return 0; 1: there was one; AVERROR_PATCHWELCOME: it cannot be told; other AVERROR codes
 */
static int shift_timecode(AVDictionary **opts, int64_t shift)
{
    const AVDictionaryEntry *code = av_dict_get(*opts, "timecode", NULL, AV_DICT_MATCH_CASE), *e = NULL;
    char text[AV_TIMECODE_STR_SIZE];
    AVRational rate = { 0, 1 };
    AVTimecode tc, check;
    int ret;

    if (!code)
        return 0;
    while ((e = av_dict_get(*opts, "", e, AV_DICT_IGNORE_SUFFIX)))
        if (av_match_name(e->key, "timecode_rate,r,rate") && av_parse_ratio(&rate, e->value, INT_MAX, 0, NULL) < 0)
            return AVERROR_PATCHWELCOME;
    if (read_timecode(&tc, rate, code->value) < 0 || tc.start + shift > MAX_COUNT)
        return AVERROR_PATCHWELCOME;
    tc.start += shift;
    av_timecode_make_string(&tc, text, 0);
    if (read_timecode(&check, rate, text) < 0 || check.start != tc.start || check.flags != tc.flags)
        return AVERROR_PATCHWELCOME;
    ret = av_dict_set(opts, "timecode", text, AV_DICT_MATCH_CASE);
    return ret < 0 ? ret : 1;
}

/** drawtext has options for it, though not for what `enable` reads. */
static int shift_filter(const char *name, AVDictionary **opts, int64_t shift)
{
    int ret;

    if (!strcmp(name, "fade"))
        return is_given(*opts, "duration", "d") ? 0 : shift_fade(opts, shift);
    ret = shift_expressions(name, opts, shift);
    if (ret < 0 || strcmp(name, "drawtext"))
        return ret;
    ret = shift_timecode(opts, shift);
    if (ret < 0)
        return ret;
    shift += find_number(*opts, "start_number", "start_number", 0);
    ret = av_dict_set_int(opts, "start_number", shift, 0);
    return ret < 0 ? ret : 1;
}

static int visit_shift(void *opaque, const char *name, AVDictionary **opts)
{
    Walk *w = opaque;
    int behind = w->changed;

    w->changed |= changes_number(name);
    if (counts_trim(name, *opts))
        return shift_trim(opts, w->before);
    if (!behind && counts_select(name, *opts))
        return shift_expressions(name, opts, w->before);
    return changes_number(name) ? 0 : shift_filter(name, opts, behind ? w->after : w->before);
}

int filtercount_shift(const char *chain, int64_t before, int64_t after, char **shifted)
{
    Walk w = { .before = before, .after = after };
    int ret;

    *shifted = av_strdup(chain);
    ret = *shifted ? filterargs_visit(shifted, visit_shift, &w) : AVERROR(ENOMEM);
    if (ret < 0)
        av_freep(shifted);
    return ret;
}

int filtercount_may_begin(const FilterCount *c, int64_t before, int64_t after, int64_t lead)
{
    for (int i = 0; i < c->nb_ranges; i++) {
        const CountRange *r = &c->ranges[i];
        int64_t n = r->after ? after : before;

        if (n >= r->from && n <= r->to + lead)
            return 0;
    }
    return 1;
}

static int refuse(Walk *w, const char *filter, const char *why)
{
    return reason_set(w->reason, w->reason_size, "the filter '%s' %s", filter, why);
}

static int judge_fade(Walk *w, const AVDictionary *opts)
{
    int64_t start = find_number(opts, "start_frame", "s", 0);
    int64_t nb    = find_number(opts, "nb_frames", "n", DEFAULT_FADE);
    FilterCount *c = w->count;

    if (is_given(opts, "start_time", "st") || is_given(opts, "duration", "d") ||
        start < 0 || start > MAX_COUNT || nb < 1 || nb > MAX_COUNT)
        return refuse(w, "fade", "counts frames unless it is given a time and a duration");
    if (c->nb_ranges == FILTERCOUNT_MAX_RANGES)
        return refuse(w, "fade", "is there very often");
    c->ranges[c->nb_ranges++] = (CountRange) { w->changed, start + 1, start + nb };
    return 0;
}

/** A filter that counts. */
static int judge_counter(Walk *w, const char *name, const AVDictionary *opts)
{
    w->count->used = 1;
    w->counted |= w->changed;
    if (!strcmp(name, "fade"))
        return judge_fade(w, opts);
    return av_match_name(name, "perspective,qrencode,overlay") ? refuse(w, name, "counts frames") : 0;
}

static int visit_judge(void *opaque, const char *name, AVDictionary **opts)
{
    Walk *w = opaque;
    enum FilterTrait worst;
    char why[128];
    AVBPrint bp;
    int ret;

    if (counts_trim(name, *opts)) {
        if (w->changed)
            return refuse(w, name, "counts frames behind another that changes their number");
        w->count->used = w->count->trims = 1;
    }
    /* another one behind it begins at the frame that hosts find out for it, if there is one */
    if (!w->changed && counts_select(name, *opts))
        w->count->used = w->count->trims = 1;
    if (changes_number(name)) {
        w->changed = 1;
        return w->counted ? refuse(w, name, "changes the number of frames again behind one that counts them") : 0;
    }
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    filterargs_print(&bp, name, *opts);
    ret = av_bprint_is_complete(&bp) ? filterchain_traits(bp.str, &worst, why, sizeof(why)) : AVERROR(ENOMEM);
    av_bprint_finalize(&bp, NULL);
    if (ret >= 0 && !strcmp(name, "drawtext") && shift_timecode(opts, 0) < 0)
        return refuse(w, name, "has a timecode that cannot be read");
    return ret < 0 || worst != FILTER_READS_N ? FFMIN(ret, 0) : judge_counter(w, name, *opts);
}

int filtercount_judge(FilterCount *c, const char *chain, char *reason, size_t reason_size)
{
    Walk w = { .count = c, .reason = reason, .reason_size = reason_size };
    char *copy = av_strdup(chain);
    int ret = copy ? filterargs_visit(&copy, visit_judge, &w) : AVERROR(ENOMEM);

    av_free(copy);
    return ret;
}
