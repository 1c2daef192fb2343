#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hold a media file of ours against stock ffmpeg's, by ffprobe and framemd5.
#
#   compare.pl STOCK OURS [options]
#
#   --source FILE     SSIM of both to this file must agree within 0.002
#   --exact-frames    decoded video frames must be identical
#   --exact-packets   video packets must be identical too
#   --size-percent N  how far the size may differ (2)
#   --ssim-delta N    how far the SSIM may differ (0.002)
#   --ignore NAME     leave out a field of streams, format or packets; may be repeated
#   --table           print every check, not only the first difference
#
# Always equal: format, streams (order, parameters, tags, dispositions, time bases, side data,
# extradata), chapters, programs; every packet of what is not video, byte for byte; of video every
# pts and duration, a keyframe at first, DTS that grow and never pass the pts, the number of
# decoded frames and what the first one carries. Free: video packet bytes, bit rates, file size
# within its bound.
#
# Exit status: 0 equal, 1 different (the first difference on stdout), 2 could not compare.

use strict;
use warnings;
use Getopt::Long;
use JSON::PP;
use List::Util qw(max min);
use POSIX ();

my $FFPROBE = $ENV{FFPROBE} || 'ffprobe';
my $FFMPEG  = $ENV{FFMPEG}  || 'ffmpeg';

my %opt = ('size-percent' => 2, 'ssim-delta' => 0.002, ignore => []);
GetOptions(\%opt, 'source=s', 'exact-frames', 'exact-packets', 'size-percent=f',
           'ssim-delta=f', 'ignore=s@', 'table')
    && @ARGV == 2
    or die_usage("usage: compare.pl STOCK OURS [--source FILE] [--exact-frames]"
               . " [--exact-packets] [--table]");
my %ignored = map { $_ => 1 } @{ $opt{ignore} };
my ($stock_name, $ours_name) = @ARGV;

sub die_usage {
    print STDERR "$_[0]\n";
    exit 2;
}

### running the tools

# Run a program without a shell; returns its stdout, its stderr and whether it went well.
sub capture {
    my @cmd = @_;
    my $pid = open(my $out, '-|') // die_usage("compare: fork: $!");
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDERR, '>&', \*STDOUT if $cmd[0] eq '2>&1' && shift @cmd;
        exec { $cmd[0] } @cmd or print(STDERR "compare: $cmd[0]: $!\n"), POSIX::_exit(127);
    }
    local $/;
    my $text = <$out>;
    my $ok   = close $out;
    return ($text // '', $ok);
}

# What ffprobe tells of a file: all but its packets, and these by stream index (a list of hashes; {rest} is all that
# is not one of the named fields). They are too many to be decoded as JSON in Perl.
sub probe {
    my ($file) = @_;
    my ($text, $ok) = capture($FFPROBE, qw(-v error -of json=compact=1 -show_data_hash md5 -show_format
                              -show_streams -show_chapters -show_programs -show_packets), $file);
    my $packets = $text =~ s/^    "packets": \[\n(.*?)^    \],\n//ms ? $1 : '';
    my $info = $ok && eval { JSON::PP->new->decode($text) };
    my @streams;

    die_usage("compare: ffprobe cannot read $file") unless $info;
    for (grep { /\S/ } split /^        (?=\{ )/m, $packets) {
        my %p;
        my @rest = s/"\w+":\s*(?:\[.*\]|\{[^{}]*\})//s ? $& : ();   # lists of side data
        while (/"(\w+)": (?:"([^"]*)"|([^\s",]+))/g) {
            my ($k, $v) = ($1, $2 // $3);
            if ($k =~ /^(?:stream_index|pts|dts|duration|size|flags|data_hash)$/) {
                $p{$k} = $v;
            } elsif ($k !~ /^(?:pos|codec_type|pts_time|dts_time|duration_time)$/) {
                push @rest, "$k=$v";
            }
        }
        die_usage("compare: a packet of $file cannot be read: $_") unless defined $p{stream_index} && $p{data_hash};
        delete @p{ grep { $ignored{$_} } keys %p };
        $p{rest} = join '|', @rest;
        push @{ $streams[ $p{stream_index} ] }, \%p;
    }
    delete @$_{qw(nb_read_packets nb_read_frames)} for @{ $info->{streams} };   # the packets themselves tell more
    return ($info, \@streams);
}

