/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPLEXGRAPH_H
#define FFLEET_COMPLEXGRAPH_H

/**
 * @file
 * -filter_complex taken apart: the paths of video that the fleet can encode, pictures laid over them, and what
 * works on sound and stays here. `split` only tells where paths part: each is its own from its beginning.
 * complexparse.h makes it.
 */

/** A stream of the inputs. */
typedef struct GraphSource {
    int file, index;
} GraphSource;

#define MAX_SIDES 4
#define MAX_PATHS 8
#define MAX_SOURCES 8

/** From a stream to one of the graph's outputs. */
typedef struct GraphPath {
    GraphSource main;             ///< what the path begins with
    GraphSource sides[MAX_SIDES]; ///< of filters with a second input, in order
    int   nb_sides;
    char *side_files[MAX_SIDES];  ///< of the filter `movie`, then the side is no input; NULL: it is one
    int   looped[MAX_SIDES];      ///< whether it is repeated again and again, each with a time of its own
    char *path;                   ///< the filters that the main video goes through, as in -vf
    char *filters;                ///< likewise, but sides are linked in: side n is the label [n+1:v], or
                                  ///< [still{n+1}] where it is looped
    char *join;                   ///< instead of what path has there: parts cut out by trim and put together by concat, but
                                  ///< only what times frames; NULL: none are
    char *before;                 ///< that: the filters of path
    int   nb_judged;              ///< likewise: how much of path that is, with the filters of the first part
    char *spine;                  ///< where branches of the video are joined again: the filters that it goes through by first
                                  ///< inputs, which time frames as all branches do; NULL: nowhere. Path has the filters of
                                  ///< all branches then, one behind another
    int   nb_sources;             ///< likewise: how often filters begin with the video: source n is the label [source{n}], and
                                  ///< what comes first is [source0]
    int   fills_before, fills_behind; ///< filters in front of the first side or join, or behind it, fill up to the input's end
    char *label;                  ///< of what comes out, without brackets; NULL: it has none
} GraphPath;

typedef struct ComplexGraph {
    GraphPath paths[MAX_PATHS];   ///< of video
    int   nb_paths;
    int   nb_inputs;              ///< how often it takes a stream, of whatever kind
    char *sound;                  ///< the rest, which works on sound; NULL: none
    int   mixes;                  ///< of several files into one, or with pictures
    char *ends;                   ///< filters that tell where the sound of each part ends that a path joins, see trimjoin.h;
                                  ///< NULL: no sound counts there
    int   nb_ends;
} ComplexGraph;

void complexgraph_free(ComplexGraph *g);

/** The path to what has that label. @param label NULL: none. @return NULL: there is none */
const GraphPath *complexgraph_find(const ComplexGraph *g, const char *label);

#endif
