/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/mathematics.h>

#include "../compat.h"
#include "../input/decoding.h"
#include "../input/untimed.h"
#include "../plan/loopend.h"
#include "../reason.h"
#include "delayed.h"
#include "discont.h"
#include "earlier.h"
#include "fieldpairs.h"
#include "gradual.h"
#include "leadin.h"
#include "signature.h"
#include "videoreader.h"

/* Until a keyframe is found and all that is shown before it. */
#define MAX_LEAD_PACKETS 3000
#define MAX_LEAD_BYTES   (64 << 20)
#define ERROR_THRESHOLD  (3600 * 30 * INT64_C(1000000))  /* stock's -dts_error_threshold */
#define DAMAGED "the input is damaged"

struct VideoReader {
    const PlanInput *input;
    AVFormatContext *fc;
    AVStream  *st;
    double     ts_scale;     ///< -itsscale
    int64_t    base_offset;  ///< ffmpeg's, in the stream's time base
    int64_t    offset;       ///< with that of the loop
    int64_t    next_dts;     ///< expected, in AV_TIME_BASE units
    Discont   *discont;    ///< NULL: stock does not follow the clock's jumps
    int64_t    shift;      ///< for its jumps, up to the packet before
    int64_t    last_dts;   ///< of the packet before
    int        begun;      ///< a keyframe was read
    int64_t    max_pts;    ///< of all packets so far
    int64_t    floor;      ///< no packet may be shown before that any more
    int64_t    max_raw, raw_floor; ///< likewise, by timestamps as they are in the file
    int        strict;     ///< errors of the decoder have consequences in stock, or it is set up in another way
    int64_t    visible;    ///< pts of the first frame that filters may see
    int64_t    fragile_end;  ///< AV_NOPTS_VALUE: nothing is fragile
    int        nb_gradual; ///< places that only look like keyframes, since the last one
    Earlier    earlier;
    Signature  signature;
    FieldPairs *fields;    ///< or NULL
    Delayed   *delayed;    ///< or NULL
    Untimed   *untimed;    ///< or NULL
    AVPacket **lead;       ///< the first packets, looked at before any is given out; later others that have to be
    int        nb_lead;
    int        next;       ///< of them
    AVPacket **gop;        ///< what was given out, from the last keyframe on; empty: too much
    int        nb_gop;
    int64_t    gop_bytes;
    int        started;
    int        loops;      ///< that are left; -1: without end
    LoopEnd   *loop;       ///< NULL: it is read once
};

int videoreader_open(VideoReader **out, const Plan *plan)
{
    VideoReader *r = *out = av_mallocz(sizeof(*r));
    int ret = 0;

    if (!r)
        return AVERROR(ENOMEM);
    r->input    = plan_video_input(plan);
    r->fc       = plan_video_input(plan)->fc;
    r->st       = plan_video(plan);
    r->next_dts = r->fragile_end = AV_NOPTS_VALUE;
    r->last_dts = AV_NOPTS_VALUE;
    r->max_pts  = r->floor = r->max_raw = r->raw_floor = INT64_MIN;
    r->loops    = r->input->loop;
    r->ts_scale = plan->ts_scale;
    r->offset   = r->base_offset = av_rescale_q(plan->ts_offset, AV_TIME_BASE_Q, r->st->time_base);
    /* with -r, frames are counted from the first one that is decoded: none is before the start */
    r->visible  = plan->trim_start == AV_NOPTS_VALUE || plan->in_rate.num ? INT64_MIN :
                  av_rescale_q(plan->trim_start, AV_TIME_BASE_Q, r->st->time_base);
    r->strict   = cmdline_last(plan->cmd->globals, plan->cmd->nb_globals, "xerror") ||
                  cmdline_last(plan->cmd->globals, plan->cmd->nb_globals, "max_error_rate") ||
                  decoding_words(r->input, r->st, NULL);
    for (unsigned i = 0; i < r->fc->nb_streams; i++)
        r->fc->streams[i]->discard = r->fc->streams[i] == r->st ? AVDISCARD_NONE : AVDISCARD_ALL;
    if (fieldpairs_is_needed(r->st->codecpar) && !untimed_is_needed(r->fc, r->st))
        ret = fieldpairs_open(&r->fields, r->st->codecpar);
    if (ret >= 0 && untimed_is_needed(r->fc, r->st))
        ret = untimed_open(&r->untimed, r->st);
    /* what has no times in a loop is timed by more than its packets */
    if (ret >= 0 && delayed_is_needed(r->st->codecpar) && !r->untimed && !r->loops)
        ret = delayed_open(&r->delayed, r->st);
    if (ret < 0)
        return ret;
    if (discont_is_needed(plan))
        return discont_alloc(&r->discont, plan);
    return r->loops ? loopend_alloc(&r->loop, plan) : 0;
}

