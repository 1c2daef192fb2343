#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make bench: figures as ratios to stock ffmpeg, both measured in turns in this one run, so
# that they mean the same on any machine. Medians of ROUNDS (21) rounds.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
FFLEET=${FFLEET:-$here/../ffleet}
ROUNDS=${ROUNDS:-21}
[ -x "$FFLEET" ] || { echo "bench: no ffleet at $FFLEET: run make first" >&2; exit 1; }
export FFLEET ROUNDS
unset FFLEET_HOSTS FFLEET_TRACE

exec perl -MTime::HiRes=time -e '
    my $rounds = $ENV{ROUNDS};

    # wall-clock milliseconds of one run
    sub run {
        my $start = time;
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            open STDIN, "<", "/dev/null";
            open STDOUT, ">", "/dev/null";
            open STDERR, ">", "/dev/null";
            exec { $_[0] } @_ or exit 127;
        }
        waitpid $pid, 0;
        die "bench: @_ failed\n" if $?;
        return (time - $start) * 1000;
    }

    sub median { my @s = sort { $a <=> $b } @_; return $s[@s / 2] }

    # ratio LABEL, [STOCK COMMAND], [OUR COMMAND]
    sub ratio {
        my ($label, $stock, $ours) = @_;
        my (@s, @o);
        run(@$stock), run(@$ours);    # the first of each fills the caches
        for (1 .. $rounds) {
            push @s, run(@$stock);
            push @o, run(@$ours);
        }
        my ($s, $o) = (median(@s), median(@o));
        printf "%-40s stock %8.1f ms  ffleet %8.1f ms  ratio %.2f  (+%.1f ms)\n",
            $label, $s, $o, $o / $s, $o - $s;
    }

    my $ffleet = $ENV{FFLEET};
    ratio("start-up, handed to stock: -version", [qw(ffmpeg -version)], [$ffleet, "-version"]);
    my @tiny = qw(-nostdin -f lavfi -i testsrc2=s=64x48:d=0.2 -f null -);
    ratio("a tiny command, handed to stock", ["ffmpeg", @tiny], [$ffleet, @tiny]);
'
