/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SHIPMENT_H
#define FFLEET_SHIPMENT_H

/**
 * @file
 * Small files that a segment's filters need: they go ahead of its packets on the host's stdin, into a
 * temporary folder there that ffmpeg runs in and that goes away with it.
 */

#include <libavutil/bprint.h>

#include "../../remote/blob.h"

#define SHIPMENT_MAX_BYTES (8 << 20)
/** Where there is such a file, hosts' fontconfig goes by it instead of theirs. */
#define SHIPMENT_FONTS     "fonts.conf"

typedef struct ShippedFile {
    char    *name;       ///< on the host; needs no quoting
    uint8_t *data;
    size_t   size;
} ShippedFile;

typedef struct Shipment {
    ShippedFile *files;
    int    nb_files;
    size_t bytes;
} Shipment;

/**
 * Read a file of this machine.
 * @param name gets the one it has on hosts; valid while s lives; NULL: not wanted
 * @return 0; AVERROR(EFBIG) when all files together are too large to go with every segment; other AVERROR codes
 */
int  shipment_add(Shipment *s, const char *path, const char **name);
/** Likewise, for a font that hosts' fontconfig has to find, see SHIPMENT_FONTS. */
int  shipment_add_font(Shipment *s, const char *path, const char **name);
/** For what is in memory. @param name without characters that sh or a filter graph knows */
int  shipment_add_text(Shipment *s, const char *name, const char *text);
void shipment_free(Shipment *s);

/** What comes before the packets. @return 0 or an AVERROR code */
int  shipment_write(const Shipment *s, Blob *blob);
/**
 * Commands for a POSIX sh that take it off stdin again, in a new folder, before one more command;
 * and what has to stand behind that one. Nothing where there are no files.
 */
void shipment_print_head(const Shipment *s, AVBPrint *bp);
void shipment_print_tail(const Shipment *s, AVBPrint *bp);

#endif
