#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What inputs bring: formats, streams that do not start together, pictures of all kinds.
# Stock ffmpeg and ffleet make the same: see ../tools/ExactTest.pm.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use ExactTest;

exact_cases(<<'END');
# other inputs
edit list in the input              | cut.mp4    | X264 -c:a copy | out.mp4 | --exact-frames | fleet
+edit list in the input, to mkv     | cut.mp4    | X264 | out.mkv | --exact-frames | fleet
+VP9 input                          | vp9.webm   | X264 | out.mp4 | --exact-frames | fleet
+MJPEG and PCM input                | mjpeg.mov  | X264 | out.mp4 | --exact-frames | fleet
+RGB input                          | gbr.mkv    | X264 | out.mp4 | --exact-frames | fleet
# streams that do not start together
video late, mp4 to mp4              | late-v.mp4 | X264 -c:a aac | out.mp4 | --exact-frames | fleet
video late, mp4 to mkv              | late-v.mp4 | X264 -c:a copy | out.mkv | --exact-frames | fleet
+video late, mkv to mp4             | late-v.mkv | X264 -c:a copy | out.mp4 | --exact-frames | fleet
+video late, mkv to mkv             | late-v.mkv | X264 -c:a aac | out.mkv | --exact-frames | fleet
video late, ts to mp4               | late-v.ts  | X264 -c:a copy | out.mp4 | --exact-frames | fleet
+video late, ts to mkv              | late-v.ts  | X264 -c:a aac | out.mkv | --exact-frames | fleet
+audio late, mp4 to mp4             | late-a.mp4 | X264 -c:a aac | out.mp4 | --exact-frames | fleet
audio late, mp4 to mkv              | late-a.mp4 | X264 -c:a copy | out.mkv | --exact-frames | fleet
audio late, mkv to mp4              | late-a.mkv | X264 -c:a copy | out.mp4 | --exact-frames | fleet
+audio late, mkv to mkv             | late-a.mkv | X264 -c:a aac | out.mkv | --exact-frames | fleet
+audio late, ts to mp4              | late-a.ts  | X264 -c:a aac | out.mp4 | --exact-frames | fleet
audio late, ts to mkv               | late-a.ts  | X264 -c:a copy | out.mkv | --exact-frames | fleet
+video late, no audio               | late-v.mp4 | X264 -an | out.mp4 | --exact-frames | fleet
+video late in ts, no audio         | late-v.ts  | X264 -an | out.mkv | --exact-frames | fleet
audio longer than video             | longa.mp4  | X264 | out.mp4 | --exact-frames | fleet
+audio shorter than video           | shorta.mkv | X264 -c:a copy | out.mp4 | --exact-frames | fleet
# pictures
+10 bit H.264                       | ten.mkv    | X264 | out.mp4 | --exact-frames | fleet
8 to 10 bit                         | plain.mkv  | X264 -pix_fmt yuv420p10le | out.mkv | --exact-frames | fleet
+4:2:2                              | plain.mkv  | X264 -pix_fmt yuv422p | out.mp4 | --exact-frames | fleet
sample aspect ratio                 | sar.mkv    | X264 | out.mp4 | --exact-frames | fleet
+sample aspect ratio, mpeg4 in mkv  | sar.mkv    | -c:v mpeg4 -q:v 4 -g 48 | out.mkv | --exact-frames | fleet
-aspect                             | plain.mp4  | X264 -aspect 4:3 | out.mp4 | --exact-frames | fleet
+-aspect in mkv                     | plain.mp4  | X264 -aspect 4:3 | out.mkv | --exact-frames | fleet
bt709                               | bt709.mp4  | X264 | out.mp4 | --exact-frames | fleet
bt2020 PQ                           | bt2020.mkv | X264 | out.mkv | --exact-frames | fleet
full range                          | full.mp4   | X264 | out.mp4 | --exact-frames | fleet
colours in the bitstream only       | vui.ts     | X264 | out.mp4 | --exact-frames | fleet
colours in the container only       | container.mkv | X264 | out.mkv | --exact-frames | fleet
+colours in mov                     | container.mov | X264 | out.mov | --exact-frames | fleet
+-color_primaries ... as options    | plain.mp4  | X264 -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv | out.mp4 | --exact-frames | fleet
rotated 90                          | rot90.mp4  | X264 | out.mp4 | --exact-frames | fleet
+rotated 180                        | rot180.mp4 | X264 | out.mp4 | --exact-frames | fleet
+rotated 270 to mkv                 | rot270.mp4 | X264 | out.mkv | --exact-frames | fleet
rotated, scaled                     | rot90.mp4  | X264 -vf scale=64:-2 | out.mp4 | --exact-frames | fleet
interlaced H.264                    | tff.mkv    | X264 | out.mkv | --exact-frames | fleet
interlaced H.264 to interlaced      | tff.mkv    | X264 -flags +ildct+ilme | out.mp4 | --exact-frames | fleet
interlaced MPEG-2 ts                | mpeg2.ts   | X264 | out.mp4 | --exact-frames | fleet
# mpeg4 remembers field vectors across keyframes
+interlaced MPEG-2 to interlaced    | mpeg2.ts   | -c:v mpeg4 -q:v 4 -g 48 -flags +ildct+ilme -c:a copy | out.mkv | | fleet
# only the container tells which field comes first
interlaced FFV1                     | ffv1tff.mkv | X264 -vf yadif=deint=interlaced | out.mkv | --exact-frames | fleet
+interlaced v210                    | v210tff.mov | -c:v prores_ks -profile:v 0 -flags +ildct | out.mov | --exact-packets --exact-frames | fleet
MPEG-4 input with B-frames          | mpeg4.mkv  | X264 | out.mp4 | --exact-frames | fleet
END
