#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same command by stock ffmpeg and by ffleet with three SSH hosts: the outputs must be the same
# by tests/tools/compare.pl, and the trace must show that it was the fleet's work, or stock's where
# that is expected. Inputs are made here, once, when a case first wants them.
#
#   FFLEET_TEST_ALL=1       the rarer cases too (those with a + in front)
#   FFLEET_TEST_ONLY=REGEX  only the cases with such a name
#   FFLEET_TEST_KEEP=DIR    work in DIR and leave everything there

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use JSON::PP;
use POSIX ();
use Test::More;
use Text::ParseWords qw(shellwords);

# NAME | what makes it: ffmpeg's arguments without the output, whose name is NAME. VIDEO(rate), SMOOTH(rate)
# and AUDIO(seconds) stand for generated inputs; a name before a colon is an input made first.
my @inputs = <<'END' =~ /^(?!#)(\S.*)/mg;
rich.mkv      | VIDEO(25) AUDIO(6) -f lavfi -i sine=f=800:d=6 -i text.srt -i chapters.txt -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -c:v libx264 -preset veryfast -g 25 -x264-params open-gop=1:keyint_min=25:scenecut=0 -c:a aac -c:s srt -metadata:s:a:1 language=deu -metadata:s:a:0 title=One -disposition:a:1 0
h264.mp4      | VIDEO(25) AUDIO(6) -c:v libx264 -preset veryfast -g 25 -c:a aac -metadata title=A -metadata artist=B
long.mp4      | SMOOTH(25) AUDIO(24) -c:v libx264 -preset ultrafast -g 200 -keyint_min 200 -sc_threshold 0 -crf 18 -c:a aac
far.mkv       | SMOOTH(25) AUDIO(24) -c:v libx264 -preset superfast -bf 3 -g 150 -sc_threshold 0 -x264-params open-gop=1 -c:a aac
refresh.mp4   | VIDEO(25) -c:v libx264 -preset ultrafast -g 40 -x264-params intra-refresh=1
hole.mkv      | SMOOTH(25) AUDIO(24) -vf setpts='PTS+gte(N\,75)*20/TB' -t 25 -fps_mode vfr -c:v libx264 -preset ultrafast -g 25 -c:a aac
hevc.ts       | VIDEO(25) AUDIO(6) -c:v libx265 -preset ultrafast -x265-params keyint=25:log-level=none -c:a aac -output_ts_offset 10
h264.ts       | VIDEO(25) AUDIO(6) -c:v libx264 -preset veryfast -g 25 -c:a mp2
mp3.mp4       | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a libmp3lame -b:a 64k
plain.mp4     | VIDEO(25) -c:v libx264 -preset ultrafast -g 25
plain.mkv     | VIDEO(25) -c:v libx264 -preset ultrafast -g 25
late-v.mp4    | -itsoffset 0.7 VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-v.mkv    | -itsoffset 0.7 VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-v.ts     | -itsoffset 0.7 VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-a.mp4    | VIDEO(25) -itsoffset 0.9 AUDIO(5) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-a.mkv    | VIDEO(25) -itsoffset 0.9 AUDIO(5) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
late-a.ts     | VIDEO(25) -itsoffset 0.9 AUDIO(5) -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
ten.mkv       | VIDEO(25) -pix_fmt yuv420p10le -c:v libx264 -preset ultrafast -g 25
sar.mkv       | VIDEO(25) -vf setsar=16/11 -c:v libx264 -preset ultrafast -g 25
bt709.mp4     | VIDEO(25) -c:v libx264 -preset ultrafast -g 25 -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv
bt2020.mkv    | VIDEO(25) -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc
full.mp4      | VIDEO(25) -vf scale=out_range=pc -c:v libx264 -preset ultrafast -g 25 -color_range pc
vui.ts        | VIDEO(25) -c:v libx264 -preset ultrafast -g 25 -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m
container.mkv | VIDEO(25) -c:v mpeg4 -q:v 3 -g 25 -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m -color_range tv
container.mov | VIDEO(25) -c:v mpeg4 -q:v 3 -g 25 -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m -movflags write_colr
rot90.mp4     | plain.mp4: -i plain.mp4 -c copy -metadata:s:v:0 rotate=90
rot180.mp4    | plain.mp4: -i plain.mp4 -c copy -metadata:s:v:0 rotate=180
rot270.mp4    | plain.mp4: -i plain.mp4 -c copy -metadata:s:v:0 rotate=270
tff.mkv       | VIDEO(50) -vf interlace=scan=tff -c:v libx264 -preset ultrafast -g 25 -flags +ildct+ilme -x264-params tff=1
fields.mkv    | VIDEO(50) -vf interlace=scan=tff -c:v mpeg2video -q:v 4 -g 1 -flags +ildct+ilme
mpeg2.ts      | VIDEO(50) AUDIO(6) -vf interlace=scan=tff -c:v mpeg2video -q:v 4 -g 12 -bf 2 -flags +ildct+ilme -c:a mp2
ntscfilm.mkv  | VIDEO(24000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 24 -bf 2 -c:a aac
ntsc.mkv      | VIDEO(30000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 30 -bf 2 -c:a aac
ntsc.mp4      | VIDEO(30000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 30 -bf 2 -c:a aac
r30.mkv       | VIDEO(30) AUDIO(6) -c:v libx264 -preset ultrafast -g 30 -bf 2 -c:a aac
r24.mp4       | VIDEO(24) AUDIO(6) -c:v libx264 -preset ultrafast -g 24 -bf 2 -c:a aac
r50.mp4       | VIDEO(50) AUDIO(6) -c:v libx264 -preset ultrafast -g 50 -bf 2 -c:a aac
r5994.mkv     | VIDEO(60000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 60 -bf 2 -c:a aac
r5994.ts      | VIDEO(60000/1001) AUDIO(6) -c:v libx264 -preset ultrafast -g 60 -bf 2 -c:a aac
r60.mkv       | VIDEO(60) AUDIO(6) -c:v libx264 -preset ultrafast -g 60 -bf 2 -c:a aac
gop.mkv       | VIDEO(30) -c:v libx264 -preset ultrafast -g 37 -bf 3
cover.png     | -f lavfi -i testsrc=s=64x64:d=1 -frames:v 1
cover.mp4     | h264.mp4 cover.png: -i h264.mp4 -i cover.png -map 0 -map 1 -c copy -disposition:v:1 attached_pic
cover.mkv     | h264.mp4 cover.png: -i h264.mp4 -c copy -attach cover.png -metadata:s:2 mimetype=image/png -metadata:s:2 filename=cover.png
logo.png      | -f lavfi -i testsrc=s=48x32 -frames:v 1
fonts.mkv     | h264.mp4: -i h264.mp4 -i text.ass -map 0 -map 1 -c copy -c:s ass -attach text.srt -metadata:s:t mimetype=application/x-truetype-font -metadata:s:t filename=a.ttf
tmcd.mov      | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a pcm_s16le -timecode 01:00:00:00
subs.mp4      | h264.mp4: -i h264.mp4 -i text.srt -map 0 -map 1 -c copy -c:s mov_text
latesub.mkv   | h264.mp4: -i h264.mp4 -i late.srt -map 0 -map 1 -c copy -c:s srt
vorbis.mkv    | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a libvorbis
opus.mkv      | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a libopus
flac.mkv      | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a flac
ac3.mkv       | VIDEO(25) AUDIO(6) -c:v libx264 -preset ultrafast -g 25 -c:a ac3
vfr.mkv       | VIDEO(30) AUDIO(6) -vf select='not(eq(mod(n\,7)\,3)+eq(mod(n\,11)\,5)+eq(mod(n\,11)\,6))' -fps_mode vfr -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
vfr.mp4       | VIDEO(30) AUDIO(6) -vf select='not(eq(mod(n\,7)\,3)+eq(mod(n\,11)\,5)+eq(mod(n\,11)\,6))' -fps_mode vfr -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac
uneven.mp4    | VIDEO(30) AUDIO(6) -vf settb=1/1000,setpts=N*33+23*mod(N*7\\,5) -enc_time_base 1:1000 -fps_mode passthrough -c:v libx264 -preset ultrafast -g 30 -bf 0 -c:a aac
jitter.mp4    | vfr.mkv: -i vfr.mkv -c copy
mpeg4.mkv     | VIDEO(25) -c:v mpeg4 -q:v 3 -g 25 -bf 2
cut.mp4       | h264.mp4: -ss 1.3 -i h264.mp4 -c copy
vp9.webm      | VIDEO(25) -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25
mjpeg.mov     | VIDEO(25) AUDIO(6) -c:v mjpeg -q:v 3 -c:a pcm_s16le
alpha.mov     | VIDEO(25) -c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le
gbr.mkv       | VIDEO(25) -c:v ffv1 -pix_fmt gbrp
two.mkv       | VIDEO(25) AUDIO(6) AUDIO(6) -map 0 -map 1 -map 2 -c:v libx264 -g 25 -preset ultrafast -c:a:0 ac3 -c:a:1 aac
longa.mp4     | VIDEO(25) AUDIO(9) -c:v libx264 -g 25 -preset ultrafast -c:a aac
shorta.mkv    | VIDEO(25) AUDIO(3) -c:v libx264 -g 25 -preset ultrafast -c:a aac
h263.avi      | VIDEO(25) -s 176x144 -c:v h263 -q:v 4 -g 25
yv12.avi      | VIDEO(25) -c:v rawvideo -pix_fmt yuv420p -vtag YV12
utvideo.avi   | VIDEO(25) -c:v utvideo
qtrle.mov     | VIDEO(25) -c:v qtrle -g 25
gaps.mkv      | -f lavfi -i testsrc2=s=96x64:r=100:d=30 -vf select='eq(mod(n\,7)\,0)+eq(mod(n\,7)\,3)' -fps_mode vfr -c:v libx264 -preset ultrafast -g 2000
eyes.mkv      | -f lavfi -i testsrc2=s=96x64:r=10:d=6 -c:v libx264 -preset ultrafast -g 10 -metadata:s:v stereo_mode=left_right
hdr.mkv       | VIDEO(25) -pix_fmt yuv420p10le -c:v libx264 -preset ultrafast -g 25 -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -color_range tv
tiny.mkv      | -f lavfi -i testsrc2=s=96x64:r=10:d=4 -c:v libx264 -preset ultrafast -g 10
END

# [+]NAME | INPUT | ARGUMENTS between input and output | OUTPUT | compare.pl's options | who makes it
# A name ending in ", N s" wants segments of N seconds, others 2; one ending in ", N segments" so many of 6 s.
my @cases = <<'END' =~ /^(?!#)(\S.*)/mg;
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
MPEG-4 input with B-frames          | mpeg4.mkv  | X264 | out.mp4 | --exact-frames | fleet
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
+copied from mkv to ts              | two.mkv    | X264 -c:a copy | out.ts | --exact-frames |
+ac3 copied to mp4                   | ac3.mkv    | X264 -c:a copy | out.mp4 | --exact-frames | fleet
+mp3                                | h264.mp4   | X264 -c:a libmp3lame -q:a 4 | out.mp4 | --exact-frames | fleet
+vorbis encoded to mkv              | h264.mp4   | X264 -c:a libvorbis | out.mkv | --exact-frames | fleet
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

my %macro = (
    X264 => '-c:v libx264 -preset ultrafast -qp 24 -g 24 -sc_threshold 0',
);

my $root    = $ENV{SRC_DIR} || abs_path(dirname($0) . '/../..');
my $ffleet  = $ENV{FFLEET} || "$root/ffleet";
my $stock   = $ENV{FFMPEG} || 'ffmpeg';
my $dir     = $ENV{FFLEET_TEST_KEEP} || tempdir('exactXXXXXX', TMPDIR => 1, CLEANUP => 1);
my $main    = $$;
my $only    = $ENV{FFLEET_TEST_ONLY} // "";
my %made;

make_path("$dir/stock", "$dir/ours");
$dir = abs_path($dir);

sub spew {
    my ($name, $text) = @_;
    open my $out, '>', $name or BAIL_OUT("$name: $!");
    print $out $text;
    close $out;
}

sub slurp {
    my ($name) = @_;
    open my $in, '<', $name or return '';
    local $/;
    return <$in> // '';
}

# Run in a folder, stdin from /dev/null, stdout and stderr to files there; returns the status.
sub run_in {
    my ($folder, $log, @cmd) = @_;
    my $pid = fork // BAIL_OUT("fork: $!");

    if (!$pid) {
        chdir $folder;
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$log.out";
        open STDERR, '>', "$log.err";
        exec { $cmd[0] } @cmd or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? & 127 ? 1000 + ($? & 127) : $? >> 8;
}

sub fleet {
    my (@words) = @_;
    my $ok = !system 'sh', '-c', '. "$0"; "$@"', "$root/tests/fleet.sh", @words;
    return $ok;
}

END {
    if ($main == $$ && -d "$dir/fleet") {
        my $status = $?;
        fleet('fleet_stop', "$dir/fleet");
        remove_tree("$dir/fleet");
        $? = $status;
    }
}

### inputs

sub input_args {
    my ($text) = @_;
    $text =~ s/\bVIDEO\(([\d\/]+)\)/-f lavfi -i testsrc2=s=192x108:r=$1:d=6/g;
    $text =~ s/\bSMOOTH\(([\d\/]+)\)/-f lavfi -i testsrc2=s=320x180:r=$1:d=24/g;
    $text =~ s/\bAUDIO\((\d+)\)/-f lavfi -i sine=f=440:d=$1/g;
    return shellwords($text);
}

sub make_input {
    my ($name) = @_;
    my ($line) = grep { /^\Q$name\E\s/ } @inputs or BAIL_OUT("no input is called $name");
    my $how    = $line =~ s/^\S+\s*\|\s*//r;

    return if $made{$name}++;
    make_input($_) for $how =~ s/^([\w. -]+):\s+// ? split ' ', $1 : ();
    return if -s "$dir/$name";
    run_in($dir, "$dir/input", $stock, qw(-nostdin -y -v error), input_args($how), $name) == 0
        or BAIL_OUT("$name cannot be made: " . slurp("$dir/input.err"));
}

sub make_texts {
    spew("$dir/text.srt", join '', map { "$_\n00:00:0$_,100 --> 00:00:0$_,900\nline <i>$_</i>\n\n" } 1 .. 5);
    spew("$dir/late.srt", "1\n00:00:04,000 --> 00:00:04,500\nlate\n\n");
    spew("$dir/chapters.txt", ";FFMETADATA1\ntitle=All\n" . join '', map {
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=${_}000\nEND=" . ($_ + 2) . "000\ntitle=c$_\n" } 0, 2, 4);
    spew("$dir/text.ass", "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
       . "Style: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n"
       . join '', map { "Dialogue: 0,0:00:0$_.00,0:00:0$_.50,Default,line {\\b1}$_\n" } 1 .. 5);
}

### cases

# Who made it, by the trace: "fleet" or "stock", what is wrong with that, or undef, how many segments there were,
# and the frames at which they end, but for the last
my %hosts_used;

sub read_trace {
    my ($file) = @_;
    my @events = map { JSON::PP->new->decode($_) } split /\n/, slurp($file);
    my ($plan) = reverse grep { $_->{event} eq 'plan' } @events;
    my (%segments, @frames, @ends);

    return ('nobody', 'there is no decision in the trace') unless $plan;
    return ('stock', $plan->{reason}) if $plan->{decision} eq 'stock';
    for (grep { $_->{event} eq 'attempt' } @events) {
        return ('fleet', "segment $_->{segment} on $_->{host}: $_->{outcome}: " . ($_->{why} // ''))
            if $_->{outcome} !~ /^(?:ok|lost|cancelled)$/ || $_->{host} !~ /^h\d$/;
        next if $_->{outcome} ne 'ok';
        $segments{ $_->{segment} }++;
        $frames[ $_->{segment} ] = $_->{frames};
        $hosts_used{ $_->{host} }++;
    }
    return ('fleet', 'it was not split: ' . keys(%segments) . ' segment(s)') if keys %segments < 2;
    push @ends, ($ends[-1] // 0) + ($_ // 0) for @frames[0 .. $#frames - 1];
    return ('fleet', undef, scalar keys %segments, @ends);
}

sub run_case {
    my ($name, $input, $args, $output, $compare, $who) = @_;
    my $wanted = $name =~ /, (\d+) segments$/ ? $1 : undef;
    # by itself: far.mkv has a keyframe each 150 frames, and segments may end between them
    my $itself = $name =~ /, by itself$/;
    my $length = $name =~ /, (\d+) s$/ ? $1 : $wanted ? 6 / $wanted : 2;
    my $trace  = "$dir/trace.json";
    my @compare = map { $_ eq '--source' ? ($_, "$dir/$input") : $_ } split ' ', $compare;
    my (%status, @words);

    $args =~ s/\b(X264)\b/$macro{$1}/g;
    @words = ('-y', '-i', "../$input", shellwords($args), $output);
    make_input($input);
    make_input('logo.png') if $args =~ /logo\.png/;
    unlink $trace, "$dir/stock/$output", "$dir/ours/$output";
    local $ENV{FFLEET_TRACE} = $trace;
    $status{stock} = run_in("$dir/stock", "$dir/stock/log", $stock, @words);
    $status{ours}  = run_in("$dir/ours", "$dir/ours/log", $ffleet, $itself ? () : ('--segment-length', $length), @words);

    subtest $name => sub {
        my ($maker, $problem, $segments, @ends) = read_trace($trace);
        my $different;

        is($status{ours}, $status{stock}, 'exit status') or diag(slurp("$dir/ours/log.err") =~ s/.*(?=.{600}$)//sr);
        if ($who) {
            is($maker, $who, "the $who makes it") or diag($problem);
        } else {
            note("made by $maker", $problem ? ": $problem" : '');
        }
        ok(!defined $problem, 'in segments, by hosts') or diag($problem) if $maker eq 'fleet';
        is($segments, $wanted, 'so many segments') if $wanted;
        ok(scalar(grep { $_ % 150 } @ends), 'not all segments end at keyframes') if $itself;
        $different = run_in($dir, "$dir/compare", $^X, "$root/tests/tools/compare.pl",
                            "stock/$output", "ours/$output", @compare);
        is($different, 0, 'equal')
            or diag('ffmpeg ', join(' ', @words), "\n", slurp("$dir/compare.out"), slurp("$dir/compare.err"));
    };
}

fleet('fleet_start', 3, "$dir/fleet") or BAIL_OUT('the fleet cannot be started');
$ENV{FFLEET_SSH_CONFIG} = "$dir/fleet/ssh_config";
$ENV{FFLEET_HOSTS}      = 'h1 h2 h3';
delete @ENV{qw(SSH_AUTH_SOCK FFLEET_SEGMENT_LENGTH FFREPORT)};
make_texts();
for (@cases) {
    my ($name, @rest) = map { s/^\s+|\s+$//gr } split /\|/, $_, -1;

    next if $name =~ s/^\+// && !$ENV{FFLEET_TEST_ALL};
    run_case($name, @rest) if $name =~ /(?:$only)/;
}
is(join(' ', sort keys %hosts_used), 'h1 h2 h3', 'all hosts took part') unless $only;
done_testing();
