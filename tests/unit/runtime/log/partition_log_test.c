/* The log as its callers see it. */
#include "log_fixture.h"

static int set_up(void **state)
{
    static struct log_fixture f;
    fixture_init(&f, 1);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static uint8_t bytes[1 << 20];

/* The base offsets of the batches in `bytes`. */
static size_t batches_of(size_t len, int64_t *base_offsets, size_t max)
{
    mill_bytes region = mill_bytes_of(bytes, len);
    mill_bytes batch;
    struct batch_header header;
    size_t count = 0;
    while (batch_next(&region, &batch, &header) == 1) {
        assert_int_equal(batch_check(batch, &header), 0);
        assert_true(count < max);
        base_offsets[count++] = header.base_offset;
    }
    assert_int_equal(region.len, 0);
    return count;
}

static void an_empty_log_begins_and_ends_at_zero(void **state)
{
    struct log_fixture *f = *state;
    assert_int_equal(partition_log_start_offset(f->log), 0);
    assert_int_equal(partition_log_end_offset(f->log), 0);
    assert_int_equal(partition_log_leader_epoch(f->log), -1);
    struct read_answer answer = fixture_read(f, 0, INT64_MAX, 100, true, bytes);
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.bytes, 0);
    assert_int_equal(fixture_read(f, 1, INT64_MAX, 100, true, bytes).code, MILL_EOUTOFRANGE);
}

static void batches_get_dense_offsets_and_the_leaders_epoch(void **state)
{
    struct log_fixture *f = *state;
    struct slice batches[3] = { make_batch(plain_batch(3, 100)), make_batch(plain_batch(1, 200)),
                                make_batch(plain_batch(2, 300)) };
    struct append_result result;
    assert_int_equal(partition_log_append(f->log, batches, 3, APPEND_CLIENT, 7, f->now, &result), 0);
    assert_int_equal(result.outcome, APPEND_DONE);
    assert_int_equal(result.appended, 3);
    assert_int_equal(result.base_offset, 0);
    assert_int_equal(result.last_offset, 5);
    assert_int_equal(partition_log_end_offset(f->log), 6);
    assert_int_equal(partition_log_leader_epoch(f->log), 7);

    int64_t bases[3];
    struct read_answer answer = fixture_read(f, 0, INT64_MAX, sizeof bytes, true, bytes);
    assert_int_equal(batches_of(answer.bytes, bases, 3), 3);
    assert_int_equal(bases[1], 3);
    assert_int_equal(bases[2], 4);
    for (int i = 0; i < 3; i++)
        shared_buffer_drop(batches[i].buffer);
}

static void a_batch_without_a_buffer_is_only_read(void **state)
{
    struct log_fixture *f = *state;
    fixture_append(f, plain_batch(1, 1));
    struct slice batch = make_batch(plain_batch(3, 100));
    struct slice borrowed = { batch.bytes, NULL };
    uint8_t before[512];
    memcpy(before, batch.bytes.data, batch.bytes.len);
    struct append_result result;
    assert_int_equal(partition_log_append(f->log, &borrowed, 1, APPEND_CLIENT, 7, f->now, &result), 0);
    assert_memory_equal(batch.bytes.data, before, batch.bytes.len);
    struct read_answer answer = fixture_read(f, 1, INT64_MAX, sizeof bytes, true, bytes);
    assert_true(answer.was_cold);
    assert_int_equal(answer.bytes, batch.bytes.len);
    shared_buffer_drop(batch.buffer);
}

static void the_tail_is_read_without_the_disk(void **state)
{
    struct log_fixture *f = *state;
    fixture_append(f, plain_batch(3, 100));
    fixture_append(f, plain_batch(3, 200));
    sim_disk_fail_at(f->sim, SIM_DISK_ANY, 1, MILL_EIO, true);
    struct read_answer answer = fixture_read(f, 4, INT64_MAX, sizeof bytes, true, bytes);
    sim_disk_fail_at(f->sim, SIM_DISK_ANY, 0, 0, false);
    assert_false(answer.was_cold);
    assert_int_equal(answer.next_offset, 6);
    int64_t base;
    assert_int_equal(batches_of(answer.bytes, &base, 1), 1);
    assert_int_equal(base, 3);
}

