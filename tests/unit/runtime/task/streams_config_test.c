/* Properties of an application: durations that are meant to be for ever. */
#include "support/cmocka_all.h"

#include "task/streams_config.h"

static void an_endless_duration_can_be_added_to_any_time(void **state)
{
    const int64_t far_ahead_us = INT64_C(4000000000) * 1000000; /* more than a century of uptime, or of wall time */
    const char *const endless[] = { "commit.interval.ms", "9223372036854775807", "max.task.idle.ms", "-1", NULL };
    struct config config;
    config_init(&config, &streams_config_table);
    assert_int_equal(streams_config_set_all(&config, endless), 0);
    int64_t interval_us;
    int64_t sum_us;
    assert_false(__builtin_mul_overflow(streams_config_ms(&config, "commit.interval.ms"), (int64_t)1000, &interval_us));
    assert_false(__builtin_add_overflow(interval_us, far_ahead_us, &sum_us));
    assert_int_equal(streams_config_ms(&config, "max.task.idle.ms"), -1);
    assert_int_equal(streams_config_ms(&config, "repartition.purge.interval.ms"), 30000);
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_endless_duration_can_be_added_to_any_time) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
