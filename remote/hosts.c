/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "bytesize.h"
#include "hostnote.h"
#include "hosts.h"

#define LOCAL_NICE 5
#define MAX_FILE  (1 << 20)

/* Where we are in the text, for messages. */
typedef struct Parser {
    const char *origin;
    int         line;
    const char *word;
    char       *err;
    size_t      err_size;
} Parser;

static void host_free(Host *h)
{
    av_freep(&h->name);
    av_freep(&h->user);
    av_freep(&h->ffmpeg);
    av_freep(&h->key);
    av_freep(&h->label);
    hostnote_free(&h->note);
}

void hosts_free(HostList *list)
{
    for (int i = 0; i < list->nb_hosts; i++)
        host_free(&list->hosts[i]);
    av_freep(&list->hosts);
    av_freep(&list->origin);
    list->nb_hosts = 0;
}

static int invalid(const Parser *p, const char *why)
{
    snprintf(p->err, p->err_size, "%s:%d: '%s': %s", p->origin, p->line, p->word, why);
    return AVERROR(EINVAL);
}

/* @return the number, or -1 when it is none or out of 1..max */
static int parse_number(const char *s, int max)
{
    char *end;
    long n;

    if (*s < '0' || *s > '9')
        return -1;
    errno = 0;
    n = strtol(s, &end, 10);
    return errno || *end || n < 1 || n > max ? -1 : n;
}

static int valid_name(const char *name, const char *more)
{
    if (!*name || *name == '-')
        return 0;
    for (; *name; name++)
        if (!av_isgraph(*name) ||
            (!strchr(more, *name) && strchr("\"#$&'()*,/:;<>?@[\\]`{|}!^", *name)))
            return 0;
    return 1;
}

#define KNOWN_OPTIONS "ffmpeg=PATH, key=FILE, maxmem=SIZE, sessions=NUMBER, spool, stream"

/** A number of bytes such as 512M or 1.5G. @return 0 and *size, or AVERROR(EINVAL) */
static int parse_size(const char *value, int64_t *size)
{
    double n = bytesize_parse(value);

    if (!(n >= 1) || n >= 0x1p62)
        return AVERROR(EINVAL);
    *size = n;
    return 0;
}

/** @return 1: it was one of these; 0: not, or an AVERROR code */
static int parse_number_option(const Parser *p, Host *h, const char *opt, const char *value)
{
    int *number = !strcmp(opt, "sessions") ? &h->sessions : NULL;

    if (!number && strcmp(opt, "maxmem"))
        return 0;
    if (!value || !*value)
        return invalid(p, "option needs a value: " KNOWN_OPTIONS);
    if (number ? *number : !!h->maxmem)
        return invalid(p, "option given twice");
    if (!number)
        return parse_size(value, &h->maxmem) < 0 ? invalid(p, "maxmem must be a number of bytes, such as 4G") : 1;
    *number = parse_number(value, HOST_MAX_SLOTS);
    return *number < 0 ? invalid(p, "sessions must be a number from 1 to " AV_STRINGIFY(HOST_MAX_SLOTS)) : 1;
}

static int parse_option(const Parser *p, Host *h, char *opt)
{
    char *value = strchr(opt, '='), **dst;
    int ret;

    if (value)
        *value++ = 0;
    if (!value && (!strcmp(opt, "spool") || !strcmp(opt, "stream"))) {
        if (h->feed)
            return invalid(p, "only one of spool and stream may be given");
        h->feed = !strcmp(opt, "spool") ? HOST_FEED_SPOOL : HOST_FEED_STREAM;
        return 0;
    }
    ret = parse_number_option(p, h, opt, value);
    if (ret)
        return FFMIN(ret, 0);
    if (!strcmp(opt, "ffmpeg"))
        dst = &h->ffmpeg;
    else if (!strcmp(opt, "key"))
        dst = &h->key;
    else
        return invalid(p, "unknown option after ',' (known: " KNOWN_OPTIONS "; "
                          "entries are separated by blanks)");
    if (!value || !*value)
        return invalid(p, "option needs a value: " KNOWN_OPTIONS);
    if (*dst)
        return invalid(p, "option given twice");
    *dst = av_strdup(value);
    return *dst ? 0 : AVERROR(ENOMEM);
}

/**
 * host[:port] or [IPv6][:port]: end the name.
 * @param name moves behind a bracket
 * @param port gets what is behind ':', or NULL
 */
