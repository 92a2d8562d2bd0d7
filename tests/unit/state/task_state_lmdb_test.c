/*
 * What a task may expect of its state on disk, beyond what every store does: several stores, maps that fill, segments, flushes.
 */
#include <pthread.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "state/layout.h"
#include "state/typed_store.h"
#include "unit/state/store_rig.h"

static mill_bytes key_of(char text[32], int i)
{
    return mill_bytes_of(text, (size_t)sprintf(text, "key-%08d", i));
}

static void put(struct rig *rig, int i, const char *value)
{
    char key[32];
    assert_int_equal(mill_key_value_put(rig->store, key_of(key, i), mill_string(value), i), 0);
}

static void expect(struct rig *rig, int i, const char *value)
{
    char key[32];
    mill_bytes got;
    assert_int_equal(mill_key_value_get(rig->store, key_of(key, i), &got, NULL), value != NULL);
    assert_true(mill_bytes_equal(got, mill_string(value)));
}

static void a_directory_has_one_owner(void **state)
{
    struct rig rig;
    struct rig other;
    trace_set_level(TRACE_OFF);
    rig_init(&rig, mill_key_value_store("s"));
    rig_open(&rig);
    other = rig;
    assert_int_equal(rig_try_open(&other), MILL_ELOCKED);
    assert_null(other.state);
    rig_release(&rig);
    trace_set_level(TRACE_WARN);
}

static const char *small_map(void *ctx, const char *name)
{
    return strcmp(name, "mill.state.map.bytes") == 0 ? "262144" : NULL;
}

static void a_full_map_grows_between_flushes(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    rig.property = small_map;
    rig_open(&rig);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 20000; i++)
            put(&rig, i, round % 2 ? "a value of some length, so that pages fill" : "another one");
        rig_commit(&rig);
        int flushes = 0;
        while (rig.state->ops->flush_due(rig.state, 0, true)) {
            assert_int_equal(rig_flush(&rig), 0);
            expect(&rig, 77, round % 2 ? "a value of some length, so that pages fill" : "another one");
            flushes++;
        }
        assert_true(round > 0 || flushes > 1);
    }
    rig_close_clean(&rig);
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    expect(&rig, 19999, "a value of some length, so that pages fill");
    rig_release(&rig);
}

static void a_full_map_grows_while_restoring(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    rig.property = small_map;
    rig_open(&rig);
    for (int i = 0; i < 30000; i++)
        put(&rig, i % 15000, i < 15000 ? "old" : "new");
    rig_commit(&rig);
    rig_close(&rig, false);
    rig_open(&rig); /* nothing was flushed */
    assert_int_equal(rig.restored_from, 0);
    for (int i = 0; i < 15000; i += 100)
        expect(&rig, i, "new");
    rig_close(&rig, true);
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    expect(&rig, 14999, "new");
    rig_release(&rig);
}

/* Processing goes on at once; the disk follows. */
static void what_the_disk_missed_is_read_at_once_and_goes_there_with_the_next_flush(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    rig_open(&rig);
    for (int i = 1; i <= 3; i++)
        put(&rig, i, "flushed");
    rig_commit(&rig);
    assert_int_equal(rig_flush(&rig), 0);
    put(&rig, 2, "missed");
    put(&rig, 3, NULL);
    put(&rig, 4, "missed");
    rig_commit(&rig);
    for (int starts = 0; starts < 2; starts++) {
        rig_close(&rig, false);
        rig_open(&rig);
        assert_int_equal(rig.restored_from, 3); /* the second time as well: nothing was put on disk */
        expect(&rig, 1, "flushed");
        expect(&rig, 2, "missed");
        expect(&rig, 3, NULL);
        expect(&rig, 4, "missed");
    }
    assert_true(rig.store->ops->frozen_bytes(rig.store) > 0);
    assert_int_equal(rig.store->ops->uncommitted_bytes(rig.store), 0);
    rig_roll_back(&rig);
    expect(&rig, 4, "missed");
    assert_true(rig.state->ops->flush_due(rig.state, 0, true));
    assert_int_equal(rig_flush(&rig), 0);
    assert_int_equal(rig.store->ops->frozen_bytes(rig.store), 0);
    rig_close(&rig, false);
    rig_open(&rig);
    assert_int_equal(rig.restored_from, rig.log_count);
    expect(&rig, 2, "missed");
    expect(&rig, 3, NULL);
    rig_release(&rig);
}

