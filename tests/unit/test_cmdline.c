/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libavcodec/version.h>
#include <libavutil/bprint.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "fftools/command/cmdline.h"

#define MAX_WORDS 64
#define NB(a) (sizeof(a) / sizeof(*(a)))

/* A command line, words parted by one blank ('' is an empty word), and what is made of it. */
typedef struct Row {
    const char *line;
    const char *expected;
} Row;

/* ---- a Command as text ---- */

/* [!][@][~]NAME[:SPEC][=VALUE]; ! negated, @ value from a file, ~ an AVOption */
static void print_options(AVBPrint *bp, const CmdOption *opts, int nb, char **argv)
{
    for (int i = 0; i < nb; i++) {
        const CmdOption *o = &opts[i];

        av_bprintf(bp, "%s%s%s%s%s", bp->str[bp->len - 1] == '(' ? "" : " ", o->negated ? "!" : "",
                   o->from_file ? "@" : "", o->def ? "" : "~", o->name);
        if (o->spec)
            av_bprintf(bp, ":%s", o->spec);
        if (o->value)
            av_bprintf(bp, "=%s", o->value);

        assert_int_equal(argv[o->index][0], '-');
        assert_int_equal(o->nargs, o->value ? 2 : 1);
        assert_true(!o->value || !strcmp(o->value, argv[o->index + 1]));
        assert_true(o->def || o->avclass);
    }
}

static void print_files(AVBPrint *bp, char letter, const CmdFile *files, int nb, char **argv)
{
    for (int i = 0; i < nb; i++) {
        av_bprintf(bp, "%s%c(%s", bp->len ? " " : "", letter, files[i].url);
        print_options(bp, files[i].options, files[i].nb_options, argv);
        av_bprintf(bp, ")");
        assert_string_equal(argv[files[i].index], files[i].url);
    }
}

static void print_command(AVBPrint *bp, const Command *c)
{
    if (c->nb_globals) {
        av_bprintf(bp, "G(");
        print_options(bp, c->globals, c->nb_globals, c->argv);
        av_bprintf(bp, ")");
    }
    print_files(bp, 'I', c->inputs, c->nb_inputs, c->argv);
    print_files(bp, 'O', c->outputs, c->nb_outputs, c->argv);
    if (c->nb_trailing) {
        av_bprintf(bp, "%sT(", bp->len ? " " : "");
        print_options(bp, c->trailing, c->nb_trailing, c->argv);
        av_bprintf(bp, ")");
    }
    if (c->info)
        av_bprintf(bp, " info");
}

static void print_own(AVBPrint *bp, const Command *c)
{
    const OwnOptions *o = &c->own;

    if (o->have_hosts)
        av_bprintf(bp, "hosts(");
    for (int i = 0; i < o->nb_hosts; i++)
        av_bprintf(bp, "%s%s", i ? " " : "", o->hosts[i]);
    if (o->have_hosts)
        av_bprintf(bp, ") ");
    if (o->ssh_user)
        av_bprintf(bp, "user=%s ", o->ssh_user);
    if (o->segment_length)
        av_bprintf(bp, "length=%g ", o->segment_length);
    if (o->file)
        av_bprintf(bp, "file=%s ", o->file);
    if (o->memory)
        av_bprintf(bp, "memory=%"PRId64" ", o->memory);
    av_bprintf(bp, "%s%s%s%s%s%s<", o->short_form ? "short " : "", o->explain ? "explain " : "",
               o->no_fallback ? "no-fallback " : "", o->version ? "version " : "",
               o->help ? "help " : "", o->status ? "status " : "");
    for (int i = 0; i < c->argc; i++)
        av_bprintf(bp, "%s%s", i ? " " : "", c->argv[i]);
    av_bprintf(bp, ">");
}

/* ---- running rows ---- */

