/*
 * The DSL's own graph: what the calls of stream.h, window.h and table.h leave behind until `lower` turns it into topology nodes.
 *
 * It exists because later calls change earlier nodes: a name is given after the operator, a second stream of a topic shares the
 * first one's source, a named group shares its repartition topic. Nodes stand in the order of the calls, which is the order in
 * which Kafka Streams writes them into its topology, so that children are connected, and records pushed, in the same order.
 *
 * All memory, handles and operators' arguments included, is one arena that goes with the topology. A NULL handle is accepted
 * everywhere and gives NULL back: the mistake that led to it has marked the topology.
 */
#ifndef DSL_DSL_H
#define DSL_DSL_H

#include "base/arena.h"
#include "millstream/join.h"
#include "millstream/stores.h"
#include "millstream/stream.h"
#include "millstream/table.h"
#include "millstream/topology.h"
#include "millstream/window.h"
#include "table/view.h"

enum dsl_kind { DSL_SOURCE, DSL_PROCESSOR, DSL_SINK, DSL_GLOBAL /* a global table: source and processor */ };

/* A store that belongs to its operator. */
struct dsl_store {
    mill_store_kind kind;
    mill_materialized materialized; /* its name is the store's, never NULL */
    int64_t retention_ms;           /* 0 without windows */
    int64_t window_size_ms;
    const mill_header *changelog_header; /* NULL: none */
};

/* The windows of an aggregation, for those below that wait for them to close. */
struct dsl_windows {
    int64_t size_ms;         /* of time windows, whose keys do not have their ends */
    int64_t closes_after_ms; /* their end: the grace, of sessions the gap with it */
    bool ends_are_inclusive; /* sessions and sliding windows */
};

struct dsl_node {
    enum dsl_kind kind;
    const char *name;
    struct dsl_node **parents;
    size_t parent_count;
    struct dsl_node *joined; /* joins with a table: its node, which is no parent but has its partitions */

    mill_processor_supplier supplier; /* processors */
    void *owned;                      /* freed with the graph by free_owned, if that is not NULL: what the argument points at */
    void (*free_owned)(void *owned);
    const struct dsl_store *own_store; /* processors: made with the node, or NULL */
    bool own_store_last;               /* connected behind the others: that is the order in which Java's sets print them */
    const struct dsl_windows *windows; /* windowed aggregations; else NULL */
    const char *const *stores;         /* processors: the user's that they are connected to */
    size_t store_count;

    const char *const *topics; /* sources: what they read; sinks: the one they write */
    size_t topic_count;
    const char *pattern;     /* sources: read what matches it; NULL: `topics` */
    const char *source_name; /* global tables: of the source; `name` is the processor's */
    mill_source_options source;
    bool feeds_table; /* sources: no stream may share it, as in Kafka Streams */
    mill_sink_options sink;
    bool declares_internal;       /* sinks: the topic is internal and begins here */
    bool declares_repartition;    /* sinks: the topic is a repartition topic that begins here */
    int32_t partitions;           /* of that topic, 0: as many as its input */
    struct dsl_node *filter;      /* sources of a repartition topic: the null-key filter before it */
    struct dsl_node *sink_before; /* sources of other internal topics: the sink into them */
    bool is_explicit;             /* of one that the user asked for: it stays where it is */
    struct dsl_node *merged_into; /* of one that was merged into another: that one's source; else NULL */
    bool changes_keys;            /* for merging repartition topics */
    bool changes_values;
    bool is_merge;

    struct dsl_pair *pair; /* merges of two joined streams: what is above; else NULL */

    bool returns_index; /* naming it gives its number back, as Kafka Streams does for processors of the user's own */
    unsigned index;
    unsigned last_walk; /* that has been here; 0: none */
};

/* The sources of topics that are joined. */
struct dsl_copartition {
    struct dsl_copartition *next;
    const struct dsl_node **sources;
    size_t count;
};

/* The nodes of a join of two streams, which are fewer if both are one stream and that is to be used. */
struct dsl_pair {
    struct dsl_node *this_windowed;
    struct dsl_node *other_windowed;
    struct dsl_node *this_join;
    struct dsl_node *other_join;
    struct self_join_argument *self; /* join/join.h */
};

