/*
 * Queries for rows: an iterator is opened in each slice anew, where the last one ended, and what it gives is copied.
 *
 * Where it ended is the last key in a key-value store, else the last time and how many rows had it.
 *
 * Opening sorts what the disk does not know yet, and rows of the last time are walked again: so a slice takes as many rows more
 * as pays for that. However many rows there are, each is sorted a few times and not once for every thousand.
 */
#include "millstream/queries.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "state/typed_store.h"

enum { SORTED_PER_ROW = 4 /* entries that are sorted or skipped for a row, beyond the first MILL_QUERY_ROWS_MAX rows */ };

struct mill_rows {
    struct buffer bytes; /* of each a mill_row, its key, its value */
    size_t count;
    size_t at;
};

struct asking {
    const mill_query *query;
    mill_rows *rows;
    int32_t partition;  /* of the task at hand */
    bool begun;         /* rows of it are there already */
    struct buffer last; /* key-value: the last key */
    int64_t last_ms;    /* others: the last time */
    size_t last_count;  /* of rows with it, at the end */
    size_t task_count;  /* rows of this task */
};

mill_query mill_query_of(const char *store)
{
    return (mill_query){ .store = store, .to_ms = INT64_MAX, .order = MILL_FORWARD, .limit = SIZE_MAX };
}

size_t mill_rows_count(const mill_rows *rows)
{
    return rows->count;
}

bool mill_rows_next(mill_rows *rows, mill_row *row)
{
    if (rows->at == rows->bytes.len)
        return false;
    const uint8_t *at = rows->bytes.data + rows->at;
    memcpy(row, at, sizeof *row);
    row->key.data = at + sizeof *row;
    row->value.data = row->key.data + row->key.len;
    rows->at += sizeof *row + row->key.len + row->value.len;
    return true;
}

void mill_rows_free(mill_rows *rows)
{
    if (rows == NULL)
        return;
    buffer_release(&rows->bytes);
    mem_free(rows);
}

/* ---- collecting ------------------------------------------------------------------------------------------------------------ */

static int add_row(struct asking *asking, const mill_store_entry *entry)
{
    struct buffer *bytes = &asking->rows->bytes;
    mill_row row = { { NULL, entry->key.len }, { NULL, entry->value.len }, entry->timestamp_ms,
                     entry->window_start_ms,   entry->window_end_ms,       asking->partition };
    size_t before = bytes->len;
    buffer_append(bytes, &row, sizeof row);
    buffer_append(bytes, entry->key.data, entry->key.len);
    buffer_append(bytes, entry->value.data, entry->value.len);
    if (bytes->failed) {
        bytes->len = before;
        return MILL_ENOMEM;
    }
    asking->rows->count++;
    return 0;
}

static bool is_full(const struct asking *asking)
{
    return asking->rows->count >= asking->query->limit;
}

/* One row or none, then the query ends with it or goes on to the next task. */
static int add_single(struct asking *asking, int found, const mill_store_entry *entry)
{
    if (found <= 0)
        return found < 0 ? found : MILL_QUERY_NEXT;
    int code = add_row(asking, entry);
    return code < 0 ? code : MILL_QUERY_DONE;
}

static int64_t time_of(mill_store_kind kind, const mill_store_entry *entry)
{
    return kind == MILL_STORE_SESSION ? entry->window_end_ms : entry->window_start_ms;
}

static int note_last(struct asking *asking, mill_store_kind kind, const mill_store_entry *entry)
{
    asking->task_count++;
    if (kind == MILL_STORE_KEY_VALUE) {
        buffer_clear(&asking->last);
        buffer_append(&asking->last, entry->key.data, entry->key.len);
        buffer_append_u8(&asking->last, 0); /* so that an empty key is not null */
        asking->begun = true;
        return asking->last.failed ? MILL_ENOMEM : 0;
    }
    int64_t time_ms = time_of(kind, entry);
    asking->last_count = asking->begun && time_ms == asking->last_ms ? asking->last_count + 1 : 1;
    asking->last_ms = time_ms;
    asking->begun = true;
    return 0;
}

