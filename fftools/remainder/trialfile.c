/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>

#include "../command/namelist.h"
#include "../compat.h"
#include "../plan/carrier.h"
#include "../plan/carrierpart.h"
#include "../reason.h"
#include "trialfile.h"

static int compares_params(enum AVCodecID id)
{
    return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC;
}

/* Frames; usual settings of encoders that reorder them. */
#define MAX_HELD_BACK 4
/* That the trial may decode before its first frame: two minutes of 1920x1080, which take some ten seconds. */
#define MAX_PIXELS (120 * 25 * 1920.0 * 1080)

/** Some formats keep decoding timestamps; of others the demuxer makes them up. */
static int keeps_dts(const AVFormatContext *fc)
{
    return av_strstart(fc->iformat->name, "mov", NULL) || !strcmp(fc->iformat->name, "mpegts") ||
           !strcmp(fc->iformat->name, "flv");
}

/** These tell how many frames they hold back, and date the first packet that much before its pts. */
static int tells_delay(const AVCodec *encoder)
{
    static const char *const names[] = {
        "libx264", "libx264rgb", "libx265", "mpeg4", "mpeg2video", "mpeg1video", NULL
    };

    return namelist_has(names, encoder->name);
}

/** The plan's stream that an audio stream of the file is, or -1; streams without packets are not in mp4 files. */
static int audio_of_plan(const AVFormatContext *file, const Plan *plan, int index)
{
    int nth = 0, nb_file = 0, nb_plan = 0, found = -1;

    for (unsigned i = 0; i < file->nb_streams; i++)
        if (file->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
            nth += (int)i < index;
            nb_file++;
        }
    for (int i = 0; i < plan->nb_streams; i++)
        if (plan->streams[i].type == AVMEDIA_TYPE_AUDIO && nb_plan++ == nth)
            found = i;
    return nb_file == nb_plan ? found : -1;
}

/** Whether packets last a multiple of that time base: no rounding can be seen, or does harm. */
static int is_exact(AVRational tb, const AVCodecParameters *par)
{
    return par->frame_size > 0 && par->sample_rate > 0 &&
           !((int64_t)par->frame_size * tb.den % ((int64_t)par->sample_rate * tb.num));
}

/**
 * FFmpeg 5.1 rounds the timestamps of a copied stream to the input's time base when packets of it
 * come before all encoders have started (of_check_init() in ffmpeg_mux.c), and else counts samples.
 * Only a try tells which.
 */
static void note_copied(Trial *t, const Plan *plan, const AVPacket *pkt)
{
    const AVStream *st = t->file->streams[pkt->stream_index];
    int index = st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO ? -1 :
                audio_of_plan(t->file, plan, pkt->stream_index);
    const PlanStream *s = &plan->streams[FFMAX(index, 0)];
    TrialStream *ts     = &t->streams[FFMAX(index, 0)];
    AVRational in_tb;
    int64_t step, rounded;

    if (index < 0 || !s->copy || pkt->dts == AV_NOPTS_VALUE)
        return;
    in_tb = plan->inputs[s->file].fc->streams[s->index]->time_base;
    if (ts->nb_packets++ && av_cmp_q(in_tb, st->time_base) > 0 &&
        !is_exact(in_tb, plan->inputs[s->file].fc->streams[s->index]->codecpar)) {
        step    = pkt->dts - ts->last_dts;
        rounded = av_rescale_q(av_rescale_q(step, st->time_base, in_tb), in_tb, st->time_base);
        ts->coarse = FFABS(rounded - step) <= 1 && (ts->coarse || ts->nb_packets == 2);
    }
    ts->last_dts = pkt->dts;
}

/** In MPEG-TS the rounding that note_copied() looks for cannot be seen: its demuxer makes up most timestamps. */
static int hides_rounding(const Trial *t, const Plan *plan)
{
    if (COMPAT_TIMING_7 || plan->trial_format != plan->oformat ||
        strcmp(t->file->iformat->name, "mpegts"))
        return 0;
    for (int i = 0; i < plan->nb_streams; i++) {
        const PlanStream *s = &plan->streams[i];
        const AVStream *st  = plan->inputs[s->file].fc->streams[s->index];
        AVRational tb = { 1, FFMAX(st->codecpar->sample_rate, 1) };

        if (s->copy && s->type == AVMEDIA_TYPE_AUDIO &&
            av_cmp_q(st->time_base, tb) > 0 && av_cmp_q(st->time_base, (AVRational) { 1, 90000 }) > 0)
            return 1;
    }
    return 0;
}

