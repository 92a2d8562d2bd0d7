#include "conformance/refused.h"

#include <string.h>

#include "conformance/operators.h"

static bool is(const struct case_node *node, const char *name)
{
    return strcmp(node_operator(node)->name, name) == 0;
}

static bool is_like(const struct case_node *node, const char *part)
{
    return strstr(node_operator(node)->name, part) != NULL;
}

static const struct case_node *input(const struct test_case *test, const struct case_node *node, size_t at)
{
    return &test->nodes[node->inputs[at]];
}

/* ---- windows --------------------------------------------------------------------------------------------------------------- */

/* Unlimited windows never close. */
static bool closes_unlimited(const struct test_case *test, const struct case_node *node)
{
    return is(node, "on_close") && (is(input(test, node, 0), "unlimited") || closes_unlimited(test, input(test, node, 0)));
}

/* Whether every way up from a table meets windows, and so a grace: where suppress_final ends. */
static bool has_grace(const struct test_case *test, const struct case_node *node)
{
    enum kind takes = node_operator(node)->takes[0];
    if (takes == KIND_TIME_WINDOWED || takes == KIND_SESSION_WINDOWED || takes == KIND_WINDOWED_COGROUPED ||
        takes == KIND_SESSION_COGROUPED)
        return true;
    size_t count = operator_inputs(node_operator(node));
    for (size_t i = 0; i < count; i++)
        if (!has_grace(test, input(test, node, i)))
            return false;
    return count > 0;
}

/* ---- versioned tables ------------------------------------------------------------------------------------------------------ */

/* Tables without a store of their own are versioned as what they are made of. */
static bool is_versioned(const struct test_case *test, const struct case_node *node)
{
    if (is_like(node, "versioned"))
        return true;
    bool keeps = is(node, "table_filter") || is(node, "table_filter_not") || is(node, "table_map_values");
    bool joins = is(node, "table_join") || is(node, "table_left_join") || is(node, "table_outer_join");
    if ((!keeps && !joins) || node->parameters[1] == 1)
        return false;
    return is_versioned(test, input(test, node, 0)) && (keeps || is_versioned(test, input(test, node, 1)));
}

/* ---- cogroups -------------------------------------------------------------------------------------------------------------- */

static bool has_changed_key(const struct test_case *test, const struct case_node *node)
{
    static const char *const CHANGE[] = { "map", "flat_map", "select_key", "to_stream_by", "group_by" };
    for (size_t i = 0; i < sizeof CHANGE / sizeof CHANGE[0]; i++)
        if (is(node, CHANGE[i]))
            return true;
    enum kind takes = node_operator(node)->takes[0];
    if (is(node, "repartition") || (takes != KIND_STREAM && takes != KIND_BRANCHES))
        return false;
    return has_changed_key(test, input(test, node, 0)) || (is(node, "merge") && has_changed_key(test, input(test, node, 1)));
}

static bool takes_nameless_topic(const struct test_case *test, const struct case_node *group)
{
    bool is_named = group->parameters[is(group, "group_by") ? 1 : 0] == 1;
    return !is_named && has_changed_key(test, group);
}

/* Of the groups of a cogroup, those whose repartition topic would have its name from the store, and so the same one. */
static size_t count_nameless(const struct test_case *test, const struct case_node *cogroup)
{
    if (is(cogroup, "cogroup"))
        return takes_nameless_topic(test, input(test, cogroup, 0));
    return count_nameless(test, input(test, cogroup, 0)) + takes_nameless_topic(test, input(test, cogroup, 1));
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

static bool node_is_refused(const struct test_case *test, const struct case_node *node)
{
    if (is(node, "cogroup_add"))
        return count_nameless(test, node) > 1;
    if (is(node, "suppress_final") && !has_grace(test, input(test, node, 0)))
        return true;
    if (is_like(node, "suppress"))
        return is_versioned(test, input(test, node, 0));
    return closes_unlimited(test, node);
}

bool case_is_refused(const struct test_case *test)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (node_is_refused(test, &test->nodes[i]))
            return true;
    return false;
}
