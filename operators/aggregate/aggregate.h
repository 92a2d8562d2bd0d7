/*
 * The aggregations of a stream by key: each keeps its result in a store and lets the store say when it goes on, at once or,
 * with a cache, at commit with the latest value only.
 *
 * Rules (Kafka Streams'): a record with a null key or a null value is dropped and counted. A result has the largest timestamp
 * that went into it; after a deletion the next record begins anew with its own.
 */
#ifndef AGGREGATE_AGGREGATE_H
#define AGGREGATE_AGGREGATE_H

#include "millstream/stores.h"
#include "millstream/stream.h"

struct count_argument {
    const char *store;
};
extern const mill_processor_type count_type;

struct reduce_argument {
    const char *store;
    mill_reducer reducer;
    void *ctx;
};
extern const mill_processor_type reduce_type;

struct aggregate_argument {
    const char *store;
    mill_initializer initializer;
    void *initializer_ctx;
    mill_aggregator aggregator;
    void *ctx;
};
extern const mill_processor_type aggregate_type;

struct count_distinct_argument {
    const char *store;
    mill_mapper member; /* NULL: the value is the member */
    void *ctx;
};
extern const mill_processor_type count_distinct_type;

/* ---- result.c: what they share ------------------------------------------------------------------------------------------- */

/* The operator's store, whose updates are from now on forwarded as its results. 0 or a negative code with an error set. */
MILL_MUST_USE int result_open(mill_context *context, const char *name, mill_store **store);

/*
 * Where Kafka Streams' results depend on whether there is a cache, and ours do not unless mill.compat=kafka:
 *
 *   - Without one, the old value of a key's first update is the initial aggregate, which a subtractor below takes away though
 *     nobody added it. Here there is none.
 *   - With one, a deletion has the timestamp of the record that deletes; without, and here, the latest that went into the
 *     aggregate.
 */
struct result_start {
    mill_context *context;
    mill_bytes initial;     /* what goes on as the old value of the update being put, or null */
    bool gives_initial;     /* as Kafka Streams without a cache */
    bool deletes_at_record; /* as Kafka Streams with one */
};

/* As result_open. `start` lives as long as the operator. */
MILL_MUST_USE int result_open_with_start(mill_context *context, const char *name, struct result_start *start, mill_store **store);

/*
 * As mill_key_value_put of an update that may be the key's first: `initial` is the initial aggregate then, else null. It goes on
 * with the headers of `cause`, the record that it is the result of.
 */
MILL_MUST_USE int result_put(struct result_start *start, mill_store *store, const mill_record *update, const mill_record *cause,
                             mill_bytes initial);

/* Whether the store's updates wait for a commit: it has a cache, and the application has one. */
bool result_is_cached(const mill_context *context, const mill_store *store);

/* What is written to the store from here on is a result of `record`: it goes on with its headers, as in Kafka Streams. */
static inline void result_cause(mill_store *store, const mill_record *record)
{
    mill_store_set_headers(store, record->headers, record->header_count);
}

/* A count as stored; `value` null is 0. MILL_ECORRUPT with an error set when it is not one. */
MILL_MUST_USE int result_read_count(mill_context *context, mill_bytes value, int64_t *count);

/* True for a record without key or value, which it counts as dropped. */
bool result_drops(mill_context *context, const mill_record *record);
/* The same, in windows, for one without key or with a time below 0. */
bool result_drops_windowed(mill_context *context, const mill_record *record);

/*
 * The children of an operator with results and, in a stream of their own, late records. Without late records it is mill_forward.
 */
struct result_children {
    mill_context *context;
    size_t late;        /* the child that gets late records, SIZE_MAX: none */
    bool gives_initial; /* these as in struct result_start */
    bool deletes_at_record;
    mill_bytes initial;
    bool hides_old; /* result_hide_old does */
    bool hides_headers;
    bool forwards_refused; /* result_forward_refused does */
    bool sets_old;         /* `initial` is the old value, whatever the store had */
    /* What goes on of a stored aggregate (fold.h); NULL: it does itself. */
    int (*show)(mill_context *context, mill_bytes aggregate, uint8_t room[8], mill_bytes *result);
};

/* `late`: the name of that child, NULL: none. */
MILL_MUST_USE int result_children_open(mill_context *context, const char *late, struct result_children *children);
MILL_MUST_USE int result_forward(const struct result_children *children, const mill_record *record);
MILL_MUST_USE int result_forward_late(const struct result_children *children, const mill_record *record);

/* As result_open, to the children that are not for late records. `children` lives as long as the operator. */
MILL_MUST_USE int result_open_for(mill_context *context, const char *name, struct result_children *children, mill_store **store);

/*
 * Before a put: the old value of a first update is `initial` for mill.compat=kafka (null: it is no first one), until the next
 * call. Returns the timestamp to put: `latest_ms`, or that of the record for a deletion that Kafka Streams stamps so.
 */
int64_t result_begin(struct result_children *children, mill_store *store, mill_bytes initial, mill_bytes value, int64_t latest_ms,
                     int64_t record_ms);

/* Where children->hides_old: whether the updates from now on, until the next call, are forwarded without their old values. */
void result_hide_old(struct result_children *children, mill_store *store, bool hides);

/*
 * After a put that the store has refused, because the window has expired there: with mill.compat=kafka and without a cache the
 * result goes on all the same. That happens where several operators put into one store, each with a time of its own. `result` has
 * the plain key; `end_ms` of a session, -1 for a time window.
 */
MILL_MUST_USE int result_forward_refused(const struct result_children *children, const mill_record *result, int64_t start_ms,
                                         int64_t end_ms);

static inline int64_t result_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