struct dsl {
    mill_topology *topology;
    struct arena arena;
    struct dsl_node **nodes; /* in the order of the calls */
    size_t node_count;
    size_t node_capacity;
    struct dsl_copartition *copartitions; /* the newest first */
    unsigned last_index;                  /* the last number taken */
    bool has_spare_index;
    unsigned last_walk;
};

/* An operator that finds late records; those of a cogroup are a list. */
struct dsl_late {
    struct dsl_late *next;
    struct dsl_node *node;
    const char *const **child;    /* a field of its argument: where to write the name of the child that they go to */
    mill_key_form key_form;       /* of its records */
    struct dsl_node *stream_node; /* of the first in the list: that child, once there is one */
};

struct mill_stream {
    struct dsl *dsl;
    struct dsl_node *node;
    bool repartition_required; /* an operator above may have changed the key */
    mill_key_form key_form;
    struct dsl_node *repartition; /* the source behind the repartition topic that a join of it made */
    struct dsl_late *late;        /* deduplicated ones; else NULL */
};

struct table_argument; /* table/table.h */
struct fold_member;    /* aggregate/fold.h */
struct fold;

/* Where old values come from when a node below asks for them. */
enum dsl_table_kind {
    DSL_TABLE_AGGREGATION, /* a store that always has them */
    DSL_TABLE_SOURCE,      /* its store, which is made then */
    DSL_TABLE_DERIVED,     /* its own store, else the table above */
    DSL_TABLE_JOIN         /* the tables above, which need stores then */
};

struct mill_table {
    struct dsl *dsl;
    struct dsl_node *node;
    mill_key_form key_form;
    int64_t hidden_ms;      /* as in struct table_store_view */
    struct dsl_late *late;  /* windowed aggregations; else NULL */
    const char *store_name; /* of its own store; NULL: it has none */

    enum dsl_table_kind kind;
    struct mill_table *parents[2];
    size_t parent_count;
    struct table_argument *argument; /* its operator's; NULL: aggregations */
    /* The node's; of a source: made a part of it when something asks; of a cogroup: that of a node above. */
    const struct dsl_store *own_store;
    const struct table_view_type *view_type; /* how it is read without a store */
    const struct table_view *view;           /* made when something asks */
    struct dsl_renaming *renamings;          /* what mill_table_as renames beside the node */
};

/* A node that is named after a table: "<name><suffix>". */
struct dsl_renaming {
    struct dsl_renaming *next;
    struct dsl_node *node;
    const char *suffix;
    bool with_topic; /* the source of a repartition topic: sink, filter and topic too, and no suffix */
};

struct mill_global_table {
    struct dsl *dsl;
    struct dsl_node *node;
    const char *store_name;
};

struct mill_grouped {
    struct dsl *dsl;
    struct dsl_node *parent;
    bool repartition_required;
    mill_key_form key_form;
    const char *name;             /* the user's, or NULL: each aggregation then has a repartition topic named after its store */
    struct dsl_node *key_select;  /* of group_by: takes the group's name too */
    struct dsl_node *repartition; /* the source behind the named repartition topic, once an aggregation has made it */
};

struct mill_windowed {
    struct mill_grouped *grouped;
    mill_time_windows windows;
    mill_emit_strategy emit;
};

struct mill_session_windowed {
    struct mill_grouped *grouped;
    mill_session_windows windows;
    mill_emit_strategy emit;
};

/* ---- dsl.c --------------------------------------------------------------------------------------------------------------- */

/* The DSL of this topology, made by the first call. NULL: no memory or no topology. */
struct dsl *dsl_of(mill_topology *topology);

/* False marks the topology: the operator below `parent` lacks a function of the user's, `what`. */
bool dsl_given(struct dsl *dsl, const struct dsl_node *parent, bool given, const char *what);

