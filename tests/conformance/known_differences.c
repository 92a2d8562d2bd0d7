#include "conformance/known_differences.h"

#include <string.h>

#include "conformance/operators.h"

/* ---- windows that only a cache still has ----------------------------------------------------------------------------------- */

static bool is(const struct case_node *node, const char *name)
{
    return strcmp(node_operator(node)->name, name) == 0;
}

static bool is_windowed_aggregation(const struct case_node *node)
{
    enum kind takes = node_operator(node)->takes[0];
    return node_operator(node)->gives == KIND_TABLE && (takes == KIND_TIME_WINDOWED || takes == KIND_SESSION_WINDOWED ||
                                                        takes == KIND_WINDOWED_COGROUPED || takes == KIND_SESSION_COGROUPED);
}

/* Where an operator's table is read by key: by joins, over tables that have no store of their own. */
static bool is_read(const struct test_case *test, size_t table)
{
    for (size_t i = table + 1; i < test->node_count; i++)
        for (size_t j = 0; j < operator_inputs(node_operator(&test->nodes[i])); j++) {
            const struct operator_type *type = node_operator(&test->nodes[i]);
            if (test->nodes[i].inputs[j] != table || type->takes[j] != KIND_TABLE)
                continue;
            if (strstr(type->name, "join") != NULL || (type->gives == KIND_TABLE && is_read(test, i)))
                return true;
        }
    return false;
}

/* The least and the largest time of the input. */
static int64_t input_span_ms(const struct test_case *test)
{
    int64_t first_ms = INT64_MAX, last_ms = 0;
    for (size_t i = 0; i < test->event_count; i++) {
        if (test->events[i].is_advance)
            continue;
        first_ms = test->events[i].time_ms < first_ms ? test->events[i].time_ms : first_ms;
        last_ms = test->events[i].time_ms > last_ms ? test->events[i].time_ms : last_ms;
    }
    return last_ms - first_ms;
}

/*
 * How long the input has to be for a window to expire while it matters. Size, or gap, and grace of an aggregation are how long
 * its store keeps windows unless it is told more, counted from where they begin, which may be a size before the input.
 */
static int64_t least_span_ms(const struct test_case *test, const struct case_node *node)
{
    const struct case_node *windows = &test->nodes[node->inputs[0]];
    while (strstr(node_operator(windows)->name, "on_close") != NULL)
        windows = &test->nodes[windows->inputs[0]];
    int64_t size_ms = windows->parameters[0], grace_ms = windows->parameters[is(windows, "hopping") ? 2 : 1];
    size_t last = operator_parameters(node_operator(node)) - 1;
    int64_t more_ms = node_operator(node)->parameters[last].is_time ? node->parameters[last] : 0;
    return grace_ms + (more_ms > size_ms ? more_ms : size_ms);
}

/* A session is read by what comes to it late, and merges or deletes it; several streams of a cogroup each have their own time. */
static bool meets_expired_windows(const struct test_case *test, size_t at)
{
    const struct case_node *node = &test->nodes[at];
    if (!test->cache || !is_windowed_aggregation(node) || input_span_ms(test) < least_span_ms(test, node))
        return false;
    return node_operator(node)->takes[0] != KIND_TIME_WINDOWED || is_read(test, at);
}

/* ---- all ------------------------------------------------------------------------------------------------------------------- */

const struct known_difference KNOWN_DIFFERENCES[KNOWN_DIFFERENCES_MAX] = {
    { "KAFKA-12960",
      "Stores enforce their retention, but their caches do not: a window that has expired is still read, merged and "
      "updated while the cache happens to have it, and deleted without a word. What comes out depends on how full the cache is. "
      "Ours forgets it when it has expired.",
      meets_expired_windows },
};
const size_t KNOWN_DIFFERENCE_COUNT = 1;

const struct known_difference *known_difference_of(const struct test_case *test)
{
    for (size_t i = 0; i < KNOWN_DIFFERENCE_COUNT; i++)
        for (size_t node = 0; node < test->node_count; node++)
            if (KNOWN_DIFFERENCES[i].begins_at(test, node))
                return &KNOWN_DIFFERENCES[i];
    return NULL;
}

void known_difference_reach(const struct test_case *test, bool reached[CASE_NODES_MAX])
{
    for (size_t node = 0; node < test->node_count; node++) {
        reached[node] = false;
        for (size_t i = 0; i < KNOWN_DIFFERENCE_COUNT; i++)
            reached[node] |= KNOWN_DIFFERENCES[i].begins_at(test, node);
        for (size_t i = 0; i < operator_inputs(node_operator(&test->nodes[node])); i++)
            reached[node] |= reached[test->nodes[node].inputs[i]];
    }
}