int trialfile_sees_start(const Plan *plan)
{
    const AVCodecParameters *par = plan_video(plan)->codecpar;
    double seconds = plan->out_limits.start / (double)AV_TIME_BASE;

    if (COMPAT_TIMING_7 || plan->out_limits.start == AV_NOPTS_VALUE || plan->cmd->nb_outputs > 1)
        return 0;
    for (int i = 0; i < plan->nb_streams; i++)
        if (plan->streams[i].copy && plan->streams[i].type == AVMEDIA_TYPE_AUDIO)
            return seconds * av_q2d(plan_usual_rate(plan)) * par->width * par->height < MAX_PIXELS;
    return 0;
}

/** Whether a time falls on a tick. */
static int is_tick(int64_t us, AVRational tb)
{
    return av_rescale_q(av_rescale_q(us, AV_TIME_BASE_Q, tb), tb, AV_TIME_BASE_Q) == us;
}

/**
 * Where the output begins later than the input, it is other packets that come before the encoders,
 * as the order in the file and the decoder's delay have it. With the times, stock rounds the start,
 * which the remainder's does not.
 */
static int rounds_later(const Trial *t, const Plan *plan)
{
    int64_t start = plan->out_limits.start;

    if (COMPAT_TIMING_7 || start == AV_NOPTS_VALUE)
        return 0;
    for (unsigned i = 0; i < t->file->nb_streams; i++) {
        const AVStream *st    = t->file->streams[i];
        int index             = st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO ? audio_of_plan(t->file, plan, i) : -1;
        const PlanStream *s   = &plan->streams[FFMAX(index, 0)];
        const TrialStream *ts = &t->streams[FFMAX(index, 0)];
        const AVStream *in    = plan->inputs[s->file].fc->streams[s->index];

        if (index < 0 || !s->copy || av_cmp_q(in->time_base, st->time_base) <= 0)
            continue;
        if (!trialfile_sees_start(plan) || ts->nb_packets == 1 ||
            ((ts->coarse || is_exact(in->time_base, in->codecpar)) &&
             (!is_tick(start, in->time_base) || !is_tick(start, st->time_base))))
            return 1;
    }
    return 0;
}

/** What would be lost on the way: NUT carries no side data. */
static int has_vital_side_data(const AVPacket *pkt)
{
    for (int i = 0; i < pkt->side_data_elems; i++)
        if (pkt->side_data[i].type == AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL)
            return 1;
    return 0;
}

/** Read the short output through. mp4, for one, keeps decoding timestamps; Matroska's demuxer makes them up. */
static int read_packets(Trial *t, const Plan *plan, char *reason, size_t reason_size)
{
    AVPacket *pkt = av_packet_alloc();
    int64_t dts = AV_NOPTS_VALUE, pts = INT64_MAX;
    int even = plan->vsync == VSYNC_CFR || plan->vsync == VSYNC_VSCFR;
    int nb = 0, ret = pkt ? 0 : AVERROR(ENOMEM);

    while (ret >= 0 && (ret = av_read_frame(t->file, pkt)) >= 0) {
        if (pkt->stream_index == t->video->index) {
            if (dts == AV_NOPTS_VALUE)
                dts = pkt->dts;
            pts = FFMIN(pts, pkt->pts);
            nb++;
            if (has_vital_side_data(pkt))
                ret = reason_set(reason, reason_size, "the encoded video has parts that cannot travel");
        } else {
            note_copied(t, plan, pkt);
        }
        av_packet_unref(pkt);
    }
    t->reorder_slots = t->reorder_delay = -1;
    /* fewer frames than the encoder holds back, as there are where they come seldom, have other DTS than more */
    if ((even || nb > MAX_HELD_BACK) && !plan->rate_open && keeps_dts(t->file) &&
        dts != AV_NOPTS_VALUE && pts != INT64_MAX && pts >= dts)
        t->reorder_slots = av_rescale_q(pts - dts, t->video->time_base,
                                        av_inv_q(plan->frame_rate));
    else if (tells_delay(plan->streams[plan->fleet_stream].encoder))
        t->reorder_delay = t->video->codecpar->video_delay;
    av_packet_free(&pkt);
    return ret == AVERROR(ENOMEM) || ret == AVERROR_PATCHWELCOME ? ret : 0;
}

