/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavformat/avio.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>

#include "../../remote/child.h"
#include "../stock.h"
#include "fetch.h"

int fetch_takes_option(const char *name)
{
    static const char *const protocols[] = { "http", "tls", "tcp" };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(protocols); i++) {
        const AVClass *class = avio_protocol_get_class(protocols[i]);

        if (class && av_opt_find(&class, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ))
            return 1;
    }
    return 0;
}

int fetch_start(pid_t *pid, const char *url, int *read_fd)
{
    const char *argv[] = {
        "ffmpeg", "-v", av_log_get_level() < AV_LOG_ERROR ? "quiet" : "error", "-nostdin", "-f", "data",
        "-raw_packet_size", "65536", "-i", url, "-map", "0", "-c", "copy", "-f", "data", "pipe:1", NULL
    };
    char *stock = NULL, error[256];
    int fds[2], ret = stock_find(&stock, error, sizeof(error));

    *pid = 0;
    if (ret >= 0)
        ret = child_pipe(fds, O_CLOEXEC);
    if (ret >= 0) {
        ret = stock_spawn(pid, stock, argv, -1, STDIN_FILENO, fds[1],
                          fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : STDERR_FILENO);
        child_close_fd(&fds[1]);
        if (ret < 0) {
            child_close_fd(&fds[0]);
            *pid = 0;
        }
        *read_fd = fds[0];
    }
    av_free(stock);
    return ret;
}

void fetch_stop(pid_t *pid)
{
    if (*pid) {
        kill(*pid, SIGKILL);
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    *pid = 0;
}
