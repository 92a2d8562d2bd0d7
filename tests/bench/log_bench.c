/*
 * The log without network or broker: what an append costs beside the write call under it, cold reads, recovery, a clean open.
 *
 * One partition, one thread, a real disk (the directory is the first argument, /tmp by default), batches of 4, 16 and 64 KiB.
 * Appends go to the page cache; "bare" is the same number of the same writes to a file, nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "bench/report.h"
#include "log/log_directory.h"
#include "record/batch_writer.h"

enum { VALUE_BYTES = 88, TOTAL_BYTES = 512 << 20, RUNS = 5 };

static const char *base = "/tmp";
static char root[256];
static struct io_time now = { .monotonic_us = 1, .wall_ms = 1700000000000 };
static struct error_text error;
static const uint8_t topic_id[TOPIC_ID_BYTES] = { 1 };

static void must(int code)
{
    if (code >= 0)
        return;
    fprintf(stderr, "%s (%s)\n", mill_error_text(code), error.text);
    exit(1);
}

static struct slice make_batch(size_t batch_bytes, int64_t *records)
{
    static uint8_t value[VALUE_BYTES];
    struct batch_writer writer;
    batch_writer_init(&writer, batch_bytes, batch_bytes * 2);
    mill_record record = { .key = mill_string("page-0000042"), .value = mill_bytes_of(value, sizeof value), .timestamp_ms = 1 };
    int code;
    for (*records = 0; (code = batch_writer_append(&writer, &record)) == 0; ++*records)
        record.timestamp_ms++;
    mill_assert(code == MILL_EAGAIN);
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    mill_bytes bytes;
    must(batch_writer_finish(&writer, &options, &bytes));
    struct shared_buffer *buffer;
    must(batch_writer_take(&writer, &buffer));
    batch_writer_release(&writer);
    return (struct slice){ mill_bytes_of(buffer->data, buffer->len), buffer };
}

static double bare_writes(struct slice batch, int64_t count)
{
    char path[300];
    snprintf(path, sizeof path, "%s/bare", root);
    struct disk_file *file;
    must(disk_open(uv_disk(), path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file));
    double begun = bench_seconds();
    for (int64_t i = 0; i < count; i++) {
        struct io_vector vectors[2] = { { batch.bytes.data, BATCH_HEADER_BYTES },
                                        { batch.bytes.data + BATCH_HEADER_BYTES, batch.bytes.len - BATCH_HEADER_BYTES } };
        must(disk_write(file, vectors, 2, i * (int64_t)batch.bytes.len));
    }
    double seconds = bench_seconds() - begun;
    disk_close(file);
    must(disk_remove(uv_disk(), path));
    return seconds;
}

static struct log_directory *open_directory(struct partition_log **log, double *seconds)
{
    char path[300];
    snprintf(path, sizeof path, "%s/data", root);
    struct log_directory_options options = { .disk = uv_disk(),
                                             .path = path,
                                             .identity = { .cluster_id = "bench", .node_id = 1 } };
    struct log_config config = LOG_CONFIG_DEFAULT;
    struct log_directory *directory;
    double begun = bench_seconds();
    must(log_directory_open(&options, &directory, &error));
    must(log_directory_open_log(directory, "bench", 0, topic_id, &config, now, log, &error));
    *seconds = bench_seconds() - begun;
    return directory;
}

static double append_all(struct partition_log *log, struct slice batch, int64_t count)
{
    double begun = bench_seconds();
    for (int64_t i = 0; i < count; i++) {
        struct append_result result;
        must(partition_log_append(log, &batch, 1, APPEND_CLIENT, 0, now, &result));
    }
    return bench_seconds() - begun;
}

static double read_all(struct partition_log *log, size_t bytes_max)
{
    double begun = bench_seconds();
    for (int64_t offset = 0; offset < partition_log_end_offset(log);) {
        struct slice slices[64];
        struct log_read read = { .offset = offset,
                                 .upper_offset = INT64_MAX,
                                 .bytes_max = bytes_max,
                                 .first_always = true,
                                 .slices = slices,
                                 .slices_max = 64 };
        int code = partition_log_read(log, &read);
        if (code == LOG_COLD) {
            log_read_run(&read);
            code = partition_log_read_end(log, &read);
        }
        must(code);
        offset = read.next_offset;
        log_read_release(&read);
    }
    return bench_seconds() - begun;
}

static void measure(size_t batch_bytes)
{
    int64_t records;
    struct slice batch = make_batch(batch_bytes, &records);
    int64_t count = TOTAL_BYTES / (int64_t)batch.bytes.len;
    double mib = (double)count * (double)batch.bytes.len / (1 << 20);
    double best_bare = 1e9;
    double best_append = 1e9;
    double read = 0;
    double recovered = 0;
    double opened = 0;
    for (int run = 0; run < RUNS; run++) {
        double bare = bare_writes(batch, count);
        struct partition_log *log;
        double ignored;
        struct log_directory *directory = open_directory(&log, &ignored);
        double append = append_all(log, batch, count);
        best_bare = bare < best_bare ? bare : best_bare;
        best_append = append < best_append ? append : best_append;
        if (run == RUNS - 1) {
            read = read_all(log, 1 << 20);
            must(log_directory_close(directory, false, &error));
            directory = open_directory(&log, &recovered);
            must(log_directory_close(directory, true, &error));
            directory = open_directory(&log, &opened);
        }
        must(log_directory_close(directory, false, &error));
        char path[300];
        snprintf(path, sizeof path, "%s/data", root);
        must(disk_remove_tree(uv_disk(), path));
    }
    printf(
        "%3zu KiB batches: bare write %6.0f MiB/s, append %6.0f MiB/s (%+.0f ns each, %.1f M records/s), cold read %6.0f MiB/s, "
        "recovery %6.0f MiB/s, clean open %.2f ms\n",
        batch_bytes >> 10, mib / best_bare, mib / best_append, (best_append - best_bare) / (double)count * 1e9,
        (double)(records * count) / best_append / 1e6, mib / read, mib / recovered, opened * 1e3);
    shared_buffer_drop(batch.buffer);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        base = argv[1];
    snprintf(root, sizeof root, "%s/log_bench.%d", base, (int)getpid());
    must(disk_make_directories(uv_disk(), root));
    measure(4 << 10);
    measure(16 << 10);
    measure(64 << 10);
    must(disk_remove_tree(uv_disk(), root));
    return 0;
}
