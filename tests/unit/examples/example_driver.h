/*
 * An example as it is shipped, run by the test driver: the test includes its main.c, whose main() then builds the topology and
 * hands it to the mill_main_with below instead of the library's.
 *
 *     #include "unit/examples/example_driver.h"
 *     #include "page_views/main.c"
 *     #undef main
 */
#ifndef EXAMPLES_EXAMPLE_DRIVER_H
#define EXAMPLES_EXAMPLE_DRIVER_H

#include <inttypes.h>
#include <stdio.h>

#include "millstream/millstream.h"
#include "millstream/test_driver.h"

int example_main(int argc, char **argv);
#define main example_main

static struct {
    mill_topology *topology;
    mill_test_driver *driver;
} example;

int mill_main_with(int argc, char **argv, const char *application_id, mill_topology *topology, const char *const *defaults)
{
    assert_int_equal(argc, 1);
    example.topology = topology;
    example.driver = mill_test_driver_new(topology, defaults, 0);
    assert_non_null(example.driver);
    return 0;
}

static inline void example_pipe_keyed(const char *topic, const char *key, const char *line)
{
    mill_record record = { .key = mill_string(key), .value = mill_string(line), .timestamp_ms = 1 };
    if (mill_test_driver_pipe(example.driver, topic, &record) < 0)
        fail_msg("%s", mill_test_driver_error(example.driver));
}

static inline void example_pipe(const char *topic, const char *line)
{
    example_pipe_keyed(topic, NULL, line);
}

/* What a topic has got since the last call, as "key@minute=count ", minutes since 1970. */
static inline const char *example_read(const char *topic)
{
    static char text[1024];
    size_t len = 0;
    mill_record record;
    text[0] = '\0';
    while (mill_test_driver_read(example.driver, topic, &record) == 1) {
        mill_windowed_key key = { 0 };
        int64_t count = -1;
        assert_true(mill_time_window_read(record.key, MILL_MINUTES(1), &key));
        assert_true(mill_int64_read(record.value, &count));
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s@%" PRId64 "=%" PRId64 " ", (int)key.key.len,
                                (const char *)key.key.data, key.start_ms / MILL_MINUTES(1), count);
        assert_true(len < sizeof text);
    }
    return text;
}

/* The same where values are text, as "key=value ", or "key@window=value " for windows of that length, numbered from 1970. */
static inline const char *example_read_text(const char *topic, int64_t window_ms)
{
    static char text[4096];
    size_t len = 0;
    mill_record record;
    text[0] = '\0';
    while (mill_test_driver_read(example.driver, topic, &record) == 1) {
        mill_windowed_key key = { .key = record.key };
        char window[32] = "";
        if (window_ms > 0) {
            assert_true(mill_time_window_read(record.key, window_ms, &key));
            snprintf(window, sizeof window, "@%" PRId64, key.start_ms / window_ms);
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s%s=%.*s ", (int)key.key.len, (const char *)key.key.data,
                                window, (int)record.value.len, (const char *)record.value.data);
        assert_true(len < sizeof text);
    }
    return text;
}

static inline int example_end(void **state)
{
    mill_test_driver_free(example.driver);
    mill_topology_free(example.topology);
    return 0;
}

#endif
