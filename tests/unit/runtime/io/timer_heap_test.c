#include "io/timer_heap.h"

#include "base/prng.h"
#include "support/cmocka_all.h"

enum { TIMERS = 64 };

/* The model: the timer with the smallest (at, order of setting), by looking at all. */
static int model_first(const int64_t *at, const int *order)
{
    int first = -1;
    for (int i = 0; i < TIMERS; i++)
        if (at[i] != 0 && (first < 0 || at[i] < at[first] || (at[i] == at[first] && order[i] < order[first])))
            first = i;
    return first;
}

static void the_root_is_always_the_next_timer(void **state)
{
    const uint64_t seed = 11;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    struct timer_heap heap = { 0 };
    struct loop_timer timers[TIMERS] = { 0 };
    int64_t at[TIMERS] = { 0 };
    int order[TIMERS] = { 0 };
    for (int step = 0; step < 20000; step++) {
        int i = (int)prng_below(&prng, TIMERS);
        if (prng_chance(&prng, 0.6)) {
            at[i] = 1 + (int64_t)prng_below(&prng, 50);
            order[i] = step;
            timer_heap_set(&heap, &timers[i], at[i]);
        } else if (prng_chance(&prng, 0.5) && heap.root) {
            i = (int)(heap.root - timers);
            timer_heap_remove(&heap, &timers[i]);
            at[i] = 0;
        } else {
            timer_heap_remove(&heap, &timers[i]);
            at[i] = 0;
        }
        int first = model_first(at, order);
        assert_ptr_equal(heap.root, first < 0 ? NULL : &timers[first]);
    }
}

static void a_time_before_the_clocks_zero_is_clamped(void **state)
{
    struct timer_heap heap = { 0 };
    struct loop_timer timer = { 0 };
    timer_heap_set(&heap, &timer, 0);
    assert_int_equal(timer.at_us, 1);
    timer_heap_remove(&heap, &timer);
    timer_heap_remove(&heap, &timer);
    assert_null(heap.root);
    assert_int_equal(timer.at_us, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_always_the_next_timer),
        cmocka_unit_test(a_time_before_the_clocks_zero_is_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
