/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "workdir.h"

int workdir_make(WorkDir *w)
{
    const char *tmp = getenv("TMPDIR");
    int ret;

    w->path = av_asprintf("%s/ffleet-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!w->path)
        return AVERROR(ENOMEM);
    if (mkdtemp(w->path))
        return 0;
    ret = AVERROR(errno);
    av_log(NULL, AV_LOG_WARNING, "cannot make a temporary folder in %s: %s (set TMPDIR)\n",
           tmp && *tmp ? tmp : "/tmp", av_err2str(ret));
    av_freep(&w->path);
    return ret;
}

char *workdir_file(const WorkDir *w, const char *name)
{
    return av_asprintf("%s/%s", w->path, name);
}

void workdir_remove(WorkDir *w)
{
    struct dirent *e;
    DIR *d;

    if (!w->path)
        return;
    d = opendir(w->path);
    while (d && (e = readdir(d)))
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(w->path);
    av_freep(&w->path);
}
