/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands on a host, over libssh2. The session is always non-blocking.
 *
 * libssh2 wants a call that could not send all of its packet to be repeated, with the
 * same arguments, before any other call on the session. Here that never happens: its
 * sends go through sshpriv_send(), which takes everything and keeps what the socket does
 * not accept. So EAGAIN only ever means "nothing received yet" or "window closed". The
 * buffer is bounded, as ssh_write() takes nothing while much is waiting.
 *
 * connect() errors: EHOSTUNREACH, ECONNREFUSED, ETIMEDOUT, EPERM (host key), EACCES (user key), ...
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libssh2.h>

#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "hostnote.h"
#include "leash.h"
#include "sshlogin.h"
#include "sshpriv.h"

/* Per channel, both streams together: fills a fast line at any distance. */
#define WINDOW       (16 << 20)
/* What libssh2 packs into one packet. */
#define PACKET       32768
/* Above this no more data is taken; what then comes are small control packets. */
#define OUT_ENOUGH   (256 << 10)
/* So much may come that is not the command's, which it keeps, in part; and so much for each byte that is. */
#define IN_MAX       (64 << 20)
#define IN_OVERHEAD  16
/* So often in a row ssh_wait() may find that there is no need to wait; then that was wrong, and a pause is made. */
#define MAX_SPINS    16
#define SPIN_MS      10
/* libssh2 packs a request into one packet of less than 35,000 bytes. */
#define MAX_COMMAND  34000

static pthread_once_t init_once = PTHREAD_ONCE_INIT;

static void init_libssh2(void)
{
    libssh2_init(0);
}

/* So much went to the command, or came of it. */
static void moved(SshPriv *p, ssize_t size)
{
    p->in_vain = FFMAX(p->in_vain - IN_OVERHEAD * (int64_t)size, 0);
    p->spins   = 0;
}

static void tear_down(SshPriv *p)
{
    p->stop = 1;
    /* Frees the channel too; nothing in it can have to wait any more. */
    for (int i = 0; p->session && i < 100; i++)
        if (libssh2_session_free(p->session) != LIBSSH2_ERROR_EAGAIN)
            p->session = NULL;
    p->session = NULL;
    p->channel = NULL;
    if (p->opened)
        ssh_hangup(&p->link);
    p->opened = 0;
    av_freep(&p->command);
    av_freep(&p->out);
    p->out_pos = p->out_end = p->out_alloc = 0;
    p->up = p->running = p->eof_sent = p->in = p->spins = 0;
    p->in_vain = 0;
    memset(p->ended, 0, sizeof(p->ended));
}

static void ssh_close(Transport *t);

static int ssh_connect(Transport *t, int timeout_ms)
{
    SshPriv *p = t->priv;
    char why[400] = "";
    int ret;

    ssh_close(t);
    pthread_once(&init_once, init_libssh2);
    t->error[0] = 0;
    p->deadline = deadline_in(timeout_ms, t->wake_fd);
    ret = sshconfig_load(&p->cfg, t->host, &p->deadline, why, sizeof(why));
    if (ret >= 0) {
        p->opened = 1;
        ret = ssh_dial(&p->link, &p->cfg, &p->deadline, why, sizeof(why));
    }
    if (ret < 0) {
        sshpriv_fail(t, ret, "%s", ret == AVERROR_EXIT ? "interrupted" : why);
        goto end;
    }
    p->stop = 0;
    ret = sshlogin_handshake(t);
    if (ret >= 0)
        ret = sshlogin_authenticate(t);
    p->up = ret >= 0;
end:
    if (ret < 0) {
        hostnote_set(t->host->note, NULL);
        tear_down(p);
    }
    return ret;
}

/* A call's negative result; the connection is lost with any error but EAGAIN. */
static int failed_call(Transport *t, int rc, const char *what)
{
    SshPriv *p = t->priv;
    char *msg = NULL;

    if (rc == LIBSSH2_ERROR_EAGAIN)
        return AVERROR(EAGAIN);
    libssh2_session_last_error(p->session, &msg, NULL, 0);
    return sshpriv_fail(t, AVERROR(EIO), "connection lost: %s: %s", what, msg && *msg ? msg : "closed");
}

