/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>
#include <libavutil/eval.h>

#include "../plan/sideoutput.h"
#include "../plan/streammap.h"
#include "stocklog.h"
#include "triallog.h"

/** "  overlay:default -> Stream #0:0 (libx264)": what a filter graph makes. */
static int filtered_agrees(const PlanStream *s, int output, int n, const char *line)
{
    const char *p = strstr(line, " -> Stream #");
    char want[128];

    snprintf(want, sizeof(want), " -> Stream #%d:%d (%s)", output, n,
             s->encoder ? s->encoder->name : "");
    return p && !strcmp(p, want);
}

/** "  Stream #0:1 -> #0:0 (copy)" or "(h264 (native) -> hevc (libx265))". */
static int stream_agrees(const PlanStream *s, int output, int n, const char *line)
{
    int file, index, out_file, out_index;
    size_t len = strlen(line);
    char want[128] = "(copy)";

    if (sscanf(line, "Stream #%d:%d -> #%d:%d", &file, &index, &out_file, &out_index) != 4 ||
        file != s->file || out_file != output || index != s->index || out_index != n)
        return 0;
    if (!s->copy) {
        /* the encoder is the last name; "native" when it is called like its codec */
        const char *codec = avcodec_get_name(s->encoder->id);

        snprintf(want, sizeof(want), "-> %s (%s))", codec,
                 strcmp(s->encoder->name, codec) ? s->encoder->name : "native");
    }
    return len >= strlen(want) && !strcmp(line + len - strlen(want), want);
}

/** Whether a line tells of an output in which the fleet has no part. */
static int is_of_side(const Plan *first, const char *line)
{
    int output;

    return sscanf(line, "Stream #%*d:%*d -> #%d:%*d", &output) == 1 &&
           sideoutput_find(first, output);
}

/**
 * Stock prints a line for each stream that goes into a filter graph, then one for each output
 * stream or -attach.
 */
int triallog_mapping_agrees(const Plan *plan, const char *log)
{
    static const char head[] = "[info]   ";
    const char *p = strstr(log, "Stream mapping:\n"), *end;
    const Plan *first = plan;
    int n = 0;

    for (p = p ? strchr(p, '\n') + 1 : NULL; p && av_strstart(p, head, &p); p = end + 1) {
        const char *arrow;
        char line[512];
        int ok;

        end = strchr(p, '\n');
        if (!end)
            return 0;
        av_strlcpy(line, p, FFMIN(sizeof(line), (size_t)(end - p) + 1));
        arrow = strstr(line, " -> ");
        if (av_strstart(line, "File ", NULL) ||
            (av_strstart(line, "Stream #", NULL) && arrow && arrow[4] != '#'))
            continue;
        if (first->nb_sides && is_of_side(first, line))
            continue;
        if (!plan)
            return 0;
        ok = plan->streams[n].complex ?
             filtered_agrees(&plan->streams[n], plan->output, n, line) :
             stream_agrees(&plan->streams[n], plan->output, n, line);
        if (!ok)
            return 0;
        if (++n == plan->nb_streams) {
            plan = plan_next_output(plan);
            n    = 0;
        }
    }
    return !plan;
}

void triallog_version(Trial *t)
{
    const char *p = strstr(t->log, "libavformat");
    int a, b, c;

    if (p && sscanf(p, "libavformat %d.%d.%d", &a, &b, &c) == 3)
        snprintf(t->lavf_ident, sizeof(t->lavf_ident), "%d.%d.%d", a, b, c);
}

/** The line for a stream in the dump of its output; NULL: there is none. */
static const char *dumped_line(const Trial *t, int stream, size_t *len)
{
    const char *p, *end;
    char want[32];

    snprintf(want, sizeof(want), "Output #%d,", t->plan->output);
    p = strstr(t->log, want);
    snprintf(want, sizeof(want), "  Stream #%d:%d", t->plan->output, stream);
    p = p ? strstr(p, want) : NULL;
    end = p ? strchr(p, '\n') : NULL;
    *len = end ? end - p : 0;
    return end ? p : NULL;
}

