/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/opt.h>

#include "../command/namelist.h"
#include "../compat.h"
#include "../reason.h"
#include "fetch.h"
#include "inputs.h"
#include "inputurl.h"
#include "untimed.h"

#define MAX_STREAMS 256

int input_format_options(const CmdFile *f, AVDictionary **dict)
{
    const CmdOption *bitexact = cmdline_last(f->options, f->nb_options, "bitexact");

    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];
        int append = o->value && (o->value[0] == '+' || o->value[0] == '-') &&
                     strstr(o->name, "flags");
        int ret;

        if (o->def || !(o->avclass & AVCLASS_FORMAT))
            continue;
        ret = av_dict_set(dict, o->name, o->value, append ? AV_DICT_APPEND : 0);
        if (ret < 0)
            return ret;
    }
    return bitexact && !bitexact->negated ? av_dict_set(dict, "fflags", "+bitexact", AV_DICT_APPEND) : 0;
}

/** What of ffmpeg's own options its demuxer gets, in some cases only if it knows them. */
static int add_demuxer_options(const CmdFile *f, const AVInputFormat *iformat, AVDictionary **opts)
{
    static const struct {
        const char *option, *name, *format;
        int if_known;
    } list[] = {
        { "ar", "sample_rate", "%s", 0 }, { "ac", "ch_layout", "%sC", 1 }, { "ch_layout", "ch_layout", "%s", 1 },
        { "r", "framerate", "%s", 1 }, { "s", "video_size", "%s", 0 }, { "pix_fmt", "pixel_format", "%s", 0 },
    };
    const AVClass *class = iformat ? iformat->priv_class : NULL;
    int ret = 0;

    for (size_t i = 0; ret >= 0 && i < FF_ARRAY_ELEMS(list); i++) {
        const CmdOption *o = cmdline_last(f->options, f->nb_options, list[i].option);
        char value[128];

        if (!o || !o->def || (list[i].if_known &&
            !(class && av_opt_find(&class, list[i].name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ))))
            continue;
        snprintf(value, sizeof(value), list[i].format, o->value);
        ret = av_dict_set(opts, list[i].name, value, 0);
    }
    return ret;
}

/** The same libavformat goes to the same place. Where this fails stock warns, and reads from the start as we do. */
static void seek_start(PlanInput *in)
{
    AVFormatContext *ic = in->fc;
    TimeLimits *t = &in->limits;
    const CmdOption *accurate = cmdline_last(in->file->options, in->file->nb_options,
                                             "accurate_seek");
    int64_t ts;

    if (t->start == AV_NOPTS_VALUE && t->start_eof != AV_NOPTS_VALUE && ic->duration > 0 &&
        t->start_eof + ic->duration >= 0)
        t->start = t->start_eof + ic->duration;
    if (t->start == AV_NOPTS_VALUE)
        return;
    ts = t->start + (ic->start_time != AV_NOPTS_VALUE ? ic->start_time : 0);
    if (!(ic->iformat->flags & AVFMT_SEEK_TO_PTS))
        for (unsigned i = 0; i < ic->nb_streams; i++)
            if (ic->streams[i]->codecpar->video_delay) {
                ts -= 3 * AV_TIME_BASE / 23;
                break;
            }
    avformat_seek_file(ic, -1, INT64_MIN, ts, ts, 0);
    in->trim = !accurate || !accurate->negated;
}

static int is_interrupted(void *opaque)
{
    PlanInput *in = opaque;

    return atomic_load(&in->stopped) || (in->store && pipestore_error(in->store) == AVERROR_EXIT) ||
           (in->interrupted && in->interrupted(in->opaque));
}

/** @param opaque the InputFiles to add it to */
static int check_file(void *opaque, const char *path)
{
    InputFiles *files = opaque;
    struct stat st;

    if (stat(path, &st) < 0)
        return 0;
    files->identity += 31 * (uint64_t)st.st_dev + st.st_ino;
    files->size      = av_sat_add64(files->size, st.st_size);
    return S_ISREG(st.st_mode) ? 0 : AVERROR(EINVAL);
}

