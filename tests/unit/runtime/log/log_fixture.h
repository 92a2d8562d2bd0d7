/*
 * A log on a simulated disk, batches to put into it, and reading without threads. Shared by the tests of this folder.
 */
#ifndef TESTS_LOG_FIXTURE_H
#define TESTS_LOG_FIXTURE_H

#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "log/log_directory.h"
#include "log/partition_log.h"
#include "record/batch.h"
#include "record/batch_writer.h"
#include "record/control.h"
#include "simulation/sim_disk.h"

#define LOG_PATH "/data/access-log-0"

struct log_fixture {
    struct sim_disk *sim;
    struct partition_log *log;
    struct log_config config;
    struct io_time now;
    struct error_text error;
};

static inline struct log_config small_segments(void)
{
    struct log_config config = LOG_CONFIG_DEFAULT;
    config.segment_bytes = 8192;
    config.index_interval_bytes = 512;
    config.hot_tail_bytes = 4096;
    return config;
}

static inline int fixture_try_open(struct log_fixture *f, bool clean, int64_t recovery_point, int64_t log_start)
{
    struct partition_log_options options = { .disk = sim_disk_disk(f->sim),
                                             .path = LOG_PATH,
                                             .config = f->config,
                                             .clean = clean,
                                             .recovery_point = recovery_point,
                                             .log_start = log_start,
                                             .now = f->now };
    f->log = NULL;
    return partition_log_open(&options, &f->log, &f->error);
}

/* Steps until it has ended, with `between` (may be NULL) before each. Returns the last step's code. */
static inline int fixture_run_checkpoint(struct log_directory *directory, void (*between)(void))
{
    struct log_checkpoint *job = log_directory_checkpoint_begin(directory);
    if (!job)
        return MILL_ENOMEM;
    int code;
    while ((code = log_directory_checkpoint_step(directory, job)) > 0) {
        if (code == LOG_CHECKPOINT_RUNS)
            log_checkpoint_run(job);
        if (between)
            between();
    }
    return code;
}

static inline void fixture_open(struct log_fixture *f, bool clean)
{
    int code = fixture_try_open(f, clean, 0, 0);
    if (code != 0)
        fail_msg("open: %s", f->error.text);
}

static inline int64_t fixture_clock(void *ctx)
{
    return ((struct log_fixture *)ctx)->now.wall_ms;
}

static inline void fixture_init(struct log_fixture *f, uint64_t seed)
{
    *f = (struct log_fixture){ .sim = sim_disk_new(seed), .config = small_segments() };
    f->now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    sim_disk_set_clock(f->sim, fixture_clock, f);
    assert_int_equal(disk_make_directories(sim_disk_disk(f->sim), "/data"), 0);
    fixture_open(f, false);
}

static inline void fixture_close(struct log_fixture *f, bool clean)
{
    struct error_text error;
    assert_int_equal(partition_log_close(f->log, clean, &error), 0);
    f->log = NULL;
}

static inline void fixture_release(struct log_fixture *f)
{
    if (f->log)
        partition_log_close(f->log, false, NULL);
    sim_disk_free(f->sim);
}

/* A batch to be produced: `count` records of about `value_bytes`, whose timestamps rise by one from `timestamp_ms`. */
struct batch_shape {
    int count;
    size_t value_bytes;
    int64_t timestamp_ms;
    int64_t producer_id; /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence;
    bool transactional;
    enum compression compression;
    uint64_t seed; /* of the values */
};

static inline struct batch_shape plain_batch(int count, int64_t timestamp_ms)
{
    return (struct batch_shape){ .count = count,
                                 .value_bytes = 40,
                                 .timestamp_ms = timestamp_ms,
                                 .producer_id = -1,
                                 .producer_epoch = -1,
                                 .base_sequence = -1,
                                 .seed = (uint64_t)timestamp_ms };
}

static inline struct slice make_batch(struct batch_shape shape)
{
    struct batch_writer writer;
    batch_writer_init(&writer, 1 << 20, 1 << 24);
    uint8_t *value = malloc(shape.value_bytes + 1);
    struct prng prng;
    prng_init(&prng, shape.seed);
    for (int i = 0; i < shape.count; i++) {
        for (size_t at = 0; at < shape.value_bytes; at++)
            value[at] = (uint8_t)(prng_next(&prng) | 1); /* no zeros: they would look like sectors never written */
        mill_record record = { .value = mill_bytes_of(value, shape.value_bytes), .timestamp_ms = shape.timestamp_ms + i };
        assert_int_equal(batch_writer_append(&writer, &record), 0);
    }
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.compression = shape.compression;
    options.producer_id = shape.producer_id;
    options.producer_epoch = shape.producer_epoch;
    options.base_sequence = shape.base_sequence;
    options.transactional = shape.transactional;
    mill_bytes batch;
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    struct shared_buffer *buffer;
    assert_int_equal(batch_writer_take(&writer, &buffer), 0);
    batch_writer_release(&writer);
    free(value);
    return (struct slice){ mill_bytes_of(buffer->data, buffer->len), buffer };
}

