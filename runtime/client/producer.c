/*
 * Records into batches. The hot path is producer_send: one index, one append. All else happens once per batch: opening counts its
 * memory and starts its lingering, closing seals it and hands it to sender.c.
 *
 * Memory is counted in whole areas, as the batch writer took them, when a batch opens and again when it closes, so that no record
 * pays for it. A batch that cannot be closed for lack of memory stays open and is closed later; its records are not lost.
 */
#include "client/producer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/hash_map.h"
#include "base/trace.h"
#include "client/producer_internal.h"

enum {
    PARTITIONS_MAX = 1 << 20,    /* of a topic: Kafka's own limits are far below */
    LINGER_RETRY_US = 10 * 1000, /* after a batch could not be closed for lack of memory */
};

/* ---- batches that are gone ------------------------------------------------------------------------------------------------- */

void producer_batch_gone(struct producer *producer, struct batch *batch)
{
    producer->buffered_bytes -= batch->bytes->capacity;
    list_remove(&batch->age);
    list_remove(&batch->link);
    shared_buffer_drop(batch->bytes);
    mem_free(batch);
}

void producer_batch_lost(struct producer *producer, struct batch *batch, int code, const char *format, ...)
{
    struct error_text reason;
    struct error_text text;
    struct producer_partition *partition = batch->partition;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason.text, sizeof reason.text, format, arguments);
    va_end(arguments);
    error_set(&text, code, "producing to %s-%d: %d records are lost: %s", partition->topic->handle->name, (int)partition->index,
              (int)batch->record_count, reason.text);
    bool is_heard = producer->events && producer->events->failed;
    trace_line(is_heard ? TRACE_INFO : TRACE_WARN, "client", "%s", text.text);

    struct producer_failure failure = {
        .topic = partition->topic->handle->name,
        .partition = partition->index,
        .record_count = batch->record_count,
        .code = code,
        .text = text.text,
    };
    if (producer->failed_code == 0)
        producer->failed_code = code;
    if (is_transactional(producer))
        transaction_break(producer, code, text.text);
    producer_batch_gone(producer, batch);
    if (is_heard)
        producer->events->failed(producer->ctx, &failure);
}

static bool flush_is_done(const struct producer *producer, const struct flush_request *flush)
{
    return list_empty(&producer->batches) || list_entry(producer->batches.next, struct batch, age)->number >= flush->until;
}

void producer_settled(struct producer *producer, struct io_time now)
{
    while (!list_empty(&producer->flushes)) {
        struct flush_request *flush = list_entry(producer->flushes.next, struct flush_request, link);
        if (!flush_is_done(producer, flush))
            break;
        struct flush_request done = *flush;
        int code = producer->failed_code;
        producer->failed_code = 0;
        list_remove(&flush->link);
        mem_free(flush);
        done.flushed(done.ctx, code, now);
    }
    if (producer->told_full && !producer_full(producer)) {
        producer->told_full = false;
        if (producer->events && producer->events->room)
            producer->events->room(producer->ctx, now);
    }
}

/* ---- the open batch -------------------------------------------------------------------------------------------------------- */

int producer_encode(const struct producer *producer, struct batch_writer *writer, int64_t producer_id, int16_t producer_epoch,
                    int32_t sequence, struct shared_buffer **bytes)
{
    struct batch_options header = BATCH_OPTIONS_PLAIN;
    mill_bytes view;
    header.compression = (enum compression)producer->options.compression;
    header.compression_level = producer->options.compression_level;
    header.producer_id = producer_id;
    header.producer_epoch = producer_id < 0 ? -1 : producer_epoch;
    header.base_sequence = producer_id < 0 ? -1 : sequence;
    header.transactional = is_transactional(producer);
    int code = batch_writer_finish(writer, &header, &view);
    if (code == MILL_ETOOLARGE) { /* it grows by compression: send it as it is */
        header.compression = COMPRESSION_NONE;
        code = batch_writer_finish(writer, &header, &view);
    }
    return code == 0 ? batch_writer_take(writer, bytes) : code;
}

static void count_memory(struct producer *producer, size_t before, size_t after)
{
    producer->buffered_bytes += after;
    producer->buffered_bytes -= before;
    if (producer_full(producer))
        producer->told_full = true;
}

