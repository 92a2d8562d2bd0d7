/* Global tables: joined by any key, filled before anything else, kept on disk between runs. */
#include "unit/operators/pipeline.h"

#include "support/temp_dir.h"
#include "topology/topology.h"

static int plus(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = left;
    int code = concatenate(result, mill_string("+"), context, NULL);
    return code < 0 ? code : concatenate(result, mill_is_null(right) ? mill_string("~") : right, context, NULL);
}

static mill_stream *build(struct pipeline *p, bool left, mill_materialized materialized)
{
    mill_global_table *rows = mill_topology_global_table(p->topology, "rows", NULL, materialized);
    mill_stream *stream = pipeline_in(p);
    stream = left ? mill_stream_left_join_global_table(stream, rows, to_value, plus, NULL, mill_joined_as(NULL))
                  : mill_stream_join_global_table(stream, rows, to_value, plus, NULL, mill_joined_as(NULL));
    mill_stream_to(stream, "out");
    return stream;
}

static struct pipeline begin(bool left)
{
    struct pipeline p = pipeline_begin();
    build(&p, left, mill_as("rows"));
    pipeline_start(&p);
    return p;
}

static void rows_are_found_by_the_key_that_the_mapper_makes(void **state)
{
    struct pipeline p = begin(false);
    pipeline_pipe(&p, "rows", "jfk", "New York", 100);
    step(&p, "flight", "jfk", 5, "flight=jfk+New York@5");
    step(&p, "flight", "sfo", 6, "");
    step(&p, NULL, "jfk", 7, "~=jfk+New York@7");
    step(&p, "flight", NULL, 8, "");
    expect_dropped(&p, "null-value", 1);
    pipeline_pipe(&p, "rows", "jfk", NULL, 1);
    step(&p, "flight", "jfk", 9, "");
    pipeline_pipe(&p, "rows", NULL, "nowhere", 1);
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

static void a_left_join_goes_on_without_a_row(void **state)
{
    struct pipeline p = begin(true);
    step(&p, "flight", "sfo", 6, "flight=sfo+~@6");
    step(&p, "flight", NULL, 8, "");
    expect_dropped(&p, NULL, 1);
    pipeline_end(&p);
}

static void a_repartition_topic_before_a_left_join_lets_null_keys_through(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_global_table *rows = mill_topology_global_table(p.topology, "rows", NULL, mill_as(NULL));
    mill_stream *stream = mill_stream_repartition(pipeline_in(&p), "again", 0);
    mill_stream_to(mill_stream_left_join_global_table(stream, rows, to_value, plus, NULL, mill_joined_as(NULL)), "out");
    pipeline_start(&p);
    step(&p, NULL, "x", 1, "~=x+~@1");
    pipeline_end(&p);
}

static int look_up(mill_context *context, void *self, const mill_record *record)
{
    mill_bytes value;
    int found = mill_key_value_get(mill_context_store(context, "rows"), record->key, &value, NULL);
    mill_record result = *record;
    result.value = value;
    return found < 0 ? found : mill_forward(context, &result);
}

static void every_processor_may_read_a_global_table_by_its_name(void **state)
{
    static const mill_processor_type TYPE = { .name = "look-up", .process = look_up };
    struct pipeline p = pipeline_begin();
    mill_topology_global_table(p.topology, "rows", NULL, mill_as("rows"));
    mill_stream_to(mill_stream_process(pipeline_in(&p), (mill_processor_supplier){ .type = &TYPE }, NULL, 0), "out");
    pipeline_start(&p);
    pipeline_pipe(&p, "rows", "k", "row", 1);
    step(&p, "k", "x", 2, "k=row@2");
    pipeline_end(&p);
}

/* ---- between runs -------------------------------------------------------------------------------------------------------- */

static struct pipeline begin_on_disk(struct temp_dir *directory, mill_materialized materialized)
{
    struct pipeline p = pipeline_begin();
    build(&p, false, materialized);
    p.driver = mill_test_driver_new(p.topology, (const char *[]){ "state.dir", directory->path, NULL }, 0);
    assert_non_null(p.driver);
    return p;
}

static void the_next_start_reads_only_what_came_since(void **state)
{
    struct temp_dir directory;
    temp_dir_init(&directory);
    struct pipeline p = begin_on_disk(&directory, mill_as("rows"));
    pipeline_pipe(&p, "rows", "jfk", "New York", 1);
    pipeline_pipe(&p, "rows", NULL, "counted when it is read", 1);
    expect_dropped(&p, "null-key", 1);
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CLEAN));
    expect_dropped(&p, "null-key", 0);
    step(&p, "flight", "jfk", 5, "flight=jfk+New York@5");
    pipeline_pipe(&p, "rows", "sfo", "San Francisco", 1);
    step(&p, "flight", "sfo", 5, "flight=sfo+San Francisco@5");
    pipeline_end(&p);
    temp_dir_release(&directory);
}

