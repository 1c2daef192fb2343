#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make demo: three SSH hosts on the loopback, one minute of film, encoded once by stock ffmpeg and
# once by the hosts through ffleet; then who did what, and a comparison of the two files. Nothing
# stays behind, Ctrl-C included. Exit status: 0 when the files agree and the hosts alone made ours.
# DEMO_SIZE: that of the film (640x360).

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

# One minute in fifteen scenes that move as in a film, with sound, subtitles and chapters.
make_film() {
    local i scene x y scale n=0 graph= all= inputs=()
    for i in 1 2 3 4 5; do
        printf '%d\n00:00:%02d,500 --> 00:00:%02d,000\nSubtitle %d\n\n' \
            $i $((i * 11 - 8)) $((i * 11 - 5)) $i
    done >"$tmp/film.srt"
    echo ";FFMETADATA1
title=Sixty seconds" >"$tmp/film.txt"
    for i in 0 20 40; do
        printf '[CHAPTER]\nTIMEBASE=1/1\nSTART=%d\nEND=%d\ntitle=Part %d\n' $i $((i + 20)) $((i / 20 + 1))
    done >>"$tmp/film.txt"
    for scene in -0.743:0.131:0.4 -1.25:0.02:0.9 0.275:0.006:0.5 -0.16:1.035:0.7 -1.768:0.001:0.5 \
            -0.748:0.1:0.6 0.37:0.1:0.8 -0.7:0.28:0.3 -1.4:0:0.7 -0.235:0.827:0.5 \
            0.29:0.015:0.6 -0.1:0.956:0.8 -0.77:0.173:0.4 -1.3:0.07:0.5 -0.65:0.48:0.6; do
        IFS=: read -r x y scale <<<"$scene"
        inputs+=(-f lavfi -i "mandelbrot=s=${DEMO_SIZE:-640x360}:r=25:maxiter=200:start_x=$x:start_y=$y:start_scale=$scale:end_pts=200")
        graph+="[$n]trim=duration=4,format=yuv420p,setsar=1[v$n];"
        all+="[v$n]"
        n=$((n + 1))
    done
    run ffmpeg -nostdin -v error "${inputs[@]}" -f lavfi -i sine=f=440:b=2:d=60 \
        -i "$tmp/film.srt" -i "$tmp/film.txt" -filter_complex "$graph${all}concat=n=$n[v]" \
        -map '[v]' -map $n -map $((n + 1)) -map_metadata $((n + 2)) -map_chapters $((n + 2)) \
        -metadata:s:a language=eng -c:v libx264 -preset ultrafast -crf 18 -g 50 -c:a aac -c:s srt \
        "$tmp/film.mkv"
}

# Who encoded what, from the trace. Fails when it was not several hosts, or not only they.
who_did_what() {
    # shellcheck disable=SC2016
    perl -MJSON::PP -MList::Util=max -e '
        my ($file, @hosts) = @ARGV;
        my ($width, $frames, @rows, %done) = (32, 0);
        open my $in, "<", $file or die "no trace was written\n";
        while (<$in>) {
            my $e = eval { decode_json($_) } or next;
            push @rows, $e if ($e->{event} // "") eq "attempt";
        }
        @rows or die "the hosts were given nothing to do\n";
        my $end = max map { $_->{end} } @rows;
        sub film { my $s = int($_[0] / 25); sprintf "%d:%02d", $s / 60, $s % 60 }
        sub mega { sprintf "%.1f MB", ($_[0] // 0) / 1e6 }
        my $line = "%-8s %-13s %-5s %7s %8s %8s  %s\n";
        my $axis = sprintf "%.1f s", $end;
        printf $line, qw(segment film host frames up down),
            "0 s" . " " x ($width - 3 - length $axis) . $axis;
        for (sort { $a->{segment} <=> $b->{segment} || $a->{start} <=> $b->{start} } @rows) {
            my ($from, $to) = map { int $width * $_ / $end } @$_{qw(start end)};
            my $bar = "." x $from . "#" x ($to - $from || 1) . "." x $width;
            my $ok  = $_->{outcome} eq "ok";
            printf $line, $_->{segment},
                $ok ? film($frames) . " - " . film($frames + $_->{frames}) : "", $_->{host},
                $ok ? $_->{frames} : "-", mega($_->{bytes_up}), mega($_->{bytes_down}),
                substr($bar, 0, $width) . ($ok ? "" : "  $_->{outcome}");
            next unless $ok;
            $done{ $_->{host} }++;
            $frames += $_->{frames};
        }
        print "\nSegments by host: ", join(", ", map { "$_ " . ($done{$_} // 0) } @hosts), "\n";
        my %ours  = map { $_ => 1 } @hosts;
        my @other = grep { !$ours{$_} } sort keys %done;
        print "not by the hosts alone: @other took part\n" if @other;
        exit(@other || keys %done < 2 ? 1 : 0);
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
began=$(now)

echo "Making a film of one minute, and starting three SSH hosts on this machine ..."
make_film || fail "ffmpeg could not make the film"
fleet_up=1
fleet_start 3 "$tmp/fleet" || fail "the SSH hosts did not start"

words="-i film.mkv ${encode[*]} out.mkv"
echo
echo "\$ ffmpeg $words"
start=$(now)
run ffmpeg -nostdin -v error -i "$tmp/film.mkv" "${encode[@]}" "$tmp/stock.mkv" || fail "ffmpeg failed"
echo "  $(took "$start")"

echo "\$ export FFLEET_HOSTS=\"$hosts\""
echo "\$ ffleet $words"
start=$(now)
run env FFLEET_HOSTS="$hosts" FFLEET_SSH_CONFIG="$tmp/fleet/ssh_config" FFLEET_TRACE="$tmp/trace" \
    "$FFLEET" -v error -i "$tmp/film.mkv" "${encode[@]}" "$tmp/ours.mkv" ||
    fail "ffleet failed with status $?"
echo "  $(took "$start") (the three hosts are this one machine: no gain to expect here)"

echo
echo "Who encoded what, and when:"
echo
# shellcheck disable=SC2086
who_did_what "$tmp/trace" $hosts || ok=0

echo
echo "The two files, by ffprobe and framemd5:"
echo
run perl "$here/tools/compare.pl" "$tmp/stock.mkv" "$tmp/ours.mkv" --source "$tmp/film.mkv" --table >"$tmp/table" ||
    ok=0
grep -v '^verdict' "$tmp/table"

echo
if [ "$ok" = 1 ]; then
    echo "VERDICT: the same film, encoded by SSH hosts. (demo: $(took "$began"))"
    exit 0
fi
echo "VERDICT: NOT the same, or not encoded by several hosts: see above."
exit 1
