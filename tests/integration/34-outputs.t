#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# Outputs that cannot be taken back, or are many files: what hosts and inputs do wrong must not show.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use Test::More;
use lib dirname(__FILE__) . '/../tools';
use FleetTest;

my @mjpeg = qw(-c:v mjpeg -q:v 4 -c:a copy -fflags +bitexact -flags:v +bitexact -f nut);
my @x264  = qw(-c:v libx264 -preset ultrafast -qp 24 -g 25 -sc_threshold 0 -c:a aac);

make_input('a.mkv', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=7 -f lavfi -i sine=d=7
                       -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac));

# Both ways; equal status and stdout. Returns our run.
sub both {
    my ($name, @words) = @_;
    my $stock = stock({}, '-nostdin', @words);
    my $ours  = run({ name => 'ours' }, '-nostdin', @words);

    is($ours->{status}, $stock->{status}, "$name: exit status");
    ok($ours->{stdout} eq $stock->{stdout}, "$name: stdout")
        or diag(length($stock->{stdout}) . ' bytes, ours ' . length $ours->{stdout});
    return $ours;
}

sub maker { my ($plan) = reverse events($_[0], 'plan'); return $plan->{decision} }

fleet_up(3);
$ENV{FFLEET_SEGMENT_LENGTH} = 1;

my $run = both('a pipe', '-i', 'a.mkv', @mjpeg, '-');
is(maker($run), 'fleet', 'a pipe: the fleet makes it');
cmp_ok(length $run->{stdout}, '>', 100000, 'a pipe: that is a film');

my @closed = map { run({ name => 'closed', closed => [1], @$_ }, '-nostdin', '-i', 'a.mkv', @mjpeg, '-') }
             [ program => $real_ffmpeg ], [];
is($closed[1]{status}, $closed[0]{status}, 'stdout is closed: stock says so');

# FFmpeg 5.1 rounds what is copied, or not, by what comes first at the start
make_input('sound.avi', '-i', "$top/a.mkv", qw(-c:v mpeg4 -q:v 4 -c:a mp2));
stock({}, qw(-v error -y -i sound.avi -ss 2.3 -c:v mjpeg -q:v 4 -c:a copy stock.mov));
run({}, qw(-v error -y -i sound.avi -ss 2.3 -c:v mjpeg -q:v 4 -c:a copy ours.mov));
compare_ok("$top/stock.mov", "$top/ours.mov", 'copied sound of an output that begins later', '--exact-packets');

# what FFmpeg cannot read back
make_input('padded.avi', '-i', "$top/a.mkv", qw(-c:v mpeg4 -q:v 4 -c:a libmp3lame));
my @padded = map { $_->(qw(-v error -y -i padded.avi -c:v mjpeg -q:v 4 -c:a copy -fflags +bitexact -flags:v +bitexact -f nut -)) }
             sub { stock({}, @_) }, sub { run({}, @_) };
ok($padded[1]{stdout} eq $padded[0]{stdout}, 'sound of which NUT loses bytes');

# a host's result may be as large as its pictures
$run = run({}, qw(-v error -y -i a.mkv -vf datascope=s=1600x900 -c:v mjpeg -q:v 4 -an large.mkv));
is(scalar(grep { $_->{outcome} ne 'ok' } events($run, 'attempt')), 0, 'far larger pictures than the input has');

# the third host leaves them something to do
stub('h1', ': >$HERE/begun; head -c 5000 >/dev/null; exit 1');
stub('h2', ': >$HERE/begun; exec $FFMPEG "$@" | head -c 3000');
stub('h3', held("$top/fleet/h1/begun", "$top/fleet/h2/begun") . 'sleep 0.2; exec $FFMPEG "$@"');
$run = both('broken hosts', '-i', 'a.mkv', @mjpeg, 'pipe:1');
is(maker($run), 'fleet', 'broken hosts: the fleet makes it');
ok(scalar(grep { $_->{outcome} ne 'ok' } events($run, 'attempt')), 'broken hosts: some did break');
unstub(qw(h1 h2 h3));

# found out only after some segments are done, here too; nothing may be on stdout by then
my $complain = 'n=$(ls $HERE/seen.* 2>/dev/null | wc -l); : >$HERE/seen.$$; $FFMPEG "$@"; s=$?'
             . '; [ $n -lt 1 ] || echo "[h264 @ 0x1] error while decoding MB 1 1" >&2; exit $s';
stub($_, $complain) for qw(h1 h2 h3);
put("$top/damaged", "#!/bin/sh\ncase \" \$* \" in *\" pipe:0 \"*) ;; *) exec $real_ffmpeg \"\$@\" ;; esac\n"
                  . "$real_ffmpeg \"\$@\"\necho '[h264 \@ 0x1] error while decoding MB 1 1' >&2\n");
chmod 0755, "$top/damaged";
{
    local $ENV{FFLEET_FFMPEG} = "$top/damaged";
    $run = both('a damaged input', '-i', 'a.mkv', @mjpeg, '-');
}
is(maker($run), 'stock', 'a damaged input: stock makes it in the end');
ok(scalar(events($run, 'attempt', outcome => 'ok')), 'a damaged input: after hosts have made some of it');
unstub(qw(h1 h2 h3));

# nobody reads: both end, and with an error
for my $program ($real_ffmpeg, $ffleet) {
    my $r = run({ name => 'closed', program => '/bin/bash' }, '-c',
                'set -o pipefail; "$@" | head -c 20000 >/dev/null', 'bash', $program, '-nostdin',
                '-i', 'a.mkv', @mjpeg, '-');
    isnt($r->{status}, 0, "nobody reads: an error of $program");
}

# files of which one cannot be made
my @status;
for (['stock', $real_ffmpeg], ['ours', $ffleet]) {
    my ($who, $program) = @$_;
    make_path("$top/$who-hls/out00001.ts");
    push @status, run({ name => "hls-$who", cwd => "$top/$who-hls", program => $program },
                      qw(-nostdin -i ../a.mkv), @x264,
                      qw(-hls_time 2 -hls_segment_filename out%05d.ts out.m3u8))->{status};
}
is($status[1], $status[0], 'a file that cannot be made: exit status');

# an interrupted one leaves a playlist that can be played, or nothing
make_path("$top/int");
stub($_, 'sleep 300') for qw(h1 h2 h3);
my $r = start({ name => 'int', cwd => "$top/int" }, qw(-nostdin -i ../a.mkv), @x264, 'out.m3u8');
ok(wait_for { slurp($r->{err}) =~ /Output #0, hls, to 'out.m3u8'/ }, 'interrupted: under way');
kill 'INT', $r->{pid};
finish($r);
is($r->{status}, 255, 'interrupted: status');

done_testing();