static int split_port(const Parser *p, char **name, char **port)
{
    char *end;

    if (**name == '[') {
        end = strchr(++*name, ']');
        if (!end)
            return invalid(p, "']' is missing");
        *end++ = 0;
        if (*end && *end != ':')
            return invalid(p, "only ':port' or '/slots' may follow ']'");
    } else {
        end = *name + strcspn(*name, ":");
        if (*end && strchr(end + 1, ':'))
            return invalid(p, "an IPv6 address must stand in brackets: [::1]:22");
    }
    *port = *end ? end + 1 : NULL;
    *end  = 0;
    return 0;
}

/* [user@]host[:port][/slots]; modifies s. */
static int parse_address(const Parser *p, Host *h, char *s)
{
    char *slots, *port, *at = strrchr(s, '@');
    int ret;

    if (at) {
        *at = 0;
        if (!valid_name(s, "@\\"))
            return invalid(p, "bad user name before '@'");
        h->user = av_strdup(s);
        if (!h->user)
            return AVERROR(ENOMEM);
        s = at + 1;
    }
    slots = strchr(s, '/');
    if (slots) {
        *slots++ = 0;
        h->slots = parse_number(slots, HOST_MAX_SLOTS);
        if (h->slots < 0)
            return invalid(p, "slots after '/' must be a number from 1 to " AV_STRINGIFY(HOST_MAX_SLOTS));
    }
    ret = split_port(p, &s, &port);
    if (ret < 0)
        return ret;
    if (port) {
        h->port = parse_number(port, 65535);
        if (h->port < 0)
            return invalid(p, "port after ':' must be a number from 1 to 65535");
    }
    if (!*s)
        return invalid(p, "host name is missing");
    if (!valid_name(s, ":"))
        return invalid(p, "bad host name");
    h->name  = av_strdup(s);
    h->local = !strcmp(s, "localhost") && !h->user && !h->port;
    h->nice  = h->local ? LOCAL_NICE : 0;
    return h->name ? 0 : AVERROR(ENOMEM);
}

static int same_label(const HostList *list, const char *label)
{
    for (int i = 0; i < list->nb_hosts; i++)
        if (!strcmp(list->hosts[i].label, label))
            return 1;
    return 0;
}

/* The address as it was written; a repeated one gets a number. */
static int make_label(Host *h, const HostList *old, const HostList *fresh)
{
    int v6 = !!strchr(h->name, ':');
    AVBPrint bp;

    for (int n = 1;; n++) {
        int ret;

        av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
        if (h->user)
            av_bprintf(&bp, "%s@", h->user);
        av_bprintf(&bp, v6 ? "[%s]" : "%s", h->name);
        if (h->port)
            av_bprintf(&bp, ":%d", h->port);
        if (n > 1)
            av_bprintf(&bp, "#%d", n);
        ret = av_bprint_finalize(&bp, &h->label);
        if (ret < 0)
            return ret;
        if (!same_label(old, h->label) && !same_label(fresh, h->label))
            return 0;
        av_freep(&h->label);
    }
}

static int parse_entry(const Parser *p, char *word, const HostList *old, HostList *fresh)
{
    Host h = { 0 };
    char *opt = strchr(word, ','), *next;
    void *grown;
    int ret;

    if (opt)
        *opt++ = 0;
    ret = parse_address(p, &h, word);
    for (; ret >= 0 && opt; opt = next) {
        next = strchr(opt, ',');
        if (next)
            *next++ = 0;
        ret = parse_option(p, &h, opt);
    }
    if (ret >= 0)
        ret = make_label(&h, old, fresh);
    if (ret >= 0 && !h.local && !(h.note = hostnote_alloc()))
        ret = AVERROR(ENOMEM);
    if (ret < 0)
        goto fail;
    grown = av_realloc_array(fresh->hosts, fresh->nb_hosts + 1, sizeof(*fresh->hosts));
    ret = AVERROR(ENOMEM);
    if (!grown)
        goto fail;
    fresh->hosts = grown;
    fresh->hosts[fresh->nb_hosts++] = h;
    return 0;
fail:
    host_free(&h);
    return ret;
}

