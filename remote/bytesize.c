/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include <libavutil/eval.h>

#include "bytesize.h"

double bytesize_parse(const char *text)
{
    char *end;
    double n = av_strtod(text, &end);

    if (end == text || *end)
        return NAN;
    return end[-1] == 'B' ? n / 8 : n;
}
