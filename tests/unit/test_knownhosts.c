/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/base64.h>

#include "remote/knownhosts.h"
#include "remote/sshconfig.h"

/* Blobs of the right shape: a type and some bytes. */
#define BLOB_A "\0\0\0\x0bssh-ed25519AAAA"
#define BLOB_B "\0\0\0\x0bssh-ed25519BBBB"
#define BLOB_R "\0\0\0\x07ssh-rsaRRRR"
#define BLOB(x) (const uint8_t *)x, sizeof(x) - 1

static char path[] = "/tmp/test_knownhosts.XXXXXX";

/* Replaces $A, $B, $R by "type key" and writes the file. */
static void write_hosts(const char *text)
{
    FILE *f = fopen(path, "w");
    char a[64], b[64], r[64];

    assert_non_null(f);
    av_base64_encode(a, sizeof(a), BLOB(BLOB_A));
    av_base64_encode(b, sizeof(b), BLOB(BLOB_B));
    av_base64_encode(r, sizeof(r), BLOB(BLOB_R));
    for (; *text; text++) {
        if (*text != '$') {
            fputc(*text, f);
            continue;
        }
        text++;
        fprintf(f, "%s %s", *text == 'R' ? "ssh-rsa" : "ssh-ed25519",
                *text == 'A' ? a : *text == 'B' ? b : r);
    }
    fclose(f);
}

static int verdict(const char *text, const char *host, int port, const char *alias)
{
    char *files[] = { (char *)"/nonexistent/known_hosts", path };
    const KnownKey *which;
    KnownHosts kh;
    int v;

    write_hosts(text);
    assert_int_equal(knownhosts_load(&kh, files, 2, host, port, alias), 0);
    v = knownhosts_check(&kh, BLOB(BLOB_A), &which);
    if (which)
        assert_string_equal(which->file, path);
    knownhosts_free(&kh);
    return v;
}

static void test_verdicts(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
        const char *alias;
        int want;
    } cases[] = {
        { "h $A\n",                     "h",   22,   NULL, KNOWN_OK },
        { "h $A",                       "h",   22,   NULL, KNOWN_OK },
        { "# h $A\n",                   "h",   22,   NULL, KNOWN_UNKNOWN },
        { "h $B\n",                     "h",   22,   NULL, KNOWN_CHANGED },
        { "h $B\nh $A\n",               "h",   22,   NULL, KNOWN_OK },
        { "h $A\nh $B\n",               "h",   22,   NULL, KNOWN_OK },
        { "h $R\n",                     "h",   22,   NULL, KNOWN_UNKNOWN },
        { "hh $A\n",                    "h",   22,   NULL, KNOWN_UNKNOWN },
        { "H.Example $A\n",             "h.eXample", 22, NULL, KNOWN_OK },
        { "a,h,b $A\n",                 "h",   22,   NULL, KNOWN_OK },
        { "*.lan $A\n",                 "x.lan", 22, NULL, KNOWN_OK },
        { "*.lan,!x.lan $A\n",          "x.lan", 22, NULL, KNOWN_UNKNOWN },
        { "10.0.0.? $A\n",              "10.0.0.7", 22, NULL, KNOWN_OK },
        { "10.0.0.? $A\n",              "10.0.0.77", 22, NULL, KNOWN_UNKNOWN },
        { "[h]:2222 $A\n",              "h",   2222, NULL, KNOWN_OK },
        { "[h]:2222 $A\n",              "h",   22,   NULL, KNOWN_UNKNOWN },
        { "[h]:2222 $B\n",              "h",   2222, NULL, KNOWN_CHANGED },
        { "[h]:2222 $B\nh $A\n",        "h",   2222, NULL, KNOWN_CHANGED },
        { "h $A\n",                     "h",   2222, NULL, KNOWN_OK },
        { "h $B\n",                     "h",   2222, NULL, KNOWN_UNKNOWN },
        { "alias $A\nh $B\n",           "h",   2222, "alias", KNOWN_OK },
        { "h $A\n",                     "h",   22,   "alias", KNOWN_UNKNOWN },
        { "@revoked * $A\nh $A\n",      "h",   22,   NULL, KNOWN_REVOKED },
        { "h $A\n@revoked * $A\n",      "h",   22,   NULL, KNOWN_REVOKED },
        { "@revoked h $B\nh $A\n",      "h",   22,   NULL, KNOWN_OK },
        { "@cert-authority h $A\n",     "h",   22,   NULL, KNOWN_UNKNOWN },
        { "junk\n\nh\nh x\nh ssh-ed25519 !!!\n  h $A\n", "h", 22, NULL, KNOWN_OK },
        { "|1|\n|1|x|y $A\n|1|AAAA|AAAA $A\n", "h", 22, NULL, KNOWN_UNKNOWN },
        { "",                           "h",   22,   NULL, KNOWN_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int v = verdict(cases[i].text, cases[i].host, cases[i].port, cases[i].alias);

        if (v != cases[i].want)
            fail_msg("%s for %s:%d: %d, not %d", cases[i].text, cases[i].host, cases[i].port, v,
                     cases[i].want);
    }
}

