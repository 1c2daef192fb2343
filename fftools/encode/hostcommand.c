/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include <libavutil/bprint.h>
#include <libavutil/pixdesc.h>

#include "../../remote/shellquote.h"
#include "../compat.h"
#include "../input/decoding.h"
#include "../plan/carrier.h"
#include "../segment/wire.h"
#include "hostcommand.h"

#define FPS_MODE_LAVC AV_VERSION_INT(59, 37, 0)   /* 5.1 has -fps_mode, before it was -vsync */

/** @param value NULL: unknown to libavutil, then the decoder is left to itself */
static int add_option(const char **argv, int n, const char *name, const char *value)
{
    if (value) {
        argv[n++] = name;
        argv[n++] = value;
    }
    return n;
}

int hostcommand_add_colors(const char **argv, int n, const AVCodecParameters *par)
{
    if (par->color_range != AVCOL_RANGE_UNSPECIFIED)
        n = add_option(argv, n, "-color_range", av_color_range_name(par->color_range));
    if (par->color_primaries != AVCOL_PRI_UNSPECIFIED && par->color_primaries)
        n = add_option(argv, n, "-color_primaries",
                       av_color_primaries_name(par->color_primaries));
    if (par->color_trc != AVCOL_TRC_UNSPECIFIED && par->color_trc)
        n = add_option(argv, n, "-color_trc", av_color_transfer_name(par->color_trc));
    if (par->color_space == AVCOL_SPC_RGB)
        n = add_option(argv, n, "-colorspace", "rgb");
    else if (par->color_space != AVCOL_SPC_UNSPECIFIED)
        n = add_option(argv, n, "-colorspace", av_color_space_name(par->color_space));
    if (par->chroma_location != AVCHROMA_LOC_UNSPECIFIED)
        n = add_option(argv, n, "-chroma_sample_location",
                       av_chroma_location_name(par->chroma_location));
    return n;
}

uint32_t hostcommand_input_tag(const Plan *plan)
{
    const AVCodecParameters *par = plan_video(plan)->codecpar;

    /* with these the number of bits tells, which NUT does not keep; wire.c found a tag that does */
    if (par->codec_id == AV_CODEC_ID_RAWVIDEO &&
        (par->codec_tag == MKTAG('r', 'a', 'w', ' ') || par->codec_tag == MKTAG('N', 'O', '1', '6')))
        return 0;
    return par->codec_tag;
}

/** FFmpeg 7's decoder of these does not always wait for what other threads have yet to decode: on a busy host
 * a frame in thousands has other pixels. */
static int decoder_races(enum AVCodecID id)
{
    return id == AV_CODEC_ID_VP3 || id == AV_CODEC_ID_THEORA || id == AV_CODEC_ID_VP4;
}

static void print_trim(AVBPrint *bp, const Plan *plan, int64_t from, int64_t to)
{
    double rate = SEGMENT_WIRE_UNITS * av_q2d(plan->frame_rate);
    int64_t base = SEGMENT_WIRE_BASE * SEGMENT_WIRE_UNITS;

    av_bprintf(bp, "trim=start=%.6f:end=%.6f,", (base + from) / rate, (base + to) / rate);
}

/** In front of a term of a sum, the i-th: libavutil takes a hundred of them in a row at most, but sums of sums. */
static const char *join_terms(int i)
{
    return !i ? "(" : i % 32 ? "+" : ")+(";
}

/** Open the gaps again that stock leaves with variable frame rate, and `fps` has filled. */
static void print_gaps(AVBPrint *bp, const Segment *seg)
{
    for (int i = 0; seg->nb_ranges > 1 && i < seg->nb_ranges; i++) {
        int64_t first = seg->ranges[i].first - seg->first_slot;

        av_bprintf(bp, "%s%sbetween(n,%"PRId64",%"PRId64")%s", i ? "" : ",select='", join_terms(i), first,
                   first + seg->ranges[i].count - 1, i == seg->nb_ranges - 1 ? ")'" : "");
    }
}

/** Frames are counted into their slots; where the frame rate is open, the filters' times are moved to them. */
static void print_slots(AVBPrint *bp, const Plan *plan, const SegmentChain *c)
{
    int64_t n = 0;
    int nb = 0;

    if (!plan->rate_open)
        av_bprintf(bp, "settb=%d/%d,", plan->frame_rate.den, plan->frame_rate.num);
    av_bprintf(bp, "setpts='%s+%"PRId64, plan->rate_open ? "PTS" : "N", c->runs[0].slot + segment_wire_base(plan));
    for (int i = 1; i < c->nb_runs; i++) {
        const ChainRun *r = &c->runs[i], *last = r - 1;
        int64_t step = r->slot - last->slot - (plan->rate_open ? 0 : last->count);

        n += last->count;
        if (step)
            av_bprintf(bp, "%s%s%"PRId64"*gte(N,%"PRId64")", nb ? "" : "+", join_terms(nb), step, n);
        nb += !!step;
    }
    av_bprintf(bp, nb ? ")'" : "'");
}

