/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/time.h>

#include "../remote/child.h"

#define DEPTH_NAME "FFLEET_DEPTH"
#define MAX_DEPTH  8   /* hand-overs in a row; a wrapper or two are honest, more is a loop */
#define MAX_FOUND  16  /* candidates on PATH that are looked at */
#define OUR_NAME   "ffleet"
#define MAX_LOG    (1 << 20)

typedef struct FileId {
    dev_t dev;
    ino_t ino;
} FileId;

/** @return 1 with its identity if path is something that exec would run */
static int executable(const char *path, FileId *id)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
        return 0;
    id->dev = st.st_dev;
    id->ino = st.st_ino;
    return 1;
}

static int same(const FileId *a, const FileId *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}

static int depth_now(void)
{
    const char *text = getenv(DEPTH_NAME);
    long depth = text ? strtol(text, NULL, 10) : 0;

    return depth < 0 ? 0 : depth > MAX_DEPTH ? MAX_DEPTH + 1 : (int)depth;
}

/** PATH as execvp() reads it: unset means the system's own, an empty element the current folder. */
static char *search_path(void)
{
    const char *env = getenv("PATH");
    size_t size;
    char *path;

    if (env)
        return av_strdup(env);
    size = confstr(_CS_PATH, NULL, 0);
    path = av_malloc(size + 1);
    if (path) {
        *path = 0;
        confstr(_CS_PATH, path, size);
    }
    return path;
}

/**
 * The executable of that name on PATH that is not in seen[], passing over skip of them while others follow.
 * @param seen seen[0] is this program; room for MAX_FOUND + 1
 */
static int search(char **found, const char *name, int skip, FileId *seen)
{
    char *path = search_path(), *dir = path, *colon;
    int nb_seen = 1;

    if (!path)
        return AVERROR(ENOMEM);
    *found = NULL;
    do {
        char *candidate;
        int known = 0;

        colon = strchr(dir, ':');
        if (colon)
            *colon = 0;
        candidate = av_asprintf("%s/%s", *dir ? dir : ".", name);
        if (!candidate) {
            av_freep(found);
            av_free(path);
            return AVERROR(ENOMEM);
        }
        if (executable(candidate, &seen[nb_seen])) {
            for (int i = 0; i < nb_seen; i++)
                known |= same(&seen[i], &seen[nb_seen]);
            if (!known) {
                FFSWAP(char *, *found, candidate);
                nb_seen++;
            }
        }
        av_free(candidate);
        dir = colon ? colon + 1 : NULL;
    } while (dir && nb_seen <= FFMIN(skip + 1, MAX_FOUND));

    av_free(path);
    return *found ? 0 : AVERROR(ENOENT);
}

/** FFLEET_FFMPEG with a slash: that very file. */
static int take_named(char **path, const char *named, const FileId *self,
                      char *err, size_t err_size)
{
    FileId id;

    if (!executable(named, &id)) {
        snprintf(err, err_size, "FFLEET_FFMPEG: '%s' is not an executable file", named);
        return AVERROR(ENOENT);
    }
    if (same(&id, self)) {
        snprintf(err, err_size, "FFLEET_FFMPEG: '%s' is " OUR_NAME " itself; "
                 "it must name the stock ffmpeg", named);
        return AVERROR(EINVAL);
    }
    *path = av_strdup(named);
    return *path ? 0 : AVERROR(ENOMEM);
}

int stock_find(char **path, char *err, size_t err_size)
{
    const char *named = getenv("FFLEET_FFMPEG");
    FileId seen[MAX_FOUND + 2] = { { 0, 0 } };
    int depth = depth_now(), ret;

    *path = NULL;
    if (named && !*named)
        named = NULL;
    if (depth > MAX_DEPTH) {
        snprintf(err, err_size, "%s runs " OUR_NAME " again and again; set FFLEET_FFMPEG to "
                 "the path of the stock ffmpeg", named ? named : "the ffmpeg found on PATH");
        return AVERROR(ELOOP);
    }
    executable("/proc/self/exe", &seen[0]);
    if (named && strchr(named, '/'))
        return take_named(path, named, &seen[0], err, err_size);

    ret = search(path, named ? named : "ffmpeg", depth, seen);
    if (ret == AVERROR(ENOENT))
        snprintf(err, err_size, "no %s other than " OUR_NAME " itself on PATH; install ffmpeg "
                 "or set FFLEET_FFMPEG to its path", named ? named : "ffmpeg");
    else if (ret < 0)
        av_strerror(ret, err, err_size);
    return ret;
}

/** The environment with the depth counted up. To be freed with free_environment(). */
static char **make_environment(void)
{
    size_t len = strlen(DEPTH_NAME), nb = 0, n = 0;
    char **env;

    while (environ && environ[nb])
        nb++;
    env = av_calloc(nb + 2, sizeof(*env));
    if (!env)
        return NULL;
    env[n] = av_asprintf(DEPTH_NAME "=%d", depth_now() + 1);
    if (!env[n++]) {
        av_free(env);
        return NULL;
    }
    for (size_t i = 0; i < nb; i++)
        if (strncmp(environ[i], DEPTH_NAME, len) || environ[i][len] != '=')
            env[n++] = environ[i];
    return env;
}

static void free_environment(char **env)
{
    if (env)
        av_free(env[0]);
    av_free(env);
}

