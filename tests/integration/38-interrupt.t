#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# SIGINT at any moment, while hosts are looked for, during the trial, the encode and the join: what is there plays,
# hosts are free again, and nothing stays anywhere. FFLEET_INTERRUPTS: how many; FFLEET_FAULT_SEED: of the first.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $count = $ENV{FFLEET_INTERRUPTS};
my $seed  = $ENV{FFLEET_FAULT_SEED} // (defined $count ? time ^ $$ : 1);
$count //= 4;
my @encode = qw(-c:v libx264 -preset ultrafast -qp 25 -g 25 -sc_threshold 0 -c:a copy);
my @args   = (qw(-nostdin -y -v error --segment-length 0.5 -i in.mp4), @encode, 'ours.mkv');

fleet_up(3);
make_input('in.mp4', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=10 -f lavfi -i sine=d=10),
           qw(-c:v libx264 -preset ultrafast -g 25 -c:a aac));
my $begin = time;
is(run({}, @args)->{status}, 0, 'without signals');
my $whole = time - $begin;
unlink "$top/ours.mkv";

# What is left of it, in words
sub left {
    return map({ "$_ " . slurp("/proc/$_/cmdline") =~ tr/\0/ /r }
               grep { slurp("/proc/$_/comm") !~ /^sshd/ } processes("$top/fleet")),
           grep { -e } glob("$top/tmp/* $top/fleet/h*/tmp/*"), glob("$top/ours.mkv.ffleet");
}

# It plays, or stock would not have begun it yet either; after the fourth signal (status 123) stock leaves it as it is, too.
sub judge {
    my ($name, $run, @status) = @_;
    ok(scalar(grep { $run->{status} eq $_ } @status), "$name: status") or diag("$run->{status}\n$run->{stderr}");
    if (-e "$top/ours.mkv" && $run->{status} ne 123) {
        is(`$real_ffmpeg -nostdin -v error -i '$top/ours.mkv' -f null - 2>&1`, '', "$name: the output plays");
    } else {
        ok(grep({ $run->{status} eq $_ } 255, 123, 130), "$name: it says so");
    }
    ok(wait_for { !left() }, "$name: nothing is left") or diag(join "\n", left());
    unlink "$top/ours.mkv";
}

sub begun { return wait_for { -e "$top/fleet/h1/begun" } }

### in each phase

# a host that takes the connection and says nothing
my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Timeout => 60) or BAIL_OUT("a port: $!");
my $config = slurp("$top/fleet/ssh_config");
put("$top/silent", "Host quiet\n HostName 127.0.0.1\n Port " . $silent->sockport . "\n$config");
my $run = start({ env => { FFLEET_SSH_CONFIG => "$top/silent", FFLEET_HOSTS => 'quiet' } }, '--no-fallback', @args);
$silent->accept;
kill 'INT', $run->{pid};
judge('connecting', finish($run), 255);

put("$top/waits", "#!/bin/sh\n: >$top/fleet/h1/begun\nexec sleep 300\n");
chmod 0755, "$top/waits";
$run = start({ env => { FFLEET_FFMPEG => "$top/waits" } }, @args);
ok(begun(), 'trial: begun');
kill 'INT', $run->{pid};
judge('trial', finish($run), 255);
unlink "$top/fleet/h1/begun";

stub($_, ": >$top/fleet/h1/begun; exec sleep 300") for qw(h1 h2 h3);
for my $feed (qw(stream spool)) {
    $run = start({ env => { FFLEET_HOSTS => join ' ', map { "h$_,$feed" } 1 .. 3 } }, @args);
    ok(begun(), "encode, $feed: begun");
    kill 'INT', $run->{pid};
    judge("encode, $feed", finish($run), 255);
    unlink "$top/fleet/h1/begun";
}
# ffmpeg goes on with what it has begun after SIGTERM, not after SIGHUP
stub($_, "exec 2>/dev/null; trap : TERM INT; trap ': >$top/fleet/h1/freed; exit 1' HUP; : >$top/fleet/h1/begun; while :; do sleep 0.05; done")
    for qw(h1 h2 h3);
