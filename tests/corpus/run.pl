#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The commands of commands.tsv, as people type them: a shell runs each twice in folders of its own,
# once with stock ffmpeg on PATH and once with ffleet under that name and a fleet of three SSH hosts.
#
#   run.pl [--only REGEX] [--every N] [--part I/N]
#
#   --only REGEX  only rows of which category or command match
#   --every N     the first row of each category, and every N-th after it
#   --part I/N    of these the I-th and every N-th after it
#
#   FFLEET_TEST_OTHER_FFMPEG=FILE  an ffmpeg of another version, for two of the three hosts
#   FFLEET_TEST_KEEP=DIR           work in DIR/run, and leave it there
#
# A test for each row: the same exit status, the same stdout, the same files; media files equal by
# tests/tools/compare.pl, others byte for byte; the decision that was expected, and where that is the
# fleet, hosts that encoded more than one segment. In the end the share of what was split.

use strict;
use warnings;
use File::Find;
use File::Path qw(make_path remove_tree);
use Getopt::Long;
use Test::More;

use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;

my %opt = (every => 1, part => '1/1');
GetOptions(\%opt, 'only=s', 'every=i', 'part=s') && !@ARGV && $opt{every} > 0
    && $opt{part} =~ m{^([1-9]\d*)/([1-9]\d*)$} && $1 <= $2
    or die "usage: run.pl [--only REGEX] [--every N] [--part I/N]\n";
my $other = $ENV{FFLEET_TEST_OTHER_FFMPEG};

my $EXPECTED_SHARE = 90;   # percent of the rows that the fleet is expected to make
my @OTHERS = qw(h1 h2);    # hosts of another version, if there is one
my $FREE_KEYFRAMES = 15;   # percent of size: segments of 2 s add keyframes, 8 s would cost about one

### inputs: 320x180, with sound unless the name says otherwise

my $VIDEO  = '-f lavfi -i testsrc2=s=320x180:r=25:d=7';
my $NTSC   = '-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=7';
my $AUDIO  = '-f lavfi -i sine=f=440:d=7';
my $X264   = '-c:v libx264 -preset ultrafast -g 25 -bf 2';

