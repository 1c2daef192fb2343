/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/avstring.h>
#include <libavutil/crc.h>
#include <libavutil/sha.h>

#include "../../remote/writeall.h"
#include "../compat.h"
#include "../input/inputurl.h"
#include "journal.h"

#define HEAD     "ffleet journal 1 "
#define KEY_BITS 256
#define KEY_SIZE (KEY_BITS / 8)
#define MAX_LIST (64 << 20)
#define BUF_SIZE 65536

typedef struct Entry {
    int64_t  length;               ///< 0: not cut yet
    int64_t  first, count, size;   ///< of the result; size 0: none
    uint32_t crc;
} Entry;

struct Journal {
    pthread_mutex_t lock;
    char    *folder;
    int      dir, list;            ///< descriptors
    char     key[2 * KEY_SIZE + 1];
    Entry   *entries;              ///< by id
    int      nb_entries;
    int      has_output;
    int      failed;
};

/* ---- whose is it? ---- */

static void hash_text(struct AVSHA *sha, const char *text)
{
    av_sha_update(sha, (const uint8_t *)text, strlen(text) + 1);
}

static int hash_file(void *sha, const char *path)
{
    char text[128], *real;
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(real = realpath(path, NULL)))
        return AVERROR(ENOSYS);
    snprintf(text, sizeof(text), "%"PRId64" %"PRId64".%09ld", (int64_t)st.st_size,
             (int64_t)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
    hash_text(sha, real);
    hash_text(sha, text);
    free(real);
    return 0;
}

/** What filters read from files, scripts and subtitles among them, can change under the same arguments. */
static void hash_filters(struct AVSHA *sha, const Plan *plan)
{
    const Shipment *s = &plan->files;

    for (const Plan *p = plan; p; p = p->next) {
        hash_text(sha, p->filters ? p->filters : "");
        hash_text(sha, p->timing ? p->timing : "");
    }
    for (int i = 0; i < s->nb_files; i++) {
        hash_text(sha, s->files[i].name);
        av_sha_update(sha, s->files[i].data, s->files[i].size);
    }
}

static int make_key(Journal *j, const Plan *plan)
{
    const Command *cmd = plan->cmd;
    struct AVSHA *sha = av_sha_alloc();
    uint8_t sum[KEY_SIZE];
    char text[64];
    int ret;

    if (!sha)
        return AVERROR(ENOMEM);
    ret = av_sha_init(sha, KEY_BITS);
    for (int i = 1; i < cmd->argc; i++)
        hash_text(sha, cmd->argv[i]);
    snprintf(text, sizeof(text), "%g %u %u", cmd->own.segment_length, avcodec_version(),
             avformat_version());
    hash_text(sha, text);
    hash_filters(sha, plan);
    for (int i = 0; ret >= 0 && i < cmd->nb_inputs; i++) {
        ret = inputurl_each_file(cmd->inputs[i].url, hash_file, sha);
        /* the files that it lists may change, too */
        if (ret == AVERROR_PATCHWELCOME || !strcmp(plan->inputs[i].fc->iformat->name, "concat"))
            ret = AVERROR(ENOSYS);
    }
    av_sha_final(sha, sum);
    av_free(sha);
    for (int i = 0; i < KEY_SIZE; i++)
        snprintf(j->key + 2 * i, 3, "%02x", sum[i]);
    return ret;
}

/* ---- the list ---- */

static Entry *entry(Journal *j, int64_t id)
{
    Entry *list;

    if (id < 0 || id >= INT_MAX / 2)
        return NULL;
    if (id < j->nb_entries)
        return &j->entries[id];
    list = av_realloc_array(j->entries, id + 1, sizeof(*list));
    if (!list)
        return NULL;
    memset(list + j->nb_entries, 0, (id + 1 - j->nb_entries) * sizeof(*list));
    j->entries    = list;
    j->nb_entries = id + 1;
    return &list[id];
}

static void take_line(Journal *j, const char *line)
{
    Entry e = { 0 }, *to;
    int64_t id;

    if (!strcmp(line, "output")) {
        j->has_output = 1;
    } else if (sscanf(line, "cut %"SCNd64" %"SCNd64, &id, &e.length) == 2) {
        if (e.length > 0 && id <= j->nb_entries && (to = entry(j, id)))
            to->length = e.length;
    } else if (sscanf(line, "done %"SCNd64" %"SCNd64" %"SCNd64" %"SCNd64" %"SCNx32, &id, &e.first,
                      &e.count, &e.size, &e.crc) == 5) {
        if (id < 0 || id >= j->nb_entries || e.size <= 0)
            return;
        e.length = j->entries[id].length;
        j->entries[id] = e;
    }
}

