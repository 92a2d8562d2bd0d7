#include "broker/txn/txn_log.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "broker/internal.h"
#include "wire/txn_records.h"

enum { RECORD_ARENA_BYTES_MAX = 64 << 20 };

struct txn_change {
    struct txn_coordinator *coordinator;
    struct transaction *txn; /* NULL: its values are changed already */
    struct txn_values next;
    txn_written *done;
    void *ctx;
    struct shared_buffer *batch;
    struct partition_append append;
    struct list link; /* of coordinator->changes */
};

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static bool fill_partitions(const struct txn_values *values, struct arena *arena, struct transaction_log_value *value)
{
    value->transaction_partitions.count = -1;
    if (values->partitions.count == 0 && values->status == TXN_EMPTY)
        return true;
    int32_t count = (int32_t)values->partitions.count;
    struct transaction_log_value_partitions *items = transaction_log_value_partitions_array(arena, count);
    if (!items)
        return false;
    for (int32_t i = 0; i < count; i++) {
        const struct txn_topic *topic = &values->partitions.topics[i];
        items[i].topic = topic->name;
        items[i].partition_ids = (struct wire_int32s){ topic->partitions, topic->count };
    }
    value->transaction_partitions.items = items;
    value->transaction_partitions.count = count;
    return true;
}

static int append_value(struct txn_coordinator *coordinator, const struct txn_values *values, struct arena *arena)
{
    struct transaction_log_value value;
    transaction_log_value_init(&value);
    value.producer_id = values->producer_id;
    value.previous_producer_id = values->previous_producer_id;
    value.next_producer_id = values->next_producer_id;
    value.producer_epoch = values->epoch;
    value.transaction_timeout_ms = values->timeout_ms;
    value.transaction_status = (int8_t)values->status;
    value.transaction_last_update_timestamp_ms = values->updated_ms;
    value.transaction_start_timestamp_ms = values->start_ms;
    value.client_transaction_version = values->version;
    if (!fill_partitions(values, arena, &value))
        return MILL_ENOMEM;
    buffer_append_u16(&coordinator->value, TXN_LOG_VALUE_VERSION);
    return wire_append(&transaction_log_value_message, TXN_LOG_VALUE_VERSION, &value, &coordinator->value, NULL);
}

/* `values` NULL: a tombstone. */
static int make_batch(struct txn_coordinator *coordinator, mill_bytes id, const struct txn_values *values,
                      struct shared_buffer **batch, struct io_time now)
{
    struct arena arena;
    struct transaction_log_key key = { .transactional_id = id };
    mill_record record = { .timestamp_ms = now.wall_ms };
    arena_init(&arena, 1024, RECORD_ARENA_BYTES_MAX);
    buffer_clear(&coordinator->key);
    buffer_clear(&coordinator->value);
    batch_writer_clear(&coordinator->writer);
    buffer_append_u16(&coordinator->key, TXN_RECORD_KEY);
    int code = wire_append(&transaction_log_key_message, 0, &key, &coordinator->key, NULL);
    if (code == 0 && values)
        code = append_value(coordinator, values, &arena);
    arena_release(&arena);
    if (code == 0 && (coordinator->key.failed || coordinator->value.failed))
        code = MILL_ENOMEM;
    record.key = buffer_bytes(&coordinator->key);
    if (values)
        record.value = buffer_bytes(&coordinator->value);
    mill_bytes bytes;
    if (code == 0)
        code = batch_writer_append(&coordinator->writer, &record);
    if (code == 0)
        code = batch_writer_finish(&coordinator->writer, &BATCH_OPTIONS_PLAIN, &bytes);
    return code == 0 ? batch_writer_take(&coordinator->writer, batch) : code;
}

static int16_t error_of_append(int16_t error)
{
    if (error == KAFKA_NONE)
        return KAFKA_NONE;
    return error == KAFKA_KAFKA_STORAGE_ERROR ? KAFKA_NOT_COORDINATOR : KAFKA_COORDINATOR_NOT_AVAILABLE;
}

static void free_change(struct txn_change *change)
{
    list_remove(&change->link);
    shared_buffer_drop(change->batch);
    txn_values_release(&change->next);
    mem_free(change);
}

static void take_values(struct transaction *txn, struct txn_values *next)
{
    txn_values_release(&txn->values);
    txn->values = *next;
    next->partitions = (struct txn_partitions){ 0 };
}

static void is_durable(struct partition_append *append, struct io_time now)
{
    struct txn_change *change = append->ctx;
    txn_written *done = change->done;
    void *ctx = change->ctx;
    int16_t error = error_of_append(append->error);
    if (error != KAFKA_NONE && !change->coordinator->closed)
        trace_error("txn", "%s: could not be written down: %s", change->txn ? change->txn->name : TRANSACTIONS_TOPIC,
                    kafka_error_name(append->error));
    else if (error == KAFKA_NONE && change->txn)
        take_values(change->txn, &change->next);
    free_change(change);
    if (done)
        done(ctx, error, now);
}

static struct partition *partition_of(const struct txn_coordinator *coordinator, const struct transaction *txn)
{
    struct topic *topic = internal_topic_find(&coordinator->topic);
    return topic ? topic_partition(topic, txn->log_partition) : NULL;
}

