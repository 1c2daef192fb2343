#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Filters that read or change the times of frames, or look at neighbours.
# Stock ffmpeg and ffleet make the same: see ../tools/ExactTest.pm.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use ExactTest;

exact_cases(<<'END');
# filters that read or change the times of frames
the last frame, dropped first        | h264.mp4   | X264 -r 10 -an | out.mp4 | --exact-frames | fleet
fps up, with audio                  | h264.mp4   | X264 -vf fps=30 | out.mp4 | --exact-frames | fleet
fps of VFR                          | vfr.mkv    | X264 -vf fps=20,scale=128:-2 | out.mkv | --exact-frames | fleet
forced where times round up, 4 s    | ntsc.mkv   | X264 -force_key_frames 0.1,0.3,0.4,0.6,0.9,1.1,1.3,4.0,4.1,4.2 | out.mkv | --exact-frames | fleet
title of MPEG-2 alone in MPEG-TS    | mpeg4.mkv  | -c:v mpeg2video -q:v 4 -g 24 -metadata title=A | out.ts | | fleet
sound before time 0 in NUT          | ntsc.mkv   | X264 -c:a aac | out.nut | --exact-frames | fleet
setpts of VFR                       | vfr.mkv    | X264 -vf setpts=0.5*PTS -an | out.mp4 | --exact-frames | fleet
+setpts slower                      | vfr.mkv    | X264 -vf setpts=1.7*PTS -an | out.mkv | --exact-frames |
+setpts, counted                    | plain.mkv  | X264 -vf setpts=N/30/TB | out.mp4 | --exact-frames | fleet
trim and setpts                     | h264.mp4   | X264 -vf trim=1:5,setpts=PTS-STARTPTS -an | out.mp4 | --exact-frames | fleet
every second frame                  | r60.mkv    | X264 -vf select=not(mod(n\\,2)),setpts=N/FRAME_RATE/TB -an | out.mp4 | --exact-frames | fleet
framestep, then fps                 | h264.mp4   | X264 -vf framestep=7,fps=50 | out.mp4 | --exact-frames | fleet
fields to frames                    | mpeg2.ts   | X264 -vf yadif=1 | out.mp4 | --exact-frames | fleet
fields to frames, VFR               | vfr.mkv    | X264 -vf bwdif,fade=d=3 | out.mp4 | --exact-frames | fleet
+w3fdif, framestep                  | mpeg2.ts   | X264 -vf w3fdif,framestep=4 | out.mp4 | --exact-frames | fleet
+estdif                             | mpeg2.ts   | X264 -vf estdif | out.mkv | --exact-frames | fleet
yadif, 8 segments                   | fields.mkv | -vf yadif -c:v ffv1 -g 1 | out.mkv | --exact-frames | fleet
bwdif, 8 segments                   | fields.mkv | -vf bwdif -c:v ffv1 -g 1 | out.mkv | --exact-frames | fleet
w3fdif, 8 segments                  | fields.mkv | -vf w3fdif -c:v ffv1 -g 1 | out.mkv | --exact-frames | fleet
tmix, 8 segments                    | fields.mkv | -vf tmix=frames=5 -c:v ffv1 -g 1 | out.mkv | --exact-frames | fleet
tblend, 8 segments                  | fields.mkv | -vf tblend=all_mode=average -c:v ffv1 -g 1 | out.mkv | --exact-frames | fleet
fps, then a window                  | h264.mp4   | X264 -vf fps=10,tmix=5 | out.mp4 | --exact-frames | fleet
fades, -ss                          | h264.ts    | X264 -vf fade=t=in:d=2,fade=t=out:st=4:d=2 -ss 1.3 | out.mp4 | --exact-frames | fleet
hue by time, VFR                    | vfr.mkv    | X264 -vf hue=H=2*PI*t:s=sin(2*PI*t)+1 | out.mkv | --exact-frames | fleet
+tblend, fade                       | vfr.mkv    | X264 -vf tblend,fade=t=in:d=4 -r 24 | out.mp4 | --exact-frames | fleet
passthrough                         | vfr.mkv    | X264 -fps_mode passthrough | out.mkv | --exact-frames | fleet
+passthrough, mp4                   | vfr.mp4    | X264 -fps_mode passthrough | out.mp4 | --exact-frames | fleet
+passthrough, ts                    | h264.ts    | X264 -fps_mode passthrough | out.ts | --exact-frames | fleet
+passthrough, filters               | vfr.mp4    | X264 -fps_mode passthrough -vf select=gt(mod(n\\,5)\\,1) | out.mkv | --exact-frames |
-s                                  | h264.mp4   | X264 -s 128x72 | out.mp4 | --exact-frames | fleet
+-s with -sws_flags                 | h264.mp4   | X264 -s 128x72 -sws_flags lanczos | out.mp4 | --exact-frames | fleet
+setsar, format                     | h264.mp4   | X264 -vf setsar=4/3,format=yuv444p | out.mp4 | --exact-frames | fleet
scale, 50 to 25 fps                 | r50.mp4    | X264 -r 25 -vf scale=128:-2 | out.mp4 | --exact-frames | fleet
scale, VFR to mp4                   | vfr.mkv    | X264 -vf scale=128:-2 | out.mp4 | --exact-frames | fleet
END
