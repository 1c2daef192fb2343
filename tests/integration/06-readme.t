#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# README's table of what goes to stock, row by row, against --explain; its options against --help.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use Text::ParseWords qw(shellwords);

my $root   = $ENV{SRC_DIR} || abs_path(dirname($0) . '/../..');
my $ffleet = $ENV{FFLEET} || "$root/ffleet";
my $dir    = tempdir('ffleet-readme-XXXXXX', TMPDIR => 1, CLEANUP => 1);
$SIG{INT}  = $SIG{TERM} = sub { exit 1 };
END { chdir '/' }

sub output {
    my $pid = open(my $out, '-|') // BAIL_OUT("fork: $!");
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec { $_[0] } @_ or exit 127;
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return $text;
}

open my $in, '<', "$root/README.md" or BAIL_OUT("README.md: $!");
my @lines = <$in>;
close $in;

chdir $dir or BAIL_OUT($!);
is(output('ffmpeg', qw(-nostdin -v error -f lavfi -i testsrc2=s=96x64:r=10:d=6 -f lavfi -i sine=d=6),
          qw(-c:v libx264 -preset ultrafast -g 10 -c:a aac film.mkv)), '', 'a film');

my @rows = map { /^\| `([^`]+)` \| ([^|]+?) \|$/ ? [ $1, $2 ] : () } @lines;
@rows    = grep { $_->[0] =~ /\bfilm\.mkv|^-i/ } @rows;
cmp_ok(@rows, '>=', 15, 'README has the table');
for (@rows) {
    my ($args, $reason) = @$_;
    my $text = output($ffleet, '--hosts', 'h1', '--explain', shellwords($args));
    $text =~ s/\n.*//s;
    is($text, "stock ffmpeg makes all of it: $reason", $args);
}
like(output($ffleet, '--hosts', 'h1', '--explain', qw(-i film.mkv out.mkv)),
     qr/^the fleet encodes the video$/m, 'and without any of that it is split');

# README, the man page and --help tell of the same options and variables
sub names { return join ' ', sort { $a cmp $b } @_ }
open my $man, '<', "$root/doc/ffleet.1" or BAIL_OUT("ffleet.1: $!");
my @man     = map { /^\.It Fl Fl ([\w-]+)/ ? "--$1" : /^\.It Ev (FFLEET_\w+)/ ? $1 : () } <$man>;
my @readme  = map { /^\| (`(?:--|FFLEET)[^|]*)/ ? $1 =~ /`(--[\w-]+|FFLEET_\w+)/g : () } @lines;
my @printed = output($ffleet, '--help') =~ /^  (--[\w-]+|FFLEET_\w+) /mg;
cmp_ok(@printed, '>', 10, '--help tells of options and variables');
is(names(@readme), names(@printed), 'README tells of the same');
is(names(@man), names(@printed), 'and so does the man page');

done_testing();
