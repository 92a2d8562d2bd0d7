#include "support/cmocka_all.h"

#include <string.h>

#include "base/alloc.h"
#include "base/shared_buffer.h"

enum { LARGE = 100000 };

static void a_buffer_lives_until_its_last_holder_drops_it(void **state)
{
    struct shared_buffer *buffer = shared_buffer_new(10);
    shared_buffer_hold(buffer);
    shared_buffer_drop(buffer);
    memset(buffer->data, 'x', 10);
    shared_buffer_drop(buffer);
}

static void count_freed(void *ctx, size_t capacity)
{
    *(size_t *)ctx += capacity;
}

static void the_budget_is_told_the_capacity_that_was_asked_for(void **state)
{
    const size_t capacities[] = { 0, 10, LARGE, 3 << 20 };
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        size_t freed = 0;
        struct shared_buffer *buffer = shared_buffer_new(capacities[i]);
        assert_int_equal(buffer->capacity, capacities[i]);
        assert_int_equal(buffer->len, 0);
        buffer->on_free = count_freed;
        buffer->ctx = &freed;
        shared_buffer_drop(buffer);
        assert_int_equal(freed, capacities[i]);
    }
}

static void a_large_block_that_comes_back_starts_anew(void **state)
{
    size_t freed = 0;
    struct shared_buffer *first = shared_buffer_new(LARGE);
    first->len = LARGE;
    first->on_free = count_freed;
    first->ctx = &freed;
    shared_buffer_drop(first);

    struct shared_buffer *second = shared_buffer_new(LARGE - 1000);
    assert_int_equal(second->capacity, LARGE - 1000);
    assert_int_equal(second->len, 0);
    memset(second->data, 'x', second->capacity);
    shared_buffer_drop(second);
    assert_int_equal(freed, LARGE);
}

static void more_blocks_than_are_kept_are_freed(void **state)
{
    enum { COUNT = 300 };
    static struct shared_buffer *buffers[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        buffers[i] = shared_buffer_new(LARGE + i % 7 * LARGE);
    for (size_t i = 0; i < COUNT; i++)
        shared_buffer_drop(buffers[i]);
}

static void no_memory_is_no_buffer(void **state)
{
    mem_fail_at(1, 1);
    assert_null(shared_buffer_new(10));
    assert_null(shared_buffer_new(5 << 20));
    mem_fail_at(0, 0);
    assert_null(shared_buffer_new((size_t)UINT32_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_lives_until_its_last_holder_drops_it),
        cmocka_unit_test(the_budget_is_told_the_capacity_that_was_asked_for),
        cmocka_unit_test(a_large_block_that_comes_back_starts_anew),
        cmocka_unit_test(more_blocks_than_are_kept_are_freed),
        cmocka_unit_test(no_memory_is_no_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
