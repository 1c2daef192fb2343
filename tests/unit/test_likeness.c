/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libavutil/common.h>
#include <libavutil/lfg.h>

#include "fftools/encode/likeness.h"

#define W LIKENESS_WIDTH
#define H LIKENESS_HEIGHT

typedef uint8_t Thumbnail[H][W];

static int differs(Thumbnail a, Thumbnail b)
{
    return likeness_differs(a[0], W, b[0], W);
}

/** A slope from dark to light, of that contrast, and noise. */
static void draw(Thumbnail t, int middle, double contrast, int noise, int flip, int seed)
{
    AVLFG random;

    av_lfg_init(&random, seed);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int level = (flip ? W - 1 - x : x) * 8 - 128;

            t[y][x] = av_clip_uint8(middle + level * contrast + (int)(av_lfg_get(&random) % (2 * noise + 1)) - noise);
        }
}

static void encoders_are_forgiven(void **state)
{
    Thumbnail a, b;

    (void)state;
    draw(a, 128, 0.9, 0, 0, 1);
    draw(b, 128, 0.9, 0, 0, 1);
    assert_false(differs(a, b));
    draw(b, 128, 0.9, 60, 0, 2);    /* hardly to be seen any more */
    assert_false(differs(a, b));
    draw(b, 168, 0.5, 10, 0, 3);    /* another range, gamma, brightness */
    assert_false(differs(a, b));
    draw(a, 16, 0, 2, 0, 4);        /* night, and black */
    draw(b, 0, 0, 0, 0, 5);
    assert_false(differs(a, b));
    draw(a, 128, 0, 40, 0, 6);      /* noise, and what is left of it */
    draw(b, 128, 0, 0, 0, 7);
    assert_false(differs(a, b));
}

static void other_pictures_are_seen(void **state)
{
    Thumbnail a, b;

    (void)state;
    draw(a, 128, 0.9, 5, 0, 1);
    draw(b, 128, 0.9, 5, 1, 2);
    assert_true(differs(a, b));
    draw(b, 75, 0, 0, 0, 3);        /* green */
    assert_true(differs(a, b));
    draw(b, 0, 0, 0, 0, 4);
    assert_true(differs(a, b));
    draw(a, 255, 0, 0, 0, 5);
    assert_true(differs(a, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_are_forgiven),
        cmocka_unit_test(other_pictures_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
