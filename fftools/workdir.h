/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_WORKDIR_H
#define FFLEET_WORKDIR_H

/**
 * @file
 * A private folder in TMPDIR for the files that stock ffmpeg writes for us.
 */

typedef struct WorkDir {
    char *path;
} WorkDir;

/** @return 0 or an AVERROR code; a message names the folder */
int   workdir_make(WorkDir *w);
/** A file name in it. av_malloc'd. */
char *workdir_file(const WorkDir *w, const char *name);
/** Remove the folder and the files in it. */
void  workdir_remove(WorkDir *w);

#endif