static void a_read_ends_below_the_upper_offset(void **state)
{
    struct log_fixture *f = *state;
    for (int i = 0; i < 4; i++)
        fixture_append(f, plain_batch(2, 100 * i));
    int64_t bases[4];
    struct read_answer answer = fixture_read(f, 0, 4, sizeof bytes, true, bytes);
    assert_int_equal(batches_of(answer.bytes, bases, 4), 2);
    assert_int_equal(fixture_read(f, 4, 4, sizeof bytes, true, bytes).bytes, 0);
}

static void the_first_batch_comes_even_when_it_is_larger_than_asked_for(void **state)
{
    struct log_fixture *f = *state;
    for (int cold = 0; cold < 2; cold++) {
        f->config.hot_tail_bytes = cold ? 0 : 4096;
        partition_log_set_config(f->log, &f->config);
        int64_t base = fixture_append(f, plain_batch(10, 100));
        int64_t bases[2];
        struct read_answer answer = fixture_read(f, base + 5, INT64_MAX, 10, true, bytes);
        assert_int_equal(answer.was_cold, cold);
        assert_int_equal(batches_of(answer.bytes, bases, 2), 1);
        assert_int_equal(fixture_read(f, base, INT64_MAX, 10, false, bytes).bytes, 0);
    }
}

static void a_full_segment_rolls_and_reads_go_on_in_the_next(void **state)
{
    struct log_fixture *f = *state;
    for (int i = 0; i < 100; i++)
        fixture_append(f, plain_batch(5, 100 * i));
    assert_true(partition_log_segment_count(f->log) > 3);
    int64_t offset = 0;
    while (offset < 500) {
        struct read_answer answer = fixture_read(f, offset, INT64_MAX, 2000, true, bytes);
        assert_int_equal(answer.code, 0);
        int64_t bases[20];
        size_t count = batches_of(answer.bytes, bases, 20);
        assert_true(count > 0);
        assert_int_equal(bases[0], offset);
        offset = answer.next_offset;
    }
}

static void too_large_batches_are_refused(void **state)
{
    struct log_fixture *f = *state;
    struct append_result result;
    f->config.max_message_bytes = 100;
    partition_log_set_config(f->log, &f->config);
    assert_int_equal(fixture_try_append(f, plain_batch(10, 1), &result), 0);
    assert_int_equal(result.outcome, APPEND_TOO_LARGE);
    f->config.max_message_bytes = 1 << 20;
    partition_log_set_config(f->log, &f->config);
    assert_int_equal(fixture_try_append(f, plain_batch(300, 1), &result), 0);
    assert_int_equal(result.outcome, APPEND_ABOVE_SEGMENT);
    assert_int_equal(partition_log_end_offset(f->log), 0);
}

static void the_high_watermark_is_what_is_synced(void **state)
{
    struct log_fixture *f = *state;
    fixture_append(f, plain_batch(3, 100));
    assert_int_equal(partition_log_high_watermark(f->log), 0);
    struct log_sync sync;
    assert_int_equal(partition_log_sync_begin(f->log, &sync), 1);
    fixture_append(f, plain_batch(3, 200));
    log_sync_run(&sync);
    assert_int_equal(partition_log_high_watermark(f->log), 0);
    assert_int_equal(partition_log_sync_end(f->log, &sync), 0);
    assert_int_equal(partition_log_high_watermark(f->log), 3);
    assert_true(partition_log_is_dirty(f->log));
    assert_int_equal(partition_log_sync(f->log), 0);
    assert_int_equal(partition_log_high_watermark(f->log), 6);
    assert_int_equal(partition_log_sync_begin(f->log, &sync), 0);
}

static void a_failed_sync_ends_writing_for_good(void **state)
{
    struct log_fixture *f = *state;
    fixture_append(f, plain_batch(3, 100));
    assert_int_equal(partition_log_sync(f->log), 0);
    fixture_append(f, plain_batch(3, 200));
    sim_disk_fail_at(f->sim, SIM_DISK_SYNC, 1, MILL_EIO, false);
    assert_int_equal(partition_log_sync(f->log), MILL_EIO);
    struct append_result result;
    assert_int_equal(fixture_try_append(f, plain_batch(3, 300), &result), MILL_EIO);
    assert_int_equal(partition_log_sync(f->log), MILL_EIO);
    assert_int_equal(partition_log_high_watermark(f->log), 3);
    assert_int_equal(fixture_read(f, 0, 3, 4096, true, bytes).code, 0);
    struct error_text error;
    assert_int_equal(partition_log_close(f->log, true, &error), MILL_EIO);
    f->log = NULL;
}

