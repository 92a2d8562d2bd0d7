/*
 * The engine alone: batches in memory through the real task, its operators and its stores; what they write is encoded into
 * batches and dropped. No broker, no client. Commits come every 1,000,000 records or so, as at one second a commit; LMDB is
 * flushed on a second thread as a stream thread does.
 *
 *     bench.task [JOB...]        filtermap pv-10k pv-1m pv-1m-memory uv
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/prng.h"
#include "bench/report.h"
#include "io/io.h"
#include "millstream/millstream.h"
#include "record/batch_writer.h"
#include "support/temp_dir.h"
#include "task/task.h"

enum {
    KEY_BYTES = 12,
    VALUE_BYTES = 88,
    BATCH_BYTES = 64 << 10,
    RUN_BYTES = 1 << 20,
    RECORDS = 12000000,
    COMMIT_RECORDS = 1000000
};

/* ---- input ----------------------------------------------------------------------------------------------------------------- */

struct input {
    struct record_run *runs;
    size_t count;
    size_t capacity;
};

static void add_batch(struct input *input, struct batch_writer *writer, int64_t *offset)
{
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.base_offset = *offset;
    mill_bytes batch;
    struct shared_buffer *buffer;
    int32_t records = writer->record_count;
    mill_assert(batch_writer_finish(writer, &options, &batch) == 0);
    mill_assert(batch_writer_take(writer, &buffer) == 0);
    if (input->count == input->capacity) {
        input->capacity = input->capacity ? input->capacity * 2 : 1024;
        input->runs = mem_realloc(input->runs, input->capacity * sizeof *input->runs);
        mill_assert(input->runs != NULL);
    }
    input->runs[input->count++] =
        (struct record_run){ { mill_bytes_of(buffer->data, buffer->len), buffer }, *offset, *offset + records };
    *offset += records;
}

/* Zipf with exponent 1 over `keys`, by inverting the harmonic sum's logarithm: rank r has weight 1/r closely enough. */
static uint64_t zipf(struct prng *prng, uint64_t keys, double log_keys)
{
    double u = (double)(prng_next(prng) >> 11) / 9007199254740992.0;
    double rank = __builtin_exp(u * log_keys);
    uint64_t key = (uint64_t)rank - 1;
    return key < keys ? key : keys - 1;
}

static void make_input(struct input *input, uint64_t keys, bool skewed)
{
    struct batch_writer writer;
    struct prng prng;
    prng_init(&prng, 42);
    batch_writer_init(&writer, BATCH_BYTES, 1 << 20);
    double log_keys = __builtin_log((double)keys + 1);
    int64_t offset = 0;
    for (int64_t i = 0; i < RECORDS; i++) {
        char key[24];
        char value[VALUE_BYTES + 1];
        uint64_t k = skewed ? zipf(&prng, keys, log_keys) : prng_below(&prng, keys);
        snprintf(key, sizeof key, "page-%07llu", (unsigned long long)k);
        memset(value, 'v', sizeof value);
        snprintf(value, 16, "user-%06llu", (unsigned long long)prng_below(&prng, 50000));
        mill_record record = { .key = mill_bytes_of(key, KEY_BYTES),
                               .value = mill_bytes_of(value, VALUE_BYTES),
                               .timestamp_ms = 1700000000000 + i / 10 };
        int code = batch_writer_append(&writer, &record);
        if (code == MILL_EAGAIN) {
            add_batch(input, &writer, &offset);
            code = batch_writer_append(&writer, &record);
        }
        mill_assert(code == 0);
    }
    add_batch(input, &writer, &offset);
    batch_writer_release(&writer);
}

/* ---- output ---------------------------------------------------------------------------------------------------------------- */

struct output {
    struct task_topic base; /* first */
    struct batch_writer writer;
    int64_t end;
    uint64_t bytes;
};

static void close_batch(struct output *output)
{
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    mill_bytes batch;
    mill_assert(batch_writer_finish(&output->writer, &options, &batch) == 0);
    output->bytes += batch.len;
    batch_writer_clear(&output->writer);
}

static int send_record(struct task_topic *topic, int32_t partition, const mill_record *record)
{
    struct output *output = (struct output *)topic;
    int code = batch_writer_append(&output->writer, record);
    if (code == MILL_EAGAIN) {
        close_batch(output);
        code = batch_writer_append(&output->writer, record);
    }
    output->end++;
    return code;
}

static int64_t acknowledged_end(struct task_topic *topic, int32_t partition)
{
    return ((struct output *)topic)->end;
}

static const struct task_output_ops OUTPUT_OPS = { send_record, acknowledged_end };

static struct output outputs[16];
static size_t output_count;

static struct task_topic *make_output(void *ctx, const struct topology_topic *topic)
{
    struct output *output = &outputs[output_count++];
    *output = (struct output){ .base = { &OUTPUT_OPS, topic->name, 1 } };
    batch_writer_init(&output->writer, BATCH_BYTES, 1 << 20);
    return &output->base;
}

/* ---- the task -------------------------------------------------------------------------------------------------------------- */

static const char *no_property(void *ctx, const char *name)
{
    return NULL;
}

static struct io_time now_at(void)
{
    return (struct io_time){ (int64_t)(bench_seconds() * 1e6), 1700000000000 };
}

struct flusher {
    struct task *task;
    pthread_t thread;
    bool running;
    int code;
};

static void *flush_body(void *argument)
{
    struct flusher *flusher = argument;
    flusher->code = task_flush(flusher->task);
    return NULL;
}

static void finish_flush(struct flusher *flusher)
{
    if (!flusher->running)
        return;
    pthread_join(flusher->thread, NULL);
    flusher->running = false;
    task_flushed(flusher->task, flusher->code);
    mill_assert(flusher->code == 0);
}

