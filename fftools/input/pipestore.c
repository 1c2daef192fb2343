/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "../../remote/tempfile.h"
#include "../../remote/thread.h"
#include "../../remote/writeall.h"
#include "pipestore.h"

#define CHUNK (64 << 10)

struct PipeStore {
    int  in;              ///< not owned
    int  file;
    int  own_file;        ///< 0: the input itself is a file
    int64_t base;         ///< where in file the input begins
    int  stop_fds[2];     ///< closing the second one ends the thread
    pthread_t thread;
    int  running;
    uint8_t chunk[CHUNK]; ///< of the thread
    int  pending;         ///< bytes of it that did not get into the file

    pthread_mutex_t lock; ///< for all that follows
    pthread_cond_t  more;
    int64_t size;         ///< bytes there are so far
    int  eof;
    int  error;
};

struct PipeFeed {
    PipeStore *s;
    int       fd;
    int       stop;       ///< with the store's lock
    pthread_t thread;
    uint8_t   chunk[CHUNK];
};

/* ---- from the input to the file ---- */

static int write_at(int fd, const uint8_t *buf, int size, int64_t pos, int *done)
{
    while (*done < size) {
        ssize_t n = pwrite(fd, buf + *done, size - *done, pos + *done);

        if (n < 0 && errno != EINTR)
            return AVERROR(errno);
        *done += FFMAX(n, 0);
    }
    return 0;
}

/** @return 0: there is something to read, AVERROR_EXIT */
static int wait_input(const PipeStore *s)
{
    struct pollfd p[2] = { { .fd = s->in, .events = POLLIN },
                           { .fd = s->stop_fds[0], .events = POLLIN } };

    while (poll(p, 2, -1) < 0)
        if (errno != EINTR)
            return AVERROR(errno);
    return p[1].revents ? AVERROR_EXIT : 0;
}

static void announce(PipeStore *s, int bytes, int eof, int error)
{
    pthread_mutex_lock(&s->lock);
    s->size += bytes;
    s->eof  |= eof;
    if (!s->error)
        s->error = error;
    pthread_cond_broadcast(&s->more);
    pthread_mutex_unlock(&s->lock);
}

static void *pipestore_main(void *opaque)
{
    PipeStore *s = opaque;
    int64_t pos = 0;

    for (;;) {
        int ret = wait_input(s), done = 0;
        ssize_t n = ret < 0 ? 0 : read(s->in, s->chunk, sizeof(s->chunk));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (ret < 0 || n <= 0) {
            /* a pipe that cannot be read has ended for ffmpeg, too */
            announce(s, 0, ret >= 0, ret);
            return NULL;
        }
        ret  = write_at(s->file, s->chunk, n, pos, &done);
        pos += done;
        if (ret < 0) {
            s->pending = n - done;
            memmove(s->chunk, s->chunk + done, s->pending);
        }
        announce(s, done, 0, ret);
        if (ret < 0)
            return NULL;
    }
}

static int start(PipeStore *s)
{
    struct stat st;
    int ret;

    if (fstat(s->in, &st) < 0)
        return AVERROR(errno);
    if (S_ISREG(st.st_mode)) {
        int64_t pos = lseek(s->in, 0, SEEK_CUR);

        if (pos < 0)
            return AVERROR(errno);
        s->file = s->in;
        s->base = pos;
        s->size = FFMAX(st.st_size - pos, 0);
        s->eof  = 1;
        return 0;
    }
    s->file = tempfile_open(tempfile_folder());
    if (s->file < 0)
        return s->file;
    s->own_file = 1;
    if (pipe2(s->stop_fds, O_CLOEXEC) < 0)
        return AVERROR(errno);
    ret = thread_start(&s->thread, pipestore_main, s);
    s->running = ret >= 0;
    return ret;
}

int pipestore_open(PipeStore **out, int fd)
{
    PipeStore *s = *out = av_mallocz(sizeof(*s));
    int ret;

    if (!s)
        return AVERROR(ENOMEM);
    s->in = fd;
    s->stop_fds[0] = s->stop_fds[1] = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->more, NULL);
    ret = start(s);
    if (ret < 0)
        pipestore_free(out);
    return ret;
}

void pipestore_stop(PipeStore *s)
{
    announce(s, 0, 0, AVERROR_EXIT);
    pthread_mutex_lock(&s->lock);
    if (s->stop_fds[1] >= 0)
        close(s->stop_fds[1]);
    s->stop_fds[1] = -1;
    pthread_mutex_unlock(&s->lock);
}

int pipestore_error(PipeStore *s)
{
    int error;

    pthread_mutex_lock(&s->lock);
    error = s->error;
    pthread_mutex_unlock(&s->lock);
    return error;
}

