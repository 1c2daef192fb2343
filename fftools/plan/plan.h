/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PLAN_H
#define FFLEET_PLAN_H

/**
 * @file
 * What becomes of a command: either a plan for the fleet, or the one-sentence reason for leaving
 * all of it to stock ffmpeg. planmake.h makes one; later it is only read, by any thread.
 */

#include <libavformat/avformat.h>

#include "../command/cmdline.h"
#include "../command/timelimits.h"
#include "../filter/complexgraph.h"
#include "../filter/filtercount.h"
#include "../filter/shipment.h"
#include "../input/inputs.h"
#include "encodertraits.h"
#include "timeline.h"

typedef struct PlanStream {
    int   file;              ///< index of the input
    int   index;             ///< of the input's stream
    enum AVMediaType type;
    int   copy;              ///< stream copy
    int   fleet;             ///< encoded by the fleet; all others are made here
    int   part;              ///< of what stock hands over, see carrierpart.h
    const AVCodec *encoder;  ///< NULL when copied
    int   complex;           ///< comes out of -filter_complex; file and index are a stream that goes in
    char *label;             ///< by that name, without brackets; NULL: none
    /* of the input's stream, noted while nobody reads it */
    int64_t in_bit_rate;
    int     in_has_handler;  ///< it has a handler_name
    int     in_has_language;
    char    in_duration[32]; ///< its DURATION tag, unless -map_metadata says what is copied
    uint32_t tag;            ///< as ffmpeg chooses it: -tag, what is copied has; 0: none
} PlanStream;

/** An output without the fleet's video, see sideoutput.h. */
typedef struct SideOutput {
    int output;              ///< its number
    const AVOutputFormat *oformat;
    PlanStream *streams;     ///< in order
    int nb_streams;
} SideOutput;

/**
 * How the fleet makes one video stream. Where the command has several, their plans are a chain: in the order of
 * outputs and streams, all made of the same segments by the same commands on hosts (see renditions.h). What is said
 * of an output is the same in all plans of its streams.
 */
typedef struct Plan {
    char reason[512];        ///< why stock makes it; empty: the fleet does. Only the first one's counts

    const Command *cmd;      ///< not owned
    struct Plan *first;      ///< of the chain; it owns the inputs and sides
    struct Plan *next;       ///< or NULL
    int number;              ///< in the chain
    int output;              ///< number of the output
    int nth_fleet;           ///< number of the stream among those of the output that are the fleet's
    int nb_fleet;            ///< how many those are
    PlanInput *inputs;
    int nb_inputs;
    SideOutput *sides;       ///< in the chain's first: the outputs in which the fleet has no part
    int nb_sides;
    PlanStream *streams;     ///< of the output, in order
    int nb_streams;
    int fleet_stream;        ///< index into streams

    const AVOutputFormat *oformat;
    const AVOutputFormat *carrier; ///< in which stock's part of it is handed over, see carrier.h
    const AVOutputFormat *trial_format;  ///< of the trial
    int    pipe;             ///< the output is stdout: what is written cannot be taken back
    int    appends;          ///< nor if it continues what is there
    AVDictionary *format_options;  ///< for the output's muxer and protocol
    int    max_delay, preload;     ///< -muxdelay, -muxpreload, in AV_TIME_BASE units
    char **encoder_args;     ///< options of the video encoder, as words: "-name", value; NULL-terminated
    int    nb_encoder_args;
    int    global_header;    ///< stock's encoder puts headers beside the packets: the format wants it, or -flags
    char **scaler_args;      ///< likewise of the scaler
    int    nb_scaler_args;
    ComplexGraph complex;    ///< -filter_complex; empty: none
    ComplexGraph linked;     ///< -vf, where its filters are linked by labels; empty: they are not
    const GraphPath *path;   ///< of one of these, that makes the stream; NULL: none does
    char  *filters;          ///< the user's filter chain, or NULL; sides as in GraphPath.filters
    int    no_durations;     ///< what comes out of them does not tell how long it lasts
    int    filter_script;    ///< they come from a file
    int    need_version;     ///< of those that make other pixels in other versions of FFmpeg, as where text is drawn
    char  *font_filters;     ///< those that draw with fonts nobody named, see fonts.h; or NULL
    char  *known_fonts;      ///< what libass says of the fonts it takes, line by line; or NULL
    Shipment files;          ///< that the filters need on hosts, first those of path->sides in their order
    int    window;           ///< neighbouring frames, on either side, that the filters look at
    int    drop_first;       ///< the filters swallow the first frame
    char  *timing;           ///< the part of them that changes or reads times, see filterchain_timing(); or NULL
    char  *timing_all;       ///< likewise, with sounds that change the times of pictures in stock's graph; NULL: none do
    FilterCount counts;      ///< those of the filters that count frames
    int    reach;            ///< frames on either side of a segment's that may have to go with it
    AVRational in_rate;      ///< -r of the input: its frames are counted instead of timed; {0, 1}: not given
    AVRational in_time_base; ///< of the frames that the filters get, and their rate
    AVRational in_frame_rate;
    AVRational filter_time_base; ///< of those that come out of them
    AVRational filter_frame_rate;
    const char *autorotate;  ///< filters that ffmpeg puts in front of it for the input's rotation, or NULL
    EncoderJudgement judge;
    int    gop;              ///< segments may begin at every gop-th output frame only; 0: at the input's keyframes
    int    source_keyframes; ///< -force_key_frames source: decoders on hosts tell which frames are
    char  *force_keyframes;  ///< value of -force_key_frames, its chapters as times; or NULL
    char  *bsf;              ///< bitstream filters of the video, which hosts apply; or NULL
    int    threads;          ///< of the encoder on every host, where the output depends on them; 0: as hosts like
    AVRational frame_rate;   ///< of the output; where it is open, of the ticks of its clock: slots are these then
    int    rate_open;        ///< the filters leave the frame rate open, and so does stock (FFmpeg 7)
    enum VsyncMethod vsync;
    int    out_rate_given;
    TimeLimits out_limits;
    int64_t max_frames;      ///< INT64_MAX: without limit
    int     tied_ends;       ///< where streams end, or how sounds mix, depends on how far others are: only stock's
                             ///< part tells, see remainder.h
    double  sure_end;        ///< seconds of the output until where all of them are sure to go on
    int     copyts;          ///< -copyts
    double  ts_scale;        ///< -itsscale of the video: its timestamps are multiplied by it
    int64_t trim_start;      ///< what of the input is before is not shown, in AV_TIME_BASE units; AV_NOPTS_VALUE: all is
    int64_t ts_offset;       ///< what ffmpeg adds to the input's timestamps, in AV_TIME_BASE units
    double segment_length;   ///< seconds; 0: as is best for the hosts
    double duration;         ///< of the output, in seconds, as far as the input's header tells; 0: unknown
} Plan;

