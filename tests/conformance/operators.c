#include "conformance/operators.h"

#include <stdio.h>
#include <string.h>

#include "conformance/catalogue.h"

/* ---- what entries are made of ---------------------------------------------------------------------------------------------- */

/* clang-format off */
#define PREDICATE     { 0, PREDICATES - 1, false }
#define VALUE_MAPPER  { 0, VALUE_MAPPERS - 1, false }
#define KEY_MAPPER    { 0, KEY_MAPPERS - 1, false }
#define FLAT_MAPPER   { 0, FLAT_MAPPERS - 1, false }
#define REDUCER       { 0, REDUCERS - 1, false }
#define INITIALIZER   { 0, INITIALIZERS - 1, false }
#define AGGREGATOR    { 0, AGGREGATORS - 1, false }
#define JOINER        { 0, JOINERS - 1, false }
#define MERGER { 0, MERGERS - 1, false }
#define YES_OR_NO     { 0, 1, false }
#define TIME(l, m)    { l, m, true }
#define JOIN_WINDOWS TIME(0, 15), TIME(0, 15), TIME(0, 30)
#define RETENTION     TIME(0, 60)
#define TABLE_STORE   YES_OR_NO, YES_OR_NO
/* clang-format on */

static void *input(const struct build *build, const struct case_node *node, size_t at)
{
    return build->handles[node->inputs[at]];
}

static void *number(const struct case_node *node, size_t at)
{
    return catalogue_number(node->parameters[at]);
}

static size_t position(const struct build *build, const struct case_node *node)
{
    return (size_t)(node - build->test->nodes);
}

static mill_materialized store(const struct build *build, bool without_cache)
{
    mill_materialized store = mill_as(NULL);
    store.without_cache = without_cache;
    store.in_memory = build->test->memory;
    return store;
}

/* Of an operator on tables, which has a store only under a name: parameters `at` (has one) and `at` + 1 (not cached). */
static mill_materialized table_store(struct build *build, const struct case_node *node, size_t at)
{
    mill_materialized materialized = store(build, node->parameters[at] == 1 && node->parameters[at + 1] == 1);
    char *name = build->names[position(build, node)];
    snprintf(name, sizeof build->names[0], "s%zu", position(build, node));
    if (node->parameters[at] == 1)
        materialized.name = name;
    return materialized;
}

static bool has_value(const mill_record *record, void *ctx)
{
    return !mill_is_null(record->value);
}

static bool has_key(const mill_record *record, void *ctx)
{
    return !mill_is_null(record->key);
}

/* ---- streams --------------------------------------------------------------------------------------------------------------- */

static void *build_stream(struct build *build, const struct case_node *node)
{
    char topic[32];
    snprintf(topic, sizeof topic, "in%d", (int)node->parameters[0]);
    mill_stream *stream = mill_topology_stream(build->topology, topic, NULL);
    return build->fault == FAULT_NULL_KEY ? mill_stream_filter(stream, has_key, NULL) : stream;
}

static void *build_to(struct build *build, const struct case_node *node)
{
    char topic[32];
    snprintf(topic, sizeof topic, "out%zu", position(build, node));
    mill_stream_to(input(build, node, 0), topic);
    return NULL;
}

static void *build_filter(struct build *build, const struct case_node *node)
{
    return mill_stream_filter(input(build, node, 0), catalogue_predicate, number(node, 0));
}

static void *build_filter_not(struct build *build, const struct case_node *node)
{
    return mill_stream_filter_not(input(build, node, 0), catalogue_predicate, number(node, 0));
}

static void *build_map(struct build *build, const struct case_node *node)
{
    return mill_stream_map(input(build, node, 0), catalogue_record,
                           catalogue_number(node->parameters[0] * 8 + node->parameters[1]));
}

static void *build_flat_map(struct build *build, const struct case_node *node)
{
    return mill_stream_flat_map(input(build, node, 0), catalogue_flat, number(node, 0));
}

static void *build_flat_map_values(struct build *build, const struct case_node *node)
{
    return mill_stream_flat_map_values(input(build, node, 0), catalogue_flat, number(node, 0));
}

static void *build_select_key(struct build *build, const struct case_node *node)
{
    return mill_stream_select_key(input(build, node, 0), catalogue_key, number(node, 0));
}

static void *build_map_values(struct build *build, const struct case_node *node)
{
    return mill_stream_map_values(input(build, node, 0), catalogue_value, number(node, 0));
}

static void look(const mill_record *record, void *ctx)
{
}

static void *build_peek(struct build *build, const struct case_node *node)
{
    return mill_stream_peek(input(build, node, 0), look, NULL);
}

static void *build_merge(struct build *build, const struct case_node *node)
{
    return mill_stream_merge(input(build, node, 0), input(build, node, 1));
}

static void *build_repartition(struct build *build, const struct case_node *node)
{
    return mill_stream_repartition(input(build, node, 0), NULL, 0);
}

static void *build_split(struct build *build, const struct case_node *node)
{
    return mill_stream_split(input(build, node, 0));
}

static void *build_branch(struct build *build, const struct case_node *node)
{
    return mill_branch(input(build, node, 0), catalogue_predicate, number(node, 0));
}

/* ---- grouped --------------------------------------------------------------------------------------------------------------- */

static int empty_for_null(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_is_null(record->value) ? mill_string("") : record->value;
    return 0;
}

static mill_stream *to_group(struct build *build, const struct case_node *node)
{
    mill_stream *stream = input(build, node, 0);
    return build->fault == FAULT_NULL_VALUE ? mill_stream_map_values(stream, empty_for_null, NULL) : stream;
}

