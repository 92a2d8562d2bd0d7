/* A compacted log: what goes, what stays, and random operations beside a naive model. The seed is printed. */
#include "compaction_model.h"

#include "record/control.h"
#include "support/rounds.h"

enum { RUNS = 120, STEPS = 250, DAY_MS = 24 * 3600 * 1000 };

static struct log_fixture f;
static struct keyed_model model;
static struct prng prng;
static uint64_t seed;
static uint8_t bytes[1 << 20];

static int set_up(void **state)
{
    fixture_init(&f, 1);
    f.config.cleanup_compact = true;
    f.config.cleanup_delete = false;
    f.config.segment_bytes = 4096;
    f.config.file_delete_delay_ms = 0;
    f.config.hot_tail_bytes = 0; /* it has batches as they were appended */
    partition_log_set_config(f.log, &f.config);
    model = (struct keyed_model){ .retention_ms = f.config.delete_retention_ms };
    prng_init(&prng, 1);
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(&f);
    return 0;
}

static void append(int key, bool tombstone)
{
    struct keyed_batch batch = { .count = 1, .producer_id = -1, .producer_epoch = -1, .base_sequence = -1 };
    batch.records[0] = (struct keyed_record){
        .key = key, .tombstone = tombstone, .value = (uint32_t)model.end, .timestamp_ms = f.now.wall_ms, .seen_ms = INT64_MAX
    };
    assert_int_equal(keyed_append(&f, &model, &batch), 0);
}

static void append_txn(int producer, int key, bool tombstone)
{
    struct keyed_batch batch = { .count = 1 };
    batch.records[0] = (struct keyed_record){
        .key = key, .tombstone = tombstone, .value = (uint32_t)model.end, .timestamp_ms = f.now.wall_ms, .seen_ms = INT64_MAX
    };
    assert_int_equal(keyed_append_txn(&f, &model, producer, &batch), 0);
}

static void end_txn(int producer, bool aborts)
{
    assert_int_equal(keyed_end_txn(&f, &model, producer, aborts), 0);
}

static void roll(void)
{
    assert_int_equal(partition_log_roll(f.log, f.now), 0);
    assert_int_equal(partition_log_sync(f.log), 0);
}

static void compact(void)
{
    int code = keyed_compact(&f, &model, KEYED_MAP_BYTES);
    if (code != 0)
        fail_msg("compaction: %s", partition_log_error(f.log));
}

static void check(void)
{
    const char *wrong = keyed_check(&f, &model, model.end, 3000);
    if (wrong)
        fail_msg("%s", wrong);
}

/* Calls back for all records that are there. */
static void each_record(void (*each)(void *ctx, const struct batch_record *record), void *ctx)
{
    struct batch_reader reader;
    batch_reader_init(&reader, 1 << 20);
    for (int64_t offset = partition_log_start_offset(f.log); offset < partition_log_end_offset(f.log);) {
        struct read_answer answer = fixture_read(&f, offset, INT64_MAX, 1 << 16, true, bytes);
        assert_int_equal(answer.code, 0);
        mill_bytes region = mill_bytes_of(bytes, answer.bytes);
        mill_bytes batch;
        struct batch_header header;
        while (batch_next(&region, &batch, &header) == 1) {
            struct batch_record record;
            assert_int_equal(batch_reader_open(&reader, batch, true), 0);
            while (batch_reader_next(&reader, &record) == 1)
                if (record.offset >= partition_log_start_offset(f.log))
                    each(ctx, &record);
        }
        assert_true(answer.next_offset > offset);
        offset = answer.next_offset;
    }
    batch_reader_release(&reader);
}

static void print_offset(void *ctx, const struct batch_record *record)
{
    char *text = ctx;
    size_t len = strlen(text);
    snprintf(text + len, 4096 - len, "%s%lld", len ? " " : "", (long long)record->offset);
}

/* The offsets of all records that are there, as text. */
static const char *offsets_there(void)
{
    static char text[4096];
    text[0] = '\0';
    each_record(print_offset, text);
    return text;
}

struct first_since {
    int64_t timestamp_ms;
    int64_t offset;
};

static void note_first(void *ctx, const struct batch_record *record)
{
    struct first_since *first = ctx;
    if (first->offset < 0 && record->record.timestamp_ms >= first->timestamp_ms)
        first->offset = record->offset;
}

static void check_lookup(void)
{
    struct first_since first = { f.now.wall_ms - (int64_t)prng_below(&prng, DAY_MS), -1 };
    each_record(note_first, &first);
    assert_int_equal(fixture_lookup(&f, first.timestamp_ms, NULL), first.offset);
}

