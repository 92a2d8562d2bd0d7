/*
 * Sessions: count, reduce and aggregate. On close, see on_close.h, they go on in the order of (end, start, key) once stream time
 * minus gap and grace is past their end.
 *
 * In Kafka Streams, without a cache, the update of a session has no old value, even when the session was there already, and no
 * headers. Also, with the least retention, a session that is exactly the gap away is merged or not, as other keys have moved the
 * store's time or not. mill.compat=kafka does the same; else all open sessions within the gap are merged.
 */
#include "window/sessions.h"

#include "base/saturate.h"
#include "compat.h"
#include "millstream/serde.h"

struct sessions {
    const struct sessions_argument *argument;
    mill_store *store;
    struct result_children children;
    struct on_close on_close;
    struct idle idle;
    int64_t stream_time_ms;
    int64_t record_time_ms; /* the same without idle time */
    bool as_kafka;
};

/* A session that a record merges. */
struct merged {
    int64_t start_ms;
    int64_t end_ms;
};

/* What a record makes of the sessions around it. */
struct merge {
    struct merged *sessions;
    size_t count;
    size_t capacity;
    int64_t start_ms;
    int64_t end_ms;
    mill_bytes aggregate;
    uint8_t room[FOLD_ROOM_BYTES];
};

/* Sessions that end before this cannot be read: what Kafka Streams' store would say. */
static int64_t least_end(const struct sessions *sessions)
{
    if (!sessions->as_kafka)
        return 0;
    int64_t least_ms = mill_window_stream_time_ms(sessions->store) - (sessions->store->builder->retention_ms - 1) + 1;
    return least_ms > 0 ? least_ms : 0;
}

static int64_t close_time(const struct sessions *sessions)
{
    return sessions->stream_time_ms - sessions->argument->windows.grace_ms - sessions->argument->windows.gap_ms;
}

/* ---- on close -------------------------------------------------------------------------------------------------------------- */

static int emit_range(struct sessions *sessions, int64_t from_ms, int64_t to_ms, const mill_record *cause)
{
    mill_context *context = sessions->children.context;
    mill_store_iterator *iterator;
    int code = mill_session_fetch_all(sessions->store, from_ms, to_ms, MILL_FORWARD, &iterator);
    mill_store_entry entry;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0) {
        mill_memory_mark mark = mill_context_mark(context);
        uint8_t *key = mill_context_alloc(context, entry.key.len + MILL_SESSION_WINDOW_BYTES);
        if (key == NULL) {
            code = MILL_ENOMEM;
            break;
        }
        mill_record result = { .key = mill_session_window_write(key, entry.key, entry.window_start_ms, entry.window_end_ms),
                               .value = entry.value,
                               .timestamp_ms = entry.window_end_ms,
                               .headers = cause == NULL ? NULL : cause->headers,
                               .header_count = cause == NULL ? 0 : cause->header_count };
        code = result_forward(&sessions->children, &result);
        mill_context_rewind(context, mark);
    }
    mill_store_iterator_close(iterator);
    return code < 0 ? code : 0;
}

/* Taking a record of the present would let sessions expire that have closed and not gone on. */
static bool would_expire(const struct sessions *sessions)
{
    int64_t retention_ms = sessions->store->builder->retention_ms;
    return sessions->stream_time_ms - retention_ms >= sessions->on_close.close_ms;
}

/*
 * Sessions that end before this do not go on with mill.compat=kafka: when Kafka Streams looks, its store has forgotten them. In
 * memory it forgets each by its end, on disk whole segments, of half the retention but at least a minute.
 */
static int64_t least_emitted_end(const struct sessions *sessions)
{
    int64_t retention_ms = sessions->store->builder->retention_ms - 1;
    int64_t forgotten_ms = sessions->stream_time_ms - retention_ms;
    if (!sessions->as_kafka || forgotten_ms < 0)
        return 0;
    if (strcmp(sessions->store->builder->task_state->name, "memory") == 0)
        return forgotten_ms + 1;
    int64_t segment_ms = result_later(retention_ms / 2, MILL_MINUTES(1));
    return forgotten_ms / segment_ms * segment_ms;
}

