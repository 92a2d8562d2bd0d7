/* The order of a suppression's buffer, against a sorted list. */
#include "support/cmocka_all.h"

#include "suppress/key_queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/prng.h"
#include "millstream/error.h"

enum { KEYS_MAX = 2000 };

struct model_entry {
    int64_t time_ms;
    char key[24];
};

static int by_time_and_key(const void *a, const void *b)
{
    const struct model_entry *x = a;
    const struct model_entry *y = b;
    return x->time_ms != y->time_ms ? (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms) : strcmp(x->key, y->key);
}

static void expect_first(struct key_queue *queue, struct model_entry *model, size_t count)
{
    qsort(model, count, sizeof *model, by_time_and_key);
    assert_int_equal(key_queue_first_time_ms(queue), model[0].time_ms);
    assert_true(mill_bytes_equal(key_queue_first_key(queue), mill_string(model[0].key)));
}

static void keys_leave_in_the_order_of_time_then_bytes(void **state)
{
    uint64_t seed = 77;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    struct key_queue queue;
    key_queue_init(&queue);
    struct model_entry *model = calloc(KEYS_MAX, sizeof *model);
    size_t count = 0;
    for (int i = 0; i < 20000; i++) {
        bool grows = i / 2000 % 2 == 0;
        if (count < KEYS_MAX && (count == 0 || prng_below(&prng, 10) < (grows ? 7u : 3u))) {
            model[count].time_ms = (int64_t)prng_below(&prng, 50);
            snprintf(model[count].key, sizeof model[count].key, "%.*s%d", (int)prng_below(&prng, 12), "kkkkkkkkkkkk", i);
            assert_int_equal(key_queue_push(&queue, model[count].time_ms, mill_string(model[count].key)), 0);
            count++;
        } else {
            if (i % 16 == 0)
                expect_first(&queue, model, count);
            qsort(model, count, sizeof *model, by_time_and_key);
            key_queue_pop(&queue);
            memmove(model, model + 1, --count * sizeof *model);
        }
        assert_int_equal(queue.count, count);
    }
    for (; count > 0; count--) {
        expect_first(&queue, model, count);
        key_queue_pop(&queue);
        memmove(model, model + 1, (count - 1) * sizeof *model);
    }
    assert_int_equal(key_queue_first_time_ms(&queue), INT64_MAX);
    free(model);
    key_queue_release(&queue);
}

static void memory_of_keys_that_left_is_used_again(void **state)
{
    struct key_queue queue;
    key_queue_init(&queue);
    char key[1000];
    memset(key, 'k', sizeof key);
    assert_int_equal(key_queue_push(&queue, INT64_MAX - 1, mill_string("stays")), 0);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(key_queue_push(&queue, i, mill_bytes_of(key, sizeof key)), 0);
        key_queue_pop(&queue);
    }
    assert_true(queue.keys.capacity < 1 << 20);
    assert_true(mill_bytes_equal(key_queue_first_key(&queue), mill_string("stays")));
    key_queue_release(&queue);
}

static void without_memory_nothing_changes(void **state)
{
    struct key_queue queue;
    key_queue_init(&queue);
    mem_fail_at(1, 1);
    assert_int_equal(key_queue_push(&queue, 1, mill_string("k")), MILL_ENOMEM);
    mem_fail_at(0, 0);
    assert_int_equal(queue.count, 0);
    assert_int_equal(key_queue_push(&queue, 1, mill_string("k")), 0);
    key_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_leave_in_the_order_of_time_then_bytes),
        cmocka_unit_test(memory_of_keys_that_left_is_used_again),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
