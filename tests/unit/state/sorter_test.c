#include "state/sorter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/prng.h"
#include "millstream/error.h"
#include "support/cmocka_all.h"
#include "support/rounds.h"

/* The model: all updates in order of (start, key), of equal ones the last added. */
struct added {
    int64_t start_ms;
    char *key;
    uint32_t number; /* is the value and the timestamp */
};

struct run_of_test {
    struct sorter sorter;
    struct added *added;
    size_t count;
    size_t at; /* next expected in `added`, sorted */
};

static int by_order(const void *a, const void *b)
{
    const struct added *left = a;
    const struct added *right = b;
    if (left->start_ms != right->start_ms)
        return left->start_ms < right->start_ms ? -1 : 1;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : left->number < right->number ? -1 : 1;
}

static int check_next(void *ctx, const struct run_update *update)
{
    struct run_of_test *run = ctx;
    while (run->at + 1 < run->count && run->added[run->at].start_ms == run->added[run->at + 1].start_ms &&
           strcmp(run->added[run->at].key, run->added[run->at + 1].key) == 0)
        run->at++;
    assert_true(run->at < run->count);
    const struct added *expected = &run->added[run->at++];
    assert_int_equal(update->start_ms, expected->start_ms);
    assert_true(mill_bytes_equal(update->key, mill_string(expected->key)));
    assert_int_equal(update->timestamp_ms, expected->number);
    if (expected->number % 5 == 0) {
        assert_true(mill_is_null(update->value));
    } else {
        assert_int_equal(update->value.len, expected->number % 90);
        for (size_t i = 0; i < update->value.len; i++)
            assert_int_equal(update->value.data[i], (uint8_t)expected->number);
    }
    return 0;
}

static void run_with_keys(size_t count, uint64_t keys, const char *format, uint64_t starts)
{
    struct run_of_test run = { .added = calloc(count, sizeof *run.added), .count = count };
    struct prng prng;
    prng_init(&prng, count + keys);
    sorter_init(&run.sorter);
    for (uint32_t i = 0; i < count; i++) {
        char key[700];
        uint8_t value[90];
        snprintf(key, sizeof key, format, (unsigned long long)prng_below(&prng, keys));
        memset(value, (int)i, sizeof value);
        run.added[i] = (struct added){ (int64_t)prng_below(&prng, starts) * 60000, strdup(key), i };
        struct run_update update = { run.added[i].start_ms, i, mill_string(run.added[i].key),
                                     i % 5 == 0 ? mill_null() : mill_bytes_of(value, i % 90) };
        assert_int_equal(sorter_add(&run.sorter, &update), 0);
    }
    size_t bytes = run.sorter.bytes;
    qsort(run.added, count, sizeof *run.added, by_order);
    for (int twice = 0; twice < 2; twice++) { /* reading does not use it up */
        run.at = 0;
        assert_int_equal(sorter_each(&run.sorter, check_next, &run), 0);
        assert_int_equal(run.at, count);
    }
    assert_true(bytes < (2 << 20) || bytes < keys * starts * 4 * 200); /* by keys, not by updates */
    sorter_release(&run.sorter);
    for (size_t i = 0; i < count; i++)
        free(run.added[i].key);
    free(run.added);
}

static void updates_come_in_order_with_the_last_of_each_key(void **state)
{
    run_with_keys(1, 1, "%llu", 1);
    run_with_keys(100000, 30000, "%llu", 1);
    run_with_keys(100000, 500, "%llu", 40);
}

static void keys_that_share_their_front_are_spread_all_the_same(void **state)
{
    run_with_keys(100000, 50000, "/a/very/long/path/that/all/pages/share/%llu", 1);
    run_with_keys(60000, 20000, "%llu", 3);
    run_with_keys(
        3000, 2000,
        "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
        "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"
        "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll%llu",
        1);
}

static void one_key_written_often_takes_no_room(void **state)
{
    run_with_keys(200000, 1, "the one%llu", 1);
}

static int add_each(void *ctx, const struct run_update *update)
{
    (*(size_t *)ctx)++;
    return 0;
}

static void without_memory_nothing_added_is_lost(void **state)
{
    for (uint64_t nth = 1; nth < 120; nth += ROUNDS_STRIDE) {
        struct sorter sorter;
        sorter_init(&sorter);
        size_t added = 0;
        mem_fail_at(nth, 0);
        for (int i = 0; i < 20000; i++) {
            char key[32];
            int len = sprintf(key, "%d", i * 7919 % 20011);
            struct run_update update = { 0, i, mill_bytes_of(key, (size_t)len), mill_bytes_of(key, (size_t)len) };
            int code = sorter_add(&sorter, &update);
            assert_true(code == 0 || code == MILL_ENOMEM);
            added += code == 0;
        }
        mem_fail_at(0, 0);
        size_t seen = 0;
        assert_int_equal(sorter_each(&sorter, add_each, &seen), 0);
        assert_int_equal(seen, added);
        sorter_release(&sorter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_come_in_order_with_the_last_of_each_key),
        cmocka_unit_test(keys_that_share_their_front_are_spread_all_the_same),
        cmocka_unit_test(one_key_written_often_takes_no_room),
        cmocka_unit_test(without_memory_nothing_added_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
