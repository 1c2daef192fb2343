/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What no honest server does, which no server at hand can be made to do: its packets are made up here, below or in
 * place of libssh2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "remote/ssh.c"

static unsigned long queued;     ///< bytes of the channel that wait in libssh2

int libssh2_channel_eof(LIBSSH2_CHANNEL *channel)
{
    (void)channel;
    return 0;
}

unsigned long libssh2_channel_window_read_ex(LIBSSH2_CHANNEL *channel, unsigned long *avail,
                                             unsigned long *initial)
{
    (void)channel;
    (void)initial;
    *avail = queued;
    return WINDOW;
}

ssize_t libssh2_channel_read_ex(LIBSSH2_CHANNEL *channel, int stream, char *buf, size_t size)
{
    (void)channel;
    (void)stream;
    *buf = 'x';
    return size && queued > 1000 ? 1 : LIBSSH2_ERROR_EAGAIN;
}

typedef struct Test {
    Host      host;
    SshPriv   p;
    Transport t;
    int       peer;
} Test;

/** A connection on which a command runs. */
static void connected(Test *c)
{
    int fds[2];

    memset(c, 0, sizeof(*c));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    c->host.label = (char *)"h1";
    c->t = (Transport) { .ops = &transport_ssh, .host = &c->host, .wake_fd = -1, .priv = &c->p };
    c->p.link.fd = fds[0];
    c->p.opened  = c->p.up = c->p.running = 1;
    c->peer      = fds[1];
    queued       = 0;
}

static void disconnect(Test *c)
{
    close(c->p.link.fd);
    close(c->peer);
}

/** As libssh2 does: for as long as something comes. @return bytes; the peer sends on all the while */
static int64_t read_on(Test *c, int64_t most)
{
    static uint8_t buf[16384];
    void *opaque = &c->p;
    int64_t got = 0;
    ssize_t n;

    do {
        send(c->peer, buf, sizeof(buf), MSG_DONTWAIT);
        n = sshpriv_recv(c->p.link.fd, buf, sizeof(buf), 0, &opaque);
        got += FFMAX(n, 0);
    } while (n > 0 && got < most);
    return got;
}

static void a_flood_does_not_hold_up_a_call(void **state)
{
    Test c;

    (void)state;
    connected(&c);
    assert_in_range(read_on(&c, 4 * SSHPRIV_IN_ENOUGH), SSHPRIV_IN_ENOUGH, SSHPRIV_IN_ENOUGH + 16384);
    assert_int_equal(read_on(&c, 1), 0);
    assert_int_equal(ssh_wait(&c.t, 0, 1000), 0);
    assert_in_range(read_on(&c, 4 * SSHPRIV_IN_ENOUGH), SSHPRIV_IN_ENOUGH, SSHPRIV_IN_ENOUGH + 16384);
    disconnect(&c);
}

static void a_flood_ends_the_connection(void **state)
{
    Test c;
    int64_t got = 0;
    int ret = 0;

    (void)state;
    connected(&c);
    while (ret >= 0 && got < 2 * IN_MAX) {
        got += read_on(&c, SSHPRIV_IN_ENOUGH);
        ret  = ssh_wait(&c.t, 0, 0);
    }
    assert_int_equal(ret, AVERROR(EIO));
    assert_in_range(got, IN_MAX, IN_MAX + 2 * SSHPRIV_IN_ENOUGH);
    assert_non_null(strstr(c.t.error, "h1: connection lost: it sends without end"));
    assert_false(ssh_connected(&c.t));
    disconnect(&c);
}

/** How long so many turns of a caller take that reads what there is, milliseconds */
static int64_t turns(Test *c, int nb)
{
    struct timespec a, b;
    uint8_t byte;

    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < nb; i++) {
        ssh_read(&c->t, TRANSPORT_STDOUT, &byte, 1);
        assert_int_equal(ssh_wait(&c->t, 0, 1000), 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
}

static void what_nobody_reads_keeps_nobody_busy(void **state)
{
    Test c;

    (void)state;
    connected(&c);
    queued = 1;         /* of a type of extended data that nobody knows */
    assert_in_range(turns(&c, MAX_SPINS + 10), 10 * SPIN_MS - 10, 100000);
    queued = 100000;    /* of the command's output */
    assert_in_range(turns(&c, 10000), 0, 10000);
    assert_int_equal(c.p.spins, 1);
    disconnect(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_does_not_hold_up_a_call),
        cmocka_unit_test(a_flood_ends_the_connection),
        cmocka_unit_test(what_nobody_reads_keeps_nobody_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