/* Zeroed. NULL marks the topology. */
void *dsl_alloc(struct dsl *dsl, size_t size);
const char *dsl_copy(struct dsl *dsl, const char *text);
const char *const *dsl_copy_all(struct dsl *dsl, const char *const *texts, size_t count);
/* `suffix` behind `text`. */
const char *dsl_join(struct dsl *dsl, const char *text, const char *suffix);

/* A processor below `parent` with that generated or given name; NULL marks the topology. `argument` is the arena's. */
struct dsl_node *dsl_processor(struct dsl *dsl, const char *name, const mill_processor_type *type, const void *argument,
                               struct dsl_node *parent);
/* Any node, yet to be filled in. */
struct dsl_node *dsl_node(struct dsl *dsl, enum dsl_kind kind, const char *name, struct dsl_node *parent);

/* One parent more; false marks the topology. */
bool dsl_add_parent(struct dsl *dsl, struct dsl_node *node, struct dsl_node *parent);

/* A walk up the graph. It goes to each node once, however many ways lead there: each merge may double their number. */
static inline unsigned dsl_begin_walk(struct dsl *dsl)
{
    return ++dsl->last_walk;
}

/* False: the walk has been at `node`, or one that began later. */
static inline bool dsl_walk_to(struct dsl_node *node, unsigned walk)
{
    bool is_new = node->last_walk < walk;
    node->last_walk = is_new ? walk : node->last_walk;
    return is_new;
}

/* The stream that `node` makes; NULL for NULL. */
mill_stream *dsl_stream(struct dsl *dsl, struct dsl_node *node, bool repartition_required, mill_key_form key_form);

/* ---- naming.c ------------------------------------------------------------------------------------------------------------ */

/* "<prefix><next number, 10 digits>". NULL marks the topology. */
const char *dsl_next_name(struct dsl *dsl, const char *prefix);

/* Marks the topology when a store or an internal topic has a generated name. */
void dsl_check_names(struct dsl *dsl);

/* Replaces a generated name. */
void dsl_rename(struct dsl *dsl, struct dsl_node *node, const char *name);

/* True for what dsl_next_name makes for a stream: such a repartition topic leaves its three nodes their generated names. */
bool dsl_is_generated(const char *name);

/* ---- repartition.c ------------------------------------------------------------------------------------------------------- */

/*
 * The source behind a new repartition topic. `ours`: for an operator that Kafka Streams does not have, whose nodes take no
 * numbers.
 */
struct dsl_node *dsl_repartition(struct dsl *dsl, struct dsl_node *parent, const char *name, int32_t partitions, bool ours);

/* Names the topic behind `source` and its nodes after the user's name. */
void dsl_rename_repartition(struct dsl *dsl, struct dsl_node *source, const char *name);

/* ---- aggregation.c ------------------------------------------------------------------------------------------------------- */

/* What an aggregation is, for both windowed and unwindowed ones. */
struct dsl_aggregation {
    const char
        *word; /* of its generated names, "AGGREGATE" or "REDUCE"; NULL: Kafka Streams has it not, it is named after its store */
    mill_store_kind store_kind;
    const mill_processor_type *type;
    mill_materialized materialized;
    const mill_time_windows *windows;     /* NULL: none */
    const mill_session_windows *sessions; /* NULL: none; not both */
    bool on_close;                        /* emits on window close */
    const void *member; /* the argument of a node between, of fold_member_type if none is given; NULL: no node */
    const mill_processor_type *member_type;
    const struct fold *shown;   /* what is kept is not what goes on; NULL: it is */
    int64_t *more_retention_ms; /* of a windowed one: the field of its argument, filled in; NULL: it has none */
    const char *const **late;   /* of a windowed one: the field of its argument for that name */
};

/*
 * Adds repartition topic (if needed), operator and store. `argument` is the operator's; `*store_name`, a field of it, is filled
 * in.
 */
mill_table *dsl_aggregate(struct mill_grouped *grouped, struct dsl_aggregation aggregation, const void *argument,
                          const char **store_name);

/* Its store, under the name in `materialized`, with the retention that its windows need. NULL marks the topology. */
struct dsl_store *dsl_aggregation_store(struct dsl *dsl, const struct dsl_aggregation *aggregation);