static void print_rotation(AVBPrint *bp, const Plan *plan)
{
    if (plan->autorotate)
        av_bprintf(bp, "%s,", plan->autorotate);
    if (plan_converts_between(plan))
        av_bprintf(bp, "format=%s,", av_get_pix_fmt_name(plan_video(plan)->codecpar->format));
}

/** What comes before the user's filters, which see the true timestamps. */
static void print_entry(AVBPrint *bp, const Plan *plan, const SegmentChain *c, const char *counter)
{
    av_bprintf(bp, "settb=%d/%d,setpts=PTS-%"PRId64",trim=start_pts=%"PRId64":end_pts=%"PRId64
               ",%s", plan->in_time_base.num, plan->in_time_base.den, c->shift, c->from, c->to, counter);
    print_rotation(bp, plan);
}

/** Whether its filters have several inputs. */
static int is_graph(const Plan *plan)
{
    return plan->path && (plan->path->nb_sides || plan->path->nb_sources > 1);
}

/** A picture that stock repeats from time 0 on, from one before the first time that filters see. */
static void print_still(AVBPrint *bp, const Plan *plan, const SegmentChain *c, int side)
{
    const GraphSource *source = &plan->path->sides[side];
    AVRational tb = plan->inputs[source->file].fc->streams[source->index]->time_base;
    int64_t first = c->from <= 0 ? 0 : av_rescale_q_rnd(c->from, plan->in_time_base, tb, AV_ROUND_DOWN) - 1;

    av_bprintf(bp, "[%d:v]loop=-1:1:0,settb=%d/%d,setpts=N+%"PRId64"[still%d];", side + 1, tb.num, tb.den,
               FFMAX(first, 0), side + 1);
}

static void print_inputs(AVBPrint *bp, const Plan *plan, const SegmentChain *c)
{
    const GraphPath *g = plan->path;

    if (!is_graph(plan))
        return;
    for (int i = 1; i < g->nb_sources; i++) {
        av_bprintf(bp, "[0:v:0]");
        print_entry(bp, plan, c, "");
        av_bprintf(bp, "null[source%d];", i);
    }
    for (int i = 0; i < g->nb_sides; i++)
        if (g->looped[i])
            print_still(bp, plan, c, i);
    av_bprintf(bp, "[0:v:0]");
}

/** All that comes before the user's filters. */
static void print_front(AVBPrint *bp, const Plan *plan, const Segment *seg)
{
    if (plan->timing) {
        print_inputs(bp, plan, &seg->chain);
        print_entry(bp, plan, &seg->chain, HOSTCOMMAND_COUNTER",");
    } else {
        print_trim(bp, plan, seg->filter_from, seg->filter_to);
        print_rotation(bp, plan);
    }
}

/**
 * Behind the user's filters, only the frames that are shown go on, and are counted into their
 * slots. Nothing here may end before its input does, as the number of frames at the entrance tells
 * whether all could be decoded: HOSTCOMMAND_COUNTER reports it.
 */
static int print_chain(AVBPrint *bp, const Plan *plan, const SegmentChain *c)
{
    char *filters = NULL;

    if (plan->counts.used) {
        int ret = filtercount_shift(plan->filters, c->before, c->after, &filters);

        if (ret < 0)
            return ret;
    }

    av_bprintf(bp, "%s,select='", filters ? filters : plan->filters);
    av_free(filters);
    for (int i = 0; i < c->nb_runs; i++)
        av_bprintf(bp, "%sbetween(n,%"PRId64",%"PRId64")", join_terms(i), c->runs[i].index,
                   c->runs[i].index + c->runs[i].count - 1);
    av_bprintf(bp, ")',");
    print_slots(bp, plan, c);
    return 0;
}

