#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make demo: three SSH hosts on the loopback, one minute of film, encoded once by the hosts
# through ffleet and once by stock ffmpeg; then who did what, and a comparison of the two files.
# Nothing stays behind, Ctrl-C included. Exit status: 0 when the files agree and all hosts worked.

set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
FFLEET=${FFLEET:-$here/../ffleet}
hosts="h1 h2 h3"
encode=(-map 0 -c:v libx264 -crf 23 -preset veryfast -c:a aac -c:s copy)
tmp=
child=
fleet_up=0

# shellcheck disable=SC2317
cleanup() {
    local i
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        kill "$child" 2>/dev/null
        for ((i = 0; i < 50; i++)); do
            kill -0 "$child" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$child" 2>/dev/null
        wait "$child" 2>/dev/null
        child=
    fi
    if [ "$fleet_up" = 1 ]; then
        fleet_stop "$tmp/fleet" >/dev/null 2>&1
    fi
    if [ -n "$tmp" ]; then
        rm -rf "$tmp"
    fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Run a command so that a signal to this script is acted on at once; stdin is not its.
run() {
    "$@" </dev/null &
    child=$!
    wait "$child"
    local status=$?
    child=
    return $status
}

# seconds since some moment, in thousandths
now() {
    local t=$EPOCHREALTIME
    echo $((${t%[.,]*} * 1000 + 10#${t#*[.,]} / 1000))
}

took() {
    local ms=$(($(now) - $1))
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# One minute in three scenes, with sound, subtitles and chapters.
make_clip() {
    local i
    for i in 1 2 3 4 5; do
        printf '%d\n00:00:%02d,500 --> 00:00:%02d,000\nSubtitle %d\n\n' \
            $i $((i * 11 - 8)) $((i * 11 - 5)) $i
    done >"$tmp/clip.srt"
    cat >"$tmp/clip.txt" <<'CHAPTERS'
;FFMETADATA1
title=Sixty seconds
[CHAPTER]
TIMEBASE=1/1
START=0
END=20
title=Test card
[CHAPTER]
TIMEBASE=1/1
START=20
END=40
title=Mandelbrot
[CHAPTER]
TIMEBASE=1/1
START=40
END=60
title=Cells
CHAPTERS
    run ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=640x360:r=25:d=20 \
        -f lavfi -i mandelbrot=s=640x360:r=25 \
        -f lavfi -i cellauto=s=640x360:r=25:rule=110:scroll=1:seed=1 \
        -f lavfi -i sine=f=440:b=2:d=60 -i "$tmp/clip.srt" -i "$tmp/clip.txt" \
        -filter_complex '[0]format=yuv420p,setsar=1[a];
            [1]trim=duration=20,format=yuv420p,setsar=1[b];
            [2]trim=duration=20,format=yuv420p,setsar=1[c];
            [a][b][c]concat=n=3[v]' \
        -map '[v]' -map 3 -map 4 -map_metadata 5 -map_chapters 5 -metadata:s:a language=eng \
        -c:v libx264 -preset veryfast -crf 18 -g 50 -c:a aac -c:s srt "$tmp/clip.mkv"
}

# Who encoded what, from the trace; fails when a host got nothing to do.
who_did_what() {
    # shellcheck disable=SC2016
    perl -MJSON::PP -e '
        my ($file, @hosts) = @ARGV;
        my (@rows, %done);
        open my $in, "<", $file or die "no trace was written\n";
        while (<$in>) {
            my $e = eval { decode_json($_) } or next;
            push @rows, $e if ($e->{event} // "") eq "attempt";
        }
        my $line = "%-8s %-10s %-5s %9s %9s %8s %10s %10s  %s\n";
        printf $line, qw(segment host slot start end frames up down outcome);
        for (sort { $a->{segment} <=> $b->{segment} || $a->{start} <=> $b->{start} } @rows) {
            $done{ $_->{host} }++ if $_->{outcome} eq "ok";
            printf $line, @$_{qw(segment host slot)},
                map({ sprintf "%.2f s", $_ // 0 } @$_{qw(start end)}), $_->{frames} // "-",
                map({ sprintf "%.0f kB", ($_ // 0) / 1000 } @$_{qw(bytes_up bytes_down)}), $_->{outcome};
        }
        print "\n";
        printf "%-10s encoded %d segments\n", $_, $done{$_} // 0 for @hosts;
        my @idle = grep { !$done{$_} } @hosts;
        my %fleet = map { $_ => 1 } @hosts;
        my @other = grep { !$fleet{$_} } sort keys %done;
        print "not encoded by the hosts alone: @other took part\n" if @other;
        print "hosts that did nothing: @idle\n" if @idle;
        exit(@idle || @other ? 1 : 0);
    ' "$@"
}

[ -x "$FFLEET" ] || fail "no ffleet at $FFLEET: run make first"
for tool in ffmpeg ffprobe perl ssh ssh-keygen; do
    command -v "$tool" >/dev/null || fail "needs $tool (configure --install-deps)"
done
# shellcheck source=/dev/null
. "$here/fleet.sh" || fail "cannot read tests/fleet.sh"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/ffleet-demo.XXXXXX") || exit 1
ok=1

echo "Making a film of one minute ..."
make_clip || fail "ffmpeg could not make the film"

echo "Starting three SSH hosts on the loopback ..."
fleet_up=1
fleet_start 3 "$tmp/fleet" || fail "the SSH hosts did not start"

show="ffmpeg -i clip.mkv ${encode[*]} out.mkv"
echo "Stock:  $show"
start=$(now)
run ffmpeg -nostdin -v error -i "$tmp/clip.mkv" "${encode[@]}" "$tmp/stock.mkv" || fail "ffmpeg failed"
stock_took=$(took "$start")

echo "ffleet: FFLEET_HOSTS=\"$hosts\" ${show/#ffmpeg/ffleet}"
start=$(now)
run env FFLEET_HOSTS="$hosts" FFLEET_SSH_CONFIG="$tmp/fleet/ssh_config" FFLEET_TRACE="$tmp/trace" \
    "$FFLEET" -v error -i "$tmp/clip.mkv" "${encode[@]}" "$tmp/ours.mkv" ||
    fail "ffleet failed with status $?"
ours_took=$(took "$start")

echo
echo "Who encoded what (seconds since ffleet's start):"
# shellcheck disable=SC2086
who_did_what "$tmp/trace" $hosts || ok=0

echo
echo "The two files:"
run perl "$here/tools/compare.pl" "$tmp/stock.mkv" "$tmp/ours.mkv" --source "$tmp/clip.mkv" --table || ok=0

echo
echo "stock took $stock_took, ffleet $ours_took (all three hosts are this one machine: no gain to expect)"
if [ "$ok" = 1 ]; then
    echo "VERDICT: the same film, encoded by three hosts."
    exit 0
fi
echo "VERDICT: NOT the same, or not encoded by the hosts; see above."
exit 1
