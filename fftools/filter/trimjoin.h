/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_TRIMJOIN_H
#define FFLEET_TRIMJOIN_H

/**
 * @file
 * What trim cuts out of one video, part by part, and concat puts behind one another. Parts that go
 * on where the ones before ended pass by one after another, so that a host with a piece of the
 * video makes of it what stock does. Pure.
 *
 * Knowledge: trim.c and avf_concat.c in libavfilter of FFmpeg 5.1 and 7.1.
 */

#include <stddef.h>
#include <stdint.h>

#include <libavutil/bprint.h>

#define TRIMJOIN_MAX_PARTS 32

/** Zeroed: no part yet. */
typedef struct TrimJoin {
    int     nb;                   ///< parts so far
    int64_t end;                  ///< of the last one, in AV_TIME_BASE units of the video's times
    char   *first;                ///< the filters of the first one
    char   *split, *parts, *timing, *cuts;  ///< pieces of the text
    char   *ends;                 ///< what tells where their sounds end
} TrimJoin;

/** How many parts, and streams of each kind, a concat has. @param text "concat=..." @return 0 or an AVERROR code */
int trimjoin_read_concat(const char *text, int *nb_parts, int *video, int *audio);

/**
 * Add the next part.
 * @param chain its filters: trim by time, "setpts=PTS-STARTPTS", and others that look at one frame
 * @param sound label of its sound, without brackets; NULL: it has none
 * @param reason the sentence, with AVERROR_PATCHWELCOME: it is something else, or comes before the end of the last one
 * @return 0 or an AVERROR code
 */
int trimjoin_add(TrimJoin *j, const char *chain, const char *sound, char *reason, size_t reason_size);

/** Print what does it all, for the place of a filter in a chain. @param timing only those that time frames */
void trimjoin_print(const TrimJoin *j, int timing, AVBPrint *bp);
/** The same text. av_malloc'd; NULL: out of memory */
char *trimjoin_text(const TrimJoin *j, int timing);

/**
 * A part lasts as long as its picture or its sound, whichever is longer. So where sound is put
 * together with it, that has to be known: filters named by trimjoin_end_name() say it, in
 * libavfilter's log.
 * @param name at least 16 bytes; also, in brackets, the label of what comes out of it
 */
void trimjoin_end_name(char *name, int n);
/**
 * Put that into a text that trimjoin_print() made for timing.
 * @param text av_malloc'd; replaced
 * @param ends of the sounds of all parts, in AV_TIME_BASE units from their begin; above 0
 * @return 0, AVERROR(EINVAL), AVERROR(ENOMEM)
 */
int  trimjoin_set_ends(char **text, const int64_t *ends, int nb);

void trimjoin_free(TrimJoin *j);

#endif