/* Parameter `at`: whether the group, and so its repartition topic, has a name. */
static mill_grouped *named(struct build *build, const struct case_node *node, mill_grouped *grouped, size_t at)
{
    char *name = build->names[position(build, node)];
    snprintf(name, sizeof build->names[0], "g%zu", position(build, node));
    return node->parameters[at] == 1 ? mill_grouped_as(grouped, name) : grouped;
}

static void *build_group_by_key(struct build *build, const struct case_node *node)
{
    return named(build, node, mill_stream_group_by_key(to_group(build, node)), 0);
}

static void *build_group_by(struct build *build, const struct case_node *node)
{
    return named(build, node, mill_stream_group_by(to_group(build, node), catalogue_key, number(node, 0)), 1);
}

static int swapped_reducer(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    mill_bytes first = value;
    int code = catalogue_reduce(&first, *aggregate, context, ctx);
    *aggregate = first;
    return code;
}

static mill_reducer reducer(const struct build *build)
{
    return build->fault == FAULT_SWAPPED ? swapped_reducer : catalogue_reduce;
}

/* Aggregators 0 to 4 with initializers, as one ctx. */
static void *aggregation(const struct case_node *node)
{
    return catalogue_number(node->parameters[0] * 8 + node->parameters[1]);
}

static void *build_count(struct build *build, const struct case_node *node)
{
    return mill_grouped_count(input(build, node, 0), store(build, node->parameters[0]));
}

static void *build_reduce(struct build *build, const struct case_node *node)
{
    return mill_grouped_reduce(input(build, node, 0), reducer(build), number(node, 0), store(build, node->parameters[1]));
}

static void *build_aggregate(struct build *build, const struct case_node *node)
{
    return mill_grouped_aggregate(input(build, node, 0), catalogue_initial, catalogue_aggregate, aggregation(node),
                                  store(build, node->parameters[2]));
}

/* ---- windows --------------------------------------------------------------------------------------------------------------- */

static int64_t grace(const struct build *build, int64_t grace_ms)
{
    return build->fault == FAULT_GRACE ? grace_ms + 1 : grace_ms;
}

static int64_t size(const struct build *build, int64_t size_ms)
{
    return build->fault == FAULT_WINDOW_END ? size_ms + 1 : size_ms;
}

static void *build_tumbling(struct build *build, const struct case_node *node)
{
    mill_time_windows windows = mill_window_tumbling(node->parameters[0], grace(build, node->parameters[1]));
    windows.size_ms = size(build, windows.size_ms);
    return mill_grouped_windowed_by(input(build, node, 0), windows);
}

/* The advance is what the size does not reach: it is never larger. */
static void *build_hopping(struct build *build, const struct case_node *node)
{
    int64_t size_ms = node->parameters[0], advance_ms = node->parameters[1];
    if (advance_ms > size_ms)
        advance_ms = size_ms;
    mill_time_windows windows = mill_window_hopping(size(build, size_ms), advance_ms, grace(build, node->parameters[2]));
    return mill_grouped_windowed_by(input(build, node, 0), windows);
}

static void *build_unlimited(struct build *build, const struct case_node *node)
{
    return mill_grouped_windowed_by(input(build, node, 0), mill_window_unlimited(node->parameters[0]));
}

static void *build_sliding(struct build *build, const struct case_node *node)
{
    return mill_grouped_windowed_by(input(build, node, 0),
                                    mill_window_sliding(size(build, node->parameters[0]), grace(build, node->parameters[1])));
}

static void *build_on_close(struct build *build, const struct case_node *node)
{
    return mill_windowed_emit(input(build, node, 0), MILL_EMIT_ON_WINDOW_CLOSE);
}

/* They are kept for ever. */
static bool is_unlimited(const struct build *build, const struct case_node *node)
{
    const struct case_node *windows = &build->test->nodes[node->inputs[0]];
    return strcmp(node_operator(windows)->name, "unlimited") == 0;
}

/* Size and grace of the windows above, gap and grace of sessions. */
static int64_t span_ms(const struct build *build, const struct case_node *node)
{
    const struct case_node *windows = &build->test->nodes[node->inputs[0]];
    const char *name = node_operator(windows)->name;
    if (strstr(name, "on_close") != NULL)
        return span_ms(build, windows);
    int64_t size_ms = windows->parameters[0] * (strcmp(name, "sliding") == 0 ? 2 : 1);
    return size_ms + windows->parameters[strcmp(name, "hopping") == 0 ? 2 : 1];
}

/* Parameters `at` (not cached) and `at` + 1: how much longer than by default windows stay. */
static mill_materialized windowed_store(const struct build *build, const struct case_node *node, size_t at)
{
    mill_materialized materialized = store(build, node->parameters[at]);
    if (node->parameters[at + 1] > 0 && !is_unlimited(build, node))
        materialized.retention_ms = span_ms(build, node) + node->parameters[at + 1];
    return materialized;
}

static void *build_windowed_count(struct build *build, const struct case_node *node)
{
    return mill_windowed_count(input(build, node, 0), windowed_store(build, node, 0));
}

static void *build_windowed_reduce(struct build *build, const struct case_node *node)
{
    return mill_windowed_reduce(input(build, node, 0), reducer(build), number(node, 0), windowed_store(build, node, 1));
}

static void *build_windowed_aggregate(struct build *build, const struct case_node *node)
{
    return mill_windowed_aggregate(input(build, node, 0), catalogue_initial, catalogue_aggregate, aggregation(node),
                                   windowed_store(build, node, 2));
}

/* ---- sessions -------------------------------------------------------------------------------------------------------------- */

