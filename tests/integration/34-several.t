#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Several video streams of one command, in one output or in several: the fleet makes all of them of the same segments,
# and each is stock's.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use File::Path qw(make_path remove_tree);
use Test::More;
use Text::ParseWords qw(shellwords);

my $x264 = '-c:v libx264 -preset ultrafast -qp 25 -g 25';
my $nb_segments = 3;

fleet_up(2);
make_input('in.mp4', shellwords('-f lavfi -i testsrc2=s=160x90:r=25:d=6 -f lavfi -i sine=d=6 '
                                . '-c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac'));
make_input('vfr.mkv', '-i', "$top/in.mp4", '-vf', 'select=not(eq(mod(n\,7)\,3))', shellwords('-fps_mode vfr '
                                . '-c:v libx264 -preset ultrafast -g 25 -c:a copy'));

# both(WORDS): by stock and by us, each in a folder of its own, which is the working directory; IN: input's folder
sub both {
    my ($words, %o) = @_;
    my @words = shellwords($words);
    my %runs;

    for my $who ('stock', 'ours') {
        my $dir = "$top/$who";
        remove_tree($dir);
        make_path($dir);
        my @own = $who eq 'ours' ? qw(--segment-length 2) : ();
        $runs{$who} = run({ cwd => $dir, name => $who, %o, $who eq 'stock' ? (program => $real_ffmpeg) : () },
                          qw(-nostdin -hide_banner), @own, map { s/^IN/$top/r } @words);
    }
    return @runs{qw(stock ours)};
}

