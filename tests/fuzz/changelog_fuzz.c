/*
 * A changelog of a stranger, restored into a store of each kind in memory, and then read in all the ways that operators read it.
 *
 * The first byte chooses the store. What follows are records: length of the key (255: null), length of the value (255: null),
 * a time of 8 bytes, key, value.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "millstream/stores.h"
#include "state/task_states.h"

enum { RETENTION_MS = 1000, WINDOW_MS = 100, RECORDS_MAX = 64, NULL_LEN = 255 };

static mill_store_builder *make_builder(uint8_t kind)
{
    switch (kind % 8) {
    case 0:
        return mill_window_store("s", RETENTION_MS, WINDOW_MS);
    case 1:
        return mill_sliding_store("s", RETENTION_MS, WINDOW_MS);
    case 2:
        return mill_session_store("s", RETENTION_MS);
    case 3:
        return mill_join_store("s", RETENTION_MS, WINDOW_MS);
    case 4:
        return mill_versioned_store("s", RETENTION_MS);
    case 5:
        return mill_set_store("s", RETENTION_MS, WINDOW_MS);
    default: /* also the lists of unmatched records */
        return mill_key_value_store("s");
    }
}

static mill_bytes take_bytes(struct byte_reader *reader, uint8_t len)
{
    if (len == NULL_LEN)
        return mill_null();
    const uint8_t *data = byte_reader_take(reader, len);
    return data == NULL ? mill_null() : mill_bytes_of(data, len);
}

static size_t parse_records(struct byte_reader *reader, mill_record records[RECORDS_MAX])
{
    size_t count = 0;
    while (count < RECORDS_MAX && byte_reader_left(reader) > 10) {
        uint8_t key_len = byte_reader_u8(reader);
        uint8_t value_len = byte_reader_u8(reader);
        mill_record record = { .timestamp_ms = (int64_t)byte_reader_u64(reader) };
        record.key = take_bytes(reader, key_len);
        record.value = take_bytes(reader, value_len);
        if (reader->failed)
            break;
        records[count++] = record;
    }
    return count;
}

static void touch_all(int code, mill_store_iterator *iterator)
{
    mill_store_entry entry;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &entry)) > 0) {
        fuzz_touch(entry.key.data, entry.key.len);
        fuzz_touch(entry.value.data, entry.value.len);
    }
    mill_store_iterator_close(iterator);
}

static void touch_unmatched(mill_store *store)
{
    mill_store_iterator *iterator;
    mill_unmatched unmatched;
    mill_bytes value;
    int code = mill_key_value_all(store, MILL_FORWARD, &iterator);
    while (code >= 0 && (code = mill_unmatched_next(iterator, &unmatched)) > 0) {
        fuzz_touch(unmatched.key.data, unmatched.key.len);
        while (mill_unmatched_value(&unmatched.values, &value) > 0)
            fuzz_touch(value.data, value.len);
    }
    mill_store_iterator_close(iterator);
}

static void touch_versions(mill_store *store, mill_bytes key)
{
    mill_version version;
    int64_t after_ms = -1;
    for (int64_t as_of_ms = 0; as_of_ms < 4 * WINDOW_MS; as_of_ms += WINDOW_MS)
        if (mill_versioned_get_as_of(store, key, as_of_ms, &version) > 0) {
            mill_assert(version.timestamp_ms <= as_of_ms && as_of_ms < version.valid_to_ms);
            fuzz_touch(version.value.data, version.value.len);
        }
    while (mill_versioned_next(store, key, after_ms, &version) > 0 && version.valid_to_ms != INT64_MAX) {
        mill_assert(version.valid_to_ms > after_ms);
        after_ms = version.valid_to_ms;
    }
}

/* By key, also with keys that the store may not have. */
static void read_key(mill_store *store, mill_store_kind kind, mill_bytes key, int64_t time_ms)
{
    mill_store_iterator *iterator = NULL;
    mill_set_size size;
    mill_bytes value;
    int code = -1;
    if (kind == MILL_STORE_SESSION)
        code = mill_session_find(store, key, time_ms - WINDOW_MS, time_ms, MILL_FORWARD, &iterator);
    else if (kind == MILL_STORE_JOIN)
        code = mill_join_fetch(store, key, time_ms - WINDOW_MS, time_ms, MILL_FORWARD, &iterator);
    else if (kind == MILL_STORE_WINDOW || kind == MILL_STORE_SLIDING)
        code = mill_window_fetch_range(store, key, time_ms - WINDOW_MS, time_ms, MILL_REVERSE, &iterator);
    else if (kind == MILL_STORE_VERSIONED)
        touch_versions(store, key);
    else if (kind == MILL_STORE_SET)
        (void)!mill_set_count(store, key, time_ms, &size);
    else if (mill_key_value_get(store, key, &value, NULL) > 0)
        fuzz_touch(value.data, value.len);
    if (code >= 0)
        touch_all(code, iterator);
}

static void read_all(mill_store *store, mill_store_kind kind)
{
    mill_store_iterator *iterator = NULL;
    int code = -1;
    if (kind == MILL_STORE_SESSION)
        code = mill_session_fetch_all(store, 0, INT64_MAX, MILL_FORWARD, &iterator);
    else if (kind == MILL_STORE_JOIN)
        code = mill_join_fetch_all(store, 0, INT64_MAX, MILL_FORWARD, &iterator);
    else if (kind == MILL_STORE_WINDOW || kind == MILL_STORE_SLIDING)
        code = mill_window_fetch_all(store, 0, INT64_MAX, MILL_FORWARD, &iterator);
    else if (kind == MILL_STORE_KEY_VALUE) {
        touch_unmatched(store);
        code = mill_key_value_all(store, MILL_FORWARD, &iterator);
    }
    if (code >= 0)
        touch_all(code, iterator);
}

static const char *no_property(void *ctx, const char *name)
{
    return NULL;
}

static void no_drop(void *ctx, const char *reason)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    mill_record records[RECORDS_MAX];
    struct byte_reader reader = byte_reader_of(mill_bytes_of(data + 1, len - 1));
    size_t count = parse_records(&reader, records);
    mill_store_builder *builder = mill_store_in_memory(make_builder(data[0]));
    mill_task_state_options options = {
        .directory = "", .task_id = "0_0", .memory = { 1 << 20, 1 << 20 }, .property = no_property, .dropped = no_drop
    };
    mill_task_state *state = NULL;
    mill_store *store;
    int code = builder->task_state->open(builder->task_state, &options, &state);
    mill_assert(code == 0);
    code = state->ops->add_store(state, builder, NULL, &store);
    mill_assert(code == 0);
    mill_changelog_position position = { .offset = (int64_t)count };
    code = state->ops->restore_begin(state, store, true);
    mill_assert(code == 0);
    code = state->ops->restore_records(state, store, records, count);
    if (code == 0)
        code = state->ops->restore_end(state, store, &position);
    if (code == 0) {
        for (size_t i = 0; i < count; i++)
            if (!mill_is_null(records[i].key))
                read_key(store, builder->kind, records[i].key, records[i].timestamp_ms / 2);
        read_all(store, builder->kind);
    }
    state->ops->close(state, false);
    builder->free(builder);
    return 0;
}