static void *build_session(struct build *build, const struct case_node *node)
{
    mill_session_windows windows = mill_window_session(node->parameters[0], grace(build, node->parameters[1]));
    return mill_grouped_windowed_by_session(input(build, node, 0), windows);
}

static void *build_session_on_close(struct build *build, const struct case_node *node)
{
    return mill_session_windowed_emit(input(build, node, 0), MILL_EMIT_ON_WINDOW_CLOSE);
}

static void *build_session_count(struct build *build, const struct case_node *node)
{
    return mill_session_windowed_count(input(build, node, 0), windowed_store(build, node, 0));
}

static void *build_session_reduce(struct build *build, const struct case_node *node)
{
    return mill_session_windowed_reduce(input(build, node, 0), reducer(build), number(node, 0), windowed_store(build, node, 1));
}

/* Aggregator, initializer, merger. */
static void *build_session_aggregate(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[2] * 64 + node->parameters[0] * 8 + node->parameters[1]);
    return mill_session_windowed_aggregate(input(build, node, 0), catalogue_initial, catalogue_aggregate, catalogue_merge, ctx,
                                           windowed_store(build, node, 3));
}

/* ---- cogroups -------------------------------------------------------------------------------------------------------------- */

static void *build_cogroup(struct build *build, const struct case_node *node)
{
    return mill_grouped_cogroup(input(build, node, 0), catalogue_aggregate, catalogue_number(node->parameters[0] * 8));
}

static void *build_cogroup_add(struct build *build, const struct case_node *node)
{
    return mill_cogrouped_add(input(build, node, 0), input(build, node, 1), catalogue_aggregate,
                              catalogue_number(node->parameters[0] * 8));
}

static void *build_cogroup_aggregate(struct build *build, const struct case_node *node)
{
    return mill_cogrouped_aggregate(input(build, node, 0), catalogue_initial, number(node, 0), store(build, node->parameters[1]));
}

static void *build_cogroup_tumbling(struct build *build, const struct case_node *node)
{
    mill_time_windows windows = mill_window_tumbling(node->parameters[0], grace(build, node->parameters[1]));
    return mill_cogrouped_windowed_by(input(build, node, 0), windows);
}

static void *build_cogroup_sliding(struct build *build, const struct case_node *node)
{
    mill_time_windows windows = mill_window_sliding(node->parameters[0], grace(build, node->parameters[1]));
    return mill_cogrouped_windowed_by(input(build, node, 0), windows);
}

static void *build_cogroup_session(struct build *build, const struct case_node *node)
{
    mill_session_windows windows = mill_window_session(node->parameters[0], grace(build, node->parameters[1]));
    return mill_cogrouped_windowed_by_session(input(build, node, 0), windows);
}

/* Initializer and merger. */
static void *build_session_cogroup_aggregate(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[1] * 64 + node->parameters[0]);
    return mill_session_cogrouped_aggregate(input(build, node, 0), catalogue_initial, catalogue_merge, ctx,
                                            store(build, node->parameters[2]));
}

static void *build_windowed_cogroup_aggregate(struct build *build, const struct case_node *node)
{
    return mill_windowed_cogrouped_aggregate(input(build, node, 0), catalogue_initial, number(node, 0),
                                             store(build, node->parameters[1]));
}

/* ---- tables ---------------------------------------------------------------------------------------------------------------- */

static void *build_table(struct build *build, const struct case_node *node)
{
    char topic[32];
    snprintf(topic, sizeof topic, "in%d", (int)node->parameters[0]);
    return mill_topology_table(build->topology, topic, NULL, table_store(build, node, 1));
}

static void *build_to_table(struct build *build, const struct case_node *node)
{
    return mill_stream_to_table(input(build, node, 0), table_store(build, node, 0));
}

static void *build_to_stream(struct build *build, const struct case_node *node)
{
    mill_stream *stream = mill_table_to_stream(input(build, node, 0));
    return build->fault == FAULT_TOMBSTONE ? mill_stream_filter(stream, has_value, NULL) : stream;
}

static void *build_to_stream_by(struct build *build, const struct case_node *node)
{
    return mill_table_to_stream_by(input(build, node, 0), catalogue_key, number(node, 0));
}

static void *build_table_filter(struct build *build, const struct case_node *node)
{
    return mill_table_filter(input(build, node, 0), catalogue_predicate, number(node, 0), table_store(build, node, 1));
}

static void *build_table_filter_not(struct build *build, const struct case_node *node)
{
    return mill_table_filter_not(input(build, node, 0), catalogue_predicate, number(node, 0), table_store(build, node, 1));
}

static void *build_table_map_values(struct build *build, const struct case_node *node)
{
    return mill_table_map_values(input(build, node, 0), catalogue_value, number(node, 0), table_store(build, node, 1));
}

static void *build_table_group_by(struct build *build, const struct case_node *node)
{
    return mill_table_group_by(input(build, node, 0), catalogue_record,
                               catalogue_number(node->parameters[0] * 8 + node->parameters[1]));
}

static void *build_table_count(struct build *build, const struct case_node *node)
{
    return mill_grouped_table_count(input(build, node, 0), store(build, node->parameters[0]));
}

/* Adder and subtractor, as one ctx. */
static int table_add(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    return catalogue_reduce(aggregate, value, context, catalogue_number((intptr_t)ctx % 8));
}

static int table_remove(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    return catalogue_reduce(aggregate, value, context, catalogue_number((intptr_t)ctx / 8));
}

static void *build_table_reduce(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[0] + node->parameters[1] * 8);
    return mill_grouped_table_reduce(input(build, node, 0), table_add, table_remove, ctx, store(build, node->parameters[2]));
}

