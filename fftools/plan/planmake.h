/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PLANMAKE_H
#define FFLEET_PLANMAKE_H

/**
 * @file
 * Command to plan: opens and probes the inputs, writes nothing. Each decision is one function that may
 * give the reason for stock, see plandecide.h.
 */

#include "plan.h"

/**
 * @param cmd has to live as long as the plan
 * @return 0 with a plan or a chain of them (the first one's reason says which kind), or AVERROR(ENOMEM)
 */
int plan_make(Plan **p, const Command *cmd);

#endif
