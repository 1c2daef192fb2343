/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavutil/avstring.h>
#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/macros.h>
#include <libavutil/mem.h>
#include <libavutil/parseutils.h>

#include "../command/filterargs.h"
#include "../reason.h"
#include "filterchain.h"
#include "trimjoin.h"

int trimjoin_read_concat(const char *text, int *nb_parts, int *video, int *audio)
{
    const char *args = strchr(text, '=');
    const AVDictionaryEntry *e = NULL;
    AVDictionary *opts = NULL;
    int ret = filterargs_parse(&opts, avfilter_get_by_name("concat"), args ? args + 1 : "");

    *nb_parts = 2;
    *video    = 1;
    *audio    = 0;
    while (ret >= 0 && (e = av_dict_get(opts, "", e, AV_DICT_IGNORE_SUFFIX))) {
        char *end;
        long value = strtol(e->value, &end, 10);
        int *to = !strcmp(e->key, "n") ? nb_parts : !strcmp(e->key, "v") ? video :
                  !strcmp(e->key, "a") ? audio : NULL;

        if (!to || *end || value < 0 || value > TRIMJOIN_MAX_PARTS)
            ret = AVERROR_PATCHWELCOME;
        else
            *to = value;
    }
    av_dict_free(&opts);
    return ret;
}

/** In AV_TIME_BASE units. */
typedef struct TrimPart {
    int64_t start, end;   ///< end: INT64_MAX where it goes on to the end of the video
} TrimPart;

typedef struct PartWalk {
    TrimPart *part;
    int trims, zeroes;  ///< filters so far
} PartWalk;

static int read_trim(TrimPart *part, const AVDictionary *opts)
{
    const AVDictionaryEntry *e = NULL;
    int64_t duration = INT64_MAX;
    int ret = 0;

    part->start = 0;
    part->end   = INT64_MAX;
    while (ret >= 0 && (e = av_dict_get(opts, "", e, AV_DICT_IGNORE_SUFFIX))) {
        int64_t *to = av_match_name(e->key, "start,starti") ? &part->start :
                      av_match_name(e->key, "end,endi") ? &part->end :
                      av_match_name(e->key, "duration,durationi") ? &duration : NULL;

        ret = to && av_parse_time(to, e->value, 1) >= 0 && *to >= 0 ? 0 : AVERROR_PATCHWELCOME;
    }
    /* that begins with the first frame; this is more than until the next one */
    if (duration < INT64_MAX - part->start - AV_TIME_BASE)
        part->end = FFMIN(part->end, part->start + duration + AV_TIME_BASE);
    return ret < 0 || part->end <= part->start ? AVERROR_PATCHWELCOME : 0;
}

static int read_filter(void *opaque, const char *name, AVDictionary **opts)
{
    PartWalk *w = opaque;
    const AVDictionaryEntry *e = av_dict_get(*opts, "expr", NULL, AV_DICT_MATCH_CASE);

    if (!strcmp(name, "trim"))
        return w->trims++ || w->zeroes ? AVERROR_PATCHWELCOME : read_trim(w->part, *opts);
    if (!strcmp(name, "setpts"))
        return w->trims && !w->zeroes++ && e && !strcmp(e->value, "PTS-STARTPTS") ? 0 : AVERROR_PATCHWELCOME;
    return filtertable_trait(name, NULL) == FILTER_POINTWISE ? 0 : AVERROR_PATCHWELCOME;
}

static int read_part(TrimPart *part, const char *chain)
{
    PartWalk w = { .part = part };
    enum FilterTrait worst;
    char why[256], *copy = av_strdup(chain);
    int ret = copy ? filterchain_traits(chain, &worst, why, sizeof(why)) : AVERROR(ENOMEM);

    if (ret > 0 || (ret >= 0 && worst > FILTER_RETIMING))
        ret = AVERROR_PATCHWELCOME;
    if (ret >= 0)
        ret = filterargs_visit(&copy, read_filter, &w);
    av_free(copy);
    return ret < 0 || (w.trims && w.zeroes) ? ret : AVERROR_PATCHWELCOME;
}

