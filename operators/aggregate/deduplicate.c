/*
 * Of the records of a key with the same id, the first within a time goes on. One is a duplicate when one that went on lies at
 * most that time before or behind it by their timestamps, in whatever order they come.
 *
 *     store    (length of key 4 | key | id, timestamp) of each record that went on -> offset 8 | number 4 | topic
 *
 * The value says which record that was: of which source record, and the number among those that came here of it. After a crash,
 * which may have kept the entry and lost the result, that one is read again and goes on again.
 *
 * A record so old that the store may have forgotten one that it would repeat is dropped as "late" and goes where late records go.
 */
#include "aggregate/deduplicate.h"

#include "aggregate/aggregate.h"
#include "base/bytes.h"
#include "base/saturate.h"
#include "node_store.h"

struct deduplicate {
    const struct deduplicate_argument *argument;
    mill_store *store;
    struct result_children children;
    int64_t reach_ms;      /* how far behind the store's time a record can be judged */
    int64_t source_offset; /* of the record at hand, -1: none; `number`: among those of the same source record */
    const char *source_topic;
    uint32_t number;
};

enum { MARK_BYTES = 12 };

static int init(mill_context *context, void *self, const void *argument)
{
    struct deduplicate *deduplicate = self;
    deduplicate->argument = argument;
    const char *late = deduplicate->argument->late == NULL ? NULL : *deduplicate->argument->late;
    int code = result_children_open(context, late, &deduplicate->children);
    if (code == 0)
        code = node_store_open(context, deduplicate->argument->store, &deduplicate->store);
    if (code < 0)
        return code;
    deduplicate->source_offset = -1;
    deduplicate->reach_ms = deduplicate->store->builder->retention_ms - deduplicate->argument->within_ms;
    return 0;
}

/* Null: no memory. */
static mill_bytes identity(mill_context *context, mill_bytes key, mill_bytes id)
{
    uint8_t *bytes = mill_context_alloc(context, 4 + key.len + id.len);
    if (bytes == NULL)
        return mill_null();
    write_u32_be(bytes, (uint32_t)key.len);
    if (key.len > 0)
        memcpy(bytes + 4, key.data, key.len);
    if (id.len > 0)
        memcpy(bytes + 4 + key.len, id.data, id.len);
    return mill_bytes_of(bytes, 4 + key.len + id.len);
}

static void count_record(mill_context *context, struct deduplicate *deduplicate)
{
    mill_record_metadata metadata = mill_context_metadata(context);
    bool same = metadata.offset == deduplicate->source_offset && metadata.topic == deduplicate->source_topic;
    deduplicate->number = same ? deduplicate->number + 1 : 0;
    deduplicate->source_offset = metadata.offset;
    deduplicate->source_topic = metadata.topic;
}

/* Which record this is; null: no memory. */
static mill_bytes mark(mill_context *context, const struct deduplicate *deduplicate)
{
    size_t topic_len = deduplicate->source_topic == NULL ? 0 : strlen(deduplicate->source_topic);
    uint8_t *bytes = mill_context_alloc(context, MARK_BYTES + topic_len);
    if (bytes == NULL)
        return mill_null();
    write_u64_be(bytes, (uint64_t)deduplicate->source_offset);
    write_u32_be(bytes + 8, deduplicate->number);
    if (topic_len > 0)
        memcpy(bytes + MARK_BYTES, deduplicate->source_topic, topic_len);
    return mill_bytes_of(bytes, MARK_BYTES + topic_len);
}

static bool is_late(const struct deduplicate *deduplicate, const mill_record *record)
{
    return record->timestamp_ms <= mill_window_stream_time_ms(deduplicate->store) - deduplicate->reach_ms;
}

/* 1: another that went on is near; 0, error. */
static int has_neighbour(const struct deduplicate *deduplicate, mill_bytes who, int64_t at_ms, mill_bytes marked)
{
    int64_t within_ms = deduplicate->argument->within_ms;
    int64_t from_ms = at_ms > within_ms ? at_ms - within_ms : 0;
    int64_t to_ms = saturated_sum(at_ms, within_ms);
    mill_store_iterator *iterator;
    int code = mill_window_fetch_range(deduplicate->store, who, from_ms, to_ms, MILL_FORWARD, &iterator);
    mill_store_entry entry;
    if (code >= 0)
        code = mill_store_iterator_next(iterator, &entry);
    if (code > 0 && deduplicate->source_offset >= 0 && mill_bytes_equal(entry.value, marked))
        code = 0; /* itself, before a crash */
    mill_store_iterator_close(iterator);
    return code;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct deduplicate *deduplicate = self;
    count_record(context, deduplicate);
    if (result_drops_windowed(context, record))
        return 0;
    if (is_late(deduplicate, record)) {
        mill_context_drop(context, "late");
        return result_forward_late(&deduplicate->children, record);
    }
    const struct deduplicate_argument *argument = deduplicate->argument;
    mill_bytes id = mill_null();
    int code = argument->id == NULL ? 0 : argument->id(record, &id, context, argument->ctx);
    mill_bytes who = code < 0 ? mill_null() : identity(context, record->key, id);
    mill_bytes marked = mark(context, deduplicate);
    if (code < 0 || mill_is_null(who) || mill_is_null(marked))
        return code < 0 ? code : MILL_ENOMEM;
    code = has_neighbour(deduplicate, who, record->timestamp_ms, marked);
    if (code > 0)
        mill_context_drop(context, "duplicate");
    if (code != 0)
        return code < 0 ? code : 0;
    code = mill_window_put(deduplicate->store, who, record->timestamp_ms, marked, record->timestamp_ms);
    return code < 0 ? code : result_forward(&deduplicate->children, record);
}

const mill_processor_type deduplicate_type = {
    .name = "deduplicate", .self_bytes = sizeof(struct deduplicate), .init = init, .process = process
};
