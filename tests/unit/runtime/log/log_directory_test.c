/* A data directory from open to close: who may use it, what it remembers, how logs go. */
#include "log/log_directory.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "log_fixture.h"

static struct log_fixture f;
static struct log_directory *directory;
static struct error_text error;
static const uint8_t id_one[TOPIC_ID_BYTES] = { 1 };
static const uint8_t id_two[TOPIC_ID_BYTES] = { 2 };
static const uint8_t random_bytes[16] = { 0xab, 0xcd };

static int try_open(const char *cluster_id, int32_t node_id)
{
    struct log_directory_options options = { .disk = sim_disk_disk(f.sim),
                                             .path = "/var/lib/data",
                                             .identity = { .node_id = node_id, .directory_id = { 7 } },
                                             .open_files_max = 2 };
    snprintf(options.identity.cluster_id, sizeof options.identity.cluster_id, "%s", cluster_id);
    struct log_directory *opened = NULL;
    int code = log_directory_open(&options, &opened, &error);
    if (code == 0)
        directory = opened;
    return code;
}

static int set_up(void **state)
{
    f = (struct log_fixture){ .sim = sim_disk_new(1), .config = small_segments() };
    f.now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    sim_disk_set_clock(f.sim, fixture_clock, &f);
    assert_int_equal(try_open("cluster", 1), 0);
    return 0;
}

static void close_directory(bool clean)
{
    assert_int_equal(log_directory_close(directory, clean, &error), 0);
    directory = NULL;
}

static int tear_down(void **state)
{
    if (directory)
        close_directory(false);
    sim_disk_free(f.sim);
    return 0;
}

static struct partition_log *open_log(const char *topic, int32_t partition, const uint8_t *topic_id)
{
    struct partition_log *log;
    if (log_directory_open_log(directory, topic, partition, topic_id, &f.config, f.now, &log, &error) != 0)
        fail_msg("%s", error.text);
    f.log = log;
    return log;
}

static void reopen(bool clean)
{
    close_directory(clean);
    assert_int_equal(try_open("cluster", 1), 0);
    assert_int_equal(log_directory_was_clean(directory), clean);
}

static void a_second_process_is_refused(void **state)
{
    assert_int_equal(try_open("cluster", 1), MILL_ELOCKED);
    assert_non_null(strstr(error.text, "in use by another broker"));
}

static void another_brokers_directory_is_refused(void **state)
{
    close_directory(true);
    assert_int_equal(try_open("other", 1), MILL_EINVALID);
    assert_int_equal(try_open("cluster", 2), MILL_EINVALID);
    assert_int_equal(try_open("", 0), 0);
    assert_string_equal(log_directory_identity(directory)->cluster_id, "cluster");
    assert_int_equal(log_directory_identity(directory)->node_id, 1);
    assert_int_equal(log_directory_identity(directory)->directory_id[0], 7);
}

static void a_clean_close_is_remembered_once(void **state)
{
    open_log("topic", 0, id_one);
    fixture_append(&f, plain_batch(3, 1));
    reopen(true);
    assert_int_equal(partition_log_end_offset(open_log("topic", 0, id_one)), 3);
    reopen(false);
    assert_int_equal(partition_log_end_offset(open_log("topic", 0, id_one)), 3);
}

