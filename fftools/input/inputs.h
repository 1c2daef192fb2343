/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_INPUTS_H
#define FFLEET_INPUTS_H

/**
 * @file
 * The command's inputs, opened, probed and positioned as ffmpeg does it. Knowledge: open_input_file() in
 * fftools/ffmpeg_opt.c of FFmpeg 5.1.
 */

#include <stdatomic.h>
#include <sys/types.h>

#include <libavformat/avformat.h>

#include "../command/cmdline.h"
#include "../command/timelimits.h"
#include "lavfi.h"
#include "pipestore.h"

/** The files of an input, together. */
typedef struct InputFiles {
    uint64_t identity;
    int64_t  size;
} InputFiles;

typedef struct PlanInput {
    const CmdFile   *file;     ///< not owned
    AVFormatContext *fc;
    PipeStore       *store;    ///< of the pipe, where the input is one; or NULL
    /** Of that pipe's descriptor: 0, stdin; another that we were started with; or a FIFO's, see alias. */
    int              number;
    /** Where our children find a FIFO, or what is fetched, as one can be opened only once; or NULL. */
    char            *alias;
    pid_t            fetch;    ///< of who fetches it from a server; 0: nobody
    char             alias_format[32]; ///< the format to be named with it; empty: none
    PipeFeed        *feed;     ///< what fc reads then
    int              feed_fd;
    int              network;  ///< fc reads it over http, and so do our children, each for itself
    atomic_int       stopped;  ///< see input_stop()
    /** May be set: polled while fc waits for a pipe or the network; nonzero ends that with AVERROR_EXIT. */
    int (*interrupted)(void *);
    void            *opaque;
    int              virtual;  ///< fc only says what there is, see lavfi.h
    Lavfi           *lavfi;    ///< makes its pictures; or NULL
    int              loop;     ///< -stream_loop: how often it is read once more; -1: for ever
    int              endless;  ///< nothing but -t ends it
    TimeLimits       limits;   ///< start is also set by -sseof
    int              trim;     ///< what comes before limits.start is not shown: -accurate_seek
    InputFiles       files;    ///< when it was opened
} PlanInput;

/**
 * Open one input.
 * @param reason the sentence, when stock has to read it
 * @return 0, AVERROR_PATCHWELCOME with a reason, AVERROR(ENOMEM)
 */
int  input_open(PlanInput *in, const CmdFile *file, char *reason, size_t reason_size);
void input_close(PlanInput *in);
/** Go back to where input_open() left a file. As input_open(). */
int  input_reopen(PlanInput *in, char *reason, size_t reason_size);
/** End all reading of a pipe or the network, if it is that: for what waits for more. Any thread. */
void input_stop(PlanInput *in);
/** Before stock takes over: put back what was read of the pipe, which stays open. @return 0 or an AVERROR code */
int  input_replay(PlanInput *in);
/** Likewise if nothing was made of it yet: what is fetched stock may as well fetch itself. */
int  input_return(PlanInput *in);

/**
 * Whether its files have another size than when it was opened, as those that are still being written: who reads it more than
 * once, or for longer, sees more of it. Others of the same name are not looked at. Any thread.
 */
int  input_has_changed(const PlanInput *in);

/** Whether an input of that name is read from a pipe of any kind. Opens nothing. */
int  input_is_pipe(const char *url);
/** Whether ffmpeg lets go of the keyboard for it. */
int  input_takes_stdin(const PlanInput *in);

/** Whether its video can be cut into segments: packets with timestamps, a keyframe first. As input_open(). */
int  input_check_splittable(const PlanInput *in, const AVStream *st, char *reason,
                            size_t reason_size);

/**
 * The options of a file, be it an input or an output, that are libavformat's, as ffmpeg hands them on.
 * @param dict they are added; the caller's, on failure as well
 * @return 0 or AVERROR(ENOMEM)
 */
int  input_format_options(const CmdFile *f, AVDictionary **dict);

#endif
