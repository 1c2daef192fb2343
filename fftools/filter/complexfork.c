/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/mem.h>

#include "complexfork.h"
#include "complexside.h"
#include "filterchain.h"

/*
 * Branches of one video that are joined again: each frame of one meets that of the same time in the
 * others, as long as the same filters time them (libavfilter/framesync.c of FFmpeg 5.1 and 7.1). So
 * they are one path with filters that look at one frame, and a host with a piece of the video makes
 * of it what stock does.
 */

typedef struct ForkNode {
    enum { UNKNOWN, ASKED, FOREIGN, OURS } fed;  ///< whether the path's video goes into it
    int   used;              ///< by the path
    int   joined;            ///< there are frames of several branches in what it gets, or gives
    int   looped;            ///< a picture goes into it that is repeated again and again
    char *spine;             ///< the filters in front of it and itself, by first inputs
    char *retimes;           ///< those of them that time frames
} ForkNode;

typedef struct Fork {
    Parser   *p;
    ForkNode  nodes[MAX_NODES];
    AVBPrint  plain, linked;
} Fork;

static ForkNode *info(Fork *f, const Node *n)
{
    return &f->nodes[n - f->p->nodes];
}

static int is_main(const Parser *p, GraphSource s)
{
    return s.file == p->path->main.file && s.index == p->path->main.index;
}

/** Whether the video goes into a filter, by whichever way. */
static int is_fed(Fork *f, Node *n)
{
    ForkNode *i = info(f, n);

    if (i->fed == UNKNOWN) {
        int found = 0;

        i->fed = ASKED;
        for (int pad = 0; pad < FFMAX(n->nb_in, 1); pad++) {
            GraphSource s;
            Node *from;

            if (complexnodes_find_feed(f->p, n, pad, &from, &s) >= 0)
                found |= from ? is_fed(f, from) : is_main(f->p, s);
        }
        i->fed = found ? OURS : FOREIGN;
    }
    return i->fed == OURS;
}

/** Mark what is in front of a filter. @return whether there are branches that are joined */
static int mark(Fork *f, Node *n)
{
    int nb = 0, joins = 0;

    info(f, n)->used = 1;
    for (int pad = 0; pad < FFMAX(n->nb_in, 1); pad++) {
        GraphSource s;
        Node *from;

        if (complexnodes_find_feed(f->p, n, pad, &from, &s) < 0)
            continue;
        nb += from ? is_fed(f, from) : is_main(f->p, s);
        if (from && !info(f, from)->used)
            joins |= mark(f, from);
    }
    return joins || nb > 1;
}

/** How many inputs a filter has, which for some its options tell. */
static int count_inputs(const Node *n)
{
    const AVFilter *filter = avfilter_get_by_name(n->name);
    const char *args = strchr(n->text, '=');
    AVFilterGraph *graph;
    AVFilterContext *ctx;
    char *plain = NULL;
    int nb = AVERROR(ENOMEM);

    if (!(filter->flags & AVFILTER_FLAG_DYNAMIC_INPUTS))
        return avfilter_filter_pad_count(filter, 0);
    graph = avfilter_graph_alloc();
    ctx   = graph ? avfilter_graph_alloc_filter(graph, filter, NULL) : NULL;
    if (ctx && args++)
        plain = av_get_token(&args, "[],;");
    if (ctx)
        nb = avfilter_init_str(ctx, plain);
    if (nb >= 0)
        nb = ctx->nb_inputs;
    av_free(plain);
    avfilter_graph_free(&graph);
    return nb;
}

static int refuse_node(Fork *f, const Node *n)
{
    return complexnodes_refuse(f->p, "the filter '%s' has more than one input or output", n->name);
}

/**
 * Print an input's label, and find out what comes before it.
 * @param before gets the filter, NULL: it is a stream
 */
