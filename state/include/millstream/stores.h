/*
 * The stores of an operator: recipes for the topology, and typed access for the processors that are connected to them.
 *
 *      mill_store_builder *counts = mill_store_with_caching(mill_key_value_store("counts"), true);
 *      mill_topology_add_store(topology, counts, (const char *[]){ "count" }, 1);
 *      ...
 *      int found = mill_key_value_get(store, record->key, &value, &timestamp_ms);
 *
 * Every store keeps bytes with an event time. By default it lives in LMDB, in one environment per task, below a write-back cache;
 * mill_store_in_memory keeps all of it in memory. Either way each update goes to the store's changelog topic (unless logging is
 * off) in Kafka Streams' own form, and a crash loses nothing that was committed.
 *
 * Views: bytes that a store hands out (values, keys of an iterator, the records of a listener) are only read and live until the
 * next call on the same store or the end of the callback, whichever comes first; those of an iterator until its next call, also
 * across gets and puts of other keys. Bytes handed in are copied, unless said otherwise.
 *
 * Results: 1 yes (found, stored, an entry), 0 no (absent, refused, at the end), negative MILL_E*. MILL_EINVALID: the store is of
 * another kind, a key is null, or a global store is written. MILL_ECORRUPT: the disk's copy fails its check; the task fails and
 * the store is rebuilt from the changelog. MILL_ENOMEM changes nothing.
 *
 * Thread: the stream thread that owns the task.
 */
#ifndef MILLSTREAM_STORES_H
#define MILLSTREAM_STORES_H

#include "millstream/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- recipes --------------------------------------------------------------------------------------------------------------- */

/* All copy the name, log to a changelog, do not cache and use LMDB, until told otherwise. NULL: no memory. */

/* Key to value and timestamp. */
MILL_API mill_store_builder *mill_key_value_store(const char *name);

/*
 * (Key, window start) to value and timestamp. A window whose start is at or below the largest start ever put minus `retention_ms`
 * has expired: it is neither read nor written, and its segment is dropped from the disk. `retention_ms` is at least
 * `window_size_ms`, which is at least 1; a recipe that violates that fails when the task opens.
 */
MILL_API mill_store_builder *mill_window_store(const char *name, int64_t retention_ms, int64_t window_size_ms);

/*
 * The same, with the same calls, laid out for mill_window_fetch_range: what a key has over time lies together. For sliding
 * windows, whose starts are any millisecond; tumbling and hopping windows, fetched one by one, are faster in a window store.
 */
MILL_API mill_store_builder *mill_sliding_store(const char *name, int64_t retention_ms, int64_t window_size_ms);

/*
 * (Key, session start, session end) to value and timestamp. A session whose end is at or below the largest end ever put minus
 * `retention_ms` (at least 1) has expired. Changelog: Kafka Streams' session key (key, end 8, start 8).
 */
MILL_API mill_store_builder *mill_session_store(const char *name, int64_t retention_ms);

/*
 * The records of one side of a join of streams: (key, timestamp) to any number of values, all kept, in the order in which they
 * came. Kafka Streams' window store with duplicates: changelog key is (key, timestamp 8, sequence 4), the sequence counts from 1
 * and wraps at INT32_MAX. A record at or below the largest timestamp ever put minus `retention_ms` has expired; with a retention
 * of 0 nothing is ever found (as in Kafka Streams, for a window and a grace of 0). `retention_ms` is at least `window_size_ms`.
 * Never caches; has no use for a listener.
 */
MILL_API mill_store_builder *mill_join_store(const char *name, int64_t retention_ms, int64_t window_size_ms);

/*
 * Key to its values over time: what was valid when, for `history_retention_ms` (at least 1), which is also the time for which a
 * record may come late; the latest value is kept for ever. KIP-889. The changelog has plain records, restored in any order of
 * time. Never caches; has no use for a listener: mill_versioned_put says what a table wants to know.
 */
MILL_API mill_store_builder *mill_versioned_store(const char *name, int64_t history_retention_ms);

/*
 * (Key, window start) to a set of distinct members and its size, exactly. Expiry as above; `retention_ms` 0 keeps all, for sets
 * without windows (window start 0, `window_size_ms` 0). The changelog has one record per new member.
 */
MILL_API mill_store_builder *mill_set_store(const char *name, int64_t retention_ms, int64_t window_size_ms);

/*
 * Settings. Each returns its builder, so that calls nest; NULL in gives NULL out, and so does a lack of memory, which frees the
 * builder (mill_topology_add_store reports a NULL builder).
 */
MILL_API mill_store_builder *mill_store_in_memory(mill_store_builder *builder);

/* On: of the updates of a key between two commits only the last is forwarded and logged. Off: each at once. */
MILL_API mill_store_builder *mill_store_with_caching(mill_store_builder *builder, bool caching);

