#include "log/producer_state.h"

#include <string.h>

#include "base/prng.h"
#include "support/cmocka_all.h"
#include "support/unreadable_page.h"

static struct producer_state state_;
static int64_t log_end;

static int set_up(void **state)
{
    producer_state_init(&state_);
    log_end = 0;
    return 0;
}

static int tear_down(void **state)
{
    producer_state_release(&state_);
    return 0;
}

static struct batch_header batch(int64_t id, int16_t epoch, int32_t sequence, int32_t count)
{
    return (struct batch_header){ .base_offset = log_end,
                                  .last_offset_delta = count - 1,
                                  .record_count = count,
                                  .producer_id = id,
                                  .producer_epoch = epoch,
                                  .base_sequence = sequence,
                                  .max_timestamp_ms = 77 };
}

static enum producer_verdict send(struct batch_header header, struct producer_batch *duplicate)
{
    enum producer_verdict verdict = producer_state_check(&state_, &header, duplicate);
    if (verdict != PRODUCER_IN_ORDER)
        return verdict;
    assert_int_equal(producer_state_reserve(&state_), 0);
    producer_state_note(&state_, &header, 1000);
    log_end = batch_next_offset(&header);
    return verdict;
}

static void an_unknown_producer_may_start_anywhere(void **state)
{
    struct producer_batch seen;
    assert_int_equal(send(batch(1, 4, 500, 3), &seen), PRODUCER_IN_ORDER);
    assert_int_equal(send(batch(1, 4, 503, 1), &seen), PRODUCER_IN_ORDER);
    assert_int_equal(send(batch(1, 4, 505, 1), &seen), PRODUCER_OUT_OF_ORDER);
}

static void end_txn(int64_t id, int16_t epoch)
{
    struct control_marker marker = { .type = CONTROL_COMMIT, .producer_id = id, .producer_epoch = epoch };
    assert_int_equal(producer_state_reserve(&state_), 0);
    producer_state_note_marker(&state_, &marker, 1000);
}

static void an_epoch_that_a_marker_raised_starts_at_0(void **state)
{
    struct producer_batch seen;
    assert_int_equal(send(batch(1, 4, 0, 3), &seen), PRODUCER_IN_ORDER);
    end_txn(1, 5);
    assert_int_equal(send(batch(1, 4, 3, 1), &seen), PRODUCER_STALE_EPOCH);
    assert_int_equal(send(batch(1, 5, 1, 1), &seen), PRODUCER_OUT_OF_ORDER);
    assert_int_equal(send(batch(1, 5, 0, 1), &seen), PRODUCER_IN_ORDER);
    assert_int_equal(send(batch(1, 5, 1, 1), &seen), PRODUCER_IN_ORDER);
}

static void restart(void)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    producer_state_encode(&state_, &bytes);
    producer_state_clear(&state_);
    assert_int_equal(producer_state_decode(&state_, buffer_bytes(&bytes), 1000), 0);
    buffer_release(&bytes);
}

/* The batches before it may be gone, and what was known of them. A snapshot tells the two apart. */
static void a_producer_of_which_only_a_marker_is_known_may_start_anywhere(void **state)
{
    struct producer_batch seen;
    end_txn(1, 4);
    assert_int_equal(send(batch(2, 4, 0, 1), &seen), PRODUCER_IN_ORDER);
    end_txn(2, 5);
    restart();
    assert_int_equal(send(batch(1, 3, 9, 1), &seen), PRODUCER_STALE_EPOCH);
    assert_int_equal(send(batch(1, 4, 9, 1), &seen), PRODUCER_IN_ORDER);
    assert_int_equal(send(batch(1, 4, 11, 1), &seen), PRODUCER_OUT_OF_ORDER);
    assert_int_equal(send(batch(2, 5, 9, 1), &seen), PRODUCER_OUT_OF_ORDER);
    assert_int_equal(send(batch(2, 5, 0, 1), &seen), PRODUCER_IN_ORDER);
    end_txn(3, 4);
    end_txn(3, 5);
    assert_int_equal(send(batch(3, 5, 9, 1), &seen), PRODUCER_OUT_OF_ORDER); /* it starts an epoch, whatever was before */
}