static int append(char **text, const char *fmt, ...) av_printf_format(2, 3);

static int append(char **text, const char *fmt, ...)
{
    AVBPrint bp;
    va_list ap;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (*text)
        av_bprintf(&bp, "%s", *text);
    va_start(ap, fmt);
    av_vbprintf(&bp, fmt, ap);
    va_end(ap);
    av_freep(text);
    return av_bprint_finalize(&bp, text);
}

void trimjoin_end_name(char *name, int n)
{
    snprintf(name, 16, "end%d", n);
}

int trimjoin_add(TrimJoin *j, const char *chain, const char *sound, char *reason, size_t reason_size)
{
    TrimPart part;
    char *timing = NULL, end[16];
    int ret = read_part(&part, chain);

    if (ret == AVERROR(ENOMEM))
        return ret;
    if (ret < 0)
        return reason_set(reason, reason_size, "a part for concat is more than trim and setpts=PTS-STARTPTS");
    if (j->nb && part.start < j->end)
        return reason_set(reason, reason_size, "the parts for concat are not in the order of the video");
    ret = filterchain_timing(chain, &timing);
    if (ret >= 0 && !j->nb && !(j->first = av_strdup(chain)))
        ret = AVERROR(ENOMEM);
    if (ret >= 0 && ((ret = append(&j->split, "[part%d]", j->nb)) < 0 ||
                     (ret = append(&j->parts, "[part%d]%s[cut%d];", j->nb, chain, j->nb)) < 0 ||
                     (ret = append(&j->timing, "[part%d]%s[cut%d];", j->nb, timing, j->nb)) < 0 ||
                     (ret = append(&j->cuts, "[cut%d]", j->nb)) < 0))
        ret = AVERROR(ENOMEM);
    trimjoin_end_name(end, j->nb);
    if (ret >= 0 && sound)
        ret = append(&j->ends, ";[%s]concat@%s=n=1:v=0:a=1[%s]", sound, end, end);
    j->end = part.end;
    j->nb++;
    av_free(timing);
    return ret;
}

void trimjoin_print(const TrimJoin *j, int timing, AVBPrint *bp)
{
    av_bprintf(bp, "split=%d%s;%s%sconcat=n=%d", j->nb, j->split, timing ? j->timing : j->parts, j->cuts, j->nb);
}

char *trimjoin_text(const TrimJoin *j, int timing)
{
    AVBPrint bp;
    char *text = NULL;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    trimjoin_print(j, timing, &bp);
    av_bprint_finalize(&bp, &text);
    return text;
}

/** One sample of a millionth of a second says it. */
int trimjoin_set_ends(char **text, const int64_t *ends, int nb)
{
    char *at = strstr(*text, ";[cut0][cut1]"), *behind = at ? strstr(at, "concat=n=") : NULL;
    AVBPrint bp;

    if (!behind)
        return AVERROR(EINVAL);
    behind += strcspn(behind, ",");
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprint_append_data(&bp, *text, at - *text);
    for (int i = 0; i < nb; i++)
        av_bprintf(&bp, ";anullsrc=r=1000000:cl=mono:n=1:d=0.000001,asetpts=%"PRId64"[end%d]", ends[i] - 1, i);
    av_bprintf(&bp, ";");
    for (int i = 0; i < nb; i++)
        av_bprintf(&bp, "[cut%d][end%d]", i, i);
    av_bprintf(&bp, "concat=n=%d:v=1:a=1[joined][silence];[silence]anullsink;[joined]null%s", nb, behind);
    av_freep(text);
    return av_bprint_finalize(&bp, text);
}

void trimjoin_free(TrimJoin *j)
{
    av_freep(&j->ends);
    av_freep(&j->first);
    av_freep(&j->split);
    av_freep(&j->parts);
    av_freep(&j->timing);
    av_freep(&j->cuts);
    j->nb = 0;
}