sub names { return map { s/.*\///r } sort glob "$top/$_[0]/*" }
sub decision {
    my ($e) = reverse events($_[0], 'plan');
    return $e ? "$e->{decision}: $e->{reason}" : 'none';
}

sub case_fleet {
    my ($name, $words, @options) = @_;
    subtest $name => sub {
        my ($stock, $ours) = both($words);

        is($ours->{status}, $stock->{status}, 'exit status');
        is(decision($ours), 'fleet: ', 'the fleet makes it');
        my @ok = events($ours, 'attempt', outcome => 'ok');
        is(scalar(keys %{ { map { $_->{segment} => 1 } @ok } }), $nb_segments, 'in segments');
        is(scalar @ok, $nb_segments, 'all streams of a segment at once');
        is("@{[names('ours')]}", "@{[names('stock')]}", 'the same files');
        compare_ok("$top/stock/$_", "$top/ours/$_", "equal: $_", @options) for names('stock');
        my @said = map { [ grep { !/^\[lib|^\[aac|^video:/ } lines($_) ] } $stock, $ours;
        for my $lines (@said) { s/ @ 0x[0-9a-f]+//g for @$lines }
        is_deeply($said[1], $said[0], 'what is said') or diag($ours->{stderr});
    };
}

sub case_stock {
    my ($name, $words, $why) = @_;
    subtest $name => sub {
        my ($stock, $ours) = both($words);

        is($ours->{status}, $stock->{status}, 'exit status');
        like(decision($ours), qr/^stock: .*$why/, 'left to stock');
        is("@{[names('ours')]}", "@{[names('stock')]}", 'the same files');
        compare_ok("$top/stock/$_", "$top/ours/$_", "equal: $_", '--exact-packets') for names('stock');
    };
}

### one output

case_fleet('two streams in mkv', "-i IN/in.mp4 -map 0:v -map 0:v -map 0:a $x264 -s:v:1 96x54 -c:a copy o.mkv",
           '--exact-frames');
case_fleet('three in mp4, the sound between them',
           "-i IN/in.mp4 -map 0:v -map 0:a -map 0:v -map 0:v $x264 -filter:v:0 hflip -filter:v:2 scale=64:-2 "
           . '-qp:v:1 30 -bf:v:2 2 -metadata:s:v:1 title=B -disposition:v:1 default -c:a aac o.mp4', '--exact-frames');
case_fleet('two encoders', "-i IN/in.mp4 -map 0:v -map 0:v -c:v:0 libx264 -preset ultrafast -qp 25 -g 25 "
           . '-c:v:1 mjpeg -q:v:1 3 -an o.mkv', '--exact-frames');
case_fleet('in mpegts, with a filter that looks at neighbours in one',
           "-i IN/in.mp4 -map 0:v -map 0:v -map 0:a $x264 -filter:v:1 yadif=deint=all -c:a mp2 o.ts",
           '--exact-frames');
case_fleet('forced keyframes', "-i IN/in.mp4 -map 0:v -map 0:v $x264 -s:v:1 64x36 "
           . '-force_key_frames expr:gte(t,n_forced*2) o.mkv', '--exact-frames');
case_fleet('beside a copy of it', "-i IN/in.mp4 -map 0:v -map 0:v -map 0:v -c:v:1 copy -c:v:0 libx264 "
           . "-c:v:2 libx264 -preset ultrafast -qp 25 -g 25 -s:v:2 64x36 o.mkv", '--exact-frames');

### several outputs

case_fleet('a ladder of files', "-i IN/in.mp4 $x264 -c:a aac 'big one.mp4' $x264 -s 96x54 -c:a copy small.mp4 "
           . "-map 0:v $x264 -vf scale=64:36,hflip tiny.mp4", '--exact-frames');
case_fleet('one with two streams', "-i IN/in.mp4 -map 0:v -map 0:v $x264 -s:v:1 96x54 a.mp4 -map 0:a -map 0:v $x264 "
           . '-metadata title=x b.mkv', '--exact-frames');
case_fleet('time limits that are the same', "-ss 1 -i IN/in.mp4 -t 5 $x264 -c:a copy a.mp4 "
           . "-t 5 $x264 -s 96x54 -c:a copy b.mp4", '--exact-frames');
case_fleet('variable frame rate', "-i IN/vfr.mkv $x264 -vf hflip a.mkv $x264 -vf scale=64:36 b.mkv", '--exact-frames');

case_stock('frame rates', "-i IN/in.mp4 $x264 a.mp4 -r 30 $x264 b.mp4", 'several frame rates');
case_stock('time limits', "-i IN/in.mp4 $x264 a.mp4 -t 5 $x264 b.mp4", 'several time limits');
case_stock('forced keyframes, not everywhere', "-i IN/in.mp4 $x264 a.mp4 -force_key_frames 1 $x264 b.mp4",
           'keyframes forced at different times');
case_stock('constant and variable frame rate', "-i IN/vfr.mkv $x264 a.mkv $x264 b.mp4", 'timing of frames');
case_stock('one output is sound', "-i IN/in.mp4 $x264 -an a.mp4 -map 0:a -c:a copy b.m4a", 'no video for one of its outputs');
case_stock('one cannot be split', "-i IN/in.mp4 $x264 a.mp4 -c:v libx264 -preset ultrafast -b:v 100k b.mp4", 'bit rate');
case_stock('two inputs', "-i IN/in.mp4 -i IN/vfr.mkv -map 0:v -map 1:v $x264 a.mkv", 'several streams of the input');
case_stock('too many', "-i IN/in.mp4 " . join(' ', map { "-an $x264 $_.mkv" } 1 .. 9), 'very many');

### more than the file

{
    my ($stock, $ours) = both("-progress pipe:1 -stats_period 100 -i IN/in.mp4 $x264 -an a.mp4 $x264 -an b.mp4");
    my @keys = map { [ grep { !/^(?:progress=continue)$/ } map { s/=.*//r } split /\n/, $_->{stdout} ] } $stock, $ours;

    is("@{[sort keys %{{ map { $_ => 1 } @{ $keys[1] } }}]}", "@{[sort keys %{{ map { $_ => 1 } @{ $keys[0] } }}]}",
       '-progress tells of both streams');
    like($ours->{stdout}, qr/^stream_1_0_q=/m, 'by their numbers');
}

# a host that leaves one of the streams out, or puts them the other way round
for (['one stream of two', '-map 0:0'], ['two in the wrong order', '-map 0:1 -map 0:0']) {
    my ($name, $maps) = @$_;

    stub('h1', qq{"\$FFMPEG" "\$@" | "\$FFMPEG" -v error -f nut -i - $maps -c copy -f nut -});
    my ($stock, $ours) = both("-v error -i IN/in.mp4 -map 0:v -map 0:v $x264 -c:v:1 mpeg4 -q:v:1 4 -g 25 o.mkv");
    unstub('h1');
    is($ours->{status}, 0, "a host returns $name");
    ok(!events($ours, 'attempt', host => 'h1', outcome => 'ok'), 'nothing of it is used');
    compare_ok("$top/stock/o.mkv", "$top/ours/o.mkv", 'the output is right');
}

done_testing();