/** As the dump of the output tells it, in kbit/s. */
static int64_t dumped_bit_rate(const Trial *t, int stream)
{
    size_t len;
    const char *p = dumped_line(t, stream, &len), *rate = p ? memmem(p, len, " kb/s", 5) : NULL;

    if (!rate)
        return 0;
    while (rate > p && rate[-1] >= '0' && rate[-1] <= '9')
        rate--;
    return strtoll(rate, NULL, 10) * 1000;
}

enum AVFieldOrder triallog_field_order(const Trial *t, int stream)
{
    static const struct { const char *text; enum AVFieldOrder order; } orders[] = {
        { "progressive", AV_FIELD_PROGRESSIVE }, { "top first", AV_FIELD_TT }, { "bottom first", AV_FIELD_BB },
        { "top coded first", AV_FIELD_TB }, { "bottom coded first", AV_FIELD_BT },
    };
    size_t len;
    const char *p = dumped_line(t, stream, &len);

    for (size_t i = 0; p && i < FF_ARRAY_ELEMS(orders); i++)
        if (memmem(p, len, orders[i].text, strlen(orders[i].text)))
            return orders[i].order;
    return AV_FIELD_UNKNOWN;
}

int64_t triallog_bit_rate(const Trial *t, const Plan *plan, int stream,
                           const AVCodecParameters *par)
{
    const PlanStream *s = &plan->streams[stream];
    const CmdFile *f = plan_file(plan);

    if (s->copy)
        return s->in_bit_rate;
    if (s->type == AVMEDIA_TYPE_AUDIO && av_get_exact_bits_per_sample(s->encoder->id))
        return par->bit_rate;
    for (int i = f->nb_options - 1; i >= 0; i--) {
        const CmdOption *o = &f->options[i];
        double rate;

        if (strcmp(o->name, "b") || !o->value ||
            streammap_option_matches(plan->streams, plan->nb_streams, stream, o) <= 0)
            continue;
        if (av_expr_parse_and_eval(&rate, o->value, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0,
                                   NULL) >= 0)
            return rate;
    }
    return dumped_bit_rate(t, stream);
}

/** The name ends there: /proc/1/fd/1 is not in /proc/1/fd/10. */
static const char *find_name(const char *file_name, const char *line, size_t len)
{
    size_t name_len  = strlen(file_name);
    const char *name = memmem(line, len, file_name, name_len);

    return name && (name + name_len == line + len || name[name_len] < '0' || name[name_len] > '9') ?
           name : NULL;
}

/**
 * The temporary file that a line names.
 * @return where, or NULL; *plan NULL: it is no output of the fleet's, but the one *output
 */
static const char *find_file(const Trial *first, const char *line, size_t len, const char **file_name,
                             const Plan **plan, int *output)
{
    const char *name;

    for (const Trial *t = first; t; t = t->next)
        if ((name = find_name(t->file_name, line, len))) {
            *file_name = t->file_name;
            *plan      = t->plan;
            *output    = t->plan->output;
            return name;
        }
    for (*output = 0; *output < PLAN_MAX_OUTPUTS; ++*output) {
        *file_name = first->sides[*output];
        *plan      = NULL;
        if (*file_name && (name = find_name(*file_name, line, len)))
            return name;
    }
    return NULL;
}

/** As ffmpeg names an output. */
static const char *shown_name(const Trial *first, const Plan *plan, int output)
{
    const char *url = first->plan->cmd->outputs[output].url;

    return (plan && plan->pipe) || !strcmp(url, "-") ? "pipe:" : url;
}

/** A FIFO that a line names. @return where, or NULL */
static const char *find_alias(const Plan *plan, const char *line, size_t len, const PlanInput **in)
{
    for (int i = 0; i < plan->nb_inputs; i++) {
        const char *name = plan->inputs[i].alias ? find_name(plan->inputs[i].alias, line, len) : NULL;

        *in = &plan->inputs[i];
        if (name)
            return name;
    }
    return NULL;
}

