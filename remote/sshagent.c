/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * draft-miller-ssh-agent: messages of a 32 bit length, a type, and what belongs to it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "child.h"
#include "sshagent.h"

#define REQUEST_IDENTITIES 11
#define IDENTITIES_ANSWER  12
#define SIGN_REQUEST       13
#define SIGN_RESPONSE      14
#define RSA_SHA2_256       2
#define RSA_SHA2_512       4

#define MAX_MESSAGE (256 << 10)
#define MAX_KEYS    64

/** What is left to read of a message. */
typedef struct Reader {
    const uint8_t *p;
    size_t         left;
} Reader;

static int skip(Reader *r, size_t size)
{
    if (r->left < size)
        return AVERROR_INVALIDDATA;
    r->p    += size;
    r->left -= size;
    return 0;
}

/** The next string; it lies in the message. */
static int read_string(Reader *r, const uint8_t **data, size_t *size)
{
    if (r->left < 4)
        return AVERROR_INVALIDDATA;
    *size = AV_RB32(r->p);
    *data = r->p + 4;
    return r->left - 4 < *size ? AVERROR_INVALIDDATA : skip(r, 4 + *size);
}

static int connect_to(SshAgent *a, const char *path, const Deadline *d)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int ret;

    if (strlen(path) >= sizeof(addr.sun_path))
        return AVERROR(ENAMETOOLONG);
    memcpy(addr.sun_path, path, strlen(path));
    a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (a->fd < 0)
        return AVERROR(errno);
    while (connect(a->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        Deadline soon = deadline_sooner(d, 20);

        /* its queue is full: nothing but time tells when there is room */
        if (errno != EAGAIN && errno != EINTR)
            return AVERROR(errno);
        ret = deadline_poll(&soon, -1, 0);
        if (ret == AVERROR(ETIMEDOUT))
            ret = deadline_check(d);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/** All of it, one way or the other. */
static int transfer(int fd, uint8_t *buf, size_t size, short event, const Deadline *d)
{
    while (size > 0) {
        ssize_t n;
        int ret = deadline_poll(d, fd, event);

        if (ret < 0)
            return ret;
        n = event == POLLOUT ? send(fd, buf, size, MSG_NOSIGNAL) : recv(fd, buf, size, 0);
        if (!n)
            return AVERROR(EPIPE);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return AVERROR(errno);
        if (n > 0) {
            buf  += n;
            size -= n;
        }
    }
    return 0;
}

/** @param reply its type and what follows; to be freed with av_free() */
static int ask(SshAgent *a, uint8_t *request, size_t request_size, uint8_t **reply, size_t *size,
               const Deadline *d)
{
    uint8_t head[4];
    int ret = transfer(a->fd, request, request_size, POLLOUT, d);

    *reply = NULL;
    if (ret >= 0)
        ret = transfer(a->fd, head, sizeof(head), POLLIN, d);
    if (ret < 0)
        return ret;
    *size = AV_RB32(head);
    if (*size < 1 || *size > MAX_MESSAGE)
        return AVERROR_INVALIDDATA;
    *reply = av_malloc(*size);
    if (!*reply)
        return AVERROR(ENOMEM);
    ret = transfer(a->fd, *reply, *size, POLLIN, d);
    if (ret < 0)
        av_freep(reply);
    return ret;
}

static int add_key(SshAgent *a, Reader *r)
{
    const uint8_t *blob, *comment;
    size_t size, comment_size;
    AgentKey key;
    int ret = read_string(r, &blob, &size);

    if (ret >= 0)
        ret = read_string(r, &comment, &comment_size);
    if (ret < 0)
        return ret;
    key.blob    = av_memdup(blob, FFMAX(size, 1));
    key.size    = size;
    key.comment = av_strndup((const char *)comment, comment_size);
    if (!key.blob || !key.comment) {
        av_free(key.blob);
        av_free(key.comment);
        return AVERROR(ENOMEM);
    }
    a->keys[a->nb_keys++] = key;
    return 0;
}

static int list_keys(SshAgent *a, const Deadline *d)
{
    uint8_t request[5], *reply;
    size_t size;
    uint32_t nb;
    int ret;

    AV_WB32(request, 1);
    request[4] = REQUEST_IDENTITIES;
    ret = ask(a, request, sizeof(request), &reply, &size, d);
    if (ret < 0)
        return ret;
    a->keys = av_calloc(MAX_KEYS, sizeof(*a->keys));
    ret = !a->keys ? AVERROR(ENOMEM) :
          size < 5 || reply[0] != IDENTITIES_ANSWER ? AVERROR_INVALIDDATA : 0;
    if (ret >= 0) {
        Reader r = { reply + 5, size - 5 };

        nb = AV_RB32(reply + 1);
        for (uint32_t i = 0; ret >= 0 && i < FFMIN(nb, MAX_KEYS); i++)
            ret = add_key(a, &r);
    }
    av_free(reply);
    return ret;
}

int sshagent_open(SshAgent *a, const char *path, const Deadline *d)
{
    int ret;

    memset(a, 0, sizeof(*a));
    a->fd = -1;
    ret = connect_to(a, path, d);
    return ret < 0 ? ret : list_keys(a, d);
}

/** An RSA key signs in several ways: the one that is wanted stands in what is to be signed. */
static uint32_t sign_flags(const uint8_t *data, size_t size)
{
    const uint8_t *word;
    size_t len;
    Reader r = { data, size };

    /* session; type of the message; user, service, method; a flag; algorithm */
    if (read_string(&r, &word, &len) < 0 || skip(&r, 1) < 0 || read_string(&r, &word, &len) < 0 ||
        read_string(&r, &word, &len) < 0 || read_string(&r, &word, &len) < 0 || skip(&r, 1) < 0 ||
        read_string(&r, &word, &len) < 0 || len != 12)
        return 0;
    return !memcmp(word, "rsa-sha2-256", len) ? RSA_SHA2_256 :
           !memcmp(word, "rsa-sha2-512", len) ? RSA_SHA2_512 : 0;
}

/** The signature in a reply: a string that holds the algorithm's name and the signature proper. */
static int take_signature(const uint8_t *reply, size_t size, unsigned char **sig, size_t *sig_size)
{
    const uint8_t *data;
    size_t len;
    Reader r = { reply + 1, size - 1 };

    if (reply[0] != SIGN_RESPONSE)
        return AVERROR(EACCES);
    if (read_string(&r, &data, &len) < 0)
        return AVERROR_INVALIDDATA;
    r = (Reader) { data, len };
    if (read_string(&r, &data, &len) < 0 || read_string(&r, &data, &len) < 0 || !len)
        return AVERROR_INVALIDDATA;
    *sig = malloc(len);     /* libssh2 frees it */
    if (!*sig)
        return AVERROR(ENOMEM);
    memcpy(*sig, data, len);
    *sig_size = len;
    return 0;
}

int sshagent_sign(SshAgent *a, const AgentKey *key, const uint8_t *data, size_t data_size,
                  unsigned char **sig, size_t *sig_size, const Deadline *d)
{
    size_t size = 4 + 1 + 4 + key->size + 4 + data_size + 4, reply_size;
    uint8_t *request = av_malloc(size), *p = request, *reply;
    int ret;

    if (!request)
        return AVERROR(ENOMEM);
    AV_WB32(p, size - 4);
    p[4] = SIGN_REQUEST;
    AV_WB32(p + 5, key->size);
    memcpy(p + 9, key->blob, key->size);
    p += 9 + key->size;
    AV_WB32(p, data_size);
    memcpy(p + 4, data, data_size);
    AV_WB32(p + 4 + data_size, sign_flags(data, data_size));
    ret = ask(a, request, size, &reply, &reply_size, d);
    if (ret >= 0)
        ret = take_signature(reply, reply_size, sig, sig_size);
    av_free(request);
    av_free(reply);
    return ret;
}

void sshagent_close(SshAgent *a)
{
    child_close_fd(&a->fd);
    for (int i = 0; i < a->nb_keys; i++) {
        av_freep(&a->keys[i].blob);
        av_freep(&a->keys[i].comment);
    }
    av_freep(&a->keys);
    a->nb_keys = 0;
}
