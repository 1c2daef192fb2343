/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPLEXNODES_H
#define FFLEET_COMPLEXNODES_H

/**
 * @file
 * The text of a filter graph as nodes, what each of them is and what feeds it; and the state of those who
 * follow them, complex*.c, which alone include this. Knowledge: libavfilter/graphparser.c of FFmpeg 5.1.
 */

#include <libavutil/attributes.h>

#include "../input/inputs.h"
#include "complexgraph.h"
#include "trimjoin.h"

#define MAX_NODES 256
#define MAX_PADS  TRIMJOIN_MAX_PARTS

/** A filter as written. */
typedef struct Node {
    char *text;               ///< "name=arguments"
    char  name[64];
    char *in[MAX_PADS];       ///< labels, without brackets
    char *out[MAX_PADS];
    int   nb_in, nb_out;
    int   follows;            ///< the node before it is its input (",")
    int   used;
    GraphSource source[MAX_PADS]; ///< of inputs that no filter feeds
    int   found[MAX_PADS];        ///< source is set
} Node;

typedef struct Parser {
    Node  nodes[MAX_NODES];
    int   nb_nodes;
    const PlanInput *inputs;
    int   nb_inputs;
    const GraphSource *only;  ///< what the only open input gets, whatever its label is; NULL: there may be more
    GraphSource taken[MAX_SIDES + 1]; ///< by inputs without a label
    int   nb_taken;
    ComplexGraph *graph;
    GraphPath *path;          ///< being followed
    TrimJoin join;            ///< in it
    char *reason;
    size_t reason_size;
} Parser;

/** @param fmt of the sentence @return AVERROR_PATCHWELCOME */
int complexnodes_refuse(Parser *p, const char *fmt, ...) av_printf_format(2, 3);

/** Take the text apart. @return 0 or an AVERROR code; nodes so far are to be freed in any case */
int complexnodes_read(Parser *p, const char *text);
void complexnodes_free(Parser *p);

int complexnodes_is_concat(const Node *n);
int complexnodes_is_sound(const Node *n);
/** Whether it is a concat of pictures with their sound: then its inputs and outputs take turns. */
int complexnodes_is_mixed(const Node *n);
/** The filter whose output has that label, or NULL: it is an input's, or nobody's. */
Node *complexnodes_find_maker(Parser *p, const char *label);

int complexnodes_is_split(const Node *n);
/** `split` must have as many labels as outputs: what is left over would have none. */
int complexnodes_split_fits(const Node *n);
/** The filter that feeds an input of n, or the stream that does. *from: NULL then. @return 0 or an AVERROR code */
int complexnodes_find_feed(Parser *p, Node *n, int pad, Node **from, GraphSource *source);
/** How often the graph takes a stream, as far as that was asked. */
int complexnodes_count_inputs(Parser *p);

#endif
