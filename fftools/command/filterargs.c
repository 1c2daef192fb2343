/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>

#include "filterargs.h"

const char *filterargs_skip(const char *s, const char *stop)
{
    for (; *s && !strchr(stop, *s); s++) {
        if (*s == '\\' && s[1]) {
            s++;
        } else if (*s == '\'') {
            const char *end = strchr(s + 1, '\'');

            if (!end)
                return s + strlen(s);
            s = end;
        }
    }
    return s;
}

size_t filterargs_expr_word(const char *expr, int *is_name)
{
    int number = av_isdigit(*expr) || *expr == '.';
    size_t n = 0;

    while (av_isdigit(expr[n]) || (av_tolower(expr[n]) >= 'a' && av_tolower(expr[n]) <= 'z') || expr[n] == '_' ||
           (number && expr[n] == '.'))
        n++;
    *is_name = n && !number;
    return n;
}

int filterargs_parse(AVDictionary **opts, const AVFilter *f, const char *args)
{
    const AVClass *class = f ? f->priv_class : NULL;
    const AVOption *o = NULL;
    int offset = -1, ret = 0, bound = 10000;

    while (*args && bound--) {
        const char *shorthand = NULL;
        char *key, *value;

        o = class ? av_opt_next(&class, o) : NULL;
        if (o) {
            if (o->type == AV_OPT_TYPE_CONST || o->offset == offset)
                continue;
            offset    = o->offset;
            shorthand = o->name;
        }
        ret = av_opt_get_key_value(&args, "=", ":", AV_OPT_FLAG_IMPLICIT_KEY, &key, &value);
        if (ret < 0)
            return ret;
        if (*args)
            args++;
        if (key) /* the names begin anew after a named option */
            o = NULL;
        ret = av_dict_set(opts, key ? key : shorthand ? shorthand : "", value,
                          AV_DICT_DONT_STRDUP_VAL | AV_DICT_MULTIKEY | AV_DICT_MATCH_CASE);
        av_free(key);
        if (ret < 0)
            return ret;
    }
    return *args ? AVERROR(EINVAL) : 0;
}

void filterargs_print(AVBPrint *bp, const char *name, const AVDictionary *opts)
{
    const AVDictionaryEntry *e = NULL;
    AVBPrint args;

    av_bprint_init(&args, 0, AV_BPRINT_SIZE_UNLIMITED);
    while ((e = av_dict_get(opts, "", e, AV_DICT_IGNORE_SUFFIX))) {
        if (args.len)
            av_bprint_chars(&args, ':', 1);
        if (*e->key)
            av_bprintf(&args, "%s=", e->key);
        av_bprint_escape(&args, e->value, ":", AV_ESCAPE_MODE_BACKSLASH, AV_ESCAPE_FLAG_WHITESPACE);
    }
    av_bprintf(bp, "%s%s", name, args.len ? "=" : "");
    av_bprint_escape(bp, args.str, "[],;", AV_ESCAPE_MODE_BACKSLASH, AV_ESCAPE_FLAG_WHITESPACE);
    av_bprint_finalize(&args, NULL);
}

static int visit_filter(AVBPrint *bp, const char *raw, size_t len, FilterVisitor visit, void *opaque)
{
    size_t name_len = FFMIN(strcspn(raw, "="), len);
    char *name = av_strndup(raw, name_len), *args = NULL, plain[64];
    const char *p = raw + name_len + (name_len < len);
    AVDictionary *opts = NULL;
    int ret = AVERROR(ENOMEM);

    if (!name || (name_len < len && !(args = av_get_token(&p, "[],;"))))
        goto end;
    av_strlcpy(plain, name, FFMIN(sizeof(plain), strcspn(name, "@" FILTER_BLANKS) + 1));
    ret = filterargs_parse(&opts, avfilter_get_by_name(plain), args ? args : "");
    if (ret >= 0)
        ret = visit(opaque, plain, &opts);
    if (ret > 0)
        filterargs_print(bp, name, opts);
    else
        av_bprint_append_data(bp, raw, len);
end:
    av_dict_free(&opts);
    av_free(name);
    av_free(args);
    return ret;
}

int filterargs_visit(char **filters, FilterVisitor visit, void *opaque)
{
    AVBPrint bp;
    int ret = 0;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    for (const char *p = *filters; ret >= 0 && *p;) {
        size_t len = 1;

        if (*p == '[') {
            len = strcspn(p, "]") + 1;
            len = FFMIN(len, strlen(p));
            av_bprint_append_data(&bp, p, len);
        } else if (strchr(",;" FILTER_BLANKS, *p)) {
            av_bprint_chars(&bp, *p, 1);
        } else {
            len = filterargs_skip(p, "[,;") - p;
            ret = visit_filter(&bp, p, len, visit, opaque);
        }
        p += len;
    }
    if (ret >= 0) {
        av_freep(filters);
        ret = av_bprint_finalize(&bp, filters);
    } else {
        av_bprint_finalize(&bp, NULL);
    }
    return FFMIN(ret, 0);
}
