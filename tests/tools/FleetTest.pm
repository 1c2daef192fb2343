# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For integration tests in Perl: a private folder, a fleet of SSH hosts, runs of ffleet and of stock.
# Everything is bounded, and given back in the end.
#
#   FFLEET_TEST_KEEP=DIR    work in DIR/TEST, and leave it there but for the hosts
package FleetTest;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Handle;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw($top $keep $ffleet $tools $real_ffmpeg fleet_up fleet_sh stub held unstub make_input make_texts start
                 finish run stock slurp put wait_for compare_ok events processes lines);

our $here   = abs_path(dirname(__FILE__) . '/..');
our $tools  = ($ENV{BUILD} ? $ENV{BUILD} : "$here/..") . '/tests/tools';
our $ffleet = abs_path($ENV{FFLEET} // "$here/../ffleet");
BAIL_OUT('no ffleet here: set FFLEET') unless defined $ffleet && -x $ffleet;
our $keep = $ENV{FFLEET_TEST_KEEP};
our $top  = $keep ? kept_folder() : tempdir('ffleet-test-XXXXXX', TMPDIR => 1, CLEANUP => 1);
our ($real_ffmpeg) = grep { -x } map { "$_/ffmpeg" } split /:/, $ENV{PATH};
BAIL_OUT('no ffmpeg on PATH') unless $real_ffmpeg;
our $LIMIT = 240;   # seconds for a run: none takes them but on a machine that has much else to do

delete @ENV{ grep { /^(?:FFLEET_(?!TEST_|FAULT|INTERRUPTS)|FFREPORT|SSH_AUTH_SOCK)/ } keys %ENV };
$ENV{HOME} = $ENV{XDG_CONFIG_HOME} = "$top/home";
make_path("$top/home", "$top/tmp");
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = $SIG{PIPE} = sub { exit 1 };

my ($owner, $fleet) = ($$, 0);
my %running;   # ours, not waited for yet

END {
    if ($$ == $owner) {
        my $status = $?;
        kill 'KILL', keys %running;
        fleet_sh("fleet_stop '$top/fleet'") if $fleet;
        remove_tree("$top/fleet") if $keep;
        chdir '/';
        $? = $status;
    }
}

sub kept_folder {
    my $folder = "$keep/" . basename($0, '.t', '.pl');
    remove_tree($folder);
    make_path($folder);
    return abs_path($folder);
}

sub slurp {
    open my $f, '<', $_[0] or return '';
    local $/;
    return <$f> // '';
}

sub put {
    my ($name, $text) = @_;
    open my $f, '>', $name or die "$name: $!";
    print $f $text;
    close $f or die "$name: $!";
}

# wait_for { condition }: up to a minute
sub wait_for(&) {
    my $end = time + 60;
    while (time < $end) {
        return 1 if $_[0]->();
        sleep 0.01;
    }
    return 0;
}

# fleet_sh(TEXT): run functions of fleet.sh
sub fleet_sh {
    return system('bash', '-c', ". '$here/fleet.sh'; $_[0]") == 0;
}

# fleet_up(N): hosts h1..hN, in $top/fleet
sub fleet_up {
    $fleet = 1;
    fleet_sh("fleet_start $_[0] '$top/fleet'") or BAIL_OUT('no fleet');
    $ENV{FFLEET_SSH_CONFIG} = "$top/fleet/ssh_config";
    $ENV{FFLEET_HOSTS} = join ' ', map { "h$_" } 1 .. $_[0];
}

# stub(HOST, SH TEXT): what that host's ffmpeg does when it is to encode; $FFMPEG is the real one.
# With "probe" in front, all it does.
sub stub {
    my ($host, $text) = @_;
    my $probe = $text =~ s/^probe\b// ? '' : 'case " $* " in *" pipe:0 "*) ;; *) exec $FFMPEG "$@" ;; esac';
    my $name = "$top/fleet/$host/bin/ffmpeg";
    put($name, "#!/bin/sh\nFFMPEG=$real_ffmpeg\nHERE=$top/fleet/$host\n$probe\n$text\n");
    chmod 0755, $name;
}

# held(FILE...): for a stub: wait until all of them are there, a minute or so
sub held {
    my $there = join ' && ', map { "[ -e '$_' ]" } @_;
    return "n=0; until $there || [ \$n = 3000 ]; do sleep 0.02; n=\$((n + 1)); done\n";
}

sub unstub {
    unlink map { "$top/fleet/$_/bin/ffmpeg" } @_;
}

# make_input(NAME, ffmpeg's arguments): made in $top
sub make_input {
    my ($name, @args) = @_;
    system($real_ffmpeg, qw(-nostdin -v error -y), @args, "$top/$name") == 0
        or BAIL_OUT("cannot make $name");
}

# make_texts(FOLDER, N): subtitles with N lines, one a second, and chapters
sub make_texts {
    my ($folder, $nb) = @_;
    put("$folder/text.srt", join '', map { "$_\n00:00:0$_,100 --> 00:00:0$_,900\nline <i>$_</i>\n\n" } 1 .. $nb);
    put("$folder/text.ass", "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
      . "Style: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n"
      . join '', map { "Dialogue: 0,0:00:0$_.00,0:00:0$_.50,Default,line {\\b1}$_\n" } 1 .. 5);
    put("$folder/chapters.txt", ";FFMETADATA1\ntitle=All\n" . join '', map {
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=${_}000\nEND=" . ($_ + 2) . "000\ntitle=c$_\n" } 0, 2, 4);
}

# start(options, words): a program in $top/NAME; options: name, cwd, env => {}, stdin (a text, or
# "null", "closed", "pipe"), closed => [1, 2], program
sub start {
    my ($o, @words) = @_;
    my $name = $o->{name} // 'run';
    my $run  = { err => "$top/$name.err", out => "$top/$name.out", trace => "$top/$name.trace" };
    my ($read, $write);

    unlink @$run{qw(err out trace)};
    if (($o->{stdin} // 'null') !~ /^(?:null|closed)$/) {
        pipe $read, $write or die $!;
    }
    $run->{pid} = fork // die $!;
    if (!$run->{pid}) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        chdir($o->{cwd} // $top) or POSIX::_exit(126);
        open STDOUT, '>', $run->{out};
        open STDERR, '>', $run->{err};
        if ($read) {
            close $write;
            open STDIN, '<&', $read;
        } else {
            open STDIN, '<', '/dev/null';
        }
        $ENV{TMPDIR} = "$top/tmp";
        $ENV{FFLEET_TRACE} = $run->{trace};
        for (keys %{ $o->{env} // {} }) {
            if (defined $o->{env}{$_}) { $ENV{$_} = $o->{env}{$_} } else { delete $ENV{$_} }
        }
        my @program = ($o->{program} // $ffleet, @words);
        my $close = join ' ', map { $_ ? "$_>&-" : '<&-' } @{ $o->{closed} // [] },
            ($o->{stdin} // '') eq 'closed' ? 0 : ();
        @program = ('sh', '-c', "exec \"\$@\" $close", 'sh', @program) if $close;
        { exec { $program[0] } @program }
        POSIX::_exit(127);
    }
    close $read if $read;
    $running{ $run->{pid} } = 1;
    if ($write) {
        $write->autoflush(1);
        local $SIG{PIPE} = 'IGNORE';
        print $write $o->{stdin} if $o->{stdin} ne 'pipe';
        $run->{in} = $write;
    }
    return $run;
}

# finish(run): wait for its end and collect: status (128 + n after a signal), stdout, stderr, events
sub finish {
    my ($run) = @_;
    my $end = time + $LIMIT;

    while (!waitpid $run->{pid}, WNOHANG) {
        if (time > $end) {
            kill 'KILL', $run->{pid};
            $run->{late} = 1;
            $end += 1000;
        }
        sleep 0.01;
    }
    delete $running{ $run->{pid} };
    $run->{status} = $run->{late} ? 'too late' : WIFSIGNALED($?) ? 128 + WTERMSIG($?) : WEXITSTATUS($?);
    close delete $run->{in} if $run->{in};
    $run->{stdout} = slurp($run->{out});
    $run->{stderr} = slurp($run->{err});
    $run->{events} = [ map { eval { decode_json($_) } // () } split /\n/, slurp($run->{trace}) ];
    return $run;
}

sub run   { return finish(start(@_)) }
# stock ffmpeg, in the same way
sub stock { my $o = shift; return run({ %$o, program => $real_ffmpeg, name => 'stock' }, @_) }

# events(run, EVENT, field => value...): those of the trace that fit
sub events {
    my ($run, $event, %want) = @_;
    return grep {
        my $e = $_;
        $e->{event} eq $event && !grep { ($e->{$_} // '') ne $want{$_} } keys %want;
    } @{ $run->{events} };
}

# The lines of stderr that are not the stats line
sub lines {
    return grep { /\S/ && !/^frame=/ } split /[\r\n]+/, $_[0]{stderr};
}

sub compare_ok {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($stock, $ours, $name, @options) = @_;
    my $run = run({ name => 'compare', cwd => '.', program => $^X }, "$here/tools/compare.pl", $stock, $ours, @options);

    return ok($run->{status} eq 0, $name) || diag($run->{stdout}, $run->{stderr}) && 0;
}

# processes(TEXT): pids of all processes whose environment or arguments contain it
sub processes {
    my ($text) = @_;
    my @found;
    for my $dir (glob '/proc/[0-9]*') {
        my ($pid) = $dir =~ /(\d+)$/;
        next if $pid == $$;
        next unless index(slurp("$dir/environ") . slurp("$dir/cmdline"), $text) >= 0;
        push @found, $pid if slurp("$dir/stat") !~ /\) [ZX]/;
    }
    return @found;
}

1;
