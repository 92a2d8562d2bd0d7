/* How results get out of an aggregation, and what its operators check alike. */
#include "aggregate/aggregate.h"

#include "compat.h"
#include "millstream/serde.h"
#include "node_store.h"
#include "table/rows.h"

static int forward_update(void *ctx, const mill_record *update)
{
    return mill_forward(ctx, update);
}

int result_open(mill_context *context, const char *name, mill_store **store)
{
    int code = node_store_open(context, name, store);
    if (code == 0)
        mill_store_on_flush(*store, forward_update, context);
    return code;
}

static int forward_from_start(void *ctx, const mill_record *stored)
{
    const struct result_start *start = ctx;
    mill_record update = *stored;
    if (mill_is_null(update.old_value))
        update.old_value = start->initial;
    return mill_forward(start->context, &update);
}

bool result_is_cached(const mill_context *context, const mill_store *store)
{
    const char *bytes = mill_context_property(context, "statestore.cache.max.bytes");
    return store->builder->caching && (bytes == NULL || strcmp(bytes, "0") != 0);
}

int result_open_with_start(mill_context *context, const char *name, struct result_start *start, mill_store **store)
{
    *start = (struct result_start){ .context = context };
    int code = node_store_open(context, name, store);
    if (code < 0)
        return code;
    start->gives_initial = compat_is_kafka(context) && !result_is_cached(context, *store);
    start->deletes_at_record = compat_is_kafka(context) && result_is_cached(context, *store);
    mill_store_on_flush(*store, forward_from_start, start);
    return 0;
}

static int put_version(struct result_start *start, mill_store *store, const mill_record *result, const mill_record *cause,
                       mill_bytes initial)
{
    mill_record update = *result;
    update.old_value = mill_null();
    update.headers = cause->headers;
    update.header_count = cause->header_count;
    mill_bytes old;
    int found = rows_get(store, update.key, &old, NULL);
    if (found > 0) {
        uint8_t *copy = mill_context_alloc(start->context, old.len + 1); /* the store's own is gone with the put */
        if (copy == NULL)
            return MILL_ENOMEM;
        if (old.len > 0)
            memcpy(copy, old.data, old.len);
        update.old_value = mill_bytes_of(copy, old.len);
    } else if (start->gives_initial) {
        update.old_value = initial;
    }
    int taken = found < 0 ? found : rows_put_version(store, &update, &update.is_outdated);
    return taken <= 0 ? taken : mill_forward(start->context, &update);
}

int result_put(struct result_start *start, mill_store *store, const mill_record *update, const mill_record *cause,
               mill_bytes initial)
{
    if (rows_are_versioned(store))
        return put_version(start, store, update, cause, initial);
    result_cause(store, cause);
    if (start->gives_initial) {
        start->initial = initial;
        mill_store_on_flush(store, forward_from_start, start); /* cogroups: several operators put */
    }
    bool at_record = mill_is_null(update->value) && start->deletes_at_record;
    int64_t timestamp_ms = at_record ? cause->timestamp_ms : update->timestamp_ms;
    int code = mill_key_value_put(store, update->key, update->value, timestamp_ms);
    start->initial = mill_null();
    return code;
}

/* ---- results beside late records ----------------------------------------------------------------------------------------- */

int result_children_open(mill_context *context, const char *late, struct result_children *children)
{
    *children = (struct result_children){ .context = context, .late = SIZE_MAX };
    if (late == NULL)
        return 0;
    for (size_t i = 0; i < mill_context_child_count(context); i++)
        if (strcmp(mill_context_child_name(context, i), late) == 0)
            children->late = i;
    return children->late != SIZE_MAX ? 0 : mill_context_error(context, MILL_ENOTFOUND, "no child is named %s", late);
}

static int show_value(const struct result_children *children, uint8_t room[8], mill_bytes *value)
{
    return mill_is_null(*value) ? 0 : children->show(children->context, *value, room, value);
}

