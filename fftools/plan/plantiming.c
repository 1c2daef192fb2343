/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/eval.h>
#include <libavutil/parseutils.h>

#include "../command/namelist.h"
#include "../compat.h"
#include "../input/untimed.h"
#include "carrier.h"
#include "carrierpart.h"
#include "chapters.h"
#include "keyframes.h"
#include "plandecide.h"
#include "streammap.h"

#define MIN_SPLIT_DURATION (4 * AV_TIME_BASE)
#define MAX_TICKS 1000000 /* a second */

static const CmdOption *last_video_option(const Plan *p, const char *name)
{
    const CmdFile *f = plan_file(p);

    for (int i = f->nb_options - 1; i >= 0; i--)
        if (!strcmp(f->options[i].name, name) && f->options[i].def &&
            streammap_option_matches(p->streams, p->nb_streams, p->fleet_stream,
                                     &f->options[i]) > 0)
            return &f->options[i];
    return NULL;
}

static enum VsyncMethod parse_vsync(const char *s)
{
    static const char *const names[] = { "passthrough", "cfr", "vfr" };
    char *end;
    double number = av_strtod(s, &end);

    for (int i = 0; i < 3; i++)
        if (!av_strcasecmp(s, names[i]) || (end > s && !*end && number == i))
            return i;
    return !av_strcasecmp(s, "drop") ? VSYNC_DROP : VSYNC_AUTO;
}

static int is_set(const Plan *p, const char *name)
{
    const CmdOption *o = cmdline_last(p->cmd->globals, p->cmd->nb_globals, name);

    return o && !o->negated;
}

/** new_video_stream() in ffmpeg_opt.c (5.1), new_stream_video() in ffmpeg_mux_init.c (7.1). */
static enum VsyncMethod auto_vsync(const Plan *p, int have_rate)
{
    const PlanInput *in = plan_video_input(p);
    enum VsyncMethod v;

    if (COMPAT_TIMING_7 && have_rate)
        v = VSYNC_CFR;
    else if (!strcmp(p->oformat->name, "avi"))
        v = VSYNC_VFR;
    else if (p->oformat->flags & AVFMT_VARIABLE_FPS)
        v = p->oformat->flags & AVFMT_NOTIMESTAMPS ? VSYNC_PASSTHROUGH : VSYNC_VFR;
    else
        v = VSYNC_CFR;
    if (v == VSYNC_CFR && !p->streams[p->fleet_stream].complex && in->fc->nb_streams == 1 && !in->limits.ts_offset)
        v = VSYNC_VSCFR;
    return v == VSYNC_CFR && p->copyts ? VSYNC_VSCFR : v;
}

int decide_copyts(Plan *p)
{
    p->copyts = is_set(p, "copyts");
    if (p->copyts && p->in_rate.num)
        return plan_stock(p, "-copyts is not split together with -r of the input");
    return 0;
}

/** So late that a trial at a constant rate would encode for long what stands in for the time before it. */
static int begins_late(const Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    int64_t start = in->limits.ts_offset;

    if (in->limits.start != AV_NOPTS_VALUE)
        start += in->limits.start;
    if (in->fc->start_time != AV_NOPTS_VALUE && !is_set(p, "start_at_zero"))
        start += in->fc->start_time;
    return start > 10 * AV_TIME_BASE;
}

int decide_late(Plan *p)
{
    int copies = 0;

    for (int i = 0; i < p->nb_streams; i++)
        copies |= p->streams[i].copy && p->streams[i].type == AVMEDIA_TYPE_AUDIO;
    if (!COMPAT_TIMING_7 && p->copyts && copies && p->vsync == VSYNC_VSCFR && p->trial_format != p->oformat && begins_late(p))
        return plan_stock(p, "-copyts lets the output begin late, which is not split in %s beside copied sound yet",
                          p->oformat->name);
    return 0;
}

/** -itsscale of a stream; 0: it cannot be read, or it is odd. */
static double find_scale(const Plan *p, const PlanStream *s)
{
    const PlanInput *in = &p->inputs[s->file];
    const CmdFile *f = in->file;
    double scale = 1;

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];
        char *end;

        if (!o->def || strcmp(o->name, "itsscale") ||
            (o->spec && avformat_match_stream_specifier(in->fc, in->fc->streams[s->index], o->spec) <= 0))
            continue;
        scale = strtod(o->value, &end);
        if (*end || !(scale > 0) || scale > 1000)
            return 0;
    }
    return scale;
}

