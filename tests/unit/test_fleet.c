/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include <libavutil/bprint.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "remote/fleet.h"
#include "remote/hostnews.h"
#include "faketransport.h"

#define MAX_TASKS 200

/*
 * A client: each task has the bytes that its command must return.
 */

typedef struct Work {
    const char *command;
    uint8_t    *expected;
    size_t      size;
} Work;

typedef struct Test {
    BlobPool   *pool;
    Fleet      *fleet;
    Trace      *trace;
    char        trace_path[64];
    FleetTask   tasks[MAX_TASKS];
    Work        work[MAX_TASKS];
    int         nb_tasks;
    Host        hosts[40], local;
    HostList    list;
    FleetOptions options;
    atomic_int  attempts, results, infos, checks, errors_seen;
    int         moves;      ///< what comes on stderr tells of progress
} Test;

static char *client_probe(void *opaque, const Host *host)
{
    (void)opaque;
    return av_strdup(host->local ? "echo cores 2; echo note >&2" : "probe");
}

static int client_check(void *opaque, const Host *host, int status, const char *out,
                        HostInfo *info, char *why, size_t why_size)
{
    Test *t = opaque;

    (void)host;
    atomic_fetch_add(&t->checks, 1);
    if (status || sscanf(out, "cores %d", &info->cores) != 1) {
        snprintf(why, why_size, "it cannot do anything");
        return AVERROR(ENOSYS);
    }
    info->slots = info->cores;
    info->priv  = av_malloc(1);
    atomic_fetch_add(&t->infos, 1);
    return 0;
}

static void client_host_free(void *opaque, HostInfo *info)
{
    Test *t = opaque;

    av_freep(&info->priv);
    atomic_fetch_sub(&t->infos, 1);
}

static int client_begin(void *opaque, FleetAttempt *a, char **command)
{
    Test *t = opaque;
    Work *w = a->task->opaque;

    atomic_fetch_add(&t->attempts, 1);
    assert_true(a->info->cores > 0);
    if (!strcmp(a->host->name, "unfit"))
        return AVERROR(ENOSYS);
    a->priv = av_mallocz(sizeof(AVBPrint));
    if (!a->priv)
        return AVERROR(ENOMEM);
    av_bprint_init(a->priv, 0, AV_BPRINT_SIZE_UNLIMITED);
    *command = av_strdup(!strcmp(a->host->name, "garbler") ? "echo garbage" : w->command);
    return *command ? 0 : AVERROR(ENOMEM);
}

static int client_stdout(void *opaque, FleetAttempt *a, const uint8_t *data, size_t size)
{
    AVBPrint *bp = a->priv;

    (void)opaque;
    if (size >= 6 && !memcmp(data, "REFUSE", 6))
        return AVERROR(EINVAL);
    av_bprint_append_data(bp, (const char *)data, size);
    return 0;
}

static int client_stderr(void *opaque, FleetAttempt *a, const char *data, size_t size)
{
    Test *t = opaque;

    (void)data;
    (void)a;
    atomic_fetch_add(&t->errors_seen, size);
    return t->moves;
}

static int client_end(void *opaque, FleetAttempt *a, int status, void **result,
                      char *why, size_t why_size)
{
    Test     *t  = opaque;
    AVBPrint *bp = a->priv;
    Work     *w  = a->task->opaque;

    a->frames = bp->len;
    if (status) {
        snprintf(why, why_size, "exit status %d", status);
        return AVERROR_EXTERNAL;
    }
    if (bp->len != w->size || memcmp(bp->str, w->expected, w->size)) {
        snprintf(why, why_size, "wrong bytes");
        return AVERROR_INVALIDDATA;
    }
    *result = av_malloc(1);
    atomic_fetch_add(&t->results, 1);
    return 0;
}

static void client_free(void *opaque, FleetAttempt *a)
{
    (void)opaque;
    if (a->priv)
        av_bprint_finalize(a->priv, NULL);
    av_freep(&a->priv);
}

static void client_result_free(void *opaque, void *result)
{
    Test *t = opaque;

    av_free(result);
    atomic_fetch_sub(&t->results, 1);
}

