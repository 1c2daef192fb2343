/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libavformat/avformat.h>
#include <libavutil/lfg.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>

#include "fftools/compat.h"
#include "fftools/stock.h"
#include "fftools/plan/timeline.h"

#define MAX_FRAMES 100
#define MAX_SHOWN  4000
#define NB_RANDOM  500
#define NB_RANDOM_SHORT 40
#define SIDE       8     /* of the pictures, whose bytes are all their number */

/* ---- what a timeline says, as a list of output frames ---- */

typedef struct Shown {
    int64_t slot;
    int     frame;   ///< of the input
} Shown;

typedef struct Show {
    Shown list[MAX_SHOWN];
    int   nb;
} Show;

static void show(Show *s, int64_t slot, int64_t count, int frame)
{
    for (int64_t i = 0; i < count; i++) {
        assert_true(s->nb < MAX_SHOWN);
        s->list[s->nb++] = (Shown) { slot + i, frame };
    }
}

static void simulate(const TimelineConfig *cfg, const int64_t *pts, const int64_t *duration, int nb,
                     Timeline *t, Show *s)
{
    TimelineStep step;

    s->nb = 0;
    timeline_init(t, cfg);
    for (int i = 0; i < nb; i++) {
        assert_int_equal(timeline_add(t, pts[i], duration ? duration[i] : 0, &step), 0);
        show(s, step.prev_slot, step.prev_count, i - 1);
        show(s, step.slot, step.count, i);
    }
    timeline_flush(t, &step);
    show(s, step.prev_slot, step.prev_count, nb - 1);
}

/* ---- tables: what ffmpeg 5.1 and 7.1 agree on ---- */

static void check_table(enum VsyncMethod vsync, AVRational rate, AVRational in_rate,
                        const char *pts, const char *want, int dup, int drop)
{
    TimelineConfig cfg = { .vsync = vsync, .frame_rate = rate, .in_time_base = { 1, 1000 }, .duration_time_base = { 1, 1000 },
                           .sink_frame_rate = in_rate };
    int64_t list[MAX_FRAMES], duration[MAX_FRAMES];
    int nb = 0, pos = 0, n;
    long long value;
    char got[4096] = "";
    Timeline t;
    Show s;

    for (; sscanf(pts + pos, "%lld%n", &value, &n) == 1; pos += n) {
        assert_true(nb < MAX_FRAMES);
        duration[nb] = 1000 * in_rate.den / in_rate.num;
        list[nb++]   = value;
    }
    simulate(&cfg, list, duration, nb, &t, &s);
    for (int i = 0; i < s.nb; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%d@%d", i ? " " : "",
                 s.list[i].frame, (int)s.list[i].slot);
    assert_string_equal(got, want);
    assert_int_equal(t.nb_dup, dup);
    assert_int_equal(t.nb_drop, drop);
}

static void test_tables(void **state)
{
    const AVRational r25 = { 25, 1 }, r50 = { 50, 1 };

    (void)state;
    check_table(VSYNC_CFR, r25, r25, "0 40 80 120", "0@0 1@1 2@2 3@3", 0, 0);
    /* the clock of Matroska */
    check_table(VSYNC_CFR, (AVRational) { 24000, 1001 }, (AVRational) { 24000, 1001 },
                "0 42 83 125 167", "0@0 1@1 2@2 3@3 4@4", 0, 0);
    /* frames are missing: one is filled by the next, more by the last and the next */
    check_table(VSYNC_CFR, r25, r25, "0 40 120 160", "0@0 1@1 2@2 2@3 3@4", 1, 0);
    check_table(VSYNC_CFR, r25, r25, "0 40 200 240", "0@0 1@1 1@2 1@3 2@4 2@5 3@6", 3, 0);
    check_table(VSYNC_VFR, r25, r25, "0 40 120 160", "0@0 1@1 2@3 3@4", 0, 0);
    /* a burst: the first of them still takes the next slot */
    check_table(VSYNC_VFR, r25, r25, "0 40 41 42 80", "0@0 1@1 2@2 4@3", 0, 1);
    /* too many: the output runs ahead by up to a frame before any is dropped */
    check_table(VSYNC_CFR, r25, r50, "0 20 40 60 80 100", "0@0 1@1 2@2 3@3 5@4", 0, 1);
    /* starts late: with other streams around the time before is filled */
    check_table(VSYNC_CFR, r25, r25, "80 120", "0@0 0@1 0@2 1@3", 2, 0);
    check_table(VSYNC_VSCFR, r25, r25, "80 120", "0@2 1@3", 0, 0);
    check_table(VSYNC_VSCFR, r25, r25, "30 70", "0@1 1@2", 0, 0);
    check_table(VSYNC_VFR, r25, r25, "80 120", "0@2 1@3", 0, 0);
    check_table(VSYNC_PASSTHROUGH, r25, r25, "80 120 400", "0@2 1@3 2@10", 0, 0);
}

