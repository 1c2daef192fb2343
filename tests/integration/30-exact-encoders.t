#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What encoders make: of the main job, of keyframes far apart, of each encoder whose frames can be compared.
# Stock ffmpeg and ffleet make the same: see ../tools/ExactTest.pm.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tools";
use ExactTest;

exact_cases(<<'END');
# the main job
mp4 to mp4, 8 s                     | long.mp4   | -c:v libx264 -crf 23 -preset veryfast -c:a aac | out.mp4 | --source | fleet
mp4 to mkv, 8 s                     | long.mp4   | -c:v libx264 -crf 23 -preset veryfast -c:a aac | out.mkv | --source | fleet
open GOP, all streams               | rich.mkv   | -map 0 -c:v libx264 -qp 25 -g 48 -sc_threshold 0 -preset veryfast -c:a copy -c:s copy | out.mkv | --exact-frames | fleet
open GOP, defaults to mp4           | rich.mkv   | -c:v libx264 -qp 25 -g 48 -sc_threshold 0 -preset veryfast | out.mp4 | --exact-frames | fleet
sound with uneven times, to ts       | jitter.mp4 | X264 -c:a copy | out.ts | --exact-frames | fleet
HEVC in ts that starts at 10 s      | hevc.ts    | -c:v libx264 -qp 20 -g 48 -sc_threshold 0 -preset veryfast -c:a aac | out.mp4 | --exact-frames | fleet
+HEVC in ts to mkv                  | hevc.ts    | -c:v libx264 -qp 20 -g 48 -sc_threshold 0 -preset veryfast -c:a copy | out.mkv | --exact-frames | fleet
+H.264 in ts                        | h264.ts    | -c:v libx264 -qp 20 -g 48 -sc_threshold 0 -preset veryfast | out.mp4 | --exact-frames | fleet
# keyframes far apart: segments may end between them
open GOP of 6 s, by itself           | far.mkv    | -c:v mjpeg -q:v 4 -c:a copy | out.mkv | --exact-packets --exact-frames | fleet
its windows, by itself               | far.mkv    | -vf bwdif=1,tmix=5 -c:v mjpeg -q:v 4 -an | out.mkv | --exact-frames | fleet
+its times, by itself                | far.mkv    | -ss 1.3 -vf "fps=17,setpts=1.1*PTS,select='not(eq(mod(n\,5)\,2))'" -c:v mjpeg -q:v 4 -an | out.mkv | --exact-frames | fleet
+its rate, by itself                 | far.mkv    | -r 30 -c:v ffv1 -g 1 | out.avi | --exact-frames | fleet
# more terms than libavutil takes in a row
gaps by the hundred                  | long.mp4   | -t 17 -r 50 -c:v mjpeg -q:v 6 -an | out.mkv | --exact-packets --exact-frames | fleet
# 64,097 bits a second, of which FFmpeg's NUT makes garbage
MP3 of an odd bit rate, to avi       | mp3.mp4    | X264 -c:a copy | out.avi | --exact-frames |
# nothing for 20 seconds
a hole in the video                  | hole.mkv   | X264 -c:a copy | out.mkv | --exact-frames | fleet
# what looks like keyframes is none
refreshed bit by bit                 | refresh.mp4 | -c:v mjpeg -q:v 4 | out.mkv | --exact-packets | stock
# encoders whose frames are the same however cut
prores_ks                           | h264.mp4   | -c:v prores_ks -profile:v 2 -c:a pcm_s16le | out.mov | --exact-packets --exact-frames | fleet
mjpeg                               | h264.mp4   | -c:v mjpeg -q:v 4 -c:a copy | out.mov | --exact-packets --exact-frames | fleet
ffv1                                | h264.mp4   | -c:v ffv1 -g 1 -c:a flac | out.mkv | --exact-frames | fleet
# the time code of its GOPs counts on
+mpeg1video of keyframes only       | h264.mp4   | -c:v mpeg1video -threads 1 -q:v 4 -g 1 | out.mkv | --exact-packets --exact-frames | fleet
mpeg2video of keyframes only        | ntsc.mp4   | -c:v mpeg2video -q:v 4 -g 1 | out.ts | --exact-packets --exact-frames | fleet
# by the number of the frame
cljr                                | plain.mp4  | -c:v cljr | out.avi | --exact-packets | stock
+cljr in order                      | plain.mp4  | -c:v cljr -dither_type 2 | out.avi | --exact-packets --exact-frames | fleet
+DVCPRO HD of 720 lines             | gop.mkv    | -r 50 -vf scale=960:720,format=yuv422p,setsar=4/3 -c:v dvvideo -threads 1 -an -t 4.5 | out.mov | --exact-packets --exact-frames | fleet
vc2                                 | plain.mp4  | -c:v vc2 -s 96x64 | out.mkv | --exact-packets | stock
mpeg4                               | h264.mp4   | -c:v mpeg4 -q:v 4 -g 48 | out.mp4 | --exact-frames | fleet
# not the last frames of a GOP: the encoder knows that a keyframe follows
+mpeg4 with B-frames                | h264.mp4   | -c:v mpeg4 -q:v 4 -g 48 -bf 2 | out.mkv | | fleet
+mpeg2video                         | h264.mp4   | -c:v mpeg2video -q:v 4 -g 12 -bf 2 | out.mkv | | fleet
x264 constant QP                    | h264.mp4   | -c:v libx264 -qp 20 -g 48 -sc_threshold 0 | out.mp4 | --exact-frames | fleet
+x264 without B-frames              | h264.mp4   | -c:v libx264 -qp 20 -g 48 -sc_threshold 0 -bf 0 | out.mp4 | --exact-frames | fleet
+x264 -tune zerolatency             | h264.mp4   | -c:v libx264 -qp 20 -g 48 -sc_threshold 0 -tune zerolatency | out.mp4 | --exact-frames | fleet
+x264 baseline                      | h264.mp4   | -c:v libx264 -qp 20 -g 48 -sc_threshold 0 -profile:v baseline | out.mkv | --exact-frames | fleet
x265 -x265-params                   | h264.mp4   | -c:v libx265 -preset ultrafast -x265-params qp=25:keyint=24:min-keyint=24:scenecut=0:log-level=error | out.mp4 | | fleet
+x265 in mkv                        | h264.mp4   | -c:v libx265 -preset ultrafast -crf 28 -x265-params log-level=error | out.mkv | --size-percent 15 | fleet
x265 10 bit                         | ten.mkv    | -c:v libx265 -preset ultrafast -crf 28 -pix_fmt yuv420p10le -tag:v hvc1 -x265-params log-level=error | out.mp4 | --size-percent 15 | fleet
vp9 in webm                         | h264.mp4   | -c:v libvpx-vp9 -crf 30 -b:v 0 -deadline realtime -cpu-used 8 -c:a libopus | out.webm | --size-percent 20 | fleet
+vp8 in webm                        | h264.mp4   | -c:v libvpx -qmin 20 -qmax 20 -crf 20 -b:v 1M -deadline realtime -cpu-used 8 | out.webm | --size-percent 30 | stock
+svt-av1                            | tiny.mkv   | -c:v libsvtav1 -preset 12 -crf 40 | out.mp4 | --size-percent 40 | fleet
+aom                                | tiny.mkv   | -c:v libaom-av1 -crf 40 -b:v 0 -cpu-used 8 -usage realtime | out.mkv | --size-percent 40 | fleet
+VP9 with alpha                     | alpha.mov  | -c:v libvpx-vp9 -crf 30 -b:v 0 -deadline realtime -cpu-used 8 -pix_fmt yuva420p | out.webm | --exact-frames | stock
+ProRes with alpha                  | alpha.mov  | -c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le | out.mov | --exact-packets --exact-frames | fleet
END