static void join(PipeStore *s)
{
    pipestore_stop(s);
    if (s->running)
        pthread_join(s->thread, NULL);
    s->running = 0;
}

void pipestore_free(PipeStore **sp)
{
    PipeStore *s = *sp;

    if (!s)
        return;
    join(s);
    if (s->stop_fds[0] >= 0)
        close(s->stop_fds[0]);
    if (s->own_file)
        close(s->file);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->lock);
    av_freep(sp);
}

/* ---- from the file to a reader ---- */

/** @return bytes there are from pos on, once there are any; 0: no more will come */
static int64_t wait_data(PipeFeed *f, int64_t pos)
{
    PipeStore *s = f->s;
    int64_t left;

    pthread_mutex_lock(&s->lock);
    while (s->size == pos && !s->eof && !s->error && !f->stop)
        pthread_cond_wait(&s->more, &s->lock);
    left = f->stop || s->error == AVERROR_EXIT ? 0 : s->size - pos;
    pthread_mutex_unlock(&s->lock);
    return left;
}

static void *feed_main(void *opaque)
{
    PipeFeed *f = opaque;
    int64_t pos = 0, left;

    while ((left = wait_data(f, pos)) > 0) {
        ssize_t n = pread(f->s->file, f->chunk, FFMIN(left, CHUNK), f->s->base + pos);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || write_all(f->fd, f->chunk, n) < 0)
            break;
        pos += n;
    }
    close(f->fd);
    return NULL;
}

int pipestore_feed_open(PipeFeed **out, PipeStore *s, int *read_fd)
{
    PipeFeed *f = *out = av_mallocz(sizeof(*f));
    int fds[2], ret;

    if (!f)
        return AVERROR(ENOMEM);
    f->s = s;
    if (pipe2(fds, O_CLOEXEC) < 0) {
        ret = AVERROR(errno);
        av_freep(out);
        return ret;
    }
    f->fd = fds[1];
    ret = thread_start(&f->thread, feed_main, f);
    if (ret < 0) {
        close(fds[0]);
        close(fds[1]);
        av_freep(out);
        return ret;
    }
    *read_fd = fds[0];
    return 0;
}

void pipestore_feed_close(PipeFeed **fp)
{
    PipeFeed *f = *fp;

    if (!f)
        return;
    pthread_mutex_lock(&f->s->lock);
    f->stop = 1;
    pthread_cond_broadcast(&f->s->more);
    pthread_mutex_unlock(&f->s->lock);
    pthread_join(f->thread, NULL);
    av_freep(fp);
}

/* ---- all of it once more ---- */

/** stdin is the rest of the input, stdout the reader, stderr the file. Async-signal-safe; does not return. */
static void replay(PipeStore *s)
{
    struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .fd = 1 } };
    int64_t pos = 0, pending = s->pending;

    while (pos < s->size) {
        /* the chunk may hold what is not in the file */
        uint8_t buf[4096];
        ssize_t n = pread(2, buf, FFMIN(s->size - pos, (int64_t)sizeof(buf)), pos);

        if (n <= 0 || write_all(1, buf, n) < 0)
            _exit(1);
        pos += n;
    }
    if (write_all(1, s->chunk, pending) < 0)
        _exit(1);
    while (poll(p, 2, -1) >= 0 && !(p[1].revents & POLLERR)) {
        ssize_t n = read(0, s->chunk, sizeof(s->chunk));

        if (!n || (n < 0 && errno != EINTR && errno != EAGAIN) ||
            write_all(1, s->chunk, n) < 0)
            break;
    }
    _exit(0);
}

static void replay_process(PipeStore *s, int write_fd)
{
    struct sigaction sa = { .sa_handler = SIG_DFL };
    sigset_t none;
    pid_t pid = fork();

    /* nobody will collect it: let it be init's */
    if (pid)
        _exit(pid < 0);
    sigemptyset(&sa.sa_mask);
    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &sa, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* whoever waits for the end of our output must not wait for us */
    if (dup2(s->in, 0) < 0 || dup2(write_fd, 1) < 0 || dup2(s->file, 2) < 0)
        _exit(1);
    closefrom(3);
    replay(s);
}

int pipestore_replay(PipeStore *s, int fd)
{
    int fds[2], ret = 0, status = 0;
    pid_t pid;

    join(s);
    if (!s->own_file)
        return 0;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return AVERROR(errno);
    pid = fork();
    if (!pid)
        replay_process(s, fds[1]);
    close(fds[1]);
    if (pid < 0)
        ret = AVERROR(errno);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status)
        ret = AVERROR(EAGAIN);
    if (ret >= 0 && dup2(fds[0], fd) < 0)
        ret = AVERROR(errno);
    close(fds[0]);
    return ret;
}
