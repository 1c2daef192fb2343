/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/bprint.h>
#include <libavutil/mem.h>

#include "../reason.h"
#include "complexfork.h"
#include "complexnodes.h"
#include "complexparse.h"
#include "complexside.h"
#include "complexsound.h"

static int takes_sound(const Node *n, int pad)
{
    return complexnodes_is_mixed(n) ? pad & 1 : complexnodes_is_sound(n);
}

/** @param label of the output; NULL: it has none */
static int gives_sound(const Node *n, const char *label)
{
    if (!complexnodes_is_mixed(n))
        return complexnodes_is_sound(n);
    return label && n->nb_out == 2 && !strcmp(n->out[1], label);
}

/** @param label NULL: it has none */
static int is_consumed(const Parser *p, const Node *n, const char *label)
{
    const Node *next = n + 1;

    if (!label)
        return next < p->nodes + p->nb_nodes && next->follows;
    for (int i = 0; i < p->nb_nodes; i++)
        for (int k = 0; k < p->nodes[i].nb_in; k++)
            if (!strcmp(p->nodes[i].in[k], label))
                return 1;
    return 0;
}

/** One part: from concat's input back to where the video is split. @param text gets its filters */
static int follow_part(Parser *p, Node *concat, int pad, Node **root, GraphSource *source, AVBPrint *text)
{
    Node *part[MAX_NODES], *from;
    int nb = 0, ret = complexnodes_find_feed(p, concat, pad, &from, source);

    for (; ret >= 0 && from && !complexnodes_is_split(from); ret = complexnodes_find_feed(p, from, 0, &from, source)) {
        if (from->used || nb == MAX_NODES || from->nb_out > 1 ||
            avfilter_filter_pad_count(avfilter_get_by_name(from->name), 0) != 1)
            return complexnodes_refuse(p, "the filter graph's concat has a part that goes through '%s'", from->name);
        from->used = 1;
        part[nb++] = from;
    }
    while (nb--)
        av_bprintf(text, "%s%s", part[nb]->text, nb ? "," : "");
    *root = from;
    return ret < 0 || av_bprint_is_complete(text) ? ret : AVERROR(ENOMEM);
}

