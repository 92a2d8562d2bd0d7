/* Transactions in a log: what a reader with read_committed may see, and what is remembered of it on disk. */
#include "txn_model.h"

#include "base/trace.h"
#include "log/compaction.h"
#include "log/log_files.h"
#include "log/producer_state.h"

static struct txn_model model;

static int set_up(void **state)
{
    static struct log_fixture f;
    fixture_init(&f, 1);
    model.end = 0;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static enum append_outcome try_marker(struct log_fixture *f, enum control_type type, int64_t producer_id, int16_t epoch,
                                      int32_t coordinator_epoch)
{
    struct append_result result;
    struct slice batch = make_marker(type, producer_id, epoch, coordinator_epoch);
    assert_int_equal(partition_log_append(f->log, &batch, 1, APPEND_BROKER, 0, f->now, &result), 0);
    shared_buffer_drop(batch.buffer);
    return result.outcome;
}

static void marker(struct log_fixture *f, enum control_type type, int64_t producer_id)
{
    assert_int_equal(try_marker(f, type, producer_id, 0, 0), APPEND_DONE);
    txn_model_note(&model, type == CONTROL_ABORT ? TXN_OP_ABORT : TXN_OP_COMMIT, producer_id);
}

static void data(struct log_fixture *f, int64_t producer_id, int32_t sequence)
{
    fixture_append(f, txn_batch(producer_id, 0, sequence));
    txn_model_note(&model, TXN_OP_DATA, producer_id);
}

static void plain(struct log_fixture *f)
{
    fixture_append(f, plain_batch(1, 1000));
    txn_model_note(&model, TXN_OP_PLAIN, -1);
}

static void sync_log(struct log_fixture *f)
{
    assert_int_equal(partition_log_sync(f->log), 0);
}

static void right(struct log_fixture *f)
{
    const char *wrong = txn_model_check(f->log, &model);
    if (wrong)
        fail_msg("%s", wrong);
}

static void the_last_stable_offset_stops_at_the_first_open_transaction(void **state)
{
    struct log_fixture *f = *state;
    plain(f);
    data(f, 7, 0);
    plain(f);
    sync_log(f);
    assert_int_equal(partition_log_last_stable_offset(f->log), 1);
    marker(f, CONTROL_COMMIT, 7);
    sync_log(f);
    assert_int_equal(partition_log_last_stable_offset(f->log), 4);
}

static void a_marker_counts_when_it_is_durable(void **state)
{
    struct log_fixture *f = *state;
    data(f, 7, 0);
    sync_log(f);
    marker(f, CONTROL_COMMIT, 7);
    assert_int_equal(partition_log_last_stable_offset(f->log), 0);
    sync_log(f);
    assert_int_equal(partition_log_last_stable_offset(f->log), 2);
}

static void aborted_transactions_are_listed_where_they_have_records(void **state)
{
    struct log_fixture *f = *state;
    data(f, 7, 0);               /* 0 */
    data(f, 8, 0);               /* 1 */
    marker(f, CONTROL_ABORT, 7); /* 2 */
    plain(f);                    /* 3 */
    marker(f, CONTROL_ABORT, 8); /* 4 */
    data(f, 9, 0);               /* 5 */
    marker(f, CONTROL_COMMIT, 9);
    sync_log(f);
    right(f);
    size_t at = 0;
    const struct aborted_txn *first = partition_log_next_aborted(f->log, 0, 1, &at);
    assert_int_equal(first->producer_id, 7);
    assert_int_equal(first->last_stable_offset, 1); /* the other one was open */
    assert_null(partition_log_next_aborted(f->log, 0, 1, &at));
    at = 0;
    assert_int_equal(partition_log_next_aborted(f->log, 3, 7, &at)->producer_id, 8);
    assert_null(partition_log_next_aborted(f->log, 3, 7, &at));
    at = 0;
    assert_null(partition_log_next_aborted(f->log, 5, 7, &at));
}

static void a_marker_of_an_older_epoch_or_coordinator_is_refused(void **state)
{
    struct log_fixture *f = *state;
    fixture_append(f, txn_batch(7, 3, 0));
    assert_int_equal(try_marker(f, CONTROL_ABORT, 7, 2, 5), APPEND_STALE_EPOCH);
    assert_int_equal(try_marker(f, CONTROL_ABORT, 7, 3, 5), APPEND_DONE);
    assert_int_equal(try_marker(f, CONTROL_ABORT, 7, 3, 4), APPEND_STALE_COORDINATOR);
}

static void a_marker_of_a_higher_epoch_fences_the_older(void **state)
{
    struct log_fixture *f = *state;
    struct append_result result;
    fixture_append(f, txn_batch(7, 3, 0));
    assert_int_equal(try_marker(f, CONTROL_COMMIT, 7, 4, 0), APPEND_DONE);
    assert_int_equal(fixture_try_append(f, txn_batch(7, 3, 1), &result), 0);
    assert_int_equal(result.outcome, APPEND_STALE_EPOCH);
    fixture_append(f, txn_batch(7, 4, 0));
}

static void what_is_no_part_of_an_open_transaction_is_refused(void **state)
{
    struct log_fixture *f = *state;
    struct append_result result;
    fixture_append(f, txn_batch(7, 0, 0));
    struct batch_shape shape = txn_batch(7, 0, 1);
    shape.transactional = false;
    assert_int_equal(fixture_try_append(f, shape, &result), 0);
    assert_int_equal(result.outcome, APPEND_OUTSIDE_TXN);
}

static void sequences_go_on_across_transactions_of_one_epoch(void **state)
{
    struct log_fixture *f = *state;
    struct append_result result;
    data(f, 7, 0);
    marker(f, CONTROL_COMMIT, 7);
    assert_int_equal(fixture_try_append(f, txn_batch(7, 0, 2), &result), 0);
    assert_int_equal(result.outcome, APPEND_OUT_OF_ORDER);
    data(f, 7, 1);
}

/* Three producers, some of whose transactions stay open over rolls. */
static void fill_with(struct log_fixture *f, int rounds, int64_t first_producer)
{
    static int32_t sequences[3];
    memset(sequences, 0, sizeof sequences);
    for (int i = 0; i < rounds; i++) {
        int64_t producer = first_producer + i % 3;
        data(f, producer, sequences[i % 3]++);
        if (i % 4 == 3)
            plain(f);
        if (i % 5 == 4)
            marker(f, i % 2 ? CONTROL_ABORT : CONTROL_COMMIT, producer);
    }
    sync_log(f);
}

static void fill(struct log_fixture *f, int rounds)
{
    fill_with(f, rounds, 0);
}

static int warnings;

static void count_warning(void *ctx, enum trace_level level, const char *line)
{
    warnings += level >= TRACE_WARN;
}

/* What was written is believed, whatever was open when: else each start would read the whole log. */
static void a_clean_close_keeps_everything(void **state)
{
    struct log_fixture *f = *state;
    f->config.segment_bytes = 1500;
    partition_log_set_config(f->log, &f->config);
    fill(f, 100);
    data(f, 901, 0);
    data(f, 902, 0);
    marker(f, CONTROL_ABORT, 902); /* the older one is open */
    marker(f, CONTROL_COMMIT, 901);
    right(f);
    fixture_close(f, true);
    warnings = 0;
    trace_set_level(TRACE_WARN);
    trace_set_sink(count_warning, NULL);
    fixture_open(f, true);
    trace_set_sink(NULL, NULL);
    trace_set_level(TRACE_OFF);
    assert_int_equal(warnings, 0);
    right(f);
    assert_true(partition_log_segment_count(f->log) > 5);
}

/* The roll finds nothing unsynced, and no append comes behind it: the close alone can sync what the roll has written. */
static void a_clean_close_syncs_the_indexes_of_a_segment_that_rolled_while_all_was_synced(void **state)
{
    struct log_fixture *f = *state;
    data(f, 1, 0);
    marker(f, CONTROL_ABORT, 1);
    sync_log(f);
    assert_int_equal(partition_log_roll(f->log, f->now), 0);
    int64_t end = partition_log_end_offset(f->log);
    fixture_close(f, true);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct log_fixture after = { .sim = sim_disk_after_power_cut(f->sim, seed), .config = f->config, .now = f->now };
        assert_int_equal(fixture_try_open(&after, true, end, 0), 0);
        right(&after);
        fixture_release(&after);
    }
    fixture_open(f, true);
}

