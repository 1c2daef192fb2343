/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include <libavutil/avstring.h>
#include <libavutil/macros.h>

#include "spool.h"

/*
 * - The folder's name is known, and the traps are set, before it is made: a signal in between leaves nothing
 *   behind. mkdir takes no folder of somebody else's.
 * - A signal tidies up, too: not every sh runs the EXIT trap then, and one that comes during that trap ends it
 *   (in bash). SIGPIPE is one of them: the shell tells stderr of its dead child, and with the connection gone
 *   nobody reads that.
 * - head takes no byte more than it is asked for from a pipe, and what follows comes only later.
 * - What arrived is counted: a full disk need not make head fail.
 * - Once it is open, the file needs no name any more.
 * - Without a "go" the connection has ended, and nobody wants the result.
 */
static const char text[] =
    "d=\n"
    "tidy() { trap '' HUP INT TERM PIPE; [ -z \"$d\" ] || rm -rf \"$d\"; }\n"
    "trap tidy EXIT\n"
    "trap 'tidy; exit 143' HUP INT TERM PIPE\n"
    "d=`mktemp -u \"${TMPDIR:-/tmp}/ffleet.XXXXXXXXXX\"` && mkdir -m 700 \"$d\" || {\n"
    "[ $? -gt 128 ] || d=\n"
    "echo 'no folder can be made' >&2\n"
    "exit " AV_STRINGIFY(SPOOL_STATUS) "\n"
    "}\n"
    "head -c %"PRId64" >\"$d/in\"\n"
    "n=`wc -c <\"$d/in\"`\n"
    "[ \"${n:-0}\" -eq %"PRId64" ] || {\n"
    "echo 'the input could not be stored' >&2\n"
    "exit " AV_STRINGIFY(SPOOL_STATUS) "\n"
    "}\n"
    "read -r go && [ \"$go\" = go ] || exit " AV_STRINGIFY(SPOOL_STATUS) "\n"
    "exec <\"$d/in\" && rm -rf \"$d\"\n"
    "%s\n";

char *spool_command(const char *command, int64_t size)
{
    return av_asprintf(text, size, size, command);
}
