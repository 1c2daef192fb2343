#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Filter graphs in which branches of one video are joined again (blurred backgrounds, comparisons, masks), or pictures that
# change with time are laid over it. Split where each branch times frames alike; each frame is stock's.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;
use Text::ParseWords qw(shellwords);

my @x264 = qw(-c:v libx264 -preset ultrafast -qp 24 -g 25 -sc_threshold 0);

fleet_up(2);
make_input('in.mp4', shellwords('-f lavfi -i testsrc2=s=160x90:r=25:d=4 -f lavfi -i sine=d=4 '
                                . '-c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac'));
make_input('vfr.mkv', '-i', "$top/in.mp4", '-vf', 'select=not(eq(mod(n\,7)\,3)+eq(mod(n\,11)\,5))',
           shellwords('-fps_mode vfr -c:v libx264 -preset ultrafast -g 25 -c:a copy'));
make_input('phone.mp4', '-i', "$top/in.mp4", shellwords('-c copy -metadata:s:v:0 rotate=90'));
make_input('wide.mkv', '-i', "$top/in.mp4", shellwords('-pix_fmt yuv444p10le -c:v ffv1 -g 1 -c:a copy'));
make_input('logo.png', shellwords('-f lavfi -i testsrc=s=16x16 -frames:v 1'));

# both(NAME, OUTPUT, WORDS): by stock and by us
sub both {
    my ($output, $words) = @_;
    my @words = (qw(-y -nostdin -hide_banner), shellwords($words), @x264);

    my $stock = run({ name => 'stock', program => $real_ffmpeg }, @words, "stock.$output");
    my $ours  = run({ name => 'ours' }, '--segment-length', 1, @words, "ours.$output");
    is($ours->{status}, $stock->{status}, 'exit status');
    unlike($ours->{stderr}, qr/not connected/, 'nothing more is said');
    return $ours;
}

sub decision {
    my ($e) = reverse events($_[0], 'plan');
    return $e ? "$e->{decision}: $e->{reason}" : 'none';
}

sub case_fleet {
    my ($name, $output, $words) = @_;
    subtest $name => sub {
        my $ours = both($output, $words);
        my %made = map { $_->{segment} => 1 } events($ours, 'attempt', outcome => 'ok');

        is(decision($ours), 'fleet: ', 'the fleet makes it');
        cmp_ok(scalar keys %made, '>', 1, 'in segments') or diag($ours->{stderr});
        compare_ok("$top/stock.$output", "$top/ours.$output", 'equal', '--exact-frames');
    };
}

sub case_stock {
    my ($name, $output, $words, $why) = @_;
    subtest $name => sub {
        like(decision(both($output, $words)), qr/^stock: .*$why/, 'left to stock');
    };
}

my $blur = 'scale=90:160,boxblur=9[bg]';
my $fit  = 'scale=90:-2[fg];[bg][fg]overlay=(W-w)/2:(H-h)/2';

case_fleet('a blurred background', 'mp4', "-i in.mp4 -vf 'split[a][b];[a]$blur;[b]$fit'");
case_fleet('of a film taken upright, cut', 'mp4', "-ss 0.6 -i phone.mp4 -t 3 -vf 'split[a][b];[a]$blur;[b]$fit'");
case_fleet('in a graph, beside sound', 'mp4',
           "-i in.mp4 -filter_complex '[0:v]split=2[a][b];[a]$blur;[b]$fit,format=yuv420p[v];[0:a]volume=0.5[s]' "
           . "-map '[v]' -map '[s]'");
case_fleet('the stream taken twice, turned and cut', 'mkv', "-ss 0.6 -t 3 -i phone.mp4 -filter_complex '[0:v]$blur;[0:v]$fit'");
case_fleet('taken twice, where formats are converted', 'mkv',
           "-ss 0.6 -i wide.mkv -filter_complex '[0:v]colorchannelmixer=rr=0.5[a];[0:v]hflip[b];[a][b]overlay=20:20,format=yuv420p'");
case_fleet('with a picture over it', 'mp4',
           "-i in.mp4 -i logo.png -filter_complex '[0:v]split[a][b];[a]$blur;[1:v]format=rgba,scale=20:-1[l];[b]$fit"
           . "[v];[v][l]overlay=5:5:enable=gte(t\\,1.3)'");
