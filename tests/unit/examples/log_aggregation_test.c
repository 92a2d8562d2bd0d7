/* The log_aggregation example: errors per service in hopping windows, and alerts. */
#include "support/cmocka_all.h"

#include "unit/examples/example_driver.h"

#include "log_aggregation/main.c"
#undef main

static int set_up(void **state)
{
    char *arguments[] = { "log_aggregation", "--threshold", "1", NULL };
    return example_main(3, arguments);
}

static void entry(const char *service, const char *clock, const char *level)
{
    char row[256];
    snprintf(row, sizeof row, "1970-01-01T%sZ,1,n,%s-5b67c48447-mv5hb,s,t,u,\"{\"\"log\"\":\"\"08:00:00.000 %s x\\n\"\"}\"",
             clock, service, level);
    example_pipe("service-log", row);
}

static void errors_are_counted_in_each_of_the_five_windows_they_lie_in(void **state)
{
    entry("ts-order", "00:10:30", "ERROR");
    entry("ts-order", "00:10:31", "INFO");
    entry("ts-user", "00:14:00", "ERROR");
    assert_string_equal(example_read("service-errors"), "ts-order@6=1 ts-order@7=1 ts-order@8=1 ts-order@9=1 ts-order@10=1 "
                                                        "ts-user@10=1 ts-user@11=1 ts-user@12=1 ts-user@13=1 ts-user@14=1 ");
}

static void a_window_above_the_threshold_raises_an_alert(void **state)
{
    entry("ts-order", "00:10:30", "ERROR");
    assert_string_equal(example_read("alerts"), "");
    entry("ts-order", "00:13:30", "ERROR");
    assert_string_equal(example_read("alerts"), "ts-order@9=2 ts-order@10=2 ");
}

static void malformed_rows_are_skipped_and_counted(void **state)
{
    example_pipe("service-log", "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log");
    example_pipe("service-log", NULL);
    assert_int_equal(mill_test_driver_dropped(example.driver, "malformed"), 2);
    assert_string_equal(example_read("service-errors"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(errors_are_counted_in_each_of_the_five_windows_they_lie_in, set_up, example_end),
        cmocka_unit_test_setup_teardown(a_window_above_the_threshold_raises_an_alert, set_up, example_end),
        cmocka_unit_test_setup_teardown(malformed_rows_are_skipped_and_counted, set_up, example_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
