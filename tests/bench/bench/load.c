/* Each connection repeats its request until its source or its partition ends. */
#include "bench/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "record/batch.h"
#include "wire/api/create_topics.h"
#include "wire/api/fetch.h"
#include "wire/api/produce.h"
#include "wire/message.h"

enum {
    ARENA_BYTES_MAX = 1 << 20,
    TIMEOUT_MS = 60000,
    PRODUCE_VERSION = 9,
    FETCH_VERSION = 12,
    CREATE_TOPICS_VERSION = 5,
    ALL_REPLICAS = -1
};

struct link {
    struct load *load;
    int number;
    struct connection *connection;
    int in_flight;
    int32_t partition; /* read by it */
    int64_t offset;
};

struct load {
    struct load_options options;
    struct loop *loop;
    struct link *links;
    int open;
    int in_flight;
    bool done;
    void (*answered)(struct link *link, struct request *request);

    const char *topic;
    load_source *source;
    load_sink *sink;
    void *ctx;
    bool dry;
    int32_t fetch_bytes;
    uint64_t received;
};

static _Noreturn void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* ---- connections ----------------------------------------------------------------------------------------------------------- */

static void on_opened(void *ctx, struct io_time now)
{
    struct load *load = ((struct link *)ctx)->load;
    load->done = ++load->open == load->options.connections;
}

static void on_answered(void *ctx, struct request *request, struct io_time now)
{
    struct link *link = ctx;
    link->in_flight--;
    link->load->in_flight--;
    if (request->response.body == NULL)
        give_up("%s: no answer: %s", request->api->name, mill_error_text(request->response.error));
    link->load->answered(link, request);
}

static void on_closed(void *ctx, int code, const char *text, struct io_time now)
{
    struct load *load = ((struct link *)ctx)->load;
    if (code != 0)
        give_up("a connection of the load broke: %s", text);
    load->done = --load->open == 0;
}

static const struct connection_events EVENTS = { on_opened, on_answered, on_closed };

static void run(struct load *load)
{
    load->done = false;
    int code = loop_run(load->loop, &load->done);
    mill_assert(code == 0);
}

struct load *load_open(const struct load_options *options)
{
    struct load *load = mem_calloc(1, sizeof *load);
    mill_assert(load != NULL);
    load->options = *options;
    load->loop = uv_loop_new_with(NULL);
    load->links = mem_calloc((size_t)options->connections, sizeof *load->links);
    mill_assert(load->loop != NULL && load->links != NULL);
    for (int i = 0; i < options->connections; i++) {
        struct link *link = &load->links[i];
        *link = (struct link){ .load = load, .number = i };
        int code = options->connector->ops->connect(options->connector, load->loop, options->host, options->port, &EVENTS, link,
                                                    &link->connection);
        if (code < 0)
            give_up("the load cannot connect: %s", mill_error_text(code));
    }
    run(load);
    return load;
}

void load_close(struct load *load)
{
    for (int i = 0; i < load->options.connections; i++)
        load->links[i].connection->ops->close(load->links[i].connection);
    run(load);
    uv_loop_free(load->loop);
    mem_free(load->links);
    mem_free(load);
}

static struct request *new_request(int16_t key, int16_t version)
{
    struct request *request = request_new(api_find(key), version, ARENA_BYTES_MAX);
    mill_assert(request != NULL);
    return request;
}

static void send_request(struct link *link, struct request *request)
{
    struct error_text error;
    link->in_flight++;
    link->load->in_flight++;
    if (link->connection->ops->send(link->connection, request, &error) < 0)
        give_up("%s cannot be sent: %s", request->api->name, error.text);
}

/* ---- topics ---------------------------------------------------------------------------------------------------------------- */

static void topic_created(struct link *link, struct request *request)
{
    const struct create_topics_response *response = request->response.body;
    if (response->topics.count != 1 || response->topics.items[0].error_code != 0)
        give_up("CreateTopics: Kafka error %d", response->topics.count ? response->topics.items[0].error_code : -1);
    request_free(request);
    link->load->done = true;
}

void load_create_topic(struct load *load, const char *topic, int32_t partitions)
{
    struct request *request = new_request(API_CREATE_TOPICS, CREATE_TOPICS_VERSION);
    struct create_topics_request *body = request->body;
    body->topics.items = create_topics_request_topic_array(&request->arena, 1);
    body->topics.count = 1;
    mill_assert(body->topics.items != NULL);
    body->topics.items[0].name = mill_string(topic);
    body->topics.items[0].num_partitions = partitions;
    body->topics.items[0].replication_factor = 1;
    load->answered = topic_created;
    send_request(&load->links[0], request);
    run(load);
}

/* ---- produce --------------------------------------------------------------------------------------------------------------- */

