/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_EXPLAIN_H
#define FFLEET_EXPLAIN_H

/** @file --explain: the plan in words, on stdout. */

#include "../remote/hosts.h"
#include "plan/plan.h"

/** Reads the input to find the segments; encodes nothing, connects to nobody. @return 0 or an AVERROR code */
int explain_print(const Plan *plan, const HostList *hosts);

#endif