static void commit(struct task *task, struct flusher *flusher, bool last)
{
    int code;
    struct io_time now = now_at();
    finish_flush(flusher);
    while ((code = task_flush_caches(task, NULL, NULL, now)) > 0)
        continue;
    mill_assert(code == 0);
    mill_assert(task_freeze(task, now) == 0);
    task_committed(task);
    if (!task_flush_due(task, now, last))
        return;
    flusher->running = pthread_create(&flusher->thread, NULL, flush_body, flusher) == 0;
    if (last)
        finish_flush(flusher);
}

static void run_task(mill_topology *topology, const struct input *input, const char *directory)
{
    struct task *task;
    struct task_options options = { .topology = topology,
                                    .subtopology = &topology->subtopologies[0],
                                    .application_id = "bench",
                                    .state_directory = directory,
                                    .disk = uv_disk(),
                                    .memory = { 64 << 20, 256 << 20 },
                                    .property = no_property,
                                    .output = make_output };
    output_count = 0;
    mill_assert(task_new(&options, &task) == 0);
    if (task_open(task, now_at()) < 0) {
        fprintf(stderr, "%s\n", task_error(task));
        exit(1);
    }
    size_t count;
    struct task_store *stores = task_stores(task, &count);
    for (size_t i = 0; i < count; i++)
        mill_assert(
            task_restore_plan(task, &stores[i], &(struct changelog_facts){ .delete_retention_ms = INT64_MAX }, now_at()) == 0);
    struct task_input *in = task_inputs(task, &count);
    record_queue_seek(&in->queue, 0, -1);
    mill_assert(task_restored(task, now_at()) == 0);

    struct flusher flusher = { .task = task };
    int64_t since_commit = 0;
    for (size_t i = 0; i < input->count; i++) {
        struct record_run run = input->runs[i];
        shared_buffer_hold(run.batches.buffer);
        record_queue_add(&in->queue, &run);
        int done = task_process(task, SIZE_MAX, NULL, NULL, now_at());
        if (done < 0) {
            fprintf(stderr, "%s\n", task_error(task));
            exit(1);
        }
        since_commit += done;
        if (since_commit < COMMIT_RECORDS && task_uncommitted_bytes(task) < (32 << 20))
            continue;
        commit(task, &flusher, false);
        since_commit = 0;
    }
    commit(task, &flusher, true);
    task_free(task, true);
    for (size_t i = 0; i < output_count; i++)
        batch_writer_release(&outputs[i].writer);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------------ */

static bool keep_half(const mill_record *record, void *ctx)
{
    return (record->key.data[KEY_BYTES - 1] & 1) == 0;
}

static int double_value(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_bytes_of(record->value.data, record->value.len - 8);
    return 0;
}

static void build_filter_map(mill_topology *topology)
{
    mill_stream *in = mill_topology_stream(topology, "in", NULL);
    mill_stream_to(mill_stream_map_values(mill_stream_filter(in, keep_half, NULL), double_value, NULL), "out");
}

static mill_windowed *per_minute(mill_topology *topology)
{
    return mill_grouped_windowed_by(mill_stream_group_by_key(mill_topology_stream(topology, "in", NULL)),
                                    mill_window_tumbling(MILL_MINUTES(1), MILL_SECONDS(10)));
}

static void build_pv(mill_topology *topology)
{
    mill_table_to(mill_windowed_count(per_minute(topology), mill_as("pv")), "out");
}

static void build_pv_memory(mill_topology *topology)
{
    mill_table_to(mill_windowed_count(per_minute(topology), (mill_materialized){ .name = "pv", .in_memory = true }), "out");
}

static void build_uv(mill_topology *topology)
{
    mill_table_to(mill_windowed_count_distinct(per_minute(topology), mill_as("uv")), "out");
}

struct job {
    const char *name;
    const char *shape;
    void (*build)(mill_topology *topology);
    uint64_t keys;
    bool skewed;
    double ceiling;
};

static const struct job JOBS[] = {
    { "filtermap", "filter half and map, 100-byte records, 1 partition", build_filter_map, 10000, false, 27e6 },
    { "pv-10k", "count per minute, 10,000 keys, LMDB", build_pv, 10000, false, 33e6 },
    { "pv-1m", "count per minute, 1,000,000 Zipf keys, LMDB", build_pv, 1000000, true, 17e6 },
    { "pv-1m-memory", "count per minute, 1,000,000 Zipf keys, memory", build_pv_memory, 1000000, true, 17e6 },
    { "uv", "exact distinct values per key and minute, 10,000 keys, LMDB", build_uv, 10000, true, 1.6e6 },
};

static void run_job(const struct job *job)
{
    struct input input = { 0 };
    struct report report;
    make_input(&input, job->keys, job->skewed);
    report_init(&report, job->name, job->shape, job->ceiling);
    for (int i = 0; i < 3; i++) {
        struct temp_dir directory;
        temp_dir_init(&directory);
        mill_topology *topology = mill_topology_new();
        job->build(topology);
        if (topology_build(topology) < 0) {
            fprintf(stderr, "%s\n", mill_topology_error(topology));
            exit(1);
        }
        report_begin(&report);
        run_task(topology, &input, directory.path);
        report_end(&report, RECORDS, RECORDS * 100ull);
        mill_topology_free(topology);
        temp_dir_release(&directory);
    }
    report_print(&report);
    for (size_t i = 0; i < input.count; i++)
        shared_buffer_drop(input.runs[i].batches.buffer);
    mem_free(input.runs);
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
