/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_COMPAT_H
#define FFLEET_COMPAT_H

/**
 * @file
 * What differs between the FFmpeg versions that ffleet builds with (5.1 to 7.1).
 */

#include <libavcodec/avcodec.h>
#include <libavcodec/packet.h>
#include <libavfilter/version.h>
#include <libavformat/avformat.h>
#include <libavformat/version.h>
#include <libavutil/avstring.h>
#include <libavutil/frame.h>

/** FFmpeg 6.1 moved a stream's side data into its codec parameters. */
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100)
#define COMPAT_CODECPAR_SIDE_DATA 1
#else
#define COMPAT_CODECPAR_SIDE_DATA 0
#endif

/**
 * FFmpeg 7.0's fftools work out frame timing in another way (ffmpeg_filter.c, video_sync_process()),
 * with threads of their own for it, and so end, exit and speak in other ways, too.
 */
#define COMPAT_TIMING_7 (LIBAVCODEC_VERSION_MAJOR >= 61)

/**
 * Before FFmpeg 7 the filters behind overlay do not hear when its input ends, but take its last
 * frame for that (framesync.c).
 */
#define COMPAT_OVERLAY_HIDES_END (LIBAVFILTER_VERSION_MAJOR < 10)

/** avio callbacks got a const buffer in FFmpeg 7.0. */
#if LIBAVFORMAT_VERSION_MAJOR >= 61
typedef const uint8_t *compat_avio_write_buf;
#else
typedef uint8_t *compat_avio_write_buf;
#endif

static inline int compat_nb_stream_side_data(const AVStream *st)
{
#if COMPAT_CODECPAR_SIDE_DATA
    return st->codecpar->nb_coded_side_data;
#else
    return st->nb_side_data;
#endif
}

static inline const AVPacketSideData *compat_stream_side_data(const AVStream *st, int i)
{
#if COMPAT_CODECPAR_SIDE_DATA
    return &st->codecpar->coded_side_data[i];
#else
    return &st->side_data[i];
#endif
}

/** Where a written stream ends so far, as ffmpeg 5.1 reports it; 7.1 goes by its own count of packets. */
static inline int64_t compat_stream_end(const AVStream *st)
{
#if COMPAT_TIMING_7
    (void)st;
    return AV_NOPTS_VALUE;
#else
    return av_stream_get_end_pts(st);
#endif
}

/** Copy all side data of a stream to another; not wanted twice where
 *  avcodec_parameters_copy() already takes it along. @return 0 or AVERROR(ENOMEM) */
static inline int compat_copy_stream_side_data(AVStream *dst, const AVStream *src)
{
#if !COMPAT_CODECPAR_SIDE_DATA
    for (int i = 0; i < src->nb_side_data; i++) {
        const AVPacketSideData *sd = &src->side_data[i];
        uint8_t *data = av_stream_new_side_data(dst, sd->type, sd->size);

        if (!data)
            return AVERROR(ENOMEM);
        memcpy(data, sd->data, sd->size);
    }
#else
    (void)dst;
    (void)src;
#endif
    return 0;
}

/** Options of the filter `buffer` that came with FFmpeg 7: colours are negotiated since. */
static inline void compat_add_source_colors(char *options, size_t size, const AVFrame *frame)
{
#if LIBAVFILTER_VERSION_MAJOR >= 10
    av_strlcatf(options, size, ":colorspace=%d:range=%d", frame->colorspace, frame->color_range);
#else
    (void)options;
    (void)size;
    (void)frame;
#endif
}

/** AVFrame got a duration of its own in FFmpeg 6.0. */
static inline void compat_set_frame_duration(AVFrame *f, int64_t duration)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    f->duration = duration;
#else
    f->pkt_duration = duration;
#endif
}

/**
 * Numbers that frames get from the packet they are made of: before a decoder is opened, of a packet
 * before it is sent, of a frame that was received.
 */
static inline void compat_number_frames(AVCodecContext *dec)
{
#if COMPAT_TIMING_7
    dec->flags |= AV_CODEC_FLAG_COPY_OPAQUE;
#else
    (void)dec;
#endif
}

static inline void compat_number_packet(AVPacket *pkt, int64_t number)
{
#if COMPAT_TIMING_7
    pkt->opaque = (void *)(intptr_t)number;
#else
    pkt->pos = number;
#endif
}

static inline int64_t compat_frame_number(const AVFrame *f)
{
#if COMPAT_TIMING_7
    return (intptr_t)f->opaque;
#else
    return f->pkt_pos;
#endif
}

static inline int64_t compat_frame_duration(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    return f->duration;
#else
    return f->pkt_duration;
#endif
}

/** AVFrame.key_frame is a flag since FFmpeg 6.1. */
static inline int compat_is_key(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return !!(f->flags & AV_FRAME_FLAG_KEY);
#else
    return f->key_frame;
#endif
}

#endif
