/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/base64.h>
#include <libavutil/error.h>
#include <libavutil/hmac.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mem.h>

#include "knownhosts.h"

#define SHA1_SIZE 20
#define MAX_BLOB  16384

typedef struct Loader {
    KnownHosts *kh;
    const char *name;       ///< see knownhosts_name()
    const char *plain;      ///< without the port; NULL when name is without, too
    const char *file;
    int         line;
} Loader;

void knownhosts_free(KnownHosts *kh)
{
    for (int i = 0; i < kh->nb_keys; i++) {
        av_freep(&kh->keys[i].type);
        av_freep(&kh->keys[i].blob);
        av_freep(&kh->keys[i].file);
    }
    av_freep(&kh->keys);
    kh->nb_keys = 0;
}

char *knownhosts_name(const char *host, int port, const char *alias)
{
    char *name = alias      ? av_strdup(alias) :
                 port == 22 ? av_strdup(host) : av_asprintf("[%s]:%d", host, port);

    for (char *s = name; s && *s; s++)
        *s = av_tolower(*s);
    return name;
}

void knownhosts_blob_type(const uint8_t *blob, int size, char *type, size_t type_size)
{
    uint32_t len = size >= 4 ? AV_RB32(blob) : 0;

    if (!len || len > (uint32_t)size - 4 || len >= type_size)
        snprintf(type, type_size, "unknown");
    else
        snprintf(type, type_size, "%.*s", (int)len, (const char *)blob + 4);
}

