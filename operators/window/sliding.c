/*
 * Sliding windows: count, reduce and aggregate over all records of a key that are at most a difference apart.
 *
 * A window [start, start + difference], both inclusive, exists for each different set of records: of each record the one that
 * ends with it, its left window, and the one that starts behind it, its right window, if there is anything in it. Records of the
 * first difference of all time, whose left windows would start below 0, share the window that starts at 0. A stored timestamp is
 * the largest of the window's records, from which the record before another one is found (KIP-450).
 *
 * A record at t reads the key's windows from the one that starts behind it back to the first that ends before it:
 *
 *                 older ......... left of t ........... those around t ......... right of t
 *      start         < t - d         t - d               t - d < start <= t         t + 1
 *
 * It goes into each around it, newest first. What is missing is then made: the right window of the record before (t alone is in
 * it), the left one of t (what the older window holds, and t), and the right one of t (what the newest around t held before t).
 *
 * Windows that close before stream time minus grace are late for the record, all of it is when its right window would be. Null
 * values are dropped. By default windows emit on close before the record that closes them is taken, see on_close.h, also when
 * that lies in the first difference; in Kafka Streams such a record closes none. With the least retention Kafka Streams loses
 * windows that late records would have gone into. mill.compat=kafka restores both.
 */
#include "window/windowed.h"

struct sliding {
    struct windowed windowed;
    const struct fold *fold;
    int64_t difference_ms;
};

/* A stored window, copied: the iterator's views do not live as long. */
struct found {
    int64_t start_ms;
    int64_t timestamp_ms;
    mill_bytes value;
};

/* The windows that a record reads, and what is known when they have been updated. */
struct neighbours {
    struct found *at;
    size_t count;
    size_t capacity;
    bool has_left; /* the record's own windows exist */
    bool has_right;
    const struct found *right; /* whose records may belong into the record's right window */
    const struct found *left;  /* the same for its left window */
    int64_t previous_ms;       /* the record before; -1: none known */
};

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static int keep(mill_context *context, struct neighbours *neighbours, const mill_store_entry *entry)
{
    if (neighbours->count == neighbours->capacity) {
        size_t capacity = neighbours->capacity == 0 ? 16 : 2 * neighbours->capacity;
        struct found *grown = mill_context_alloc(context, capacity * sizeof *grown);
        if (grown == NULL)
            return MILL_ENOMEM;
        if (neighbours->count > 0)
            memcpy(grown, neighbours->at, neighbours->count * sizeof *grown);
        neighbours->at = grown;
        neighbours->capacity = capacity;
    }
    uint8_t *copy = mill_context_alloc(context, entry->value.len);
    if (copy == NULL)
        return MILL_ENOMEM;
    if (entry->value.len > 0)
        memcpy(copy, entry->value.data, entry->value.len);
    neighbours->at[neighbours->count++] =
        (struct found){ entry->window_start_ms, entry->timestamp_ms, mill_bytes_of(copy, entry->value.len) };
    return 0;
}

/* The key's windows with from <= start <= t + 1 in that order; `until_ms`: the first that starts before it is the last. */
static int read_windows(mill_context *context, const struct sliding *sliding, const mill_record *record, int64_t from_ms,
                        mill_order order, int64_t until_ms, struct neighbours *neighbours)
{
    int64_t to_ms = record->timestamp_ms == INT64_MAX ? INT64_MAX : record->timestamp_ms + 1;
    int64_t least_ms = result_later(from_ms, windowed_least_start_ms(&sliding->windowed));
    mill_store_iterator *iterator;
    int code = mill_window_fetch_range(sliding->windowed.store, record->key, least_ms, to_ms, order, &iterator);
    mill_store_entry entry;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0) {
        code = keep(context, neighbours, &entry);
        if (code >= 0 && entry.window_start_ms < until_ms)
            break;
    }
    mill_store_iterator_close(iterator);
    return code < 0 ? code : 0;
}

