/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "sshpriv.h"

/* Of what the socket does not accept; ssh_write() takes nothing long before that. */
#define OUT_MAX (4 << 20)

int sshpriv_fail(Transport *t, int err, const char *fmt, ...)
{
    SshPriv *p = t->priv;
    size_t used;
    va_list args;

    used = snprintf(t->error, sizeof(t->error), "%s: ", t->host->label);
    used = FFMIN(used, sizeof(t->error) - 1);
    va_start(args, fmt);
    vsnprintf(t->error + used, sizeof(t->error) - used, fmt, args);
    va_end(args);
    for (char *s = t->error; *s; s++)
        if (*s == '\n' || *s == '\r')
            *s = ' ';
    p->up = 0;
    return err;
}

int sshpriv_flush(SshPriv *p)
{
    while (p->out_pos < p->out_end) {
        ssize_t n = send(p->link.fd, p->out + p->out_pos, p->out_end - p->out_pos, MSG_NOSIGNAL);

        if (n >= 0)
            p->out_pos += n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        else if (errno != EINTR)
            return -errno;
    }
    p->out_pos = p->out_end = 0;
    return 0;
}

ssize_t sshpriv_send(libssh2_socket_t fd, const void *buf, size_t len, int flags, void **abstract)
{
    SshPriv *p = *abstract;
    uint8_t *grown;
    ssize_t n = 0;
    int ret;

    (void)flags;
    if (p->stop)
        return -ECONNRESET;
    ret = sshpriv_flush(p);
    if (ret < 0)
        return ret;
    if (!p->out_end) {
        do {
            n = send(fd, buf, len, MSG_NOSIGNAL);
        } while (n < 0 && errno == EINTR);
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return -errno;
        n = FFMAX(n, 0);
    }
    if ((size_t)n < len) {
        if (p->out_end - p->out_pos + len - n > OUT_MAX)
            return -ENOBUFS;
        if (p->out_pos) {
            memmove(p->out, p->out + p->out_pos, p->out_end - p->out_pos);
            p->out_end -= p->out_pos;
            p->out_pos  = 0;
        }
        if (p->out_end + len - n > p->out_alloc) {
            size_t want = FFMAX(2 * p->out_alloc, p->out_end + len - n);

            grown = av_realloc(p->out, want);
            if (!grown)
                return -ENOMEM;
            p->out       = grown;
            p->out_alloc = want;
        }
        memcpy(p->out + p->out_end, (const uint8_t *)buf + n, len - n);
        p->out_end += len - n;
    }
    return len;
}

ssize_t sshpriv_recv(libssh2_socket_t fd, void *buf, size_t len, int flags, void **abstract)
{
    SshPriv *p = *abstract;
    ssize_t n;

    (void)flags;
    if (p->stop)
        return -ECONNRESET;
    /* libssh2 reads on for as long as something comes: lines before the server's version, for one, without end */
    if (!p->up && deadline_check(&p->deadline) < 0)
        return -ETIMEDOUT;
    if (p->up && p->in >= SSHPRIV_IN_ENOUGH)
        return -EAGAIN;
    do {
        n = recv(fd, buf, len, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (p->up) {
        p->in      += n;
        p->in_vain += n;
    }
    return n;
}

size_t sshpriv_waiting(const SshPriv *p)
{
    return p->out_end - p->out_pos;
}

int sshpriv_block(void *opaque)
{
    SshPriv *p = opaque;
    int ret = deadline_poll(&p->deadline, p->link.fd,
                            POLLIN | (sshpriv_waiting(p) ? POLLOUT : 0));

    /* A send error shows at the next call. */
    if (ret >= 0)
        sshpriv_flush(p);
    return ret;
}
