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
my $nb_segments = 2;
my $seven = `$real_ffmpeg -version` =~ /^libavcodec\s+(\d+)/m && $1 >= 61;

fleet_up(2);
make_texts($top, 3);
make_input('in.mp4', shellwords('-f lavfi -i testsrc2=s=160x90:r=25:d=4 -f lavfi -i sine=d=4 '
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
        return if $seven; # whose threads talk over each other
        my @said = map { [ grep { !/^\[(?:lib|aac)|^video:/ } lines($_) ] } $stock, $ours;
        for my $lines (@said) { s/ @ 0x[0-9a-f]+//g for @$lines }
        is_deeply($said[1], $said[0], 'what is said') or diag($ours->{stderr});
    };
}

sub case_stock {
    my ($name, $words, $why, $no_files) = @_;
    subtest $name => sub {
        my ($stock, $ours) = both($words);

        is($ours->{status}, $stock->{status}, 'exit status');
        like(decision($ours), qr/^stock: .*$why/, 'left to stock');
        is("@{[names('ours')]}", "@{[names('stock')]}", 'the same files');
        return if $no_files;
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
case_fleet('time limits that are the same', "-ss 0.4 -i IN/in.mp4 -t 3 $x264 -c:a copy a.mp4 "
           . "-t 3 $x264 -s 96x54 -c:a copy b.mp4", '--exact-frames');
case_fleet('a filter graph that splits', "-i IN/in.mp4 -filter_complex '[0:v]hflip,split=3[a][b][c];[a]scale=96:-2[a1];"
           . "[b]vflip[b1];[0:a]asplit[x][y]' -map '[a1]' -map '[x]' $x264 -c:a aac a.mp4 "
           . "-map '[c]' -map '[b1]' -map '[y]' $x264 -c:a aac b.mkv", '--exact-frames');
case_fleet('a filter graph and a stream as it is', "-i IN/in.mp4 -filter_complex '[0:v]scale=64:-2[s]' -map '[s]' $x264 "
           . "a.mp4 -map 0:v -map 0:a $x264 -vf null b.mp4", '--exact-frames');
case_fleet('a filter graph that drops frames', "-i IN/in.mp4 -filter_complex '[0:v]fps=10,split[a][b];[a]scale=64:-2[c]' "
           . "-map '[b]' $x264 a.mp4 -map '[c]' $x264 b.mp4", '--exact-frames');
case_fleet('variable frame rate', "-i IN/vfr.mkv $x264 -vf hflip a.mkv $x264 -vf scale=64:36 b.mkv", '--exact-frames');

### outputs in which the fleet has no part

case_fleet('sound in a file of its own', "-i IN/in.mp4 $x264 -an a.mp4 -map 0:a -c:a copy b.m4a", '--exact-frames');
case_fleet('sound first, in another format', "-i IN/in.mp4 -vn -c:a libmp3lame b.mp3 $x264 -c:a copy a.mkv", '--exact-frames');
case_fleet('copies and nothing', "-i IN/in.mp4 $x264 -c:a copy a.mp4 -map 0 -c copy b.mkv -map 0:a -f null -", '--exact-frames');
case_fleet('a bit rate', "-i IN/in.mp4 $x264 a.mp4 -c:v libx264 -preset ultrafast -b:v 100k b.mp4", '--exact-frames');
case_fleet('another frame rate', "-i IN/in.mp4 $x264 a.mp4 -r 30 $x264 b.mp4", '--exact-frames');
case_fleet('a constant frame rate', "-i IN/vfr.mkv $x264 -fps_mode vfr a.mkv $x264 -fps_mode cfr b.mp4", '--exact-frames');
case_fleet('a constant frame rate that is the same', "-i IN/in.mp4 $x264 -an a.mkv -an -vf scale=64:-2 $x264 b.mp4", '--exact-frames');
case_fleet('another time limit', "-i IN/in.mp4 $x264 a.mp4 -t 2 $x264 b.mp4 $x264 -s 64x36 c.mkv", '--exact-frames');
case_fleet('keyframes forced elsewhere', "-i IN/in.mp4 $x264 a.mp4 -force_key_frames 1 $x264 b.mp4", '--exact-frames');
case_stock('an output that ends by another stream', "-i IN/in.mp4 $x264 a.mp4 -shortest $x264 b.mp4", 'end each other in several ways');
case_stock('a copy that ends earlier', "-i IN/in.mp4 $x264 a.mp4 -map 0:v -c copy -t 2 b.ts", 'depends on its being decoded');
case_stock('one file by two names', "-y -i IN/in.mp4 $x264 -an a.mkv $x264 -an ./a.mkv", 'two outputs are the same', 1);
case_stock('sound to stdout', "-i IN/in.mp4 $x264 a.mp4 -f mp3 -", 'the output format mp3');

make_input('logo.png', shellwords('-f lavfi -i testsrc=s=16x16 -frames:v 1'));
case_fleet('a picture laid over it', "-i IN/in.mp4 -i IN/logo.png -filter_complex overlay=9:9 $x264 o.mp4", '--exact-frames');
case_stock('a path of the graph that nobody maps', "-i IN/in.mp4 -filter_complex '[0:v]split[a][b]' -map '[a]' $x264 "
           . 'a.mp4', 'refuses', 1);
case_stock('a path without a label', "-i IN/in.mp4 -filter_complex '[0:v]split=2[a]' -map '[a]' $x264 a.mp4", 'several outputs');
case_stock('frame rates', "-i IN/in.mp4 -filter_complex '[0:v]split[a][b]' -map '[a]' $x264 a.mp4 -map '[b]' -r 30 $x264 b.mp4",
           'several frame rates');
case_stock('one of two streams at a constant frame rate', "-i IN/vfr.mkv -map 0:v -map 0:v $x264 -fps_mode:v:1 cfr a.mkv",
           'timing of frames');
case_stock('two inputs', "-i IN/in.mp4 -i IN/vfr.mkv -map 0:v -map 1:v $x264 a.mkv", 'several streams of the input');
case_stock('too many', "-i IN/in.mp4 " . join(' ', map { "-an $x264 $_.mkv" } 1 .. 9), 'very many');

### HLS

# how streams are mapped, and what text there is in the outputs
sub told { return join "\n", grep { /-> #/ || /^Output|Stream #.*Subtitle/ } split /\n/, $_[0]{stderr} }

# the same files, playlists, frames and texts
sub hls_ok {
    my ($name, $words) = @_;
    subtest $name => sub {
        my ($stock, $ours) = both($words);

        is($ours->{status}, $stock->{status}, 'exit status');
        is(decision($ours), 'fleet: ', 'the fleet makes it');
        is(`cd '$top/ours' && find . -type f | sort`, `cd '$top/stock' && find . -type f | sort`, 'the same files');
        for my $list (map { chomp; $_ } `cd '$top/stock' && find . -name '*.m3u8' | sort`) {
            is(slurp("$top/ours/$list"), slurp("$top/stock/$list"), "the playlist $list");
            next if $list =~ /_vtt\./;
            my ($a, $b) = map { scalar `$real_ffmpeg -nostdin -v error -i '$top/$_/$list' -map 0:v? -map 0:a? -f framemd5 - 2>&1` }
                'stock', 'ours';
            is($b, $a, "what it plays");
        }
        is(slurp("$top/ours/$_"), slurp("$top/stock/$_"), "the text $_")
            for map { chomp; $_ } `cd '$top/stock' && find . -name '*.vtt' | sort`;
        is(told($ours), told($stock), 'what is said of the streams');
    };
}

my $ladder = "$x264 -keyint_min 25 -sc_threshold 0 -c:a aac -b:a 64k -f hls -hls_time 2 -hls_playlist_type vod";
hls_ok('a ladder with a master playlist', "-i IN/in.mp4 -filter_complex '[0:v]split=3[a][b][c];[b]scale=96:54[b1];"
       . "[c]scale=64:36[c1]' -map '[a]' -map 0:a -map '[b1]' -map 0:a -map '[c1]' -map 0:a $ladder -master_pl_name master.m3u8 "
       . "-var_stream_map 'v:0,a:0 v:1,a:1 v:2,a:2' -hls_segment_filename 'v%v/%03d.ts' v%v/index.m3u8");
hls_ok('with the sound apart, in MP4', "-i IN/in.mp4 -map 0:v -map 0:v -map 0:a -s:v:1 96x54 $ladder -hls_segment_type fmp4 "
       . "-var_stream_map 'a:0,agroup:s v:0,agroup:s v:1,agroup:s' -master_pl_name all.m3u8 l%v.m3u8");

# cues at the same time, without text, with empty lines at their end, and across the cuts
put("$top/odd.ass", slurp("$top/text.ass") =~ s/Dialogue.*//sr . join '', map { "Dialogue: 0,0:00:0$_\n" }
    '0.50,0:00:02.00,Default,one', '0.50,0:00:02.50,Default,two', '0.50,0:00:01.50,Default,three', '1.00,0:00:01.50,Default,{\\an8}',
    '1.20,0:00:03.50,Default,end\\N\\N', '2.00,0:00:02.00,Default,no length', '3.99,0:00:05.00,Default,last');
put("$top/set.vtt", "WEBVTT\n\none\n00:00.500 --> 00:01.500 line:0 align:start\nabove\n\n00:02.100 --> 00:03.000\nbelow\n\n");
make_input('subs.mkv', '-i', "$top/in.mp4", '-i', "$top/odd.ass", '-i', "$top/set.vtt",
           qw(-map 0 -map 1 -map 2 -c copy -c:s:0 ass -c:s:1 copy));
hls_ok('subtitles', "-i IN/subs.mkv -map 0:2 -map 0:v -map 0:a $ladder a.m3u8");
hls_ok('subtitles of a ladder', "-i IN/subs.mkv -map 0:v -map 0:a -map 0:2 -map 0:v -map 0:a -map 0:3 -s:v:1 96x54 "
       . "$ladder -b:a:1 48k -metadata:s:a:1 title=low -c:s:1 copy -var_stream_map 'v:0,a:0,s:0,sgroup:x,language:eng v:1,a:1,s:1,sgroup:y' "
       . "-master_pl_name all.m3u8 l%v/i.m3u8");
hls_ok('subtitles of MP4, and of two outputs', "-i IN/subs.mkv -map 0:v -map 0:a -map 0:2 -ss 0.7 $ladder -hls_segment_type fmp4 a.m3u8 "
       . "-map 0:2 -map 0:v -ss 0.7 $ladder b.m3u8");
put("$top/late.srt", "1\n00:00:03,500 --> 00:00:04,000\nlate\n\n");
make_input('late.mkv', '-i', "$top/in.mp4", '-i', "$top/late.srt", qw(-map 0 -map 1 -c copy -c:s srt));
hls_ok('subtitles of which none is shown', "-i IN/late.mkv -t 3 $ladder a.m3u8");
for (['subtitles of another file', '-i IN/in.mp4 -i IN/late.srt', 'of another file'],
     ['subtitles that wait for the next one', '-fix_sub_duration -i IN/late.mkv', 'at another time']) {
    case_stock($_->[0], "$_->[1] $ladder a.m3u8", $_->[2], 1);
}
hls_ok('one output for each', "-i IN/in.mp4 $ladder a.m3u8 -s 96x54 $ladder b.m3u8");

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

    stub('h1', qq{: >\$HERE/begun; "\$FFMPEG" "\$@" | "\$FFMPEG" -v error -f nut -i - $maps -c copy -f nut -});
    stub('h2', held("$top/fleet/h1/begun") . 'exec $FFMPEG "$@"');
    my ($stock, $ours) = both("-v error -i IN/in.mp4 -map 0:v -map 0:v $x264 -c:v:1 mpeg4 -q:v:1 4 -g 25 o.mkv");
    unstub('h1', 'h2');
    unlink "$top/fleet/h1/begun";
    is($ours->{status}, 0, "a host returns $name");
    ok(events($ours, 'attempt', host => 'h1') && !events($ours, 'attempt', host => 'h1', outcome => 'ok'), 'nothing of it is used');
    compare_ok("$top/stock/o.mkv", "$top/ours/o.mkv", 'the output is right');
}

done_testing();
