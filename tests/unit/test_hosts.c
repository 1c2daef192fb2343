/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/error.h>

#include "remote/hosts.h"

static void parse(HostList *list, const char *text)
{
    char err[256];

    memset(list, 0, sizeof(*list));
    assert_int_equal(hosts_parse(list, text, "test", err, sizeof(err)), 0);
    assert_string_equal(err, "");
}

static void test_forms(void **state)
{
    HostList l;

    (void)state;
    parse(&l, "a bob@b:2222/3\tlocalhost/2\n\n[::1]:23/1,ffmpeg=/opt/f,key=/k # c d\n"
              "#x\n root@localhost localhost:22 my_host-1.example.org,key=~/id [fe80::1%eth0]");
    assert_int_equal(l.nb_hosts, 8);
    assert_string_equal(l.origin, "test");

    assert_string_equal(l.hosts[0].name, "a");
    assert_null(l.hosts[0].user);
    assert_int_equal(l.hosts[0].port, 0);
    assert_int_equal(l.hosts[0].slots, 0);
    assert_int_equal(l.hosts[0].local, 0);
    assert_string_equal(l.hosts[0].label, "a");

    assert_string_equal(l.hosts[1].name, "b");
    assert_string_equal(l.hosts[1].user, "bob");
    assert_int_equal(l.hosts[1].port, 2222);
    assert_int_equal(l.hosts[1].slots, 3);
    assert_string_equal(l.hosts[1].label, "bob@b:2222");

    assert_int_equal(l.hosts[2].local, 1);
    assert_int_equal(l.hosts[2].slots, 2);

    assert_string_equal(l.hosts[3].name, "::1");
    assert_int_equal(l.hosts[3].port, 23);
    assert_int_equal(l.hosts[3].slots, 1);
    assert_string_equal(l.hosts[3].ffmpeg, "/opt/f");
    assert_string_equal(l.hosts[3].key, "/k");
    assert_string_equal(l.hosts[3].label, "[::1]:23");

    assert_int_equal(l.hosts[4].local, 0);
    assert_int_equal(l.hosts[5].local, 0);
    assert_string_equal(l.hosts[6].name, "my_host-1.example.org");
    assert_string_equal(l.hosts[6].key, "~/id");
    assert_string_equal(l.hosts[7].name, "fe80::1%eth0");
    hosts_free(&l);
    assert_null(l.hosts);
}

static void test_append(void **state)
{
    char err[256];
    HostList l;

    (void)state;
    parse(&l, "a b");
    assert_int_equal(hosts_parse(&l, "a/2,ffmpeg=/x", "more", err, sizeof(err)), 0);
    assert_int_equal(l.nb_hosts, 3);
    assert_string_equal(l.origin, "more");
    assert_string_equal(l.hosts[2].name, "a");
    assert_string_equal(l.hosts[2].label, "a#2");
    assert_int_equal(hosts_parse(&l, "c d/0", "bad", err, sizeof(err)), AVERROR(EINVAL));
    assert_int_equal(l.nb_hosts, 3);
    assert_string_equal(l.origin, "more");
    hosts_free(&l);
}

static void test_empty(void **state)
{
    HostList l;

    (void)state;
    parse(&l, "");
    assert_int_equal(l.nb_hosts, 0);
    assert_string_equal(l.origin, "test");
    hosts_free(&l);
    parse(&l, " \n# only a comment");
    assert_int_equal(l.nb_hosts, 0);
    hosts_free(&l);
}

static void test_errors(void **state)
{
    static const char *const bad[] = {
        "h/0", "h/", "h/65", "h/x", "h/-1", "h/1x", "h/99999999999999999999", "h:0", "h:", "h:65536",
        "h:x", "h: 22", "@h", "u@", "u@:22", ":22", "/2", ",key=x", "::1", "[::1", "[::1]x", "[]",
        "-oProxyCommand=x", "-x@h", "h,", "h,ffmpeg", "h,ffmpeg=", "h,key=a,key=b", "h,speed=2", "h,maxmem",
        "h,maxmem=x", "h,maxmem=0", "h,sessions=0", "h,spool=1", "h,spool,stream",
        "a,b", "a;b", "$(x)", "a'b", "h\x01", "a|b",
    };
    char err[256], text[128];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        HostList l = { 0 };

        snprintf(text, sizeof(text), "good\n  fine %s", bad[i]);
        if (hosts_parse(&l, text, "file", err, sizeof(err)) != AVERROR(EINVAL))
            fail_msg("accepted: %s", bad[i]);
        assert_null(l.hosts);
        assert_null(l.origin);
        if (strncmp(err, "file:2: '", 9) || !strncmp(err + 9, "fine", 4))
            fail_msg("%s: bad message: %s", bad[i], err);
    }
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    fclose(f);
}