int input_has_changed(const PlanInput *in)
{
    InputFiles now = { 0 };

    return in->files.size && inputurl_each_file(in->file->url, check_file, &now) >= 0 &&
           now.identity == in->files.identity && now.size != in->files.size;
}

/** A server from which the same comes again and again, as far as can be told before it is asked. */
static int check_http(PlanInput *in, const CmdFile *f, char *reason, size_t size)
{
    static const char *const odd[] = { "listen", "method", "post_data", "chunked_post", "send_expect_100" };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(odd); i++)
        if (cmdline_last(f->options, f->nb_options, odd[i]))
            return reason_set(reason, size, "an input is not just fetched (-%s)", odd[i]);
    in->network = 1;
    in->fc = avformat_alloc_context();
    if (!in->fc)
        return AVERROR(ENOMEM);
    in->fc->interrupt_callback = (AVIOInterruptCB) { is_interrupted, in };
    return 0;
}

static int check_url(PlanInput *in, const CmdFile *f, char *reason, size_t size)
{
    const char *url = f->url, *name = avio_find_protocol_name(url);
    int ret;

    if (name && (!strcmp(name, "http") || !strcmp(name, "https")))
        return check_http(in, f, reason, size);

    if (!strncmp(url, "pipe:", 5) || !strncmp(url, "fd:", 3))
        return reason_set(reason, size, "an input is a pipe that is not open");
    ret = inputurl_each_file(url, check_file, &in->files);
    if (ret == AVERROR(ENOMEM) || ret >= 0)
        return ret;
    return reason_set(reason, size, ret == AVERROR_PATCHWELCOME ? "an input is not a file" :
                      "an input is not a regular file");
}

/** The descriptor that ffmpeg reads by that name, if that is a pipe; else -1. */
static int pipe_number(const char *url)
{
    const char *digits = url;
    struct stat st;
    char *end;
    long fd;
    int opened;

    if (!strcmp(url, "-") || !strcmp(url, "pipe:"))
        return STDIN_FILENO;
    if (!strcmp(url, "/dev/stdin"))
        return !fstat(STDIN_FILENO, &st) && S_ISFIFO(st.st_mode) ? STDIN_FILENO : -1;
    /* by these names it is opened once more, which for a file is something else */
    opened = av_strstart(url, "/dev/fd/", &digits) || av_strstart(url, "/proc/self/fd/", &digits);
    if (!opened && !av_strstart(url, "pipe:", &digits))
        return -1;
    fd = strtol(digits, &end, 10);
    if (*end || !av_isdigit(*digits) || fd > INT_MAX || (fd > 0 && fd <= STDERR_FILENO) ||
        fstat(fd, &st) < 0 || (opened && (!fd || !S_ISFIFO(st.st_mode))))
        return -1;
    return fd;
}

/** Whether the url is a FIFO's name, and nothing else. */
static int is_fifo(const char *url)
{
    const char *path = url, *name = avio_find_protocol_name(url);
    struct stat st;

    av_strstart(url, "file:", &path);
    return name && !strcmp(name, "file") && !stat(path, &st) && S_ISFIFO(st.st_mode);
}

int input_is_pipe(const char *url)
{
    return pipe_number(url) >= 0 || is_fifo(url);
}

int input_takes_stdin(const PlanInput *in)
{
    const char *url = in->file->url;

    return !strcmp(url, "-") || !strncmp(url, "pipe:", 5) || !strcmp(url, "/dev/stdin");
}

/** As stock: that waits for a writer. */
static int open_fifo(PlanInput *in, const AVInputFormat *iformat, char *reason, size_t size)
{
    AVProbeData name = { .filename = in->file->url, .buf = (unsigned char[AVPROBE_PADDING_SIZE]) { 0 } };
    const char *path = in->file->url;

    /* images, by their name */
    if (iformat ? iformat->flags & AVFMT_NOFILE : !!av_probe_input_format(&name, 0))
        return reason_set(reason, size, "an input is not a regular file");
    av_strstart(path, "file:", &path);
    in->number = open(path, O_RDONLY | O_CLOEXEC);
    if (in->number < 0)
        return reason_set(reason, size, "an input cannot be opened: %s", av_err2str(AVERROR(errno)));
    in->alias = av_asprintf("/dev/fd/%d", in->number);
    return in->alias ? 0 : AVERROR(ENOMEM);
}

