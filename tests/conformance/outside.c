#include "conformance/outside.h"

#include <stdlib.h>
#include <string.h>

#include "client/options.h"
#include "conformance/operators.h"
#include "conformance/rows.h"
#include "record/default_partitioner.h"
#include "support/fetched_records.h"

void must(bool holds, const char *text)
{
    if (holds)
        return;
    fprintf(stderr, "around the engine: %s\n", text);
    abort();
}

/* ---- the feeder ------------------------------------------------------------------------------------------------------------ */

static void send_next(struct feeder *feeder)
{
    const struct case_event *event = &feeder->test->events[feeder->sent];
    mill_record record = { .key = case_word_bytes(&event->key),
                           .value = case_word_bytes(&event->value),
                           .timestamp_ms = event->time_ms };
    mill_bytes placed_by = mill_is_null(record.key) ? record.value : record.key;
    int32_t partition = default_partition(placed_by, PARTITIONS);
    must(producer_send(feeder->producer, feeder->topics[event->topic], partition, &record) == 0, "a record cannot be sent");
    feeder->sent++;
}

struct flushed {
    struct feeder *feeder;
    size_t until;
};

static void acknowledged(void *ctx, int code, struct io_time now)
{
    struct flushed *flushed = ctx;
    must(code == 0, "the feeder's records are lost");
    flushed->feeder->acknowledged = flushed->until == flushed->feeder->wanted;
    free(flushed);
}

static bool topics_are_known(const struct feeder *feeder)
{
    for (int i = 0; i < FEEDER_TOPICS_MAX; i++)
        if (feeder->topics[i] != NULL && producer_topic_partition_count(feeder->topics[i]) != PARTITIONS)
            return false;
    return true;
}

/* A few records, and again soon. */
static void feed(struct loop_timer *timer, struct io_time now)
{
    struct feeder *feeder = timer->ctx;
    size_t count = topics_are_known(feeder) ? 1 + (size_t)prng_below(feeder->prng, 8) : 0;
    while (count-- > 0 && feeder->sent < feeder->wanted)
        send_next(feeder);
    if (feeder->sent < feeder->wanted) {
        loop_timer_set(feeder->loop, &feeder->timer, now.monotonic_us + 200 + (int64_t)prng_below(feeder->prng, 4000));
        return;
    }
    struct flushed *flushed = malloc(sizeof *flushed);
    must(flushed != NULL, "no memory");
    *flushed = (struct flushed){ feeder, feeder->sent };
    must(producer_flush(feeder->producer, acknowledged, flushed) == 0, "no memory");
}

void feeder_send_until(struct feeder *feeder, size_t wanted)
{
    if (wanted <= feeder->wanted)
        return;
    bool is_feeding = feeder->sent < feeder->wanted;
    feeder->wanted = wanted;
    feeder->acknowledged = false;
    if (!is_feeding)
        loop_timer_set(feeder->loop, &feeder->timer, loop_now(feeder->loop).monotonic_us + 100);
}

static void delivery_failed(void *ctx, const struct producer_failure *failure)
{
    must(false, failure->text);
}

static const struct producer_events PRODUCER_EVENTS = { delivery_failed, NULL };

static void open_client(struct feeder *feeder, const char *bootstrap_servers, struct config *config)
{
    struct client_options options;
    struct error_text error = { "" };
    must(client_options_read(&options, config) == 0, "a client's property");
    options.bootstrap_servers = bootstrap_servers;
    options.client_id = "feeder";
    options.allow_auto_create_topics = true;
    feeder->client = client_new(feeder->loop, &options, NULL, &error);
    must(feeder->client != NULL, error.text);
}

void feeder_open(struct feeder *feeder, struct loop *loop, const char *bootstrap_servers, const struct test_case *test,
                 struct prng *prng, size_t begin)
{
    struct config config;
    struct producer_options options;
    config_init(&config, &client_option_table);
    must(config_set(&config, "delivery.timeout.ms", "3600000") == 0 && config_set(&config, "reconnect.backoff.ms", "1") == 0 &&
             config_set(&config, "reconnect.backoff.max.ms", "5") == 0 && config_set(&config, "retry.backoff.ms", "2") == 0 &&
             config_set(&config, "retry.backoff.max.ms", "5") == 0 && producer_options_read(&options, &config) == 0,
         "a property of the feeder");
    *feeder = (struct feeder){ .test = test, .prng = prng, .loop = loop, .sent = begin, .wanted = begin, .acknowledged = true };
    open_client(feeder, bootstrap_servers, &config);
    feeder->producer = producer_new(feeder->client, &options, &PRODUCER_EVENTS, feeder);
    must(feeder->producer != NULL, "no memory");
    feeder->timer = (struct loop_timer){ .fire = feed, .ctx = feeder };
    for (size_t i = 0; i < test->node_count; i++) {
        const struct case_node *node = &test->nodes[i];
        char name[32];
        snprintf(name, sizeof name, "in%d", (int)node->parameters[0]);
        if (operator_inputs(node_operator(node)) == 0)
            feeder->topics[node->parameters[0]] = producer_topic(feeder->producer, name);
    }
    config_release(&config);
}

void feeder_close(struct feeder *feeder, void (*closed)(void *ctx), void *ctx)
{
    loop_timer_cancel(feeder->loop, &feeder->timer);
    producer_free(feeder->producer);
    client_free(feeder->client, closed, ctx);
}

/* ---- the reader ------------------------------------------------------------------------------------------------------------ */

static void take_record(void *ctx, const struct consumer_partition *partition, const struct batch_record *record)
{
    struct reader *reader = ctx;
    size_t at = 0;
    while (reader->partitions[at] != partition)
        at++;
    rows_add(reader->test, (size_t)reader->nodes[at], (int)(at % PARTITIONS), &record->record, reader->result);
}

static void read_more(void *ctx, struct io_time now)
{
    struct reader *reader = ctx;
    take_fetched_records(reader->consumer, take_record, reader);
    if (reader->has_read != NULL)
        reader->has_read(reader->ctx);
}

static const struct consumer_events READER_EVENTS = { read_more, NULL, NULL };

void reader_open(struct reader *reader, struct client *client, const struct test_case *test, struct result *result)
{
    struct config config;
    struct consumer_options options;
    config_init(&config, &client_option_table);
    must(config_set(&config, "isolation.level", "read_committed") == 0 && consumer_options_read(&options, &config) == 0,
         "a property of the reader");
    *reader = (struct reader){ .test = test, .result = result };
    reader->consumer = consumer_new(client, &options, &READER_EVENTS, reader);
    must(reader->consumer != NULL, "no memory");
    for (size_t i = 0; i < test->node_count; i++) {
        char topic[ROWS_TOPIC_BYTES];
        for (int p = 0; rows_topic(test, i, topic) && p < PARTITIONS; p++) {
            reader->nodes[reader->count] = (int)i;
            reader->partitions[reader->count++] =
                consumer_assign(reader->consumer, client_topic(client, topic), p, CONSUMER_EARLIEST);
        }
    }
    config_release(&config);
}

bool reader_has_all(const struct reader *reader)
{
    return all_is_fetched(reader->partitions, reader->count);
}

void reader_close(struct reader *reader)
{
    consumer_free(reader->consumer);
}
