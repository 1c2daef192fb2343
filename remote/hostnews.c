/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/common.h>
#include <libavutil/log.h>

#include "hostnews.h"

void hostnews_trace(const Worker *w, const char *state, const char *why)
{
    const FleetHost *fh = w->fh;

    trace_event(w->fleet->trace, "host", "host", "s", fh->host->label, "state", "s", state,
                "why", "s", why && *why ? why : NULL, "cores", "i", (int64_t)fh->info.cores,
                "slots", "i", (int64_t)fh->info.slots, NULL);
}

void hostnews_name(char *buf, size_t size, const FleetHost *fh, const char *why)
{
    av_strlcpy(buf, fh->host->label, size);
    av_strlcat(buf, ": ", size);
    av_strlcat(buf, why, size);
}

/** The bytes of a control character, of which terminals know some beyond ASCII's, too; 0: it is none */
static int control_size(const unsigned char *s)
{
    return s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0 ? 2 : s[0] < ' ' || s[0] == 0x7f;
}

void hostnews_one_line(char *text)
{
    char *out = text;

    while (*text) {
        int size = control_size((const unsigned char *)text);

        if (!size)
            *out++ = *text;
        else if (*text == '\n' && text[1])
            *out++ = ' ';
        text += FFMAX(size, 1);
    }
    *out = 0;
}

int hostnews_level(FleetHost *fh, const char *state)
{
    int step = state && !strcmp(state, "broken") ? 2 : 1;

    if (step <= fh->told)
        return AV_LOG_VERBOSE;
    fh->told = step;
    return AV_LOG_WARNING;
}

void hostnews_note(Fleet *f, FleetHost *fh, const char *why)
{
    av_strlcpy(fh->why, why, sizeof(fh->why));
    hostnews_name(f->last_why, sizeof(f->last_why), fh, why);
}

const char *hostnews_outlook(Fleet *f, const FleetHost *fh, double now, char *text, size_t size)
{
    double until = sched_host_until(f->sched, fh->index);

    switch (sched_host_state(f->sched, fh->index, now)) {
    case SCHED_HOST_BROKEN:
        if (isinf(until))
            av_strlcpy(text, "left out for the rest of the run", size);
        else
            snprintf(text, size, "left out, next try in %.1f s", until - now);
        return "broken";
    case SCHED_HOST_BACKOFF:
        snprintf(text, size, "next try in %.1f s", until - now);
        return "backoff";
    default:
        av_strlcpy(text, "its other slots go on", size);
        return NULL;
    }
}
