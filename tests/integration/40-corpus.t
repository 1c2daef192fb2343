#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# A third of the corpus, some of every category, in two halves; make check-corpus runs all of it.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $run = abs_path(dirname(__FILE__) . '/../corpus/run.pl');
delete $ENV{FFLEET_TEST_OTHER_FFMPEG};   # see 38-versions.t
exec $^X, $run, '--every', '3', '--part', '1/2' or die "$run: $!";
