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
#define YES_OR_NO     { 0, 1, false }
#define TIME(l, m)    { l, m, true }
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
    char topic[16];
    snprintf(topic, sizeof topic, "in%d", (int)node->parameters[0]);
    mill_stream *stream = mill_topology_stream(build->topology, topic, NULL);
    return build->fault == FAULT_NULL_KEY ? mill_stream_filter(stream, has_key, NULL) : stream;
}

static void *build_to(struct build *build, const struct case_node *node)
{
    char topic[16];
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

static void *build_group_by_key(struct build *build, const struct case_node *node)
{
    return mill_stream_group_by_key(to_group(build, node));
}

static void *build_group_by(struct build *build, const struct case_node *node)
{
    return mill_stream_group_by(to_group(build, node), catalogue_key, number(node, 0));
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

static void *build_windowed_count(struct build *build, const struct case_node *node)
{
    return mill_windowed_count(input(build, node, 0), store(build, node->parameters[0]));
}

static void *build_windowed_reduce(struct build *build, const struct case_node *node)
{
    return mill_windowed_reduce(input(build, node, 0), reducer(build), number(node, 0), store(build, node->parameters[1]));
}

static void *build_windowed_aggregate(struct build *build, const struct case_node *node)
{
    return mill_windowed_aggregate(input(build, node, 0), catalogue_initial, catalogue_aggregate, aggregation(node),
                                   store(build, node->parameters[2]));
}

/* ---- tables ---------------------------------------------------------------------------------------------------------------- */

static void *build_to_stream(struct build *build, const struct case_node *node)
{
    mill_stream *stream = mill_table_to_stream(input(build, node, 0));
    return build->fault == FAULT_TOMBSTONE ? mill_stream_filter(stream, has_value, NULL) : stream;
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
    { "group_by_key", { KIND_STREAM }, KIND_GROUPED, KEYS_KEPT, 0, { { 0 } }, build_group_by_key },
    { "group_by", { KIND_STREAM }, KIND_GROUPED, KEYS_PLAIN, 0, { KEY_MAPPER }, build_group_by },
    { "count", { KIND_GROUPED }, KIND_TABLE, KEYS_KEPT, 0, { YES_OR_NO }, build_count },
    { "reduce", { KIND_GROUPED }, KIND_TABLE, KEYS_KEPT, 0, { REDUCER, YES_OR_NO }, build_reduce },
    { "aggregate", { KIND_GROUPED }, KIND_TABLE, KEYS_KEPT, 0, { AGGREGATOR, INITIALIZER, YES_OR_NO }, build_aggregate },
    { "tumbling", { KIND_GROUPED }, KIND_TIME_WINDOWED, KEYS_PLAIN, NEEDS_PLAIN_KEYS, { TIME(1, 30), TIME(0, 40) },
      build_tumbling },
    { "hopping", { KIND_GROUPED }, KIND_TIME_WINDOWED, KEYS_PLAIN, NEEDS_PLAIN_KEYS, { TIME(1, 30), TIME(7, 30), TIME(0, 40) },
      build_hopping },
    { "windowed_count", { KIND_TIME_WINDOWED }, KIND_TABLE, KEYS_TIME_WINDOWED, 0, { YES_OR_NO }, build_windowed_count },
    { "windowed_reduce", { KIND_TIME_WINDOWED }, KIND_TABLE, KEYS_TIME_WINDOWED, 0, { REDUCER, YES_OR_NO },
      build_windowed_reduce },
    { "windowed_aggregate", { KIND_TIME_WINDOWED }, KIND_TABLE, KEYS_TIME_WINDOWED, 0, { AGGREGATOR, INITIALIZER, YES_OR_NO },
      build_windowed_aggregate },
    { "to_stream", { KIND_TABLE }, KIND_STREAM, KEYS_KEPT, 0, { { 0 } }, build_to_stream },
    { "join_table", { KIND_STREAM, KIND_TABLE }, KIND_STREAM, KEYS_KEPT, NEEDS_EQUAL_KEYS, { JOINER }, build_join_table },
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
        if ((type->needs & NEEDS_EQUAL_KEYS) != 0 && keys != case_keys(test, node->inputs[0]))
            return false;
    }
    return true;
}

bool case_is_well_formed(const struct test_case *test)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (!node_fits(test, i))
            return false;
    return test->node_count > 0;
}
