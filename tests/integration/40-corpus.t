#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every third command of the corpus; make check-corpus runs all of them.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $run = abs_path(dirname(__FILE__) . '/../corpus/run.pl');
exec $^X, $run, '--third' or die "$run: $!";
