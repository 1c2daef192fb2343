/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PROCSTATE_H
#define FFLEET_PROCSTATE_H

/** @file What /proc tells of processes that are not our children. */

#include <stdio.h>
#include <string.h>
#include <sys/types.h>

/** Gone, or dead and waiting for an init that does not collect. */
static inline int process_is_gone(pid_t pid)
{
    char path[64], line[512] = "", *end;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (!f)
        return 1;
    if (!fgets(line, sizeof(line), f))
        line[0] = 0;
    fclose(f);
    end = strrchr(line, ')');
    return !end || end[2] == 'Z' || end[2] == 'X';
}

#endif
