/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "child.h"
#include "lookup.h"
#include "sshdial.h"

/* A peer that acknowledges nothing for so long is gone. */
#define UNACKED_MS 30000
/* More than that does not wait in the kernel: when an input is written, it has all but arrived. */
#define UNSENT_BYTES (128 << 10)

static int set_options(int fd)
{
    int one = 1, unacked = UNACKED_MS, unsent = UNSENT_BYTES;

    /* Only TCP_NODELAY matters for more than comfort; none is worth failing for. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
#ifdef TCP_USER_TIMEOUT
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
#endif
#ifdef TCP_NOTSENT_LOWAT
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
#endif
    (void)unacked;
    (void)unsent;
    return 0;
}

static int dial_address(int *pfd, const struct addrinfo *ai, const Deadline *d)
{
    int fd, err = 0, ret = 0;
    socklen_t size = sizeof(err);

    fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
    if (fd < 0)
        return AVERROR(errno);
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
        if (errno != EINPROGRESS && errno != EINTR)
            ret = AVERROR(errno);
        else
            ret = deadline_poll(d, fd, POLLOUT);
        if (ret >= 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
            ret = AVERROR(errno);
        else if (ret >= 0)
            ret = AVERROR(err);
    }
    if (ret < 0) {
        close(fd);
        return ret;
    }
    set_options(fd);
    *pfd = fd;
    return 0;
}

static int dial_tcp(SshLink *link, const SshConfig *cfg, const Deadline *d,
                    char *why, size_t why_size)
{
    struct addrinfo hints = { .ai_family = cfg->family, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int ret, gai, left = 0;
    char port[16];

    snprintf(port, sizeof(port), "%d", cfg->port);
    ret = lookup_name(&list, &gai, cfg->hostname, port, &hints, d);
    if (ret < 0) {
        snprintf(why, why_size, "unreachable: cannot find the address of '%s': %s",
                 cfg->hostname, gai ? gai_strerror(gai) : av_err2str(ret));
        return ret;
    }
    for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
        left++;
    ret = AVERROR(EHOSTUNREACH);
    /* The time left is shared fairly, so that one dead address does not use it up. */
    for (struct addrinfo *ai = list; ai && ret < 0 && ret != AVERROR_EXIT; ai = ai->ai_next) {
        Deadline share = deadline_sooner(d, deadline_left(d) / left--);

        ret = dial_address(&link->fd, ai, &share);
    }
    freeaddrinfo(list);
    if (ret == AVERROR(ETIMEDOUT))
        snprintf(why, why_size, "unreachable: %s port %d: timed out", cfg->hostname, cfg->port);
    else if (ret < 0)
        snprintf(why, why_size, "unreachable: %s port %d: %s", cfg->hostname, cfg->port,
                 av_err2str(ret));
    return ret;
}

static int dial_proxy(SshLink *link, const char *const *argv, char *why, size_t why_size)
{
    int pair[2] = { -1, -1 }, err[2] = { -1, -1 };
    int ret = child_socketpair(pair);

    /* Non-blocking at both ends: what the proxy says too much is lost and blocks nobody. */
    if (ret >= 0)
        ret = child_pipe(err, O_NONBLOCK);
    if (ret >= 0 && fcntl(pair[0], F_SETFL, O_RDWR | O_NONBLOCK) < 0)
        ret = AVERROR(errno);
    if (ret >= 0)
        ret = child_spawn(&link->proxy, argv, pair[1], pair[1], err[1]);
    child_close_fd(&pair[1]);
    child_close_fd(&err[1]);
    if (ret < 0) {
        child_close_fd(&pair[0]);
        child_close_fd(&err[0]);
        link->proxy = 0;
        snprintf(why, why_size, "cannot start the proxy '%s': %s", argv[0], av_err2str(ret));
        return ret;
    }
    link->fd        = pair[0];
    link->proxy_err = err[0];
    return 0;
}

