# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same command by stock ffmpeg and by ffleet with three SSH hosts: the outputs must be the same
# by compare.pl, and the trace must show that it was the fleet's work, or stock's where that is
# expected. Inputs are made here, once, when a case first wants them.
#
#   FFLEET_TEST_ALL=1       the rarer cases too (those with a + in front)
#   FFLEET_TEST_ONLY=REGEX  only the cases with such a name
#   FFLEET_TEST_KEEP=DIR    as in FleetTest.pm

package ExactTest;

use strict;
use warnings;
use Exporter qw(import);
use File::Path qw(make_path);
use Test::More;
use Text::ParseWords qw(shellwords);
use FleetTest;

our @EXPORT = qw(exact_cases);

# NAME | what makes it: ffmpeg's arguments without the output, whose name is NAME. VIDEO(rate), SMOOTH(rate)
# and AUDIO(seconds) stand for generated inputs; a name before a colon is an input made first.
my @inputs = <<'END' =~ /^(?!#)(\S.*)/mg;
rich.mkv      | VIDEO(25) AUDIO(6) -f lavfi -i sine=f=800:d=6 -i text.srt -i chapters.txt -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -c:v libx264 -preset veryfast -g 25 -x264-params open-gop=1:keyint_min=25:scenecut=0 -c:a aac -c:s srt -metadata:s:a:1 language=deu -metadata:s:a:0 title=One -disposition:a:1 0
h264.mp4      | VIDEO(25) AUDIO(6) -c:v libx264 -preset veryfast -g 25 -c:a aac -metadata title=A -metadata artist=B
long.mp4      | SMOOTH(25) AUDIO(24) -c:v libx264 -preset ultrafast -g 200 -keyint_min 200 -sc_threshold 0 -crf 18 -c:a aac
far.mkv       | SMOOTH(25) AUDIO(24) -c:v libx264 -preset superfast -bf 3 -g 150 -sc_threshold 0 -x264-params open-gop=1 -c:a aac
refresh.mp4   | VIDEO(25) -c:v libx264 -preset ultrafast -g 40 -x264-params intra-refresh=1
hole.mkv      | SMOOTH(25) AUDIO(24) -vf setpts='PTS+gte(N\,75)*20/TB' -t 25 -fps_mode vfr -c:v libx264 -preset ultrafast -g 25 -c:a aac
hevc.ts       | VIDEO(25) AUDIO(6) -c:v libx265 -preset ultrafast -x265-params keyint=25:log-level=none -c:a aac -output_ts_offset 10
h264.ts       | VIDEO(25) AUDIO(6) -c:v libx264 -preset veryfast -g 25 -c:a mp2
mp3.mp4       | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a libmp3lame -b:a 64k
plain.mp4     | VIDEO(25) -c:v libx264 -preset ultrafast -g 25
plain.mkv     | VIDEO(25) -c:v libx264 -preset ultrafast -g 25
late-v.mp4    | -itsoffset 0.7 VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-v.mkv    | -itsoffset 0.7 VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-v.ts     | -itsoffset 0.7 VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-a.mp4    | VIDEO(25) -itsoffset 0.9 AUDIO(5) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-a.mkv    | VIDEO(25) -itsoffset 0.9 AUDIO(5) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-a.ts     | VIDEO(25) -itsoffset 0.9 AUDIO(5) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
ten.mkv       | VIDEO(25) -pix_fmt yuv420p10le -c:v libx264 -preset ultrafast -g 25
sar.mkv       | VIDEO(25) -vf setsar=16/11 -c:v libx264 -preset ultrafast -g 25
bt709.mp4     | VIDEO(25) -c:v libx264 -preset ultrafast -g 25 -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv
bt2020.mkv    | VIDEO(25) -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc
full.mp4      | VIDEO(25) -vf scale=out_range=pc -c:v libx264 -preset ultrafast -g 25 -color_range pc
vui.ts        | VIDEO(25) -c:v libx264 -preset ultrafast -g 25 -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m
container.mkv | VIDEO(25) -c:v mpeg4 -q:v 3 -g 25 -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m -color_range tv
container.mov | VIDEO(25) -c:v mpeg4 -q:v 3 -g 25 -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m -movflags write_colr
rot90.mp4     | plain.mp4: -i plain.mp4 -c copy -metadata:s:v:0 rotate=90
rot180.mp4    | plain.mp4: -i plain.mp4 -c copy -metadata:s:v:0 rotate=180
rot270.mp4    | plain.mp4: -i plain.mp4 -c copy -metadata:s:v:0 rotate=270
tff.mkv       | VIDEO(50) -vf interlace=scan=tff -c:v libx264 -preset ultrafast -g 25 -flags +ildct+ilme -x264-params tff=1
ffv1tff.mkv   | VIDEO(50) -vf interlace=scan=tff -c:v ffv1 -level 1 -g 1 -flags +ilme -top 1
v210tff.mov   | VIDEO(50) -vf interlace=scan=tff -c:v v210 -flags +ilme -top 1
fields.mkv    | VIDEO(50) -vf interlace=scan=tff -c:v mpeg2video -q:v 4 -g 1 -flags +ildct+ilme
mpeg2.ts      | VIDEO(50) AUDIO(6) -vf interlace=scan=tff -c:v mpeg2video -q:v 4 -g 12 -bf 2 -flags +ildct+ilme -c:a mp2
ntscfilm.mkv  | VIDEO(24000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 24 -bf 2 -c:a aac
ntsc.mkv      | VIDEO(30000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 30 -bf 2 -c:a aac
ntsc.mp4      | VIDEO(30000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 30 -bf 2 -c:a aac
r30.mkv       | VIDEO(30) AUDIO(6) -c:v libx264 -preset ultrafast -g 30 -bf 2 -c:a aac
r24.mp4       | VIDEO(24) AUDIO(6) -c:v libx264 -preset ultrafast -g 24 -bf 2 -c:a aac
r50.mp4       | VIDEO(50) AUDIO(6) -c:v libx264 -preset ultrafast -g 50 -bf 2 -c:a aac
r5994.mkv     | VIDEO(60000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 60 -bf 2 -c:a aac
r5994.ts      | VIDEO(60000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 60 -bf 2 -c:a aac
r60.mkv       | VIDEO(60) AUDIO(6) -c:v libx264 -preset ultrafast -g 60 -bf 2 -c:a aac
gop.mkv       | VIDEO(30) -c:v libx264 -preset ultrafast -g 37 -bf 3
cover.png     | -f lavfi -i testsrc=s=64x64:d=1 -frames:v 1
cover.mp4     | h264.mp4 cover.png: -i h264.mp4 -i cover.png -map 0 -map 1 -c copy -disposition:v:1 attached_pic
cover.mkv     | h264.mp4 cover.png: -i h264.mp4 -c copy -attach cover.png -metadata:s:2 mimetype=image/png -metadata:s:2 filename=cover.png
logo.png      | -f lavfi -i testsrc=s=48x32 -frames:v 1
fonts.mkv     | h264.mp4: -i h264.mp4 -i text.ass -map 0 -map 1 -c copy -c:s ass -attach text.srt -metadata:s:t mimetype=application/x-truetype-font -metadata:s:t filename=a.ttf
tmcd.mov      | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a pcm_s16le -timecode 01:00:00:00
subs.mp4      | h264.mp4: -i h264.mp4 -i text.srt -map 0 -map 1 -c copy -c:s mov_text
nearsub.mkv   | h264.mp4: -i h264.mp4 -i near.srt -map 0 -map 1 -c copy -c:s srt
latesub.mkv   | h264.mp4: -i h264.mp4 -i late.srt -map 0 -map 1 -c copy -c:s srt
vorbis.mkv    | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a libvorbis
opus.mkv      | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a libopus
flac.mkv      | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a flac
ac3.mkv       | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a ac3
vfr.mkv       | VIDEO(30) AUDIO(6) -vf select='not(eq(mod(n\,7)\,3)+eq(mod(n\,11)\,5)+eq(mod(n\,11)\,6))' -fps_mode vfr -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
vfr.mp4       | VIDEO(30) AUDIO(6) -vf select='not(eq(mod(n\,7)\,3)+eq(mod(n\,11)\,5)+eq(mod(n\,11)\,6))' -fps_mode vfr -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
uneven.mp4    | VIDEO(30) AUDIO(6) -vf settb=1/1000,setpts=N*33+23*mod(N*7\\,5) -enc_time_base 1:1000 -fps_mode passthrough -c:v libx264 -preset ultrafast -g 30 -bf 0 -c:a aac
jitter.mp4    | vfr.mkv: -i vfr.mkv -c copy
mpeg4.mkv     | VIDEO(25) -c:v mpeg4 -q:v 3 -g 25 -bf 2
cut.mp4       | h264.mp4: -ss 1.3 -i h264.mp4 -c copy
vp9.webm      | VIDEO(25) -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25
mjpeg.mov     | VIDEO(25) AUDIO(6) -c:v mjpeg -q:v 3 -c:a pcm_s16le
alpha.mov     | VIDEO(25) -c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le
gbr.mkv       | VIDEO(25) -c:v ffv1 -pix_fmt gbrp
two.mkv       | VIDEO(25) AUDIO(6) AUDIO(6) -map 0 -map 1 -map 2 -c:v libx264 -g 25 -preset ultrafast -c:a:0 ac3 -c:a:1 aac
longa.mp4     | VIDEO(25) AUDIO(9) -c:v libx264 -g 25 -preset ultrafast -c:a aac
shorta.mkv    | VIDEO(25) AUDIO(3) -c:v libx264 -g 25 -preset ultrafast -c:a aac
h263.avi      | VIDEO(25) -s 176x144 -c:v h263 -q:v 4 -g 25
yv12.avi      | VIDEO(25) -c:v rawvideo -pix_fmt yuv420p -vtag YV12
utvideo.avi   | VIDEO(25) -c:v utvideo
qtrle.mov     | VIDEO(25) -c:v qtrle -g 25
gaps.mkv      | -f lavfi -i testsrc2=s=96x64:r=100:d=30 -vf select='eq(mod(n\,7)\,0)+eq(mod(n\,7)\,3)' -fps_mode vfr -c:v libx264 -preset ultrafast -g 2000
eyes.mkv      | -f lavfi -i testsrc2=s=96x64:r=10:d=6 -c:v libx264 -preset ultrafast -g 10 -metadata:s:v stereo_mode=left_right
hdr.mkv       | VIDEO(25) -pix_fmt yuv420p10le -c:v libx264 -preset ultrafast -g 25 -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -color_range tv
tiny.mkv      | -f lavfi -i testsrc2=s=96x64:r=10:d=4 -c:v libx264 -preset ultrafast -g 10
END

my %macro = (
    X264 => '-c:v libx264 -preset ultrafast -qp 24 -g 24 -sc_threshold 0',
);

my $only = $ENV{FFLEET_TEST_ONLY} // '';
my %made;

### inputs

sub input_args {
    my ($text) = @_;
    $text =~ s/\bVIDEO\(([\d\/]+)\)/-f lavfi -i testsrc2=s=192x108:r=$1:d=6/g;
    $text =~ s/\bSMOOTH\(([\d\/]+)\)/-f lavfi -i testsrc2=s=320x180:r=$1:d=24/g;
    $text =~ s/\bAUDIO\((\d+)\)/-f lavfi -i sine=f=440:d=$1/g;
    return shellwords($text);
}

sub make_as_named {
    my ($name) = @_;
    my ($line) = grep { /^\Q$name\E\s/ } @inputs or BAIL_OUT("no input is called $name");
    my $how    = $line =~ s/^\S+\s*\|\s*//r;

    return if $made{$name}++;
    make_as_named($_) for $how =~ s/^([\w. -]+):\s+// ? split ' ', $1 : ();
    my $run = run({ name => 'input', program => $real_ffmpeg }, qw(-nostdin -y -v error), input_args($how), $name);
    $run->{status} eq 0 or BAIL_OUT("$name cannot be made: $run->{stderr}");
}

### cases

# Who made it, by the trace: "fleet" or "stock", what is wrong with that, or undef, how many segments there were,
# and the frames at which they end, but for the last
my %hosts_used;

sub read_trace {
    my ($run) = @_;
    my ($plan) = reverse events($run, 'plan');
    my (%segments, @frames, @ends);

    return ('nobody', 'there is no decision in the trace') unless $plan;
    return ('stock', $plan->{reason}) if $plan->{decision} eq 'stock';
    for (events($run, 'attempt')) {
        return ('fleet', "segment $_->{segment} on $_->{host}: $_->{outcome}: " . ($_->{why} // ''))
            if $_->{outcome} !~ /^(?:ok|lost|cancelled)$/ || $_->{host} !~ /^h\d$/;
        next if $_->{outcome} ne 'ok';
        $segments{ $_->{segment} }++;
        $frames[ $_->{segment} ] = $_->{frames};
        $hosts_used{ $_->{host} }++;
    }
    return ('fleet', 'it was not split: ' . keys(%segments) . ' segment(s)') if keys %segments < 2;
    push @ends, ($ends[-1] // 0) + ($_ // 0) for @frames[0 .. $#frames - 1];
    return ('fleet', undef, scalar keys %segments, @ends);
}

sub run_case {
    my ($name, $input, $args, $output, $compare, $who) = @_;
    my $wanted = $name =~ /, (\d+) segments$/ ? $1 : undef;
    # by itself: far.mkv has a keyframe each 150 frames, and segments may end between them
    my $itself = $name =~ /, by itself$/;
    my $length = $name =~ /, (\d+) s$/ ? $1 : $wanted ? 6 / $wanted : 2;
    my @compare = map { $_ eq '--source' ? ($_, "$top/$input") : $_ } split ' ', $compare;
    my ($stock, $ours, @words);

    $args =~ s/\b(X264)\b/$macro{$1}/g;
    @words = ('-y', '-i', "../$input", shellwords($args), $output);
    make_as_named($input);
    make_as_named('logo.png') if $args =~ /logo\.png/;
    unlink "$top/stock/$output", "$top/ours/$output";
    $stock = stock({ cwd => "$top/stock" }, @words);
    $ours  = run({ cwd => "$top/ours" }, $itself ? () : ('--segment-length', $length), @words);

    subtest $name => sub {
        my ($maker, $problem, $segments, @ends) = read_trace($ours);

        is($ours->{status}, $stock->{status}, 'exit status') or diag($ours->{stderr} =~ s/.*(?=.{600}$)//sr);
        if ($who) {
            is($maker, $who, "the $who makes it") or diag($problem);
        } else {
            note("made by $maker", $problem ? ": $problem" : '');
        }
        ok(!defined $problem, 'in segments, by hosts') or diag($problem) if $maker eq 'fleet';
        is($segments, $wanted, 'so many segments') if $wanted;
        ok(scalar(grep { $_ % 150 } @ends), 'not all segments end at keyframes') if $itself;
        compare_ok("$top/stock/$output", "$top/ours/$output", 'equal', @compare) or diag(join ' ', 'ffmpeg', @words);
    };
}

# exact_cases(TEXT): a case a line, but for comments:
#   [+]NAME | INPUT | ARGUMENTS between input and output | OUTPUT | compare.pl's options | who makes it
# A name ending in ", N s" wants segments of N seconds, others 2; one ending in ", N segments" so many of 6 s.
sub exact_cases {
    my @cases = $_[0] =~ /^(?!#)(\S.*)/mg;

    fleet_up(3);
    make_path("$top/stock", "$top/ours");
    make_texts($top, 5);
    put("$top/near.srt", "1\n00:00:00,500 --> 00:00:03,001\nlong\n\n2\n00:00:01,000 --> 00:00:03,000\nshort\n\n");
    put("$top/late.srt", "1\n00:00:04,000 --> 00:00:04,500\nlate\n\n");
    for (@cases) {
        my ($name, @rest) = map { s/^\s+|\s+$//gr } split /\|/, $_, -1;

        next if $name =~ s/^\+// && !$ENV{FFLEET_TEST_ALL};
        run_case($name, @rest) if $name =~ /(?:$only)/;
    }
    is(join(' ', sort keys %hosts_used), 'h1 h2 h3', 'all hosts took part') unless $only;
    done_testing();
}

1;
