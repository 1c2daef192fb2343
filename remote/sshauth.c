/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/base64.h>
#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mem.h>

#include "knownhosts.h"
#include "sshagent.h"
#include "sshauth.h"

#define MAX_KEYS  32
#define MAX_BLOB  8192
#define MAX_TEXT  16384
/* A server that hangs up behind so many refused keys wanted fewer of them; sshd's MaxAuthTries is 6 by itself. */
#define MANY_KEYS 3

/* What we know of an identity file without a passphrase. */
typedef struct KeyFile {
    char    *path;
    int      exists, encrypted;
    uint8_t *blob;       ///< public key, or NULL
    int      size;
    int      used;       ///< tried through the agent
} KeyFile;

typedef struct AuthRun {
    const SshAuth *a;
    KeyFile  files[MAX_KEYS];
    int      nb_files;
    AVBPrint tried, locked;
    int      nb_tried;
    int      rsa;        ///< one of the refused keys was RSA
    const char *silent;  ///< an agent that did not answer in time; NULL: none
} AuthRun;

/** A key of the agent's that is being tried. */
typedef struct AgentTry {
    SshAgent       *agent;
    const AgentKey *key;
    const Deadline *deadline;
    int             error;
} AgentTry;

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = f ? av_malloc(MAX_TEXT) : NULL;
    size_t n = 0;

    if (text)
        n = fread(text, 1, MAX_TEXT - 1, f);
    if (f)
        fclose(f);
    if (text)
        text[n] = 0;
    return text;
}

/* "type base64 comment" */
static int parse_public(KeyFile *k, const char *text)
{
    char type[64], seen[64], *word;
    size_t n = strcspn(text, " \t\r\n");

    if (!n || n >= sizeof(type) || (text[n] != ' ' && text[n] != '\t'))
        return 0;
    snprintf(type, sizeof(type), "%.*s", (int)n, text);
    text += n + 1;
    word = av_strndup(text, strcspn(text, " \t\r\n"));
    k->blob = av_malloc(MAX_BLOB);
    k->size = word && k->blob ? av_base64_decode(k->blob, word, MAX_BLOB) : -1;
    av_free(word);
    if (k->size > 4) {
        knownhosts_blob_type(k->blob, k->size, seen, sizeof(seen));
        if (!strcmp(type, seen))
            return 1;
    }
    av_freep(&k->blob);
    k->size = 0;
    return 0;
}

/* Whether a private key needs a passphrase: PEM says so in words, OpenSSH's own
 * format by the cipher's name after its magic (PROTOCOL.key of OpenSSH). */
static int is_encrypted(const char *text)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const char *body = strstr(text, begin);
    char base64[65];
    uint8_t head[48];
    size_t n = 0;

    if (!body)
        return strstr(text, "ENCRYPTED") != NULL;
    for (body += strlen(begin); *body && n < sizeof(base64) - 1; body++)
        if (!av_isspace(*body))
            base64[n++] = *body;
    base64[n] = 0;
    if (av_base64_decode(head, base64, sizeof(head)) < 23 || memcmp(head, "openssh-key-v1", 15))
        return 0;
    return AV_RB32(head + 15) != 4 || memcmp(head + 19, "none", 4);
}

static int add_file(AuthRun *r, const char *path)
{
    KeyFile *k = &r->files[r->nb_files];
    char *pub, *text;

    for (int i = 0; i < r->nb_files; i++)
        if (!strcmp(r->files[i].path, path))
            return 0;
    if (r->nb_files == MAX_KEYS)
        return 0;
    k->path = av_strdup(path);
    pub     = av_asprintf("%s.pub", path);
    if (!k->path || !pub) {
        av_freep(&k->path);
        av_free(pub);
        return AVERROR(ENOMEM);
    }
    r->nb_files++;
    text = read_text(path);
    if (text && strstr(text, "PRIVATE KEY-----")) {
        k->exists    = 1;
        k->encrypted = is_encrypted(text);
    } else if (text) {
        parse_public(k, text);      /* IdentityFile may name the public half of an agent's key */
    }
    av_free(text);
    text = k->blob ? NULL : read_text(pub);
    if (text)
        parse_public(k, text);
    av_free(text);
    av_free(pub);
    return 0;
}

static int find_files(AuthRun *r)
{
    const SshConfig *cfg = r->a->cfg;
    int ret = 0;

    for (int i = 0; i < cfg->nb_identities && ret >= 0; i++)
        ret = add_file(r, cfg->identities[i]);
    return ret;
}

