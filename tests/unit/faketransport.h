/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TEST_FAKETRANSPORT_H
#define FFLEET_TEST_FAKETRANSPORT_H

/**
 * @file
 * A transport without a host: its one command is cat. What goes wrong with it is in the host's
 * name: refuse, denied, late (refuses twice), hang (in connect), after (another host's fault),
 * useless (fails the probe), drop, stall, talk, trickle, liar. It also counts calls that break the rules of
 * transport.h. For one test program at a time: its counters are static.
 */

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "remote/transport.h"

#define FAKE_ROOM 50000

typedef struct Fake {
    int      connected, probing, eof;
    uint8_t  data[FAKE_ROOM];
    size_t   size;
    int64_t  total;
    unsigned calls, talks;
    const uint8_t *again;   ///< of a write that has to be repeated
    size_t         again_size;
} Fake;

static atomic_int fake_connects, fake_misuse, fake_open, fake_refusals, fake_faults;

static int is(const Transport *t, const char *fault)
{
    return !!av_stristr(t->host->name, fault);
}

static int fake_wait(Transport *t, int want_write, int timeout_ms)
{
    struct pollfd fd = { .fd = t->wake_fd, .events = POLLIN };

    (void)want_write;
    poll(&fd, 1, is(t, "stall") ? timeout_ms : FFMIN(timeout_ms, 1));
    return 0;
}

static int fake_connect(Transport *t, int timeout_ms)
{
    Fake         *f  = t->priv;
    struct pollfd fd = { .fd = t->wake_fd, .events = POLLIN };

    atomic_fetch_add(&fake_connects, 1);
    if (is(t, "hang")) {
        poll(&fd, 1, timeout_ms);
        return AVERROR_EXIT;
    }
    /* a host that comes only after another one has shown its fault */
    for (int i = 0; is(t, "after") && !atomic_load(&fake_faults) && i < timeout_ms; i++)
        if (poll(&fd, 1, 1) > 0)
            return AVERROR_EXIT;
    if (is(t, "refuse") || (is(t, "late") && atomic_fetch_sub(&fake_refusals, 1) > 0)) {
        snprintf(t->error, sizeof(t->error), "%s: connection refused", t->host->label);
        return AVERROR(ECONNREFUSED);
    }
    if (is(t, "denied"))
        return AVERROR(EACCES);
    f->connected = 1;
    atomic_fetch_add(&fake_open, 1);
    return 0;
}

static int fake_exec(Transport *t, const char *command)
{
    Fake *f = t->priv;

    if (f->calls++ % 2 == 0)
        return AVERROR(EAGAIN);
    f->probing = !strcmp(command, "probe");
    f->size    = f->total = f->eof = 0;
    if (f->probing)
        f->size = av_strlcpy((char *)f->data, "cores 3", sizeof(f->data));
    return 0;
}

static ssize_t fake_write(Transport *t, const uint8_t *buf, size_t size)
{
    Fake  *f = t->priv;
    size_t n = FFMIN(size, FAKE_ROOM - f->size);

    if (f->again && (f->again != buf || f->again_size != size))
        atomic_fetch_add(&fake_misuse, 1);
    if (!size || size > 256 << 10)
        atomic_fetch_add(&fake_misuse, 1);
    f->again      = NULL;
    if (f->calls++ % 2 == 0 || !n || (is(t, "stall") && f->total > 1000)) {
        f->again      = buf;
        f->again_size = size;
        return AVERROR(EAGAIN);
    }
    n = FFMIN(n, 30011);
    memcpy(f->data + f->size, buf, n);
    f->size  += n;
    f->total += n;
    return n;
}

static int fake_write_eof(Transport *t)
{
    Fake *f = t->priv;

    if (f->again)
        atomic_fetch_add(&fake_misuse, 1);
    f->eof = 1;
    return 0;
}

static ssize_t fake_read(Transport *t, enum TransportStream which, uint8_t *buf, size_t size)
{
    Fake  *f = t->priv;
    size_t n = FFMIN(size, f->size);

    if (!f->probing && is(t, "drop") && f->total > 10000) {
        f->connected = 0;
        atomic_fetch_sub(&fake_open, 1);
        atomic_fetch_add(&fake_faults, 1);
        snprintf(t->error, sizeof(t->error), "%s: connection reset", t->host->label);
        return AVERROR(ECONNRESET);
    }
    if (which == TRANSPORT_STDERR && !f->probing && is(t, "talk") && f->talks++ % 2) {
        buf[0] = '\n';
        return 1;
    }
    if (which == TRANSPORT_STDOUT && !f->probing && is(t, "trickle") && f->talks < 20000) {
        buf[0] = 'x';
        return f->talks++ % 2 ? 1 : AVERROR(EAGAIN);
    }
    if (which == TRANSPORT_STDERR)
        return f->eof ? 0 : AVERROR(EAGAIN);
    if (!n || (is(t, "stall") && !f->probing))
        return f->eof && !n ? 0 : AVERROR(EAGAIN);
    memcpy(buf, f->data, n);
    if (is(t, "liar") && !f->probing) {
        buf[n / 2] ^= 1;
        atomic_fetch_add(&fake_faults, 1);
    }
    f->size -= n;
    memmove(f->data, f->data + n, f->size);
    return n;
}

static int fake_exit_status(Transport *t, int *status)
{
    Fake *f = t->priv;

    *status = f->probing ? is(t, "useless") : 0;
    return 0;
}

static void fake_cancel(Transport *t)
{
    (void)t;
}

static int fake_connected(const Transport *t)
{
    return ((const Fake *)t->priv)->connected;
}

static void fake_close(Transport *t)
{
    Fake *f = t->priv;

    if (f->connected)
        atomic_fetch_sub(&fake_open, 1);
    f->connected = 0;
}

static const TransportOps fake_ops = {
    .name = "fake", .priv_size = sizeof(Fake), .connect = fake_connect, .exec = fake_exec,
    .write = fake_write, .write_eof = fake_write_eof, .read = fake_read,
    .exit_status = fake_exit_status, .cancel = fake_cancel, .wait = fake_wait,
    .connected = fake_connected, .close = fake_close,
};

static int any_transport(Transport **t, const Host *host, int wake_fd)
{
    if (host->local)
        return transport_alloc(t, host, wake_fd);
    *t = av_mallocz(sizeof(**t));
    if (!*t)
        return AVERROR(ENOMEM);
    (*t)->ops     = &fake_ops;
    (*t)->host    = host;
    (*t)->wake_fd = wake_fd;
    (*t)->priv    = av_mallocz(sizeof(Fake));
    if ((*t)->priv)
        return 0;
    av_freep(t);
    return AVERROR(ENOMEM);
}

#endif
