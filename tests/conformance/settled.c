#include "conformance/settled.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conformance/catalogue.h"
#include "conformance/generate.h"
#include "conformance/operators.h"

enum { NOWHERE = -1, SUM = 5, DIFFERENCE = 6, LARGEST = 3, ADD = 2, TAKE = 3, MERGE_SUM = 1, DEPTH_LEAST = 2, TRIES_MAX = 800 };

struct view {
    const struct test_case *test;
    const enum settled *settled;
};

/* What comes of a node; its inputs are settled, the least of them is `least`. */
typedef enum settled rule_find(const struct view *view, const struct case_node *node, enum settled least);

struct rule {
    const char *name;
    rule_find *find;
    int patience; /* the parameter that is grace, history or retention; NOWHERE: none */
};

/* ---- functions ------------------------------------------------------------------------------------------------------------- */

static bool reducer_commutes(int64_t reducer)
{
    return reducer == LARGEST || reducer == SUM;
}

static bool aggregator_commutes(int64_t aggregator)
{
    return aggregator == ADD || aggregator == TAKE;
}

static bool has_name(const struct case_node *node, const char *name)
{
    return strcmp(node_operator(node)->name, name) == 0;
}

static const struct case_node *input_of(const struct view *view, const struct case_node *node)
{
    return &view->test->nodes[node->inputs[0]];
}

/* ---- streams and groups ---------------------------------------------------------------------------------------------------- */

static enum settled as_before(const struct view *view, const struct case_node *node, enum settled least)
{
    return least;
}

static enum settled source(const struct view *view, const struct case_node *node, enum settled least)
{
    return SETTLED_IN_ORDER;
}

static enum settled in_any_order(const struct view *view, const struct case_node *node, enum settled least)
{
    return SETTLED_BAG;
}

static enum settled sink(const struct view *view, const struct case_node *node, enum settled least)
{
    return least == SETTLED_IN_ORDER ? SETTLED_BAG : least;
}

/* All that is added to a cogroup. */
static bool cogroup_commutes(const struct view *view, const struct case_node *node)
{
    while (has_name(node, "cogroup_add")) {
        if (!aggregator_commutes(node->parameters[0]))
            return false;
        node = input_of(view, node);
    }
    return aggregator_commutes(node->parameters[0]);
}

static enum settled cogroup(const struct view *view, const struct case_node *node, enum settled least)
{
    return least == SETTLED_IN_ORDER || aggregator_commutes(node->parameters[0]) ? least : SETTLED_NOT;
}

static enum settled cogroup_add(const struct view *view, const struct case_node *node, enum settled least)
{
    return cogroup_commutes(view, node) ? SETTLED_BAG : SETTLED_NOT;
}

/* ---- tables of streams ----------------------------------------------------------------------------------------------------- */

static enum settled rows_if(bool settled)
{
    return settled ? SETTLED_ROWS : SETTLED_NOT;
}

static enum settled rows(const struct view *view, const struct case_node *node, enum settled least)
{
    return SETTLED_ROWS;
}

static enum settled rows_in_order(const struct view *view, const struct case_node *node, enum settled least)
{
    return rows_if(least == SETTLED_IN_ORDER);
}

static enum settled reduced(const struct view *view, const struct case_node *node, enum settled least)
{
    return rows_if(least == SETTLED_IN_ORDER || reducer_commutes(node->parameters[0]));
}

static bool mapper_gives_null(int64_t mapper, bool from_null)
{
    bool never = mapper == 2 || mapper == 5 || mapper == 6;
    return mapper == 3 || (!never && from_null);
}

/* Whether values of a stream or group may be null. */
static bool may_be_null(const struct test_case *test, const struct case_node *node)
{
    bool null = false;
    for (size_t i = 0; has_name(node, "stream") && i < test->event_count; i++)
        null |= test->events[i].topic == node->parameters[0] && test->events[i].value.is_null;
    for (size_t i = 0; i < operator_inputs(node_operator(node)); i++)
        null |= may_be_null(test, &test->nodes[node->inputs[i]]);
    if (has_name(node, "map_values"))
        return mapper_gives_null(node->parameters[0], null);
    if (has_name(node, "map"))
        return mapper_gives_null(node->parameters[1], null);
    return null || has_name(node, "flat_map") || has_name(node, "flat_map_values") || has_name(node, "join");
}