static void forget_lead(VideoReader *r)
{
    for (int i = 0; i < r->nb_lead; i++)
        av_packet_free(&r->lead[i]);
    r->nb_lead = r->next = 0;
}

static void forget_gop(VideoReader *r)
{
    for (int i = 0; i < r->nb_gop; i++)
        av_packet_free(&r->gop[i]);
    r->nb_gop    = 0;
    r->gop_bytes = 0;
}

void videoreader_close(VideoReader **rp)
{
    VideoReader *r = *rp;

    if (!r)
        return;
    forget_lead(r);
    av_freep(&r->lead);
    forget_gop(r);
    av_freep(&r->gop);
    loopend_free(&r->loop);
    discont_free(&r->discont);
    fieldpairs_close(&r->fields);
    delayed_close(&r->delayed);
    untimed_close(&r->untimed);
    signature_free(&r->signature);
    av_freep(rp);
}

/** Side data that the decoder on a host would miss. */
static int has_foreign_side_data(const AVPacket *pkt)
{
    for (int i = 0; i < pkt->side_data_elems; i++)
        switch (pkt->side_data[i].type) {
        case AV_PKT_DATA_MPEGTS_STREAM_ID:
        case AV_PKT_DATA_PRFT:
        case AV_PKT_DATA_CPB_PROPERTIES:
        case AV_PKT_DATA_DISPLAYMATRIX:
        case AV_PKT_DATA_QUALITY_STATS:
        case AV_PKT_DATA_STEREO3D:
        case AV_PKT_DATA_SPHERICAL:
            break;
        default:
            return 1;
        }
    return 0;
}

/** Without a packet in between, so far that stock would take the time for damaged. */
static int is_jump(VideoReader *r, const AVPacket *pkt)
{
    AVRational tb = r->st->time_base;
    int64_t dts, delta;

    if (pkt->dts == AV_NOPTS_VALUE)
        return 0;
    dts   = av_rescale_q(pkt->dts + r->offset, tb, AV_TIME_BASE_Q);
    delta = r->next_dts == AV_NOPTS_VALUE ? 0 : FFABS(dts - r->next_dts);
    r->next_dts = dts + av_rescale_q(pkt->duration, tb, AV_TIME_BASE_Q);
    return delta > ERROR_THRESHOLD;
}

/**
 * Where times are moved or go back, frames have to stay in order: what is decoded later has to be
 * shown later, by a decoder, which knows nothing of times, as well. That holds from a keyframe on;
 * else frames must not be reordered just there.
 */
static int goes_on(VideoReader *r, const AVPacket *pkt, int64_t raw_pts, int jumped)
{
    int64_t shift = discont_shift(r->discont);
    int moved = FFABS(shift - r->shift) >= AV_TIME_BASE / 1000;
    int back  = pkt->dts != AV_NOPTS_VALUE && r->last_dts != AV_NOPTS_VALUE && pkt->dts < r->last_dts;
    int key   = pkt->flags & AV_PKT_FLAG_KEY;

    r->begun |= key;
    /* where a program stream is entered in the middle, DTS are guessed */
    if (!r->begun && !jumped)
        moved = back = 0;
    if (moved || back) {
        if (!key && (jumped || back))
            return 0;
        r->floor     = r->max_pts;
        r->raw_floor = key ? INT64_MIN : r->max_raw;
        r->max_raw   = INT64_MIN;
    }
    r->shift    = shift;
    r->last_dts = pkt->dts;
    if (pkt->pts == AV_NOPTS_VALUE)
        return 1;
    r->max_pts = FFMAX(r->max_pts, pkt->pts);
    r->max_raw = FFMAX(r->max_raw, raw_pts);
    return pkt->pts > r->floor && raw_pts > r->raw_floor;
}