/* Subtractor, adder and initializer, as one ctx. */
static int table_aggregate_add(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return catalogue_aggregate(key, value, aggregate, context, catalogue_number((intptr_t)ctx % 64));
}

static int table_aggregate_remove(mill_bytes key, mill_bytes value, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    return catalogue_aggregate(key, value, aggregate, context, catalogue_number((intptr_t)ctx / 64 * 8));
}

static void *build_table_aggregate(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[1] * 64 + node->parameters[0] * 8 + node->parameters[2]);
    return mill_grouped_table_aggregate(input(build, node, 0), catalogue_initial, table_aggregate_add, table_aggregate_remove,
                                        ctx, store(build, node->parameters[3]));
}

/* Those of Kafka Streams do not see the key. */
static int table_joiner(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    return catalogue_join(mill_null(), left, right, result, context, ctx);
}

static void *build_table_join(struct build *build, const struct case_node *node)
{
    return mill_table_join(input(build, node, 0), input(build, node, 1), table_joiner, number(node, 0),
                           table_store(build, node, 1));
}

static void *build_table_left_join(struct build *build, const struct case_node *node)
{
    return mill_table_left_join(input(build, node, 0), input(build, node, 1), table_joiner, number(node, 0),
                                table_store(build, node, 1));
}

static void *build_table_outer_join(struct build *build, const struct case_node *node)
{
    return mill_table_outer_join(input(build, node, 0), input(build, node, 1), table_joiner, number(node, 0),
                                 table_store(build, node, 1));
}

/* Foreign key and joiner, as one ctx. */
static int foreign_key(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    return catalogue_key(record, result, context, catalogue_number((intptr_t)ctx / 8));
}

static int foreign_join(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    return catalogue_join(mill_null(), left, right, result, context, catalogue_number((intptr_t)ctx % 8));
}

static void *build_foreign_join(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[0] * 8 + node->parameters[1]);
    return mill_table_foreign_key_join(input(build, node, 0), input(build, node, 1), foreign_key, foreign_join, ctx,
                                       mill_joined_as(NULL), table_store(build, node, 2));
}

static void *build_foreign_left_join(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[0] * 8 + node->parameters[1]);
    return mill_table_foreign_key_left_join(input(build, node, 0), input(build, node, 1), foreign_key, foreign_join, ctx,
                                            mill_joined_as(NULL), table_store(build, node, 2));
}

static mill_materialized versioned(struct build *build, const struct case_node *node, int64_t history_ms)
{
    char *name = build->names[position(build, node)];
    snprintf(name, sizeof build->names[0], "s%zu", position(build, node));
    return mill_as_versioned(name, history_ms);
}

static void *build_versioned_table(struct build *build, const struct case_node *node)
{
    char topic[32];
    snprintf(topic, sizeof topic, "in%d", (int)node->parameters[0]);
    return mill_topology_table(build->topology, topic, NULL, versioned(build, node, node->parameters[1]));
}

static void *build_to_versioned_table(struct build *build, const struct case_node *node)
{
    return mill_stream_to_table(input(build, node, 0), versioned(build, node, node->parameters[0]));
}

static void *build_suppress_final(struct build *build, const struct case_node *node)
{
    return mill_table_suppress(input(build, node, 0), mill_suppress_until_window_closes(mill_suppress_unbounded()));
}

/* A time, and how many records the buffer takes (0: any number). */
static void *build_suppress(struct build *build, const struct case_node *node)
{
    mill_suppress_buffer buffer = mill_suppress_max_records((uint64_t)node->parameters[1]);
    return mill_table_suppress(input(build, node, 0), mill_suppress_until_time_limit(node->parameters[0], buffer));
}

static void *build_global_table(struct build *build, const struct case_node *node)
{
    char topic[32];
    snprintf(topic, sizeof topic, "in%d", (int)node->parameters[0]);
    return mill_topology_global_table(build->topology, topic, NULL, store(build, false));
}

/* Key mapper and joiner, as one ctx. */
static int global_key(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    return catalogue_key(record, result, context, catalogue_number((intptr_t)ctx / 8));
}

static int global_join(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    return catalogue_join(key, left, right, result, context, catalogue_number((intptr_t)ctx % 8));
}

static void *build_join_global(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[0] * 8 + node->parameters[1]);
    return mill_stream_join_global_table(input(build, node, 0), input(build, node, 1), global_key, global_join, ctx,
                                         mill_joined_as(NULL));
}

static void *build_left_join_global(struct build *build, const struct case_node *node)
{
    void *ctx = catalogue_number(node->parameters[0] * 8 + node->parameters[1]);
    return mill_stream_left_join_global_table(input(build, node, 0), input(build, node, 1), global_key, global_join, ctx,
                                              mill_joined_as(NULL));
}

/* Before, after, grace and joiner. */
static mill_join_windows join_windows(struct build *build, const struct case_node *node)
{
    return (mill_join_windows){ node->parameters[0], size(build, node->parameters[1]), grace(build, node->parameters[2]) };
}

static mill_joined stream_joined(const struct build *build)
{
    mill_joined joined = mill_joined_as(NULL);
    joined.in_memory = build->test->memory;
    return joined;
}

static void *build_join(struct build *build, const struct case_node *node)
{
    return mill_stream_join(input(build, node, 0), input(build, node, 1), catalogue_join, number(node, 3),
                            join_windows(build, node), stream_joined(build));
}

static void *build_left_join(struct build *build, const struct case_node *node)
{
    return mill_stream_left_join(input(build, node, 0), input(build, node, 1), catalogue_join, number(node, 3),
                                 join_windows(build, node), stream_joined(build));
}