static void a_full_disk_refuses_appends_until_there_is_room(void **state)
{
    struct log_fixture *f = *state;
    fixture_append(f, plain_batch(3, 100));
    struct append_result result;
    sim_disk_fail_at(f->sim, SIM_DISK_WRITE, 1, MILL_EDISKFULL, false);
    assert_int_equal(fixture_try_append(f, plain_batch(30, 200), &result), MILL_EDISKFULL);
    assert_int_equal(result.appended, 0);
    assert_int_equal(partition_log_end_offset(f->log), 3);
    assert_int_equal(fixture_append(f, plain_batch(3, 300)), 3);
    fixture_close(f, true);
    fixture_open(f, true);
    assert_int_equal(partition_log_end_offset(f->log), 6);
}

static void relaxed_flushing_acknowledges_before_the_sync(void **state)
{
    struct log_fixture *f = *state;
    f->config.sync_acks = false;
    f->config.flush_messages = 5;
    f->config.flush_ms = 1000;
    partition_log_set_config(f->log, &f->config);
    fixture_append(f, plain_batch(3, 100));
    assert_int_equal(partition_log_high_watermark(f->log), 3);
    assert_false(partition_log_sync_is_due(f->log, f->now));
    struct io_time later = { f->now.monotonic_us + 1000000, f->now.wall_ms + 1000 };
    assert_true(partition_log_sync_is_due(f->log, later));
    fixture_append(f, plain_batch(2, 100));
    assert_true(partition_log_sync_is_due(f->log, f->now));
}

static struct batch_shape from_producer(int64_t id, int16_t epoch, int32_t sequence, int count)
{
    struct batch_shape shape = plain_batch(count, 1000 + sequence);
    shape.producer_id = id;
    shape.producer_epoch = epoch;
    shape.base_sequence = sequence;
    return shape;
}

static enum append_outcome outcome_of(struct log_fixture *f, struct batch_shape shape, struct append_result *result)
{
    assert_int_equal(fixture_try_append(f, shape, result), 0);
    return result->outcome;
}

static void a_repeated_batch_is_answered_with_its_first_offsets(void **state)
{
    struct log_fixture *f = *state;
    struct append_result result;
    for (int i = 0; i < 6; i++)
        assert_int_equal(outcome_of(f, from_producer(9, 0, 3 * i, 3), &result), APPEND_DONE);
    for (int i = 1; i < 6; i++) {
        assert_int_equal(outcome_of(f, from_producer(9, 0, 3 * i, 3), &result), APPEND_DUPLICATE);
        assert_int_equal(result.base_offset, 3 * i);
        assert_int_equal(result.last_offset, 3 * i + 2);
    }
    assert_int_equal(outcome_of(f, from_producer(9, 0, 0, 3), &result), APPEND_OUT_OF_ORDER);
    assert_int_equal(outcome_of(f, from_producer(9, 0, 19, 3), &result), APPEND_OUT_OF_ORDER);
    assert_int_equal(outcome_of(f, from_producer(9, 1, 1, 3), &result), APPEND_OUT_OF_ORDER);
    assert_int_equal(outcome_of(f, from_producer(9, 1, 0, 3), &result), APPEND_DONE);
    assert_int_equal(outcome_of(f, from_producer(9, 0, 18, 3), &result), APPEND_STALE_EPOCH);
    assert_int_equal(partition_log_end_offset(f->log), 21);
}

static void the_window_of_five_survives_clean_and_unclean_restarts(void **state)
{
    struct log_fixture *f = *state;
    struct append_result result;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(outcome_of(f, from_producer(9, 0, 3 * i, 3), &result), APPEND_DONE);
        assert_int_equal(outcome_of(f, from_producer(4, 2, i, 1), &result), APPEND_DONE);
    }
    for (int restart = 0; restart < 4; restart++) {
        bool clean = restart % 2 == 0;
        fixture_close(f, clean);
        fixture_open(f, clean);
        for (int i = 35; i < 40; i++) {
            assert_int_equal(outcome_of(f, from_producer(9, 0, 3 * i, 3), &result), APPEND_DUPLICATE);
            assert_int_equal(result.base_offset, 4 * i);
            assert_int_equal(outcome_of(f, from_producer(4, 2, i, 1), &result), APPEND_DUPLICATE);
            assert_int_equal(result.base_offset, 4 * i + 3);
        }
        assert_int_equal(outcome_of(f, from_producer(9, 0, 123, 3), &result), APPEND_OUT_OF_ORDER);
        assert_int_equal(outcome_of(f, from_producer(4, 1, 40, 1), &result), APPEND_STALE_EPOCH);
    }
    assert_int_equal(outcome_of(f, from_producer(9, 0, 120, 3), &result), APPEND_DONE);
}