/** One part of the video, and where its sound comes from. @param root, source as of follow_part() */
static int follow_pads(Parser *p, Node *concat, int n, int audio, Node **root, GraphSource *source, int *wrong)
{
    const int pad = n * (1 + audio);
    const Node *sound = audio ? complexnodes_find_maker(p, concat->in[pad + 1]) : NULL;
    AVBPrint text;
    int ret;

    if (audio && !sound)
        return complexnodes_refuse(p, "the filter graph's concat takes a sound as it is");
    av_bprint_init(&text, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = follow_part(p, concat, pad, root, source, &text);
    if (ret >= 0 && !*wrong)
        *wrong = trimjoin_add(&p->join, text.str, audio ? concat->in[pad + 1] : NULL, p->reason, p->reason_size);
    av_bprint_finalize(&text, NULL);
    return ret;
}

/** @param from the split that all parts begin with; NULL: they begin with a stream */
static int follow_concat(Parser *p, Node *concat, Node **from)
{
    GraphSource source, *main = &p->path->main;
    int nb, video, audio, wrong = 0, ret = trimjoin_read_concat(concat->text, &nb, &video, &audio);

    if (ret < 0 || video != 1 || audio > 1 || (audio && (concat->nb_out != 2 || p->graph->ends)) ||
        concat->nb_in != nb * (1 + audio) || p->join.nb)
        return complexnodes_refuse(p, "the filter graph's '%s' is not one that is split yet", concat->text);
    for (int i = 0; ret >= 0 && i < nb; i++) {
        Node *root = NULL;

        ret = follow_pads(p, concat, i, audio, &root, &source, &wrong);
        if (ret >= 0 && i && (root != *from || (!root && (source.file != main->file || source.index != main->index))))
            ret = complexnodes_refuse(p, "the filter graph's concat puts several videos together");
        *from = root;
        *main = source;
    }
    if (ret < 0 || wrong < 0 || !audio)
        return ret < 0 ? ret : wrong;
    p->graph->nb_ends = nb;
    p->graph->ends    = av_strdup(p->join.ends);
    return p->graph->ends ? 0 : AVERROR(ENOMEM);
}

/** The filters from the last one back to the stream it begins with, but for `split`. */
static int collect_path(Parser *p, Node *last, Node **path, int *nb)
{
    Node *from;
    int steps = 0;

    for (Node *n = last; n; n = from) {
        int ret;

        if (complexnodes_is_split(n) ? !complexnodes_split_fits(n) : n->nb_out > 1 + complexnodes_is_mixed(n))
            return complexnodes_refuse(p, "the filter graph's '%s' has several outputs", n->name);
        if (steps++ == MAX_NODES)
            return complexnodes_refuse(p, "the filter graph's '%s' feeds itself", n->name);
        n->used = 1;
        if (!complexnodes_is_split(n))
            path[(*nb)++] = n;
        ret = complexnodes_is_concat(n) ? follow_concat(p, n, &from) :
              complexnodes_find_feed(p, n, 0, &from, &p->path->main);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/** A filter of a path, as it is judged and as it is linked. */
static int add_filter(Parser *p, Node *n, AVBPrint *plain, AVBPrint *linked)
{
    const AVFilter *f = avfilter_get_by_name(n->name);

    if (complexnodes_is_concat(n)) {
        p->path->before = av_strndup(plain->str, plain->len);
        p->path->join   = trimjoin_text(&p->join, 1);
        trimjoin_print(&p->join, 0, linked);
        av_bprintf(plain, "%s", p->join.first);
        p->path->nb_judged = plain->len;
        return p->path->before && p->path->join ? 0 : AVERROR(ENOMEM);
    }
    if (!strcmp(f->name, "overlay"))
        return complexside_add(p, n, plain, linked);
    av_bprintf(plain, "%s", n->text);
    /* how many outputs select has is for who judges it */
    if (avfilter_filter_pad_count(f, 0) != 1 || (avfilter_filter_pad_count(f, 1) != 1 && strcmp(f->name, "select")))
        return complexnodes_refuse(p, "the filter '%s' has more than one input or output", f->name);
    av_bprintf(linked, "%s", n->text);
    return 0;
}

/** @param label of what comes out of the last filter; NULL: none */
static int follow_main(Parser *p, Node *last, const char *label)
{
    GraphPath *g;
    Node *path[MAX_NODES];
    AVBPrint plain, linked;
    int nb = 0, ret;

    if (p->graph->nb_paths == MAX_PATHS)
        return complexnodes_refuse(p, "the filter graph makes very many videos");
    p->path = g = &p->graph->paths[p->graph->nb_paths++];
    trimjoin_free(&p->join);
    if (label && !(g->label = av_strdup(label)))
        return AVERROR(ENOMEM);
    ret = complexfork_follow(p, last);
    if (ret)
        return FFMIN(ret, 0);
    ret = collect_path(p, last, path, &nb);
    if (ret < 0)
        return ret;
    av_bprint_init(&plain, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprint_init(&linked, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (int i = nb - 1; ret >= 0 && i >= 0; i--) {
        if (!strcmp(path[i]->name, "fps") || !strcmp(path[i]->name, "tpad"))
            *(g->nb_sides ? &g->fills_behind : &g->fills_before) = 1;
        ret = add_filter(p, path[i], &plain, &linked);
        av_bprintf(&plain, "%s", i ? "," : "");
        av_bprintf(&linked, "%s", i ? "," : "");
    }
    if (!nb) {
        av_bprintf(&plain, "null");
        av_bprintf(&linked, "null");
    }
    av_bprint_finalize(&plain, ret < 0 ? NULL : &g->path);
    av_bprint_finalize(&linked, ret < 0 ? NULL : &g->filters);
    if (ret >= 0 && g->join && g->nb_sides)
        ret = complexnodes_refuse(p, "the filter graph puts parts together, and lays something over them");
    return ret < 0 || (g->path && g->filters) ? ret : AVERROR(ENOMEM);
}

/** The paths that end at a filter of video: at each of its outputs that no other filter takes. */
static int follow_ends(Parser *p, Node *n)
{
    int ret = 0;

    if (!n->nb_out)
        return is_consumed(p, n, NULL) ? 0 : follow_main(p, n, NULL);
    for (int k = 0; ret >= 0 && k < n->nb_out; k++)
        if (!gives_sound(n, n->out[k]) && !is_consumed(p, n, n->out[k]))
            ret = follow_main(p, n, n->out[k]);
    return ret;
}

static int take_apart(Parser *p)
{
    int ret;

    for (int i = 0; i < p->nb_nodes; i++) {
        Node *n = &p->nodes[i];

        if (n->follows && takes_sound(n, 0) != gives_sound(n - 1, NULL))
            return complexnodes_refuse(p, "the filter graph mixes sound and video ('%s')", n->name);
        for (int k = 0; k < n->nb_in; k++) {
            const Node *maker = complexnodes_find_maker(p, n->in[k]);

            if (maker && gives_sound(maker, n->in[k]) != takes_sound(n, k))
                return complexnodes_refuse(p, "the filter graph mixes sound and video ('%s')", n->name);
        }
        if (!complexnodes_is_sound(n) && (ret = follow_ends(p, n)) < 0)
            return ret;
    }
    if (p->graph->nb_paths > 1 && complexgraph_find(p->graph, NULL))
        return complexnodes_refuse(p, "the filter graph makes several videos, not all with a label");
    for (int i = 0; i < p->nb_nodes; i++)
        if (!complexnodes_is_sound(&p->nodes[i]) && !p->nodes[i].used)
            return complexnodes_refuse(p, "the filter graph's '%s' leads nowhere", p->nodes[i].name);
    return complexsound_collect(p);
}

static Parser *alloc_parser(ComplexGraph *g, char *reason, size_t reason_size)
{
    Parser *p = av_mallocz(sizeof(*p));

    memset(g, 0, sizeof(*g));
    if (p) {
        p->graph       = g;
        p->reason      = reason;
        p->reason_size = reason_size;
    }
    return p;
}

/** @param p freed */
static int parse(Parser *p, const char *text)
{
    ComplexGraph *g = p->graph;
    int ret = complexnodes_read(p, text);

    if (ret >= 0)
        ret = take_apart(p);
    if (ret >= 0) {
        p->reason[0] = 0;
        g->nb_inputs = complexnodes_count_inputs(p);
    }
    complexnodes_free(p);
    trimjoin_free(&p->join);
    av_free(p);
    if (ret < 0)
        complexgraph_free(g);
    return ret;
}

int complexparse_graph(ComplexGraph *g, const char *text, const PlanInput *inputs, int nb_inputs,
                       char *reason, size_t reason_size)
{
    Parser *p = alloc_parser(g, reason, reason_size);

    if (!p)
        return AVERROR(ENOMEM);
    p->inputs    = inputs;
    p->nb_inputs = nb_inputs;
    return parse(p, text);
}

int complexparse_chain(ComplexGraph *g, const char *text, GraphSource video, char *reason, size_t reason_size)
{
    Parser *p = alloc_parser(g, reason, reason_size);
    int ret;

    if (!p)
        return AVERROR(ENOMEM);
    p->only = &video;
    ret = parse(p, text);
    if (ret >= 0 && (g->nb_paths != 1 || g->sound)) {
        complexgraph_free(g);
        ret = reason_set(reason, reason_size, "the filters %s have several outputs", text);
    }
    return ret;
}
