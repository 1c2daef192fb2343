/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_NAMELIST_H
#define FFLEET_NAMELIST_H

/** @file Names in a list. Pure; any thread. */

/**
 * Whether a list that NULL ends has exactly that name, where av_match_name() would overlook upper
 * and lower case.
 */
int namelist_has(const char *const *list, const char *name);

#endif
