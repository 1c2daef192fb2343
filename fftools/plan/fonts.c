/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>

#include "../filter/filterfiles.h"
#include "../input/arglist.h"
#include "../stock.h"
#include "fonts.h"

#define TIMEOUT_US  (60 * 1000000LL)
#define MAX_FONTS   32
#define MAX_SIZE    48       /* of text, in pixels */
/* Often enough to meet every subtitle; if not, a host that meets another font says so. */
#define SCAN_RATE   5
#define SCAN_MARGIN 10      /* seconds */
#define SCAN_LONGEST 36000

/** One answer of libass: "(Arial, 400, 0) -> /usr/share/.../DejaVuSans.ttf, 0, DejaVuSans". */
typedef struct Selected {
    char family[128];
    char path[512];
    const char *name;  ///< of the file on hosts
} Selected;

typedef struct Scan {
    Selected list[MAX_FONTS];
    int nb;
    int too_many;
    uint32_t named;    ///< drawtext filters that have their file
} Scan;

static int refuse(Plan *plan, const char *why)
{
    snprintf(plan->reason, sizeof(plan->reason), "%s", why);
    return 0;
}

static int run_scan(const Plan *plan, const char *stock, AVBPrint *log)
{
    const AVFormatContext *fc = plan_video_input(plan)->fc;
    int subtitles  = strstr(plan->font_filters, "subtitles") || strstr(plan->font_filters, "ass");
    double seconds = fc->duration > 0 ? fc->duration / 1e6 + SCAN_MARGIN : SCAN_LONGEST;
    ArgList args = { 0 };
    int ret;

    arglist_add_words(&args, "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-v", "verbose", "-f", "lavfi",
                      "-i", NULL);
    arglist_addf(&args, "color=s=128x96:r=%d:d=%.1f", SCAN_RATE, subtitles ? seconds : 0.5);
    arglist_add_words(&args, "-vf", plan->font_filters, "-f", "null", "-", NULL);
    ret = arglist_error(&args);
    if (ret >= 0)
        ret = stock_capture(stock, (const char *const *)args.argv, TIMEOUT_US, log);
    arglist_free(&args);
    return ret;
}

/**
 * What libass says of fonts, without the place of the file.
 * @return nonzero when the line is about that
 */
static int normalize(const char *line, char *buf, size_t size)
{
    const char *p = strstr(line, "fontselect: "), *arrow, *end;

    if (!p)
        return 0;
    arrow = strstr(p, ") -> ");
    end   = arrow ? strstr(arrow, ", ") : NULL;
    if (end)
        snprintf(buf, size, "%.*s%s", (int)(arrow - p) + 1, p, end);
    else
        av_strlcpy(buf, p, size);
    buf[strcspn(buf, "\r\n")] = 0;
    return 1;
}

int fonts_line_is_foreign(const Plan *plan, const char *line)
{
    char text[512];
    const char *p;

    if (!normalize(line, text, sizeof(text)))
        return 0;
    p = plan->known_fonts ? strstr(plan->known_fonts, text) : NULL;
    return !p || p[strlen(text)] != '\n';
}

static int note_selected(Scan *s, const char *line)
{
    const char *p = strstr(line, "fontselect: ("), *arrow = p ? strstr(p, ") -> ") : NULL, *end;
    Selected *f = &s->list[s->nb];

    if (!arrow)
        return 0;
    p  += strlen("fontselect: (");
    end = strstr(arrow, ", ");
    if (s->nb == MAX_FONTS || !end || !strchr(p, ',')) {
        s->too_many = 1;
        return 0;
    }
    arrow += strlen(") -> ");
    memset(f, 0, sizeof(*f));
    av_strlcpy(f->family, p, FFMIN(sizeof(f->family), strcspn(p, ",") + 1));
    av_strlcpy(f->path, arrow, FFMIN(sizeof(f->path), (size_t)(end - arrow) + 1));
    s->nb++;
    return 1;
}

static int ship_font(Plan *plan, Scan *s, Selected *f)
{
    for (Selected *g = s->list; g < f; g++)
        if (!strcmp(f->path, g->path)) {
            f->name = g->name;
            return 0;
        }
    return f->path[0] == '/' ? shipment_add_font(&plan->files, f->path, &f->name) : AVERROR(ENOENT);
}

/** libass asks fontconfig: there it shall find nothing but these. */
static int add_config(Plan *plan, const Scan *s)
{
    int families = 0, styles = 0, ret;
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprintf(&bp, "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>"
                    "<dir prefix=\"relative\">fonts</dir>");
    for (int i = 0; i < s->nb; i++) {
        int seen = 0, files = 1;

        for (int k = 0; k < s->nb; k++) {
            if (strcmp(s->list[i].family, s->list[k].family))
                continue;
            seen  |= k < i;
            files += strcmp(s->list[i].path, s->list[k].path) != 0;
        }
        if (seen)
            continue;
        families++;
        styles |= files > 1;
        if (files > 1)
            continue;
        av_bprintf(&bp, "<match target=\"pattern\"><test name=\"family\"><string>");
        av_bprint_escape(&bp, s->list[i].family, NULL, AV_ESCAPE_MODE_XML, 0);
        av_bprintf(&bp, "</string></test><edit name=\"file\" mode=\"assign\"><string>*/%s</string></edit></match>",
                   s->list[i].name);
    }
    av_bprintf(&bp, "</fontconfig>\n");
    ret = styles && families > 1 ? AVERROR_PATCHWELCOME : shipment_add_text(&plan->files, SHIPMENT_FONTS, bp.str);
    av_bprint_finalize(&bp, NULL);
    return ret;
}

