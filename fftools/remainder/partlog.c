/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/bprint.h>

#include "../plan/carrierpart.h"
#include "partlog.h"

/** What stock says of a stream: a line of the mapping, or lines of a dump. */
typedef struct Piece {
    const char *text;   ///< in the log
    size_t len;
    size_t number;      ///< where "0:1" is in it, and
    size_t number_len;  ///< how long that is
    int output, stream; ///< as they ought to be; -1: of none
    int text_part;      ///< it is one of the text's outputs
} Piece;

typedef struct PartLog {
    const Plan *plan;
    const char *next;   ///< of the log
    AVBPrint out;
    Piece *texts;       ///< pieces that have yet to find their place
    int nb_texts;
} PartLog;

int partlog_nb_outputs(const Plan *plan)
{
    int nb = plan->cmd->nb_outputs;

    for (; plan; plan = plan_next_output(plan))
        nb += carrierpart_exists(plan, CARRIER_TEXT);
    return nb;
}

/** The plan of an output that is in several parts, one of which has that number; NULL: it is no such output's. */
static const Plan *plan_of(const Plan *plan, int output, enum CarrierPart *part)
{
    int nb = plan->cmd->nb_outputs;

    for (; plan; plan = plan_next_output(plan)) {
        if (!carrierpart_exists(plan, CARRIER_TEXT))
            continue;
        *part = nb++ == output ? CARRIER_TEXT : CARRIER_MAIN;
        if (*part == CARRIER_TEXT || plan->output == output)
            return plan;
    }
    return NULL;
}

static int is_text(const Plan *plan, int output)
{
    enum CarrierPart part;

    return plan_of(plan, output, &part) && part == CARRIER_TEXT;
}

static size_t line_length(const char *line)
{
    size_t len = strcspn(line, "\n");

    return len + (line[len] == '\n');
}

/** The number behind a word of a line, as its output and stream. */
static void find_number(const PartLog *l, Piece *piece, const char *word)
{
    const char *p = memmem(piece->text, line_length(piece->text), word, strlen(word));
    enum CarrierPart part;
    const Plan *of;
    int len = 0;

    piece->output = -1;
    if (!p || sscanf(p + strlen(word), "%d:%d%n", &piece->output, &piece->stream, &len) != 2)
        return;
    piece->number     = p + strlen(word) - piece->text;
    piece->number_len = len;
    of = plan_of(l->plan, piece->output, &part);
    if (of) {
        piece->text_part = part == CARRIER_TEXT;
        piece->output    = of->output;
        piece->stream    = carrierpart_stream(of, part, piece->stream);
    }
}

/** One line of the mapping, or of a dump all up to the next stream; 0: that is over. */
static int next_piece(PartLog *l, Piece *piece, int dump)
{
    static const char stream[] = "[info]   Stream #";

    *piece = (Piece) { .text = l->next, .output = -1 };
    if (!av_strstart(l->next, "[info]   ", NULL))
        return 0;
    l->next += line_length(l->next);
    while (dump && av_strstart(l->next, "[info]   ", NULL) && !av_strstart(l->next, stream, NULL))
        l->next += line_length(l->next);
    piece->len = l->next - piece->text;
    if (!dump || av_strstart(piece->text, stream, NULL))
        find_number(l, piece, dump ? "Stream #" : "-> #");
    return 1;
}

static void print_piece(PartLog *l, const Piece *p)
{
    if (p->output < 0) {
        av_bprint_append_data(&l->out, p->text, p->len);
        return;
    }
    av_bprint_append_data(&l->out, p->text, p->number);
    av_bprintf(&l->out, "%d:%d", p->output, p->stream);
    av_bprint_append_data(&l->out, p->text + p->number + p->number_len, p->len - p->number - p->number_len);
}

/** Pieces of the text that come before a stream. @param output -1: of all outputs */
static void print_texts(PartLog *l, int output, int before_output, int before_stream)
{
    for (int i = 0; i < l->nb_texts; i++) {
        Piece *p = &l->texts[i];

        if (!p->text || (output >= 0 && p->output != output) || p->output > before_output ||
            (p->output == before_output && p->stream >= before_stream))
            continue;
        print_piece(l, p);
        p->text = NULL;
    }
}

/** The number in the first line of a dump; -1: it is none. */
static int dumped_output(const char *line)
{
    int output;

    return sscanf(line, "[info] Output #%d,", &output) == 1 ? output : -1;
}

static int is_mapping(const char *line)
{
    return av_strstart(line, "[info] Stream mapping:", NULL);
}

/** Collect what there is of the text, of the mapping or of the dumps. */
static int collect(PartLog *l, const char *log, int dump)
{
    l->nb_texts = 0;
    for (l->next = log; *l->next;) {
        const char *line = l->next;
        Piece piece;

        l->next += line_length(line);
        if (dump ? dumped_output(line) < 0 : !is_mapping(line))
            continue;
        while (next_piece(l, &piece, dump)) {
            Piece *texts = piece.output < 0 || !piece.text_part ? NULL :
                           av_realloc_array(l->texts, l->nb_texts + 1, sizeof(*texts));

            if (piece.output < 0 || !piece.text_part)
                continue;
            if (!texts)
                return AVERROR(ENOMEM);
            l->texts = texts;
            texts[l->nb_texts++] = piece;
        }
    }
    return 0;
}

/** Print all of the log anew, with the pieces where they belong. */
static void print_log(PartLog *l, const char *log, int dump)
{
    for (l->next = log; *l->next;) {
        const char *line = l->next;
        int output = dump ? dumped_output(line) : -1;
        int wanted = !is_text(l->plan, output);
        Piece piece;

        l->next += line_length(line);
        if (wanted)
            av_bprint_append_data(&l->out, line, l->next - line);
        if (dump ? output < 0 : !is_mapping(line))
            continue;
        while (next_piece(l, &piece, dump)) {
            if (piece.text_part || !wanted)
                continue;
            if (piece.output >= 0)
                print_texts(l, output, piece.output, piece.stream);
            print_piece(l, &piece);
        }
        if (wanted)
            print_texts(l, output, INT_MAX, 0);
    }
}

int partlog_join(char **log, const Plan *plan)
{
    PartLog l = { .plan = plan };
    int ret = 0;

    for (int dump = 0; dump < 2 && ret >= 0 && partlog_nb_outputs(plan) > plan->cmd->nb_outputs; dump++) {
        char *text;

        av_bprint_init(&l.out, 0, AV_BPRINT_SIZE_UNLIMITED);
        ret = collect(&l, *log, dump);
        if (ret >= 0)
            print_log(&l, *log, dump);
        if (ret < 0) {
            av_bprint_finalize(&l.out, NULL);
            break;
        }
        ret = av_bprint_finalize(&l.out, &text);
        if (ret >= 0) {
            av_free(*log);
            *log = text;
        }
    }
    av_free(l.texts);
    return ret;
}
