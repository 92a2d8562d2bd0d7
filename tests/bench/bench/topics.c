#include "bench/topics.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/broker_host.h"
#include "app/local_connector.h"
#include "bench/load.h"
#include "broker/config.h"

enum { FILL_IN_FLIGHT = 12 };

int64_t topics_records(const struct topics *topics)
{
    return topics->records * (topics->job->other == OTHER_STREAM ? 2 : 1);
}

int64_t topics_rows(const struct topics *topics)
{
    return topics->job->other == OTHER_ROWS ? topics->keys : 0;
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "topics: %s\n", what);
    exit(1);
}

/* In-process all connections share one queue, so a partition's batches stay in order. */
static void with_broker(struct topics *topics, void (*work)(struct topics *topics, struct load *load))
{
    struct error_text error;
    struct config config;
    struct local_connector local;
    config_init(&config, broker_config_table());
    if (config_set(&config, "log.page.cache.bytes", "-1") < 0)
        give_up("no memory");
    struct work_threads *threads = work_threads_new(2, 1, 1);
    struct broker_host_options options = {
        .disk = uv_disk(), .work = threads, .data_directory = topics->directory, .config = &config
    };
    struct broker_host *host;
    if (broker_host_start(&options, &host, &error) < 0)
        give_up(error.text);
    local_connector_init(&local, broker_host_broker(host));
    struct load_options load = { .connector = &local.base, .connections = TOPICS_PARTITIONS, .in_flight = FILL_IN_FLIGHT };
    struct load *opened = load_open(&load);
    work(topics, opened);
    load_close(opened);
    broker_host_stop(host);
    work_threads_free(threads);
    config_release(&config);
}

static void init_source(const struct topics *topics, struct record_source *source)
{
    enum record_shape shape = topics->zipf ? RECORDS_ZIPF : topics->job->shape;
    record_source_init(source, shape, topics->records, topics->keys, TOPICS_PARTITIONS, TOPICS_BATCH_BYTES, topics->now_ms);
}

static void fill_topic(struct load *load, const char *topic, struct record_source *source)
{
    load_create_topic(load, topic, TOPICS_PARTITIONS);
    load_produce(load, topic, record_source_next, source);
    record_source_release(source);
}

static void fill(struct topics *topics, struct load *load)
{
    static struct record_source source;
    init_source(topics, &source);
    int64_t first_ms = source.first_ms;
    fill_topic(load, "in", &source);
    if (topics->job->other == OTHER_ROWS) {
        record_source_init(&source, RECORDS_ROWS, topics->keys, topics->keys, TOPICS_PARTITIONS, TOPICS_BATCH_BYTES,
                           topics->now_ms);
        source.first_ms = first_ms;
        fill_topic(load, "other", &source);
    }
    if (topics->job->other == OTHER_STREAM) {
        init_source(topics, &source);
        fill_topic(load, "other", &source);
    }
    load_create_topic(load, "out", TOPICS_PARTITIONS);
}

void topics_fill(struct topics *topics)
{
    with_broker(topics, fill);
}

static void compare(struct topics *topics, struct load *load)
{
    static struct record_source source;
    init_source(topics, &source);
    topics->expected = results_expected(&source, topics->job->result, job_keeps);
    record_source_release(&source);
    topics->found = results_found(load, "out", TOPICS_PARTITIONS, topics->job->result);
}

bool topics_check(struct topics *topics)
{
    with_broker(topics, compare);
    int64_t tolerance = results_tolerance(topics->job->result, topics->expected);
    printf("checked: %lld expected, %lld found\n", (long long)topics->expected, (long long)topics->found);
    return llabs(topics->found - topics->expected) <= tolerance;
}
