/* What the settings say of internal topics before any broker is asked. */
#include "support/cmocka_all.h"

#include "base/config.h"
#include "task/streams_config.h"
#include "topology/topology.h"
#include "worker/internal_topics.h"

enum { DAY_MS = 86400000 };

static struct config config;
static const char *const OWN[] = { "segment.ms", "5", "delete.retention.ms", "30", NULL };
static mill_store_builder builder;
static const struct topology_store store = { .name = "s", .builder = &builder };
static const struct topology_topic changelog = { .name = "s-changelog", .kind = TOPOLOGY_CHANGELOG, .store = &store };

static int set_up(void **state)
{
    config_init(&config, &streams_config_table);
    builder.changelog_properties = NULL;
    return 0;
}

static int tear_down(void **state)
{
    config_release(&config);
    return 0;
}

static void a_deletion_is_remembered_for_a_day_unless_told_otherwise(void **state)
{
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), DAY_MS);
    assert_int_equal(internal_topics_delete_retention_ms(&config, NULL), DAY_MS);
}

static void the_nearest_setting_of_delete_retention_wins(void **state)
{
    assert_int_equal(config_set(&config, "broker.log.cleaner.delete.retention.ms", "10"), 0);
    assert_int_equal(internal_topics_delete_retention_ms(&config, NULL), 10);
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), 10);
    assert_int_equal(config_set(&config, "topic.delete.retention.ms", "20"), 0);
    assert_int_equal(internal_topics_delete_retention_ms(&config, NULL), 10); /* the user's topics were not made with it */
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), 20);
    builder.changelog_properties = OWN;
    assert_int_equal(internal_topics_delete_retention_ms(&config, &changelog), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_deletion_is_remembered_for_a_day_unless_told_otherwise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_nearest_setting_of_delete_retention_wins, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