static void a_timestamp_is_found_inside_its_batch(void **state)
{
    struct log_fixture *f = *state;
    for (int i = 0; i < 60; i++) {
        struct batch_shape shape = plain_batch(10, 1000 * i);
        shape.compression = i % 3 == 0 ? COMPRESSION_ZSTD : COMPRESSION_NONE;
        fixture_append(f, shape);
    }
    int64_t timestamp;
    assert_int_equal(fixture_lookup(f, 17003, &timestamp), 173);
    assert_int_equal(timestamp, 17003);
    assert_int_equal(fixture_lookup(f, 17010, &timestamp), 180);
    assert_int_equal(timestamp, 18000);
    assert_int_equal(fixture_lookup(f, 0, NULL), 0);
    assert_int_equal(fixture_lookup(f, 59010, NULL), -1);
    assert_int_equal(fixture_lookup(f, LOG_MAX_TIMESTAMP, &timestamp), 599);
    assert_int_equal(timestamp, 59009);
}

static void retention_by_bytes_drops_the_oldest_segments(void **state)
{
    struct log_fixture *f = *state;
    for (int i = 0; i < 100; i++)
        fixture_append(f, plain_batch(5, 100 * i));
    int64_t before = partition_log_bytes(f->log);
    f->config.retention_bytes = 10000;
    partition_log_set_config(f->log, &f->config);
    assert_int_equal(partition_log_maintain(f->log, f->now), 0);
    assert_int_equal(partition_log_start_offset(f->log), 0); /* nothing at or above the high watermark goes */
    assert_int_equal(partition_log_sync(f->log), 0);
    assert_int_equal(partition_log_maintain(f->log, f->now), 0);
    assert_int_equal(partition_log_bytes(f->log), before); /* files go only when a checkpoint covers them */
    partition_log_checkpointed(f->log, 500, 0);
    assert_int_equal(partition_log_maintain(f->log, f->now), 0);
    assert_int_equal(partition_log_bytes(f->log), before); /* and its log start, so that nobody takes them for lost */
    partition_log_checkpointed(f->log, 500, partition_log_start_offset(f->log));
    assert_true(partition_log_bytes(f->log) >= 10000);
    assert_true(partition_log_bytes(f->log) < before);
    assert_true(partition_log_start_offset(f->log) > 0);
    assert_int_equal(fixture_read(f, 0, INT64_MAX, 100, true, bytes).code, MILL_EOUTOFRANGE);
    assert_int_equal(fixture_read(f, partition_log_start_offset(f->log), INT64_MAX, 100, true, bytes).code, 0);
}

static int count_deleted(void *ctx, const struct disk_entry *entry)
{
    if (strstr(entry->name, ".deleted"))
        ++*(int *)ctx;
    return 0;
}

static void an_old_log_ages_from_its_last_append_and_files_go_after_the_delay(void **state)
{
    struct log_fixture *f = *state;
    for (int i = 0; i < 100; i++)
        fixture_append(f, plain_batch(5, 100 * i)); /* timestamps from 1970 */
    assert_int_equal(partition_log_sync(f->log), 0);
    assert_int_equal(partition_log_maintain(f->log, f->now), 0);
    assert_int_equal(partition_log_start_offset(f->log), 0);

    partition_log_checkpointed(f->log, 500, 500);
    int64_t week_ms = INT64_C(7) * 24 * 3600 * 1000;
    struct io_time later = { f->now.monotonic_us + (week_ms + 1) * 1000, f->now.wall_ms + week_ms + 1 };
    assert_int_equal(partition_log_maintain(f->log, later), 0);
    assert_int_equal(partition_log_start_offset(f->log), 500);
    assert_int_equal(partition_log_bytes(f->log), 0);

    int deleted = 0;
    disk_list(sim_disk_disk(f->sim), LOG_PATH, count_deleted, &deleted);
    assert_true(deleted > 0);
    later.monotonic_us += 61 * 1000000;
    assert_int_equal(partition_log_maintain(f->log, later), 0);
    deleted = 0;
    disk_list(sim_disk_disk(f->sim), LOG_PATH, count_deleted, &deleted);
    assert_int_equal(deleted, 0);
    assert_int_equal(fixture_append(f, plain_batch(1, 1)), 500);
}