static int split_line(char *line, char **argv)
{
    int argc = 0;

    for (char *p = line, *end; p && argc < MAX_WORDS; p = end) {
        if ((end = strchr(p, ' ')))
            *end++ = 0;
        argv[argc++] = strcmp(p, "''") ? p : "";
    }
    argv[argc] = NULL;
    return argc;
}

static void check_row(const Row *row, int own)
{
    char *argv[MAX_WORDS + 1], *line = av_strdup(row->line), err[256], text[4096];
    int argc = split_line(line, argv), ret;
    Command cmd;
    AVBPrint bp;

    av_bprint_init_for_buffer(&bp, text, sizeof(text));
    ret = cmdline_parse(&cmd, argc, argv, err, sizeof(err));
    if (ret < 0) {
        av_bprintf(&bp, "%s: %s", ret == AVERROR(EINVAL) ? "EINVAL" :
                   ret == AVERROR_OPTION_NOT_FOUND ? "STOCK" : "?", err);
    } else if (own) {
        print_own(&bp, &cmd);
    } else {
        print_command(&bp, &cmd);
    }
    if (ret == 0 || ret == AVERROR_OPTION_NOT_FOUND)
        assert_null(cmd.argv[cmd.argc]);
    if (strcmp(text, row->expected))
        fail_msg("%s\n  is:     %s\n  should: %s", row->line, text, row->expected);
    if (!own && ret != AVERROR(EINVAL)) {
        /* without words of ours stock gets exactly what we got */
        assert_int_equal(cmd.argc, argc);
        for (int i = 0; i < argc; i++)
            assert_string_equal(cmd.argv[i], argv[i]);
    }
    cmdline_free(&cmd);
    av_free(line);
}

static void check_rows(const Row *rows, size_t nb, int own)
{
    for (size_t i = 0; i < nb; i++)
        check_row(&rows[i], own);
}

/* ---- ffmpeg's grammar ---- */

static void test_plain(void **state)
{
    static const Row rows[] = {
        { "ffmpeg", "" },
        { "ffmpeg -i a", "I(a)" },
        { "ffmpeg -i a b", "I(a) O(b)" },
        { "ffmpeg b", "O(b)" },
        { "ffmpeg -i a -c:v libx264 -crf 25 b", "I(a) O(b c:v=libx264 ~crf=25)" },
        { "ffmpeg -ss 5 -i a -ss 6 b", "I(a ss=5) O(b ss=6)" },
        { "ffmpeg -i a -i b -map 0:v -map 1:a -map -0:s c -an d",
          "I(a) I(b) O(c map=0:v map=1:a map=-0:s) O(d an)" },
        { "ffmpeg -y -i a -y b -n", "G(y y n) I(a) O(b)" },
        { "ffmpeg -y -i a -stats b", "G(y stats) I(a) O(b)" },
        { "ffmpeg -i a b -crf 3 -an", "I(a) O(b) T(~crf=3 an)" },
        { "ffmpeg -i a b -ss 5", "I(a) O(b) T(ss=5)" },
        { "ffmpeg -i a b -sseof -5", "I(a) O(b) T(sseof=-5)" }, /* nobody looks */
        { "ffmpeg b -i a", "I(a) O(b)" },
        { "ffmpeg -metadata a=1 -metadata b=2 -i", "STOCK: missing argument for option '-i'" },
        { "ffmpeg -filter_complex [0:v]null[x] -i a -map [x] b",
          "G(filter_complex=[0:v]null[x]) I(a) O(b map=[x])" },
    };

    (void)state;
    check_rows(rows, NB(rows), 0);
}

