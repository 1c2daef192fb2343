/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_CMDLINE_H
#define FFLEET_CMDLINE_H

/**
 * @file
 * ffmpeg's argument grammar. Keeps order, repeats and stream specifiers; opens no file, judges
 * nothing but the grammar. Knowledge: fftools/cmdutils.c (split_commandline, opt_default) and
 * fftools/ffmpeg_opt.c of FFmpeg 5.1 and 7.1.
 */

#include <stddef.h>
#include <stdint.h>

#include "options.h"

/** One option as typed. */
typedef struct CmdOption {
    char *name;      ///< canonical: aliases resolved (-vcodec: "c", spec "v"), without dash, specifier and "no"
    char *spec;      ///< stream specifier ("v:0"), or NULL. For aliases the implied one ("v")
    char *value;     ///< or NULL when it takes none
    int   negated;   ///< typed as -noX
    int   from_file; ///< typed as -/X (FFmpeg 7), or -X_script: value names a file that holds the value
    int   index;     ///< of the option itself in Command.argv
    int   nargs;     ///< elements of argv it takes: 1 or 2
    const OptionDef *def; ///< ffmpeg's own option; NULL: an AVOption of libav*, or unknown
    int   avclass;   ///< AVCLASS_* bits where libav* knows the name as an AVOption; 0 with def == NULL: unknown
} CmdOption;

typedef struct CmdFile {
    char      *url;
    CmdOption *options;
    int        nb_options;
    int        index;   ///< of the url in Command.argv
} CmdFile;

/**
 * ffleet's own options, all beginning with "--". Anywhere but where ffmpeg would read an option's argument
 * or, after "--", an output. Called by the name ffmpeg, --help and --version are ffmpeg's.
 */
typedef struct OwnOptions {
    char **hosts;            ///< each --hosts LIST, and each --hostlist word
    int    nb_hosts;
    int    have_hosts;       ///< --hosts or --hostlist was given
    char  *ssh_user;
    double segment_length;   ///< seconds; 0: not given. Also FFLEET_SEGMENT_LENGTH
    char  *file;             ///< --file
    int    short_form;       ///< the short form is used (--file or --hostlist given): the panel is shown
    int    explain, no_fallback, version, help, status, resume;
    int64_t memory;          ///< bytes for what waits; 0: not given
    char  *work_dir;         ///< --work-dir: where what is done is kept; NULL: beside the output, with --resume
} OwnOptions;

typedef struct Command {
    char     **argv;         ///< as for stock: argv[0], then all words but ffleet's own, NULL-terminated
    int        argc;
    OwnOptions own;
    CmdOption *globals;
    int        nb_globals;
    CmdFile   *inputs;
    int        nb_inputs;
    CmdFile   *outputs;
    int        nb_outputs;
    CmdOption *trailing;     ///< options after the last output: ffmpeg warns and ignores
    int        nb_trailing;
    int        info;         ///< has an informational option (-version, -h, ...): stock's
} Command;

/**
 * Parse. With --file FILE, "-i FILE" is put in front of the arguments, and an absent output becomes output.mp4.
 * @param err the message for a wrong use of ffleet's own options (AVERROR(EINVAL)): main prints it and exits 1
 * @return 0; AVERROR(EINVAL) as above; AVERROR_OPTION_NOT_FOUND when ffmpeg's own arguments do not
 *         parse (unknown option, missing argument, ...): stock prints the right error; argv is valid then.
 *         err says why here too
 */
int  cmdline_parse(Command *cmd, int argc, char **argv, char *err, size_t err_size);
void cmdline_free(Command *cmd);

/** The last option of that canonical name among opts, or NULL; ignores specifiers. */
const CmdOption *cmdline_last(const CmdOption *opts, int nb, const char *name);

#endif
