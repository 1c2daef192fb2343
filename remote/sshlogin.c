/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a byte stream to a session on a host whose key was looked at and that knows the user.
 */
#include <string.h>

#include <libssh2.h>

#include <libavutil/base64.h>
#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>

#include "knownhosts.h"
#include "revokedkeys.h"
#include "sshauth.h"
#include "sshlogin.h"
#include "sshpriv.h"

/* The key types that we know of this host come first. */
static int prefer_known_types(SshPriv *p, const KnownHosts *kh)
{
    const char **algs = NULL;
    int nb = libssh2_session_supported_algs(p->session, LIBSSH2_METHOD_HOSTKEY, &algs);
    AVBPrint bp;

    if (nb <= 0)
        return 0;
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_AUTOMATIC);
    for (int known = 1; known >= 0; known--) {
        for (int i = 0; i < nb; i++) {
            const char *type = !strncmp(algs[i], "rsa-sha2-", 9) ? "ssh-rsa" : algs[i];

            if (knownhosts_has_type(kh, type) == known)
                av_bprintf(&bp, "%s%s", bp.len ? "," : "", algs[i]);
        }
    }
    libssh2_free(p->session, algs);
    libssh2_session_method_pref(p->session, LIBSSH2_METHOD_HOSTKEY, bp.str);
    av_bprint_finalize(&bp, NULL);
    return 0;
}

/** @return whether name, of len characters, is one of nb */
static int is_among(const char **names, int nb, const char *name, size_t len)
{
    for (int i = 0; i < nb; i++)
        if (strlen(names[i]) == len && !strncmp(names[i], name, len))
            return 1;
    return 0;
}

/**
 * Prefer what stands in list, between commas, as far as libssh2 knows it. libssh2 1.10 would take out by itself what it does
 * not know, but copies within its list by memcpy().
 * @return 0, or AVERROR(ENOSYS) if it knows none of them
 */
static int prefer(SshPriv *p, int method, const char *list)
{
    const char **algs = NULL;
    int nb = libssh2_session_supported_algs(p->session, method, &algs), ret;
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (size_t len; *list; list += len + (list[len] == ',')) {
        len = strcspn(list, ",");
        if (is_among(algs, nb, list, len))
            av_bprintf(&bp, "%s%.*s", bp.len ? "," : "", (int)len, list);
    }
    if (nb > 0)
        libssh2_free(p->session, algs);
    ret = !bp.len || !av_bprint_is_complete(&bp) ||
          libssh2_session_method_pref(p->session, method, bp.str) ? AVERROR(ENOSYS) : 0;
    av_bprint_finalize(&bp, NULL);
    return ret;
}

/** Only ciphers and MACs that the user allows, in that order. */
static int allow_ciphers(Transport *t)
{
    SshPriv *p = t->priv;
    const struct { int method; const char *list, *name; } prefs[] = {
        { LIBSSH2_METHOD_CRYPT_CS, p->cfg.ciphers, "Ciphers" }, { LIBSSH2_METHOD_CRYPT_SC, p->cfg.ciphers, "Ciphers" },
        { LIBSSH2_METHOD_MAC_CS,   p->cfg.macs,    "MACs"    }, { LIBSSH2_METHOD_MAC_SC,   p->cfg.macs,    "MACs"    },
    };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(prefs); i++)
        if (prefs[i].list && prefer(p, prefs[i].method, prefs[i].list) < 0)
            return sshpriv_fail(t, AVERROR(ENOSYS), "libssh2 %s knows none of the %s that ssh_config allows: %s",
                                libssh2_version(0), prefs[i].name, prefs[i].list);
    return 0;
}

static int fail_unknown(Transport *t, const KnownHosts *kh, const char *type, const char *print)
{
    const SshPriv *p = t->priv;
    const SshConfig *cfg = &p->cfg;
    const char *file = cfg->nb_known_hosts ? cfg->known_hosts[0] : "~/.ssh/known_hosts";
    const char *other = kh->nb_keys ? " (only keys of other types are known)" : "";

    if (cfg->proxyjump || cfg->proxycommand || cfg->hostkeyalias)
        return sshpriv_fail(t, AVERROR(EPERM), "unknown host key%s: %s %s; if it is right, accept it once "
                            "with: ssh %s%s true", other, type, print,
                            sshconfig_file() ? "-F $FFLEET_SSH_CONFIG " : "", t->host->name);
    return sshpriv_fail(t, AVERROR(EPERM), "unknown host key%s: %s %s; if it is right, add it with: "
                        "ssh-keyscan -p %d %s >> %s", other, type, print, cfg->port, cfg->hostname, file);
}

/* RevokedHostKeys: what is not known to be good is not. */
static int check_revoked(Transport *t, const char *blob, size_t size, const char *type, const char *print)
{
    SshPriv *p = t->priv;

    for (int i = 0; i < p->cfg.nb_revoked; i++) {
        const char *file = p->cfg.revoked[i];
        int ret = revokedkeys_has(file, (const uint8_t *)blob, size, &p->deadline);

        if (ret > 0)
            return sshpriv_fail(t, AVERROR(EPERM), "the host key %s %s is revoked by %s", type, print, file);
        if (ret < 0)
            return sshpriv_fail(t, AVERROR(EPERM), "whether the host key is revoked cannot be read from %s "
                                "(RevokedHostKeys): %s", file, av_err2str(ret));
    }
    return 0;
}