static struct compaction_need need(void)
{
    struct compaction_need found;
    partition_log_compaction_need(f.log, INT64_MAX, f.now, &found);
    return found;
}

/* ---- what goes and what stays ---------------------------------------------------------------------------------------------- */

static void the_newest_record_of_each_key_stays(void **state)
{
    for (int i = 0; i < 8; i++)
        append(i % 3, false);
    roll();
    compact();
    assert_string_equal(offsets_there(), "5 6 7");
    assert_int_equal(partition_log_first_dirty_offset(f.log), 8);
    check();
}

static void the_active_segment_is_left_alone_but_overtakes(void **state)
{
    append(0, false);
    roll();
    append(0, false);
    compact();
    assert_string_equal(offsets_there(), "0 1"); /* the newer one is not in the map yet */
    roll();
    compact();
    assert_string_equal(offsets_there(), "1");
}

static void a_tombstone_stays_for_delete_retention_from_its_first_compaction(void **state)
{
    append(0, false);
    append(0, true);
    append(1, false);
    roll();
    compact();
    assert_string_equal(offsets_there(), "1 2");
    f.now.wall_ms += DAY_MS - 1;
    append(2, false);
    roll();
    compact();
    assert_string_equal(offsets_there(), "1 2 3");
    f.now.wall_ms += 1;
    append(3, false);
    roll();
    compact();
    assert_string_equal(offsets_there(), "2 3 4");
}

/* The header of the aborted batch is its producer's last one at first, so that the marker behind it has something to end. */
static void a_tombstone_takes_what_its_producer_wrote_after_a_transaction_that_it_aborted(void **state)
{
    append_txn(0, 1, false);
    end_txn(0, true);
    append_txn(0, 2, false);
    end_txn(0, false);
    roll();
    compact();
    append_txn(0, 2, true);
    end_txn(0, false);
    roll();
    compact();
    check();
    f.now.wall_ms += DAY_MS;
    append(3, false);
    roll();
    compact();
    check();
}

static void records_without_a_key_go(void **state)
{
    append(-1, false);
    append(0, false);
    append(1, false);
    roll();
    compact();
    assert_string_equal(offsets_there(), "1 2");
}

static void a_log_whose_records_are_all_current_keeps_its_files(void **state)
{
    for (int i = 0; i < 5; i++)
        append(i, false);
    roll();
    uint64_t renames = sim_disk_fail_at(f.sim, SIM_DISK_RENAME, UINT64_MAX, MILL_EIO, false);
    compact();
    renames = sim_disk_fail_at(f.sim, SIM_DISK_RENAME, 0, MILL_EIO, false);
    assert_int_equal(renames, 0);
    assert_string_equal(offsets_there(), "0 1 2 3 4");
}

static void small_segments_become_one(void **state)
{
    for (int i = 0; i < 10; i++) {
        append(i % 4, false);
        roll();
    }
    assert_int_equal(partition_log_segment_count(f.log), 11);
    compact();
    assert_int_equal(partition_log_segment_count(f.log), 2);
    assert_string_equal(offsets_there(), "6 7 8 9");
    check();
}

static void the_last_batch_of_a_producer_stays_as_a_header(void **state)
{
    struct keyed_batch batch = { .count = 1, .producer_id = 9, .base_sequence = 0 };
    batch.records[0] = (struct keyed_record){ .key = 0, .value = 1, .seen_ms = INT64_MAX };
    assert_int_equal(keyed_append(&f, &model, &batch), 0);
    append(0, false);
    roll();
    compact();
    assert_string_equal(offsets_there(), "1");
    struct read_answer answer = fixture_read(&f, 0, INT64_MAX, 1 << 16, true, bytes);
    struct batch_header header;
    assert_int_equal(batch_check(mill_bytes_of(bytes, BATCH_HEADER_BYTES), &header), 0);
    assert_true(answer.bytes > BATCH_HEADER_BYTES);
    assert_int_equal(header.record_count, 0);
    assert_int_equal(header.producer_id, 9);
    assert_int_equal(header.base_sequence, 0);
    /* A restart that reads the log from its start knows the producer still. */
    fixture_close(&f, false);
    fixture_open(&f, false);
    batch.base_sequence = 1;
    assert_int_equal(keyed_append(&f, &model, &batch), 0);
    batch.base_sequence = 3;
    struct slice gap = encode_keyed_batch(&batch);
    struct append_result result;
    assert_int_equal(partition_log_append(f.log, &gap, 1, APPEND_CLIENT, 0, f.now, &result), 0);
    assert_int_equal(result.outcome, APPEND_OUT_OF_ORDER);
    shared_buffer_drop(gap.buffer);
}

