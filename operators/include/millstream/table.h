/*
 * Tables: the latest value of each key. A null value deletes the key.
 *
 *     mill_table *users = mill_topology_table(topology, "users", NULL, mill_as(NULL));
 *     mill_table *adults = mill_table_filter(users, is_adult, NULL, mill_as("adults"));
 *     mill_table_to(adults, "adults");
 *
 * A topic becomes a table with mill_topology_table, a stream with mill_stream_to_table (stream.h) or by an aggregation. Calls
 * have Kafka Streams' names, meanings and node names, and the same promises as in stream.h: handles belong to the topology, calls
 * never fail halfway, `ctx` outlives the application.
 *
 * State is kept only where it is needed. A table has a store when its `materialized` names one, which can then be queried; a
 * table made of a topic or a stream gets one by itself when something below it has to know earlier values (group_by, left and
 * outer joins) or to look rows up (joins). All others are computed from the tables above them.
 */
#ifndef MILLSTREAM_TABLE_H
#define MILLSTREAM_TABLE_H

#include "millstream/operators.h"
#include "millstream/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_stream mill_stream; /* stream.h */
typedef struct mill_table mill_table;
typedef struct mill_grouped_table mill_grouped_table; /* a table grouped by keys of its rows' making */

/*
 * How an aggregation or a table keeps its state. All zero is Kafka Streams' default: a generated store name
 * (KSTREAM-AGGREGATE-STATE-STORE-..., which changes when operators are inserted before it: name what has to live on), on disk,
 * with a changelog, cached, so that each key is forwarded once a commit with its latest value. Operators on tables (filter,
 * map_values, ...) have a store only under a name.
 */
typedef struct mill_materialized {
    const char *name;
    bool in_memory;       /* no LMDB; the changelog rebuilds it at start */
    bool without_logging; /* no changelog: lost with the disk */
    bool without_cache;   /* forward every update at once */
    int64_t retention_ms; /* windows: how long they stay readable; 0: size + grace. Less than that is an error */
    const char *const
        *changelog_properties; /* name, value, ..., NULL: properties of the changelog topic; valid as long as the topology */
    int64_t history_ms;        /* above 0: a versioned table, which knows what its rows were for so long */
} mill_materialized;

/* The defaults under a name: mill_windowed_count(views, mill_as("pv")). NULL: a generated one. */
static inline mill_materialized mill_as(const char *name)
{
    mill_materialized materialized = { name, false, false, false, 0, NULL, 0 };
    return materialized;
}

/*
 * Under a name, versioned: each row keeps what it was for `history_ms`. Records count at their own times, also when they come
 * out of order; what is older than the history is dropped. A stream joined with such a table finds what was valid at the time of
 * its record; joins and groups of tables ignore updates that come after a newer one of the same row; filter and map_values hand
 * them on.
 */
static inline mill_materialized mill_as_versioned(const char *name, int64_t history_ms)
{
    mill_materialized materialized = mill_as(name);
    materialized.history_ms = history_ms;
    return materialized;
}

/* ---- from topics and to streams ------------------------------------------------------------------------------------------ */

/*
 * The latest record of each key in the topic, in the order of offsets: an update with an older timestamp counts, too. Records
 * with a null key are dropped and counted ("null-key"). `options` as for mill_topology_stream.
 */
MILL_API mill_table *mill_topology_table(mill_topology *topology, const char *topic, const mill_source_options *options,
                                         mill_materialized materialized);

/* Every update as a record; deletions have a null value. */
MILL_API mill_stream *mill_table_to_stream(mill_table *table);

/* The same under keys of the mapper's making: mill_stream_select_key of mill_table_to_stream. */
MILL_API mill_stream *mill_table_to_stream_by(mill_table *table, mill_mapper key, void *ctx);

/* Every update to a topic: mill_stream_to of mill_table_to_stream. A windowed key is written in Kafka's form (serde.h). */
MILL_API void mill_table_to(mill_table *table, const char *topic);

/* ---- row by row ---------------------------------------------------------------------------------------------------------- */

