/*
 * Files that are gone although a checkpoint says that they were synced: it is told, with offsets and files, what is left stays
 * readable, readers get over the gap, and lost offsets are never given out again. Nothing is told of what retention took.
 */
#include "log_fixture.h"

#include "base/alloc.h"
#include "base/trace.h"

enum { RECORDS = 500, NO_START = -1 };

static struct log_fixture f;
static uint8_t bytes[1 << 20];
static char told[16 << 10]; /* the lines of warnings and errors */
static int errors;

static void note_line(void *ctx, enum trace_level level, const char *line)
{
    errors += level == TRACE_ERROR;
    size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%s\n", line);
}

static void forget_told(void)
{
    told[0] = '\0';
    errors = 0;
}

/* Some segments of records that are synced. */
static int set_up(void **state)
{
    trace_set_sink(note_line, NULL);
    fixture_init(&f, 1);
    f.config.hot_tail_bytes = 0;
    f.config.retention_ms = -1;
    partition_log_set_config(f.log, &f.config);
    for (int i = 0; i < RECORDS / 5; i++)
        fixture_append(&f, plain_batch(5, 1000 * i));
    assert_int_equal(partition_log_sync(f.log), 0);
    assert_true(partition_log_segment_count(f.log) >= 4);
    forget_told();
    return 0;
}

static int tear_down(void **state)
{
    trace_set_sink(NULL, NULL);
    fixture_release(&f);
    return 0;
}

static void set_up_again(void)
{
    tear_down(NULL);
    set_up(NULL);
}

/* The first offset of each segment, from the files' names; returns how many. */
static int64_t bases[64];
static int base_count;

static int note_base(void *ctx, const struct disk_entry *entry)
{
    size_t len = strlen(entry->name);
    if (len == 24 && strcmp(entry->name + 20, ".log") == 0)
        bases[base_count++] = strtoll(entry->name, NULL, 10);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    return *(const int64_t *)a < *(const int64_t *)b ? -1 : *(const int64_t *)a > *(const int64_t *)b;
}

static void list_bases(void)
{
    base_count = 0;
    assert_int_equal(disk_list(sim_disk_disk(f.sim), LOG_PATH, note_base, NULL), 0);
    qsort(bases, (size_t)base_count, sizeof *bases, by_value);
}

static void remove_file(int64_t base_offset, const char *suffix)
{
    assert_int_equal(disk_remove(sim_disk_disk(f.sim), fixture_file(base_offset, suffix)), 0);
}

static void move_file(int64_t base_offset, bool away)
{
    char path[128];
    snprintf(path, sizeof path, "%s", fixture_file(base_offset, ".log"));
    assert_int_equal(disk_rename(sim_disk_disk(f.sim), away ? path : "/data/copy", away ? "/data/copy" : path), 0);
}

static void cut_file(const char *path, int64_t size)
{
    struct disk_file *file;
    assert_int_equal(disk_open(sim_disk_disk(f.sim), path, DISK_WRITE, &file), 0);
    assert_int_equal(disk_truncate(file, size), 0);
    disk_close(file);
}

static void open_at(bool clean, int64_t recovery_point, int64_t log_start)
{
    forget_told();
    if (fixture_try_open(&f, clean, recovery_point, log_start) != 0)
        fail_msg("open: %s", f.error.text);
}

