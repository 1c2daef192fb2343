/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * @file
 * Prints what options.c knows, for 20-options.t.
 *   options_dump            the table: NAME ARITY FLAGS CANONICAL SPEC
 *   options_dump avclass    reads names from stdin, prints NAME CLASSES
 */

#include <stdio.h>
#include <string.h>

#include "fftools/command/options.h"

static void print_flags(int flags)
{
    static const struct { int bit; char letter; } letters[] = {
        { OPTDEF_BOOL, 'b' }, { OPTDEF_GLOBAL, 'g' }, { OPTDEF_INPUT, 'i' },
        { OPTDEF_OUTPUT, 'o' }, { OPTDEF_SPEC, 's' }, { OPTDEF_INFO, 'x' },
    };

    for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
        if (flags & letters[i].bit)
            putchar(letters[i].letter);
}

static void dump_table(void)
{
    for (const OptionDef *def = options_all(); def->name; def++) {
        printf("%s %d ", def->name, !!(def->flags & OPTDEF_ARG));
        print_flags(def->flags);
        printf(" %s %s\n", def->canonical ? def->canonical : "-", def->spec ? def->spec : "-");
    }
}

static void dump_classes(void)
{
    char name[256];

    while (fgets(name, sizeof(name), stdin)) {
        name[strcspn(name, "\n")] = 0;
        printf("%s %d\n", name, options_avclass(name));
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "avclass"))
        dump_classes();
    else
        dump_table();
    return fflush(stdout) != 0;
}
