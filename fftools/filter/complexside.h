/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPLEXSIDE_H
#define FFLEET_COMPLEXSIDE_H

/**
 * @file
 * In complexparse.c's work: second inputs, which are pictures that are laid over the video.
 */

#include <libavutil/bprint.h>

#include "complexnodes.h"

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

#endif
