/*
 * Holds a table's updates back. Each key has at most one in the buffer, in the place of its first: later ones replace it there.
 * What has waited long enough, by the largest timestamp that has come here, goes on in the order of (buffer time, key bytes).
 *
 * The buffer is a store, so that it survives; the order is in memory and made anew from the store when the task opens.
 *
 * Kafka Streams lets windows with inclusive ends (sessions, sliding windows) go when stream time minus grace reaches the end,
 * while their aggregations still take records then, so that a final result can come twice. Here they wait one millisecond more;
 * mill.compat=kafka restores that. With it, also, a result's old value is that of the latest update instead of what went on last.
 */
#include "suppress/suppress.h"

#include "base/bytes.h"
#include "compat.h"
#include "millstream/serde.h"
#include "node_store.h"
#include "suppress/buffered_change.h"
#include "suppress/key_queue.h"
#include "window/idle.h"
#include "window/kept_time.h"

struct suppress {
    const struct suppress_argument *argument;
    mill_store *store;
    struct key_queue queue;
    uint64_t bytes; /* in the buffer */
    int64_t stream_time_ms;
    int64_t record_time_ms; /* the same without idle time */
    int64_t wait_ms;
    bool as_kafka;
    struct idle idle;
    struct buffer encoded;
};

static const uint8_t VERSION_3[] = { 3 };
const mill_header suppress_changelog_header = { { (const uint8_t *)"v", 1 }, { VERSION_3, sizeof VERSION_3 } };

/* ---- opening --------------------------------------------------------------------------------------------------------------- */

static int fail_corrupt(mill_context *context, int code)
{
    return code != MILL_ECORRUPT ? code
                                 : mill_context_error(context, code, "%s: what its buffer holds is no buffered change",
                                                      mill_context_node_name(context));
}

static int restore_order(mill_context *context, struct suppress *suppress)
{
    mill_store_iterator *iterator;
    mill_store_entry entry;
    int code = mill_key_value_all(suppress->store, MILL_FORWARD, &iterator);
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0) {
        mill_memory_mark mark = mill_context_mark(context);
        struct buffered_change change;
        code = buffered_change_decode(context, entry.value, &change);
        if (code >= 0)
            code = key_queue_push(&suppress->queue, change.buffer_time_ms, entry.key);
        if (code >= 0)
            suppress->bytes += buffered_change_bytes(entry.key, &change);
        mill_context_rewind(context, mark);
    }
    mill_store_iterator_close(iterator);
    return fail_corrupt(context, code);
}

static int go_on(mill_context *context, void *self, int64_t timestamp_ms);

static int init(mill_context *context, void *self, const void *argument)
{
    struct suppress *suppress = self;
    suppress->argument = argument;
    suppress->as_kafka = compat_is_kafka(context);
    suppress->wait_ms = suppress->argument->wait_ms;
    if (suppress->argument->ends_are_inclusive && !suppress->as_kafka && suppress->wait_ms < INT64_MAX)
        suppress->wait_ms++;
    key_queue_init(&suppress->queue);
    buffer_init(&suppress->encoded, SIZE_MAX / 2);
    int code = node_store_open(context, suppress->argument->base.store, &suppress->store);
    if (code == 0)
        code = idle_open(&suppress->idle, context, go_on);
    if (code == 0)
        code = keep_time(context, mill_context_node_name(context), &suppress->stream_time_ms);
    suppress->record_time_ms = suppress->stream_time_ms;
    return code < 0 ? code : restore_order(context, suppress);
}

static void close_suppress(mill_context *context, void *self)
{
    struct suppress *suppress = self;
    key_queue_release(&suppress->queue);
    buffer_release(&suppress->encoded);
}

/* ---- in -------------------------------------------------------------------------------------------------------------------- */

static int window_end(mill_context *context, const struct suppress_argument *argument, mill_bytes key, int64_t *end_ms)
{
    mill_windowed_key windowed;
    bool read = argument->key_form == MILL_KEY_SESSION_WINDOWED ? mill_session_window_read(key, &windowed)
                                                                : mill_time_window_read(key, argument->window_size_ms, &windowed);
    if (!read)
        return mill_context_error(context, MILL_EINVALID, "%s: a key of %zu bytes has no window", mill_context_node_name(context),
                                  key.len);
    *end_ms = windowed.end_ms;
    return 0;
}