$run = start({}, @args);
ok(begun(), 'a busy host: begun');
kill 'INT', $run->{pid};
judge('a busy host', finish($run), 255);
ok(wait_for { -e "$top/fleet/h1/freed" }, 'a busy host: it is told to end at once') or diag(`ls -la --time-style=full-iso $top/fleet/h1; ps -o pid,ppid,args -e | grep bin/ffmpeg`);
unstub(qw(h1 h2 h3));

# all agree that it is stock's, but one of the hosts takes its time to end
my $damage = 'echo "[h264 @ 0x1] error while decoding MB 1 1, bytestream 1" >&2; exit 1';
stub('h1', held("$top/fleet/h1/begun") . $damage);
put("$top/fleet/lasting", "#!/bin/sh\ncase \" \$* \" in *\" pipe:0 \"*) ;; *) exec $real_ffmpeg \"\$@\" ;; esac\n"
    . "trap '' HUP TERM INT; : >$top/fleet/h1/begun; sleep 20\n");
put("$top/fleet/local", "#!/bin/sh\ncase \" \$* \" in *\" pipe:0 \"*) ;; *) exec $real_ffmpeg \"\$@\" ;; esac\n$damage\n");
chmod 0755, "$top/fleet/lasting", "$top/fleet/local";
$run = start({ env => { FFLEET_HOSTS => "h1 localhost/1,ffmpeg=$top/fleet/lasting", FFLEET_FFMPEG => "$top/fleet/local" } }, @args);
ok(wait_for { slurp($run->{trace}) =~ /"localhost".*"failed".*damaged/ }, 'a change to stock: begun');
sleep 0.5;
kill 'INT', $run->{pid};
judge('a change to stock', finish($run), 255);
is(scalar(events($run, 'plan', decision => 'stock')), 0, 'a change to stock: it does not begin any more');
unlink "$top/fleet/h1/begun";
unstub('h1');

$run = start({}, @args);
ok(wait_for { -s "$top/ours.mkv" }, 'join: begun');
kill 'INT', $run->{pid};
judge('join', finish($run), 0, 255);

### servers that hang up on who has nothing to do

# there is a first segment only when the second half comes
make_input('in.mkv', qw(-i), "$top/in.mp4", qw(-c copy));
my $data = slurp("$top/in.mkv");
$run = start({ stdin => 'pipe' }, qw(-y -v warning --segment-length 8 -i -), @encode, 'ours.mkv');
print { $run->{in} } substr $data, 0, length($data) / 2;
ok(wait_for { (() = slurp($run->{trace}) =~ /"ready"/g) == 3 }, 'idle hosts: they are ready');
sleep 0.5;
fleet_sh("for h in h1 h2 h3; do kill -9 \$(fleet_children \$(cat '$top'/fleet/\$h/sshd.pid)); done");
sleep 0.5;
print { $run->{in} } substr $data, length($data) / 2;
close delete $run->{in};
finish($run);
is($run->{status}, 0, 'idle hosts: status');
ok(events($run, 'attempt') && !grep({ $_->{outcome} eq 'failed' || $_->{host} eq 'localhost' } events($run, 'attempt')),
   'idle hosts: they are connected to again, and do all of it') or diag($run->{stderr});
unlink "$top/ours.mkv";

### at random, once or more often

for my $n (0 .. $count - 1) {
    srand $seed + $n;
    my $run   = start({}, @args);
    my $end   = time + 1.1 * $whole * rand;
    my $times = 1 + int rand 4;
    sleep 0.005 while time < $end;
    for (1 .. $times) {
        kill 'INT', $run->{pid};
        sleep 0.02 * rand;
    }
    my $name = sprintf 'FFLEET_FAULT_SEED=%d: %d signals after %.2f of %.2f s', $seed + $n, $times,
        time - $end + 1.1 * $whole, $whole;
    judge($name, finish($run), 0, 255, 123, 130);
}

done_testing();