/** A FIFO's name may have told what is in it, and the alias does not. */
static int name_format(PlanInput *in, char *reason, size_t size)
{
    const AVInputFormat *iformat = in->fc->iformat;

    av_strlcpy(in->alias_format, iformat->name, FFMIN(sizeof(in->alias_format), strcspn(iformat->name, ",") + 1));
    return av_find_input_format(in->alias_format) == iformat ? 0 :
           reason_set(reason, size, "the input format %s is not one that is split yet", iformat->name);
}

/** A pipe, which trial and remainder want to read as well. */
static int open_pipe(PlanInput *in, char *url, size_t url_size, char *reason, size_t size)
{
    int ret = isatty(in->number) ? AVERROR(EINVAL) : 0;

    if (ret >= 0)
        ret = pipestore_open(&in->store, in->number);
    if (ret >= 0)
        ret = pipestore_feed_open(&in->feed, in->store, &in->feed_fd);
    if (ret < 0)
        return reason_set(reason, size, "%s cannot be kept for reading it again: %s",
                      in->number ? in->file->url : "stdin", av_err2str(ret));
    /* libavformat polls then, and looks after is_interrupted() */
    fcntl(in->feed_fd, F_SETFL, O_NONBLOCK);
    in->fc = avformat_alloc_context();
    if (!in->fc)
        return AVERROR(ENOMEM);
    in->fc->interrupt_callback = (AVIOInterruptCB) { is_interrupted, in };
    snprintf(url, url_size, "pipe:%d", in->feed_fd);
    return 0;
}

static int open_context(PlanInput *in, const char *url, const AVInputFormat *iformat)
{
    AVDictionary *opts = NULL;
    int ret = input_format_options(in->file, &opts);

    if (ret >= 0)
        ret = add_demuxer_options(in->file, iformat, &opts);
    if (ret >= 0 && !av_dict_get(opts, "scan_all_pmts", NULL, 0))
        ret = av_dict_set(&opts, "scan_all_pmts", "1", 0);
    if (ret >= 0)
        ret = avformat_open_input(&in->fc, url, iformat, &opts);
    av_dict_free(&opts);
    return ret;
}

static int is_remote(const PlanInput *in)
{
    return in->network || in->fetch;
}

/** Whether the server offers parts of what it has, so that several can read it. */
static int has_parts(const PlanInput *in)
{
    AVIOContext *pb = in->fc->pb;

    return pb && pb->seekable & AVIO_SEEKABLE_NORMAL && avio_size(pb) > 0;
}

/** What can be read only once is read like a pipe. Of what format it is the server may have told. */
static int fetch(PlanInput *in, char *reason, size_t size)
{
    const AVInputFormat *iformat = in->fc->iformat;
    const CmdFile *f = in->file;
    char pipe[32];
    int ret;

    for (int i = 0; i < f->nb_options; i++)
        if (!f->options[i].def && fetch_takes_option(f->options[i].name))
            return reason_set(reason, size, "an input's server does not offer parts of a file of known size (with -%s)",
                              f->options[i].name);
    avformat_close_input(&in->fc);
    in->network = 0;
    ret = fetch_start(&in->fetch, f->url, &in->number);
    if (ret < 0)
        return ret;
    in->alias = av_asprintf("/dev/fd/%d", in->number);
    ret = in->alias ? open_pipe(in, pipe, sizeof(pipe), reason, size) : AVERROR(ENOMEM);
    if (ret >= 0)
        ret = avio_open2(&in->fc->pb, pipe, AVIO_FLAG_READ, &in->fc->interrupt_callback, NULL);
    return ret < 0 ? ret : open_context(in, f->url, iformat);
}

