/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/cpu.h>

#include "../compat.h"
#include "../plan/fonts.h"
#include "encode.h"
#include "hostcaps.h"
#include "hostcommand.h"
#include "verify.h"

/* Bytes of a result at the most: a picture without any compression, 16 bits for each of four components. */
#define RESULT_PER_PIXEL 8
#define RESULT_PER_FRAME (64 << 10)
#define RESULT_HEAD      (1 << 20)
/* Results that are looked at at a time: pictures are decoded, and hundreds of hosts may end at the same moment. */
#define MAX_JUDGES       4

/** What is known of the stream of one plan. */
typedef struct EncodeStream {
    ParamSets   reference;
    int         have_reference;
    int64_t     pixels;         ///< of a picture, as stock makes it here; 0: not known
    int         width, height;  ///< of stock's or of the first result; pictures of several sizes stock scales to that
                                ///< of the first
    float       quantiser;
} EncodeStream;

struct Encode {
    const Plan *plan;
    int         nb_streams;
    BlobPool   *pool;
    sem_t       judges;         ///< that are free
    pthread_mutex_t lock;       ///< for all that follows
    EncodeStream *streams;      ///< by the plans' numbers
    struct EncodeAttempt *running;
    atomic_llong frames;
};

/**
 * What filters tell at their ends, one for each stream: the most, and how many of them have seen so
 * many. Filter graphs that ffmpeg sets up for a try have seen none.
 */
typedef struct FrameTally {
    int64_t frames;
    int     nb;
} FrameTally;

/** One attempt's ears. */
typedef struct EncodeAttempt {
    struct EncodeAttempt *next; ///< in Encode.running
    const Host *host;
    double  fps;
    Blob   *out;
    char    line[512];       ///< of stderr, being put together
    size_t  line_len;
    char    last_error[256]; ///< the last line that looks like a complaint
    char    foreign[128];    ///< the first line that tells of a font that stock does not take here
    char    damage[128];     ///< the first line that tells of damage in the input
    int64_t frames;          ///< encoded, by the host's progress
    int64_t most, most_done; ///< that it ever told of frames, and of FleetAttempt.frames
    int     accepted;        ///< its frames count from now on
    FrameTally fps_in;       ///< that the fps filters have seen
    FrameTally entered;      ///< that each HOSTCOMMAND_COUNTER has seen
    char  (*hashes)[HOSTCOMMAND_HASH_LEN + 1]; ///< of each stream's packets, as they left the encoder
    int64_t limit;           ///< bytes that the result may have
} EncodeAttempt;

int encode_alloc(Encode **out, const Plan *plan, BlobPool *pool)
{
    Encode *e = av_mallocz(sizeof(*e));

    if (!e)
        return AVERROR(ENOMEM);
    e->plan = plan;
    e->pool = pool;
    for (const Plan *p = plan; p; p = p->next)
        e->nb_streams++;
    e->streams = av_calloc(e->nb_streams, sizeof(*e->streams));
    if (!e->streams) {
        av_free(e);
        return AVERROR(ENOMEM);
    }
    for (int i = 0; i < e->nb_streams; i++)
        e->streams[i].quantiser = -1;
    sem_init(&e->judges, 0, av_clip(av_cpu_count(), 1, MAX_JUDGES));
    pthread_mutex_init(&e->lock, NULL);
    *out = e;
    return 0;
}

int encode_set_reference(Encode *e, int number, const ParamSets *reference, int64_t pixels)
{
    EncodeStream *s = &e->streams[number];

    s->pixels = pixels;
    s->width  = reference->width;
    s->height = reference->height;
    if (!reference->size)
        return 0;
    s->reference      = *reference;
    s->reference.data = av_memdup(reference->data, reference->size);
    s->have_reference = !!s->reference.data;
    return s->reference.data ? 0 : AVERROR(ENOMEM);
}

void encode_free(Encode **ep)
{
    Encode *e = *ep;

    if (!e)
        return;
    pthread_mutex_destroy(&e->lock);
    sem_destroy(&e->judges);
    for (int i = 0; i < e->nb_streams; i++)
        paramsets_free(&e->streams[i].reference);
    av_freep(&e->streams);
    av_freep(ep);
}