/* Off: no changelog; the store starts empty after a crash that loses its disk. */
MILL_API mill_store_builder *mill_store_with_logging(mill_store_builder *builder, bool logging);

/* A topic property of the changelog, overriding what Kafka Streams would set: "segment.bytes", "min.insync.replicas". */
MILL_API mill_store_builder *mill_store_with_changelog_property(mill_store_builder *builder, const char *name, const char *value);

/* A header on every record of the changelog that is no deletion, for forms that Kafka Streams marks so. It is static. */
MILL_API mill_store_builder *mill_store_with_changelog_header(mill_store_builder *builder, const mill_header *header);

/* ---- updates on their way out ---------------------------------------------------------------------------------------------- */

/*
 * Called for each update of the store, after it went to the changelog: with caching at commit, once per key written since the
 * last commit, in the order of the last writes; without caching inside the call that writes.
 *
 * `update` has the key (of window and set stores in Kafka's windowed form: key, then the start as 8 bytes big-endian; of session
 * stores key, end 8, start 8), the new value (null: deleted), its timestamp, and as old_value the value of the last such call
 * (null: none), whether or not it is wanted. A set store reports its sizes, as 8 bytes big-endian, also when the member added was
 * there already. With caching a key that was made and deleted in between is not reported; without, a deletion of what is not
 * there is. May write to other stores and forward; may not write to this one. A negative return ends the write or the commit
 * with that error.
 */
typedef int (*mill_store_listener)(void *ctx, const mill_record *update);

/* One listener per store; a later call replaces it, NULL removes it. Call it in `init`. */
MILL_API void mill_store_on_flush(mill_store *store, mill_store_listener listener, void *ctx);

/*
 * The headers with which what is written from here on goes to the listener, at once or at commit; of several writes of a key
 * those of the last. Kafka Streams' rule: those of the record that is being processed. Read while something is written.
 */
MILL_API void mill_store_set_headers(mill_store *store, const mill_header *headers, size_t count);

/*
 * While on, looking up one key (get, fetch, count) gives its value of the last call to the listener, not what caching holds back
 * since. For as long as a look-up takes; no iterators meanwhile.
 */
MILL_API void mill_store_read_forwarded(mill_store *store, bool on);

/* ---- key-value ------------------------------------------------------------------------------------------------------------- */

/* `*timestamp_ms` may be NULL. 1 and the value, or 0 and null. */
MILL_API MILL_MUST_USE int mill_key_value_get(mill_store *store, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms);

/* Stores, or deletes when the value is null. 0. `value` may be a view that this store handed out. */
MILL_API MILL_MUST_USE int mill_key_value_put(mill_store *store, mill_bytes key, mill_bytes value, int64_t timestamp_ms);
MILL_API MILL_MUST_USE int mill_key_value_delete(mill_store *store, mill_bytes key, int64_t timestamp_ms);

/* How many entries: exact in memory, else as of the last flush. */
MILL_API uint64_t mill_key_value_approximate_count(mill_store *store);

/*
 * A hint that these keys are read next: starts loading, never blocks on the disk. Best called once for each key of a batch, in
 * order.
 */
MILL_API void mill_key_value_prefetch(mill_store *store, mill_bytes key);

/* ---- iterators ------------------------------------------------------------------------------------------------------------- */

typedef struct mill_store_iterator mill_store_iterator;
typedef enum mill_order { MILL_FORWARD, MILL_REVERSE } mill_order;

typedef struct mill_store_entry {
    mill_bytes key;
    mill_bytes value; /* never null */
    int64_t timestamp_ms;
    int64_t window_start_ms; /* of a session: its start; in a join store the timestamp; 0 in a key-value store */
    int64_t window_end_ms;   /* of a session: its last timestamp, inclusive; 0 in other stores */
} mill_store_entry;

/*
 * Entries with from <= key <= to, in the order of mill_bytes_compare; null is open. What is written while it is open may or may
 * not be seen; what was there is seen once. An iterator ends with the callback that opened it: one that is left open is closed
 * then, and must not be used later. After an error `*iterator` is NULL.
 */
MILL_API MILL_MUST_USE int mill_key_value_range(mill_store *store, mill_bytes from, mill_bytes to, mill_order order,
                                                mill_store_iterator **iterator);
MILL_API MILL_MUST_USE int mill_key_value_prefix(mill_store *store, mill_bytes prefix, mill_order order,
                                                 mill_store_iterator **iterator);
MILL_API MILL_MUST_USE int mill_key_value_all(mill_store *store, mill_order order, mill_store_iterator **iterator);

MILL_API MILL_MUST_USE int mill_store_iterator_next(mill_store_iterator *iterator, mill_store_entry *entry);
MILL_API void mill_store_iterator_close(mill_store_iterator *iterator); /* NULL is a no-op */

