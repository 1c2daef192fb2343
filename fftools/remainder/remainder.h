/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_REMAINDER_H
#define FFLEET_REMAINDER_H

/**
 * @file
 * The remainder: stock ffmpeg makes, on this machine, all of the outputs but the fleet's video, each into a
 * temporary file of its final format, or what that cannot hold into another one beside it (carrierpart.h). One black frame stands in the video's place, so that
 * streams keep their numbers and the muxer's shift of timestamps can be seen.
 *
 * With Plan.tied_ends the stand-in is all of the video, decoded and encoded as the user wants it but in a narrow
 * picture: what stock does when then does not differ, and neither does the place where it ends each stream.
 */

#include <sys/types.h>

#include <libavutil/bprint.h>

#include "../plan/plan.h"
#include "carrierfile.h"
#include "trial.h"
#include "workdir.h"

/** Of one output; those of all outputs are a chain, whose first one runs stock. */
typedef struct Remainder {
    struct Remainder *next;
    pid_t pid;             ///< 0: not running
    PipeFeed *feed;        ///< its stdin, where an input comes from there
    int   done;            ///< the files are open
    int   log_fd;          ///< what it prints
    AVBPrint log;          ///< the line being put together
    int   nb_known;        ///< errors to come that the trial has told of as well: of opening the inputs
    int   failed;          ///< it has told of its file being incomplete
    int64_t first_slot;    ///< of the stand-in
    CarrierFile *files[CARRIER_NB];  ///< NULL: it has no such part
    int   next_file;       ///< that of the packet that was looked at
    const Plan *plan;      ///< the output's first
} Remainder;

/** Start stock. @param plan, t the first of their chains @param first_slot of the video */
int  remainder_start(Remainder **r, const Plan *plan, const Trial *t, int64_t first_slot,
                     const char *stock, const WorkDir *dir);

/** See whether stock is done, and then open its files. Passes on what it complains of. Does not block.
 *  @return 1 done, 0 not yet, AVERROR_EXTERNAL when stock failed, AVERROR_PATCHWELCOME when the videos of several streams end
 *          at different frames, other AVERROR codes */
int  remainder_poll(Remainder *r);

/** Once it is done, with Plan.tied_ends: how many frames each video has, in all outputs. */
int64_t remainder_nb_video(const Remainder *r);

/** Ask stock to finish its file with what it has. */
void remainder_stop(Remainder *r);

/**
 * The next packet of a stream that is not the fleet's, without consuming it; timestamps as stock
 * gave them to its muxer, in the time base of remainder_stream(). The parts are put together by DTS.
 * @return 0 and *pkt (owned by r), AVERROR_EOF, or an AVERROR code
 */
int  remainder_peek(Remainder *r, AVPacket **pkt);
/** After remainder_peek(): go on to the next one. */
void remainder_consume(Remainder *r);

/** Once it is done: a stream of the plan, as it was read back; NULL: it is text, of which there is none. */
const AVStream *remainder_stream(const Remainder *r, int stream);
/** Likewise what is said of the whole. */
const AVFormatContext *remainder_file(const Remainder *r);

/** The whole chain. Kills stock if it still runs. */
void remainder_free(Remainder **r);

#endif
