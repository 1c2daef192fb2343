/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/version.h>
#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "../../remote/bytesize.h"

#define MIN_MEMORY 16e6
#define MAX_MEMORY 1e15
#define MAX_SEGMENT_LENGTH 1e9 /* seconds; stays far from the limits of int64_t microseconds */

typedef struct Message {
    char  *text;
    size_t size;
} Message;

/** One option word as ffmpeg reads it. */
typedef struct Word {
    const OptionDef *def;
    int avclass;
    int negated;
    int from_file;
    int nargs;          ///< 1 or 2; 2 may run past the end of the arguments: the value is missing
} Word;

/** The options that wait for the file they belong to. */
typedef struct Group {
    CmdOption *options;
    int        nb_options;
} Group;

/* ---- growing arrays ---- */

/** Room for one more zeroed element at the end of *array (a pointer of any type), or NULL. */
static void *append(void *array, int *nb, size_t elem_size)
{
    void *data;
    char *elem;

    memcpy(&data, array, sizeof(data));
    data = av_realloc_array(data, *nb + 1, elem_size);
    if (!data)
        return NULL;
    memcpy(array, &data, sizeof(data));
    elem = (char *)data + *nb * elem_size;
    memset(elem, 0, elem_size);
    (*nb)++;
    return elem;
}

/** Append a copy of a string and keep the array NULL-terminated. */
static int append_string(char ***array, int *nb, const char *text)
{
    char **grown = av_realloc_array(*array, *nb + 2, sizeof(**array));
    char *copy   = av_strdup(text);

    if (grown)
        *array = grown;
    if (!grown || !copy) {
        av_free(copy);
        return AVERROR(ENOMEM);
    }
    grown[(*nb)++] = copy;
    grown[*nb]     = NULL;
    return 0;
}

static void free_strings(char ***array, int *nb)
{
    for (int i = 0; i < *nb; i++)
        av_free((*array)[i]);
    av_freep(array);
    *nb = 0;
}

static void free_options(CmdOption **options, int *nb)
{
    for (int i = 0; i < *nb; i++) {
        av_free((*options)[i].name);
        av_free((*options)[i].spec);
        av_free((*options)[i].value);
    }
    av_freep(options);
    *nb = 0;
}

static void free_files(CmdFile **files, int *nb)
{
    for (int i = 0; i < *nb; i++) {
        free_options(&(*files)[i].options, &(*files)[i].nb_options);
        av_free((*files)[i].url);
    }
    av_freep(files);
    *nb = 0;
}

/* ---- ffmpeg's words ---- */

/** ffmpeg compares a table name up to the first colon, stream specifier or not. */
static const OptionDef *find_def(const char *typed)
{
    char name[64];
    size_t len = strcspn(typed, ":");

    if (len >= sizeof(name))
        return NULL;
    av_strlcpy(name, typed, len + 1);
    return options_find(name);
}

/** @return 0, or AVERROR_OPTION_NOT_FOUND. opt is without its dash; next is the following word or NULL */
static int read_word(Word *word, const char *opt, const char *next)
{
    memset(word, 0, sizeof(*word));
    word->nargs = 1;

#if LIBAVCODEC_VERSION_MAJOR >= 61
    if (*opt == '/') {
        word->from_file = 1;
        opt++;
    }
#endif
    word->def = find_def(opt);
    if (word->def) {
        if (word->def->flags & OPTDEF_INFO)
            word->nargs = next ? 2 : 1; /* whatever follows, should there be anything */
        else if (word->def->flags & OPTDEF_ARG)
            word->nargs = 2;
        else if (word->from_file)
            return AVERROR_OPTION_NOT_FOUND;
        return 0;
    }
    if (word->from_file)
        return AVERROR_OPTION_NOT_FOUND;

    /* libav* comes before -noX, but not for a last word */
    if (next && (word->avclass = options_avclass(opt))) {
        word->nargs = 2;
        return 0;
    }
    if (!strncmp(opt, "no", 2)) {
        word->def = find_def(opt + 2);
        if (word->def && word->def->flags & OPTDEF_BOOL) {
            word->negated = 1;
            return 0;
        }
        word->def = NULL;
    }
    return AVERROR_OPTION_NOT_FOUND;
}