/* A null value that comes first is no aggregate, one that comes later is something to reduce by. */
static enum settled reduced_in_windows(const struct view *view, const struct case_node *node, enum settled least)
{
    bool commutes = reducer_commutes(node->parameters[0]) && !may_be_null(view->test, input_of(view, node));
    return rows_if(least == SETTLED_IN_ORDER || commutes);
}

static enum settled aggregated(const struct view *view, const struct case_node *node, enum settled least)
{
    return rows_if(least == SETTLED_IN_ORDER || aggregator_commutes(node->parameters[0]));
}

static enum settled merged(const struct view *view, const struct case_node *node, enum settled least)
{
    bool commutes = aggregator_commutes(node->parameters[0]) && node->parameters[2] == MERGE_SUM;
    return rows_if(least == SETTLED_IN_ORDER || commutes);
}

static enum settled merged_cogroup(const struct view *view, const struct case_node *node, enum settled least)
{
    return rows_if(least == SETTLED_IN_ORDER || node->parameters[1] == MERGE_SUM);
}

/* ---- tables of tables ------------------------------------------------------------------------------------------------------ */

static enum settled rows_of_rows(const struct view *view, const struct case_node *node, enum settled least)
{
    return rows_if(least == SETTLED_ROWS);
}

/* A table and those that its updates come from without a topic between, as a set. */
static uint64_t tables_of(const struct test_case *test, size_t at)
{
    static const char *const ROW_BY_ROW[] = { "table_filter", "table_filter_not", "table_map_values",
                                              "table_join",   "table_left_join",  "table_outer_join" };
    const struct case_node *node = &test->nodes[at];
    uint64_t tables = UINT64_C(1) << at;
    for (size_t i = 0; i < sizeof ROW_BY_ROW / sizeof ROW_BY_ROW[0]; i++)
        for (size_t j = 0; has_name(node, ROW_BY_ROW[i]) && j < operator_inputs(node_operator(node)); j++)
            tables |= tables_of(test, node->inputs[j]);
    return tables;
}

/*
 * A table that comes into a join by two ways has its new row on the one side while the update is still on its way on the other:
 * the old values of the results are none that there were, and a filter below takes a row for one that never was. It is so in
 * Kafka Streams, too.
 */
static enum settled joined(const struct view *view, const struct case_node *node, enum settled least)
{
    bool apart = (tables_of(view->test, node->inputs[0]) & tables_of(view->test, node->inputs[1])) == 0;
    return rows_if(least == SETTLED_ROWS && apart);
}

/* Is no row of this table ever deleted? */
static bool keeps_rows(const struct test_case *test, const struct case_node *node)
{
    bool keeps = strstr(node_operator(node)->name, "session") == NULL && strstr(node_operator(node)->name, "count") != NULL;
    if (has_name(node, "reduce") || has_name(node, "windowed_reduce"))
        keeps = reducer_commutes(node->parameters[0]);
    if (has_name(node, "aggregate") || has_name(node, "windowed_aggregate"))
        keeps = aggregator_commutes(node->parameters[0]);
    bool is_source = has_name(node, "table") || has_name(node, "versioned_table");
    for (size_t i = 0; is_source && i < test->event_count; i++)
        if (test->events[i].topic == node->parameters[0] && test->events[i].value.is_null)
            return false;
    return keeps || is_source;
}

/*
 * An inner one says nothing when a row with the same foreign key finds nothing, as in Kafka Streams (KAFKA-18713): when that was
 * deleted meanwhile, and the answer that said so was to the row before, the result of the row before stays. So no row may go, and
 * none may lose its foreign key (mapper 0 gives none for an empty value).
 */
static enum settled foreign_inner(const struct view *view, const struct case_node *node, enum settled least)
{
    const struct case_node *nodes = view->test->nodes;
    bool kept = keeps_rows(view->test, &nodes[node->inputs[0]]) && keeps_rows(view->test, &nodes[node->inputs[1]]);
    return rows_if(least == SETTLED_ROWS && kept && node->parameters[0] != 0);
}

static mill_bytes empty_row(const struct case_node *node)
{
    static const uint8_t NONE[8] = { 0 };
    return has_name(node, "table_count") ? mill_bytes_of(NONE, sizeof NONE) : mill_string("0");
}