static void test_odd_words(void **state)
{
    static const Row rows[] = {
        { "ffmpeg -i - -f mpegts -", "I(-) O(- f=mpegts)" },
        { "ffmpeg -i '' ''", "I() O()" },
        { "ffmpeg -i a -ss -5 b", "I(a) O(b ss=-5)" },
        { "ffmpeg -i a -metadata -y b", "I(a) O(b metadata=-y)" },
        { "ffmpeg -i a -metadata -- b", "I(a) O(b metadata=--)" },
        { "ffmpeg -i a -qmin -1 b", "I(a) O(b ~qmin=-1)" },
        { "ffmpeg -i a -metadata '' b", "I(a) O(b metadata=)" },
        { "ffmpeg -i a -crf '' b", "I(a) O(b ~crf=)" },
        { "ffmpeg -i -i b", "I(-i) O(b)" },
        { "ffmpeg -c:v -i a b", "O(a c:v=-i) O(b)" },
        { "ffmpeg -i a -- -b", "I(a) O(-b)" },
        { "ffmpeg -i a -- -- -b", "I(a) O(-b)" },
        { "ffmpeg -i a -- b -an c", "I(a) O(b) O(c an)" },   /* good for one word */
        { "ffmpeg -i a -- -y -y c", "G(y) I(a) O(-y) O(c)" },
        { "ffmpeg -i a b --", "I(a) O(b)" },
        { "ffmpeg -i a -an -- -b", "I(a) O(-b an)" },
        { "ffmpeg -- -i a", "O(-i) O(a)" },
        { "ffmpeg -i -- -b", "STOCK: missing argument for option '-b'" },
        { "ffmpeg -i:0 a", "STOCK: ffmpeg has no option '-i:0'" },
    };

    (void)state;
    check_rows(rows, NB(rows), 0);
}

static void test_no(void **state)
{
    static const Row rows[] = {
        { "ffmpeg -nostdin -i a -nostats b", "G(!stdin !stats) I(a) O(b)" },
        { "ffmpeg -noaccurate_seek -i a b", "I(a !accurate_seek) O(b)" },
        { "ffmpeg -i a -nostdin", "G(!stdin) I(a)" },
        { "ffmpeg -noautorotate -i a b", "I(a !autorotate) O(b)" },
        { "ffmpeg -noautorotate:v:0 -i a b", "I(a !autorotate:v:0) O(b)" },
        { "ffmpeg -n -i a b", "G(n) I(a) O(b)" },
        { "ffmpeg -noy -i a b", "G(!y) I(a) O(b)" },
        { "ffmpeg -novstats -i a b", "STOCK: ffmpeg has no option '-novstats'" },
        { "ffmpeg -noss 5 -i a b", "STOCK: ffmpeg has no option '-noss'" },
        { "ffmpeg -no -i a b", "STOCK: ffmpeg has no option '-no'" },
        { "ffmpeg -nonostdin -i a b", "STOCK: ffmpeg has no option '-nonostdin'" },
        { "ffmpeg -i a -nocrf b", "STOCK: ffmpeg has no option '-nocrf'" },
        { "ffmpeg -i a -noise_reduction 5 b", "I(a) O(b ~noise_reduction=5)" },
#if LIBAVCODEC_VERSION_MAJOR < 61
        { "ffmpeg -autorotate 0 -i a b", "I(a autorotate=0) O(b)" },
        { "ffmpeg -i a -autoscale", "STOCK: missing argument for option '-autoscale'" },
#else
        { "ffmpeg -autorotate -i a b", "I(a autorotate) O(b)" },
#endif
    };

    (void)state;
    check_rows(rows, NB(rows), 0);
}