static void *build_outer_join(struct build *build, const struct case_node *node)
{
    return mill_stream_outer_join(input(build, node, 0), input(build, node, 1), catalogue_join, number(node, 3),
                                  join_windows(build, node), stream_joined(build));
}

static void *build_join_table(struct build *build, const struct case_node *node)
{
    return mill_stream_join_table(input(build, node, 0), input(build, node, 1), catalogue_join, number(node, 0),
                                  mill_joined_as(NULL));
}

static void *build_left_join_table(struct build *build, const struct case_node *node)
{
    return mill_stream_left_join_table(input(build, node, 0), input(build, node, 1), catalogue_join, number(node, 0),
                                       mill_joined_as(NULL));
}

/* Joiner and grace: a record waits so long for the table. */
static mill_joined waiting(const struct case_node *node)
{
    mill_joined joined = mill_joined_as(NULL);
    joined.grace_ms = node->parameters[1];
    return joined;
}

static void *build_join_versioned(struct build *build, const struct case_node *node)
{
    return mill_stream_join_table(input(build, node, 0), input(build, node, 1), catalogue_join, number(node, 0), waiting(node));
}

static void *build_left_join_versioned(struct build *build, const struct case_node *node)
{
    return mill_stream_left_join_table(input(build, node, 0), input(build, node, 1), catalogue_join, number(node, 0),
                                       waiting(node));
}

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
const struct operator_type OPERATORS[] = {
    { "stream", { 0 }, KIND_STREAM, KEYS_PLAIN, 0, { { 0, 9, false } }, build_stream },
    { "to", { KIND_STREAM }, KIND_NONE, KEYS_KEPT, 0, { { 0 } }, build_to },
    { "filter", { KIND_STREAM }, KIND_STREAM, KEYS_KEPT, 0, { PREDICATE }, build_filter },
    { "filter_not", { KIND_STREAM }, KIND_STREAM, KEYS_KEPT, 0, { PREDICATE }, build_filter_not },
    { "map", { KIND_STREAM }, KIND_STREAM, KEYS_PLAIN, 0, { KEY_MAPPER, VALUE_MAPPER }, build_map },
    { "flat_map", { KIND_STREAM }, KIND_STREAM, KEYS_PLAIN, GROWS, { FLAT_MAPPER }, build_flat_map },
    { "flat_map_values", { KIND_STREAM }, KIND_STREAM, KEYS_KEPT, GROWS, { FLAT_MAPPER }, build_flat_map_values },
    { "select_key", { KIND_STREAM }, KIND_STREAM, KEYS_PLAIN, 0, { KEY_MAPPER }, build_select_key },
    { "map_values", { KIND_STREAM }, KIND_STREAM, KEYS_KEPT, 0, { VALUE_MAPPER }, build_map_values },
    { "peek", { KIND_STREAM }, KIND_STREAM, KEYS_KEPT, 0, { { 0 } }, build_peek },
    { "merge", { KIND_STREAM, KIND_STREAM }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS, { { 0 } }, build_merge },
    { "repartition", { KIND_STREAM }, KIND_STREAM, KEYS_KEPT, 0, { { 0 } }, build_repartition },
    { "split", { KIND_STREAM }, KIND_BRANCHES, KEYS_KEPT, 0, { { 0 } }, build_split },
    { "branch", { KIND_BRANCHES }, KIND_STREAM, KEYS_KEPT, 0, { PREDICATE }, build_branch },
    { "group_by_key", { KIND_STREAM }, KIND_GROUPED, KEYS_KEPT, 0, { YES_OR_NO }, build_group_by_key },
    { "group_by", { KIND_STREAM }, KIND_GROUPED, KEYS_PLAIN, 0, { KEY_MAPPER, YES_OR_NO }, build_group_by },
    { "count", { KIND_GROUPED }, KIND_TABLE, KEYS_KEPT, 0, { YES_OR_NO }, build_count },
    { "reduce", { KIND_GROUPED }, KIND_TABLE, KEYS_KEPT, 0, { REDUCER, YES_OR_NO }, build_reduce },
    { "aggregate", { KIND_GROUPED }, KIND_TABLE, KEYS_KEPT, 0, { AGGREGATOR, INITIALIZER, YES_OR_NO }, build_aggregate },
    { "tumbling", { KIND_GROUPED }, KIND_TIME_WINDOWED, KEYS_PLAIN, NEEDS_PLAIN_KEYS, { TIME(1, 30), TIME(0, 40) },
      build_tumbling },
    { "hopping", { KIND_GROUPED }, KIND_TIME_WINDOWED, KEYS_PLAIN, NEEDS_PLAIN_KEYS | GROWS,
      { TIME(1, 30), TIME(7, 30), TIME(0, 40) },
      build_hopping },
    { "unlimited", { KIND_GROUPED }, KIND_TIME_WINDOWED, KEYS_PLAIN, NEEDS_PLAIN_KEYS, { TIME(0, 20) }, build_unlimited },
    { "sliding", { KIND_GROUPED }, KIND_TIME_WINDOWED, KEYS_PLAIN, NEEDS_PLAIN_KEYS | GROWS, { TIME(1, 20), TIME(0, 40) },
      build_sliding },
    { "session", { KIND_GROUPED }, KIND_SESSION_WINDOWED, KEYS_PLAIN, NEEDS_PLAIN_KEYS, { TIME(1, 12), TIME(0, 40) },
      build_session },
    { "session_on_close", { KIND_SESSION_WINDOWED }, KIND_SESSION_WINDOWED, KEYS_PLAIN, 0, { { 0 } }, build_session_on_close },
    { "session_count", { KIND_SESSION_WINDOWED }, KIND_TABLE, KEYS_SESSION_WINDOWED, 0, { YES_OR_NO, RETENTION },
      build_session_count },
    { "session_reduce", { KIND_SESSION_WINDOWED }, KIND_TABLE, KEYS_SESSION_WINDOWED, 0, { REDUCER, YES_OR_NO, RETENTION },
      build_session_reduce },
    { "session_aggregate", { KIND_SESSION_WINDOWED }, KIND_TABLE, KEYS_SESSION_WINDOWED, 0,
      { AGGREGATOR, INITIALIZER, MERGER, YES_OR_NO, RETENTION }, build_session_aggregate },
    { "cogroup_sliding", { KIND_COGROUPED }, KIND_WINDOWED_COGROUPED, KEYS_PLAIN, NEEDS_PLAIN_KEYS | GROWS,
      { TIME(1, 20), TIME(0, 40) },
      build_cogroup_sliding },
    { "cogroup_session", { KIND_COGROUPED }, KIND_SESSION_COGROUPED, KEYS_PLAIN, NEEDS_PLAIN_KEYS, { TIME(1, 12), TIME(0, 40) },
      build_cogroup_session },
    { "session_cogroup_aggregate", { KIND_SESSION_COGROUPED }, KIND_TABLE, KEYS_SESSION_WINDOWED, 0,
      { INITIALIZER, MERGER, YES_OR_NO }, build_session_cogroup_aggregate },
    { "on_close", { KIND_TIME_WINDOWED }, KIND_TIME_WINDOWED, KEYS_PLAIN, 0, { { 0 } }, build_on_close },
    { "windowed_count", { KIND_TIME_WINDOWED }, KIND_TABLE, KEYS_TIME_WINDOWED, 0, { YES_OR_NO, RETENTION },
      build_windowed_count },
    { "windowed_reduce", { KIND_TIME_WINDOWED }, KIND_TABLE, KEYS_TIME_WINDOWED, 0, { REDUCER, YES_OR_NO, RETENTION },
      build_windowed_reduce },
    { "windowed_aggregate", { KIND_TIME_WINDOWED }, KIND_TABLE, KEYS_TIME_WINDOWED, 0,
      { AGGREGATOR, INITIALIZER, YES_OR_NO, RETENTION }, build_windowed_aggregate },
    { "cogroup", { KIND_GROUPED }, KIND_COGROUPED, KEYS_KEPT, 0, { AGGREGATOR }, build_cogroup },
    { "cogroup_add", { KIND_COGROUPED, KIND_GROUPED }, KIND_COGROUPED, KEYS_KEPT, NEEDS_EQUAL_KEYS, { AGGREGATOR },
      build_cogroup_add },
    { "cogroup_aggregate", { KIND_COGROUPED }, KIND_TABLE, KEYS_KEPT, 0, { INITIALIZER, YES_OR_NO }, build_cogroup_aggregate },
    { "cogroup_tumbling", { KIND_COGROUPED }, KIND_WINDOWED_COGROUPED, KEYS_PLAIN, NEEDS_PLAIN_KEYS, { TIME(1, 30), TIME(0, 40) },
      build_cogroup_tumbling },
    { "windowed_cogroup_aggregate", { KIND_WINDOWED_COGROUPED }, KIND_TABLE, KEYS_TIME_WINDOWED, 0, { INITIALIZER, YES_OR_NO },
      build_windowed_cogroup_aggregate },
    { "table", { 0 }, KIND_TABLE, KEYS_PLAIN, 0, { { 0, 9, false }, TABLE_STORE }, build_table },
    { "to_table", { KIND_STREAM }, KIND_TABLE, KEYS_KEPT, 0, { TABLE_STORE }, build_to_table },
    { "to_stream_by", { KIND_TABLE }, KIND_STREAM, KEYS_PLAIN, 0, { KEY_MAPPER }, build_to_stream_by },
    { "table_filter", { KIND_TABLE }, KIND_TABLE, KEYS_KEPT, 0, { PREDICATE, TABLE_STORE }, build_table_filter },
    { "table_filter_not", { KIND_TABLE }, KIND_TABLE, KEYS_KEPT, 0, { PREDICATE, TABLE_STORE }, build_table_filter_not },
    { "table_map_values", { KIND_TABLE }, KIND_TABLE, KEYS_KEPT, 0, { VALUE_MAPPER, TABLE_STORE }, build_table_map_values },
    { "table_group_by", { KIND_TABLE }, KIND_GROUPED_TABLE, KEYS_PLAIN, GROWS, { KEY_MAPPER, VALUE_MAPPER },
      build_table_group_by },
    { "table_count", { KIND_GROUPED_TABLE }, KIND_TABLE, KEYS_PLAIN, 0, { YES_OR_NO }, build_table_count },
    { "table_reduce", { KIND_GROUPED_TABLE }, KIND_TABLE, KEYS_PLAIN, 0, { REDUCER, REDUCER, YES_OR_NO }, build_table_reduce },
    { "table_aggregate", { KIND_GROUPED_TABLE }, KIND_TABLE, KEYS_PLAIN, 0, { AGGREGATOR, AGGREGATOR, INITIALIZER, YES_OR_NO },
      build_table_aggregate },
    { "table_join", { KIND_TABLE, KIND_TABLE }, KIND_TABLE, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER, TABLE_STORE },
      build_table_join },
    { "table_left_join", { KIND_TABLE, KIND_TABLE }, KIND_TABLE, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER, TABLE_STORE },
      build_table_left_join },
    { "table_outer_join", { KIND_TABLE, KIND_TABLE }, KIND_TABLE, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER, TABLE_STORE },
      build_table_outer_join },
    { "foreign_join", { KIND_TABLE, KIND_TABLE }, KIND_TABLE, KEYS_KEPT, NEEDS_PLAIN_SECOND | GROWS,
      { KEY_MAPPER, JOINER, TABLE_STORE },
      build_foreign_join },
    { "foreign_left_join", { KIND_TABLE, KIND_TABLE }, KIND_TABLE, KEYS_KEPT, NEEDS_PLAIN_SECOND | GROWS,
      { KEY_MAPPER, JOINER, TABLE_STORE }, build_foreign_left_join },
    { "versioned_table", { 0 }, KIND_TABLE, KEYS_PLAIN, 0, { { 0, 9, false }, TIME(1, 60) }, build_versioned_table },
    { "to_versioned_table", { KIND_STREAM }, KIND_TABLE, KEYS_KEPT, 0, { TIME(1, 60) }, build_to_versioned_table },
    { "suppress_final", { KIND_TABLE }, KIND_TABLE, KEYS_KEPT, NEEDS_WINDOWED_KEYS, { { 0 } }, build_suppress_final },
    { "suppress", { KIND_TABLE }, KIND_TABLE, KEYS_KEPT, 0, { TIME(0, 30), { 0, 3, false } }, build_suppress },
    { "global_table", { 0 }, KIND_GLOBAL_TABLE, KEYS_PLAIN, 0, { { 0, 9, false } }, build_global_table },
    { "join_global", { KIND_STREAM, KIND_GLOBAL_TABLE }, KIND_STREAM, KEYS_KEPT, NEEDS_PLAIN_SECOND, { KEY_MAPPER, JOINER },
      build_join_global },
    { "left_join_global", { KIND_STREAM, KIND_GLOBAL_TABLE }, KIND_STREAM, KEYS_KEPT, NEEDS_PLAIN_SECOND, { KEY_MAPPER, JOINER },
      build_left_join_global },
    { "to_stream", { KIND_TABLE }, KIND_STREAM, KEYS_KEPT, 0, { { 0 } }, build_to_stream },
    { "join", { KIND_STREAM, KIND_STREAM }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS | MULTIPLIES, { JOIN_WINDOWS, JOINER },
      build_join },
    { "left_join", { KIND_STREAM, KIND_STREAM }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS | MULTIPLIES, { JOIN_WINDOWS, JOINER },
      build_left_join },
    { "outer_join", { KIND_STREAM, KIND_STREAM }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS | MULTIPLIES, { JOIN_WINDOWS, JOINER },
      build_outer_join },
    { "join_table", { KIND_STREAM, KIND_TABLE }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER }, build_join_table },
    { "versioned_side", { 0 }, KIND_VERSIONED, KEYS_PLAIN, 0, { { 0, 9, false }, TIME(40, 90) }, build_versioned_table },
    { "to_versioned_side", { KIND_STREAM }, KIND_VERSIONED, KEYS_KEPT, 0, { TIME(40, 90) }, build_to_versioned_table },
    { "join_versioned", { KIND_STREAM, KIND_VERSIONED }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER, TIME(1, 40) },
      build_join_versioned },
    { "left_join_versioned", { KIND_STREAM, KIND_VERSIONED }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER, TIME(1, 40) },
      build_left_join_versioned },
    { "left_join_table", { KIND_STREAM, KIND_TABLE }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER },
      build_left_join_table },
};
/* clang-format on */
const size_t OPERATOR_COUNT = sizeof OPERATORS / sizeof OPERATORS[0];