static int link_input(Fork *f, Node *n, int pad, Node **before)
{
    GraphPath *g = f->p->path;
    GraphSource s;
    int ret = complexnodes_find_feed(f->p, n, pad, before, &s), out = 0;

    if (ret < 0)
        return ret;
    if (*before && *before >= n)
        return complexnodes_refuse(f->p, "the filter graph's '%s' comes before what feeds it", n->name);
    if (*before) {
        while (out < (*before)->nb_out && !n->follows && strcmp((*before)->out[out], n->in[pad]))
            out++;
        av_bprintf(&f->linked, "[link%d_%d]", (int)(*before - f->p->nodes), out);
    } else if (is_main(f->p, s)) {
        if (g->nb_sources == MAX_SOURCES)
            return complexnodes_refuse(f->p, "the filter graph has many inputs");
        av_bprintf(&f->linked, "[source%d]", g->nb_sources++);
    } else {
        info(f, n)->looped = complexside_is_looped(f->p, s);
        return complexside_take(f->p, s, &f->linked);
    }
    if (*before && !is_fed(f, *before))
        info(f, n)->looped |= info(f, *before)->looped;
    return 0;
}

/** Whether some filter of the path takes what has that label. */
static int is_taken(Fork *f, const char *label)
{
    for (int i = 0; i < f->p->nb_nodes; i++)
        for (int k = 0; k < f->p->nodes[i].nb_in && f->nodes[i].used; k++)
            if (!strcmp(f->p->nodes[i].in[k], label))
                return 1;
    return 0;
}

