/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_WORKDIR_H
#define FFLEET_WORKDIR_H

/**
 * @file
 * The files in TMPDIR that stock ffmpeg writes for us. They have no name there, only one that leads
 * through our process, so that they are gone with it, however it ends.
 */

#include "../plan/plan.h"

enum WorkFile {
    WORK_TRIAL,
    WORK_REMAINDER,
    WORK_TEXT,
    WORK_NB,
};

typedef struct WorkDir {
    int made;
    int fds[WORK_NB * PLAN_MAX_OUTPUTS];
} WorkDir;

/** One of each kind for each output. @return 0 or an AVERROR code; a message names the folder */
int   workdir_make(WorkDir *w, int nb_outputs);
/** @return the descriptor of the file, which stays the WorkDir's */
int   workdir_fd(const WorkDir *w, enum WorkFile file, int output);
/** A name by which we and our children can open the file until workdir_remove(). av_malloc'd. */
char *workdir_file(const WorkDir *w, enum WorkFile file, int output);
/** Close the files, and with that remove them. */
void  workdir_remove(WorkDir *w);

#endif