static int setup(void **state)
{
    Test *t = calloc(1, sizeof(*t));
    int   fd;

    av_log_set_level(AV_LOG_ERROR);
    *state = t;
    t->list.hosts = t->hosts;
    t->local = (Host){ .name = "here", .label = "here", .local = 1 };
    t->options.backoff_ms      = 1;
    t->options.transport_alloc = any_transport;
    t->options.local           = &t->local;
    t->options.queue_limit     = MAX_TASKS;
    strcpy(t->trace_path, "/tmp/test_fleet.XXXXXX");
    fd = mkstemp(t->trace_path);
    close(fd);
    atomic_store(&fake_connects, 0);
    atomic_store(&fake_misuse, 0);
    atomic_store(&fake_faults, 0);
    atomic_store(&fake_refusals, 2);
    return trace_open(&t->trace, t->trace_path) < 0 || blob_pool_alloc(&t->pool, 1 << 20) < 0;
}

static int teardown(void **state)
{
    Test *t = *state;
    int   bad;

    fleet_close(&t->fleet);
    trace_close(&t->trace);
    unlink(t->trace_path);
    for (int i = 0; i < t->nb_tasks; i++) {
        blob_unref(&t->tasks[i].input);
        av_free(t->work[i].expected);
    }
    bad = blob_pool_memory(t->pool) || atomic_load(&t->results) || atomic_load(&t->infos) ||
          atomic_load(&fake_misuse) || atomic_load(&fake_open);
    blob_pool_free(&t->pool);
    free(t);
    return bad;
}

static void host(Test *t, const char *name, int local, int slots)
{
    t->hosts[t->list.nb_hosts++] = (Host){
        .name = (char *)name, .label = (char *)name, .local = local, .slots = slots,
    };
}

static void start(Test *t)
{
    const FleetClient client = {
        t, client_probe, client_check, client_host_free, client_begin, client_stdout,
        client_stderr, client_end, client_free, client_result_free,
    };

    assert_int_equal(fleet_open(&t->fleet, &t->list, &client, &t->options, t->trace), 0);
}

/** Submit a task of so many bytes; the command must return them, in capitals or not. */
static void submit(Test *t, const char *command, size_t size, size_t returned, int upper)
{
    FleetTask *task = &t->tasks[t->nb_tasks];
    Work      *w    = &t->work[t->nb_tasks];
    uint8_t   *data = av_malloc(size + 1);

    for (size_t i = 0; i < size; i++)
        data[i] = 'a' + (i * 7 + i / 1000 + t->nb_tasks) % 26;
    assert_int_equal(blob_alloc(&task->input, t->pool), 0);
    assert_int_equal(blob_append(task->input, data, size), 0);
    blob_seal(task->input);
    for (size_t i = 0; i < size && upper; i++)
        data[i] -= 'a' - 'A';
    *w = (Work){ .command = command, .expected = data, .size = returned };
    task->id     = t->nb_tasks++;
    task->opaque = w;
    assert_int_equal(fleet_submit(t->fleet, task), 0);
}

static void cats(Test *t, int n, size_t size)
{
    for (int i = 0; i < n; i++)
        submit(t, "cat", size + i, size + i, 0);
}

/** Take all that is left. @return how many are well */
static int take_all(Test *t)
{
    int        good = 0, all = 0, seen[MAX_TASKS] = { 0 };
    FleetTask *task;
    int        ret;

    fleet_finish(t->fleet);
    while (!(ret = fleet_next(t->fleet, &task, -1))) {
        assert_int_equal(seen[task->id]++, 0);
        assert_int_equal(!task->error, !!task->result);
        if (task->result)
            client_result_free(t, task->result);
        good += !task->error;
        all++;
    }
    assert_int_equal(ret, AVERROR_EOF);
    assert_int_equal(all, t->nb_tasks);
    return good;
}

