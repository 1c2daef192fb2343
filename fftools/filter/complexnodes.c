/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>
#include <libavutil/mem.h>

#include "../command/filterargs.h"
#include "../input/decoding.h"
#include "complexnodes.h"
#include "filtertable.h"

int complexnodes_refuse(Parser *p, const char *fmt, ...)
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
            return complexnodes_refuse(p, "the filter graph cannot be parsed at '%s'", *s);
        if (*nb == MAX_PADS)
            return complexnodes_refuse(p, "the filter graph has a filter with many links (%s)", *s);
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
    return n->nb_out && (complexnodes_is_split(n) ? complexnodes_split_fits(n) :
                         avfilter_filter_pad_count(avfilter_get_by_name(n->name), 1) == (unsigned)n->nb_out);
}

static int read_node(Parser *p, const char **s, int follows)
{
    Node *n = &p->nodes[p->nb_nodes];
    const char *end;
    int ret;

    if (p->nb_nodes == MAX_NODES)
        return complexnodes_refuse(p, "the filter graph is very long");
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
        return complexnodes_refuse(p, "the filter graph has an unknown filter '%s'", n->name);
    *s = end;
    if (n->follows && (n->nb_in || n[-1].nb_out))
        return complexnodes_refuse(p, "the filter graph links '%s' in two ways", n->name);
    return read_labels(p, s, n->out, &n->nb_out);
}

int complexnodes_read(Parser *p, const char *s)
{
    int follows = 0;

    for (s += strspn(s, FILTER_BLANKS); *s; s += strspn(s, FILTER_BLANKS)) {
        int ret = read_node(p, &s, follows);

        if (ret < 0)
            return ret;
        if (*s && *s != ',' && *s != ';')
            return complexnodes_refuse(p, "the filter graph cannot be parsed at '%s'", s);
        follows = *s == ',';
        s += !!*s;
    }
    return p->nb_nodes ? 0 : complexnodes_refuse(p, "the filter graph is empty");
}

/* ---- what a node is ---- */

int complexnodes_is_concat(const Node *n)
{
    return !strcmp(n->name, "concat");
}

int complexnodes_is_sound(const Node *n)
{
    int nb, video, audio;

    if (complexnodes_is_concat(n))
        return trimjoin_read_concat(n->text, &nb, &video, &audio) >= 0 && !video;
    return filtertable_trait(n->name, NULL) == FILTER_AUDIO;
}

int complexnodes_is_mixed(const Node *n)
{
    int nb, video, audio;

    return complexnodes_is_concat(n) && trimjoin_read_concat(n->text, &nb, &video, &audio) >= 0 &&
           video == 1 && audio == 1;
}

int complexnodes_is_split(const Node *n)
{
    return !strcmp(n->name, "split");
}

int complexnodes_split_fits(const Node *n)
{
    const char *value = strchr(n->text, '=');
    int nb = 2;

    if (value) {
        av_strstart(++value, "outputs=", &value);
        nb = strtol(value, NULL, 10);
    }
    return nb == n->nb_out;
}

/* ---- what feeds it ---- */

Node *complexnodes_find_maker(Parser *p, const char *label)
{
    for (int i = 0; i < p->nb_nodes; i++)
        for (int k = 0; k < p->nodes[i].nb_out; k++)
            if (!strcmp(p->nodes[i].out[k], label))
                return &p->nodes[i];
    return NULL;
}

/** "0:v", "1:v:0", "0": as -map takes them; the first match counts. */
static int find_labelled(Parser *p, const char *label, GraphSource *source)
{
    char *tail;
    long file = strtol(label, &tail, 10);
    AVFormatContext *ic;

    if (tail == label || file < 0 || file >= p->nb_inputs || (*tail && *tail != ':'))
        return complexnodes_refuse(p, "the filter graph has an open input [%s]", label);
    ic = p->inputs[file].fc;
    for (unsigned i = 0; i < ic->nb_streams; i++)
        if (ic->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
            !decoding_is_disabled(&p->inputs[file], ic->streams[i]) &&
            avformat_match_stream_specifier(ic, ic->streams[i], *tail ? tail + 1 : "") > 0) {
            *source = (GraphSource) { file, i };
            return 0;
        }
    return complexnodes_refuse(p, "the filter graph's input [%s] is no video stream", label);
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
    return complexnodes_refuse(p, "the filter graph has more inputs than there are video streams");
}

/** The one open input of a graph that has no other. */
static int take_only(Parser *p, GraphSource *source)
{
    *source = *p->only;
    return p->nb_taken ? complexnodes_refuse(p, "the filters take several inputs") : 0;
}

int complexnodes_find_feed(Parser *p, Node *n, int pad, Node **from, GraphSource *source)
{
    int ret;

    *from = NULL;
    if (n->follows && !pad) {
        *from = n - 1;
        return 0;
    }
    if (pad < n->nb_in) {
        *from = complexnodes_find_maker(p, n->in[pad]);
        if (*from)
            return 0;
    }
    if (filtertable_trait(n->name, NULL) == FILTER_SOURCE)
        return complexnodes_refuse(p, "the filter '%s' is a source or a sink", n->name);
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

int complexnodes_count_inputs(Parser *p)
{
    int nb = 0;

    for (int i = 0; i < p->nb_nodes; i++)
        for (int pad = 0; pad < MAX_PADS; pad++) {
            const Node *n = &p->nodes[i];

            nb += pad < n->nb_in ? !complexnodes_find_maker(p, n->in[pad]) : n->found[pad];
        }
    return nb;
}

void complexnodes_free(Parser *p)
{
    for (int i = 0; i < p->nb_nodes; i++) {
        av_freep(&p->nodes[i].text);
        for (int k = 0; k < MAX_PADS; k++) {
            av_freep(&p->nodes[i].in[k]);
            av_freep(&p->nodes[i].out[k]);
        }
    }
}
