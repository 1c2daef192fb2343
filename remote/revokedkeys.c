/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <libavutil/avstring.h>
#include <libavutil/base64.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "child.h"
#include "knownhosts.h"
#include "revokedkeys.h"
#include "writeall.h"

#define MAX_BLOB   8192
#define KRL_MAGIC  "SSHKRL\n"

/** @param line "type base64 comment" @return whether it holds the key */
static int is_line_of(char *line, const uint8_t *blob, int size)
{
    static const char blanks[] = " \t\r\n";
    char *save = NULL, *type = av_strtok(line, blanks, &save), *base64 = av_strtok(NULL, blanks, &save);
    uint8_t *key = type && *type != '#' && base64 ? av_malloc(MAX_BLOB) : NULL;
    int same;

    if (!key)
        return 0;
    same = av_base64_decode(key, base64, MAX_BLOB) == size && !memcmp(key, blob, size);
    av_free(key);
    return same;
}

/** Ask ssh-keygen, which gets the key by stdin. */
static int is_in_krl(const char *file, const uint8_t *blob, int size, const Deadline *d)
{
    const char *argv[] = { "ssh-keygen", "-Q", "-f", file, "/dev/stdin", NULL };
    size_t base64_size = AV_BASE64_SIZE(size);
    char *base64 = av_malloc(base64_size), *line = NULL, type[64];
    int fd[2] = { -1, -1 }, status = -1, ret = AVERROR(ENOMEM);
    pid_t pid;

    knownhosts_blob_type(blob, size, type, sizeof(type));
    if (base64 && av_base64_encode(base64, base64_size, blob, size))
        line = av_asprintf("%s %s\n", type, base64);
    if (line)
        ret = child_pipe(fd, 0);
    /* as long as nobody reads it fits into the pipe */
    if (ret >= 0)
        ret = write_all(fd[1], line, strlen(line));
    child_close_fd(&fd[1]);
    if (ret >= 0)
        ret = child_spawn(&pid, argv, fd[0], -1, -1);
    child_close_fd(&fd[0]);
    if (ret >= 0)
        ret = child_finish(pid, 0, deadline_left(d), &status);
    av_free(base64);
    av_free(line);
    if (ret < 0)
        return ret;
    return !WIFEXITED(status) || WEXITSTATUS(status) > 1 ? AVERROR_EXTERNAL : WEXITSTATUS(status);
}

int revokedkeys_has(const char *file, const uint8_t *blob, int size, const Deadline *d)
{
    FILE *f = fopen(file, "re");
    char *line = NULL;
    size_t alloc = 0;
    int found = 0, krl = 0, error;

    if (!f)
        return AVERROR(errno);
    if (size < 0 || size > MAX_BLOB) {
        fclose(f);
        return AVERROR_INVALIDDATA;
    }
    while (!found && !krl && getline(&line, &alloc, f) >= 0) {
        krl   = !strcmp(line, KRL_MAGIC);
        found = is_line_of(line, blob, size);
    }
    error = ferror(f);
    free(line);
    fclose(f);
    return found ? 1 : error ? AVERROR(EIO) : krl ? is_in_krl(file, blob, size, d) : 0;
}