static int judge_host_key(Transport *t, const KnownHosts *kh)
{
    SshPriv *p = t->priv;
    const KnownKey *entry;
    char type[64], print[64] = "", *name;
    const char *blob, *hash;
    size_t size;
    int keytype, ret = 0;

    blob = libssh2_session_hostkey(p->session, &size, &keytype);
    hash = libssh2_hostkey_hash(p->session, LIBSSH2_HOSTKEY_HASH_SHA256);
    if (!blob)
        return sshpriv_fail(t, AVERROR(EPERM), "showed no host key");
    knownhosts_blob_type((const uint8_t *)blob, size, type, sizeof(type));
    if (hash) {
        memcpy(print, "SHA256:", 8);
        av_base64_encode(print + 7, sizeof(print) - 7, (const uint8_t *)hash, 32);
        print[strcspn(print, "=")] = 0;
    }
    switch (knownhosts_check(kh, (const uint8_t *)blob, size, &entry)) {
    case KNOWN_OK:
        ret = check_revoked(t, blob, size, type, print);
        break;
    case KNOWN_UNKNOWN:
        ret = fail_unknown(t, kh, type, print);
        break;
    case KNOWN_CHANGED:
        name = knownhosts_name(p->cfg.hostname, p->cfg.port, p->cfg.hostkeyalias);
        ret  = sshpriv_fail(t, AVERROR(EPERM), "the host key has changed: it shows %s %s, but %s:%d has "
                            "another; somebody may be listening. If the change is right: "
                            "ssh-keygen -f %s -R '%s'", type, print, entry->file, entry->line,
                            entry->file, name ? name : p->cfg.hostname);
        av_free(name);
        break;
    case KNOWN_REVOKED:
        ret = sshpriv_fail(t, AVERROR(EPERM), "the host key %s %s is revoked by %s:%d", type, print,
                           entry->file, entry->line);
        break;
    }
    return ret;
}

/* A failure of libssh2 or of sshpriv_block(), in words. */
static int fail_phase(Transport *t, int ret, const char *phase)
{
    SshPriv *p = t->priv;
    char says[256], *msg = NULL;

    if (ret == AVERROR_EXIT)
        return sshpriv_fail(t, ret, "interrupted");
    ssh_proxy_says(&p->link, says, sizeof(says));
    if (ret == AVERROR(ETIMEDOUT))
        return sshpriv_fail(t, ret, "unreachable: timed out during the %s%s%s", phase,
                            *says ? "; the proxy says: " : "", says);
    if (*says)
        return sshpriv_fail(t, AVERROR(EHOSTUNREACH), "unreachable through its proxy: %s", says);
    /* hardened servers, or one with nothing but an RSA key: that does not change by trying again */
    if (libssh2_session_last_errno(p->session) == LIBSSH2_ERROR_KEX_FAILURE)
        return sshpriv_fail(t, AVERROR(ENOSYS), "its sshd has no key exchange, host key, cipher or MAC that libssh2 %s "
                            "knows, too (see KexAlgorithms, HostKeyAlgorithms, Ciphers and MACs of sshd -T there)",
                            libssh2_version(0));
    libssh2_session_last_error(p->session, &msg, NULL, 0);
    return sshpriv_fail(t, ret, "unreachable: %s failed: %s", phase, msg && *msg ? msg : av_err2str(ret));
}

/** What a call of libssh2's that failed during connect() comes to. */
static int lost(const SshPriv *p)
{
    int ret = deadline_check(&p->deadline);

    return ret < 0 ? ret : AVERROR(EIO);
}

int sshlogin_handshake(Transport *t)
{
    SshPriv *p = t->priv;
    KnownHosts kh;
    int rc, ret;

    p->session = libssh2_session_init_ex(NULL, NULL, NULL, p);
    if (!p->session)
        return sshpriv_fail(t, AVERROR(ENOMEM), "out of memory");
    libssh2_session_set_blocking(p->session, 0);
#if LIBSSH2_VERSION_NUM >= 0x010b01
    libssh2_session_callback_set2(p->session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)sshpriv_send);
    libssh2_session_callback_set2(p->session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)sshpriv_recv);
#else
    libssh2_session_callback_set(p->session, LIBSSH2_CALLBACK_SEND, (void *)sshpriv_send);
    libssh2_session_callback_set(p->session, LIBSSH2_CALLBACK_RECV, (void *)sshpriv_recv);
#endif
    ret = allow_ciphers(t);
    if (ret < 0)
        return ret;
    ret = knownhosts_load(&kh, p->cfg.known_hosts, p->cfg.nb_known_hosts, p->cfg.hostname,
                          p->cfg.port, p->cfg.hostkeyalias);
    if (ret < 0)
        return sshpriv_fail(t, ret, "out of memory");
    prefer_known_types(p, &kh);
    while ((rc = libssh2_session_handshake(p->session, p->link.fd)) == LIBSSH2_ERROR_EAGAIN && ret >= 0)
        ret = sshpriv_block(p);
    if (ret < 0 || rc)
        ret = fail_phase(t, ret < 0 ? ret : lost(p), "SSH handshake");
    else
        ret = judge_host_key(t, &kh);
    knownhosts_free(&kh);
    return ret;
}

int sshlogin_authenticate(Transport *t)
{
    SshPriv *p = t->priv;
    SshAuth auth = { p->session, &p->cfg, !!t->host->key, &p->deadline, sshpriv_block, p };
    char why[400];
    int ret = sshauth_run(&auth, why, sizeof(why));

    if (ret >= 0)
        return 0;
    return *why ? sshpriv_fail(t, ret, "%s", why) : fail_phase(t, ret, "authentication");
}