/* Closes the open batch and queues it. On an error it stays open. */
static int close_batch(struct producer_partition *partition)
{
    struct producer *producer = partition->topic->producer;
    struct batch *batch = mem_calloc(1, sizeof *batch);
    if (!batch)
        return MILL_ENOMEM;
    batch->record_count = partition->writer.record_count;
    int code = producer_encode(producer, &partition->writer, partition->producer_id, partition->producer_epoch,
                               partition->sequence_next, &batch->bytes);
    if (code < 0) {
        mem_free(batch);
        return code;
    }
    batch->partition = partition;
    batch->number = producer->number_next;
    producer->number_next += (uint64_t)batch->record_count;
    batch->deadline_us = partition->opened_us + producer->options.delivery_timeout_ms * 1000;
    batch->producer_id = partition->producer_id;
    batch->producer_epoch = partition->producer_epoch;
    batch->sequence = partition->sequence_next;
    partition->sequence_next = sequence_after(partition->sequence_next, batch->record_count);
    count_memory(producer, partition->open_bytes, batch->bytes->capacity);
    partition->open_bytes = 0;
    list_remove(&partition->lingering);
    list_push_back(&producer->batches, &batch->age);
    sender_queue(producer, batch);
    return 0;
}

static void on_linger(struct loop_timer *timer, struct io_time now)
{
    struct producer *producer = timer->ctx;
    int64_t linger_us = producer->options.linger_ms * 1000;
    while (!list_empty(&producer->lingering)) {
        struct producer_partition *partition = list_entry(producer->lingering.next, struct producer_partition, lingering);
        int64_t due_us = partition->opened_us + linger_us;
        if (due_us <= now.monotonic_us && close_batch(partition) < 0)
            due_us = now.monotonic_us + LINGER_RETRY_US;
        if (due_us > now.monotonic_us) {
            loop_timer_set(client_loop(producer->client), timer, due_us);
            break;
        }
    }
    sender_drain(producer, now);
}

/* The first record is in: counts the memory and starts lingering. */
static void opened(struct producer_partition *partition)
{
    struct producer *producer = partition->topic->producer;
    struct loop *loop = client_loop(producer->client);
    partition->opened_us = loop_now(loop).monotonic_us;
    partition->open_bytes = partition->writer.area->capacity;
    count_memory(producer, 0, partition->open_bytes);
    if (list_empty(&producer->lingering))
        loop_timer_set(loop, &producer->linger_timer, partition->opened_us + producer->options.linger_ms * 1000);
    list_push_back(&producer->lingering, &partition->lingering);
}

/* ---- sending --------------------------------------------------------------------------------------------------------------- */

static struct producer_partition *partition_new(struct producer_topic *topic, int32_t index)
{
    struct producer_partition *partition = mem_calloc(1, sizeof *partition);
    if (!partition)
        return NULL;
    const struct producer_options *options = &topic->producer->options;
    size_t bytes_max = (size_t)options->request_bytes_max;
    size_t target = (size_t)options->batch_bytes < bytes_max ? (size_t)options->batch_bytes : bytes_max;
    batch_writer_init(&partition->writer, target, bytes_max);
    partition->topic = topic;
    partition->index = index;
    partition->producer_id = -1;
    partition->acknowledged_end = -1;
    list_init(&partition->lingering);
    list_init(&partition->adding);
    list_init(&partition->ready);
    list_init(&partition->queue);
    return partition;
}

/* The partition's state, made at its first record. NULL with a code. */
static struct producer_partition *partition_get(struct producer_topic *topic, int32_t index, int *code)
{
    int32_t known = topic->handle->partition_count;
    *code = MILL_EINVALID;
    if (index < 0 || index >= PARTITIONS_MAX || (known >= 0 && index >= known))
        return NULL;
    *code = MILL_ENOMEM;
    if (index >= topic->partition_capacity) {
        int32_t capacity = known > index ? known : index + 1;
        struct producer_partition **grown = mem_realloc(topic->partitions, (size_t)capacity * sizeof *grown);
        if (!grown)
            return NULL;
        for (int32_t i = topic->partition_capacity; i < capacity; i++)
            grown[i] = NULL;
        topic->partitions = grown;
        topic->partition_capacity = capacity;
    }
    if (!topic->partitions[index])
        topic->partitions[index] = partition_new(topic, index);
    return topic->partitions[index];
}

/* Everything but an append into an open batch. */
static __attribute__((noinline)) int send_slowly(struct producer *producer, struct producer_topic *topic, int32_t index,
                                                 const mill_record *record)
{
    int code = producer->error;
    if (transaction_drops(producer))
        return 0;
    struct producer_partition *partition = code < 0 ? NULL : partition_get(topic, index, &code);
    if (!partition)
        return code;
    bool closed = false;
    if (partition->writer.record_count > 0) { /* it is full */
        code = close_batch(partition);
        if (code < 0)
            return code;
        closed = true;
    }
    if (producer->buffered_bytes >= 2 * (size_t)producer->options.buffer_bytes)
        code = MILL_EAGAIN;
    else
        code = batch_writer_append(&partition->writer, record);
    if (code == 0)
        opened(partition);
    if (closed)
        sender_drain(producer, loop_now(client_loop(producer->client)));
    return code;
}