# The decoded frames of one stream: framemd5's lines (without dts), and what the decoder complained of.
sub decode {
    my ($file, $index) = @_;
    my ($text, $ok) = capture('2>&1', $FFMPEG, qw(-nostdin -v error -i), $file, '-map', "0:$index",
                              qw(-fps_mode passthrough -enc_time_base 1/1000000 -f framemd5 -));
    my (@frames, @errors);
    for (split /\n/, $text) {
        if (/^\d+,\s*(-?\d+|NOPTS),\s*(-?\d+|NOPTS),\s*(\d+),\s*\d+,\s*(\w+)/) {
            push @frames, "pts $2, md5 $4";
        } elsif (!/^#/) {
            push @errors, $_;
        }
    }
    return { frames => \@frames, errors => \@errors, ok => $ok };
}

sub first_frame {
    my ($file, $index) = @_;
    my ($text, $ok) = capture($FFPROBE, qw(-v error -of json -read_intervals), '%+#1',
                              qw(-show_frames -select_streams), $index, $file);
    my $info = $ok && eval { JSON::PP->new->decode($text) };
    my $f = $info && $info->{frames}[0];
    die_usage("compare: no frame of stream $index in $file") unless $f;
    delete @$f{ grep { /^(?:pkt_|best_effort_)|^(?:pict_type|coded_picture_number|crop_)/ } keys %$f };
    return $f;
}

# SSIM to the source, which is scaled to the file's size; both are made to start at 0.
sub ssim {
    my ($file, $index, $stream) = @_;
    my $zero  = 'setsar=1,setpts=PTS-STARTPTS';
    my $graph = "[1:v:0]scale=$stream->{width}:$stream->{height},format=$stream->{pix_fmt},$zero\[s];"
              . "[0:$index]$zero\[f];[f][s]ssim";
    my ($text) = capture('2>&1', $FFMPEG, qw(-nostdin -v info -nostats -i), $file, '-i', $opt{source},
                         '-lavfi', $graph, qw(-f null -));
    my ($all) = $text =~ /SSIM .*All:\s*([\d.]+)/;
    die_usage("compare: no SSIM of $file to $opt{source}") unless defined $all;
    return $all;
}

### comparing

my $differences = 0;
my @rows;