/** How often the trace has this text. Closes the fleet: its threads write until then. */
static int traced(Test *t, const char *text)
{
    static char buf[1 << 20];
    ssize_t     size;
    int         fd, n = 0;

    fleet_close(&t->fleet);
    fd   = open(t->trace_path, O_RDONLY | O_CLOEXEC);
    size = read(fd, buf, sizeof(buf) - 1);
    close(fd);
    buf[FFMAX(size, 0)] = 0;
    for (char *p = buf; (p = strstr(p, text)); p++)
        n++;
    return n;
}

static void test_local_hosts(void **state)
{
    Test *t = *state;

    host(t, "one", 1, 2);
    host(t, "two", 1, 0);
    start(t);
    cats(t, 10, 300000);
    for (int i = 0; i < 5; i++)
        submit(t, "tr a-z A-Z", 100000, 100000, 1);
    submit(t, "cat", 0, 0, 0);
    submit(t, "head -c 5; echo to stderr >&2", 3 << 20, 5, 0);  /* does not read all */
    submit(t, "i=0; while [ $i -lt 20000 ]; do echo $i much text for stderr >&2; i=$((i+1)); done; cat",
           100000, 100000, 0);
    assert_int_equal(take_all(t), t->nb_tasks);
    assert_int_equal(atomic_load(&t->checks), 2);
    assert_true(atomic_load(&t->errors_seen) > 500000);
    assert_int_equal(traced(t, "\"outcome\": \"ok\""), t->nb_tasks);
    assert_int_equal(traced(t, "\"frames\": 300000,"), 1);
    assert_int_equal(traced(t, "\"state\": \"ready\", \"why\": null, \"cores\": 2, \"slots\": 2}"), 2);
}

static void test_command_fails(void **state)
{
    Test      *t = *state;
    FleetTask *bad;

    host(t, "one", 1, 1);
    host(t, "two", 1, 1);
    t->options.local_fallback = 1;
    t->options.max_attempts   = 2;
    start(t);
    submit(t, "cat >/dev/null; exit 3", 1000, 0, 0);
    bad = &t->tasks[0];
    cats(t, 5, 1000);
    assert_int_equal(take_all(t), 5);
    assert_int_equal(bad->error, AVERROR_EXTERNAL);
    assert_string_equal(bad->why, "here: exit status 3");
    assert_int_equal(atomic_load(&t->attempts), 5 + 3);
    assert_int_equal(traced(t, "\"host\": \"one\", \"slot\": 0, \"number\": 0") +
                     traced(t, "\"host\": \"one\", \"slot\": 0, \"number\": 1"),
                     traced(t, "\"host\": \"one\", \"slot\": 0, \"number\": "));
}

static void test_unusable_output(void **state)
{
    Test *t = *state;

    host(t, "one", 1, 1);
    start(t);
    submit(t, "echo REFUSE; sleep 1000", 10, 0, 0);
    cats(t, 2, 10);
    assert_int_equal(take_all(t), 2);
    assert_int_equal(t->tasks[0].error, AVERROR(EINVAL));
    assert_int_equal(atomic_load(&t->attempts), 2 + 3);
}

/* Hours of progress are many bytes; no progress is not to be told of without end. */
static void test_long_stderr(void **state)
{
    Test *t = *state;

    host(t, "one", 1, 1);
    start(t);
    t->moves = 1;
    submit(t, "head -c 9000000 /dev/zero >&2; cat", 10, 10, 0);
    assert_int_equal(take_all(t), 1);
    fleet_close(&t->fleet);
    t->moves = 0;
    start(t);
    submit(t, "head -c 9000000 /dev/zero >&2; cat", 10, 10, 0);
    fleet_finish(t->fleet);
    /* the first was taken before */
    t->nb_tasks--;
    assert_int_equal(take_all(t), 0);
    t->nb_tasks++;
    assert_non_null(strstr(t->tasks[1].why, "it writes to stderr without end"));
}

