#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# The comparator itself: equal files pass, each kind of difference is seen and named.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $compare = dirname(__FILE__) . '/../tools/compare.pl';
my $dir     = tempdir('ffleet-compare-XXXXXX', TMPDIR => 1, CLEANUP => 1);
$SIG{INT} = $SIG{TERM} = sub { exit 1 };

sub put {
    my ($name, $text) = @_;
    open my $f, '>', "$dir/$name" or die "$name: $!";
    print $f $text;
    close $f;
    return "$dir/$name";
}

sub ffmpeg {
    my @cmd = ('ffmpeg', qw(-nostdin -v error -y), @_);
    system(@cmd) == 0 or BAIL_OUT("cannot make a test file: @cmd");
}

# make NAME, {part => value}: the film, with some parts other than usual
sub make {
    my ($name, %o) = @_;
    my $film = $o{film} // 'testsrc2=s=160x120:r=25:d=3';
    ffmpeg('-f', 'lavfi', '-i', $film, '-f', 'lavfi', '-i', $o{sound} // 'sine=440:d=3',
           '-i', $o{subtitles} // "$dir/s.srt", '-i', $o{metadata} // "$dir/m.txt",
           qw(-map 0 -map 1), $o{no_subtitles} ? () : qw(-map 2 -c:s srt),
           qw(-map_metadata 3 -map_chapters 3 -metadata:s:a language=eng -fflags +bitexact),
           '-c:v', 'libx264', qw(-preset ultrafast -bf 2 -threads 1),
           '-x264-params', join(':', 'stitchable=1', 'qp=' . ($o{qp} // 24), $o{x264} // ()),
           qw(-c:a aac -b:a), $o{bitrate} // '96k', '-disposition:a:0',
           $o{disposition} // 'default', @{ $o{more} // [] }, "$dir/$name");
    return "$dir/$name";
}

sub compare {
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec 'perl', $compare, @_;
        exit 127;
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($? >> 8, $text);
}

# differs LABEL, PATTERN, ARGS...: compare must exit with 1 and say so
sub differs {
    my ($label, $pattern, @args) = @_;
    my ($status, $text) = compare(@args);
    ok($status == 1 && $text =~ /^different: .*$pattern/m, "seen: $label")
        or diag("status $status, said: $text");
}

sub same {
    my ($label, @args) = @_;
    my ($status, $text) = compare(@args);
    is("$status:$text", '0:', "equal: $label");
}

put('s.srt', "1\n00:00:00,500 --> 00:00:01,000\nOne\n\n2\n00:00:01,500 --> 00:00:02,000\nTwo\n");
put('s2.srt', "1\n00:00:00,500 --> 00:00:01,000\nOne\n\n2\n00:00:01,500 --> 00:00:02,000\nTow\n");
my $meta = ";FFMETADATA1\ntitle=Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=A\n"
         . "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=3000\ntitle=B\n";
put('m.txt', $meta);
put('m2.txt', $meta =~ s/title=B/title=C/r);
put('m3.txt', $meta =~ s/title=Film/title=Flim/r);

my $stock  = make('stock.mkv');
my $second = make('second.mkv');
my @exact  = qw(--exact-frames --exact-packets);

same('the file with itself, exactly', $stock, $stock, @exact, '--source', $stock);
same('two runs of one command', $stock, $second, @exact);

my @loose  = ('--size-percent', 1000);
my $better = make('better.mkv', qp => 12);
same('another quantiser, with a loose size', $stock, $better, @loose);
differs('size', 'size:', $stock, $better);
differs('SSIM', 'SSIM', $stock, $better, @loose, '--source', $better);
differs('frame bytes', 'stream 0 .* frame 0: stock has pts \d+, md5', $stock, $better, @loose,
        '--exact-frames');
differs('packet bytes', 'stream 0 .* packet 0: size', $stock, $better, @loose, '--exact-packets');

differs('a missing stream', 'stock has 3 streams, ours 2', $stock,
        make('nosub.mkv', no_subtitles => 1));
differs('one stream more', 'stock has 2 streams, ours 3', "$dir/nosub.mkv", $stock);
differs('a stream tag', 'stream 1 .* language', $stock,
        make('tag.mkv', more => [qw(-metadata:s:a language=ger)]));
differs('a disposition', 'stream 1 .* disposition', $stock, make('disp.mkv', disposition => 'dub'));
differs('a codec parameter', 'stream 1 .* channel', $stock,
        make('stereo.mkv', more => [qw(-ac 2)]));
differs('a picture size', 'stream 0 .* (coded_)?height', $stock,
        make('size.mkv', film => 'testsrc2=s=160x128:r=25:d=3'));
differs('a colour property', 'stream 0 .* color_|extradata', $stock,
        make('colour.mkv', more => [qw(-colorspace bt709)]));
differs('video extradata', 'stream 0 .* extradata_hash', $stock,
        make('refs.mkv', x264 => 'ref=3'), @loose);
differs('a frame rate', 'stream 0 .* avg_frame_rate', $stock,
        make('fps.mkv', film => 'testsrc2=s=160x120:r=24:d=3'));
differs('a chapter title', 'chapter 1 tags title: stock has B, ours C', $stock,
        make('chapter.mkv', metadata => "$dir/m2.txt"));
differs('a format tag', 'format tags title', $stock, make('title.mkv', metadata => "$dir/m3.txt"));
differs('a container', 'container', $stock, make('film.nut', no_subtitles => 1));
differs('subtitle bytes', 'stream 2 .* packet 1: data_hash', $stock,
        make('sub.mkv', subtitles => "$dir/s2.srt"));
differs('audio bytes', 'stream 1 .* packet \d+: (size|data_hash)', $stock,
        make('sound.mkv', sound => 'sine=441:d=3'));
differs('the number of frames', 'DURATION|packets|duration', $stock,
        make('short.mkv', film => 'testsrc2=s=160x120:r=25:d=2.96'));

# Differences that only packets show: the tables of streams agree.
ffmpeg('-i', $stock, qw(-map 0 -c copy -fflags +bitexact), "$dir/copy.mkv");
my $plain = "$dir/copy.mkv";
my @copy  = ('-i', $stock, qw(-map 0 -c copy -fflags +bitexact -bsf:v));
ffmpeg(@copy, 'noise=drop=eq(n\,40)', "$dir/hole.mkv");
differs('a hole in the video', 'stream 0 .* packet \d+: pts|decodes to', $plain, "$dir/hole.mkv", @loose);
ffmpeg(@copy, 'setts=pts=PTS+3*eq(N\,40):dts=DTS', "$dir/late.mkv");
differs('a late frame', 'stream 0 .* packet \d+: pts: stock has \d+, ours \d+', $plain, "$dir/late.mkv");
ffmpeg('-i', $stock, qw(-map 0 -c copy -fflags +bitexact -bsf:a), 'setts=ts=TS+eq(N\,40)',
       "$dir/click.mkv");
differs('a late audio packet', 'stream 1 .* packet 40: pts', $plain, "$dir/click.mkv");
ffmpeg('-i', $stock, qw(-map 0 -c copy -fflags +bitexact -bsf:a), 'noise=amount=eq(n\,20)*7',
       "$dir/noise.mkv");
differs('audio bytes of the same size', 'stream 1 .* packet 20: data_hash', $plain, "$dir/noise.mkv");

# Damaged video: same table, same timestamps, but it does not decode cleanly.
ffmpeg(@copy, 'noise=amount=eq(n\,20)*20', "$dir/broken.mkv");
differs('damaged video', 'decod', $plain, "$dir/broken.mkv");
differs('packet bytes of the same size', 'stream 0 .* packet 20: data_hash', $plain, "$dir/broken.mkv", '--exact-packets');

is((compare($stock, "$dir/absent.mkv"))[0], 2, 'an absent file is an error of its own');
put('junk.mkv', 'no film');
is((compare($stock, "$dir/junk.mkv"))[0], 2, 'so is one that is no film');
is((compare($stock))[0], 2, 'and a wrong call');

my ($status, $text) = compare($stock, "$dir/chapter.mkv", '--table');
ok($status == 1 && $text =~ /chapters .*DIFFERENT/ && $text =~ /verdict: 1 diff/, 'the table has a verdict')
    or diag($text);

done_testing();
