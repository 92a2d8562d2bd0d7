/*
 * An update on its way out of a store: to the changelog in Kafka Streams' form, then to the listener, as Kafka Streams does it.
 *
 * A set is logged as its members and reported as its sizes: under at-least-once any prefix of a commit's changelog may survive a
 * crash, so no two records may have to agree.
 */
#include "state/key_schema.h"
#include "state/layout.h"
#include "state/typed_store.h"

int changelog_append_change(struct typed_store *store, const struct cache_change *change)
{
    if (store->changelog == NULL || change->derived)
        return 0;
    mill_record record = { .key = change->key, .value = change->value, .timestamp_ms = change->timestamp_ms };
    if (store->head.builder->changelog_header != NULL && !mill_is_null(change->value)) {
        record.headers = store->head.builder->changelog_header;
        record.header_count = 1;
    }
    if (layout_has_windows(store->head.builder->kind) && store->cache.suffix_bytes == 0) {
        record.key = key_schema_changelog_window(&store->key, change->key, change->start_ms);
        if (mill_is_null(record.key))
            return MILL_ENOMEM;
    }
    return store->changelog->append(store->changelog, &record);
}

/* The key that the listener sees; null: this update is not for it. */
static int listed_key(struct typed_store *store, const struct cache_change *change, mill_bytes *key)
{
    mill_bytes member;
    *key = change->key;
    if (store->head.builder->kind == MILL_STORE_KEY_VALUE || store->head.builder->kind == MILL_STORE_SESSION)
        return 0;
    if (store->cache.suffix_bytes > 0) { /* without the sequence */
        key->len -= WINDOW_SEQUENCE_BYTES;
        return 0;
    }
    if (store->head.builder->kind == MILL_STORE_SET &&
        (!change->derived || !key_schema_parse_element(change->key, key, &member))) {
        *key = mill_null();
        return 0;
    }
    *key = key_schema_windowed(&store->listed_key, *key, change->start_ms);
    return mill_is_null(*key) ? MILL_ENOMEM : 0;
}

int changelog_tell_listener(struct typed_store *store, const struct cache_change *change)
{
    mill_bytes key;
    int code = store->listener == NULL ? 0 : listed_key(store, change, &key);
    if (code < 0 || store->listener == NULL || mill_is_null(key))
        return code;
    mill_record record = {
        .key = key, .value = change->value, .old_value = change->old_value, .timestamp_ms = change->timestamp_ms
    };
    record.headers = store->headers;
    record.header_count = store->header_count;
    return store->listener(store->listener_ctx, &record);
}

static bool parse_element(const mill_store_builder *builder, mill_bytes element, struct run_update *update, struct stored_at *at)
{
    size_t suffix_bytes = layout_suffix_bytes(builder->kind);
    if (element.len < suffix_bytes)
        return false;
    at->time_ms = element_time_ms(element, suffix_bytes);
    const uint8_t *rest = element.data + element.len - suffix_bytes + ELEMENT_TIME_BYTES;
    if (builder->kind == MILL_STORE_JOIN)
        at->sequence = read_u32_be(rest) & INT32_MAX;
    update->start_ms =
        layout_segment_end(layout_segment_ms(builder->kind, builder->retention_ms, builder->window_size_ms), at->time_ms);
    if (builder->kind == MILL_STORE_SESSION && read_u64_be(rest) > (uint64_t)at->time_ms)
        return false;
    return at->time_ms >= 0;
}

bool typed_store_parse(const mill_store_builder *builder, const mill_record *record, struct run_update *update,
                       struct stored_at *at)
{
    *update = (struct run_update){ .key = record->key, .value = record->value, .timestamp_ms = record->timestamp_ms };
    *at = (struct stored_at){ .time_ms = -1 };
    if (mill_is_null(record->key))
        return false;
    if (builder->kind == MILL_STORE_KEY_VALUE)
        return true;
    if (builder->kind == MILL_STORE_VERSIONED)
        return record->timestamp_ms >= 0 && record->timestamp_ms < INT64_MAX;
    if (layout_suffix_bytes(builder->kind) > 0)
        return parse_element(builder, record->key, update, at);
    if (!key_schema_parse_changelog_window(record->key, &update->key, &update->start_ms))
        return false;
    at->time_ms = update->start_ms;
    mill_bytes key;
    mill_bytes member;
    return builder->kind == MILL_STORE_WINDOW || (key_schema_parse_element(update->key, &key, &member) && !mill_is_null(member));
}
