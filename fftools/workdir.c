/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "../remote/tempfile.h"
#include "workdir.h"

int workdir_make(WorkDir *w)
{
    const char *folder = tempfile_folder();
    char *name;
    int ret = 0;

    w->made = 1;
    for (int i = 0; i < WORK_NB; i++)
        w->fds[i] = -1;
    for (int i = 0; ret >= 0 && i < WORK_NB; i++)
        ret = w->fds[i] = tempfile_open(folder);
    if (ret < 0) {
        av_log(NULL, AV_LOG_WARNING, "cannot make a temporary file in %s: %s (set TMPDIR)\n",
               folder, av_err2str(ret));
        workdir_remove(w);
        return ret;
    }
    name = workdir_file(w, WORK_TRIAL);
    ret  = !name ? AVERROR(ENOMEM) : access(name, R_OK | W_OK) < 0 ? AVERROR(errno) : 0;
    if (ret < 0) {
        av_log(NULL, AV_LOG_WARNING, "cannot use temporary files: %s: %s\n", name ? name : "",
               av_err2str(ret));
        workdir_remove(w);
    }
    av_free(name);
    return ret;
}

char *workdir_file(const WorkDir *w, enum WorkFile file)
{
    return av_asprintf("/proc/%ld/fd/%d", (long)getpid(), w->fds[file]);
}

void workdir_remove(WorkDir *w)
{
    for (int i = 0; w->made && i < WORK_NB; i++)
        if (w->fds[i] >= 0)
            close(w->fds[i]);
    w->made = 0;
}
