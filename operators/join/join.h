/*
 * The joins, one operator a file: what the DSL needs of them, and what they have in common.
 */
#ifndef JOIN_JOIN_H
#define JOIN_JOIN_H

#include "base/list.h"
#include "base/saturate.h"
#include "millstream/join.h"
#include "millstream/stores.h"
#include "node_store.h"
#include "table/table.h"

struct stream_table_argument {
    const struct table_view *table;
    mill_joiner joiner;
    void *ctx;
    bool left;          /* a record without a match goes on, too */
    const char *buffer; /* the store in which records wait; NULL: they do not */
    int64_t grace_ms;   /* with it */
};
extern const mill_processor_type stream_table_join_type;
extern const mill_processor_type stream_table_grace_type;

/* What both have in common. */
struct stream_table_join {
    const struct stream_table_argument *argument;
    struct table_reader *table;
};
MILL_MUST_USE int stream_table_open(mill_context *context, struct stream_table_join *join, const void *argument);
void stream_table_close(mill_context *context, void *join);
/* Looks the row up and forwards the result, if there is one. The record was not dropped. */
MILL_MUST_USE int stream_table_join_record(mill_context *context, struct stream_table_join *join, const mill_record *record);

struct global_table_argument {
    const char *store;
};
extern const mill_processor_type global_table_type; /* its topic's records into its store */

struct stream_global_argument {
    const char *store; /* the global table's */
    mill_mapper key;
    mill_joiner joiner;
    void *ctx;
    bool left;
};
extern const mill_processor_type stream_global_join_type;

/* ---- table_table.c ------------------------------------------------------------------------------------------------------- */

enum table_join_kind { TABLE_JOIN_INNER, TABLE_JOIN_LEFT, TABLE_JOIN_OUTER };

/* Of the node where both sides meet, and of the view. */
struct table_join_argument {
    struct table_argument base;
    enum table_join_kind kind;
    mill_joiner joiner;
    void *ctx;
};
extern const mill_processor_type table_join_merge_type;
extern const struct table_view_type table_join_view_type; /* parents: the table that the join was called on, the other one */

struct table_join_side {
    const struct table_join_argument *join;
    const struct table_view *other; /* the table on the other side */
    bool is_other;                  /* this is the side that the join was not called on */
    bool is_versioned;              /* the table on this side: updates of what rows were are dropped and counted ("outdated") */
};
extern const mill_processor_type table_join_side_type;

/* ---- stream_stream.c ----------------------------------------------------------------------------------------------------- */

/* A join of two streams, for all its nodes in all tasks. */
struct stream_join_windows {
    mill_join_windows windows;
    mill_joiner joiner;
    void *ctx;
    bool left_is_outer;
    bool right_is_outer;
    const char *unmatched_store; /* NULL: an inner join */
    struct list shared;          /* what both joins of a task know of its time, while it is open */
};

/* How long Kafka Streams keeps a side's records. Ours is one millisecond more, for the partner at the far end. */
static inline int64_t join_windows_retention(const mill_join_windows *windows)
{
    return windows->before_ms + windows->after_ms + windows->grace_ms;
}

/*
 * The last time of a record's partners. A sum that overflows is held at the largest time; Kafka Streams' (mill.compat=kafka)
 * turns negative and is held at 0, as any negative one there.
 */
static inline int64_t join_partners_until(int64_t timestamp_ms, int64_t after_ms, bool compat)
{
    int64_t until_ms = saturated_sum(timestamp_ms, after_ms);
    return compat && (until_ms < 0 || until_ms == INT64_MAX) ? 0 : until_ms;
}

/* Keeps a side's records, after pushing each on. */
struct windowed_side_argument {
    const char *store;
};
extern const mill_processor_type windowed_side_type;

/* One side's join with what is kept of the other. */
struct stream_join_argument {
    struct stream_join_windows *join;
    mill_join_side side;
    const char *other_store;
};
extern const mill_processor_type stream_join_type;

/* ---- self.c -------------------------------------------------------------------------------------------------------------- */

/* A stream with itself over one store, below its windowed side. */
struct self_join_argument {
    const struct stream_join_windows *join;
    const char *store;
};
extern const mill_processor_type self_join_type;

/* ---- foreign_key_left.c, foreign_key_right.c ----------------------------------------------------------------------------- */

/* Of all nodes of a foreign-key join. */
struct foreign_key_argument {
    bool left;
    mill_mapper foreign_key;
    mill_joiner joiner;
    void *ctx;
    const struct table_view *table; /* whose rows look */
    const struct table_view *other; /* at these */
    const char *subscriptions;      /* the store of who looks at what */
    bool table_is_versioned;        /* updates of what rows were are dropped and counted ("outdated"), as are those of */
    bool other_is_versioned;
};

/*
 *      table -> subscribe -> (topic) -> receive -> answer \
 *                                                          (topic) -> resolve -> the result, a table
 *      other ---------------------------------->  tell    /
 */
extern const mill_processor_type foreign_key_subscribe_type;
extern const mill_processor_type foreign_key_receive_type;
extern const mill_processor_type foreign_key_answer_type;
extern const mill_processor_type foreign_key_tell_type;
extern const mill_processor_type foreign_key_resolve_type;

/* Of the second topic: where the left row is. */
int32_t foreign_key_partition(void *ctx, const char *topic, const mill_record *record, int32_t partition_count);

/* ---- common.c ------------------------------------------------------------------------------------------------------------ */

/* True for a record that can join nothing, which it counts as dropped; `key` is what it would look up. */
bool join_drops(mill_context *context, const mill_record *record, mill_bytes key, bool left);

/* Sends on what the joiner makes of `left` and `right`, as `record` with `timestamp_ms`. */
MILL_MUST_USE int join_forward(mill_context *context, mill_joiner joiner, void *ctx, const mill_record *record, mill_bytes left,
                               mill_bytes right, int64_t timestamp_ms);

#endif
