#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Frame rates, times and sound.
# Stock ffmpeg and ffleet make the same: see ../tools/ExactTest.pm.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use ExactTest;

exact_cases(<<'END');
# time
23.976 fps to mp4                   | ntscfilm.mkv | X264 | out.mp4 | --exact-frames | fleet
29.97 fps to mp4                    | ntsc.mkv   | X264 | out.mp4 | --exact-frames | fleet
+29.97 fps mp4 to mkv               | ntsc.mp4   | X264 -c:a copy | out.mkv | --exact-frames | fleet
+30 fps to mp4                      | r30.mkv    | X264 | out.mp4 | --exact-frames | fleet
+50 fps to mp4                      | r50.mp4    | X264 | out.mp4 | --exact-frames | fleet
59.94 fps to mp4                    | r5994.mkv  | X264 | out.mp4 | --exact-frames | fleet
59.94 fps ts to mkv                 | r5994.ts   | X264 -c:a copy | out.mkv | --exact-frames | fleet
60 fps to mp4                       | r60.mkv    | X264 -c:a copy | out.mp4 | --exact-frames | fleet
+60 fps to mkv                      | r60.mkv    | X264 -c:a copy | out.mkv | --exact-frames | fleet
50 to 25 fps                        | r50.mp4    | X264 -r 25 | out.mp4 | --exact-frames | fleet
24 to 25 fps                        | r24.mp4    | X264 -r 25 | out.mp4 | --exact-frames | fleet
+24 to 25 fps in mkv                | r24.mp4    | X264 -r 25 | out.mkv | --exact-frames | fleet
+24 to 60000/1001 fps               | r24.mp4    | X264 -r 60000/1001 -an | out.mp4 | --exact-frames | fleet
+50 to 24 fps with B-frames         | r50.mp4    | -c:v mpeg4 -q:v 4 -g 48 -bf 2 -r 24 | out.mp4 | | fleet
VFR to mp4                          | vfr.mkv    | X264 | out.mp4 | --exact-frames | fleet
VFR mp4 to mp4                      | vfr.mp4    | X264 -c:a copy | out.mp4 | --exact-frames | fleet
VFR to mkv                          | vfr.mkv    | X264 | out.mkv | --exact-frames | fleet
+VFR to CFR in mkv                  | vfr.mkv    | X264 -fps_mode cfr | out.mkv | --exact-frames | fleet
odd GOPs                            | gop.mkv    | X264 | out.mp4 | --exact-frames | fleet
odd GOPs, free keyframes            | gop.mkv    | -c:v libx264 -crf 20 -preset veryfast | out.mkv | --size-percent 15 | fleet
# audio
AAC priming, copied                 | h264.mp4   | X264 -c:a copy | out.mp4 | --exact-frames | fleet
AAC priming, encoded                | h264.mp4   | X264 -c:a aac -b:a 64k -ac 2 | out.mp4 | --exact-frames | fleet
-an                                 | h264.mp4   | X264 -an | out.mp4 | --exact-frames | fleet
+-ar -ac                            | h264.mp4   | X264 -ar 22050 -ac 2 | out.mkv | --exact-frames | fleet
-af                                 | h264.mp4   | X264 -af volume=0.5,atempo=1.0 | out.mkv | --exact-frames | fleet
vorbis copied                       | vorbis.mkv | X264 -c:a copy | out.mkv | --exact-frames | fleet
+opus copied to mkv                 | opus.mkv   | X264 -c:a copy | out.mkv | --exact-frames | fleet
opus copied to mp4                  | opus.mkv   | X264 -c:a copy -strict -2 | out.mp4 | --exact-frames | fleet
opus encoded to webm                | h264.mp4   | -c:v libvpx-vp9 -crf 30 -b:v 0 -deadline realtime -cpu-used 8 | out.webm | --size-percent 20 | fleet
+flac copied                        | flac.mkv   | X264 -c:a copy | out.mkv | --exact-frames | fleet
# from FLAC, whose frames are longer, mov's chunks differ: its demuxer hands out PCM in pieces of 1024 samples
+pcm in mov                         | h264.mp4   | X264 -c:a pcm_s24le | out.mov | --exact-frames | fleet
two tracks copied to mp4            | two.mkv    | -map 0 X264 -c:a copy | out.mp4 | --exact-frames | fleet
copied from mkv to mp4, later        | two.mkv    | -map 0 -ss 2.3 X264 -c:a copy | out.mp4 | --exact-frames | fleet
+likewise, an odd millisecond       | two.mkv    | -map 0 -ss 2.337 X264 -c:a copy | out.mp4 | --exact-frames |
+copied from mkv to ts              | two.mkv    | X264 -c:a copy | out.ts | --exact-frames |
+ac3 copied to mp4                   | ac3.mkv    | X264 -c:a copy | out.mp4 | --exact-frames | fleet
+mp3                                | h264.mp4   | X264 -c:a libmp3lame -q:a 4 | out.mp4 | --exact-frames | fleet
+vorbis encoded to mkv              | h264.mp4   | X264 -c:a libvorbis | out.mkv | --exact-frames | fleet
END
