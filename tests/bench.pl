#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# The work of bench.sh.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/tools";
use FleetTest;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);

$FleetTest::LIMIT = 1800;
my $only    = $ENV{BENCH_ONLY} // '.';
my $seconds = $ENV{BENCH_SECONDS} // 180;
my $cores   = `nproc` + 0;
my $percent = $ENV{BENCH_PERCENT} // int(90 * $cores / 8);
my @encode  = qw(-c:v libx264 -preset veryfast -crf 23 -threads 1 -c:a copy);
my (@rows, %made, $cgroup, $version2);

sub row {
    my ($letter, $what, $ratio, $detail) = @_;
    push @rows, { row => $letter, what => $what, ratio => defined $ratio ? 0 + sprintf('%.3f', $ratio) : undef, detail => $detail };
    printf "(%s) %-58s %8s  %s\n", $letter, $what, defined $ratio ? sprintf('%.3f', $ratio) : '-', $detail;
}
sub wanted { return $_[0] =~ /^(?:$only)/ }

sub clip {
    return 'clip.mkv' if $made{clip}++;
    make_input('clip.mkv', '-f', 'lavfi', '-i', "testsrc2=s=320x180:r=25:d=$seconds,noise=alls=12:allf=t", '-f', 'lavfi', '-i', "sine=d=$seconds",
               qw(-c:v libx264 -preset ultrafast -crf 20 -g 50 -c:a aac));
    return 'clip.mkv';
}

# timed(options, words): seconds, and CPU seconds of it and its children
sub timed {
    my ($o, @words) = @_;
    my (undef, undef, $u0, $s0) = times;
    my $begin = time;
    my $run = run($o, @words);
    my $wall = time - $begin;
    my (undef, undef, $u1, $s1) = times;
    die "bench: status $run->{status}: @words\n$run->{stderr}\n" if $run->{status};
    return ($wall, $u1 + $s1 - $u0 - $s0, $run);
}
sub fleet_time { my ($hosts, @words) = @_; return timed({ env => { FFLEET_HOSTS => $hosts } }, qw(-nostdin -y -v error), @words) }
sub stock_time { return timed({ program => $real_ffmpeg, name => 'stock' }, qw(-nostdin -y -v error), @_) }

### cpu cgroups, of either version

sub cg_write { my ($file, $text) = @_; open my $f, '>', $file or return 0; print $f $text; return close $f }
sub cg_open {
    my $root = -e '/sys/fs/cgroup/cgroup.controllers' && slurp('/sys/fs/cgroup/cgroup.controllers') =~ /\bcpu\b/ ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu';
    $version2 = $root eq '/sys/fs/cgroup';
    cg_write("$root/cgroup.subtree_control", '+cpu') if $version2;
    return unless mkdir "$root/ffleet-bench-$$";
    $cgroup = "$root/ffleet-bench-$$";
    cg_write("$cgroup/cgroup.subtree_control", '+cpu') if $version2;
    return 1;
}
sub cg_limit {
    my ($name, $percent) = @_;
    mkdir "$cgroup/$name";
    return $version2 ? cg_write("$cgroup/$name/cpu.max", $percent * 1000 . ' 100000')
        : cg_write("$cgroup/$name/cpu.cfs_quota_us", $percent * 1000);
}
END { my $status = $?; if ($cgroup) { rmdir for glob("$cgroup/*"), $cgroup } $? = $status }

sub throttle { my ($host, $percent) = @_; cg_limit($host, $percent); cg_write("$cgroup/$host/cgroup.procs", slurp("$top/fleet/$host/sshd.pid") + 0) }

### the rows

