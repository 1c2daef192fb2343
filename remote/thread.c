/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include <libavutil/error.h>

#include "thread.h"

#define STACK_SIZE (1 << 20)

int thread_start(pthread_t *thread, void *(*func)(void *), void *opaque)
{
    pthread_attr_t attr;
    pthread_t      detached;
    sigset_t       all, old;
    int            ret = pthread_attr_init(&attr);

    if (ret)
        return AVERROR(ret);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    if (!thread)
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    ret = pthread_create(thread ? thread : &detached, &attr, func, opaque);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return AVERROR(ret);
}