static void test_aliases(void **state)
{
    static const Row rows[] = {
        { "ffmpeg -i a -vcodec x -acodec y -scodec z -dcodec w b",
          "I(a) O(b c:v=x c:a=y c:s=z c:d=w)" },
        { "ffmpeg -i a -codec:v:1 x -c x -c: y b", "I(a) O(b c:v:1=x c=x c=y)" },
        { "ffmpeg -vcodec x -i a b", "I(a c:v=x) O(b)" },
        { "ffmpeg -i a -vcodec:7 x b", "I(a) O(b c:v=x)" }, /* ffmpeg ignores the 7 */
        { "ffmpeg -i a -vf x -af y -filter:v z b", "I(a) O(b filter:v=x filter:a=y filter:v=z)" },
        { "ffmpeg -i a -vframes 1 -aframes 2 -dframes 3 -frames:v 4 b",
          "I(a) O(b frames:v=1 frames:a=2 frames:d=3 frames:v=4)" },
        { "ffmpeg -i a -vtag x -atag y -stag z -tag:v w b",
          "I(a) O(b tag:v=x tag:a=y tag:s=z tag:v=w)" },
        { "ffmpeg -i a -vtag:0 x -vbsf:1 y b", "I(a) O(b tag:0:v=x bsf:1:v=y)" },
        { "ffmpeg -i a -vbsf x -absf y -bsf z b", "I(a) O(b bsf:v=x bsf:a=y bsf=z)" },
        { "ffmpeg -i a -aq 1 -qscale 2 -qscale:a 3 -q 4 -q:v 5 b",
          "I(a) O(b q:a=1 q:v=2 q:a=3 q=4 q:v=5)" },
        { "ffmpeg -i a -b 1 -b:a 2 -ab 3 -vb 4 -ab:1 5 -b: 6 b",
          "I(a) O(b b:v=1 b:a=2 b:a=3 ~b:v=4 b:1=5 b=6)" },
        { "ffmpeg -i a -profile x -profile:a y b", "I(a) O(b profile:v=x profile:a=y)" },
        { "ffmpeg -i a -vprofile x b", "I(a) O(b ~profile:v=x)" },
        { "ffmpeg -v error -loglevel info -i a", "G(loglevel=error loglevel=info) I(a)" },
        { "ffmpeg -lavfi x -filter_complex y", "G(filter_complex=x filter_complex=y)" },
        { "ffmpeg -i a -vsync 0 -fps_mode:v cfr b", "G(vsync=0) I(a) O(b fps_mode:v=cfr)" },
        { "ffmpeg -i a -channel_layout 5.1 b", "I(a) O(b ch_layout=5.1)" },
        { "ffmpeg -i a -vpre x -fpre y b", "I(a) O(b vpre=x fpre=y)" },
    };

    (void)state;
    check_rows(rows, NB(rows), 0);
}

static void test_specifiers(void **state)
{
    static const Row rows[] = {
        { "ffmpeg -i a -c:v:0 x -c:a:m:language:eng y b",
          "I(a) O(b c:v:0=x c:a:m:language:eng=y)" },
        { "ffmpeg -i a -crf:v 20 -crf:p:1 21 b", "I(a) O(b ~crf:v=20 ~crf:p:1=21)" },
        { "ffmpeg -y:v -i a -t:v 5 b", "G(y:v) I(a) O(b t:v=5)" }, /* not checked by ffmpeg */
        { "ffmpeg -i a -movflags:v x b", "STOCK: ffmpeg has no option '-movflags:v'" },
        { "ffmpeg -i a -metadata:s:a:0 x=y b", "I(a) O(b metadata:s:a:0=x=y)" },
        { "ffmpeg -i a -: x b", "STOCK: ffmpeg has no option '-:'" },
    };

    (void)state;
    check_rows(rows, NB(rows), 0);
}

