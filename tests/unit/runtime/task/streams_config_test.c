/* Properties of an application: durations that are meant to be for ever, and where reading begins. */
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

static int reset_of(const char *value, mill_reset_policy *policy, int64_t *duration_ms)
{
    struct config config;
    config_init(&config, &streams_config_table);
    assert_int_equal(config_set(&config, "auto.offset.reset", value), 0);
    int code = streams_config_reset(&config, policy, duration_ms);
    config_release(&config);
    return code;
}

static void the_reset_policy_is_a_word_or_a_duration(void **state)
{
    static const struct {
        const char *value;
        mill_reset_policy policy;
        int64_t duration_ms;
    } GOOD[] = { { "earliest", MILL_RESET_EARLIEST, 0 },
                 { "latest", MILL_RESET_LATEST, 0 },
                 { "none", MILL_RESET_NONE, 0 },
                 { "by_duration:PT1H", MILL_RESET_BY_DURATION, 3600000 },
                 { "by_duration:P1DT2H3M4S", MILL_RESET_BY_DURATION, 93784000 },
                 { "by_duration:P30D", MILL_RESET_BY_DURATION, INT64_C(2592000000) } };
    static const char *const BAD[] = { "",
                                       "soonest",
                                       "by_duration:",
                                       "by_duration:P",
                                       "by_duration:PT",
                                       "by_duration:1H",
                                       "by_duration:PT1D",
                                       "by_duration:P1H",
                                       "by_duration:PT1M1H",
                                       "by_duration:PT-1H",
                                       "by_duration:PT99999999999H" };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        mill_reset_policy policy;
        int64_t duration_ms;
        assert_int_equal(reset_of(GOOD[i].value, &policy, &duration_ms), 0);
        assert_int_equal(policy, GOOD[i].policy);
        assert_int_equal(duration_ms, GOOD[i].duration_ms);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        mill_reset_policy policy;
        int64_t duration_ms;
        assert_int_equal(reset_of(BAD[i], &policy, &duration_ms), MILL_EINVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endless_duration_can_be_added_to_any_time),
        cmocka_unit_test(the_reset_policy_is_a_word_or_a_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
