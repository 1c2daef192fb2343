/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run a command on a host through a Transport:
 *
 *     transport_run [-t CONNECT_MS] [-k BYTES] [-w MS] HOST COMMAND
 *
 * stdin, stdout and stderr are the command's; the exit status is the command's, too.
 * Failures of the transport: one line "transport_run: ERROR: sentence" on stderr, exit 255.
 *  -t  give connecting so long (10,000)
 *  -k  cancel the command after BYTES of its stdout; exit 99
 *  -w  make wake_fd readable after MS
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <libavutil/error.h>
#include <libavutil/macros.h>

#include "remote/transport.h"
#include "remote/writeall.h"

#define CHUNK 65536

typedef struct Run {
    Transport *t;
    uint8_t    in[CHUNK];
    size_t     in_pos, in_end;
    int        in_eof;        ///< 1: our stdin ended; 2: told the command
    int        out_open[3];
    long       cancel_after;  ///< -1: never
    long       got;
} Run;

/* @return 1: something was done, 0: not, or an AVERROR code */
static int pump_out(Run *r, enum TransportStream which)
{
    static uint8_t buf[CHUNK];
    ssize_t n;

    if (!r->out_open[which])
        return 0;
    n = r->t->ops->read(r->t, which, buf, sizeof(buf));
    if (n == AVERROR(EAGAIN))
        return 0;
    if (n < 0)
        return n;
    if (!n)
        r->out_open[which] = 0;
    if (which == TRANSPORT_STDOUT)
        r->got += n;
    return n ? write_all(which, buf, n) < 0 ? AVERROR(EPIPE) : 1 : 1;
}

static int fill_in(Run *r)
{
    struct pollfd fd = { 0, POLLIN, 0 };
    ssize_t n;

    if (r->in_eof || r->in_pos < r->in_end || poll(&fd, 1, 0) <= 0)
        return 0;
    n = read(0, r->in, sizeof(r->in));
    r->in_pos = 0;
    r->in_end = n > 0 ? n : 0;
    r->in_eof = n <= 0;
    return 1;
}

static int pump_in(Run *r)
{
    const TransportOps *ops = r->t->ops;
    int done = fill_in(r);

    if (r->in_pos < r->in_end) {
        ssize_t n = ops->write(r->t, r->in + r->in_pos, r->in_end - r->in_pos);

        if (n == AVERROR(EPIPE)) {
            fprintf(stderr, "EPIPE\n");
            r->in_pos = r->in_end = 0;
            r->in_eof = 2;
            return 1;
        }
        if (n < 0)
            return n == AVERROR(EAGAIN) ? done : n;
        r->in_pos += n;
        return 1;
    }
    if (r->in_eof == 1) {
        int ret = ops->write_eof(r->t);

        if (ret < 0)
            return ret == AVERROR(EAGAIN) ? done : ret;
        r->in_eof = 2;
        return 1;
    }
    return done;
}

static int transfer(Run *r)
{
    while (r->out_open[TRANSPORT_STDOUT] || r->out_open[TRANSPORT_STDERR]) {
        int a = pump_in(r), b = 0, c = 0, ret;

        if (a >= 0)
            b = pump_out(r, TRANSPORT_STDOUT);
        if (b >= 0)
            c = pump_out(r, TRANSPORT_STDERR);
        if (a < 0 || b < 0 || c < 0)
            return a < 0 ? a : b < 0 ? b : c;
        if (r->cancel_after >= 0 && r->got >= r->cancel_after) {
            r->t->ops->cancel(r->t);
            return 1;
        }
        if (a || b || c)
            continue;
        /* Our own stdin is not among what wait() waits for. */
        ret = r->t->ops->wait(r->t, r->in_pos < r->in_end, r->in_eof ? 5000 : 10);
        if (ret < 0)
            return ret;
    }
    /* What is left for a command that has ended gets its EPIPE. */
    return FFMIN(pump_in(r), 0);
}

static int run(Run *r, const char *command, int timeout_ms, int *status)
{
    const TransportOps *ops = r->t->ops;
    int ret = ops->connect(r->t, timeout_ms);

    if (ret < 0)
        return ret;
    while ((ret = ops->exec(r->t, command)) == AVERROR(EAGAIN))
        ops->wait(r->t, 0, 5000);
    if (ret >= 0)
        ret = transfer(r);
    if (ret) {
        *status = 99;
        return ret < 0 ? ret : 0;
    }
    while ((ret = ops->exit_status(r->t, status)) == AVERROR(EAGAIN))
        ops->wait(r->t, 0, 5000);
    return ret;
}

static int wake_after(int ms)
{
    struct itimerspec at = { .it_value = { ms / 1000, ms % 1000 * 1000000L + 1 } };
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    if (fd >= 0)
        timerfd_settime(fd, 0, &at, NULL);
    return fd;
}

int main(int argc, char **argv)
{
    static Run r = { .out_open = { 0, 1, 1 }, .cancel_after = -1 };
    int opt, ret, timeout_ms = 10000, wake_fd = -1, status = 255;
    HostList list = { 0 };
    char err[512];

    while ((opt = getopt(argc, argv, "t:k:w:")) != -1) {
        if (opt == 't')
            timeout_ms = atoi(optarg);
        else if (opt == 'k')
            r.cancel_after = atol(optarg);
        else if (opt == 'w')
            wake_fd = wake_after(atoi(optarg));
    }
    if (argc - optind != 2 || hosts_parse(&list, argv[optind], "HOST", err, sizeof(err)) < 0 ||
        list.nb_hosts != 1) {
        fprintf(stderr, "usage: transport_run [-t MS] [-k BYTES] [-w MS] HOST COMMAND\n");
        hosts_free(&list);
        return 254;
    }
    ret = transport_alloc(&r.t, &list.hosts[0], wake_fd);
    if (ret >= 0)
        ret = run(&r, argv[optind + 1], timeout_ms, &status);
    if (ret < 0) {
        fprintf(stderr, "transport_run: %s: %s\n", av_err2str(ret), r.t ? r.t->error : "");
        status = 255;
    }
    transport_free(&r.t);
    hosts_free(&list);
    if (wake_fd >= 0)
        close(wake_fd);
    return status;
}
