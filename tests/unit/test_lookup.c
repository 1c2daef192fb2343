/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/error.h>
#include <libavutil/time.h>

#include "remote/lookup.h"

static pthread_mutex_t lock    = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  changed = PTHREAD_COND_INITIALIZER;
static int             released;

/** In place of the C library's: a name server that does not answer until it is told to. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
    static struct addrinfo found;

    (void)port;
    (void)hints;
    *list = &found;
    if (!strcmp(host, "known"))
        return 0;
    pthread_mutex_lock(&lock);
    while (strcmp(host, "unknown") && !released)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return strcmp(host, "unknown") ? 0 : EAI_NONAME;
}

static int freed;

void freeaddrinfo(struct addrinfo *list)
{
    assert_non_null(list);
    pthread_mutex_lock(&lock);
    freed++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static int look_up(const char *host, int timeout_ms, int wake_fd, struct addrinfo **list, int *gai)
{
    struct addrinfo hints = { 0 };
    Deadline d = deadline_in(timeout_ms, wake_fd);

    return lookup_name(list, gai, host, "22", &hints, &d);
}

static void answers(void **state)
{
    struct addrinfo *list;
    int gai;

    (void)state;
    assert_int_equal(look_up("known", 60000, -1, &list, &gai), 0);
    assert_non_null(list);
    assert_int_equal(look_up("unknown", 60000, -1, &list, &gai), AVERROR(EHOSTUNREACH));
    assert_int_equal(gai, EAI_NONAME);
    assert_null(list);
}

/* Nobody waits for it, and what it finds in the end is freed. */
static void no_answer(void **state)
{
    int64_t start = av_gettime_relative();
    int wake = eventfd(1, EFD_CLOEXEC), gai;
    struct addrinfo *list;

    (void)state;
    assert_int_equal(look_up("slow", 50, -1, &list, &gai), AVERROR(ETIMEDOUT));
    assert_int_equal(look_up("slow", 600000, wake, &list, &gai), AVERROR_EXIT);
    assert_null(list);
    assert_true(av_gettime_relative() - start < 300 * 1000000LL);
    close(wake);
    pthread_mutex_lock(&lock);
    released = 1;
    pthread_cond_broadcast(&changed);
    while (freed < 2)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