static int emit_closed(mill_context *context, struct sessions *sessions, const mill_record *cause)
{
    int64_t close_ms = close_time(sessions);
    if (!on_close_due(&sessions->on_close, context, close_ms, would_expire(sessions)) || close_ms < 1)
        return 0;
    int64_t from_ms = result_later(sessions->on_close.close_ms, least_emitted_end(sessions));
    int code = from_ms >= close_ms ? 0 : emit_range(sessions, result_later(from_ms, 0), close_ms - 1, cause);
    return code < 0 ? code : on_close_done(&sessions->on_close, context, close_ms);
}

/* No record for long: time goes on without, and closes sessions. */
static int go_on(mill_context *context, void *self, int64_t timestamp_ms)
{
    struct sessions *sessions = self;
    int64_t now_ms = idle_stream_time_ms(&sessions->idle, context, sessions->record_time_ms);
    if (now_ms <= sessions->stream_time_ms)
        return 0;
    sessions->stream_time_ms = now_ms;
    return sessions->on_close.on ? emit_closed(context, sessions, NULL) : 0;
}

/* ---- opening --------------------------------------------------------------------------------------------------------------- */

static int init(mill_context *context, void *self, const void *argument)
{
    struct sessions *sessions = self;
    const struct sessions_argument *given = argument;
    sessions->argument = given;
    sessions->as_kafka = compat_is_kafka(context);
    int code = result_children_open(context, given->late == NULL ? NULL : *given->late, &sessions->children);
    if (code == 0)
        code = result_open_for(context, given->store, &sessions->children, &sessions->store);
    if (code == 0)
        code = idle_open(&sessions->idle, context, go_on);
    if (code < 0)
        return code;
    sessions->children.show = given->fold.type->show;
    sessions->children.hides_old = sessions->children.gives_initial;
    sessions->children.hides_headers = sessions->children.gives_initial;
    sessions->children.gives_initial = false;
    on_close_open(&sessions->on_close, context, given->emit, given->store);
    if (sessions->on_close.on)
        mill_store_on_flush(sessions->store, NULL, NULL);
    int64_t stream_time_ms = mill_window_stream_time_ms(sessions->store);
    int64_t closed_ms = sessions->on_close.close_ms;
    int64_t lag_ms = given->windows.grace_ms + given->windows.gap_ms;
    if (closed_ms >= 0 && closed_ms + lag_ms > stream_time_ms)
        stream_time_ms = closed_ms + lag_ms;
    sessions->stream_time_ms = sessions->record_time_ms = stream_time_ms;
    return 0;
}

/* ---- merging --------------------------------------------------------------------------------------------------------------- */

static int remember(mill_context *context, struct merge *merge, const mill_store_entry *entry)
{
    if (merge->count == merge->capacity) {
        size_t capacity = merge->capacity == 0 ? 4 : 2 * merge->capacity;
        struct merged *grown = mill_context_alloc(context, capacity * sizeof *grown);
        if (grown == NULL)
            return MILL_ENOMEM;
        if (merge->count > 0)
            memcpy(grown, merge->sessions, merge->count * sizeof *grown);
        merge->sessions = grown;
        merge->capacity = capacity;
    }
    merge->sessions[merge->count++] = (struct merged){ entry->window_start_ms, entry->window_end_ms };
    if (entry->window_start_ms < merge->start_ms)
        merge->start_ms = entry->window_start_ms;
    if (entry->window_end_ms > merge->end_ms)
        merge->end_ms = entry->window_end_ms;
    return 0;
}