/* ---- windows --------------------------------------------------------------------------------------------------------------- */

/* One window of one key. 1 and the value, or 0 and null: absent or expired. */
MILL_API MILL_MUST_USE int mill_window_fetch(mill_store *store, mill_bytes key, int64_t window_start_ms, mill_bytes *value,
                                             int64_t *timestamp_ms);

/*
 * Stores (null deletes). 1, or 0 when the window has expired, which the task counts as dropped. Negative starts are
 * MILL_EINVALID.
 */
MILL_API MILL_MUST_USE int mill_window_put(mill_store *store, mill_bytes key, int64_t window_start_ms, mill_bytes value,
                                           int64_t timestamp_ms);

/* The windows of one key with from <= start <= to, in order of time. */
MILL_API MILL_MUST_USE int mill_window_fetch_range(mill_store *store, mill_bytes key, int64_t from_ms, int64_t to_ms,
                                                   mill_order order, mill_store_iterator **iterator);

/* All entries with from <= start <= to, in order of (start, key). */
MILL_API MILL_MUST_USE int mill_window_fetch_all(mill_store *store, int64_t from_ms, int64_t to_ms, mill_order order,
                                                 mill_store_iterator **iterator);

/*
 * The largest window start (session end, timestamp) ever put, -1 before: the store's own stream time. Of any store with time.
 * After a restart it is what it was at the last commit.
 */
MILL_API int64_t mill_window_stream_time_ms(const mill_store *store);

/* As mill_key_value_prefetch. */
MILL_API void mill_window_prefetch(mill_store *store, mill_bytes key, int64_t window_start_ms);

/* ---- sessions -------------------------------------------------------------------------------------------------------------- */

/*
 * A session is (key, start, end) with 0 <= start <= end, both inclusive; else MILL_EINVALID. The store keeps what it is given:
 * merging is the operator's.
 */

/* 1 and the value, or 0 and null: absent or expired. `*timestamp_ms` may be NULL. */
MILL_API MILL_MUST_USE int mill_session_fetch(mill_store *store, mill_bytes key, int64_t start_ms, int64_t end_ms,
                                              mill_bytes *value, int64_t *timestamp_ms);

/* Stores (null removes). 1, or 0 when the session has expired, which the task counts as dropped. */
MILL_API MILL_MUST_USE int mill_session_put(mill_store *store, mill_bytes key, int64_t start_ms, int64_t end_ms, mill_bytes value,
                                            int64_t timestamp_ms);

/* 1, also when there was none; 0 when it has expired. */
MILL_API MILL_MUST_USE int mill_session_remove(mill_store *store, mill_bytes key, int64_t start_ms, int64_t end_ms,
                                               int64_t timestamp_ms);

/*
 * The key's sessions with end >= `end_from_ms` and start <= `start_to_ms`, in order of (end, start): with timestamp - gap and
 * timestamp + gap, what a record merges. Writing while it is open is allowed; copy what is to outlive the next call.
 */
MILL_API MILL_MUST_USE int mill_session_find(mill_store *store, mill_bytes key, int64_t end_from_ms, int64_t start_to_ms,
                                             mill_order order, mill_store_iterator **iterator);
MILL_API MILL_MUST_USE int mill_session_fetch_key(mill_store *store, mill_bytes key, mill_order order,
                                                  mill_store_iterator **iterator);

/* All sessions with from <= end <= to, in order of (end, start, key). */
MILL_API MILL_MUST_USE int mill_session_fetch_all(mill_store *store, int64_t end_from_ms, int64_t end_to_ms, mill_order order,
                                                  mill_store_iterator **iterator);

/* As mill_key_value_prefetch. */
MILL_API void mill_session_prefetch(mill_store *store, mill_bytes key);

/* ---- the two sides of a join ----------------------------------------------------------------------------------------------- */

/*
 * Keeps one more value. 1; 0 when it has expired, which the task counts as dropped, or when the value is null, which changes
 * nothing: there is no deleting. (With mill.compat=kafka it moves the time of a store in memory.) A negative timestamp is
 * MILL_EINVALID.
 */
MILL_API MILL_MUST_USE int mill_join_put(mill_store *store, mill_bytes key, int64_t timestamp_ms, mill_bytes value);

/* The key's values with from <= timestamp <= to, in order of (timestamp, arrival). What is put while it is open is not seen. */
MILL_API MILL_MUST_USE int mill_join_fetch(mill_store *store, mill_bytes key, int64_t from_ms, int64_t to_ms, mill_order order,
                                           mill_store_iterator **iterator);

/* Of all keys, in order of (timestamp, sequence, key). */
MILL_API MILL_MUST_USE int mill_join_fetch_all(mill_store *store, int64_t from_ms, int64_t to_ms, mill_order order,
                                               mill_store_iterator **iterator);

