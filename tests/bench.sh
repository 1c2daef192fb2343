#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make bench: figures as ratios, the two sides of each measured in this one run, so that they mean
# the same on any machine. Prints a table and writes bench.json.
#
#   ROWS=a8,d          only these rows: of (a), which   BENCH_SECONDS  length of the clip (180)
#                      takes long, only 8 hosts         BENCH_SIZE     of its pictures (1280x720)
#   BENCH_PERCENT      of a core, for a throttled host (as many as 8 hosts leave)
#   BENCH_SEGMENTS     of row g (400)                   BENCH_LIMIT    seconds after which it gives up (7200)

here=$(cd "$(dirname "$0")" && pwd)
FFLEET=${FFLEET:-$here/../ffleet}
[ -x "$FFLEET" ] || { echo "bench: no ffleet at $FFLEET: run make first" >&2; exit 1; }
export FFLEET
exec perl "$here/bench.pl"