/*
 * What an aggregation of the group hangs below: its stream, or the source behind a repartition topic, named after the group or
 * else after the store. `ours` as in dsl_repartition.
 */
struct dsl_node *dsl_grouped_parent(struct mill_grouped *grouped, const char *store_name, bool ours);

/* For node->windows; NULL when it has none. */
const struct dsl_windows *dsl_describe_windows(struct dsl *dsl, const struct dsl_aggregation *aggregation);
/* Of its table's keys. */
mill_key_form dsl_aggregation_key_form(const struct dsl_aggregation *aggregation, const struct mill_grouped *grouped);

/* ---- late.c -------------------------------------------------------------------------------------------------------------- */

/* One more operator, behind those in `*late`, has late records; its argument has the name of their child in `*child`. */
bool dsl_add_late(struct dsl *dsl, struct dsl_late **late, struct dsl_node *node, const char *const **child,
                  mill_key_form key_form);

/* ---- joins.c ------------------------------------------------------------------------------------------------------------- */

/* False marks the topology: two sides of two topologies. */
bool dsl_check_sides(struct dsl *dsl, const struct dsl_node *node, const struct dsl *other_dsl, const struct dsl_node *other);

/*
 * The node that a join of this stream hangs below, behind a repartition topic if the key may have changed. A topic without a
 * name is made once for a stream, however often it is joined. NULL marks the topology.
 */
struct dsl_node *dsl_repartitioned(mill_stream *stream, const char *name);

/* ---- copartition.c ------------------------------------------------------------------------------------------------------- */

/* The topics that lead to the node and to `other` need equal numbers of partitions. */
void dsl_copartition(struct dsl *dsl, struct dsl_node *node, struct dsl_node *other);

/* A left or outer join hangs below `node`: repartition topics above it let null keys through (KIP-962). */
void dsl_relax_null_keys(struct dsl *dsl, struct dsl_node *node);

/* ---- table_graph.c ------------------------------------------------------------------------------------------------------- */

/*
 * The table that `node` makes. `argument` begins with a struct table_argument, which gets the store's name; `view_type` is how it
 * is read without a store. NULL marks the topology.
 */
mill_table *dsl_table(struct dsl *dsl, struct dsl_node *node, struct mill_table fields);

/* A store of rows, under the name in `materialized`. */
const struct dsl_store *dsl_row_store(struct dsl *dsl, mill_materialized materialized);

/*
 * A node below `table` wants `old_value` in its updates. True: they come. `force` false: only if that makes no new store, else
 * the answer is false.
 */
bool dsl_table_send_old_values(mill_table *table, bool force);

/* Its rows have a history: its own store's, or that of the table that it is computed from. */
bool dsl_table_is_versioned(const mill_table *table);

/*
 * How another node reads the table; its store is made if it has to have one. NULL marks the topology. The node that reads must be
 * connected: dsl_connect_view.
 */
const struct table_view *dsl_table_view(mill_table *table);
void dsl_connect_view(struct dsl *dsl, struct dsl_node *node, const struct table_view *view);

/*
 * A table whose rows come from below `parent`, with a store that waits to be needed; `named`: the user named it, so it is
 * needed. The store's name is in `materialized`. NULL marks the topology.
 */
mill_table *dsl_source_table(struct dsl *dsl, struct dsl_node *parent, const char *node_name, mill_materialized materialized,
                             bool named);

/* mill_table_as is to rename `node`, too, by adding `suffix`. */
void dsl_table_renames(mill_table *table, struct dsl_node *node, const char *suffix);

/* ---- stream_joins.c ------------------------------------------------------------------------------------------------------ */

/* The optimization single.store.self.join: a stream joined with itself needs one store and one join. */
void dsl_unite_self_joins(struct dsl *dsl);

/* ---- merge_repartitions.c ------------------------------------------------------------------------------------------------ */

/* Once, before lowering. */
void dsl_merge_repartitions(struct dsl *dsl);

/* ---- lower.c ------------------------------------------------------------------------------------------------------------- */

void dsl_lower(mill_topology *topology, void *layer);

#endif