/** The whole chain, with its inputs. */
void plan_free(Plan **p);
/** Back to a plan of no output: free all but what the chain has in common. */
void plan_forget_output(Plan *p);
void plan_free_streams(PlanStream **streams, int nb);

/** The output as it was typed. */
static inline const CmdFile *plan_file(const Plan *p)
{
    return &p->cmd->outputs[p->output];
}

/** Video streams that the fleet makes together, at most. */
#define PLAN_MAX_VIDEO 8
/** Outputs of a command that is split, at most. */
#define PLAN_MAX_OUTPUTS 8

/** How many plans the chain has. */
static inline int plan_count(const Plan *p)
{
    int nb = 0;

    for (p = p->first; p; p = p->next)
        nb++;
    return nb;
}

/** The first plan of the next output, or NULL. */
static inline const Plan *plan_next_output(const Plan *p)
{
    const Plan *next = p->next;

    while (next && next->output == p->output)
        next = next->next;
    return next;
}

/** Whether stock's packets of the video carry the headers, and its stream does not: as in MPEG-TS, AVI, MXF. */
static inline int plan_repeats_headers(const Plan *p)
{
    enum AVCodecID id = p->streams[p->fleet_stream].encoder->id;

    return !p->global_header &&
           (id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC || id == AV_CODEC_ID_MPEG4);
}

/** The input that the fleet's video comes from. */
static inline const PlanInput *plan_video_input(const Plan *p)
{
    return &p->inputs[p->streams[p->fleet_stream].file];
}

/** Whether stock has a filter that cuts in front of the user's, for -ss or -t of the input. */
static inline int plan_cuts_input(const Plan *p)
{
    const PlanInput *in = plan_video_input(p);

    return in->trim || in->limits.duration != INT64_MAX;
}

/**
 * Whether the pixel format may have to be converted between ffmpeg's own filters, those that turn
 * the picture and those that cut: libavfilter does it there for the user's. With none that cut, it
 * does so before the picture is turned.
 */
static inline int plan_converts_between(const Plan *p)
{
    return p->autorotate && p->filters && plan_cuts_input(p);
}

/** The stream of it that the fleet encodes. */
static inline AVStream *plan_video(const Plan *p)
{
    return plan_video_input(p)->fc->streams[p->streams[p->fleet_stream].index];
}

/** About how many frames a second there are. */
static inline AVRational plan_usual_rate(const Plan *p)
{
    return !p->rate_open ? p->frame_rate : p->in_frame_rate.num > 0 && p->in_frame_rate.den > 0 ?
           p->in_frame_rate : (AVRational) { 25, 1 };
}

/** The input that is a pipe, or NULL. */
PlanInput *plan_pipe(const Plan *p);

#endif