static int ssh_exec(Transport *t, const char *command)
{
    SshPriv *p = t->priv;
    int rc;

    if (!p->up || p->running)
        return sshpriv_fail(t, AVERROR(p->up ? EINVAL : ENOTCONN),
                            p->up ? "a command runs already" : "not connected");
    if (!p->command)
        p->command = leash_command(command, 0);
    if (!p->command)
        return sshpriv_fail(t, AVERROR(ENOMEM), "out of memory");
    if (strlen(p->command) > MAX_COMMAND)
        return sshpriv_fail(t, AVERROR(E2BIG), "the command is too long for SSH: %zu bytes, quoted %zu of %d",
                            strlen(command), strlen(p->command), MAX_COMMAND);
    if (!p->channel) {
        p->channel = libssh2_channel_open_ex(p->session, "session", 7, WINDOW, PACKET, NULL, 0);
        if (!p->channel)
            return failed_call(t, libssh2_session_last_errno(p->session), "cannot open a channel");
    }
    rc = libssh2_channel_process_startup(p->channel, "exec", 4, p->command, strlen(p->command));
    if (rc)
        return failed_call(t, rc, "cannot start a command");
    av_freep(&p->command);
    p->running  = 1;
    p->eof_sent = 0;
    memset(p->ended, 0, sizeof(p->ended));
    return 0;
}

static ssize_t ssh_write(Transport *t, const uint8_t *buf, size_t size)
{
    SshPriv *p = t->priv;
    ssize_t rc;

    if (!p->running)
        return AVERROR(EIO);
    if (p->eof_sent || libssh2_channel_eof(p->channel) == 1)
        return AVERROR(EPIPE);
    if (sshpriv_waiting(p) > OUT_ENOUGH)
        sshpriv_flush(p);
    if (sshpriv_waiting(p) > OUT_ENOUGH)
        return AVERROR(EAGAIN);
    rc = libssh2_channel_write_ex(p->channel, 0, (const char *)buf, size);
    if (rc == LIBSSH2_ERROR_CHANNEL_CLOSED || rc == LIBSSH2_ERROR_CHANNEL_EOF_SENT)
        return AVERROR(EPIPE);
    if (rc < 0)
        return failed_call(t, rc, "write");
    if (rc > 0)
        moved(p, rc);
    return rc || !size ? rc : AVERROR(EAGAIN);
}

static int ssh_write_eof(Transport *t)
{
    SshPriv *p = t->priv;
    int rc;

    if (!p->running)
        return AVERROR(EIO);
    if (p->eof_sent)
        return 0;
    rc = libssh2_channel_send_eof(p->channel);
    if (rc && rc != LIBSSH2_ERROR_CHANNEL_CLOSED)
        return failed_call(t, rc, "end of input");
    p->eof_sent = 1;
    return 0;
}

static ssize_t ssh_read(Transport *t, enum TransportStream which, uint8_t *buf, size_t size)
{
    SshPriv *p = t->priv;
    ssize_t rc;

    if (!p->running)
        return AVERROR(EIO);
    if (p->ended[which])
        return 0;
    rc = libssh2_channel_read_ex(p->channel, which == TRANSPORT_STDERR ? SSH_EXTENDED_DATA_STDERR : 0,
                                 (char *)buf, size);
    if (rc < 0)
        return failed_call(t, rc, "read");
    if (rc > 0) {
        moved(p, rc);
        return rc;
    }
    /* 0 is only the end when nothing of the channel waits any more; ssh_wait() knows. */
    if (libssh2_channel_eof(p->channel) != 1)
        return AVERROR(EAGAIN);
    p->ended[which] = 1;
    return 0;
}