sub throttled {
    if (!cg_open()) { row($_, 'throttled hosts', undef, 'cpu cgroups are not permitted here') for grep { wanted($_) } qw(a b); return }
    throttle("h$_", $percent) for 1 .. 8;
    cg_limit('alone', $percent);
    my $clip = clip();
    my ($alone) = timed({ program => '/bin/sh', name => 'alone' }, '-c', "echo \$\$ >$cgroup/alone/cgroup.procs; exec $real_ffmpeg \"\$@\"", 'sh',
                        qw(-nostdin -y -v error -i), $clip, @encode, 'alone.mkv');
    if (wanted('a')) {
        for my $n (2, 4, 8) {
            my ($wall) = fleet_time(join(' ', map { "h$_/1" } 1 .. $n), '-i', $clip, @encode, 'o.mkv');
            row('a', "$n throttled hosts: speed-up over one with stock / $n", $alone / $wall / $n, sprintf('%.1f s, %.1f s', $alone, $wall));
        }
    }
    if (wanted('b')) {
        my @share = (0.5, 0.5, 1, 2);
        throttle('h' . ($_ + 1), int($percent * $share[$_])) for 0 .. 3;
        my ($wall) = fleet_time('h1/1 h2/1 h3/1 h4/1', '-i', $clip, @encode, 'o.mkv');
        row('b', 'hosts 1:1:2:4: speed / sum of their rates', $alone / $wall / 4, sprintf('%.1f s, %.1f s', $alone, $wall));
    }
    throttle("h$_", 100 * $cores) for 1 .. 8;
}

# A link of so many bytes a second towards a host, shared by all connections. @return pid, port
sub relay {
    my ($to, $rate) = @_;
    my $listen = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die "bench: $!\n";
    my $pid = fork // die $!;
    return ($pid, $listen->sockport) if $pid;
    $SIG{TERM} = sub { POSIX::_exit(0) };
    $SIG{PIPE} = 'IGNORE';
    my (%peer, %up, $credit, $last) = ();
    ($credit, $last) = (0, time);
    my $select = IO::Select->new($listen);
    while (1) {
        my $now = time;
        $credit = $credit + ($now - $last) * $rate;
        $credit = 65536 if $credit > 65536;
        $last = $now;
        my $busy;
        for my $s ($select->can_read(0.01)) {
            if ($s == $listen) {
                my $c = $listen->accept or next;
                setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), pack 'l', 32768;
                my $h = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to) or next;
                @peer{ $c, $h } = ($h, $c);
                $up{$c} = 1;
                $select->add($c, $h);
                next;
            }
            next if $up{$s} && $credit < 4096 and $busy = 1;
            my $n = sysread $s, my $buf, 4096;
            if (!$n) {
                my $p = delete $peer{$s};
                $select->remove($s, $p ? $p : ());
                delete $peer{$p} if $p;
                close $_ for grep { $_ } $s, $p;
                next;
            }
            $credit -= $n if $up{$s};
            my $p = $peer{$s} or next;
            for (my $done = 0; $done < $n;) { $done += syswrite($p, $buf, $n - $done, $done) // last }
        }
        sleep 0.002 if $busy;
    }
}

sub slow_link {
    my $clip = clip();
    # a link that carries the clip in three quarters of the time that the host needs for it
    my ($free) = fleet_time('h1/1', '-i', $clip, @encode, 'o.mkv');
    my ($pid, $port) = relay(slurp("$top/fleet/h1/port") + 0, 1.33 * (-s "$top/$clip") / $free);
    put("$top/slow_config", "Host slow\n    HostName 127.0.0.1\n    Port $port\n    HostKeyAlias slow\n" . slurp("$top/fleet/ssh_config"));
    my $key = join ' ', (split ' ', slurp("$top/fleet/h1/host_key.pub"))[0, 1];
    put("$top/fleet/known_hosts", slurp("$top/fleet/known_hosts") . "slow $key\n");
    for my $feed (qw(stream spool)) {
        my ($wall) = timed({ env => { FFLEET_HOSTS => "slow/1,$feed", FFLEET_SSH_CONFIG => "$top/slow_config" } },
                           qw(-nostdin -y -v error -i), $clip, @encode, 'o.mkv');
        row('c', "a link 1.33 times as fast as the encode, $feed: speed / free link's", $free / $wall, sprintf('%.1f s, %.1f s', $free, $wall));
    }
    kill 'TERM', $pid;
    waitpid $pid, 0;
}