static void test_refusals(void **state)
{
    TimelineConfig cfg = { .vsync = VSYNC_DROP, .frame_rate = { 25, 1 },
                           .in_time_base = { 1, 1000 }, .duration_time_base = { 1, 1000 },
                           .sink_frame_rate = { 25, 1 } };
    TimelineStep step;
    Timeline t;

    (void)state;
    timeline_init(&t, &cfg);
    assert_int_equal(timeline_add(&t, 0, 40, &step), AVERROR_PATCHWELCOME);
    cfg.vsync = VSYNC_PASSTHROUGH;
    timeline_init(&t, &cfg);
    assert_int_equal(timeline_add(&t, 0, 40, &step), 0);
    assert_int_equal(timeline_add(&t, 10, 40, &step), AVERROR_PATCHWELCOME); /* the same slot again */
    cfg.vsync = VSYNC_CFR;
    timeline_init(&t, &cfg);
    assert_int_equal(timeline_add(&t, 0, 40, &step), 0);
    assert_int_equal(timeline_add(&t, INT64_C(40000000000), 40, &step), AVERROR_PATCHWELCOME);
}

/* A slot belongs to one frame only, and slots grow, whatever comes in. */
static void test_order(void **state)
{
    static const enum VsyncMethod methods[] = { VSYNC_CFR, VSYNC_VFR, VSYNC_VSCFR };
    AVLFG lfg;

    (void)state;
    av_lfg_init(&lfg, 7);
    for (int run = 0; run < 3000; run++) {
        TimelineConfig cfg = { .vsync = methods[run % 3], .in_time_base = { 1, 1000 }, .duration_time_base = { 1, 1000 },
                               .frame_rate = { 1 + av_lfg_get(&lfg) % 120, 1 },
                               .sink_frame_rate = { 1 + av_lfg_get(&lfg) % 120, 1 },
                               .use_duration = av_lfg_get(&lfg) & 1 };
        int64_t pts[40], duration[40], at = av_lfg_get(&lfg) % 300;
        int64_t frames = 0, last = INT64_MIN;
        Timeline t;
        Show s;

        for (int i = 0; i < 40; i++) {
            pts[i]      = at;
            duration[i] = av_lfg_get(&lfg) % 50;
            at += 1 + av_lfg_get(&lfg) % (av_lfg_get(&lfg) % 8 ? 60 : 400);
        }
        simulate(&cfg, pts, duration, 40, &t, &s);
        for (int i = 0; i < s.nb; i++, frames++) {
            assert_true(s.list[i].slot > last);
            assert_true(!i || s.list[i].frame >= s.list[i - 1].frame);
            if (cfg.vsync == VSYNC_CFR)
                assert_int_equal(s.list[i].slot, i);
            last = s.list[i].slot;
        }
        assert_int_equal(frames, t.frame_number);
        assert_int_equal(last + 1, t.next_slot);
    }
}

/* ---- against the real ffmpeg ---- */

typedef struct Clip {
    AVRational tb;
    int64_t pts[MAX_FRAMES];
    int     nb;
} Clip;

static void fill_packet(AVPacket *pkt, int number)
{
    assert_int_equal(av_new_packet(pkt, SIDE * SIDE * 3), 0);
    memset(pkt->data, number, pkt->size);
    pkt->flags = AV_PKT_FLAG_KEY;
}

static void write_clip(const char *name, const char *format, const Clip *c, AVRational rate)
{
    AVFormatContext *fc = NULL;
    AVDictionary *opts = NULL;
    AVPacket *pkt = av_packet_alloc();
    AVStream *st;

    assert_int_equal(avformat_alloc_output_context2(&fc, NULL, format, name) < 0, 0);
    st = avformat_new_stream(fc, NULL);
    st->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    st->codecpar->codec_id   = AV_CODEC_ID_RAWVIDEO;
    st->codecpar->format     = AV_PIX_FMT_RGB24;
    st->codecpar->width      = st->codecpar->height = SIDE;
    if (strcmp(format, "mov"))
        st->codecpar->codec_tag = avcodec_pix_fmt_to_codec_tag(AV_PIX_FMT_RGB24);
    st->codecpar->bits_per_coded_sample = 24;
    st->time_base      = c->tb;
    st->avg_frame_rate = rate;
    assert_int_equal(avio_open(&fc->pb, name, AVIO_FLAG_WRITE), 0);
    av_dict_set(&opts, "allow_raw_vfw", "1", 0);
    assert_true(avformat_write_header(fc, &opts) >= 0);
    av_dict_free(&opts);
    for (int i = 0; i < c->nb; i++) {
        fill_packet(pkt, i);
        pkt->pts = pkt->dts = c->pts[i];
        pkt->duration = (i + 1 < c->nb ? c->pts[i + 1] : 2 * c->pts[i] - c->pts[i - 1]) - c->pts[i];
        av_packet_rescale_ts(pkt, c->tb, st->time_base);
        assert_int_equal(av_write_frame(fc, pkt), 0);
        av_packet_unref(pkt);
    }
    assert_int_equal(av_write_trailer(fc), 0);
    avio_closep(&fc->pb);
    avformat_free_context(fc);
    av_packet_free(&pkt);
}