size_t operator_inputs(const struct operator_type *type)
{
    size_t count = 0;
    while (count < CASE_INPUTS_MAX && type->takes[count] != KIND_NONE)
        count++;
    return count;
}

size_t operator_parameters(const struct operator_type *type)
{
    size_t count = 0;
    while (count < CASE_PARAMETERS_MAX && type->parameters[count].most > 0)
        count++;
    return count;
}

size_t operator_named(const char *name)
{
    size_t at = 0;
    while (at < OPERATOR_COUNT && strcmp(OPERATORS[at].name, name) != 0)
        at++;
    return at;
}

enum keys case_keys(const struct test_case *test, size_t node)
{
    const struct operator_type *type = node_operator(&test->nodes[node]);
    return type->keys == KEYS_KEPT ? case_keys(test, test->nodes[node].inputs[0]) : type->keys;
}

static bool node_fits(const struct test_case *test, size_t at)
{
    const struct case_node *node = &test->nodes[at];
    const struct operator_type *type = node_operator(node);
    for (size_t i = 0; i < operator_inputs(type); i++) {
        if (node->inputs[i] >= at || node_operator(&test->nodes[node->inputs[i]])->gives != type->takes[i])
            return false;
        enum keys keys = case_keys(test, node->inputs[i]);
        if ((type->needs & NEEDS_PLAIN_KEYS) != 0 && keys != KEYS_PLAIN)
            return false;
        if ((type->needs & NEEDS_WINDOWED_KEYS) != 0 && keys == KEYS_PLAIN)
            return false;
        if ((type->needs & NEEDS_PLAIN_SECOND) != 0 && i == 1 && keys != KEYS_PLAIN)
            return false;
        if ((type->needs & NEEDS_EQUAL_KEYS) != 0 && keys != case_keys(test, node->inputs[0]))
            return false;
    }
    return true;
}