/* A filter that lets no empty group through makes a table of them that is as any other. */
static enum settled filtered(const struct view *view, const struct case_node *node, enum settled least)
{
    const struct case_node *above = input_of(view, node);
    if (least == SETTLED_ROWS)
        return SETTLED_ROWS;
    bool is_kept_out = node->parameters[0] != 4 && node->parameters[0] != 1; /* they look at the key */
    mill_record empty = { .key = mill_string("k"), .value = empty_row(above) };
    bool passes = catalogue_predicate(&empty, catalogue_number(node->parameters[0])) == has_name(node, "table_filter");
    return rows_if(is_kept_out && !passes && (has_name(above, "table_count") || has_name(above, "table_aggregate")));
}

static enum settled regrouped(const struct view *view, const struct case_node *node, enum settled least)
{
    return least == SETTLED_ROWS ? SETTLED_BAG : SETTLED_NOT;
}

static enum settled recounted(const struct view *view, const struct case_node *node, enum settled least)
{
    return SETTLED_BUT_EMPTY;
}

static enum settled rereduced(const struct view *view, const struct case_node *node, enum settled least)
{
    return node->parameters[0] == SUM && node->parameters[1] == DIFFERENCE ? SETTLED_BUT_EMPTY : SETTLED_NOT;
}

static enum settled reaggregated(const struct view *view, const struct case_node *node, enum settled least)
{
    bool inverse = node->parameters[0] != node->parameters[1] && aggregator_commutes(node->parameters[0]) &&
                   aggregator_commutes(node->parameters[1]);
    return inverse ? SETTLED_BUT_EMPTY : SETTLED_NOT;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static const struct rule RULES[] = {
    { "stream", source, NOWHERE },
    { "filter", as_before, NOWHERE },
    { "filter_not", as_before, NOWHERE },
    { "map_values", as_before, NOWHERE },
    { "flat_map_values", as_before, NOWHERE },
    { "peek", as_before, NOWHERE },
    { "repartition", as_before, NOWHERE },
    { "split", as_before, NOWHERE },
    { "branch", as_before, NOWHERE },
    { "map", in_any_order, NOWHERE },
    { "flat_map", in_any_order, NOWHERE },
    { "select_key", in_any_order, NOWHERE },
    { "merge", in_any_order, NOWHERE },
    { "join", in_any_order, 2 },
    { "to", sink, NOWHERE },
    { "group_by_key", as_before, NOWHERE },
    { "group_by", in_any_order, NOWHERE },
    { "tumbling", as_before, 1 },
    { "hopping", as_before, 2 },
    { "unlimited", as_before, NOWHERE },
    { "sliding", as_before, 1 },
    { "session", as_before, 1 },
    { "cogroup", cogroup, NOWHERE },
    { "cogroup_add", cogroup_add, NOWHERE },
    { "cogroup_tumbling", as_before, 1 },
    { "cogroup_sliding", as_before, 1 },
    { "cogroup_session", as_before, 1 },
    { "count", rows, NOWHERE },
    { "reduce", reduced, NOWHERE },
    { "aggregate", aggregated, NOWHERE },
    { "windowed_count", rows, NOWHERE },
    { "windowed_reduce", reduced_in_windows, NOWHERE },
    { "windowed_aggregate", aggregated, NOWHERE },
    { "session_count", rows, NOWHERE },
    { "session_reduce", reduced_in_windows, NOWHERE },
    { "session_aggregate", merged, NOWHERE },
    { "cogroup_aggregate", rows, NOWHERE },
    { "windowed_cogroup_aggregate", rows, NOWHERE },
    { "session_cogroup_aggregate", merged_cogroup, NOWHERE },
    { "table", rows, NOWHERE },
    { "to_table", rows_in_order, NOWHERE },
    { "versioned_table", rows, 1 },
    { "to_versioned_table", rows_in_order, 0 },
    { "table_filter", filtered, NOWHERE },
    { "table_filter_not", filtered, NOWHERE },
    { "table_map_values", rows_of_rows, NOWHERE },
    { "table_join", joined, NOWHERE },
    { "table_left_join", joined, NOWHERE },
    { "table_outer_join", joined, NOWHERE },
    { "foreign_join", foreign_inner, NOWHERE },
    { "foreign_left_join", rows_of_rows, NOWHERE },
    { "table_group_by", regrouped, NOWHERE },
    { "table_count", recounted, NOWHERE },
    { "table_reduce", rereduced, NOWHERE },
    { "table_aggregate", reaggregated, NOWHERE },
};

/* NULL: an operator that is never settled. */
static const struct rule *rule_of(const struct case_node *node)
{
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++)
        if (has_name(node, RULES[i].name))
            return &RULES[i];
    return NULL;
}

