#include "base/prng.h"

#include "support/cmocka_all.h"

static void the_same_seed_gives_the_same_numbers(void **state)
{
    struct prng a, b, c;
    prng_init(&a, 7);
    prng_init(&b, 7);
    prng_init(&c, 8);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t number = prng_next(&a);
        assert_int_equal(number, prng_next(&b));
        differs |= number != prng_next(&c);
    }
    assert_true(differs);
}

/* Published by the authors for the state 1, 2, 3, 4. */
static void the_generator_is_xoshiro256_starstar(void **state)
{
    struct prng prng = { { 1, 2, 3, 4 } };
    assert_int_equal(prng_next(&prng), 11520);
    assert_int_equal(prng_next(&prng), 0);
    assert_int_equal(prng_next(&prng), 1509978240);
}

static void numbers_below_a_bound_cover_it_evenly(void **state)
{
    struct prng prng;
    prng_init(&prng, 3);
    int counts[7] = { 0 };
    for (int i = 0; i < 70000; i++)
        counts[prng_below(&prng, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    assert_int_equal(prng_below(&prng, 1), 0);
}

static void chances_are_kept(void **state)
{
    struct prng prng;
    prng_init(&prng, 4);
    int hits = 0;
    for (int i = 0; i < 10000; i++) {
        hits += prng_chance(&prng, 0.25);
        assert_false(prng_chance(&prng, 0));
        assert_true(prng_chance(&prng, 1));
    }
    assert_in_range(hits, 2300, 2700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(the_generator_is_xoshiro256_starstar),
        cmocka_unit_test(numbers_below_a_bound_cover_it_evenly),
        cmocka_unit_test(chances_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
