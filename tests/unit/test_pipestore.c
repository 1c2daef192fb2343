/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/error.h>

#include "../../fftools/input/pipestore.h"

#define SIZE 300000

static int forks_left = -1;

/** Instead of libc's: so many more processes are allowed. */
pid_t fork(void)
{
    pid_t (*real)(void);

    if (!forks_left) {
        errno = EAGAIN;
        return -1;
    }
    forks_left -= forks_left > 0;
    *(void **)&real = dlsym(RTLD_NEXT, "fork");
    return real();
}

static uint8_t byte_at(int i)
{
    return (i * 2654435761u) >> 24;
}

/** A process that writes the input. @param stay it does not end by itself */
static pid_t start_writer(int *read_fd, int size, int stay)
{
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        uint8_t *data = malloc(size);
        int done = 0;

        close(fds[0]);
        for (int i = 0; i < size; i++)
            data[i] = byte_at(i);
        while (done < size) {
            ssize_t n = write(fds[1], data + done, size - done < 7777 ? size - done : 7777);

            if (n <= 0)
                _exit(1);
            done += n;
        }
        if (stay)
            pause();
        _exit(0);
    }
    close(fds[1]);
    *read_fd = fds[0];
    return pid;
}

static void read_some(int fd, int from, int to)
{
    while (from < to) {
        uint8_t buf[5000];
        ssize_t n = read(fd, buf, to - from < 5000 ? to - from : 5000);

        assert_true(n > 0);
        for (int i = 0; i < n; i++)
            assert_int_equal(buf[i], byte_at(from + i));
        from += n;
    }
}

static void assert_end(int fd)
{
    uint8_t c;

    assert_int_equal(read(fd, &c, 1), 0);
}

static void end_feed(PipeFeed **f, int fd)
{
    close(fd);
    pipestore_feed_close(f);
}

static void each_feed_gives_all(void **state)
{
    PipeFeed *a, *b;
    PipeStore *s;
    int in, fa, fb;
    pid_t pid = start_writer(&in, SIZE, 0);

    (void)state;
    assert_int_equal(pipestore_open(&s, in), 0);
    assert_int_equal(pipestore_feed_open(&a, s, &fa), 0);
    read_some(fa, 0, SIZE);
    assert_int_equal(pipestore_feed_open(&b, s, &fb), 0);
    read_some(fb, 0, SIZE);
    assert_end(fa);
    assert_end(fb);
    assert_int_equal(pipestore_error(s), 0);
    end_feed(&a, fa);
    end_feed(&b, fb);
    pipestore_free(&s);
    close(in);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_feed_can_end_early(void **state)
{
    PipeFeed *a, *b;
    PipeStore *s;
    int in, fa, fb;
    pid_t pid = start_writer(&in, SIZE, 1);

    (void)state;
    assert_int_equal(pipestore_open(&s, in), 0);
    assert_int_equal(pipestore_feed_open(&a, s, &fa), 0);
    assert_int_equal(pipestore_feed_open(&b, s, &fb), 0);
    read_some(fa, 0, 1000);
    end_feed(&a, fa);         /* it is about to write */
    read_some(fb, 0, SIZE);
    end_feed(&b, fb);         /* it waits for more */
    pipestore_free(&s);
    close(in);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void stop_ends_a_feed_that_waits(void **state)
{
    PipeFeed *a;
    PipeStore *s;
    int in, fa;
    pid_t pid = start_writer(&in, 1000, 1);

    (void)state;
    assert_int_equal(pipestore_open(&s, in), 0);
    assert_int_equal(pipestore_feed_open(&a, s, &fa), 0);
    read_some(fa, 0, 1000);
    pipestore_stop(s);
    assert_end(fa);
    assert_int_equal(pipestore_error(s), AVERROR_EXIT);
    end_feed(&a, fa);
    pipestore_free(&s);
    close(in);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void replay_gives_what_was_read_and_the_rest(void **state)
{
    PipeFeed *a;
    PipeStore *s;
    int in, fa;
    pid_t pid = start_writer(&in, 4 * SIZE, 0);

    (void)state;
    assert_int_equal(pipestore_open(&s, in), 0);
    assert_int_equal(pipestore_feed_open(&a, s, &fa), 0);
    read_some(fa, 0, SIZE);
    pipestore_stop(s);
    end_feed(&a, fa);
    assert_int_equal(pipestore_replay(s, in), 0);
    read_some(in, 0, 4 * SIZE);
    assert_end(in);
    pipestore_free(&s);
    close(in);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void replay_tells_when_there_cannot_be_a_process(void **state)
{
    PipeStore *s;
    int in, ret;
    pid_t pid = start_writer(&in, 1000, 0);

    (void)state;
    assert_int_equal(pipestore_open(&s, in), 0);
    pipestore_stop(s);
    forks_left = 1;
    ret = pipestore_replay(s, in);
    forks_left = -1;
    assert_int_equal(ret, AVERROR(EAGAIN));
    pipestore_free(&s);
    close(in);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_file_is_left_as_it_is(void **state)
{
    char name[] = "/tmp/test_pipestore.XXXXXX";
    uint8_t data[3000];
    PipeFeed *a;
    PipeStore *s;
    int in = mkstemp(name), fa;

    (void)state;
    assert_true(in >= 0);
    unlink(name);
    for (int i = 0; i < 3000; i++)
        data[i] = byte_at(i - 500);
    assert_int_equal(write(in, data, sizeof(data)), sizeof(data));
    assert_int_equal(lseek(in, 500, SEEK_SET), 500);
    assert_int_equal(pipestore_open(&s, in), 0);
    assert_int_equal(pipestore_feed_open(&a, s, &fa), 0);
    read_some(fa, 0, 2500);
    assert_end(fa);
    end_feed(&a, fa);
    assert_int_equal(pipestore_replay(s, in), 0);
    read_some(in, 0, 2500);
    pipestore_free(&s);
    close(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_feed_gives_all),
        cmocka_unit_test(a_feed_can_end_early),
        cmocka_unit_test(stop_ends_a_feed_that_waits),
        cmocka_unit_test(replay_gives_what_was_read_and_the_rest),
        cmocka_unit_test(replay_tells_when_there_cannot_be_a_process),
        cmocka_unit_test(a_file_is_left_as_it_is),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