static struct request *produce_request_of(struct load *load, int32_t partition, const struct slice *batch)
{
    struct request *request = new_request(API_PRODUCE, PRODUCE_VERSION);
    struct produce_request *body = request->body;
    struct produce_request_topic *topic = produce_request_topic_array(&request->arena, 1);
    struct produce_request_partition *part = produce_request_partition_array(&request->arena, 1);
    struct slice *slice = arena_alloc(&request->arena, sizeof *slice);
    mill_assert(topic != NULL && part != NULL && slice != NULL);
    *slice = *batch;
    body->acks = ALL_REPLICAS;
    body->timeout_ms = TIMEOUT_MS;
    body->topic_data.items = topic;
    body->topic_data.count = 1;
    topic->name = mill_string(load->topic);
    topic->partition_data.items = part;
    topic->partition_data.count = 1;
    part->index = partition;
    part->records = (struct wire_records){ slice, 1, batch->bytes.len };
    int code = request_keep(request, batch->buffer);
    mill_assert(code == 0);
    shared_buffer_drop(batch->buffer);
    return request;
}

static void produce_more(struct link *link)
{
    struct load *load = link->load;
    int32_t partition;
    struct slice batch;
    while (!load->dry && link->in_flight < load->options.in_flight) {
        load->dry = !load->source(load->ctx, link->number, &partition, &batch);
        if (!load->dry)
            send_request(link, produce_request_of(load, partition, &batch));
    }
    load->done = load->dry && load->in_flight == 0;
}

static void produced(struct link *link, struct request *request)
{
    const struct produce_response *response = request->response.body;
    mill_assert(response->responses.count == 1 && response->responses.items[0].partition_responses.count == 1);
    const struct produce_response_partition *partition = &response->responses.items[0].partition_responses.items[0];
    if (partition->error_code != 0)
        give_up("Produce to %s-%d: Kafka error %d", link->load->topic, partition->index, partition->error_code);
    request_free(request);
    produce_more(link);
}

void load_produce(struct load *load, const char *topic, load_source *source, void *ctx)
{
    load->topic = topic;
    load->source = source;
    load->ctx = ctx;
    load->dry = false;
    load->answered = produced;
    for (int i = 0; i < load->options.connections; i++)
        produce_more(&load->links[i]);
    if (load->in_flight > 0)
        run(load);
}

/* ---- fetch ----------------------------------------------------------------------------------------------------------------- */

static void fetch_more(struct link *link)
{
    struct request *request = new_request(API_FETCH, FETCH_VERSION);
    struct fetch_request *body = request->body;
    struct fetch_request_topic *topic = fetch_request_topic_array(&request->arena, 1);
    struct fetch_request_partition *partition = fetch_request_partition_array(&request->arena, 1);
    mill_assert(topic != NULL && partition != NULL);
    body->max_wait_ms = 500;
    body->min_bytes = 1;
    body->max_bytes = link->load->fetch_bytes;
    body->topics.items = topic;
    body->topics.count = 1;
    topic->topic = mill_string(link->load->topic);
    topic->partitions.items = partition;
    topic->partitions.count = 1;
    partition->partition = link->partition;
    partition->fetch_offset = link->offset;
    partition->partition_max_bytes = link->load->fetch_bytes;
    send_request(link, request);
}

/* Hands the whole batches on and moves the offset behind them. */
static void take_batches(struct link *link, mill_bytes region)
{
    struct load *load = link->load;
    mill_bytes rest = region;
    mill_bytes batch;
    struct batch_header header;
    while (batch_next(&rest, &batch, &header) == 1)
        link->offset = batch_next_offset(&header);
    mill_bytes whole = mill_bytes_of(region.data, region.len - rest.len);
    load->received += whole.len;
    if (load->sink != NULL && whole.len > 0)
        load->sink(load->ctx, link->partition, whole);
}

static void fetched(struct link *link, struct request *request)
{
    const struct fetch_response *response = request->response.body;
    mill_assert(response->responses.count == 1 && response->responses.items[0].partitions.count == 1);
    const struct fetch_response_partition *partition = &response->responses.items[0].partitions.items[0];
    if (response->error_code != 0 || partition->error_code != 0)
        give_up("Fetch of %s-%d: Kafka error %d", link->load->topic, link->partition, partition->error_code);
    for (int32_t i = 0; i < partition->records.count; i++)
        take_batches(link, partition->records.slices[i].bytes);
    bool ended = link->offset >= partition->high_watermark;
    request_free(request);
    if (!ended)
        fetch_more(link);
    link->load->done = link->load->in_flight == 0;
}

uint64_t load_fetch(struct load *load, const char *topic, int32_t partitions, int32_t fetch_bytes, load_sink *sink, void *ctx)
{
    load->topic = topic;
    load->sink = sink;
    load->ctx = ctx;
    load->fetch_bytes = fetch_bytes;
    load->received = 0;
    load->answered = fetched;
    for (int i = 0; i < load->options.connections; i++) {
        struct link *link = &load->links[i];
        link->partition = i % partitions;
        link->offset = 0;
        fetch_more(link);
    }
    run(load);
    return load->received;
}