/* As mill_key_value_prefetch. */
MILL_API void mill_join_prefetch(mill_store *store, mill_bytes key);

/*
 * The records of a left or outer join that wait for a partner, of both sides: a mill_key_value_store without caching that is used
 * through these calls alone, so that its changelog has Kafka Streams' bytes (keys ascend by timestamp, right before left, key; a
 * value is the list of what came with one key and timestamp). mill_key_value_all opens an iterator for mill_unmatched_next; what
 * it returns may be removed before the next call.
 */
typedef enum mill_join_side { MILL_JOIN_RIGHT, MILL_JOIN_LEFT } mill_join_side;

/* Appends to the list of (timestamp, side, key). 0. Key and value are not null. */
MILL_API MILL_MUST_USE int mill_unmatched_add(mill_store *store, int64_t timestamp_ms, mill_join_side side, mill_bytes key,
                                              mill_bytes value);

/* Removes the whole list, logged with the timestamp `now_ms`: 1, or 0 when there was none, and then nothing is logged. */
MILL_API MILL_MUST_USE int mill_unmatched_remove(mill_store *store, int64_t timestamp_ms, mill_join_side side, mill_bytes key,
                                                 int64_t now_ms);

typedef struct mill_unmatched {
    int64_t timestamp_ms;
    mill_join_side side;
    mill_bytes key;
    mill_bytes values; /* for mill_unmatched_value */
} mill_unmatched;

/* As mill_store_iterator_next. */
MILL_API MILL_MUST_USE int mill_unmatched_next(mill_store_iterator *iterator, mill_unmatched *unmatched);

/* Takes the oldest value off `*values`: 1, 0 at the end, MILL_ECORRUPT. */
MILL_API MILL_MUST_USE int mill_unmatched_value(mill_bytes *values, mill_bytes *value);

/* ---- versions -------------------------------------------------------------------------------------------------------------- */

typedef struct mill_version {
    mill_bytes value;     /* never null when found */
    int64_t timestamp_ms; /* valid from; -1 when not found */
    int64_t valid_to_ms;  /* not valid at this time any more; INT64_MAX: the latest */
} mill_version;

/*
 * Records what the key's value was from `timestamp_ms` on (null: it had none). 1, or 0 when that is before the largest timestamp
 * ever put minus the history retention, which the task counts as dropped. `*valid_to_ms` (may be NULL): INT64_MAX when it is the
 * key's latest record, tombstones too, else the time of the next one. A second record with a timestamp replaces the first.
 */
MILL_API MILL_MUST_USE int mill_versioned_put(mill_store *store, mill_bytes key, mill_bytes value, int64_t timestamp_ms,
                                              int64_t *valid_to_ms);

/* The latest: 1, or 0 when there is none or it is a tombstone. */
MILL_API MILL_MUST_USE int mill_versioned_get(mill_store *store, mill_bytes key, mill_version *version);

/* What was valid at `as_of_ms`: 1, or 0; also 0 before the history, unless the latest was valid then. */
MILL_API MILL_MUST_USE int mill_versioned_get_as_of(mill_store *store, mill_bytes key, int64_t as_of_ms, mill_version *version);

/*
 * The key's first version with valid_to > `after_ms`, the latest too: 1, or 0. Over its history: begin with the time from which
 * on, go on with valid_to_ms of the last one.
 */
MILL_API MILL_MUST_USE int mill_versioned_next(mill_store *store, mill_bytes key, int64_t after_ms, mill_version *version);

/* As mill_key_value_prefetch. */
MILL_API void mill_versioned_prefetch(mill_store *store, mill_bytes key);

/* ---- sets ------------------------------------------------------------------------------------------------------------------ */

typedef struct mill_set_size {
    uint64_t count;       /* distinct members */
    int64_t timestamp_ms; /* the largest of those with which a member was first added; -1 for an empty set */
} mill_set_size;

/*
 * Adds `member` (not null) to the set of (key, window start). 1 and `*size` (after it) and `*added` (false: it was there
 * already), or 0 when the window has expired, which the task counts as dropped.
 */
MILL_API MILL_MUST_USE int mill_set_add(mill_store *store, mill_bytes key, int64_t window_start_ms, mill_bytes member,
                                        int64_t timestamp_ms, bool *added, mill_set_size *size);

/* 1, or 0 for a set that is empty or expired. */
MILL_API MILL_MUST_USE int mill_set_count(mill_store *store, mill_bytes key, int64_t window_start_ms, mill_set_size *size);

/* As mill_key_value_prefetch. */
MILL_API void mill_set_prefetch(mill_store *store, mill_bytes key, int64_t window_start_ms, mill_bytes member);

#ifdef __cplusplus
}
#endif
#endif