static void assert_told(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void assert_told(const char *format, ...)
{
    char wanted[512];
    va_list args;
    va_start(args, format);
    vsnprintf(wanted, sizeof wanted, format, args);
    va_end(args);
    if (!strstr(told, wanted))
        fail_msg("not told: %s\nbut: %s", wanted, told);
}

/* Reads as a client does, from the log start until the end; returns how many records there were. Never stands still. */
static int64_t count_records(void)
{
    int64_t count = 0;
    int64_t offset = partition_log_start_offset(f.log);
    while (offset < partition_log_end_offset(f.log)) {
        struct read_answer answer = fixture_read(&f, offset, INT64_MAX, 2000, true, bytes);
        assert_int_equal(answer.code, 0);
        assert_true(answer.bytes > 0);
        struct batch_header header;
        for (size_t at = 0; at < answer.bytes; at += header.size) {
            assert_int_equal(batch_header_decode(mill_bytes_of(bytes + at, answer.bytes - at), &header), 0);
            assert_int_equal(batch_check(mill_bytes_of(bytes + at, header.size), &header), 0);
            count += header.record_count;
            offset = batch_next_offset(&header);
        }
    }
    return count;
}

/* ---- the end --------------------------------------------------------------------------------------------------------------- */

static void an_end_that_is_cut_is_told_once_and_readers_get_over_it(bool clean, int64_t bytes_left)
{
    set_up_again();
    list_bases();
    int64_t last = bases[base_count - 1];
    fixture_close(&f, clean);
    cut_file(fixture_file(last, ".log"), bytes_left);
    open_at(clean, RECORDS, 0);
    assert_int_equal(errors, 1);
    assert_null(strstr(told, "never completed"));
    int64_t lost = partition_log_lost(f.log);
    assert_true(lost > 0 && lost <= RECORDS - last);
    assert_told("offsets %lld to %d were synced and are gone: " LOG_PATH "/%020lld.log", (long long)(RECORDS - lost), RECORDS - 1,
                (long long)last);

    assert_int_equal(partition_log_end_offset(f.log), RECORDS);
    assert_int_equal(partition_log_high_watermark(f.log), RECORDS);
    assert_int_equal(count_records(), RECORDS - lost);
    assert_int_equal(fixture_append(&f, plain_batch(3, 1)), RECORDS);
    assert_int_equal(partition_log_sync(f.log), 0);
    assert_int_equal(count_records(), RECORDS - lost + 3);

    fixture_close(&f, clean);
    open_at(clean, RECORDS + 3, 0);
    assert_int_equal(partition_log_lost(f.log), 0);
    assert_int_equal(count_records(), RECORDS - lost + 3);
    assert_string_equal(told, "");
}

static void a_cut_end_is_told_once_and_readers_get_over_it(void **state)
{
    for (int clean = 0; clean <= 1; clean++) {
        an_end_that_is_cut_is_told_once_and_readers_get_over_it(clean, 0);
        an_end_that_is_cut_is_told_once_and_readers_get_over_it(clean, 500);
        an_end_that_is_cut_is_told_once_and_readers_get_over_it(clean, 30);
    }
}

static void a_missing_last_segment_is_told_and_readers_get_over_it(void **state)
{
    for (int clean = 0; clean <= 1; clean++) {
        set_up_again();
        list_bases();
        int64_t last = bases[base_count - 1];
        fixture_close(&f, clean);
        remove_file(last, ".log");
        open_at(clean, RECORDS, 0);
        assert_int_equal(errors, 1);
        assert_told("offsets %lld to %d were synced and are gone", (long long)last, RECORDS - 1);
        assert_told("there is no %020lld.log", (long long)last);
        assert_int_equal(count_records(), last);
        assert_int_equal(fixture_append(&f, plain_batch(3, 1)), RECORDS);
    }
}

static void an_end_of_billions_of_offsets_is_told_once(void **state)
{
    int64_t recovery_point = RECORDS + INT64_C(3000000000);
    fixture_close(&f, false);
    open_at(false, recovery_point, 0);
    assert_int_equal(count_records(), RECORDS);
    assert_int_equal(errors, 1);
    assert_int_equal(partition_log_lost(f.log), recovery_point - RECORDS);
    assert_int_equal(fixture_append(&f, plain_batch(3, 1)), recovery_point);
}

/* A file that was cut may be put back: what came later lies in another one. */
static void a_copy_of_the_cut_file_brings_the_records_back(void **state)
{
    list_bases();
    char path[128];
    snprintf(path, sizeof path, "%s", fixture_file(bases[base_count - 1], ".log"));
    char *copy;
    size_t len;
    assert_int_equal(disk_read_file(sim_disk_disk(f.sim), path, 1 << 20, &copy, &len), 0);
    fixture_close(&f, true);
    cut_file(path, 700);
    open_at(true, RECORDS, 0);
    assert_true(partition_log_lost(f.log) > 0);
    assert_int_equal(fixture_append(&f, plain_batch(3, 1)), RECORDS);
    fixture_close(&f, true);

    assert_int_equal(disk_replace_file(sim_disk_disk(f.sim), path, copy, len), 0);
    mem_free(copy);
    open_at(true, RECORDS + 3, 0);
    assert_int_equal(count_records(), RECORDS + 3);
    assert_int_equal(partition_log_lost(f.log), 0);
}

static void a_producer_goes_on_behind_a_lost_end(void **state)
{
    struct batch_shape shape = plain_batch(1, 5);
    shape.producer_id = 7;
    shape.producer_epoch = 0;
    shape.base_sequence = 0;
    fixture_append(&f, shape);
    list_bases();
    fixture_close(&f, true);
    cut_file(fixture_file(bases[base_count - 1], ".log"), 0);
    open_at(true, RECORDS + 1, 0);
    struct append_result result;
    assert_int_equal(fixture_try_append(&f, shape, &result), 0);
    assert_int_equal(result.outcome, APPEND_DUPLICATE); /* its snapshot is as good as it was */
    shape.base_sequence = 1;
    assert_int_equal(fixture_append(&f, shape), RECORDS + 1);
}

static void a_log_start_behind_the_cut_end_changes_nothing_about_it(void **state)
{
    list_bases();
    fixture_close(&f, true);
    for (int i = 1; i < base_count; i++)
        remove_file(bases[i], ".log");
    open_at(true, RECORDS, bases[1] + 10);
    assert_int_equal(errors, 1);
    assert_told("offsets %lld to %d were synced and are gone", (long long)bases[1] + 10, RECORDS - 1);
    assert_int_equal(partition_log_start_offset(f.log), bases[1] + 10);
    assert_int_equal(partition_log_end_offset(f.log), RECORDS);
    assert_int_equal(count_records(), 0);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------- */

static void a_directory_that_has_gone_begins_at_the_recovery_point(void **state)
{
    for (int clean = 0; clean <= 1; clean++) {
        set_up_again();
        fixture_close(&f, clean);
        assert_int_equal(disk_remove_tree(sim_disk_disk(f.sim), LOG_PATH), 0);
        open_at(clean, RECORDS, 20);
        assert_int_equal(errors, 1);
        assert_told("offsets 20 to %d were synced and are gone: " LOG_PATH "/%020d.log is missing or was cut", RECORDS - 1, 20);
        assert_int_equal(partition_log_start_offset(f.log), 20);
        assert_int_equal(partition_log_end_offset(f.log), RECORDS);
        assert_int_equal(count_records(), 0);
        assert_int_equal(fixture_append(&f, plain_batch(3, 1)), RECORDS);
    }
}

static void a_directory_without_segments_begins_at_the_recovery_point(void **state)
{
    list_bases();
    fixture_close(&f, true);
    for (int i = 0; i < base_count; i++)
        remove_file(bases[i], ".log");
    open_at(true, RECORDS, 0);
    assert_int_equal(errors, 1);
    assert_int_equal(partition_log_lost(f.log), RECORDS);
    assert_int_equal(count_records(), 0);
    assert_int_equal(fixture_append(&f, plain_batch(3, 1)), RECORDS);
}

static void an_empty_segment_is_all_that_is_left(void **state)
{
    assert_int_equal(partition_log_roll(f.log, f.now), 0);
    list_bases();
    fixture_close(&f, true);
    for (int i = 0; i + 1 < base_count; i++)
        remove_file(bases[i], ".log");
    open_at(true, RECORDS, 0);
    assert_int_equal(errors, 1);
    assert_int_equal(partition_log_lost(f.log), RECORDS);
    assert_int_equal(partition_log_end_offset(f.log), RECORDS);
    assert_int_equal(count_records(), 0);
    assert_int_equal(fixture_append(&f, plain_batch(3, 1)), RECORDS);
    assert_int_equal(count_records(), 3);
}

static void a_new_log_has_lost_nothing(void **state)
{
    fixture_close(&f, true);
    assert_int_equal(disk_remove_tree(sim_disk_disk(f.sim), LOG_PATH), 0);
    open_at(true, 0, NO_START);
    assert_string_equal(told, "");
    assert_int_equal(partition_log_end_offset(f.log), 0);
}

/* ---- the front ------------------------------------------------------------------------------------------------------------- */

static void a_missing_first_segment_is_told(void **state)
{
    for (int clean = 0; clean <= 1; clean++) {
        set_up_again();
        list_bases();
        fixture_close(&f, clean);
        move_file(0, true);
        open_at(clean, RECORDS, 0);
        assert_int_equal(errors, 1);
        assert_told("offsets 0 to %lld were synced and are gone: the first file in " LOG_PATH " is %020lld.log",
                    (long long)bases[1] - 1, (long long)bases[1]);
        assert_int_equal(count_records(), RECORDS - bases[1]);
        partition_log_checkpointed(f.log, RECORDS, partition_log_start_offset(f.log));

        fixture_close(&f, clean);
        move_file(0, false);
        open_at(clean, RECORDS, 0);
        assert_string_equal(told, "");
        assert_int_equal(count_records(), RECORDS);
    }
}

static void what_retention_took_is_not_told(void **state)
{
    list_bases();
    assert_int_equal(partition_log_delete_records(f.log, bases[2], f.now), 0);
    partition_log_checkpointed(f.log, RECORDS, 0);
    assert_int_equal(partition_log_segment_count(f.log), (size_t)base_count); /* a kill now would have its start forgotten */
    fixture_close(&f, false);
    open_at(false, RECORDS, 0);
    assert_string_equal(told, "");

    assert_int_equal(partition_log_delete_records(f.log, bases[2], f.now), 0);
    partition_log_checkpointed(f.log, RECORDS, bases[2]);
    assert_int_equal(partition_log_segment_count(f.log), (size_t)base_count - 2);
    fixture_close(&f, false);
    open_at(false, RECORDS, bases[2]);
    assert_string_equal(told, "");
    assert_int_equal(partition_log_lost(f.log), 0);
}

static void a_log_start_that_is_not_known_says_nothing_about_the_front(void **state)
{
    fixture_close(&f, false);
    remove_file(0, ".log");
    open_at(false, RECORDS, NO_START);
    assert_int_equal(errors, 0);
}

/* ---- in between ------------------------------------------------------------------------------------------------------------ */

static void check_missing_middle(bool clean, bool with_index, int64_t recovery_point)
{
    set_up_again();
    list_bases();
    fixture_close(&f, clean);
    remove_file(bases[1], ".log");
    if (!with_index) {
        remove_file(bases[1], ".index");
        remove_file(bases[1], ".timeindex");
        remove_file(bases[1], ".snapshot");
    }
    open_at(clean, recovery_point, 0);
    assert_int_equal(partition_log_end_offset(f.log), RECORDS);
    bool recovered = !clean && recovery_point < bases[2];
    assert_int_equal(errors, with_index || recovered ? 1 : 0);
    assert_int_equal(count_records(), RECORDS - (bases[2] - bases[1]));
    assert_int_equal(count_records(), RECORDS - (bases[2] - bases[1]));
    assert_int_equal(errors, 1); /* told when a reader comes there, and no more */
    assert_told("offsets %lld to %lld were synced and are gone: " LOG_PATH
                "/%020d.log ends before them, and there is no %020lld.log",
                (long long)bases[1], (long long)(recovery_point < bases[2] ? recovery_point : bases[2]) - 1, 0,
                (long long)bases[1]); /* what lies above the recovery point may never have been synced */
    assert_int_equal(fixture_append(&f, plain_batch(3, 1)), RECORDS);
}

static void a_missing_middle_segment_is_told_and_what_lies_behind_it_stays(void **state)
{
    for (int i = 0; i < 4; i++)
        check_missing_middle(i % 2 == 0, i / 2 == 0, RECORDS);
    list_bases();
    check_missing_middle(false, true, bases[1] + 3);
}

static void above_the_recovery_point_a_power_cut_took_it(void **state)
{
    list_bases();
    fixture_close(&f, false);
    remove_file(bases[1], ".log");
    open_at(false, bases[1], 0);
    assert_int_equal(errors, 0);
    assert_int_equal(partition_log_end_offset(f.log), bases[1]);
}

/* As a power cut leaves one: its segment was never synced, and its offsets were given to what came after. */
static void an_index_that_is_litter_is_not_taken_for_a_lost_segment(void **state)
{
    list_bases();
    fixture_close(&f, true);
    static const uint8_t entry[12];
    assert_int_equal(disk_replace_file(sim_disk_disk(f.sim), fixture_file(bases[1] + 10, ".index"), entry, 8), 0);
    assert_int_equal(disk_replace_file(sim_disk_disk(f.sim), fixture_file(bases[1] + 15, ".timeindex"), entry, 12), 0);
    open_at(true, RECORDS, 0);
    assert_string_equal(told, "");
    assert_int_equal(count_records(), RECORDS);
}

/* ---- damage ---------------------------------------------------------------------------------------------------------------- */

static void check_damaged_last_batch(bool clean, int64_t recovery_point)
{
    set_up_again();
    list_bases();
    int64_t last = bases[base_count - 1];
    fixture_close(&f, clean);
    int64_t bits = fixture_file_size(&f, fixture_file(last, ".log")) * 8;
    assert_true(sim_disk_flip(f.sim, fixture_file(last, ".log"), bits - 100));
    open_at(clean, recovery_point, 0);
    bool synced = recovery_point == RECORDS;
    assert_int_equal(errors, synced);
    assert_null(strstr(told, "never completed"));
    assert_told("kept them in " LOG_PATH "/%020d.damaged", RECORDS - 5);
    assert_told("bytes off " LOG_PATH "/%020lld.log", (long long)last);
    assert_true(fixture_file_size(&f, fixture_file(RECORDS - 5, ".damaged")) > 0);
    assert_int_equal(partition_log_end_offset(f.log), synced ? RECORDS : RECORDS - 5);
    assert_int_equal(count_records(), RECORDS - 5);
}

static void a_damaged_last_batch_is_kept(void **state)
{
    check_damaged_last_batch(false, RECORDS);
    check_damaged_last_batch(false, 0);
}

static void what_is_intact_behind_zeros_that_were_synced_stays(void **state)
{
    f.config.segment_bytes = 1 << 20;
    partition_log_set_config(f.log, &f.config);
    for (int i = 0; i < 40; i++) {
        struct batch_shape shape = plain_batch(1, 1);
        shape.value_bytes = 900;
        fixture_append(&f, shape);
    }
    assert_int_equal(partition_log_sync(f.log), 0);
    list_bases();
    const char *path = fixture_file(bases[base_count - 1], ".log");
    fixture_close(&f, false);
    int64_t size = fixture_file_size(&f, path);
    struct disk_file *file;
    static const uint8_t zeros[1024];
    assert_int_equal(disk_open(sim_disk_disk(f.sim), path, DISK_WRITE, &file), 0);
    assert_int_equal(disk_write(file, &(struct io_vector){ zeros, sizeof zeros }, 1, (size - 12000) / 512 * 512), 0);
    disk_close(file);
    remove_file(bases[base_count - 2], ".index"); /* whatever the index says */
    open_at(false, RECORDS + 40, 0);
    assert_int_equal(partition_log_end_offset(f.log), RECORDS + 40);
    assert_true(count_records() >= RECORDS + 37);
}

static void an_unreadable_epoch_file_is_named(void **state)
{
    fixture_close(&f, true);
    assert_int_equal(disk_replace_file(sim_disk_disk(f.sim), LOG_PATH "/leader-epoch-checkpoint", "x", 1), 0);
    open_at(true, RECORDS, 0);
    assert_told(LOG_PATH "/leader-epoch-checkpoint is not readable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_cut_end_is_told_once_and_readers_get_over_it),
        TEST(a_missing_last_segment_is_told_and_readers_get_over_it),
        TEST(an_end_of_billions_of_offsets_is_told_once),
        TEST(a_copy_of_the_cut_file_brings_the_records_back),
        TEST(a_producer_goes_on_behind_a_lost_end),
        TEST(a_log_start_behind_the_cut_end_changes_nothing_about_it),
        TEST(a_directory_that_has_gone_begins_at_the_recovery_point),
        TEST(a_directory_without_segments_begins_at_the_recovery_point),
        TEST(an_empty_segment_is_all_that_is_left),
        TEST(a_new_log_has_lost_nothing),
        TEST(a_missing_first_segment_is_told),
        TEST(what_retention_took_is_not_told),
        TEST(a_log_start_that_is_not_known_says_nothing_about_the_front),
        TEST(a_missing_middle_segment_is_told_and_what_lies_behind_it_stays),
        TEST(above_the_recovery_point_a_power_cut_took_it),
        TEST(an_index_that_is_litter_is_not_taken_for_a_lost_segment),
        TEST(a_damaged_last_batch_is_kept),
        TEST(what_is_intact_behind_zeros_that_were_synced_stays),
        TEST(an_unreadable_epoch_file_is_named),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
