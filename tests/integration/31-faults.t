#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hosts that are gone, wrong, slow or lying, and inputs that are damaged: the output is stock's all
# the same, and one line tells the host's name and what to do.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;

my @encode = qw(-c:v libx264 -preset ultrafast -qp 25 -g 25 -sc_threshold 0 -c:a copy);
my @ours   = (qw(-nostdin -y --segment-length 1 -v warning -i in.mp4), @encode, 'ours.mp4');

fleet_up(3);
$ENV{FFLEET_HOSTS} = 'h1/1 h2/1 h3/1';
make_input('in.mp4', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=6 -f lavfi -i sine=d=6),
           qw(-c:v libx264 -preset ultrafast -g 25 -c:a aac));
stock({}, qw(-nostdin -y -i in.mp4), @encode, 'stock.mp4')->{status} == 0 or BAIL_OUT('stock');

# The fleet's output must be stock's, and stderr these lines, in any order (patterns; those in brackets may be there
# once more, on a machine that is slow).
sub judge {
    my ($name, $run, @want) = @_;
    my @left = lines($run);

    for my $want (grep { ref ne 'ARRAY' } @want) {
        my ($i) = grep { $left[$_] =~ $want } 0 .. $#left;
        if (defined $i) { splice @left, $i, 1 } else { push @left, "missing: $want" }
    }
    for my $again (map { ref eq 'ARRAY' ? @$_ : () } @want) {
        @left = grep { !/$again/ } @left;
    }
    is($run->{status}, 0, "$name: status");
    # what is equal to a good output byte for byte need not be looked at again
    if (-s "$top/good.mp4" && slurp("$top/ours.mp4") eq slurp("$top/good.mp4")) {
        pass("$name: the output");
    } else {
        compare_ok("$top/stock.mp4", "$top/ours.mp4", "$name: the output", '--exact-frames');
    }
    ok(!@left, "$name: what it says") or diag(join("\n", @left) . "\nof: $run->{stderr}");
    unlink "$top/ours.mp4";
}

# The other hosts are to leave something to h1: they wait until it is at work, and are not quick then.
sub others_wait {
    unlink "$top/fleet/h1/begun";
    stub($_, held("$top/fleet/h1/begun") . 'sleep 0.2; exec $FFMPEG "$@"') for qw(h2 h3);
}

sub try_it {
    my ($name, $stub, @want) = @_;
    my $run;

    stub('h1', $stub =~ s/^(probe\b)?/($1 \/\/ '') . "\n: >\$HERE\/begun\n"/er);
    # On a busy machine another host may have done the work of the one to be judged: once more, then.
    for (1 .. 5) {
        others_wait();
        $run = run({}, @ours);
        last if !@want || events($run, 'host', host => 'h1', state => 'broken')
            || grep { events($run, 'attempt', host => 'h1', outcome => $_) } qw(wrong failed stalled);
    }
    judge($name, $run, @want);
    unstub(qw(h1 h2 h3));
    return $run;
}

### all is well

judge('all is well', run({}, @ours));
judge('SIGCHLD ignored by who started it',
      run({ program => $^X }, '-e', '$SIG{CHLD} = "IGNORE"; exec @ARGV', $ffleet, @ours));
