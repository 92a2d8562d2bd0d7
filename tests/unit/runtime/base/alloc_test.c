#include "base/alloc.h"

#include "support/cmocka_all.h"

static void the_nth_call_fails_and_the_next_succeeds(void **state)
{
    mem_fail_at(2, 0);
    void *first = mem_alloc(8), *second = mem_calloc(1, 8), *third = mem_realloc(NULL, 8);
    assert_int_equal(mem_fail_at(0, 0), 3);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    mem_free(first);
    mem_free(third);
}

static void a_sticky_failure_stays_until_switched_off(void **state)
{
    mem_fail_at(1, 1);
    assert_null(mem_alloc(1));
    assert_null(mem_strdup("text"));
    mem_fail_at(0, 0);
    char *text = mem_strdup("text");
    assert_string_equal(text, "text");
    mem_free(text);
}

static void calloc_refuses_a_product_that_overflows(void **state)
{
    assert_null(mem_calloc(SIZE_MAX / 2, 4));
}

static void size_zero_gives_a_valid_block(void **state)
{
    void *a = mem_alloc(0), *b = mem_calloc(0, 8), *c = mem_realloc(a, 0);
    assert_non_null(b);
    assert_non_null(c);
    mem_free(b);
    mem_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_call_fails_and_the_next_succeeds),
        cmocka_unit_test(a_sticky_failure_stays_until_switched_off),
        cmocka_unit_test(calloc_refuses_a_product_that_overflows),
        cmocka_unit_test(size_zero_gives_a_valid_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