static void restore_times(struct rig *rig, mill_store *store, bool full, int times, const mill_changelog_position *position)
{
    const mill_task_state_ops *ops = rig->state->ops;
    mill_record record = { .key = mill_string("key-00000001"), .value = mill_string("v"), .timestamp_ms = 3 };
    assert_int_equal(ops->restore_begin(rig->state, store, full), 0);
    for (int i = 0; i < times; i++)
        assert_int_equal(ops->restore_records(rig->state, store, &record, 1), 0);
    assert_int_equal(ops->restore_end(rig->state, store, position), 0);
}

/* The first store is restored into memory, the other in another way; then a flush, and what is there is looked at. */
static void restore_beside(mill_store_builder *other_builder, bool full, int times)
{
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    rig.restore_bytes = 20000;
    mill_changelog_position positions[2] = { { .offset = 10 }, { .offset = 20 } };
    mill_changelog_position got;
    mill_store *other;
    for (int starts = 0; starts < 3; starts++) {
        assert_int_equal(rig_try_open(&rig), 0);
        const mill_task_state_ops *ops = rig.state->ops;
        assert_int_equal(ops->add_store(rig.state, other_builder, &rig.changelog, &other), 0);
        if (starts == 0) {
            assert_int_equal(ops->freeze(rig.state, positions, 2), 0);
            ops->committed(rig.state);
        }
        positions[0].offset = 11;
        positions[1].offset = 22;
        if (starts == 1) {
            restore_times(&rig, rig.store, false, 1, &positions[0]);
            restore_times(&rig, other, full, times, &positions[1]);
        }
        if (starts == 2) {
            expect(&rig, 1, "v");
            assert_int_equal(ops->position(rig.state, rig.store, &got), 0);
            assert_int_equal(got.offset, 11);
            assert_int_equal(ops->position(rig.state, other, &got), 0);
            assert_int_equal(got.offset, 22);
        }
        assert_int_equal(rig_flush(&rig), 0);
        rig_close(&rig, false);
    }
    other_builder->free(other_builder);
    rig_release(&rig);
}

static void what_one_store_missed_leaves_the_position_of_another(void **state)
{
    restore_beside(mill_key_value_store("t"), false, 1);
    restore_beside(mill_key_value_store("t"), true, 1);
}

static void a_store_may_go_to_the_disk_while_what_another_missed_waits(void **state)
{
    restore_beside(mill_versioned_store("t", 1000), false, 1);
    restore_beside(mill_key_value_store("t"), false, 2000);
}

static int count_headers(void *ctx, const mill_record *record)
{
    int *with_headers = ctx;
    *with_headers += record->header_count == 2 && mill_bytes_equal(record->headers[0].value, mill_string("a")) &&
                     mill_is_null(record->headers[1].value);
    return 0;
}

static void headers_of_what_waits_in_the_cache_take_no_memory_per_record(void **state)
{
    struct rig rig;
    int with_headers = 0;
    mill_header headers[] = { { mill_string("trace"), mill_string("a") }, { mill_string(""), mill_null() } };
    rig_init(&rig, mill_store_with_caching(mill_key_value_store("s"), true));
    rig.listener = count_headers;
    rig.listener_ctx = &with_headers;
    rig_open(&rig);
    uint64_t allocations = 0;
    for (int round = 0; round < 2; round++) {
        mem_fail_at(round == 0 ? 0 : UINT64_MAX, false);
        for (int i = 0; i < 10000; i++) {
            mill_store_set_headers(rig.store, headers, i % 3 == 0 && i < 5000 ? 0 : 2);
            put(&rig, i % 100, "value");
        }
        allocations = mem_fail_at(0, false);
        rig_commit(&rig);
        assert_int_equal(with_headers, 100 * (round + 1));
    }
    assert_true(allocations < 100);
    rig_release(&rig);
}

