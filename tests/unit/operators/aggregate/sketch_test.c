/* The sketch behind approximate distinct counts: its error, its forms, uniting. */
#include "support/cmocka_all.h"

#include "aggregate/sketch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "millstream/stream.h"

struct growing {
    uint8_t rooms[2][SKETCH_BYTES_MAX];
    mill_bytes sketch;
};

static void add(struct growing *growing, uint64_t member)
{
    uint8_t *room = growing->sketch.data == growing->rooms[0] ? growing->rooms[1] : growing->rooms[0];
    growing->sketch = sketch_add(growing->sketch, mill_bytes_of((uint8_t *)&member, sizeof member), room);
    assert_true(sketch_check(growing->sketch));
}

static void the_empty_sketch_counts_nothing(void **state)
{
    assert_int_equal(sketch_estimate(mill_null()), 0);
}

static void few_members_are_counted_exactly(void **state)
{
    struct growing growing = { .sketch = mill_null() };
    for (uint64_t n = 1; n <= 50; n++) {
        add(&growing, n);
        add(&growing, n);
        assert_true(llabs(sketch_estimate(growing.sketch) - (int64_t)n) <= 1);
    }
}

static void members_that_are_there_change_nothing(void **state)
{
    struct growing growing = { .sketch = mill_null() };
    for (uint64_t n = 0; n < 5000; n++)
        add(&growing, n);
    const uint8_t *before = growing.sketch.data;
    for (uint64_t n = 0; n < 5000; n++)
        add(&growing, n);
    assert_ptr_equal(growing.sketch.data, before);
}

/* The documented error: 1.63 % is the standard error of 200 independent sketches, and no one is beyond five times it. */
static void the_error_is_what_is_documented(void **state)
{
    static const int COUNTS[] = { 100, 340, 1000, 4000, 12000, 50000 };
    uint64_t seed = 20260303;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    for (size_t c = 0; c < sizeof COUNTS / sizeof COUNTS[0]; c++) {
        double squares = 0;
        double sum = 0;
        enum { ROUNDS = 200 };
        for (int round = 0; round < ROUNDS; round++) {
            struct growing growing = { .sketch = mill_null() };
            for (int n = 0; n < COUNTS[c]; n++)
                add(&growing, prng_next(&prng));
            double error = (double)(sketch_estimate(growing.sketch) - COUNTS[c]) / COUNTS[c];
            assert_true(fabs(error) < 5 * 0.0163);
            squares += error * error;
            sum += error;
        }
        assert_true(squares / ROUNDS < 1.2 * 0.0163 * 1.2 * 0.0163);
        assert_true(fabs(sum / ROUNDS) < 0.005); /* unbiased */
    }
}

static void uniting_is_as_adding_all(void **state)
{
    static const uint64_t SIZES[][2] = { { 0, 10 }, { 10, 20 }, { 300, 300 }, { 100, 5000 }, { 5000, 100 }, { 4000, 6000 } };
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        struct growing a = { .sketch = mill_null() };
        struct growing b = { .sketch = mill_null() };
        struct growing both = { .sketch = mill_null() };
        for (uint64_t n = 0; n < SIZES[i][0]; n++) {
            add(&a, n);
            add(&both, n);
        }
        for (uint64_t n = 0; n < SIZES[i][1]; n++) {
            add(&b, n + 50);
            add(&both, n + 50);
        }
        uint8_t room[SKETCH_BYTES_MAX];
        mill_bytes united = sketch_unite(a.sketch, b.sketch, room);
        assert_true(sketch_check(united));
        assert_true(mill_bytes_equal(united, both.sketch));
    }
}

static void other_bytes_are_no_sketch(void **state)
{
    static const uint8_t BYTES[SKETCH_DENSE_BYTES + 1] = { 1 };
    assert_false(sketch_check(mill_string("")));
    assert_false(sketch_check(mill_string("abc")));
    assert_false(sketch_check(mill_bytes_of(BYTES, 3)));
    assert_true(sketch_check(mill_bytes_of(BYTES, 4)));
    assert_false(sketch_check(mill_bytes_of(BYTES, 1 + 3 * 341)));
    assert_false(sketch_check(mill_bytes_of(BYTES, SKETCH_DENSE_BYTES + 1)));
}

static void a_rank_that_no_member_has_spoils_no_other(void **state)
{
    static const uint8_t LARGEST[] = { 1, 0x80, 0x10, 63 };
    static const uint8_t LARGER[] = { 1, 0x80, 0x10, 255 };
    uint8_t rooms[2][SKETCH_BYTES_MAX];
    struct growing many = { .sketch = mill_null() };
    for (uint64_t n = 0; n < 1000; n++)
        add(&many, n);
    mill_bytes wanted = sketch_unite(many.sketch, mill_bytes_of(LARGEST, 4), rooms[0]);
    assert_true(mill_bytes_equal(sketch_unite(many.sketch, mill_bytes_of(LARGER, 4), rooms[1]), wanted));

    memset(rooms[0], 0xff, SKETCH_DENSE_BYTES);
    rooms[0][0] = 2;
    assert_int_equal(mill_approximate_count(mill_bytes_of(rooms[0], SKETCH_DENSE_BYTES)), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_empty_sketch_counts_nothing),
        cmocka_unit_test(few_members_are_counted_exactly),
        cmocka_unit_test(members_that_are_there_change_nothing),
        cmocka_unit_test(the_error_is_what_is_documented),
        cmocka_unit_test(uniting_is_as_adding_all),
        cmocka_unit_test(other_bytes_are_no_sketch),
        cmocka_unit_test(a_rank_that_no_member_has_spoils_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