static bool is_windowed_cogroup(const struct operator_type *type)
{
    return strcmp(type->name, "windowed_cogroup_aggregate") == 0 || strcmp(type->name, "session_cogroup_aggregate") == 0;
}

/* Whether rows of this table may be read from a windowed cogroup's store: tables without a store are computed from others. */
static bool reads_windowed_cogroup(const struct test_case *test, size_t node)
{
    const struct case_node *table = &test->nodes[node];
    if (node_operator(table)->gives != KIND_TABLE)
        return false;
    if (is_windowed_cogroup(node_operator(table)))
        return true;
    for (size_t i = 0; i < operator_inputs(node_operator(table)); i++)
        if (reads_windowed_cogroup(test, table->inputs[i]))
            return true;
    return false;
}

/* A cogroup is changed by what is added to it: nothing else takes it then. */
static bool is_taken_once(const struct test_case *test, size_t node)
{
    size_t taken = 0;
    for (size_t i = node + 1; i < test->node_count; i++)
        for (size_t j = 0; j < operator_inputs(node_operator(&test->nodes[i])); j++)
            taken += test->nodes[i].inputs[j] == node;
    return taken <= 1;
}

/* How many aggregations a group ends in, over windows and cogroups. */
static size_t count_aggregations(const struct test_case *test, size_t node)
{
    size_t count = 0;
    for (size_t i = node + 1; i < test->node_count; i++)
        for (size_t j = 0; j < operator_inputs(node_operator(&test->nodes[i])); j++)
            if (test->nodes[i].inputs[j] == node)
                count += node_operator(&test->nodes[i])->gives == KIND_TABLE ? 1 : count_aggregations(test, i);
    return count;
}

