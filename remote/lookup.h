/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_LOOKUP_H
#define FFLEET_LOOKUP_H

/**
 * @file
 * The addresses of a name, without being held up by a name server that does not answer.
 */

#include <netdb.h>

#include "deadline.h"

/**
 * getaddrinfo() until a deadline. What it has begun goes on in a thread of its own, which nobody waits for.
 * @param list to be freed with freeaddrinfo(); NULL after an error
 * @param gai  gets what getaddrinfo() returned; 0 for any other error
 * @return 0; AVERROR(EHOSTUNREACH) and *gai; AVERROR(ETIMEDOUT), AVERROR_EXIT, or another AVERROR code
 */
int lookup_name(struct addrinfo **list, int *gai, const char *host, const char *port,
                const struct addrinfo *hints, const Deadline *d);

#endif
