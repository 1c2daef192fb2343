#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# prove's --exec: run one test, a cmocka program or a script, with TAP on stdout.
# Bounded: a test that hangs has failed.

test=$1
shift
here=$(dirname "$0")

CMOCKA_MESSAGE_OUTPUT=TAP
# The slow unwinder sees through libraries without frame pointers: lsan.supp names their functions.
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:exitcode=99:fast_unwind_on_malloc=0}
LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$here/lsan.supp:print_suppressions=0}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
TSAN_OPTIONS=${TSAN_OPTIONS:-suppressions=$here/tsan.supp:second_deadlock_stack=1:exitcode=99}
export CMOCKA_MESSAGE_OUTPUT ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS

# The developer's own fleet stays out of it.
unset FFLEET_HOSTS FFLEET_SEGMENT_LENGTH FFLEET_FFMPEG FFLEET_SSH_CONFIG FFLEET_STALL_TIMEOUT FFLEET_TRACE FFLEET_DEPTH

case $test in
/*) ;;
*)  test=./$test ;;
esac
case $test in
*.t)
    case $(head -n 1 "$test") in
    *perl*) set -- perl "$test" "$@" ;;
    *)      set -- bash "$test" "$@" ;;
    esac
    ;;
*)
    set -- "$test" "$@"
    ;;
esac
exec timeout --kill-after=10 "${TEST_TIMEOUT:-1800}" "$@"
