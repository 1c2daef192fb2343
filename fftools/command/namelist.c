/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "namelist.h"

int namelist_has(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (!strcmp(*list, name))
            return 1;
    return 0;
}
