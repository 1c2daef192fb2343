/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_HOSTNOTE_H
#define FFLEET_HOSTNOTE_H

/**
 * @file A text that the connections to one host share: what was found out for the first one need
 * not be asked again. Any thread.
 */

typedef struct HostNote HostNote;

/** @return NULL: no memory */
HostNote *hostnote_alloc(void);
void  hostnote_free(HostNote **n);
/** @param n NULL: nothing is kept @return the text, av_malloc'd; NULL: there is none */
char *hostnote_get(HostNote *n);
/** @param text copied; NULL, or without memory for it: forgotten */
void  hostnote_set(HostNote *n, const char *text);

#endif
