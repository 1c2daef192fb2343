/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/file.h>
#include <libavutil/mem.h>
#include <libavutil/parseutils.h>

#include "../command/filterargs.h"
#include "filterjudge.h"
#include "filtertable.h"

/* More frames, or seconds, of padding are too much to make on each host for nothing. */
#define MAX_PADDING 300
#define MAX_PADDING_TIME 10

/* Become worse, never better. A long reason is cut. */
void filterjudge_raise(FilterVerdict *v, enum FilterTrait trait, int flags, const char *fmt, ...)
{
    int fatal = flags & ~v->flags & (FILTER_NEEDS_FILE | FILTER_NEEDS_DEVICE);
    AVBPrint bp;
    va_list ap;

    v->flags |= flags;
    if (trait > v->trait || fatal || !v->why[0]) {
        if (fmt && (trait > FILTER_POINTWISE || flags)) {
            av_bprint_init_for_buffer(&bp, v->why, sizeof(v->why));
            va_start(ap, fmt);
            av_vbprintf(&bp, fmt, ap);
            va_end(ap);
        }
        v->trait = FFMAX(v->trait, trait);
    }
}

/*
 * The next name in an expression; one too long is cut.
 * @param call it is a function.
 * @return what follows, NULL: none
 */
static const char *next_word(const char *p, char *word, size_t size, int *call)
{
    while (*p) {
        int is_name;
        size_t n = filterargs_expr_word(p, &is_name);

        if (is_name) {
            av_strlcpy(word, p, FFMIN(n + 1, size));
            p += n;
            *call = p[strspn(p, FILTER_BLANKS)] == '(';
            return p;
        }
        p += FFMAX(n, 1);
    }
    return NULL;
}

/* Functions that keep something from frame to frame, or differ from run to run. */
static int has_state(const char *function)
{
    return av_match_name(function, "random,randomi,rand,st,ld,time,rtctime");
}

/* Whether an expression uses nothing but functions without a memory, numbers, and the given names. */
static int only_reads(const char *expr, const char *names)
{
    char word[32];
    int call;

    while ((expr = next_word(expr, word, sizeof(word), &call)))
        if (call ? has_state(word) || !strcmp(word, "print") : !av_match_name(word, names))
            return 0;
    return 1;
}

/*
 * What one name in an expression of av_expr makes of a filter. st() and ld() keep their values,
 * and random() its seed, from frame to frame.
 */
static enum FilterTrait judge_word(const char *filter, const char *key, const char *word, int call)
{
    static const char *const packet[] = { "pos", "pkt_pos", "pkt_size", "pkt_duration" };

    if (call)
        return has_state(word) ? FILTER_WHOLE : FILTER_POINTWISE;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(packet); i++)
        if (!strcmp(word, packet[i]))
            return FILTER_WHOLE;
    if (av_strstart(word, "prev_", NULL) || (key && !strcmp(word, key)))
        return FILTER_WHOLE;
    /* the frame rate, at which hosts guess */
    if (!strcmp(word, "r") && av_match_name(filter, "eq,hue,vignette"))
        return FILTER_WHOLE;
    if (av_strstart(word, "ref_", NULL))
        return FILTER_MULTI_INPUT;
    if (!strcmp(word, "n") || !strcmp(word, "N") || !strcmp(word, "main_n") ||
        (!strcmp(filter, "perspective") && (!strcmp(word, "in") || !strcmp(word, "on"))))
        return FILTER_READS_N;
    if (!strcmp(word, "t") || !strcmp(word, "T") || !strcmp(word, "pts") || !strcmp(word, "tb") ||
        !strcmp(word, "main_t"))
        return FILTER_READS_T;
    return FILTER_POINTWISE;
}

/*
 * Look at every name in an expression. Where the size of frames changes, the filters behind are set up anew, and
 * do not make the same of the first frames then as they would of later ones.
 */
