/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE, mkostemp() */
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "tempfile.h"

const char *tempfile_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder && *folder ? folder : "/tmp";
}

int tempfile_open(const char *folder)
{
    char *name;
    int   fd, ret;

#ifdef O_TMPFILE
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
#endif
    /* not every file system has O_TMPFILE, and the errno for that varies */
    name = av_asprintf("%s/ffleet-XXXXXX", folder);
    if (!name)
        return AVERROR(ENOMEM);
    fd  = mkostemp(name, O_CLOEXEC);
    ret = fd < 0 ? AVERROR(errno) : fd;
    if (fd >= 0)
        unlink(name);
    av_free(name);
    return ret;
}
