#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A part of the corpus by hosts of which two run an ffmpeg of another version: equal to stock here, or
# they are named and left out.
#
#   FFLEET_TEST_OTHER_FFMPEG=FILE  that ffmpeg; without it nothing is tested

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

plan skip_all => 'set FFLEET_TEST_OTHER_FFMPEG to an ffmpeg of another version' unless $ENV{FFLEET_TEST_OTHER_FFMPEG};
my $run = abs_path(dirname(__FILE__) . '/../corpus/run.pl');
exec $^X, $run, '--every', '6' or die "$run: $!";