static int is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

/** Elements of argv that the word at i takes; 1 for what ffmpeg would reject. */
static int count_args(int argc, char **argv, int i)
{
    const char *next = i + 1 < argc ? argv[i + 1] : NULL;
    Word word;

    if (!is_option(argv[i]))
        return 1;
    if (!strcmp(argv[i], "-i"))
        return next ? 2 : 1;
    if (read_word(&word, argv[i] + 1, next) < 0)
        return 1;
    return next ? word.nargs : 1;
}

/* ---- ffleet's own words ---- */

enum OwnKind { OWN_FLAG, OWN_HOSTS, OWN_HOSTLIST, OWN_USER, OWN_LENGTH, OWN_FILE, OWN_WORK_DIR, OWN_MEMORY };

typedef struct OwnDef {
    const char  *name;
    enum OwnKind kind;
    size_t       offset;   ///< of the int that an OWN_FLAG sets
} OwnDef;

#define FLAG(name, field) { name, OWN_FLAG, offsetof(OwnOptions, field) }
static const OwnDef own_defs[] = {
    { "--hosts",          OWN_HOSTS,    0 },
    { "--hostlist",       OWN_HOSTLIST, 0 },
    { "--ssh-user",       OWN_USER,     0 },
    { "--segment-length", OWN_LENGTH,   0 },
    { "--file",           OWN_FILE,     0 },
    { "--work-dir",       OWN_WORK_DIR, 0 },
    { "--memory",         OWN_MEMORY,   0 },
    FLAG("--explain",     explain),
    FLAG("--no-fallback", no_fallback),
    FLAG("--status",      status),
    FLAG("--resume",      resume),
    FLAG("--version",     version),
    FLAG("--help",        help),
    { NULL, OWN_FLAG, 0 },
};

/** @param masked we are called "ffmpeg": what asks for the program's own text is then ffmpeg's */
static const OwnDef *find_own(const char *word, const char *next, int masked)
{
    size_t len = strcspn(word, "=");
    const OwnDef *def;

    for (def = own_defs; def->name; def++)
        if (strlen(def->name) == len && !strncmp(word, def->name, len))
            break;
    if (!def->name)
        return NULL;
    if (masked && (!strcmp(def->name, "--help") || !strcmp(def->name, "--version")))
        return NULL;
    /* "--help TOPIC" is an option of ffmpeg */
    if (!strcmp(def->name, "--help") && next && !is_option(next))
        return NULL;
    return def;
}

static int called_ffmpeg(const char *argv0)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

    return argv0 && !strcmp(slash ? slash + 1 : argv0, "ffmpeg");
}

static int parse_length(double *seconds, const char *text, const char *who, Message *msg)
{
    char *end;

    *seconds = strtod(text, &end);
    if (*end || end == text || text[strspn(text, "0123456789.eE+-")] ||
        !(*seconds > 0 && *seconds <= MAX_SEGMENT_LENGTH)) {
        *seconds = 0;
        snprintf(msg->text, msg->size, "%s: '%s' is not a positive number of seconds",
                 who, text);
        return AVERROR(EINVAL);
    }
    return 0;
}

static int parse_memory(int64_t *bytes, const char *text, const char *who, Message *msg)
{
    double n = bytesize_parse(text);

    if (!(n >= MIN_MEMORY && n <= MAX_MEMORY)) {
        snprintf(msg->text, msg->size, "%s: '%s' is not a size of 16M or more", who, text);
        return AVERROR(EINVAL);
    }
    *bytes = n;
    return 0;
}

static int set_string(char **field, const char *value)
{
    av_free(*field);
    *field = av_strdup(value);
    return *field ? 0 : AVERROR(ENOMEM);
}