static int rewind_input(VideoReader *r)
{
    int ret = avformat_seek_file(r->fc, -1, INT64_MIN, r->fc->start_time, r->fc->start_time, 0);

    if (ret >= 0)
        ret = loopend_next(r->loop);
    if (ret < 0)
        return ret;
    r->offset = r->base_offset + loopend_shift(r->loop, r->st->time_base);
    r->loops -= r->loops > 0;
    return 0;
}

/** The next packet, as it is: of the video, or with its sound also what else counts for times. */
static int read_any(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int ret;

    do {
        av_packet_unref(pkt);
        ret = r->input->lavfi ? lavfi_read(r->input->lavfi, pkt) : av_read_frame(r->fc, pkt);
        if (ret < 0 && ret != AVERROR(EAGAIN) && r->input->store) {
            int error = pipestore_error(r->input->store);

            if (error == AVERROR(ENOSPC))
                return reason_set(reason, reason_size, "there is no room in TMPDIR for what stdin brings");
            ret = error < 0 ? error : ret;
        }
        /* demuxers take it for the end */
        if (ret == AVERROR_EOF && r->input->network && r->fc->pb->error < 0 && r->fc->pb->error != AVERROR_EOF)
            ret = r->fc->pb->error;
        if (ret == AVERROR_EOF && r->loops) {
            if (rewind_input(r) < 0)
                return reason_set(reason, reason_size, "the input cannot be looped");
            continue;
        }
        if (ret == AVERROR_EOF || ret == AVERROR_EXIT)
            return ret;
        if (ret < 0 && ret != AVERROR(EAGAIN))
            return reason_set(reason, reason_size, "the input cannot be read to its end");
        if (r->loop && ret >= 0 && loopend_add(r->loop, pkt) < 0)
            return AVERROR(ENOMEM);
    } while (ret < 0);
    return 0;
}

/** Give it stock's timestamps. */
static int correct_times(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int64_t raw_pts = pkt->pts;
    int ret = 0;

    if (r->discont) {
        ret = discont_apply(r->discont, pkt);
        if (ret == AVERROR_PATCHWELCOME)
            return reason_set(reason, reason_size, "the input's timestamps jump, and it cannot be foreseen where to");
        if (ret < 0)
            return ret;
    }
    if (pkt->stream_index != r->st->index || !pkt->size)
        return 0;
    if (!r->discont) {
        if (is_jump(r, pkt))
            return reason_set(reason, reason_size, "the input's timestamps jump");
        if (r->st->pts_wrap_bits < 64 && pkt->pts >= 1LL << (r->st->pts_wrap_bits - 1))
            return reason_set(reason, reason_size, "the input's timestamps are about to wrap");
        if (pkt->pts != AV_NOPTS_VALUE)
            pkt->pts = (pkt->pts + r->offset) * r->ts_scale;
        if (pkt->dts != AV_NOPTS_VALUE)
            pkt->dts = (pkt->dts + r->offset) * r->ts_scale;
    } else if (!goes_on(r, pkt, raw_pts, ret)) {
        return reason_set(reason, reason_size, "the input's timestamps jump, and its frames get out of order");
    }
    return 0;
}

/** @return whether there are real keyframes */
static int check_keyframe(VideoReader *r, AVPacket *pkt)
{
    if (!(pkt->flags & AV_PKT_FLAG_KEY))
        return 1;
    if (!gradual_is_start(r->st->codecpar, pkt)) {
        r->nb_gradual = 0;
        return 1;
    }
    pkt->flags &= ~AV_PKT_FLAG_KEY;
    return !r->nb_gradual++;
}

