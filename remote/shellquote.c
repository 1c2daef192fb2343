/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "shellquote.h"

/* Every word is quoted, so no reserved word, alias, assignment or pattern can
 * come of it. '!' stands outside the quotes, escaped: csh expands its history
 * even within single quotes. */
void shellquote_word(AVBPrint *bp, const char *word)
{
    if (bp->len)
        av_bprint_chars(bp, ' ', 1);
    av_bprint_chars(bp, '\'', 1);
    while (*word) {
        size_t plain = strcspn(word, "'!");

        av_bprint_append_data(bp, word, plain);
        word += plain;
        if (*word)
            av_bprintf(bp, "'\\%c'", *word++);
    }
    av_bprint_chars(bp, '\'', 1);
}

void shellquote_argv(AVBPrint *bp, const char *const *argv)
{
    for (; *argv; argv++)
        shellquote_word(bp, *argv);
}