int decide_scale(Plan *p)
{
    const PlanInput *in = plan_video_input(p);

    p->ts_scale = find_scale(p, &p->streams[p->fleet_stream]);
    if (!p->ts_scale || (p->ts_scale != 1 &&
                         (p->copyts || in->loop || untimed_is_needed(in->fc, plan_video(p)) ||
                          in->fc->iformat->flags & (AVFMT_TS_DISCONT | AVFMT_NOTIMESTAMPS))))
        return plan_stock(p, "-itsscale is not split of such an input");
    /* overlapping frames have no duration that a file would hold */
    for (int i = 0; i < p->nb_streams; i++)
        if (!p->streams[i].fleet && find_scale(p, &p->streams[i]) != 1)
            return plan_stock(p, "-itsscale of other streams than the video is not split yet");
    return 0;
}

int decide_vsync(Plan *p)
{
    const CmdOption *mode = last_video_option(p, "fps_mode");
    const CmdOption *vsync = cmdline_last(p->cmd->globals, p->cmd->nb_globals, "vsync");

    p->out_rate_given = !!last_video_option(p, "r");
    p->vsync = VSYNC_AUTO;
    if (vsync)
        p->vsync = parse_vsync(vsync->value);
    if (mode)
        p->vsync = parse_vsync(mode->value);
    if (p->vsync == VSYNC_AUTO)
        p->vsync = auto_vsync(p, p->out_rate_given);
    if (p->vsync == VSYNC_DROP)
        return plan_stock(p, "-vsync drop leaves the timestamps to the muxer");
    return 0;
}

/**
 * Behind setpts, FFmpeg 7 knows no frame rate, and does without where frames may come at any time: the encoder's
 * clock is that of the filters, and a slot a tick of it. choose_out_timebase() in ffmpeg_filter.c (7.1).
 */
static int decide_open_rate(Plan *p)
{
    p->rate_open  = 1;
    p->frame_rate = av_inv_q(p->filter_time_base);
    if (p->out_limits.start != AV_NOPTS_VALUE)
        return plan_stock(p, "the filters leave the frame rate open, which is not split with -ss of the output");
    if (av_q2d(p->frame_rate) > MAX_TICKS)
        return plan_stock(p, "the filters leave the frame rate open, and their clock is very fine");
    return 0;
}

/** What -enc_time_base makes of a stream's clock; {0, 1}: nothing. @return 0 or an AVERROR code */
static int find_encoder_clock(const Plan *p, int stream, AVRational *tb)
{
    const CmdFile *f = plan_file(p);
    const PlanStream *s = &p->streams[stream];
    const char *value = "0";
    int ret;

    for (int i = 0; i < f->nb_options; i++)
        if (f->options[i].def && !strcmp(f->options[i].name, "enc_time_base") &&
            streammap_option_matches(p->streams, p->nb_streams, stream, &f->options[i]) > 0)
            value = f->options[i].value;
    if (COMPAT_TIMING_7 && !strcmp(value, "demux"))
        value = "-1";
    if (COMPAT_TIMING_7 && !strcmp(value, "filter"))
        value = "-2";
    ret = av_parse_ratio(tb, value, INT_MAX, 0, NULL);
    if (ret < 0 || tb->den <= 0)
        return AVERROR(EINVAL);
    /* of a graph 5.1 knows no input, and so none */
    if (tb->num < 0 && !COMPAT_TIMING_7 && s->complex)
        *tb = (AVRational) { 0, 1 };
    else if (tb->num < 0)
        *tb = !s->fleet ? p->inputs[s->file].fc->streams[s->index]->time_base :
              COMPAT_TIMING_7 && tb->num < -1 ? p->filter_time_base : p->in_time_base;
    return 0;
}

/** Taken as long as it names the clocks that encoders have anyway: carriers round others. */
static int decide_encoder_clocks(Plan *p)
{
    for (int i = 0; i < p->nb_streams; i++) {
        const PlanStream *s = &p->streams[i];
        int rate = p->inputs[s->file].fc->streams[s->index]->codecpar->sample_rate;
        AVRational tb;

        if (s->copy || (!s->fleet && s->type != AVMEDIA_TYPE_AUDIO))
            continue;
        if (find_encoder_clock(p, i, &tb) < 0)
            return plan_stock(p, "-enc_time_base is not as it should be");
        if (tb.num && (s->fleet ? p->in_rate.num || av_cmp_q(tb, av_inv_q(p->frame_rate)) :
                                  av_cmp_q(tb, (AVRational) { 1, FFMAX(rate, 1) })))
            return plan_stock(p, "-enc_time_base sets another clock than that of the frames or samples");
    }
    return 0;
}