# name => [ file, arguments of ffmpeg between what makes VIDEO and AUDIO and the file ]
my @inputs = (
    [ h264mp4   => 'h264.mp4',  "$VIDEO $AUDIO $X264 -c:a aac -metadata title=A" ],
    [ h264mkv   => 'h264.mkv',  "$NTSC $AUDIO -f lavfi -i sine=f=800:d=7 -i text.srt -i chapters.txt -map 0 -map 1"
                              . " -map 2 -map 3 -map_metadata 4 $X264 -c:a aac -c:s srt -metadata:s:a:0 language=eng"
                              . " -metadata:s:a:1 language=deu -metadata:s:s:0 language=eng -disposition:a:1 0" ],
    [ h264mov   => 'h264.mov',  "$NTSC $AUDIO $X264 -c:a pcm_s16le" ],
    [ hevcts    => 'hevc.ts',   "$VIDEO $AUDIO -c:v libx265 -preset ultrafast -x265-params"
                              . " keyint=25:log-level=none -c:a aac" ],
    [ h264ts    => 'h264.ts',   "$VIDEO $AUDIO $X264 -c:a ac3 -output_ts_offset 3600.5" ],
    [ vfrmkv    => 'vfr.mkv',   "-f lavfi -i testsrc2=s=320x180:r=30:d=7 $AUDIO -vf"
                              . " select='not(eq(mod(n\\,7)\\,3)+eq(mod(n\\,11)\\,5)+eq(mod(n\\,11)\\,6))'"
                              . " -fps_mode vfr $X264 -c:a aac" ],
    [ mpeg2ts   => 'mpeg2.ts',  "-f lavfi -i testsrc2=s=320x180:r=50:d=7 $AUDIO -vf interlace=scan=tff -c:v"
                              . " mpeg2video -q:v 4 -g 12 -bf 2 -flags +ildct+ilme -c:a mp2" ],
    [ mpegps    => 'dvd.vob',   "$VIDEO $AUDIO -c:v mpeg2video -q:v 4 -g 12 -bf 2 -c:a ac3 -f vob" ],
    [ mjpegavi  => 'cam.avi',   "$VIDEO $AUDIO -c:v mjpeg -q:v 3 -c:a pcm_s16le" ],
    [ xvidavi   => 'xvid.avi',  "$VIDEO $AUDIO -c:v mpeg4 -vtag XVID -q:v 3 -g 25 -bf 0 -c:a libmp3lame" ],
    [ flv       => 'old.flv',   "$VIDEO $AUDIO $X264 -c:a aac" ],
    [ wmv       => 'old.wmv',   "$VIDEO $AUDIO -c:v wmv2 -q:v 3 -g 25 -c:a wmav2" ],
    [ webm      => 'web.webm',  "$VIDEO $AUDIO -c:v libvpx-vp9 -crf 30 -b:v 0 -g 25 -deadline realtime -cpu-used 8"
                              . " -c:a libopus" ],
    [ ogv       => 'theora.ogv', "$VIDEO $AUDIO -c:v libtheora -q:v 7 -g 25 -c:a libvorbis" ],
    [ mxf       => 'tv.mxf',    "$VIDEO $AUDIO -c:v mpeg2video -q:v 3 -g 12 -c:a pcm_s16le -ar 48000" ],
    [ nut       => 'a.nut',     "$VIDEO $AUDIO $X264 -c:a libmp3lame" ],
    [ proresmov => 'master.mov', "$VIDEO $AUDIO -c:v prores_ks -profile:v 3 -c:a pcm_s24le" ],
    [ tenmkv    => 'ten.mkv',   "$VIDEO $AUDIO -pix_fmt yuv420p10le -c:v libx264 -preset ultrafast -g 25 -color_primaries"
                              . " bt2020 -color_trc smpte2084 -colorspace bt2020nc -c:a flac" ],
    [ phone     => 'phone.mp4', "-i silent.mp4 -c copy -metadata:s:v:0 rotate=90" ],
    [ silent    => 'silent.mp4', "$VIDEO $X264" ],
    [ short     => 'short.mp4', "-f lavfi -i testsrc2=s=320x180:r=25:d=1 $X264" ],
    [ cover     => 'cover.mp4', "-i h264.mp4 -i logo.png -map 0 -map 1 -c copy -disposition:v:1 attached_pic" ],
    [ spaces    => "it's a (file) \$1.mp4", "-i h264.mp4 -c copy" ],
    [ wav       => 'sound.wav', "$AUDIO -c:a pcm_s16le" ],
    [ mp3       => 'sound.mp3', "$AUDIO -c:a libmp3lame" ],
    [ logo      => 'logo.png',  "-f lavfi -i testsrc=s=64x64:d=1 -frames:v 1" ],
    [ srt       => 'text.srt' ],
    [ ass       => 'text.ass' ],
);
my %input = map { $_->[0] => $_ } @inputs;
my %made;

# Make an input when it is first wanted, with those that it is made of.
sub make {
    my ($name) = @_;
    my ($file, $args) = @{ $input{$name} or BAIL_OUT("no input is called $name") }[1, 2];

    return if $made{$name}++ || !defined $args;
    for my $i (@inputs) {
        make($i->[0]) if $args =~ /-i \Q$i->[1]\E( |$)/;
    }
    my $cmd = "$real_ffmpeg -nostdin -v error -y $args " . quote($file);
    system('sh', '-c', "cd '$top/in' && $cmd") == 0 or BAIL_OUT("cannot make $file");
}

sub quote { return "'" . $_[0] =~ s/'/'\\''/gr . "'" }

### rows

# One of them: { number, category, expect, flags => {}, command, reason }
my ($version) = `$real_ffmpeg -version` =~ /^ffmpeg version n?(\d+)/;