/* ProxyJump a,b: through a to b, and from there on. */
static int dial_jump(SshLink *link, const SshConfig *cfg, char *why, size_t why_size)
{
    const char *argv[16], *file = sshconfig_file();
    char *jumps = av_strdup(cfg->proxyjump), *target = NULL, *url = NULL, *last;
    int n = 0, ret = AVERROR(ENOMEM);

    target = av_asprintf("[%s]:%d", cfg->hostname, cfg->port);
    if (!jumps || !target)
        goto end;
    argv[n++] = "ssh";
    if (file) {
        argv[n++] = "-F";
        argv[n++] = file;
    }
    argv[n++] = "-o";
    argv[n++] = "BatchMode=yes";
    last = strrchr(jumps, ',');
    if (last) {
        *last++ = 0;
        argv[n++] = "-J";
        argv[n++] = jumps;
    } else {
        last = jumps;
    }
    argv[n++] = "-W";
    argv[n++] = target;
    argv[n++] = "--";
    if (!strncmp(last, "ssh://", 6) || !strpbrk(last, "@:["))
        argv[n++] = last;
    else
        argv[n++] = url = av_asprintf("ssh://%s", last);
    argv[n] = NULL;
    if (argv[n - 1])
        ret = dial_proxy(link, argv, why, why_size);
end:
    av_free(jumps);
    av_free(target);
    av_free(url);
    return ret;
}

/* The connection that the proxy has made comes with one byte, and takes the place of the line to the proxy. */
static int take_passed(SshLink *link, const Deadline *d)
{
    union {
        struct cmsghdr align;
        char           room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec  iov  = { &byte, 1 };
    struct msghdr msg  = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *c;
    int fd, ret = deadline_poll(d, link->fd, POLLIN);

    if (ret < 0)
        return ret;
    if (recvmsg(link->fd, &msg, MSG_CMSG_CLOEXEC) < 0)
        return AVERROR(errno);
    c = CMSG_FIRSTHDR(&msg);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fd)))
        return AVERROR(EHOSTUNREACH);
    memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    child_close_fd(&link->fd);
    link->fd = fd;
    if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
        return AVERROR(errno);
    return set_options(fd);
}

static int dial_command(SshLink *link, const SshConfig *cfg, const Deadline *d, char *why, size_t why_size)
{
    char *command = av_asprintf("exec %s", cfg->proxycommand), says[256];
    const char *argv[] = { "/bin/sh", "-c", command, NULL };
    int ret = command ? dial_proxy(link, argv, why, why_size) : AVERROR(ENOMEM);

    av_free(command);
    if (ret < 0 || !cfg->proxy_passes)
        return ret;
    ret = take_passed(link, d);
    if (ret < 0) {
        ssh_proxy_says(link, says, sizeof(says));
        snprintf(why, why_size, "unreachable: its proxy passed no connection: %s", *says ? says : av_err2str(ret));
    }
    return ret;
}

int ssh_dial(SshLink *link, const SshConfig *cfg, const Deadline *d, char *why, size_t why_size)
{
    Deadline sooner = *d;

    link->fd = link->proxy_err = -1;
    link->proxy = 0;
    snprintf(why, why_size, "out of memory");
    if (cfg->proxycommand)
        return dial_command(link, cfg, d, why, why_size);
    if (cfg->proxyjump)
        return dial_jump(link, cfg, why, why_size);
    if (cfg->connect_timeout > 0)
        sooner = deadline_sooner(d, FFMIN(cfg->connect_timeout, 3600) * 1000);
    return dial_tcp(link, cfg, &sooner, why, why_size);
}

void ssh_hangup(SshLink *link)
{
    child_close_fd(&link->fd);
    if (link->proxy > 0)
        child_finish(link->proxy, SIGTERM, 200, NULL);
    link->proxy = 0;
    child_close_fd(&link->proxy_err);
}

void ssh_proxy_says(SshLink *link, char *buf, size_t size)
{
    char text[4096], *line;
    ssize_t n;

    *buf = 0;
    if (link->proxy_err < 0)
        return;
    /* It may be just about to write; the socket can close first. */
    for (int i = 0; i < 20 && !child_ended(link->proxy); i++)
        poll(NULL, 0, 10);
    n = read(link->proxy_err, text, sizeof(text) - 1);
    if (n <= 0)
        return;
    while (n && av_isspace(text[n - 1]))
        n--;
    text[n] = 0;
    line = strrchr(text, '\n');
    snprintf(buf, size, "%s", line ? line + 1 : text);
}