static void a_marker_of_the_same_epoch_lets_sequences_go_on(void **state)
{
    struct producer_batch seen;
    assert_int_equal(send(batch(1, 4, 0, 3), &seen), PRODUCER_IN_ORDER);
    end_txn(1, 4);
    assert_int_equal(send(batch(1, 4, 0, 1), &seen), PRODUCER_OUT_OF_ORDER);
    assert_int_equal(send(batch(1, 4, 3, 1), &seen), PRODUCER_IN_ORDER);
}

static void sequences_wrap_from_the_largest_to_zero(void **state)
{
    struct producer_batch seen;
    assert_int_equal(send(batch(1, 0, INT32_MAX - 1, 2), &seen), PRODUCER_IN_ORDER);
    assert_int_equal(send(batch(1, 0, 0, 1), &seen), PRODUCER_IN_ORDER);
    assert_int_equal(send(batch(2, 0, INT32_MAX - 1, 4), &seen), PRODUCER_IN_ORDER); /* wraps inside */
    assert_int_equal(send(batch(2, 0, 2, 1), &seen), PRODUCER_IN_ORDER);
    assert_int_equal(send(batch(2, 0, INT32_MAX - 1, 4), &seen), PRODUCER_DUPLICATE);
    assert_int_equal(seen.last_offset, 6);
}

/* What the header promises, in the plainest words: per id the epoch and all batches ever taken. */
struct model_producer {
    int known;
    int16_t epoch;
    int32_t next;
    int count;
    struct {
        int32_t sequence;
        int32_t records;
        int64_t last_offset;
    } taken[64];
};

static enum producer_verdict model_verdict(const struct model_producer *p, int16_t epoch, int32_t sequence, int32_t records,
                                           int64_t *last_offset)
{
    if (!p->known)
        return PRODUCER_IN_ORDER;
    if (epoch < p->epoch)
        return PRODUCER_STALE_EPOCH;
    if (epoch > p->epoch)
        return sequence == 0 ? PRODUCER_IN_ORDER : PRODUCER_OUT_OF_ORDER;
    for (int i = p->count - 1; i >= 0 && i >= p->count - PRODUCER_WINDOW; i--)
        if (p->taken[i].sequence == sequence && p->taken[i].records == records) {
            *last_offset = p->taken[i].last_offset;
            return PRODUCER_DUPLICATE;
        }
    return sequence == p->next ? PRODUCER_IN_ORDER : PRODUCER_OUT_OF_ORDER;
}

static void random_batches_are_judged_as_the_model_says(void **state)
{
    enum { PRODUCERS = 20, STEPS = 200000 };
    static struct model_producer model[PRODUCERS];
    struct prng prng;
    prng_init(&prng, 42);
    for (int step = 0; step < STEPS; step++) {
        int64_t id = (int64_t)prng_below(&prng, PRODUCERS);
        struct model_producer *p = &model[id];
        int16_t epoch = (int16_t)(p->epoch + (prng_chance(&prng, 0.05) ? (int)prng_below(&prng, 3) - 1 : 0));
        if (epoch < 0)
            epoch = 0;
        int32_t sequence = prng_chance(&prng, 0.6)   ? p->next
                           : prng_chance(&prng, 0.2) ? 0
                                                     : p->next - (int32_t)prng_below(&prng, 12);
        if (sequence < 0)
            sequence = 0;
        int32_t records = 1 + (int32_t)prng_below(&prng, 2);
        int64_t expected_offset = -1;
        enum producer_verdict expected = model_verdict(p, epoch, sequence, records, &expected_offset);
        struct producer_batch seen;
        struct batch_header header = batch(id, epoch, sequence, records);
        assert_int_equal(send(header, &seen), expected);
        if (expected == PRODUCER_DUPLICATE)
            assert_int_equal(seen.last_offset, expected_offset);
        if (expected != PRODUCER_IN_ORDER)
            continue;
        if (p->epoch != epoch || !p->known || p->count == 64)
            p->count = p->epoch != epoch || !p->known ? 0 : p->count;
        if (p->count == 64) {
            memmove(p->taken, p->taken + 32, 32 * sizeof p->taken[0]);
            p->count = 32;
        }
        p->known = 1;
        p->epoch = epoch;
        p->next = sequence + records;
        p->taken[p->count].sequence = sequence;
        p->taken[p->count].records = records;
        p->taken[p->count++].last_offset = batch_last_offset(&header);
    }
}