/* All entries of one line (without its newline). */
static int parse_line(Parser *p, const char *line, size_t len, const HostList *old,
                      HostList *fresh)
{
    static const char blanks[] = " \t\r\v\f";
    size_t pos = 0;
    int ret = 0;

    while (ret >= 0 && pos < len) {
        size_t size = strcspn(line + pos, " \t\r\v\f\n#");
        char *word, *shown;

        if (!size) {
            if (!strchr(blanks, line[pos]))
                break;
            pos++;
            continue;
        }
        word  = av_strndup(line + pos, size);
        shown = av_strndup(line + pos, size);
        p->word = shown;
        ret = word && shown ? parse_entry(p, word, old, fresh) : AVERROR(ENOMEM);
        av_free(word);
        av_free(shown);
        pos += size;
    }
    return ret;
}

static int append_list(HostList *list, HostList *fresh, const char *origin)
{
    char *copy = av_strdup(origin);
    void *grown;

    if (!copy)
        return AVERROR(ENOMEM);
    if (fresh->nb_hosts) {
        grown = av_realloc_array(list->hosts, list->nb_hosts + fresh->nb_hosts,
                                 sizeof(*list->hosts));
        if (!grown) {
            av_free(copy);
            return AVERROR(ENOMEM);
        }
        list->hosts = grown;
        memcpy(list->hosts + list->nb_hosts, fresh->hosts,
               fresh->nb_hosts * sizeof(*fresh->hosts));
        list->nb_hosts += fresh->nb_hosts;
        fresh->nb_hosts = 0;
    }
    av_free(list->origin);
    list->origin = copy;
    return 0;
}

int hosts_parse(HostList *list, const char *text, const char *origin, char *err, size_t err_size)
{
    Parser p = { origin, 1, "", err, err_size };
    HostList fresh = { 0 };
    int ret = 0;

    if (err_size)
        *err = 0;
    while (ret >= 0) {
        size_t len = strcspn(text, "\n");

        ret   = parse_line(&p, text, len, list, &fresh);
        text += len;
        if (!*text)
            break;
        text++;
        p.line++;
    }
    if (ret >= 0)
        ret = append_list(list, &fresh, origin);
    if (ret == AVERROR(ENOMEM))
        snprintf(err, err_size, "%s: out of memory", origin);
    hosts_free(&fresh);
    return ret;
}

/* Read all of a file, NUL-terminated. */
static int read_file(const char *path, char **text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
    size_t size = 0;
    char *buf = NULL;

    if (fd < 0)
        return AVERROR(errno);
    buf = av_malloc(MAX_FILE + 1);
    if (!buf)
        ret = AVERROR(ENOMEM);
    while (ret >= 0) {
        ssize_t n = read(fd, buf + size, MAX_FILE + 1 - size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            ret = AVERROR(errno);
        if (n <= 0)
            break;
        size += n;
        if (size > MAX_FILE)
            ret = AVERROR(EFBIG);
    }
    close(fd);
    if (ret >= 0) {
        buf[size] = 0;
        if (strlen(buf) != size)
            ret = AVERROR_INVALIDDATA;
    }
    if (ret < 0)
        av_freep(&buf);
    *text = buf;
    return ret;
}

/* @return 1 when the file was there, 0 when not, or an AVERROR code */
static int load_file(HostList *list, const char *path, char *err, size_t err_size)
{
    char *text = NULL;
    int ret = read_file(path, &text);

    if (ret == AVERROR(ENOENT) || ret == AVERROR(ENOTDIR))
        return 0;
    if (ret < 0) {
        snprintf(err, err_size, "%s: cannot read: %s", path, av_err2str(ret));
        return ret;
    }
    ret = hosts_parse(list, text, path, err, err_size);
    av_free(text);
    return ret < 0 ? ret : 1;
}

int hosts_load(HostList *list, char *err, size_t err_size)
{
    const char *text = getenv("FFLEET_HOSTS");
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int ret = 0;

    if (err_size)
        *err = 0;
    if (text)
        return hosts_parse(list, text, "FFLEET_HOSTS", err, err_size);
    /* The XDG base directory specification ignores relative paths. */
    if (config && *config == '/')
        path = av_asprintf("%s/ffleet/hosts", config);
    else if (home && *home)
        path = av_asprintf("%s/.config/ffleet/hosts", home);
    if (path)
        ret = load_file(list, path, err, err_size);
    av_free(path);
    if (!ret)
        ret = load_file(list, "/etc/ffleet/hosts", err, err_size);
    return ret < 0 ? ret : 0;
}
