/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>

#include <libavutil/mem.h>

#include "hostnote.h"

struct HostNote {
    pthread_mutex_t lock;
    char           *text;
};

HostNote *hostnote_alloc(void)
{
    HostNote *n = av_mallocz(sizeof(*n));

    if (n)
        pthread_mutex_init(&n->lock, NULL);
    return n;
}

void hostnote_free(HostNote **n)
{
    if (!*n)
        return;
    pthread_mutex_destroy(&(*n)->lock);
    av_freep(&(*n)->text);
    av_freep(n);
}

char *hostnote_get(HostNote *n)
{
    char *text;

    if (!n)
        return NULL;
    pthread_mutex_lock(&n->lock);
    text = n->text ? av_strdup(n->text) : NULL;
    pthread_mutex_unlock(&n->lock);
    return text;
}

void hostnote_set(HostNote *n, const char *text)
{
    if (!n)
        return;
    pthread_mutex_lock(&n->lock);
    av_freep(&n->text);
    if (text)
        n->text = av_strdup(text);
    pthread_mutex_unlock(&n->lock);
}
