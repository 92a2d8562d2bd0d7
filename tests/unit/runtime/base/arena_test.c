#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/alloc.h"
#include "support/cmocka_all.h"

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    struct arena arena;
    arena_init(&arena, 256, 1 << 20);
    uint8_t *places[200];
    for (size_t i = 0; i < 200; i++) {
        places[i] = arena_alloc(&arena, i);
        assert_non_null(places[i]);
        assert_int_equal((uintptr_t)places[i] % alignof(max_align_t), 0);
        memset(places[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t at = 0; at < i; at++)
            assert_int_equal(places[i][at], i);
    arena_release(&arena);
}

static void the_maximum_bounds_all_allocations_together(void **state)
{
    struct arena arena;
    arena_init(&arena, 64, 128);
    assert_non_null(arena_alloc(&arena, 64));
    assert_non_null(arena_alloc(&arena, 64));
    assert_null(arena_alloc(&arena, 1));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_calloc(&arena, SIZE_MAX / 2, 4));
    arena_clear(&arena);
    assert_non_null(arena_alloc(&arena, 128));
    arena_release(&arena);
}

static void clearing_keeps_the_first_block(void **state)
{
    struct arena arena;
    arena_init(&arena, 256, 1 << 20);
    void *before = arena_alloc(&arena, 16);
    arena_alloc(&arena, 10000);
    arena_clear(&arena);
    mem_fail_at(1, 1);
    void *after = arena_alloc(&arena, 16);
    mem_fail_at(0, 0);
    assert_ptr_equal(before, after);
    arena_release(&arena);
}

static void clearing_frees_a_first_block_that_was_oversized(void **state)
{
    struct arena arena;
    arena_init(&arena, 64, 1 << 20);
    assert_non_null(arena_alloc(&arena, 4096));
    arena_clear(&arena);
    assert_null(arena.first);
    assert_non_null(arena_alloc(&arena, 8));
    arena_release(&arena);
}

static void copies_keep_null_and_empty_apart(void **state)
{
    struct arena arena;
    arena_init(&arena, 64, 1024);
    assert_true(mill_is_null(arena_dup(&arena, mill_null())));
    mill_bytes empty = arena_dup(&arena, mill_string(""));
    assert_false(mill_is_null(empty));
    assert_int_equal(empty.len, 0);
    assert_true(mill_bytes_equal(arena_dup(&arena, mill_string("key")), mill_string("key")));
    assert_string_equal(arena_string(&arena, mill_bytes_of("name and more", 4)), "name");
    arena_release(&arena);
}

static void rewinding_gives_back_what_came_after_the_mark(void **state)
{
    struct arena arena;
    arena_init(&arena, 64, 4096);
    struct arena_mark empty = arena_mark(&arena);
    uint8_t *kept = arena_alloc(&arena, 4);
    assert_non_null(kept);
    memcpy(kept, "kept", 4);
    struct arena_mark mark = arena_mark(&arena);
    for (int round = 0; round < 100; round++) { /* many times the maximum in all */
        for (size_t size = 1; size < 60; size++)
            assert_non_null(arena_alloc(&arena, size));
        assert_non_null(arena_alloc(&arena, 1000));
        arena_rewind(&arena, mark);
    }
    assert_memory_equal(kept, "kept", 4);
    arena_rewind(&arena, empty);
    assert_int_equal(arena.bytes_used, 0);
    assert_non_null(arena_alloc(&arena, 4000));
    arena_release(&arena);
}

static void no_memory_leaves_the_arena_usable(void **state)
{
    struct arena arena;
    arena_init(&arena, 64, 1024);
    mem_fail_at(1, 1);
    assert_null(arena_alloc(&arena, 1));
    assert_true(mill_is_null(arena_dup(&arena, mill_string("key"))));
    assert_null(arena_string(&arena, mill_string("key")));
    mem_fail_at(0, 0);
    assert_non_null(arena_calloc(&arena, 1, 1));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(the_maximum_bounds_all_allocations_together),
        cmocka_unit_test(clearing_keeps_the_first_block),
        cmocka_unit_test(clearing_frees_a_first_block_that_was_oversized),
        cmocka_unit_test(copies_keep_null_and_empty_apart),
        cmocka_unit_test(rewinding_gives_back_what_came_after_the_mark),
        cmocka_unit_test(no_memory_leaves_the_arena_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