/** Whole lines. @return 0, AVERROR(EEXIST) when it is another run's */
static int parse_list(Journal *j, char *text)
{
    char *line = text, *end = strchr(line, '\n');
    const char *key;

    *end = 0;
    if (!av_strstart(line, HEAD, &key) || strcmp(key, j->key))
        return AVERROR(EEXIST);
    for (line = end + 1; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        take_line(j, line);
    }
    return 0;
}

/** Append to the list and see to it that it is safe. Needs the lock. */
static int append(Journal *j, const char *line)
{
    int ret = write_all(j->list, line, strlen(line));

    return ret >= 0 && fdatasync(j->list) < 0 ? AVERROR(errno) : ret;
}

/** It goes on without. */
static void fail(Journal *j, int error)
{
    if (!j->failed)
        av_log(NULL, AV_LOG_WARNING, "%s: %s: what is done from here on cannot be resumed\n", j->folder,
               av_err2str(error));
    j->failed = 1;
}

/** Read what is there; cut off a line without its end, and begin where there is nothing. */
static int load_list(Journal *j)
{
    struct stat st;
    char *text, head[sizeof(HEAD) + sizeof(j->key) + 1];
    ssize_t size = 0, n;
    int ret;

    if (fstat(j->list, &st) < 0)
        return AVERROR(errno);
    if (st.st_size > MAX_LIST)
        return AVERROR(EEXIST);
    text = av_mallocz(st.st_size + 1);
    if (!text)
        return AVERROR(ENOMEM);
    while (size < st.st_size && (n = pread(j->list, text + size, st.st_size - size, size)) > 0)
        size += n;
    while (size && text[size - 1] != '\n')
        size--;
    if (!size && st.st_size && strncmp(text, HEAD, FFMIN((size_t)st.st_size, strlen(HEAD)))) {
        av_free(text);
        return AVERROR(EEXIST);
    }
    text[size] = 0;
    ret = size ? parse_list(j, text) : 0;
    av_free(text);
    if (ret < 0)
        return ret;
    if (ftruncate(j->list, size) < 0)
        return AVERROR(errno);
    snprintf(head, sizeof(head), HEAD "%s\n", j->key);
    return size ? 0 : append(j, head);
}

/* ---- opening ---- */

static char *find_folder(const Plan *plan)
{
    const char *path = plan_file(plan)->url;

    if (plan->cmd->own.work_dir)
        return av_strdup(plan->cmd->own.work_dir);
    av_strstart(path, "file:", &path);
    return av_asprintf("%s.ffleet", path);
}

