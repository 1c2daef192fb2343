#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Transport streams whose clock wraps or jumps, as recordings do and files that were put behind one another. The frames must
# be those of stock, at its times, and the trace must show who made them.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;

# seconds are added to all times of the kinds of stream (a, v) from a time on
sub shifted {
    my ($name, $kinds, $from, $seconds) = @_;
    my $data = slurp("$top/$name");
    my $get = sub { my @b = unpack 'C5', substr $data, $_[0], 5;
                    ($b[0] >> 1 & 7) << 30 | $b[1] << 22 | $b[2] >> 1 << 15 | $b[3] << 7 | $b[4] >> 1 };
    my $add = sub {
        my $t = $get->($_[0]) + int($seconds * 90000) & (1 << 33) - 1;
        substr $data, $_[0], 5, pack 'C5', ord(substr $data, $_[0], 1) & 0xf1 | $t >> 29 & 0xe, $t >> 22 & 255,
            $t >> 14 & 254 | 1, $t >> 7 & 255, $t << 1 & 254 | 1;
    };
    my (%first, %on);

    for (my $p = 0; $p < length $data; $p += 188) {
        my ($start, $control, $extra) = unpack 'x C x C C', substr $data, $p, 188;
        my $o = $p + 4 + ($control & 0x20 ? $extra + 1 : 0);
        my ($prefix, $id, $flags) = $start & 0x40 && $o + 14 < length $data ? unpack 'a3 C x3 C', substr $data, $o, 9 : next;
        next if $prefix ne "\0\0\1" || $id < 0xc0 || $id > 0xef || !($flags & 0x80);
        my $kind = $id < 0xe0 ? 'a' : 'v';
        my $pts  = $get->($o + 9);
        $first{$kind} //= $pts;
        $on{$kind} ||= $pts - $first{$kind} >= $from * 90000;
        next unless $on{$kind} && $kinds =~ $kind;
        $add->($o + 9);
        $add->($o + 14) if $flags & 0x40;
    }
    return $data;
}

fleet_up(3);
my @sound = qw(-f lavfi -i sine=f=500:d=3);
sub video { ('-f', 'lavfi', '-i', "testsrc2=s=160x90:r=25:d=$_[0],noise=alls=10:allf=t:all_seed=5") }
make_input('a.ts', video(3), @sound, qw(-c:v libx264 -preset veryfast -g 25 -c:a aac));
make_input('flat.ts', video(4), @sound, qw(-c:v libx264 -preset veryfast -bf 0 -g 25 -c:a aac));
make_input('mpeg2.ts', video(3), @sound, qw(-c:v mpeg2video -q:v 4 -g 12 -bf 2 -c:a mp2));
my $a = slurp("$top/a.ts");

# case(WHAT, MAKER, INPUT, ARGUMENTS..., OUTPUT)
sub case {
    my ($what, $maker, $data, @words) = @_;
    my $out   = pop @words;
    my ($pre) = grep { ref } @words;
    put('in.ts', $data);
    @words = (qw(-nostdin -y -v error), @{ $pre // [] }, qw(-i in.ts -c:v libx264 -preset ultrafast -qp 24 -g 25 -sc_threshold 0),
              grep { !ref } @words);
    my $stock = stock({}, @words, "stock.$out");
    my $ours  = run({}, qw(--segment-length 1), @words, "ours.$out");
    my ($plan) = reverse events($ours, 'plan');
    is($ours->{status}, $stock->{status}, "$what: exit status") or diag($ours->{stderr});
    is($plan->{decision}, $maker, "$what: who makes it") or diag($plan->{reason});
    compare_ok("$top/stock.$out", "$top/ours.$out", "$what: the same", '--exact-frames');
    return $ours;
}

chdir $top;
case('a clock that is far', 'fleet', shifted('a.ts', 'av', 0, 60000), qw(-c:a copy mkv));
case('one that wraps', 'fleet', shifted('a.ts', 'av', 0, 95440), qw(-c:a copy mp4));
case('one that wraps soon, from the middle', 'fleet', shifted('a.ts', 'av', 0, 95441.2), [qw(-ss 1.3)], qw(-c:a libmp3lame mkv));
case('forward', 'fleet', $a . shifted('a.ts', 'av', 0, 3000), qw(-c:a copy mkv));
case('back, times are filtered', 'fleet', shifted('a.ts', 'av', 0, 3000) . $a, '-vf', 'fps=15,hue=h=20*t', 'mp4');
case('the same once more', 'fleet', $a x 3, qw(-t 7 -c:a mp2 mkv));
case('before the start, MPEG-2', 'fleet', shifted('mpeg2.ts', 'av', 0, 500) . slurp('mpeg2.ts'), qw(-c:a copy mkv));
case('sound alone, which moves the video', 'fleet', shifted('flat.ts', 'a', 2, -0.5), qw(-c:a copy mkv));
case('sound alone, among reordered frames', 'stock', shifted('a.ts', 'a', 1.5, -0.5), qw(-c:a copy mkv));
case('as they are', 'stock', $a . shifted('a.ts', 'av', 0, 20), qw(-copyts -fps_mode vfr mkv));
case('damage', 'stock', substr($a, 0, 188 * int(length($a) / 188 * 0.7)) . $a, qw(-an -threads 1 mkv));

# a recording that goes on while hosts work: sound and video are not read at the same time
my @grow = (qw(-nostdin -y -v error -i grow.ts -c:v libx264 -preset ultrafast -qp 24 -g 25 -sc_threshold 0 -c:a copy));
my $next = shifted('a.ts', 'av', 0, 3);
put('grow.ts', $a);
stub($_, ": >$top/begun\n" . held("$top/more") . 'exec $FFMPEG "$@"') for qw(h1 h2 h3);
my $job = start({}, qw(--segment-length 1), @grow, 'ours.mkv');
ok(wait_for { -e "$top/begun" }, 'one that grows: hosts are at work');
open my $more, '>>', 'grow.ts' or die "grow.ts: $!";
print $more $next;
close $more;
put('more', '');
my $grown = finish($job);
unstub(qw(h1 h2 h3));
is($grown->{status}, 0, 'one that grows: exit status') or diag($grown->{stderr});
ok(events($grown, 'plan', decision => 'stock', reason => 'an input is still being written'), 'one that grows: it is seen');
stock({}, @grow, 'stock.mkv');
compare_ok("$top/stock.mkv", "$top/ours.mkv", 'one that grows: the same', '--exact-frames');

# found at once, though hosts get no further
make_input('long.ts', video(70), qw(-f lavfi -i sine=f=500:d=70 -c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac));
stub($_, 'exec sleep 60') for qw(h1 h2 h3);
my $run = case('at the end of a long one', 'stock', shifted('long.ts', 'a', 65, -0.5), qw(-c:a copy mkv));
ok(!grep({ $_->{outcome} ne 'cancelled' } events($run, 'attempt')), 'at the end of a long one: before any segment is made');
make_input('wide.ts', video(12), qw(-f lavfi -i sine=f=500:d=12 -vf setsar=16/11 -c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac -output_ts_offset 71
           -mpegts_flags initial_discontinuity));
$run = case('another shape', 'stock', slurp("$top/long.ts") . slurp("$top/wide.ts"), qw(-an mkv));
like((events($run, 'plan'))[-1]{reason}, qr/size, shape or format/, 'another shape: is what it is');
ok(!grep({ $_->{outcome} ne 'cancelled' } events($run, 'attempt')), 'another shape: before any segment is made');
done_testing();