static void what_was_not_on_disk_is_read_again(void **state, mill_test_restart how, mill_materialized materialized)
{
    struct temp_dir directory;
    temp_dir_init(&directory);
    struct pipeline p = begin_on_disk(&directory, materialized);
    pipeline_pipe(&p, "rows", "jfk", "Idlewild", 1);
    pipeline_ok(&p, mill_test_driver_restart(p.driver, MILL_RESTART_CLEAN));
    pipeline_pipe(&p, "rows", "jfk", "New York", 1);
    pipeline_pipe(&p, "rows", "sfo", "San Francisco", 1);
    pipeline_pipe(&p, "rows", "sfo", NULL, 1);
    pipeline_ok(&p, mill_test_driver_restart(p.driver, how));
    step(&p, "flight", "jfk", 5, "flight=jfk+New York@5");
    step(&p, "flight", "sfo", 5, "");
    pipeline_end(&p);
    temp_dir_release(&directory);
}

static void rows_are_there_after_a_crash_and_after_the_loss_of_the_disk(void **state)
{
    mill_materialized in_memory = mill_as("rows");
    in_memory.in_memory = true;
    what_was_not_on_disk_is_read_again(state, MILL_RESTART_CRASH, mill_as("rows"));
    what_was_not_on_disk_is_read_again(state, MILL_RESTART_STATE_LOST, mill_as("rows"));
    what_was_not_on_disk_is_read_again(state, MILL_RESTART_CLEAN, in_memory);
}

/* ---- mistakes ------------------------------------------------------------------------------------------------------------ */

static void expect_error(struct pipeline *p, const char *words)
{
    assert_null(mill_topology_describe(p->topology));
    const char *error = mill_topology_error(p->topology);
    assert_non_null(error);
    if (strstr(error, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, words);
    mill_topology_free(p->topology);
}

static void a_global_store_is_not_connected(void **state)
{
    static const mill_processor_type TYPE = { .name = "look-up", .process = look_up };
    struct pipeline p = pipeline_begin();
    mill_topology_global_table(p.topology, "rows", NULL, mill_as("rows"));
    mill_stream_process(pipeline_in(&p), (mill_processor_supplier){ .type = &TYPE }, (const char *[]){ "rows" }, 1);
    expect_error(&p, "every processor may read it");
}

static void one_topic_is_no_stream_and_global_table_at_once(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_topology_global_table(p.topology, "in", NULL, mill_as("rows"));
    mill_stream_to(pipeline_in(&p), "out");
    expect_error(&p, "topic in is read by");
}

static void it_has_neither_history_nor_retention(void **state)
{
    mill_materialized retained = mill_as("rows");
    retained.retention_ms = 10;
    const mill_materialized both[] = { mill_as_versioned("rows", 10), retained };
    for (size_t i = 0; i < 2; i++) {
        struct pipeline p = pipeline_begin();
        assert_null(mill_topology_global_table(p.topology, "rows", NULL, both[i]));
        expect_error(&p, "the global table of rows can have neither a history nor a retention");
    }
}

static void a_missing_mapper_or_joiner_is_an_error(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_global_table *rows = mill_topology_global_table(p.topology, "rows", NULL, mill_as("rows"));
    assert_null(mill_stream_join_global_table(pipeline_in(&p), rows, NULL, plus, NULL, mill_joined_as(NULL)));
    expect_error(&p, "key mapper or joiner");
    assert_null(mill_stream_join_global_table(NULL, rows, to_value, plus, NULL, mill_joined_as(NULL)));
    assert_null(mill_global_table_as(NULL, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_by_the_key_that_the_mapper_makes),
        cmocka_unit_test(a_left_join_goes_on_without_a_row),
        cmocka_unit_test(a_repartition_topic_before_a_left_join_lets_null_keys_through),
        cmocka_unit_test(every_processor_may_read_a_global_table_by_its_name),
        cmocka_unit_test(the_next_start_reads_only_what_came_since),
        cmocka_unit_test(rows_are_there_after_a_crash_and_after_the_loss_of_the_disk),
        cmocka_unit_test(a_global_store_is_not_connected),
        cmocka_unit_test(one_topic_is_no_stream_and_global_table_at_once),
        cmocka_unit_test(it_has_neither_history_nor_retention),
        cmocka_unit_test(a_missing_mapper_or_joiner_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
