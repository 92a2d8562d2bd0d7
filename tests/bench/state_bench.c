/*
 * The stores alone, without engine and log: the changelog counts records and drops them. Flushes run on a second thread.
 *
 *     bench.state [JOB...]        count-10k count-1m sessions-10k join-10k get-1m restore-1m restore-10m restore-tail
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/prng.h"
#include "bench/report.h"
#include "io/io.h"
#include "millstream/stores.h"
#include "state/task_states.h"
#include "support/temp_dir.h"

enum { KEY_BYTES = 16, OPERATIONS = 10000000, COMMIT_OPERATIONS = 1000000, AHEAD = 128 };

struct bench {
    mill_changelog changelog; /* first */
    mill_store_builder *builder;
    mill_task_state *state;
    mill_store *store;
    uint64_t logged;
    pthread_t worker;
    bool flushing;
};

static int count_append(mill_changelog *changelog, const mill_record *record)
{
    ((struct bench *)changelog)->logged++;
    return 0;
}

static void open_bench(struct bench *bench, mill_store_builder *builder, const char *directory)
{
    mill_task_state_options options = {
        .disk = uv_disk(), .directory = directory, .task_id = "0_0", .memory = { 64 << 20, 256 << 20 }
    };
    *bench = (struct bench){ .changelog.append = count_append, .builder = builder };
    mill_assert(TASK_STATE_LMDB.open(&TASK_STATE_LMDB, &options, &bench->state) == 0);
    mill_assert(bench->state->ops->add_store(bench->state, builder, &bench->changelog, &bench->store) == 0);
}

static void close_bench(struct bench *bench)
{
    bench->state->ops->close(bench->state, true);
    bench->builder->free(bench->builder);
}

static void *flush_body(void *ctx)
{
    struct bench *bench = ctx;
    mill_assert(bench->state->ops->flush(bench->state) == 0);
    return NULL;
}

static void finish_flush(struct bench *bench)
{
    if (!bench->flushing)
        return;
    pthread_join(bench->worker, NULL);
    bench->state->ops->flushed(bench->state, 0);
    bench->flushing = false;
}

static void commit(struct bench *bench, bool last)
{
    const mill_task_state_ops *ops = bench->state->ops;
    mill_changelog_position position = { .offset = (int64_t)bench->logged };
    while (bench->store->ops->is_dirty(bench->store))
        mill_assert(bench->store->ops->flush_cache(bench->store, 4096) >= 0);
    mill_assert(ops->freeze(bench->state, &position, 1) == 0);
    ops->committed(bench->state);
    finish_flush(bench);
    if (ops->flush_due(bench->state, (int64_t)(bench_seconds() * 1e6), last)) {
        bench->flushing = pthread_create(&bench->worker, NULL, flush_body, bench) == 0;
        mill_assert(bench->flushing);
    }
    if (last)
        finish_flush(bench);
}

/* ---- input ----------------------------------------------------------------------------------------------------------------- */

static void make_key(uint64_t number, uint8_t key[KEY_BYTES])
{
    char text[KEY_BYTES + 1];
    snprintf(text, sizeof text, "/page/%010llu", (unsigned long long)number % 10000000000u);
    memcpy(key, text, KEY_BYTES);
}