static int link_split(Fork *f, Node *n)
{
    AVBPrint labels;
    int nb = 0;

    av_bprint_init(&labels, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (int k = 0; k < n->nb_out; k++)
        if (is_taken(f, n->out[k])) {
            av_bprintf(&labels, "[link%d_%d]", (int)(n - f->p->nodes), k);
            nb++;
        }
    av_bprintf(&f->linked, "split=%d%s;", nb, labels.str);
    av_bprint_finalize(&labels, NULL);
    return 0;
}

/**
 * A filter of the path itself, whose inputs are linked: as it is judged.
 * @param first what its first input comes from
 * @param drops_ends what it says of ends is of no effect: branches end together
 */
static int judge_node(Fork *f, Node *n, const Node *first, int drops_ends)
{
    ForkNode *i = info(f, n);
    char *text = drops_ends ? complexside_without_ends(n) : av_strdup(n->text);
    int ret = text ? 0 : AVERROR(ENOMEM);

    if (ret >= 0) {
        const char *spine = first ? f->nodes[first - f->p->nodes].spine : NULL;

        if (complexnodes_is_split(n))
            i->spine = av_strdup(spine ? spine : "");
        else
            i->spine = av_asprintf("%s%s%s", spine ? spine : "", spine && *spine ? "," : "", text);
        if (!complexnodes_is_split(n))
            av_bprintf(&f->plain, "%s%s", f->plain.len ? "," : "", text);
        ret = i->spine ? filterchain_retimes(i->spine, &i->retimes) : AVERROR(ENOMEM);
        if (ret < 0 && ret != AVERROR(ENOMEM))
            ret = complexnodes_refuse(f->p, "the filter graph's '%s' cannot be parsed", n->text);
    }
    if (!strcmp(n->name, "fps") || !strcmp(n->name, "tpad"))
        *(i->joined ? &f->p->path->fills_behind : &f->p->path->fills_before) = 1;
    av_free(text);
    return ret;
}

static const char *retimes(Fork *f, const Node *before)
{
    return before ? info(f, before)->retimes : "";
}

/** A filter in front of a second input: as complexside.c takes it. */
static int add_side_node(Fork *f, Node *n)
{
    Node *from;
    int ret = complexside_is_movie(n) ? complexside_take_movie(f->p, n, &f->linked) : link_input(f, n, 0, &from);

    if (complexside_is_movie(n)) {
        av_bprintf(&f->linked, "null[link%d_0];", (int)(n - f->p->nodes));
        return ret;
    }
    if (ret >= 0)
        ret = complexside_check_filter(f->p, n, info(f, n)->looped);
    av_bprintf(&f->linked, "%s[link%d_0];", n->text, (int)(n - f->p->nodes));
    return ret;
}

static int add_inputs(Fork *f, Node *n, int nb, Node **first, int *foreign)
{
    int flags, ret = 0;

    filtertable_trait(n->name, &flags);
    if (nb > 1 && !(flags & FILTER_JOINS) && strcmp(n->name, "overlay"))
        return refuse_node(f, n);
    for (int pad = 0; ret >= 0 && pad < nb; pad++) {
        int nb_sides = f->p->path->nb_sides;
        Node *from;

        ret = link_input(f, n, pad, pad ? &from : first);
        if (ret < 0)
            return ret;
        if (!pad)
            from = *first;
        if ((from && !is_fed(f, from)) || f->p->path->nb_sides > nb_sides) {
            if (pad != 1 || strcmp(n->name, "overlay"))
                return complexnodes_refuse(f->p, "the filter graph puts several videos together");
            *foreign = 1;
            continue;
        }
        if (from)
            info(f, n)->joined |= info(f, from)->joined;
        if (strcmp(retimes(f, from), retimes(f, *first)))
            return complexnodes_refuse(f->p, "the filter graph's '%s' joins branches that are timed in several ways",
                                       n->name);
    }
    info(f, n)->joined |= nb > 1;
    return ret;
}

static int add_node(Fork *f, Node *n, int is_last)
{
    int nb = count_inputs(n), foreign = 0, ret;
    Node *first = NULL;

    if (!is_fed(f, n))
        return add_side_node(f, n);
    if (nb != FFMAX(n->nb_in + n->follows, 1) || (n->nb_out > 1 && !complexnodes_is_split(n)) ||
        (!complexnodes_is_split(n) && avfilter_filter_pad_count(avfilter_get_by_name(n->name), 1) != 1))
        return refuse_node(f, n);
    if (complexnodes_is_split(n) && !complexnodes_split_fits(n))
        return complexnodes_refuse(f->p, "the filter graph's '%s' has several outputs", n->name);
    ret = add_inputs(f, n, nb, &first, &foreign);
    if (ret >= 0)
        ret = judge_node(f, n, first, nb > 1 && (!foreign || info(f, n)->looped));
    if (ret >= 0 && info(f, n)->looped)
        ret = complexside_check_end(f->p, n);
    if (ret < 0)
        return ret;
    if (complexnodes_is_split(n))
        return is_last ? refuse_node(f, n) : link_split(f, n);
    av_bprintf(&f->linked, "%s", n->text);
    if (!is_last)
        av_bprintf(&f->linked, "[link%d_0];", (int)(n - f->p->nodes));
    return 0;
}

/** In the order in which they are written, which tells libavfilter where to convert pixel formats. */
static int add_nodes(Fork *f, Node *last)
{
    GraphPath *g = f->p->path;
    int ret = 0;

    av_bprintf(&f->linked, "null[source0];");
    for (Node *n = f->p->nodes; ret >= 0 && n <= last; n++)
        if (info(f, n)->used) {
            n->used = 1;
            ret = add_node(f, n, n == last);
        }
    for (Node *n = last + 1; ret >= 0 && n < f->p->nodes + f->p->nb_nodes; n++)
        if (info(f, n)->used)
            ret = complexnodes_refuse(f->p, "the filter graph's '%s' comes before what feeds it", last->name);
    if (ret >= 0 && !(g->spine = av_strdup(info(f, last)->spine)))
        ret = AVERROR(ENOMEM);
    return ret;
}

/** The path's main video: where first inputs lead. @return 0, or an AVERROR code: that is for others to tell */
static int find_main(Parser *p, Node *last)
{
    Node *from;
    int steps = 0, ret = 0;

    for (Node *n = last; n && ret >= 0; n = from) {
        if (steps++ == MAX_NODES || !strcmp(n->name, "concat"))
            return AVERROR(EINVAL);
        ret = complexnodes_find_feed(p, n, 0, &from, &p->path->main);
    }
    return ret;
}

int complexfork_follow(Parser *p, Node *last)
{
    Fork *f;
    int ret;

    if (find_main(p, last) < 0)
        return 0;
    f = av_mallocz(sizeof(*f));
    if (!f)
        return AVERROR(ENOMEM);
    f->p = p;
    av_bprint_init(&f->plain, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprint_init(&f->linked, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = mark(f, last) ? add_nodes(f, last) : 0;
    if (ret >= 0 && p->path->spine) {
        ret = av_bprint_finalize(&f->plain, &p->path->path);
        if (ret >= 0)
            ret = av_bprint_finalize(&f->linked, &p->path->filters);
    } else {
        av_bprint_finalize(&f->plain, NULL);
        av_bprint_finalize(&f->linked, NULL);
    }
    for (int i = 0; i < p->nb_nodes; i++) {
        av_free(f->nodes[i].spine);
        av_free(f->nodes[i].retimes);
    }
    av_free(f);
    return ret < 0 ? ret : !!p->path->spine;
}
