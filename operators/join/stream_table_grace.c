/*
 * A stream joined with a versioned table after a grace (KIP-923): each record waits until time is that much past its own, so that
 * the table's versions of its time have come, and is joined then, in order of time. One that is older than that already is joined
 * at once. Time is what was buffered: the largest timestamp of it.
 *
 * The buffer is a key-value store in Kafka Streams' form, which the changelog has, too:
 *
 *      key     0 | timestamp 8 | key | sequence 4          big-endian: in order of time
 *      value   as suppression keeps its updates (suppress/buffered_change.h), the record being the new value
 */
#include "base/bytes.h"
#include "base/buffer.h"
#include "compat.h"
#include "join/join.h"
#include "suppress/buffered_change.h"

enum { TIME_AT = 1, KEY_AT = 9, SEQUENCE_BYTES = 4 };

struct stream_table_grace {
    struct stream_table_join join; /* first */
    mill_store *buffer;
    bool compat;
    int64_t buffered_time_ms; /* the largest ever buffered; -1 before */
    int64_t oldest_ms;        /* nothing buffered is older; INT64_MAX: nothing is */
    uint32_t sequence;
    struct buffer key;
    struct buffer value;
};

static int fail_corrupt(mill_context *context)
{
    return mill_context_error(context, MILL_ECORRUPT, "%s: its buffer has an entry of another form",
                              mill_context_node_name(context));
}

/* Time and sequence go on from what is there, so that nothing is written over. */
static int recover(mill_context *context, struct stream_table_grace *self)
{
    mill_store_iterator *iterator;
    mill_store_entry entry;
    int code = mill_key_value_all(self->buffer, MILL_FORWARD, &iterator);
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0) {
        if (entry.key.len < KEY_AT + SEQUENCE_BYTES) {
            code = fail_corrupt(context);
            break;
        }
        int64_t time_ms = (int64_t)read_u64_be(entry.key.data + TIME_AT);
        uint32_t sequence = read_u32_be(entry.key.data + entry.key.len - SEQUENCE_BYTES);
        self->oldest_ms = time_ms < self->oldest_ms ? time_ms : self->oldest_ms;
        self->buffered_time_ms = time_ms > self->buffered_time_ms ? time_ms : self->buffered_time_ms;
        self->sequence = sequence > self->sequence ? sequence : self->sequence;
    }
    mill_store_iterator_close(iterator);
    return code;
}

static int init(mill_context *context, void *memory, const void *argument)
{
    struct stream_table_grace *self = memory;
    buffer_init(&self->key, SIZE_MAX / 2);
    buffer_init(&self->value, SIZE_MAX / 2);
    self->buffered_time_ms = -1;
    self->oldest_ms = INT64_MAX;
    self->compat = compat_is_kafka(context);
    int code = stream_table_open(context, &self->join, argument);
    if (code == 0)
        code = node_store_open(context, self->join.argument->buffer, &self->buffer);
    return code < 0 ? code : recover(context, self);
}

static void close_buffer(mill_context *context, void *memory)
{
    struct stream_table_grace *self = memory;
    stream_table_close(context, memory);
    buffer_release(&self->key);
    buffer_release(&self->value);
}

/* ---- into the buffer ------------------------------------------------------------------------------------------------------- */

static int encode(mill_context *context, struct stream_table_grace *self, const mill_record *record)
{
    self->sequence = (self->sequence + 1) & INT32_MAX;
    buffer_clear(&self->key);
    buffer_append_u8(&self->key, 0);
    buffer_append_u64(&self->key, (uint64_t)record->timestamp_ms);
    buffer_append(&self->key, record->key.data, record->key.len);
    buffer_append_u32(&self->key, self->sequence);
    mill_record_metadata metadata = mill_context_metadata(context);
    struct buffered_change change = { .timestamp_ms = record->timestamp_ms,
                                      .offset = metadata.offset,
                                      .topic = mill_string(metadata.topic),
                                      .partition = metadata.partition,
                                      .headers = record->headers,
                                      .header_count = record->header_count,
                                      .new_value = record->value };
    return self->key.failed ? MILL_ENOMEM : buffered_change_encode(&self->value, &change);
}