static void test_load(void **state)
{
    char dir[] = "/tmp/test_hosts.XXXXXX", path[64], config[64], err[256];
    HostList l = { 0 };

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(config, sizeof(config), "%s/ffleet", dir);
    snprintf(path, sizeof(path), "%s/ffleet/hosts", dir);
    assert_int_equal(mkdir(config, 0700), 0);
    setenv("XDG_CONFIG_HOME", dir, 1);

    setenv("FFLEET_HOSTS", "e1 e2", 1);
    assert_int_equal(hosts_load(&l, err, sizeof(err)), 0);
    assert_int_equal(l.nb_hosts, 2);
    assert_string_equal(l.origin, "FFLEET_HOSTS");
    hosts_free(&l);

    write_file(path, "f1\nf2 f3\n", 9);
    setenv("FFLEET_HOSTS", "", 1);
    assert_int_equal(hosts_load(&l, err, sizeof(err)), 0);
    assert_int_equal(l.nb_hosts, 0);
    assert_string_equal(l.origin, "FFLEET_HOSTS");
    hosts_free(&l);

    unsetenv("FFLEET_HOSTS");
    assert_int_equal(hosts_load(&l, err, sizeof(err)), 0);
    assert_int_equal(l.nb_hosts, 3);
    assert_string_equal(l.origin, path);
    hosts_free(&l);

    write_file(path, "f1\nf2/x\n", 8);
    assert_int_equal(hosts_load(&l, err, sizeof(err)), AVERROR(EINVAL));
    assert_non_null(strstr(err, ":2: 'f2/x'"));

    write_file(path, "f1\0f2\n", 6);
    assert_int_equal(hosts_load(&l, err, sizeof(err)), AVERROR_INVALIDDATA);
    assert_non_null(strstr(err, path));

    /* A folder in its place: there, but not to be read. */
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(hosts_load(&l, err, sizeof(err)), AVERROR(EISDIR));
    assert_null(l.hosts);
    rmdir(path);
    rmdir(config);
    rmdir(dir);
}

/* Without XDG_CONFIG_HOME, or with one that means nothing: the home's, if there is one. */
static void test_home(void **state)
{
    char dir[] = "/tmp/test_hosts.XXXXXX", config[64], folder[64], path[64], err[256];
    HostList l = { 0 };

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(config, sizeof(config), "%s/.config", dir);
    snprintf(folder, sizeof(folder), "%s/.config/ffleet", dir);
    snprintf(path, sizeof(path), "%s/.config/ffleet/hosts", dir);
    assert_int_equal(mkdir(config, 0700), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_file(path, "g1\n", 3);
    unsetenv("FFLEET_HOSTS");
    setenv("HOME", dir, 1);
    for (int i = 0; i < 2; i++) {
        if (i)
            setenv("XDG_CONFIG_HOME", "elsewhere", 1);
        else
            unsetenv("XDG_CONFIG_HOME");
        assert_int_equal(hosts_load(&l, err, sizeof(err)), 0);
        assert_string_equal(l.origin, path);
        hosts_free(&l);
    }
    /* what is left is the machine's, whatever that says */
    unsetenv("HOME");
    hosts_load(&l, err, sizeof(err));
    assert_true(!l.origin || strcmp(l.origin, path));
    hosts_free(&l);
    unlink(path);
    rmdir(folder);
    rmdir(config);
    rmdir(dir);
}

static void test_limits(void **state)
{
    HostList l = { 0 };
    char     err[256];

    (void)state;
    assert_int_equal(hosts_parse(&l, "a,maxmem=1.5Gi,sessions=3,spool b,stream,maxmem=2GiB localhost c", "x", err,
                                 sizeof(err)), 0);
    assert_true(l.hosts[0].maxmem == 3LL << 29);
    assert_true(l.hosts[1].maxmem == 2LL << 30);
    assert_int_equal(l.hosts[0].sessions, 3);
    assert_int_equal(l.hosts[0].feed, HOST_FEED_SPOOL);
    assert_int_equal(l.hosts[1].feed, HOST_FEED_STREAM);
    assert_true(l.hosts[2].nice > 0);
    assert_true(!l.hosts[3].feed && !l.hosts[3].maxmem && !l.hosts[3].nice);
    hosts_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