int decide_frame_rate(Plan *p)
{
    const CmdOption *rate = last_video_option(p, "r");
    const AVCodec *enc = p->streams[p->fleet_stream].encoder;

    if (enc->id == AV_CODEC_ID_NONE)
        return plan_stock(p, "no encoder");
    p->frame_rate = p->filter_frame_rate;
    if (rate && av_parse_video_rate(&p->frame_rate, rate->value) < 0)
        return plan_stock(p, "the frame rate %s is invalid", rate->value);
    /* choose_out_timebase() in ffmpeg_filter.c (7.1) */
    if (p->timing && (p->frame_rate.num <= 0 || p->frame_rate.den <= 0) &&
        (p->vsync == VSYNC_CFR || p->vsync == VSYNC_VSCFR))
        p->frame_rate = (AVRational) { 25, 1 };
    if (COMPAT_TIMING_7 && p->timing && (p->frame_rate.num <= 0 || p->frame_rate.den <= 0))
        return decide_open_rate(p) || decide_encoder_clocks(p);
    if (p->frame_rate.num <= 0 || p->frame_rate.den <= 0)
        return plan_stock(p, p->timing ? "the filters leave the frame rate open" : "the input's frame rate is unknown");
    if (av_q2d(p->frame_rate) > 1000 || p->frame_rate.num > INT32_MAX / 1024)
        return plan_stock(p, "the frame rate is very high");
    if (streammap_rate_unsupported(enc, p->frame_rate))
        return plan_stock(p, "the encoder %s does not take %d/%d frames per second", enc->name,
                     p->frame_rate.num, p->frame_rate.den);
    if (enc->id == AV_CODEC_ID_MPEG4)
        av_reduce(&p->frame_rate.num, &p->frame_rate.den, p->frame_rate.num, p->frame_rate.den,
                  65535);
    return decide_encoder_clocks(p);
}

int decide_keyframes(Plan *p)
{
    const CmdOption *o = last_video_option(p, "force_key_frames");
    ForcedKeyframes *k = NULL;
    char *spec = NULL;
    int ret;

    if (!o)
        return 0;
    p->source_keyframes = !strcmp(o->value, "source");
    if (p->source_keyframes)
        return p->timing && strstr(p->timing, "tpad") ?
               plan_stock(p, "-force_key_frames source is not split together with tpad") : 0;
    ret = strstr(o->value, "chapters") && !av_strstart(o->value, "expr:", NULL) ?
          chapters_resolve(p, o->value, &spec) : (spec = av_strdup(o->value)) ? 0 : AVERROR(ENOMEM);
    if (ret >= 0)
        ret = forced_keyframes_alloc(&k, spec, p->frame_rate);
    forced_keyframes_free(&k);
    if (ret >= 0 && *spec)
        p->force_keyframes = spec;
    else
        av_free(spec);
    if (ret < 0)
        return plan_stock(p, ret == AVERROR_PATCHWELCOME ? "-force_key_frames %s is not split yet" :
                        "-force_key_frames %s cannot be read", o->value);
    return 0;
}

int decide_frame_limit(Plan *p)
{
    const CmdOption *o = last_video_option(p, "frames");
    char *end;

    p->max_frames = INT64_MAX;
    if (!o)
        return 0;
    p->max_frames = strtoll(o->value, &end, 10);
    if (*end || p->max_frames <= 0)
        return plan_stock(p, "-frames %s is not a number of frames", o->value);
    return 0;
}

/**
 * Whether an encoder gives back its packets after a number of frames that its options and threads fix, whatever is
 * on them. Of those that encode several frames at once only the libraries do, and SVT-AV1 does not.
 */
static int has_fixed_delay(const AVCodec *enc)
{
    static const char *const names[] = {
        "libx264", "libx264rgb", "libx265", "libvpx-vp9", "libaom-av1", NULL
    };

    return namelist_has(names, enc->name) ||
           !(enc->capabilities & (AV_CODEC_CAP_FRAME_THREADS | AV_CODEC_CAP_OTHER_THREADS));
}

/** Whether -frames counts the packets of other streams than the video. */
static int limits_others(const Plan *p)
{
    const CmdFile *f = plan_file(p);

    for (int i = 0; i < f->nb_options; i++)
        for (int k = 0; k < p->nb_streams && !strcmp(f->options[i].name, "frames"); k++)
            if (!p->streams[k].fleet &&
                streammap_option_matches(p->streams, p->nb_streams, k, &f->options[i]) > 0)
                return 1;
    return 0;
}

