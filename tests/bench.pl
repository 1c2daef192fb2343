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
use List::Util qw(shuffle);
use POSIX ();
use Time::HiRes qw(sleep time);

$FleetTest::LIMIT = 1800;
my $only    = join '|', split /[\s,]+/, $ENV{ROWS} // $ENV{BENCH_ONLY} // '';
$only = '.' if $only eq '';
my $seconds = $ENV{BENCH_SECONDS} // 180;
my $cores   = `nproc` + 0;
my $size    = $ENV{BENCH_SIZE} // '1280x720';
my $percent = $ENV{BENCH_PERCENT} // int(90 * $cores / 8);
# An encode of some weight: a throttled host is a fifth of a core, and to start ffmpeg, which costs 60 ms of a core
# on any machine, has to weigh no more beside the encode than it does on a real host. Both sides have the same.
my @encode  = qw(-c:v libx264 -preset medium -crf 23 -threads 1 -c:a copy);
my (@rows, %made, $cgroup, $version2, $acct, @children);
my $owner   = $$;
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
$SIG{ALRM} = sub { print STDERR "bench: it takes too long, and ends here\n"; exit 1 };
alarm($ENV{BENCH_LIMIT} // 7200);

sub row {
    my ($letter, $what, $ratio, $detail) = @_;
    push @rows, { row => $letter, what => $what, ratio => defined $ratio ? 0 + sprintf('%.3f', $ratio) : undef, detail => $detail };
    printf "(%s) %-58s %8s  %s\n", $letter, $what, defined $ratio ? sprintf('%.3f', $ratio) : '-', $detail;
}
sub wanted { return $_[0] =~ /^(?:$only)/ }

sub clip {
    my ($size) = @_;
    my $name = "clip$size.mkv";
    return $name if $made{$name}++;
    make_input($name, '-f', 'lavfi', '-i', "testsrc2=s=$size:r=25:d=$seconds,noise=alls=6:allf=t", '-f', 'lavfi', '-i', "sine=d=$seconds",
               qw(-c:v libx264 -preset ultrafast -crf 23 -g 50 -c:a aac));
    return $name;
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
    return 1 if $cgroup;
    my $root = -e '/sys/fs/cgroup/cgroup.controllers' && slurp('/sys/fs/cgroup/cgroup.controllers') =~ /\bcpu\b/ ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu';
    $version2 = $root eq '/sys/fs/cgroup';
    cg_write("$root/cgroup.subtree_control", '+cpu') if $version2;
    mkdir "$root/ffleet-bench-$$" or return;
    $cgroup = "$root/ffleet-bench-$$";
    cg_write("$cgroup/cgroup.subtree_control", '+cpu') if $version2;
    # others on this machine have to matter little
    cg_write($version2 ? "$cgroup/cpu.weight" : "$cgroup/cpu.shares", $version2 ? 10000 : 262144);
    my $tree = '/sys/fs/cgroup/cpuacct';
    $acct = $version2 ? $cgroup : -e "$cgroup/cpuacct.usage" ? $cgroup : mkdir("$tree/ffleet-bench-$$") ? "$tree/ffleet-bench-$$" : undef;
    leash();
    return cg_limit('here', 100 * $cores) && cg_move('here', $$);
}
sub cg_limit {
    my ($name, $percent) = @_;
    mkdir "$cgroup/$name";
    mkdir "$acct/$name" if $acct;
    return $version2 ? cg_write("$cgroup/$name/cpu.max", $percent * 1000 . ' 100000')
        : cg_write("$cgroup/$name/cpu.cfs_quota_us", $percent * 1000);
}
sub cg_move {
    my ($name, $pid) = @_;
    cg_write("$acct/$name/cgroup.procs", $pid) if $acct && $acct ne $cgroup;
    return cg_write("$cgroup/$name/cgroup.procs", $pid);
}
# CPU seconds of all in these groups so far, or undef
sub cg_cpu {
    my $sum = 0;
    for (@_) {
        return unless $acct;
        my $text = slurp($version2 ? "$acct/$_/cpu.stat" : "$acct/$_/cpuacct.usage");
        $sum += $version2 ? ($text =~ /usage_usec (\d+)/)[0] / 1e6 : $text / 1e9;
    }
    return $sum;
}
sub cg_remove {
    my ($group, $other) = @_;
    for my $dir (grep { defined } $group, $other) {
        my ($root) = $dir =~ m{(.*)/};
        for my $pid (map { split ' ', slurp($_) } glob "$dir/*/cgroup.procs") {
            if ($pid == $$) { cg_write("$root/cgroup.procs", $pid) } else { kill 'KILL', $pid }
        }
        for (1 .. 50) { rmdir for grep { -d } glob("$dir/*"), $dir; last if !-d $dir; sleep 0.1 }
    }
}

# What ends all when this process is killed: a child that sees its pipe close.
sub leash {
    pipe my $in, my $out or return;
    my $pid = fork // return;
    if ($pid) { close $in; $made{leash} = $out; return }
    close $out;
    $SIG{$_} = 'IGNORE' for qw(INT TERM HUP);
    POSIX::setsid();
    sysread $in, my $word, 1;
    fleet_sh("fleet_stop '$top/fleet'") if -d "$top/fleet" && !$word;
    cg_remove($cgroup, $acct) if !$word;
    system 'rm', '-rf', $top if !$word && $top =~ m{/[^/]+/};
    POSIX::_exit(0);
}
END {
    my $status = $?;
    if ($$ == $owner) {
        kill 'KILL', @children if @children;
        fleet_sh("fleet_stop '$top/fleet'") if -d "$top/fleet";
        cg_remove($cgroup, $acct) if $cgroup;
        syswrite $made{leash}, 'x' if $made{leash};
    }
    $? = $status;
}

sub throttle {
    my ($host, $percent) = @_;
    return cg_limit($host, $percent) && cg_move($host, slurp("$top/fleet/$host/sshd.pid") + 0);
}
# stock in such a group: the options of start()
sub in_group { my ($name) = @_; return { program => '/bin/sh', name => "stock-$name" }, '-c',
    join(' ', map { "echo \$\$ >'$_/$name/cgroup.procs';" } grep { defined } $cgroup, $acct && $acct ne $cgroup ? $acct : undef) .
    " exec $real_ffmpeg \"\$@\"", 'sh', qw(-nostdin -y -v error) }

### the rows

# How busy the slots were in the last tenth of a run, by its trace: 1 is always.
sub busy_end {
    my ($trace, $slots) = @_;
    my @a = grep { $_->{event} eq 'attempt' } map { decode_json($_) } split /\n/, slurp($trace);
    my ($end) = sort { $b <=> $a } map { $_->{end} } @a or return 0;
    my ($from, %at) = (0.9 * $end);
    my @edges = sort { $a <=> $b } $from, $end, grep { $_ > $from } map { ($_->{start}, $_->{end}) } @a;
    my $sum = 0;
    for my $i (1 .. $#edges) {
        my $mid = ($edges[$i] + $edges[$i - 1]) / 2;
        my %hosts = map { $_->{host} => 1 } grep { $_->{start} <= $mid && $_->{end} > $mid } @a;
        $sum += ($edges[$i] - $edges[$i - 1]) * keys %hosts;
    }
    return $sum / ($end - $from) / $slots;
}

# The hosts that a measurement is not about work, too: cores share caches and memory, a host of a real fleet does not get
# faster when others rest, and a core of a virtual machine that rests most of the time gets slower.
sub keep_busy {
    for my $n (@_) {
        my ($o, @words) = in_group("h$n");
        push @children, start($o, @words, '-stream_loop', '-1', '-i', clip($size), @encode, '-f', 'matroska', '/dev/null')->{pid};
    }
}
sub rest {
    kill 'KILL', @children;
    waitpid $_, 0 for splice @children;
}

my ($alone, $alone_cpu);
# One throttled host with stock.
sub alone {
    return if $alone;
    my $clip = clip($size);
    keep_busy(2 .. 8);
    my ($o, @words) = in_group('h1');
    my $before = cg_cpu('h1');
    ($alone) = timed($o, @words, '-i', $clip, @encode, 'alone.mkv');
    $alone_cpu = cg_cpu('h1') - $before if defined $before;
    rest();
}

sub throttled {
    my @letters = grep { wanted($_) } qw(a2 a4 a8 b);
    if (!cg_open()) { row($_, 'throttled hosts', undef, 'cpu cgroups are not permitted here') for @letters; return }
    throttle("h$_", $percent) for 1 .. 8;
    alone();
    my $clip = clip($size);
    if (my @numbers = grep { wanted("a$_") } 2, 4, 8) {
        for my $n (@numbers) {
            my @groups = ('here', map { "h$_" } 1 .. $n);
            keep_busy($n + 1 .. 8);
            my $before = cg_cpu(@groups);
            unlink "$top/trace";
            my ($wall) = timed({ env => { FFLEET_HOSTS => join(' ', map { "h$_/1" } 1 .. $n), FFLEET_TRACE => "$top/trace" } },
                               qw(-nostdin -y -v error -i), $clip, @encode, 'o.mkv');
            rest();
            row('a', "$n throttled hosts: speed-up over one with stock / $n", $alone / $wall / $n, sprintf('%.1f s, %.1f s', $alone, $wall));
            row('a', "$n throttled hosts: slots busy in the last tenth of the run", busy_end("$top/trace", $n), '');
            row('a', "$n throttled hosts: CPU of all, coordinator too / stock's", (cg_cpu(@groups) - $before) / $alone_cpu,
                sprintf('%.1f s, %.1f s', $alone_cpu, cg_cpu(@groups) - $before)) if $alone_cpu;
        }
    }
    if (wanted('b')) {
        my @share = (0.5, 0.5, 1, 2);
        throttle('h' . ($_ + 1), int($percent * $share[$_])) for 0 .. 3;
        keep_busy(5 .. 8);
        my ($wall) = fleet_time('h1/1 h2/1 h3/1 h4/1', '-i', $clip, @encode, 'o.mkv');
        rest();
        my $sum = 0;
        $sum += int($percent * $_) / $percent for @share;
        row('b', 'hosts 1:1:2:4: speed / sum of their rates', $alone / $wall / $sum, sprintf('%.1f s, %.1f s', $alone, $wall));
    }
    throttle("h$_", 100 * $cores) for 1 .. 8;
}

# A link of so many bytes a second towards a host, shared by all connections. @return pid, port
sub relay {
    my ($to, $rate) = @_;
    my $listen = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die "bench: $!\n";
    my $pid = fork // die $!;
    return ($pid, $listen->sockport) if $pid;
    delete $made{leash};
    $SIG{TERM} = sub { POSIX::_exit(0) };
    $SIG{PIPE} = 'IGNORE';
    my (%peer, %up, $credit, $last) = ();
    ($credit, $last) = (0, time);
    my $select = IO::Select->new($listen);
    while (getppid == $owner) {
        my $now = time;
        $credit = $credit + ($now - $last) * $rate;
        $credit = 65536 if $credit > 65536;
        $last = $now;
        my $busy;
        for my $s (shuffle($select->can_read(0.01))) {   # a link is fair
            if ($s == $listen) {
                my $c = $listen->accept or next;
                setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), pack 'l', 32768;
                my $h = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to) or next;
                @peer{ $c, $h } = ($h, $c);
                $up{$c} = 1;
                $select->add($c, $h);
                next;
            }
            next if !$peer{$s};      # its other end went a moment ago
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
    POSIX::_exit(0);
}

# How much of the time from its first sign of life to its last the host's encoder worked: by the trace. The time that
# an attempt waits for its input is none of it: what it takes beyond a free link's attempts of the same length.
sub encoder_busy {
    my ($free, $slow) = @_;
    my $work = sub { my ($t) = @_; return map { decode_json($_) } grep { /"attempt"/ } split /\n/, slurp($t) };
    my @a = $work->($slow);
    my ($begin) = sort { $a <=> $b } map { $_->{first_byte} // $_->{end} } @a;
    my ($end)   = sort { $b <=> $a } map { $_->{end} } @a;
    my @f = $work->($free);
    my ($fb) = sort { $a <=> $b } map { $_->{first_byte} // $_->{end} } @f;
    my ($fe) = sort { $b <=> $a } map { $_->{end} } @f;
    return ($fe - $fb) / ($end - $begin);
}

sub slow_link {
    my $clip = clip('640x360');
    my $percent = cg_open() ? $percent : 0;
    throttle('h1', 2 * $percent) if $percent;
    my @short = ('-t', $seconds / 3);
    # a link that carries the clip in three quarters of the time that the host needs for it
    unlink "$top/free", "$top/slow";
    my ($free) = timed({ env => { FFLEET_HOSTS => 'h1/1', FFLEET_TRACE => "$top/free" } }, qw(-nostdin -y -v error -i), $clip, @short, @encode, 'o.mkv');
    my ($pid, $port) = relay(slurp("$top/fleet/h1/port") + 0, 1.33 * (-s "$top/$clip") / 3 / $free);
    push @children, $pid;
    put("$top/slow_config", "Host slow\n    HostName 127.0.0.1\n    Port $port\n    HostKeyAlias slow\n" . slurp("$top/fleet/ssh_config"));
    my $key = join ' ', (split ' ', slurp("$top/fleet/h1/host_key.pub"))[0, 1];
    put("$top/fleet/known_hosts", slurp("$top/fleet/known_hosts") . "slow $key\n");
    for my $feed (qw(stream spool)) {
        unlink "$top/slow";
        my ($wall) = timed({ env => { FFLEET_HOSTS => "slow/1,$feed", FFLEET_SSH_CONFIG => "$top/slow_config", FFLEET_TRACE => "$top/slow" } },
                           qw(-nostdin -y -v error -i), $clip, @short, @encode, 'o.mkv');
        row('c', "a link 1.33 times as fast as the encode, $feed: speed / free link's", $free / $wall, sprintf('%.1f s, %.1f s', $free, $wall));
        row('c', "the same, $feed: the host's encoder busy, once started", encoder_busy("$top/free", "$top/slow"), '');
    }
    kill 'KILL', splice @children;
    waitpid $pid, 0;
    throttle('h1', 100 * $cores) if $percent;
}

sub local_slots {
    make_input('short.mkv', qw(-f lavfi -i testsrc2=s=640x360:r=25:d=60 -c:v libx264 -preset ultrafast -crf 20 -g 50));
    my %encoders = ('libx264' => [qw(-crf 23)], 'libx265' => [qw(-crf 28 -preset veryfast -x265-params log-level=none)], 'prores_ks' => [], 'libvpx-vp9' => [qw(-crf 35 -b:v 0 -deadline good -cpu-used 5)], 'mpeg4' => [qw(-q:v 4)],
                    'libaom-av1' => [qw(-crf 40 -b:v 0 -cpu-used 8)]);
    my $known = `$real_ffmpeg -hide_banner -encoders 2>/dev/null`;
    for my $encoder (qw(libx264 libx265 libvpx-vp9 mpeg4 prores_ks libaom-av1)) {
        next if $known !~ / \Q$encoder\E /;
        # mpeg4 makes 1,000 frames a second: ten minutes, or all there is to see is how long programs take to start
        my @loop = $encoder eq 'mpeg4' ? qw(-stream_loop 9) : ();
        my $clip = 'short.mkv';
        if (@loop) { make_input('long.mkv', @loop, '-i', "$top/short.mkv", qw(-c copy)); $clip = 'long.mkv' }
        my @args = ('-i', $clip, '-c:v', $encoder, @{ $encoders{$encoder} }, 'o.mkv');
        my ($stock, $cpu) = stock_time(@args);
        my ($wall, $ours) = fleet_time('localhost', @args);
        row('d', "local slots, $encoder: wall / stock's", $wall / $stock,
            sprintf('%.1f s, %.1f s; / (CPU / cores) %.2f; CPU %.2f', $stock, $wall, $wall * $cores / $cpu, $ours / $cpu));
    }
}

# Of a gigabyte of pictures as they are: the fixed costs, stock's trial among them, do not hide what a byte costs.
sub coordinator {
    make_input('big.nut', qw(-f lavfi -i testsrc2=s=640x360:r=25:d=120 -c:v rawvideo -pix_fmt yuv420p));
    my ($cat, $cpu) = (0, 0);
    for (1 .. 2) {
        $cpu += (fleet_time('h1 h2', qw(-i big.nut -c:v libx264 -preset ultrafast -crf 40 o.mkv)))[1];
        $cat += (timed({ program => '/bin/sh', name => 'cat' }, '-c', "ssh -F '$top/fleet/ssh_config' h1 'cat >/dev/null' <big.nut"))[1];
    }
    my $gb = 2 * (-s "$top/big.nut") / 1e9;
    row('e', "coordinator's CPU / that of ssh host cat, same bytes", $cpu / $cat, sprintf('%.1f s, %.1f s a GB, with stock\'s trial', $cat / $gb, $cpu / $gb));
    unlink "$top/big.nut";
}

sub median { my @s = sort { $a <=> $b } @_; return $s[@s / 2] }
sub start_up {
    for (['-version'], [qw(-nostdin -v error -f lavfi -i testsrc2=s=64x48:d=0.2 -f null -)]) {
        my (@more, @stock);
        for my $n (0 .. 40) {
            # one right after the other, each first in turn: what else the machine does meets both
            my ($s, $o);
            my $stock = sub { ($s) = timed({ program => $real_ffmpeg, name => 'stock' }, @{ $_[0] }) };
            my $ours  = sub { ($o) = timed({ env => { FFLEET_HOSTS => undef, FFLEET_TRACE => undef } }, @{ $_[0] }) };
            if ($n % 2) { $stock->($_); $ours->($_) } else { $ours->($_); $stock->($_) }
            if ($n) { push @more, $o - $s; push @stock, $s }
        }
        row('f', "handed to stock: $_->[0]: wall / stock's", 1 + median(@more) / median(@stock),
            sprintf('+%.1f ms, median of %d pairs', 1000 * median(@more), scalar @more));
    }
}

# Hosts that stand for machines of their own: what ffmpeg made of the same words and the same input before, they give
# again, after the time that it is to take. That costs this machine little, and what is measured is the coordinator.
sub recorded_hosts {
    my ($seconds) = @_;
    my $given = q<case " $* " in *' pipe:0 '*) cat ;; esac>;
    my $find  = "cksum); d=$top/recorded/" . '${key%% *}-${key##* }';
    my $give  = 'cat "$d/err" >&2; cat "$d/out"; read -r status <"$d/status"; exit "$status"';
    mkdir "$top/recorded" or die "bench: $!\n";
    put("$top/recorder", <<END);
#!/bin/sh
n=$top/recorded/new.\$\$
mkdir "\$n" && $given >"\$n/in" || exit
key=\$({ printf '%s\\n' "\$@"; cat "\$n/in"; } | $find
$real_ffmpeg "\$@" <"\$n/in" >"\$n/out" 2>"\$n/err"
echo \$? >"\$n/status"
rm "\$n/in"
mv -T "\$n" "\$d" 2>/dev/null || rm -r "\$n"
$give
END
    put("$top/player", <<END);
#!/bin/sh
key=\$({ printf '%s\\n' "\$@"; $given; } | $find
[ -d "\$d" ] || { echo 'never recorded' >&2; exit 1; }
case " \$* " in *' pipe:0 '*) sleep $seconds ;; esac
$give
END
    chmod 0755, "$top/recorder", "$top/player";
}

sub crowd {
    my ($hosts, $segments, $work) = (200, $ENV{BENCH_SEGMENTS} // 400, 8);
    my @args  = (qw(-i tiny.mkv -c:v mpeg4 -g 25 -q:v 5));
    my @fleet = qw(-nostdin -y -v error --no-fallback --segment-length 1);
    make_input('tiny.mkv', '-f', 'lavfi', '-i', "testsrc2=s=32x32:r=25:d=$segments", qw(-c:v mpeg4 -g 25));
    recorded_hosts($work);
    timed({ env => { FFLEET_HOSTS => "localhost/$cores,ffmpeg=$top/recorder" } }, @fleet, @args, 'first.mkv');
    my $run = start({ env => { FFLEET_HOSTS => "localhost/1,ffmpeg=$top/player " x $hosts } }, @fleet, @args, 'o.mkv');
    my ($begin, $peak, $cpu) = (time, 0, 0);
    while (waitpid($run->{pid}, POSIX::WNOHANG()) == 0) {
        $peak = $1 if slurp("/proc/$run->{pid}/status") =~ /VmHWM:\s+(\d+)/ && $1 > $peak;
        my @stat = split ' ', slurp("/proc/$run->{pid}/stat") =~ s/.*\) //sr;
        $cpu = ($stat[11] + $stat[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK()) if @stat > 12 && $stat[11] + $stat[12] > 0;
        sleep 0.05;
    }
    die "bench: $hosts hosts: status $?\n" . slurp($run->{err}) if $?;
    my ($wall, $bound) = (time - $begin, POSIX::ceil($segments / $hosts) * $work);
    stock_time(@args, 'stock.mkv');
    die "bench: $hosts hosts: another output than stock's\n"
        if system $^X, "$FindBin::Bin/tools/compare.pl", "$top/stock.mkv", "$top/o.mkv", '--source', "$top/tiny.mkv";
    row('g', "$hosts stub hosts, $segments segments of $work s: wall / bound", $wall / $bound,
        sprintf('%.1f s, %.0f MB at most, %.1f s of CPU in the coordinator itself', $wall, $peak / 1024, $cpu));
}

# A row that fails says so, and the others go on.
sub attempt {
    my ($rows, $code) = @_;
    my @wanted = grep { wanted($_) } split ' ', $rows or return;
    return if eval { $code->(); 1 };
    my $why = $@ =~ s/\n.*//sr;
    row($_, 'failed', undef, $why) for @wanted;
    kill 'KILL', @children if @children;
    waitpid $_, 0 for splice @children;
    $made{failed} = 1;
}

fleet_up(8) if grep { wanted($_) } qw(a2 a4 a8 b c e);
attempt('a2 a4 a8 b', \&throttled);
attempt('c', \&slow_link);
attempt('d', \&local_slots);
attempt('e', \&coordinator);
attempt('f', \&start_up);
attempt('g', \&crowd);

open my $json, '>', 'bench.json' or die "bench.json: $!\n";
print $json JSON::PP->new->pretty->canonical->encode({ cores => $cores, seconds => $seconds, size => $size, percent => $percent, rows => \@rows });
close $json or die "bench.json: $!\n";
exit($made{failed} ? 1 : 0);
