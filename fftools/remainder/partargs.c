/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libavutil/avstring.h>

#include "../command/namelist.h"
#include "../plan/streammap.h"
#include "partargs.h"

/** Whether an option reaches one of the streams of the part, or, if not of the part, of others. */
static int reaches(const Plan *p, enum CarrierPart part, int others, const CmdOption *o)
{
    for (int i = 0; i < p->nb_streams; i++)
        if ((p->streams[i].part == (int)part) == !others &&
            streammap_option_matches(p->streams, p->nb_streams, i, o) > 0)
            return 1;
    return 0;
}

/** The specifier of -metadata and -map_metadata says what it is one of. @return 0: not of streams */
static int take_kind(CmdOption *o, const char **kind)
{
    const int metadata = o->def && (!strcmp(o->name, "metadata") || !strcmp(o->name, "map_metadata"));

    *kind = metadata ? "s:" : "";
    if (!o->spec || !*o->spec || (metadata && *o->spec != 's'))
        return 0;
    if (metadata)
        o->spec += 1 + (o->spec[1] == ':');
    return 1;
}

void partargs_option(ArgList *l, const Plan *p, enum CarrierPart part, const CmdOption *option,
                     const char *const *skip)
{
    const char *slash = p->cmd->argv[option->index][1] == '/' ? "/" : "", *kind;
    CmdOption o = *option;

    if (skip && o.def && namelist_has(skip, o.name))
        return;
    if (!take_kind(&o, &kind)) {
        arglist_add_options(l, p->cmd, option, 1, NULL);
        return;
    }
    if (!reaches(p, part, 0, &o) && reaches(p, part, 1, &o))
        return;
    if (!strpbrk(o.spec, "0123456789")) {
        arglist_add_options(l, p->cmd, option, 1, NULL);
        return;
    }
    for (int i = 0; i < p->nb_streams; i++) {
        if (p->streams[i].part != (int)part || streammap_option_matches(p->streams, p->nb_streams, i, &o) <= 0)
            continue;
        arglist_addf(l, "-%s%s%s:%s%d", slash, o.negated ? "no" : "", o.name, kind, carrierpart_place(p, i));
        if (o.value)
            arglist_add(l, o.value);
    }
}

void partargs_maps(ArgList *l, const Plan *p, enum CarrierPart part)
{
    for (int i = 0; i < p->nb_streams; i++) {
        const PlanStream *s = &p->streams[i];

        /* what a graph makes without a label is the first output's by itself */
        if (s->part != (int)part || (s->complex && !s->label))
            continue;
        arglist_add(l, "-map");
        if (s->complex)
            arglist_addf(l, "[%s]", s->label);
        else
            arglist_addf(l, "%d:%d", s->file, s->index);
    }
}

void partargs_text(ArgList *l, const Plan *p, int limits)
{
    static const char *const known[] = {
        "copyinkf", "copypriorss", "bsf", "max_muxing_queue_size", "muxing_queue_data_threshold", NULL
    };
    static const char *const times[] = { "ss", "t", "to", NULL };
    const CmdFile *f = plan_file(p);

    partargs_maps(l, p, CARRIER_TEXT);
    for (int i = 0; i < f->nb_options; i++) {
        const CmdOption *o = &f->options[i];

        if (o->def && (namelist_has(known, o->name) || (limits && namelist_has(times, o->name))))
            partargs_option(l, p, CARRIER_TEXT, o, NULL);
    }
    for (int i = 0; i < p->nb_streams; i++) {
        if (p->streams[i].part != CARRIER_TEXT)
            continue;
        arglist_addf(l, "-c:%d", carrierpart_place(p, i));
        arglist_add(l, p->streams[i].copy ? "copy" : p->streams[i].encoder->name);
    }
}