static void test_wrong_data(void **state)
{
    Test *t = *state;

    host(t, "garbler", 1, 2);
    host(t, "liar", 0, 3);
    host(t, "after", 0, 2);
    t->options.max_attempts       = 10;
    t->options.connect_timeout_ms = 1000000;
    start(t);
    cats(t, 40, 50000);
    assert_int_equal(take_all(t), 40);
    assert_true(traced(t, "\"outcome\": \"wrong\"") >= 1);
    assert_int_equal(traced(t, "\"host\": \"liar\", \"state\": \"broken\", \"why\": \"wrong bytes\""), 1);
    assert_true(traced(t, "\"host\": \"garbler\", \"state\": \"broken\"") <= 1);
    assert_int_equal(traced(t, "\"outcome\": \"ok\""), 40);
}

static void test_drop(void **state)
{
    Test *t = *state;

    host(t, "drop", 0, 1);
    host(t, "after", 0, 1);
    t->options.max_attempts       = 10;
    t->options.connect_timeout_ms = 1000000;
    start(t);
    cats(t, 20, 80000);
    assert_int_equal(take_all(t), 20);
    assert_true(traced(t, "\"host\": \"drop\", \"state\": \"lost\", \"why\": \"connection reset\"") >= 1);
}

/* The only host drops every attempt: the tasks are done here. */
static void test_drop_local(void **state)
{
    Test *t = *state;

    host(t, "drop", 0, 2);
    t->options.local_fallback = 1;
    start(t);
    cats(t, 10, 80000);
    assert_int_equal(take_all(t), 10);
}

static void test_stall(void **state)
{
    Test *t = *state;

    host(t, "stall", 0, 1);
    t->options.local_fallback   = 1;
    t->options.stall_timeout_ms = 300;
    start(t);
    cats(t, 3, 80000);
    assert_int_equal(take_all(t), 3);
    assert_true(traced(t, "\"outcome\": \"stalled\", \"why\": \"nothing moved for 0.3 seconds\"") >= 1);
}

static void test_words(void **state)
{
    char text[] = "two\nlines \033]0;title\007\302\2332J\177 and \303\251\n";

    (void)state;
    hostnews_one_line(text);
    assert_string_equal(text, "two lines ]0;title2J and \303\251");
}

static void test_talk(void **state)
{
    Test *t = *state;

    host(t, "stall-talk", 0, 1);
    t->options.local_fallback   = 1;
    t->options.max_attempts     = 1;
    t->options.stall_timeout_ms = 300;    /* this machine's command, too, has to be as quick */
    start(t);
    cats(t, 1, 80000);
    assert_int_equal(take_all(t), 1);
    assert_true(traced(t, "\"why\": \"it talks, but nothing moved for 3 seconds\"") >= 1);
}

/* Its result comes by single bytes: nobody could wait for it. */
static void test_trickle(void **state)
{
    Test *t = *state;

    host(t, "trickle", 0, 1);
    t->options.local_fallback   = 1;
    t->options.max_attempts     = 1;
    t->options.stall_timeout_ms = 200;
    start(t);
    cats(t, 1, 80000);
    assert_int_equal(take_all(t), 1);
    assert_int_equal(traced(t, "\"why\": \"it talks, but nothing moved for 2 seconds\"}"), 1);
}

/* What is not for a host is done elsewhere, without a word against it. */
static void test_unfit(void **state)
{
    Test *t = *state;

    host(t, "unfit", 0, 1);
    t->options.local_fallback = 1;
    start(t);
    cats(t, 3, 1000);
    assert_int_equal(take_all(t), 3);
    assert_int_equal(traced(t, "\"unfit\", \"state\": \"backoff\""), 0);
    assert_int_equal(traced(t, "\"why\": \"it is not for a host like this one\""), 9);
}

static void test_all_refuse(void **state)
{
    Test           *t = *state;
    FleetHostStatus status[4];

    host(t, "refuse1", 0, 1);
    host(t, "refuse2", 0, 1);
    host(t, "denied", 0, 1);
    host(t, "useless", 0, 1);
    t->options.local_fallback = 1;
    start(t);
    cats(t, 6, 1000);
    assert_int_equal(take_all(t), 6);
    assert_int_equal(fleet_status(t->fleet, status, 4), 5);
    assert_int_equal(status[3].state, FLEET_BROKEN);
    assert_string_equal(status[3].why, "it cannot do anything");
    assert_int_equal(traced(t, "\"denied\", \"state\": \"connecting\""), 1);   /* not twice */
    assert_int_equal(traced(t, "\"useless\", \"state\": \"connecting\""), 1);
}