static int keep(mill_context *context, struct stream_table_grace *self, const mill_record *record)
{
    int code = encode(context, self, record);
    if (code == 0)
        code = mill_key_value_put(self->buffer, buffer_bytes(&self->key), buffer_bytes(&self->value), record->timestamp_ms);
    if (code < 0)
        return code;
    if (record->timestamp_ms > self->buffered_time_ms)
        self->buffered_time_ms = record->timestamp_ms;
    if (record->timestamp_ms < self->oldest_ms)
        self->oldest_ms = record->timestamp_ms;
    return 0;
}

/* ---- out of it ------------------------------------------------------------------------------------------------------------- */

/* It goes on, and out; out, too, if the joiner fails: else it would fail for this one for ever, and nothing would get past it. */
static int release_one(mill_context *context, struct stream_table_grace *self, const mill_store_entry *entry)
{
    struct buffered_change change;
    if (buffered_change_decode(context, entry->value, &change) < 0)
        return fail_corrupt(context);
    mill_record record = { .key = mill_bytes_of(entry->key.data + KEY_AT, entry->key.len - KEY_AT - SEQUENCE_BYTES),
                           .value = change.new_value,
                           .timestamp_ms = change.timestamp_ms,
                           .headers = change.headers,
                           .header_count = change.header_count };
    int code = stream_table_join_record(context, &self->join, &record);
    int removed = mill_key_value_delete(self->buffer, entry->key, change.timestamp_ms);
    return code < 0 ? code : removed;
}

static int release_until(mill_context *context, struct stream_table_grace *self, int64_t until_ms)
{
    mill_store_iterator *iterator;
    mill_store_entry entry;
    int code = mill_key_value_all(self->buffer, MILL_FORWARD, &iterator);
    int64_t oldest_ms = INT64_MAX;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0) {
        if (entry.key.len < KEY_AT + SEQUENCE_BYTES) {
            code = fail_corrupt(context);
            break;
        }
        int64_t time_ms = (int64_t)read_u64_be(entry.key.data + TIME_AT);
        if (time_ms > until_ms) {
            oldest_ms = time_ms;
            break;
        }
        mill_memory_mark mark = mill_context_mark(context);
        code = release_one(context, self, &entry);
        mill_context_rewind(context, mark);
    }
    mill_store_iterator_close(iterator);
    if (code >= 0)
        self->oldest_ms = oldest_ms; /* else what is left is looked for with the next record */
    return code < 0 ? code : 0;
}

static int process(mill_context *context, void *memory, const mill_record *record)
{
    struct stream_table_grace *self = memory;
    int64_t grace_ms = self->join.argument->grace_ms;
    if (join_drops(context, record, record->key, self->join.argument->left))
        return 0;
    if (mill_is_null(record->key)) {
        if (self->compat) /* there it is a NullPointerException */
            return mill_context_error(context, MILL_EINVALID,
                                      "a null key cannot wait for the grace of a join (mill.compat=kafka)");
        return stream_table_join_record(context, &self->join, record);
    }
    if (record->timestamp_ms < 0) { /* it has no place in the buffer's order */
        mill_context_drop(context, "negative-timestamp");
        return 0;
    }
    if (record->timestamp_ms < self->buffered_time_ms - grace_ms)
        return stream_table_join_record(context, &self->join, record);
    int code = keep(context, self, record);
    int64_t until_ms = self->buffered_time_ms - grace_ms;
    return code < 0 || self->oldest_ms > until_ms ? code : release_until(context, self, until_ms);
}

const mill_processor_type stream_table_grace_type = { .name = "stream-table-join-with-grace",
                                                      .self_bytes = sizeof(struct stream_table_grace),
                                                      .init = init,
                                                      .process = process,
                                                      .close = close_buffer };
