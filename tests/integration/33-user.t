#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the user sees and says: questions, keys, signals, what is printed where, the short form, names with
# everything in them, folders that cannot be written, closed descriptors.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use File::Path qw(make_path);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep);

my @encode = qw(-c:v libx264 -preset ultrafast -qp 25 -g 25 -sc_threshold 0 -c:a copy);
my @short  = qw(--segment-length 1);
my $pty    = "$tools/ptyrun";
BAIL_OUT("no $pty") unless -x $pty;

fleet_up(2);
make_input('in.mp4', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=5 -f lavfi -i sine=d=5),
           qw(-c:v libx264 -preset ultrafast -g 25 -c:a aac));
is(stock({}, qw(-nostdin -y -i in.mp4), @encode, 'stock.mp4')->{status}, 0, 'stock') or BAIL_OUT('stock');
run({}, qw(-nostdin -y -v error), @short, qw(-i in.mp4), @encode, 'good.mp4');
compare_ok("$top/stock.mp4", "$top/good.mp4", 'the fleet', '--exact-frames');
my $good = slurp("$top/good.mp4");

# what muxers tell on the way, and how much they got
sub news {
    return join "\n", map { /(Opening '.*|Starting second pass.*)/ ? $1 : /(audio:\d+)/ ? $1 : () } split /[\r\n]+/, $_[0]{stderr};
}
for my $out ([qw(-movflags +faststart news.mp4)], [qw(-f hls -hls_time 2 news.m3u8)]) {
    my @words = (qw(-nostdin -y -i in.mp4), @encode, @$out);
    my $want  = news(stock({}, @words));
    like($want, qr/Opening|second pass/, "$out->[-1]: stock's muxer tells something");
    is(news(run({}, @short, @words)), $want, "$out->[-1]: we the same");
}

# as good as the output that was compared
sub is_good {
    my ($name, $file) = @_;
    $file //= "$top/ours.mp4";
    ok(slurp($file) eq $good, $name) or diag("$file: " . (-s $file // 'none'));
    unlink $file;
}
sub by_fleet { return events($_[0], 'plan', decision => 'fleet') && !events($_[0], 'plan', decision => 'stock') }

# number of video frames of a file that plays without a complaint, else what is wrong
sub plays {
    my ($file) = @_;
    my $text = `$real_ffmpeg -nostdin -v error -i '$file' -f null - 2>&1`;
    return "it says: $text" if $text ne '' || $?;
    $text = `ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets -of csv=p=0 '$file'`;
    return $text =~ /^(\d+)/ ? $1 : 'no frames';
}

### the overwrite question

# on a terminal: TYPED at the question
sub question {
    my ($typed, $program) = @_;
    put("$top/ours.mp4", 'precious');
    return run({ program => $pty }, 'y/N]', $typed, '--', $program, @short, qw(-hide_banner -i in.mp4),
               @encode, 'ours.mp4');
}
# FFmpeg 7 takes a refusal for a good end
put("$top/ours.mp4", 'precious');
my $no = stock({}, qw(-i in.mp4), @encode, 'ours.mp4')->{status};
for (['n', "n\n", $no, 1], ['nothing', "\n", $no, 1], ['y', "y\n", 0], ['Yes', "Yes\n", 0], ['Ctrl-C', "\x03", 130, 1]) {
    my ($name, $typed, $status, $kept) = @$_;
    my $ours  = question($typed, $ffleet);
    is($ours->{status}, $status, "the question, $name: status");
    like($ours->{stdout}, qr/File 'ours.mp4' already exists. Overwrite\? \[y\/N\] /, "the question, $name: asked");
    if ($kept) {
        is(slurp("$top/ours.mp4"), 'precious', "the question, $name: nothing was touched");
    } else {
        is_good("the question, $name: the output");
    }
    like($ours->{stdout}, qr/Not overwriting - exiting/, "the question, $name: told") if $kept && $status == $no;
    like($ours->{stderr}, qr/terminal: same/, "the question, $name: the terminal");
}
put("$top/ours.mp4", 'precious');
my $run = run({ stdin => "y\n" }, @short, qw(-i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 0, 'y on a pipe');
is_good('y on a pipe: the output');
for (['-n', '-n'], ['-nostdin', '-nostdin'], ['end of input']) {
    my ($name, @option) = @$_;
    put("$top/ours.mp4", 'precious');
    my $stock = stock({}, @option, qw(-i in.mp4), @encode, 'ours.mp4');
    my $ours  = run({}, @option, qw(-i in.mp4), @encode, 'ours.mp4');
    is($ours->{status}, $stock->{status}, "$name: status");
    is((lines($ours))[-1], (lines($stock))[-1], "$name: what it says");
    is(slurp("$top/ours.mp4"), 'precious', "$name: nothing was touched");
    is(scalar(grep { /^Input #0/ } lines($ours)), 1, "$name: the input is told of once");
}
for (['-vf', 'scale=0:x:y:z'], ['-preset', 'nosuch'], ['-c:a', 'nosuch'], ['-map', '0:7'], ['-t', 'x']) {
    my @result;
    for my $how (\&stock, \&run) {
        put("$top/ours.mp4", 'precious');
        my $run = $how->({}, qw(-y -i in.mp4 -c:a copy -c:v libx264 -crf 25), @$_, 'ours.mp4');
        push @result, [ $run->{status}, slurp("$top/ours.mp4"), (lines($run))[-1] =~ s/0x[0-9a-f]+//gr ];
    }
    is_deeply($result[1], $result[0], "stock refuses @$_: status, output, what it says");
    isnt($result[1][0], 0, "stock refuses @$_");
}
unlink "$top/ours.mp4";

### q and signals

# The hosts stop after the first two segments, or at once; then something is done: how, a sub that gets the run.
# Frames: 50; 1: those of the trial; 0: no matter. By their times: a busy machine may begin the third before the second.
sub interrupted {
    my ($name, $status, $frames, $how, %o) = @_;
    my $limit = $frames > 10 ? 2 : 0;
    my $good  = $limit ? '*trim=start=[01].*' : 'none';

    unlink "$top/ours.mp4", glob "$top/fleet/h1/seg*";
    stub('h1', "n=1; until mkdir \$HERE/seg\$n 2>/dev/null; do n=\$((n + 1)); done\n"
             . "case \"\$*\" in $good) exec \$FFMPEG \"\$@\" ;; esac\nexec sleep 300");
    local $ENV{FFLEET_HOSTS} = 'h1/1';
    my $run = start({ stdin => 'pipe', %o }, @short, qw(-i in.mp4), @encode, 'ours.mp4');
    ok(wait_for {
        -d "$top/fleet/h1/seg" . ($limit + 1)
            && (!$limit || -s "$top/ours.mp4" && $limit == (() = slurp($run->{trace}) =~ /"outcome": "ok"/g))
    }, "$name: it is under way");
    $how->($run);
    finish($run);
    rmdir for glob "$top/fleet/h1/seg*";
    is($run->{status}, $status, "$name: status");
    is(plays("$top/ours.mp4"), $frames, "$name: what was done plays") if $frames > 1;
    like(plays("$top/ours.mp4"), qr/^[1-9]$/, "$name: a few frames play") if $frames == 1;
    return $run;
}
sub send_signal { my ($sig) = @_; return sub { kill $sig, $_[0]{pid} } }

$run = interrupted('q', 0, 50, sub { print { $_[0]{in} } 'q' });
like($run->{stderr}, qr/^video:\d+kB|(?:^|\r)\[out/m, 'q: the summary');
unlike($run->{stderr}, qr/Exiting normally/, 'q: no signal');
interrupted('q before the first segment is done', 0, 1, sub { print { $_[0]{in} } 'q' });
$run = interrupted('SIGINT', 255, 50, send_signal('INT'));
like($run->{stderr}, qr/^Exiting normally, received signal 2\.$/m, 'SIGINT: told');
$run = interrupted('SIGTERM', 255, 50, send_signal('TERM'));
like($run->{stderr}, qr/^Exiting normally, received signal 15\.$/m, 'SIGTERM: told');
interrupted('SIGINT before the first segment is done', 255, 1, send_signal('INT'));
interrupted('two signals', 255, 50, sub { kill 'INT', $_[0]{pid}; kill 'TERM', $_[0]{pid} });
$run = interrupted('four signals', 123, 0, sub {
    kill $_, $_[0]{pid} for qw(STOP INT TERM QUIT XCPU CONT);
});
like($run->{stderr}, qr/Received > 3 system signals, hard exiting$/m, 'four signals: told');
interrupted('SIGINT with -nostdin', 255, 50, send_signal('INT'), stdin => 'null');
unstub('h1');

put("$top/q", 'q');
stub($_, 'sleep 300') for qw(h1 h2);
$run = run({ program => $pty }, 'Press [q]', 'q', '--', $ffleet, @short, qw(-y -i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 0, 'q on a terminal: status');
ok(plays("$top/ours.mp4") > 0, 'q on a terminal: the output');
like($run->{stderr}, qr/terminal: same/, 'q on a terminal: the terminal');
$run = run({ program => $pty }, 'Press [q]', "?", 'show this help', "\x03", '--', $ffleet, @short,
           qw(-y -i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 255, 'Ctrl-C on a terminal: status');
like($run->{stderr}, qr/terminal: same/, 'Ctrl-C on a terminal: the terminal');
unstub(qw(h1 h2));
$run = run({ program => $pty }, '--', $ffleet, @short, qw(-y -i in.mp4 -filter_complex scale=80:-2), @encode, 'ours.mp4');
like($run->{stdout}, qr/^  scale\S* -> Stream #0:0 \(libx264\)\r?\n(?:  \S.*\n)*Press \[q\]/m,
     'Press [q]: after what the filters make') or diag($run->{stdout});

### what is printed

sub both {
    my ($name, @options) = @_;
    unlink "$top/ours.mp4";
    my $stock = stock({}, '-y', @options, qw(-i in.mp4), @encode, 'ours.mp4');
    unlink "$top/ours.mp4";
    my $ours  = run({}, '-y', @short, @options, qw(-i in.mp4), @encode, 'ours.mp4');
    ok($ours->{status} == 0 && by_fleet($ours), "$name: done by the fleet");
    is_good("$name: the output");
    return ($stock, $ours);
}
# lines with all numbers masked, without the encoder's own words
sub masked {
    return map { s/0x[0-9a-f]+/X/g; s/-?\d[\d.:]*/N/g; s/\s+/ /gr } grep { !/libx264/ && !/^\[info\] frame=/ } lines($_[0]);
}
for (['by default'], ['-hide_banner', '-hide_banner'], ['-nostats', '-nostats'], ['-v warning', qw(-v warning)],
     ['-v error', qw(-v error)], ['-v quiet', qw(-v quiet)], ['-v level+info', qw(-v level+info)],
     ['-v info -nostdin', qw(-v info -nostdin)], ['-stats_period', qw(-stats_period 1)]) {
    my ($name, @options) = @$_;
    my ($stock, $ours) = both($name, @options);
    is($ours->{stdout}, '', "$name: nothing on stdout");
    is_deeply([ masked($ours) ], [ masked($stock) ], "$name: stderr is stock's, numbers aside")
        or diag($ours->{stderr});
    is($ours->{stderr} =~ /frame=/ ? 1 : 0, $stock->{stderr} =~ /frame=/ ? 1 : 0, "$name: stats");
}

# of what is read beside the segments, and looped with them, nobody wants to hear
my $looped = run({ name => 'looped' }, qw(-nostdin -y -v error), @short, qw(-stream_loop 1 -i in.mp4), @encode, 'ours.mp4');
ok($looped->{status} == 0 && by_fleet($looped) && $looped->{stderr} eq '', '-stream_loop: no complaints')
    or diag($looped->{stderr});
unlink "$top/ours.mp4";

sub keys_of { return join ' ', map { /^(\w+)=/ ? $1 : () } grep { !/^stream_/ } split /\n/, $_[0] =~ s/.*progress=continue\n//sr }
my ($stock, $ours) = both('-progress pipe:1', qw(-nostats -progress pipe:1));
is(keys_of($ours->{stdout}), keys_of($stock->{stdout}), '-progress pipe:1: the fields');
like($ours->{stdout}, qr/^frame=125\n.*^progress=end\n\z/ms, '-progress pipe:1: the end');
run({}, qw(-y -progress), "$top/progress", @short, qw(-i in.mp4), @encode, 'ours.mp4');
like(slurp("$top/progress"), qr/^frame=125\n.*^progress=end\n\z/ms, '-progress FILE');
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Timeout => 60) or die $!;
my $job = start({}, qw(-y -progress), 'tcp://127.0.0.1:' . $server->sockport, @short, qw(-i in.mp4), @encode, 'ours.mp4');
my $client = $server->accept or BAIL_OUT('-progress tcp: nobody comes');
my $text = do { local $/; <$client> };
is(finish($job)->{status}, 0, '-progress tcp: status');
like($text, qr/^frame=125\n.*^progress=end\n\z/ms, '-progress tcp');
$server->close;
$run = run({}, qw(-y -progress tcp://127.0.0.1:1), @short, qw(-i in.mp4), @encode, 'ours.mp4');
is($run->{status}, stock({}, qw(-y -progress tcp://127.0.0.1:1 -i in.mp4), @encode, 'ours.mp4')->{status},
   '-progress to nobody: status');
for my $period ('0', 'soon') {
    unlink "$top/ours.mp4";
    $run = run({}, qw(-y -stats_period), $period, @short, qw(-i in.mp4), @encode, 'ours.mp4');
    ok($run->{status} && !-e "$top/ours.mp4", "-stats_period $period: refused, as by stock");
}
stub($_, 'sleep 1; exec $FFMPEG "$@"') for qw(h1 h2);
$run = run({}, qw(-y -nostats -progress - -stats_period 0.1), @short, qw(-i in.mp4), @encode, 'ours.mp4');
ok((() = $run->{stdout} =~ /^progress=/mg) > 5, '-stats_period');
unstub(qw(h1 h2));

### the short form, the panel, --explain

my $user = getpwuid $>;
make_path("$top/film");
make_input('film/whoa.mp4', '-i', "$top/in.mp4", qw(-c copy));
my @seed = (qw(--hostlist h1 h2 --ssh-user), $user, qw(--segment-length 2 --file whoa.mp4 -c:a copy -c:v libx264 -crf 25 -preset veryfast));
stub($_, 'sleep 1; exec $FFMPEG "$@"') for qw(h1 h2);
$run = run({ cwd => "$top/film", env => { FFLEET_HOSTS => undef } }, @seed);
unstub(qw(h1 h2));
is($run->{status}, 0, 'the short form: status');
stock({ cwd => "$top/film" }, qw(-i whoa.mp4 -c:a copy -c:v libx264 -crf 25 -preset veryfast stock.mp4));
compare_ok("$top/film/stock.mp4", "$top/film/output.mp4", 'the short form: output.mp4', '--source', "$top/in.mp4");
my $panel = qr/^Qsize: \d+$/m;
my $row   = qr/^\s*\S*h[12]\s*\[p\d\d\]: ST: \w+ \| .* -> .* \| stale: (?:True|False) \| fps: [\d.]+ time: /m;
my $avg   = qr/^AVG: [\d.]+ fps \| CURR: [\d.]+ fps$/m;
ok($run->{stderr} =~ $panel && $run->{stderr} =~ $row && $run->{stderr} =~ $avg, 'the short form: the panel')
    or diag($run->{stderr});
unlike($run->{stderr}, qr/[^L]size=/, 'the short form: no stats line but the last');
$run = run({}, qw(-y --status), @short, qw(-i in.mp4), @encode, 'ours.mp4');
ok($run->{status} == 0 && $run->{stderr} =~ $panel && $run->{stderr} =~ $avg, '--status');
is_good('--status: the output');
is($run->{stdout}, '', '--status: nothing on stdout');

my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', Blocking => 0) or die $!;
put("$top/silent", "Host h1 h2\n    HostName 127.0.0.1\n    Port " . $silent->sockport . "\n");
$run = run({ env => { FFLEET_SSH_CONFIG => "$top/silent" } }, qw(--explain), @short, qw(-i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 0, '--explain: status');
like($run->{stdout}, qr/^the fleet encodes the video\n.*#0:0 -> #0:0\s+video, encoded with libx264.*#0:1 -> #0:1\s+audio, copied.*\bh1\b.*\bh2\b.*segments:.*0: frames 0 to \d+.*'ffmpeg'.*'-c:v' 'libx264'/ms,
     '--explain: streams, hosts, segments, command');
ok(!$silent->accept && !-e "$top/ours.mp4", '--explain: connects to nobody, writes nothing');
$run = run({}, qw(--explain -i in.mp4 -c:v libx264 -b:v 1M ours.mp4));
like($run->{stdout}, qr/^stock ffmpeg makes all of it: \S/, '--explain: why not');
$run = run({}, qw(-y --no-fallback), @short, qw(-i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 0, '--no-fallback: status');
is_good('--no-fallback: the output');

### where hosts come from

make_path("$top/config/ffleet");
my %config = (FFLEET_HOSTS => undef, XDG_CONFIG_HOME => "$top/config");
put("$top/config/ffleet/hosts", "# mine\nh1 h2:99999\n");
$run = run({ env => \%config }, @short, qw(-i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 1, 'a wrong hosts file: status');
like($run->{stderr}, qr/^ffleet: \Q$top\E\/config\/ffleet\/hosts:2: 'h2:99999': port/, 'a wrong hosts file: file, line, word');
ok(!-e "$top/ours.mp4", 'a wrong hosts file: nothing was made');
put("$top/config/ffleet/hosts", "# mine\nh1/1\n\n h2/2 # two\n");
$run = run({ env => \%config }, @short, qw(-y -i in.mp4), @encode, 'ours.mp4');
ok(by_fleet($run), 'the user\'s hosts file');
is_good('the user\'s hosts file: the output');
$run = run({ env => { FFLEET_HOSTS => '' } }, qw(-y -i in.mp4), @encode, 'ours.mp4');
$stock = stock({}, qw(-y -i in.mp4), @encode, 'stock.mp4');
is_deeply([ masked($run) ], [ map { s/stock\.mp/ours.mp/gr } masked($stock) ], 'no hosts: stock, without a word');
ok(events($run, 'plan', decision => 'stock'), 'no hosts: the trace');
unlink "$top/ours.mp4";
$run = run({ env => { FFLEET_HOSTS => 'localhost/2', FFLEET_SSH_CONFIG => '/nonexistent' } },
           @short, qw(-y -v warning -i in.mp4), @encode, 'ours.mp4');
ok($run->{status} == 0 && by_fleet($run) && $run->{stderr} eq '', 'localhost alone, without ssh');
is_good('localhost alone: the output');
$run = run({ env => { FFLEET_HOSTS => 'localhost/1 h1' } }, @short, qw(-y -i in.mp4), @encode, 'ours.mp4');
ok(by_fleet($run), 'localhost and a host');
is_good('localhost and a host: the output');
SKIP: {
    my $alone = qr/^stock ffmpeg makes all of it: this machine is the only host/;
    my %words = ('-c:v prores_ks' => 1, '-c:v prores_ks -threads 1' => 0, '-c:v prores_ks -vf hflip' => 0, '-c:v mjpeg' => 0);
    skip 'so many cores that one ffmpeg does not keep them busy', 2 + keys %words if `nproc` > 8;
    make_input('long.mp4', qw(-stream_loop 3 -i), "$top/in.mp4", qw(-c copy));
    for my $words (sort keys %words) {
        $run = run({ env => { FFLEET_HOSTS => 'localhost' } }, qw(--explain -i long.mp4), split(' ', $words), 'o.mov');
        is($run->{stdout} =~ $alone ? 1 : 0, $words{$words}, "localhost alone, $words: stock's or not");
    }
    for my $hosts ('localhost h1', "localhost,ffmpeg=$ffleet") {
        $run = run({ env => { FFLEET_HOSTS => $hosts } }, qw(--explain -i long.mp4 -c:v prores_ks o.mov));
        unlike($run->{stdout}, $alone, "$hosts: the fleet's");
    }
}
my ($port) = slurp("$top/fleet/h2/port") =~ /(\d+)/;
put("$top/jump", "Host far\n    HostName 127.0.0.1\n    Port $port\n    ProxyJump h1\n" . slurp("$top/fleet/ssh_config"));
$run = run({ env => { FFLEET_HOSTS => 'far', FFLEET_SSH_CONFIG => "$top/jump" } }, '--no-fallback',
           @short, qw(-y -i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 0, 'a host behind another: status') or diag($run->{stderr});
is_good('a host behind another: the output');

### names

for my $name ('a b.mp4', "it's \"so\".mp4", "two\nlines.mp4", "\xc3\xbcml\xc3\xa4ut \xe2\x98\x83.mp4", '$HOME `x` \\.mp4',
              '%d %s.mp4', '*?[a].mp4', '!.mp4') {
    my $in = "in $name";
    link "$top/in.mp4", "$top/$in";
    my $run = run({}, qw(-v error -y), @short, '-i', $in, @encode, $name);
    ok($run->{status} == 0 && by_fleet($run), 'a name like ' . $name =~ s/\n/\\n/r) or diag($run->{stderr});
    is_good('its output', "$top/$name");
    unlink "$top/$in";
}
link "$top/in.mp4", "$top/-in.mp4";
$run = run({}, qw(-v error -y), @short, qw(-i -in.mp4), @encode, './-out.mp4');
is_good('leading dashes', "$top/-out.mp4");
my @words = (qw(-c:v libx264 -preset ultrafast -qp 25 -g 25 -sc_threshold 0 -vf), q{drawbox=w='if(1,iw/2,0)':color=red@0.5,crop=w=in_w-'2*8'},
             '-metadata', "title=it's \"\$HOME\" `x`\nand \xc3\xbc; \\ | & --hosts", '-metadata:s:a:0', 'title= --explain ');
stock({}, qw(-y -i in.mp4), @words, 'stock2.mp4');
$run = run({}, qw(-y), @short, qw(-i in.mp4), @words, 'ours.mp4');
ok(by_fleet($run), 'values with everything in them') or diag($run->{stderr});
compare_ok("$top/stock2.mp4", "$top/ours.mp4", 'values with everything in them: the output', '--exact-frames');

### places that cannot be written

sub like_stock {
    my ($name, $out, $o) = @_;
    my $stock = stock($o, qw(-nostdin -y -i), "$top/in.mp4", @encode, $out);
    my $ours  = run($o, qw(-nostdin -y), @short, '-i', "$top/in.mp4", @encode, $out);
    ok($ours->{status} == $stock->{status} && $ours->{status}, "$name: status");
    return ($stock, $ours);
}
for (['a folder that is not there', 'no/such/folder/out.mp4'], ['a name that is too long', 'x' x 300 . '.mp4']) {
    ($stock, $ours) = like_stock(@$_, {});
    is((lines($ours))[-1], (lines($stock))[-1], "$_->[0]: what it says");
    ok(!events($ours, 'attempt'), "$_->[0]: told at once");
}

SKIP: {
    make_path("$top/small");
    skip 'no mount of our own here', 7 unless $> == 0
        && system("mount -t tmpfs -o size=48k tmpfs '$top/small' 2>/dev/null") == 0;
    # stock 5.1 has status 0 when only the trailer fails, FFmpeg 7 an error code's last bits
    $ours = run({}, qw(-nostdin -y), @short, qw(-i in.mp4), @encode, "$top/small/out.mp4");
    like($ours->{status}, qr/^(?:1|228)$/, 'a full disk: status');
    like($ours->{stderr}, qr/No space left on device/, 'a full disk: told');
    $run = run({ env => { TMPDIR => "$top/small" } }, qw(-nostdin -y), @short, qw(-i in.mp4), @encode, 'ours.mp4');
    unlink glob "$top/small/*";
    is($run->{status}, 0, 'a full TMPDIR: status');
    compare_ok("$top/stock.mp4", "$top/ours.mp4", 'a full TMPDIR: the output', '--exact-frames');
    make_input('raw.nut', qw(-f lavfi -i testsrc2=s=640x360:r=25:d=3 -c:v rawvideo));
    $run = run({ env => { TMPDIR => "$top/small" } }, qw(-nostdin -y --memory 16M --segment-length 2.5 -i raw.nut),
               @encode, 'raw.mp4');
    is($run->{status}, 0, 'a full TMPDIR, and nothing but video: status');
    like($run->{stderr}, qr{no space is left in the temporary folder \Q$top\E/small }, 'and nothing but video: told');
    unlink "$top/raw.nut", "$top/raw.mp4";
    system("mount -o remount,ro '$top/small' 2>/dev/null");
    ($stock, $ours) = like_stock('a disk that is read-only', "$top/small/new.mp4", {});
    system("umount '$top/small'");
}
unlink "$top/ours.mp4";
$run = run({ env => { TMPDIR => "$top/nowhere" } }, qw(-nostdin -y), @short, qw(-i in.mp4), @encode, 'ours.mp4');
is($run->{status}, 0, 'no TMPDIR: status');
like($run->{stderr}, qr/cannot make a temporary file in \Q$top\E\/nowhere: .*TMPDIR/, 'no TMPDIR: told');
compare_ok("$top/stock.mp4", "$top/ours.mp4", 'no TMPDIR: the output', '--exact-frames');

### -report

# the one report in a folder
sub report_in {
    my ($folder) = @_;
    my @files = glob "$folder/*.log";
    is(scalar @files, 1, "one report in $folder") or return '';
    return slurp($files[0]);
}

# without what differs from run to run, and ffmpeg's name
sub report_head {
    my ($text) = @_;
    my ($words) = $text =~ /^Command line:\n\S+ (.*)/m;
    return join "\n", $text =~ /^(?:ffmpeg started on|Report written to|Log level:)/mg, $words // '';
}

for (['-report', {}, qr/^ffmpeg-\d{8}-\d{6}\.log$/, '-report'],
     ['FFREPORT', { FFREPORT => 'file=%p a%%.log:level=40' }, qr/^ffmpeg a%\.log$/]) {
    my ($name, $env, $file, @words) = @$_;
    my @logs;
    for my $who (qw(stock ours)) {
        make_path("$top/$who-report");
        my @o = ({ env => $env, cwd => "$top/$who-report", $who eq 'stock' ? (program => $real_ffmpeg) : () },
                 qw(-nostdin -y -v error), @words, qw(-i ../in.mp4 -metadata), "title=a \$b", @encode, 'o.mp4');
        my $r = run($o[0], $who eq 'ours' ? @short : (), @o[1 .. $#o]);
        ok($who eq 'stock' || by_fleet($r), "$name: the fleet makes it");
        push @logs, report_in("$top/$who-report");
        my ($made) = glob "$top/$who-report/*.log";
        like(($made // '') =~ s!.*/!!r, $file, "$name: the file of $who");
        unlink $made;
    }
    is(report_head($logs[1]), report_head($logs[0]), "$name: how it begins");
    like($logs[1], qr/^Stream mapping:\n.*^Output #0, mp4, to 'o\.mp4':\n.*[\r\n](?:\[out#0\/mp4 @ \w+\] )?video:/ms, "$name: what it tells");
}
$run = run({ env => { FFREPORT => 'file=r.log' } }, qw(-nostdin -y), @short, qw(-i in.mp4 -c:v libx264 -b:v 90k), 'ours.mp4');
like(slurp("$top/r.log"), qr/^Log level: 48\n.*frame I:/ms, 'FFREPORT: of what stock makes it is stock\'s');
unlink "$top/ours.mp4";

### descriptors

for ([0], [1], [2], [0, 1, 2]) {
    my $name = 'without descriptor ' . join ' ', @$_;
    my $run = run({ closed => $_ }, @short, qw(-y -i in.mp4), @encode, 'ours.mp4');
    ok($run->{status} == 0 && by_fleet($run), $name) or diag($run->{stderr});
    is_good("$name: the output");
}

### two at a time

my @jobs = map { start({ name => "job$_" }, @short, qw(-nostdin -y -i in.mp4), @encode, "two$_.mp4") } 1, 2;
is(finish($jobs[$_ - 1])->{status}, 0, "two at a time: $_") for 1, 2;
is_good("two at a time: the output $_", "$top/two$_.mp4") for 1, 2;

done_testing();