/* '*' and '?'; iterative, as files come from anywhere. */
static int match_pattern(const char *pattern, size_t size, const char *name)
{
    const char *end = pattern + size, *star = NULL, *retry = NULL;

    while (*name) {
        if (pattern < end && *pattern == '*') {
            star  = ++pattern;
            retry = name;
        } else if (pattern < end && (*pattern == '?' || av_tolower(*pattern) == *name)) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name    = ++retry;
        } else {
            return 0;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

/* "|1|base64 salt|base64 HMAC-SHA1 of the name" */
static int match_hashed(const char *hashed, const char *name)
{
    uint8_t salt[64], want[64], got[SHA1_SIZE];
    char salt64[96];
    const char *bar = strchr(hashed + 3, '|');
    AVHMAC *hmac;
    int salt_size, ret;

    if (strncmp(hashed, "|1|", 3) || !bar || bar - hashed - 3 >= (int)sizeof(salt64))
        return 0;
    snprintf(salt64, sizeof(salt64), "%.*s", (int)(bar - hashed - 3), hashed + 3);
    salt_size = av_base64_decode(salt, salt64, sizeof(salt));
    if (salt_size <= 0 || av_base64_decode(want, bar + 1, sizeof(want)) != SHA1_SIZE)
        return 0;
    hmac = av_hmac_alloc(AV_HMAC_SHA1);
    if (!hmac)
        return 0;
    ret = av_hmac_calc(hmac, (const uint8_t *)name, strlen(name), salt, salt_size,
                       got, sizeof(got));
    av_hmac_free(hmac);
    return ret == SHA1_SIZE && !memcmp(got, want, SHA1_SIZE);
}

/* A negated pattern that fits overrules all others of its line. */
static int match_hosts(const char *hosts, const char *name)
{
    int found = 0;

    if (*hosts == '|')
        return match_hashed(hosts, name);
    while (*hosts) {
        size_t size = strcspn(hosts, ",");
        int negated = *hosts == '!';

        if (size > (size_t)negated && match_pattern(hosts + negated, size - negated, name)) {
            if (negated)
                return 0;
            found = 1;
        }
        hosts += size + !!hosts[size];
    }
    return found;
}

static int add_key(Loader *l, const char *type, const char *base64, int revoked, int any_port)
{
    KnownKey key = { .line = l->line, .revoked = revoked, .any_port = any_port };
    void *grown;

    key.blob = av_malloc(MAX_BLOB);
    key.type = av_strdup(type);
    key.file = av_strdup(l->file);
    if (!key.blob || !key.type || !key.file)
        goto fail;
    key.size = av_base64_decode(key.blob, base64, MAX_BLOB);
    if (key.size <= 4) {
        av_free(key.blob);
        av_free(key.type);
        av_free(key.file);
        return 0;
    }
    grown = av_realloc_array(l->kh->keys, l->kh->nb_keys + 1, sizeof(key));
    if (!grown)
        goto fail;
    l->kh->keys = grown;
    l->kh->keys[l->kh->nb_keys++] = key;
    return 0;
fail:
    av_free(key.blob);
    av_free(key.type);
    av_free(key.file);
    return AVERROR(ENOMEM);
}

static int parse_line(Loader *l, char *line)
{
    static const char blanks[] = " \t\r\n";
    char *save = NULL, *hosts, *type, *base64;
    int revoked = 0, any_port = 0;

    hosts = av_strtok(line, blanks, &save);
    if (!hosts || *hosts == '#')
        return 0;
    if (*hosts == '@') {
        if (strcmp(hosts, "@revoked"))
            return 0;
        revoked = 1;
        hosts = av_strtok(NULL, blanks, &save);
    }
    type   = hosts ? av_strtok(NULL, blanks, &save) : NULL;
    base64 = type  ? av_strtok(NULL, blanks, &save) : NULL;
    if (!base64)
        return 0;
    /* A revoked key is refused whatever the name: it is in wrong hands. */
    if (!revoked && !match_hosts(hosts, l->name)) {
        if (!l->plain || !match_hosts(hosts, l->plain))
            return 0;
        any_port = 1;
    }
    return add_key(l, type, base64, revoked, any_port);
}

static int load_file(Loader *l)
{
    FILE *f = fopen(l->file, "re");
    char *line = NULL;
    size_t alloc = 0;
    int ret = 0;

    if (!f)
        return 0;
    for (l->line = 1; ret >= 0 && getline(&line, &alloc, f) >= 0; l->line++)
        ret = parse_line(l, line);
    free(line);
    fclose(f);
    return ret;
}

int knownhosts_load(KnownHosts *kh, char *const *files, int nb_files,
                    const char *host, int port, const char *alias)
{
    char *name  = knownhosts_name(host, port, alias);
    char *plain = alias || port == 22 ? NULL : knownhosts_name(host, 22, NULL);
    Loader l = { kh, name, plain, NULL, 0 };
    int ret = 0;

    memset(kh, 0, sizeof(*kh));
    if (!name || (!plain && !alias && port != 22))
        ret = AVERROR(ENOMEM);
    for (int i = 0; i < nb_files && ret >= 0; i++) {
        l.file = files[i];
        ret = load_file(&l);
    }
    if (ret < 0)
        knownhosts_free(kh);
    av_free(name);
    av_free(plain);
    return ret;
}

/** What the entries of one kind say. A revoked key is none of them. */
static enum KnownVerdict check_entries(const KnownHosts *kh, int any_port, const uint8_t *blob, int size,
                                       const KnownKey **which)
{
    char type[64];

    *which = NULL;
    knownhosts_blob_type(blob, size, type, sizeof(type));
    for (int i = 0; i < kh->nb_keys; i++) {
        const KnownKey *key = &kh->keys[i];

        if (key->revoked || key->any_port != any_port)
            continue;
        if (key->size == size && !memcmp(key->blob, blob, size)) {
            *which = key;
            return KNOWN_OK;
        }
        if (!*which && !strcmp(key->type, type))
            *which = key;
    }
    return *which ? KNOWN_CHANGED : KNOWN_UNKNOWN;
}

enum KnownVerdict knownhosts_check(const KnownHosts *kh, const uint8_t *blob, int size,
                                   const KnownKey **which)
{
    const KnownKey *entry, *other;
    enum KnownVerdict verdict = check_entries(kh, 0, blob, size, &entry);

    /* as with ssh: where the port has a key, what others have says nothing */
    if (verdict == KNOWN_UNKNOWN && check_entries(kh, 1, blob, size, &other) == KNOWN_OK) {
        verdict = KNOWN_OK;
        entry   = other;
    }
    for (int i = 0; i < kh->nb_keys; i++) {
        const KnownKey *key = &kh->keys[i];

        if (key->revoked && key->size == size && !memcmp(key->blob, blob, size)) {
            verdict = KNOWN_REVOKED;
            entry   = key;
        }
    }
    if (which)
        *which = entry;
    return verdict;
}

int knownhosts_has_type(const KnownHosts *kh, const char *type)
{
    for (int i = 0; i < kh->nb_keys; i++)
        if (!kh->keys[i].revoked && !strcmp(kh->keys[i].type, type))
            return 1;
    return 0;
}
