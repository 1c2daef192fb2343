/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/mem.h>

#include "../command/filterargs.h"
#include "../input/decoding.h"
#include "../reason.h"
#include "complexpriv.h"
#include "filtertraits.h"

int complexgraph_refuse(Parser *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->reason, p->reason_size, fmt, ap);
    va_end(ap);
    return AVERROR_PATCHWELCOME;
}

/* ---- reading ---- */

static int read_labels(Parser *p, const char **s, char **labels, int *nb)
{
    for (*s += strspn(*s, FILTER_BLANKS); **s == '['; *s += strspn(*s, FILTER_BLANKS)) {
        const char *end = strchr(*s, ']');

        if (!end)
            return complexgraph_refuse(p, "the filter graph cannot be parsed at '%s'", *s);
        if (*nb == MAX_PADS)
            return complexgraph_refuse(p, "the filter graph has a filter with many links (%s)", *s);
        labels[*nb] = av_strndup(*s + 1, end - *s - 1);
        if (!labels[(*nb)++])
            return AVERROR(ENOMEM);
        *s = end + 1;
    }
    return 0;
}

/** Whether each of its outputs has a label: then what comes behind a comma is not fed by it, unless by that. */
static int labels_all(const Node *n)
{
    return n->nb_out && (complexgraph_is_split(n) ? complexgraph_split_fits(n) :
                         avfilter_filter_pad_count(avfilter_get_by_name(n->name), 1) == (unsigned)n->nb_out);
}

static int read_node(Parser *p, const char **s, int follows)
{
    Node *n = &p->nodes[p->nb_nodes];
    const char *end;
    int ret;

    if (p->nb_nodes == MAX_NODES)
        return complexgraph_refuse(p, "the filter graph is very long");
    p->nb_nodes++;
    n->follows = follows && !labels_all(n - 1);
    ret = read_labels(p, s, n->in, &n->nb_in);
    if (ret < 0)
        return ret;
    end = filterargs_skip(*s, "[,;");
    n->text = av_strndup(*s, end - *s);
    if (!n->text)
        return AVERROR(ENOMEM);
    av_strlcpy(n->name, n->text, FFMIN(sizeof(n->name), strcspn(n->text, "=@" FILTER_BLANKS) + 1));
    if (!avfilter_get_by_name(n->name))
        return complexgraph_refuse(p, "the filter graph has an unknown filter '%s'", n->name);
    *s = end;
    if (n->follows && (n->nb_in || n[-1].nb_out))
        return complexgraph_refuse(p, "the filter graph links '%s' in two ways", n->name);
    return read_labels(p, s, n->out, &n->nb_out);
}

static int read_graph(Parser *p, const char *s)
{
    int follows = 0;

    for (s += strspn(s, FILTER_BLANKS); *s; s += strspn(s, FILTER_BLANKS)) {
        int ret = read_node(p, &s, follows);

        if (ret < 0)
            return ret;
        if (*s && *s != ',' && *s != ';')
            return complexgraph_refuse(p, "the filter graph cannot be parsed at '%s'", s);
        follows = *s == ',';
        s += !!*s;
    }
    return p->nb_nodes ? 0 : complexgraph_refuse(p, "the filter graph is empty");
}

/* ---- following the links ---- */

static int is_concat(const Node *n)
{
    return !strcmp(n->name, "concat");
}

int complexgraph_is_sound(const Node *n)
{
    int nb, video, audio;

    if (is_concat(n))
        return trimjoin_read_concat(n->text, &nb, &video, &audio) >= 0 && !video;
    return filter_trait(n->name, NULL) == FILTER_AUDIO;
}

int complexgraph_is_mixed(const Node *n)
{
    int nb, video, audio;

    return is_concat(n) && trimjoin_read_concat(n->text, &nb, &video, &audio) >= 0 && video == 1 && audio == 1;
}

static int takes_sound(const Node *n, int pad)
{
    return complexgraph_is_mixed(n) ? pad & 1 : complexgraph_is_sound(n);
}

/** @param label of the output; NULL: it has none */
static int gives_sound(const Node *n, const char *label)
{
    if (!complexgraph_is_mixed(n))
        return complexgraph_is_sound(n);
    return label && n->nb_out == 2 && !strcmp(n->out[1], label);
}

Node *complexgraph_find_maker(Parser *p, const char *label)
{
    for (int i = 0; i < p->nb_nodes; i++)
        for (int k = 0; k < p->nodes[i].nb_out; k++)
            if (!strcmp(p->nodes[i].out[k], label))
                return &p->nodes[i];
    return NULL;
}