static int read_packet(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int ret;

    do {
        ret = read_any(r, pkt, reason, reason_size);
        if (ret >= 0)
            ret = correct_times(r, pkt, reason, reason_size);
        if (ret < 0)
            return ret;
    } while (pkt->stream_index != r->st->index || !pkt->size);

    if (!check_keyframe(r, pkt))
        return reason_set(reason, reason_size, "the input is refreshed bit by bit, not by keyframes");
    if (earlier_is_needed(&r->earlier, r->st->codecpar, pkt))
        return reason_set(reason, reason_size, "the input's keyframes cannot all be decoded by themselves");
    if (has_foreign_side_data(pkt))
        return reason_set(reason, reason_size, "the video carries side data that cannot travel");
    if (r->loop && pkt->flags & AV_PKT_FLAG_DISCARD)
        return reason_set(reason, reason_size, "the input to be looped has frames that are not shown");
    return signature_repeat(&r->signature, r->st->codecpar, pkt);
}

/** Likewise, with all of a frame. */
static int read_frame(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int ret;

    if (!r->fields)
        return read_packet(r, pkt, reason, reason_size);
    while ((ret = fieldpairs_receive(r->fields, pkt)) == AVERROR(EAGAIN)) {
        ret = read_packet(r, pkt, reason, reason_size);
        if (ret < 0 && ret != AVERROR_EOF)
            return ret;
        ret = fieldpairs_send(r->fields, ret < 0 ? NULL : pkt);
        if (ret < 0)
            return ret;
    }
    return ret;
}

/** Likewise, with a pts if that can be known before it is decoded. */
static int read_delayed(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int ret;

    if (!r->delayed)
        return read_frame(r, pkt, reason, reason_size);
    while ((ret = delayed_receive(r->delayed, pkt)) == AVERROR(EAGAIN)) {
        ret = read_frame(r, pkt, reason, reason_size);
        if (ret < 0 && ret != AVERROR_EOF)
            return ret;
        ret = delayed_send(r->delayed, ret < 0 ? NULL : pkt);
        if (ret == AVERROR_INVALIDDATA)
            return reason_set(reason, reason_size, "the order of the input's frames is unusual");
        if (ret < 0)
            return ret;
    }
    return ret;
}

/** Likewise, and its times are as stock's decoder makes them. */
static int read_timed(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int ret;

    if (!r->untimed)
        return read_delayed(r, pkt, reason, reason_size);
    while ((ret = untimed_receive(r->untimed, pkt)) == AVERROR(EAGAIN)) {
        ret = read_frame(r, pkt, reason, reason_size);
        if (ret < 0 && ret != AVERROR_EOF)
            return ret;
        ret = untimed_send(r->untimed, ret < 0 ? NULL : pkt);
        av_packet_unref(pkt);
        if (ret == AVERROR_PATCHWELCOME)
            return reason_set(reason, reason_size, "the times of the input's frames cannot be foreseen");
        if (ret < 0)
            return ret;
    }
    return ret;
}

static int keep_packet(AVPacket ***packets, int *nb, const AVPacket *pkt)
{
    AVPacket **list = av_realloc_array(*packets, *nb + 1, sizeof(*list));

    if (!list)
        return AVERROR(ENOMEM);
    *packets  = list;
    list[*nb] = av_packet_clone(pkt);
    return list[(*nb)++] ? 0 : AVERROR(ENOMEM);
}

/**
 * Read until the first keyframe, and on while packets may follow that are shown before it.
 * @return the keyframe's index among the packets, or an error
 */
static int read_lead(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    const char *why = "the input does not start with a keyframe";
    int key = -1, ret = 0;
    int64_t bytes = 0;

    while ((ret = read_timed(r, pkt, reason, reason_size)) >= 0) {
        bytes += pkt->size;
        if (pkt->flags & AV_PKT_FLAG_CORRUPT)
            return reason_set(reason, reason_size, DAMAGED);
        ret = keep_packet(&r->lead, &r->nb_lead, pkt);
        if (ret < 0)
            return ret;
        if (key < 0 && pkt->flags & AV_PKT_FLAG_KEY && pkt->pts != AV_NOPTS_VALUE)
            key = r->nb_lead - 1;
        else if (key < 0 && pkt->flags & AV_PKT_FLAG_KEY)
            why = "the input's keyframes have no timestamps, as in AVI with packed B-frames";
        if (key >= 0 && (r->lead[key]->pts < r->visible ||
                         (pkt->dts != AV_NOPTS_VALUE && pkt->dts >= r->lead[key]->pts)))
            return key;
        if (r->nb_lead > MAX_LEAD_PACKETS || bytes > MAX_LEAD_BYTES)
            return reason_set(reason, reason_size, "%s", why);
    }
    if (ret != AVERROR_EOF || !r->nb_lead)
        return ret;
    return key >= 0 ? key : reason_set(reason, reason_size, "%s", why);
}