static void test_errors(void **state)
{
    static const Row rows[] = {
        { "ffmpeg -i a -no_such 1 b", "STOCK: ffmpeg has no option '-no_such'" },
        { "ffmpeg -i a b -ss", "STOCK: missing argument for option '-ss'" },
        { "ffmpeg -i a b -crf", "STOCK: ffmpeg has no option '-crf'" }, /* as ffmpeg says, too */
        { "ffmpeg -srcw 5 -i a", "STOCK: ffmpeg has no option '-srcw'" },
        { "ffmpeg -map 0 -i a b", "STOCK: option '-map' cannot be applied to input 'a'" },
        { "ffmpeg -i a -stream_loop 1 b",
          "STOCK: option '-stream_loop' cannot be applied to output 'b'" },
        { "ffmpeg -i a -i b -re c", "STOCK: option '-re' cannot be applied to output 'c'" },
        { "ffmpeg --hosts-x a -i a b", "STOCK: ffmpeg has no option '--hosts-x'" },
        { "ffmpeg --version", "STOCK: ffmpeg has no option '--version'" },
        { "ffmpeg -/y a -i b", "STOCK: ffmpeg has no option '-/y'" },
        { "ffmpeg -/crf a -i b", "STOCK: ffmpeg has no option '-/crf'" },
        { "ffmpeg -/i b", "STOCK: ffmpeg has no option '-/i'" },
#if LIBAVCODEC_VERSION_MAJOR < 61
        { "ffmpeg -i a -/filter:v x b", "STOCK: ffmpeg has no option '-/filter:v'" },
        { "ffmpeg -bsf x -i a b", "STOCK: option '-bsf' cannot be applied to input 'a'" },
#else
        { "ffmpeg -i a -/filter:v x b", "I(a) O(b @filter:v=x)" },
        { "ffmpeg -/filter_complex x -i a -/vf y b",
          "G(@filter_complex=x) I(a) O(b @filter:v=y)" },
        { "ffmpeg -bsf x -i a b", "I(a bsf=x) O(b)" },
#endif
    };

    (void)state;
    check_rows(rows, NB(rows), 0);
}

static void test_info(void **state)
{
    static const Row rows[] = {
        { "ffmpeg -version", "G(version) info" },
        { "ffmpeg -h full", "G(h=full) info" },
        { "ffmpeg -h", "G(h) info" },
        { "ffmpeg --help", "G(-help) info" },
        { "ffmpeg --help encoder=libx264", "G(-help=encoder=libx264) info" },
        { "ffmpeg -i a -encoders b", "G(encoders=b) I(a) info" },
        { "ffmpeg -L -i a", "G(L=-i) O(a) info" },
        { "ffmpeg -sources", "G(sources) info" },
        { "ffmpeg -?", "G(?) info" },
        { "ffmpeg -h --hosts", "G(h=--hosts) info" },
    };

    (void)state;
    check_rows(rows, NB(rows), 0);
}

/* ---- ffleet's own ---- */

static void test_own(void **state)
{
    static const Row rows[] = {
        { "ffleet --hosts a,b -i x y", "hosts(a,b) <ffleet -i x y>" },
        { "ffleet -i x --hosts=a,b y --explain", "hosts(a,b) explain <ffleet -i x y>" },
        { "ffmpeg -i x --hosts a y --hosts b", "hosts(a b) <ffmpeg -i x y>" },
        { "ffleet --hostlist h1 h2 -i x y", "hosts(h1 h2) short <ffleet -i x y>" },
        { "ffleet --hostlist -i x y", "hosts() short <ffleet -i x y>" },
        { "ffleet --hostlist", "hosts() short <ffleet>" },
        { "ffleet --hostlist=h1 y", "hosts(h1) short <ffleet y>" },
        { "ffleet --hostlist h1 --hostlist h2 --status", "hosts(h1 h2) short status <ffleet>" },
        { "ffleet -i x -metadata --hosts y", "<ffleet -i x -metadata --hosts y>" },
        { "ffleet -i x -crf --explain y", "<ffleet -i x -crf --explain y>" },
        { "ffleet -i --explain y", "<ffleet -i --explain y>" },
        { "ffleet -i x -y --explain y", "explain <ffleet -i x -y y>" },
        { "ffleet -i x -an --explain y", "explain <ffleet -i x -an y>" },
        { "ffleet -i x -nostdin --explain y", "explain <ffleet -i x -nostdin y>" },
        { "ffleet -i x -- --explain", "<ffleet -i x -- --explain>" },
        { "ffleet -i x -- --explain --explain", "explain <ffleet -i x -- --explain>" },
        { "ffleet --no-fallback --ssh-user u --ssh-user=v -i x",
          "user=v no-fallback <ffleet -i x>" },
        { "ffleet --segment-length 2.5 -i x", "length=2.5 <ffleet -i x>" },
        { "ffleet --segment-length=1e1", "length=10 <ffleet>" },
        { "ffleet --memory 64M", "memory=64000000 <ffleet>" },
        { "ffleet --memory=64MiB -i x", "memory=67108864 <ffleet -i x>" },
        { "ffleet --help", "help <ffleet>" },
        { "/usr/bin/ffleet --version", "version </usr/bin/ffleet>" },
        { "ffleet --help --hosts a", "hosts(a) help <ffleet>" },
        { "ffleet --help full", "<ffleet --help full>" },
        { "/opt/ffmpeg --help", "</opt/ffmpeg --help>" },
        { "ffmpeg-fleet --help", "help <ffmpeg-fleet>" },
    };

    (void)state;
    check_rows(rows, NB(rows), 1);
}

