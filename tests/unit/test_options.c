/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libavcodec/version.h>

#include "fftools/command/options.h"

static void test_find(void **state)
{
    (void)state;
    assert_null(options_find("i"));   /* -i is a separator, not an option */
    assert_null(options_find(""));
    assert_null(options_find("c:v"));
    assert_null(options_find("crf"));
    assert_string_equal(options_find("vcodec")->canonical, "c");
    assert_string_equal(options_find("vcodec")->spec, "v");
    assert_string_equal(options_find("v")->canonical, "loglevel");
    assert_null(options_find("fps_mode")->canonical);
    assert_null(options_find("vsync")->canonical);
    assert_true(options_find("-help")->flags & OPTDEF_INFO);
}

static void test_arity_by_version(void **state)
{
    int takes = LIBAVCODEC_VERSION_MAJOR < 61 ? OPTDEF_ARG : 0;

    (void)state;
    assert_int_equal(options_find("autorotate")->flags & OPTDEF_ARG, takes);
    assert_int_equal(options_find("autoscale")->flags & OPTDEF_ARG, takes);
    assert_true(options_find("autorotate")->flags & OPTDEF_BOOL);
    assert_int_equal(options_find("vstats")->flags & (OPTDEF_ARG | OPTDEF_BOOL), 0);
}

/* What the parser relies upon. */
static void test_table_is_sound(void **state)
{
    const int file = OPTDEF_INPUT | OPTDEF_OUTPUT;

    (void)state;
    for (const OptionDef *def = options_all(); def->name; def++) {
        if (options_find(def->name) != def)
            fail_msg("%s stands twice in the table", def->name);
        if (!(def->flags & (OPTDEF_GLOBAL | file)))
            fail_msg("%s has no scope", def->name);
        if (def->flags & OPTDEF_INFO && !(def->flags & OPTDEF_GLOBAL))
            fail_msg("%s informs but is not global", def->name);
        if (strchr(def->name, ':'))
            fail_msg("%s has a specifier", def->name);
        if (def->canonical && !options_find(def->canonical))
            fail_msg("%s is an alias of nothing", def->name);
        if (def->spec && !def->canonical)
            fail_msg("%s has a specifier but is no alias", def->name);
    }
}

static void test_avclass(void **state)
{
    static const struct { const char *name; int classes; } rows[] = {
        { "g",               AVCLASS_CODEC },
        { "g:v",             AVCLASS_CODEC },
        { "crf",             AVCLASS_CODEC },  /* private to encoders */
        { "crf:v:0",         AVCLASS_CODEC },
        { "b",               AVCLASS_CODEC },
        { "vb",              AVCLASS_CODEC | AVCLASS_PREFIX },
        { "sb",              AVCLASS_CODEC | AVCLASS_PREFIX },
        { "vg",              AVCLASS_CODEC | AVCLASS_PREFIX },
        { "vb:0",            0 },              /* the prefixed form takes no specifier */
        { "vcrf",            0 },              /* nor is it there for private options */
        { "probesize",       AVCLASS_FORMAT },
        { "probesize:0",     0 },              /* formats take no specifier */
        { "movflags",        AVCLASS_FORMAT }, /* private to muxers */
        { "fflags",          AVCLASS_FORMAT },
        { "rtsp_transport",  AVCLASS_FORMAT },
        { "reconnect",       AVCLASS_FORMAT }, /* private to protocols */
        { "sws_flags",       AVCLASS_SWS },
        { "sws_flags:v",     0 },
        { "src_range",       AVCLASS_SWS },
        { "srcw",            0 },              /* ffmpeg refuses these */
        { "dst_format",      0 },
        { "resampler",       AVCLASS_SWR },
        { "",                0 },
        { ":",               0 },
        { "v",               0 },
        { "no_such_option",  0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (options_avclass(rows[i].name) != rows[i].classes)
            fail_msg("'%s': %d, should be %d", rows[i].name,
                     options_avclass(rows[i].name), rows[i].classes);
    assert_int_equal(options_avclass("flags") & AVCLASS_CODEC, AVCLASS_CODEC);
    assert_int_equal(options_avclass("threads"), AVCLASS_CODEC); /* never reaches swscale */
}

/* front.c counts on it: it knows ffmpeg's table only */
static void test_no_avoption_is_a_negated_boolean(void **state)
{
    (void)state;
    for (const OptionDef *def = options_all(); def->name; def++) {
        char name[100];

        snprintf(name, sizeof(name), "no%s", def->name);
        if (def->flags & OPTDEF_BOOL && options_avclass(name))
            fail_msg("libav* knows -%s", name);
    }
}

static void test_long_name(void **state)
{
    char name[400];

    (void)state;
    memset(name, 'v', sizeof(name));
    name[sizeof(name) - 1] = 0;
    assert_int_equal(options_avclass(name), 0);
    assert_null(options_find(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_arity_by_version),
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_avclass),
        cmocka_unit_test(test_no_avoption_is_a_negated_boolean),
        cmocka_unit_test(test_long_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