case_fleet('side by side, variable frame rate', 'mkv', "-i vfr.mkv -vf 'split[l][t];[t]hflip[r];[l][r]hstack=shortest=1'");
case_fleet('at a rate of its own, in front', 'mp4', "-i vfr.mkv -vf 'fps=20,split[l][t];[t]hflip[r];[l][r]vstack,drawtext=text=%{n}'");
case_fleet('likewise in each branch', 'mp4', "-i vfr.mkv -filter_complex '[0:v]fps=20,negate[l];[0:v]fps=20[r];[l][r]blend=all_mode=average'");
case_fleet('likewise behind', 'mkv', "-i vfr.mkv -vf 'split[l][t];[t]hflip[r];[l][r]hstack,fps=20'");
case_fleet('expressions of time and number', 'mp4',
           "-i in.mp4 -vf \"split[a][b];[a]negate[c];[b][c]blend=all_expr='if(gt(mod(N,7),3),A*(1-T/8)+B*T/8,B)'\"");
case_fleet('neighbours in one branch, ends of all kinds', 'mkv',
           "-i in.mp4 -vf 'split=3[a][b][c];[a]tmix=5[d];[c]yadif=deint=1,tmix[e];[b][d]overlay=9:9:eof_action=pass:shortest=1:repeatlast=0[f];"
           . "[f]yadif=deint=1[g];[g][e]blend=all_mode=screen'") ;
case_fleet('masks', 'mkv',
           "-i in.mp4 -vf 'format=yuv444p,split=4[a][b][c][d];[a]boxblur[e];[b]negate[f];[c]lutyuv=y=if(gt(val\\,99)\\,255\\,0)[m];"
           . "[e][f][m]maskedmerge[g];[d]format=gray[h];[g][h]alphamerge,format=yuv420p'");
case_fleet('four in a square', 'mp4',
           "-i in.mp4 -filter_complex '[0:v]split=4[a][b][c][d];[b]hue=s=0[x];[c]hue=H=t[y];[d]edgedetect,format=yuv420p[z];"
           . "[a][x][y][z]xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0[v]' -map '[v]' -map 0:a");
case_fleet('one of two videos', 'mkv', "-i in.mp4 -filter_complex '[0:v]split=3[a][b][c];[a]$blur;[b]$fit" . "[v];[c]hflip[w]' "
           . "-map '[v]' -map '[w]'");
case_fleet('times that begin with it', 'mp4',
           "-ss 1 -i in.mp4 -filter_complex '[0:v]setpts=PTS-STARTPTS,hflip[a];[0:v]setpts=PTS-STARTPTS[b];[b][a]mix'");

### where frames last longer than those of the output: FFmpeg 5.1 asks how many streams go into the graph

case_fleet('another rate, one stream', 'mp4', "-i vfr.mkv -filter_complex '[0:v]fps=20,split[a][b];[a]negate[c];[c][b]overlay=x=9' -r 24");
case_fleet('another rate, taken twice', 'mp4', "-i vfr.mkv -filter_complex '[0:v]fps=20[c];[0:v]fps=20,negate[d];[c][d]overlay=x=9' -r 24");
case_fleet('another rate, with sound', 'mp4', "-i vfr.mkv -filter_complex '[0:v]fps=20[v];[0:a]volume=0.5[s]' -map '[v]' -map '[s]' -r 24");
case_fleet('another rate, uneven frames side by side', 'mp4', "-i vfr.mkv -vf 'split[a][b];[a]negate[c];[c][b]hstack' -r 24");
case_fleet('another rate, uneven frames mixed', 'mkv', "-i vfr.mkv -vf tmix -r 18");

### a picture that is repeated

case_fleet('a picture that is repeated', 'mp4', "-i in.mp4 -loop 1 -i logo.png -filter_complex '[0:v][1:v]overlay=9:9:shortest=1'");
case_fleet('one that fades', 'mp4',
           "-ss 0.3 -i in.mp4 -loop 1 -framerate 30 -i logo.png -filter_complex '[1:v]scale=32:-1,format=rgba,fade=in:st=0.5:d=1:alpha=1,"
           . "fade=out:st=2:d=0.7:alpha=1[l];[0:v][l]overlay=9:9:shortest=1[v]' -map '[v]' -map 0:a");
case_fleet('one that turns, over branches', 'mkv',
           "-i vfr.mkv -loop 1 -framerate 12 -i logo.png -filter_complex '[0:v]split[a][b];[a]hflip[c];[c][b]hstack[d];"
           . "[1:v]format=rgba,rotate=t:c=black\@0[l];[d][l]overlay=9:9:eof_action=endall:enable=between(t\\,0.7\\,3)'");
