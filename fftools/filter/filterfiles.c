/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "../command/filterargs.h"
#include "filterfiles.h"
#include "filtertable.h"

/* filter, its options that name files; aliases come after a comma */
static const struct { const char *filter, *options; } readers[] = {
    { "ass",            "filename,f" },
    { "curves",         "psfile" },
    { "drawtext",       "fontfile,textfile" },
    { "lut1d",          "file" },
    { "lut3d",          "file" },
    { "qrencode",       "textfile" },
    { "removelogo",     "filename,f" },
    { "selectivecolor", "psfile" },
    { "subtitles",      "filename,f" },
};

typedef struct Shipping {
    Shipment *shipment;
    char     *reason;
    size_t    reason_size;
} Shipping;

static int ship(void *opaque, const char *name, AVDictionary **opts)
{
    Shipping *s = opaque;
    AVDictionary *new = NULL;
    const AVDictionaryEntry *e = NULL;
    const char *options = NULL;
    int ret = 0;

    for (size_t i = 0; i < FF_ARRAY_ELEMS(readers); i++)
        if (!strcmp(readers[i].filter, name))
            options = readers[i].options;
    if (!options)
        return 0;
    while (ret >= 0 && (e = av_dict_get(*opts, "", e, AV_DICT_IGNORE_SUFFIX))) {
        const char *value = e->value;

        if (*value && av_match_name(e->key, options)) {
            ret = shipment_add(s->shipment, e->value, &value);
            if (ret < 0) {
                snprintf(s->reason, s->reason_size, "%s of the filter '%s' cannot travel to hosts: %s", e->value,
                         name, ret == AVERROR(EFBIG) ? "it is too large" : av_err2str(ret));
                ret = AVERROR_PATCHWELCOME;
                break;
            }
        }
        ret = av_dict_set(&new, e->key, value, AV_DICT_MULTIKEY | AV_DICT_MATCH_CASE);
    }
    av_dict_free(opts);
    *opts = new;
    return ret < 0 ? ret : 1;
}

int filterfiles_ship(char **filters, Shipment *s, char *reason, size_t reason_size)
{
    Shipping shipping = { s, reason, reason_size };

    return filterargs_visit(filters, ship, &shipping);
}

/* Those of which other pixels come out in FFmpeg 7.1 than in 5.1, as comparing showed. */
static const char changed[] = "bwdif,elbg,estdif,greyedge,kirsch,rgbashift,sobel";

static int find_changed(void *opaque, const char *name, AVDictionary **opts)
{
    int flags;

    (void)opts;
    filtertable_trait(name, &flags);
    *(int *)opaque |= flags & FILTER_NEEDS_FONT || av_match_name(name, changed);
    return 0;
}

int filterfiles_need_version(const char *filters)
{
    char *copy = av_strdup(filters);
    int found = 0, ret = copy ? filterargs_visit(&copy, find_changed, &found) : AVERROR(ENOMEM);

    av_free(copy);
    return ret < 0 ? ret : found;
}

/** Whether it is one of those that filterfiles_fonts() is about. */
static int needs_font(const char *name, const AVDictionary *opts)
{
    const AVDictionaryEntry *e = av_dict_get(opts, "fontfile", NULL, AV_DICT_MATCH_CASE);
    int flags;

    filtertable_trait(name, &flags);
    return flags & FILTER_NEEDS_FONT && !(e && *e->value);
}

static int collect_font(void *opaque, const char *name, AVDictionary **opts)
{
    AVBPrint *bp = opaque;

    if (!needs_font(name, *opts))
        return 0;
    if (bp->len)
        av_bprint_chars(bp, ',', 1);
    filterargs_print(bp, name, *opts);
    return 0;
}

int filterfiles_fonts(const char *filters, char **text)
{
    char *copy = av_strdup(filters);
    AVBPrint bp;
    int ret = copy ? 0 : AVERROR(ENOMEM);

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (ret >= 0)
        ret = filterargs_visit(&copy, collect_font, &bp);
    av_free(copy);
    av_bprint_finalize(&bp, ret < 0 ? NULL : text);
    return ret;
}

typedef struct SetFont {
    int n;
    const char *name;
    int size;
    char *sample;
} SetFont;

/** @return whether it is the one that is wanted */
static int is_nth_font(SetFont *s, const char *name, const AVDictionary *opts)
{
    if (!needs_font(name, opts) || s->n--)
        return 0;
    s->n = -1;
    return 1;
}

static int set_font(void *opaque, const char *name, AVDictionary **opts)
{
    SetFont *s = opaque;
    int ret;

    if (!is_nth_font(s, name, *opts))
        return 0;
    ret = av_dict_set(opts, "fontfile", s->name, 0);
    if (ret >= 0 && s->size)
        ret = av_dict_set_int(opts, "fontsize", s->size, 0);
    return ret < 0 ? ret : 1;
}

int filterfiles_set_font(char **filters, int n, const char *name, int size)
{
    SetFont s = { n, name, size, NULL };

    return filterargs_visit(filters, set_font, &s);
}

static int print_sample(void *opaque, const char *name, AVDictionary **opts)
{
    static const char text[] = "Hamburgefonstiv 0123456789";
    SetFont *s = opaque;
    const AVDictionaryEntry *e = av_dict_get(*opts, "font", NULL, AV_DICT_MATCH_CASE);
    AVDictionary *sample = NULL;
    AVBPrint bp;
    int ret = 0;

    if (!is_nth_font(s, name, *opts) || av_dict_get(*opts, "fontsize", NULL, AV_DICT_MATCH_CASE))
        return 0;
    if (e)
        ret = av_dict_set(&sample, "font", e->value, 0);
    if (ret >= 0)
        ret = av_dict_set(&sample, "text", text, 0);
    if (ret >= 0)
        ret = av_dict_set(&sample, "fontcolor", "white", 0);
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    filterargs_print(&bp, name, sample);
    av_dict_free(&sample);
    return ret < 0 ? av_bprint_finalize(&bp, NULL), ret : av_bprint_finalize(&bp, &s->sample);
}

int filterfiles_sample(const char *filters, int n, char **sample)
{
    char *copy = av_strdup(filters);
    SetFont s = { .n = n };
    int ret = copy ? filterargs_visit(&copy, print_sample, &s) : AVERROR(ENOMEM);

    av_free(copy);
    *sample = s.sample;
    return ret;
}
