/*
 * Operators over stores that hold a stranger's bytes: what a changelog that was written to from outside can put there. A buffer
 * of a suppression, one of a stream-table join with grace, the unmatched of an outer join, and subscriptions by foreign keys.
 *
 * The first byte chooses the store, the second is the length of the key, the rest the value. Records follow that make each
 * operator read what is there; afterwards the task is opened again on it, which reads buffers as a whole.
 */
#include "base/assert.h"
#include "base/trace.h"
#include "fuzz/fuzz.h"
#include "millstream/millstream.h"
#include "millstream/test_driver.h"

static int both(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_is_null(left) ? right : left;
    return 0;
}

static int first_byte(const mill_record *row, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = row->value.len == 0 ? mill_null() : mill_bytes_of(row->value.data, 1);
    return 0;
}

static void build(mill_topology *t)
{
    mill_stream *in = mill_topology_stream(t, "in", NULL);
    mill_grouped *grouped = mill_stream_group_by_key(in);
    mill_suppressed suppressed = mill_suppress_until_time_limit(10, mill_suppress_unbounded());
    suppressed.name = "held";
    mill_table_to(mill_table_suppress(mill_grouped_count(grouped, mill_as("counts")), suppressed), "held");

    mill_table *versions = mill_topology_table(t, "rows", NULL, mill_as_versioned("rows", 100));
    mill_joined grace = mill_joined_as("grace");
    grace.grace_ms = 10;
    mill_stream_to(mill_stream_left_join_table(in, versions, both, NULL, grace), "late");

    mill_stream *other = mill_topology_stream(t, "other", NULL);
    mill_joined pairs = mill_joined_as("pairs");
    pairs.store_name = "pairs";
    mill_stream_to(mill_stream_outer_join(in, other, both, NULL, mill_join_within(5, 0), pairs), "pairs");

    mill_table *left = mill_topology_table(t, "left", NULL, mill_as("left"));
    mill_table *right = mill_topology_table(t, "right", NULL, mill_as("right"));
    mill_table_to(mill_table_foreign_key_join(left, right, first_byte, both, NULL, mill_joined_as("fk"), mill_as("joined")),
                  "fk");
}

static const char *const STORES[] = { "held-store", "grace-Buffer", "pairs-outer-shared-join-store", "fk-subscription-store",
                                      "rows",       "left" };

static void pipe(mill_test_driver *driver, const char *topic, mill_bytes key, const char *value, int64_t timestamp_ms)
{
    mill_record record = { .key = key, .value = mill_string(value), .timestamp_ms = timestamp_ms };
    (void)!mill_test_driver_pipe(driver, topic, &record);
}

static void drain(mill_test_driver *driver)
{
    static const char *const TOPICS[] = { "held", "late", "pairs", "fk" };
    mill_record record;
    for (size_t i = 0; i < sizeof TOPICS / sizeof TOPICS[0]; i++)
        while (mill_test_driver_read(driver, TOPICS[i], &record) == 1) {
            fuzz_touch(record.key.data, record.key.len);
            fuzz_touch(record.value.data, record.value.len);
            for (size_t h = 0; h < record.header_count; h++) {
                fuzz_touch(record.headers[h].key.data, record.headers[h].key.len);
                fuzz_touch(record.headers[h].value.data, record.headers[h].value.len);
            }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static mill_topology *topology;
    if (topology == NULL) {
        trace_set_level(TRACE_OFF);
        topology = mill_topology_new();
        mill_assert(topology != NULL);
        build(topology);
    }
    if (len < 2 || data[1] > len - 2)
        return 0;
    mill_bytes key = mill_bytes_of(data + 2, data[1]);
    mill_bytes value = mill_bytes_of(data + 2 + data[1], len - 2 - data[1]);
    mill_test_driver *driver = mill_test_driver_new(topology, NULL, 0);
    mill_assert(driver != NULL && mill_test_driver_error(driver)[0] == '\0');
    mill_store *store = mill_test_driver_store(driver, STORES[data[0] % (sizeof STORES / sizeof STORES[0])]);
    mill_assert(store != NULL);
    if (store->builder->kind == MILL_STORE_KEY_VALUE)
        (void)!mill_key_value_put(store, key, value, 5);
    else
        (void)!mill_versioned_put(store, key, value, 5, NULL);
    if (data[0] & 0x80)
        (void)!mill_test_driver_restart(driver, MILL_RESTART_CLEAN);
    pipe(driver, "in", key, "v", 6);
    pipe(driver, "left", key, "r", 7);
    pipe(driver, "right", value.len > 0 ? mill_bytes_of(value.data, 1) : key, "x", 8);
    pipe(driver, "rows", key, "w", 5);
    pipe(driver, "other", key, "y", 9);
    pipe(driver, "in", mill_string("k"), "v", 1000);
    pipe(driver, "other", mill_string("k"), "v", 2000);
    drain(driver);
    (void)!mill_test_driver_restart(driver, MILL_RESTART_STATE_LOST);
    pipe(driver, "in", key, "v", 3000);
    drain(driver);
    mill_test_driver_free(driver);
    return 0;
}