/** @param lavfi it is made by -f lavfi */
static int read_times(PlanInput *in, int lavfi, char *reason, size_t size)
{
    const CmdFile *f = in->file;
    const CmdOption *loop = cmdline_last(f->options, f->nb_options, "stream_loop");

    if (timelimits_parse(&in->limits, f, reason, size) < 0)
        return AVERROR_PATCHWELCOME;
    if (in->limits.start_eof != AV_NOPTS_VALUE && in->limits.start_eof >= 0)
        return reason_set(reason, size, "-sseof has to be negative");
    in->loop    = loop ? strtol(loop->value, NULL, 10) : 0;
    in->endless = in->loop < 0;
    return in->loop && (lavfi || input_is_pipe(f->url)) ?
           reason_set(reason, size, "-stream_loop is for files") : 0;
}

static int open_lavfi(PlanInput *in, char *reason, size_t size)
{
    int ret = lavfi_open(&in->lavfi, &in->fc, in->file->url, &in->endless, reason, size);

    in->virtual = 1;
    /* there stock fails to seek */
    if (ret >= 0 && in->lavfi && (in->limits.start != AV_NOPTS_VALUE || in->limits.start_eof != AV_NOPTS_VALUE))
        ret = reason_set(reason, size, "lavfi's pictures are to begin in the middle");
    return ret;
}

/** @param verb of what failed with ret */
static int refuse_input(const PlanInput *in, const char *verb, int ret, char *reason, size_t size)
{
    /* urls may hold secrets */
    return reason_set(reason, size, "the input %s cannot be %s: %s", is_remote(in) ? "on the network" : in->file->url,
                      verb, av_err2str(ret));
}

/** The demuxer, on whatever the url stands for. @param iformat NULL: it finds out */
static int open_demuxer(PlanInput *in, const AVInputFormat *iformat, char *reason, size_t size)
{
    const CmdFile *f = in->file;
    const char *url = f->url;
    char pipe[32];
    int ret;

    in->number = pipe_number(url);
    ret = in->number >= 0 ? 0 : is_fifo(url) ? open_fifo(in, iformat, reason, size) :
          check_url(in, f, reason, size);
    if (ret >= 0 && in->number >= 0) {
        ret = open_pipe(in, pipe, sizeof(pipe), reason, size);
        if (ret >= 0 && in->alias)
            ret = avio_open2(&in->fc->pb, pipe, AVIO_FLAG_READ, &in->fc->interrupt_callback, NULL);
        else
            url = pipe;
    }
    if (ret < 0)
        return ret;
    ret = open_context(in, url, iformat);
    if (ret >= 0 && in->network && !has_parts(in))
        ret = fetch(in, reason, size);
    return ret < 0 && ret != AVERROR_PATCHWELCOME ? refuse_input(in, "opened", ret, reason, size) : ret;
}

int input_open(PlanInput *in, const CmdFile *f, char *reason, size_t size)
{
    const CmdOption *fmt = cmdline_last(f->options, f->nb_options, "f");
    const AVInputFormat *iformat = fmt ? av_find_input_format(fmt->value) : NULL;
    const int lavfi = fmt && !strcmp(fmt->value, "lavfi");
    int ret;

    in->file = f;
    ret = read_times(in, lavfi, reason, size);
    if (ret < 0)
        return ret;
    if (lavfi)
        return open_lavfi(in, reason, size);
    if (fmt && !iformat)
        return reason_set(reason, size, "the input format %s is not one that is split yet", fmt->value);
    ret = open_demuxer(in, iformat, reason, size);
    if (ret >= 0 && in->alias && !fmt)
        ret = name_format(in, reason, size);
    if (ret < 0)
        return ret;
    ret = avformat_find_stream_info(in->fc, NULL);
    if (ret < 0)
        return refuse_input(in, "probed", ret, reason, size);
    if (in->fc->nb_streams > MAX_STREAMS)
        return reason_set(reason, size, "an input has very many streams");
    seek_start(in);
    return 0;
}

