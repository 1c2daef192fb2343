/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/mem.h>

#include "../command/filterargs.h"
#include "complexside.h"
#include "filterchain.h"

static const char *const ends[] = { "shortest", "eof_action", "repeatlast", "ts_sync_mode" };

static int drop_ends(void *opaque, const char *name, AVDictionary **opts)
{
    int nb = av_dict_count(*opts), ret = 0;

    (void)opaque;
    (void)name;
    for (size_t i = 0; ret >= 0 && i < FF_ARRAY_ELEMS(ends); i++)
        ret = av_dict_set(opts, ends[i], NULL, AV_DICT_MATCH_CASE);
    return ret < 0 ? ret : av_dict_count(*opts) != nb;
}

char *complexside_without_ends(const Node *n)
{
    char *text = av_strdup(n->text);

    if (text && filterargs_visit(&text, drop_ends, NULL) < 0)
        av_freep(&text);
    return text;
}

static int find_end(void *opaque, const char *name, AVDictionary **opts)
{
    const AVDictionaryEntry *shortest = av_dict_get(*opts, "shortest", NULL, AV_DICT_MATCH_CASE);
    const AVDictionaryEntry *action   = av_dict_get(*opts, "eof_action", NULL, AV_DICT_MATCH_CASE);

    (void)name;
    *(int *)opaque = (shortest && av_match_name(shortest->value, "1,true,yes,on,y,enable,enabled")) ||
                     (action && av_match_name(action->value, "endall,1"));
    return 0;
}

/** Whether the overlay n ends when one of its inputs does. */
static int ends_with_first(const Node *n)
{
    char *text = av_strdup(n->text);
    int found = 0;

    if (text && filterargs_visit(&text, find_end, &found) < 0)
        found = 0;
    av_free(text);
    return found;
}

int complexside_is_looped(const Parser *p, GraphSource source)
{
    const CmdFile *f = p->only ? NULL : p->inputs[source.file].file;
    const CmdOption *o = f ? cmdline_last(f->options, f->nb_options, "loop") : NULL;

    return o && strtol(o->value, NULL, 10);
}

int complexside_check_filter(Parser *p, const Node *n, int looped)
{
    const AVFilter *f = avfilter_get_by_name(n->name);
    enum FilterTrait worst;
    char why[128];
    int wrong = avfilter_filter_pad_count(f, 0) != 1 || n->nb_out > 1;

    /*
     * a single picture is the first everywhere; of many each is another, but has its time. Neither
     * files nor fonts travel for it
     */
    wrong |= filterchain_traits(n->text, &worst, why, sizeof(why)) ||
             worst > (looped ? FILTER_READS_T : FILTER_READS_N) || worst == FILTER_RETIMING || worst == FILTER_WINDOW;
    return wrong ? complexnodes_refuse(p, "the filter graph's second input goes through '%s'", n->name) : 0;
}

int complexside_check_end(Parser *p, const Node *n)
{
    return ends_with_first(n) ? 0 :
           complexnodes_refuse(p, "nothing ends the picture that goes on and on for '%s'", n->name);
}

int complexside_take(Parser *p, GraphSource source, AVBPrint *linked)
{
    GraphPath *g = p->path;

    if (g->nb_sides == MAX_SIDES)
        return complexnodes_refuse(p, "the filter graph has many inputs");
    g->sides[g->nb_sides]  = source;
    g->looped[g->nb_sides] = complexside_is_looped(p, source);
    av_bprintf(linked, g->looped[g->nb_sides] ? "[still%d]" : "[%d:v]", g->nb_sides + 1);
    g->nb_sides++;
    return 0;
}

int complexside_is_movie(const Node *n)
{
    return !strcmp(n->name, "movie");
}

/** One that is told nothing but its file. */
static int find_file(void *opaque, const char *name, AVDictionary **opts)
{
    const AVDictionaryEntry *e = av_dict_get(*opts, "filename", NULL, AV_DICT_MATCH_CASE);
    char **file = opaque;

    (void)name;
    if (!e || av_dict_count(*opts) != 1)
        return AVERROR_PATCHWELCOME;
    *file = av_strdup(e->value);
    return *file ? 0 : AVERROR(ENOMEM);
}

int complexside_take_movie(Parser *p, Node *n, AVBPrint *linked)
{
    GraphPath *g = p->path;
    char *text;
    int ret;

    if (g->nb_sides == MAX_SIDES)
        return complexnodes_refuse(p, "the filter graph has many inputs");
    text = av_strdup(n->text);
    ret  = text ? filterargs_visit(&text, find_file, &g->side_files[g->nb_sides]) : AVERROR(ENOMEM);
    av_free(text);
    if (ret < 0 && ret != AVERROR(ENOMEM))
        return complexnodes_refuse(p, "the filter '%s' is a source", n->name);
    n->used = 1;
    av_bprintf(linked, "[%d:v]", ++g->nb_sides);
    return ret;
}

/** A plain path that ends at last (NULL: of no filter), and begins with the next side. */
static int follow_side(Parser *p, Node *last, GraphSource source, AVBPrint *linked)
{
    Node *path[MAX_NODES], *from, *movie = NULL;
    int nb = 0, ret;

    for (Node *n = last; n && !movie; n = from) {
        from = NULL;
        if (complexside_is_movie(n)) {
            movie = n;
            continue;
        }
        if (n->used || nb == MAX_NODES)
            return complexnodes_refuse(p, "the filter graph's second input goes through '%s'", n->name);
        n->used    = 1;
        path[nb++] = n;
        ret = complexnodes_find_feed(p, n, 0, &from, &source);
        if (ret < 0)
            return ret;
    }
    ret = movie ? complexside_take_movie(p, movie, linked) : complexside_take(p, source, linked);
    if (!nb)
        av_bprintf(linked, "null");
    while (ret >= 0 && nb--) {
        ret = complexside_check_filter(p, path[nb], p->path->looped[p->path->nb_sides - 1]);
        av_bprintf(linked, "%s%s", path[nb]->text, nb ? "," : "");
    }
    return ret;
}

int complexside_add(Parser *p, Node *n, AVBPrint *plain, AVBPrint *linked)
{
    const int number = p->path->nb_sides + 1;
    GraphSource source = { 0 };
    Node *from;
    char *text;
    int ret;

    av_bprintf(linked, "null[main%d];", number);
    ret = complexnodes_find_feed(p, n, 1, &from, &source);
    if (ret >= 0)
        ret = follow_side(p, from, source, linked);
    if (ret < 0)
        return ret;
    av_bprintf(linked, "[side%d];[main%d][side%d]%s", number, number, number, n->text);
    if (!p->path->looped[number - 1]) {
        av_bprintf(plain, "%s", n->text);
        return 0;
    }
    text = complexside_without_ends(n);
    av_bprintf(plain, "%s", text ? text : "");
    av_free(text);
    return text ? complexside_check_end(p, n) : AVERROR(ENOMEM);
}