/** Whether packets are shown before the first keyframe; only the decoder knows what becomes of them. */
static int is_doubtful(const VideoReader *r, int key)
{
    for (int i = 0; i < r->nb_lead; i++)
        if (r->lead[i]->pts != AV_NOPTS_VALUE && r->lead[i]->pts < r->lead[key]->pts &&
            r->lead[i]->pts >= r->visible)
            return 1;
    return 0;
}

/**
 * What nobody gets to see is left out. Frames that the decoder makes before the first keyframe are
 * wrecks, but shown all the same: the same decoder makes the same ones if it is given all the
 * packets that it was given here.
 */
static int sort_out(VideoReader *r, int key, const uint8_t *decoded, char *reason,
                    size_t reason_size)
{
    int64_t key_pts = r->lead[key]->pts, first = key_pts;
    int kept = 0;

    if (!decoded[key])
        return reason_set(reason, reason_size, "the input's first keyframe cannot be decoded");
    for (int i = 0; key && i < r->nb_lead; i++)
        if (decoded[i] && r->lead[i]->pts >= r->visible)
            first = FFMIN(first, r->lead[i]->pts);
    if (first < key_pts)
        r->fragile_end = key_pts;
    for (int i = 0; i < r->nb_lead; i++) {
        AVPacket *pkt = r->lead[i];
        int hidden = !decoded[i] && (pkt->pts == AV_NOPTS_VALUE || pkt->pts < key_pts);

        if (i < key && hidden && first < key_pts) {
            if (pkt->pts == AV_NOPTS_VALUE || pkt->pts > first)
                return reason_set(reason, reason_size, "the input does not start with a keyframe");
            pkt->flags |= AV_PKT_FLAG_DISCARD;
        }
        if (i < key ? first == key_pts : hidden)
            av_packet_free(&r->lead[i]);
        else
            r->lead[kept++] = pkt;
    }
    r->nb_lead = kept;
    return 0;
}

/** H.264 in MXF of which the index does not tell the order: its packets have the times of others then. */
static int is_misordered(const VideoReader *r, const AVPacket *key)
{
    return !strcmp(r->fc->iformat->name, "mxf") && r->st->codecpar->video_delay && key->pts == key->dts &&
           (r->st->codecpar->codec_id == AV_CODEC_ID_H264 || r->st->codecpar->codec_id == AV_CODEC_ID_HEVC);
}

static int start(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int key = read_lead(r, pkt, reason, reason_size), ret;
    uint8_t *decoded;

    r->started = 1;
    av_packet_unref(pkt);
    if (key < 0)
        return key;
    if (is_misordered(r, r->lead[key]))
        return reason_set(reason, reason_size, "the input's frames are not in the order of their timestamps");
    if (!key && !is_doubtful(r, key))
        return 0;
    if (r->loops)
        return reason_set(reason, reason_size, "the input to be looped does not start with a keyframe");
    if (r->strict)
        return reason_set(reason, reason_size, "errors of the decoder are to have consequences");
    decoded = av_malloc(r->nb_lead);
    if (!decoded)
        return AVERROR(ENOMEM);
    ret = leadin_decode(r->st, r->lead, r->nb_lead, decoded);
    if (ret == AVERROR(ENOMEM))
        goto end;
    if (ret < 0)
        ret = reason_set(reason, reason_size, "the input's first frames cannot be decoded here");
    else
        ret = sort_out(r, key, decoded, reason, reason_size);
end:
    av_free(decoded);
    return ret;
}