int producer_send(struct producer *producer, struct producer_topic *topic, int32_t index, const mill_record *record)
{
    if (__builtin_expect((uint32_t)index < (uint32_t)topic->partition_capacity, 1)) {
        struct producer_partition *partition = topic->partitions[index];
        if (__builtin_expect(partition && partition->writer.record_count > 0, 1)) {
            int code = batch_writer_append(&partition->writer, record);
            if (__builtin_expect(code != MILL_EAGAIN, 1))
                return code;
        }
    }
    return send_slowly(producer, topic, index, record);
}

bool producer_full(const struct producer *producer)
{
    return producer->buffered_bytes > (size_t)producer->options.buffer_bytes;
}

size_t producer_buffered_bytes(const struct producer *producer)
{
    return producer->buffered_bytes;
}

int64_t producer_unacknowledged(const struct producer *producer)
{
    int64_t records = 0;
    list_for_each (node, &producer->batches)
        records += list_entry(node, struct batch, age)->record_count;
    list_for_each (node, &producer->lingering)
        records += list_entry(node, struct producer_partition, lingering)->writer.record_count;
    return records;
}

/* ---- flush ----------------------------------------------------------------------------------------------------------------- */

int producer_flush(struct producer *producer, void (*flushed)(void *ctx, int code, struct io_time now), void *ctx)
{
    struct flush_request *flush = mem_alloc(sizeof *flush);
    if (!flush)
        return MILL_ENOMEM;
    while (!list_empty(&producer->lingering)) {
        int code = close_batch(list_entry(producer->lingering.next, struct producer_partition, lingering));
        if (code < 0) {
            mem_free(flush);
            return code;
        }
    }
    *flush = (struct flush_request){ .until = producer->number_next, .flushed = flushed, .ctx = ctx };
    list_push_back(&producer->flushes, &flush->link);
    struct io_time now = loop_now(client_loop(producer->client));
    sender_drain(producer, now);
    producer_settled(producer, now);
    return 0;
}

int64_t producer_acknowledged_end(const struct producer_topic *topic, int32_t index)
{
    bool known = index >= 0 && index < topic->partition_capacity && topic->partitions[index];
    return known ? topic->partitions[index]->acknowledged_end : -1;
}

int producer_error(const struct producer *producer, const char **text)
{
    if (text)
        *text = producer->error_text.text;
    return producer->error;
}

/* ---- topics ---------------------------------------------------------------------------------------------------------------- */

struct producer_topic *producer_topic(struct producer *producer, const char *name)
{
    struct producer_topic *topic = hash_map_get(&producer->topics, mill_string(name));
    if (topic)
        return topic;
    topic = mem_calloc(1, sizeof *topic);
    if (!topic)
        return NULL;
    topic->producer = producer;
    topic->handle = client_topic(producer->client, name);
    if (!topic->handle || hash_map_put(&producer->topics, mill_string(name), topic, NULL) < 0) {
        mem_free(topic);
        return NULL;
    }
    sender_want_id(producer);
    return topic;
}

int32_t producer_topic_partition_count(const struct producer_topic *topic)
{
    return topic->handle->partition_count;
}

struct client_topic *producer_topic_handle(const struct producer_topic *topic)
{
    return topic->handle;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

struct producer *producer_new(struct client *client, const struct producer_options *options, const struct producer_events *events,
                              void *ctx)
{
    struct producer *producer = mem_calloc(1, sizeof *producer);
    if (!producer)
        return NULL;
    producer->client = client;
    producer->options = *options;
    producer->events = events;
    producer->ctx = ctx;
    producer->lane = client_lane_new(client);
    hash_map_init(&producer->topics);
    list_init(&producer->lingering);
    list_init(&producer->batches);
    list_init(&producer->flushes);
    producer->linger_timer = (struct loop_timer){ .fire = on_linger, .ctx = producer };
    sender_init(producer);
    transactions_init(producer);
    return producer;
}

static void topic_free(struct producer_topic *topic)
{
    for (int32_t i = 0; i < topic->partition_capacity; i++) {
        if (!topic->partitions[i])
            continue;
        batch_writer_release(&topic->partitions[i]->writer);
        mem_free(topic->partitions[i]->last_error);
        mem_free(topic->partitions[i]);
    }
    mem_free(topic->partitions);
    mem_free(topic);
}

void producer_free(struct producer *producer)
{
    if (!producer)
        return;
    transactions_release(producer);
    sender_release(producer);
    loop_timer_cancel(client_loop(producer->client), &producer->linger_timer);
    client_lane_close(producer->client, producer->lane);
    while (!list_empty(&producer->batches))
        producer_batch_gone(producer, list_entry(producer->batches.next, struct batch, age));
    for (struct list *node; (node = list_pop_front(&producer->flushes));)
        mem_free(list_entry(node, struct flush_request, link));
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&producer->topics, &at)))
        topic_free(entry->value);
    hash_map_release(&producer->topics);
    mem_free(producer);
}
