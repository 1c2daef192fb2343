/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "child.h"
#include "hostnote.h"
#include "sshconfig.h"

#define MAX_OUTPUT (1 << 18)

const char *sshconfig_file(void)
{
    const char *file = getenv("FFLEET_SSH_CONFIG");

    return file && *file ? file : NULL;
}

static void free_list(char ***list, int *nb)
{
    for (int i = 0; i < *nb; i++)
        av_freep(&(*list)[i]);
    av_freep(list);
    *nb = 0;
}

void sshconfig_free(SshConfig *cfg)
{
    av_freep(&cfg->alias);
    av_freep(&cfg->hostname);
    av_freep(&cfg->user);
    av_freep(&cfg->hostkeyalias);
    av_freep(&cfg->proxyjump);
    av_freep(&cfg->proxycommand);
    av_freep(&cfg->identity_agent);
    av_freep(&cfg->ciphers);
    av_freep(&cfg->macs);
    free_list(&cfg->identities, &cfg->nb_identities);
    free_list(&cfg->known_hosts, &cfg->nb_known_hosts);
    free_list(&cfg->revoked, &cfg->nb_revoked);
}

/* @param is_short only up to the first dot */
static void append_machine(AVBPrint *bp, int is_short)
{
    char name[256] = "";

    gethostname(name, sizeof(name) - 1);
    av_bprintf(bp, "%.*s", (int)strcspn(name, is_short ? "." : ""), name);
}

static void append_token(AVBPrint *bp, const SshConfig *cfg, char token)
{
    const char *home = getenv("HOME"), *local = getenv("USER");

    switch (token) {
    case '%': av_bprint_chars(bp, '%', 1);                              break;
    case 'd': av_bprintf(bp, "%s", home ? home : "");                   break;
    case 'h': av_bprintf(bp, "%s", cfg->hostname);                      break;
    case 'i': av_bprintf(bp, "%u", (unsigned)getuid());                 break;
    case 'k': av_bprintf(bp, "%s", cfg->hostkeyalias ? cfg->hostkeyalias : cfg->alias); break;
    case 'L': append_machine(bp, 1);                                    break;
    case 'l': append_machine(bp, 0);                                    break;
    case 'n': av_bprintf(bp, "%s", cfg->alias);                         break;
    case 'p': av_bprintf(bp, "%d", cfg->port);                          break;
    case 'r': av_bprintf(bp, "%s", cfg->user);                          break;
    case 'u': av_bprintf(bp, "%s", local ? local : cfg->user);          break;
    default:  av_bprintf(bp, "%%%c", token);                            break;
    }
}

/* ssh -G prints paths and commands as written: '~', %tokens and (paths only) ${VARIABLES}. */
static int expand(char **dst, const SshConfig *cfg, const char *s, int is_path)
{
    const char *home = getenv("HOME");
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (is_path && home && s[0] == '~' && (s[1] == '/' || !s[1])) {
        av_bprintf(&bp, "%s", home);
        s++;
    }
    while (*s) {
        const char *end = is_path && s[0] == '$' && s[1] == '{' ? strchr(s, '}') : NULL;

        if (end) {
            char name[128];
            const char *value;

            snprintf(name, sizeof(name), "%.*s", (int)(end - s - 2), s + 2);
            value = getenv(name);
            av_bprintf(&bp, "%s", value ? value : "");
            s = end + 1;
        } else if (s[0] == '%' && s[1]) {
            append_token(&bp, cfg, s[1]);
            s += 2;
        } else {
            av_bprint_chars(&bp, *s++, 1);
        }
    }
    av_freep(dst);
    return av_bprint_finalize(&bp, dst);
}

static int add_path(char ***list, int *nb, const SshConfig *cfg, const char *path)
{
    char *full = NULL;
    int ret = expand(&full, cfg, path, 1);

    if (ret < 0)
        return ret;
    ret = av_dynarray_add_nofree(list, nb, full);
    if (ret < 0)
        av_free(full);
    return ret;
}