static int set_own(OwnOptions *own, const OwnDef *def, const char *value, Message *msg)
{
    /* a name with a dash in front would be an option to whatever gets it */
    if (!*value || (*value == '-' && (def->kind == OWN_HOSTS || def->kind == OWN_USER))) {
        snprintf(msg->text, msg->size, "%s: missing argument", def->name);
        return AVERROR(EINVAL);
    }

    switch (def->kind) {
    case OWN_HOSTS:
    case OWN_HOSTLIST:
        own->have_hosts = 1;
        return append_string(&own->hosts, &own->nb_hosts, value);
    case OWN_USER:
        return set_string(&own->ssh_user, value);
    case OWN_FILE:
        own->short_form = 1;
        return set_string(&own->file, value);
    case OWN_MEMORY:
        return parse_memory(&own->memory, value, def->name, msg);
    case OWN_WORK_DIR:
        return set_string(&own->work_dir, value);
    default:
        return parse_length(&own->segment_length, value, def->name, msg);
    }
}

/** @return number of words taken, or an AVERROR code */
static int take_own(OwnOptions *own, const OwnDef *def, int argc, char **argv, int i,
                    Message *msg)
{
    const char *value = strchr(argv[i], '=');
    int n = 1, ret;

    if (def->kind == OWN_FLAG) {
        if (value) {
            snprintf(msg->text, msg->size, "%s takes no argument", def->name);
            return AVERROR(EINVAL);
        }
        *(int *)((char *)own + def->offset) = 1;
        return 1;
    }
    if (def->kind == OWN_HOSTLIST) {
        own->short_form = own->have_hosts = 1;
        for (; !value && i + n < argc && argv[i + n][0] != '-'; n++) {
            ret = set_own(own, def, argv[i + n], msg);
            if (ret < 0)
                return ret;
        }
        if (!value)
            return n;
    }
    if (!value) {
        value = i + 1 < argc ? argv[i + 1] : "";
        n     = 2;
    } else {
        value++;
    }
    ret = set_own(own, def, value, msg);
    return ret < 0 ? ret : n;
}

/** Take ffleet's own words out of the arguments: cmd->own, and the rest in cmd->argv. */
static int strip_own(Command *cmd, int argc, char **argv, Message *msg)
{
    int masked = called_ffmpeg(argv[0]), verbatim = 0, ret = 0, n;
    const OwnDef *def;

    for (int i = 0; i < argc; i += n) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;

        n = 1;
        if (i && !verbatim && (def = find_own(argv[i], next, masked))) {
            n = take_own(&cmd->own, def, argc, argv, i, msg);
            if (n < 0)
                return n;
            continue;
        }
        if (i && !verbatim)
            n = count_args(argc, argv, i);
        verbatim = i && !strcmp(argv[i], "--"); /* the next word is an output */
        for (int j = 0; j < n; j++) {
            ret = append_string(&cmd->argv, &cmd->argc, argv[i + j]);
            if (ret < 0)
                return ret;
        }
    }
    return 0;
}

/** Put "-i FILE" in front of all arguments. */
static int insert_file(Command *cmd)
{
    char *flag, *url;
    int ret;

    if ((ret = append_string(&cmd->argv, &cmd->argc, "-i")) < 0 ||
        (ret = append_string(&cmd->argv, &cmd->argc, cmd->own.file)) < 0)
        return ret;
    flag = cmd->argv[cmd->argc - 2];
    url  = cmd->argv[cmd->argc - 1];
    memmove(cmd->argv + 3, cmd->argv + 1, (cmd->argc - 3) * sizeof(*cmd->argv));
    cmd->argv[1] = flag;
    cmd->argv[2] = url;
    return 0;
}

/* ---- groups ---- */

