#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Random frame times, filters that change them, rates and time limits, by the whole way: the fleet's output frames and
# their times are stock's.
#
#   FFLEET_TEST_ALL=1     500 cases instead of 12
#   FFLEET_TEST_SEED=N    only that one

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;

my @seeds = $ENV{FFLEET_TEST_SEED} // (1 .. ($ENV{FFLEET_TEST_ALL} ? 500 : 12));

sub any { return $_[rand @_] }

# Times on a coarse clock, frames lost, pauses, noise; and how far keyframes are apart.
sub random_input {
    my $rate = any(qw(25 30000/1001 24 50 12));
    my $vary = any('null', 'select=gt(random(%d)\,0.3)', 'setpts=PTS+floor(random(%d)*0.8/TB/50)',
                   'setpts=PTS+gte(N\,40)*0.7/TB', 'select=not(eq(mod(n\,7)\,3)+eq(mod(n\,11)\,5))');
    my $name = any(qw(in.mkv in.mp4 in.nut in.ts));
    $vary =~ s/%d/int rand 1000/e;
    return ($name, qw(-f lavfi -i), "testsrc2=s=96x64:r=$rate:d=5", '-vf', $vary,
            qw(-fps_mode vfr -c:v libx264 -preset ultrafast -qp 20 -g), any(10, 17, 25), '-bf', any(0, 2));
}

sub random_filters {
    return any('', '', 'fps=' . any(20, 30, '30000/1001', '7:round=up'), 'framestep=' . any(2, 3),
               'setpts=' . any('0.5*PTS', '1.3*PTS'), 'select=not(mod(n\,' . any(2, 3) . '))', 'yadif=1',
               'tmix=3', 'fps=15,tmix=3', 'yadif,fps=20', 'fade=d=2', 'trim=0.5:4,fps=25');
}

# [options of the input, others, name of the output]
sub random_command {
    my @in     = any(0, 0, 1) ? ('-ss', sprintf '%.3f', rand 1.5) : ();
    my $filter = random_filters();
    my @out    = length $filter ? ('-vf', $filter) : ();
    push @out, '-ss', sprintf '%.3f', rand 1 if any(0, 0, 0, 1);
    push @out, '-t', sprintf '%.3f', 2 + rand 3 if any(0, 0, 1);
    push @out, '-r', any(25, 24, '30000/1001', 60) if any(0, 0, 1);
    push @out, '-fps_mode', any(qw(cfr vfr)) if any(0, 0, 1);
    return (\@in, [@out, qw(-c:v mjpeg -q:v 3 -pix_fmt yuvj420p -strict -1)], any(qw(out.mkv out.mov)));
}

fleet_up(3);
my ($nb_cases, $nb_fleet) = (0, 0);
for my $seed (@seeds) {
    srand $seed;
    my ($name, @how) = random_input();
    my ($in, $out, $output) = random_command();

    unlink "$top/$name";
    make_input($name, @how);
    my @words = (qw(-nostdin -y -v error), @$in, '-i', $name, @$out);
    my $stock = stock({}, @words, "stock-$output");
    my $ours  = run({}, @words[0 .. 3], qw(--segment-length 1), @words[4 .. $#words], "ours-$output");
    my $what  = "seed $seed: @how $name; @$in @$out $output";
    $nb_cases++;
    $nb_fleet++ if grep { $_->{decision} eq 'fleet' } (events($ours, 'plan'))[-1];
    is($ours->{status}, $stock->{status}, "$what: exit status") or diag($ours->{stderr});
    next if $stock->{status};
    compare_ok("$top/stock-$output", "$top/ours-$output", $what, '--exact-frames');
}
cmp_ok($nb_fleet, '>=', 0.6 * $nb_cases, "most are the fleet's ($nb_fleet of $nb_cases)");

done_testing();