static void a_reader_keeps_a_segment_that_retention_removes(void **state)
{
    struct log_fixture *f = *state;
    for (int i = 0; i < 100; i++)
        fixture_append(f, plain_batch(5, 100 * i));
    assert_int_equal(partition_log_sync(f->log), 0);
    struct slice slices[2];
    struct log_read read = { .offset = 0, .upper_offset = 500, .bytes_max = 1000, .slices = slices, .slices_max = 2 };
    assert_int_equal(partition_log_read(f->log, &read), LOG_COLD);
    partition_log_checkpointed(f->log, 500, 400);
    assert_int_equal(partition_log_delete_records(f->log, 400, f->now), 0);
    log_read_run(&read);
    assert_int_equal(partition_log_read_end(f->log, &read), MILL_EAGAIN);
    assert_int_equal(partition_log_read(f->log, &read), MILL_EOUTOFRANGE);
}

static void deleted_records_are_not_served_and_the_log_start_moves(void **state)
{
    struct log_fixture *f = *state;
    for (int i = 0; i < 100; i++)
        fixture_append(f, plain_batch(5, 100 * i));
    assert_int_equal(partition_log_delete_records(f->log, 1, f->now), MILL_EOUTOFRANGE);
    assert_int_equal(partition_log_sync(f->log), 0);
    partition_log_checkpointed(f->log, 500, 252);
    size_t segments = partition_log_segment_count(f->log);
    assert_int_equal(partition_log_delete_records(f->log, 252, f->now), 0);
    assert_int_equal(partition_log_start_offset(f->log), 252);
    assert_true(partition_log_segment_count(f->log) < segments);
    assert_int_equal(fixture_read(f, 251, INT64_MAX, 100, true, bytes).code, MILL_EOUTOFRANGE);
    struct read_answer answer = fixture_read(f, 252, INT64_MAX, 100, true, bytes);
    int64_t base;
    assert_int_equal(batches_of(answer.bytes, &base, 1), 1);
    assert_int_equal(base, 250);
    assert_int_equal(fixture_lookup(f, 0, NULL), 252);
}

static void epochs_say_where_they_end(void **state)
{
    struct log_fixture *f = *state;
    int32_t epochs[] = { 0, 0, 3, 5 };
    for (int i = 0; i < 4; i++) {
        struct slice batch = make_batch(plain_batch(10, 1));
        struct append_result result;
        assert_int_equal(partition_log_append(f->log, &batch, 1, APPEND_CLIENT, epochs[i], f->now, &result), 0);
        shared_buffer_drop(batch.buffer);
    }
    for (int reopened = 0; reopened < 2; reopened++) {
        int32_t epoch;
        int64_t end;
        assert_true(partition_log_epoch_end(f->log, 4, &epoch, &end));
        assert_int_equal(epoch, 3);
        assert_int_equal(end, 30);
        assert_true(partition_log_epoch_end(f->log, 9, &epoch, &end));
        assert_int_equal(epoch, 5);
        assert_int_equal(end, 40);
        fixture_close(f, reopened == 0);
        fixture_open(f, reopened == 0);
    }
}

/* Reads everything from `offset` on, in pieces of about `bytes_max`; returns how many batches there were. */
static size_t read_to_the_end(struct log_fixture *f, int64_t offset, size_t bytes_max)
{
    static int64_t bases[4096];
    size_t count = 0;
    while (offset < partition_log_end_offset(f->log)) {
        struct read_answer answer = fixture_read(f, offset, INT64_MAX, bytes_max, true, bytes);
        assert_int_equal(answer.code, 0);
        size_t got = batches_of(answer.bytes, bases, 4096);
        assert_true(got > 0);
        assert_int_equal(bases[0], offset);
        count += got;
        offset = answer.next_offset;
    }
    return count;
}