/* The place of a key that is not in the buffer yet. */
static int place(mill_context *context, const struct suppress *suppress, const mill_record *update, int64_t *time_ms)
{
    *time_ms = update->timestamp_ms;
    return suppress->argument->until_window_close ? window_end(context, suppress->argument, update->key, time_ms) : 0;
}

static struct buffered_change change_of(mill_context *context, const mill_record *update)
{
    mill_record_metadata metadata = mill_context_metadata(context);
    return (struct buffered_change){ .timestamp_ms = update->timestamp_ms,
                                     .offset = metadata.offset,
                                     .topic = mill_string(metadata.topic),
                                     .partition = metadata.partition,
                                     .headers = update->headers,
                                     .header_count = update->header_count,
                                     .prior = update->old_value,
                                     .old_value = update->old_value,
                                     .new_value = update->value };
}

static int keep(mill_context *context, struct suppress *suppress, const mill_record *update)
{
    struct buffered_change change = change_of(context, update);
    struct buffered_change before;
    mill_bytes stored;
    int found = mill_key_value_get(suppress->store, update->key, &stored, NULL);
    int code = found <= 0 ? found : buffered_change_decode(context, stored, &before);
    if (code < 0)
        return fail_corrupt(context, code);
    if (found) {
        change.prior = before.prior;
        change.buffer_time_ms = before.buffer_time_ms;
        suppress->bytes -= buffered_change_bytes(update->key, &before);
    } else {
        code = place(context, suppress, update, &change.buffer_time_ms);
        if (code >= 0)
            code = key_queue_push(&suppress->queue, change.buffer_time_ms, update->key);
        if (code < 0)
            return code;
    }
    suppress->bytes += buffered_change_bytes(update->key, &change);
    code = buffered_change_encode(&suppress->encoded, &change);
    if (code < 0)
        return code;
    return mill_key_value_put(suppress->store, update->key, buffer_bytes(&suppress->encoded), update->timestamp_ms);
}

/* ---- out ------------------------------------------------------------------------------------------------------------------- */

static int forward(mill_context *context, const struct suppress *suppress, mill_bytes key, const struct buffered_change *change)
{
    if (suppress->argument->until_window_close && mill_is_null(change->new_value))
        return 0;
    mill_record result = { .key = key,
                           .value = change->new_value,
                           .old_value = suppress->as_kafka ? change->old_value : change->prior,
                           .timestamp_ms = change->timestamp_ms,
                           .headers = change->headers,
                           .header_count = change->header_count };
    return mill_forward(context, &result);
}

/* The first of the buffer goes on, and out. */
static int emit_first(mill_context *context, struct suppress *suppress)
{
    mill_memory_mark mark = mill_context_mark(context);
    mill_bytes key = key_queue_first_key(&suppress->queue);
    mill_bytes stored;
    struct buffered_change change;
    int code = mill_key_value_get(suppress->store, key, &stored, NULL);
    if (code == 0)
        code = MILL_ECORRUPT;
    uint8_t *copy = code < 0 ? NULL : mill_context_alloc(context, stored.len);
    if (code > 0 && copy == NULL)
        code = MILL_ENOMEM;
    if (code > 0) {
        /* Nodes below may read this store: views of it would not last. */
        memcpy(copy, stored.data, stored.len);
        code = buffered_change_decode(context, mill_bytes_of(copy, stored.len), &change);
    }
    if (code >= 0)
        code = forward(context, suppress, key, &change);
    if (code >= 0)
        code = mill_key_value_delete(suppress->store, key, change.timestamp_ms);
    if (code < 0)
        return fail_corrupt(context, code);
    suppress->bytes -= buffered_change_bytes(key, &change);
    key_queue_pop(&suppress->queue);
    mill_context_rewind(context, mark);
    return 0;
}