int64_t encode_frames(const Encode *e)
{
    return atomic_load(&((Encode *)e)->frames);
}

EncodeSpeed encode_speed(Encode *e, const Host *host)
{
    EncodeSpeed s = { .time_us = AV_NOPTS_VALUE };

    pthread_mutex_lock(&e->lock);
    for (EncodeAttempt *t = e->running; t; t = t->next) {
        if (t->host != host)
            continue;
        s.fps    += t->fps;
        s.time_us = FFMAX(s.time_us, av_rescale_q(t->frames, av_inv_q(plan_usual_rate(e->plan)),
                                                  AV_TIME_BASE_Q));
    }
    pthread_mutex_unlock(&e->lock);
    return s;
}

float encode_quantiser(Encode *e, int number)
{
    float q;

    pthread_mutex_lock(&e->lock);
    q = e->streams[number].quantiser;
    pthread_mutex_unlock(&e->lock);
    return q;
}

void encoded_free(Encoded **r)
{
    if (!*r)
        return;
    blob_unref(&(*r)->packets);
    av_freep(r);
}

static char *probe_command(void *opaque, const Host *host)
{
    return hostcaps_command(((const Encode *)opaque)->plan, host);
}

static int host_check(void *opaque, const Host *host, int status, const char *out, HostInfo *info,
                      char *why, size_t why_size)
{
    return hostcaps_check(((const Encode *)opaque)->plan, host, status, out, info, why, why_size);
}

static void host_free(void *opaque, HostInfo *info)
{
    (void)opaque;
    av_freep(&info->priv);
}

/* ---- an attempt ---- */

/** What no sane result exceeds, so that a host that has gone mad does not fill this machine's disk. */
static int64_t largest_result(Encode *e, const Segment *seg)
{
    const AVCodecParameters *in = plan_video(e->plan)->codecpar;
    int64_t pixels = 0;

    for (int i = 0; i < e->nb_streams; i++)
        pixels += e->streams[i].pixels ? e->streams[i].pixels : 4 * (int64_t)in->width * in->height;
    return seg->nb_frames * (RESULT_PER_FRAME + RESULT_PER_PIXEL * pixels) + RESULT_HEAD;
}

static int attempt_begin(void *opaque, FleetAttempt *a, char **command)
{
    Encode *e = opaque;
    const HostCaps *caps = a->info->priv;
    const Segment *seg = a->task->opaque;
    EncodeAttempt *t;
    int ret;

    if (seg->fragile && caps && caps->lavc != LIBAVCODEC_VERSION_INT)
        return AVERROR(ENOSYS);
    t = av_mallocz(sizeof(*t));
    if (!t)
        return AVERROR(ENOMEM);
    a->priv   = t;
    t->host   = a->host;
    t->limit  = largest_result(e, seg);
    pthread_mutex_lock(&e->lock);
    t->next    = e->running;
    e->running = t;
    pthread_mutex_unlock(&e->lock);
    t->hashes = av_calloc(e->nb_streams, sizeof(*t->hashes));
    if (!t->hashes)
        return AVERROR(ENOMEM);
    ret = blob_alloc(&t->out, e->pool);
    if (ret < 0)
        return ret;
    *command = hostcommand_encode(e->plan, seg, hostcaps_ffmpeg(a->host),
                              caps ? caps->lavc : LIBAVCODEC_VERSION_INT);
    return *command ? 0 : AVERROR(ENOMEM);
}

static int attempt_stdout(void *opaque, FleetAttempt *a, const uint8_t *data, size_t size)
{
    EncodeAttempt *t = a->priv;

    (void)opaque;
    /* what is no NUT may have no end either */
    if (!blob_size(t->out) && memcmp(data, "nut/", FFMIN(size, 4)))
        return AVERROR_INVALIDDATA;
    if (blob_size(t->out) + (int64_t)size > t->limit)
        return AVERROR_INVALIDDATA;
    return blob_append(t->out, data, size);
}