static void a_flush_is_due_by_number_age_or_closing(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_store_with_logging(mill_key_value_store("s"), false));
    rig_open(&rig);
    const mill_task_state_ops *ops = rig.state->ops;
    assert_false(ops->flush_due(rig.state, 1, false));
    put(&rig, 1, "x");
    assert_false(ops->flush_due(rig.state, 1, true)); /* not committed */
    rig_commit(&rig);
    assert_false(ops->flush_due(rig.state, 5000000, false));
    assert_false(ops->flush_due(rig.state, 14999999, false));
    assert_true(ops->flush_due(rig.state, 15000000, false));
    assert_true(ops->flush_due(rig.state, 5000000, true));
    assert_int_equal(rig_flush(&rig), 0);
    assert_false(ops->flush_due(rig.state, 5000000, true));
    rig_commit(&rig); /* a position only: an hour is soon enough */
    assert_false(ops->flush_due(rig.state, 20000000, false));
    assert_false(ops->flush_due(rig.state, 3000000000, false));
    assert_true(ops->flush_due(rig.state, 3620000000, false));
    assert_int_equal(rig_flush(&rig), 0);
    for (int i = 0; i < 1000000; i++)
        put(&rig, i, "");
    assert_true(rig.store->ops->uncommitted_bytes(rig.store) > 0);
    rig_commit(&rig);
    assert_int_equal(rig.store->ops->uncommitted_bytes(rig.store), 0);
    assert_true(rig.store->ops->frozen_bytes(rig.store) > 0);
    assert_true(ops->flush_due(rig.state, 3620000000, false));
    assert_int_equal(rig_flush(&rig), 0);
    assert_int_equal(rig.store->ops->frozen_bytes(rig.store), 0);
    rig_release(&rig);
}

static void positions_and_marks_come_back(void **state)
{
    struct rig rig;
    mill_changelog_position position = { .topic_id = { 1, 2, 3 }, .leader_epoch = 7, .offset = 12345, .marked_at_ms = 99 };
    mill_changelog_position got;
    rig_init(&rig, mill_key_value_store("s"));
    assert_int_equal(rig_try_open(&rig), 0);
    assert_int_equal(rig.state->ops->position(rig.state, rig.store, &got), 0);
    assert_int_equal(got.offset, -1);
    put(&rig, 1, "x");
    assert_int_equal(rig_flush_caches(&rig, 10), 0);
    assert_int_equal(rig.state->ops->freeze(rig.state, &position, 1), 0);
    rig.state->ops->committed(rig.state);
    assert_int_equal(rig_flush(&rig), 0);
    rig_close(&rig, true);
    assert_int_equal(rig_try_open(&rig), 0);
    assert_int_equal(rig.state->ops->position(rig.state, rig.store, &got), 0);
    assert_memory_equal(got.topic_id, position.topic_id, sizeof got.topic_id);
    assert_int_equal(got.leader_epoch, position.leader_epoch);
    assert_int_equal(got.offset, position.offset);
    assert_int_equal(got.marked_at_ms, position.marked_at_ms);
    assert_int_equal(rig.state->ops->wipe(rig.state), 0);
    assert_int_equal(rig.state->ops->position(rig.state, rig.store, &got), 0);
    assert_int_equal(got.offset, -1);
    expect(&rig, 1, NULL);
    rig_release(&rig);
}

static void a_store_of_another_shape_is_built_anew(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_window_store("s", 100000, 1000));
    rig_open(&rig);
    assert_int_equal(mill_window_put(rig.store, mill_string("k"), 5000, mill_string("v"), 1), 1);
    rig_close_clean(&rig);
    rig.builder->retention_ms = 900000; /* other segments */
    rig_open(&rig);
    assert_true(rig.restored_in_full);
    mill_bytes value;
    assert_int_equal(mill_window_fetch(rig.store, mill_string("k"), 5000, &value, NULL), 1);
    rig_close_clean(&rig);
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    rig_release(&rig);
}

static void a_recipe_that_cannot_work_is_refused(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_window_store("s", 10, 1000));
    assert_int_equal(rig_try_open(&rig), MILL_EINVALID);
    assert_non_null(strstr(rig.state->ops->error(rig.state), "raise the retention"));
    rig_release(&rig);
}

static void expired_segments_give_their_room_back(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_window_store("s", 32000, 1000));
    rig_open(&rig);
    int64_t sizes[8] = { 0 };
    for (int window = 0; window < 400; window++) {
        for (int i = 0; i < 300; i++) {
            char key[32];
            assert_int_equal(mill_window_put(rig.store, key_of(key, i), window * INT64_C(1000), mill_string("some value"), 1), 1);
        }
        rig_commit(&rig);
        assert_int_equal(rig_flush(&rig), 0);
        if (window % 50 == 49) {
            char path[96];
            struct disk_entry entry;
            snprintf(path, sizeof path, "%s/data.mdb", rig.directory);
            assert_int_equal(disk_stat(uv_disk(), path, &entry), 0);
            sizes[window / 50] = entry.size;
        }
    }
    assert_true(sizes[7] <= sizes[1] + sizes[1] / 4);
    mill_bytes value;
    assert_int_equal(mill_window_fetch(rig.store, mill_string("key-00000001"), 367000, &value, NULL), 0);
    assert_int_equal(mill_window_fetch(rig.store, mill_string("key-00000001"), 368000, &value, NULL), 1);
    assert_int_equal(mill_window_put(rig.store, mill_string("late"), 367000, mill_string("x"), 1), 0);
    assert_int_equal(rig.drops, 1);
    rig_release(&rig);
}

