/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavutil/bprint.h>

#include "leash.h"

/*
 * In order:
 * - The outer shell's own stderr is muted: bash reports there when a child
 *   dies of a signal. The command gets the real one back from descriptor 9.
 * - The outer shell survives signals to the group, so that the command's own
 *   trap decides about the exit status. Traps (unlike ignored signals) are not inherited.
 * - The watchdog ignores those signals too and ends with SIGUSR1, with its sleep.
 *   It holds none of the command's descriptors, or the server would wait for it.
 *   Once it has begun to kill it listens to nobody: the outer shell may end, while a stopped
 *   process of the command's waits for SIGKILL.
 * - A changed parent in /proc is the sure sign (no pid reuse, no zombie);
 *   without /proc, or where it does not fit the parent's number, ask with kill -0.
 *   That number is told where it is known: a parent that dies before the shell begins is not seen in $PPID,
 *   but that init is there in its place.
 * - It is told each second: a shell that has just been forked for the command swallows what comes before it has put
 *   this shell's traps away. Nothing but SIGKILL would end the command then, and what it made on the way would stay.
 * - After SIGTERM ffmpeg encodes all frames that it has begun, which may take long; SIGHUP ends it at once. Under
 *   nohup it does not hear that one.
 * - The group is that of the caller ("0"), as some servers start no new one.
 */
static const char leash_head[] =
    "exec 9>&2 2>/dev/null\n"
    "trap : HUP INT TERM\n"
    "(\n"
    "exec </dev/null >/dev/null 9>&-\n"
    "trap '' HUP INT TERM\n"
    "trap 'kill -9 $!; wait $!; exit' USR1\n"
    "s=/proc/$$/stat\n"
    "if read -r a b c p d <$s && [ \"$p\" = $P ]; then\n"
    "while read -r a b c p d <$s && [ \"$p\" = $P ]; do sleep 1 & wait $!; done\n"
    "else\n"
    "while kill -0 $P && kill -0 $$; do sleep 1 & wait $!; done\n"
    "fi\n"
    "trap '' USR1\n"
    "for i in 1 2 3; do\n"
    "kill -HUP 0\n"
    "kill -TERM 0\n"
    "sleep 1 & wait $!\n"
    "done\n"
    "kill -KILL 0\n"
    ") &\n"
    "(\n"
    "exec 2>&9 9>&-\n";

static const char leash_tail[] =
    "\n)\n"
    "set -- $? $!\n"
    "kill -USR1 $2\n"
    "wait $2\n"
    "exit $1\n";

/* As a printf format: octal for all that means something to printf, to double
 * quotes, or within the login shell's single quotes. */
static void append_encoded(AVBPrint *bp, const char *text)
{
    for (; *text; text++) {
        unsigned char c = *text;

        if (c < ' ' || c > '~' || strchr("'\"`$!\\%", c))
            av_bprintf(bp, "\\%03o", c);
        else
            av_bprint_chars(bp, c, 1);
    }
}

char *leash_command(const char *command, long parent)
{
    char known[64] = "P=$PPID\n[ $P != 1 ] || P=none\n";
    AVBPrint bp;
    char *text = NULL;

    if (parent)
        snprintf(known, sizeof(known), "P=%ld\n", parent);

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&bp, "exec sh -c 'eval \"$(printf \"");
    append_encoded(&bp, known);
    append_encoded(&bp, leash_head);
    append_encoded(&bp, command);
    append_encoded(&bp, leash_tail);
    av_bprintf(&bp, "\")\"'");
    av_bprint_finalize(&bp, &text);
    return text;
}