# One check. $difference: undef, or what differs in one line. $good: the word for "no difference"
sub row {
    my ($what, $stock, $ours, $difference, $good) = @_;
    push @rows, [ $what, $stock, $ours, $difference, $good // 'equal' ];
    return unless defined $difference;
    $differences++;
    return if $opt{table};
    print "different: $difference\n";
    exit 1;
}

# All checks: first of the file, then of each stream ("stream 0 (video h264): check").
sub print_table {
    my $format = "%-24s %-22s %-24s %s\n";
    my (%of, @groups);
    for (@rows) {
        my ($group, $check) = $_->[0] =~ /^(stream .*?): (.*)/ ? ($1, "  $2") : ('', $_->[0]);
        push @groups, $group if $group ne '' && !$of{$group};
        push @{ $of{$group} }, [ $check, @$_[1 .. 4] ];
    }
    printf $format, '', 'stock', 'ours', '';
    for my $group ('', @groups) {
        print "$group\n" if $group ne '';
        for (@{ $of{$group} }) {
            printf $format, @$_[0 .. 2], defined $_->[3] ? 'DIFFERENT' : $_->[4];
            print "  different: $_->[3]\n" if defined $_->[3];
        }
    }
    print $differences ? "verdict: $differences difference(s)\n" : "verdict: equal\n";
}

# The first difference of two JSON values, or undef. $skip: names left out, in every depth.
sub diff {
    my ($where, $s, $o, $skip) = @_;
    return "$where: stock has " . show($s) . ", ours " . show($o) if ref($s // '') ne ref($o // '');
    if (ref $s eq 'HASH') {
        my %keys = map { $_ => 1 } keys %$s, keys %$o;
        for my $k (sort keys %keys) {
            next if $skip->{$k} || $ignored{$k};
            return "$where: only stock has $k (" . show($s->{$k}) . ")" unless exists $o->{$k};
            return "$where: only ours has $k (" . show($o->{$k}) . ")" unless exists $s->{$k};
            my $d = diff("$where $k", $s->{$k}, $o->{$k}, $skip);
            return $d if defined $d;
        }
    } elsif (ref $s eq 'ARRAY') {
        for my $i (0 .. max(scalar @$s, scalar @$o) - 1) {
            return "$where: only stock has number $i (" . show($s->[$i]) . ")" if $i >= @$o;
            return "$where: only ours has number $i (" . show($o->[$i]) . ")" if $i >= @$s;
            my $d = diff("$where $i", $s->[$i], $o->[$i], $skip);
            return $d if defined $d;
        }
    } elsif (($s // "\0") ne ($o // "\0")) {
        return "$where: stock has " . show($s) . ", ours " . show($o);
    }
    return undef;
}

sub show {
    my ($v) = @_;
    return 'nothing' unless defined $v;
    my $text = ref $v && !JSON::PP::is_bool($v) ? JSON::PP->new->canonical->encode($v) : "$v";
    return length $text > 200 ? substr($text, 0, 200) . '...' : $text;
}

sub is_video {
    my ($st) = @_;
    return ($st->{codec_type} // '') eq 'video' && !$st->{disposition}{attached_pic};
}

sub stream_name {
    my ($st) = @_;
    return "stream $st->{index} (" . ($st->{codec_type} // 'unknown') . " "
         . ($st->{codec_name} // $st->{codec_tag_string} // '?') . ")";
}

# The most telling parameters of a stream, for the table
sub describe {
    my ($st) = @_;
    return "$st->{width}x$st->{height} " . ($st->{pix_fmt} // '') if $st->{width};
    return "$st->{sample_rate} Hz, $st->{channels} ch" if $st->{sample_rate} && $st->{channels};
    return $st->{tags}{language} // '';
}

sub bytes {
    my ($packets) = @_;
    my $sum = 0;
    $sum += $_->{size} // 0 for @$packets;
    return scalar(@$packets) . ", $sum bytes";
}

sub num { defined $_[0] && $_[0] =~ /^-?\d+$/ }

# The first packet that differs in one of these fields, or undef.
sub diff_packets {
    my ($name, $s, $o, @fields) = @_;
    for my $i (0 .. max(scalar @$s, scalar @$o) - 1) {
        return "$name: stock has " . @$s . " packets, ours " . @$o . " (the first $i agree)"
            if $i >= @$s || $i >= @$o;
        for my $f (@fields) {
            my ($sv, $ov) = map { $_->[$i]{$f} // '' } $s, $o;
            return "$name packet $i: $f: stock has $sv, ours $ov" if $sv ne $ov;
        }
    }
    return undef;
}

sub by_pts {
    return [ sort { (num($a->{pts}) ? $a->{pts} : 0) <=> (num($b->{pts}) ? $b->{pts} : 0) } @{ $_[0] } ];
}

# What is wrong with a stream's DTS, or undef.
sub bad_dts {
    my ($name, $packets) = @_;
    my $last;
    for my $i (0 .. $#$packets) {
        my ($pts, $dts) = @{ $packets->[$i] }{qw(pts dts)};
        next unless num($dts);
        return "$name packet $i: dts $dts after $last" if defined $last && $dts <= $last;
        return "$name packet $i: dts $dts above pts $pts" if num($pts) && $dts > $pts;
        $last = $dts;
    }
    return undef;
}

sub compare_video_packets {
    my ($name, $s, $o) = @_;
    my ($sp, $op) = (by_pts($s), by_pts($o));

    row("$name: timestamps", scalar @$s . ' packets', scalar @$o . ' packets',
        diff_packets("$name (by pts)", $sp, $op, 'pts'));
    # Containers that keep no durations show distances of DTS, whose order is the file's.
    my $d = diff_packets("$name (by pts)", $sp, $op, 'duration', 'rest');
    $d = undef if defined $d && !defined diff_packets($name, $s, $o, 'duration', 'rest');
    row("$name: durations", map({ scalar(grep { num($_->{duration} // '') } @$_) . ' packets' } $s, $o), $d);
    my @keys = map { ($_->[0]{flags} // '') =~ /K/ } $s, $o;
    row("$name: first packet", map({ $_ ? 'keyframe' : 'no keyframe' } @keys),
        $keys[0] && !$keys[1] ? "$name packet 0: no keyframe" : undef);
    my @bad = (bad_dts($name, $s), bad_dts("ours: $name", $o));
    row("$name: dts", map({ defined $_ ? 'out of order' : 'in order' } @bad), defined $bad[0] ? undef : $bad[1]);
    row("$name: packet bytes", map({ bytes($_) } $s, $o),
        diff_packets($name, $s, $o, qw(pts dts duration size flags data_hash rest)))
        if $opt{'exact-packets'};
}

# $s, $o: the packets. Those that are equal decode alike; there is nothing to be learned from doing it, then.
sub compare_video_frames {
    my ($name, $st, $s_packets, $o_packets) = @_;
    my @fields = qw(pts dts duration size flags data_hash rest);
    my $known  = !$opt{table} && !%ignored;

    return if $known && !defined diff_packets($name, $s_packets, $o_packets, @fields);
    my ($s, $o) = map { decode($_, $st->{index}) } $stock_name, $ours_name;
    my ($ns, $no) = (scalar @{ $s->{frames} }, scalar @{ $o->{frames} });

    row("$name: decoded", "$ns frames", "$no frames",
        $ns != $no ? "$name: stock decodes to $ns frames, ours to $no" : undef);
    row("$name: decoder's errors", scalar @{ $s->{errors} }, scalar @{ $o->{errors} },
        @{ $o->{errors} } && !@{ $s->{errors} } ? "$name: decoding ours: $o->{errors}[0]" : undef);
    unless ($known && @$s_packets && @$o_packets && !defined diff_packets($name, [$s_packets->[0]], [$o_packets->[0]], @fields)) {
        my @first = map { first_frame($_, $st->{index}) } $stock_name, $ours_name;
        row("$name: first frame", map({ ($_->{pts_time} // '?') . ' s' } @first),
            diff("$name frame 0", @first, {}));
    }
    return unless $opt{'exact-frames'};
    my $d;
    for my $i (0 .. min($ns, $no) - 1) {
        next if $s->{frames}[$i] eq $o->{frames}[$i];
        $d = "$name frame $i: stock has $s->{frames}[$i], ours $o->{frames}[$i]";
        last;
    }
    row("$name: frame bytes", "$ns frames", "$no frames", $d);
}

sub compare_streams {
    my ($s, $o) = @_;
    my ($ns, $no) = (scalar @{ $s->{streams} }, scalar @{ $o->{streams} });
    row('streams', join(' ', map { $_->{codec_name} // '?' } @{ $s->{streams} }),
        join(' ', map { $_->{codec_name} // '?' } @{ $o->{streams} }),
        $ns != $no ? "stock has $ns streams, ours $no" : undef);
    for my $i (0 .. min($ns, $no) - 1) {
        my ($st, $ot) = ($s->{streams}[$i], $o->{streams}[$i]);
        my %skip = is_video($st) ? (bit_rate => 1, max_bit_rate => 1, variant_bitrate => 1) : ();
        row(stream_name($st) . ': parameters', describe($st), describe($ot), diff(stream_name($st), $st, $ot, \%skip));
    }
}

sub compare_files {
    my ($s, $sp) = probe($stock_name);
    my ($o, $op) = probe($ours_name);
    my %file_only = map { $_ => 1 } qw(filename size bit_rate);

    my @names = map { $_->{format}{format_name} } $s, $o;
    row('container', map({ s/,.*//r } @names),
        $names[0] ne $names[1] ? "container: stock has $names[0], ours $names[1]" : undef);
    compare_streams($s, $o);
    row('duration, tags', map({ ($_->{format}{duration} // '?') . ' s' } $s, $o),
        diff('format', $s->{format}, $o->{format}, \%file_only));
    row('chapters', scalar @{ $s->{chapters} }, scalar @{ $o->{chapters} },
        diff('chapter', $s->{chapters}, $o->{chapters}, {}));
    row('programs', scalar @{ $s->{programs} }, scalar @{ $o->{programs} },
        diff('program', $s->{programs}, $o->{programs}, { streams => 1 }));

    for my $st (@{ $s->{streams} }) {
        my ($own_s, $own_o) = map { $_->[ $st->{index} ] // [] } $sp, $op;
        if (is_video($st)) {
            compare_video_packets(stream_name($st), $own_s, $own_o);
        } else {
            row(stream_name($st) . ': packets, byte by byte', bytes($own_s), bytes($own_o),
                diff_packets(stream_name($st), $own_s, $own_o, qw(pts dts duration size flags data_hash rest)));
        }
    }

    my @video = grep { is_video($_) } @{ $s->{streams} };
    compare_video_frames(stream_name($_), $_, map { $_ // [] } $sp->[ $_->{index} ], $op->[ $_->{index} ]) for @video;

    my ($ss, $os) = map { -s $_ } $stock_name, $ours_name;
    my $percent = $ss ? 100 * ($os - $ss) / $ss : 0;
    row('size', $ss, sprintf('%d (%+.2f %%)', $os, $percent),
        abs($percent) > $opt{'size-percent'}
            ? sprintf('size: stock has %d bytes, ours %d (%+.2f %%)', $ss, $os, $percent) : undef,
        "within $opt{'size-percent'} %");

    if ($opt{source} && @video) {
        my ($q, $r) = map { ssim($_, $video[0]{index}, $video[0]) } $stock_name, $ours_name;
        row('SSIM to the source', $q, $r, abs($q - $r) > $opt{'ssim-delta'}
            ? sprintf('SSIM to the source: stock has %.6f, ours %.6f', $q, $r) : undef,
            "within $opt{'ssim-delta'}");
    }
}

for ($stock_name, $ours_name, $opt{source} // ()) {
    die_usage("compare: no such file: $_") unless -f $_;
}
compare_files();
print_table() if $opt{table};
exit($differences ? 1 : 0);