static AVFormatContext *open_clip(const char *name)
{
    AVFormatContext *fc = NULL;

    assert_int_equal(avformat_open_input(&fc, name, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(fc, NULL) >= 0);
    assert_int_equal(fc->nb_streams, 1);
    return fc;
}

/* What ffmpeg made. */
static void read_shown(const char *name, AVRational rate, Show *s)
{
    AVFormatContext *fc = open_clip(name);
    AVPacket *pkt = av_packet_alloc();

    s->nb = 0;
    while (av_read_frame(fc, pkt) >= 0) {
        assert_true(pkt->size == SIDE * SIDE * 3 && pkt->pts != AV_NOPTS_VALUE);
        show(s, av_rescale_q(pkt->pts, fc->streams[0]->time_base, av_inv_q(rate)), 1,
             pkt->data[0]);
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    avformat_close_input(&fc);
}

/* What we say that it makes, from the same file. */
static void foresee(const char *name, TimelineConfig *cfg, int have_rate, Show *s)
{
    AVFormatContext *fc = open_clip(name);
    AVStream *st = fc->streams[0];
    AVPacket *pkt = av_packet_alloc();
    int64_t pts[MAX_FRAMES], duration[MAX_FRAMES], offset;
    Timeline t;
    int nb = 0;

    cfg->sink_frame_rate = av_guess_frame_rate(fc, st, NULL);
    if (!have_rate)
        cfg->frame_rate = cfg->sink_frame_rate;
    cfg->in_time_base = cfg->duration_time_base = st->time_base;
    offset = fc->start_time == AV_NOPTS_VALUE ? 0 :
             av_rescale_q(-fc->start_time, AV_TIME_BASE_Q, st->time_base);
    for (; av_read_frame(fc, pkt) >= 0; nb++) {
        assert_true(nb < MAX_FRAMES);
        pts[nb]      = pkt->pts + offset;
        duration[nb] = pkt->duration;
        av_packet_unref(pkt);
    }
    av_packet_free(&pkt);
    avformat_close_input(&fc);
    simulate(cfg, pts, duration, nb, &t, s);
}

static void run_ffmpeg(const char *stock, const char *in, const char *rate, const char *filter,
                       const char *mode, const char *format, const char *out)
{
    const char *argv[32] = { "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", in };
    int n = 7, status;
    pid_t pid;

    if (rate) {
        argv[n++] = "-r";
        argv[n++] = rate;
    }
    if (filter) {
        argv[n++] = "-vf";
        argv[n++] = filter;
    }
    if (mode) {
        argv[n++] = "-vsync";
        argv[n++] = mode;
    }
    argv[n++] = "-c:v";
    argv[n++] = "rawvideo";
    argv[n++] = "-pix_fmt";
    argv[n++] = "rgb24";
    argv[n++] = "-f";
    argv[n++] = format;
    argv[n++] = out;
    argv[n]   = NULL;
    assert_int_equal(stock_spawn(&pid, stock, argv, -1, 0, -1, -1), 0);
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Frame times as they occur: regular on a coarse clock, frames lost, bursts, pauses, noise. */
static void make_clip(AVLFG *lfg, Clip *c, AVRational rate)
{
    static const AVRational clocks[] = { { 1, 1000 }, { 1, 90000 }, { 1, 12800 }, { 1, 600 } };
    unsigned kind = av_lfg_get(lfg) % 5;
    double at = 0, step;

    c->tb = clocks[av_lfg_get(lfg) % FF_ARRAY_ELEMS(clocks)];
    c->nb = 0;
    step  = av_q2d(av_inv_q(av_mul_q(rate, c->tb)));
    for (int i = 0; i < 60; i++, at += step) {
        unsigned dice = av_lfg_get(lfg) % 100;
        double t = at;

        if (kind == 1 && dice < 25)
            continue;
        if (kind == 2 && dice < 30)
            at -= step * 0.7;
        if (kind == 3 && dice < 10)
            at += step * (dice + 1) * 1.7;
        if (kind == 4)
            t += step * (dice - 50.) / 60;
        if (c->nb && llrint(t) <= c->pts[c->nb - 1])
            continue;
        c->pts[c->nb++] = llrint(t < 0 ? 0 : t);
    }
}

typedef struct Fixture {
    char  dir[512];
    char *stock;
} Fixture;

static void compare_shows(const Show *want, const Show *got, const char *what)
{
    for (int i = 0; i < FFMAX(want->nb, got->nb); i++)
        if (i >= want->nb || i >= got->nb || want->list[i].slot != got->list[i].slot ||
            want->list[i].frame != got->list[i].frame)
            fail_msg("%s: output frame %d: ffmpeg shows %d of %d at slot %d, we %d of %d at slot %d",
                     what, i, i < want->nb ? want->list[i].frame : -1, want->nb,
                     i < want->nb ? (int)want->list[i].slot : -1,
                     i < got->nb ? got->list[i].frame : -1, got->nb,
                     i < got->nb ? (int)got->list[i].slot : -1);
}

static void check_random(const Fixture *f, unsigned seed)
{
    static const AVRational rates[] = {
        { 25, 1 }, { 30000, 1001 }, { 24000, 1001 }, { 50, 1 }, { 60, 1 }, { 24, 1 }, { 10, 1 }
    };
    static const char *const out_rates[] = { NULL, NULL, "25", "30000/1001", "60", "12.5" };
    static const AVRational out_values[] = {
        { 0 }, { 0 }, { 25, 1 }, { 30000, 1001 }, { 60, 1 }, { 25, 2 }
    };
    static const char *const formats[] = { "nut", "matroska", "mov" };
    TimelineConfig cfg = { 0 };
    char in[600], out[600], what[256];
    AVRational rate;
    int r, to_mov, cfr, filter, variable;
    Clip c;
    static Show want, got;
    AVLFG lfg;

    av_lfg_init(&lfg, seed);
    snprintf(in, sizeof(in), "%s/in", f->dir);
    snprintf(out, sizeof(out), "%s/out", f->dir);
    rate   = rates[av_lfg_get(&lfg) % FF_ARRAY_ELEMS(rates)];
    r      = av_lfg_get(&lfg) % FF_ARRAY_ELEMS(out_rates);
    to_mov = av_lfg_get(&lfg) & 1;
    cfr    = !to_mov && (av_lfg_get(&lfg) & 1);
    filter = av_lfg_get(&lfg) & 1;
    make_clip(&lfg, &c, rate);
    write_clip(in, formats[av_lfg_get(&lfg) % FF_ARRAY_ELEMS(formats)], &c, rate);

    cfg.frame_rate     = out_values[r];
    cfg.out_rate_given = !!out_rates[r];
    cfg.use_duration   = !filter;
    /* as ffmpeg chooses with one stream: mov asks for constant frame rates in 5.1, not in 7.1 */
    variable  = av_guess_format(to_mov ? "mov" : "nut", NULL, NULL)->flags & AVFMT_VARIABLE_FPS;
    cfg.vsync = cfr ? VSYNC_CFR :
                variable && !(COMPAT_TIMING_7 && out_rates[r]) ? VSYNC_VFR : VSYNC_VSCFR;
    run_ffmpeg(f->stock, in, out_rates[r], filter ? "null" : NULL, cfr ? "cfr" : NULL,
               to_mov ? "mov" : "nut", out);
    foresee(in, &cfg, !!out_rates[r], &got);
    read_shown(out, cfg.frame_rate, &want);
    snprintf(what, sizeof(what), "seed %u, %d frames, %d/%d to %d/%d fps, vsync %d%s", seed, c.nb,
             rate.num, rate.den, cfg.frame_rate.num, cfg.frame_rate.den, cfg.vsync,
             filter ? ", filtered" : "");
    compare_shows(&want, &got, what);
}

/* FFLEET_TEST_ALL=1: all of the seeds */
static void test_against_ffmpeg(void **state)
{
    unsigned nb = getenv("FFLEET_TEST_ALL") ? NB_RANDOM : NB_RANDOM_SHORT;

    for (unsigned seed = 1; seed <= nb; seed++)
        check_random(*state, seed);
}

static int set_up(void **state)
{
    Fixture *f = av_mallocz(sizeof(*f));
    const char *tmp = getenv("TMPDIR");
    char err[256];

    snprintf(f->dir, sizeof(f->dir), "%s/timelineXXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(f->dir) || stock_find(&f->stock, err, sizeof(err)) < 0)
        return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    static const char *const names[] = { "in", "out" };

    for (size_t i = 0; i < FF_ARRAY_ELEMS(names); i++) {
        char name[600];

        snprintf(name, sizeof(name), "%s/%s", f->dir, names[i]);
        unlink(name);
    }
    rmdir(f->dir);
    av_freep(&f->stock);
    av_free(f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_order),
        cmocka_unit_test_setup_teardown(test_against_ffmpeg, set_up, tear_down),
    };

    av_log_set_level(AV_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
