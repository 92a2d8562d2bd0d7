#include "conformance/run.h"

#include <stdlib.h>

#include "conformance/operators.h"
#include "millstream/test_driver.h"

static void build_topology(const struct test_case *test, enum fault fault, mill_topology *topology)
{
    struct build build = { .topology = topology, .test = test, .fault = fault };
    for (size_t i = 0; i < test->node_count; i++)
        build.handles[i] = node_operator(&test->nodes[i])->build(&build, &test->nodes[i]);
}

static bool is_output(const struct test_case *test, size_t node)
{
    return node_operator(&test->nodes[node])->gives == KIND_NONE;
}

static void fail(struct result *result, int event, const char *text)
{
    result->error_event = event;
    snprintf(result->error, sizeof result->error, "%s", text);
}

static void add(struct result *result, int event, size_t node, const mill_record *record)
{
    char *key = result_print_bytes(record->key.data, record->key.len);
    char *value = result_print_bytes(record->value.data, record->value.len);
    result_add(result, event, (int)node, key, value, record->timestamp_ms);
    free(key);
    free(value);
}

static void reverse(struct result *result, size_t from)
{
    for (size_t i = from, j = result->count; i + 1 < j; i++) {
        struct result_output output = result->outputs[--j];
        result->outputs[j] = result->outputs[i];
        result->outputs[i] = output;
    }
}

static void read_outputs(mill_test_driver *driver, const struct test_case *test, enum fault fault, int event,
                         struct result *result)
{
    for (size_t node = 0; node < test->node_count; node++) {
        char topic[32];
        mill_record record;
        size_t before = result->count;
        snprintf(topic, sizeof topic, "out%zu", node);
        while (is_output(test, node) && mill_test_driver_read(driver, topic, &record) == 1) {
            if (fault == FAULT_TIMESTAMP && !test->events[event].is_advance)
                record.timestamp_ms = test->events[event].time_ms;
            add(result, event, node, &record);
        }
        if (fault == FAULT_ORDER)
            reverse(result, before);
    }
}

static int happen(mill_test_driver *driver, const struct case_event *event)
{
    if (event->is_advance)
        return mill_test_driver_advance(driver, event->time_ms);
    char topic[32];
    snprintf(topic, sizeof topic, "in%d", event->topic);
    mill_record record = { .key = case_word_bytes(&event->key),
                           .value = case_word_bytes(&event->value),
                           .timestamp_ms = event->time_ms };
    return mill_test_driver_pipe(driver, topic, &record);
}

static int happen_faulty(mill_test_driver *driver, const struct case_event *event, size_t number)
{
    mill_test_driver_auto_commit(driver, false);
    int code = happen(driver, event);
    return code == 0 && number % 2 == 1 ? mill_test_driver_commit(driver) : code;
}

static void run_events(mill_test_driver *driver, const struct test_case *test, enum fault fault, struct result *result)
{
    for (size_t i = 0; i < test->event_count; i++) {
        int code = fault == FAULT_COMMIT ? happen_faulty(driver, &test->events[i], i) : happen(driver, &test->events[i]);
        if (code < 0) {
            fail(result, (int)i, mill_test_driver_error(driver));
            return;
        }
        read_outputs(driver, test, fault, (int)i, result);
    }
    result->dropped = mill_test_driver_dropped(driver, NULL);
}

void run_case(const struct test_case *test, enum fault fault, struct result *result)
{
    result_init(result, test->number);
    mill_topology *topology = mill_topology_new();
    build_topology(test, fault, topology);
    const char *properties[] = { "statestore.cache.max.bytes", test->cache ? "10000000" : "0", "mill.compat", "kafka", NULL };
    mill_test_driver *driver = mill_test_driver_new(topology, properties, 0);
    if (mill_test_driver_commit(driver) < 0)
        fail(result, -1, mill_test_driver_error(driver));
    else
        run_events(driver, test, fault, result);
    mill_test_driver_free(driver);
    mill_topology_free(topology);
}