sub read_rows {
    my @rows;
    open my $in, '<', "$FindBin::Bin/commands.tsv" or BAIL_OUT("commands.tsv: $!");
    while (my $line = <$in>) {
        chomp $line;
        next if $line =~ /^\s*(?:#|$)/;
        my ($category, $expect, $flags, $command, $reason) = split /\t+/, $line;
        BAIL_OUT("commands.tsv line $.: not a row")
            unless defined $command && $expect =~ /^(?:fleet|stock)$/
                && ($expect eq 'fleet' xor defined $reason);
        my %flags = map { /^(\w[\w-]*?)(?:=(.*))?$/ ? ($1 => $2 // 1) : () } split /,/, $flags;
        for (keys %flags) {
            BAIL_OUT("commands.tsv line $.: no such flag: $_")
                unless /^(?:exact-frames|exact-packets|size|ignore|source|needs|known|before|random)$/;
        }
        ($expect, $reason) = ('stock', $flags{before} =~ s/^\d+ //r)
            if $flags{before} && $version && $version >= $flags{before} =~ s/ .*//r;
        push @rows, { number => scalar @rows + 1, category => $category, expect => $expect,
                      flags => \%flags, command => $command, reason => $reason };
    }
    close $in;
    return @rows;
}

my $encoders = `$real_ffmpeg -v error -hide_banner -encoders`;

# Why a row cannot be tried here, or undef
sub hindrance {
    my ($row) = @_;
    my $random = $row->{flags}{random};
    return "in this version, stock differs from run to run" if $random && $version && $version >= $random;
    for ($row->{command} =~ /-(?:c|codec|vcodec|acodec)(?::\S+)? (lib\w[\w-]*)/g, $row->{flags}{needs} // ()) {
        return "no encoder $_" unless $encoders =~ /^ \S+ \Q$_\E /m;
    }
    return undef;
}

# The command with placeholders filled in; makes what it reads.
sub command_of {
    my ($row) = @_;
    my $text = $row->{command};
    $text =~ s/\{OUT\}/out/g;
    $text =~ s/\{(\w+)\}/make($1); my $f = "..\/..\/in\/$input{$1}[1]"; $f =~ m![^\w.\/]! ? quote($f) : $f/ge;
    return $text;
}

# Start it both ways, side by side.
sub start_row {
    my ($row) = @_;
    my $text = command_of($row);

    for my $who (qw(stock ours)) {
        my $folder = "$top/$who/$row->{number}";
        make_path($folder);
        $row->{$who} = start({ name => "$who-$row->{number}", cwd => $folder, program => '/bin/sh',
                               env => { PATH => $who eq 'ours' ? "$top/bin:$ENV{PATH}" : $ENV{PATH},
                                        $who eq 'stock' ? (FFLEET_TRACE => undef) : () } }, '-c', $text);
    }
}

### comparing

sub files_in {
    my ($folder) = @_;
    my @files;
    find({ no_chdir => 1, wanted => sub { push @files, substr $_, 1 + length $folder if -f } }, $folder);
    return sort @files;
}

# What -progress prints, without what depends on the time or on bytes
sub calm {
    my ($text) = @_;
    return $text unless $text =~ /^progress=end$/m;
    $text =~ s/^.*progress=continue\n//s;
    $text =~ s/^(fps|stream_\w+|bitrate|total_size|speed)=.*\n/$1\n/mg;
    return $text;
}

sub same_bytes { return slurp($_[0]) eq slurp($_[1]) }

# Playlists, without the numbers of bytes in them and the time of day
sub playlist {
    my ($text) = slurp($_[0]);
    $text =~ s/(PROGRAM-DATE-TIME:|availabilityStartTime="|publishTime=")[^"\n]*/$1/g;
    $text =~ s/(BANDWIDTH=|bandwidth="|BYTERANGE:|BYTERANGE=")[\d@]+/$1/g;
    return $text;
}

sub is_playlist { return $_[0] =~ /\.(?:m3u8|mpd)$/ }

sub is_media { return $_[0] =~ /\.(?:mp4|m4v|mov|3gp|3g2|f4v|mkv|webm|ts|m2ts|flv|nut|avi|mxf|mpg|ogv|wmv|asf|m4a|mka|mp3|wav|h264|264|hevc|m2v|ivf|obu)$/ }

# The first difference of the two folders, or undef.
sub different_files {
    my ($row) = @_;
    my ($stock, $ours) = map { "$top/$_/$row->{number}" } qw(stock ours);
    my @names = files_in($stock);
    my $flags = $row->{flags};
    my $exact = $row->{expect} eq 'stock' || $flags->{'exact-packets'};
    my @options = (
        $exact ? '--exact-packets' : (),
        $exact || $flags->{'exact-frames'} ? '--exact-frames' : (),
        $exact ? () : ('--size-percent', $flags->{size} // ($flags->{'exact-frames'} ? 2 : $FREE_KEYFRAMES)),
        map({ ('--ignore', $_) } split /\+/, $flags->{ignore} // ''),
        $flags->{source} ? ('--source', "$top/in/$input{ $flags->{source} }[1]") : (),
    );

    return 'stock made ' . join(' ', @names) . ', ffleet ' . join(' ', files_in($ours))
        if "@names" ne join ' ', files_in($ours);
    # parts of films that are no files by themselves are compared by way of the playlist
    my @changed = grep { !same_bytes("$stock/$_", "$ours/$_") } @names;
    my @lists   = grep { is_playlist($_) } @names;
    my $part    = @lists ? qr/\.m4s$|-stream\d+.*\.webm$/ : qr/\.m4s$/;
    my @parts   = grep { /$part/ } @changed;
    for my $name (grep { is_playlist($_) } @changed) {
        return "$name has another text" if playlist("$stock/$name") ne playlist("$ours/$name");
    }
    @changed = grep { !is_playlist($_) && !(@lists && /$part/) } @changed;
    for my $name (@changed, @parts ? @lists : ()) {
        return "$name has other bytes" unless is_media($name) || is_playlist($name);
        my $pid = open(my $p, '-|') // BAIL_OUT("fork: $!");
        if (!$pid) {
            open STDERR, '>&', \*STDOUT;
            exec $^X, "$FindBin::Bin/../tools/compare.pl", "$stock/$name", "$ours/$name", @options;
        }
        my $text = do { local $/; <$p> } // '';
        close $p;
        return "$name: $text" if $?;
    }
    return undef;
}

# Hosts of another version either have a part in it, or are named with the reason why not.
my ($nb_mixed, %left_out) = (0);

sub note_others {
    my ($row) = @_;
    my %others = map { $_ => 1 } @OTHERS;

    $nb_mixed++ if grep { $others{ $_->{host} } } events($row->{ours}, 'attempt', outcome => 'ok');
    for (grep { $others{ $_->{host} } && $_->{why} } events($row->{ours}, 'host')) {
        push @{ $left_out{ $_->{why} } }, $row->{number};
    }
}

# Who made it: "fleet", "stock" or "nobody", with the reason, and the hosts that encoded segments.
sub maker {
    my ($run) = @_;
    my ($plan) = reverse events($run, 'plan');
    my (%hosts, %segments);

    return ('nobody', 'there is no decision in the trace') unless $plan;
    for (events($run, 'attempt', outcome => 'ok')) {
        $hosts{ $_->{host} }++ if $_->{host} =~ /^h\d$/;
        $segments{ $_->{segment} }++;
    }
    return ($plan->{decision}, $plan->{reason}, scalar keys %hosts, scalar keys %segments);
}

sub tail { return length $_[0] > 800 ? '...' . substr($_[0], -800) : $_[0] }

# What is wrong with a row, or undef. Sets {maker}.
sub judge {
    my ($row) = @_;
    my ($stock, $ours) = map { finish($row->{$_}) } qw(stock ours);
    my ($maker, $reason, $hosts, $segments) = maker($ours);

    $row->{maker} = $maker;
    return "exit status: stock $stock->{status}, ffleet $ours->{status}\n" . tail($ours->{stderr})
        if $stock->{status} ne $ours->{status};
    note_others($row) if defined $other;
    return "stdout: stock has\n" . tail($stock->{stdout}) . "ffleet\n" . tail($ours->{stdout})
        if calm($stock->{stdout}) ne calm($ours->{stdout});
    return "$maker makes it" . ($reason ? ": $reason" : '') if $maker ne $row->{expect};
    return "the reason is: $reason" if $maker eq 'stock' && index($reason, $row->{reason}) < 0;
    return "$segments segments by $hosts hosts" if $maker eq 'fleet' && ($segments < 2 || !$hosts);
    return different_files($row);
}

sub end_row {
    my ($row) = @_;
    my $problem = judge($row);

    local $TODO = $row->{flags}{known} ? 'a known difference' : undef;
    ok(!defined $problem, "$row->{category}: " . $row->{command} =~ s/#/\\#/gr)
        or diag("row $row->{number}: $problem");
    return if $keep;
    remove_tree(map { "$top/$_/$row->{number}" } qw(stock ours));
    unlink map { @{ $row->{$_} }{qw(out err trace)} } qw(stock ours);
}

### all of them

my %nth;   # of each category
my @rows = grep {
    $nth{ $_->{category} }++ % $opt{every} == 0
        && (!defined $opt{only} || $_->{category} =~ /$opt{only}/ || $_->{command} =~ /$opt{only}/)
} read_rows();
my ($part, $parts) = split m{/}, $opt{part};
@rows = @rows[grep { $_ % $parts == $part - 1 } 0 .. $#rows];

make_path("$top/in", "$top/bin");
make_texts("$top/in", 6);
symlink $ffleet, "$top/bin/ffmpeg" or BAIL_OUT("symlink: $!");
fleet_up(3);
stub($_, 'probe exec ' . quote($other) . ' "$@"') for defined $other ? @OTHERS : ();
$ENV{FFLEET_SEGMENT_LENGTH} = 2;
# A row is compared while the next one runs.
my $last;
for my $row (@rows) {
    my $hindrance = hindrance($row);
    start_row($row) unless defined $hindrance;
    end_row($last) if $last;
    $last = defined $hindrance ? undef : $row;
    if (defined $hindrance) {
        SKIP: { skip $hindrance, 1 }
    }
}
end_row($last) if $last;

my @counted  = grep { $_->{maker} && $_->{category} ne 'other' } @rows;
my @expected = grep { $_->{maker} && $_->{expect} eq 'fleet' } @rows;
my @split    = grep { $_->{maker} eq 'fleet' } @counted;
my @kept     = grep { $_->{maker} eq 'fleet' } @expected;
my $format   = '%d of %d (%.1f %%)';
diag(sprintf "split: $format of the commands that encode video at a quality", scalar @split, scalar @counted,
     100 * @split / (@counted || 1));
cmp_ok(100 * @kept, '>=', $EXPECTED_SHARE * @expected,
       sprintf "split: $format of those that are expected to be", scalar @kept, scalar @expected,
       100 * @kept / (@expected || 1));
cmp_ok(100 * @split, '>=', $EXPECTED_SHARE * @counted, 'so many of all')
    unless $opt{only} || $opt{every} > 1 || $parts > 1;
if (defined $other) {
    diag(join ' ', "left out, $_: rows", do { my %u; grep { !$u{$_}++ } @{ $left_out{$_} } }) for sort keys %left_out;
    my $share = "$nb_mixed by hosts of another version";
    $opt{only} ? diag($share) : cmp_ok(2 * $nb_mixed, '>=', scalar @kept, $share);
}
done_testing();
