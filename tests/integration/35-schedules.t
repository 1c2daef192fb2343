#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Random schedules of faults: whatever happens to the hosts, the output is the one without faults, nothing
# hangs, and nothing stays. FFLEET_FAULTS: how many (make check-faults: 100); FFLEET_FAULT_SEED: of the first. With
# neither, always the same three.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $count = $ENV{FFLEET_FAULTS};
my $seed  = $ENV{FFLEET_FAULT_SEED} // (defined $count ? time ^ $$ : 1);
$count //= 3;
my @encode = qw(-c:v libx264 -preset ultrafast -qp 25 -g 25 -sc_threshold 0 -c:a copy);
my @args  = (qw(-nostdin -y --segment-length 0.5 -v error -i in.mp4), @encode, 'ours.mp4');
my @hosts = qw(h1 h2 h3);

fleet_up(scalar @hosts);
make_input('in.mp4', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=10 -f lavfi -i sine=d=10),
           qw(-c:v libx264 -preset ultrafast -g 25 -c:a aac));
is(run({}, @args[0 .. $#args - 1], 'good.mp4')->{status}, 0, 'without faults');
my $good  = slurp("$top/good.mp4");
my %ports = map { $_ => slurp("$top/fleet/$_/port") =~ s/\s//gr } @hosts;

# What a host's ffmpeg does to some of its attempts; %d is a random number
my @bad = (
    ['killed ffmpeg',    '$FFMPEG "$@" & p=$!; sleep 0.0%d; kill -9 $p; wait $p'],
    ['crash',            'kill -SEGV $$'],
    ['truncated',        '$FFMPEG "$@" | head -c %d'],
    ['truncated, fails', '$FFMPEG "$@" | head -c %d; exit 1'],
    ['corrupted',        '$FFMPEG "$@" | { head -c %d | tr "\\000-\\377" "\\001-\\377\\000"; cat; }'],
    ['garbage',          'cat >/dev/null; head -c %d /dev/urandom'],
    ['endless garbage',  'exec cat /dev/urandom'],
    ['endless result',   '$FFMPEG "$@"; exec cat /dev/zero'],
    ['one byte changed', '$FFMPEG "$@" | { head -c $((500 + %d)); head -c 1 | tr "\\000-\\377" "\\001-\\377\\000"; cat; }'],
    ['nothing',          'cat >/dev/null'],
    ['frames missing',   '$FFMPEG "$@" | $FFMPEG -v error -f nut -i - -c copy -frames:v 5 -f nut -'],
    ['frames twice',     '$FFMPEG "$@" | $FFMPEG -v error -f nut -i - -c copy -bsf:v "setts=pts=PTS*2" -f nut -'],
    ['full',             'head -c %d >/dev/null; echo "No space left on device" >&2; exit 1'],
    ['slow',             'sleep 6; exec $FFMPEG "$@"'],
    ['hangs',            '$FFMPEG "$@" | head -c %d; exec sleep 300'],
    ['deaf',             'exec sleep 300'],
    ['much on stderr',   'yes >&2 & exec $FFMPEG "$@"'],
);

# pids below a host's server, whose command matches
sub below {
    my ($host, $pattern) = @_;
    my @all = (slurp("$top/fleet/$host/sshd.pid") =~ /(\d+)/g);
    for (my $i = 0; $i < @all; $i++) {
        push @all, split ' ', slurp("/proc/$all[$i]/task/$all[$i]/children");
    }
    shift @all;
    return grep { slurp("/proc/$_/comm") =~ $pattern } @all;
}

# What happens to a host meanwhile
my @live = (
    ['sessions killed',   sub { kill 'KILL', below($_[0], qr/^sshd/) }],
    ['ffmpeg killed',     sub { kill 'KILL', below($_[0], qr/^ffmpeg/) }],
    ['ffmpeg stopped',    sub { kill 'STOP', below($_[0], qr/^ffmpeg/) }],
    ['sessions stopped',  sub { kill 'STOP', below($_[0], qr/^sshd/) }],
    ['down for good',     sub { fleet_sh("fleet_kill_host '$top/fleet' $_[0]") }],
    ['down for a moment', sub { fleet_sh("fleet_kill_host '$top/fleet' $_[0]"); sleep 0.3; revive($_[0]) }],
);

sub revive {
    my ($host) = @_;
    my ($pid) = slurp("$top/fleet/$host/sshd.pid") =~ /(\d+)/;
    return if $pid && -d "/proc/$pid";
    fleet_sh("fleet_try_port '$top/fleet' $host $ports{$host}") or BAIL_OUT("$host does not come back");
}

sub plan_faults {
    my (@names, @later);
    for my $host (@hosts) {
        if (rand() < 0.6) {
            my ($name, $text) = @{ $bad[rand @bad] };
            my ($often, $salt, $number) = (1 + int rand 3, int rand 1000, 1 + int 10 ** (4 * rand));
            $text = sprintf $text, ($number) x ($text =~ tr/%//);
            stub($host, "[ \$(((\$\$ + $salt) % $often)) = 0 ] || exec \$FFMPEG \"\$@\"\n$text");
            push @names, "$host: $name ($number, one in $often)";
        }
        if (rand() < 0.4) {
            my ($name, $do) = @{ $live[rand @live] };
            my $when = 2 * rand;
            push @later, [$when, $host, $do];
            push @names, sprintf '%s: %s after %.1f s', $host, $name, $when;
        }
        if (rand() < 0.15) {
            put("$top/fleet/$host/bin/mktemp", "#!/bin/sh\nexit 1\n");
            chmod 0755, "$top/fleet/$host/bin/mktemp";
            push @names, "$host: no temporary folder";
        }
    }
    return (join(', ', @names), sort { $a->[0] <=> $b->[0] } @later);
}

sub clean_up {
    kill 'CONT', map { below($_, qr/^sshd/) } @hosts;
    unlink map { ("$top/fleet/$_/bin/ffmpeg", "$top/fleet/$_/bin/mktemp") } @hosts;
}

for my $n (0 .. $count - 1) {
    srand $seed + $n;
    my $feed = ('', ',spool', ',stream')[rand 3];
    my ($what, @later) = plan_faults();
    my $name = 'FFLEET_FAULT_SEED=' . ($seed + $n) . ": $what";
    my $begin = time;
    my $run = start({ env => { FFLEET_HOSTS => join(' ', map { "$_$feed" } @hosts), FFLEET_STALL_TIMEOUT => 8 } }, @args);
    for (@later) {
        my ($when, $host, $do) = @$_;
        sleep 0.02 while time - $begin < $when && kill 0, $run->{pid};
        $do->($host);
    }
    finish($run);
    ok($run->{status} eq '0' && slurp("$top/ours.mp4") eq $good, "$name: the output")
        or diag("status $run->{status}\n$run->{stderr}");
    clean_up();
    ok(wait_for { !grep { slurp("/proc/$_/comm") !~ /^sshd/ } processes("$top/fleet") }, "$name: no process is left")
        or diag(map { "$_ " . slurp("/proc/$_/cmdline") =~ tr/\0/ /r . "\n" } processes("$top/fleet"));
    my @files = grep { -e } glob("$top/tmp/* $top/fleet/h*/tmp/*");
    ok(!@files, "$name: no file is left") or diag("@files");
    unlink "$top/ours.mp4";
    revive($_) for @hosts;
}

done_testing();