static void note(AVBPrint *bp, const char *fmt, const char *a, const char *b)
{
    if (bp->len)
        av_bprintf(bp, ", ");
    av_bprintf(bp, fmt, a, b);
}

static void note_type(AuthRun *r, const uint8_t *blob, int size, char *type, size_t type_size)
{
    knownhosts_blob_type(blob, size, type, type_size);
    if (!strcmp(type, "ssh-rsa"))
        r->rsa = 1;
}

static const char *agent_socket(const SshConfig *cfg)
{
    return cfg->identity_agent ? cfg->identity_agent : getenv("SSH_AUTH_SOCK");
}

/* Without an answer libssh2 calls the key unverified, as with one that it does not like. */
static int no_answer(AuthRun *r, int rc)
{
    char *msg = NULL;

    libssh2_session_last_error(r->a->session, &msg, NULL, 0);
    return rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED && msg && !strncmp(msg, "Waiting for", 11);
}

/* @return 1: in; 0: this key was not accepted; or an AVERROR code */
static int judge(AuthRun *r, int rc)
{
    if (!rc)
        return 1;
    if (rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_SEND ||
        rc == LIBSSH2_ERROR_SOCKET_RECV || no_answer(r, rc))
        return AVERROR(EIO);
    r->nb_tried++;
    return libssh2_userauth_authenticated(r->a->session) ? 1 : 0;
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
    AgentTry *t = *abstract;

    (void)session;
    t->error = sshagent_sign(t->agent, t->key, data, data_len, sig, sig_len, t->deadline);
    return t->error < 0 ? -1 : 0;
}

static int try_agent_key(AuthRun *r, SshAgent *agent, const AgentKey *key)
{
    AgentTry t = { .agent = agent, .key = key, .deadline = r->a->deadline };
    void *abstract = &t;
    char type[64];
    int rc, ret;

    while ((rc = libssh2_userauth_publickey(r->a->session, r->a->cfg->user, key->blob, key->size,
                                            sign, &abstract)) == LIBSSH2_ERROR_EAGAIN) {
        ret = r->a->wait(r->a->opaque);
        if (ret < 0)
            return ret;
    }
    if (t.error == AVERROR(ETIMEDOUT))
        r->silent = agent_socket(r->a->cfg);
    if (t.error == AVERROR(ETIMEDOUT) || t.error == AVERROR_EXIT)
        return t.error;
    ret = judge(r, rc);
    if (ret != 1) {
        note_type(r, key->blob, key->size, type, sizeof(type));
        note(&r->tried, "%s (agent, %s)", *key->comment ? key->comment : "?", type);
    }
    return ret;
}

static KeyFile *file_of(AuthRun *r, const AgentKey *key)
{
    for (int i = 0; i < r->nb_files; i++)
        if (r->files[i].blob && (size_t)r->files[i].size == key->size &&
            !memcmp(r->files[i].blob, key->blob, key->size))
            return &r->files[i];
    return NULL;
}

/* One walk over the agent's keys: those of identity files, or the others. */
static int try_agent_keys(AuthRun *r, SshAgent *agent, int others)
{
    int ret = 0;

    for (int i = 0; i < agent->nb_keys && !ret; i++) {
        KeyFile *k = file_of(r, &agent->keys[i]);

        if ((k == NULL) != others)
            continue;
        if (k)
            k->used = 1;
        ret = try_agent_key(r, agent, &agent->keys[i]);
    }
    return ret;
}

static int try_agent(AuthRun *r)
{
    const SshConfig *cfg = r->a->cfg;
    const char *socket = agent_socket(cfg);
    /* one that hangs leaves time for the key files */
    Deadline soon = deadline_sooner(r->a->deadline, deadline_left(r->a->deadline) / 3);
    SshAgent agent;
    int ret;

    if (cfg->identity_none || !socket || !*socket)
        return 0;
    ret = sshagent_open(&agent, socket, &soon);
    if (ret >= 0) {
        ret = try_agent_keys(r, &agent, 0);
        if (!ret && !cfg->identities_only)
            ret = try_agent_keys(r, &agent, 1);
    } else if (ret != AVERROR_EXIT && ret != AVERROR(ENOMEM)) {
        if (ret == AVERROR(ETIMEDOUT))
            r->silent = socket;
        ret = 0;
    }
    sshagent_close(&agent);
    return ret;
}

