#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Streams, metadata, what the muxer does, and what packets tell.
# Stock ffmpeg and ffleet make the same: see ../tools/ExactTest.pm.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use ExactTest;

exact_cases(<<'END');
# maps, metadata, the muxer
-sn                                 | rich.mkv   | X264 -sn | out.mkv | --exact-frames | fleet
two -map                            | rich.mkv   | -map 0:a:1 -map 0:v X264 -c:a copy | out.mkv | --exact-frames | fleet
negative -map                       | rich.mkv   | -map 0 -map -0:a:0 -map -0:s X264 | out.mkv | --exact-frames | fleet
+optional -map                      | rich.mkv   | -map 0:v -map 0:a? -map 0:d? X264 | out.mp4 | --exact-frames | fleet
-metadata                           | h264.mp4   | X264 -metadata title=X -metadata:s:a:0 language=fra -metadata:s:v:0 title=V | out.mp4 | --exact-frames | fleet
+-metadata in mkv                   | h264.mp4   | X264 -metadata title=X -metadata:s:a:0 language=fra -metadata:s:v:0 title=V | out.mkv | --exact-frames | fleet
-map_metadata -1                    | rich.mkv   | X264 -map_metadata -1 | out.mp4 | --exact-frames | fleet
-map_chapters -1                    | rich.mkv   | X264 -map_chapters -1 | out.mkv | --exact-frames | fleet
-disposition                        | rich.mkv   | -map 0 X264 -c:a copy -disposition:a:0 0 -disposition:a:1 default -disposition:v:0 0 | out.mkv | --exact-frames | fleet
+faststart                          | h264.mp4   | X264 -c:a copy -movflags +faststart | out.mp4 | --exact-frames | fleet
use_metadata_tags                   | h264.mp4   | X264 -movflags +faststart+use_metadata_tags -metadata foo=bar | out.mp4 | --exact-frames | fleet
+-output_ts_offset                  | h264.mp4   | X264 -output_ts_offset 5 | out.mp4 | --exact-frames | fleet
+-use_editlist                      | h264.mp4   | X264 -use_editlist 0 | out.mp4 | --exact-frames | stock
+-metadata rotate                   | h264.mp4   | X264 -metadata:s:v:0 rotate=90 | out.mp4 | --exact-frames | fleet
-bitexact                           | h264.mp4   | X264 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact | out.mp4 | --exact-frames | fleet
-tag:v                              | h264.mp4   | -c:v mpeg4 -q:v 4 -g 48 -tag:v xvid | out.mkv | --exact-frames | fleet
cover picture in mp4                | cover.mp4  | -map 0 X264 -c:a copy -c:v:1 copy | out.mp4 | --exact-frames | fleet
cover picture in mkv                | cover.mkv  | -map 0 X264 -c:a copy -c:v:1 copy | out.mkv | --exact-frames | fleet
attachments                         | fonts.mkv  | -map 0 X264 -c:a copy -c:s copy | out.mkv | --exact-frames | fleet
time code                           | tmcd.mov   | -map 0 X264 -c:a copy -c:d copy | out.mov | --exact-frames | fleet
+time code, defaults                | tmcd.mov   | X264 -c:a copy | out.mov | --exact-frames | fleet
subtitles to mov_text               | rich.mkv   | -map 0:v -map 0:a:0 -map 0:s X264 -c:s mov_text | out.mp4 | --exact-frames | fleet
subtitles that start late           | latesub.mkv | X264 -c:a copy -c:s mov_text | out.mp4 | --exact-frames | fleet
subtitles that end one tick apart   | nearsub.mkv | X264 -c:a copy -c:s copy | out.mkv | --exact-frames | fleet
+mov_text to srt                    | subs.mp4   | X264 -c:a copy -c:s srt | out.mkv | --exact-frames | fleet
mov_text copied                     | subs.mp4   | X264 -c:a copy -c:s copy | out.mp4 | --exact-frames | fleet
+ass copied                         | fonts.mkv  | X264 -c:a copy -c:s copy | out.mkv | --exact-frames | fleet
a gap at each frame, one keyframe   | gaps.mkv   | -c:v libx264 -preset veryfast -qp 24 | out.mkv | --source | fleet
# of what packets tell and NUT does not
H.263 in AVI, all of it keyframes   | h263.avi   | X264 | out.mkv | --exact-frames | stock
raw video, its planes swapped       | yv12.avi   | X264 | out.mkv | --exact-frames | fleet
a codec whose tag is its format     | utvideo.avi | X264 | out.mkv | --exact-frames | fleet
+bits of a pixel                     | qtrle.mov  | X264 | out.mkv | --exact-frames | stock
+pictures for both eyes, libx264     | eyes.mkv   | X264 | out.mkv | --exact-frames | stock
+pictures for both eyes, ffv1        | eyes.mkv   | -c:v ffv1 -g 1 | out.mkv | --exact-frames | fleet
END