/** What ffmpeg's old names stand for. On return name and spec are the canonical ones. */
static int set_name(CmdOption *o, const char *typed)
{
    const char *colon = strchr(typed, ':');
    const char *spec  = colon && colon[1] ? colon + 1 : NULL;
    const OptionDef *def = o->def;
    int len = colon ? (int)(colon - typed) : (int)strlen(typed);

    if (def) {
        o->name = av_strdup(def->canonical ? def->canonical : def->name);
        if (def->spec && !(def->flags & OPTDEF_SPEC) && spec &&
            (!strcmp(def->canonical, "tag") || !strcmp(def->canonical, "bsf"))) {
            /* -vtag:0 becomes -tag:0:v, while -vf:0 is just -filter:v */
            o->spec = av_asprintf("%s:%s", spec, def->spec);
            if (!o->spec)
                return AVERROR(ENOMEM);
        } else if (def->spec && !(colon && def->flags & OPTDEF_SPEC)) {
            spec = def->spec;
        }
    } else if (o->avclass == (AVCLASS_CODEC | AVCLASS_PREFIX)) {
        o->name = av_strdup(typed + 1);
        o->spec = av_asprintf("%c", typed[0]);
    } else {
        o->name = av_asprintf("%.*s", len, typed);
    }
    if (!o->spec && spec)
        o->spec = av_strdup(spec);
    return o->name && (o->spec || !spec) ? 0 : AVERROR(ENOMEM);
}

/** Add the option at argv[i] to where it belongs. @return elements taken, or an AVERROR code */
static int add_option(Command *cmd, Group *group, int i, Message *msg)
{
    const char *typed = cmd->argv[i] + 1, *next = cmd->argv[i + 1];
    CmdOption *o;
    Word word;
    int ret = read_word(&word, typed, next);

    if (ret < 0) {
        snprintf(msg->text, msg->size, "ffmpeg has no option '%s'", cmd->argv[i]);
        return ret;
    }
    if (word.nargs == 2 && !next) {
        snprintf(msg->text, msg->size, "missing argument for option '%s'", cmd->argv[i]);
        return AVERROR_OPTION_NOT_FOUND;
    }

    if (word.def && word.def->flags & OPTDEF_GLOBAL)
        o = append(&cmd->globals, &cmd->nb_globals, sizeof(*o));
    else
        o = append(&group->options, &group->nb_options, sizeof(*o));
    if (!o)
        return AVERROR(ENOMEM);
    o->def       = word.def;
    o->avclass   = word.avclass;
    o->negated   = word.negated;
    o->from_file = word.from_file || (word.def && !strcmp(word.def->name, "filter_complex_script"));
    o->index     = i;
    o->nargs     = word.nargs;
    if (word.def && word.def->flags & OPTDEF_INFO)
        cmd->info = 1;

    ret = set_name(o, typed + (word.negated ? 2 : 0) + word.from_file);
    if (ret >= 0 && word.nargs == 2 && !(o->value = av_strdup(next)))
        ret = AVERROR(ENOMEM);
    return ret < 0 ? ret : word.nargs;
}

/** A file ends its group. */
static int add_file(CmdFile **files, int *nb, Group *group, char **argv, int i)
{
    CmdFile *file = append(files, nb, sizeof(*file));

    if (!file)
        return AVERROR(ENOMEM);
    file->options    = group->options;
    file->nb_options = group->nb_options;
    file->index      = i;
    memset(group, 0, sizeof(*group));
    file->url = av_strdup(argv[i]);
    return file->url ? 0 : AVERROR(ENOMEM);
}

/** @return elements of argv taken, or an AVERROR code */
static int take_word(Command *cmd, Group *group, int i, int verbatim, Message *msg)
{
    const char *word = cmd->argv[i];
    int ret;

    if (!strcmp(word, "--"))
        return 1;
    if (verbatim || !is_option(word)) {
        ret = add_file(&cmd->outputs, &cmd->nb_outputs, group, cmd->argv, i);
        return ret < 0 ? ret : 1;
    }
    if (strcmp(word, "-i"))
        return add_option(cmd, group, i, msg);
    if (!cmd->argv[i + 1]) {
        snprintf(msg->text, msg->size, "missing argument for option '-i'");
        return AVERROR_OPTION_NOT_FOUND;
    }
    ret = add_file(&cmd->inputs, &cmd->nb_inputs, group, cmd->argv, i + 1);
    return ret < 0 ? ret : 2;
}