static int print_rest(AVBPrint *bp, const Plan *plan, const Segment *seg)
{
    int64_t from = seg->first_slot * SEGMENT_WIRE_UNITS - SEGMENT_WIRE_UNITS / 2;

    if (plan->timing) {
        int ret = print_chain(bp, plan, &seg->chain);

        if (ret < 0 || plan->rate_open)
            return ret;   /* with setpts as the last filter it is open on the host, too */
        av_bprintf(bp, ",");
    } else {
        if (plan->filters)
            av_bprintf(bp, "%s,", plan->filters);
        if (plan->window)
            print_trim(bp, plan, from, from + seg->nb_slots * SEGMENT_WIRE_UNITS);
    }
    av_bprintf(bp, "fps=fps=%d/%d:round=near:eof_action=pass,", plan->frame_rate.num, plan->frame_rate.den);
    /* only then, as before FFmpeg 7 it does not take all pixel formats, and filters would choose another */
    if (seg->nb_repeats)
        av_bprintf(bp, "tpad=stop=-1:stop_mode=clone,");
    av_bprintf(bp, "trim=end_frame=%"PRId64, seg->nb_slots);
    print_gaps(bp, seg);
    return 0;
}

int hostcommand_print_filters(AVBPrint *bp, const Plan *plan, const Segment *seg, const char *end)
{
    /* libavfilter agrees on formats filter by filter, as they come in the text: first among the user's, as in stock, and null
     * is what cuts there */
    const int last = plan_converts_between(plan);
    int ret;

    if (last)
        av_bprintf(bp, "[turned]");
    else
        print_front(bp, plan, seg);
    ret = print_rest(bp, plan, seg);
    av_bprintf(bp, "%s", end);
    if (last) {
        av_bprintf(bp, is_graph(plan) ? ";" : ";[in]");
        print_front(bp, plan, seg);
        av_bprintf(bp, "null[turned]");
    }
    return ret;
}

/** An option of one of the streams. @param name without specifier */
static void add_stream_option(AVBPrint *bp, const Plan *plan, const char *name, const char *value)
{
    AVBPrint word;

    av_bprint_init(&word, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&word, "%s:v", name);
    if (plan->first->next)
        av_bprintf(&word, ":%d", plan->number);
    shellquote_argv(bp, (const char *const[]){ word.str, value, NULL });
    av_bprint_finalize(&word, NULL);
}

