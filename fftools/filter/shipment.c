/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/file.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "shipment.h"

/** @param name av_malloc'd; taken over; NULL: out of memory */
static ShippedFile *add_file(Shipment *s, char *name, const uint8_t *data, size_t size)
{
    ShippedFile *files = av_realloc_array(s->files, s->nb_files + 1, sizeof(*files)), *f;

    if (files)
        s->files = files;
    if (!files || !name) {
        av_free(name);
        return NULL;
    }
    f = &files[s->nb_files++];
    *f = (ShippedFile) { .name = name, .size = size, .data = av_malloc(FFMAX(size, 1)) };
    if (!f->data)
        return NULL;
    memcpy(f->data, data, size);
    s->bytes += size;
    return f;
}

/** The end of the name matters to some demuxers; keep it where it is harmless. */
static char *make_name(const char *folder, int n, const char *path)
{
    const char *dot = strrchr(path, '.');
    size_t len = dot ? strlen(dot + 1) : 0;

    for (size_t i = 0; i < len; i++)
        if (!av_isdigit(dot[1 + i]) && !(av_tolower(dot[1 + i]) >= 'a' && av_tolower(dot[1 + i]) <= 'z'))
            len = 0;
    return av_asprintf("%sfile%d%s", folder, n, len && len <= 8 ? dot : "");
}

static int add_path(Shipment *s, const char *folder, const char *path, const char **name)
{
    uint8_t *data = NULL;
    size_t size = 0;
    ShippedFile *f = NULL;
    int ret = av_file_map(path, &data, &size, AV_LOG_DEBUG, NULL);

    if (ret < 0)
        return ret;
    ret = s->bytes + size > SHIPMENT_MAX_BYTES ? AVERROR(EFBIG) : 0;
    if (ret >= 0 && !(f = add_file(s, make_name(folder, s->nb_files, path), data, size)))
        ret = AVERROR(ENOMEM);
    av_file_unmap(data, size);
    if (ret < 0)
        return ret;
    if (name)
        *name = f->name;
    return 0;
}

int shipment_add(Shipment *s, const char *path, const char **name)
{
    return add_path(s, "", path, name);
}

int shipment_add_font(Shipment *s, const char *path, const char **name)
{
    return add_path(s, "fonts/", path, name);
}

int shipment_add_text(Shipment *s, const char *name, const char *text)
{
    return add_file(s, av_strdup(name), (const uint8_t *)text, strlen(text)) ? 0 : AVERROR(ENOMEM);
}

void shipment_free(Shipment *s)
{
    for (int i = 0; i < s->nb_files; i++) {
        av_freep(&s->files[i].data);
        av_freep(&s->files[i].name);
    }
    av_freep(&s->files);
    s->nb_files = 0;
}

int shipment_write(const Shipment *s, Blob *blob)
{
    int ret = 0;

    for (int i = 0; ret >= 0 && i < s->nb_files; i++)
        ret = blob_append(blob, s->files[i].data, s->files[i].size);
    return ret;
}

/*
 * The folder's name is known, and the traps are set, before it is made: so it cannot be left behind
 * by a signal in between. mkdir takes no folder of somebody else's. With the connection gone, to
 * tell stderr of the dead child is SIGPIPE. A signal tidies up by itself, as one that comes during
 * the EXIT trap ends that in bash.
 *
 * dd must take exactly so many bytes and leave the rest to ffmpeg: GNU's and busybox's do with fullblock, others
 * refuse that word at once, and go byte by byte.
 */
void shipment_print_head(const Shipment *s, AVBPrint *bp)
{
    if (!s->nb_files)
        return;
    av_bprintf(bp, "d= p=\n"
                   "tidy() {\n"
                   "trap '' HUP INT TERM PIPE\n"
                   "[ -z \"$p\" ] || kill -9 $p 2>/dev/null\n"
                   "cd /\n"
                   "[ -z \"$d\" ] || rm -rf \"$d\"\n"
                   "}\n"
                   "trap tidy EXIT\n"
                   "trap 'tidy; exit 143' HUP INT TERM PIPE\n"
                   "d=`mktemp -u \"${TMPDIR:-/tmp}/ffleet-XXXXXX\"` && mkdir -m 700 \"$d\" || "
                   "{ [ $? -gt 128 ] || d=; exit 1; }\n"
                   "cd \"$d\" && mkdir fonts || exit 1\n"
                   "take() {\n"
                   "dd bs=\"$1\" count=1 iflag=fullblock 2>/dev/null >\"$2\" || "
                   "dd bs=1 count=\"$1\" 2>/dev/null >\"$2\"\n"
                   "[ `wc -c <\"$2\"` -eq \"$1\" ] || { echo \"no space for $2\" >&2; exit 1; }\n"
                   "}\n");
    for (int i = 0; i < s->nb_files; i++) {
        if (s->files[i].size)
            av_bprintf(bp, "take %zu %s\n", s->files[i].size, s->files[i].name);
        else
            av_bprintf(bp, ": >%s\n", s->files[i].name);
        if (!strcmp(s->files[i].name, SHIPMENT_FONTS))
            av_bprintf(bp, "FONTCONFIG_FILE=\"$d/%s\"\nexport FONTCONFIG_FILE\n", SHIPMENT_FONTS);
    }
    av_bprintf(bp, "exec 3<&0\n");
}

/*
 * In the background, as sh does not look at signals while it waits for a command in front. The
 * signals come to all of the group; nobody waits for one that does not heed them, so it is killed.
 */
void shipment_print_tail(const Shipment *s, AVBPrint *bp)
{
    if (s->nb_files)
        av_bprintf(bp, " <&3 3<&- &\np=$!\nwait $p\nset -- $?\np=\nexit $1\n");
}