/* ---- when ------------------------------------------------------------------------------------------------------------------ */

static void a_log_is_due_above_its_dirty_ratio(void **state)
{
    assert_false(need().is_due);
    for (int i = 0; i < 8; i++)
        append(i, false);
    assert_false(need().is_due); /* all of it is active */
    roll();
    assert_true(need().is_due);
    compact();
    assert_false(need().is_due);
    append(0, false);
    roll();
    assert_false(need().is_due);
    assert_true(need().dirty_ratio > 0.05);
    f.config.min_dirty_ratio = 0.05;
    partition_log_set_config(f.log, &f.config);
    assert_true(need().is_due);
}

static void a_policy_without_compact_needs_nothing(void **state)
{
    f.config.cleanup_compact = false;
    partition_log_set_config(f.log, &f.config);
    append(0, false);
    append(0, false);
    roll();
    assert_false(need().is_due);
    assert_int_equal(keyed_compact(&f, &model, KEYED_MAP_BYTES), MILL_EAGAIN);
}

static void records_younger_than_the_least_lag_are_left_alone(void **state)
{
    f.config.compaction_lag_ms_min = 1000;
    partition_log_set_config(f.log, &f.config);
    append(0, false);
    append(0, false);
    roll();
    f.now.wall_ms += 1000;
    assert_true(need().may_be_due == false || need().is_due);
    f.now.wall_ms -= 1;
    assert_false(need().is_due);
    assert_true(need().may_be_due);
    f.now.wall_ms += 1;
    compact();
    assert_string_equal(offsets_there(), "1");
}

static void what_is_older_than_the_greatest_lag_is_due_however_little_it_is(void **state)
{
    f.config.min_dirty_ratio = 1;
    f.config.compaction_lag_ms_max = 60000;
    partition_log_set_config(f.log, &f.config);
    append(0, false);
    append(0, false);
    f.now.wall_ms += 60001;
    assert_int_equal(partition_log_maintain(f.log, f.now), 0); /* rolls: the active segment is too old as well */
    assert_int_equal(partition_log_sync(f.log), 0);
    assert_int_equal(partition_log_segment_count(f.log), 2);
    assert_true(need().is_due);
    compact();
    assert_string_equal(offsets_there(), "1");
}

static void nothing_at_or_behind_the_stable_offset_is_looked_at(void **state)
{
    append(0, false);
    append(0, false);
    roll();
    struct compaction *compaction;
    assert_int_equal(partition_log_compaction_begin(f.log, 1, KEYED_MAP_BYTES, f.now, &compaction), MILL_EAGAIN);
    struct compaction_need found;
    partition_log_compaction_need(f.log, 1, f.now, &found);
    assert_false(found.is_due);
    assert_true(found.may_be_due);
}

/* ---- while it runs --------------------------------------------------------------------------------------------------------- */

static void readers_of_the_old_segments_go_on(void **state)
{
    for (int i = 0; i < 400; i++)
        append(i % 5, false);
    roll();
    struct slice slices[8];
    struct log_read read = {
        .offset = 0, .upper_offset = INT64_MAX, .bytes_max = 500, .first_always = true, .slices = slices, .slices_max = 8
    };
    assert_int_equal(partition_log_read(f.log, &read), LOG_COLD);
    compact();
    log_read_run(&read);
    assert_int_equal(partition_log_read_end(f.log, &read), MILL_EAGAIN); /* the broker asks again */
    check();
}

static void retention_waits_for_a_compaction_and_then_goes_on(void **state)
{
    f.config.cleanup_delete = true;
    f.config.retention_ms = 1000;
    partition_log_set_config(f.log, &f.config);
    append(0, false);
    append(0, false);
    roll();
    partition_log_checkpointed(f.log, 2, 2);
    struct compaction *compaction;
    assert_int_equal(partition_log_compaction_begin(f.log, INT64_MAX, KEYED_MAP_BYTES, f.now, &compaction), 0);
    f.now.wall_ms += 2000;
    assert_int_equal(partition_log_maintain(f.log, f.now), 0);
    assert_int_equal(partition_log_start_offset(f.log), 2);
    assert_int_equal(partition_log_segment_count(f.log), 2);
    int code;
    do {
        compaction_run(compaction);
        code = partition_log_compaction_step(f.log, compaction, f.now);
    } while (code == 1);
    assert_int_equal(code, 0);
    assert_int_equal(partition_log_maintain(f.log, f.now), 0);
    assert_int_equal(partition_log_segment_count(f.log), 1);
}

