/*
 * Views: how an operator reads the current value of a key of any table.
 *
 * Few tables have a store of their own. A filter of a table is read by asking the table above it and the predicate, a join by
 * asking both sides and the joiner, until stores are reached: Kafka Streams' KTableValueGetter. The recipe, `struct table_view`,
 * is made by the DSL (dsl_table_view, which also gives the table at the bottom its store) and says which stores the reading node
 * must be connected to (dsl_connect_view). A node opens a reader of its own in `init`, asks it in `process`, closes it in
 * `close`:
 *
 *     int code = table_reader_open(context, argument->table, &self->table);
 *     int found = table_reader_get(self->table, record->key, &value, &timestamp_ms);
 *     table_reader_close(self->table);
 *
 * A reader has no state but a copy of the value that it gave out last. It sees what the store's cache holds, so an update is
 * seen at once, even where the table itself forwards it only at commit. One that table_reader_read_forwarded was called on sees
 * each row as the table has forwarded it last.
 */
#ifndef TABLE_VIEW_H
#define TABLE_VIEW_H

#include "base/buffer.h"
#include "millstream/stores.h"
#include "millstream/topology.h"

struct table_reader;

/* As `as_of_ms`: the latest value. */
#define TABLE_LATEST INT64_MAX

/* How one kind of table is read. No slot blocks but for the disk; none may forward. */
struct table_view_type {
    const char *name;
    size_t self_bytes; /* zeroed memory of a reader, `reader->self` */
    /* Once, after the parents'. May fail with an error set. May be NULL. */
    int (*open)(struct table_reader *reader);
    /*
     * 1 and value and timestamp, or 0 and null: the key is absent or its value null. The value lives until the next get of this
     * reader, or the end of the callback.
     */
    int (*get)(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms);
    void (*prefetch)(struct table_reader *reader, mill_bytes key); /* NULL: the parents' */
    void (*close)(struct table_reader *reader);                    /* also after a failed open; may be NULL */
};

/* The recipe. Its memory is the DSL's arena, as long as the topology. */
struct table_view {
    const struct table_view_type *type;
    const void *argument; /* the operator's */
    const struct table_view *parents[2];
    size_t parent_count;
    bool is_versioned;         /* it can be read as of a time */
    const char *const *stores; /* all that the reading node is connected to, the parents' included */
    size_t store_count;
};

struct table_reader {
    const struct table_view *view;
    mill_context *context; /* of the node that reads */
    bool reads_forwarded;
    struct table_reader *parents[2];
    void *self;
};

/* 0, or a negative code with an error set and `*reader` NULL. `init` only. */
MILL_MUST_USE int table_reader_open(mill_context *context, const struct table_view *view, struct table_reader **reader);
void table_reader_close(struct table_reader *reader); /* NULL is a no-op */

/*
 * From now on each row is read as its table forwarded it last. So a join of tables whose rows wait in caches has each result
 * once, of rows whose updates have come or will come to it, and knows what the result was before. Kafka Streams joins with a
 * cache's rows: it gives results twice (KAFKA-4609), with old values that never were results, and keeps those of rows that
 * were deleted before the cache forwarded them; so does mill.compat=kafka, for which this does nothing.
 */
void table_reader_read_forwarded(struct table_reader *reader);

/* As table_view_type.get. `key` is not null, and may not lie in what this reader gave out. */
MILL_MUST_USE static inline int table_reader_get(struct table_reader *reader, mill_bytes key, mill_bytes *value,
                                                 int64_t *timestamp_ms)
{
    return reader->view->type->get(reader, key, TABLE_LATEST, value, timestamp_ms);
}

/* True: table_reader_get_as_of knows what was valid when. */
static inline bool table_reader_is_versioned(const struct table_reader *reader)
{
    return reader->view->is_versioned;
}

/* The value that was the latest at that time: below a versioned table only (table_reader_is_versioned), else the latest. */
MILL_MUST_USE static inline int table_reader_get_as_of(struct table_reader *reader, mill_bytes key, int64_t as_of_ms,
                                                       mill_bytes *value, int64_t *timestamp_ms)
{
    return reader->view->type->get(reader, key, as_of_ms, value, timestamp_ms);
}

/* A hint that these keys are read next. */
void table_reader_prefetch(struct table_reader *reader, mill_bytes key);

/* ---- a table with a store ------------------------------------------------------------------------------------------------ */

struct table_store_view {
    const char *store;
    mill_key_form key_form; /* of the table's keys */
    int64_t hidden_ms;      /* by which the store keeps windows longer than Kafka Streams' would; mill.compat=kafka hides those */
};
extern const struct table_view_type table_store_view_type; /* argument: struct table_store_view */

#endif