static uint8_t *make_keys(size_t count, uint64_t keys, bool skewed)
{
    struct prng prng;
    prng_init(&prng, keys);
    uint8_t *bytes = malloc(count * KEY_BYTES);
    mill_assert(bytes != NULL);
    double log_keys = __builtin_log((double)keys);
    for (size_t i = 0; i < count; i++) {
        double u = (double)(prng_next(&prng) >> 11) / 9007199254740992.0;
        uint64_t rank = skewed ? (uint64_t)__builtin_exp(u * log_keys) - 1 : prng_below(&prng, keys);
        make_key(rank * 2654435761u % keys, bytes + i * KEY_BYTES);
    }
    return bytes;
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------------ */

static void count_one(mill_store *store, mill_bytes key, int64_t start_ms)
{
    mill_bytes value;
    uint64_t count = 0;
    if (mill_window_fetch(store, key, start_ms, &value, NULL) > 0)
        memcpy(&count, value.data, sizeof count);
    count++;
    mill_assert(mill_window_put(store, key, start_ms, mill_bytes_of(&count, sizeof count), start_ms) == 1);
}

static void count_windows(const uint8_t *keys, const char *directory)
{
    struct bench bench;
    open_bench(&bench, mill_store_with_caching(mill_window_store("count", MILL_MINUTES(2), MILL_MINUTES(1)), true), directory);
    for (size_t i = 0; i < OPERATIONS; i += AHEAD) {
        int64_t start_ms = (int64_t)(i / 2000000) * MILL_MINUTES(1);
        for (size_t j = i; j < i + AHEAD && j < OPERATIONS; j++)
            mill_window_prefetch(bench.store, mill_bytes_of(keys + j * KEY_BYTES, KEY_BYTES), start_ms);
        for (size_t j = i; j < i + AHEAD && j < OPERATIONS; j++)
            count_one(bench.store, mill_bytes_of(keys + j * KEY_BYTES, KEY_BYTES), start_ms);
        if (i % COMMIT_OPERATIONS < AHEAD && i > 0)
            commit(&bench, false);
    }
    commit(&bench, true);
    close_bench(&bench);
}

/* Time goes on by a millisecond every ten records. */
enum { RECORDS_PER_MS = 10, GAP_MS = 500, JOIN_MS = 200, SOON = 16 };

static void sessionize_one(mill_store *store, mill_bytes key, int64_t time_ms)
{
    mill_store_iterator *iterator;
    mill_store_entry entry;
    uint64_t count = 1;
    int64_t start_ms = time_ms;
    int64_t end_ms = -1;
    mill_assert(mill_session_find(store, key, time_ms - GAP_MS, time_ms + GAP_MS, MILL_FORWARD, &iterator) == 0);
    if (mill_store_iterator_next(iterator, &entry) == 1) {
        uint64_t before;
        memcpy(&before, entry.value.data, sizeof before);
        count += before;
        start_ms = entry.window_start_ms;
        end_ms = entry.window_end_ms;
    }
    mill_store_iterator_close(iterator);
    if (end_ms >= 0 && end_ms != time_ms)
        mill_assert(mill_session_remove(store, key, start_ms, end_ms, time_ms) == 1);
    mill_assert(mill_session_put(store, key, start_ms, time_ms, mill_bytes_of(&count, sizeof count), time_ms) == 1);
}

static void count_sessions(const uint8_t *keys, const char *directory)
{
    struct bench bench;
    open_bench(&bench, mill_store_with_caching(mill_session_store("sessions", GAP_MS * 10), true), directory);
    for (size_t i = 0; i < OPERATIONS; i++) {
        for (size_t j = i; i % SOON == 0 && j < i + SOON && j < OPERATIONS; j++)
            mill_session_prefetch(bench.store, mill_bytes_of(keys + j * KEY_BYTES, KEY_BYTES));
        sessionize_one(bench.store, mill_bytes_of(keys + i * KEY_BYTES, KEY_BYTES), (int64_t)i / RECORDS_PER_MS);
        if (i % COMMIT_OPERATIONS == 0 && i > 0)
            commit(&bench, false);
    }
    commit(&bench, true);
    close_bench(&bench);
}

/* A join of a stream with itself: each record is kept and finds its partners. */
static void join_records(const uint8_t *keys, const char *directory)
{
    struct bench bench;
    uint64_t partners = 0;
    open_bench(&bench, mill_join_store("join", 2 * JOIN_MS + 1, 2 * JOIN_MS), directory);
    for (size_t i = 0; i < OPERATIONS; i++) {
        mill_bytes key = mill_bytes_of(keys + i * KEY_BYTES, KEY_BYTES);
        int64_t time_ms = (int64_t)i / RECORDS_PER_MS;
        mill_store_iterator *iterator;
        mill_store_entry entry;
        mill_assert(mill_join_put(bench.store, key, time_ms, key) == 1);
        mill_assert(mill_join_fetch(bench.store, key, time_ms - JOIN_MS, time_ms + JOIN_MS, MILL_FORWARD, &iterator) == 0);
        while (mill_store_iterator_next(iterator, &entry) == 1)
            partners++;
        mill_store_iterator_close(iterator);
        if (i % COMMIT_OPERATIONS == 0 && i > 0)
            commit(&bench, false);
    }
    mill_assert(partners >= OPERATIONS);
    commit(&bench, true);
    close_bench(&bench);
}

static void restore_keys(const uint8_t *keys, size_t count, bool full, const char *directory)
{
    struct bench bench;
    mill_changelog_position position = { .offset = (int64_t)count };
    open_bench(&bench, mill_key_value_store("table"), directory);
    const mill_task_state_ops *ops = bench.state->ops;
    mill_assert(ops->restore_begin(bench.state, bench.store, full) == 0);
    for (size_t i = 0; i < count; i += AHEAD) {
        mill_record records[AHEAD];
        size_t some = count - i < AHEAD ? count - i : AHEAD;
        for (size_t j = 0; j < some; j++)
            records[j] = (mill_record){ .key = mill_bytes_of(keys + (i + j) * KEY_BYTES, KEY_BYTES),
                                        .value = mill_bytes_of(keys + (i + j) * KEY_BYTES, 16),
                                        .timestamp_ms = (int64_t)i };
        mill_assert(ops->restore_records(bench.state, bench.store, records, some) == 0);
    }
    mill_assert(ops->restore_end(bench.state, bench.store, &position) == 0);
    close_bench(&bench);
}

static void get_keys(const uint8_t *keys, size_t count, const char *directory, struct report *report)
{
    restore_keys(keys, count, true, directory);
    struct bench bench;
    open_bench(&bench, mill_key_value_store("table"), directory);
    report_restart(report);
    for (size_t i = 0; i < count; i++) {
        mill_bytes value;
        mill_assert(mill_key_value_get(bench.store, mill_bytes_of(keys + i * KEY_BYTES, KEY_BYTES), &value, NULL) == 1);
    }
    close_bench(&bench);
}

struct job {
    const char *name;
    const char *shape;
    uint64_t keys;
    bool skewed;
    double ceiling;
};

static const struct job JOBS[] = {
    { "count-10k", "windowed count, 10,000 keys", 10000, true, 0 },
    { "count-1m", "windowed count, 1,000,000 Zipf keys", 1000000, true, 0 },
    { "sessions-10k", "sessions of 10,000 keys: find, remove, put", 10000, false, 2e6 },
    { "join-10k", "put and fetch, 10,000 keys, 200 ms", 10000, false, 1.4e6 },
    { "get-1m", "reads of a store just opened", 1000000, false, 0 },
    { "restore-1m", "10 updates a key, 1,000,000 keys, to the last sync", 1000000, false, 22e6 },
    { "restore-10m", "all keys differ, 10,000,000", 10000000, false, 6e6 },
    { "restore-tail", "on top of what is there, 1,000,000 keys", 1000000, false, 0 },
};

static void run_job(const struct job *job)
{
    struct report report;
    uint8_t *keys = make_keys(OPERATIONS, job->keys, job->skewed);
    report_init(&report, job->name, job->shape, job->ceiling);
    for (int i = 0; i < 3; i++) {
        struct temp_dir directory;
        temp_dir_init(&directory);
        report_begin(&report);
        if (job->name[0] == 'c')
            count_windows(keys, directory.path);
        else if (job->name[0] == 's')
            count_sessions(keys, directory.path);
        else if (job->name[0] == 'j')
            join_records(keys, directory.path);
        else if (job->name[0] == 'g')
            get_keys(keys, OPERATIONS, directory.path, &report);
        else
            restore_keys(keys, OPERATIONS, strcmp(job->name, "restore-tail") != 0, directory.path);
        report_end(&report, OPERATIONS, (uint64_t)OPERATIONS * 2 * KEY_BYTES);
        temp_dir_release(&directory);
    }
    report_print(&report);
    free(keys);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof JOBS / sizeof JOBS[0]; i++) {
        bool wanted = argc == 1;
        for (int a = 1; a < argc; a++)
            wanted |= strcmp(argv[a], JOBS[i].name) == 0;
        if (wanted)
            run_job(&JOBS[i]);
    }
    return 0;
}
