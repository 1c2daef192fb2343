/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PLANDECIDE_H
#define FFLEET_PLANDECIDE_H

/**
 * @file
 * Inside plan_make(): the decisions that a plan is made of, and what they have in common. Each
 * returns 0, or nonzero with the reason for stock in Plan.reason. Which go before which planmake.c says.
 *
 * Knowledge: fftools/ffmpeg_opt.c (5.1) and ffmpeg_mux_init.c (7.1) of FFmpeg for how streams are chosen
 * and options reach them.
 */

#include "plan.h"

/** Reason for stock; returns 1 so that a decision can end with it. */
int plan_stock(Plan *p, const char *fmt, ...) av_printf_format(2, 3);
/**
 * The filters that an option names, av_malloc'd; out of a file where that is what it names. Returns
 * 0, or 1 with the reason.
 */
int plan_option_text(Plan *p, const CmdOption *o, char **text);

/* planoptions.c: whether each option is one that is known to be split */
/** Those of the whole command. */
int decide_common_options(Plan *p);
int decide_abort(Plan *p);
/** Those of the output. */
int decide_options(Plan *p);

/* planoutput.c: the output's format, its streams and what each is made of */
int decide_output(Plan *p);
/** After the inputs are open. */
int decide_streams(Plan *p);
/** After the frame limit, which may tie streams. */
int decide_covers(Plan *p);

/* planencoder.c: the options of the encoder, and what they mean for cutting */
int decide_encoder(Plan *p);
/** After that: whether it takes longer than to send pictures as they are. */
int encoder_is_slow(const Plan *p);

/* planfilters.c: what becomes of a picture between decoder and encoder */
int decide_rotation(Plan *p);
int decide_filters(Plan *p);
/** What the filters get, and what they make of it. */
int decide_filter_timing(Plan *p);

/* plantiming.c: which frames are shown when */
int decide_copyts(Plan *p);
/** After -copyts. */
int decide_scale(Plan *p);
int decide_vsync(Plan *p);
int decide_frame_rate(Plan *p);
int decide_keyframes(Plan *p);
int decide_frame_limit(Plan *p);
/** After the carrier is chosen. */
int decide_late(Plan *p);
int decide_ends(Plan *p);
/** After the ends: whether anybody sees how slowly -re has the input read. */
int decide_pace(Plan *p);
/** Of the whole chain of plans, when they are done. */
int decide_length(Plan *p);

#endif