static bool is_full(const struct suppress *suppress)
{
    const mill_suppress_buffer *buffer = &suppress->argument->buffer;
    return (buffer->records_max > 0 && suppress->queue.count > buffer->records_max) ||
           (buffer->bytes_max > 0 && suppress->bytes > buffer->bytes_max);
}

/* No record's fault: a handler of failures could only skip one after the other, while the buffer grows or results are lost. */
static int fail_full(mill_context *context, const struct suppress *suppress)
{
    const mill_suppress_buffer *buffer = &suppress->argument->buffer;
    return mill_context_error(context, MILL_ENOMEM, "%s: its buffer is full: %zu records, at most %llu; %llu bytes, at most %llu",
                              mill_context_node_name(context), suppress->queue.count, (unsigned long long)buffer->records_max,
                              (unsigned long long)suppress->bytes, (unsigned long long)buffer->bytes_max);
}

static int emit_due(mill_context *context, struct suppress *suppress)
{
    int64_t until_ms = suppress->stream_time_ms - suppress->wait_ms;
    int code = 0;
    while (code >= 0 && suppress->queue.count > 0 && key_queue_first_time_ms(&suppress->queue) <= until_ms)
        code = emit_first(context, suppress);
    while (code >= 0 && !suppress->argument->buffer.shut_down_when_full && is_full(suppress))
        code = emit_first(context, suppress);
    return code < 0 || !is_full(suppress) ? code : fail_full(context, suppress);
}

static int process(mill_context *context, void *self, const mill_record *update)
{
    struct suppress *suppress = self;
    idle_saw(&suppress->idle, context);
    if (update->timestamp_ms > suppress->record_time_ms)
        suppress->record_time_ms = update->timestamp_ms;
    if (suppress->record_time_ms > suppress->stream_time_ms)
        suppress->stream_time_ms = suppress->record_time_ms;
    int code = keep(context, suppress, update);
    return code < 0 ? code : emit_due(context, suppress);
}

/* No record for long: time goes on without. */
static int go_on(mill_context *context, void *self, int64_t timestamp_ms)
{
    struct suppress *suppress = self;
    int64_t now_ms = idle_stream_time_ms(&suppress->idle, context, suppress->record_time_ms);
    if (now_ms <= suppress->stream_time_ms)
        return 0;
    suppress->stream_time_ms = now_ms;
    return emit_due(context, suppress);
}

const mill_processor_type suppress_type = {
    .name = "suppress", .self_bytes = sizeof(struct suppress), .init = init, .process = process, .close = close_suppress
};

/* ---- the view -------------------------------------------------------------------------------------------------------------- */

struct suppress_reader {
    mill_store *buffer;
    struct buffer prior; /* given out last */
};

static int open_view(struct table_reader *reader)
{
    struct suppress_reader *self = reader->self;
    const struct suppress_argument *argument = reader->view->argument;
    buffer_init(&self->prior, SIZE_MAX / 2);
    return node_store_open(reader->context, argument->base.store, &self->buffer);
}

static int view(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    struct suppress_reader *self = reader->self;
    struct table_reader *parent = reader->parents[0];
    mill_bytes stored;
    int found = mill_key_value_get(self->buffer, key, &stored, NULL);
    if (found == 0)
        return parent->view->type->get(parent, key, as_of_ms, value, timestamp_ms);
    struct buffered_change change;
    int code = found < 0 ? found : buffered_change_decode(reader->context, stored, &change);
    if (code < 0)
        return fail_corrupt(reader->context, code);
    *timestamp_ms = -1;
    *value = mill_null();
    if (mill_is_null(change.prior))
        return 0;
    buffer_clear(&self->prior);
    buffer_append(&self->prior, change.prior.data, change.prior.len);
    if (self->prior.failed || buffer_reserve(&self->prior, 1) == NULL) /* an empty value is not null */
        return MILL_ENOMEM;
    *value = buffer_bytes(&self->prior);
    return 1;
}

static void close_view(struct table_reader *reader)
{
    buffer_release(&((struct suppress_reader *)reader->self)->prior);
}

const struct table_view_type suppress_view_type = {
    .name = "suppress", .self_bytes = sizeof(struct suppress_reader), .open = open_view, .get = view, .close = close_view
};
