/* The properties: Kafka's names, Kafka's defaults, and contradictions refused. */
#include "support/cmocka_all.h"

#include "client/options.h"
#include "record/compression.h"

static int set_up(void **state)
{
    static struct config config;
    config_init(&config, &client_option_table);
    *state = &config;
    return 0;
}

static int tear_down(void **state)
{
    config_release(*state);
    return 0;
}

static void every_default_is_valid_by_its_own_rules(void **state)
{
    struct config *config = *state;
    for (size_t i = 0; i < client_option_key_count; i++) {
        const struct config_key *key = &client_option_keys[i];
        assert_non_null(key->doc);
        if (key->default_value)
            assert_int_equal(config_set(config, key->name, key->default_value), 0);
    }
}

static void defaults_are_kafkas(void **state)
{
    struct client_options client;
    struct producer_options producer;
    struct consumer_options consumer;
    struct group_options group;
    assert_int_equal(client_options_read(&client, *state), 0);
    assert_int_equal(producer_options_read(&producer, *state), 0);
    assert_int_equal(consumer_options_read(&consumer, *state), 0);
    assert_int_equal(group_options_read(&group, *state), 0);
    assert_int_equal(client.request_timeout_ms, 30000);
    assert_int_equal(producer.linger_ms, 5);
    assert_int_equal(producer.batch_bytes, 16384);
    assert_int_equal(producer.in_flight_max, 5);
    assert_int_equal(producer.compression_level, COMPRESSION_LEVEL_DEFAULT);
    assert_int_equal(consumer.offset_reset, OFFSET_RESET_LATEST);
    assert_int_equal(consumer.fetch_bytes_max, 52428800);
    assert_false(consumer.read_committed);
    assert_int_equal(group.session_timeout_ms, 45000);
    assert_null(group.group_instance_id);
}

static void a_level_counts_only_for_its_codec(void **state)
{
    struct producer_options options;
    assert_int_equal(config_set(*state, "compression.zstd.level", "7"), 0);
    assert_int_equal(config_set(*state, "compression.type", "lz4"), 0);
    assert_int_equal(producer_options_read(&options, *state), 0);
    assert_int_equal(options.compression, COMPRESSION_LZ4);
    assert_int_equal(options.compression_level, COMPRESSION_LEVEL_DEFAULT);
    assert_int_equal(config_set(*state, "compression.type", "zstd"), 0);
    assert_int_equal(producer_options_read(&options, *state), 0);
    assert_int_equal(options.compression_level, 7);
}

static void assert_refused(struct config *config, int code, const char *first, const char *second)
{
    assert_int_equal(code, MILL_EINVALID);
    assert_non_null(strstr(config->error.text, first));
    assert_non_null(strstr(config->error.text, second));
}

static void contradictions_name_both_properties(void **state)
{
    struct config *config = *state;
    struct producer_options producer;
    struct consumer_options consumer;
    struct group_options group;
    assert_int_equal(config_set(config, "delivery.timeout.ms", "30004"), 0);
    assert_refused(config, producer_options_read(&producer, config), "delivery.timeout.ms", "linger.ms");
    assert_int_equal(config_set(config, "fetch.max.wait.ms", "30000"), 0);
    assert_refused(config, consumer_options_read(&consumer, config), "fetch.max.wait.ms", "request.timeout.ms");
    assert_int_equal(config_set(config, "heartbeat.interval.ms", "45000"), 0);
    assert_refused(config, group_options_read(&group, config), "heartbeat.interval.ms", "session.timeout.ms");
    assert_int_equal(config_set(config, "enable.idempotence", "false"), 0);
    assert_refused(config, producer_options_read(&producer, config), "enable.idempotence", "idempotent");
}

static void weaker_acks_do_not_exist(void **state)
{
    assert_int_equal(config_set(*state, "acks", "1"), MILL_EINVALID);
    assert_int_equal(config_set(*state, "acks", "-1"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_default_is_valid_by_its_own_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(defaults_are_kafkas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_level_counts_only_for_its_codec, set_up, tear_down),
        cmocka_unit_test_setup_teardown(contradictions_name_both_properties, set_up, tear_down),
        cmocka_unit_test_setup_teardown(weaker_acks_do_not_exist, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