static void a_compacted_segment_ages_from_its_last_append(void **state)
{
    f.config.cleanup_delete = true;
    f.config.retention_ms = 10000;
    partition_log_set_config(f.log, &f.config);
    append(0, false);
    append(0, false);
    roll();
    f.now.wall_ms += 9000;
    compact();
    fixture_close(&f, true);
    assert_int_equal(fixture_try_open(&f, true, 2, 0), 0);
    f.now.wall_ms += 1001;
    assert_int_equal(partition_log_maintain(f.log, f.now), 0);
    assert_int_equal(partition_log_start_offset(f.log), 2);
}

static void a_full_map_leaves_the_rest_for_the_next_time(void **state)
{
    for (int i = 0; i < 600; i++)
        append(i % 300, false);
    roll();
    assert_int_equal(keyed_compact(&f, &model, KEYED_MAP_BYTES_SMALL), 0);
    int64_t first = partition_log_first_dirty_offset(f.log);
    assert_true(first > 0 && first < 600);
    check();
    for (int i = 0; i < 20 && partition_log_first_dirty_offset(f.log) < 600; i++)
        assert_int_equal(keyed_compact(&f, &model, KEYED_MAP_BYTES_SMALL), 0);
    assert_int_equal(partition_log_first_dirty_offset(f.log), 600);
    check();
}

static void a_damaged_batch_ends_compaction_of_its_log(void **state)
{
    for (int i = 0; i < 50; i++)
        append(i % 5, false);
    roll();
    assert_true(sim_disk_flip(f.sim, LOG_PATH "/00000000000000000000.log", 8 * 900));
    assert_int_equal(keyed_compact(&f, &model, KEYED_MAP_BYTES), MILL_ECORRUPT);
    assert_int_equal(keyed_compact(&f, &model, KEYED_MAP_BYTES), MILL_EAGAIN);
    assert_false(need().is_due);
}

static void a_log_that_was_compacted_once_may_have_gaps_for_ever(void **state)
{
    for (int i = 0; i < 50; i++)
        append(i % 5, false);
    roll();
    compact();
    f.config.cleanup_compact = false;
    partition_log_set_config(f.log, &f.config);
    fixture_close(&f, true);
    struct partition_log_options options = {
        .disk = sim_disk_disk(f.sim), .path = LOG_PATH, .config = f.config, .clean = true, .first_dirty = 50, .now = f.now
    };
    assert_int_equal(partition_log_open(&options, &f.log, &f.error), 0);
    assert_string_equal(offsets_there(), "45 46 47 48 49");
}

/* ---- beside the model ------------------------------------------------------------------------------------------------------ */

static void step(void)
{
    uint64_t dice = prng_below(&prng, 100);
    int keys = 1 + (int)prng_below(&prng, KEYED_KEYS);
    if (dice < 35) {
        struct keyed_batch batch = random_keyed_batch(&prng, keys, f.now.wall_ms);
        assert_int_equal(keyed_append(&f, &model, &batch), 0);
        f.now.wall_ms += (int64_t)prng_below(&prng, 1000);
    } else if (dice < 70) {
        assert_int_equal(keyed_txn_step(&f, &model, &prng, keys), 0);
        f.now.wall_ms += (int64_t)prng_below(&prng, 1000);
    } else if (dice < 80) {
        assert_int_equal(partition_log_sync(f.log), 0);
    } else if (dice < 84) {
        f.now.wall_ms += (int64_t)prng_below(&prng, DAY_MS);
    } else if (dice < 87) {
        roll();
    } else if (dice < 95) {
        size_t map_bytes = prng_chance(&prng, 0.3) ? KEYED_MAP_BYTES_SMALL : KEYED_MAP_BYTES;
        int code = keyed_compact(&f, &model, map_bytes);
        assert_true(code == 0 || code == MILL_EAGAIN);
        check();
        check_lookup();
    } else if (dice < 97) {
        assert_int_equal(partition_log_maintain(f.log, f.now), 0);
    } else {
        int64_t first_dirty = prng_chance(&prng, 0.7) ? partition_log_first_dirty_offset(f.log) : 0;
        assert_int_equal(partition_log_sync(f.log), 0);
        fixture_close(&f, prng_chance(&prng, 0.5));
        struct partition_log_options options = {
            .disk = sim_disk_disk(f.sim), .path = LOG_PATH, .config = f.config, .first_dirty = first_dirty, .now = f.now
        };
        assert_int_equal(partition_log_open(&options, &f.log, &f.error), 0);
        check();
    }
}