/* A named group that several operators take gives "is already added" or "is not added yet", depending on what they are. */
static bool is_named_group(const struct case_node *node)
{
    const char *name = node_operator(node)->name;
    return (strcmp(name, "group_by") == 0 && node->parameters[1] == 1) ||
           (strcmp(name, "group_by_key") == 0 && node->parameters[0] == 1);
}

/*
 * An operator that reads rows of a windowed cogroup fails in its init: InvalidStateStoreException. Unlimited windows never close,
 * and versioned tables cannot be suppressed.
 */
bool operators_suit_kafka(const struct operator_type *first, const struct operator_type *second)
{
    bool closes = strcmp(second->name, "on_close") == 0, suppresses = strstr(second->name, "suppress") != NULL;
    if ((closes && strcmp(first->name, "unlimited") == 0) || (suppresses && strstr(first->name, "versioned") != NULL))
        return false;
    return !is_windowed_cogroup(first) || strstr(second->name, "join") == NULL;
}

static bool is_below_versioned(const struct test_case *test, size_t node)
{
    const struct operator_type *type = node_operator(&test->nodes[node]);
    if (strstr(type->name, "versioned") != NULL)
        return true;
    for (size_t i = 0; i < operator_inputs(type); i++)
        if (is_below_versioned(test, test->nodes[node].inputs[i]))
            return true;
    return false;
}

/* Whether the windows of all rows that come to a node have one size; `*size_ms` is that of those met before, -1: none was. */
static bool windows_have_one_size(const struct test_case *test, size_t node, int64_t *size_ms)
{
    const struct operator_type *type = node_operator(&test->nodes[node]);
    if (type->takes[0] == KIND_TIME_WINDOWED || type->takes[0] == KIND_WINDOWED_COGROUPED) {
        size_t windows = test->nodes[node].inputs[0];
        while (node_operator(&test->nodes[windows])->takes[0] == type->takes[0]) /* an emission on close between */
            windows = test->nodes[windows].inputs[0];
        bool same = *size_ms < 0 || *size_ms == test->nodes[windows].parameters[0];
        *size_ms = test->nodes[windows].parameters[0];
        return same;
    }
    size_t keyed = (type->needs & NEEDS_PLAIN_SECOND) != 0 ? 1 : operator_inputs(type);
    for (size_t i = 0; i < keyed; i++)
        if (!windows_have_one_size(test, test->nodes[node].inputs[i], size_ms))
            return false;
    return true;
}

/* The key of a row says where its window begins: behind a join of windows of two sizes ours does not know when it closes. */
static bool closes_windows_of_two_sizes(const struct test_case *test, size_t node)
{
    int64_t size_ms = -1;
    return strcmp(node_operator(&test->nodes[node])->name, "suppress_final") == 0 && !windows_have_one_size(test, node, &size_ms);
}

bool case_suits_kafka(const struct test_case *test)
{
    for (size_t i = 0; i < test->node_count; i++) {
        if (is_named_group(&test->nodes[i]) && count_aggregations(test, i) > 1)
            return false;
        if (closes_windows_of_two_sizes(test, i))
            return false;
        /* It takes a windowed cogroup below a versioned table for versioned, so that filters let deletions of nothing through. */
        if (is_windowed_cogroup(node_operator(&test->nodes[i])) && is_below_versioned(test, i))
            return false;
        for (size_t j = 0; j < operator_inputs(node_operator(&test->nodes[i])); j++)
            if (strstr(node_operator(&test->nodes[i])->name, "join") != NULL &&
                reads_windowed_cogroup(test, test->nodes[i].inputs[j]))
                return false;
    }
    return true;
}

bool case_is_well_formed(const struct test_case *test)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (!node_fits(test, i) || (node_operator(&test->nodes[i])->gives == KIND_COGROUPED && !is_taken_once(test, i)))
            return false;
    return test->node_count > 0;
}

void case_keep_nodes(struct test_case *test, const bool needed[])
{
    size_t places[CASE_NODES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < test->node_count; i++) {
        struct case_node node = test->nodes[i];
        for (size_t j = 0; needed[i] && j < operator_inputs(node_operator(&node)); j++)
            node.inputs[j] = places[node.inputs[j]];
        places[i] = count;
        if (needed[i])
            test->nodes[count++] = node;
    }
    test->node_count = count;
}