static void test_no_fallback(void **state)
{
    Test *t = *state;

    host(t, "refuse1", 0, 1);
    host(t, "refuse2", 0, 1);
    start(t);
    cats(t, 3, 1000);
    assert_int_equal(take_all(t), 0);
    assert_int_equal(t->tasks[1].error, AVERROR(EHOSTUNREACH));
    assert_non_null(strstr(t->tasks[1].why, ": connection refused)"));
    assert_int_equal(traced(t, "\"state\": \"backoff\""), 8);
    assert_int_equal(traced(t, "\"state\": \"broken\""), 2);
    assert_int_equal(atomic_load(&fake_connects), 10);
}

static void test_late(void **state)
{
    Test *t = *state;

    host(t, "late", 0, 1);
    start(t);
    cats(t, 3, 1000);
    assert_int_equal(take_all(t), 3);
    assert_int_equal(traced(t, "\"state\": \"failed\""), 2);
}

static void test_cancel(void **state)
{
    Test      *t = *state;
    FleetTask *task;

    host(t, "one", 1, 2);
    host(t, "hang", 0, 1);
    host(t, "stall", 0, 1);
    t->options.connect_timeout_ms = 1000000;
    t->options.stall_timeout_ms   = 1000000;
    start(t);
    for (int i = 0; i < 6; i++)
        submit(t, "sleep 1000", 3 << 20, 0, 0);
    while (atomic_load(&t->attempts) < 3)
        assert_int_equal(fleet_next(t->fleet, &task, 5), AVERROR(EAGAIN));
    fleet_cancel(t->fleet);
    assert_int_equal(fleet_next(t->fleet, &task, -1), AVERROR_EXIT);
    assert_int_equal(fleet_submit(t->fleet, &t->tasks[0]), AVERROR_EXIT);
    fleet_close(&t->fleet);
    assert_null(t->fleet);
    assert_int_equal(traced(t, "\"outcome\": \"cancelled\""), 3);
}

/* Results that nobody takes are freed. */
static void test_close(void **state)
{
    Test           *t = *state;
    FleetHostStatus status;
    FleetTask      *task;

    host(t, "good", 0, 0);
    start(t);
    cats(t, 20, 5000);
    do {
        assert_int_equal(fleet_status(t->fleet, &status, 1), 1);
        usleep(1000);
    } while (status.tasks_done < 20);
    assert_int_equal(status.nb_slots, 3);
    assert_int_equal(status.slots[0].task, -1);
    assert_int_equal(fleet_queued(t->fleet), 0);
    assert_int_equal(fleet_next(t->fleet, &task, 0), 0);
    client_result_free(t, task->result);
    assert_int_equal(atomic_load(&t->results), 19);
    fleet_close(&t->fleet);
}

/* Many hosts of all kinds, and a short queue. */
static void test_crowd(void **state)
{
    static const char *const names[] = { "good", "drop", "refuse", "good2", "liar", "late" };
    Test *t = *state;

    for (int i = 0; i < 36; i++)
        host(t, names[i % 6], 0, i % 4);
    t->options.local_fallback = 1;
    t->options.queue_limit    = 0;
    start(t);
    /* results have to be taken only at the end: the queue bounds what waits, not what is done */
    cats(t, 150, 20000);
    assert_int_equal(take_all(t), 150);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_local_hosts),
        TEST(test_command_fails),
        TEST(test_unusable_output),
        TEST(test_long_stderr),
        TEST(test_wrong_data),
        TEST(test_drop),
        TEST(test_drop_local),
        TEST(test_stall),
        TEST(test_talk),
        TEST(test_trickle),
        TEST(test_unfit),
        TEST(test_words),
        TEST(test_all_refuse),
        TEST(test_no_fallback),
        TEST(test_late),
        TEST(test_cancel),
        TEST(test_close),
        TEST(test_crowd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