/** Where the output has several of the fleet's: by its place among all video streams. */
static AVStream *nth_video(const AVFormatContext *file, const Plan *plan)
{
    AVStream *found = NULL;
    int nth = 0, nb_plan = 0, nb_file = 0;

    for (int i = 0; i < plan->nb_streams; i++) {
        const PlanStream *s = &plan->streams[i];
        const AVStream *in  = plan->inputs[s->file].fc->streams[s->index];

        if (s->type != AVMEDIA_TYPE_VIDEO || in->disposition & AV_DISPOSITION_ATTACHED_PIC)
            continue;
        nth += i < plan->fleet_stream;
        nb_plan++;
    }
    for (unsigned i = 0; i < file->nb_streams; i++) {
        AVStream *st = file->streams[i];

        if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO ||
            st->disposition & AV_DISPOSITION_ATTACHED_PIC)
            continue;
        if (nb_file++ == nth)
            found = st;
    }
    return nb_file == nb_plan ? found : NULL;
}

/**
 * mp4 leaves out streams without packets, as those are that begin later; FLV's are in the order of
 * their packets.
 */
static AVStream *find_video(const AVFormatContext *file, const Plan *plan)
{
    enum AVCodecID id = plan->streams[plan->fleet_stream].encoder->id;
    int flv  = !strcmp(plan->trial_format->name, "flv");
    int last = flv ? (int)file->nb_streams - 1 :
                     FFMIN(carrierpart_place(plan, plan->fleet_stream), (int)file->nb_streams - 1);

    if (plan->nb_fleet > 1)
        return nth_video(file, plan);
    for (int i = last; i >= 0; i--) {
        AVStream *st = file->streams[i];

        if (st->codecpar->codec_id == id && !(st->disposition & AV_DISPOSITION_ATTACHED_PIC))
            return st;
    }
    return NULL;
}

/**
 * FFmpeg 7 ends streams by -shortest before the encoders, but where some are not encoded, as packets: the last of
 * them in decoding order are then missing (setup_sync_queues() in ffmpeg_mux_init.c).
 */
static int cuts_packets(const Plan *plan)
{
    const CmdFile *f = plan_file(plan);
    const CmdOption *o = cmdline_last(f->options, f->nb_options, "shortest");

    for (int i = 0; i < plan->nb_streams && COMPAT_TIMING_7 && o && !o->negated; i++)
        if (plan->streams[i].copy || plan->streams[i].type == AVMEDIA_TYPE_SUBTITLE)
            return 1;
    return 0;
}

int trialfile_open(Trial *t, const Plan *plan, char *reason, size_t reason_size)
{
    int ret = avformat_open_input(&t->file, t->file_name, carrier_demuxer(plan->trial_format), NULL);

    if (ret >= 0)
        ret = avformat_find_stream_info(t->file, NULL);
    if (ret >= 0)
        t->video = find_video(t->file, plan);
    if (ret < 0 || !t->video)
        return reason_set(reason, reason_size, "stock ffmpeg's first frames cannot be read back");
    if (compares_params(t->video->codecpar->codec_id)) {
        ret = paramsets_parse(&t->params, t->video->codecpar);
        if (ret < 0)
            return ret;
    }
    /* of which the remainder's stand-in is to have the height */
    if (plan->tied_ends && t->video->codecpar->height <= 0)
        return reason_set(reason, reason_size, "stock ffmpeg's first frames cannot be read back");
    if (hides_rounding(t, plan))
        return reason_set(reason, reason_size, "the timestamps of copied audio in MPEG-TS cannot be foreseen");
    ret = read_packets(t, plan, reason, reason_size);
    if (ret >= 0 && rounds_later(t, plan))
        ret = reason_set(reason, reason_size,
                         "the timestamps of copied audio cannot be foreseen where -ss lets the output begin later");
    if (ret >= 0 && cuts_packets(plan) && t->reorder_slots && t->reorder_delay)
        ret = reason_set(reason, reason_size, "-shortest may end the video among frames that are reordered");
    return ret;
}
