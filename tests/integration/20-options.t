#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# The table in options.c against the installed ffmpeg: names, arity, scope; AVOptions by class.

use strict;
use warnings;
use File::Temp qw(tempdir);
use IPC::Open2;
use Test::More;

my $build = $ENV{BUILD} // '.';
my $dump  = $ENV{OPTIONS_DUMP} // "$build/tests/tools/options_dump";
$dump = "./$dump" unless $dump =~ m{/};
$dump = readlink("/proc/self/cwd") . "/$dump" unless $dump =~ m{^/};
plan skip_all => "no $dump" unless -x $dump;

my $dir = tempdir('ffleet-options-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chdir $dir or die $!;
delete $ENV{FFREPORT};
$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END { chdir '/' }

# run WORDS...: what a program prints, both streams; nothing on its stdin
sub run {
    my $pid = open my $out, '-|';
    die $! unless defined $pid;
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec @_ or exit 127;
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return $text;
}

# none LABEL, COMPLAINTS: one test for a whole table
sub none {
    my ($label, @bad) = @_;
    ok(!@bad, $label) or diag(join "\n", @bad);
}

my %table;
for (split /\n/, run($dump)) {
    my ($name, $arity, $flags, $canonical, $spec) = split / /;
    $table{$name} = { arity => $arity, flags => $flags };
}
cmp_ok(keys %table, '>', 150, 'the table was read');

### what ffmpeg prints

my (%printed, %class, $section, $in_class);
for (split /\n/, run('ffmpeg', '-v', 'quiet', '-h', 'full')) {
    if (/^(\S.*) AVOptions:$/) {
        ($in_class, $section) = ($1, undef);
    } elsif (/^([A-Z].*(?:options|capabilities).*):$/) {
        ($section, $in_class) = ($1, undef);
    } elsif (defined $section && /^-([^\s\[]+)/) {    # FFmpeg 7: -c[:<stream_spec>] <codec>
        push @{ $printed{$1} }, $section;
    } elsif (defined $in_class && /^  -(\S+)\s+<\S+>\s+\S*\s?/) {
        $class{$in_class}{$1} = 1;
    }
}
cmp_ok(keys %printed, '>', 150, 'ffmpeg printed its options');
my @known = sort keys %printed;

none('every option of ffmpeg is in the table',
     map { "-$_" } grep { !$table{$_} } @known);
none('an option of the help section informs, others do not', map { "-$_" } grep {
    my $informs = grep { /information/ } @{ $printed{$_} };
    $table{$_} && !!$informs != ($table{$_}{flags} =~ /x/);
} @known);
none('global is what stands in a section for it', map { "-$_" } grep {
    my $global = grep { /information|lobal options/ } @{ $printed{$_} };
    $table{$_} && !!$global != ($table{$_}{flags} =~ /g/);
} @known);

### arity: ffmpeg tells at debug level how it splits; the bad -max_alloc stops it after that

my @words = qw(-v debug -loglevel debug -max_alloc PROBE);
my @probed = grep { !/^(?:v|loglevel|max_alloc)$/ } @known;
push @words, map { ("-$_", 'PROBE') } @probed;
my %takes;
for (split /\n/, run('ffmpeg', @words)) {
    $takes{$1} = ($2 eq 'PROBE') if /^Reading option '-(\S+)' .* with argument '(\w*)'\.$/;
}
none('ffmpeg told of each', map { "-$_" } grep { !defined $takes{$_} } @probed);
none('arity is right', map { "-$_ takes " . ($takes{$_} ? 'an' : 'no') . ' argument' } grep {
    $table{$_} && $table{$_}{flags} !~ /x/ && !!$table{$_}{arity} != !!$takes{$_};
} @probed);

# a boolean can be denied, others cannot
@words = (qw(-v debug -loglevel debug -max_alloc PROBE), map { "-no$_" }
          grep { $table{$_} && $table{$_}{flags} =~ /b/ } @known);
unlike(run('ffmpeg', @words), qr/^Unrecognized/m, 'each boolean may be typed as -noX');
none('and only those', map { "-$_" } grep {
    run('ffmpeg', '-v', 'error', '-max_alloc', 'PROBE', "-no$_", '-y') !~ /Unrecognized option/;
} grep { $table{$_} && $table{$_}{flags} !~ /[bx]/ && !$table{$_}{arity} } @known);

### scope: whom may the per-file options be applied to?

my @wrong;
for my $name (grep { $table{$_} && $table{$_}{flags} !~ /g/ } @known) {
    my @option = ("-$name", $takes{$name} ? 'PROBE' : ());
    my $in  = run('ffmpeg', '-v', 'error', @option, '-i', '/no/such/file');
    my $out = run('ffmpeg', '-v', 'error', @option, '/no/such/folder/file');
    push @wrong, "-$name and an input"
        if ($in !~ /cannot be applied to/) != ($table{$name}{flags} =~ /i/);
    push @wrong, "-$name and an output"
        if ($out !~ /cannot be applied to/) != ($table{$name}{flags} =~ /o/);
}
none('scope is right', @wrong);

### AVOptions

# classes NAMES...: name => AVCLASS_* bits
sub classes {
    my $pid = open2(my $from, my $to, $dump, 'avclass');
    local $SIG{PIPE} = 'IGNORE';
    if (!fork) {
        print $to map { "$_\n" } @_;
        close $to;
        require POSIX;
        POSIX::_exit(0);
    }
    close $to;
    my %bits = map { split / / } map { chomp; $_ } <$from>;
    waitpid $pid, 0;
    wait;
    return %bits;
}

# 1 codec, 2 format, 4 swscale, 8 swresample
my @refused = qw(srcw srch dstw dsth src_format dst_format);
for ([AVCodecContext => 1], [AVFormatContext => 2], ['libx264' => 1], [URLContext => 2],
     ['mov/mp4/tgp/psp/tg2/ipod/ismv/f4v muxer' => 2]) {
    my ($name, $bit) = @$_;
    my @names = sort keys %{ $class{$name} // {} };
    next unless @names;
    my %bits = classes(@names);
    none("the options of $name are known (" . @names . ')',
         map { "-$_" } grep { !($bits{$_} & $bit) } @names);
}
for ([SWScaler => 4], [SWResampler => 8]) {
    my ($name, $bit) = @$_;
    my %refused = map { $_ => 1 } @refused;
    my @names = grep { !$refused{$_} } sort keys %{ $class{$name} // {} };
    cmp_ok(@names, '>', 5, "$name has options");
    my %bits = classes(@names);
    none("the options of $name are known", map { "-$_" } grep { !$bits{$_} } @names);
}
my %refused_bits = classes(@refused);
none('those that ffmpeg refuses are not', grep { $refused_bits{$_} } @refused);

# An entry of another version must not hide an AVOption of this one that takes an argument.
my @others = grep { !$printed{$_} } sort keys %table;
my %bits   = classes(@others);
none('no entry of another version hides an AVOption',
     grep { $bits{$_} && !$table{$_}{arity} } @others);

done_testing();