static int try_file(AuthRun *r, KeyFile *k)
{
    const char *user = r->a->cfg->user;
    char type[64] = "";
    int rc, ret;

    if (!k->exists || k->used)
        return 0;
    if (k->encrypted) {
        note(&r->locked, "%s%s", k->path, "");
        return 0;
    }
    while ((rc = libssh2_userauth_publickey_fromfile_ex(r->a->session, user, strlen(user), NULL,
                                                        k->path, "")) == LIBSSH2_ERROR_EAGAIN) {
        ret = r->a->wait(r->a->opaque);
        if (ret < 0)
            return ret;
    }
    ret = judge(r, rc);
    if (ret != 1) {
        if (k->blob)
            note_type(r, k->blob, k->size, type, sizeof(type));
        note(&r->tried, *type ? "%s (%s)" : "%s%s", k->path, type);
    }
    return ret;
}

static void explain(AuthRun *r, int lost, char *why, size_t size)
{
    const SshConfig *cfg = r->a->cfg;
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    if (lost)
        av_bprintf(&bp, "closed the connection during authentication; ");
    if (r->tried.len) {
        av_bprintf(&bp, "key refused for user '%s': %s", cfg->user, r->tried.str);
        if (r->rsa && LIBSSH2_VERSION_NUM < 0x010b00)
            av_bprintf(&bp, "; libssh2 %s cannot sign with RSA keys for OpenSSH 8.8 and later: "
                            "use an ed25519 key", libssh2_version(0));
    } else {
        av_bprintf(&bp, "no key found for user '%s'", cfg->user);
        if (!r->locked.len)
            av_bprintf(&bp, ": neither in an agent nor in a key file");
    }
    if (lost && r->nb_tried >= MANY_KEYS)
        av_bprintf(&bp, "; it takes no more keys than that (MaxAuthTries): IdentityFile and IdentitiesOnly, or key=FILE, "
                        "name the right one");
    if (r->locked.len)
        av_bprintf(&bp, "; %s: needs a passphrase, so load it into the agent with ssh-add",
                   r->locked.str);
    if (r->a->key_given && r->nb_files && !r->files[0].exists && !r->files[0].used)
        av_bprintf(&bp, "; cannot read a private key from %s", r->files[0].path);
    if (r->silent)
        av_bprintf(&bp, "; the agent at %s does not answer", r->silent);
    snprintf(why, size, "%s", bp.str);
    av_bprint_finalize(&bp, NULL);
}

/* @return 1: already in, without any key; 0: keys are welcome; or an AVERROR code */
static int ask_methods(AuthRun *r, char *why, size_t size)
{
    LIBSSH2_SESSION *s = r->a->session;
    const char *user = r->a->cfg->user;
    char *methods;
    int ret;

    while (!(methods = libssh2_userauth_list(s, user, strlen(user)))) {
        if (libssh2_userauth_authenticated(s))
            return 1;
        if (libssh2_session_last_errno(s) != LIBSSH2_ERROR_EAGAIN) {
            snprintf(why, size, "closed the connection during authentication");
            return AVERROR(EIO);
        }
        ret = r->a->wait(r->a->opaque);
        if (ret < 0)
            return ret;
    }
    if (strstr(methods, "publickey"))
        return 0;
    snprintf(why, size, "accepts no keys for user '%s', only: %s", user, methods);
    return AVERROR(EACCES);
}

int sshauth_run(const SshAuth *a, char *why, size_t why_size)
{
    AuthRun *r = av_mallocz(sizeof(*r));
    int ret;

    *why = 0;
    if (!r)
        return AVERROR(ENOMEM);
    r->a = a;
    av_bprint_init(&r->tried,  0, AV_BPRINT_SIZE_AUTOMATIC);
    av_bprint_init(&r->locked, 0, AV_BPRINT_SIZE_AUTOMATIC);
    ret = ask_methods(r, why, why_size);
    if (!ret)
        ret = find_files(r);
    if (!ret)
        ret = try_agent(r);
    for (int i = 0; i < r->nb_files && !ret; i++)
        ret = try_file(r, &r->files[i]);
    if (!ret || (ret == AVERROR(EIO) && !*why)) {
        explain(r, ret < 0, why, why_size);
        if (!ret || r->nb_tried >= MANY_KEYS)
            ret = AVERROR(EACCES);
    } else if (ret == AVERROR(ETIMEDOUT) && r->silent) {
        snprintf(why, why_size, "timed out: the agent at %s does not sign", r->silent);
    }
    for (int i = 0; i < r->nb_files; i++) {
        av_freep(&r->files[i].path);
        av_freep(&r->files[i].blob);
    }
    av_bprint_finalize(&r->tried, NULL);
    av_bprint_finalize(&r->locked, NULL);
    av_free(r);
    return ret > 0 ? 0 : ret;
}