static int open_folder(Journal *j)
{
    if (mkdir(j->folder, 0777) < 0 && errno != EEXIST)
        return AVERROR(errno);
    j->dir = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->dir < 0)
        return AVERROR(errno);
    j->list = openat(j->dir, "journal", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->list < 0)
        return AVERROR(errno);
    if (flock(j->list, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? AVERROR(EBUSY) : AVERROR(errno);
    return load_list(j);
}

int journal_open(Journal **out, const Plan *plan, char *why, size_t why_size)
{
    Journal *j;
    char *folder;
    int ret;

    *out = NULL;
    if (!plan->cmd->own.resume && !plan->cmd->own.work_dir)
        return 0;
    j = av_mallocz(sizeof(*j));
    if (!j)
        return AVERROR(ENOMEM);
    pthread_mutex_init(&j->lock, NULL);
    j->dir = j->list = -1;
    folder    = find_folder(plan);
    j->folder = folder ? av_strdup(folder) : NULL;
    ret = j->folder ? make_key(j, plan) : AVERROR(ENOMEM);
    if (ret >= 0)
        ret = open_folder(j);
    if (ret >= 0) {
        av_free(folder);
        *out = j;
        return 0;
    }
    journal_close(&j, 0);
    if (ret == AVERROR(ENOSYS)) {
        av_log(NULL, AV_LOG_WARNING, "an input is not a file: nothing is kept to resume from\n");
        av_free(folder);
        return 0;
    }
    if (ret == AVERROR(EEXIST))
        snprintf(why, why_size, "%.200s holds the work of another command, or its input has changed "
                 "since: remove that folder, or name another one with --work-dir", folder);
    else if (ret == AVERROR(EBUSY))
        snprintf(why, why_size, "%.200s: another ffleet works on it", folder);
    else
        snprintf(why, why_size, "%.200s: %s", folder ? folder : "", av_err2str(ret));
    av_free(folder);
    return ret;
}

/* ---- segments ---- */

int64_t journal_length(Journal *j, int64_t id)
{
    int64_t length = 0;

    if (!j)
        return 0;
    pthread_mutex_lock(&j->lock);
    if (id < j->nb_entries)
        length = j->entries[id].length;
    pthread_mutex_unlock(&j->lock);
    return length;
}

void journal_cut(Journal *j, int64_t id, int64_t length)
{
    char line[64];
    Entry *e;
    int ret;

    if (!j || journal_length(j, id))
        return;
    pthread_mutex_lock(&j->lock);
    e = j->failed ? NULL : entry(j, id);
    if (e) {
        e->length = length;
        snprintf(line, sizeof(line), "cut %"PRId64" %"PRId64"\n", id, length);
        ret = append(j, line);
        if (ret < 0)
            fail(j, ret);
    }
    pthread_mutex_unlock(&j->lock);
}

static void file_name(char *buf, size_t size, int64_t id, const char *suffix)
{
    snprintf(buf, size, "%"PRId64"%s", id, suffix);
}

/** The checksum of all of a blob, and, with fd, a copy of it. */
static int copy_blob(const Blob *blob, int fd, uint32_t *crc)
{
    uint8_t *buf = av_malloc(BUF_SIZE);
    const AVCRC *table = av_crc_get_table(AV_CRC_32_IEEE_LE);
    int64_t pos = 0;
    int n = 0, ret = buf ? 0 : AVERROR(ENOMEM);

    *crc = 0;
    while (ret >= 0 && (n = blob_read(blob, pos, buf, BUF_SIZE)) > 0) {
        *crc = av_crc(table, *crc, buf, n);
        pos += n;
        if (fd >= 0)
            ret = write_all(fd, buf, n);
    }
    av_free(buf);
    return ret < 0 ? ret : FFMIN(n, 0);
}

int journal_find(Journal *j, const Segment *seg, BlobPool *pool, Blob **blob)
{
    Entry e = { 0 };
    char name[64];
    uint32_t crc;
    int fd;

    *blob = NULL;
    if (!j)
        return 0;
    pthread_mutex_lock(&j->lock);
    if (seg->task.id < j->nb_entries)
        e = j->entries[seg->task.id];
    pthread_mutex_unlock(&j->lock);
    if (!e.size || e.first != seg->first_slot || e.count != seg->nb_slots)
        return 0;
    file_name(name, sizeof(name), seg->task.id, ".nut");
    fd = openat(j->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    if (blob_from_file(blob, pool, fd) < 0)
        return 0;
    if (blob_size(*blob) == e.size && copy_blob(*blob, -1, &crc) >= 0 && crc == e.crc)
        return 1;
    blob_unref(blob);
    return 0;
}

static int write_result(Journal *j, int64_t id, const Blob *result, uint32_t *crc)
{
    char part[64], name[64];
    int fd, ret;

    file_name(part, sizeof(part), id, ".part");
    file_name(name, sizeof(name), id, ".nut");
    fd = openat(j->dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return AVERROR(errno);
    ret = copy_blob(result, fd, crc);
    if (ret >= 0 && fsync(fd) < 0)
        ret = AVERROR(errno);
    close(fd);
    if (ret >= 0 && renameat(j->dir, part, j->dir, name) < 0)
        ret = AVERROR(errno);
    if (ret >= 0 && fsync(j->dir) < 0)
        ret = AVERROR(errno);
    if (ret < 0)
        unlinkat(j->dir, part, 0);
    return ret;
}

void journal_add(Journal *j, const Segment *seg, const Blob *result)
{
    char line[160];
    uint32_t crc = 0;
    Entry *e;
    int ret;

    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    e = j->failed ? NULL : entry(j, seg->task.id);
    if (e && !e->size) {
        ret = write_result(j, seg->task.id, result, &crc);
        snprintf(line, sizeof(line), "done %"PRId64" %"PRId64" %"PRId64" %"PRId64" %"PRIx32"\n",
                 seg->task.id, seg->first_slot, seg->nb_slots, blob_size(result), crc);
        if (ret >= 0)
            ret = append(j, line);
        if (ret < 0)
            fail(j, ret);
    }
    pthread_mutex_unlock(&j->lock);
}

/* ---- the output, and the end ---- */

void journal_output(Journal *j)
{
    int ret;

    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    ret = j->has_output || j->failed ? 0 : append(j, "output\n");
    if (ret < 0)
        fail(j, ret);
    j->has_output = 1;
    pthread_mutex_unlock(&j->lock);
}

int journal_has_output(const Journal *j)
{
    return j && j->has_output;
}

static void remove_files(Journal *j)
{
    char name[64];

    for (int i = 0; i < j->nb_entries; i++) {
        file_name(name, sizeof(name), i, ".nut");
        unlinkat(j->dir, name, 0);
        file_name(name, sizeof(name), i, ".part");
        unlinkat(j->dir, name, 0);
    }
    unlinkat(j->dir, "journal", 0);
    rmdir(j->folder);   /* unless there is something else in it */
}

void journal_close(Journal **jp, int remove)
{
    Journal *j = *jp;

    if (!j)
        return;
    if (remove)
        remove_files(j);
    if (j->list >= 0)
        close(j->list);
    if (j->dir >= 0)
        close(j->dir);
    pthread_mutex_destroy(&j->lock);
    av_free(j->entries);
    av_free(j->folder);
    av_freep(jp);
}
