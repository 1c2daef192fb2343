/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/avstring.h>

#include "../compat.h"
#include "../input/inputurl.h"
#include "../plan/sideoutput.h"
#include "../plan/tee.h"
#include "../reason.h"
#include "overwrite.h"

/** Whether a file can be made there; stock says why not before it encodes anything. */
static int can_create(const AVOutputFormat *format, const char *path)
{
    /* what comes of a pattern is for the muxer to know, which makes folders too */
    size_t len   = format->flags & AVFMT_NOFILE ? strcspn(path, "%") : strlen(path);
    char *folder = av_strndup(path, len), *slash;
    int ok;

    if (!folder)
        return 0;
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    ok = !access(slash ? folder : ".", W_OK | X_OK) &&
         (format->flags & AVFMT_NOFILE || !access(path, F_OK) || errno == ENOENT);
    av_free(folder);
    return ok;
}

static const char *path_of(const CmdFile *f)
{
    const char *path = f->url;

    av_strstart(path, "file:", &path);
    return path;
}

/** The real folder of a file that may not exist, and the file's name in it. NULL: there is no such folder */
static char *find_folder(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? av_strndup(path, slash - path + 1) : av_strdup(".");
    char *real   = folder ? realpath(folder, NULL) : NULL;

    *name = slash ? slash + 1 : path;
    av_free(folder);
    return real;
}

/** Two names of one file. */
static int same_file(const char *a, const char *b)
{
    const char *name_a, *name_b;
    struct stat st_a, st_b;
    char *folder_a, *folder_b;
    int same;

    if (!stat(a, &st_a) && !stat(b, &st_b))
        return st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
    folder_a = find_folder(a, &name_a);
    folder_b = find_folder(b, &name_b);
    same = folder_a && folder_b && !strcmp(folder_a, folder_b) && !strcmp(name_a, name_b);
    free(folder_a);
    free(folder_b);
    return same || !strcmp(a, b);
}

/** An inputurl_each_file() callback. @return negative: it is the output at path */
static int is_output(void *path, const char *input)
{
    return same_file(input, path) ? AVERROR(EEXIST) : 0;
}

/** What is known of an output. @return its format; NULL: nothing is written to a file */
static const AVOutputFormat *find_format(const Plan *plan, int output)
{
    const SideOutput *side = sideoutput_find(plan, output);

    if (side)
        return strcmp(side->oformat->name, "null") ? side->oformat : NULL;
    while (plan->output < output)
        plan = plan->next;
    return plan->pipe || !strcmp(plan->oformat->name, "null") ? NULL : plan->oformat;
}

/** tee asks nobody, and goes on without those of its files that it cannot write: stock tells of them. */
static int check_tee(const char *text, char *reason, size_t reason_size)
{
    TeeSlave slaves[TEE_MAX_SLAVES];
    int nb = tee_parse(text, slaves, reason, reason_size);

    for (int i = 0; i < nb; i++) {
        char *name = av_strndup(slaves[i].name, slaves[i].name_size);
        struct stat st;
        int ok = name && (stat(name, &st) < 0 ? can_create(slaves[i].format, name) :
                          S_ISREG(st.st_mode) && !access(name, W_OK));

        av_free(name);
        if (!ok)
            return reason_set(reason, reason_size, "one of the output's files cannot be created");
    }
    return FFMIN(nb, 0);
}

int overwrite_check(const Plan *plan, int output, int ours, int keys, char *reason,
                    size_t reason_size)
{
    const AVOutputFormat *format = find_format(plan, output);
    const Command *cmd = plan->cmd;
    const char *path = path_of(&cmd->outputs[output]);
    struct stat st;

    if (format && !strcmp(format->name, "tee"))
        return check_tee(path, reason, reason_size);
    if (!format)
        return 0;
    for (int i = 0; i < output; i++)
        if (find_format(plan, i) && same_file(path_of(&cmd->outputs[i]), path))
            return reason_set(reason, reason_size, "two outputs are the same file");
    if (stat(path, &st) < 0)
        return can_create(format, path) ? 0 : reason_set(reason, reason_size, "the output cannot be created");
    /* nor does ffmpeg ask where the muxer opens the files */
    if (format->flags & AVFMT_NOFILE)
        return 0;
    if (!S_ISREG(st.st_mode))
        return reason_set(reason, reason_size, "the output is not a regular file");
    if (access(path, W_OK) < 0)
        return reason_set(reason, reason_size, "the output cannot be written");
    for (int i = 0; i < cmd->nb_inputs; i++)
        if (inputurl_each_file(cmd->inputs[i].url, is_output, (void *)path) == AVERROR(EEXIST))
            return reason_set(reason, reason_size, "input and output are the same file");
    if (cmdline_last(cmd->globals, cmd->nb_globals, "y") || ours)
        return 0;
    if (!keys || cmdline_last(cmd->globals, cmd->nb_globals, "n"))
        return reason_set(reason, reason_size, "the output exists already");
    return 1;
}

int overwrite_ask(Terminal *t, const char *url)
{
    int answer = terminal_ask_overwrite(t, url);

    if (answer)
        return answer;
    av_log(NULL, AV_LOG_FATAL, "Not overwriting - exiting\n");
    /* FFmpeg 7 adds a line */
    if (COMPAT_TIMING_7)
        av_log(NULL, AV_LOG_ERROR, "Error opening output file %s.\n", url);
    return 0;
}
