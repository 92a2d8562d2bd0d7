/* Frames as a client sends them, batches somewhere in them; every frame tells when it is freed. */
#include "support/cmocka_all.h"

#include <string.h>

#include "base/alloc.h"
#include "log/hot_tail.h"

enum { TAIL_BYTES = 64 << 10, FRAME_BYTES = 900 << 10, SMALL_BYTES = 200, STAMP = 0xab };

struct fixture {
    struct hot_tail tail;
    size_t frames_alive;
    size_t frame_bytes_alive;
    int64_t next_offset;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ 0 };
    hot_tail_init(&f.tail, TAIL_BYTES);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hot_tail_release(&f->tail);
    assert_int_equal(f->frames_alive, 0);
    return 0;
}

static void frame_is_freed(void *ctx, size_t capacity)
{
    struct fixture *f = ctx;
    f->frames_alive--;
    f->frame_bytes_alive -= capacity;
}

/* A frame of `frame_bytes` that ends with a batch of `batch_bytes`, whose bytes are all `fill`. */
static struct slice make_frame(struct fixture *f, size_t frame_bytes, size_t batch_bytes, uint8_t fill)
{
    struct shared_buffer *frame = shared_buffer_new(frame_bytes);
    assert_non_null(frame);
    frame->on_free = frame_is_freed;
    frame->ctx = f;
    frame->len = (uint32_t)frame_bytes;
    f->frames_alive++;
    f->frame_bytes_alive += frame_bytes;
    uint8_t *batch = frame->data + frame_bytes - batch_bytes;
    memset(batch, fill, batch_bytes);
    return (struct slice){ mill_bytes_of(batch, batch_bytes), frame };
}

/* The log has appended it, and the request that brought it is answered. */
static void push(struct fixture *f, struct slice batch)
{
    uint8_t header[BATCH_HEADER_BYTES];
    memset(header, STAMP, sizeof header);
    hot_tail_push(&f->tail, header, batch, f->next_offset, f->next_offset + 10);
    f->next_offset += 10;
    shared_buffer_drop(batch.buffer);
}

static struct hot_answer take_one(struct fixture *f, int64_t offset, struct slice *slice)
{
    return hot_tail_take(&f->tail, offset, INT64_MAX, SIZE_MAX, false, slice, 1);
}

static void small_batches_do_not_keep_the_large_frames_that_brought_them(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5000; i++) {
        push(f, make_frame(f, FRAME_BYTES, SMALL_BYTES, 1));
        assert_true(f->frame_bytes_alive <= TAIL_BYTES);
        assert_true(f->tail.bytes <= TAIL_BYTES);
    }
    assert_true(f->tail.count > 200); /* and they are there for those who read at the tail */
}

static void batches_of_any_part_of_their_frames_stay_within_the_bound(void **state)
{
    struct fixture *f = *state;
    for (size_t frame_bytes = 1000; frame_bytes < 2 * TAIL_BYTES; frame_bytes += 997) {
        for (size_t part = 1; part < 12; part++) {
            if (frame_bytes / part < BATCH_HEADER_BYTES)
                continue;
            push(f, make_frame(f, frame_bytes, frame_bytes / part, 1));
            assert_true(f->frame_bytes_alive <= TAIL_BYTES);
            assert_true(f->tail.bytes <= TAIL_BYTES);
        }
    }
}

static void a_batch_that_fills_its_frame_is_held_where_it_arrived(void **state)
{
    struct fixture *f = *state;
    struct slice batch = make_frame(f, 5000, 4900, 7);
    push(f, batch);
    struct slice taken;
    assert_int_equal(take_one(f, 0, &taken).slice_count, 1);
    assert_ptr_equal(taken.buffer, batch.buffer);
    assert_ptr_equal(taken.bytes.data, batch.bytes.data);
    assert_int_equal(taken.bytes.data[BATCH_HEADER_BYTES - 1], STAMP);
    assert_int_equal(taken.bytes.data[BATCH_HEADER_BYTES], 7);
    shared_buffer_drop(taken.buffer);
}