static void append_and_sync(struct log_fixture *f, int batches)
{
    for (int i = 0; i < batches; i++) {
        struct batch_shape shape = plain_batch(10, 1000 + i);
        shape.value_bytes = 6000;
        fixture_append(f, shape);
        if (i % 16 == 15)
            assert_int_equal(partition_log_sync(f->log), 0);
    }
    assert_int_equal(partition_log_sync(f->log), 0);
}

static void the_page_cache_keeps_the_end_and_what_left_it_is_read_past_it(void **state)
{
    struct log_fixture *f = *state;
    fixture_close(f, true);
    f->config.segment_bytes = 3 << 20;
    f->config.page_cache_bytes = 1 << 20;
    fixture_open(f, true);
    int64_t forgotten, past;
    append_and_sync(f, 300);
    sim_disk_cache_counts(f->sim, &forgotten, &past);
    assert_in_range(forgotten, 300 * 60000 - (6 << 20), 300 * 60000 - (1 << 20));
    assert_int_equal(past, 0);

    assert_int_equal(read_to_the_end(f, 0, 200000), 300);
    sim_disk_cache_counts(f->sim, &forgotten, &past);
    assert_in_range(past, 50, 150);
    int64_t before = past;
    assert_int_equal(read_to_the_end(f, 2990, 200000), 1);
    sim_disk_cache_counts(f->sim, &forgotten, &past);
    assert_int_equal(past, before);

    fixture_close(f, true);
    fixture_open(f, true);
    assert_int_equal(read_to_the_end(f, 0, 300000), 300);
}

static void the_page_cache_can_be_left_to_the_kernel(void **state)
{
    struct log_fixture *f = *state;
    fixture_close(f, true);
    f->config.segment_bytes = 3 << 20;
    f->config.page_cache_bytes = -1;
    fixture_open(f, true);
    append_and_sync(f, 150);
    int64_t forgotten, past;
    assert_int_equal(read_to_the_end(f, 0, 200000), 150);
    sim_disk_cache_counts(f->sim, &forgotten, &past);
    assert_int_equal(forgotten, 0);
    assert_int_equal(past, 0);
}

static void another_topics_directory_is_refused(void **state)
{
    struct log_fixture *f = *state;
    fixture_close(f, true);
    struct partition_log_options options = {
        .disk = sim_disk_disk(f->sim), .path = LOG_PATH, .config = f->config, .topic_id = { 1 }
    };
    assert_int_equal(partition_log_open(&options, &f->log, &f->error), 0);
    fixture_close(f, true);
    options.topic_id[0] = 2;
    struct partition_log *log;
    assert_int_equal(partition_log_open(&options, &log, &f->error), MILL_EINVALID);
    assert_non_null(strstr(f->error.text, "another topic"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_empty_log_begins_and_ends_at_zero),
        TEST(batches_get_dense_offsets_and_the_leaders_epoch),
        TEST(a_batch_without_a_buffer_is_only_read),
        TEST(the_tail_is_read_without_the_disk),
        TEST(a_read_ends_below_the_upper_offset),
        TEST(the_first_batch_comes_even_when_it_is_larger_than_asked_for),
        TEST(a_full_segment_rolls_and_reads_go_on_in_the_next),
        TEST(too_large_batches_are_refused),
        TEST(the_high_watermark_is_what_is_synced),
        TEST(a_failed_sync_ends_writing_for_good),
        TEST(a_full_disk_refuses_appends_until_there_is_room),
        TEST(relaxed_flushing_acknowledges_before_the_sync),
        TEST(a_repeated_batch_is_answered_with_its_first_offsets),
        TEST(the_window_of_five_survives_clean_and_unclean_restarts),
        TEST(a_timestamp_is_found_inside_its_batch),
        TEST(retention_by_bytes_drops_the_oldest_segments),
        TEST(an_old_log_ages_from_its_last_append_and_files_go_after_the_delay),
        TEST(a_reader_keeps_a_segment_that_retention_removes),
        TEST(deleted_records_are_not_served_and_the_log_start_moves),
        TEST(epochs_say_where_they_end),
        TEST(the_page_cache_keeps_the_end_and_what_left_it_is_read_past_it),
        TEST(the_page_cache_can_be_left_to_the_kernel),
        TEST(another_topics_directory_is_refused),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
