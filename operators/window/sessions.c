/*
 * Sessions: count, reduce and aggregate. On close, see on_close.h, they go on in the order of (end, start, key) once stream time
 * minus gap and grace is past their end; with mill.compat=kafka and a store in memory in that of (end, key, start).
 *
 * In Kafka Streams, without a cache, the update of a session has no old value, even when the session was there already, and no
 * headers. Also, with the least retention, a session that is exactly the gap away is merged or not, as other keys have moved the
 * store's time or not. mill.compat=kafka does the same; else all open sessions within the gap are merged.
 */
#include "window/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "base/saturate.h"
#include "compat.h"
#include "millstream/serde.h"
#include "window/kept_time.h"

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

static int emit_session(struct sessions *sessions, const mill_store_entry *entry, const mill_record *cause)
{
    mill_context *context = sessions->children.context;
    mill_memory_mark mark = mill_context_mark(context);
    uint8_t *key = mill_context_alloc(context, entry->key.len + MILL_SESSION_WINDOW_BYTES);
    if (key == NULL)
        return MILL_ENOMEM;
    mill_record result = { .key = mill_session_window_write(key, entry->key, entry->window_start_ms, entry->window_end_ms),
                           .value = entry->value,
                           .timestamp_ms = entry->window_end_ms,
                           .headers = cause == NULL ? NULL : cause->headers,
                           .header_count = cause == NULL ? 0 : cause->header_count };
    int code = result_forward(&sessions->children, &result);
    mill_context_rewind(context, mark);
    return code;
}

static int emit_range(struct sessions *sessions, int64_t from_ms, int64_t to_ms, const mill_record *cause)
{
    mill_store_iterator *iterator;
    int code = mill_session_fetch_all(sessions->store, from_ms, to_ms, MILL_FORWARD, &iterator);
    mill_store_entry entry;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0)
        code = emit_session(sessions, &entry, cause);
    mill_store_iterator_close(iterator);
    return code < 0 ? code : 0;
}

static bool is_in_memory(const struct sessions *sessions)
{
    return strcmp(sessions->store->builder->task_state->name, "memory") == 0;
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
    if (is_in_memory(sessions))
        return forgotten_ms + 1;
    int64_t segment_ms = result_later(retention_ms / 2, MILL_MINUTES(1));
    return forgotten_ms / segment_ms * segment_ms;
}

/* What closes now, if it is time to look: sessions that end from `*from_ms` to before `*close_ms`. */
static bool is_due(mill_context *context, struct sessions *sessions, int64_t *from_ms, int64_t *close_ms)
{
    *close_ms = close_time(sessions);
    if (!on_close_due(&sessions->on_close, context, *close_ms, would_expire(sessions)) || *close_ms < 1)
        return false;
    *from_ms = result_later(result_later(sessions->on_close.close_ms, least_emitted_end(sessions)), 0);
    return true;
}

