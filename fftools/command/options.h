/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_OPTIONS_H
#define FFLEET_OPTIONS_H

/**
 * @file
 * The table of ffmpeg's own options (arity, scope, aliases), and the look-up of libav*'s AVOptions.
 * tests/ holds it against the installed `ffmpeg -h full`.
 */

enum {
    OPTDEF_ARG    = 1 << 0,  ///< takes an argument
    OPTDEF_BOOL   = 1 << 1,  ///< no argument, may be typed as -noX
    OPTDEF_GLOBAL = 1 << 2,
    OPTDEF_INPUT  = 1 << 3,
    OPTDEF_OUTPUT = 1 << 4,
    OPTDEF_SPEC   = 1 << 5,  ///< may carry a stream specifier
    OPTDEF_INFO   = 1 << 6,  ///< prints something and ends the program
};

typedef struct OptionDef {
    const char *name;
    int         flags;
    const char *canonical;   ///< the name it is an alias of, or NULL
    const char *spec;        ///< the specifier the alias implies, or NULL
} OptionDef;

/** The entry for a name without dash and specifier, or NULL. */
const OptionDef *options_find(const char *name);
/** All entries, ended by a NULL name. */
const OptionDef *options_all(void);

enum {
    AVCLASS_CODEC  = 1 << 0, AVCLASS_FORMAT = 1 << 1,
    AVCLASS_SWS    = 1 << 2, AVCLASS_SWR    = 1 << 3,
    AVCLASS_PREFIX = 1 << 4, ///< with AVCLASS_CODEC: the codecs know it only without its first letter ("vb")
};
/**
 * Which of libav*'s classes know this name (ffmpeg's opt_default()); 0: none. The old "vb"-like prefixes included.
 * In optionclasses.c; front.c, which has no libav*, has a coarser one.
 * @param name as typed, without dash but with its stream specifier: only codecs strip that
 */
int options_avclass(const char *name);

#endif
