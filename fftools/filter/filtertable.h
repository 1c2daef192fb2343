/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERTABLE_H
#define FFLEET_FILTERTABLE_H

/**
 * @file
 * What filtertraits.c knows by heart. Constant data; any thread.
 */

#include "filtertraits.h"

enum {
    FILTERGROUP_EXPR = 1 << 0, ///< its options are expressions that may read t, n, random(), ...
    FILTERGROUP_INIT = 1 << 1, ///< ... evaluated once, unless eval=frame
};

typedef struct FilterGroup {
    enum FilterTrait trait;    ///< with harmless options
    int         how;           ///< FILTERGROUP_*
    int         flags;         ///< FILTER_NEEDS_*
    const char *why;           ///< predicate of a sentence, or NULL
    const char *names;         ///< separated by blanks
} FilterGroup;

/** An option that makes a filter another kind of filter. */
typedef struct FilterRule {
    const char *filter, *option;
    const char *values;        ///< separated by blanks; "" is the empty value
    int         match;         ///< 1: hits if the value is among values; 2: or is a number;
                               ///< 0: if it is not among them; -1: if the option is absent
    enum FilterTrait trait;    ///< takes the place of the group's
    int         flags;         ///< added to the group's
    const char *why;           ///< predicate of a sentence, or NULL
} FilterRule;

/** The group of a filter, or NULL. */
const FilterGroup *filtertable_find(const char *name);

/** The next rule for a filter. @param after NULL: the first. @return NULL: no more */
const FilterRule *filtertable_rule(const FilterRule *after, const char *filter);

/** Whether a rule applies. @param value the option's value, NULL when it was not given */
int filtertable_rule_hits(const FilterRule *rule, const char *value);

#endif