/** How long the streams are to go on, as far as headers tell, in seconds; 0: they do not. */
static double find_sure_end(const Plan *p)
{
    const CmdFile *f = plan_file(p);
    double end = INFINITY;

    for (int i = 0; i < p->nb_streams; i++) {
        const PlanInput *in = &p->inputs[p->streams[i].file];
        const AVStream *st  = in->fc->streams[p->streams[i].index];
        int64_t length = st->duration == AV_NOPTS_VALUE ? in->fc->duration :
                         av_rescale_q(st->duration, st->time_base, AV_TIME_BASE_Q);

        if (in->endless && in->limits.duration == INT64_MAX)
            continue;
        if (length == AV_NOPTS_VALUE || cmdline_last(in->file->options, in->file->nb_options, "itsscale"))
            return 0;
        length += FFMIN(in->limits.ts_offset, 0);
        if (in->limits.start != AV_NOPTS_VALUE)
            length -= in->limits.start;
        end = FFMIN(end, FFMIN(length, in->limits.duration) / (double)AV_TIME_BASE);
    }
    /* filters can make them shorter */
    if (cmdline_last(p->cmd->globals, p->cmd->nb_globals, "filter_complex") || p->timing ||
        cmdline_last(f->options, f->nb_options, "filter") ||
        cmdline_last(f->options, f->nb_options, "ss") || limits_others(p))
        return 0;
    return FFMAX(end, 0);
}

/**
 * -shortest and -frames end the streams of an output by each other. In 5.1 how far each is then
 * depends on the order of work in transcode_step(), which follows the packets that come out of encoders. Only
 * stock itself knows: the remainder then encodes all of the video as well, in a narrow picture. The same goes for
 * filters that take sound from several files: what they make follows the order in which these are read.
 */
int decide_ends(Plan *p)
{
    const CmdFile *f  = plan_file(p);
    const CmdOption *o = cmdline_last(f->options, f->nb_options, "shortest");
    const CmdOption *frames = cmdline_last(f->options, f->nb_options, "frames");
    const char *name = o && !o->negated ? "-shortest" : frames ? "-frames" :
                       p->complex.ends ? "a filter graph that puts sound and video together" :
                       p->complex.mixes ? "a filter graph that mixes the sound of several files" : NULL;

    if (!name || (p->nb_streams < 2 && (p->cmd->nb_outputs == 1 || !p->complex.mixes)))
        return 0;
    p->tied_ends = 1;
    p->sure_end  = (o && !o->negated) || limits_others(p) ? find_sure_end(p) : INFINITY;
    /* nothing could be encoded before the pipe ends */
    if (plan_pipe(p) && !(p->sure_end > 0))
        return plan_stock(p, "%s is not split where a pipe does not tell how long it is", name);
    if (carrierpart_count(p, CARRIER_TEXT))
        return plan_stock(p, "%s is not split yet beside the subtitles of %s", name, p->oformat->name);
    if (!COMPAT_TIMING_7 && !carrier_keeps_clocks(p))
        return plan_stock(p, "%s is not split yet in %s", name, p->oformat->name);
    if (!COMPAT_TIMING_7 && !has_fixed_delay(p->streams[p->fleet_stream].encoder))
        return plan_stock(p, "with the encoder %s it cannot be foreseen where %s ends the streams",
                          p->streams[p->fleet_stream].encoder->name, name);
    return 0;
}

/** @return 1: it is read slowly, 0: it is not, -1: a value is not a number that ffmpeg takes */
static int is_paced(const CmdFile *f)
{
    static const char *const names[] = {
        "readrate", "readrate_initial_burst", "readrate_catchup"
    };
    const CmdOption *re = cmdline_last(f->options, f->nb_options, "re");
    int paced = re && !re->negated;

    for (size_t i = 0; i < FF_ARRAY_ELEMS(names); i++) {
        const CmdOption *o = cmdline_last(f->options, f->nb_options, names[i]);
        char *end;

        if (o && (av_strtod(o->value, &end) < 0 || *end || end == o->value))
            return -1;
        /* with both it warns */
        if (o && paced)
            return -1;
        paced |= !!o;
    }
    return paced;
}

/** What ends in a file is the same, however slowly it came. */
int decide_pace(Plan *p)
{
    int paced = 0;

    for (int i = 0; i < p->cmd->nb_inputs; i++) {
        int ret = is_paced(&p->cmd->inputs[i]);

        if (ret < 0)
            return plan_stock(p, "the options for how fast an input is read are not as they should be");
        paced |= ret;
    }
    if (paced && (p->pipe || p->oformat->flags & AVFMT_NOFILE))
        return plan_stock(p, "-re paces what may be watched while it is written");
    if (paced && p->tied_ends)
        return plan_stock(p, "how fast inputs are read may change where their streams end");
    return 0;
}