static void judge_expr(FilterVerdict *v, const char *filter, const char *key, const char *expr)
{
    const int sizes = av_match_name(filter, "scale,zscale,pad") && key && strcmp(key, "enable");
    char word[32];
    int call;

    while ((expr = next_word(expr, word, sizeof(word), &call))) {
        enum FilterTrait trait = judge_word(filter, key, word, call);

        if (sizes && (trait == FILTER_READS_T || trait == FILTER_READS_N))
            trait = FILTER_WHOLE;
        filterjudge_raise(v, trait, 0, "has an expression that reads '%s'", word);
    }
}

/* %{...} of drawtext and qrencode. */
static void judge_text(FilterVerdict *v, const char *filter, const char *text)
{
    const char *p = text;

    while ((p = strstr(p, "%{"))) {
        char args[256], *colon;
        size_t n;

        p += 2;
        p += strspn(p, FILTER_BLANKS);
        n = strcspn(p, "}");
        av_strlcpy(args, p, FFMIN(n + 1, sizeof(args)));
        p += n;
        colon = strchr(args, ':');
        if (colon)
            *colon++ = 0;
        if (!strcmp(args, "n") || !strcmp(args, "frame_num"))
            filterjudge_raise(v, FILTER_READS_N, 0, "shows the frame's number (%%{%s})", args);
        else if (!strcmp(args, "pts"))
            filterjudge_raise(v, colon && strstr(colon, "localtime") ? FILTER_WHOLE : FILTER_READS_T, 0,
                     "shows the time (%%{%s})", args);
        else if (!strcmp(args, "e") || !strcmp(args, "expr") || !strcmp(args, "eif") ||
                 !strcmp(args, "expr_int_format"))
            judge_expr(v, filter, NULL, colon ? colon : "");
        else if (strcmp(args, "pict_type"))
            filterjudge_raise(v, FILTER_WHOLE, 0, "shows what differs from run to run (%%{%s})", args);
        if (n >= sizeof(args))
            filterjudge_raise(v, FILTER_WHOLE, 0, "has a text too long to judge");
    }
}

/* What drawtext and qrencode expand stands in a file. One that cannot be read cannot be sent to hosts, either. */
static void judge_text_file(FilterVerdict *v, const char *filter, const char *name)
{
    uint8_t *data;
    size_t size;
    char *text;

    if (av_file_map(name, &data, &size, AV_LOG_DEBUG, NULL) < 0 || !size)
        return;
    text = av_strndup((const char *)data, size);
    av_file_unmap(data, size);
    if (text)
        judge_text(v, filter, text);
    else
        filterjudge_raise(v, FILTER_WHOLE, 0, "has a text too long to judge");
    av_free(text);
}

/* fade counts frames, unless it begins and lasts by time alone. */
static void judge_fade(FilterVerdict *v, AVDictionary *opts)
{
    AVDictionaryEntry *d = av_dict_get(opts, "duration", NULL, AV_DICT_MATCH_CASE);

    if (!d)
        d = av_dict_get(opts, "d", NULL, AV_DICT_MATCH_CASE);
    if (d && strspn(d->value, "0.") != strlen(d->value) &&
        !av_dict_get(opts, "start_frame", NULL, AV_DICT_MATCH_CASE) &&
        !av_dict_get(opts, "s", NULL, AV_DICT_MATCH_CASE)) {
        v->trait = FILTER_READS_T;
        snprintf(v->why, sizeof(v->why), "fades by time");
    }
}

