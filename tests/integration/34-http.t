#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Inputs over http, from a little server here: the first folder of the url says how it behaves.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use IO::Socket::INET;
use Test::More;

my $socket = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or BAIL_OUT("no socket: $!");
my $url    = 'http://127.0.0.1:' . $socket->sockport;

sub answer { my ($c, @lines) = @_; print $c join "\r\n", @lines, 'Connection: close', '', '' }

# ok: a plain file server; key: with a password; whole: no ranges; live: nor a size, and something else each time;
# cut: ends early; stall: falls silent
sub serve {
    my ($c) = @_;
    my ($mode, $path) = (<$c> // '') =~ m{^GET /(\w+)/([\w.]+)} or return;
    my ($from, $key) = (0, '');
    while (<$c> =~ /^([\w-]+): *(.*?)\r\n/) {
        ($from) = $2 =~ /(\d+)/ if lc $1 eq 'range';
        $key = $2 if lc $1 eq 'x-key';
    }
    return answer($c, 'HTTP/1.1 403 Forbidden', 'Content-Length: 0') if $mode eq 'key' && $key ne 'opensesame';
    my $data = slurp("$top/$path");
    my $size = length $data;
    $from = 0 if $mode =~ /whole|live/;
    $data = substr $data, $from;
    answer($c, $mode eq 'live' ? 'HTTP/1.0 200 OK' : $mode =~ /whole/ ? 'HTTP/1.1 200 OK' : ('HTTP/1.1 206 Part', 'Accept-Ranges: bytes',
           "Content-Range: bytes $from-" . ($size - 1) . "/$size"), $mode eq 'live' ? () : 'Content-Length: ' . length $data);
    $mode = 'ok' if $mode eq 'stall' && $from;
    print $c $mode =~ /cut|stall/ ? substr $data, 0, length($data) / 2 : $data;
    $c->flush;
    sleep 60 if $mode eq 'stall';
}

my $server = fork // BAIL_OUT("fork: $!");
if (!$server) {
    # a group that ends as one, and nothing that prove would wait for
    setpgrp 0, 0;
    open STDOUT, '>', '/dev/null';
    $SIG{CHLD} = 'IGNORE';
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
    while (my $c = $socket->accept) {
        next if fork;
        serve($c);
        POSIX::_exit(0);
    }
    POSIX::_exit(0);
}
setpgrp $server, $server;
close $socket;
END { kill 'KILL', -$server if $server }

fleet_up(2);
make_input('in.ts', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=6 -f lavfi -i sine=d=6 -c:v libx264 -preset ultrafast -g 25));
my @encode = qw(-c:v libx264 -preset ultrafast -qp 24 -g 25);

sub case {
    my ($what, $maker, @in) = @_;
    my @words = (qw(-nostdin -y -v error), @in, @encode);
    my $stock = stock({}, @words, 'stock.mkv');
    my $ours  = run({}, qw(--segment-length 1), @words, 'ours.mkv');
    my ($plan) = reverse events($ours, 'plan');
    is($ours->{status}, $stock->{status}, "$what: exit status") or diag($ours->{stderr});
    is($plan->{decision}, $maker, "$what: who makes it") or diag($plan->{reason});
    # how stock patches up a frame that is cut off differs from run to run
    compare_ok("$top/stock.mkv", "$top/ours.mkv", "$what: the same", $maker eq 'fleet' ? '--exact-frames' : ()) unless $stock->{status};
    return $ours;
}

case('a file', 'fleet', '-i', "$url/ok/in.ts");
case('from the middle, sound copied', 'fleet', qw(-ss 2), '-i', "$url/ok/in.ts", qw(-c:a copy));
my $run = case('with a password', 'fleet', '-headers', "X-Key: opensesame", '-user_agent', 'me', '-i', "$url/key/in.ts?user=ali");
unlike($run->{stderr} . join('', slurp($run->{trace}), map { slurp($_) } glob "$top/fleet/h*/log"),
       qr/opensesame|ali\b/, 'secrets stay here');
case('a wrong password', 'stock', '-i', "$url/key/in.ts");
case('no parts', 'fleet', '-i', "$url/whole/in.ts");
case('nor a size, sound copied', 'fleet', '-i', "$url/live/in.ts", qw(-t 4 -c:a copy));
case('from the middle of it', 'fleet', qw(-ss 2), '-i', "$url/live/in.ts", qw(-c:a copy));
case('no parts, with an option', 'stock', '-user_agent', 'me', '-i', "$url/whole/in.ts");
case('no parts, backwards', 'stock', '-i', "$url/whole/in.ts", qw(-vf reverse -threads 1));
case('an end that comes early', 'stock', '-i', "$url/cut/in.ts");

my $silent = start({}, qw(-y -v error --segment-length 1 -probesize 100k -analyzeduration 500k -i), "$url/stall/in.ts", @encode, 'silent.mkv');
ok(wait_for { -s $silent->{trace} }, 'a silent server is waited for');
sleep 1;
kill 'INT', $silent->{pid};
isnt(finish($silent)->{status}, 'too late', 'but a signal ends that');

done_testing();
