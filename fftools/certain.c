/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certain.h"

#include <string.h>

/** Whether all video of an output is copied, if there is any. */
static int copies_video(const CmdFile *out)
{
    const CmdOption *vn = cmdline_last(out->options, out->nb_options, "vn");
    int copy = 0;

    if (vn && !vn->negated)
        return 1;
    for (int i = 0; i < out->nb_options; i++) {
        const CmdOption *o = &out->options[i];

        /* an output that is a DVD brings its own codecs */
        if (!strcmp(o->name, "target"))
            return 0;
        if (strcmp(o->name, "c") || !o->def || (o->spec && strchr("asdt", o->spec[0])))
            continue;
        if (o->from_file || strcmp(o->value, "copy"))
            return 0;
        copy |= !o->spec || !strcmp(o->spec, "v");
    }
    return copy;
}

static int copies_all_video(const Command *cmd)
{
    if (cmdline_last(cmd->globals, cmd->nb_globals, "filter_complex"))
        return 0;
    for (int i = 0; i < cmd->nb_outputs; i++)
        if (!copies_video(&cmd->outputs[i]))
            return 0;
    return 1;
}

const char *certain_stock(const Command *cmd)
{
    if (cmd->info)
        return "it only asks ffmpeg for information";
    if (!cmd->nb_inputs)
        return "it has no input";
    if (!cmd->nb_outputs)
        return "it has no output";
    if (copies_all_video(cmd))
        return "it encodes no video";
    return NULL;
}