bool settled_knows(size_t type)
{
    return rule_of(&(struct case_node){ .type = type }) != NULL;
}

void settled_find(const struct test_case *test, enum settled settled[CASE_NODES_MAX])
{
    struct view view = { test, settled };
    for (size_t i = 0; i < test->node_count; i++) {
        const struct case_node *node = &test->nodes[i];
        const struct rule *rule = rule_of(node);
        enum settled least = SETTLED_ROWS;
        for (size_t j = 0; j < operator_inputs(node_operator(node)); j++)
            if (settled[node->inputs[j]] < least)
                least = settled[node->inputs[j]];
        settled[i] = rule != NULL && least != SETTLED_NOT ? rule->find(&view, node, least) : SETTLED_NOT;
    }
}

static int64_t span_of_input_ms(const struct test_case *test)
{
    int64_t largest = 0;
    for (size_t i = 0; i < test->event_count; i++)
        if (!test->events[i].is_advance && test->events[i].time_ms > largest)
            largest = test->events[i].time_ms;
    return largest + 1;
}

/* A mapper fails on a value that begins with f, and what a key or value has anywhere may come to stand there. */
static bool may_fail(const struct case_event *event)
{
    return strchr(event->key.text, 'f') != NULL || strchr(event->value.text, 'f') != NULL;
}

bool settled_whole(const struct test_case *test)
{
    enum settled settled[CASE_NODES_MAX];
    int64_t span_ms = span_of_input_ms(test);
    for (size_t i = 0; i < test->event_count; i++)
        if (may_fail(&test->events[i]))
            return false;
    settled_find(test, settled);
    for (size_t i = 0; i < test->node_count; i++) {
        const struct rule *rule = rule_of(&test->nodes[i]);
        if (settled[i] == SETTLED_NOT || (rule->patience != NOWHERE && test->nodes[i].parameters[rule->patience] < span_ms))
            return false;
    }
    return test->event_count > 0;
}

mill_bytes settled_row(const struct test_case *test, size_t node, mill_bytes value, char number[24])
{
    const struct case_node *table = &test->nodes[node];
    if (mill_is_null(value))
        return value;
    /* The first value of a group is there as it came, what is left of several as a number. */
    if (has_name(table, "table_reduce")) {
        snprintf(number, 24, "%" PRId64, catalogue_to_number(value));
        value = mill_string(number);
    }
    bool may_be_empty = has_name(table, "table_count") || has_name(table, "table_reduce") || has_name(table, "table_aggregate");
    return may_be_empty && mill_bytes_compare(value, empty_row(table)) == 0 ? mill_null() : value;
}

/* ---- making a case settled ------------------------------------------------------------------------------------------------- */

static void take_commuting(struct prng *prng, struct case_node *node)
{
    const char *name = node_operator(node)->name;
    int64_t aggregator = prng_chance(prng, 0.5) ? ADD : TAKE, reducer = prng_chance(prng, 0.5) ? SUM : LARGEST;
    if (strcmp(name, "table_reduce") == 0) {
        node->parameters[0] = SUM;
        node->parameters[1] = DIFFERENCE;
    } else if (strcmp(name, "table_aggregate") == 0) {
        node->parameters[0] = aggregator;
        node->parameters[1] = ADD + TAKE - aggregator;
    } else if (prng_chance(prng, 0.25)) {
        return; /* settled all the same where the order is known */
    } else if (strstr(name, "reduce") != NULL) {
        node->parameters[0] = reducer;
    } else if (strcmp(name, "session_cogroup_aggregate") == 0) {
        node->parameters[1] = MERGE_SUM;
    } else if (strcmp(name, "session_aggregate") == 0) {
        node->parameters[0] = aggregator;
        node->parameters[2] = MERGE_SUM;
    } else if (strcmp(name, "aggregate") == 0 || strcmp(name, "windowed_aggregate") == 0 || strcmp(name, "cogroup") == 0 ||
               strcmp(name, "cogroup_add") == 0) {
        node->parameters[0] = aggregator;
    }
}

