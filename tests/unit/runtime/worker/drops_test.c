/* What stream threads skip, by reason: sums of tasks that come and go, as others read them. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "worker/drops.h"

static struct thread_drops drops;
static mill_drops read[MILL_DROP_REASONS_MAX];

static int set_up(void **state)
{
    memset(&drops, 0, sizeof drops);
    memset(read, 0, sizeof read);
    return 0;
}

static void sums_of_tasks_are_read_by_reason_once_they_are_published(void **state)
{
    drops_begin(&drops);
    drops_add(&drops, "late", 2);
    drops_add(&drops, "null-key", 1);
    drops_add(&drops, "late", 3);
    assert_int_equal(drops_read(&drops, read, 0), 0);
    drops_publish(&drops);
    assert_int_equal(drops_read(&drops, read, 0), 2);
    assert_string_equal(read[0].reason, "late");
    assert_int_equal(read[0].records, 5);
    assert_string_equal(read[1].reason, "null-key");
    assert_int_equal(read[1].records, 1);
}

static void what_a_closed_task_dropped_is_kept_what_went_elsewhere_is_not(void **state)
{
    drops_begin(&drops);
    drops_add(&drops, "late", 2);
    drops_add(&drops, "here no more", 4);
    drops_publish(&drops);
    drops_keep(&drops, "late", 2);
    drops_begin(&drops);
    drops_publish(&drops);
    assert_int_equal(drops_read(&drops, read, 0), 1);
    assert_string_equal(read[0].reason, "late");
    assert_int_equal(read[0].records, 2);
}

static void threads_are_merged(void **state)
{
    drops_begin(&drops);
    drops_add(&drops, "late", 2);
    drops_add(&drops, "other", 7);
    drops_publish(&drops);
    size_t count = drops_read(&drops, read, 0);
    count = drops_read(&drops, read, count);
    assert_int_equal(count, 2);
    assert_int_equal(read[0].records, 4);
    assert_int_equal(read[1].records, 14);
}

static void reasons_beyond_the_room_count_under_the_last_and_long_ones_are_cut(void **state)
{
    drops_begin(&drops);
    drops_add(&drops, "a reason that is longer than there is room for it", 1);
    drops_add(&drops, "a reason that is longer than there is room for it, too", 1);
    for (int i = 0; i < MILL_DROP_REASONS_MAX + 9; i++) {
        char reason[32];
        snprintf(reason, sizeof reason, "reason %d", i);
        drops_add(&drops, reason, 1);
    }
    drops_publish(&drops);
    size_t count = drops_read(&drops, read, 0);
    long long sum = 0;
    assert_int_equal(count, MILL_DROP_REASONS_MAX);
    for (size_t i = 0; i < count; i++)
        sum += read[i].records;
    assert_int_equal(sum, MILL_DROP_REASONS_MAX + 11);
    assert_int_equal(read[0].records, 2);
    assert_int_equal(strlen(read[0].reason), MILL_DROP_REASON_BYTES - 1);
    mill_drops more = { "never seen", 5 };
    assert_int_equal(drops_merge(read, count, &more), count);
    assert_int_equal(read[count - 1].records, 16);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sums_of_tasks_are_read_by_reason_once_they_are_published),
        TEST(what_a_closed_task_dropped_is_kept_what_went_elsewhere_is_not),
        TEST(threads_are_merged),
        TEST(reasons_beyond_the_room_count_under_the_last_and_long_ones_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