/** When the first of an output's streams that come from the same input as p's video starts. */
static int64_t first_start(const Plan *p, const PlanStream *streams, int nb_streams)
{
    const AVFormatContext *ic = plan_video_input(p)->fc;
    int64_t start = INT64_MAX;

    for (int i = 0; i < nb_streams; i++) {
        const AVStream *st;

        if (streams[i].file != p->streams[p->fleet_stream].file)
            continue;
        st = ic->streams[streams[i].index];
        if (st->start_time != AV_NOPTS_VALUE)
            start = FFMIN(start, av_rescale_q(st->start_time, st->time_base, AV_TIME_BASE_Q));
    }
    return start;
}

/** Likewise of all streams in use. */
static int64_t used_start(const Plan *p)
{
    int64_t start = INT64_MAX;

    for (const Plan *q = p; q; q = q->next)
        start = FFMIN(start, first_start(p, q->streams, q->nb_streams));
    for (int i = 0; i < p->nb_sides; i++)
        start = FFMIN(start, first_start(p, p->sides[i].streams, p->sides[i].nb_streams));
    return start;
}

/**
 * correct_input_start_times() in ffmpeg_opt.c (7.1), where -ss is not added to the file's start: a
 * slip there of what binds first in an expression.
 */
static void correct_start(Plan *p, int zero)
{
    const PlanInput *in = plan_video_input(p);
    int64_t file = in->fc->start_time, seek = in->limits.start, start = used_start(p);

    if (start == INT64_MAX || start == file)
        return;
    if (!(file + (seek != AV_NOPTS_VALUE)))
        seek = 0;
    if (p->copyts)
        p->ts_offset = zero ? -start : 0;
    else
        p->ts_offset = -FFMAX(seek, start);
    p->ts_offset += in->limits.ts_offset;
}

/** What ffmpeg adds to all timestamps: open_input_file() and process_input() in ffmpeg.c (5.1). */
static void find_ts_offset(Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    const AVFormatContext *ic = in->fc;
    int64_t start;
    int zero = is_set(p, "start_at_zero");

    p->ts_offset  = in->limits.ts_offset;
    p->trim_start = in->trim ? 0 : AV_NOPTS_VALUE;
    if (p->copyts && in->trim)
        p->trim_start = in->limits.start + (zero || ic->start_time == AV_NOPTS_VALUE ?
                                            0 : ic->start_time);
    if (in->limits.start != AV_NOPTS_VALUE && !p->copyts)
        p->ts_offset -= in->limits.start;
    if (ic->start_time == AV_NOPTS_VALUE)
        return;
    if (!p->copyts || zero)
        p->ts_offset -= ic->start_time;
    if (!(ic->iformat->flags & AVFMT_TS_DISCONT))
        return;
    if (COMPAT_TIMING_7) {
        correct_start(p, zero);
        return;
    }
    if (p->ts_offset != -ic->start_time || (p->copyts && !zero))
        return;
    start = used_start(p);
    if (start != INT64_MAX && start > ic->start_time)
        p->ts_offset = -start;
}

int decide_length(Plan *p)
{
    const PlanInput *in = plan_video_input(p);
    int64_t duration = in->fc->duration == AV_NOPTS_VALUE ? INT64_MAX : in->fc->duration;

    find_ts_offset(p);
    if (duration != INT64_MAX && in->loop)
        duration = in->loop < 0 ? INT64_MAX : FFMIN(duration, INT64_MAX / (in->loop + 1LL)) * (in->loop + 1LL);
    p->segment_length = p->cmd->own.segment_length;
    if (duration != INT64_MAX && in->limits.start != AV_NOPTS_VALUE)
        duration -= in->limits.start;
    duration = FFMIN3(duration, in->limits.duration, p->out_limits.duration);
    if (p->max_frames != INT64_MAX)
        duration = FFMIN(duration, p->max_frames * AV_TIME_BASE / av_q2d(plan_usual_rate(p)));
    p->duration = duration == INT64_MAX ? 0 : FFMAX(duration, 0) / (double)AV_TIME_BASE;
    if (duration < MIN_SPLIT_DURATION && !p->segment_length)
        return plan_stock(p, "the input is too short to be worth splitting");
    return 0;
}