static bool has_prefix(const struct asking *asking, mill_bytes key)
{
    mill_bytes prefix = asking->query->prefix;
    return mill_is_null(prefix) || (key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0);
}

/* Is it time for records to be processed? `given` rows came of it so far. */
static bool is_enough(const mill_store_iterator *iterator, size_t given, size_t skip)
{
    return given >= MILL_QUERY_ROWS_MAX && given >= (typed_store_iterator_work(iterator) + skip) / SORTED_PER_ROW;
}

/* What the iterator gives, without the first `skip`, which were given before. */
static int collect(struct asking *asking, mill_store_kind kind, mill_store_iterator *iterator, size_t skip)
{
    mill_store_entry entry;
    int found = 0;
    for (size_t looked = 0; looked < skip || !is_enough(iterator, looked - skip, skip); looked++) {
        found = is_full(asking) ? 0 : mill_store_iterator_next(iterator, &entry);
        if (found <= 0 || !has_prefix(asking, entry.key))
            break;
        if (looked < skip)
            continue;
        int code = add_row(asking, &entry);
        if (code == 0)
            code = note_last(asking, kind, &entry);
        if (code < 0)
            return code;
    }
    if (found < 0)
        return found;
    if (is_full(asking))
        return MILL_QUERY_DONE;
    return found == 0 || !has_prefix(asking, entry.key) ? MILL_QUERY_NEXT : MILL_QUERY_AGAIN;
}

/* ---- by kind --------------------------------------------------------------------------------------------------------------- */

static int look_at_key_values(struct asking *asking, mill_store *store, mill_store_iterator **iterator, size_t *skip)
{
    const mill_query *query = asking->query;
    mill_bytes last = mill_bytes_of(asking->last.data, asking->begun ? asking->last.len - 1 : 0);
    mill_bytes from = query->from;
    mill_bytes to = query->to;
    *skip = asking->begun;
    if (!asking->begun && !mill_is_null(query->prefix))
        return mill_key_value_prefix(store, query->prefix, query->order, iterator);
    if (!mill_is_null(query->prefix)) {
        from = query->prefix;
        to = mill_null();
    }
    if (asking->begun)
        *(query->order == MILL_FORWARD ? &from : &to) = last;
    return mill_key_value_range(store, from, to, query->order, iterator);
}

static int open_times(struct asking *asking, mill_store *store, mill_store_iterator **iterator, size_t *skip)
{
    const mill_query *query = asking->query;
    mill_store_kind kind = store->builder->kind;
    bool all = mill_is_null(query->key);
    int64_t from_ms = query->from_ms;
    int64_t to_ms = query->to_ms;
    bool whole = kind == MILL_STORE_SESSION && !all && query->order == MILL_REVERSE; /* cannot begin in between */
    *skip = !asking->begun ? 0 : whole ? asking->task_count : asking->last_count;
    if (asking->begun && !whole)
        *(query->order == MILL_FORWARD ? &from_ms : &to_ms) = asking->last_ms;
    switch (kind) {
    case MILL_STORE_SESSION:
        return all ? mill_session_fetch_all(store, from_ms, to_ms, query->order, iterator)
                   : mill_session_find(store, query->key, from_ms, to_ms, query->order, iterator);
    case MILL_STORE_JOIN:
        return all ? mill_join_fetch_all(store, from_ms, to_ms, query->order, iterator)
                   : mill_join_fetch(store, query->key, from_ms, to_ms, query->order, iterator);
    case MILL_STORE_WINDOW:
    case MILL_STORE_SLIDING:
        return all ? mill_window_fetch_all(store, from_ms, to_ms, query->order, iterator)
                   : mill_window_fetch_range(store, query->key, from_ms, to_ms, query->order, iterator);
    default:
        return MILL_EUNSUPPORTED;
    }
}

static int look_at_point(struct asking *asking, mill_store *store)
{
    mill_store_entry entry = { .key = asking->query->key };
    int found = mill_key_value_get(store, entry.key, &entry.value, &entry.timestamp_ms);
    return add_single(asking, found, &entry);
}

