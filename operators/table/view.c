/* Readers, and the view at the bottom of all others: that of a store. */
#include "table/view.h"

#include "aggregate/aggregate.h"
#include "base/alloc.h"
#include "compat.h"
#include "millstream/serde.h"
#include "node_store.h"

int table_reader_open(mill_context *context, const struct table_view *view, struct table_reader **opened)
{
    *opened = NULL;
    struct table_reader *reader = mem_calloc(1, sizeof *reader);
    if (reader == NULL)
        return MILL_ENOMEM;
    *reader = (struct table_reader){ .view = view, .context = context, .self = mem_calloc(1, view->type->self_bytes + 1) };
    int code = reader->self == NULL ? MILL_ENOMEM : 0;
    for (size_t i = 0; code == 0 && i < view->parent_count; i++)
        code = table_reader_open(context, view->parents[i], &reader->parents[i]);
    if (code == 0 && view->type->open != NULL)
        code = view->type->open(reader);
    if (code < 0)
        table_reader_close(reader);
    else
        *opened = reader;
    return code;
}

void table_reader_close(struct table_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->self != NULL && reader->view->type->close != NULL)
        reader->view->type->close(reader);
    for (size_t i = 0; i < reader->view->parent_count; i++)
        table_reader_close(reader->parents[i]);
    mem_free(reader->self);
    mem_free(reader);
}

static void read_forwarded(struct table_reader *reader)
{
    reader->reads_forwarded = true;
    for (size_t i = 0; i < reader->view->parent_count; i++)
        read_forwarded(reader->parents[i]);
}

void table_reader_read_forwarded(struct table_reader *reader)
{
    if (!compat_is_kafka(reader->context))
        read_forwarded(reader);
}

void table_reader_prefetch(struct table_reader *reader, mill_bytes key)
{
    if (reader->view->type->prefetch != NULL) {
        reader->view->type->prefetch(reader, key);
        return;
    }
    for (size_t i = 0; i < reader->view->parent_count; i++)
        table_reader_prefetch(reader->parents[i], key);
}

/* ---- a table with a store ------------------------------------------------------------------------------------------------ */

struct store_reader {
    mill_store *store;
    mill_key_form key_form;
    int64_t hidden_ms; /* 0: nothing is hidden */
    int (*get)(struct store_reader *self, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms);
    struct buffer value;    /* the value given out last: a store's own is gone with the next call on it, whoever makes it */
    uint8_t count_bytes[8]; /* that of a set */
};

static int get_row(struct store_reader *self, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    return mill_key_value_get(self->store, key, value, timestamp_ms);
}

static int get_version(struct store_reader *self, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    mill_version version;
    int found = as_of_ms == TABLE_LATEST ? mill_versioned_get(self->store, key, &version)
                                         : mill_versioned_get_as_of(self->store, key, as_of_ms, &version);
    if (found <= 0)
        return found;
    *value = version.value;
    *timestamp_ms = version.timestamp_ms;
    return 1;
}

/* A window that Kafka Streams' store has forgotten and ours has not. */
static bool is_hidden(const struct store_reader *self, int64_t window_ms)
{
    int64_t kept_ms = self->store->builder->retention_ms - self->hidden_ms;
    return self->hidden_ms > 0 && window_ms <= mill_window_stream_time_ms(self->store) - kept_ms;
}

static int get_window(struct store_reader *self, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    mill_windowed_key windowed;
    if (!mill_time_window_read(key, 0, &windowed) || is_hidden(self, windowed.start_ms))
        return 0;
    return mill_window_fetch(self->store, windowed.key, windowed.start_ms, value, timestamp_ms);
}

static int get_session(struct store_reader *self, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    mill_windowed_key windowed;
    if (!mill_session_window_read(key, &windowed) || is_hidden(self, windowed.end_ms))
        return 0;
    return mill_session_fetch(self->store, windowed.key, windowed.start_ms, windowed.end_ms, value, timestamp_ms);
}

static int get_count(struct store_reader *self, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    mill_windowed_key windowed = { .key = key };
    if (self->key_form == MILL_KEY_TIME_WINDOWED && !mill_time_window_read(key, 0, &windowed))
        return 0;
    mill_set_size size;
    int found = mill_set_count(self->store, windowed.key, windowed.start_ms, &size);
    if (found <= 0)
        return found;
    *value = mill_int64_write(self->count_bytes, (int64_t)size.count);
    *timestamp_ms = size.timestamp_ms;
    return 1;
}

static int open_store(struct table_reader *reader)
{
    struct store_reader *self = reader->self;
    const struct table_store_view *view = reader->view->argument;
    buffer_init(&self->value, SIZE_MAX / 2);
    self->key_form = view->key_form;
    int code = node_store_open(reader->context, view->store, &self->store);
    if (code < 0)
        return code;
    bool hides = compat_is_kafka(reader->context) && !result_is_cached(reader->context, self->store);
    self->hidden_ms = hides ? view->hidden_ms : 0; /* its cache still has what its store has forgotten */
    switch (self->store->builder->kind) {
    case MILL_STORE_VERSIONED:
        self->get = get_version;
        return 0;
    case MILL_STORE_KEY_VALUE:
        self->get = get_row;
        return 0;
    case MILL_STORE_WINDOW:
    case MILL_STORE_SLIDING:
        self->get = get_window;
        return 0;
    case MILL_STORE_SESSION:
        self->get = get_session;
        return 0;
    case MILL_STORE_SET:
        self->get = get_count;
        return 0;
    default:
        return mill_context_error(reader->context, MILL_EUNSUPPORTED, "%s: tables with a store like %s cannot be read by key",
                                  mill_context_node_name(reader->context), view->store);
    }
}

static int get_from_store(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    struct store_reader *self = reader->self;
    mill_bytes found;
    *value = mill_null();
    mill_store_read_forwarded(self->store, reader->reads_forwarded);
    int code = self->get(self, key, as_of_ms, &found, timestamp_ms);
    mill_store_read_forwarded(self->store, false);
    if (code <= 0)
        return code;
    buffer_clear(&self->value);
    buffer_append(&self->value, found.data, found.len);
    if (self->value.failed || buffer_reserve(&self->value, 1) == NULL) /* an empty value is not null */
        return MILL_ENOMEM;
    *value = buffer_bytes(&self->value);
    return 1;
}

static void prefetch_from_store(struct table_reader *reader, mill_bytes key)
{
    struct store_reader *self = reader->self;
    if (self->get == get_row)
        mill_key_value_prefetch(self->store, key);
    else if (self->get == get_version)
        mill_versioned_prefetch(self->store, key);
}

static void close_store(struct table_reader *reader)
{
    buffer_release(&((struct store_reader *)reader->self)->value);
}

const struct table_view_type table_store_view_type = { .name = "store",
                                                       .self_bytes = sizeof(struct store_reader),
                                                       .open = open_store,
                                                       .get = get_from_store,
                                                       .prefetch = prefetch_from_store,
                                                       .close = close_store };