/** ffmpeg refuses an input's option in front of an output and the other way round. */
static int check_scope(const CmdFile *files, int nb_files, int scope, Message *msg)
{
    for (int i = 0; i < nb_files; i++) {
        for (int j = 0; j < files[i].nb_options; j++) {
            const CmdOption *o = &files[i].options[j];

            if (o->def && !(o->def->flags & scope)) {
                snprintf(msg->text, msg->size, "option '-%s' cannot be applied to %s '%s'",
                         o->def->name, scope == OPTDEF_INPUT ? "input" : "output",
                         files[i].url);
                return AVERROR_OPTION_NOT_FOUND;
            }
        }
    }
    return 0;
}

/** The short form needs no output. */
static int add_default_output(Command *cmd, Group *group)
{
    int ret;

    if (!cmd->own.file || cmd->nb_outputs || cmd->info)
        return 0;
    ret = append_string(&cmd->argv, &cmd->argc, "output.mp4");
    if (ret < 0)
        return ret;
    return add_file(&cmd->outputs, &cmd->nb_outputs, group, cmd->argv, cmd->argc - 1);
}

static int split_groups(Command *cmd, Message *msg)
{
    Group group = { 0 };
    int verbatim = 0, ret = 0;

    for (int i = 1; i < cmd->argc; i += ret) {
        ret = take_word(cmd, &group, i, verbatim, msg);
        if (ret < 0)
            goto end;
        verbatim = !strcmp(cmd->argv[i], "--");
    }
    if ((ret = add_default_output(cmd, &group)) < 0 ||
        (ret = check_scope(cmd->inputs, cmd->nb_inputs, OPTDEF_INPUT, msg)) < 0)
        goto end;
    ret = check_scope(cmd->outputs, cmd->nb_outputs, OPTDEF_OUTPUT, msg);

end:
    cmd->trailing    = group.options;
    cmd->nb_trailing = group.nb_options;
    return ret;
}

int cmdline_parse(Command *cmd, int argc, char **argv, char *err, size_t err_size)
{
    const char *env = getenv("FFLEET_SEGMENT_LENGTH");
    Message msg = { err, err_size };
    int ret;

    memset(cmd, 0, sizeof(*cmd));
    if (err_size)
        *err = 0;
    /* a caller may give no name at all */
    if (argc < 1)
        return append_string(&cmd->argv, &cmd->argc, "ffmpeg");

    ret = strip_own(cmd, argc, argv, &msg);
    if (ret < 0)
        goto end;
    if (cmd->own.file && (ret = insert_file(cmd)) < 0)
        goto end;
    ret = split_groups(cmd, &msg);
    if (ret < 0)
        goto end;
    if (env && *env && !cmd->own.segment_length &&
        !cmd->info && !cmd->own.help && !cmd->own.version)
        ret = parse_length(&cmd->own.segment_length, env, "FFLEET_SEGMENT_LENGTH", &msg);

end:
    if (ret < 0 && err_size && !*err)
        av_strerror(ret, err, err_size);
    return ret;
}

void cmdline_free(Command *cmd)
{
    free_strings(&cmd->argv, &cmd->argc);
    free_strings(&cmd->own.hosts, &cmd->own.nb_hosts);
    av_freep(&cmd->own.ssh_user);
    av_freep(&cmd->own.file);
    av_freep(&cmd->own.work_dir);
    free_options(&cmd->globals, &cmd->nb_globals);
    free_options(&cmd->trailing, &cmd->nb_trailing);
    free_files(&cmd->inputs, &cmd->nb_inputs);
    free_files(&cmd->outputs, &cmd->nb_outputs);
    memset(cmd, 0, sizeof(*cmd));
}

const CmdOption *cmdline_last(const CmdOption *opts, int nb, const char *name)
{
    while (nb-- > 0)
        if (!strcmp(opts[nb].name, name))
            return &opts[nb];
    return NULL;
}