static void a_crash_keeps_everything_with_any_recovery_point(void **state)
{
    struct log_fixture *f = *state;
    f->config.segment_bytes = 1500;
    partition_log_set_config(f->log, &f->config);
    fill(f, 100);
    fixture_close(f, false);
    for (int64_t point = 0; point < model.end; point += 7) {
        struct sim_disk *kept = sim_disk_after_kill(f->sim);
        assert_int_equal(fixture_try_open(f, false, point, 0), 0);
        right(f);
        fixture_close(f, false);
        fixture_replace_disk(f, kept);
    }
}

static void deleted_records_take_their_aborts_with_them(void **state)
{
    struct log_fixture *f = *state;
    f->config.segment_bytes = 1500;
    f->config.file_delete_delay_ms = 0;
    f->config.retention_ms = -1;
    partition_log_set_config(f->log, &f->config);
    fill(f, 100);
    for (int64_t start = 0; start < model.end; start += 11) {
        partition_log_checkpointed(f->log, model.end, model.end);
        assert_int_equal(partition_log_delete_records(f->log, start, f->now), 0);
        assert_int_equal(partition_log_maintain(f->log, f->now), 0);
        right(f);
    }
    assert_true(partition_log_segment_count(f->log) < 3);
}

static void a_transaction_index_that_is_none_is_built_again(void **state)
{
    struct log_fixture *f = *state;
    f->config.segment_bytes = 1500;
    partition_log_set_config(f->log, &f->config);
    fill(f, 100);
    fixture_close(f, true);
    char path[LOG_PATH_BYTES];
    bool found = false;
    for (int64_t base = 0; base < model.end; base++) {
        struct disk_entry entry;
        log_segment_path(path, LOG_PATH, base, SUFFIX_TXN_INDEX);
        if (disk_stat(sim_disk_disk(f->sim), path, &entry) != 0)
            continue;
        found = true;
        assert_int_equal(log_write_file(sim_disk_disk(f->sim), path, "this is no index, but long enough to be taken for one", 53),
                         0);
    }
    assert_true(found);
    fixture_open(f, true);
    right(f);
    fixture_close(f, true);
    fixture_open(f, true);
    right(f);
}