static void put_windows(struct rig *rig, int from, int to)
{
    for (int window = from; window < to; window++)
        assert_int_equal(mill_window_put(rig->store, mill_string("k"), window * INT64_C(1000), mill_string("v"), 1), 1);
}

static void expect_windows(struct rig *rig, int first, int end)
{
    mill_bytes value;
    for (int window = 0; window < end; window++)
        assert_int_equal(mill_window_fetch(rig->store, mill_string("k"), window * INT64_C(1000), &value, NULL), window >= first);
}

/* As in catching up: what has expired within a commit needs no segments. */
static void a_commit_may_span_more_windows_than_the_disk_holds(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_window_store("s", 4000, 1000));
    rig_open(&rig);
    put_windows(&rig, 0, 1000);
    rig_commit(&rig);
    assert_int_equal(rig_flush(&rig), 0);
    expect_windows(&rig, 996, 1000);
    rig_release(&rig);
}

/* At least once, the changelog may be ahead of the positions by more than the disk holds. */
static void time_is_set_back_as_far_as_segments_reach(void **state)
{
    for (int committed = 0; committed <= 990; committed += 990) {
        struct rig rig;
        rig_init(&rig, mill_window_store("s", 4000, 1000));
        rig_open(&rig);
        put_windows(&rig, 0, committed);
        rig_commit(&rig);
        assert_int_equal(rig_flush(&rig), 0);
        put_windows(&rig, committed, 1000);
        rig_close(&rig, false);
        rig.resumes = true;
        rig.resume_at_ms = committed * 1000 - 1000;
        rig_open(&rig);
        int first = committed > 0 ? committed - 4 : 1000 - HELD_SEGMENTS;
        expect_windows(&rig, first, 1000);
        rig_commit(&rig);
        assert_int_equal(rig_flush(&rig), 0);
        expect_windows(&rig, first, 1000);
        put_windows(&rig, first, 1001);
        expect_windows(&rig, 997, 1001);
        rig_commit(&rig);
        assert_int_equal(rig_flush(&rig), 0);
        expect_windows(&rig, 997, 1001);
        rig_release(&rig);
    }
}

/* Stores of one task share an environment and a flush, and nothing else. */
static void two_stores_do_not_disturb_each_other(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    assert_int_equal(rig_try_open(&rig), 0);
    mill_store_builder *window_builder = mill_window_store("t", 100000, 1000);
    mill_store *window;
    const mill_task_state_ops *ops = rig.state->ops;
    assert_int_equal(ops->add_store(rig.state, window_builder, &rig.changelog, &window), 0);
    put(&rig, 1, "one");
    assert_int_equal(mill_window_put(window, mill_string("k"), 1000, mill_string("w"), 5), 1);
    mill_changelog_position positions[2] = { { .offset = 10 }, { .offset = 20 } };
    assert_int_equal(ops->freeze(rig.state, positions, 2), 0);
    ops->committed(rig.state);
    assert_int_equal(rig_flush(&rig), 0);
    assert_int_equal(ops->restore_begin(rig.state, rig.store, true), 0);
    expect(&rig, 1, NULL);
    mill_record record = { .key = mill_string("key-00000002"), .value = mill_string("two"), .timestamp_ms = 3 };
    assert_int_equal(ops->restore_records(rig.state, rig.store, &record, 1), 0);
    assert_int_equal(ops->restore_end(rig.state, rig.store, &positions[0]), 0);
    expect(&rig, 2, "two");
    mill_bytes value;
    assert_int_equal(mill_window_fetch(window, mill_string("k"), 1000, &value, NULL), 1);
    rig_close(&rig, false);
    window_builder->free(window_builder);
    rig_release(&rig);
}

