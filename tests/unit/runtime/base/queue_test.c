#include "base/queue.h"

#include <pthread.h>
#include <sched.h>

#include "base/alloc.h"
#include "base/shared_buffer.h"
#include "support/cmocka_all.h"

static void messages_arrive_in_order(void **state)
{
    struct queue *queue = queue_new("test", 3);
    int messages[5];
    void *received[5];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 3; i++) {
            assert_true(queue_reserve(queue));
            assert_int_equal(queue_send(queue, &messages[i]), i == 0);
        }
        assert_int_equal(queue_receive(queue, received, 2), 2);
        assert_ptr_equal(received[0], &messages[0]);
        assert_ptr_equal(received[1], &messages[1]);
        assert_int_equal(queue_receive(queue, received, 5), 1);
        assert_ptr_equal(received[0], &messages[2]);
    }
    queue_free(queue);
}

static void a_reservation_holds_a_slot_until_received_or_given_back(void **state)
{
    struct queue *queue = queue_new("test", 2);
    void *received;
    int message;
    assert_true(queue_reserve(queue));
    assert_true(queue_reserve(queue));
    assert_false(queue_reserve(queue));
    queue_unreserve(queue);
    assert_true(queue_reserve(queue));
    queue_send(queue, &message);
    assert_false(queue_reserve(queue));
    assert_int_equal(queue_receive(queue, &received, 1), 1);
    assert_true(queue_reserve(queue));
    queue_free(queue);
}

static void no_memory_gives_no_queue(void **state)
{
    mem_fail_at(1, 0);
    assert_null(queue_new("test", 2));
    mem_fail_at(0, 0);
}

enum { SENDERS = 3, MESSAGES = 2000 };

static void *send_buffers(void *ctx)
{
    for (int i = 0; i < MESSAGES; i++) {
        while (!queue_reserve(ctx))
            sched_yield();
        struct shared_buffer *buffer = shared_buffer_new(8);
        buffer->data[0] = (uint8_t)i;
        shared_buffer_hold(buffer);
        queue_send(ctx, buffer);
        shared_buffer_drop(buffer);
    }
    return NULL;
}

static void count_freed(void *ctx, size_t capacity)
{
    atomic_fetch_add((atomic_size_t *)ctx, capacity);
}

static void buffers_cross_threads_and_are_freed_once(void **state)
{
    struct queue *queue = queue_new("test", 16);
    pthread_t senders[SENDERS];
    for (int i = 0; i < SENDERS; i++)
        pthread_create(&senders[i], NULL, send_buffers, queue);
    size_t received = 0;
    while (received < (size_t)SENDERS * MESSAGES) {
        void *buffers[8];
        size_t count = queue_receive(queue, buffers, 8);
        for (size_t i = 0; i < count; i++)
            shared_buffer_drop(buffers[i]);
        received += count;
        if (count == 0)
            sched_yield();
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i], NULL);
    queue_free(queue);
}

static void the_last_holder_frees_and_tells_the_budget(void **state)
{
    atomic_size_t freed = 0;
    struct shared_buffer *buffer = shared_buffer_new(100);
    buffer->on_free = count_freed;
    buffer->ctx = &freed;
    shared_buffer_hold(buffer);
    shared_buffer_drop(buffer);
    assert_int_equal(freed, 0);
    shared_buffer_drop(buffer);
    assert_int_equal(freed, 100);
    shared_buffer_drop(NULL);
    assert_null(shared_buffer_new((size_t)UINT32_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_in_order),
        cmocka_unit_test(a_reservation_holds_a_slot_until_received_or_given_back),
        cmocka_unit_test(no_memory_gives_no_queue),
        cmocka_unit_test(buffers_cross_threads_and_are_freed_once),
        cmocka_unit_test(the_last_holder_frees_and_tells_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