static void a_snapshot_carries_open_transactions(void **state)
{
    struct log_fixture *f = *state;
    data(f, 7, 0);
    sync_log(f);
    fixture_close(f, true);
    fixture_open(f, true);
    assert_int_equal(partition_log_last_stable_offset(f->log), 0);
    int16_t epoch;
    assert_true(partition_log_has_open_txn(f->log, 7, &epoch));
    assert_false(partition_log_has_open_txn(f->log, 8, &epoch));
    marker(f, CONTROL_ABORT, 7);
    sync_log(f);
    right(f);
}

static void compact(struct log_fixture *f)
{
    struct compaction *compaction;
    int code = partition_log_compaction_begin(f->log, partition_log_last_stable_offset(f->log), 1 << 20, f->now, &compaction);
    assert_int_equal(code, 0);
    do {
        compaction_run(compaction);
        code = partition_log_compaction_step(f->log, compaction, f->now);
    } while (code == 1);
    assert_int_equal(code, 0);
}

/* A record of one key per producer, so that only the newest stays. */
static void keyed(struct log_fixture *f, int64_t producer_id, int32_t sequence)
{
    struct batch_writer batch_writer;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    struct append_result result;
    struct shared_buffer *buffer;
    mill_bytes bytes;
    batch_writer_init(&batch_writer, 1 << 16, 1 << 16);
    mill_record record = { .key = mill_string(producer_id == 1 ? "one" : "two"), .value = mill_string("v"), .timestamp_ms = 1 };
    assert_int_equal(batch_writer_append(&batch_writer, &record), 0);
    options.transactional = true;
    options.producer_id = producer_id;
    options.producer_epoch = 0;
    options.base_sequence = sequence;
    assert_int_equal(batch_writer_finish(&batch_writer, &options, &bytes), 0);
    assert_int_equal(batch_writer_take(&batch_writer, &buffer), 0);
    batch_writer_release(&batch_writer);
    struct slice batch = { mill_bytes_of(buffer->data, buffer->len), buffer };
    assert_int_equal(partition_log_append(f->log, &batch, 1, APPEND_CLIENT, 0, f->now, &result), 0);
    assert_int_equal(result.outcome, APPEND_DONE);
    shared_buffer_drop(buffer);
}

static size_t count_aborted(struct log_fixture *f)
{
    size_t at = 0;
    size_t count = 0;
    while (partition_log_next_aborted(f->log, 0, INT64_MAX, &at))
        count++;
    return count;
}

