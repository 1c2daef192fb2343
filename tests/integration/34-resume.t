#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --resume: killed at any moment, the same command goes on where it was, and the output is the same.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;
use Time::HiRes qw(sleep);

my @encode = qw(-c:v libx264 -preset ultrafast -qp 25 -g 25 -sc_threshold 0 -c:a copy);
my @args   = (qw(-nostdin --resume --segment-length 0.5 -v error -i in.mp4), @encode, 'ours.mp4');

fleet_up(2);
make_input('in.mp4', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=10 -f lavfi -i sine=d=10),
           qw(-c:v libx264 -preset ultrafast -g 25 -c:a aac));
my $whole = run({}, @args[0, 2 .. $#args - 1], 'whole.mp4');
is($whole->{status}, 0, 'uninterrupted');
my $segments = events($whole, 'attempt', outcome => 'ok');
cmp_ok($segments, '>=', 10, 'in many segments');

sub folder { return "$top/ours.mp4.ffleet" }
sub kept   { return scalar grep { /^done / } split /\n/, slurp(folder() . '/journal') }

sub whole_ok {
    my ($name, $run, $kept) = @_;
    is($run->{status}, 0, "$name: status") or diag($run->{stderr});
    ok(slurp("$top/ours.mp4") eq slurp("$top/whole.mp4"), "$name: the output is the same");
    is(scalar events($run, 'restored'), $kept, "$name: all that was kept is used");
    my %ok = map { $_->{segment} => 1 } events($run, 'attempt', outcome => 'ok');
    is(scalar(keys %ok), $segments - $kept, "$name: only the rest is encoded");
    ok(!-e folder(), "$name: nothing is left");
    unlink "$top/ours.mp4";
}

# Hosts that are slow, and of which no attempt ends once so many segments are done, with those of earlier runs: what
# comes late finds a run that has not ended.
my $nb_runs = 0;
sub slow {
    my ($most) = @_;
    my ($left, $tickets) = ($most - kept(), "$top/tickets" . $nb_runs++);
    mkdir $tickets or BAIL_OUT("$tickets: $!");
    stub($_, "sleep 0.15; n=1; until mkdir $tickets/\$n 2>/dev/null || [ \$n = 100 ]; do n=\$((n + 1)); done\n"
           . "[ \$n -le $left ] || exec sleep 300\n" . 'exec $FFMPEG "$@"') for qw(h1 h2);
    return $tickets;
}

# Kill it when so many segments are done, or a little later
sub killed {
    my ($after, $delay) = @_;
    slow($after + 3);
    my $run = start({}, @args);
    ok(wait_for { kept() >= $after }, "killed after $after: so far") if $after;
    sleep $delay;
    kill 'KILL', $run->{pid};
    return finish($run)->{status};
}

my $seed = $ENV{FFLEET_FAULT_SEED} // 1;
note("FFLEET_FAULT_SEED=$seed");
srand $seed;
for my $n (0 .. 4) {
    my $after = int(0.12 * $n * $segments);
    is(killed($after, 0.3 * rand), 137, "killed after $after");
    my $kept = kept();
    unstub(qw(h1 h2));
    whole_ok("killed after $after", run({}, @args), $kept);
}

# twice in one run, with other hosts, and once by a signal that it can catch
killed(2, 0);
killed(4, 0);
my $before = kept();
slow($before + 2);
my $run = start({}, @args);
ok(wait_for { kept() > $before }, 'interrupted: so far');
kill 'INT', $run->{pid};
is(finish($run)->{status}, 255, 'interrupted: status');
my $kept = kept();
cmp_ok($kept, '>', $before, 'interrupted: what is done is kept');
unstub(qw(h1 h2));
whole_ok('interrupted', run({ env => { FFLEET_HOSTS => 'h2' } }, @args), $kept);

# before the first segment is there, when what the trial made is the output
my $tickets = slow(0);
$run = start({}, @args);
ok(wait_for { -d "$tickets/1" }, 'interrupted early: so far');
kill 'INT', $run->{pid};
is(finish($run)->{status}, 255, 'interrupted early: status');
ok(-s "$top/ours.mp4", 'interrupted early: a few frames are there');
unstub(qw(h1 h2));
whole_ok('interrupted early', run({}, @args), 0);

# what is damaged is done again: a result, and the end of the list
killed(4, 0);
$kept = kept();
my ($done) = slurp(folder() . '/journal') =~ /^done (\d+) /m;
my $file  = folder() . "/$done.nut";
my $bytes = slurp($file);
substr($bytes, length($bytes) / 2, 1) ^= "\x55";
put($file, $bytes);
put(folder() . '/journal', slurp(folder() . '/journal') . 'done 19 47');
unstub(qw(h1 h2));
whole_ok('damaged', run({}, @args), $kept - 1);

# another command's, a changed input's, and a stranger's are refused, and not touched
killed(2, 0);
unstub(qw(h1 h2));
my $list = slurp(folder() . '/journal');
sub refused {
    my ($name, @words) = @_;
    my $run = run({}, @words);
    is($run->{status}, 1, "$name: status");
    like($run->{stderr}, qr/^\S*ours\.mp4\.ffleet holds the work of another command, or its input has changed/m, "$name: why");
    ok(slurp(folder() . '/journal') eq $list, "$name: not touched");
}
refused('another quality', map { $_ eq '25' ? '26' : $_ } @args);
utime 1, 1, "$top/in.mp4";
refused('another input', @args);
put(folder() . '/journal', $list = "my diary\n");
refused('no journal', @args);

# what filters read from files
unlink glob(folder() . '/*'), "$top/ours.mp4";
my $cube = "LUT_1D_SIZE 2\n0 0 0\n%s 1 1\n";
put("$top/in.cube", sprintf $cube, 1);
put("$top/in.filter", 'lut1d=file=in.cube');
my @filtered = (@args[0 .. $#args - 1], '-filter_script:v', 'in.filter', 'ours.mp4');
slow(2);
$run = start({}, @filtered);
ok(wait_for { -e folder() . '/journal' && kept() }, 'filters: so far');
kill 'INT', $run->{pid};
finish($run);
unstub(qw(h1 h2));
$list = slurp(folder() . '/journal');
put("$top/in.cube", sprintf $cube, 0.5);
refused('another table', @filtered);
put("$top/in.cube", sprintf $cube, 1);
put("$top/in.filter", 'lut1d=file=in.cube,hflip');
refused('another script', @filtered);

# --work-dir
put("$top/ours.mp4", 'old');
$run = run({}, qw(--work-dir kept -y), @args[2 .. $#args]);
ok($run->{status} == 0 && slurp("$top/ours.mp4") eq slurp("$top/whole.mp4") && !-e "$top/kept", '--work-dir');

done_testing();