/** Close what reads, but neither the store nor what it reads. */
static void close_reader(PlanInput *in)
{
    AVIOContext *pb = in->alias && in->fc ? in->fc->pb : NULL;

    if (in->virtual)
        avformat_free_context(in->fc);
    else
        avformat_close_input(&in->fc);
    in->fc = NULL;
    lavfi_close(&in->lavfi);
    avio_closep(&pb);
    if (in->feed)
        close(in->feed_fd);
    pipestore_feed_close(&in->feed);
}

void input_close(PlanInput *in)
{
    close_reader(in);
    pipestore_free(&in->store);
    if (in->alias)
        close(in->number);
    av_freep(&in->alias);
    fetch_stop(&in->fetch);
}

int input_reopen(PlanInput *in, char *reason, size_t reason_size)
{
    const CmdFile *f = in->file;

    input_close(in);
    memset(in, 0, sizeof(*in));
    return input_open(in, f, reason, reason_size);
}

void input_stop(PlanInput *in)
{
    atomic_store(&in->stopped, 1);
    if (in->store)
        pipestore_stop(in->store);
}

int input_replay(PlanInput *in)
{
    int ret = 0;

    if (in->store) {
        pipestore_stop(in->store);
        close_reader(in);
        ret = pipestore_replay(in->store, in->number);
    } else if (in->alias) {
        fcntl(in->number, F_SETFD, 0);
    }
    pipestore_free(&in->store);
    return ret;
}

int input_return(PlanInput *in)
{
    if (!in->fetch)
        return input_replay(in);
    input_close(in);
    return 0;
}

/**
 * Whether all packets are marked as keyframes, as libavformat's parser does not look for what they
 * are. MP4 and its kin do without it.
 */
static int hides_keyframes(const PlanInput *in, const AVStream *st)
{
    enum AVCodecID id = st->codecpar->codec_id;

    return (id == AV_CODEC_ID_H261 || id == AV_CODEC_ID_H263 || id == AV_CODEC_ID_CAVS || id == AV_CODEC_ID_DIRAC) &&
           strncmp(in->fc->iformat->name, "mov,", 4);
}

/** Whether its decoder has to know the bits of a pixel, which NUT does not keep. */
static int needs_depth(const AVStream *st)
{
    switch (st->codecpar->codec_id) {
    case AV_CODEC_ID_QTRLE:
    case AV_CODEC_ID_CSCD:
    case AV_CODEC_ID_TSCC:
    case AV_CODEC_ID_MSRLE:
    case AV_CODEC_ID_AASC:
    case AV_CODEC_ID_8BPS:
    case AV_CODEC_ID_VMNC:
        return 1;
    case AV_CODEC_ID_RAWVIDEO:   /* upside down, too */
        return st->codecpar->codec_tag == MKTAG('W', 'R', 'A', 'W');
    default:
        return 0;
    }
}

int input_check_splittable(const PlanInput *in, const AVStream *st, char *reason, size_t size)
{
    static const char *const formats[] = {
        "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "mpeg", "flv", "asf", "nut", "mxf",
        "ogg", "ivf", "avi", "concat", "yuv4mpegpipe", "rawvideo", "image2", "h264", "hevc", "m4v", "mpegvideo",
        "obu", "mjpeg", "jpeg_pipe", "lavfi", NULL
    };

    if (st->codecpar->codec_id == AV_CODEC_ID_RAWVIDEO &&
        (!avcodec_pix_fmt_to_codec_tag(st->codecpar->format) ||
         st->codecpar->field_order > AV_FIELD_PROGRESSIVE))
        return reason_set(reason, size, "the raw video is of a kind that cannot travel");
    if (needs_depth(st))
        return reason_set(reason, size, "the video's decoder needs to know what cannot travel");
    if (hides_keyframes(in, st))
        return reason_set(reason, size, "which packets of the video are keyframes is not known");
    if (untimed_is_needed(in->fc, st) && (in->limits.start != AV_NOPTS_VALUE || in->limits.ts_offset))
        return reason_set(reason, size, "its elementary stream has no times to go by");
    return namelist_has(formats, in->fc->iformat->name) ? 0 :
           reason_set(reason, size, "the input is %s, which is not split yet", in->fc->iformat->name);
}
