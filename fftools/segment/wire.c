/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavcodec/avcodec.h>
#include <libavutil/avassert.h>
#include <libavutil/mem.h>

#include "../compat.h"
#include "../plan/carrier.h"
#include "wire.h"

#define IO_BUFFER_SIZE (64 << 10)
#define HIDDEN_TAG     MKTAG('f', 'f', 'l', '?')

struct WireWriter {
    AVFormatContext *fc;
    AVIOContext *io;
    AVPacket *pkt;
    int64_t nb;       ///< packets written
    int header;
    Blob *blob;
    uint8_t *blank;   ///< what the muxer is given for a payload that lies in a blob
    unsigned blank_size;
    const WirePayload *part;  ///< that one, until it is written
};

struct WireReader {
    AVFormatContext *fc;
    AVIOContext *io;
    Blob *blob;
    int64_t pos;
    int stream;
};

static int write_blob(void *opaque, compat_avio_write_buf buf, int size)
{
    WireWriter *w = opaque;
    int ret;

    if (w->part && buf == w->blank && size == w->part->size) {
        ret = blob_append_part(w->blob, w->part->blob, w->part->offset, size);
        w->part = NULL;
    } else {
        ret = blob_append(w->blob, buf, size);
    }
    return ret < 0 ? ret : size;
}

int wire_hides_codec(enum AVCodecID id)
{
    const AVOutputFormat *nut = av_guess_format("nut", NULL, NULL);

    return nut && !av_codec_get_tag(nut->codec_tag, id) && !carrier_nut_tag(id);
}

/** What NUT can say of a stream. @return 0 or an AVERROR code */
static int describe_stream(AVStream *st, const AVStream *src, const AVOutputFormat *nut)
{
    AVCodecParameters *par = st->codecpar;
    int ret = avcodec_parameters_copy(par, src->codecpar);

    if (ret < 0)
        return ret;
    /* NUT's own tag; where it has none (ProRes), its demuxer knows QuickTime's */
    if (av_codec_get_tag(nut->codec_tag, par->codec_id))
        par->codec_tag = 0;
    else if (wire_hides_codec(par->codec_id))
        par->codec_tag = HIDDEN_TAG;
    else if (!par->codec_tag)
        par->codec_tag = carrier_nut_tag(par->codec_id);
    /* there the tag is all that tells of the pixels */
    if (par->codec_id == AV_CODEC_ID_RAWVIDEO)
        par->codec_tag = avcodec_pix_fmt_to_codec_tag(par->format);
    st->avg_frame_rate = src->avg_frame_rate;
    if (src->sample_aspect_ratio.num)
        st->sample_aspect_ratio = par->sample_aspect_ratio = src->sample_aspect_ratio;
    return 0;
}

int wire_writer_open(WireWriter **out, const AVStream *src, AVRational tb, Blob *blob)
{
    WireWriter *w = av_mallocz(sizeof(*w));
    uint8_t *buf  = av_malloc(IO_BUFFER_SIZE);
    AVStream *st;
    int ret = AVERROR(ENOMEM);

    *out = w;
    if (!w || !buf)
        goto fail;
    w->blob = blob;
    w->io = avio_alloc_context(buf, IO_BUFFER_SIZE, 1, w, NULL, write_blob, NULL);
    if (!w->io)
        goto fail;
    buf = NULL;
    ret = avformat_alloc_output_context2(&w->fc, NULL, "nut", NULL);
    if (ret < 0)
        goto fail;
    ret = AVERROR(ENOMEM);
    w->fc->pb = w->io;
    w->fc->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    w->fc->avoid_negative_ts = AVFMT_AVOID_NEG_TS_MAKE_NON_NEGATIVE;
    w->pkt = av_packet_alloc();
    st = avformat_new_stream(w->fc, NULL);
    if (!w->pkt || !st)
        goto fail;
    st->time_base = tb;
    ret = describe_stream(st, src, w->fc->oformat);
    if (ret < 0)
        goto fail;
    ret = avformat_write_header(w->fc, NULL);
    w->header = ret >= 0;
    /* timestamps are exact only in multiples of the time base asked for */
    if (ret >= 0 && av_cmp_q(tb, av_mul_q(st->time_base,
                             av_make_q(av_rescale_q(1, tb, st->time_base), 1))))
        ret = AVERROR(EINVAL);
    if (ret >= 0) {
        w->pkt->time_base = tb;
        return 0;
    }
fail:
    av_free(buf);
    return ret;
}

