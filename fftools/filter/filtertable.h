/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_FILTERTABLE_H
#define FFLEET_FILTERTABLE_H

/**
 * @file
 * What is known by heart of each libavfilter filter, whatever it is told. Constant data; any thread.
 */

/** Ordered from harmless to impossible; a chain is as bad as its worst filter. */
enum FilterTrait {
    FILTER_POINTWISE,   ///< a frame in, a frame out, from that frame alone
    FILTER_READS_T,     ///< pointwise, but needs true timestamps
    FILTER_RETIMING,    ///< drops, repeats or retimes frames, going by their times and order alone
    FILTER_WINDOW,      ///< needs a bounded number of frames before or after
    FILTER_READS_N,     ///< pointwise, but counts frames
    FILTER_FADING,      ///< carries a memory of all earlier frames
    FILTER_WHOLE,       ///< needs, or reports on, the whole stream; or differs from run to run
    FILTER_TIMING,      ///< drops, adds or retimes frames, going by what they show or by a state of its own
    FILTER_MULTI_INPUT, ///< more than one input or output, or link labels
    FILTER_SOURCE,      ///< makes or swallows frames
    FILTER_AUDIO,       ///< works on sound
    FILTER_UNKNOWN,     ///< not in the table, or a text that cannot be parsed
};

enum {
    FILTER_NEEDS_FILE   = 1 << 0, ///< reads or writes a file or plugin of this machine
    FILTER_NEEDS_FONT   = 1 << 1, ///< draws with a font of the machine it runs on
    FILTER_NEEDS_DEVICE = 1 << 2, ///< runs on a GPU
    FILTER_SHIPS_FILE   = 1 << 3, ///< reads a file that can travel, see filterfiles.h
    FILTER_JOINS        = 1 << 4, ///< makes a frame of those that its inputs have at the same time, and of nothing else
};

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

/** The trait of a filter with harmless options. @param flags FILTER_NEEDS_* and other bits; may be NULL */
enum FilterTrait filtertable_trait(const char *name, int *flags);

/** The next rule for a filter. @param after NULL: the first. @return NULL: no more */
const FilterRule *filtertable_rule(const FilterRule *after, const char *filter);

/** Whether a rule applies. @param value the option's value, NULL when it was not given */
int filtertable_rule_hits(const FilterRule *rule, const char *value);

#endif
