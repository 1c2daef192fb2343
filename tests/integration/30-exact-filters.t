#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Filters that leave times alone, files and fonts that they need, filter graphs.
# Stock ffmpeg and ffleet make the same: see ../tools/ExactTest.pm.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use ExactTest;

exact_cases(<<'END');
# filters
scale                               | h264.mp4   | X264 -vf scale=128:-2 | out.mp4 | --exact-frames | fleet
+crop, pad                          | h264.mp4   | X264 -vf crop=160:90,pad=192:108:16:8 | out.mkv | --exact-frames | fleet
hflip, eq                           | h264.mp4   | X264 -vf hflip,eq=contrast=1.2 | out.mp4 | --exact-frames | fleet
HDR, zscale and tonemap             | hdr.mkv    | X264 -vf zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv,format=yuv420p | out.mkv | --exact-frames | fleet
# filters with files and fonts of this machine, filter graphs
subtitles                           | h264.mp4   | X264 -vf subtitles=../text.srt | out.mp4 | --exact-frames | fleet
drawtext, no font named             | h264.mp4   | X264 -vf drawtext=text=hello:fontsize=20:x=t*9 | out.mp4 | --exact-frames | fleet
+several with fonts                 | vfr.mkv    | X264 -vf drawtext=text=a:fontsize=20,subtitles=../text.srt:force_style=FontName=Mono,drawtext=fontsize=9:text=b:x=50 | out.mkv | --exact-frames | fleet
drawtext without a size             | h264.mp4   | X264 -vf drawtext=text=hello | out.mp4 | --exact-frames | fleet
graph of one chain                  | h264.mp4   | -filter_complex [0:v]scale=128:-2[a];[a]hflip[v] -map [v] -map 0:a X264 | out.mp4 | --exact-frames | fleet
graph of sound                      | rich.mkv   | -filter_complex [0:a:0][0:a:1]amix=inputs=2[m] -map 0:v -map [m] X264 | out.mp4 | --exact-frames | fleet
graph of sound beside VFR           | uneven.mp4 | -filter_complex [0:a]volume=0.5[m] -map 0:v -map [m] X264 | out.mp4 | --exact-frames | fleet
+graph of both                      | rich.mkv   | -filter_complex fps=30[v];[0:a:0][0:a:1]amix=inputs=2[m] -map [v] -map [m] X264 | out.mkv | --exact-frames | fleet
picture laid over                   | h264.mp4   | -i ../logo.png -filter_complex overlay=W-w-5:5,hflip X264 -c:a copy | out.mp4 | --exact-frames | fleet
picture that moves                  | vfr.mkv    | -i ../logo.png -filter_complex [1:v]scale=20:-1[l];[0:v][l]overlay=x=5+t*3[v] -map [v] X264 | out.mkv | --exact-frames | fleet
END
