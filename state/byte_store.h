/*
 * What lies below a cache: an ordered store of (window start, key) to value and timestamp, as of the last flush.
 *
 * A key-value store has the one window start 0; one that is laid out by key (layout.h) one start for each segment, and its keys
 * are elements. Views live until the next flush is taken over (lmdb_store_refresh) or the next
 * call, whichever comes first. Results: 1, 0, or MILL_ECORRUPT and other errors. Thread: the stream thread; no call blocks but on
 * the disk.
 */
#ifndef STATE_BYTE_STORE_H
#define STATE_BYTE_STORE_H

#include "millstream/stores.h"

struct byte_store;
struct byte_cursor;

/* Entries with from_start <= start <= to_start and from <= key <= to, where null is open, in order of (start, key). */
struct byte_range {
    int64_t from_start_ms;
    int64_t to_start_ms;
    mill_bytes from;
    mill_bytes to;
    mill_order order;
};

struct byte_store_ops {
    int (*get)(struct byte_store *store, int64_t start_ms, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms);
    /* The nearest window start at or after (MILL_FORWARD) or at or before `from_ms` that has an entry. */
    int (*nearest_window)(struct byte_store *store, int64_t from_ms, mill_order order, int64_t *start_ms);
    /* Could the table that starts here have entries? Looks at no entry. */
    bool (*may_have)(struct byte_store *store, int64_t start_ms);
    uint64_t (*count)(struct byte_store *store);
    /* `*cursor` NULL when 0. The range's keys stay valid while it is open. */
    int (*cursor_open)(struct byte_store *store, const struct byte_range *range, struct byte_cursor **cursor);
    int (*cursor_next)(struct byte_cursor *cursor, mill_store_entry *entry);
    void (*cursor_close)(struct byte_cursor *cursor);
};

struct byte_store {
    const struct byte_store_ops *ops;
};

#endif
