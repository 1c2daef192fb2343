/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ProxyUseFdpass. Called with "pass" or "say" this program is the proxy. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/error.h>

#include "remote/sshdial.h"

/** Hand over one end of a connection; its other end says "hello". */
static int pass(void)
{
    union {
        struct cmsghdr align;
        char           room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct iovec  iov = { "", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || write(pair[1], "hello", 5) != 5)
        return 1;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type  = SCM_RIGHTS;
    c->cmsg_len   = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), pair, sizeof(int));
    return sendmsg(STDOUT_FILENO, &msg, 0) != 1;
}

static int dial(SshLink *link, const char *how, int passes, char *why, size_t size)
{
    char self[400] = "", command[450];
    SshConfig cfg = { .proxycommand = command, .proxy_passes = passes };
    Deadline d = deadline_in(10000, -1);

    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    snprintf(command, sizeof(command), "'%s' %s", self, how);
    return ssh_dial(link, &cfg, &d, why, size);
}

static void a_passed_connection_is_taken(void **state)
{
    Deadline d = deadline_in(10000, -1);
    char why[200], buf[16];
    SshLink link;

    (void)state;
    assert_int_equal(dial(&link, "pass", 1, why, sizeof(why)), 0);
    assert_int_equal(deadline_poll(&d, link.fd, POLLIN), 0);
    assert_int_equal(read(link.fd, buf, sizeof(buf)), 5);
    assert_memory_equal(buf, "hello", 5);
    ssh_hangup(&link);
}

static void words_are_no_connection(void **state)
{
    char why[200];
    SshLink link;

    (void)state;
    assert_int_equal(dial(&link, "say", 1, why, sizeof(why)), AVERROR(EHOSTUNREACH));
    assert_non_null(strstr(why, "passed no connection: words"));
    ssh_hangup(&link);
    assert_int_equal(dial(&link, "say", 0, why, sizeof(why)), 0);
    ssh_hangup(&link);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_passed_connection_is_taken),
        cmocka_unit_test(words_are_no_connection),
    };

    if (argc > 1 && !strcmp(argv[1], "pass"))
        return pass();
    if (argc > 1)
        return puts("words") < 0 || fputs("words\n", stderr) < 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