/* ssh -G quotes nothing: only what follows a blank and looks like the beginning of a path is another one. */
static int add_paths(char ***list, int *nb, const SshConfig *cfg, char *paths)
{
    int ret = 0;

    while (paths && ret >= 0) {
        char *next = strchr(paths, ' ');

        while (next && (!next[1] || !strchr("/~%$", next[1])))
            next = strchr(next + 1, ' ');
        if (next)
            *next++ = 0;
        if (strcmp(paths, "none"))
            ret = add_path(list, nb, cfg, paths);
        paths = next;
    }
    return ret;
}

static int set_string(char **dst, const char *value)
{
    av_freep(dst);
    *dst = av_strdup(value);
    return *dst ? 0 : AVERROR(ENOMEM);
}

static int set_agent(SshConfig *cfg, const char *value)
{
    const char *path = value[0] == '$' && value[1] != '{' ? getenv(value + 1) : value;

    if (!strcmp(value, "SSH_AUTH_SOCK"))
        return 0;
    if (!strcmp(value, "none") || !path || !*path) {
        cfg->identity_none = 1;
        return 0;
    }
    return expand(&cfg->identity_agent, cfg, path, 1);
}

/* What later lines refer to through tokens. */
static int parse_first(SshConfig *cfg, const char *key, const char *value)
{
    if (!strcmp(key, "hostname"))
        return set_string(&cfg->hostname, value);
    if (!strcmp(key, "user"))
        return set_string(&cfg->user, value);
    if (!strcmp(key, "hostkeyalias") && strcmp(value, "none"))
        return set_string(&cfg->hostkeyalias, value);
    if (!strcmp(key, "ciphers"))
        return set_string(&cfg->ciphers, value);
    if (!strcmp(key, "macs"))
        return set_string(&cfg->macs, value);
    if (!strcmp(key, "port"))
        cfg->port = atoi(value);
    else if (!strcmp(key, "connecttimeout"))
        cfg->connect_timeout = atoi(value);
    else if (!strcmp(key, "proxyusefdpass"))
        cfg->proxy_passes = !strcmp(value, "yes");
    else if (!strcmp(key, "identitiesonly"))
        cfg->identities_only = !strcmp(value, "yes");
    else if (!strcmp(key, "addressfamily"))
        cfg->family = !strcmp(value, "inet")  ? AF_INET :
                      !strcmp(value, "inet6") ? AF_INET6 : AF_UNSPEC;
    return 0;
}

static int parse_second(SshConfig *cfg, const char *key, char *value)
{
    if (!strcmp(key, "proxyjump") && strcmp(value, "none"))
        return set_string(&cfg->proxyjump, value);
    if (!strcmp(key, "proxycommand") && strcmp(value, "none"))
        return expand(&cfg->proxycommand, cfg, value, 0);
    if (!strcmp(key, "identityagent"))
        return set_agent(cfg, value);
    if (!strcmp(key, "identityfile") && strcmp(value, "none"))
        return add_path(&cfg->identities, &cfg->nb_identities, cfg, value);
    if (!strcmp(key, "revokedhostkeys"))
        return add_paths(&cfg->revoked, &cfg->nb_revoked, cfg, value);
    if (!strcmp(key, "userknownhostsfile"))
        return add_paths(&cfg->known_hosts, &cfg->nb_known_hosts, cfg, value);
    return 0;
}

static int parse_third(SshConfig *cfg, const char *key, char *value)
{
    if (!strcmp(key, "globalknownhostsfile"))
        return add_paths(&cfg->known_hosts, &cfg->nb_known_hosts, cfg, value);
    return 0;
}

/* One pass over the "key value" lines; leaves the text as it was. */
static int parse_pass(SshConfig *cfg, const char *text, int pass)
{
    int ret = 0;

    while (ret >= 0 && *text) {
        size_t len = strcspn(text, "\n");
        char *line = av_strndup(text, len), *value;

        if (!line)
            return AVERROR(ENOMEM);
        value = strchr(line, ' ');
        if (value) {
            *value++ = 0;
            ret = pass == 0 ? parse_first(cfg, line, value) :
                  pass == 1 ? parse_second(cfg, line, value) : parse_third(cfg, line, value);
        }
        av_free(line);
        text += len + !!text[len];
    }
    return ret;
}

