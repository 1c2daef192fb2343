/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stock.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#define DEPTH_NAME "FFLEET_DEPTH"
#define MAX_DEPTH  8   /* hand-overs in a row; a wrapper or two are honest, more is a loop */
#define MAX_FOUND  16  /* candidates on PATH that are looked at */
#define OUR_NAME   "ffleet"

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

static int add_output(posix_spawn_file_actions_t *fa, int fd, int target)
{
    if (fd < 0)
        return posix_spawn_file_actions_addopen(fa, target, "/dev/null", O_WRONLY, 0);
    return posix_spawn_file_actions_adddup2(fa, fd, target);
}

/** stdin comes last: where ours is closed, one of the outputs may be number 0. */
static int add_files(posix_spawn_file_actions_t *fa, int stdout_fd, int stderr_fd)
{
    int err = add_output(fa, stdout_fd, STDOUT_FILENO);

    if (!err)
        err = add_output(fa, stderr_fd, STDERR_FILENO);
    if (!err)
        err = posix_spawn_file_actions_addopen(fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    return err;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    int err;

    sigemptyset(&none);
    sigfillset(&all);
    err = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                         POSIX_SPAWN_SETSIGDEF);
    if (!err)
        err = posix_spawnattr_setpgroup(attr, 0);
    if (!err)
        err = posix_spawnattr_setsigmask(attr, &none);
    if (!err)
        err = posix_spawnattr_setsigdefault(attr, &all);
    return err;
}

/** As execvp() does for a script without "#!": let sh read it. */
static int spawn_script(pid_t *pid, const char *path, const char *const *argv, char **env,
                        const posix_spawn_file_actions_t *fa, const posix_spawnattr_t *attr)
{
    const char **args;
    size_t nb = 0;
    int err;

    while (argv[nb])
        nb++;
    args = av_calloc(nb + 3, sizeof(*args));
    if (!args)
        return ENOMEM;
    args[0] = "sh";
    args[1] = path;
    for (size_t i = 1; i < nb; i++)
        args[i + 1] = argv[i];
    err = posix_spawn(pid, "/bin/sh", fa, attr, (char *const *)args, env);
    av_free(args);
    return err;
}

int stock_spawn(pid_t *pid, const char *path, const char *const *argv, int stdout_fd, int stderr_fd)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    char **env;
    int err;

    if (stderr_fd == STDOUT_FILENO && stdout_fd != STDOUT_FILENO)
        return AVERROR(EINVAL); /* dup2() in any order would lose one */
    env = make_environment();
    if (!env)
        return AVERROR(ENOMEM);
    if ((err = posix_spawn_file_actions_init(&fa)))
        goto no_files;
    if ((err = posix_spawnattr_init(&attr)))
        goto no_attributes;

    if (!(err = add_files(&fa, stdout_fd, stderr_fd)) && !(err = set_attributes(&attr))) {
        err = posix_spawn(pid, path, &fa, &attr, (char *const *)argv, env);
        if (err == ENOEXEC)
            err = spawn_script(pid, path, argv, env, &fa, &attr);
    }

    posix_spawnattr_destroy(&attr);
no_attributes:
    posix_spawn_file_actions_destroy(&fa);
no_files:
    free_environment(env);
    return err ? AVERROR(err) : 0;
}