static void test_short_form(void **state)
{
    static const Row rows[] = {
        { "ffleet --hostlist H1 H2 --ssh-user U --segment-length 50 --file whoa.mp4 "
          "-c:a copy -c:v libx264 -crf 25 -preset veryfast",
          "hosts(H1 H2) user=U length=50 file=whoa.mp4 short <ffleet -i whoa.mp4 "
          "-c:a copy -c:v libx264 -crf 25 -preset veryfast output.mp4>" },
        { "ffleet -c:v copy --file=a b.mp4", "file=a short <ffleet -i a -c:v copy b.mp4>" },
        { "ffleet --file a", "file=a short <ffleet -i a output.mp4>" },
        { "ffleet -ss 5 -i b --file a c", "file=a short <ffleet -i a -ss 5 -i b c>" },
        { "ffleet --file a -version", "file=a short <ffleet -i a -version>" },
        { "ffleet --file a -- -o", "file=a short <ffleet -i a -- -o>" },
        { "ffleet --hostlist H -i a", "hosts(H) short <ffleet -i a>" },
    };
    char *argv[] = { "ffleet", "--file", "a", "-crf", "3", NULL };
    char err[64];
    Command cmd;

    (void)state;
    check_rows(rows, NB(rows), 1);

    assert_int_equal(cmdline_parse(&cmd, 5, argv, err, sizeof(err)), 0);
    assert_int_equal(cmd.nb_outputs, 1);
    assert_int_equal(cmd.nb_trailing, 0);
    assert_int_equal(cmd.outputs[0].index, 5);
    assert_string_equal(cmd.outputs[0].options[0].name, "crf");
    assert_string_equal(cmd.inputs[0].url, "a");
    cmdline_free(&cmd);
}

static void test_own_errors(void **state)
{
    static const char *const bad_lengths[] = {
        "0", "-1", "nan", "inf", "-inf", "text", "5s", "0x10", "1e99", " 5", "1e-999",
    };
    static const Row rows[] = {
        { "ffleet --hosts", "EINVAL: --hosts: missing argument" },
        { "ffleet --hosts -i x", "EINVAL: --hosts: missing argument" },
        { "ffleet --hosts= -i x", "EINVAL: --hosts: missing argument" },
        { "ffleet -i x y --ssh-user", "EINVAL: --ssh-user: missing argument" },
        { "ffleet --ssh-user=-oProxyCommand=x", "EINVAL: --ssh-user: missing argument" },
        { "ffleet --file", "EINVAL: --file: missing argument" },
        { "ffleet --segment-length", "EINVAL: --segment-length: missing argument" },
        { "ffleet --explain=1", "EINVAL: --explain takes no argument" },
        { "ffleet --hostlist a ''", "EINVAL: --hostlist: missing argument" },
        { "ffleet --memory 8MB", "EINVAL: --memory: '8MB' is not a size of 16M or more" },
        { "ffleet -unknown --segment-length x",
          "EINVAL: --segment-length: 'x' is not a positive number of seconds" },
    };

    (void)state;
    check_rows(rows, NB(rows), 1);
    for (size_t i = 0; i < NB(bad_lengths); i++) {
        char *argv[] = { "ffleet", "--segment-length", (char *)bad_lengths[i], NULL };
        char err[256];
        Command cmd;

        if (cmdline_parse(&cmd, 3, argv, err, sizeof(err)) != AVERROR(EINVAL))
            fail_msg("--segment-length '%s' passed", bad_lengths[i]);
        assert_non_null(strstr(err, "--segment-length"));
        cmdline_free(&cmd);
    }
}