case_fleet('one that a filter brings', 'mp4', "-i in.mp4 -vf 'movie=logo.png [wm]; [in][wm] overlay=9:9 [out]'");
case_fleet('one that a filter brings, over branches', 'mkv',
           "-i vfr.mkv -filter_complex 'movie=logo.png,scale=20:-1[l];[0:v]split[a][b];[a]hflip[c];[c][b]hstack[d];[d][l]overlay=9:9'");
case_fleet('one that would fade', 'mp4', "-i in.mp4 -i logo.png -filter_complex '[1:v]format=rgba,fade=in:0:30:alpha=1,negate[l];[0:v][l]overlay'");
case_stock('one with a text on it', 'mp4', "-i in.mp4 -i logo.png -filter_complex '[1:v]drawtext=text=a[l];[0:v][l]overlay=9:9'",
           "goes through 'drawtext'");
case_stock('a film that a filter brings', 'mp4', "-i in.mp4 -vf 'movie=vfr.mkv[l];[in][l]overlay=9:9'", 'more than a picture');
case_stock('one that fades by numbers', 'mp4',
           "-i in.mp4 -loop 1 -i logo.png -filter_complex '[1:v]format=rgba,fade=in:20:30:alpha=1[l];[0:v][l]overlay=shortest=1'",
           "goes through 'fade'");
case_stock('what fills up behind it', 'mp4', "-i in.mp4 -loop 1 -i logo.png -filter_complex 'overlay=shortest=1,fps=20'", 'fill up');
case_stock('one without an end', 'mp4', "-i in.mp4 -loop 1 -i logo.png -filter_complex '[0:v][1:v]overlay' -t 2", 'goes on and on');
case_stock('what is left of earlier frames', 'mp4', "-i in.mp4 -vf rotate=t:c=none", 'earlier frames');

my $padded = "-i in.mp4 -i logo.png -filter_complex '[0:v][1:v]overlay=9:9,tpad=stop=5:stop_mode=clone'";
`$real_ffmpeg -version` =~ /^libavcodec\s+(\d+)/m && $1 >= 61 ? case_fleet('padding behind it', 'mkv', $padded)
                                                             : case_stock('padding behind it', 'mkv', $padded, 'does not hear');

### taken upright and cut: the pixel format is converted between that

make_input('full.mp4', '-i', "$top/in.mp4", shellwords('-an -c:v libx264 -preset ultrafast -g 25 -vf scale=out_range=pc,format=yuvj420p '
                                                       . '-metadata:s:v:0 rotate=270'));
case_fleet('turned, cut and not converted', 'mkv', "-ss 0.6 -i phone.mp4 -vf boxblur,scale=80:-2,format=yuv420p");
case_fleet('turned, cut and converted', 'mkv', "-ss 0.6 -i phone.mp4 -vf boxblur,colorbalance=rs=.2");
case_fleet('likewise of all values', 'mp4', "-t 3 -i full.mp4 -vf boxblur,colorbalance=rs=.2,scale=64:-2");
case_fleet('likewise with times', 'mkv', "-ss 0.6 -i phone.mp4 -vf fade=d=1:st=1,boxblur,colorbalance=rs=.2,fps=20");
case_fleet('likewise in branches', 'mkv', "-ss 0.6 -i full.mp4 -filter_complex '[0:v]boxblur,colorbalance=rs=.2[a];[0:v]hflip[b];[a][b]hstack'");
case_fleet('likewise with a picture over it', 'mp4', "-ss 0.6 -i full.mp4 -i logo.png -filter_complex '[0:v]gblur[a];[a][1:v]overlay=9:9:format=gbrp'");

### what is not split

case_stock('branches of several rates', 'mp4', "-i in.mp4 -filter_complex '[0:v]fps=20[l];[0:v]fps=25[r];[l][r]hstack'",
           'timed in several ways');
case_stock('a branch that loses its first frame', 'mp4', "-i in.mp4 -vf 'split[a][b];[a]tblend[c];[b][c]hstack'", 'timed in several ways');
case_stock('a branch that remembers', 'mp4', "-i in.mp4 -vf 'split[a][b];[a]hqdn3d[c];[b][c]hstack'", 'hqdn3d');
case_stock('another video beside it', 'mp4',
           "-i in.mp4 -i vfr.mkv -filter_complex '[0:v]split[a][b];[b]hflip[c];[a][c][1:v]hstack=inputs=3'", 'several videos');
case_stock('an input too few', 'mp4', "-i in.mp4 -vf 'split[a][b];[a][b]hstack=3'", 'more than one input');
case_stock('a plain chain', 'mp4', "-i in.mp4 -vf hstack", 'more than one input');

done_testing();