/** Write the payload that is in w->pkt. */
static int write_packet(WireWriter *w, int flags, AVRational tb, int64_t pts)
{
    w->pkt->time_base    = tb;
    w->pkt->stream_index = 0;
    w->pkt->duration     = 0;
    w->pkt->flags        = flags & AV_PKT_FLAG_KEY;
    w->pkt->pts = av_rescale_q(pts, tb, w->fc->streams[0]->time_base);
    /* NUT does not keep them: they only have to rise and stay below the pts */
    w->pkt->dts = w->nb++;
    return av_write_frame(w->fc, w->pkt);
}

int wire_write(WireWriter *w, const AVPacket *src, int64_t pts)
{
    AVRational tb = w->pkt->time_base;
    int ret;

    av_packet_unref(w->pkt);
    ret = av_packet_ref(w->pkt, src);
    if (ret < 0)
        return ret;
    av_packet_free_side_data(w->pkt);
    return write_packet(w, src->flags, tb, pts);
}

int wire_write_part(WireWriter *w, int flags, const WirePayload *part, int64_t pts)
{
    AVRational tb = w->pkt->time_base;
    int ret;

    av_assert0(part->size >= WIRE_MIN_PART);
    av_fast_padded_mallocz(&w->blank, &w->blank_size, part->size);
    if (!w->blank)
        return AVERROR(ENOMEM);
    av_packet_unref(w->pkt);
    w->pkt->data  = w->blank;
    w->pkt->size  = part->size;
    w->part       = part;
    w->io->direct = 1;   /* it comes to write_blob() as it is */
    ret = write_packet(w, flags, tb, pts);
    w->io->direct = 0;
    if (ret >= 0 && w->part)
        ret = AVERROR_BUG;
    w->part = NULL;
    return ret < 0 ? ret : w->io->error;
}

int wire_writer_finish(WireWriter *w)
{
    int ret = av_write_trailer(w->fc);

    w->header = 0;
    avio_flush(w->io);
    return ret < 0 ? ret : w->io->error;
}

void wire_writer_free(WireWriter **wp)
{
    WireWriter *w = *wp;

    if (!w)
        return;
    if (w->header)
        av_write_trailer(w->fc);
    avformat_free_context(w->fc);
    if (w->io)
        av_freep(&w->io->buffer);
    avio_context_free(&w->io);
    av_packet_free(&w->pkt);
    av_freep(&w->blank);
    av_freep(wp);
}

static int read_blob(void *opaque, uint8_t *buf, int size)
{
    WireReader *r = opaque;
    int n = blob_read(r->blob, r->pos, buf, size);

    if (n > 0)
        r->pos += n;
    return n ? n : AVERROR_EOF;
}

static int64_t seek_blob(void *opaque, int64_t offset, int whence)
{
    WireReader *r = opaque;

    if (whence == AVSEEK_SIZE)
        return blob_size(r->blob);
    if (whence == SEEK_CUR)
        offset += r->pos;
    else if (whence == SEEK_END)
        offset += blob_size(r->blob);
    else if (whence != SEEK_SET)
        return AVERROR(EINVAL);
    if (offset < 0)
        return AVERROR(EINVAL);
    return r->pos = offset;
}

int wire_reader_open(WireReader **out, Blob *blob, int stream, int nb_streams)
{
    WireReader *r = av_mallocz(sizeof(*r));
    uint8_t *buf  = av_malloc(IO_BUFFER_SIZE);
    int ret = AVERROR(ENOMEM);

    *out = r;
    if (!r || !buf)
        goto fail;
    r->blob = blob_ref(blob);
    r->io   = avio_alloc_context(buf, IO_BUFFER_SIZE, 0, r, read_blob, NULL, seek_blob);
    if (!r->io)
        goto fail;
    buf = NULL;
    r->fc = avformat_alloc_context();
    if (!r->fc)
        goto fail;
    r->fc->pb = r->io;
    ret = avformat_open_input(&r->fc, NULL, av_find_input_format("nut"), NULL);
    if (ret < 0)
        goto fail;
    if ((int)r->fc->nb_streams != nb_streams || stream >= nb_streams) {
        ret = AVERROR_INVALIDDATA;
        goto fail;
    }
    r->stream = stream;
    return 0;
fail:
    av_free(buf);
    return ret;
}

const AVStream *wire_reader_stream(const WireReader *r)
{
    return r->fc->streams[r->stream];
}

int wire_read(WireReader *r, AVPacket *pkt)
{
    int ret;

    while ((ret = av_read_frame(r->fc, pkt)) >= 0 && pkt->stream_index != r->stream)
        av_packet_unref(pkt);
    return ret;
}

void wire_reader_close(WireReader **rp)
{
    WireReader *r = *rp;

    if (!r)
        return;
    avformat_close_input(&r->fc);
    if (r->io)
        av_freep(&r->io->buffer);
    avio_context_free(&r->io);
    blob_unref(&r->blob);
    av_freep(rp);
}