void stock_save_signals(StockSignals *s)
{
    struct sigaction sa;

    sigprocmask(SIG_SETMASK, NULL, &s->mask);
    sigemptyset(&s->ignored);
    for (int sig = 1; sig < NSIG; sig++)
        if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
            sigaddset(&s->ignored, sig);
}

static void restore_signals(const StockSignals *s)
{
    struct sigaction sa;

    for (int sig = 1; sig < NSIG; sig++) {
        if (sigaction(sig, NULL, &sa) < 0)
            continue;
        sa.sa_handler = sigismember(&s->ignored, sig) == 1 ? SIG_IGN : SIG_DFL;
        sa.sa_flags   = 0;
        sigaction(sig, &sa, NULL);
    }
    sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

int stock_exec(const char *path, char *const *argv, const StockSignals *inherited)
{
    char **env = make_environment();
    int err;

    if (!env)
        return AVERROR(ENOMEM);
    if (inherited)
        restore_signals(inherited);
    execvpe(path, argv, env); /* has a slash: no search, but scripts without "#!" work */
    err = errno;
    free_environment(env);
    return AVERROR(err);
}

/** As execvp() does for a script without "#!": let sh read it. The words are for that case. */
static void exec_or_script(const char *path, const char *const *argv, const char *const *script,
                           char **env)
{
    execve(path, (char *const *)argv, env);
    if (errno == ENOEXEC)
        execve("/bin/sh", (char *const *)script, env);
}

/** "sh", the path, and all words but the first. */
static const char **script_words(const char *path, const char *const *argv)
{
    const char **words;
    size_t nb = 0;

    while (argv[nb])
        nb++;
    words = av_calloc(nb + 3, sizeof(*words));
    if (!words)
        return NULL;
    words[0] = "sh";
    words[1] = path;
    for (size_t i = 1; i < nb; i++)
        words[i + 1] = argv[i];
    return words;
}

static int put_output(int fd, int null_fd, int target)
{
    fd = fd < 0 ? null_fd : fd;
    if (fd == target)  /* dup2() would leave it to be closed by exec */
        return fcntl(fd, F_SETFD, 0);
    return dup2(fd, target);
}

/**
 * In the child, where only async-signal-safe calls are allowed: everything but the exec. Not
 * posix_spawn(), as that cannot tie the child to our life.
 * stdin comes last: where ours is closed, one of the outputs may be number 0.
 */
static int prepare_child(pid_t parent, int input_fd, int input_number, int stdout_fd, int stderr_fd)
{
    int stdin_fd = input_number == STDIN_FILENO ? input_fd : -1;
    struct sigaction sa = { .sa_handler = SIG_DFL };
    sigset_t none;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (input_fd >= 0 && input_number != STDIN_FILENO && dup2(input_fd, input_number) < 0)
        return -1;
    if (null_fd < 0 || setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        put_output(stdout_fd, null_fd, STDOUT_FILENO) < 0 ||
        put_output(stderr_fd, null_fd, STDERR_FILENO) < 0 ||
        put_output(stdin_fd, null_fd, STDIN_FILENO) < 0)
        return -1;
    if (getppid() != parent)
        _exit(127);
    sigemptyset(&sa.sa_mask);
    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &sa, NULL);
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

int stock_spawn(pid_t *pid, const char *path, const char *const *argv, int input_fd, int input_number,
                int stdout_fd, int stderr_fd)
{
    const char **script;
    pid_t parent = getpid();
    char **env;
    int fds[2], err = 0;

    if (stderr_fd == STDOUT_FILENO && stdout_fd != STDOUT_FILENO)
        return AVERROR(EINVAL); /* dup2() in any order would lose one */
    if (child_pipe(fds, 0) < 0)
        return AVERROR(errno);
    env    = make_environment();
    script = script_words(path, argv);
    *pid   = env && script ? fork() : -1;
    if (*pid < 0)
        err = env && script ? errno : ENOMEM;
    if (!*pid) {
        if (prepare_child(parent, input_fd, input_number, stdout_fd, stderr_fd) >= 0)
            exec_or_script(path, argv, script, env);
        err = errno;
        (void)!write(fds[1], &err, sizeof(err));
        _exit(127);
    }
    close(fds[1]);
    /* closed by a successful exec */
    if (*pid > 0 && read(fds[0], &err, sizeof(err)) == sizeof(err))
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
            ;
    close(fds[0]);
    free_environment(env);
    av_free(script);
    return AVERROR(err);
}

int stock_capture(const char *path, const char *const *argv, int64_t timeout, AVBPrint *log)
{
    int64_t deadline = av_gettime_relative() + timeout;
    int fds[2], status = 0, ret;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return AVERROR(errno);
    ret = stock_spawn(&pid, path, argv, -1, 0, -1, fds[1]);
    close(fds[1]);
    while (ret >= 0) {
        struct pollfd p = { .fd = fds[0], .events = POLLIN };
        char buf[4096];
        ssize_t n = 0;

        /* with all that it has started: one of them may hold the pipe */
        if (av_gettime_relative() > deadline || log->len > MAX_LOG) {
            kill(-pid, SIGKILL);
            break;
        }
        if (poll(&p, 1, 100) > 0 && (n = read(fds[0], buf, sizeof(buf))) > 0)
            av_bprint_append_data(log, buf, n);
        else if (p.revents && (n == 0 || (errno != EINTR && errno != EAGAIN)))
            break;
    }
    close(fds[0]);
    if (ret < 0)
        return ret;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return !av_bprint_is_complete(log) ? AVERROR(ENOMEM) :
           WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : AVERROR_EXTERNAL;
}
