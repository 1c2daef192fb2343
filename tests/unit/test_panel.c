/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <libavutil/avutil.h>

#include "fftools/show/panel.h"

static void check_host(const PanelHost *h, const char *expected)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    panel_format_host(&bp, h);
    assert_string_equal(bp.str, expected);
    av_bprint_finalize(&bp, NULL);
}

static void hosts(void **state)
{
    FleetSlotStatus slots[3] = { { FLEET_IDLE, -1, 0, 0, 0 }, { FLEET_IDLE, -1, 0, 0, 0 } };
    PanelHost h = { "u@a", FLEET_CONNECTING, 0, 0, slots, 1, 25, 1000000 };

    (void)state;
    check_host(&h, "u@a\t[p00]: ST: IDLE | SENDER(IDLE, 0) -> COMPRESS(IDLE, 0) -> DOWNLOAD(IDLE, 0)"
               " | stale: False | fps: 0.0 time: ");
    h.state = FLEET_SENDING;
    slots[0] = (FleetSlotStatus){ FLEET_SENDING, 3, 0, 0, 40 };
    check_host(&h, "u@a\t[p00]: ST: RUNNING | SENDER(SENDING, 0, ->output0003) -> COMPRESS(IDLE, 0) -> "
               "DOWNLOAD(IDLE, 0) | stale: False | fps: 0.0 time: ");
    h.state = FLEET_COMPRESSING;
    slots[0].state = FLEET_COMPRESSING;
    slots[0].since = 30;
    check_host(&h, "u@a\t[p00]: ST: RUNNING | SENDER(SENT, 0) -> COMPRESS(COMPRESSING, 0, *output0003) -> "
               "DOWNLOAD(IDLE, 0) | stale: False | fps: 25.0 time: time=00:00:01.00");
    slots[0].since = 30.5;
    h.draining = 1;
    h.time_us = 3723456789;
    check_host(&h, "u@a\t[p00]: ST: DRAINING | SENDER(SENT, 0) -> COMPRESS(COMPRESSING, 0, *output0003) -> "
               "DOWNLOAD(IDLE, 0) | stale: True | fps: 25.0 time: time=01:02:03.45");
    h.nb_slots = 3;
    h.tasks_done = 12;
    h.draining = 0;
    h.time_us = AV_NOPTS_VALUE;
    slots[1] = (FleetSlotStatus){ FLEET_COMPRESSING, 12345, 0, 0, 0 };
    slots[2] = (FleetSlotStatus){ FLEET_DOWNLOADING, 4, 0, 0, 0 };
    check_host(&h, "u@a\t[p12]: ST: RUNNING | SENDER(SENT, 0) -> COMPRESS(COMPRESSING, 1, *output0003) -> "
               "DOWNLOAD(DOWNLOADING, 0, <-output0004) | stale: True | fps: 25.0 time: ");
    h.nb_slots = 0;
    check_host(&h, "u@a\t[p12]: ST: RUNNING | SENDER(SENT, 0) -> COMPRESS(COMPRESSED, 0) -> "
               "DOWNLOAD(DOWNLOADED, 0) | stale: False | fps: 0.0 time: ");
    h.state = FLEET_FINISHED;
    check_host(&h, "u@a\t[p12]: ST: FINISHED | SENDER(FINISHED, 0) -> COMPRESS(FINISHED, 0) -> "
               "DOWNLOAD(FINISHED, 0) | stale: False | fps: 0.0 time: ");
    h.state = FLEET_BROKEN;
    check_host(&h, "u@a\t[p12]: ST: BROKEN | SENDER(BROKEN, 0) -> COMPRESS(BROKEN, 0) -> "
               "DOWNLOAD(BROKEN, 0) | stale: False | fps: 0.0 time: ");
}

static void check_panel(Panel *p, int queued, const PanelHost *h, int nb, const char *expected)
{
    AVBPrint bp;

    av_bprint_init(&bp, 0, AV_BPRINT_SIZE_UNLIMITED);
    panel_format(p, &bp, queued, h, nb);
    if (!strstr(bp.str, expected))
        fail_msg("'%s' is not in '%s'", expected, bp.str);
    av_bprint_finalize(&bp, NULL);
}

static void panel(void **state)
{
    FleetSlotStatus slot = { FLEET_COMPRESSING, 7, 0, 0, 0 };
    Host host = { .label = "two" };
    FleetHostStatus status = { .host = &host, .state = FLEET_COMPRESSING, .tasks_done = 1,
                               .nb_slots = 1, .slots = { slot } };
    PanelHost h[2] = { { "one", FLEET_COMPRESSING, 0, 2, &slot, 1, 30, 1500000 } };
    Panel p;

    (void)state;
    panel_host_init(&h[1], &status, 1, 12.5, 2000000);
    panel_init(&p);
    check_panel(&p, 4, h, 2,
                "Qsize: 4\n"
                "one\t[p02]: ST: RUNNING | SENDER(SENT, 0) -> COMPRESS(COMPRESSING, 0, *output0007) -> "
                "DOWNLOAD(DOWNLOADED, 0) | stale: False | fps: 30.0 time: time=00:00:01.50\n"
                "two\t[p01]: ST: DRAINING | SENDER(SENT, 0) -> COMPRESS(COMPRESSING, 0, *output0007) -> "
                "DOWNLOAD(DOWNLOADED, 0) | stale: False | fps: 12.5 time: time=00:00:02.00\n"
                "AVG: 21.25 fps | CURR: 42.50 fps\n\n");
    check_panel(&p, 0, NULL, 0, "Qsize: 0\nAVG: 14.17 fps | CURR: 0.00 fps\n\n");
    for (int i = 0; i < 97; i++)
        check_panel(&p, 0, NULL, 0, "CURR: 0.00 fps\n\n");
    check_panel(&p, 0, NULL, 0, "AVG: 0.42 fps"); /* 42.5 is still among the last 100 */
    check_panel(&p, 0, NULL, 0, "AVG: 0.00 fps"); /* now it is not */
}

static void due(void **state)
{
    Panel p;

    (void)state;
    panel_init(&p);
    assert_true(panel_due(&p, 0));
    assert_false(panel_due(&p, 999999));
    assert_true(panel_due(&p, 1000000));
    assert_false(panel_due(&p, 1000001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(panel),
        cmocka_unit_test(due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