/* What a reader with read_committed is given of all batches: records that are neither aborted nor control. */
static int count_committed(struct log_fixture *f)
{
    static uint8_t bytes[1 << 20];
    int committed = 0;
    for (int64_t offset = 0; offset < partition_log_end_offset(f->log);) {
        struct read_answer answer = fixture_read(f, offset, INT64_MAX, 1 << 18, true, bytes);
        struct batch_header header;
        for (size_t position = 0; position < answer.bytes; position += header.size) {
            assert_int_equal(batch_header_decode(mill_bytes_of(bytes + position, answer.bytes - position), &header), 0);
            bool aborted = false;
            size_t at = 0;
            for (const struct aborted_txn *txn; (txn = partition_log_next_aborted(f->log, 0, INT64_MAX, &at)) != NULL;)
                aborted |= txn->producer_id == header.producer_id && txn->first_offset <= header.base_offset &&
                           txn->last_offset > header.base_offset;

            committed += aborted || batch_is_control(&header) ? 0 : header.record_count;
        }
        if (answer.next_offset == offset)
            break;
        offset = answer.next_offset;
    }
    return committed;
}

static void compaction_takes_aborted_records_and_then_what_is_known_of_them(void **state)
{
    struct log_fixture *f = *state;
    f->config.segment_bytes = 1500;
    f->config.cleanup_compact = true;
    f->config.cleanup_delete = false;
    partition_log_set_config(f->log, &f->config);
    for (int32_t i = 0; i < 40; i++) {
        keyed(f, 1, i);
        assert_int_equal(try_marker(f, i % 3 == 0 ? CONTROL_ABORT : CONTROL_COMMIT, 1, 0, 0), APPEND_DONE);
        keyed(f, 2, i);
        assert_int_equal(try_marker(f, CONTROL_COMMIT, 2, 0, 0), APPEND_DONE);
    }
    assert_int_equal(partition_log_roll(f->log, f->now), 0);
    keyed(f, 3, 0);
    assert_int_equal(try_marker(f, CONTROL_COMMIT, 3, 0, 0), APPEND_DONE);
    sync_log(f);
    assert_int_equal(count_aborted(f), 14);
    compact(f);
    assert_int_equal(count_committed(f), 3);
    fixture_close(f, true);
    fixture_open(f, true);
    assert_int_equal(count_committed(f), 3);
    /* The markers have nothing left to end; a second pass finds it so. */
    for (int round = 0; round < 2; round++) {
        keyed(f, 3, 1 + round);
        assert_int_equal(try_marker(f, CONTROL_COMMIT, 3, 0, 0), APPEND_DONE);
        assert_int_equal(partition_log_roll(f->log, f->now), 0);
        sync_log(f);
        compact(f);
    }
    /* But of the last one the header stays, as each producer's last batch does, and so does its marker's meaning. */
    assert_int_equal(count_aborted(f), 1);
    fixture_close(f, true);
    fixture_open(f, true);
    assert_int_equal(count_aborted(f), 1);
    assert_int_equal(count_committed(f), 2);
}

/* Its batch is overtaken, so that it has nothing left to end at the second pass and gets a horizon, which makes it larger. */
static void a_marker_that_compaction_has_rewritten_still_ends_what_a_snapshot_has_open(void **state)
{
    struct log_fixture *f = *state;
    f->config.cleanup_compact = true;
    f->config.cleanup_delete = false;
    partition_log_set_config(f->log, &f->config);
    keyed(f, 2, 0);
    fixture_close(f, true);
    fixture_open(f, true);
    assert_int_equal(try_marker(f, CONTROL_COMMIT, 2, 1, 0), APPEND_DONE);
    for (int32_t i = 0; i < 2; i++) {
        keyed(f, 3, i); /* the same key */
        assert_int_equal(try_marker(f, CONTROL_COMMIT, 3, 0, 0), APPEND_DONE);
        assert_int_equal(partition_log_roll(f->log, f->now), 0);
        sync_log(f);
        compact(f);
    }
    fixture_close(f, false);
    assert_int_equal(fixture_try_open(f, false, 1, 0), 0);
    assert_int_equal(partition_log_last_stable_offset(f->log), partition_log_end_offset(f->log));
}