sub local_slots {
    make_input('short.mkv', qw(-f lavfi -i testsrc2=s=640x360:r=25:d=20 -c:v libx264 -preset ultrafast -crf 20 -g 50));
    my %encoders = ('libx264' => [qw(-crf 23)], 'libvpx-vp9' => [qw(-crf 35 -b:v 0 -deadline good -cpu-used 5)], 'mpeg4' => [qw(-q:v 4)],
                    'libaom-av1' => [qw(-crf 40 -b:v 0 -cpu-used 8)]);
    my $known = `$real_ffmpeg -hide_banner -encoders 2>/dev/null`;
    for my $encoder (qw(libx264 libvpx-vp9 mpeg4 libaom-av1)) {
        next if $known !~ / \Q$encoder\E /;
        my @args = (qw(-i short.mkv -c:v), $encoder, @{ $encoders{$encoder} }, 'o.mkv');
        my ($stock, $cpu) = stock_time(@args);
        my ($wall, $ours) = fleet_time('localhost', @args);
        row('d', "local slots, $encoder: wall / stock's", $wall / $stock,
            sprintf('%.1f s, %.1f s; / (CPU / cores) %.2f; CPU %.2f', $stock, $wall, $wall * $cores / $cpu, $ours / $cpu));
    }
}

sub coordinator {
    make_input('big.avi', qw(-f lavfi -i testsrc2=s=1280x720:r=25:d=40 -c:v mjpeg -q:v 2));
    my (undef, $cpu) = fleet_time('h1 h2', qw(-i big.avi -c:v libx264 -preset ultrafast -crf 40 o.mkv));
    my (undef, $cat) = timed({ program => '/bin/sh', name => 'cat' }, '-c', "ssh -F '$top/fleet/ssh_config' h1 'cat >/dev/null' <big.avi");
    my $gb = (-s "$top/big.avi") / 1e9;
    row('e', "coordinator's CPU / that of ssh host cat, same bytes", $cpu / $cat, sprintf('%.1f s, %.1f s a GB, with stock\'s trial', $cat / $gb, $cpu / $gb));
}

sub median { my @s = sort { $a <=> $b } @_; return $s[@s / 2] }
sub start_up {
    for (['-version'], [qw(-nostdin -v error -f lavfi -i testsrc2=s=64x48:d=0.2 -f null -)]) {
        my (@stock, @ours);
        for my $n (0 .. 21) {
            my ($s) = timed({ program => $real_ffmpeg, name => 'stock' }, @$_);
            my ($o) = timed({ env => { FFLEET_HOSTS => undef } }, @$_);
            if ($n) { push @stock, $s; push @ours, $o }
        }
        row('f', "handed to stock: $_->[0]: wall / stock's", median(@ours) / median(@stock), sprintf('+%.1f ms', 1000 * (median(@ours) - median(@stock))));
    }
}

sub crowd {
    make_input('tiny.mkv', qw(-f lavfi -i testsrc2=s=32x32:r=25:d=400 -c:v mpeg4 -g 25));
    put("$top/lazy", "#!/bin/sh\ncase \" \$* \" in *' pipe:0 '*) sleep 8 ;; esac\nexec $real_ffmpeg \"\$\@\"\n");
    chmod 0755, "$top/lazy";
    my $run = start({ env => { FFLEET_HOSTS => "localhost/1,ffmpeg=$top/lazy " x 200 } }, qw(-nostdin -y -v error --segment-length 1 -i tiny.mkv -c:v mpeg4 -g 25 -q:v 5 o.mkv));
    my ($begin, $peak) = (time, 0);
    while (waitpid($run->{pid}, POSIX::WNOHANG()) == 0) {
        $peak = $1 if slurp("/proc/$run->{pid}/status") =~ /VmHWM:\s+(\d+)/ && $1 > $peak;
        sleep 0.05;
    }
    die "bench: 200 hosts: status $?\n" . slurp($run->{err}) if $?;
    my $wall = time - $begin;
    row('g', '200 stub hosts, 400 segments of 8 s: wall / bound', $wall / 16, sprintf('%.1f s, %.0f MB at most', $wall, $peak / 1024));
}

fleet_up(8) if wanted('a') || wanted('b') || wanted('c') || wanted('e');
throttled()   if wanted('a') || wanted('b');
slow_link()   if wanted('c');
local_slots() if wanted('d');
coordinator() if wanted('e');
start_up()    if wanted('f');
crowd()       if wanted('g');
fleet_sh("fleet_stop '$top/fleet'") if -d "$top/fleet";

open my $json, '>', 'bench.json' or die "bench.json: $!\n";
print $json JSON::PP->new->pretty->canonical->encode({ cores => $cores, seconds => $seconds, percent => $percent, rows => \@rows });
close $json or die "bench.json: $!\n";