static void a_set_without_windows_keeps_its_members_for_good(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_store_with_caching(mill_set_store("s", 0, 0), true));
    rig_open(&rig);
    bool added;
    mill_set_size size;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
            char member[32];
            assert_int_equal(mill_set_add(rig.store, mill_string("all"), 0, key_of(member, i + round * 100), i, &added, &size),
                             1);
            assert_int_equal(added, round == 0 || i >= 100);
        }
        rig_close_clean(&rig);
        rig_open(&rig);
        assert_int_equal(mill_set_count(rig.store, mill_string("all"), 0, &size), 1);
        assert_int_equal(size.count, 200 + round * 100);
        assert_int_equal(size.timestamp_ms, 199);
    }
    rig_release(&rig);
}

static void a_store_answers_only_calls_of_its_kind(void **state)
{
    struct rig rig;
    mill_bytes value;
    mill_store_iterator *iterator;
    bool added;
    mill_set_size size;
    rig_init(&rig, mill_key_value_store("s"));
    rig_open(&rig);
    assert_int_equal(mill_window_fetch(rig.store, mill_string("k"), 0, &value, NULL), MILL_EINVALID);
    assert_int_equal(mill_window_put(rig.store, mill_string("k"), 0, mill_string("v"), 0), MILL_EINVALID);
    assert_int_equal(mill_window_fetch_all(rig.store, 0, 1, MILL_FORWARD, &iterator), MILL_EINVALID);
    assert_int_equal(mill_set_add(rig.store, mill_string("k"), 0, mill_string("m"), 0, &added, &size), MILL_EINVALID);
    assert_int_equal(mill_key_value_put(rig.store, mill_null(), mill_string("v"), 0), MILL_EINVALID);
    assert_int_equal(mill_key_value_get(NULL, mill_string("k"), &value, NULL), MILL_EINVALID);
    assert_int_equal(mill_window_stream_time_ms(rig.store), -1);
    rig_release(&rig);
}

static size_t kept_bytes(const struct rig *rig)
{
    return cache_bytes(&((const struct typed_store *)rig->store)->cache);
}

static void a_smaller_share_gives_back_what_the_disk_has(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    rig.cache_bytes = 8 << 20;
    rig_open(&rig);
    for (int i = 0; i < 10000; i++)
        put(&rig, i, "on disk");
    rig_commit(&rig);
    assert_int_equal(rig_flush(&rig), 0);
    for (int i = 10000; i < 11000; i++)
        put(&rig, i, "in memory");
    size_t before = kept_bytes(&rig);
    rig_set_cache_bytes(&rig, 4 << 20);
    assert_int_equal(kept_bytes(&rig), before); /* it fits */
    rig_set_cache_bytes(&rig, 1);
    assert_true(kept_bytes(&rig) < before / 3); /* the slots stay */
    for (int i = 0; i < 11000; i++)
        expect(&rig, i, i < 10000 ? "on disk" : "in memory");
    rig_release(&rig);
}

static void reading_alone_keeps_no_more_than_the_share_twice_and_a_little(void **state)
{
    enum { KEYS = 100000, SHARE = 2 << 20, LITTLE = 1 << 20 };
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    rig.cache_bytes = SHARE;
    rig_open(&rig);
    for (int i = 0; i < KEYS; i++)
        put(&rig, i, "a value of some length, so that there is more of them than fits");
    rig_close_clean(&rig);
    rig_open(&rig);
    for (int i = 0; i < KEYS; i++) {
        expect(&rig, i, "a value of some length, so that there is more of them than fits");
        if (i % 2048 == 0)
            rig.state->ops->trim(rig.state); /* as between turns */
        assert_true(kept_bytes(&rig) <= 2 * SHARE + LITTLE);
    }
    expect(&rig, KEYS, NULL);
    rig.state->ops->trim(rig.state);
    size_t before = kept_bytes(&rig);
    for (int i = 0; i < 100; i++)
        expect(&rig, i, "a value of some length, so that there is more of them than fits");
    assert_true(kept_bytes(&rig) > before); /* what is read now is kept again */
    rig_release(&rig);
}

/* A punctuator, or another thread's query, may read all of it in one go. */
static void what_is_read_between_two_records_is_not_kept_without_bound(void **state)
{
    enum { KEYS = 100000, LITTLE = 1 << 20, SLOTS = 1 << 20 };
    struct rig rig;
    rig_init(&rig, mill_key_value_store("s"));
    rig.cache_bytes = 1;
    rig_open(&rig);
    for (int i = 0; i < KEYS; i++)
        put(&rig, i, "a value of some length, so that there is more of them than fits");
    rig_close_clean(&rig);
    rig_open(&rig);
    for (int i = 0; i < KEYS; i++)
        expect(&rig, i, "a value of some length, so that there is more of them than fits");
    assert_true(kept_bytes(&rig) <= LITTLE + SLOTS);
    put(&rig, KEYS - 1, "written");
    expect(&rig, KEYS - 1, "written");
    rig_roll_back(&rig);
    expect(&rig, KEYS - 1, "a value of some length, so that there is more of them than fits");
    rig_release(&rig);
}