static void add_forced_keyframes(AVBPrint *bp, const Plan *plan, const Segment *seg)
{
    const double early = 0.25;  /* of a slot: times that are rounded up would be the next frame's in FFmpeg 7 */
    AVBPrint times;

    av_bprint_init(&times, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (int i = 0; i < seg->nb_forced; i++)
        av_bprintf(&times, "%s%.6f", i ? "," : "",
                   (seg->forced[i] + segment_wire_base(plan) - early) / av_q2d(plan->frame_rate));
    add_stream_option(bp, plan, "-force_key_frames", times.str);
    av_bprint_finalize(&times, NULL);
}

static void add_tag(AVBPrint *bp, const Plan *plan)
{
    unsigned tag = carrier_nut_tag(plan->streams[plan->fleet_stream].encoder->id);
    char text[16];

    if (!tag)
        return;
    snprintf(text, sizeof(text), "%u", tag);
    add_stream_option(bp, plan, "-tag", text);
}

static int add_filters(AVBPrint *bp, const Plan *plan, const Segment *seg)
{
    AVBPrint filters;
    int ret;

    av_bprint_init(&filters, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (is_graph(plan)) {
        ret = hostcommand_print_filters(&filters, plan, seg, "[out]");
        shellquote_argv(bp, (const char *const[]){ "-filter_complex", filters.str, "-map", "[out]",
                                                   NULL });
    } else {
        ret = hostcommand_print_filters(&filters, plan, seg, "");
        shellquote_argv(bp, (const char *const[]){ "-map", "0:v:0", NULL });
        add_stream_option(bp, plan, "-filter", filters.str);
    }
    av_bprint_finalize(&filters, NULL);
    return ret;
}

static void add_bitstream_filters(AVBPrint *bp, const Plan *plan)
{
    /* FFmpeg 7 does not let NUT go without: put the headers back where they belong */
    const char *headers = plan_repeats_headers(plan) ? "dump_extra=freq=keyframe" : "";
    AVBPrint list;

    av_bprint_init(&list, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&list, "%s%s%s", headers, *headers && plan->bsf ? "," : "", plan->bsf ? plan->bsf : "");
    if (list.len)
        add_stream_option(bp, plan, "-bsf", list.str);
    av_bprint_finalize(&list, NULL);
}

/** One of the encodes. */
static int add_encode(AVBPrint *bp, const Plan *plan, const Segment *seg)
{
    char threads[16];
    int ret = add_filters(bp, plan, seg);

    add_stream_option(bp, plan, "-c", plan->streams[plan->fleet_stream].encoder->name);
    /* as for NUT, which wants it, tee does not ask; before the user's, which may say otherwise */
    if (plan->oformat->flags & AVFMT_GLOBALHEADER)
        add_stream_option(bp, plan, "-flags", "+global_header");
    for (int i = 0; i < plan->nb_encoder_args; i += 2)
        add_stream_option(bp, plan, plan->encoder_args[i], plan->encoder_args[i + 1]);
    if (plan->source_keyframes)
        add_stream_option(bp, plan, "-force_key_frames", "source");
    if (seg->nb_forced)
        add_forced_keyframes(bp, plan, seg);
    if (plan->threads) {
        snprintf(threads, sizeof(threads), "%d", plan->threads);
        add_stream_option(bp, plan, "-threads", threads);
    }
    if (!plan->global_header)
        add_stream_option(bp, plan, "-flags", "-global_header");
    add_bitstream_filters(bp, plan);
    add_tag(bp, plan);
    return ret;
}

/**
 * Where the pixel format has to be converted, libavfilter does it as late as the order of its
 * filters lets it. Those that ffmpeg itself puts in front of the user's, for -ss, -t and rotation,
 * come last in that order and let it convert before the user's; without one it does so behind them.
 * So the host gets one for a limit that is never reached.
 */
static int converts_first(const Plan *plan)
{
    return plan_cuts_input(plan) || plan->autorotate;
}

/** The program, its options, and its inputs: the segment, and pictures that lie there. */
static void add_head(AVBPrint *bp, const Plan *plan, const char *ffmpeg)
{
    const char *head[40 + 2 * MAX_SIDES + DECODING_MAX_WORDS] = {
        ffmpeg, "-nostdin", "-hide_banner", "-v", "verbose", "-nostats", "-progress", "pipe:2",
        "-stats_period", "0.5", "-copyts",
    };
    int n = 11;
    static const char *const fields[] = { NULL, "progressive", "tt", "bb", "tb", "bt" };
    const AVCodecParameters *par = plan_video(plan)->codecpar;
    char tag[16];

    n = hostcommand_add_colors(head, n, par);
    snprintf(tag, sizeof(tag), "%"PRIu32, hostcommand_input_tag(plan));
    if (hostcommand_input_tag(plan))
        n = add_option(head, n, "-tag:v", tag);
    /* which field comes first: interlaced Motion JPEG, raw video, v210 and old FFV1 do not tell */
    if (par->field_order < FF_ARRAY_ELEMS(fields))
        n = add_option(head, n, "-field_order", fields[par->field_order]);
    if (decoder_races(par->codec_id))
        n = add_option(head, n, "-threads", "1");
    if (wire_hides_codec(par->codec_id))
        n = add_option(head, n, "-c:v", avcodec_get_name(par->codec_id));
    n += decoding_words(plan_video_input(plan), plan_video(plan), head + n);
    if (converts_first(plan))
        n = add_option(head, n, "-t", "1000000");
    head[n++] = "-f";
    head[n++] = "nut";
    head[n++] = "-i";
    head[n++] = "pipe:0";
    for (int i = 0; plan->path && i < plan->path->nb_sides; i++) {
        head[n++] = "-i";
        head[n++] = plan->files.files[i].name;
    }
    head[n] = NULL;
    shellquote_argv(bp, head);
}

char *hostcommand_encode(const Plan *plan, const Segment *seg, const char *ffmpeg, int lavc)
{
    AVBPrint bp;
    char *text = NULL;
    int ret = 0;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    shipment_print_head(&plan->files, &bp);
    add_head(&bp, plan, ffmpeg);
    for (const Plan *p = plan->first; p && ret >= 0; p = p->next)
        ret = add_encode(&bp, p, seg);
    if (plan->nb_scaler_args)
        shellquote_argv(&bp, (const char *const *)plan->scaler_args);
    /* a pipe is written to for each packet, unless it is told not to: nobody looks at them before the end */
    shellquote_argv(&bp, (const char *const[]){
        lavc >= FPS_MODE_LAVC ? "-fps_mode" : "-vsync", "passthrough", "-map_metadata", "-1",
        "-f", "tee", "[f=nut:flush_packets=0]pipe:1|[f=streamhash:hash="HOSTCOMMAND_HASH"]pipe:2", NULL });
    shipment_print_tail(&plan->files, &bp);
    av_bprint_finalize(&bp, ret < 0 ? NULL : &text);
    return text;
}
