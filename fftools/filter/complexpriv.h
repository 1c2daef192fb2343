/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPLEXPRIV_H
#define FFLEET_COMPLEXPRIV_H

/**
 * @file
 * The inside of complexgraph_parse(): complexgraph.c reads the text and follows the video,
 * complexfork.c does where it is split and joined again, complexside.c adds pictures,
 * complexsound.c collects the rest. Only these include this.
 */

#include <libavutil/attributes.h>

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
int complexgraph_refuse(Parser *p, const char *fmt, ...) av_printf_format(2, 3);

int complexgraph_is_sound(const Node *n);
/** Whether it is a concat of pictures with their sound: then its inputs and outputs take turns. */
int complexgraph_is_mixed(const Node *n);
/** The filter whose output has that label, or NULL: it is an input's, or nobody's. */
Node *complexgraph_find_maker(Parser *p, const char *label);

int complexgraph_is_split(const Node *n);
/** `split` must have as many labels as outputs: what is left over would have none. */
int complexgraph_split_fits(const Node *n);
/** The filter that feeds an input of n, or the stream that does. *from: NULL then. @return 0 or an AVERROR code */
int complexgraph_find_feed(Parser *p, Node *n, int pad, Node **from, GraphSource *source);

/**
 * Follow the path that ends at a filter, if branches of its main video are joined in it. Sets that
 * video in any case.
 * @return 1; 0: none are; an AVERROR code
 */
int complexfork_follow(Parser *p, Node *last);

/* complexside.c: second inputs */

/** Whether a picture is one that -loop repeats for ever. */
int complexside_is_looped(const Parser *p, GraphSource source);
/** Whether a filter in front of a second input is one that may be there. @return 0 or an AVERROR code */
int complexside_check_filter(Parser *p, const Node *n, int looped);
/** Likewise an overlay with a picture that is repeated. */
int complexside_check_end(Parser *p, const Node *n);
/** Make the source the path's next side, and print its label. @return 0 or an AVERROR code */
int complexside_take(Parser *p, GraphSource source, AVBPrint *linked);
/** Likewise the file of a filter that brings a picture, and nothing else. */
int complexside_take_movie(Parser *p, Node *n, AVBPrint *linked);
int complexside_is_movie(const Node *n);
/**
 * What has two inputs, without what says how one ends that ends before the other. av_malloc'd;
 * NULL: out of memory
 */
char *complexside_without_ends(const Node *n);
/**
 * Add an overlay whose main input is the first.
 * @param plain  gets it as it is judged
 * @param linked gets it with what is in front of its second input
 * @return 0 or an AVERROR code
 */
int complexside_add(Parser *p, Node *n, AVBPrint *plain, AVBPrint *linked);

/** Once all video is followed: set sound, mixes and ends of the graph. @return 0 or an AVERROR code */
int complexgraph_collect_sound(Parser *p);

#endif
