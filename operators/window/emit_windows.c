/* Emission on close of time windows: see on_close.h for when, here is what. */
#include "window/windowed.h"

#include "millstream/serde.h"

/* A windowed key is built in memory that is used again for the next and grows with the longest. */
struct key_room {
    uint8_t *bytes;
    size_t size;
};

static bool make_room(mill_context *context, struct key_room *room, size_t size)
{
    if (size <= room->size)
        return true;
    room->size = 2 * size;
    room->bytes = mill_context_alloc(context, room->size);
    return room->bytes != NULL;
}

int windowed_emit_range(const struct result_children *children, mill_store *store, int64_t from_ms, int64_t to_ms,
                        const mill_record *cause)
{
    mill_store_iterator *iterator;
    int code = mill_window_fetch_all(store, from_ms, to_ms, MILL_FORWARD, &iterator);
    struct key_room room = { 0 };
    mill_store_entry entry;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0) {
        if (!make_room(children->context, &room, entry.key.len + MILL_TIME_WINDOW_BYTES)) {
            code = MILL_ENOMEM;
            break;
        }
        mill_record result = { .key = mill_time_window_write(room.bytes, entry.key, entry.window_start_ms),
                               .value = entry.value,
                               .timestamp_ms = entry.timestamp_ms,
                               .headers = cause == NULL ? NULL : cause->headers,
                               .header_count = cause == NULL ? 0 : cause->header_count };
        mill_memory_mark mark = mill_context_mark(children->context);
        code = result_forward(children, &result);
        mill_context_rewind(children->context, mark);
    }
    mill_store_iterator_close(iterator);
    return code < 0 ? code : 0;
}

/* The latest start at or before `ms` that a window can have; -1: there is none. */
static int64_t last_start(const mill_time_windows *windows, int64_t ms)
{
    return ms < windows->first_ms ? -1 : ms - (ms - windows->first_ms) % windows->advance_ms;
}

/* Taking a record of the present would let windows expire that have closed and not gone on. */
static bool would_expire(const struct windowed *windowed)
{
    int64_t retention_ms = windowed->store->builder->retention_ms;
    return !windowed->on_close.as_kafka && windowed->time.stream_time_ms - retention_ms > windowed->emitted_start_ms;
}

int windowed_emit_closed(mill_context *context, struct windowed *windowed, const mill_record *cause)
{
    const mill_time_windows *windows = &windowed->time.windows;
    int64_t close_ms = windowed->time.stream_time_ms - windows->grace_ms;
    if (!on_close_due(&windowed->on_close, context, close_ms, would_expire(windowed)))
        return 0;
    int64_t until_ms = close_ms - windows->size_ms;
    if (last_start(windows, until_ms) <= windowed->emitted_start_ms)
        return 0;
    int64_t from_ms = result_later(windowed->emitted_start_ms + 1, windowed_least_start_ms(windowed));
    int code = windowed_emit_range(&windowed->children, windowed->store, from_ms, until_ms, cause);
    if (code < 0)
        return code;
    windowed->emitted_start_ms = until_ms;
    return on_close_done(&windowed->on_close, context, close_ms);
}