static bool has_window(const struct neighbours *neighbours, int64_t start_ms)
{
    for (size_t i = 0; i < neighbours->count; i++)
        if (neighbours->at[i].start_ms == start_ms)
            return true;
    return false;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

/* The record goes into a window that holds `before`, or, if that is null, begins. `is_new`: there is no such window yet. */
static int add_to(mill_context *context, struct sliding *sliding, const mill_record *record, int64_t start_ms, mill_bytes before,
                  int64_t timestamp_ms, bool is_new)
{
    struct windowed *windowed = &sliding->windowed;
    if (start_ms <= time_windows_closed_start(&windowed->time)) {
        mill_context_drop(context, "late");
        return 0;
    }
    uint8_t room[FOLD_ROOM_BYTES];
    mill_bytes value = before;
    int code = mill_is_null(before) ? fold_begin(sliding->fold, context, &value) : 0;
    mill_bytes initial = is_new ? value : mill_null();
    if (code >= 0)
        code = fold_add(sliding->fold, context, record->key, record->value, room, &value);
    if (code < 0)
        return code;
    int64_t latest_ms = result_later(timestamp_ms, record->timestamp_ms);
    /* Kafka Streams has not looked whether a window that it begins is there: a right window may just have been made. */
    windowed->children.sets_old = is_new && windowed->children.gives_initial;
    if (!windowed->on_close.on)
        latest_ms = result_begin(&windowed->children, windowed->store, initial, value, latest_ms, record->timestamp_ms);
    code = mill_window_put(windowed->store, record->key, start_ms, value, latest_ms);
    return code == 0 ? windowed_forward_refused(windowed, record->key, value, start_ms, latest_ms) : code;
}

static int begin_window(mill_context *context, struct sliding *sliding, const mill_record *record, int64_t start_ms)
{
    return add_to(context, sliding, record, start_ms, mill_null(), record->timestamp_ms, true);
}

/* The right window of the record before, which has no other record than this one yet. */
static int add_right_of_previous(mill_context *context, struct sliding *sliding, const mill_record *record,
                                 const struct neighbours *neighbours)
{
    int64_t start_ms = neighbours->previous_ms + 1;
    if (neighbours->previous_ms < 0 || has_window(neighbours, start_ms) ||
        record->timestamp_ms - start_ms > sliding->difference_ms)
        return 0;
    return begin_window(context, sliding, record, start_ms);
}

/* The record's right window holds what the window around it held, less what came before the record: nothing, as those end. */
static int add_right(struct sliding *sliding, const mill_record *record, const struct neighbours *neighbours)
{
    const struct found *right = neighbours->right;
    if (neighbours->has_right || right == NULL || right->timestamp_ms <= record->timestamp_ms)
        return 0;
    struct windowed *windowed = &sliding->windowed;
    windowed->children.sets_old = false;
    if (!windowed->on_close.on)
        (void)result_begin(&windowed->children, windowed->store, mill_null(), right->value, 0, 0);
    int64_t start_ms = record->timestamp_ms + 1;
    int code = mill_window_put(windowed->store, record->key, start_ms, right->value, right->timestamp_ms);
    return code == 0 ? windowed_forward_refused(windowed, record->key, right->value, start_ms, right->timestamp_ms) : code;
}

static int add_left(mill_context *context, struct sliding *sliding, const mill_record *record,
                    const struct neighbours *neighbours)
{
    if (neighbours->has_left)
        return 0;
    int64_t start_ms = record->timestamp_ms - sliding->difference_ms;
    bool is_empty = neighbours->previous_ms < start_ms || neighbours->left == NULL;
    return is_empty ? begin_window(context, sliding, record, start_ms)
                    : add_to(context, sliding, record, start_ms, neighbours->left->value, record->timestamp_ms, true);
}

/* ---- a record of any later time -------------------------------------------------------------------------------------------- */

/* One window that was read, newest first. 1: nothing is missing. */
static int update_neighbour(mill_context *context, struct sliding *sliding, const mill_record *record, const struct found *window,
                            struct neighbours *neighbours)
{
    int64_t left_ms = record->timestamp_ms - sliding->difference_ms;
    if (window->start_ms > record->timestamp_ms) {
        neighbours->has_right = true;
        return 0;
    }
    if (window->start_ms < left_ms) {
        neighbours->left = window;
        neighbours->previous_ms = window->timestamp_ms;
        return 0;
    }
    int code = add_to(context, sliding, record, window->start_ms, window->value, window->timestamp_ms, false);
    if (code < 0)
        return code;
    if (window->start_ms > left_ms) {
        if (neighbours->right == NULL)
            neighbours->right = window;
        return 0;
    }
    neighbours->has_left = true;
    if (window->timestamp_ms >= record->timestamp_ms)
        return 1; /* another record of the same time has made all windows */
    neighbours->previous_ms = window->timestamp_ms;
    return 0;
}

static int slide(mill_context *context, struct sliding *sliding, const mill_record *record)
{
    struct neighbours neighbours = { .previous_ms = -1 };
    int64_t left_ms = record->timestamp_ms - sliding->difference_ms;
    int64_t from_ms = result_later(left_ms - sliding->difference_ms, 0);
    int code = read_windows(context, sliding, record, from_ms, MILL_REVERSE, left_ms, &neighbours);
    for (size_t i = 0; code == 0 && i < neighbours.count; i++)
        code = update_neighbour(context, sliding, record, &neighbours.at[i], &neighbours);
    if (code != 0)
        return code < 0 ? code : 0;
    code = add_right_of_previous(context, sliding, record, &neighbours);
    if (code >= 0)
        code = add_left(context, sliding, record, &neighbours);
    return code < 0 ? code : add_right(sliding, record, &neighbours);
}

/* ---- a record of the first difference -------------------------------------------------------------------------------------- */

/* One window that was read, oldest first; the one that starts at 0 is updated last. */
static int update_early_neighbour(mill_context *context, struct sliding *sliding, const mill_record *record,
                                  const struct found *window, struct neighbours *neighbours)
{
    if (window->start_ms == 0) {
        neighbours->left = window;
        if (window->timestamp_ms < record->timestamp_ms)
            neighbours->previous_ms = window->timestamp_ms;
        return 0;
    }
    if (window->start_ms > record->timestamp_ms) {
        neighbours->has_right = true;
        return 0;
    }
    neighbours->right = window;
    return add_to(context, sliding, record, window->start_ms, window->value, window->timestamp_ms, false);
}

static int slide_early(mill_context *context, struct sliding *sliding, const mill_record *record)
{
    struct neighbours neighbours = { .previous_ms = -1 };
    int code = read_windows(context, sliding, record, 0, MILL_FORWARD, 0, &neighbours);
    for (size_t i = 0; code >= 0 && i < neighbours.count; i++)
        code = update_early_neighbour(context, sliding, record, &neighbours.at[i], &neighbours);
    const struct found *combined = neighbours.left;
    if (neighbours.right == NULL && combined != NULL && combined->timestamp_ms > record->timestamp_ms)
        neighbours.right = combined; /* all that it holds comes later than the record */
    if (code >= 0)
        code = add_right(sliding, record, &neighbours);
    if (code >= 0)
        code = add_right_of_previous(context, sliding, record, &neighbours);
    if (code < 0)
        return code;
    if (combined == NULL)
        return begin_window(context, sliding, record, 0);
    return add_to(context, sliding, record, 0, combined->value, combined->timestamp_ms, false);
}

/* ---- the operator ---------------------------------------------------------------------------------------------------------- */

static int init(mill_context *context, void *self, const void *argument)
{
    struct sliding *sliding = self;
    const struct windowed_aggregate_argument *given = argument;
    sliding->fold = &given->fold;
    sliding->difference_ms = given->base.windows.size_ms;
    int code = windowed_open(context, &sliding->windowed, &given->base);
    sliding->windowed.children.show = given->fold.type->show;
    return code;
}

static int take(mill_context *context, struct sliding *sliding, const mill_record *record)
{
    /* Its right window starts behind it and is the last to close. */
    if (record->timestamp_ms <= time_windows_closed_start(&sliding->windowed.time)) {
        mill_context_drop(context, "late");
        return result_forward_late(&sliding->windowed.children, record);
    }
    bool early = record->timestamp_ms < sliding->difference_ms;
    return early ? slide_early(context, sliding, record) : slide(context, sliding, record);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct sliding *sliding = self;
    struct windowed *windowed = &sliding->windowed;
    if (result_drops(context, record))
        return 0;
    result_cause(windowed->store, record);
    if (record->timestamp_ms < 0) {
        mill_context_drop(context, "negative-timestamp");
        return 0;
    }
    idle_saw(&windowed->idle, context);
    windowed->record_time_ms = result_later(windowed->record_time_ms, record->timestamp_ms);
    windowed->time.stream_time_ms = result_later(windowed->time.stream_time_ms, record->timestamp_ms);
    bool emits = windowed->on_close.on;
    int code = emits && !windowed->on_close.as_kafka ? windowed_emit_closed(context, windowed, record) : 0;
    if (code >= 0)
        code = take(context, sliding, record);
    if (code >= 0 && emits && windowed->on_close.as_kafka && record->timestamp_ms >= sliding->difference_ms)
        code = windowed_emit_closed(context, windowed, record);
    return code;
}

const mill_processor_type sliding_aggregate_type = {
    .name = "sliding-aggregate", .self_bytes = sizeof(struct sliding), .init = init, .process = process
};