static inline int fixture_try_append(struct log_fixture *f, struct batch_shape shape, struct append_result *result)
{
    struct slice batch = make_batch(shape);
    int code = partition_log_append(f->log, &batch, 1, APPEND_CLIENT, 0, f->now, result);
    shared_buffer_drop(batch.buffer);
    return code;
}

/* Returns the base offset. */
static inline int64_t fixture_append(struct log_fixture *f, struct batch_shape shape)
{
    struct append_result result;
    int code = fixture_try_append(f, shape, &result);
    if (code != 0)
        fail_msg("append: %s", partition_log_error(f->log));
    assert_int_equal(result.outcome, APPEND_DONE);
    return result.base_offset;
}

static inline struct slice make_marker(enum control_type type, int64_t producer_id, int16_t epoch, int32_t coordinator_epoch)
{
    struct shared_buffer *buffer = shared_buffer_new(CONTROL_MARKER_BYTES);
    struct control_marker marker = { .type = type,
                                     .producer_id = producer_id,
                                     .producer_epoch = epoch,
                                     .coordinator_epoch = coordinator_epoch,
                                     .timestamp_ms = 5000 };
    control_marker_encode(&marker, buffer->data);
    buffer->len = CONTROL_MARKER_BYTES;
    return (struct slice){ mill_bytes_of(buffer->data, buffer->len), buffer };
}

/* A batch of a transaction, sequences at the producer's own. */
static inline struct batch_shape txn_batch(int64_t producer_id, int16_t epoch, int32_t sequence)
{
    struct batch_shape shape = plain_batch(1, 1000 + sequence);
    shape.producer_id = producer_id;
    shape.producer_epoch = epoch;
    shape.base_sequence = sequence;
    shape.transactional = true;
    return shape;
}

/* What one read answers, joined into `bytes` (of `bytes_max`, mallocated by the caller). */
struct read_answer {
    int code;
    bool was_cold;
    size_t bytes;
    int64_t next_offset;
    int64_t resume_offset;
};

static inline struct read_answer fixture_read(struct log_fixture *f, int64_t offset, int64_t upper_offset, size_t bytes_max,
                                              bool first_always, uint8_t *bytes)
{
    struct slice slices[64];
    struct log_read read = { .offset = offset,
                             .upper_offset = upper_offset,
                             .bytes_max = bytes_max,
                             .first_always = first_always,
                             .slices = slices,
                             .slices_max = 64 };
    struct read_answer answer = { 0 };
    do {
        answer.code = partition_log_read(f->log, &read);
        if (answer.code == LOG_COLD) {
            answer.was_cold = true;
            log_read_run(&read);
            answer.code = partition_log_read_end(f->log, &read);
        }
    } while (answer.code == MILL_EAGAIN);
    for (size_t i = 0; i < read.slice_count; i++) {
        memcpy(bytes + answer.bytes, slices[i].bytes.data, slices[i].bytes.len);
        answer.bytes += slices[i].bytes.len;
    }
    assert_int_equal(answer.bytes, read.bytes);
    answer.next_offset = read.next_offset;
    answer.resume_offset = read.resume_offset;
    log_read_release(&read);
    return answer;
}

/* The offset of the first record at or after `timestamp_ms`, -1 for none. */
static inline int64_t fixture_lookup(struct log_fixture *f, int64_t timestamp_ms, int64_t *found_timestamp_ms)
{
    struct log_lookup lookup = { .timestamp_ms = timestamp_ms, .upper_offset = INT64_MAX };
    int code = partition_log_lookup(f->log, &lookup);
    while (code == LOG_COLD) {
        log_lookup_run(&lookup);
        code = partition_log_lookup_end(f->log, &lookup);
    }
    if (code != 0)
        fail_msg("lookup: %s", lookup.error.text);
    if (found_timestamp_ms)
        *found_timestamp_ms = lookup.found_timestamp_ms;
    return lookup.offset;
}

/* Puts another state of the disk in place of this one; the log must be closed. */
static inline void fixture_replace_disk(struct log_fixture *f, struct sim_disk *image)
{
    sim_disk_free(f->sim);
    f->sim = image;
}

/* The path of one of the log's files; valid until the next call. */
static inline const char *fixture_file(int64_t base_offset, const char *suffix)
{
    static char path[128];
    snprintf(path, sizeof path, LOG_PATH "/%020lld%s", (long long)base_offset, suffix);
    return path;
}

/* -1: it is not there. */
static inline int64_t fixture_file_size(const struct log_fixture *f, const char *path)
{
    struct disk_entry entry;
    return disk_stat(sim_disk_disk(f->sim), path, &entry) == 0 ? entry.size : -1;
}

#endif
