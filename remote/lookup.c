/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "lookup.h"
#include "thread.h"

/** Belongs to who asks and to the thread; the last one frees it. */
typedef struct Lookup {
    atomic_int       refs;
    int              done_fd;   ///< readable when it is done
    char            *host, *port;
    struct addrinfo  hints, *list;
    int              gai;
} Lookup;

static void lookup_unref(Lookup *l)
{
    if (atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    if (l->list)
        freeaddrinfo(l->list);
    if (l->done_fd >= 0)
        close(l->done_fd);
    av_free(l->host);
    av_free(l->port);
    av_free(l);
}

static void *lookup_main(void *arg)
{
    Lookup  *l   = arg;
    uint64_t one = 1;

    l->gai = getaddrinfo(l->host, l->port, &l->hints, &l->list);
    if (l->gai)
        l->list = NULL;
    (void)!write(l->done_fd, &one, sizeof(one));
    lookup_unref(l);
    return NULL;
}

static int start_thread(Lookup *l)
{
    int ret;

    atomic_fetch_add(&l->refs, 1);
    ret = thread_start(NULL, lookup_main, l);
    if (ret < 0)
        atomic_fetch_sub(&l->refs, 1);
    return ret;
}

/** Take over what the thread has found. */
static int take_result(Lookup *l, struct addrinfo **list, int *gai)
{
    uint64_t count;

    while (read(l->done_fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
    *gai    = l->gai;
    *list   = l->list;
    l->list = NULL;
    return *gai ? AVERROR(EHOSTUNREACH) : 0;
}

int lookup_name(struct addrinfo **list, int *gai, const char *host, const char *port,
                const struct addrinfo *hints, const Deadline *d)
{
    Lookup *l = av_mallocz(sizeof(*l));
    int     ret;

    *list = NULL;
    *gai  = 0;
    if (!l)
        return AVERROR(ENOMEM);
    atomic_init(&l->refs, 1);
    l->hints   = *hints;
    l->host    = av_strdup(host);
    l->port    = av_strdup(port);
    l->done_fd = eventfd(0, EFD_CLOEXEC);
    ret = l->done_fd < 0 ? AVERROR(errno) : !l->host || !l->port ? AVERROR(ENOMEM) : start_thread(l);
    if (ret >= 0)
        ret = deadline_poll(d, l->done_fd, POLLIN);
    if (ret >= 0)
        ret = take_result(l, list, gai);
    lookup_unref(l);
    return ret;
}