static void set_frames(Encode *e, FleetAttempt *a, int64_t frames)
{
    EncodeAttempt *t = a->priv;
    const Segment *seg = a->task->opaque;

    if (a->duplicate)
        return;
    frames = av_clip64(frames, 0, seg->nb_frames);
    atomic_fetch_add(&e->frames, frames - t->frames);
    pthread_mutex_lock(&e->lock);
    t->frames = frames;
    pthread_mutex_unlock(&e->lock);
}

/**
 * The work that is done. -progress counts the frames that an encoder was given, and one that looks ahead takes
 * dozens at once: only what comes out tells how fast it is.
 * @param time microseconds of output, from its first packet on
 */
static void set_done(const Encode *e, FleetAttempt *a, int64_t time)
{
    const Segment *seg = a->task->opaque;

    a->frames = av_clip64(time / 1e6 * av_q2d(plan_usual_rate(e->plan)), 0, seg->nb_frames);
}

static void set_speed(Encode *e, EncodeAttempt *t, double fps)
{
    pthread_mutex_lock(&e->lock);
    t->fps = fps >= 0 && fps < 1e9 ? fps : 0;
    pthread_mutex_unlock(&e->lock);
}

static void set_quantiser(Encode *e, int number, double q)
{
    pthread_mutex_lock(&e->lock);
    if (number >= 0 && number < e->nb_streams && q > 0 && q < 1e6)
        e->streams[number].quantiser = q;
    pthread_mutex_unlock(&e->lock);
}

/** What one filter tells. */
static void count_told(FrameTally *t, int64_t frames)
{
    if (frames > t->frames)
        *t = (FrameTally) { .frames = frames };
    t->nb += frames == t->frames;
}

/** vfrdet tells of its frames by their differences: "VFR:0.5 (variable/constant)". */
static void take_counter(EncodeAttempt *t, const char *line)
{
    const char *p = av_strstart(line, "["HOSTCOMMAND_COUNTER, &p) ? strstr(p, " VFR:") : NULL;
    long long variable, constant;

    if (p && (p = strchr(p, '(')) && sscanf(p, "(%lld/%lld)", &variable, &constant) == 2)
        count_told(&t->entered, av_sat_add64(av_sat_add64(variable, constant), 1));
}

/** "0,v,murmur3=..." */
static int take_hash(const Encode *e, EncodeAttempt *t, const char *line)
{
    char hash[HOSTCOMMAND_HASH_LEN + 1];
    int number;

    if (sscanf(line, "%d,v,"HOSTCOMMAND_HASH"=%32[0-9a-f]", &number, hash) != 2 || number < 0 ||
        number >= e->nb_streams)
        return 0;
    av_strlcpy(t->hashes[number], hash, sizeof(t->hashes[number]));
    return 1;
}

/** What a decoder makes up for damage depends on the frames before, which another segment may hold. */
static int tells_of_damage(const char *line)
{
    return strstr(line, "error while decoding") || strstr(line, "Error while decoding stream") ||
           strstr(line, "Error submitting packet to decoder") || strstr(line, "] Decoding error: ") ||
           strstr(line, "] concealing ");
}

static void take_line(Encode *e, FleetAttempt *a, EncodeAttempt *t)
{
    const char *s = t->line, *p;
    long long in;
    double q;
    int number;

    if (av_strstart(s, "frame=", &p)) {
        set_frames(e, a, strtoll(p, NULL, 10));
    } else if (av_strstart(s, "out_time_us=", &p)) {
        set_done(e, a, strtoll(p, NULL, 10));
    } else if (av_strstart(s, "fps=", &p)) {
        set_speed(e, t, strtod(p, NULL));
    } else if (sscanf(s, "stream_0_%d_q=%lf", &number, &q) == 2) {
        set_quantiser(e, number, q);
    } else if ((p = strstr(s, " frames in, ")) && strstr(p, " frames out; ")) {
        while (p > s && p[-1] >= '0' && p[-1] <= '9')
            p--;
        if (sscanf(p, "%lld", &in) == 1)
            count_told(&t->fps_in, in);
    } else if (av_strstart(s, "["HOSTCOMMAND_COUNTER, NULL)) {
        take_counter(t, s);
    } else if (take_hash(e, t, s)) {
        return;
    } else if (av_strstart(s, "Conversion failed", NULL)) {
        return;  /* what came before it tells more */
    } else if (av_stristr(s, "error") || av_stristr(s, "invalid") || av_stristr(s, "no such") ||
               av_stristr(s, "unrecognized") || av_stristr(s, "failed") ||
               av_stristr(s, "cannot") || av_stristr(s, "not found")) {
        av_strlcpy(t->last_error, s, sizeof(t->last_error));
    }
    if (!*t->foreign && fonts_line_is_foreign(e->plan, s))
        av_strlcpy(t->foreign, s, sizeof(t->foreign));
    if (!*t->damage && tells_of_damage(s))
        av_strlcpy(t->damage, s, sizeof(t->damage));
}