/** Draw a sample so many times. @param sums gets a checksum of each picture @return how many, or an AVERROR code */
static int draw_sample(const char *stock, const char *sample, const char *size, int nb, char sums[][33])
{
    ArgList args = { 0 };
    AVBPrint log;
    int n = 0, ret;

    arglist_add_words(&args, "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-v", "error", "-f", "lavfi", "-i", NULL);
    arglist_addf(&args, "color=s=1280x128:r=1:d=%d", nb);
    arglist_add(&args, "-vf");
    arglist_addf(&args, "%s%s", sample, size);
    arglist_add_words(&args, "-f", "framemd5", "pipe:2", NULL);
    av_bprint_init(&log, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = arglist_error(&args);
    if (ret >= 0)
        ret = stock_capture(stock, (const char *const *)args.argv, TIMEOUT_US, &log);
    for (char *line = log.str; ret >= 0 && n < nb && line && *line; line = strchr(line, '\n'), line += !!line) {
        char *end = line + strcspn(line, "\n");

        if (av_isdigit(*line) && end - line > 33)
            av_strlcpy(sums[n++], end - 32, 33);
    }
    av_bprint_finalize(&log, NULL);
    arglist_free(&args);
    return ret < 0 ? ret : n;
}

/** The size that fontconfig chooses nobody tells: it is the one in which the same picture comes out. */
static int measure_size(const Plan *plan, int n, const char *stock, int *size)
{
    char wanted[1][33], (*sums)[33] = av_malloc_array(MAX_SIZE, sizeof(*sums));
    char *sample = NULL;
    int ret = sums ? filterfiles_sample(plan->filters, n, &sample) : AVERROR(ENOMEM), nb = 0;

    *size = 0;
    if (ret >= 0 && sample) {
        ret = draw_sample(stock, sample, "", 1, wanted);
        if (ret == 1)
            ret = draw_sample(stock, sample, ":fontsize=n+1", MAX_SIZE, sums);
        for (int i = 0; i < ret; i++)
            if (!strcmp(sums[i], wanted[0])) {
                *size = i + 1;
                nb++;
            }
        if (ret >= 0 && nb != 1)
            ret = AVERROR_PATCHWELCOME;
    }
    av_free(sample);
    av_free(sums);
    return FFMIN(ret, 0);
}

static int resolve_drawtext(Plan *plan, Scan *s, const char *line, const char *stock)
{
    const char *p = strstr(line, "[Parsed_drawtext_"), *path = strstr(line, "Using \"");
    char *copy;
    const char *name;
    int n, ret, size;

    if (!p || !path || sscanf(p, "[Parsed_drawtext_%d", &n) != 1 ||
        n < 0 || n > 31 || s->named & 1U << n)  /* ffmpeg sets its filters up twice */
        return 0;
    s->named |= 1U << n;
    path += strlen("Using \"");
    copy  = av_strndup(path, strcspn(path, "\""));
    ret   = copy ? shipment_add(&plan->files, copy, &name) : AVERROR(ENOMEM);
    if (ret >= 0)
        ret = measure_size(plan, n, stock, &size);
    if (ret >= 0)
        ret = filterfiles_set_font(&plan->filters, n, name, size);
    av_free(copy);
    return ret < 0 ? ret : 1;
}

/** The lines from the last to the first: what is named does not count any more. */
static int read_log(Plan *plan, const char *stock, char *log, Scan *scan, AVBPrint *known)
{
    int nb = 0, ret = 0;
    char text[512];

    for (char *end = log + strlen(log); ret >= 0 && end > log;) {
        char *line = end;

        while (line > log && line[-1] != '\n')
            line--;
        ret = resolve_drawtext(plan, scan, line, stock);
        nb += ret > 0;
        if (normalize(line, text, sizeof(text)))
            av_bprintf(known, "%s\n", text);
        nb += note_selected(scan, line);
        end = line;
        if (end > log)
            *--end = 0;
    }
    return ret < 0 ? ret : nb;
}

int fonts_resolve(Plan *plan, const char *stock)
{
    Scan *scan = av_mallocz(sizeof(*scan));
    AVBPrint log, known;
    char *left = NULL;
    int ret = scan ? 0 : AVERROR(ENOMEM), nb;

    if (!plan->font_filters || plan->reason[0] || !scan) {
        av_free(scan);
        return ret;
    }
    av_bprint_init(&log, 0, AV_BPRINT_SIZE_UNLIMITED);
    av_bprint_init(&known, 0, AV_BPRINT_SIZE_UNLIMITED);
    ret = run_scan(plan, stock, &log);
    nb  = ret < 0 ? ret : read_log(plan, stock, log.str, scan, &known);
    ret = FFMIN(nb, 0);
    for (int i = 0; ret >= 0 && i < scan->nb; i++)
        ret = ship_font(plan, scan, &scan->list[i]);
    if (ret >= 0 && scan->nb)
        ret = add_config(plan, scan);
    if (ret >= 0)
        ret = filterfiles_fonts(plan->filters, &left);
    if (ret >= 0 && strstr(left, "drawtext"))
        ret = AVERROR_PATCHWELCOME;
    av_free(left);
    av_bprint_finalize(&log, NULL);
    av_bprint_finalize(&known, &plan->known_fonts);
    if (ret == AVERROR(ENOMEM))
        ;
    else if (ret < 0 || scan->too_many || !plan->known_fonts)
        ret = refuse(plan, "the fonts that the filters draw with cannot be sent along");
    av_free(scan);
    return ret;
}
