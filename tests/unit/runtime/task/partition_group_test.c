#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prng.h"
#include "task/partition_group.h"

enum { PARTITIONS = 16 };

static void the_lowest_time_comes_first(void **state)
{
    struct partition_entry entries[PARTITIONS];
    struct partition_group group = { entries, 0 };
    partition_group_offer(&group, 0, 30);
    partition_group_offer(&group, 1, 10);
    partition_group_offer(&group, 2, 20);
    assert_int_equal(partition_group_poll(&group), 1);
    assert_int_equal(partition_group_poll(&group), 2);
    assert_int_equal(partition_group_poll(&group), 0);
    assert_int_equal(group.count, 0);
}

/* What java.util.PriorityQueue gives for offers 0..4 at the same time: the last one moves to the top at each poll. */
static void equal_times_come_in_the_order_of_javas_heap(void **state)
{
    static const size_t JAVA[] = { 0, 4, 3, 2, 1 };
    struct partition_entry entries[PARTITIONS];
    struct partition_group group = { entries, 0 };
    for (size_t i = 0; i < 5; i++)
        partition_group_offer(&group, i, 7);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(partition_group_poll(&group), JAVA[i]);
}

static void random_offers_come_out_sorted(void **state)
{
    const uint64_t seed = 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    for (int round = 0; round < 1000; round++) {
        struct partition_entry entries[PARTITIONS];
        int64_t times[PARTITIONS];
        struct partition_group group = { entries, 0 };
        size_t count = 1 + prng_below(&prng, PARTITIONS);
        for (size_t i = 0; i < count; i++) {
            times[i] = (int64_t)prng_below(&prng, 8);
            partition_group_offer(&group, i, times[i]);
        }
        int64_t last = -1;
        while (group.count > 0) {
            size_t polled = partition_group_poll(&group);
            assert_true(times[polled] >= last);
            last = times[polled];
            times[polled] = -2; /* each once */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_time_comes_first),
        cmocka_unit_test(equal_times_come_in_the_order_of_javas_heap),
        cmocka_unit_test(random_offers_come_out_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
