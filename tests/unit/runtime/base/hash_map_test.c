#include "base/hash_map.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/prng.h"
#include "millstream/error.h"
#include "support/cmocka_all.h"

enum { KEYS = 300 };
static char values[KEYS];

static mill_bytes key_of(int i)
{
    static char text[16];
    snprintf(text, sizeof text, "key-%d", i);
    return mill_string(text);
}

static void put_get_remove_agree_with_a_plain_array(void **state)
{
    const uint64_t seed = 42;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    struct hash_map map;
    hash_map_init(&map);
    void *model[KEYS] = { 0 };
    size_t live = 0;
    for (int step = 0; step < 20000; step++) {
        int i = (int)prng_below(&prng, KEYS);
        void *old = NULL;
        switch (prng_below(&prng, 3)) {
        case 0:
            assert_ptr_equal(hash_map_get(&map, key_of(i)), model[i]);
            break;
        case 1:
            assert_int_equal(hash_map_put(&map, key_of(i), &values[step % KEYS], &old), 0);
            assert_ptr_equal(old, model[i]);
            live += !model[i];
            model[i] = &values[step % KEYS];
            break;
        default:
            assert_ptr_equal(hash_map_remove(&map, key_of(i)), model[i]);
            live -= model[i] != NULL;
            model[i] = NULL;
        }
        assert_int_equal(hash_map_count(&map), live);
    }
    hash_map_release(&map);
}

static void a_walk_is_in_order_of_insertion_and_allows_removal(void **state)
{
    struct hash_map map;
    hash_map_init(&map);
    for (int i = 0; i < 100; i++)
        assert_int_equal(hash_map_put(&map, key_of(i), &values[i], NULL), 0);
    size_t at = 0;
    int i = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&map, &at))) {
        assert_ptr_equal(entry->value, &values[i]);
        hash_map_remove(&map, key_of(i));
        i++;
    }
    assert_int_equal(i, 100);
    assert_int_equal(hash_map_count(&map), 0);
    hash_map_release(&map);
}

static void empty_and_binary_keys_are_keys(void **state)
{
    struct hash_map map;
    hash_map_init(&map);
    assert_null(hash_map_get(&map, mill_string("")));
    assert_int_equal(hash_map_put(&map, mill_string(""), &values[0], NULL), 0);
    assert_int_equal(hash_map_put(&map, mill_bytes_of("\0\0", 2), &values[1], NULL), 0);
    assert_ptr_equal(hash_map_get(&map, mill_string("")), &values[0]);
    assert_ptr_equal(hash_map_get(&map, mill_bytes_of("\0\0", 2)), &values[1]);
    assert_null(hash_map_get(&map, mill_bytes_of("\0", 1)));
    hash_map_release(&map);
}

static void a_put_without_memory_changes_nothing(void **state)
{
    struct hash_map map;
    hash_map_init(&map);
    for (int i = 0; i < 20; i++) {
        for (uint64_t nth = 1;; nth++) {
            mem_fail_at(nth, 0);
            int code = hash_map_put(&map, key_of(i), &values[i], NULL);
            mem_fail_at(0, 0);
            if (code == 0)
                break;
            assert_int_equal(code, MILL_ENOMEM);
            assert_int_equal(hash_map_count(&map), i);
        }
    }
    for (int i = 0; i < 20; i++)
        assert_ptr_equal(hash_map_get(&map, key_of(i)), &values[i]);
    hash_map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_get_remove_agree_with_a_plain_array),
        cmocka_unit_test(a_walk_is_in_order_of_insertion_and_allows_removal),
        cmocka_unit_test(empty_and_binary_keys_are_keys),
        cmocka_unit_test(a_put_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