/* The batches are overtaken; of markers that raise their producer's epoch headers stay, which end nothing any more. */
static void a_transaction_of_which_compaction_has_left_nothing_is_not_open_for_a_snapshot(void **state)
{
    struct log_fixture *f = *state;
    f->config.cleanup_compact = true;
    f->config.cleanup_delete = false;
    partition_log_set_config(f->log, &f->config);
    keyed(f, 2, 0);
    keyed(f, 4, 0);
    keyed(f, 5, 0);
    fixture_close(f, true);
    fixture_open(f, true);
    int64_t snapshot = partition_log_end_offset(f->log);
    assert_int_equal(try_marker(f, CONTROL_COMMIT, 2, 1, 0), APPEND_DONE);
    assert_int_equal(try_marker(f, CONTROL_ABORT, 4, 1, 0), APPEND_DONE);
    assert_int_equal(partition_log_roll(f->log, f->now), 0);
    keyed(f, 3, 0);
    sync_log(f);
    fixture_close(f, false);
    assert_int_equal(fixture_try_open(f, false, snapshot, 0), 0);
    assert_int_equal(partition_log_last_stable_offset(f->log), 2); /* that of producer 5 is open */
    assert_int_equal(try_marker(f, CONTROL_COMMIT, 5, 1, 0), APPEND_DONE);
    assert_int_equal(try_marker(f, CONTROL_COMMIT, 3, 0, 0), APPEND_DONE);
    for (int32_t i = 1; i < 4; i++) {
        keyed(f, 3, i); /* the same key */
        assert_int_equal(try_marker(f, CONTROL_COMMIT, 3, 0, 0), APPEND_DONE);
        assert_int_equal(partition_log_roll(f->log, f->now), 0);
        sync_log(f);
        compact(f);
        f->now.wall_ms += f->config.delete_retention_ms;
    }
    fixture_close(f, false);
    assert_int_equal(fixture_try_open(f, false, snapshot, 0), 0);
    assert_int_equal(partition_log_last_stable_offset(f->log), partition_log_end_offset(f->log));
    for (int64_t producer_id = 2; producer_id <= 5; producer_id++) {
        int16_t epoch;
        assert_false(partition_log_has_open_txn(f->log, producer_id, &epoch));
    }
}

static void the_checker_rejects_planted_faults(void **state)
{
    struct log_fixture *f = *state;
    fill(f, 60);
    assert_null(txn_model_check(f->log, &model));
    int64_t at = 0;
    while (model.ops[at].kind != TXN_OP_ABORT)
        at++;
    model.ops[at].kind = TXN_OP_COMMIT;
    assert_string_equal(txn_model_check(f->log, &model), "what is listed was not aborted");
    model.ops[at].kind = TXN_OP_ABORT;
    while (model.ops[at].kind != TXN_OP_COMMIT)
        at++;
    model.ops[at].kind = TXN_OP_ABORT;
    assert_string_equal(txn_model_check(f->log, &model), "an aborted transaction is not listed");
    model.ops[at].kind = TXN_OP_PLAIN;
    assert_non_null(txn_model_check(f->log, &model));
    model.ops[at].kind = TXN_OP_COMMIT;
    assert_null(txn_model_check(f->log, &model));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_checker_rejects_planted_faults),
        TEST(the_last_stable_offset_stops_at_the_first_open_transaction),
        TEST(a_marker_counts_when_it_is_durable),
        TEST(aborted_transactions_are_listed_where_they_have_records),
        TEST(a_marker_of_an_older_epoch_or_coordinator_is_refused),
        TEST(a_marker_of_a_higher_epoch_fences_the_older),
        TEST(what_is_no_part_of_an_open_transaction_is_refused),
        TEST(sequences_go_on_across_transactions_of_one_epoch),
        TEST(a_clean_close_keeps_everything),
        TEST(a_clean_close_syncs_the_indexes_of_a_segment_that_rolled_while_all_was_synced),
        TEST(a_crash_keeps_everything_with_any_recovery_point),
        TEST(deleted_records_take_their_aborts_with_them),
        TEST(a_transaction_index_that_is_none_is_built_again),
        TEST(a_snapshot_carries_open_transactions),
        TEST(compaction_takes_aborted_records_and_then_what_is_known_of_them),
        TEST(a_marker_that_compaction_has_rewritten_still_ends_what_a_snapshot_has_open),
        TEST(a_transaction_of_which_compaction_has_left_nothing_is_not_open_for_a_snapshot),
    };
    trace_set_level(TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