static void a_copied_batch_has_the_stamped_header_and_its_own_records(void **state)
{
    struct fixture *f = *state;
    push(f, make_frame(f, FRAME_BYTES, SMALL_BYTES, 7));
    struct slice taken;
    struct hot_answer answer = take_one(f, 3, &taken);
    assert_int_equal(answer.bytes, SMALL_BYTES);
    assert_int_equal(answer.next_offset, 10);
    for (int i = 0; i < SMALL_BYTES; i++)
        assert_int_equal(taken.bytes.data[i], i < BATCH_HEADER_BYTES ? STAMP : 7);
    shared_buffer_drop(taken.buffer);
}

static void the_oldest_go_first_and_what_was_taken_stays_readable(void **state)
{
    struct fixture *f = *state;
    push(f, make_frame(f, 30000, 29000, 1));
    struct slice taken;
    assert_int_equal(take_one(f, 0, &taken).slice_count, 1);
    push(f, make_frame(f, 30000, 29000, 2));
    assert_true(hot_tail_covers(&f->tail, 0));
    push(f, make_frame(f, 30000, 29000, 3));
    assert_false(hot_tail_covers(&f->tail, 0));
    assert_true(hot_tail_covers(&f->tail, 10));
    assert_int_equal(taken.bytes.data[BATCH_HEADER_BYTES], 1);
    shared_buffer_drop(taken.buffer);
}

static void a_take_ends_at_whole_batches_below_its_bounds(void **state)
{
    struct fixture *f = *state;
    struct slice taken[8];
    for (int i = 0; i < 4; i++)
        push(f, make_frame(f, 1000, 1000, 1));
    struct hot_answer answer = hot_tail_take(&f->tail, 15, 40, 2999, false, taken, 8);
    assert_int_equal(answer.slice_count, 2);
    assert_int_equal(answer.next_offset, 30);
    for (size_t i = 0; i < answer.slice_count; i++)
        shared_buffer_drop(taken[i].buffer);
    assert_int_equal(hot_tail_take(&f->tail, 0, 9, 2999, true, taken, 8).slice_count, 0);
    assert_int_equal(hot_tail_take(&f->tail, 0, 40, 999, false, taken, 8).slice_count, 0);
    answer = hot_tail_take(&f->tail, 0, 40, 999, true, taken, 8);
    assert_int_equal(answer.bytes, 1000);
    shared_buffer_drop(taken[0].buffer);
}

static void more_batches_than_the_ring_may_have_push_the_oldest_out(void **state)
{
    struct fixture *f = *state;
    f->tail.bytes_max = SIZE_MAX;
    for (int i = 0; i < HOT_TAIL_BATCHES_MAX + 3; i++)
        push(f, make_frame(f, 100, 100, 1));
    assert_int_equal(f->tail.count, HOT_TAIL_BATCHES_MAX);
    assert_false(hot_tail_covers(&f->tail, 29));
    assert_true(hot_tail_covers(&f->tail, 30));
    hot_tail_forget_before(&f->tail, 5000);
    assert_false(hot_tail_covers(&f->tail, 4999));
    assert_true(hot_tail_covers(&f->tail, 5000));
}

static void a_batch_that_cannot_be_kept_empties_the_tail(void **state)
{
    struct fixture *f = *state;
    push(f, make_frame(f, 1000, 1000, 1));
    push(f, make_frame(f, TAIL_BYTES + 100, TAIL_BYTES + 1, 1));
    assert_int_equal(f->tail.count, 0);
    assert_int_equal(f->tail.bytes, 0);

    for (uint64_t nth = 1; nth <= 2; nth++) { /* the ring, the copy */
        struct slice batch = make_frame(f, FRAME_BYTES, SMALL_BYTES, 1);
        mem_fail_at(nth, 0);
        push(f, batch);
        mem_fail_at(0, 0);
        assert_int_equal(f->tail.count, 0);
    }
    push(f, make_frame(f, FRAME_BYTES, SMALL_BYTES, 1));
    assert_int_equal(f->tail.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_batches_do_not_keep_the_large_frames_that_brought_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(batches_of_any_part_of_their_frames_stay_within_the_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_that_fills_its_frame_is_held_where_it_arrived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copied_batch_has_the_stamped_header_and_its_own_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_go_first_and_what_was_taken_stays_readable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_take_ends_at_whole_batches_below_its_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_batches_than_the_ring_may_have_push_the_oldest_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_that_cannot_be_kept_empties_the_tail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
