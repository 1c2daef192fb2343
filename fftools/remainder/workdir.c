/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "../../remote/tempfile.h"
#include "workdir.h"

int workdir_make(WorkDir *w, int nb_outputs)
{
    int nb = WORK_NB * FFMIN(nb_outputs, PLAN_MAX_OUTPUTS);
    const char *folder = tempfile_folder();
    char *name;
    int ret = 0;

    w->made = 1;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(w->fds); i++)
        w->fds[i] = -1;
    for (int i = 0; ret >= 0 && i < nb; i++)
        ret = w->fds[i] = tempfile_open(folder);
    if (ret < 0) {
        av_log(NULL, AV_LOG_WARNING, "cannot make a temporary file in %s: %s (set TMPDIR)\n",
               folder, av_err2str(ret));
        workdir_remove(w);
        return ret;
    }
    name = workdir_file(w, WORK_TRIAL, 0);
    ret  = !name ? AVERROR(ENOMEM) : access(name, R_OK | W_OK) < 0 ? AVERROR(errno) : 0;
    if (ret < 0) {
        av_log(NULL, AV_LOG_WARNING, "cannot use temporary files: %s: %s\n", name ? name : "",
               av_err2str(ret));
        workdir_remove(w);
    }
    av_free(name);
    return ret;
}

int workdir_fd(const WorkDir *w, enum WorkFile file, int output)
{
    return w->fds[output * WORK_NB + file];
}

char *workdir_file(const WorkDir *w, enum WorkFile file, int output)
{
    return av_asprintf("/proc/%ld/fd/%d", (long)getpid(), workdir_fd(w, file, output));
}

void workdir_remove(WorkDir *w)
{
    for (size_t i = 0; w->made && i < FF_ARRAY_ELEMS(w->fds); i++)
        if (w->fds[i] >= 0)
            close(w->fds[i]);
    w->made = 0;
}