/* Those whose effect can be worked out from times alone, unless an expression reads more than these. */
static void judge_retiming(FilterVerdict *v, const char *filter, const char *key, const char *value)
{
    static const struct { const char *filter, *names; } readable[] = {
        { "fps",    "ntsc,pal,film,ntsc_film,round,zero,inf,down,up,near,pass" },
        { "select", "n,t,pts,TB,PI,E,PHI" },
        { "setpts", "PTS,TB,T,N,STARTPTS,STARTT,FRAME_RATE,FR,PI,E,PHI,AVTB" },
        { "settb",  "AVTB,intb,default,PI,E,PHI" },
    };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(readable); i++)
        if (!strcmp(filter, readable[i].filter) && strcmp(key, "strip_fps") &&
            !only_reads(value, readable[i].names))
            filterjudge_raise(v, FILTER_TIMING, 0, "has an expression that cannot be worked out (%s)", value);
    v->renumbers |= !strcmp(filter, "setpts") && !only_reads(value, "PTS,TB,T,PI,E,PHI,AVTB");
}

/* @return whether there is padding, and how much is known; AVERROR_PATCHWELCOME: it has no end, or is long */
static int read_padding(AVDictionary *opts, const char *frames, const char *duration)
{
    const AVDictionaryEntry *n = av_dict_get(opts, frames, NULL, AV_DICT_MATCH_CASE);
    const AVDictionaryEntry *t = av_dict_get(opts, duration, NULL, AV_DICT_MATCH_CASE);
    char *end = NULL;
    long nb = n ? strtol(n->value, &end, 10) : 0;
    int64_t time = 0;

    if ((end && *end) || nb < 0 || nb > MAX_PADDING || (t && av_parse_time(&time, t->value, 1) < 0) || time < 0 ||
        time > MAX_PADDING_TIME * (int64_t)AV_TIME_BASE)
        return AVERROR_PATCHWELCOME;
    return nb || time;
}

static void judge_padding(FilterVerdict *v, AVDictionary *opts)
{
    int before = read_padding(opts, "start", "start_duration"), after = read_padding(opts, "stop", "stop_duration");

    if (before < 0 || after < 0)
        filterjudge_raise(v, FILTER_TIMING, 0, "adds frames without end, or very many");
    v->leads = v->renumbers = before > 0;
}

/* A deinterlacer that makes two frames of one. */
int filterjudge_makes_fields(const char *filter, AVDictionary *opts)
{
    AVDictionaryEntry *mode = av_dict_get(opts, "mode", NULL, AV_DICT_MATCH_CASE);

    if (mode)
        return !av_match_name(mode->value, "send_frame,frame,send_frame_nospatial,0,2");
    return av_match_name(filter, "bwdif,w3fdif,estdif");
}

static void judge_fields(FilterVerdict *v, const char *filter, AVDictionary *opts)
{
    AVDictionaryEntry *deint = av_dict_get(opts, "deint", NULL, AV_DICT_MATCH_CASE);

    if (filterjudge_makes_fields(filter, opts) && deint && !av_match_name(deint->value, "all,0"))
        filterjudge_raise(v, FILTER_TIMING, 0, "makes a frame of each field where it is interlaced");
}

int filterjudge_is_deinterlacer(const char *filter)
{
    return av_match_name(filter, "yadif,bwdif,w3fdif,estdif");
}

/* noise is the same on each frame, unless it is temporal or averaged. */
static void judge_noise(FilterVerdict *v, const char *key, const char *value)
{
    size_t len = strlen(key);

    if ((key[len - 1] == 'f' || av_stristr(key, "flags")) && strspn(value, "up+") != strlen(value))
        filterjudge_raise(v, FILTER_WHOLE, 0, "makes other noise on each frame (%s)", value);
}

/* What looks at neighbours does not see those that come while it is switched off. */
static void judge_window(FilterVerdict *v, const char *filter, const char *key, const char *value)
{
    if (!strcmp(key, "enable"))
        filterjudge_raise(v, FILTER_WHOLE, 0, "is switched on and off (%s)", value);
    else if (!strcmp(filter, "tblend") && strstr(key, "_expr") &&
             !only_reads(value, "X,Y,W,H,SW,SH,A,B,TOP,BOTTOM,PI,E,PHI"))
        filterjudge_raise(v, FILTER_WHOLE, 0, "has an expression that reads more than two frames (%s)", value);
}