/** Read on to where a decoder begins anew, behind all that is marked as damaged and what that may concern. */
static int read_marked(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int last = 0, ret = 0;
    int64_t bytes = 0;

    forget_lead(r);
    do {
        if (pkt->flags & AV_PKT_FLAG_CORRUPT)
            last = r->nb_lead;
        else if (pkt->flags & AV_PKT_FLAG_KEY && r->nb_lead > last + 1)
            ret = AVERROR_EOF;
        bytes += pkt->size;
        if (r->nb_lead > MAX_LEAD_PACKETS || bytes > MAX_LEAD_BYTES)
            return reason_set(reason, reason_size, DAMAGED);
        if (keep_packet(&r->lead, &r->nb_lead, pkt) < 0)
            return AVERROR(ENOMEM);
        if (ret >= 0)
            ret = read_timed(r, pkt, reason, reason_size);
    } while (ret >= 0);
    av_packet_unref(pkt);
    return ret == AVERROR_EOF ? 0 : ret;
}

/**
 * Packets are marked as damaged where recordings were joined, mostly for no more than their
 * continuity counters. Whether all is there the decoder tells.
 */
static int check_marked(VideoReader *r, char *reason, size_t reason_size)
{
    int nb = r->nb_gop, ret = 0;
    uint8_t *decoded = av_malloc(nb + r->nb_lead);

    if (!decoded)
        return AVERROR(ENOMEM);
    for (int i = 0; i < r->nb_lead && ret >= 0; i++)
        ret = keep_packet(&r->gop, &r->nb_gop, r->lead[i]);
    if (ret >= 0)
        ret = leadin_decode(r->st, r->gop, r->nb_gop, decoded);
    for (int i = 0; i < r->nb_gop && ret >= 0; i++)
        if (r->gop[i]->pts >= r->gop[0]->pts && decoded[i] != LEADIN_WHOLE)
            ret = AVERROR_PATCHWELCOME;
    av_free(decoded);
    while (r->nb_gop > nb)
        av_packet_free(&r->gop[--r->nb_gop]);
    return ret == AVERROR(ENOMEM) || ret >= 0 ? ret : reason_set(reason, reason_size, DAMAGED);
}

/** Remember what was given out. */
static int note_packet(VideoReader *r, const AVPacket *pkt)
{
    int key = pkt->flags & AV_PKT_FLAG_KEY;

    if (!r->discont || (!key && !r->nb_gop))
        return 0;
    if (key || r->nb_gop > MAX_LEAD_PACKETS || r->gop_bytes > MAX_LEAD_BYTES)
        forget_gop(r);
    r->gop_bytes += pkt->size;
    return key || r->nb_gop ? keep_packet(&r->gop, &r->nb_gop, pkt) : 0;
}

/** Whether the decoder tells of everything that it misses; HEVC's does not. */
static int decoder_tells(const VideoReader *r)
{
    enum AVCodecID id = r->st->codecpar->codec_id;

    return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_MPEG2VIDEO || id == AV_CODEC_ID_MPEG1VIDEO;
}

static int read_next(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int ret = read_timed(r, pkt, reason, reason_size);

    if (ret < 0 || !(pkt->flags & AV_PKT_FLAG_CORRUPT))
        return ret;
    if (!r->nb_gop || r->strict || !decoder_tells(r))
        return reason_set(reason, reason_size, DAMAGED);
    ret = read_marked(r, pkt, reason, reason_size);
    if (ret >= 0)
        ret = check_marked(r, reason, reason_size);
    if (ret >= 0)
        av_packet_move_ref(pkt, r->lead[r->next++]);
    return ret;
}

int videoreader_next(VideoReader *r, AVPacket *pkt, char *reason, size_t reason_size)
{
    int ret = 0;

    if (!r->started)
        ret = start(r, pkt, reason, reason_size);
    if (ret < 0)
        return ret;
    if (r->next < r->nb_lead)
        av_packet_move_ref(pkt, r->lead[r->next++]);
    else
        ret = read_next(r, pkt, reason, reason_size);
    if (ret < 0)
        return ret;
    if (pkt->pts == AV_NOPTS_VALUE)
        return reason_set(reason, reason_size, "a packet of the input has no timestamp");
    return note_packet(r, pkt);
}

int videoreader_is_fragile(const VideoReader *r, int64_t pts)
{
    return r->fragile_end != AV_NOPTS_VALUE && pts < r->fragile_end;
}
