#include "record/default_partitioner.h"

#include "support/cmocka_all.h"

/* The vectors of Kafka's own UtilsTest. */
static void hashes_equal_kafkas(void **state)
{
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {
        { "21", -973932308 },
        { "foobar", -790332482 },
        { "a-little-bit-long-string", -985981536 },
        { "a-little-bit-longer-string", -1486304829 },
        { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
        { "abc", 479470107 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal((int32_t)murmur2(mill_string(cases[i].key)), cases[i].hash);
}

static void a_partition_is_within_the_count_also_for_negative_hashes(void **state)
{
    assert_int_equal(default_partition(mill_string("21"), 1), 0);
    assert_int_equal(default_partition(mill_string("21"), 10), (-973932308 & 0x7fffffff) % 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_equal_kafkas),
        cmocka_unit_test(a_partition_is_within_the_count_also_for_negative_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