static int forward_shown(const struct result_children *children, const mill_record *stored)
{
    struct result_children as_shown = *children;
    as_shown.show = NULL;
    mill_record record = *stored;
    uint8_t rooms[2][8];
    int code = show_value(children, rooms[0], &record.value);
    if (code >= 0)
        code = show_value(children, rooms[1], &record.old_value);
    return code < 0 ? code : result_forward(&as_shown, &record);
}

int result_forward(const struct result_children *children, const mill_record *record)
{
    if (children->show != NULL)
        return forward_shown(children, record);
    if (children->late == SIZE_MAX)
        return mill_forward(children->context, record);
    size_t count = mill_context_child_count(children->context);
    int code = 0;
    for (size_t i = 0; code >= 0 && i < count; i++)
        if (i != children->late)
            code = mill_forward_to_index(children->context, i, record);
    return code;
}

int result_forward_late(const struct result_children *children, const mill_record *record)
{
    return children->late == SIZE_MAX ? 0 : mill_forward_to_index(children->context, children->late, record);
}

static int forward_result(void *ctx, const mill_record *stored)
{
    const struct result_children *children = ctx;
    mill_record update = *stored;
    if (mill_is_null(update.old_value) || children->sets_old)
        update.old_value = children->initial;
    return result_forward(children, &update);
}

int result_open_for(mill_context *context, const char *name, struct result_children *children, mill_store **store)
{
    int code = node_store_open(context, name, store);
    if (code < 0)
        return code;
    children->gives_initial = compat_is_kafka(context) && !result_is_cached(context, *store);
    children->deletes_at_record = compat_is_kafka(context) && result_is_cached(context, *store);
    children->forwards_refused = children->gives_initial;
    mill_store_on_flush(*store, forward_result, children);
    return 0;
}

void result_hide_old(struct result_children *children, mill_store *store, bool hides)
{
    if (!children->hides_old)
        return;
    children->sets_old = hides;
    children->initial = mill_null();
    mill_store_on_flush(store, forward_result, children); /* cogroups: several operators put */
}

int64_t result_begin(struct result_children *children, mill_store *store, mill_bytes initial, mill_bytes value, int64_t latest_ms,
                     int64_t record_ms)
{
    if (children->gives_initial) {
        children->initial = initial;
        mill_store_on_flush(store, forward_result, children); /* cogroups: several operators put */
    }
    return mill_is_null(value) && children->deletes_at_record ? record_ms : latest_ms;
}

int result_forward_refused(const struct result_children *children, const mill_record *result, int64_t start_ms, int64_t end_ms)
{
    if (!children->forwards_refused)
        return 0;
    bool is_session = end_ms >= 0;
    mill_record record = *result;
    size_t window_bytes = is_session ? MILL_SESSION_WINDOW_BYTES : MILL_TIME_WINDOW_BYTES;
    uint8_t *key = mill_context_alloc(children->context, record.key.len + window_bytes);
    if (key == NULL)
        return MILL_ENOMEM;
    record.key = is_session ? mill_session_window_write(key, record.key, start_ms, end_ms)
                            : mill_time_window_write(key, record.key, start_ms);
    return forward_result((void *)children, &record);
}

int result_read_count(mill_context *context, mill_bytes value, int64_t *count)
{
    *count = 0;
    if (mill_is_null(value) || mill_int64_read(value, count))
        return 0;
    return mill_context_error(context, MILL_ECORRUPT,
                              "%s: the stored count has %zu bytes instead of 8: was the store another operator's?",
                              mill_context_node_name(context), value.len);
}

bool result_drops(mill_context *context, const mill_record *record)
{
    if (mill_is_null(record->key))
        mill_context_drop(context, "null-key");
    else if (mill_is_null(record->value))
        mill_context_drop(context, "null-value");
    else
        return false;
    return true;
}

bool result_drops_windowed(mill_context *context, const mill_record *record)
{
    if (mill_is_null(record->key))
        mill_context_drop(context, "null-key");
    else if (record->timestamp_ms < 0)
        mill_context_drop(context, "negative-timestamp");
    else
        return false;
    return true;
}
