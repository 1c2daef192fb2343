#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Recordings as of camcorders, broadcasters and discs: frames that come as two packets, one for each field; a start anywhere;
# frames without timestamps, or that come in another order than these say; pictures that change in mid-stream.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;

my @x264 = qw(-c:v libx264 -preset ultrafast -qp 24 -g 25);

fleet_up(2);
make_input('pictures.h264', qw(-f lavfi -i testsrc2=s=160x96:r=50:d=12 -vf), 'tinterlace=interleave_top,separatefields',
           qw(-c:v libx264 -profile:v main -crf 23 -x264-params),
           'cabac=0:8x8dct=0:ref=1:bframes=0:weightp=0:keyint=50:min-keyint=50:scenecut=0:slices=1');
is(system($^X, "$FindBin::Bin/../tools/fieldpairs.pl", "$top/pictures.h264", "$top/fields.h264"), 0, 'fields');
make_input('fields.ts', qw(-r 50 -i), "$top/fields.h264", qw(-f lavfi -i sine=d=12 -c:v copy -c:a mp2));
make_input('fields.mkv', '-i', "$top/fields.ts", qw(-c copy));
my ($cut) = substr(slurp("$top/fields.ts"), 188 * 300);
put("$top/cut.ts", $cut);
my @made = (qw(-f lavfi -i testsrc2=s=160x96:d=8 -q:v 4 -g 12 -bf 2 -c:v));
# a timestamp at each second frame that is no B-frame
make_input('disc.vob', @made, 'mpeg2video', '-bsf:v', 'setts=pts=if(eq(N\,0)+mod(N\,2)\,PTS\,NOPTS)');
make_input('part4.mkv', @made, 'mpeg4');
make_input('part4.avi', '-i', "$top/part4.mkv", qw(-c copy));
make_input('part2.mkv', @made, 'mpeg2video');
make_input('lost.mkv', '-i', "$top/part2.mkv", qw(-c copy -bsf:v), 'noise=amount=0:drop=eq(mod(n\,25)\,0)*gt(n\,30)');
make_input('order.mxf', qw(-f lavfi -i testsrc2=s=160x96:d=8 -c:v libx264 -preset fast -bf 3 -g 24));
my @parts = ([ qw(-vf setsar=12/11) ], [ qw(-vf setsar=16/11) ], [ qw(-pix_fmt yuv422p) ]);
for my $i (0 .. 2) {
    make_input("part$i.ts", qw(-f lavfi -i testsrc2=s=176x144:d=4 -c:v libx264 -preset ultrafast -g 25 -output_ts_offset),
               4 * $i, @{ $parts[$i] });
}
put("$top/shape.ts", slurp("$top/part0.ts") . slurp("$top/part1.ts"));
put("$top/format.ts", slurp("$top/part1.ts") . slurp("$top/part2.ts"));

sub both {
    my ($name, @words) = @_;

    subtest $name => sub {
        my $stock = stock({}, qw(-v error -y), @words, 'stock.mkv');
        my $ours  = run({}, qw(-v error -y), @words, 'ours.mkv');
        my @said  = map { join "\n", map { s/@ 0x[0-9a-f]+//r } lines($_) } $stock, $ours;

        is("$ours->{status} $stock->{status}", '0 0', 'status');
        is($said[1], $said[0], 'says the same');
        my @plans = events($ours, 'plan');
        is("@{[map { $_->{decision} } @plans]}", 'fleet', 'the fleet makes it');
        cmp_ok(scalar events($ours, 'attempt', outcome => 'ok'), '>', 1, 'in segments');
        compare_ok("$top/stock.mkv", "$top/ours.mkv", 'equal', '--exact-frames');
    };
}

both('MPEG-TS',              '-i', 'fields.ts', @x264);
both('two frames of each',   '-i', 'fields.ts', qw(-vf yadif=1), @x264);
both('Matroska',             '-i', 'fields.mkv', qw(-vf bwdif), @x264);
both('from the middle',      '-ss', '3.3', '-i', 'fields.mkv', @x264);
both('from anywhere',        '-i', 'cut.ts', @x264);
both('a disc',               '-i', 'disc.vob', @x264);
both('AVI with B-frames',    '-i', 'part4.avi', @x264);

for my $input (qw(lost.mkv order.mxf)) {
    subtest "$input: timestamps that are not the frames'" => sub {
        my @words = (qw(-v error -y -i), $input, @x264);
        my $stock = stock({}, @words, 'stock.mkv');
        my $ours  = run({}, @words, 'ours.mkv');

        is("$ours->{status} $stock->{status}", '0 0', 'status');
        is(scalar events($ours, 'attempt'), 0, 'no host has to do with it');
        compare_ok("$top/stock.mkv", "$top/ours.mkv", 'equal', '--exact-frames');
    };
}
for my $input (qw(shape.ts format.ts)) {
    subtest "$input: pictures change" => sub {
        my @words = (qw(-v error -y -i), $input, qw(-c:v mjpeg -q:v 3));
        my $stock = stock({}, @words, 'stock.mkv');
        my $ours  = run({}, qw(--segment-length 1), @words, 'ours.mkv');

        is("$ours->{status} $stock->{status}", '0 0', 'status');
        compare_ok("$top/stock.mkv", "$top/ours.mkv", 'equal', '--exact-packets');
    };
}
done_testing();