int sshconfig_parse(SshConfig *cfg, const Host *host, const char *text)
{
    int ret;

    memset(cfg, 0, sizeof(*cfg));
    cfg->family = AF_UNSPEC;
    cfg->port   = 22;
    ret = set_string(&cfg->alias, host->name);
    for (int pass = 0; pass < 3 && ret >= 0; pass++) {
        ret = parse_pass(cfg, text, pass);
        if (ret >= 0 && (!cfg->hostname || !cfg->user))
            ret = AVERROR_INVALIDDATA;
        if (ret >= 0 && !pass && host->key)
            ret = add_path(&cfg->identities, &cfg->nb_identities, cfg, host->key);
    }
    if (ret >= 0 && (cfg->port < 1 || cfg->port > 65535))
        ret = AVERROR_INVALIDDATA;
    if (ret < 0)
        sshconfig_free(cfg);
    return ret;
}

/* All that a child prints, stdout and stderr, up to its end. */
static int capture(int fd, AVBPrint *bp, const Deadline *d)
{
    char buf[4096];

    while (bp->len < MAX_OUTPUT) {
        ssize_t n;
        int ret = deadline_poll(d, fd, POLLIN);

        if (ret < 0)
            return ret;
        n = read(fd, buf, sizeof(buf));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return AVERROR(errno);
        if (!n)
            return av_bprint_is_complete(bp) ? 0 : AVERROR(ENOMEM);
        if (n > 0)
            av_bprint_append_data(bp, buf, n);
    }
    return AVERROR(EFBIG);
}

static int run_ssh_g(const Host *host, AVBPrint *bp, const Deadline *d)
{
    const char *argv[12], *file = sshconfig_file();
    int n = 0, fd[2], ret, status = 0;
    char port[16];
    pid_t pid;

    argv[n++] = "ssh";
    argv[n++] = "-G";
    if (file) {
        argv[n++] = "-F";
        argv[n++] = file;
    }
    if (host->user) {
        argv[n++] = "-l";
        argv[n++] = host->user;
    }
    if (host->port) {
        snprintf(port, sizeof(port), "%d", host->port);
        argv[n++] = "-p";
        argv[n++] = port;
    }
    argv[n++] = "--";
    argv[n++] = host->name;
    argv[n]   = NULL;

    ret = child_pipe(fd, 0);
    if (ret < 0)
        return ret;
    ret = child_spawn(&pid, argv, -1, fd[1], fd[1]);
    child_close_fd(&fd[1]);
    if (ret >= 0) {
        ret = capture(fd[0], bp, d);
        child_finish(pid, ret < 0 ? SIGKILL : 0, 500, &status);
        if (ret >= 0 && status)
            ret = AVERROR_EXTERNAL;
    }
    child_close_fd(&fd[0]);
    return ret;
}

int sshconfig_load(SshConfig *cfg, const Host *host, const Deadline *d,
                   char *why, size_t why_size)
{
    char *known = hostnote_get(host->note);
    AVBPrint bp;
    int ret;

    memset(cfg, 0, sizeof(*cfg));
    if (known) {
        ret = sshconfig_parse(cfg, host, known);
        av_free(known);
        return ret;
    }
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = run_ssh_g(host, &bp, d);
    if (ret >= 0)
        ret = sshconfig_parse(cfg, host, bp.str);
    if (ret >= 0)
        hostnote_set(host->note, bp.str);
    if (ret == AVERROR(ENOENT))
        snprintf(why, why_size, "the OpenSSH client 'ssh', which reads the configuration, "
                                "is not on PATH");
    else if (ret == AVERROR_EXTERNAL)
        snprintf(why, why_size, "ssh -G refuses the host or its configuration: %.*s",
                 (int)strcspn(bp.str, "\r\n"), bp.str);
    else if (ret < 0)
        snprintf(why, why_size, "cannot read the SSH configuration: %s", av_err2str(ret));
    av_bprint_finalize(&bp, NULL);
    return ret;
}