/* The entry's value joins the aggregate. It is copied: the aggregate may be made of it, and the entry is gone with the next. */
static int merge_entry(mill_context *context, const struct sessions *sessions, mill_bytes key, struct merge *merge,
                       const mill_store_entry *entry)
{
    int code = remember(context, merge, entry);
    uint8_t *copy = code < 0 ? NULL : mill_context_alloc(context, entry->value.len);
    if (copy == NULL)
        return MILL_ENOMEM;
    if (entry->value.len > 0)
        memcpy(copy, entry->value.data, entry->value.len);
    return fold_merge(&sessions->argument->fold, context, key, mill_bytes_of(copy, entry->value.len), merge->room,
                      &merge->aggregate);
}

static int find_sessions(mill_context *context, const struct sessions *sessions, const mill_record *record, struct merge *merge)
{
    int64_t gap_ms = sessions->argument->windows.gap_ms;
    int64_t at_ms = record->timestamp_ms;
    int64_t from_ms = result_later(least_end(sessions), at_ms - gap_ms);
    int64_t to_ms = saturated_sum(at_ms, gap_ms);
    merge->start_ms = merge->end_ms = at_ms;
    int code = fold_begin(&sessions->argument->fold, context, &merge->aggregate);
    if (code < 0)
        return code;
    mill_store_iterator *iterator;
    code = mill_session_find(sessions->store, record->key, from_ms, to_ms, MILL_FORWARD, &iterator);
    mill_store_entry entry;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0)
        code = merge_entry(context, sessions, record->key, merge, &entry);
    mill_store_iterator_close(iterator);
    return code;
}

/* The merged ones out, the new one in. Windows that stay as they are, a point with a point, are not deleted first. */
static int replace(mill_context *context, struct sessions *sessions, const mill_record *record, struct merge *merge)
{
    bool is_point = merge->start_ms == record->timestamp_ms && merge->end_ms == record->timestamp_ms;
    int code = 0;
    for (size_t i = 0; code >= 0 && !is_point && i < merge->count; i++)
        code = mill_session_remove(sessions->store, record->key, merge->sessions[i].start_ms, merge->sessions[i].end_ms,
                                   merge->sessions[i].end_ms);
    if (code >= 0)
        code = fold_add(&sessions->argument->fold, context, record->key, record->value, merge->room, &merge->aggregate);
    if (code >= 0)
        code = mill_session_put(sessions->store, record->key, merge->start_ms, merge->end_ms, merge->aggregate, merge->end_ms);
    return code;
}

static int update(mill_context *context, struct sessions *sessions, const mill_record *record)
{
    struct merge merge = { 0 };
    int code = find_sessions(context, sessions, record, &merge);
    if (code < 0)
        return code;
    if (merge.end_ms >= close_time(sessions))
        return replace(context, sessions, record, &merge);
    mill_context_drop(context, "late");
    return result_forward_late(&sessions->children, record);
}

static bool drops(mill_context *context, const mill_record *record)
{
    if (mill_is_null(record->key))
        mill_context_drop(context, "null-key");
    else if (record->timestamp_ms < 0)
        mill_context_drop(context, "negative-timestamp");
    else
        return false;
    return true;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct sessions *sessions = self;
    if (drops(context, record))
        return 0;
    if (!sessions->children.hides_headers)
        result_cause(sessions->store, record);
    idle_saw(&sessions->idle, context);
    sessions->record_time_ms = result_later(sessions->record_time_ms, record->timestamp_ms);
    sessions->stream_time_ms = result_later(sessions->stream_time_ms, sessions->record_time_ms);
    if (!sessions->on_close.on)
        return update(context, sessions, record);
    /* First what has closed: the record cannot belong to it, and its own session could let it expire. */
    int code = emit_closed(context, sessions, record);
    return code < 0 ? code : update(context, sessions, record);
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    mill_store *store = ((struct sessions *)self)->store;
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key))
            mill_session_prefetch(store, records[i]->key);
}

const mill_processor_type sessions_type = {
    .name = "sessions", .self_bytes = sizeof(struct sessions), .init = init, .process = process, .prepare = prepare
};