static void producers_that_were_not_seen_for_long_are_forgotten(void **state)
{
    struct producer_batch seen;
    for (int64_t id = 0; id < 100; id++) {
        struct batch_header header = batch(id, 0, 0, 1);
        assert_int_equal(producer_state_reserve(&state_), 0);
        producer_state_note(&state_, &header, id);
    }
    producer_state_expire(&state_, 149, 100);
    assert_int_equal(state_.count, 50);
    assert_null(producer_state_find(&state_, 49));
    assert_non_null(producer_state_find(&state_, 50));
    assert_int_equal(send(batch(49, 0, 30, 1), &seen), PRODUCER_IN_ORDER);
}

static void a_flood_of_ids_takes_bounded_memory(void **state)
{
    struct producer_batch seen;
    for (int64_t id = 0; id < PRODUCER_COUNT_MAX + 1000; id++)
        assert_int_equal(send(batch(id, 0, 0, 1), &seen), PRODUCER_IN_ORDER);
    assert_true(state_.count <= PRODUCER_COUNT_MAX);
    assert_null(producer_state_find(&state_, 0));
    assert_non_null(producer_state_find(&state_, PRODUCER_COUNT_MAX + 999));
}

static struct buffer three_producers(void)
{
    struct producer_batch seen;
    for (int i = 0; i < 7; i++)
        for (int64_t id = 10; id < 13; id++)
            assert_int_equal(send(batch(id, 2, 2 * i, 2), &seen), PRODUCER_IN_ORDER);
    struct buffer bytes;
    buffer_init(&bytes, 1 << 16);
    producer_state_encode(&state_, &bytes);
    assert_int_equal(bytes.len, PRODUCER_SNAPSHOT_HEADER_BYTES + 3 * PRODUCER_SNAPSHOT_ENTRY_BYTES);
    return bytes;
}

static void a_snapshot_brings_back_each_producers_last_batch(void **state)
{
    struct buffer bytes = three_producers();
    struct producer_state again;
    producer_state_init(&again);
    assert_int_equal(producer_state_decode(&again, buffer_bytes(&bytes), 5), 0);
    assert_int_equal(again.count, 3);
    const struct producer_entry *entry = producer_state_find(&again, 11);
    assert_int_equal(entry->epoch, 2);
    assert_int_equal(entry->batch_count, 1);
    assert_int_equal(entry->batches[0].last_sequence, 13);
    assert_int_equal(entry->batches[0].last_offset, 39);
    assert_int_equal(entry->txn_start, -1);

    /* The batches before it fill the window: the last four, oldest first. */
    for (int i = 0; i < 7; i++) {
        struct batch_header header = batch(11, 2, 2 * i, 2);
        header.base_offset = 6 * i + 2;
        producer_state_backfill(&again, &header);
    }
    entry = producer_state_find(&again, 11);
    assert_int_equal(entry->batch_count, PRODUCER_WINDOW);
    for (int i = 0; i < PRODUCER_WINDOW; i++)
        assert_int_equal(entry->batches[i].last_sequence, 5 + 2 * i);
    producer_state_release(&again);
    buffer_release(&bytes);
}

static void a_snapshot_cut_or_changed_anywhere_is_refused(void **state)
{
    struct buffer bytes = three_producers();
    struct unreadable_page page = unreadable_page_new(4096);
    struct producer_state again;
    producer_state_init(&again);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(producer_state_decode(&again, unreadable_page_put(&page, bytes.data, len), 5), MILL_ECORRUPT);
        assert_int_equal(again.count, 0);
    }
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(producer_state_decode(&again, buffer_bytes(&bytes), 5), MILL_ECORRUPT);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(producer_state_decode(&again, buffer_bytes(&bytes), 5), 0);
    producer_state_release(&again);
    unreadable_page_free(&page);
    buffer_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unknown_producer_may_start_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_that_a_marker_raised_starts_at_0, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_producer_of_which_only_a_marker_is_known_may_start_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_marker_of_the_same_epoch_lets_sequences_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sequences_wrap_from_the_largest_to_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_batches_are_judged_as_the_model_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(producers_that_were_not_seen_for_long_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flood_of_ids_takes_bounded_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_brings_back_each_producers_last_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_cut_or_changed_anywhere_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
