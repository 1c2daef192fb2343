/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/time.h>

#include "deadline.h"

Deadline deadline_in(int timeout_ms, int wake_fd)
{
    return (Deadline){ av_gettime_relative() + timeout_ms * INT64_C(1000), wake_fd };
}

Deadline deadline_sooner(const Deadline *d, int timeout_ms)
{
    Deadline s = deadline_in(timeout_ms, d->wake_fd);

    s.end = FFMIN(s.end, d->end);
    return s;
}

int deadline_left(const Deadline *d)
{
    int64_t left = d->end - av_gettime_relative();

    return left > 0 ? FFMIN((left + 999) / 1000, INT_MAX) : 0;
}

int deadline_check(const Deadline *d)
{
    struct pollfd wake = { d->wake_fd, POLLIN, 0 };

    if (poll(&wake, 1, 0) > 0)
        return AVERROR_EXIT;
    return deadline_left(d) ? 0 : AVERROR(ETIMEDOUT);
}

int deadline_poll(const Deadline *d, int fd, short events)
{
    struct pollfd fds[2] = { { d->wake_fd, POLLIN, 0 }, { fd, events, 0 } };

    for (;;) {
        int left = deadline_left(d);
        int n    = poll(fds, 2, left);

        if (n < 0 && errno != EINTR)
            return AVERROR(errno);
        if (n > 0)
            return fds[0].revents ? AVERROR_EXIT : 0;
        if (!left)
            return AVERROR(ETIMEDOUT);
    }
}
