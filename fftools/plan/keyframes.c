/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/eval.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
#include <libavutil/parseutils.h>

#include "../compat.h"
#include "keyframes.h"

static const char *const expr_names[] = {
    "n", "n_forced", "prev_forced_n", "prev_forced_t", "t", NULL
};
enum { EXPR_N, EXPR_N_FORCED, EXPR_PREV_N, EXPR_PREV_T, EXPR_T, EXPR_NB };

struct ForcedKeyframes {
    AVRational frame_rate;
    AVExpr    *expr;          ///< or NULL: times
    double     values[EXPR_NB];
    int64_t   *times;         ///< microseconds, sorted
    int        nb_times, next;
    int64_t    first_slot;
    int        started;
};

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return FFDIFFSIGN(x, y);
}

static int parse_times(ForcedKeyframes *k, const char *spec)
{
    while (*spec) {
        size_t len = strcspn(spec, ",");
        char *word = av_strndup(spec, len);
        int64_t *times = av_realloc_array(k->times, k->nb_times + 1, sizeof(*times));
        int ret;

        if (times)
            k->times = times;
        if (!times || !word) {
            av_free(word);
            return AVERROR(ENOMEM);
        }
        ret = av_parse_time(&times[k->nb_times], word, 1);
        av_free(word);
        if (ret < 0)
            return ret;
        k->nb_times++;
        spec += len + !!spec[len];
    }
    if (k->nb_times)
        qsort(k->times, k->nb_times, sizeof(*k->times), by_value);
    return 0;
}

int forced_keyframes_alloc(ForcedKeyframes **out, const char *spec, AVRational frame_rate)
{
    ForcedKeyframes *k = av_mallocz(sizeof(*k));
    int ret;

    if (!k)
        return AVERROR(ENOMEM);
    k->frame_rate = frame_rate;
    k->values[EXPR_PREV_N] = k->values[EXPR_PREV_T] = NAN;
    if (av_strstart(spec, "expr:", &spec))
        ret = av_expr_parse(&k->expr, spec, expr_names, NULL, NULL, NULL, NULL, 0, NULL);
    else if (av_strstart(spec, "source", NULL) || strstr(spec, "chapters"))
        ret = AVERROR_PATCHWELCOME;
    else
        ret = parse_times(k, spec);
    if (ret < 0)
        forced_keyframes_free(&k);
    *out = k;
    return ret;
}

void forced_keyframes_free(ForcedKeyframes **kp)
{
    ForcedKeyframes *k = *kp;

    if (!k)
        return;
    av_expr_free(k->expr);
    av_freep(&k->times);
    av_freep(kp);
}

static int time_reached(const ForcedKeyframes *k, int64_t slot)
{
    AVRational tb = av_inv_q(k->frame_rate);
    int64_t time  = k->times[k->next];

    /* 5.1 rounds the time to a frame first */
    return COMPAT_TIMING_7 ? av_compare_ts(slot, tb, time, AV_TIME_BASE_Q) >= 0 :
                             slot >= av_rescale_q(time, AV_TIME_BASE_Q, tb);
}

static int eval(ForcedKeyframes *k, int64_t slot)
{
    double *v = k->values;
    int forced;

    v[EXPR_T] = (slot - k->first_slot) * av_q2d(av_inv_q(k->frame_rate));
    forced = !!av_expr_eval(k->expr, v, NULL);
    if (forced) {
        v[EXPR_PREV_N] = v[EXPR_N];
        v[EXPR_PREV_T] = v[EXPR_T];
        v[EXPR_N_FORCED] += 1;
    }
    v[EXPR_N] += 1;
    return forced;
}

int forced_keyframes_next(ForcedKeyframes *k, int64_t slot)
{
    if (!k->started)
        k->first_slot = slot;
    k->started = 1;
    if (k->expr)
        return eval(k, slot);
    if (k->next == k->nb_times || !time_reached(k, slot))
        return 0;
    k->next++;
    return 1;
}
