#include "conformance/shrink.h"

#include <string.h>

#include "conformance/operators.h"

struct shrinking {
    struct test_case *test; /* the smallest so far */
    shrink_check check;
    void *ctx;
    int checks;
};

/* ---- cases without a part -------------------------------------------------------------------------------------------------- */

static bool reads_topic(const struct test_case *test, int topic)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (operator_inputs(node_operator(&test->nodes[i])) == 0 && test->nodes[i].parameters[0] == topic)
            return true;
    return false;
}

static void remove_events(struct test_case *test, size_t from, size_t count)
{
    memmove(&test->events[from], &test->events[from + count], (test->event_count - from - count) * sizeof test->events[0]);
    test->event_count -= count;
}

/* Without the nodes that lead to no output topic, and the records that nothing reads. */
static void prune(struct test_case *test)
{
    bool needed[CASE_NODES_MAX] = { false };
    for (size_t i = test->node_count; i-- > 0;) {
        needed[i] |= node_operator(&test->nodes[i])->gives == KIND_NONE;
        for (size_t j = 0; needed[i] && j < operator_inputs(node_operator(&test->nodes[i])); j++)
            needed[test->nodes[i].inputs[j]] = true;
    }
    case_keep_nodes(test, needed);
    for (size_t i = test->event_count; i-- > 0;)
        if (!test->events[i].is_advance && !reads_topic(test, test->events[i].topic))
            remove_events(test, i, 1);
}

/* What took `node` takes `other`, an earlier one; false where that does not fit. */
static bool replace(struct test_case *test, size_t node, size_t other)
{
    if (node_operator(&test->nodes[other])->gives != node_operator(&test->nodes[node])->gives)
        return false;
    for (size_t i = node + 1; i < test->node_count; i++)
        for (size_t j = 0; j < operator_inputs(node_operator(&test->nodes[i])); j++)
            if (test->nodes[i].inputs[j] == node)
                test->nodes[i].inputs[j] = other;
    if (!case_is_well_formed(test))
        return false;
    prune(test);
    return true;
}

static bool without_output(struct test_case *test, size_t node)
{
    memmove(&test->nodes[node], &test->nodes[node + 1], (test->node_count - node - 1) * sizeof test->nodes[0]);
    test->node_count--;
    for (size_t i = node; i < test->node_count; i++)
        for (size_t j = 0; j < operator_inputs(node_operator(&test->nodes[i])); j++)
            if (test->nodes[i].inputs[j] > node)
                test->nodes[i].inputs[j]--;
    prune(test);
    return test->node_count > 0;
}

/* ---- trying ---------------------------------------------------------------------------------------------------------------- */

static bool keep_if_it_shows(struct shrinking *shrinking, const struct test_case *smaller)
{
    if (shrinking->checks <= 0)
        return false;
    shrinking->checks--;
    if (!shrinking->check(shrinking->ctx, smaller))
        return false;
    *shrinking->test = *smaller;
    return true;
}

static bool try_events(struct shrinking *shrinking)
{
    bool changed = false;
    for (size_t chunk = shrinking->test->event_count; chunk > 0; chunk /= 2) {
        for (size_t end = shrinking->test->event_count; end >= chunk; end -= end > chunk ? chunk : end) {
            struct test_case smaller = *shrinking->test;
            if (end > smaller.event_count || chunk == smaller.event_count)
                continue;
            remove_events(&smaller, end - chunk, chunk);
            changed |= keep_if_it_shows(shrinking, &smaller);
        }
    }
    return changed;
}

static bool try_node(struct shrinking *shrinking, size_t node)
{
    const struct operator_type *type = node_operator(&shrinking->test->nodes[node]);
    struct test_case smaller;
    for (size_t other = 0; other < node && type->gives != KIND_NONE; other++) {
        smaller = *shrinking->test;
        if (replace(&smaller, node, other) && keep_if_it_shows(shrinking, &smaller))
            return true;
    }
    smaller = *shrinking->test;
    return type->gives == KIND_NONE && without_output(&smaller, node) && keep_if_it_shows(shrinking, &smaller);
}

static bool try_nodes(struct shrinking *shrinking)
{
    bool changed = false;
    for (size_t node = shrinking->test->node_count; node-- > 0;)
        changed |= node < shrinking->test->node_count && try_node(shrinking, node);
    return changed;
}

static bool try_parameter(struct shrinking *shrinking, size_t node, size_t at)
{
    const struct parameter *range = &node_operator(&shrinking->test->nodes[node])->parameters[at];
    int64_t now = shrinking->test->nodes[node].parameters[at];
    int64_t smaller_ones[] = { range->least, 5, now / 2 };
    for (size_t i = 0; i < 3; i++) {
        struct test_case smaller = *shrinking->test;
        if (smaller_ones[i] < range->least || smaller_ones[i] >= now)
            continue;
        smaller.nodes[node].parameters[at] = smaller_ones[i];
        if (keep_if_it_shows(shrinking, &smaller))
            return true;
    }
    return false;
}

static bool try_parameters(struct shrinking *shrinking)
{
    bool changed = false;
    for (size_t node = 0; node < shrinking->test->node_count; node++) {
        const struct operator_type *type = node_operator(&shrinking->test->nodes[node]);
        for (size_t i = 0; i < operator_parameters(type) && operator_inputs(type) > 0; i++)
            changed |= try_parameter(shrinking, node, i);
    }
    return changed;
}

static bool try_properties(struct shrinking *shrinking)
{
    struct test_case smaller = *shrinking->test;
    smaller.cache = false;
    bool changed = shrinking->test->cache && keep_if_it_shows(shrinking, &smaller);
    smaller = *shrinking->test;
    smaller.memory = true;
    return (!shrinking->test->memory && keep_if_it_shows(shrinking, &smaller)) || changed;
}

void shrink_case(struct test_case *test, shrink_check check, void *ctx, int checks)
{
    struct shrinking shrinking = { test, check, ctx, checks };
    bool changed = true;
    while (changed && shrinking.checks > 0) {
        changed = try_events(&shrinking);
        changed |= try_nodes(&shrinking);
        changed |= try_parameters(&shrinking);
        changed |= try_properties(&shrinking);
    }
}
