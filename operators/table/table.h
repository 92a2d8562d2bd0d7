/*
 * The operators on tables. Between them a record is an update: the new value (null: deleted) in `value`, the one before in
 * `old_value`, but only where a node below asked for it (dsl_table_send_old_values), because it costs a read of a store. An
 * operator that was not asked sends null there; one that gets it unasked ignores it.
 *
 * Each file is one operator: its processor, and the view of the table that it makes where that has no store (view.h).
 */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include "millstream/stream.h"
#include "millstream/table.h"
#include "table/view.h"

/* The argument of every operator that makes a table begins with this. */
struct table_argument {
    const char *store;     /* its own, NULL: none */
    bool sends_old_values; /* a node below asked */
};

/* A topic or stream becomes a table: the latest record of each key. Null keys are dropped and counted. */
extern const mill_processor_type table_source_type; /* argument: struct table_argument */

struct table_filter_argument {
    struct table_argument base;
    mill_predicate predicate;
    void *ctx;
    bool keep;         /* what the predicate says of rows that stay */
    bool is_versioned; /* below a versioned table every update goes on, so that later ones find their place (KIP-914) */
};
extern const mill_processor_type table_filter_type;
extern const struct table_view_type table_filter_view_type;

struct table_map_values_argument {
    struct table_argument base;
    mill_mapper mapper; /* not called for deletions */
    void *ctx;
};
extern const mill_processor_type table_map_values_type;
extern const struct table_view_type table_map_values_view_type;

struct table_transform_values_argument {
    struct table_argument base;
    mill_value_transformer_supplier supplier;
};
extern const mill_processor_type table_transform_values_type;
extern const struct table_view_type table_transform_values_view_type;

/* From a table to the repartition topic of its groups; see change.h. */
struct table_group_by_argument {
    mill_record_mapper selector;
    void *ctx;
    bool is_versioned; /* the table above */
};
extern const mill_processor_type table_group_by_type;

enum table_grouped_kind { TABLE_GROUPED_COUNT, TABLE_GROUPED_REDUCE, TABLE_GROUPED_AGGREGATE };

/* From there to the aggregates of the groups. */
struct table_grouped_argument {
    const char *store;
    enum table_grouped_kind kind;
    mill_reducer add_value; /* reduce */
    mill_reducer subtract_value;
    mill_initializer initializer; /* aggregate */
    mill_aggregator adder;
    mill_aggregator subtractor;
    void *ctx;
};
extern const mill_processor_type table_grouped_type;

/* A table's updates as the records of a stream. Takes no argument. */
extern const mill_processor_type to_stream_type;

/* ---- output.c: where an operator's updates go ---------------------------------------------------------------------------- */

/* Of an operator with a store the store forwards, at once or at commit; without one the operator does. */
struct table_output {
    mill_context *context;
    mill_store *store;          /* NULL: none */
    const mill_record *current; /* the update being put, whose headers go on; NULL in a flush at commit */
    bool sends_old_values;
    bool knows_old_values; /* those of the updates are to go on, not the store's; with a cache the store's do all the same */
};

/* `output` lives as long as the operator. 0, or a negative code with an error set. `init` only. */
MILL_MUST_USE int table_output_open(mill_context *context, const struct table_argument *argument, struct table_output *output);

/* The update goes to the store, if there is one, and on. Its old value counts only where there is no store. */
MILL_MUST_USE int table_output_send(struct table_output *output, const mill_record *update);

/* The row as a record for the user's functions. */
static inline mill_record table_row(const mill_record *update, mill_bytes value)
{
    mill_record row = *update;
    row.value = value;
    row.old_value = mill_null();
    return row;
}

#endif