static void without_a_disk_everything_stays_in_memory(void **state)
{
    struct rig rig;
    rig_init_on(&rig, mill_key_value_store("s"), NULL, "");
    rig_open(&rig);
    put(&rig, 1, "x");
    rig_commit(&rig);
    expect(&rig, 1, "x");
    rig_release(&rig);
}

/* ---- flushing on another thread -------------------------------------------------------------------------------------------- */

static void *flush_on_a_thread(void *ctx)
{
    struct rig *rig = ctx;
    return (void *)(intptr_t)rig->state->ops->flush(rig->state);
}

/* For tsan above all: reads, writes, commits and aborts go on while the worker writes. */
static void processing_goes_on_while_a_worker_flushes(void **state)
{
    struct rig rig;
    rig_init(&rig, mill_window_store("s", 20000, 1000));
    rig.cache_bytes = 50000;
    rig_open(&rig);
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 500; i++) {
            char key[32];
            assert_int_equal(mill_window_put(rig.store, key_of(key, i * 7 % 900), round * INT64_C(1000), mill_string("v"), round),
                             1);
        }
        rig_commit(&rig);
        pthread_t worker;
        assert_int_equal(pthread_create(&worker, NULL, flush_on_a_thread, &rig), 0);
        for (int i = 0; i < 2000; i++) {
            char key[32];
            mill_bytes value;
            int64_t start_ms = (round - i % 15) * INT64_C(1000);
            assert_true(mill_window_fetch(rig.store, key_of(key, i % 900), start_ms, &value, NULL) >= 0);
            if (i % 5 == 0)
                assert_true(mill_window_put(rig.store, key_of(key, i % 900), start_ms < 0 ? 0 : start_ms, mill_string("w"), 1) >=
                            0);
            if (i % 700 == 0)
                rig_commit(&rig);
            if (i % 900 == 0)
                rig_roll_back(&rig);
            (void)rig.state->ops->flush_due(rig.state, i, false);
        }
        void *code;
        pthread_join(worker, &code);
        assert_int_equal((intptr_t)code, 0);
        rig.state->ops->flushed(rig.state, 0);
    }
    rig_close_clean(&rig);
    rig_open(&rig);
    assert_false(rig.restored_in_full);
    rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_has_one_owner),
        cmocka_unit_test(a_full_map_grows_between_flushes),
        cmocka_unit_test(a_full_map_grows_while_restoring),
        cmocka_unit_test(what_the_disk_missed_is_read_at_once_and_goes_there_with_the_next_flush),
        cmocka_unit_test(what_one_store_missed_leaves_the_position_of_another),
        cmocka_unit_test(a_store_may_go_to_the_disk_while_what_another_missed_waits),
        cmocka_unit_test(headers_of_what_waits_in_the_cache_take_no_memory_per_record),
        cmocka_unit_test(a_flush_is_due_by_number_age_or_closing),
        cmocka_unit_test(positions_and_marks_come_back),
        cmocka_unit_test(a_store_of_another_shape_is_built_anew),
        cmocka_unit_test(a_recipe_that_cannot_work_is_refused),
        cmocka_unit_test(expired_segments_give_their_room_back),
        cmocka_unit_test(a_commit_may_span_more_windows_than_the_disk_holds),
        cmocka_unit_test(time_is_set_back_as_far_as_segments_reach),
        cmocka_unit_test(two_stores_do_not_disturb_each_other),
        cmocka_unit_test(a_set_without_windows_keeps_its_members_for_good),
        cmocka_unit_test(a_store_answers_only_calls_of_its_kind),
        cmocka_unit_test(a_smaller_share_gives_back_what_the_disk_has),
        cmocka_unit_test(reading_alone_keeps_no_more_than_the_share_twice_and_a_little),
        cmocka_unit_test(what_is_read_between_two_records_is_not_kept_without_bound),
        cmocka_unit_test(without_a_disk_everything_stays_in_memory),
        cmocka_unit_test(processing_goes_on_while_a_worker_flushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
