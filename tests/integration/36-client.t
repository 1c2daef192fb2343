#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A program that drives ffmpeg and knows nothing of ffleet: fluent-ffmpeg for Node.js, pointed at ffleet by its own
# FFMPEG_PATH. It asks for formats and encoders, reads the log and the progress, and must see what stock shows it.
# Skipped where Node.js or the package is missing (NODE_PATH tells where it is).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use FleetTest;
use Test::More;

my ($node) = grep { -x } map { "$_/node" } split /:/, $ENV{PATH};
plan skip_all => 'no node' unless $node;
plan skip_all => 'no fluent-ffmpeg in NODE_PATH' if system("'$node' -e 'require(\"fluent-ffmpeg\")' 2>/dev/null");

put("$top/client.js", <<'END');
const ffmpeg = require('fluent-ffmpeg'), [source, output] = process.argv.slice(2), events = [];
let last = {};
ffmpeg(source).videoCodec('libx264').audioCodec('aac').outputOptions(['-preset ultrafast', '-qp 25', '-g 25'])
    .on('start', () => events.push('start'))
    .on('codecData', d => events.push('codecData ' + JSON.stringify(d)))
    .on('progress', p => { if (events[events.length - 1] != 'progress') events.push('progress'); last = p; })
    .on('error', e => { console.log(events.join('\n'), 'error', e.message); process.exit(1); })
    .on('end', () => {
        events.push('end', Object.keys(last).sort().join(' '), 'frames ' + last.frames);
        console.log(events.join('\n'));
    })
    .save(output);
END

fleet_up(2);
make_input('in.mp4', qw(-f lavfi -i testsrc2=s=160x90:r=25:d=5 -f lavfi -i sine=d=5),
           qw(-c:v libx264 -preset ultrafast -g 25 -c:a aac));

# client(NAME, FFMPEG_PATH): what it tells
sub client {
    my ($name, $path) = @_;
    return run({ name => $name, program => $node, env => { FFMPEG_PATH => $path, FFLEET_SEGMENT_LENGTH => 2 } },
               'client.js', 'in.mp4', "$name.mp4");
}
my $stock = client('stock', $real_ffmpeg);
my $ours  = client('ours', $ffleet);
is($stock->{status}, 0, 'it works with stock') or diag($stock->{stderr});
is($ours->{status}, 0, 'and with ffleet') or diag($ours->{stderr});
is($ours->{stdout}, $stock->{stdout}, 'the same events');
cmp_ok(scalar(events($ours, 'attempt', outcome => 'ok')), '>=', 2, 'by the fleet');
compare_ok("$top/stock.mp4", "$top/ours.mp4", 'the same file', '--exact-frames');
done_testing();
