/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/file.h>
#include <libavutil/mem.h>

#include "plandecide.h"

int plan_stock(Plan *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->reason, sizeof(p->reason), fmt, ap);
    va_end(ap);
    return 1;
}

int plan_option_text(Plan *p, const CmdOption *o, char **text)
{
    const int from_file = o->from_file || !strcmp(o->name, "filter_script");
    uint8_t *data = NULL;
    size_t size = 0;
    int ret;

    *text = from_file ? NULL : av_strdup(o->value);
    ret   = from_file ? av_file_map(o->value, &data, &size, AV_LOG_DEBUG, NULL) : 0;
    if (ret < 0)
        return plan_stock(p, "the filters in %s cannot be read: %s", o->value, av_err2str(ret));
    if (data)
        *text = av_strndup((const char *)data, size);
    if (data)
        av_file_unmap(data, size);
    return *text ? 0 : plan_stock(p, "out of memory");
}
