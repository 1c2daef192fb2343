/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast hosts are, and when their attempts end.
 */
#include <math.h>

#include <libavutil/common.h>

#include "schedpriv.h"

/* How much a new measurement moves a host's rate. */
#define RATE_GAIN 0.5
/* A part of an attempt that tells how fast it is. */
#define TELLING   0.05
/* How fast it is of late goes by that part of its time, and by so many seconds at least. */
#define LATE_PART 0.125
#define LATE_TIME 2.0

void sched_measure(Sched *s, const SlotInfo *sl, double now)
{
    HostEntry *h    = s->hosts[sl->host];
    double     rate = sl->task->weight / FFMAX(now - sl->start, 1e-3);

    if (h->fallback)
        return;
    if (!h->rate)
        s->rate_count++;
    s->rate_sum -= h->rate;
    h->rate     += (rate - h->rate) * (h->rate ? RATE_GAIN : 1);
    s->rate_sum += h->rate;
}

double sched_rate_of(const Sched *s, int host)
{
    const HostEntry *h = s->hosts[host];

    return h->rate ? h->rate : s->rate_count ? s->rate_sum / s->rate_count : 0;
}

double sched_rate(const Sched *s, int host)
{
    return s->hosts[host]->rate;
}

void sched_progress(Sched *s, int host, int slot, double done, double now)
{
    SlotInfo *sl = &s->hosts[host]->slots[slot];

    if (sl->task)
        done = FFMIN(done, sl->task->weight);
    if (!sl->task || done <= sl->done)
        return;
    if (!sl->done) {
        sl->first    = done;
        sl->first_at = now;
    } else if (now > sl->done_at) {
        double time = FFMAX(LATE_PART * (now - sl->start), LATE_TIME), pace;

        sl->gap  = now - sl->done_at;
        pace     = (done - sl->done) / sl->gap;
        sl->pace = sl->pace ? pace + (sl->pace - pace) * exp(-sl->gap / time) : pace;
    }
    sl->done    = done;
    sl->done_at = now;
}

double sched_attempt_total(const SlotInfo *sl)
{
    double weight = sl->task->weight, elapsed = sl->done_at - sl->start;

    /* how fast it goes on, not how fast it began: to start costs time, and an encoder looks ahead */
    if (sl->done - sl->first > TELLING * weight && sl->done_at > sl->first_at)
        return elapsed + (weight - sl->done) * (sl->done_at - sl->first_at) / (sl->done - sl->first);
    return sl->done > TELLING * weight ? elapsed * weight / sl->done : 0;
}

double sched_attempt_left(const Sched *s, const SlotInfo *sl, double now)
{
    double elapsed = now - sl->start, quiet = now - sl->done_at;
    double total   = sched_attempt_total(sl);
    double pace    = sl->pace ? sl->pace : s->hosts[sl->host]->rate;
    double rate    = sched_rate_of(s, sl->host);
    double expected;

    /* of a single account its start is a large part: the host's others tell more */
    if (total && pace)
        total = sl->done_at - sl->start + (sl->task->weight - sl->done) / pace;
    /*
     * what does not move any more gets the later the longer it stands still; between two accounts
     * nothing is still
     */
    if (total)
        return FFMAX(total - elapsed, quiet < 2 * sl->gap ? 0 : quiet);
    if (!rate)
        return INFINITY;
    expected = sl->task->weight / rate;
    if (!sl->permit)    /* it waits for another one of this host */
        return 1.5 * expected;
    return FFMAX(expected - elapsed, elapsed / 2);
}