static int look_at_set(struct asking *asking, mill_store *store)
{
    mill_set_size size;
    uint8_t count[8];
    int found = mill_set_count(store, asking->query->key, asking->query->from_ms, &size);
    write_u64_be(count, size.count);
    mill_store_entry entry = { asking->query->key, mill_bytes_of(count, sizeof count), size.timestamp_ms, asking->query->from_ms,
                               0 };
    return add_single(asking, found, &entry);
}

static int add_version(struct asking *asking, const mill_version *version)
{
    mill_store_entry entry = { asking->query->key, version->value, version->timestamp_ms, version->timestamp_ms,
                               version->valid_to_ms };
    return add_row(asking, &entry);
}

/* A key's history is short enough for one slice, up to its bound. */
static int look_at_versions(struct asking *asking, mill_store *store)
{
    const mill_query *query = asking->query;
    mill_version version;
    int found;
    if (query->from_ms == query->to_ms) {
        found = mill_versioned_get_as_of(store, query->key, query->to_ms, &version);
        if (found > 0)
            found = add_version(asking, &version) < 0 ? MILL_ENOMEM : 1;
        return found < 0 ? found : found > 0 ? MILL_QUERY_DONE : MILL_QUERY_NEXT;
    }
    int64_t time_ms = asking->begun ? asking->last_ms : query->from_ms;
    for (size_t i = 0; i < MILL_QUERY_ROWS_MAX && !is_full(asking); i++) {
        found = mill_versioned_next(store, query->key, time_ms, &version);
        if (found <= 0 || version.timestamp_ms > query->to_ms)
            return found < 0 ? found : MILL_QUERY_NEXT;
        if (add_version(asking, &version) < 0)
            return MILL_ENOMEM;
        if (version.valid_to_ms == INT64_MAX)
            return MILL_QUERY_NEXT;
        asking->last_ms = time_ms = version.valid_to_ms;
        asking->begun = true;
    }
    return is_full(asking) ? MILL_QUERY_DONE : MILL_QUERY_AGAIN;
}

static int look(void *ctx, int32_t partition, mill_store *store)
{
    struct asking *asking = ctx;
    mill_store_kind kind = store->builder->kind;
    bool point = !mill_is_null(asking->query->key);
    if (asking->partition != partition)
        asking->begun = false;
    asking->task_count = asking->begun ? asking->task_count : 0;
    asking->partition = partition;
    if (is_full(asking))
        return MILL_QUERY_DONE;
    if (kind == MILL_STORE_KEY_VALUE && point)
        return look_at_point(asking, store);
    if (kind == MILL_STORE_SET)
        return point ? look_at_set(asking, store) : MILL_EUNSUPPORTED;
    if (kind == MILL_STORE_VERSIONED)
        return point && asking->query->order == MILL_FORWARD ? look_at_versions(asking, store) : MILL_EUNSUPPORTED;
    mill_store_iterator *iterator;
    size_t skip;
    int code = kind == MILL_STORE_KEY_VALUE ? look_at_key_values(asking, store, &iterator, &skip)
                                            : open_times(asking, store, &iterator, &skip);
    if (code < 0)
        return code;
    code = collect(asking, kind, iterator, skip);
    mill_store_iterator_close(iterator);
    return code;
}

int mill_query_run(mill_app *app, const mill_query *query, mill_rows **rows)
{
    *rows = mem_calloc(1, sizeof **rows);
    if (*rows == NULL)
        return MILL_ENOMEM;
    buffer_init(&(*rows)->bytes, SIZE_MAX / 2);
    struct asking asking = { .query = query, .rows = *rows, .partition = INT32_MIN };
    buffer_init(&asking.last, SIZE_MAX / 2);
    int code = mill_app_query(app, query->store, look, &asking);
    buffer_release(&asking.last);
    if (code < 0) {
        mill_rows_free(*rows);
        *rows = NULL;
    }
    return code;
}
