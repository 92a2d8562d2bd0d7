/* What an application's properties tell each of the clients of a stream thread. */
#include "support/cmocka_all.h"

#include "task/streams_config.h"
#include "worker/client_properties.h"

struct fixture {
    struct config config;
    struct config clients;
    struct stream_client_options options;
    struct error_text error;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    config_init(&f.config, &streams_config_table);
    config_init(&f.clients, &client_option_table);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    config_release(&f->config);
    config_release(&f->clients);
    return 0;
}

static int read_options(struct fixture *f, const char *name, const char *value)
{
    assert_int_equal(config_set(&f->config, name, value), 0);
    return stream_client_options_read(&f->options, &f->clients, &f->config, &f->error);
}

static void what_is_said_of_consumers_counts_for_both(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_options(f, "consumer.max.partition.fetch.bytes", "1000"), 0);
    assert_int_equal(f->options.consumer.partition_bytes_max, 1000);
    assert_int_equal(f->options.restorer.partition_bytes_max, 1000);
}

static void the_main_consumer_and_the_restoring_one_have_properties_of_their_own(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(config_set(&f->config, "main.consumer.max.partition.fetch.bytes", "1000"), 0);
    assert_int_equal(read_options(f, "restore.consumer.max.partition.fetch.bytes", "2000"), 0);
    assert_int_equal(f->options.consumer.partition_bytes_max, 1000);
    assert_int_equal(f->options.restorer.partition_bytes_max, 2000);
}

static void a_wrong_property_of_the_restoring_consumer_is_named(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_options(f, "restore.consumer.fetch.min.byte", "1"), MILL_EINVALID);
    assert_non_null(strstr(f->error.text, "restore.consumer."));
    assert_non_null(strstr(f->error.text, "fetch.min.bytes"));
}

static void a_changelog_is_never_read_from_elsewhere(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(config_set(&f->config, "restore.consumer.auto.offset.reset", "earliest"), 0);
    assert_int_equal(read_options(f, "auto.offset.reset", "latest"), 0);
    assert_int_equal(f->options.consumer.offset_reset, OFFSET_RESET_LATEST);
    assert_int_equal(f->options.restorer.offset_reset, OFFSET_RESET_NONE);
}

/* Kafka's own defaults are two minutes and one, that of task.timeout.ms is five. */
static void nothing_is_given_up_before_task_timeout_ms(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_options(f, "application.id", "a"), 0);
    assert_int_equal(f->options.producer.delivery_timeout_ms, 300000);
    assert_int_equal(f->options.client.default_api_timeout_ms, 300000);
    assert_int_equal(config_set(&f->config, "producer.delivery.timeout.ms", "900000"), 0);
    assert_int_equal(read_options(f, "task.timeout.ms", "600000"), 0);
    assert_int_equal(f->options.producer.delivery_timeout_ms, 900000);
    assert_int_equal(f->options.client.default_api_timeout_ms, 600000);
    assert_int_equal(read_options(f, "task.timeout.ms", "0"), 0);
    assert_int_equal(f->options.client.default_api_timeout_ms, 60000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_said_of_consumers_counts_for_both),
        TEST(the_main_consumer_and_the_restoring_one_have_properties_of_their_own),
        TEST(a_wrong_property_of_the_restoring_consumer_is_named),
        TEST(nothing_is_given_up_before_task_timeout_ms),
        TEST(a_changelog_is_never_read_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
