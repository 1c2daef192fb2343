#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# What README tells a newcomer to run first, with a smaller film.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

my $root = abs_path(dirname($0) . '/../..');
my $text = `DEMO_SIZE=256x144 bash '$root/tests/demo.sh' 2>&1 </dev/null`;

is($?, 0, 'exit status') or diag($text);
like($text, qr/^VERDICT: the same film, encoded by SSH hosts/m, 'the verdict');

done_testing();
