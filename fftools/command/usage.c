/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage.h"

#include "config.h"

#include <stdio.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/error.h>

static const char help[] =
"usage: " FFLEET_PROGRAM " [ffleet options] [ffmpeg's own arguments]\n"
"\n"
"Encodes video on many hosts at once. Takes ffmpeg's command line; what cannot be\n"
"split among hosts is run by the local ffmpeg, unchanged.\n"
"\n"
"Options of ffleet, anywhere between ffmpeg's own (also as --option=VALUE):\n"
"  --hosts LIST              hosts to encode on: [user@]host[:port][/slots] ...\n"
"  --hostlist HOST ...       the same, up to the next word that starts with '-'\n"
"  --ssh-user USER           user for hosts that name none\n"
"  --segment-length SECONDS  least length of a segment\n"
"  --file FILE               short for -i FILE; without an output: output.mp4\n"
"  --explain                 say what would be split, or why nothing is\n"
"  --no-fallback             fail rather than encode on this machine\n"
"  --resume                  keep what is done beside the output, and go on from there\n"
"  --work-dir DIR            the same, in a folder of your choice\n"
"  --memory SIZE             for packets that wait (192M); more of them go to TMPDIR\n"
"  --status                  show what the hosts are doing\n"
"  --version                 print the version\n"
"  --help                    print this text (--help TOPIC is ffmpeg's)\n"
"\n"
"Environment:\n"
"  FFLEET_HOSTS              as --hosts\n"
"  FFLEET_SEGMENT_LENGTH     as --segment-length\n"
"  FFLEET_FFMPEG             the local ffmpeg, a path or a name on PATH\n"
"  FFLEET_SSH_CONFIG         ssh_config file to use instead of the user's\n"
"  FFLEET_STALL_TIMEOUT      seconds that a host may be silent\n"
"  FFLEET_TRACE              file for a trace of the run\n"
"\n"
"Called by the name ffmpeg, --help and --version are left to ffmpeg.\n";

static int finish(void)
{
    return fflush(stdout) || ferror(stdout) ? AVERROR(EIO) : 0;
}

int usage_help(void)
{
    fputs(help, stdout);
    return finish();
}

static void print_library(const char *name, unsigned v)
{
    printf("%-12s %2u.%3u.%3u\n", name, AV_VERSION_MAJOR(v), AV_VERSION_MINOR(v),
           AV_VERSION_MICRO(v));
}

int usage_version(void)
{
    printf(FFLEET_PROGRAM " version " FFLEET_VERSION "\n");
    print_library("libavutil", avutil_version());
    print_library("libavcodec", avcodec_version());
    print_library("libavformat", avformat_version());
    return finish();
}
