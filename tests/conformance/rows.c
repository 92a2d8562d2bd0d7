#include "conformance/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/operators.h"
#include "millstream/test_driver.h"

static bool is_table(const struct test_case *test, size_t node)
{
    return node_operator(&test->nodes[node])->gives == KIND_TABLE;
}

bool rows_topic(const struct test_case *test, size_t node, char topic[ROWS_TOPIC_BYTES])
{
    snprintf(topic, ROWS_TOPIC_BYTES, "%s%zu", is_table(test, node) ? "rows" : "out", node);
    return is_table(test, node) || node_operator(&test->nodes[node])->gives == KIND_NONE;
}

void rows_build(const struct test_case *test, mill_topology *topology)
{
    struct build build = { .topology = topology, .test = test };
    for (size_t i = 0; i < test->node_count; i++)
        build.handles[i] = node_operator(&test->nodes[i])->build(&build, &test->nodes[i]);
    for (size_t i = 0; i < test->node_count; i++) {
        char topic[ROWS_TOPIC_BYTES];
        if (rows_topic(test, i, topic) && is_table(test, i))
            mill_table_to(build.handles[i], topic);
    }
}

/* A row's timestamp is its number here: the last one counts. */
void rows_add(const struct test_case *test, size_t node, int partition, const mill_record *record, struct result *result)
{
    char number[24];
    mill_bytes shown = is_table(test, node) ? settled_row(test, node, record->value, number) : record->value;
    char *key = result_print_bytes(record->key.data, record->key.len);
    char *value = result_print_bytes(shown.data, shown.len);
    int64_t time_ms = is_table(test, node) ? (int64_t)result->count : record->timestamp_ms;
    result_add(result, is_table(test, node) ? partition : 0, (int)node, key, value, time_ms);
    free(key);
    free(value);
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* By node and key; then rows as they came. */
static int by_key(const void *left, const void *right)
{
    const struct result_output *a = left, *b = right;
    if (a->topic != b->topic)
        return order(a->topic, b->topic);
    int keys = strcmp(a->key, b->key);
    return keys != 0 ? keys : order(a->timestamp_ms, b->timestamp_ms);
}

static int by_content(const void *left, const void *right)
{
    const struct result_output *a = left, *b = right;
    if (a->topic != b->topic)
        return order(a->topic, b->topic);
    int keys = strcmp(a->key, b->key), values = strcmp(a->value, b->value);
    return keys != 0 ? keys : values != 0 ? values : order(a->timestamp_ms, b->timestamp_ms);
}

static bool is_same_key(const struct result_output *a, const struct result_output *b)
{
    return a->topic == b->topic && strcmp(a->key, b->key) == 0;
}

static bool is_last_of_key(const struct result *result, size_t at)
{
    return at + 1 == result->count || !is_same_key(&result->outputs[at], &result->outputs[at + 1]);
}

/* Rows of one key belong into one partition. */
static void mark_stray(struct result *result, size_t at)
{
    struct result_output *output = &result->outputs[at];
    if (is_last_of_key(result, at) || output->event == output[1].event)
        return;
    free(output[1].value);
    output[1].value = strdup("in-two-partitions");
    output[1].event = output->event;
}

void rows_finish(const struct test_case *test, struct result *result)
{
    size_t count = 0;
    if (result->count > 0)
        qsort(result->outputs, result->count, sizeof *result->outputs, by_key);
    for (size_t i = 0; i < result->count; i++) {
        struct result_output output = result->outputs[i];
        bool row = is_table(test, (size_t)output.topic);
        if (row)
            mark_stray(result, i);
        if (row && (!is_last_of_key(result, i) || output.value[0] == '~')) {
            free(output.key);
            free(output.value);
            continue;
        }
        output.event = 0;
        output.timestamp_ms = row ? 0 : output.timestamp_ms;
        result->outputs[count++] = output;
    }
    result->count = count;
    if (count > 0)
        qsort(result->outputs, count, sizeof *result->outputs, by_content);
}

/* ---- one partition --------------------------------------------------------------------------------------------------------- */

static int pipe_all(mill_test_driver *driver, const struct test_case *test)
{
    int code = mill_test_driver_commit(driver);
    for (size_t i = 0; code == 0 && i < test->event_count; i++) {
        const struct case_event *event = &test->events[i];
        char topic[ROWS_TOPIC_BYTES];
        snprintf(topic, sizeof topic, "in%d", event->topic);
        mill_record record = { .key = case_word_bytes(&event->key),
                               .value = case_word_bytes(&event->value),
                               .timestamp_ms = event->time_ms };
        code = mill_test_driver_pipe(driver, topic, &record);
    }
    return code;
}

int rows_of_driver(const struct test_case *test, struct result *result)
{
    static const char *const PROPERTIES[] = { "statestore.cache.max.bytes", "0", NULL };
    mill_topology *topology = mill_topology_new();
    result_init(result, test->number);
    rows_build(test, topology);
    mill_test_driver *driver = mill_test_driver_new(topology, PROPERTIES, 0);
    int code = pipe_all(driver, test);
    if (code < 0)
        snprintf(result->error, sizeof result->error, "%s", mill_test_driver_error(driver));
    for (size_t i = 0; code == 0 && i < test->node_count; i++) {
        char topic[ROWS_TOPIC_BYTES];
        mill_record record;
        while (rows_topic(test, i, topic) && mill_test_driver_read(driver, topic, &record) == 1)
            rows_add(test, i, 0, &record, result);
    }
    mill_test_driver_free(driver);
    mill_topology_free(topology);
    rows_finish(test, result);
    return code < 0 ? -1 : 0;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------- */

bool rows_equal(const struct result *a, const struct result *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (by_content(&a->outputs[i], &b->outputs[i]) != 0)
            return false;
    return true;
}

static void print_row(const char *who, const struct result_output *row, FILE *to)
{
    fprintf(to, "    %s node %d %s=%s@%" PRId64 "\n", who, row->topic, row->key, row->value, row->timestamp_ms);
}

void rows_print_difference(const struct result *driver, const struct result *engine, FILE *to)
{
    size_t a = 0, b = 0;
    while (a < driver->count || b < engine->count) {
        int compared = a == driver->count ? 1 : b == engine->count ? -1 : by_content(&driver->outputs[a], &engine->outputs[b]);
        if (compared < 0)
            print_row("one partition only:  ", &driver->outputs[a], to);
        if (compared > 0)
            print_row("four partitions only:", &engine->outputs[b], to);
        a += compared <= 0;
        b += compared >= 0;
    }
}
