/*
 * Short words for tests of operators: a topology in the test driver, records and results as text.
 *
 *     struct pipeline p = pipeline_begin();
 *     mill_stream_to(..., "out");
 *     pipeline_start(&p);
 *     pipeline_pipe(&p, "in", "k", "a", 10);
 *     expect(&p, "k=a@10");
 *
 * `k=a@10` is key, value and timestamp; `~` is null. expect reads all that is in topic "out" so far, records separated by one
 * blank. Windowed keys print as `k[0,10)`, counts as their number: pipeline_shows says which.
 */
#ifndef OPERATORS_PIPELINE_H
#define OPERATORS_PIPELINE_H

#include "support/cmocka_all.h"

#include <inttypes.h>
#include <stdio.h>

#include "millstream/millstream.h"
#include "millstream/test_driver.h"

struct pipeline {
    mill_topology *topology;
    mill_test_driver *driver;
    int64_t window_ms;         /* of the keys in "out"; 0: they are plain */
    bool sessions;             /* they are those of sessions */
    bool longs;                /* the values in "out" are counts */
    bool hides_deletion_times; /* they print as "@-" */
    char text[4096];
};

static inline struct pipeline pipeline_begin(void)
{
    struct pipeline p = { .topology = mill_topology_new() };
    assert_non_null(p.topology);
    return p;
}

static inline mill_stream *pipeline_in(struct pipeline *p)
{
    return mill_topology_stream(p->topology, "in", NULL);
}

static inline void pipeline_shows(struct pipeline *p, int64_t window_ms, bool longs)
{
    p->window_ms = window_ms;
    p->longs = longs;
}

static inline void pipeline_ok(struct pipeline *p, int code)
{
    if (code < 0)
        fail_msg("%s: %s", mill_error_text(code), mill_test_driver_error(p->driver));
}

/* `properties`: name, value, ..., NULL. */
static inline void pipeline_start_with(struct pipeline *p, const char *const *properties)
{
    p->driver = mill_test_driver_new(p->topology, properties, 0);
    assert_non_null(p->driver);
}

/* With every cache as the topology says. */
static inline void pipeline_start(struct pipeline *p)
{
    pipeline_start_with(p, NULL);
}

static inline void pipeline_end(struct pipeline *p)
{
    mill_test_driver_free(p->driver);
    mill_topology_free(p->topology);
}

/* NULL text is null. */
static inline int pipeline_try(struct pipeline *p, const char *topic, const char *key, const char *value, int64_t timestamp_ms)
{
    mill_record record = { .key = mill_string(key), .value = mill_string(value), .timestamp_ms = timestamp_ms };
    return mill_test_driver_pipe(p->driver, topic, &record);
}

static inline void pipeline_pipe(struct pipeline *p, const char *topic, const char *key, const char *value, int64_t timestamp_ms)
{
    pipeline_ok(p, pipeline_try(p, topic, key, value, timestamp_ms));
}

static inline size_t print_bytes(char *out, size_t room, mill_bytes bytes)
{
    return (size_t)(mill_is_null(bytes) ? snprintf(out, room, "~")
                                        : snprintf(out, room, "%.*s", (int)bytes.len, (const char *)bytes.data));
}

static inline size_t print_key(const struct pipeline *p, char *out, size_t room, mill_bytes key)
{
    mill_windowed_key windowed;
    if (p->sessions && mill_session_window_read(key, &windowed)) {
        size_t inner = print_bytes(out, room, windowed.key);
        return inner +
               (size_t)snprintf(out + inner, room - inner, "[%" PRId64 ",%" PRId64 "]", windowed.start_ms, windowed.end_ms);
    }
    if (p->window_ms == 0 || !mill_time_window_read(key, p->window_ms, &windowed))
        return print_bytes(out, room, key);
    size_t len = print_bytes(out, room, windowed.key);
    return len + (size_t)snprintf(out + len, room - len, "[%" PRId64 ",%" PRId64 ")", windowed.start_ms, windowed.end_ms);
}

static inline size_t print_value(const struct pipeline *p, char *out, size_t room, mill_bytes value)
{
    int64_t number;
    if (p->longs && mill_int64_read(value, &number))
        return (size_t)snprintf(out, room, "%" PRId64, number);
    return print_bytes(out, room, value);
}

/* All that `topic` has, as text; lives until the next call. */
static inline const char *pipeline_read(struct pipeline *p, const char *topic)
{
    char *at = p->text;
    size_t room = sizeof p->text;
    p->text[0] = '\0';
    mill_record record;
    int code;
    while ((code = mill_test_driver_read(p->driver, topic, &record)) == 1) {
        size_t len = (size_t)snprintf(at, room, "%s", at == p->text ? "" : " ");
        len += print_key(p, at + len, room - len, record.key);
        len += (size_t)snprintf(at + len, room - len, "=");
        len += print_value(p, at + len, room - len, record.value);
        if (p->hides_deletion_times && mill_is_null(record.value))
            len += (size_t)snprintf(at + len, room - len, "@-");
        else
            len += (size_t)snprintf(at + len, room - len, "@%" PRId64, record.timestamp_ms);
        assert_true(len < room);
        at += len;
        room -= len;
    }
    pipeline_ok(p, code);
    return p->text;
}

#define expect(p, text)                  assert_string_equal(pipeline_read((p), "out"), (text))
#define expect_dropped(p, reason, count) assert_int_equal(mill_test_driver_dropped((p)->driver, (reason)), (count))

/* Pipes k=`value`@`timestamp` into "in" and looks at "out". */
#define step(p, key, value, timestamp_ms, text)                   \
    do {                                                          \
        pipeline_pipe((p), "in", (key), (value), (timestamp_ms)); \
        expect((p), (text));                                      \
    } while (0)

/* ---- functions that many pipelines use ----------------------------------------------------------------------------------- */

static inline int concatenate(mill_bytes *aggregate, mill_bytes value, mill_context *context, void *ctx)
{
    size_t len = aggregate->len + value.len;
    uint8_t *joined = mill_context_alloc(context, len + 1);
    if (joined == NULL)
        return MILL_ENOMEM;
    if (aggregate->len > 0)
        memcpy(joined, aggregate->data, aggregate->len);
    if (value.len > 0)
        memcpy(joined + aggregate->len, value.data, value.len);
    *aggregate = mill_bytes_of(joined, len);
    return 0;
}

static inline int to_value(const mill_record *record, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = record->value;
    return 0;
}

/* Every update is forwarded at once. */
static inline mill_materialized uncached(const char *name)
{
    mill_materialized materialized = mill_as(name);
    materialized.without_cache = true;
    return materialized;
}

#endif
