/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "transport.h"

int transport_alloc(Transport **pt, const Host *host, int wake_fd)
{
    Transport *t = av_mallocz(sizeof(*t));

    *pt = NULL;
    if (!t)
        return AVERROR(ENOMEM);
    t->ops     = host->local ? &transport_spawn : &transport_ssh;
    t->host    = host;
    t->wake_fd = wake_fd;
    t->priv    = av_mallocz(t->ops->priv_size);
    if (!t->priv) {
        av_free(t);
        return AVERROR(ENOMEM);
    }
    *pt = t;
    return 0;
}

void transport_free(Transport **pt)
{
    Transport *t = *pt;

    if (!t)
        return;
    t->ops->close(t);
    av_freep(&t->priv);
    av_freep(pt);
}
