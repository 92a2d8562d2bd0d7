#include "log/retention.h"

#include "support/cmocka_all.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static struct log_config config;
static struct retention_view views[3];
static struct retention_bounds bounds;

/*
 * Three segments of 100 bytes, of offsets 0-9, 10-19, 20-29, appended one, two and three days after 0; records carry times from
 * 1970.
 */
static int set_up(void **state)
{
    config = LOG_CONFIG_DEFAULT;
    config.retention_ms = DAY_MS;
    for (int i = 0; i < 3; i++)
        views[i] = (struct retention_view){ 10 * (i + 1), 100, i, (int64_t)(i + 1) * DAY_MS };
    bounds = (struct retention_bounds){ .log_start = 0, .high_watermark = 30, .now_ms = 3 * (int64_t)DAY_MS };
    return 0;
}

static size_t count(void)
{
    return retention_count(&config, views, 3, bounds);
}

static void age_counts_from_the_last_append(void **state)
{
    assert_int_equal(count(), 1);
    bounds.now_ms++;
    assert_int_equal(count(), 2);
}

static void a_younger_record_counts_instead(void **state)
{
    views[0].max_timestamp_ms = 3 * (int64_t)DAY_MS;
    assert_int_equal(count(), 0);
}

static void by_kafkas_rule_only_records_count(void **state)
{
    config.retention_by_record_time = true;
    assert_int_equal(count(), 3);
    views[1].max_timestamp_ms = -1; /* no timestamps: its last append */
    bounds.now_ms = 2 * (int64_t)DAY_MS;
    assert_int_equal(count(), 1);
}

static void a_log_that_is_not_to_delete_never_ages(void **state)
{
    config.cleanup_delete = false;
    config.retention_bytes = 0;
    bounds.now_ms = INT64_MAX;
    assert_int_equal(count(), 0);
}

static void no_limit_is_no_limit(void **state)
{
    config.retention_ms = -1;
    bounds.now_ms = INT64_MAX;
    assert_int_equal(count(), 0);
}

static void bytes_go_while_what_stays_is_enough(void **state)
{
    config.retention_ms = -1;
    config.retention_bytes = 200;
    assert_int_equal(count(), 1);
    config.retention_bytes = 201;
    assert_int_equal(count(), 0);
    config.retention_bytes = 0;
    assert_int_equal(count(), 3);
}

static void nothing_above_the_high_watermark_goes(void **state)
{
    bounds.now_ms = INT64_MAX;
    bounds.high_watermark = 19;
    assert_int_equal(count(), 1);
}

static void what_lies_below_the_log_start_goes_in_any_case(void **state)
{
    config.cleanup_delete = false;
    bounds.log_start = 25;
    assert_int_equal(count(), 2);
}

static void clocks_that_jump_delete_nothing_early(void **state)
{
    bounds.now_ms = 0;
    assert_int_equal(count(), 0);
    views[0].max_timestamp_ms = INT64_MAX;
    bounds.now_ms = INT64_MAX - 1;
    assert_int_equal(count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(age_counts_from_the_last_append, set_up),
        cmocka_unit_test_setup(a_younger_record_counts_instead, set_up),
        cmocka_unit_test_setup(by_kafkas_rule_only_records_count, set_up),
        cmocka_unit_test_setup(a_log_that_is_not_to_delete_never_ages, set_up),
        cmocka_unit_test_setup(no_limit_is_no_limit, set_up),
        cmocka_unit_test_setup(bytes_go_while_what_stays_is_enough, set_up),
        cmocka_unit_test_setup(nothing_above_the_high_watermark_goes, set_up),
        cmocka_unit_test_setup(what_lies_below_the_log_start_goes_in_any_case, set_up),
        cmocka_unit_test_setup(clocks_that_jump_delete_nothing_early, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
