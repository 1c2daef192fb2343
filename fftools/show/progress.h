/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PROGRESS_H
#define FFLEET_PROGRESS_H

/**
 * @file
 * What ffmpeg tells while it encodes: the stats line, the -progress blocks and the final summary,
 * byte for byte as the ffmpeg of the libraries that we are built with.
 *
 * Knowledge: print_report() and print_final_stats() in fftools/ffmpeg.c of FFmpeg 5.1; print_report() in
 * ffmpeg.c and mux_final_stats() in ffmpeg_mux.c of 7.1. Not done: -qphist and -psnr.
 */

#include <stdint.h>

#include <libavcodec/version.h>
#include <libavformat/avio.h>
#include <libavutil/bprint.h>

/** Whose words. */
enum ProgressStyle {
    PROGRESS_STYLE_5, ///< kB; the summary comes after the last stats line
    PROGRESS_STYLE_7, ///< KiB; the summary comes before it and names the output
#if LIBAVCODEC_VERSION_MAJOR >= 61
    PROGRESS_STYLE = PROGRESS_STYLE_7,
#else
    PROGRESS_STYLE = PROGRESS_STYLE_5,
#endif
};

#define PROGRESS_MAX_VIDEO 8

/** A video stream of the outputs. */
typedef struct ProgressVideo {
    int   file, stream;      ///< numbers of the output and of its stream
    float q;                 ///< quantiser; -1 for a copied stream
} ProgressVideo;

typedef struct ProgressState {
    ProgressVideo video[PROGRESS_MAX_VIDEO];
    int     nb_video;
    int64_t frames;          ///< of the first video stream
    double  fps;             ///< see progress_rates()
    double  speed;           ///< likewise; negative: N/A
    int64_t total_size;      ///< bytes of the first output; negative: N/A
    int64_t out_time_us;     ///< AV_NOPTS_VALUE: none yet
    int64_t dup, drop;
    int     is_last;
} ProgressState;

/** Fill fps and speed from frames and out_time_us, as ffmpeg does. @param elapsed seconds since the start */
void progress_rates(ProgressState *s, double elapsed);

/** The stats line, without its end. */
void progress_format_line(AVBPrint *bp, const ProgressState *s, enum ProgressStyle style);
/** The block for -progress. */
void progress_format_block(AVBPrint *bp, const ProgressState *s, enum ProgressStyle style);

typedef struct ProgressSummary {
    uint64_t video, audio, subtitle, other; ///< bytes of packets
    uint64_t extra;          ///< bytes of extradata
    int64_t  total_size;     ///< of the output
    uint64_t packets;        ///< of all streams
    int      pass1;          ///< all encoders run the first of two passes
    int      file;           ///< number of the output
    const char *format;      ///< its muxer's name
} ProgressSummary;

/** "video:..." up to and without the newline. */
void progress_format_summary(AVBPrint *bp, const ProgressSummary *s, enum ProgressStyle style);

/** Belongs to one thread. */
typedef struct Progress Progress;

/**
 * @param print_stats  -1: neither -stats nor -nostats was given, 1: -stats, 0: -nostats
 * @param stats_period microseconds between reports; 0: ffmpeg's half second
 * @param url          of -progress, or NULL
 * @param int_cb       asked while url blocks; may be NULL
 * @return 0, or the AVERROR code of opening url (reported by av_log as ffmpeg does)
 */
int  progress_open(Progress **p, int print_stats, int64_t stats_period, const char *url,
                   const AVIOInterruptCB *int_cb);
void progress_close(Progress **p);

/**
 * Whether a report is due: the first call, then once a period. Counts as done when it says yes.
 * Saves the work of filling a ProgressState for nothing.
 * @param now microseconds on a monotonic clock
 */
int progress_due(Progress *p, int64_t now);

/** Print the stats line if stats are wanted, write the block if -progress is. Closes url after the last. */
void progress_report(Progress *p, const ProgressState *s);

/** Print the summary (av_log, info level), and ffmpeg's warning if nothing was encoded. */
void progress_final_summary(const ProgressSummary *s);

/** The last report and the summary, in this version's order. Sets nothing in its arguments. */
void progress_finish(Progress *p, const ProgressState *s, const ProgressSummary *summary);

#endif
