#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# Commands that are wrong, or not for the fleet: ffleet must be the stock ffmpeg. Each is run by ffmpeg and by
# ffleet in twin folders; exit status, stdout, files and the last line of stderr are compared.

use strict;
use warnings;
use Cwd qw(abs_path getcwd);
use Digest::MD5;
use File::Find qw(find);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Test::More;
use Text::ParseWords qw(shellwords);

# One command a line, words as in sh. A first word in [] sets the standard input: [closed], [q]; none: /dev/null.
my @commands = grep { /\S/ && !/^#/ } split /\n/, <<'END';
# information
-version
-version -i in.mkv
-h
-h long
--help
-?
-h encoder=libx264
-h decoder=h264
-h muxer=mp4
-h demuxer=matroska
-h filter=scale
-h bsf=h264_mp4toannexb
-h protocol=file
-h encoder=no_such
-h nonsense
-L
-buildconf
-formats
-muxers
-demuxers
-codecs
-decoders
-encoders
-bsfs
-protocols
-filters
-pix_fmts
-layouts
-sample_fmts
-dispositions
-colors
-hwaccels
-devices
-v quiet -version
-v nonsense -version
# nothing, or half of it
''
-i in.mkv
-hide_banner -i in.mkv
-i in.mkv -y
-y
out.mp4
-i
-i in.mkv -c:v
-i in.mkv -ss
-i in.mkv out.mp4 -crf
-i in.mkv out.mp4 -i
[closed] -i in.mkv
[closed] -version
# wrong arguments
-no_such_option -i in.mkv out.mp4
-i in.mkv -no_such_option 1 out.mp4
-i in.mkv -nocrf out.mp4
-i in.mkv --no_such out.mp4
--version
--hostsx a -i in.mkv out.mp4
-i missing.mkv out.mp4
-i missing.mkv -c copy out.mkv
-i in.mkv -i missing.mkv out.mp4
-i text.txt out.mp4
-i empty.mkv out.mp4
-i . out.mp4
-i in.mkv no/such/folder/out.mp4
-i in.mkv out
-i in.mkv out.nosuchformat
-i in.mkv -f nosuchformat out.mp4
-f nosuchformat -i in.mkv out.mp4
-i in.mkv -c:v nosuchcodec out.mp4
-i in.mkv -c:a nosuchcodec out.mp4
-c:v nosuchcodec -i in.mkv out.mp4
-i in.mkv -vf nosuchfilter out.mp4
-i in.mkv -vf scale=foo:bar out.mp4
-i in.mkv -vf 'scale=32:32[' out.mp4
-i in.mkv -vf '' -t 0.2 out.mp4
-i in.mkv -af nosuchfilter out.mp4
-i in.mkv -filter_complex '[0:v]scale=32:32[a];[0:v]null[a]' -map '[a]' out.mp4
-i in.mkv -filter_complex '[9:v]null[a]' -map '[a]' out.mp4
-i in.mkv -map 5 out.mp4
-i in.mkv -map 0:9 out.mp4
-i in.mkv -map nonsense out.mp4
-i in.mkv -map '[none]' out.mp4
-i in.mkv -map 0:s out.mp4
-i in.mkv -crf 99x -c:v libx264 out.mp4
-i in.mkv -c:v libx264 -preset nosuchpreset out.mp4
-i in.mkv -c:v libx264 -x264-params nosuch=1:= -v error -t 0.1 -an out.mp4
-i in.mkv -r abc out.mp4
-i in.mkv -s 0x-3 out.mp4
-i in.mkv -aspect 0:0 out.mp4
-i in.mkv -pix_fmt nosuchformat out.mp4
-i in.mkv -t abc out.mp4
-ss abc -i in.mkv out.mp4
-i in.mkv -to 1 -ss 2 -c:v mpeg4 out.mp4
-i in.mkv -fps_mode nonsense out.mp4
-i in.mkv -vsync nonsense out.mp4
-i in.mkv -b:v lots out.mp4
-i in.mkv -movflags nonsense out.mp4
-map 0 -i in.mkv out.mp4
-i in.mkv -stream_loop 1 out.mp4
-i in.mkv -sseof -1 out.mp4
-crf 20 -i in.mkv out.mp4
-i in.mkv -vn -an -sn -dn out.mp4
-i sound.wav -c:v libx264 -crf 20 -vn -c:a nosuch out.mp4
-i in.mkv -vcodec copy -vf null out.mp4
-i in.mkv -c:v mpeg4 out.wav -xerror
-i in.mkv -srcw 5 out.mp4
-i in.mkv -target nonsense out.mpg
-i in.mkv -passlogfile nosuch -pass 2 -c:v libx264 -an out.mp4
-i in.mkv -init_hw_device nosuch out.mp4
-i in.mkv -f null -filter_script:v missing.txt -
-i in.mkv -filter_complex_script missing.txt out.mp4
-i in.mkv -/filter:v missing.txt out.mp4
-v debug -loglevel -i in.mkv
-n -i in.mkv -c copy exists.mp4
-i in.mkv -c copy exists.mp4
-n -y -i in.mkv -c copy exists.mp4
-i in.mkv -c copy in.mkv
-y -i in.mkv -c copy in.mkv
-xerror -err_detect explode -i cut.mkv -f null -
# right, and not for the fleet
-i in.mkv -c copy -fflags +bitexact out.mkv
-i in.mkv -c copy -fflags +bitexact out.mp4 -loglevel error
-i in.mkv -c copy -fflags +bitexact out.mp4 -an
-i in.mkv -c copy -fflags +bitexact -- -out.mkv
-i in.mkv -c copy -f mpegts -
-i in.mkv -c copy -f mpegts pipe:1
-y -i in.mkv -c copy -fflags +bitexact exists.mp4
-i in.mkv -c copy -f md5 -
-i in.mkv -map 0:a -f framecrc -
-i in.mkv -map 0:v -f rawvideo -pix_fmt gray -frames:v 2 -
-i sound.wav -bitexact out.flac
-i sound.wav -bitexact -ar 16000 -ac 1 out.wav
-i in.mkv -vn -bitexact -c:a pcm_s16le out.wav
-i in.mkv -vn -c:a copy -bitexact out.mka
-i in.mkv -f null -
-i in.mkv -f null /dev/null
-f lavfi -i testsrc=d=0.2:s=32x32 -f null -
-f lavfi -i testsrc=d=0.2:s=32x32 -bitexact -c:v ffv1 out.mkv
-f lavfi -i sine=d=0.2 -bitexact out.wav
-i in.mkv -bitexact -frames:v 1 out.png
-i in.mkv -bitexact -vframes 3 out%d.png
-i in.mkv -bitexact -frames:v 1 -update 1 out.jpg
-i in.mkv -bitexact -t 0.2 -an one.mkv -bitexact -t 0.1 -vn two.wav
-i in.mkv -map 0:v -c copy -fflags +bitexact one.mkv -map 0:a -c copy -fflags +bitexact two.mka
-i subs.srt out.vtt
-i subs.srt -f ass -bitexact -
-i subs.srt out.mp4
-f concat -i list.txt -c copy -fflags +bitexact out.mkv
-i in.mkv -i sound.wav -map 0:v -map 1:a -c copy -fflags +bitexact out.mkv
-i in.mkv -c copy -metadata title=--hosts -fflags +bitexact out.mkv
-i in.mkv -c copy -metadata 'title=a  b"c' -fflags +bitexact out.mkv
-i in.mkv -f segment -c copy -segment_time 0.4 -bitexact seg%d.ts
-progress - -stats_period 100 -nostats -v quiet -i in.mkv -c copy -f null /dev/null
-i in.mkv -an -c:v rawvideo -f rawvideo -frames:v 1 -
-f lavfi -i color=s=16x16:d=0.1 -frames:v 1 -f image2 -bitexact out.bmp
-i in.mkv -vf reverse -an -c:v ffv1 -bitexact out.mkv
-ss 0.2 -i in.mkv -t 0.2 -c copy -fflags +bitexact out.mkv
-ss -5 -i in.mkv -c copy -fflags +bitexact out.mkv
-sseof -0.4 -i in.mkv -c copy -fflags +bitexact out.mkv
-f lavfi -i nosuchsource -f null -
-i in.mkv -f ffmetadata -
-i in.mkv -dump_attachment:t '' -f null -
-attach text.txt -i in.mkv out.mkv
-i in.mkv -attach text.txt -metadata:s:2 mimetype=text/plain -c copy -fflags +bitexact out.mkv
-stream_loop 1 -i in.mkv -c copy -f framecrc -
-i in.mkv -filter_complex '[0:v]null[a];[0:a]anull[b]' -map '[a]' -map '[b]' -f framecrc -
[closed] -i in.mkv -c copy -f framecrc -
[closed] -nostdin -i in.mkv -f framecrc -
[q] -i in.mkv -c copy -fflags +bitexact out.mkv
END
unshift @commands, ''; # no words at all

my $ffleet = abs_path($ENV{FFLEET} // './ffleet');
BAIL_OUT('no ffleet here: set FFLEET') unless defined $ffleet && -x $ffleet;
delete @ENV{ grep { /^(?:FFLEET_|FFREPORT)/ } keys %ENV };
my $top = tempdir('ffleet-stock-XXXXXX', TMPDIR => 1, CLEANUP => 1);
$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END { chdir '/' }
$ENV{HOME} = $ENV{XDG_CONFIG_HOME} = "$top/home";
make_path("$top/home", "$top/fixtures", "$top/run");

### fixtures

sub put {
    my ($name, $text) = @_;
    open my $f, '>', "$top/fixtures/$name" or die "$name: $!";
    print $f $text;
    close $f;
}

put('text.txt', "This is no film.\n");
put('empty.mkv', '');
put('exists.mp4', 'old');
put('subs.srt', "1\n00:00:00,100 --> 00:00:00,500\nOne\n");
put('list.txt', "file in.mkv\nfile in.mkv\n");
my $fixtures = "cd '$top/fixtures' && ffmpeg -nostdin -v error"
    . ' -f lavfi -i testsrc=s=64x64:r=25:d=1 -f lavfi -i sine=d=1'
    . ' -c:v libx264 -preset ultrafast -g 10 -c:a aac -bitexact in.mkv'
    . ' -map 1 -bitexact sound.wav && head -c 4000 in.mkv > cut.mkv';
system('sh', '-c', $fixtures) == 0 or BAIL_OUT('cannot make the fixtures');

### running

my $cwd = "$top/run/here"; # one after the other under one name: messages hold paths

# state: name => MD5 of all that lies in the folder
sub state {
    my %files;
    find({ no_chdir => 1, wanted => sub {
        my $name = substr $_, length $cwd;
        return $files{$name} = 'folder' if -d;
        open my $f, '<', $_ or die "$_: $!";
        $files{$name} = Digest::MD5->new->addfile($f)->hexdigest;
    } }, $cwd);
    return join "\n", map { "$_ $files{$_}" } sort keys %files;
}

sub slurp {
    open my $f, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return <$f> // '';
}

# The last line, without what differs from run to run.
sub last_line {
    my @lines = grep { /\S/ && !/^(?:frame|size)=/ } split /[\r\n]+/, $_[0];
    my $line  = $lines[-1] // '';
    $line =~ s/0x[0-9a-f]+/ADDRESS/g;
    $line =~ s/-?\d+(?:\.\d+)?/N/g;
    return $line;
}

# run PROGRAM, STDIN, WORDS: what came of it
sub run {
    my ($program, $stdin, @words) = @_;
    my ($out, $err) = ("$top/stdout", "$top/stderr");

    remove_tree($cwd);
    system('cp', '-r', "$top/fixtures", $cwd) == 0 or die 'cp';
    my $pid = fork // die $!;
    if (!$pid) {
        chdir $cwd or exit 126;
        open STDOUT, '>', $out;
        open STDERR, '>', $err;
        if ($stdin eq 'closed') {
            # exec of the program with descriptor 0 really closed
            exec 'sh', '-c', 'exec "$@" <&-', 'sh', 'timeout', 300, $program, @words or exit 127;
        }
        my $input = "$top/input";
        open my $f, '>', $input;
        print $f 'q' if $stdin eq 'q';
        close $f;
        open STDIN, '<', $stdin eq 'q' ? $input : '/dev/null';
        exec 'timeout', 300, $program, @words or exit 127;
    }
    waitpid $pid, 0;
    my $status = $?;
    my ($text, $messages) = (slurp($out), slurp($err));
    # the report of -progress tells times
    $text =~ s/^(?:bitrate|speed|fps|total_size)=.*\n//mg if grep { $_ eq '-progress' } @words;
    return { status => $status, stdout => $text, files => state(), stderr => last_line($messages) };
}

cmp_ok(scalar @commands, '>=', 60, scalar(@commands) . ' commands');
my %results; # how many ended with which status: the table must hold right and wrong ones
for my $command (@commands) {
    my @words = shellwords($command);
    my $stdin = @words && $words[0] =~ /^\[(\w+)\]$/ ? (shift(@words), $1)[1] : 'null';
    my $stock = run('ffmpeg', $stdin, @words);
    my $ours  = run($ffleet, $stdin, @words);
    my @differ = grep { $stock->{$_} ne $ours->{$_} } qw(status stdout files stderr);

    # ffmpeg --help is ffleet's own, unless it is called ffmpeg
    if ($command =~ /^--(?:help|version)$/) {
        ok($ours->{status} == 0 && $ours->{stdout} =~ /ffleet/i, "ffleet's own: $command");
        next;
    }
    ok(!@differ, "ffmpeg $command") or diag(map {
        "$_ of stock:  " . substr($stock->{$_}, 0, 500) . "\n"
      . "$_ of ffleet: " . substr($ours->{$_}, 0, 500) . "\n"
    } @differ);
    $results{ $stock->{status} ? 'wrong' : 'right' }++;
}
cmp_ok($results{right}, '>=', 60, "$results{right} that work");
cmp_ok($results{wrong}, '>=', 60, "$results{wrong} that do not");
done_testing();
