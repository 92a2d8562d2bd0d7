/* The bytes of a change in a repartition topic, as Apache Kafka 4.3.1's ChangedSerializer wrote them. */
#include "unit/operators/pipeline.h"

#include "table/change.h"

struct example {
    const char *new_value;
    const char *old_value;
    const char *bytes;
    size_t len;
};

#define BYTES(text) (text), sizeof(text) - 1

static const struct example EXAMPLES[] = {
    { "ab", NULL, BYTES("ab\x01") },
    { NULL, "xyz", BYTES("xyz\x00") },
    { "ab", "xyz",
      BYTES("\x04"
            "abxyz\x02") },
    { "", "", BYTES("\x00\x02") },
    { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "y",
      BYTES("\x8c\x01xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy\x02") },
};

enum { EXAMPLE_COUNT = sizeof EXAMPLES / sizeof EXAMPLES[0] };

static void changes_are_read_as_kafka_streams_writes_them(void **state)
{
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        mill_bytes new_value;
        mill_bytes old_value;
        assert_true(change_read(mill_bytes_of(EXAMPLES[i].bytes, EXAMPLES[i].len), &new_value, &old_value));
        assert_true(mill_bytes_equal(new_value, mill_string(EXAMPLES[i].new_value)));
        assert_true(mill_bytes_equal(old_value, mill_string(EXAMPLES[i].old_value)));
    }
}

/* Writing needs a task's memory, so a processor does it. */
static int write_all(mill_context *context, void *self, const mill_record *record)
{
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        mill_bytes bytes;
        assert_int_equal(change_write(context, mill_string(EXAMPLES[i].new_value), mill_string(EXAMPLES[i].old_value), &bytes),
                         0);
        assert_true(mill_bytes_equal(bytes, mill_bytes_of(EXAMPLES[i].bytes, EXAMPLES[i].len)));
        ++*(int *)self;
    }
    return mill_forward(context, record);
}

static void changes_are_written_as_kafka_streams_writes_them(void **state)
{
    static const mill_processor_type type = { .name = "write", .self_bytes = sizeof(int), .process = write_all };
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_process(pipeline_in(&p), (mill_processor_supplier){ .type = &type }, NULL, 0), "out");
    pipeline_start(&p);
    step(&p, "k", "v", 1, "k=v@1");
    pipeline_end(&p);
}

static void a_flag_whether_it_is_the_latest_is_skipped(void **state)
{
    mill_bytes new_value;
    mill_bytes old_value;
    assert_true(change_read(mill_bytes_of("\x04"
                                          "abxyz\x01\x05",
                                          8),
                            &new_value, &old_value));
    assert_true(mill_bytes_equal(new_value, mill_string("ab")));
    assert_true(mill_bytes_equal(old_value, mill_string("xyz")));
}

static void what_is_no_change_is_refused(void **state)
{
    mill_bytes new_value;
    mill_bytes old_value;
    assert_false(change_read(mill_null(), &new_value, &old_value));
    assert_false(change_read(mill_bytes_of("", 0), &new_value, &old_value));
    assert_false(change_read(mill_bytes_of("ab\x06", 3), &new_value, &old_value));
    assert_false(change_read(mill_bytes_of("\x05", 1), &new_value, &old_value));
    assert_false(change_read(mill_bytes_of("\x06"
                                           "ab\x02",
                                           4),
                             &new_value, &old_value)); /* three bytes announced, two there */
    assert_false(change_read(mill_bytes_of("\x03"
                                           "ab\x02",
                                           4),
                             &new_value, &old_value)); /* minus two bytes */
    assert_false(change_read(mill_bytes_of("\xff\xff\xff\xff\xff\xff\x02", 7), &new_value, &old_value));
}

static int same_row(const mill_record *row, mill_record *result, mill_context *context, void *ctx)
{
    return 0;
}

static void a_foreign_record_in_a_repartition_topic_is_an_error_that_says_so(void **state)
{
    struct pipeline p = pipeline_begin();
    mill_table *rows = mill_topology_table(p.topology, "in", NULL, mill_as(NULL));
    mill_grouped_table *grouped = mill_grouped_table_as(mill_table_group_by(rows, same_row, NULL), "g");
    mill_table_to(mill_grouped_table_count(grouped, mill_as("counts")), "out");
    pipeline_start(&p);
    assert_int_equal(pipeline_try(&p, "test-g-repartition", "k", "nonsense", 1), MILL_ECORRUPT);
    assert_non_null(strstr(mill_test_driver_error(p.driver), "no change of a table"));
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_read_as_kafka_streams_writes_them),
        cmocka_unit_test(changes_are_written_as_kafka_streams_writes_them),
        cmocka_unit_test(a_flag_whether_it_is_the_latest_is_skipped),
        cmocka_unit_test(what_is_no_change_is_refused),
        cmocka_unit_test(a_foreign_record_in_a_repartition_topic_is_an_error_that_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