static struct txn_change *new_change(struct txn_coordinator *coordinator, struct transaction *txn,
                                     const struct txn_values *values, struct io_time now)
{
    struct txn_change *change = mem_calloc(1, sizeof *change);
    if (!change)
        return NULL;
    list_init(&change->link);
    if (make_batch(coordinator, txn->id, values, &change->batch, now) != 0) {
        mem_free(change);
        return NULL;
    }
    change->coordinator = coordinator;
    change->append = (struct partition_append){
        .batch = { mill_bytes_of(change->batch->data, change->batch->len), change->batch },
        .origin = APPEND_BROKER,
        .done = is_durable,
        .ctx = change,
    };
    list_push_back(&coordinator->changes, &change->link);
    return change;
}

void txn_log_write(struct txn_coordinator *coordinator, struct transaction *txn, struct txn_values *next, txn_written *done,
                   void *ctx, struct io_time now)
{
    struct partition *partition = partition_of(coordinator, txn);
    struct txn_change *change = partition ? new_change(coordinator, txn, next, now) : NULL;
    if (!change) {
        txn_values_release(next);
        done(ctx, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
        return;
    }
    change->txn = txn;
    change->next = *next;
    change->done = done;
    change->ctx = ctx;
    partition_append(partition, &change->append, now);
}

void txn_log_note(struct txn_coordinator *coordinator, struct transaction *txn, struct txn_values *next, struct io_time now)
{
    struct partition *partition = partition_of(coordinator, txn);
    struct txn_change *change = partition ? new_change(coordinator, txn, next, now) : NULL;
    take_values(txn, next);
    if (change)
        partition_append(partition, &change->append, now);
}

void txn_log_forget(struct txn_coordinator *coordinator, struct transaction *txn, txn_written *done, void *ctx,
                    struct io_time now)
{
    struct partition *partition = partition_of(coordinator, txn);
    struct txn_change *change = partition ? new_change(coordinator, txn, NULL, now) : NULL;
    if (!change) {
        done(ctx, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
        return;
    }
    change->done = done;
    change->ctx = ctx;
    partition_append(partition, &change->append, now);
}

void txn_log_release(struct txn_coordinator *coordinator)
{
    list_for_each_safe (node, &coordinator->changes)
        free_change(list_entry(node, struct txn_change, link));
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static int load_partitions(const struct transaction_log_value *value, struct txn_partitions *partitions)
{
    for (int32_t i = 0; i < value->transaction_partitions.count; i++) {
        const struct transaction_log_value_partitions *topic = &value->transaction_partitions.items[i];
        for (int32_t j = 0; j < topic->partition_ids.count; j++)
            if (txn_partitions_add(partitions, topic->topic, topic->partition_ids.items[j]) < 0)
                return MILL_ENOMEM;
    }
    return 0;
}

static int load_values(const struct transaction_log_value *value, struct transaction *txn)
{
    if (value->transaction_status < 0 || value->transaction_status >= TXN_PREPARE_EPOCH_FENCE || value->producer_id < 0)
        return MILL_ECORRUPT;
    struct txn_values next = {
        .producer_id = value->producer_id,
        .previous_producer_id = value->previous_producer_id,
        .next_producer_id = value->next_producer_id,
        .epoch = value->producer_epoch,
        .last_epoch = -1,
        .version = value->client_transaction_version,
        .timeout_ms = value->transaction_timeout_ms,
        .status = (enum txn_status)value->transaction_status,
        .start_ms = value->transaction_start_timestamp_ms,
        .updated_ms = value->transaction_last_update_timestamp_ms,
    };
    int code = load_partitions(value, &next.partitions);
    if (code == 0)
        take_values(txn, &next);
    txn_values_release(&next);
    return code;
}

static int load_record(void *ctx, int32_t partition, const struct batch_header *header, const struct batch_record *record,
                       struct arena *arena, struct io_time now)
{
    struct txn_coordinator *coordinator = ctx;
    struct transaction_log_key key;
    struct transaction_log_value value;
    struct byte_reader reader = byte_reader_of(record->record.key);
    uint16_t type = byte_reader_u16(&reader);
    if (reader.failed || type != TXN_RECORD_KEY)
        return reader.failed ? MILL_ECORRUPT : 0;
    int code = wire_decode(&transaction_log_key_message, 0, &reader, NULL, arena, &key, NULL);
    if (code != 0)
        return code;
    struct transaction *txn = txn_coordinator_find(coordinator, key.transactional_id);
    if (mill_is_null(record->record.value)) {
        if (txn)
            txn_coordinator_remove(coordinator, txn);
        return 0;
    }
    reader = byte_reader_of(record->record.value);
    int version = byte_reader_u16(&reader);
    code = reader.failed ? MILL_ETRUNCATED
                         : wire_decode(&transaction_log_value_message, version, &reader, NULL, arena, &value, NULL);
    if (code != 0)
        return code;
    if (!txn)
        txn = txn_coordinator_add_transaction(coordinator, key.transactional_id, value.producer_id, now);
    return txn ? load_values(&value, txn) : MILL_ENOMEM;
}

int txn_log_load(struct txn_coordinator *coordinator, void (*finished)(void *ctx, struct io_time now), struct io_time now)
{
    struct topic_reader reader = { .record = load_record, .finished = finished, .ctx = coordinator };
    return topic_loader_start(coordinator->broker, TRANSACTIONS_TOPIC, &reader, &coordinator->loader, now);
}
