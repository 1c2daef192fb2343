/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPLEXFORK_H
#define FFLEET_COMPLEXFORK_H

/**
 * @file
 * In complexparse.c's work: where the video is split and its branches are joined again.
 */

#include "complexnodes.h"

/**
 * Follow the path that ends at a filter, if branches of its main video are joined in it. Sets that
 * video in any case.
 * @return 1; 0: none are; an AVERROR code
 */
int complexfork_follow(Parser *p, Node *last);

#endif
