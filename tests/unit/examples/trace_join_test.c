/* The trace_join example: log lines joined with the spans that they were written in. */
#include "support/cmocka_all.h"

#include "unit/examples/example_driver.h"

#include "trace_join/main.c"
#undef main

static int set_up(void **state)
{
    char *arguments[] = { "trace_join", "--grace", "60", NULL };
    return example_main(3, arguments);
}

static void line(const char *clock, const char *level, const char *trace, const char *id)
{
    char row[256];
    snprintf(row, sizeof row,
             "1970-01-01T%sZ,1,n,ts-order-5b67c48447-mv5hb,c,%s,%s,\"{\"\"log\"\":\"\"08:00:00.000 %s x\\n\"\"}\"", clock, trace,
             id, level);
    example_pipe("service-log", row);
}

static void span(const char *trace, const char *id, const char *operation, int second)
{
    char row[256];
    snprintf(row, sizeof row, "%s,%s,root,ts-order-5b67c48447-mv5hb,%s,%d999999999,0,0", trace, id, operation, second);
    example_pipe("spans", row);
}

static void lines_are_counted_under_the_operation_of_their_span(void **state)
{
    span("t", "s", "find", 600);
    line("00:10:01", "ERROR", "t", "s");
    line("00:10:02", "INFO", "t", "s");
    line("00:10:02", "ERROR", "t", "other");
    assert_string_equal(example_read_text("operation-logs", MILL_MINUTES(5)), "find@2=1,1 find@2=1,2 ");
}

static void a_span_may_come_after_its_lines_but_not_five_minutes_away(void **state)
{
    line("00:10:00", "INFO", "t", "s");
    line("00:10:02", "WARN", "t", "s");
    span("t", "s", "find", 600 + 300); /* 5:00.999 after the first */
    assert_string_equal(example_read_text("operation-logs", MILL_MINUTES(5)), "find@3=0,1 ");
}

static void malformed_rows_are_skipped_and_counted(void **state)
{
    example_pipe("service-log", "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log");
    example_pipe("spans", "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration");
    example_pipe("spans", "t,s,root,pod,find,12345678901234567890,0,0");
    example_pipe("spans", "t,s,root,pod,find,1");
    example_pipe("spans", NULL);
    assert_int_equal(mill_test_driver_dropped(example.driver, "malformed"), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_counted_under_the_operation_of_their_span, set_up, example_end),
        cmocka_unit_test_setup_teardown(a_span_may_come_after_its_lines_but_not_five_minutes_away, set_up, example_end),
        cmocka_unit_test_setup_teardown(malformed_rows_are_skipped_and_counted, set_up, example_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