/* Words of ours never reach stock, even when the rest is wrong. */
static void test_argv_of_wrong_use(void **state)
{
    char *argv[] = { "ffleet", "-i", "a", "--hosts", "h", "-no_such", "--explain", "b", NULL };
    static const char *const left[] = { "ffleet", "-i", "a", "-no_such", "b" };
    char err[64];
    Command cmd;

    (void)state;
    assert_int_equal(cmdline_parse(&cmd, 8, argv, err, sizeof(err)), AVERROR_OPTION_NOT_FOUND);
    assert_int_equal(cmd.argc, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(cmd.argv[i], left[i]);
    assert_true(cmd.own.explain);
    cmdline_free(&cmd);
}

static void test_environment(void **state)
{
    static const Row good[] = {
        { "ffleet -i x", "length=7.5 <ffleet -i x>" },
        { "ffleet -i x --segment-length 3", "length=3 <ffleet -i x>" },
    };
    static const Row bad[] = {
        { "ffleet -i x", "EINVAL: FFLEET_SEGMENT_LENGTH: '-3' is not a positive number of seconds" },
        { "ffleet -i x --segment-length 3", "length=3 <ffleet -i x>" },
        { "ffmpeg -version", "<ffmpeg -version>" },
        { "ffleet --help", "help <ffleet>" },
    };
    static const Row empty[] = { { "ffleet -i x", "<ffleet -i x>" } };

    (void)state;
    setenv("FFLEET_SEGMENT_LENGTH", "7.5", 1);
    check_rows(good, NB(good), 1);
    setenv("FFLEET_SEGMENT_LENGTH", "-3", 1);
    check_rows(bad, NB(bad), 1);
    setenv("FFLEET_SEGMENT_LENGTH", "", 1);
    check_rows(empty, NB(empty), 1);
    unsetenv("FFLEET_SEGMENT_LENGTH");
}

static void test_last(void **state)
{
    char *argv[] = { "ffmpeg", "-i", "a", "-c", "x", "-r", "25", "-c:v", "y", "b", NULL };
    char err[64];
    const CmdOption *o;
    Command cmd;

    (void)state;
    assert_int_equal(cmdline_parse(&cmd, 10, argv, err, sizeof(err)), 0);
    o = cmdline_last(cmd.outputs[0].options, cmd.outputs[0].nb_options, "c");
    assert_string_equal(o->value, "y");
    assert_null(cmdline_last(cmd.outputs[0].options, cmd.outputs[0].nb_options, "codec"));
    assert_null(cmdline_last(NULL, 0, "c"));
    cmdline_free(&cmd);
    cmdline_free(&cmd); /* twice does no harm */
}

static void test_no_name(void **state)
{
    char *argv[] = { NULL };
    char err[64];
    Command cmd;

    (void)state;
    assert_int_equal(cmdline_parse(&cmd, 0, argv, err, sizeof(err)), 0);
    assert_int_equal(cmd.argc, 1);
    assert_null(cmd.argv[1]);
    cmdline_free(&cmd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_odd_words),
        cmocka_unit_test(test_no),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_specifiers),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_short_form),
        cmocka_unit_test(test_own_errors),
        cmocka_unit_test(test_argv_of_wrong_use),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_no_name),
    };

    unsetenv("FFLEET_SEGMENT_LENGTH");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
