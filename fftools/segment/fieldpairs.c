/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>

#include "fieldpairs.h"

struct FieldPairs {
    AVCodecParserContext *parser;
    AVCodecContext *codec;    ///< for the parser
    AVPacket *pkt;            ///< of the frame that comes next; blank: there is none yet
    int       is_field;       ///< only one of it, so far
    AVPacket *after;          ///< what came behind that field, and is not the other one; blank: nothing
    int       after_is_field;
    int       eof;
};

int fieldpairs_is_needed(const AVCodecParameters *par)
{
    return par->codec_id == AV_CODEC_ID_H264;
}

int fieldpairs_open(FieldPairs **out, const AVCodecParameters *par)
{
    FieldPairs *f = *out = av_mallocz(sizeof(*f));

    if (!f)
        return AVERROR(ENOMEM);
    f->parser = av_parser_init(par->codec_id);
    f->codec  = avcodec_alloc_context3(NULL);
    f->pkt    = av_packet_alloc();
    f->after  = av_packet_alloc();
    if (!f->parser || !f->codec || !f->pkt || !f->after)
        return AVERROR(ENOMEM);
    f->parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    /* the demuxer's parser has complained already */
    f->codec->log_level_offset = AV_LOG_TRACE;
    return avcodec_parameters_to_context(f->codec, par);
}

void fieldpairs_close(FieldPairs **fp)
{
    FieldPairs *f = *fp;

    if (!f)
        return;
    if (f->parser)
        av_parser_close(f->parser);
    avcodec_free_context(&f->codec);
    av_packet_free(&f->pkt);
    av_packet_free(&f->after);
    av_freep(fp);
}

/** @param is_second whether it can belong to the field before it: the parser then knows the order of both */
static int is_field(FieldPairs *f, const AVPacket *pkt, int *is_second)
{
    AVCodecParserContext *p = f->parser;
    uint8_t *out;
    int size;

    p->picture_structure = AV_PICTURE_STRUCTURE_UNKNOWN;
    p->field_order       = AV_FIELD_UNKNOWN;
    av_parser_parse2(p, f->codec, &out, &size, pkt->data, pkt->size, pkt->pts, pkt->dts, pkt->pos);
    *is_second = p->field_order != AV_FIELD_UNKNOWN;
    return p->picture_structure == AV_PICTURE_STRUCTURE_TOP_FIELD ||
           p->picture_structure == AV_PICTURE_STRUCTURE_BOTTOM_FIELD;
}

static int append(AVPacket *first, const AVPacket *second)
{
    int size = first->size, ret = av_grow_packet(first, second->size);

    if (ret < 0)
        return ret;
    memcpy(first->data + size, second->data, second->size);
    first->flags |= second->flags & AV_PKT_FLAG_CORRUPT;
    return 0;
}

int fieldpairs_send(FieldPairs *f, AVPacket *pkt)
{
    int field, is_second, ret = 0;

    f->eof = !pkt;
    if (f->eof)
        return 0;
    field = is_field(f, pkt, &is_second);
    if (!f->pkt->data) {
        av_packet_move_ref(f->pkt, pkt);
        f->is_field = field;
    } else if (field && is_second) {
        ret = append(f->pkt, pkt);
        av_packet_unref(pkt);
        f->is_field = 0;
    } else {
        av_packet_move_ref(f->after, pkt);
        f->after_is_field = field;
    }
    return ret;
}

int fieldpairs_receive(FieldPairs *f, AVPacket *pkt)
{
    if (!f->pkt->data || (f->is_field && !f->after->data && !f->eof))
        return f->eof ? AVERROR_EOF : AVERROR(EAGAIN);
    av_packet_move_ref(pkt, f->pkt);
    av_packet_move_ref(f->pkt, f->after);
    f->is_field = f->after_is_field;
    return 0;
}