static void judge_option(FilterVerdict *v, const char *filter, const FilterGroup *g, int eval_frame,
                         const char *key, const char *value)
{
    int is_text = !strcmp(filter, "drawtext") || !strcmp(filter, "qrencode");

    if (key[0] == '/')
        filterjudge_raise(v, FILTER_WHOLE, FILTER_NEEDS_FILE, "reads the option '%s' from a file", key + 1);
    if (g->trait == FILTER_WINDOW)
        judge_window(v, filter, key, value);
    else if (!strcmp(key, "enable"))
        judge_expr(v, filter, NULL, value);
    else if (is_text && (!strcmp(key, "text") || !strcmp(key, "fontcolor_expr") || !*key))
        judge_text(v, filter, value);
    else if (is_text && !strcmp(key, "textfile"))
        judge_text_file(v, filter, value);
    else if (is_text && !av_match_name(key, "x,y,alpha,fontsize,q,Q"))
        return;
    else if (!strcmp(filter, "noise"))
        judge_noise(v, key, value);
    else if (g->trait == FILTER_RETIMING)
        judge_retiming(v, filter, key, value);
    else if (g->how & FILTERGROUP_EXPR && (!(g->how & FILTERGROUP_INIT) || eval_frame))
        judge_expr(v, filter, key, value);
}

static void judge_rules(FilterVerdict *v, const char *filter, AVDictionary *opts)
{
    for (const FilterRule *r = NULL; (r = filtertable_rule(r, filter));) {
        AVDictionaryEntry *e = av_dict_get(opts, r->option, NULL, AV_DICT_MATCH_CASE);

        if (!filtertable_rule_hits(r, e ? e->value : NULL))
            continue;
        if (r->trait < v->trait && !r->flags) { /* the option makes it more harmless */
            v->trait  = r->trait;
            v->why[0] = 0;
        }
        filterjudge_raise(v, r->trait, r->flags, r->why ? "%s" : NULL, r->why);
    }
}

int filterjudge_filter(FilterVerdict *v, const char *name, const char *args)
{
    const FilterGroup *g = filtertable_find(name);
    static const FilterGroup none = { .trait = FILTER_UNKNOWN };
    AVDictionary *opts = NULL;
    AVDictionaryEntry *e = NULL;
    int ret, eval_frame;

    memset(v, 0, sizeof(*v));
    v->trait = filtertable_trait(name, &v->flags);
    snprintf(v->why, sizeof(v->why), "%s", v->trait == FILTER_UNKNOWN ? "is not known to ffleet" :
             g && g->why ? g->why : v->trait == FILTER_AUDIO ? "works on sound" : "");
    if (!g)
        g = &none;

    ret = filterargs_parse(&opts, avfilter_get_by_name(name), args);
    if (ret < 0)
        goto end;
    e = av_dict_get(opts, "eval", NULL, AV_DICT_MATCH_CASE);
    eval_frame = e && strcmp(e->value, "init") && strcmp(e->value, "0");

    judge_rules(v, name, opts);
    if (!strcmp(name, "fade"))
        judge_fade(v, opts);
    if (filterjudge_is_deinterlacer(name))
        judge_fields(v, name, opts);
    if (!strcmp(name, "tpad"))
        judge_padding(v, opts);
    for (e = NULL; (e = av_dict_get(opts, "", e, AV_DICT_IGNORE_SUFFIX));)
        judge_option(v, name, g, eval_frame, e->key, e->value);
    e = av_dict_get(opts, "fontfile", NULL, AV_DICT_MATCH_CASE);
    if (e && *e->value)
        v->flags &= ~FILTER_NEEDS_FONT;
    if (v->flags & FILTER_NEEDS_FONT && !v->why[0])
        snprintf(v->why, sizeof(v->why), "draws with a font of the machine it runs on");

end:
    av_dict_free(&opts);
    return ret;
}
