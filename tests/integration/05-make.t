#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What make sees without configure: files that are new, changed or gone, and the tools of the tests.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
my $dir = tempdir('ffleet-make-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $makefile = ($ENV{SRC_DIR} || abs_path(dirname($0) . '/../..')) . '/Makefile';

sub make { return scalar `cd $dir && make -f $makefile SRC=. @_ 2>&1` }
sub content {
    my ($name, $text) = @_;
    open my $fh, '>', "$dir/$name" or die "$name: $!";
    print $fh $text;
    close $fh or die "$name: $!";
}
sub members { return join ' ', sort split ' ', `ar t $dir/remote/libremote.a` }
# Dates are compared: this one is older than all that is made.
sub age { utime 1, 1, map { glob "$dir/$_" } @_ }

make_path("$dir/remote", "$dir/tests/tools");
content('config.mak', '');
content('remote/one.c', "int one(void);\nint one(void) { return 1; }\n");
content('remote/two.h', "#define TWO 2\n");
content('remote/two.c', "#include \"two.h\"\nint two(void);\nint two(void) { return TWO; }\n");
content('tests/tools/tool.c', "int main(void) { return 0; }\n");
age('config.mak', 'remote/*');

my $said = make('remote/libremote.a');
is(members(), 'one.o two.o', 'a library of what there is') or diag $said;
is(make('remote/libremote.a'), '', 'which is made once');
content('remote/three.c', "int three(void);\nint three(void) { return 3; }\n");
$said = make('remote/libremote.a');
is(members(), 'one.o three.o two.o', 'a file that is new') or diag $said;
unlink "$dir/remote/one.c";
$said = make('remote/libremote.a');
is(members(), 'three.o two.o', 'one that is gone') or diag $said;
age('remote/*.o');
content('remote/two.h', "#define TWO 3\n");
like(make('-n', 'remote/libremote.a'), qr/two\.o/, 'a header that has changed');

unlike(make('-nk', 'all'), qr{tests/tools/tool}, 'tools of the tests are not for all');
content('tests/tools/tool', '');
age('tests/tools/tool');
like(make('-nk', 'all'), qr{tests/tools/tool\.o}, 'but once there, they stay up to date');

done_testing();
