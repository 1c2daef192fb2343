#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Raw video: seconds of it are more than memory may hold, and keyframes are no nearer to each other for that.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;

my @raw = qw(-f rawvideo -pixel_format yuv420p -video_size 320x180 -framerate 25);

fleet_up(2);
# 30 MB, where 4 MB of a segment may be in memory: 2 s of the video
make_input('in.y4m', qw(-f lavfi -i), 'testsrc2=s=320x180:r=25:d=14,noise=alls=20:allf=t', qw(-pix_fmt yuv420p));
make_input('in.yuv', qw(-i), "$top/in.y4m", qw(-f rawvideo));

# to its end, with all of its input
sub ended {
    my $run = start(@_);
    close delete $run->{in} if $run->{in};
    return finish($run);
}

# raw(NAME, least frames of a segment, comparison's options, input, words)
sub raw {
    my ($name, $least, $options, $input, @words) = @_;
    my @own = qw(--memory 16M -v error -y);
    my $o = $input->[-1] eq '-' ? { stdin => slurp("$top/in.yuv") } : {};

    subtest $name => sub {
        my $stock = ended({ %$o, program => $real_ffmpeg, name => 'stock' }, qw(-v error -y), @$input, @words, 'stock.mkv');
        my $ours  = ended($o, @own, @$input, @words, 'ours.mkv');

        is("$ours->{status} $stock->{status}", '0 0', 'status') or diag($ours->{stderr});
        my ($plan) = events($ours, 'plan');
        is("$plan->{decision}: $plan->{reason}", 'fleet: ', 'the fleet makes it');
        my %frames = map { $_->{segment} => $_->{frames} } events($ours, 'attempt', outcome => 'ok');
        my @frames = map { $frames{$_} } sort { $a <=> $b } keys %frames;
        pop @frames;
        cmp_ok(scalar @frames, '>=', 1, 'in segments');
        is(join(' ', grep { $_ < $least } @frames), '', "none but the last is shorter than $least frames");
        compare_ok("$top/stock.mkv", "$top/ours.mkv", 'equal', @$options);
        my @left = glob "$top/tmp/*";
        is("@left", '', 'nothing is left');
    };
}

my @x264 = qw(-c:v libx264 -preset veryfast -crf 30);
raw('a pipe',               100, ['--source', "$top/in.y4m"], [@raw, '-i', '-'], @x264);
raw('a file',               100, ['--source', "$top/in.y4m"], ['-i', "$top/in.y4m"], @x264);
raw('keyframes are fixed',  200, ['--exact-frames'], ['-i', "$top/in.y4m"], qw(-c:v libx264 -preset ultrafast -qp 30 -g 200));
raw('a filter that reads neighbours', 100, ['--exact-frames'], ['-i', "$top/in.y4m"], qw(-vf tmix=5 -c:v libx264 -preset veryfast -qp 0));
raw('filters with a clock of their own', 50, ['--exact-frames'], ['-i', "$top/in.y4m"], qw(-vf fps=12.5 -c:v libx264 -preset veryfast -qp 0));
raw('a cut costs nothing',    1, ['--exact-packets'], ['-i', "$top/in.y4m"], qw(-c:v ffv1 -g 1 -slices 4));

# What trim leaves out is not kept: 20 MB, where files may have 8 MB
my @part = (qw(-nostdin -v error -y -i in.y4m -vf), 'trim=9:13,setpts=PTS-STARTPTS', qw(-c:v libx264 -preset ultrafast -qp 40 -g 25 -sc_threshold 0));
is(stock({}, @part, 'stock.mkv')->{status}, 0, 'a part, stock');
my $part = run({ program => '/bin/sh' }, '-c', 'ulimit -f 16384; trap "" XFSZ; exec "$@"', 'sh', $ffleet, qw(--memory 16M), @part, 'ours.mkv');
is($part->{status}, 0, 'a part: status') or diag($part->{stderr});
is(join(' ', map { $_->{decision} } events($part, 'plan')), 'fleet', 'a part: the fleet makes it');
compare_ok("$top/stock.mkv", "$top/ours.mkv", 'a part: equal', '--exact-frames');
done_testing();