/** Whether more is told of than ever before; that much a segment has. */
static int has_moved(EncodeAttempt *t, const FleetAttempt *a, int64_t frames)
{
    const Segment *seg = a->task->opaque;
    int moved;

    frames = FFMIN(frames, seg->nb_frames);
    moved  = frames > t->most || a->frames > t->most_done;
    t->most      = FFMAX(t->most, frames);
    t->most_done = FFMAX(t->most_done, a->frames);
    return moved;
}

static int attempt_stderr(void *opaque, FleetAttempt *a, const char *data, size_t size)
{
    EncodeAttempt *t = a->priv;
    const char *frames;
    int moved = 0;

    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n' || data[i] == '\r') {
            t->line[t->line_len] = 0;
            take_line(opaque, a, t);
            moved |= has_moved(t, a, av_strstart(t->line, "frame=", &frames) ? strtoll(frames, NULL, 10) : 0);
            t->line_len = 0;
        } else if (t->line_len < sizeof(t->line) - 1) {
            t->line[t->line_len++] = data[i] < ' ' && data[i] >= 0 ? ' ' : data[i];
        }
    }
    return moved;
}

/** All segments have to share one set of parameters: the first result sets them unless stock's are known. */
static int check_params(Encode *e, int number, ParamSets *ps, char *why, size_t why_size)
{
    EncodeStream *s = &e->streams[number];
    int ret = 0;

    pthread_mutex_lock(&e->lock);
    if (s->have_reference && !paramsets_equal(&s->reference, ps)) {
        snprintf(why, why_size, "its encoder makes other stream headers than this machine's: "
                 "its segments cannot be mixed in");
        ret = AVERROR_INVALIDDATA;
    } else if (s->width && (ps->width != s->width || ps->height != s->height)) {
        snprintf(why, why_size, "the result's pictures have another size");
        ret = AVERROR_INVALIDDATA;
    } else {
        s->width  = ps->width;
        s->height = ps->height;
    }
    if (ret >= 0 && !s->have_reference) {
        s->reference      = *ps;
        s->have_reference = 1;
        memset(ps, 0, sizeof(*ps));
    }
    pthread_mutex_unlock(&e->lock);
    return ret;
}

/** @param t whose result it is; NULL: what was verified before, and kept */
static int verify(Encode *e, const EncodeAttempt *t, const Segment *seg, Encoded *r, char *why,
                  size_t why_size)
{
    int ret = 0;

    while (sem_wait(&e->judges) < 0 && errno == EINTR)
        ;
    for (const Plan *p = e->plan; p && ret >= 0; p = p->next) {
        ParamSets ps = { 0 };

        ret = verify_result(r->packets, p, seg, t ? t->hashes[p->number] : NULL, t && !t->host->local, &ps,
                            why, why_size);
        if (ret >= 0)
            ret = check_params(e, p->number, &ps, why, why_size);
        paramsets_free(&ps);
    }
    sem_post(&e->judges);
    return ret;
}