/* HMAC-SHA1 of "[h]:22022" with a salt of 20 bytes 1, made with `openssl dgst -sha1 -mac HMAC`. */
static void test_hashed(void **state)
{
    static const char line[] = "|1|AQEBAQEBAQEBAQEBAQEBAQEBAQE=|KCnXE0xXJVlaJmjvf8WSqRK27FU= $A\n";

    (void)state;
    assert_int_equal(verdict(line, "h", 22022, NULL), KNOWN_OK);
    assert_int_equal(verdict(line, "h", 22023, NULL), KNOWN_UNKNOWN);
}

static void test_types(void **state)
{
    char *files[] = { path }, type[64];
    KnownHosts kh;

    (void)state;
    write_hosts("h $R\nother $A\n@revoked * $B\n");
    assert_int_equal(knownhosts_load(&kh, files, 1, "h", 22, NULL), 0);
    assert_true(knownhosts_has_type(&kh, "ssh-rsa"));
    assert_false(knownhosts_has_type(&kh, "ssh-ed25519"));
    knownhosts_free(&kh);

    knownhosts_blob_type(BLOB(BLOB_R), type, sizeof(type));
    assert_string_equal(type, "ssh-rsa");
    knownhosts_blob_type((const uint8_t *)"\xff\xff\xff\xffssh", 7, type, sizeof(type));
    assert_string_equal(type, "unknown");
    knownhosts_blob_type(NULL, 0, type, sizeof(type));
    assert_string_equal(type, "unknown");
}

static void test_config(void **state)
{
    static const Host host = { .name = "alias", .key = (char *)"~/first" };
    static const char text[] =
        "proxycommand nc -X %% %h %p %r\nidentityfile ~/.ssh/a\nidentityfile %d/b-${FFLEET_TEST_X}\n"
        "host alias\nuser bob\nhostname real.example\nport 2200\nconnecttimeout none\n"
        "identitiesonly yes\nidentityagent none\naddressfamily inet\nproxyjump none\n"
        "userknownhostsfile ~/k1 /k2\nglobalknownhostsfile /g1 /g2\n";
    static const char spaces[] =
        "user bob\nhostname h\nidentityfile /my keys/%l\nidentityfile %L-%l\n"
        "userknownhostsfile /home/Me Too/.ssh/known_hosts /home/Me Too/.ssh/known_hosts2\n"
        "globalknownhostsfile none\nrevokedhostkeys none\n";
    SshConfig cfg;
    char name[256] = "", want[600];

    (void)state;
    setenv("HOME", "/home/me", 1);
    setenv("FFLEET_TEST_X", "x", 1);
    assert_int_equal(sshconfig_parse(&cfg, &host, text), 0);
    assert_string_equal(cfg.hostname, "real.example");
    assert_string_equal(cfg.user, "bob");
    assert_int_equal(cfg.port, 2200);
    assert_int_equal(cfg.connect_timeout, 0);
    assert_true(cfg.identities_only);
    assert_true(cfg.identity_none);
    assert_null(cfg.proxyjump);
    assert_string_equal(cfg.proxycommand, "nc -X % real.example 2200 bob");
    assert_int_equal(cfg.nb_identities, 3);
    assert_string_equal(cfg.identities[0], "/home/me/first");
    assert_string_equal(cfg.identities[1], "/home/me/.ssh/a");
    assert_string_equal(cfg.identities[2], "/home/me/b-x");
    assert_int_equal(cfg.nb_known_hosts, 4);
    assert_string_equal(cfg.known_hosts[0], "/home/me/k1");
    assert_string_equal(cfg.known_hosts[3], "/g2");
    sshconfig_free(&cfg);
    assert_int_equal(sshconfig_parse(&cfg, &host, spaces), 0);
    gethostname(name, sizeof(name) - 1);
    snprintf(want, sizeof(want), "/my keys/%s", name);
    assert_string_equal(cfg.identities[1], want);
    snprintf(want, sizeof(want), "%.*s-%s", (int)strcspn(name, "."), name, name);
    assert_string_equal(cfg.identities[2], want);
    assert_int_equal(cfg.nb_known_hosts, 2);
    assert_string_equal(cfg.known_hosts[1], "/home/Me Too/.ssh/known_hosts2");
    assert_int_equal(cfg.nb_revoked, 0);
    sshconfig_free(&cfg);
    assert_true(sshconfig_parse(&cfg, &host, "nothing of use\n") < 0);
    assert_null(cfg.alias);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_hashed),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_config),
    };
    int ret, fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    ret = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return ret;
}
