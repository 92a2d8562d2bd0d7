/*
 * A table's store, of whichever kind: rows with a value and a time, or, versioned, with their history (KIP-889, KIP-914).
 *
 * A versioned store takes an update at its own time: one that comes after a newer one is history, `is_outdated`, and one that is
 * older than the history is not taken at all. It neither caches nor tells a listener, so its operator forwards.
 */
#ifndef TABLE_ROWS_H
#define TABLE_ROWS_H

#include "millstream/stores.h"

static inline bool rows_are_versioned(const mill_store *store)
{
    return store->builder->kind == MILL_STORE_VERSIONED;
}

/* As mill_key_value_get: the latest value. `timestamp_ms` may be NULL. */
MILL_MUST_USE static inline int rows_get(mill_store *store, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms)
{
    if (!rows_are_versioned(store))
        return mill_key_value_get(store, key, value, timestamp_ms);
    mill_version version;
    int found = mill_versioned_get(store, key, &version);
    *value = found > 0 ? version.value : mill_null();
    if (found > 0 && timestamp_ms != NULL)
        *timestamp_ms = version.timestamp_ms;
    return found;
}

/* Puts into a versioned store. 1 and whether a newer record is known, or 0: it is too old for the history. */
MILL_MUST_USE static inline int rows_put_version(mill_store *store, const mill_record *update, bool *is_outdated)
{
    int64_t valid_to_ms;
    int taken = mill_versioned_put(store, update->key, update->value, update->timestamp_ms, &valid_to_ms);
    *is_outdated = taken > 0 && valid_to_ms != INT64_MAX;
    return taken;
}

#endif
