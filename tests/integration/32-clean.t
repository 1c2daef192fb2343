#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# However a run ends, nothing of it stays: no process and no file on a host, none here.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use File::Find qw(find);
use Test::More;

my @encode = qw(-c:v libx264 -preset ultrafast -qp 25 -g 25 -sc_threshold 0 -c:a aac);
# the picture travels along, into a folder on the host
my @ours   = (qw(-y --segment-length 1 -v error -i in.mp4 -i logo.png -filter_complex overlay), @encode, 'ours.mp4');

fleet_up(3);
make_input('in.mp4', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=5 -f lavfi -i sine=d=5),
           qw(-c:v libx264 -preset ultrafast -g 25 -c:a aac));
make_input('logo.png', qw(-f lavfi -i testsrc=s=32x32 -frames:v 1));
my ($port) = slurp("$top/fleet/h3/port") =~ /(\d+)/;
put("$top/jump", "Host far\n    HostName 127.0.0.1\n    Port $port\n    ProxyJump h2\n" . slurp("$top/fleet/ssh_config"));
$ENV{FFLEET_SSH_CONFIG} = "$top/jump";
$ENV{FFLEET_HOSTS} = 'h1/2 far localhost/1';

# Everything that is there: files of the hosts' homes, in which their TMPDIR is, and of ours
sub files {
    my @found;
    find({ no_chdir => 1, wanted => sub { push @found, $_ unless /\.(?:out|err|trace)$|\/log$/ } },
         "$top/tmp", map { "$top/fleet/h$_" } 1 .. 3);
    return join "\n", sort @found;
}

# Processes of the hosts and of ours: their environments name our folder. The servers themselves may stay.
my %servers = map { slurp("$top/fleet/h$_/sshd.pid") =~ /(\d+)/ ? ($1 => 1) : () } 1 .. 3;
sub left {
    my @left = grep { !$servers{$_} } processes("$top/");
    for my $server (keys %servers) {
        push @left, grep { /\S/ } split /\s+/, slurp("/proc/$server/task/$server/children");
    }
    return @left;
}

# how(RUN): end it once every host is at work on something that never ends
my $endless = 'echo $$ >>$HERE/busy; trap "" TERM HUP; while :; do sleep 0.05; done';
sub clean {
    my ($name, $stub, $status, $how, %o) = @_;

    stub($_, $stub) for $stub ? qw(h1 h3) : ();
    put("$top/local", "#!/bin/sh\ncase \" \$* \" in *pipe:0*) HERE=$top/tmp;\n$stub\n;; esac\nexec $real_ffmpeg \"\$@\"\n") if $stub;
    chmod 0755, "$top/local";
    local $ENV{FFLEET_HOSTS} = $stub ? "h1/2 far localhost/1,ffmpeg=$top/local" : $ENV{FFLEET_HOSTS};
    my $files = files();
    my $run = start({ stdin => 'pipe', %o }, @{ $o{args} // [] }, @ours);
    if ($how) {
        ok(wait_for { -s "$top/fleet/h1/busy" && -s "$top/fleet/h3/busy" && -s "$top/tmp/busy" },
           "$name: all are at work");
        cmp_ok(scalar(left()), '>=', 4, "$name: and can be seen");
        $how->($run);
    }
    finish($run);
    unlink map { "$_/busy" } "$top/fleet/h1", "$top/fleet/h3", "$top/tmp";
    unstub(qw(h1 h3));
    is($run->{status}, $status, "$name: status") or diag($run->{stderr});
    ok(wait_for { !left() }, "$name: no process is left")
        or diag(map { "$_: " . slurp("/proc/$_/cmdline") =~ tr/\0/ /r . "\n" } left());
    $files =~ s/^.*\/bin\/ffmpeg\n?//mg;
    is(files() =~ s/^.*\/bin\/ffmpeg\n?//mgr, $files, "$name: no file is left");
}
sub send_all { my @sig = @_; return sub { my ($run) = @_; kill $_, $run->{pid} for @sig } }

clean('success', '', 0);
clean('failures', 'exit 1', 0);
clean('no host can', 'exit 1', 1, undef, args => ['--no-fallback']);
clean('q', $endless, 0, sub { print { $_[0]{in} } 'q' });
clean('SIGINT', $endless, 255, send_all('INT'));
clean('SIGTERM', $endless, 255, send_all('TERM'));
clean('four signals', $endless, 123, send_all(qw(STOP INT TERM QUIT XCPU CONT)));
clean('SIGHUP', $endless, 129, send_all('HUP'));
clean('SIGKILL', $endless, 137, send_all('KILL'));

# while the hosts make a folder for the picture
for my $host (qw(h1 h3)) {
    my $home = "$top/fleet/$host";
    put("$home/bin/mkdir", "#!/bin/sh\n/bin/mkdir \"\$@\"\necho \$\$ >>$home/busy\nsleep 300\n");
    chmod 0755, "$home/bin/mkdir";
}
clean('SIGINT, folder', $endless, 255, send_all('INT'));
unlink map { "$top/fleet/$_/bin/mkdir" } qw(h1 h3);

# before the hosts are asked for anything
my $files = files();
put("$top/slow", "#!/bin/sh\necho >$top/tmp/begun\nexec sleep 300\n");
chmod 0755, "$top/slow";
for (['INT', 255], ['KILL', 137]) {
    my ($sig, $status) = @$_;
    my $run = start({ env => { FFLEET_FFMPEG => "$top/slow" } }, @ours);
    ok(wait_for { -e "$top/tmp/begun" }, "early SIG$sig: it has begun");
    kill $sig, $run->{pid};
    finish($run);
    is($run->{status}, $status, "early SIG$sig: status") or diag($run->{stderr});
    ok(wait_for { !left() }, "early SIG$sig: no process is left");
    unlink "$top/tmp/begun"; # only now: the local slot's look at its ffmpeg writes one, too
    is(files(), $files, "early SIG$sig: no file is left");
}

done_testing();