int encode_restore(Encode *e, const Segment *seg, Blob *packets, Encoded **out)
{
    Encoded *r = av_mallocz(sizeof(*r));
    char why[256] = "";
    int ret;

    if (!r) {
        blob_unref(&packets);
        return AVERROR(ENOMEM);
    }
    r->packets = packets;
    r->frames  = seg->nb_frames;
    ret = verify(e, NULL, seg, r, why, sizeof(why));
    if (ret < 0) {
        encoded_free(&r);
        return ret;
    }
    atomic_fetch_add(&e->frames, r->frames);
    *out = r;
    return 0;
}

/** What the host's ffmpeg has told while it worked, before anything is looked at that it made. */
static int check_reports(const Encode *e, const EncodeAttempt *t, const Segment *seg, int status,
                         char *why, size_t why_size)
{
    const FrameTally *seen = e->plan->timing ? &t->entered : &t->fps_in;
    int64_t wanted = e->plan->timing ? seg->chain.nb_seen : seg->nb_window;
    int64_t sure   = e->plan->timing ? seg->chain.nb_sure : wanted;

    if (*t->damage) {
        snprintf(why, why_size, "the input is damaged: %s", t->damage);
        return AVERROR_PATCHWELCOME;
    }
    if (status) {
        snprintf(why, why_size, "ffmpeg ended with status %d%s%s", status,
                 t->last_error[0] ? ": " : "", t->last_error);
        return AVERROR_EXTERNAL;
    }
    if (*t->foreign) {
        snprintf(why, why_size, "it draws with another font than this machine: %s", t->foreign);
        return AVERROR_EXTERNAL;
    }
    if (seen->nb < e->nb_streams) {
        snprintf(why, why_size, "its ffmpeg is not a real one, or its stderr is lost on the way");
        return AVERROR_INVALIDDATA;
    }
    /* a frame that could not be decoded would be hidden by a repeated one */
    if (seen->frames < sure || seen->frames > wanted) {
        snprintf(why, why_size, "%"PRId64" frames could be decoded instead of %"PRId64,
                 seen->frames, wanted);
        return AVERROR_EXTERNAL;
    }
    return 0;
}

static int attempt_end(void *opaque, FleetAttempt *a, int status, void **result,
                       char *why, size_t why_size)
{
    Encode *e = opaque;
    EncodeAttempt *t = a->priv;
    const Segment *seg = a->task->opaque;
    Encoded *r;
    int ret;

    why[0] = 0;
    ret = check_reports(e, t, seg, status, why, why_size);
    if (ret < 0)
        return ret;
    r = av_mallocz(sizeof(*r));
    if (!r)
        return AVERROR(ENOMEM);
    blob_seal(t->out);
    r->packets = t->out;
    t->out     = NULL;
    ret = verify(e, t, seg, r, why, why_size);
    if (ret < 0) {
        encoded_free(&r);
        return ret;
    }
    a->frames = r->frames = seg->nb_frames;
    atomic_fetch_add(&e->frames, r->frames - t->frames);
    t->accepted = 1;
    *result = r;
    return 0;
}

static void attempt_free(void *opaque, FleetAttempt *a)
{
    Encode *e = opaque;
    EncodeAttempt *t = a->priv;

    if (!t)
        return;
    pthread_mutex_lock(&e->lock);
    for (EncodeAttempt **p = &e->running; *p; p = &(*p)->next)
        if (*p == t) {
            *p = t->next;
            break;
        }
    pthread_mutex_unlock(&e->lock);
    if (!t->accepted)
        atomic_fetch_sub(&e->frames, t->frames);
    blob_unref(&t->out);
    av_free(t->hashes);
    av_freep(&a->priv);
}

static void result_free(void *opaque, void *result)
{
    Encode *e = opaque;
    Encoded *r = result;

    atomic_fetch_sub(&e->frames, r->frames);
    encoded_free(&r);
}

void encode_client(Encode *e, FleetClient *client)
{
    *client = (FleetClient) {
        .opaque         = e,
        .probe_command  = probe_command,
        .host_check     = host_check,
        .host_free      = host_free,
        .attempt_begin  = attempt_begin,
        .attempt_stdout = attempt_stdout,
        .attempt_stderr = attempt_stderr,
        .attempt_end    = attempt_end,
        .attempt_free   = attempt_free,
        .result_free    = result_free,
    };
}