int complexgraph_is_split(const Node *n)
{
    return !strcmp(n->name, "split");
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

/** "0:v", "1:v:0", "0": as -map takes them; the first match counts. */
static int find_labelled(Parser *p, const char *label, GraphSource *source)
{
    char *tail;
    long file = strtol(label, &tail, 10);
    AVFormatContext *ic;

    if (tail == label || file < 0 || file >= p->nb_inputs || (*tail && *tail != ':'))
        return complexgraph_refuse(p, "the filter graph has an open input [%s]", label);
    ic = p->inputs[file].fc;
    for (unsigned i = 0; i < ic->nb_streams; i++)
        if (ic->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
            !decoding_is_disabled(&p->inputs[file], ic->streams[i]) &&
            avformat_match_stream_specifier(ic, ic->streams[i], *tail ? tail + 1 : "") > 0) {
            *source = (GraphSource) { file, i };
            return 0;
        }
    return complexgraph_refuse(p, "the filter graph's input [%s] is no video stream", label);
}

/** The first stream that no other input has taken. */
static int find_unlabelled(Parser *p, GraphSource *source)
{
    for (int f = 0; f < p->nb_inputs; f++)
        for (unsigned i = 0; i < p->inputs[f].fc->nb_streams; i++) {
            const AVStream *st = p->inputs[f].fc->streams[i];
            int taken = st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO || decoding_is_disabled(&p->inputs[f], st);

            for (int k = 0; k < p->nb_taken; k++)
                taken |= p->taken[k].file == f && p->taken[k].index == (int)i;
            if (!taken) {
                *source = (GraphSource) { f, i };
                return 0;
            }
        }
    return complexgraph_refuse(p, "the filter graph has more inputs than there are video streams");
}

/** The one open input of a graph that has no other. */
static int take_only(Parser *p, GraphSource *source)
{
    *source = *p->only;
    return p->nb_taken ? complexgraph_refuse(p, "the filters take several inputs") : 0;
}

int complexgraph_find_feed(Parser *p, Node *n, int pad, Node **from, GraphSource *source)
{
    int ret;

    *from = NULL;
    if (n->follows && !pad) {
        *from = n - 1;
        return 0;
    }
    if (pad < n->nb_in) {
        *from = complexgraph_find_maker(p, n->in[pad]);
        if (*from)
            return 0;
    }
    if (filter_trait(n->name, NULL) == FILTER_SOURCE)
        return complexgraph_refuse(p, "the filter '%s' is a source or a sink", n->name);
    if (n->found[pad]) {
        *source = n->source[pad];
        return 0;
    }
    ret = p->only ? take_only(p, source) :
          pad < n->nb_in ? find_labelled(p, n->in[pad], source) : find_unlabelled(p, source);
    if (ret >= 0 && p->nb_taken <= MAX_SIDES)
        p->taken[p->nb_taken++] = *source;
    n->source[pad] = *source;
    n->found[pad]  = ret >= 0;
    return ret;
}

int complexgraph_split_fits(const Node *n)
{
    const char *value = strchr(n->text, '=');
    int nb = 2;

    if (value) {
        av_strstart(++value, "outputs=", &value);
        nb = strtol(value, NULL, 10);
    }
    return nb == n->nb_out;
}

/** One part: from concat's input back to where the video is split. @param text gets its filters */
static int follow_part(Parser *p, Node *concat, int pad, Node **root, GraphSource *source, AVBPrint *text)
{
    Node *part[MAX_NODES], *from;
    int nb = 0, ret = complexgraph_find_feed(p, concat, pad, &from, source);

    for (; ret >= 0 && from && !complexgraph_is_split(from); ret = complexgraph_find_feed(p, from, 0, &from, source)) {
        if (from->used || nb == MAX_NODES || from->nb_out > 1 ||
            avfilter_filter_pad_count(avfilter_get_by_name(from->name), 0) != 1)
            return complexgraph_refuse(p, "the filter graph's concat has a part that goes through '%s'", from->name);
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
    const Node *sound = audio ? complexgraph_find_maker(p, concat->in[pad + 1]) : NULL;
    AVBPrint text;
    int ret;

    if (audio && !sound)
        return complexgraph_refuse(p, "the filter graph's concat takes a sound as it is");
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
        return complexgraph_refuse(p, "the filter graph's '%s' is not one that is split yet", concat->text);
    for (int i = 0; ret >= 0 && i < nb; i++) {
        Node *root = NULL;

        ret = follow_pads(p, concat, i, audio, &root, &source, &wrong);
        if (ret >= 0 && i && (root != *from || (!root && (source.file != main->file || source.index != main->index))))
            ret = complexgraph_refuse(p, "the filter graph's concat puts several videos together");
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

        if (complexgraph_is_split(n) ? !complexgraph_split_fits(n) : n->nb_out > 1 + complexgraph_is_mixed(n))
            return complexgraph_refuse(p, "the filter graph's '%s' has several outputs", n->name);
        if (steps++ == MAX_NODES)
            return complexgraph_refuse(p, "the filter graph's '%s' feeds itself", n->name);
        n->used = 1;
        if (!complexgraph_is_split(n))
            path[(*nb)++] = n;
        ret = is_concat(n) ? follow_concat(p, n, &from) : complexgraph_find_feed(p, n, 0, &from, &p->path->main);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/** A filter of a path, as it is judged and as it is linked. */
static int add_filter(Parser *p, Node *n, AVBPrint *plain, AVBPrint *linked)
{
    const AVFilter *f = avfilter_get_by_name(n->name);

    if (is_concat(n)) {
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
        return complexgraph_refuse(p, "the filter '%s' has more than one input or output", f->name);
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
        return complexgraph_refuse(p, "the filter graph makes very many videos");
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
        ret = complexgraph_refuse(p, "the filter graph puts parts together, and lays something over them");
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
            return complexgraph_refuse(p, "the filter graph mixes sound and video ('%s')", n->name);
        for (int k = 0; k < n->nb_in; k++) {
            const Node *maker = complexgraph_find_maker(p, n->in[k]);

            if (maker && gives_sound(maker, n->in[k]) != takes_sound(n, k))
                return complexgraph_refuse(p, "the filter graph mixes sound and video ('%s')", n->name);
        }
        if (!complexgraph_is_sound(n) && (ret = follow_ends(p, n)) < 0)
            return ret;
    }
    if (p->graph->nb_paths > 1 && complexgraph_find(p->graph, NULL))
        return complexgraph_refuse(p, "the filter graph makes several videos, not all with a label");
    for (int i = 0; i < p->nb_nodes; i++)
        if (!complexgraph_is_sound(&p->nodes[i]) && !p->nodes[i].used)
            return complexgraph_refuse(p, "the filter graph's '%s' leads nowhere", p->nodes[i].name);
    return complexgraph_collect_sound(p);
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

static int count_inputs(Parser *p)
{
    int nb = 0;

    for (int i = 0; i < p->nb_nodes; i++)
        for (int pad = 0; pad < MAX_PADS; pad++) {
            const Node *n = &p->nodes[i];

            nb += pad < n->nb_in ? !complexgraph_find_maker(p, n->in[pad]) : n->found[pad];
        }
    return nb;
}

/** @param p freed */
static int parse(Parser *p, const char *text)
{
    ComplexGraph *g = p->graph;
    int ret = read_graph(p, text);

    if (ret >= 0)
        ret = take_apart(p);
    if (ret >= 0) {
        p->reason[0] = 0;
        g->nb_inputs = count_inputs(p);
    }
    for (int i = 0; i < p->nb_nodes; i++) {
        av_freep(&p->nodes[i].text);
        for (int k = 0; k < MAX_PADS; k++) {
            av_freep(&p->nodes[i].in[k]);
            av_freep(&p->nodes[i].out[k]);
        }
    }
    trimjoin_free(&p->join);
    av_free(p);
    if (ret < 0)
        complexgraph_free(g);
    return ret;
}

int complexgraph_parse(ComplexGraph *g, const char *text, const PlanInput *inputs, int nb_inputs,
                       char *reason, size_t reason_size)
{
    Parser *p = alloc_parser(g, reason, reason_size);

    if (!p)
        return AVERROR(ENOMEM);
    p->inputs    = inputs;
    p->nb_inputs = nb_inputs;
    return parse(p, text);
}

int complexgraph_parse_simple(ComplexGraph *g, const char *text, GraphSource video, char *reason, size_t reason_size)
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

void complexgraph_free(ComplexGraph *g)
{
    for (int i = 0; i < g->nb_paths; i++) {
        av_freep(&g->paths[i].path);
        av_freep(&g->paths[i].filters);
        av_freep(&g->paths[i].before);
        av_freep(&g->paths[i].join);
        av_freep(&g->paths[i].spine);
        for (int k = 0; k < MAX_SIDES; k++)
            av_freep(&g->paths[i].side_files[k]);
        av_freep(&g->paths[i].label);
    }
    g->nb_paths = 0;
    av_freep(&g->sound);
    av_freep(&g->ends);
}

const GraphPath *complexgraph_find(const ComplexGraph *g, const char *label)
{
    for (int i = 0; i < g->nb_paths; i++) {
        const char *l = g->paths[i].label;

        if (label ? l && !strcmp(l, label) : !l)
            return &g->paths[i];
    }
    return NULL;
}
