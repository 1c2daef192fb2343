/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <libavutil/mem.h>

#include "remote/leash.h"
#include "remote/shellquote.h"

/* Run `SHELL -c command` and return what it prints. */
static size_t shell(const char *shell, const char *command, char *buf, size_t size)
{
    int fd[2], status;
    size_t used = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        dup2(fd[1], 1);
        close(fd[0]);
        close(fd[1]);
        execlp(shell, shell, "-c", command, (char *)NULL);
        _exit(126);
    }
    close(fd[1]);
    while (used < size && (n = read(fd[0], buf + used, size - used)) > 0)
        used += n;
    close(fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) ? 0 : used;
}

static const char *const nasty[] = {
    "", "a", " ", "  two  blanks  ", "'", "''", "it's", "\"", "\\", "\\\\", "\\'", "a\\", "$", "$HOME",
    "${x}", "$(id)", "`id`", "!", "!!", "'!'", "!$", "a!b'c", "\n", "a\nb\n", "\n\n", "\t", "\r", "*", "?",
    "[a-z]*", "~", "~root", "-n", "--", "-", "#", "#x", "a#b", ";", "&", "|", "<", ">", "(", ")", "{a,b}",
    "a=b", "=", "if", "then", "%s%n", "\001\033\177", "gr\303\274\303\237e \346\227\245", "\377\376",
    "scale=w='min(1,iw)':h=-2,drawtext=text='a\\:b'", "x'\\''y",
};
#define NB_NASTY (sizeof(nasty) / sizeof(*nasty))

/* All words at once through printf, each ended by a byte of its own. */
static void check_shell(const char *name, int leashed)
{
    const char *argv[NB_NASTY + 3] = { "printf", "%s\\006" };
    char want[4096], got[4096], *command;
    size_t size = 0, n;
    AVBPrint bp;

    for (size_t i = 0; i < NB_NASTY; i++) {
        argv[2 + i] = nasty[i];
        size += snprintf(want + size, sizeof(want) - size, "%s\006", nasty[i]);
    }
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    shellquote_argv(&bp, argv);
    assert_true(av_bprint_is_complete(&bp));
    command = leashed ? leash_command(bp.str, 0) : bp.str;
    assert_non_null(command);
    n = shell(name, command, got, sizeof(got));
    assert_int_equal(n, size);
    assert_memory_equal(got, want, size);
    if (leashed)
        av_free(command);
    av_bprint_finalize(&bp, NULL);
}

static int have(const char *program)
{
    char command[128], out[256];

    snprintf(command, sizeof(command), "command -v %s", program);
    return shell("sh", command, out, sizeof(out)) > 0;
}

static void test_sh(void **state)
{
    (void)state;
    check_shell("sh", 0);
}

static void test_other_shells(void **state)
{
    static const char *const shells[] = { "dash", "bash", "ksh", "mksh", "zsh" };

    (void)state;
    for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
        if (have(shells[i]))
            check_shell(shells[i], 0);
}

/* What a login shell gets; here the odd ones matter. */
static void test_leashed(void **state)
{
    static const char *const shells[] = { "sh", "dash", "bash", "zsh", "csh", "tcsh", "fish" };

    (void)state;
    for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
        if (have(shells[i]))
            check_shell(shells[i], 1);
}

/* A login shell's `sh -c WORD`: quoting quoted text. */
static void test_nested(void **state)
{
    char got[256];
    AVBPrint in, out;

    (void)state;
    for (size_t i = 0; i < NB_NASTY; i++) {
        av_bprint_init(&in, 0, AV_BPRINT_SIZE_UNLIMITED);
        av_bprint_init(&out, 0, AV_BPRINT_SIZE_UNLIMITED);
        shellquote_argv(&in, (const char *const[]){ "printf", "%s.", nasty[i], NULL });
        shellquote_argv(&out, (const char *const[]){ "sh", "-c", in.str, NULL });
        assert_int_equal(shell("sh", out.str, got, sizeof(got)), strlen(nasty[i]) + 1);
        assert_memory_equal(got, nasty[i], strlen(nasty[i]));
        av_bprint_finalize(&in, NULL);
        av_bprint_finalize(&out, NULL);
    }
}

static void test_blanks(void **state)
{
    AVBPrint bp;

    (void)state;
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    shellquote_word(&bp, "a");
    assert_string_equal(bp.str, "'a'");
    shellquote_word(&bp, "");
    assert_string_equal(bp.str, "'a' ''");
    av_bprint_finalize(&bp, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blanks),
        cmocka_unit_test(test_sh),
        cmocka_unit_test(test_other_shells),
        cmocka_unit_test(test_leashed),
        cmocka_unit_test(test_nested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