/*
 * The rows for which the predicate holds (does not hold). It is never asked about deletions. A row that stops matching is
 * deleted. So is one that never matched, again with each update, unless old values are known here: when the table above has a
 * store or something below asked for them, as in Kafka Streams.
 */
MILL_API mill_table *mill_table_filter(mill_table *table, mill_predicate predicate, void *ctx, mill_materialized materialized);
MILL_API mill_table *mill_table_filter_not(mill_table *table, mill_predicate predicate, void *ctx,
                                           mill_materialized materialized);

/* Each row with the value that the mapper makes of it. It is not called for deletions, and may be called for old values. */
MILL_API mill_table *mill_table_map_values(mill_table *table, mill_mapper value, void *ctx, mill_materialized materialized);

/*
 * A mapper with state. Unlike mill_mapper it is also called for deletions, with a null value, and where an operator below looks
 * up a row that does not exist. It must not forward. The table has an instance in each task, and so has each operator below that
 * reads rows of it while it has no store; all are given the stores.
 */
typedef struct mill_value_transformer_type {
    const char *name;
    size_t self_bytes;                                                    /* memory of an instance, zeroed */
    int (*init)(mill_context *context, void *self, const void *argument); /* may be NULL */
    /* `*result` is null on call. `row` is the update, without headers where an operator below looks it up. */
    int (*transform)(mill_context *context, void *self, const mill_record *row, mill_bytes *result);
    void (*close)(mill_context *context, void *self); /* also after a failed init; may be NULL */
} mill_value_transformer_type;

typedef struct mill_value_transformer_supplier {
    const mill_value_transformer_type *type;
    const void *argument;
    void (*free_argument)(void *argument); /* with the topology; NULL: nothing to free */
} mill_value_transformer_supplier;

/* With the stores of these names (mill_topology_add_store before). Takes the argument over in every case. */
MILL_API mill_table *mill_table_transform_values(mill_table *table, mill_value_transformer_supplier supplier,
                                                 const char *const *stores, size_t store_count, mill_materialized materialized);

/* ---- grouped ------------------------------------------------------------------------------------------------------------- */

/*
 * Each row under a key and with a value that the selector makes of it, through a repartition topic. `*result` is a copy of the
 * row on call; only key and value count. A row whose selected key or value is null is in no group.
 */
MILL_API mill_grouped_table *mill_table_group_by(mill_table *table, mill_record_mapper selector, void *ctx);

/* Names the selecting operator and the repartition topic, which all aggregations of this group then share. Returns `grouped`. */
MILL_API mill_grouped_table *mill_grouped_table_as(mill_grouped_table *grouped, const char *name);

/*
 * Per group, kept right as rows come, change, move to other groups and go: what a row was is taken away by the subtractor, what
 * it is now is added by the adder. A row that changes within its group makes one update, one that moves makes an update of the
 * old group, then of the new one. Adder and subtractor must commute over the rows of a group, since those come in no promised
 * order. A count may reach 0 and stays; an aggregate becomes null, and the key goes, only when subtractor or adder say so.
 */
MILL_API mill_table *mill_grouped_table_count(mill_grouped_table *grouped, mill_materialized materialized);
MILL_API mill_table *mill_grouped_table_reduce(mill_grouped_table *grouped, mill_reducer adder, mill_reducer subtractor,
                                               void *ctx, mill_materialized materialized);
MILL_API mill_table *mill_grouped_table_aggregate(mill_grouped_table *grouped, mill_initializer initializer,
                                                  mill_aggregator adder, mill_aggregator subtractor, void *ctx,
                                                  mill_materialized materialized);

/* ---- names --------------------------------------------------------------------------------------------------------------- */

/* Names the operator that made this table, in place of its generated name. Returns `table`. */
MILL_API mill_table *mill_table_as(mill_table *table, const char *name);

/* The name of the store behind it, for queries; NULL: it has none. Lives as long as the topology. */
MILL_API const char *mill_table_store_name(const mill_table *table);

#ifdef __cplusplus
}
#endif
#endif