static void random_operations_leave_what_the_model_says(void **state)
{
    uint64_t first = test_seed(1);
    for (seed = first; seed < first + (uint64_t)test_rounds(RUNS); seed++) {
        set_up(NULL);
        prng_init(&prng, seed);
        f.config.segment_bytes = 2048 + (uint32_t)prng_below(&prng, 8192);
        f.config.delete_retention_ms = model.retention_ms = (int64_t)prng_below(&prng, 2 * DAY_MS);
        /* Of a producer that is forgotten compaction takes the last batch, and a log that is read anew knows those before it. */
        f.config.producer_id_expiration_ms = INT64_MAX;
        partition_log_set_config(f.log, &f.config);
        for (int i = 0; i < STEPS; i++)
            step();
        check();
        tear_down(NULL);
    }
}

static int tell_seed(void **state)
{
    print_message("last seed %llu\n", (unsigned long long)seed);
    return 0;
}

static void the_checker_rejects_planted_faults(void **state)
{
    for (int i = 0; i < 8; i++)
        append(i % 3, false);
    roll();
    compact();
    assert_null(keyed_check(&f, &model, 8, 3000));
    model.records[7].value++;
    assert_string_equal(keyed_check(&f, &model, 8, 3000), "a record has another key or value");
    model.records[7].value--;
    model.records[2].key = 77;
    assert_string_equal(keyed_check(&f, &model, 8, 3000), "a record is lost");
    model.records[2].key = 2;
    model.records[6].key = 1;
    assert_non_null(keyed_check(&f, &model, 8, 3000));
    model.records[6].key = 0;
    model.records[0].seen_ms = INT64_MAX;
    assert_string_equal(keyed_check(&f, &model, 8, 3000), "a record is lost");
}

static void the_checker_rejects_planted_faults_in_transactions(void **state)
{
    append_txn(0, 0, false);
    append_txn(1, 1, false);
    end_txn(0, false);
    end_txn(1, true);
    append_txn(2, 2, false);
    check();
    model.records[0].aborted = true;
    assert_string_equal(keyed_check(&f, &model, 5, 3000), "an aborted record counts as committed");
    model.records[0].aborted = false;
    model.records[1].aborted = false;
    assert_string_equal(keyed_check(&f, &model, 5, 3000), "a committed record counts as aborted");
    model.records[1].aborted = true;
    model.records[3].marker = false;
    assert_string_equal(keyed_check(&f, &model, 5, 3000), "a marker is where a record was, or a record where a marker was");
    model.records[3].marker = true;
    end_txn(2, false);
    roll();
    model.records[4].txn_end = INT64_MAX;
    assert_string_equal(keyed_check(&f, &model, 6, 3000), "the last stable offset lies elsewhere");
    model.records[4].txn_end = 5;
    compact();
    check();
    model.records[1].aborted = false;
    assert_string_equal(keyed_check(&f, &model, 6, 3000), "a record is lost");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_record_of_each_key_stays),
        TEST(the_active_segment_is_left_alone_but_overtakes),
        TEST(a_tombstone_stays_for_delete_retention_from_its_first_compaction),
        TEST(a_tombstone_takes_what_its_producer_wrote_after_a_transaction_that_it_aborted),
        TEST(records_without_a_key_go),
        TEST(a_log_whose_records_are_all_current_keeps_its_files),
        TEST(small_segments_become_one),
        TEST(the_last_batch_of_a_producer_stays_as_a_header),
        TEST(a_log_is_due_above_its_dirty_ratio),
        TEST(a_policy_without_compact_needs_nothing),
        TEST(records_younger_than_the_least_lag_are_left_alone),
        TEST(what_is_older_than_the_greatest_lag_is_due_however_little_it_is),
        TEST(nothing_at_or_behind_the_stable_offset_is_looked_at),
        TEST(readers_of_the_old_segments_go_on),
        TEST(retention_waits_for_a_compaction_and_then_goes_on),
        TEST(a_compacted_segment_ages_from_its_last_append),
        TEST(a_full_map_leaves_the_rest_for_the_next_time),
        TEST(a_damaged_batch_ends_compaction_of_its_log),
        TEST(a_log_that_was_compacted_once_may_have_gaps_for_ever),
        TEST(the_checker_rejects_planted_faults),
        TEST(the_checker_rejects_planted_faults_in_transactions),
        cmocka_unit_test_teardown(random_operations_leave_what_the_model_says, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