/* Windows without an end are kept by default; a retention of their own would be too short. */
static void keep_for_ever(struct test_case *test, struct case_node *node)
{
    static const struct {
        const char *name;
        size_t at;
    } RETENTIONS[] = { { "windowed_count", 1 }, { "windowed_reduce", 2 }, { "windowed_aggregate", 3 } };
    for (size_t i = 0; i < sizeof RETENTIONS / sizeof RETENTIONS[0]; i++)
        if (has_name(node, RETENTIONS[i].name) && has_name(&test->nodes[node->inputs[0]], "unlimited"))
            node->parameters[RETENTIONS[i].at] = 0;
}

static bool is_read(const struct test_case *test, int topic)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (operator_inputs(node_operator(&test->nodes[i])) == 0 && test->nodes[i].parameters[0] == topic)
            return true;
    return false;
}

static void keep_records_that_are_read(struct test_case *test)
{
    size_t count = 0;
    for (size_t i = 0; i < test->event_count; i++)
        if (!test->events[i].is_advance && is_read(test, test->events[i].topic))
            test->events[count++] = test->events[i];
    test->event_count = count;
}

/* Tables and outputs, and what leads to them. */
static void keep_settled_nodes(struct test_case *test, const enum settled settled[CASE_NODES_MAX])
{
    bool needed[CASE_NODES_MAX] = { false };
    for (size_t i = test->node_count; i-- > 0;) {
        enum kind gives = node_operator(&test->nodes[i])->gives;
        needed[i] |= settled[i] != SETTLED_NOT && (gives == KIND_NONE || gives == KIND_TABLE);
        for (size_t j = 0; needed[i] && j < operator_inputs(node_operator(&test->nodes[i])); j++)
            needed[test->nodes[i].inputs[j]] = true;
    }
    case_keep_nodes(test, needed);
}

/* Operators above a node, the longest way. */
static int depth_of(const struct test_case *test, size_t node)
{
    int deepest = 0;
    for (size_t i = 0; i < operator_inputs(node_operator(&test->nodes[node])); i++) {
        int depth = 1 + depth_of(test, test->nodes[node].inputs[i]);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

static bool has_a_deep_table(const struct test_case *test)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (node_operator(&test->nodes[i])->gives == KIND_TABLE && depth_of(test, i) >= DEPTH_LEAST)
            return true;
    return false;
}

static void without_failure(struct case_word *word)
{
    for (char *f = word->text; (f = strchr(f, 'f')) != NULL;)
        *f = 'g';
}

bool settle_case(struct prng *prng, struct test_case *test)
{
    enum settled settled[CASE_NODES_MAX];
    int64_t span_ms = span_of_input_ms(test);
    for (size_t i = 0; i < test->node_count; i++) {
        const struct rule *rule = rule_of(&test->nodes[i]);
        if (rule != NULL && rule->patience != NOWHERE)
            test->nodes[i].parameters[rule->patience] = 2 * span_ms;
        take_commuting(prng, &test->nodes[i]);
        keep_for_ever(test, &test->nodes[i]);
    }
    for (size_t i = 0; i < test->event_count; i++) {
        without_failure(&test->events[i].key);
        without_failure(&test->events[i].value);
    }
    settled_find(test, settled);
    keep_settled_nodes(test, settled);
    keep_records_that_are_read(test);
    return test->event_count > 0 && has_a_deep_table(test);
}

uint64_t settled_seed(uint64_t seed, uint64_t number)
{
    return seed * UINT64_C(0x9e3779b97f4a7c15) + number;
}

static bool has_operator(const struct test_case *test, size_t type)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (test->nodes[i].type == type)
            return true;
    return false;
}

void settled_make(uint64_t seed, uint64_t number, struct test_case *test)
{
    struct prng prng;
    struct coverage coverage;
    prng_init(&prng, settled_seed(seed, number));
    coverage_init(&coverage);
    bool found = false;
    size_t wanted = number % OPERATOR_COUNT;
    int tries_max = settled_knows(wanted) ? TRIES_MAX : 0;
    for (int tries = 0; !found; tries++) {
        generate_case(&prng, &coverage, number, test);
        test->memory &= number % 2 == 0;
        found = settle_case(&prng, test) && (tries >= tries_max || has_operator(test, wanted));
    }
    coverage_release(&coverage);
}