static int emit_closed(mill_context *context, struct sessions *sessions, const mill_record *cause)
{
    int64_t from_ms;
    int64_t close_ms;
    if (!is_due(context, sessions, &from_ms, &close_ms))
        return 0;
    int code = from_ms >= close_ms ? 0 : emit_range(sessions, from_ms, close_ms - 1, cause);
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
    if (code == 0)
        code = keep_time(context, mill_context_node_name(context), &sessions->stream_time_ms);
    if (code < 0)
        return code;
    sessions->children.show = given->fold.type->show;
    sessions->children.hides_old = sessions->children.gives_initial;
    sessions->children.hides_headers = sessions->children.gives_initial;
    sessions->children.gives_initial = false;
    on_close_open(&sessions->on_close, context, given->emit, given->store);
    if (sessions->on_close.on)
        mill_store_on_flush(sessions->store, NULL, NULL);
    /* Kafka Streams, which may have had the positions before, keeps no more than what has closed. */
    int64_t closed_ms = sessions->on_close.close_ms;
    int64_t lag_ms = given->windows.grace_ms + given->windows.gap_ms;
    if (closed_ms >= 0 && closed_ms + lag_ms > sessions->stream_time_ms)
        sessions->stream_time_ms = closed_ms + lag_ms;
    sessions->record_time_ms = sessions->stream_time_ms;
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

/*
 * The merged ones out, the new one in, when the user's function has made it: if that fails, what was there stays. Windows that
 * stay as they are, a point with a point, are not deleted first.
 */
static int replace(mill_context *context, struct sessions *sessions, const mill_record *record, struct merge *merge)
{
    bool is_point = merge->start_ms == record->timestamp_ms && merge->end_ms == record->timestamp_ms;
    int code = fold_add(&sessions->argument->fold, context, record->key, record->value, merge->room, &merge->aggregate);
    if (code < 0)
        return code;
    if (!sessions->on_close.on)
        result_hide_old(&sessions->children, sessions->store, false);
    for (size_t i = 0; code >= 0 && !is_point && i < merge->count; i++)
        code = mill_session_remove(sessions->store, record->key, merge->sessions[i].start_ms, merge->sessions[i].end_ms,
                                   merge->sessions[i].end_ms);
    if (!sessions->on_close.on)
        result_hide_old(&sessions->children, sessions->store, true);
    if (code >= 0)
        code = mill_session_put(sessions->store, record->key, merge->start_ms, merge->end_ms, merge->aggregate, merge->end_ms);
    if (code != 0 || sessions->on_close.on)
        return code;
    mill_record refused = { .key = record->key, .value = merge->aggregate, .timestamp_ms = merge->end_ms };
    return result_forward_refused(&sessions->children, &refused, merge->start_ms, merge->end_ms);
}

/* `*merge` has the sessions that are gone then. */
static int update(mill_context *context, struct sessions *sessions, const mill_record *record, struct merge *merge)
{
    *merge = (struct merge){ 0 };
    int code = find_sessions(context, sessions, record, merge);
    if (code < 0)
        return code;
    if (merge->end_ms >= close_time(sessions))
        return replace(context, sessions, record, merge);
    merge->count = 0;
    mill_context_drop(context, "late");
    return result_forward_late(&sessions->children, record);
}

/* ---- on close, as Kafka Streams does it ------------------------------------------------------------------------------------ */

/*
 * It takes the record first and looks then for what has closed, so that who reads its store while the sessions go on finds what
 * the record has left there. What it finds depends on the kind of its store, not on the time of ours: so what closes is listed
 * before the record is taken.
 */
struct closed {
    mill_store_entry *sessions;
    size_t count;
    size_t capacity;
};

static mill_bytes copy(mill_context *context, mill_bytes bytes, int *code)
{
    uint8_t *room = mill_context_alloc(context, bytes.len + 1);
    if (room == NULL)
        *code = MILL_ENOMEM;
    else if (bytes.len > 0)
        memcpy(room, bytes.data, bytes.len);
    return room == NULL ? mill_null() : mill_bytes_of(room, bytes.len);
}

static int list_session(mill_context *context, struct closed *closed, const mill_store_entry *entry)
{
    if (closed->count == closed->capacity) {
        size_t capacity = closed->capacity == 0 ? 8 : 2 * closed->capacity;
        mill_store_entry *grown = mill_context_alloc(context, capacity * sizeof *grown);
        if (grown == NULL)
            return MILL_ENOMEM;
        if (closed->count > 0)
            memcpy(grown, closed->sessions, closed->count * sizeof *grown);
        closed->sessions = grown;
        closed->capacity = capacity;
    }
    int code = 0;
    mill_store_entry *listed = &closed->sessions[closed->count++];
    *listed = *entry;
    listed->key = copy(context, entry->key, &code);
    listed->value = copy(context, entry->value, &code);
    return code;
}

/* Its stores in memory have sessions in the order of (end, key, start), those on disk, as ours, of (end, start, key). */
static int by_end_and_key(const void *left, const void *right)
{
    const mill_store_entry *a = left;
    const mill_store_entry *b = right;
    if (a->window_end_ms != b->window_end_ms)
        return a->window_end_ms < b->window_end_ms ? -1 : 1;
    int order = mill_bytes_compare(a->key, b->key);
    return order != 0 ? order : (a->window_start_ms > b->window_start_ms) - (a->window_start_ms < b->window_start_ms);
}

static int list_closed(mill_context *context, struct sessions *sessions, int64_t from_ms, int64_t to_ms, struct closed *closed)
{
    mill_store_iterator *iterator;
    mill_store_entry entry;
    int code = mill_session_fetch_all(sessions->store, from_ms, to_ms, MILL_FORWARD, &iterator);
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0)
        code = list_session(context, closed, &entry);
    mill_store_iterator_close(iterator);
    if (code >= 0 && closed->count > 1 && is_in_memory(sessions))
        qsort(closed->sessions, closed->count, sizeof *closed->sessions, by_end_and_key);
    return code < 0 ? code : 0;
}

static bool is_merged(const struct merge *merge, const mill_store_entry *session)
{
    for (size_t i = 0; i < merge->count; i++)
        if (merge->sessions[i].start_ms == session->window_start_ms && merge->sessions[i].end_ms == session->window_end_ms)
            return true;
    return false;
}

static int emit_listed(struct sessions *sessions, const struct closed *closed, const mill_record *record,
                       const struct merge *merge)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < closed->count; i++)
        if (!mill_bytes_equal(closed->sessions[i].key, record->key) || !is_merged(merge, &closed->sessions[i]))
            code = emit_session(sessions, &closed->sessions[i], record);
    return code;
}

static int take_and_emit(mill_context *context, struct sessions *sessions, const mill_record *record)
{
    struct closed closed = { 0 };
    struct merge merge;
    int64_t from_ms;
    int64_t close_ms;
    bool due = is_due(context, sessions, &from_ms, &close_ms);
    int code = due && from_ms < close_ms ? list_closed(context, sessions, from_ms, close_ms - 1, &closed) : 0;
    if (code >= 0)
        code = update(context, sessions, record, &merge);
    if (code >= 0)
        code = emit_listed(sessions, &closed, record, &merge);
    return code < 0 || !due ? code : on_close_done(&sessions->on_close, context, close_ms);
}

/* ---- a record -------------------------------------------------------------------------------------------------------------- */

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct sessions *sessions = self;
    if (result_drops_windowed(context, record))
        return 0;
    if (!sessions->children.hides_headers)
        result_cause(sessions->store, record);
    idle_saw(&sessions->idle, context);
    sessions->record_time_ms = result_later(sessions->record_time_ms, record->timestamp_ms);
    sessions->stream_time_ms = result_later(sessions->stream_time_ms, sessions->record_time_ms);
    struct merge merge;
    if (!sessions->on_close.on)
        return update(context, sessions, record, &merge);
    if (sessions->as_kafka)
        return take_and_emit(context, sessions, record);
    /* First what has closed: the record cannot belong to it, and its own session could let it expire. */
    int code = emit_closed(context, sessions, record);
    return code < 0 ? code : update(context, sessions, record, &merge);
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