/** Print one line, at the level it is marked with. */
static void print_line(const Trial *first, const char *line, size_t len)
{
    const Plan *plan;
    const PlanInput *in;
    const char *file_name, *name;
    int level = -1, output;
    AVBPrint bp;

    name = find_file(first, line, len, &file_name, &plan, &output);
    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    if (!name && (name = find_alias(first->plan, line, len, &in))) {
        const char *rest = name + strlen(in->alias);

        level = stocklog_unmark(&bp, line, name - line);
        av_bprintf(&bp, "%s", in->file->url);
        av_bprint_append_data(&bp, rest, line + len - rest);
    } else if (name) {
        const char *rest = name + strlen(file_name);

        level = stocklog_unmark(&bp, line, name - line);
        if (plan && plan->trial_format != plan->oformat && av_strstart(line, "[info] Output #", NULL)) {
            av_bprint_clear(&bp);
            av_bprintf(&bp, "Output #%d, %s, to '", plan->output, plan->oformat->name);
        }
        av_bprintf(&bp, "%s", shown_name(first, plan, output));
        av_bprint_append_data(&bp, rest, line + len - rest);
    } else {
        level = stocklog_unmark(&bp, line, len);
    }
    if (av_bprint_is_complete(&bp))
        av_log(NULL, level < 0 ? AV_LOG_INFO : level, "%s\n", bp.str);
    av_bprint_finalize(&bp, NULL);
}

static int count(const char *log, const char *text)
{
    int nb = 0;

    while ((log = strstr(log, text))) {
        log += strlen(text);
        nb++;
    }
    return nb;
}

int triallog_uses_hardware(const char *log)
{
    int nb = count(log, "Using auto hwaccel type ");

    /* with several decoders, nobody knows which of them is meant */
    return nb > 1 || (nb && !strstr(log, ": hwaccel initialisation returned error"));
}

int triallog_nb_opening_errors(const Trial *t)
{
    int nb = 0, before_input = 0;

    for (const char *p = t->log, *end; *p && strncmp(p, "[info] Stream mapping:", 22); p = end + !!*end) {
        AVBPrint bp;
        int level;

        end = p + strcspn(p, "\n");
        av_bprint_init(&bp, 0, AV_BPRINT_SIZE_COUNT_ONLY);
        level = stocklog_unmark(&bp, p, end - p);
        nb   += level >= 0 && level <= AV_LOG_ERROR;
        if (!strncmp(p, "[info] Input #", 14))
            before_input = nb;
    }
    return before_input;
}

static int is_banner(const char *line)
{
    return !strncmp(line, "[info] ffmpeg version", 21) || !strncmp(line, "[info]   built with", 19) ||
           !strncmp(line, "[info]   configuration:", 23) || !strncmp(line, "[info]   lib", 12);
}

/** The ipod muxer wants a certain extension, which our temporary files do not have, and the user's may. */
static int is_of_extension(const Command *cmd, const char *line, size_t len)
{
    static const char text[] = "Warning, extension is not .m4a";

    if (!memmem(line, len, text, strlen(text)))
        return 0;
    for (int i = 0; i < cmd->nb_outputs; i++)
        if (av_match_ext(cmd->outputs[i].url, "m4a,m4v,m4b"))
            return 1;
    return 0;
}

void triallog_print(const Trial *t, int part, int keys)
{
    const Command *cmd = t->plan->cmd;
    int nb_dumps = 0;
    int banner = !cmdline_last(cmd->globals, cmd->nb_globals, "hide_banner");
    const char *p = t->log;
    int in_part = 0, in_dump = 0, in_mapping = 0;

    while (*p) {
        const char *end = strchr(p, '\n');
        size_t len = end ? (size_t)(end - p) : strlen(p);

        if (!strncmp(p, "[info] Stream mapping:", 22))
            in_part = banner = in_mapping = 1;
        else if (in_mapping && strncmp(p, "[info]   ", 9)) {
            in_mapping = 0;
            if (part && keys)
                av_log(NULL, AV_LOG_INFO, "Press [q] to stop, [?] for help\n");
        }
        if (!strncmp(p, "[info] Output #", 15)) {
            nb_dumps++;
            in_dump = 1;
        } else if (in_dump && strncmp(p, "[info]   ", 9)) {
            in_dump = 0;
            if (nb_dumps == cmd->nb_outputs)
                return;
        }
        if (in_part == part && (banner || !is_banner(p)) && !is_of_extension(cmd, p, len))
            print_line(t, p, len);
        p += len + !!end;
    }
}