static void the_log_start_survives_a_restart(void **state)
{
    struct partition_log *log = open_log("topic", 0, id_one);
    fixture_append(&f, plain_batch(9, 1));
    assert_int_equal(partition_log_sync(log), 0);
    assert_int_equal(partition_log_delete_records(log, 4, f.now), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    reopen(false);
    assert_int_equal(partition_log_start_offset(open_log("topic", 0, id_one)), 4);
    reopen(true);
    assert_int_equal(partition_log_start_offset(open_log("topic", 0, id_one)), 4);
}

static void a_topic_made_again_under_its_name_starts_from_nothing(void **state)
{
    struct partition_log *log = open_log("topic", 0, id_one);
    fixture_append(&f, plain_batch(9, 1));
    assert_int_equal(partition_log_sync(log), 0);
    assert_int_equal(partition_log_delete_records(log, 4, f.now), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);

    struct log_removal removal;
    assert_int_equal(log_directory_remove_log(directory, log, random_bytes, &removal, &error), 0);
    assert_false(log_directory_has_log(directory, "topic", 0, id_one));
    log = open_log("topic", 0, id_two);
    assert_int_equal(partition_log_start_offset(log), 0);
    fixture_append(&f, plain_batch(6, 1));
    assert_int_equal(partition_log_sync(log), 0);
    log_removal_run(&removal);
    assert_int_equal(removal.code, 0);
    log_removal_release(&removal);

    reopen(false); /* before the next checkpoint: the offsets on disk are the old topic's */
    log = open_log("topic", 0, id_two);
    assert_int_equal(partition_log_start_offset(log), 0);
    assert_int_equal(partition_log_end_offset(log), 6);
}

static int note_name(void *ctx, const char *topic, int32_t partition)
{
    char *names = ctx;
    sprintf(names + strlen(names), "%s/%d ", topic, (int)partition);
    return 0;
}

static void a_removal_that_a_crash_cut_short_is_finished_at_the_next_open(void **state)
{
    struct log_removal removal;
    open_log("gone-too", 3, id_one);
    fixture_append(&f, plain_batch(9, 1));
    assert_int_equal(log_directory_remove_log(directory, f.log, random_bytes, &removal, &error), 0);
    log_removal_release(&removal);
    struct disk_entry entry;
    assert_int_equal(disk_stat(sim_disk_disk(f.sim), "/var/lib/data/gone-too-3.abcd0000000000000000000000000000-delete", &entry),
                     0);
    open_log("a-b", 0, id_one);
    open_log("a-b", 12, id_one);
    reopen(false);
    assert_int_equal(disk_stat(sim_disk_disk(f.sim), "/var/lib/data/gone-too-3.abcd0000000000000000000000000000-delete", &entry),
                     MILL_ENOTFOUND);
    char names[100] = "";
    assert_int_equal(log_directory_each(directory, note_name, names), 0);
    assert_true(strcmp(names, "a-b/0 a-b/12 ") == 0 || strcmp(names, "a-b/12 a-b/0 ") == 0);
}

static void names_that_are_no_topics_never_become_paths(void **state)
{
    static const char *const bad[] = { "", ".", "..", "a/b", "../x", "a b", "\xc3\xa9", "a\n" };
    struct partition_log *log;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(log_directory_open_log(directory, bad[i], 0, id_one, &f.config, f.now, &log, &error), MILL_EINVALID);
    assert_int_equal(log_directory_open_log(directory, "a", -1, id_one, &f.config, f.now, &log, &error), MILL_EINVALID);
    char name[251];
    memset(name, 'x', 250);
    name[250] = '\0';
    assert_int_equal(log_directory_open_log(directory, name, 0, id_one, &f.config, f.now, &log, &error), MILL_EINVALID);
    name[249] = '\0';
    open_log(name, 0, id_one);
}

/* A checkpoint lets recovery begin where it was made: what lies before is not read any more. */
static void after_a_checkpoint_only_what_came_later_is_scanned(void **state)
{
    f.config.segment_bytes = 1 << 20;
    open_log("topic", 0, id_one);
    for (int i = 0; i < 400; i++)
        fixture_append(&f, plain_batch(20, 1000 * i));
    assert_int_equal(partition_log_sync(f.log), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    fixture_append(&f, plain_batch(20, 1000 * 400));
    reopen(false);
    /* A flipped bit at the front, which a scan of everything would find. */
    assert_true(sim_disk_flip(f.sim, "/var/lib/data/topic-0/00000000000000000000.log", 8 * 5000));
    open_log("topic", 0, id_one);
    assert_int_equal(partition_log_segment_count(f.log), 1);
    assert_int_equal(partition_log_end_offset(f.log), 401 * 20);
    assert_int_equal(fixture_lookup(&f, 1000 * 399 + 5, NULL), 399 * 20 + 5);
}

/* Entries of the transaction index are saved by the checkpoint itself: they do not hold its recovery point back. */
static void the_first_checkpoint_passes_an_aborted_transaction(void **state)
{
    open_log("topic", 0, id_one);
    fixture_append(&f, txn_batch(7, 0, 0));
    struct slice marker = make_marker(CONTROL_ABORT, 7, 0, 0);
    struct append_result result;
    assert_int_equal(partition_log_append(f.log, &marker, 1, APPEND_BROKER, 0, f.now, &result), 0);
    shared_buffer_drop(marker.buffer);
    fixture_append(&f, plain_batch(3, 1000));
    assert_int_equal(partition_log_sync(f.log), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    char *text;
    size_t len;
    assert_int_equal(disk_read_file(sim_disk_disk(f.sim), "/var/lib/data/recovery-point-offset-checkpoint", 1000, &text, &len),
                     0);
    char expected[64];
    snprintf(expected, sizeof expected, "0\n1\ntopic 0 %lld\n", (long long)partition_log_end_offset(f.log));
    assert_string_equal(text, expected);
    mem_free(text);
}

/* ---- what a checkpoint leaves to read -------------------------------------------------------------------------------------- */

static struct batch_shape numbered_batch(int32_t sequence)
{
    struct batch_shape shape = plain_batch(1, 1000 + sequence);
    shape.value_bytes = 5000; /* more than the window through which headers are read: a batch is a read */
    shape.producer_id = 7;
    shape.producer_epoch = 0;
    shape.base_sequence = sequence;
    return shape;
}

static void append_numbered(int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++)
        fixture_append(&f, numbered_batch(i));
}

/* Opens the log, which an earlier process left without closing it; how often that read. */
static uint64_t count_reads_of_open(void)
{
    close_directory(false);
    assert_int_equal(try_open("cluster", 1), 0);
    sim_disk_fail_at(f.sim, SIM_DISK_READ, UINT64_MAX, 0, false);
    open_log("topic", 0, id_one);
    return sim_disk_fail_at(f.sim, SIM_DISK_READ, 0, 0, false);
}

static void assert_is_duplicate(int32_t sequence)
{
    struct append_result result;
    assert_int_equal(fixture_try_append(&f, numbered_batch(sequence), &result), 0);
    assert_int_equal(result.outcome, APPEND_DUPLICATE);
    assert_int_equal(result.base_offset, sequence);
}

static void a_start_after_a_crash_reads_only_what_came_after_the_checkpoint(void **state)
{
    f.config = LOG_CONFIG_DEFAULT;
    open_log("topic", 0, id_one);
    append_numbered(0, 3000);
    assert_int_equal(partition_log_sync(f.log), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    append_numbered(3000, 3010);
    /* A mebibyte before the snapshot tells each producer's last five batches, which is some two hundred of these. */
    assert_in_range(count_reads_of_open(), 1, 300);
    assert_int_equal(partition_log_end_offset(f.log), 3010);
    for (int32_t i = 3005; i < 3010; i++)
        assert_is_duplicate(i);
}

/* With thousands of logs each sync counts, and most of them nobody has written to. */
static void a_start_after_a_crash_syncs_nothing_that_a_checkpoint_covers(void **state)
{
    open_log("topic", 0, id_one);
    append_numbered(0, 10);
    assert_int_equal(partition_log_sync(f.log), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    close_directory(false);
    assert_int_equal(try_open("cluster", 1), 0);
    sim_disk_fail_at(f.sim, SIM_DISK_SYNC | SIM_DISK_SYNC_DIRECTORY, UINT64_MAX, 0, false);
    open_log("topic", 0, id_one);
    assert_int_equal(sim_disk_fail_at(f.sim, SIM_DISK_SYNC | SIM_DISK_SYNC_DIRECTORY, 0, 0, false), 0);
    assert_int_equal(partition_log_synced_end(f.log), 10);
}

static void sync_log(void)
{
    assert_int_equal(partition_log_sync(f.log), 0);
}

static int32_t next_sequence;

static void append_and_sync(void)
{
    append_numbered(next_sequence, next_sequence + 10);
    next_sequence += 10;
    sync_log();
}

/* What is not synced when a checkpoint begins mostly is when its first half is written. */
static void a_checkpoint_of_a_log_that_is_written_to_leaves_no_more_to_read(void **state)
{
    f.config = LOG_CONFIG_DEFAULT;
    open_log("topic", 0, id_one);
    append_numbered(0, 3000);
    next_sequence = 3000;
    assert_int_equal(fixture_run_checkpoint(directory, append_and_sync), 0);
    assert_in_range(count_reads_of_open(), 1, 300);
    assert_is_duplicate(next_sequence - 1);
}

static int count_snapshot(void *ctx, const struct disk_entry *entry)
{
    const char *dot = strrchr(entry->name, '.');
    *(int *)ctx += dot && strcmp(dot, ".snapshot") == 0;
    return 0;
}

static int count_snapshots(void)
{
    int count = 0;
    assert_int_equal(disk_list(sim_disk_disk(f.sim), "/var/lib/data/topic-0", count_snapshot, &count), 0);
    return count;
}

static void of_the_snapshots_of_checkpoints_two_are_kept(void **state)
{
    f.config = LOG_CONFIG_DEFAULT;
    open_log("topic", 0, id_one);
    for (int i = 0; i < 10; i++) {
        append_numbered(i, i + 1);
        sync_log();
        assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
        assert_int_equal(count_snapshots(), i == 0 ? 1 : 2);
    }
    assert_int_equal(partition_log_roll(f.log, f.now), 0);
    append_numbered(10, 11);
    sync_log();
    for (int i = 11; i < 14; i++) {
        assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
        append_numbered(i, i + 1);
        sync_log();
    }
    assert_int_equal(count_snapshots(), 3); /* and that of the segment */
    reopen(false);
    open_log("topic", 0, id_one);
    assert_int_equal(count_snapshots(), 2);
    assert_is_duplicate(13);
}

/* The newest snapshots are not synced, so that a power cut may take them. */
static void after_a_power_cut_a_start_goes_on_from_the_last_snapshot_that_was_synced(void **state)
{
    f.config = LOG_CONFIG_DEFAULT;
    open_log("topic", 0, id_one);
    append_numbered(0, 3000);
    sync_log();
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    for (int i = 3000; i < 3010; i++) {
        append_numbered(i, i + 1);
        sync_log();
        assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    }
    assert_int_equal(count_snapshots(), 3);
    close_directory(false);
    struct sim_disk *before = f.sim;
    for (uint64_t seed = 0; seed < 10; seed++) {
        f.sim = sim_disk_after_power_cut(before, seed);
        assert_int_equal(try_open("cluster", 1), 0);
        assert_in_range(count_reads_of_open(), 1, 500);
        assert_is_duplicate(3009);
        close_directory(false);
        sim_disk_free(f.sim);
    }
    f.sim = before;
    assert_int_equal(try_open("cluster", 1), 0);
    open_log("topic", 0, id_one);
    assert_int_equal(count_snapshots(), 1);
    for (int i = 0; i < 3; i++) {
        append_numbered(3010 + 2000 * i, 3010 + 2000 * (i + 1));
        sync_log();
        assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
        assert_in_range(count_snapshots(), 2, 3);
    }
    assert_int_equal(count_snapshots(), 2);
}

/* What a killed process left without a sync is acknowledged by the start that finds it: to readers, and to who sends it again. */
static void what_a_start_after_a_kill_finds_outlives_a_power_cut(void **state)
{
    open_log("topic", 0, id_one);
    append_numbered(0, 3);
    reopen(false);
    open_log("topic", 0, id_one);
    assert_int_equal(partition_log_synced_end(f.log), 3);
    struct sim_disk *before = f.sim;
    struct log_directory *left = directory;
    for (uint64_t seed = 0; seed < 10; seed++) {
        f.sim = sim_disk_after_power_cut(before, seed);
        assert_int_equal(try_open("cluster", 1), 0);
        open_log("topic", 0, id_one);
        assert_int_equal(partition_log_end_offset(f.log), 3);
        close_directory(false);
        sim_disk_free(f.sim);
    }
    f.sim = before;
    directory = left;
}

static void a_checkpoint_of_what_has_not_changed_touches_no_file(void **state)
{
    open_log("topic", 0, id_one);
    append_numbered(0, 3);
    sync_log();
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    sim_disk_fail_at(f.sim, SIM_DISK_ANY, UINT64_MAX, 0, false);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    assert_int_equal(sim_disk_fail_at(f.sim, SIM_DISK_ANY, 0, 0, false), 0);
}

static void a_checkpoint_that_failed_is_made_up_for_by_the_next(void **state)
{
    f.config = LOG_CONFIG_DEFAULT;
    open_log("topic", 0, id_one);
    append_numbered(0, 3000);
    sync_log();
    for (uint64_t nth = 1; nth < 4; nth++) {
        sim_disk_fail_at(f.sim, SIM_DISK_SYNC, nth, MILL_EIO, true);
        assert_int_equal(fixture_run_checkpoint(directory, NULL), MILL_EIO);
        sim_disk_fail_at(f.sim, SIM_DISK_SYNC, 0, 0, false);
    }
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    assert_in_range(count_reads_of_open(), 1, 300);
    assert_is_duplicate(2999);
}

/* With thousands of logs, each of which has index entries to be written, the loop must not stand still meanwhile. */
static void a_checkpoint_looks_at_a_few_logs_at_a_time(void **state)
{
    f.config.segment_bytes = 1 << 20;
    for (int32_t i = 0; i < 100; i++) {
        open_log("topic", i, id_one);
        fixture_append(&f, numbered_batch(0));
        fixture_append(&f, numbered_batch(1));
        sync_log();
    }
    struct log_checkpoint *job = log_directory_checkpoint_begin(directory);
    int code;
    int steps = 0;
    sim_disk_fail_at(f.sim, SIM_DISK_CHANGES, UINT64_MAX, 0, false);
    while ((code = log_directory_checkpoint_step(directory, job)) == LOG_CHECKPOINT_ADDS) {
        assert_in_range(sim_disk_fail_at(f.sim, SIM_DISK_CHANGES, UINT64_MAX, 0, false), 1, 100);
        steps++;
    }
    assert_in_range(steps, 5, 100);
    assert_int_equal(code, LOG_CHECKPOINT_RUNS);
    log_directory_checkpoint_cancel(directory, job);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
}

/* The worker may just be writing into the directory of that name. */
static void a_topic_replaced_during_a_checkpoint_knows_none_of_the_first_ones_producers(void **state)
{
    open_log("topic", 0, id_one);
    append_numbered(0, 10);
    sync_log();
    struct log_checkpoint *job = log_directory_checkpoint_begin(directory);
    assert_int_equal(log_directory_checkpoint_step(directory, job), LOG_CHECKPOINT_RUNS);
    struct log_removal removal;
    assert_int_equal(log_directory_remove_log(directory, f.log, random_bytes, &removal, &error), 0);
    open_log("topic", 0, id_two);
    log_checkpoint_run(job);
    for (int i = 0; i < 20; i++) /* beyond the offset of what the worker has written */
        fixture_append(&f, plain_batch(1, 1000 + i));
    sync_log();
    while (log_directory_checkpoint_step(directory, job) > 0)
        log_checkpoint_run(job);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    assert_int_equal(count_snapshots(), 1);
    reopen(false);
    open_log("topic", 0, id_two);
    size_t at = 0;
    assert_null(partition_log_next_producer(f.log, &at));
    log_removal_run(&removal);
    log_removal_release(&removal);
}

/* A checkpoint needs room, and only retention makes some. */
static void a_full_disk_does_not_keep_what_retention_gives_up(void **state)
{
    struct partition_log *log = open_log("topic", 0, id_one);
    for (int i = 0; i < 200; i++)
        fixture_append(&f, plain_batch(20, 1000 * i));
    assert_int_equal(partition_log_sync(log), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    f.config.retention_bytes = 10000;
    f.config.file_delete_delay_ms = 0;
    partition_log_set_config(log, &f.config);
    sim_disk_set_capacity(f.sim, 1);
    assert_int_equal(partition_log_maintain(log, f.now), 0);
    int64_t kept = partition_log_bytes(log);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), MILL_EDISKFULL);
    assert_true(partition_log_bytes(log) < kept / 2);
    assert_int_equal(partition_log_maintain(log, f.now), 0); /* the files have gone */
    sim_disk_set_capacity(f.sim, INT64_MAX);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    reopen(false);
    assert_int_equal(partition_log_lost(open_log("topic", 0, id_one)), 0);
}

/* That of the active segment among it, which goes when there is room for another one. */
static void a_full_disk_does_not_keep_what_is_older_than_a_segment_that_cannot_be_rolled(void **state)
{
    struct partition_log *log = open_log("topic", 0, id_one);
    for (int i = 0; i < 200; i++)
        fixture_append(&f, plain_batch(20, 1000 * i));
    assert_int_equal(partition_log_sync(log), 0);
    f.config.retention_ms = 1000;
    f.config.segment_ms = 1000;
    partition_log_set_config(log, &f.config);
    f.now.wall_ms += 10000;
    f.now.monotonic_us += 10000000;
    sim_disk_fail_at(f.sim, SIM_DISK_OPEN, 1, MILL_EDISKFULL, true);
    assert_int_equal(partition_log_maintain(log, f.now), MILL_EDISKFULL);
    sim_disk_fail_at(f.sim, SIM_DISK_OPEN, 0, 0, false);
    assert_int_equal(partition_log_start_offset(log), partition_log_active_offset(log));
    assert_true(partition_log_start_offset(log) > 0);
    assert_int_equal(partition_log_maintain(log, f.now), 0);
    assert_int_equal(partition_log_start_offset(log), 4000);
}

static int errors_told;

static void count_error(void *ctx, enum trace_level level, const char *line)
{
    errors_told += level == TRACE_ERROR && strstr(line, "bad-0") && strstr(line, "/var/lib/data/bad-0");
}

static void fail_in_one_directory(void *ctx, enum sim_disk_call call, const char *path)
{
    bool fails = strstr(path, "/bad-0") != NULL;
    sim_disk_fail_at(ctx, SIM_DISK_ANY, fails ? 1 : 0, MILL_EIO, true);
}

static struct partition_log *log_of_numbers(const char *topic)
{
    struct partition_log *log = open_log(topic, 0, id_one);
    append_numbered(0, 300);
    sync_log();
    assert_int_equal(partition_log_delete_records(log, 290, f.now), 0);
    return log;
}

static void a_log_whose_directory_fails_holds_up_no_other_logs_checkpoint(void **state)
{
    f.config.file_delete_delay_ms = 0;
    struct partition_log *bad = log_of_numbers("bad");
    struct partition_log *good = log_of_numbers("good");
    int64_t bad_bytes = partition_log_bytes(bad);
    int64_t good_bytes = partition_log_bytes(good);
    errors_told = 0;
    trace_set_sink(count_error, NULL);
    sim_disk_watch(f.sim, SIM_DISK_ANY, fail_in_one_directory, f.sim);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    sim_disk_watch(f.sim, 0, NULL, NULL);
    sim_disk_fail_at(f.sim, SIM_DISK_ANY, 0, 0, false);
    trace_set_sink(NULL, NULL);
    assert_int_equal(errors_told, 1);
    assert_true(partition_log_bytes(good) < good_bytes / 2); /* what lies below its log start has gone */
    assert_int_equal(partition_log_bytes(bad), bad_bytes);

    struct sim_disk *killed = sim_disk_after_kill(f.sim);
    close_directory(false);
    fixture_replace_disk(&f, killed);
    assert_int_equal(try_open("cluster", 1), 0);
    assert_int_equal(partition_log_start_offset(open_log("good", 0, id_one)), 290);
    assert_is_duplicate(299);
    open_log("bad", 0, id_one);
    assert_is_duplicate(299);
    assert_int_equal(partition_log_lost(f.log), 0);
    assert_int_equal(fixture_run_checkpoint(directory, NULL), 0);
    assert_true(partition_log_start_offset(f.log) == 290 && partition_log_bytes(f.log) < bad_bytes / 2);
}

static uint8_t bytes[1 << 16];

static void old_segments_share_a_limited_number_of_open_files(void **state)
{
    open_log("topic", 0, id_one);
    for (int i = 0; i < 200; i++)
        fixture_append(&f, plain_batch(20, 1000 * i));
    reopen(true);
    open_log("topic", 0, id_one);
    assert_true(partition_log_segment_count(f.log) > 10);
    for (int round = 0; round < 3; round++)
        for (int64_t offset = 0; offset < 4000; offset += 100) {
            struct read_answer answer = fixture_read(&f, offset, INT64_MAX, 1, true, bytes);
            assert_int_equal(answer.code, 0);
            assert_int_equal(answer.next_offset, offset + 20);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_second_process_is_refused),
        TEST(another_brokers_directory_is_refused),
        TEST(a_clean_close_is_remembered_once),
        TEST(the_log_start_survives_a_restart),
        TEST(a_topic_made_again_under_its_name_starts_from_nothing),
        TEST(a_removal_that_a_crash_cut_short_is_finished_at_the_next_open),
        TEST(names_that_are_no_topics_never_become_paths),
        TEST(after_a_checkpoint_only_what_came_later_is_scanned),
        TEST(the_first_checkpoint_passes_an_aborted_transaction),
        TEST(a_start_after_a_crash_reads_only_what_came_after_the_checkpoint),
        TEST(a_start_after_a_crash_syncs_nothing_that_a_checkpoint_covers),
        TEST(a_checkpoint_of_a_log_that_is_written_to_leaves_no_more_to_read),
        TEST(of_the_snapshots_of_checkpoints_two_are_kept),
        TEST(after_a_power_cut_a_start_goes_on_from_the_last_snapshot_that_was_synced),
        TEST(what_a_start_after_a_kill_finds_outlives_a_power_cut),
        TEST(a_checkpoint_of_what_has_not_changed_touches_no_file),
        TEST(a_checkpoint_that_failed_is_made_up_for_by_the_next),
        TEST(a_checkpoint_looks_at_a_few_logs_at_a_time),
        TEST(a_topic_replaced_during_a_checkpoint_knows_none_of_the_first_ones_producers),
        TEST(a_full_disk_does_not_keep_what_retention_gives_up),
        TEST(a_full_disk_does_not_keep_what_is_older_than_a_segment_that_cannot_be_rolled),
        TEST(a_log_whose_directory_fails_holds_up_no_other_logs_checkpoint),
        TEST(old_segments_share_a_limited_number_of_open_files),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