run({}, @ours[0 .. $#ours - 1], 'good.mp4');
my $run = try_it('a stub that is ffmpeg', 'exec $FFMPEG "$@"');
ok(scalar events($run, 'attempt', host => 'h1', outcome => 'ok'), 'the host with a stub takes part');

# What ssh_config says of a host is asked once, for all connections to it.
my ($ssh) = grep { -x } map { "$_/ssh" } split /:/, $ENV{PATH};
mkdir "$top/ssh";
put("$top/ssh/ssh", "#!/bin/sh\n[ \$1 != -G ] || echo \"\$*\" >>$top/asked\nexec $ssh \"\$@\"\n");
chmod 0755, "$top/ssh/ssh";
judge('connections of one host', run({ env => { PATH => "$top/ssh:$ENV{PATH}", FFLEET_HOSTS => 'h1/4 h2' } }, @ours));
is_deeply([sort split /\n/, slurp("$top/asked") =~ s/^.* //mgr], [qw(h1 h2)], 'connections of one host: each host is asked for once');

### the input travels first

stub($_, '$FFMPEG "$@"; s=$?; : >$HERE/done; exit $s') for qw(h1 h2);
stub('h3', held(map { "$top/fleet/$_/done" } qw(h1 h2)) . 'exec $FFMPEG "$@"');
$run = run({ env => { FFLEET_HOSTS => 'h1,spool h2,spool h3,stream' } }, @ours);
judge('spool', $run);
unstub(qw(h1 h2 h3));
ok(events($run, 'attempt', feed => 'spool', outcome => 'ok') > 1
   && !events($run, 'attempt', feed => 'spool', host => 'h3'), 'spool: the trace');
# the host's disk is full, in both ways: no folder, and a file that ends too early
for my $full (['mktemp', 'exit 1'], ['head', 'exec /usr/bin/head -c 1000']) {
    put("$top/fleet/h1/bin/$full->[0]", "#!/bin/sh\n$full->[1]\n");
    chmod 0755, "$top/fleet/h1/bin/$full->[0]";
    $run = run({ env => { FFLEET_HOSTS => 'h1,spool' } }, @ours);
    judge("spool without space ($full->[0])", $run,
          qr/^host h1: its temporary folder cannot take the input: .+; its input is streamed from now on/);
    ok(events($run, 'attempt', host => 'h1', outcome => 'ok', feed => 'stream') == 6,
       "spool without space ($full->[0]): the trace");
    unlink "$top/fleet/h1/bin/$full->[0]";
}
# the connection ends while the input waits
put("$top/fleet/h1/bin/head", "#!/bin/sh\necho \$\$ >$top/fleet/h1/spooling\nexec sleep 300\n");
chmod 0755, "$top/fleet/h1/bin/head";
stub('h2', held("$top/fleet/h1/spooling") . 'exec $FFMPEG "$@"');
my $spooling = start({ env => { FFLEET_HOSTS => 'h1,spool h2' } }, @ours);
ok(wait_for { -s "$top/fleet/h1/spooling" }, 'the host takes the input');
$run = finish($spooling);
judge('a host that takes the input for ever', $run);
ok(wait_for { !grep { slurp("/proc/$_/cmdline") =~ /^sleep\0300/ } processes("$top/fleet/h1/bin") },
   'a host that takes the input for ever: nothing goes on there');
unlink "$top/fleet/h1/bin/head";
unstub('h2');
ok(wait_for { my @left = glob "$top/fleet/h*/tmp/* $top/tmp/*"; !@left }, 'no folder is left on the hosts');

### hosts that cannot

# A host that is out at once gets no attempt.
sub left_out {
    my ($name, $run) = @_;
    ok(events($run, 'host', host => 'h1', state => 'broken') && !events($run, 'attempt', host => 'h1'),
       "$name: the trace");
}

left_out('no ffmpeg', try_it('no ffmpeg', "probe\nexit 127",
    qr/^host h1: there is no ffmpeg \(install ffmpeg there, or name it with ffmpeg=PATH\); left out/));
left_out('broken ffmpeg', try_it('an ffmpeg that does not start',
    "probe\necho 'libx264.so.164: not found' >&2; exit 1",
    qr/^host h1: ffmpeg -h failed with status 1: libx264.so.164: not found; left out/));
put("$top/fleet/h1/bin/sh", "#!/bin/sh\n: >$top/fleet/h1/begun\necho 'This account is not available.'\nexit 1\n");
chmod 0755, "$top/fleet/h1/bin/sh";
left_out('no shell', try_it('a login shell that runs nothing', "probe\nexit 1",
    qr/^host h1: ffmpeg -h failed with status 1: This account is not available\.; left out/));
unlink "$top/fleet/h1/bin/sh";
left_out('old ffmpeg', try_it('an old ffmpeg',
    'probe $FFMPEG "$@" 2>&1 | sed "s/version [^ ]*/version 3.4/; s/libavcodec .*/libavcodec 57.107.100/"',
    qr/^host h1: its ffmpeg 3.4 is older than 4.4; left out/));
left_out('no encoder', try_it('no such encoder',
    'probe case "$*" in *encoder=*) exec $FFMPEG -version ;; *) exec $FFMPEG "$@" ;; esac',
    qr/^host h1: its ffmpeg \S+ has no encoder libx264; left out/));

### hosts that lie

# A host that returns wrong data is not used any more.
sub distrusted {
    my ($name, @arg) = @_;
    my $run = try_it($name, @arg);
    ok(events($run, 'host', host => 'h1', state => 'broken')
       && events($run, 'attempt', host => 'h1', outcome => 'wrong') == 1
       && !events($run, 'attempt', host => 'h1', outcome => 'ok'), "$name: the trace");
}

my $words = 'for a; do %s; set -- "$@" "$a"; shift; done; exec $FFMPEG "$@"';
distrusted('garbage', 'cat >/dev/null; head -c 20000 /dev/urandom', qr/^host h1: segment \d: .*left out/);
distrusted('a greeting', 'echo Welcome to h1; exec $FFMPEG "$@"',
           qr/^host h1: segment \d: its output is no result, but begins with "Welcome to h1": a start-up file .*left out/);
distrusted('nothing', 'cat >/dev/null', qr/^host h1: segment \d: .*left out/);
distrusted('truncated, with status 0', '$FFMPEG "$@" >$HERE/all.$$; head -c 3000 $HERE/all.$$; rm $HERE/all.$$',
           qr/^host h1: segment \d: the (?:result has \d+ frames instead of 25|first picture of the result cannot be decoded); left out/);
distrusted('too few frames', '$FFMPEG "$@" | $FFMPEG -v error -f nut -i - -c copy -frames:v 20 -f nut -',
           qr/^host h1: segment \d: .*left out/);
distrusted('one byte changed', '$FFMPEG "$@" >$HERE/all.$$; n=$(($(wc -c <$HERE/all.$$) / 2)); head -c $n $HERE/all.$$;'
           . 'tail -c +$((n + 1)) $HERE/all.$$ | { head -c 1 | tr "\\000-\\377" "\\001-\\377\\000"; }; tail -c +$((n + 2)) $HERE/all.$$; rm $HERE/all.$$',
           qr/^host h1: segment \d: the result is damaged: its checksum is wrong; left out/);
distrusted('a result without end', 'printf nut/; exec cat /dev/zero', qr/^host h1: segment \d: its output cannot be kept: .*; left out/);
distrusted('another size', sprintf($words, 'case $a in trim=start*) a=$a,scale=80:46 ;; esac'),
           qr/^host h1: segment \d: its encoder makes other stream headers .*left out/);
# what ffmpeg says is true, its result is made another one
my $again = '$FFMPEG "$@" 2>$HERE/said.$$ | $FFMPEG -v error -copyts %s; cat $HERE/said.$$ >&2; rm $HERE/said.$$';
distrusted('other times', sprintf($again, '-itsoffset 1 -f nut -i - -c copy -f nut -'),
           qr/^host h1: segment \d: packet 0 of the result is not what was asked for; left out/);
distrusted('a hundred streams', sprintf($again, '-f nut -i -' . ' -map 0' x 100 . ' -c copy -f nut -'),
           qr/^host h1: segment \d: the result is not a NUT stream: .*; left out/);
# the encoder itself is wrong, as with bad memory: the checksum is that of what cannot be decoded
distrusted('damaged before it is sent', sprintf($again =~ s/cat (\S+) >/grep -v murmur3 $1 >/r,
           q{-f nut -i - -map 0 -c copy -bsf:v noise=amount=20 -f tee '[f=nut]pipe:1|[f=streamhash:hash=murmur3]pipe:2'}),
           qr/^host h1: segment \d: the first picture of the result cannot be decoded; left out/);
distrusted('another codec', sprintf($words, '[ "$a" = libx264 ] && a=mpeg4'),
           qr/^host h1: segment \d: the result is another codec; left out/);

# a picture that fits the times and headers, of something else
for my $lie (['nothing but green', 'drawbox=c=green:t=fill'], ['upside down', 'vflip'], ['a negative', 'negate']) {
    distrusted($lie->[0], sprintf($words, "case \$a in trim=start*) a=\$a,$lie->[1] ;; esac"),
               qr/^host h1: segment \d: the result shows something else than the input; left out/);
}

# One that calls the input damaged is not believed, if this machine, or without that another host, has nothing to complain of.
for my $words ('[h264 @ 0x1] error while decoding MB 1 1', '[dec:h264 @ 0x1] Decoding error: Invalid data') {
    $run = try_it("slander ($words)", "\$FFMPEG \"\$\@\"; s=\$?; echo '$words' >&2; exit \$s");
    ok(!grep({ $_->{decision} eq 'stock' } events($run, 'plan')) && !events($run, 'attempt', host => 'h1', outcome => 'ok')
       && events($run, 'attempt', host => 'localhost', outcome => 'ok') >= 1, "slander ($words): the trace");
}
stub('h1', '$FFMPEG "$@"; s=$?; echo "[h264 @ 0x1] error while decoding MB" >&2; exit $s');
$run = run({ env => { FFLEET_HOSTS => 'h1 h2' } }, '--no-fallback', @ours);
judge('slander, and no help from here', $run, [qr/^host h1: /]);
ok(!events($run, 'attempt', host => 'localhost') && events($run, 'attempt', host => 'h1', outcome => 'failed') >= 1,
   'slander, and no help from here: the trace');
unstub('h1');

### hosts that fail

# ... are tried again, elsewhere
sub failing {
    my ($name, $outcome, $stub, @arg) = @_;
    my $run = try_it($name, $stub, @arg);
    ok(events($run, 'attempt', host => 'h1', outcome => $outcome) >= 1
       && !events($run, 'attempt', host => 'h1', outcome => 'ok')
       && !events($run, 'host', host => 'h1', state => 'broken'), "$name: the trace");
}

failing('fails after half', 'failed', '$FFMPEG "$@" | head -c 3000; exit 1',
        qr/^host h1: segment \d: ffmpeg ended with status 1.*; (?:trying again|it runs) on another host/);
failing('crashes', 'failed', 'kill -SEGV $$',
        qr/^host h1: segment \d: ffmpeg ended with status 139; trying again on another host/);
failing('does not read', 'failed', 'exec 0<&-; echo "Cannot allocate memory" >&2; exit 1',
        qr/^host h1: segment \d: ffmpeg ended with status 1: Cannot allocate memory; trying again/);

# A host that hangs: what it has is done once more elsewhere, long before it is given up.
for my $hang (['slow', 'sleep 300; exec $FFMPEG "$@"'], ['hangs after half', '$FFMPEG "$@" | head -c 3000; exec sleep 300']) {
    my $run = try_it(@$hang);
    ok(events($run, 'attempt', host => 'h1', outcome => 'cancelled') >= 1
       && events($run, 'attempt', outcome => 'ok') == 6, "$hang->[0]: the trace");
    ok(wait_for { !processes("$top/fleet/h1") || !grep { slurp("/proc/$_/cmdline") =~ /^sleep\0/ } processes("$top/fleet/h1") },
       "$hang->[0]: nothing goes on there");
}

# With no other host nobody else can: only the deadline helps.
$ENV{FFLEET_STALL_TIMEOUT} = 5;  # enough for a busy machine
stub('h1', '[ -e $HERE/stalled ] && exec $FFMPEG "$@"; : >$HERE/stalled; $FFMPEG "$@" | head -c 3000; exec sleep 300');
$run = run({ env => { FFLEET_HOSTS => 'h1' } }, @ours);
my $stalled = qr/^host h1: segment \d: nothing moved for 5 seconds; trying again$/;
judge('stalls', $run, $stalled, [$stalled]);
ok(events($run, 'attempt', host => 'h1', outcome => 'stalled') >= 1
   && events($run, 'attempt', outcome => 'ok') == 6, 'stalls: the trace');
delete $ENV{FFLEET_STALL_TIMEOUT};
# one slot: with work waiting behind it this machine does not take the segment before the host is refused
stub('h1', '[ -e $HERE/told ] && exec $FFMPEG "$@"; : >$HERE/told; exec yes >&2');
$run = run({ env => { FFLEET_HOSTS => 'h1/1' } }, @ours);
judge('writes to stderr without end', $run,
      qr/^host h1: segment \d: it writes to stderr without end; trying again$/);
ok(events($run, 'attempt', host => 'h1', outcome => 'failed') == 1
   && events($run, 'attempt', outcome => 'ok') == 6, 'writes to stderr without end: the trace');

# A trickle is a sign of life, but with all else done this machine does not wait for it.
stub('h1', 'case "$*" in *trim=start=5.6*) ;; *) exec $FFMPEG "$@" ;; esac' . "\n"
     . '$FFMPEG "$@" | { head -c 1000; for i in $(seq 300); do sleep 1; head -c 1; done; }');
$run = run({ env => { FFLEET_HOSTS => 'h1' } }, @ours);
judge('trickles in the end', $run);
ok(events($run, 'attempt', host => 'localhost', outcome => 'ok', segment => 5) == 1
   && events($run, 'attempt', host => 'h1', outcome => 'cancelled', segment => 5) == 1
   && events($run, 'attempt', host => 'h1', outcome => 'ok') == 5, 'trickles in the end: the trace');

# What fails on two hosts is tried here, and if that is good, no host is to blame for good.
for (1 .. 3) {
    stub("h$_", 'case "$*" in *trim=start=2.6*) echo "Cannot allocate memory" >&2; exit 1 ;; esac; exec $FFMPEG "$@"');
}
$run = run({}, @ours);
judge('a segment that no host can do', $run, map { qr/^host h\d: segment 2: .*Cannot allocate memory; trying again (?:on another host|locally)/ } 1 .. 2);
ok(events($run, 'attempt', segment => 2, outcome => 'failed') == 2
   && events($run, 'attempt', segment => 2, host => 'localhost', outcome => 'ok') == 1
   && !events($run, 'host', state => 'broken'), 'a segment that no host can do: the trace');
# The same when this machine fails too: then the input is at fault, and stock has to say so.
put("$top/failing", "#!/bin/sh\ncase \"\$*\" in *trim=start=2.6*) exit 1 ;; esac\nexec $real_ffmpeg \"\$@\"\n");
chmod 0755, "$top/failing";
$run = run({ env => { FFLEET_FFMPEG => "$top/failing" } }, @ours);
judge('a segment that nobody can do', $run,
      (map { qr/^host h\d: segment 2: .*trying again (?:on another host|locally)/ } 1 .. 2),
      qr/^ffleet: segment 2 cannot be encoded: localhost: .*; stock ffmpeg does it all/,
      qr/^host localhost: segment 2: .*; given up/);
ok(!events($run, 'host', state => 'broken'), 'a segment that nobody can do: the hosts are innocent');
unstub(qw(h1 h2 h3));

stub('h1', 'echo >$HERE/begun; exec sleep 300');
stub($_, held("$top/killed") . 'exec $FFMPEG "$@"') for qw(h2 h3);
my $job = start({}, @ours);
ok(wait_for { -s "$top/fleet/h1/begun" }, 'the host has begun');
fleet_sh("fleet_kill_host '$top/fleet' h1");
put("$top/killed", '');
$run = finish($job);
judge('killed in mid-attempt', $run,
      qr/^host h1: segment \d: connection lost: .*; (?:trying again|it runs) on another host/);
ok(events($run, 'host', host => 'h1', state => 'lost') >= 1
   && events($run, 'attempt', host => 'h1', outcome => 'failed') >= 1, 'killed in mid-attempt: the trace');
unstub(qw(h1 h2 h3));

### damaged inputs

# What is made up for damage differs from run to run even of stock; number and times of frames do not.
my $whole = slurp("$top/in.mp4");
my $bad   = $whole;
srand 1;
substr($bad, length($bad) * (0.3 + 0.4 * rand), 50) = join '', map { chr int rand 256 } 1 .. 50 for 1 .. 30;
put("$top/bad.mp4", $bad);
make_input('whole.ts', '-i', "$top/in.mp4", qw(-c copy));
put("$top/cut.ts", substr slurp("$top/whole.ts"), 0, 0.6 * -s "$top/whole.ts");
put("$top/cut.mp4", substr $whole, 0, length($whole) / 2);
for my $input (qw(bad.mp4 cut.ts cut.mp4)) {
    my @args  = (qw(-nostdin -y -v warning -i), $input, @encode);
    my $stock = stock({}, @args, 'stock-bad.mp4');
    my $ours  = run({ env => { FFLEET_HOSTS => "h2 h3" } }, qw(--segment-length 1), @args, "ours.mp4");
    is($ours->{status}, $stock->{status}, "$input: status");
    if ($stock->{status}) {
        ok(!-e "$top/ours.mp4", "$input: no output");
    } else {
        compare_ok("$top/stock-bad.mp4", "$top/ours.mp4", "$input: the output");
    }
    my @told = grep { /^(?:host|ffleet:|segment)/ } lines($ours);
    ok(@told <= 1 && !grep({ !/damaged: .*; stock ffmpeg does it all/ } @told), "$input: what it says")
        or diag(@told);
    unlink "$top/ours.mp4", "$top/stock-bad.mp4";
}
### hosts that cannot be reached

# from here on nobody listens on h1's port; a long run tries so often that it gives up
my $given_up = [qr/^host h\d: unreachable: .*refused; left out/];
$run = run({}, @ours);
judge('connection refused', $run, qr/^host h1: unreachable: 127.0.0.1 port \d+: Connection refused; next try in/, $given_up);
ok(events($run, 'host', host => 'h1', state => 'failed') >= 1, 'connection refused: the trace');

my $known = slurp("$top/fleet/known_hosts");
my ($port) = slurp("$top/fleet/h2/port") =~ /(\d+)/;
put("$top/fleet/known_hosts", join '', grep { !/:$port / } split /^/, $known);
$run = run({ env => { FFLEET_HOSTS => 'h2 h3' } }, @ours);
judge('unknown host key', $run,
      qr/^host h2: unknown host key: ssh-ed25519 SHA256:\S+; if it is right, add it with: ssh-keyscan -p $port .*; left out/);
put("$top/fleet/known_hosts", $known =~ s/(:$port \S+ ).*/${1}AAAAC3NzaC1lZDI1NTE5AAAAIGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/r);
$run = run({ env => { FFLEET_HOSTS => 'h2 h3' } }, @ours);
judge('changed host key', $run,
      qr/^host h2: the host key has changed: .*; somebody may be listening.* ssh-keygen -f .*; left out/);
put("$top/fleet/known_hosts", $known);
$run = run({ env => { FFLEET_HOSTS => 'nosuchuser@h2 h3' } }, @ours);
judge('refused user', $run, qr/^host nosuchuser\@h2: .*; left out/);

### the command is at fault

my @long = ('-vf', 'drawbox=x=0:y=0:w=2:h=2:c=black,' x 1200 . 'null');
stock({}, qw(-nostdin -y -i in.mp4 -t 2), @long, @encode, 'long.mp4')->{status} == 0 or BAIL_OUT('stock');
$run = run({}, @ours[0 .. $#ours - 1], qw(-t 2), @long, 'ours.mp4');
is($run->{status}, 0, 'too long a command: status') or diag($run->{stderr});
compare_ok("$top/long.mp4", "$top/ours.mp4", 'too long a command: the output', '--exact-frames');
ok(events($run, 'attempt', host => 'localhost', outcome => 'ok') == 2, 'too long a command: this machine does it');
ok(!grep({ ($_->{why} // '') =~ /too long/ } events($run, 'host')), 'too long a command: no host is to blame');

### few descriptors

$run = run({ program => 'sh', env => { FFLEET_HOSTS => 'h2/20 h3/20' } }, '-c', 'ulimit -n 80; exec "$@"', 'sh', $ffleet, @ours);
judge('few descriptors', $run, [qr/^host h[23]: only \d+ of 20 slots: Too many open files/]);

### no host is left

fleet_sh("fleet_kill_host '$top/fleet' h2; fleet_kill_host '$top/fleet' h3");
$run = run({}, @ours);
judge('all are dead: this machine does it', $run, $given_up, map { qr/^host h$_: unreachable: .*refused/ } 1 .. 3);
ok(events($run, 'attempt', host => 'localhost', outcome => 'ok') == 6, 'all are dead: the trace');

put("$top/ours.mp4", 'precious');
put("$top/fleet/known_hosts", '');   # refused for good, so that nobody waits for another try
fleet_sh("fleet_start_host '$top/fleet' h9") or BAIL_OUT('no h9');
put("$top/fleet/known_hosts", '');
$run = run({ env => { FFLEET_HOSTS => 'h9' } }, '--no-fallback', @ours);
is($run->{status}, 1, '--no-fallback: status');
like($run->{stderr}, qr/^segment 0 cannot be encoded: no host is left \(h9: unknown host key/m,
     '--no-fallback: why');
is(slurp("$top/ours.mp4"), 'precious', '--no-fallback: nothing was touched');
unlink "$top/ours.mp4";
$run = run({ env => { FFLEET_HOSTS => 'h9' } }, '--no-fallback', @ours);
ok($run->{status} == 1 && !-e "$top/ours.mp4", '--no-fallback: nothing was made');

done_testing();
