/*
 * The broker alone: pre-encoded batches in, whole batches out, by connections on a thread of their own.
 *
 *     bench.broker [tcp|local] [MEGABYTES] [CONNECTIONS] [IN FLIGHT]
 *
 * Produce waits for the sync (acks=all, log.sync.before.ack as by default). Fetch reads from the page cache what was produced,
 * with as many connections: each reads one partition from its start to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/broker_host.h"
#include "app/local_connector.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "bench/disk.h"
#include "bench/load.h"
#include "bench/records.h"
#include "bench/report.h"
#include "broker/config.h"
#include "support/temp_dir.h"

enum { PARTITIONS = 4, BATCH_BYTES = 64 << 10, FETCH_BYTES = 1 << 20, BATCHES_MADE = 256, RECORD_BYTES = 100, SAMPLES = 3 };

/* The ceilings and bars are bytes a second; the report speaks of records. */
#define PRODUCE_BAR_BYTES     0.5e9
#define PRODUCE_CEILING_BYTES 0.93e9
#define FETCH_BAR_BYTES       1e9
#define FETCH_CEILING_BYTES   3.2e9

/* Batches made once, then repeated. */
struct batches {
    struct slice made[BATCHES_MADE];
    int32_t partitions[BATCHES_MADE];
    size_t count;
    size_t at;
    uint64_t bytes;
    uint64_t bytes_max;
    bool copied; /* in-process each request needs its own bytes */
};

static void make_batches(struct batches *batches)
{
    static struct record_source source;
    record_source_init(&source, RECORDS_UNIFORM, BATCHES_MADE * 640, 10000, PARTITIONS, BATCH_BYTES, (int64_t)time(NULL) * 1000);
    while (batches->count < BATCHES_MADE &&
           record_source_next(&source, 0, &batches->partitions[batches->count], &batches->made[batches->count]))
        batches->count++;
    record_source_release(&source);
}

static void drop_batches(struct batches *batches)
{
    for (size_t i = 0; i < batches->count; i++)
        shared_buffer_drop(batches->made[i].buffer);
}

static bool next_batch(void *ctx, int connection, int32_t *partition, struct slice *batch)
{
    struct batches *batches = ctx;
    if (batches->bytes >= batches->bytes_max)
        return false;
    size_t at = batches->at++ % batches->count;
    *partition = batches->partitions[at];
    *batch = batches->made[at];
    batches->bytes += batch->bytes.len;
    if (!batches->copied) {
        shared_buffer_hold(batch->buffer);
        return true;
    }
    batch->buffer = shared_buffer_new(batch->bytes.len);
    mill_assert(batch->buffer != NULL);
    memcpy(batch->buffer->data, batch->bytes.data, batch->bytes.len);
    batch->buffer->len = (uint32_t)batch->bytes.len;
    batch->bytes = mill_bytes_of(batch->buffer->data, batch->buffer->len);
    return true;
}

struct bench {
    const char *transport;
    struct load *load;
    struct batches batches;
    struct report produce;
    struct report fetch;
    double bytes_per_record;
    char shape[160];
};

static void run_sample(struct bench *bench, int number)
{
    char topic[32];
    snprintf(topic, sizeof topic, "bench-%d", number);
    load_create_topic(bench->load, topic, PARTITIONS);
    bench->batches.bytes = 0;

    report_begin(&bench->produce);
    load_produce(bench->load, topic, next_batch, &bench->batches);
    report_end(&bench->produce, (uint64_t)((double)bench->batches.bytes / bench->bytes_per_record), bench->batches.bytes);

    report_begin(&bench->fetch);
    uint64_t bytes = load_fetch(bench->load, topic, PARTITIONS, FETCH_BYTES, NULL, NULL);
    report_end(&bench->fetch, (uint64_t)((double)bytes / bench->bytes_per_record), bytes);
}

static void init_reports(struct bench *bench, const struct load_options *load, const char *directory)
{
    static char names[2][40];
    bench->bytes_per_record = (double)bench->batches.made[0].bytes.len / (BATCH_BYTES / (RECORD_BYTES + 8.0));
    snprintf(names[0], sizeof names[0], "produce, %s", bench->transport);
    snprintf(names[1], sizeof names[1], "fetch, %s", bench->transport);
    snprintf(bench->shape, sizeof bench->shape,
             "%d partitions, %d connections, %d requests in flight each, batches of %d KiB, fetches of %d KiB", PARTITIONS,
             load->connections, load->in_flight, BATCH_BYTES >> 10, FETCH_BYTES >> 10);
    report_init(&bench->produce, names[0], bench->shape, PRODUCE_CEILING_BYTES / bench->bytes_per_record);
    report_init(&bench->fetch, names[1], bench->shape, FETCH_CEILING_BYTES / bench->bytes_per_record);
    bench->produce.bar_records_per_second = PRODUCE_BAR_BYTES / bench->bytes_per_record;
    bench->fetch.bar_records_per_second = FETCH_BAR_BYTES / bench->bytes_per_record;
    bench->produce.disk_speed = disk_speed(disk_append_and_sync(directory, 256 << 20));
}

static void run(const char *transport, uint64_t bytes, int connections, int in_flight)
{
    static struct bench bench;
    struct temp_dir directory;
    struct error_text error;
    struct config config;
    struct local_connector local;
    bool tcp = strcmp(transport, "tcp") == 0;
    temp_dir_init(&directory);
    config_init(&config, broker_config_table());
    struct work_threads *work = work_threads_new(2, 1, 1);
    struct broker_host_options options = {
        .disk = uv_disk(), .work = work, .data_directory = directory.path, .host = "127.0.0.1", .config = &config
    };
    struct broker_host *host;
    if (broker_host_start(&options, &host, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    local_connector_init(&local, broker_host_broker(host));
    struct load_options load = { tcp ? tcp_connector() : &local.base, "127.0.0.1", broker_host_port(host), connections,
                                 in_flight };
    bench = (struct bench){ .transport = transport, .load = load_open(&load) };
    make_batches(&bench.batches);
    bench.batches.bytes_max = bytes;
    bench.batches.copied = !tcp;
    init_reports(&bench, &load, directory.path);
    for (int i = 0; i < SAMPLES; i++)
        run_sample(&bench, i);
    report_print(&bench.produce);
    report_print(&bench.fetch);

    drop_batches(&bench.batches);
    load_close(bench.load);
    broker_host_stop(host);
    work_threads_free(work);
    config_release(&config);
    temp_dir_release(&directory);
}

int main(int argc, char **argv)
{
    uint64_t bytes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 2000) * 1000000;
    int connections = argc > 3 ? atoi(argv[3]) : 8;
    int in_flight = argc > 4 ? atoi(argv[4]) : 5;
    bool both = argc < 2 || strcmp(argv[1], "both") == 0;
    if (both || strcmp(argv[1], "tcp") == 0)
        run("tcp", bytes, connections, in_flight);
    if (both || strcmp(argv[1], "local") == 0)
        run("local", bytes, connections, in_flight);
    return 0;
}