static int signal_number(const char *name)
{
    static const struct { const char *name; int number; } signals[] = {
        { "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "BUS",  SIGBUS  }, { "FPE",  SIGFPE  },
        { "HUP",  SIGHUP  }, { "ILL",  SIGILL  }, { "INT",  SIGINT  }, { "KILL", SIGKILL },
        { "PIPE", SIGPIPE }, { "QUIT", SIGQUIT }, { "SEGV", SIGSEGV }, { "SYS",  SIGSYS  },
        { "TERM", SIGTERM }, { "TRAP", SIGTRAP }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
        { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
    };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(signals); i++)
        if (!strcmp(signals[i].name, name))
            return signals[i].number;
    return 127;
}

static int ssh_exit_status(Transport *t, int *status)
{
    SshPriv *p = t->priv;
    char *name = NULL;
    int rc;

    if (!p->running)
        return AVERROR(EIO);
    if (libssh2_channel_eof(p->channel) != 1)
        return AVERROR(EAGAIN);
    /* The status precedes the host's close. Our own close has to wait for it:
     * a server that sees it first sends no status. */
    rc = libssh2_channel_wait_closed(p->channel);
    if (rc)
        return failed_call(t, rc, "exit status");
    libssh2_channel_get_exit_signal(p->channel, &name, NULL, NULL, NULL, NULL, NULL);
    *status = name ? 128 + signal_number(name) : libssh2_channel_get_exit_status(p->channel);
    if (name)
        libssh2_free(p->session, name);
    rc = libssh2_channel_free(p->channel);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return AVERROR(EAGAIN);
    p->channel = NULL;
    p->running = 0;
    return 0;
}

static void ssh_cancel(Transport *t)
{
    SshPriv *p = t->priv;

#if LIBSSH2_VERSION_NUM >= 0x010b00
    if (p->up && p->running && libssh2_channel_eof(p->channel) != 1)
        libssh2_channel_signal_ex(p->channel, "HUP", 3);
#endif
    /* A closed channel alone would leave the command running. Without its
     * connection the server's session ends, and then the leash ends the command. */
    tear_down(p);
}

/* What libssh2 took off the socket during another call, poll() cannot tell. */
static int may_go_on(const SshPriv *p, int want_write)
{
    unsigned long queued = 0;
    int eof = libssh2_channel_eof(p->channel);

    libssh2_channel_window_read_ex(p->channel, &queued, NULL);
    if (queued || (eof == 1 && !(p->ended[TRANSPORT_STDOUT] && p->ended[TRANSPORT_STDERR])))
        return 1;
    return want_write && !p->eof_sent && sshpriv_waiting(p) <= OUT_ENOUGH &&
           libssh2_channel_window_write_ex(p->channel, NULL) > 0;
}

static int ssh_wait(Transport *t, int want_write, int timeout_ms)
{
    SshPriv *p = t->priv;
    struct pollfd fds[2] = { { t->wake_fd, POLLIN, 0 }, { -1, POLLIN, 0 } };
    int ret;

    p->in = 0;
    if (p->in_vain > IN_MAX)
        return sshpriv_fail(t, AVERROR(EIO),
                            "connection lost: it sends without end what is no output of the command");
    if (p->running && may_go_on(p, want_write)) {
        if (p->spins++ < MAX_SPINS)
            return 0;
        /* what waits is of a kind that nobody reads, or keys are being exchanged */
        if (timeout_ms < 0 || timeout_ms > SPIN_MS)
            timeout_ms = SPIN_MS;
    }
    if (p->opened) {
        fds[1].fd = p->link.fd;
        if (sshpriv_waiting(p))
            fds[1].events |= POLLOUT;
    }
    ret = poll(fds, 2, timeout_ms);
    if (ret < 0 && errno != EINTR)
        return sshpriv_fail(t, AVERROR(errno), "poll: %s", strerror(errno));
    if (p->opened) {
        ret = sshpriv_flush(p);
        if (ret < 0)
            return sshpriv_fail(t, AVERROR(EIO), "connection lost: %s", strerror(-ret));
    }
    return 0;
}

/* While nothing runs nobody reads, nor answers when the server asks whether we are there: it may have hung up. */
static int ssh_connected(const Transport *t)
{
    const SshPriv *p = t->priv;
    struct pollfd fd = { p->link.fd, POLLRDHUP, 0 };

    return p->up && !(poll(&fd, 1, 0) > 0 && fd.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void ssh_close(Transport *t)
{
    SshPriv *p = t->priv;

    if (p->up && !p->running)
        libssh2_session_disconnect(p->session, "done");
    tear_down(p);
    sshconfig_free(&p->cfg);
}

const TransportOps transport_ssh = {
    .name        = "ssh",
    .priv_size   = sizeof(SshPriv),
    .connect     = ssh_connect,
    .exec        = ssh_exec,
    .write       = ssh_write,
    .write_eof   = ssh_write_eof,
    .read        = ssh_read,
    .exit_status = ssh_exit_status,
    .cancel      = ssh_cancel,
    .wait        = ssh_wait,
    .connected   = ssh_connected,
    .close       = ssh_close,
};
