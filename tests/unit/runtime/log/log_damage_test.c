/*
 * What disks do to files: cut tails, flipped bits, misplaced batches, missing and wrong indexes. Whatever happens, no wrong byte
 * is served, and one fault costs at most one batch.
 */
#include "log_model.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "support/rounds.h"

static struct log_fixture f;
static struct log_model model;
static uint8_t bytes[1 << 20];

enum { BATCHES = 16 };

static int set_up(void **state)
{
    fixture_init(&f, 1);
    f.config.segment_bytes = 1 << 20;
    f.config.hot_tail_bytes = 0;
    partition_log_set_config(f.log, &f.config);
    model_init(&model);
    for (int i = 0; i < BATCHES; i++) {
        struct batch_shape shape = plain_batch(3, 1000 * (i + 1));
        shape.value_bytes = (size_t)(i * 37 % 70);
        append_to_both(&f, &model, shape);
    }
    assert_int_equal(partition_log_sync(f.log), 0);
    return 0;
}

static int tear_down(void **state)
{
    model_release(&model);
    fixture_release(&f);
    return 0;
}

static void cut_file(const char *path, int64_t size)
{
    struct disk_file *file;
    assert_int_equal(disk_open(sim_disk_disk(f.sim), path, DISK_WRITE, &file), 0);
    assert_int_equal(disk_truncate(file, size), 0);
    disk_close(file);
}

/* ---- a second fixture on a copy of the disk, so that each case starts from the same files ---------------------------------- */

static struct log_fixture copy_disk(void)
{
    struct log_fixture copy = f;
    copy.sim = sim_disk_after_kill(f.sim);
    copy.log = NULL;
    return copy;
}

static void a_tail_cut_at_any_byte_keeps_every_whole_batch(void **state)
{
    int64_t size = fixture_file_size(&f, fixture_file(0, ".log"));
    int64_t batch_end = 0;
    size_t whole = 0;
    for (int64_t cut = 0; cut <= size; cut++) {
        if (whole < model.count && cut == batch_end + (int64_t)model.batches[whole].len)
            batch_end += (int64_t)model.batches[whole++].len;
        struct log_fixture copy = copy_disk();
        struct log_fixture kept = f;
        f.sim = copy.sim;
        cut_file(fixture_file(0, ".log"), cut);
        f = kept;
        fixture_open(&copy, false);
        int64_t expected = whole == 0 ? 0 : model.batches[whole - 1].next_offset;
        assert_int_equal(partition_log_end_offset(copy.log), expected);
        assert_null(model_check(&copy, &model, expected, 4096));
        fixture_release(&copy);
    }
}

/* Reads everything that can be read. Returns how many batches are missing; a wrong byte fails the test. */
static size_t count_missing(struct log_fixture *copy)
{
    size_t found = 0;
    int64_t offset = partition_log_start_offset(copy->log);
    int64_t end = partition_log_end_offset(copy->log);
    while (offset < end) {
        struct read_answer answer = fixture_read(copy, offset, INT64_MAX, 2000, true, bytes);
        if (answer.code == MILL_ECORRUPT) {
            assert_true(answer.resume_offset > offset);
            offset = answer.resume_offset;
            continue;
        }
        assert_int_equal(answer.code, 0);
        if (answer.bytes == 0)
            break;
        for (size_t taken = 0; taken < answer.bytes;) {
            struct batch_header header;
            assert_int_equal(batch_header_decode(mill_bytes_of(bytes + taken, answer.bytes - taken), &header), 0);
            const struct model_batch *expected = &model.batches[model_find(&model, header.base_offset)];
            assert_int_equal(header.base_offset, expected->base_offset);
            if (expected->next_offset == model.end)
                memcpy(bytes + taken + 12, expected->bytes + 12, 4); /* nothing contradicts the last batch's leader epoch */
            assert_memory_equal(bytes + taken, expected->bytes, expected->len);
            taken += expected->len;
            found++;
        }
        offset = answer.next_offset;
    }
    return model.count - found;
}

static void flip_every_bit(bool clean, int64_t step)
{
    if (clean)
        fixture_close(&f, true);
    int64_t bits = fixture_file_size(&f, fixture_file(0, ".log")) * 8;
    for (int64_t bit = 0; bit < bits; bit += step * ROUNDS_STRIDE) {
        struct log_fixture copy = copy_disk();
        assert_true(sim_disk_flip(copy.sim, fixture_file(0, ".log"), bit));
        fixture_open(&copy, clean);
        size_t missing = count_missing(&copy);
        if (missing > 1)
            fail_msg("bit %lld costs %zu batches", (long long)bit, missing);
        int64_t last_epoch = bits / 8 - (int64_t)model.batches[model.count - 1].len + 12;
        assert_true(missing == 1 || (bit / 8 >= last_epoch && bit / 8 < last_epoch + 4));
        fixture_release(&copy);
    }
}

static void a_flipped_bit_found_by_recovery_costs_one_batch(void **state)
{
    flip_every_bit(false, 1);
}

static void a_flipped_bit_found_by_a_read_costs_one_batch(void **state)
{
    flip_every_bit(true, 1);
}

/* Puts the batch, damaged at `bit`, where it was, behind the ten before it, and recovers. */
static void damage_again(const struct model_batch *batch, int bit)
{
    fixture_close(&f, false);
    struct disk_file *file;
    int64_t size = fixture_file_size(&f, fixture_file(0, ".log"));
    assert_int_equal(disk_open(sim_disk_disk(f.sim), fixture_file(0, ".log"), DISK_WRITE, &file), 0);
    assert_int_equal(disk_write(file, &(struct io_vector){ batch->bytes, batch->len }, 1, size), 0);
    disk_close(file);
    assert_true(sim_disk_flip(f.sim, fixture_file(0, ".log"), size * 8 + bit));
    fixture_open(&f, false);
}

static int read_damaged(const char *suffix, char **bytes_of_file)
{
    size_t len;
    int code = disk_read_file(sim_disk_disk(f.sim), fixture_file(30, suffix), 1 << 20, bytes_of_file, &len);
    return code < 0 ? code : (int)len;
}

static void what_is_set_aside_at_one_offset_again_does_not_overwrite_what_is_there(void **state)
{
    fixture_close(&f, false);
    int64_t at = 0;
    for (int i = 0; i < 10; i++)
        at += (int64_t)model.batches[i].len;
    const struct model_batch *batch = &model.batches[10];
    assert_true(sim_disk_flip(f.sim, fixture_file(0, ".log"), (at + 80) * 8));
    fixture_open(&f, false);
    char *first;
    char *again;
    int len = read_damaged(".damaged", &first);
    assert_int_equal(len, (int)batch->len);

    damage_again(batch, 90 * 8);
    assert_int_equal(read_damaged(".damaged", &again), len);
    assert_memory_equal(first, again, (size_t)len);
    mem_free(again);
    assert_int_equal(fixture_file_size(&f, fixture_file(30, ".damaged.1")), len);

    damage_again(batch, 90 * 8); /* the same bytes, as after a crash in the middle of recovery */
    assert_int_equal(fixture_file_size(&f, fixture_file(30, ".damaged.1")), len);
    assert_int_equal(fixture_file_size(&f, fixture_file(30, ".damaged.2")), -1);
    mem_free(first);
}

static void damage_is_set_aside_and_the_log_goes_on_behind_it(void **state)
{
    fixture_close(&f, false);
    int64_t at = 0;
    for (int i = 0; i < 10; i++)
        at += (int64_t)model.batches[i].len;
    assert_true(sim_disk_flip(f.sim, fixture_file(0, ".log"), (at + 80) * 8));
    fixture_open(&f, false);
    assert_int_equal(partition_log_segment_count(f.log), 2);
    assert_int_equal(fixture_file_size(&f, fixture_file(30, ".damaged")), (int64_t)model.batches[10].len);
    assert_int_equal(partition_log_end_offset(f.log), 3 * BATCHES);

    struct read_answer answer = fixture_read(&f, 30, INT64_MAX, 1, true, bytes);
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.next_offset, 36);

    /* The gap is known now: another unclean start keeps what is behind it. */
    fixture_close(&f, false);
    fixture_open(&f, false);
    assert_int_equal(count_missing(&f), 1);
    assert_int_equal(fixture_append(&f, plain_batch(1, 1)), 3 * BATCHES);
}

static void loses_all_behind(int64_t size, bool clean)
{
    fixture_close(&f, clean);
    cut_file(fixture_file(0, ".log"), size);
    assert_int_equal(fixture_try_open(&f, clean, 3 * BATCHES, 0), 0);
    assert_int_equal(partition_log_end_offset(f.log), 3 * BATCHES);
    assert_int_equal(fixture_append(&f, plain_batch(1, 1)), 3 * BATCHES);
}

static void lost_synced_offsets_are_not_given_out_again(void **state)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        loses_all_behind(i < 2 ? 500 : 0, i % 2 == 1);
    }
}

static void a_batch_at_the_wrong_place_is_not_served(void **state)
{
    fixture_close(&f, true);
    struct disk_file *file;
    assert_int_equal(disk_open(sim_disk_disk(f.sim), fixture_file(0, ".log"), DISK_WRITE, &file), 0);
    /* Batches 4 and 8 of the same length change places. */
    int64_t at[BATCHES];
    at[0] = 0;
    for (int i = 1; i < BATCHES; i++)
        at[i] = at[i - 1] + (int64_t)model.batches[i - 1].len;
    struct model_batch *stale = &model.batches[4];
    uint8_t *moved = malloc(stale->len);
    memcpy(moved, stale->bytes, stale->len);
    batch_stamp(moved, 24, 0); /* a valid batch that claims a later place */
    struct io_vector vector = { moved, stale->len };
    assert_int_equal(disk_write(file, &vector, 1, at[4]), 0);
    disk_close(file);
    free(moved);
    fixture_open(&f, true);
    assert_int_equal(fixture_read(&f, 12, INT64_MAX, 1, true, bytes).code, MILL_ECORRUPT);
    assert_int_equal(count_missing(&f), 1);
}

/* ---- files that are hints -------------------------------------------------------------------------------------------------- */

static int reopen_rolled(void **state)
{
    set_up(state);
    f.config.segment_bytes = 1500;
    partition_log_set_config(f.log, &f.config);
    for (int i = BATCHES; i < 4 * BATCHES; i++) {
        struct batch_shape shape = plain_batch(3, 1000 * (i + 1));
        shape.value_bytes = (size_t)(i * 37 % 70);
        append_to_both(&f, &model, shape);
    }
    fixture_close(&f, true);
    return 0;
}

static void check_answers(bool clean)
{
    fixture_open(&f, clean);
    assert_null(model_check(&f, &model, model.end, 700));
    for (int64_t offset = 0; offset < model.end; offset += 5)
        assert_int_equal(fixture_read(&f, offset, INT64_MAX, 1, true, bytes).next_offset,
                         model.batches[model_find(&model, offset)].next_offset);
    for (int i = 0; i < 4 * BATCHES; i += 3)
        assert_int_equal(fixture_lookup(&f, 1000 * (i + 1) + 1, NULL), 3 * i + 1);
    fixture_close(&f, true);
}

struct damage {
    const char *suffix;
    bool remove;
};

static int damage_file(void *ctx, const struct disk_entry *entry)
{
    const struct damage *damage = ctx;
    char path[256];
    snprintf(path, sizeof path, LOG_PATH "/%s", entry->name);
    if (!strstr(entry->name, damage->suffix))
        return 0;
    struct disk *disk = sim_disk_disk(f.sim);
    if (damage->remove)
        return disk_remove(disk, path) < 0 ? 0 : 1;
    return 0;
}

static void remove_all(const char *suffix)
{
    struct damage damage = { suffix, true };
    while (disk_list(sim_disk_disk(f.sim), LOG_PATH, damage_file, &damage) == 1)
        ;
}

static void missing_hints_are_built_again(void **state)
{
    static const char *const suffixes[] = { ".index", ".timeindex", ".snapshot", "leader-epoch-checkpoint",
                                            "partition.metadata" };
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        remove_all(suffixes[i]);
        check_answers(true);
    }
}

static void overwrite(const char *suffix, const void *data, size_t len)
{
    for (int64_t base = 0; base < model.end; base++) {
        if (fixture_file_size(&f, fixture_file(base, suffix)) < 0)
            continue;
        struct disk_file *file;
        assert_int_equal(disk_open(sim_disk_disk(f.sim), fixture_file(base, suffix), DISK_WRITE | DISK_TRUNCATE, &file), 0);
        struct io_vector vector = { data, len };
        if (len > 0)
            assert_int_equal(disk_write(file, &vector, 1, 0), 0);
        disk_close(file);
    }
}

static void hints_that_are_wrong_are_built_again(void **state)
{
    static const char *const suffixes[] = { ".index", ".timeindex", ".snapshot" };
    uint8_t zeros[240] = { 0 };
    uint8_t ones[240];
    memset(ones, 0xff, sizeof ones);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        overwrite(suffixes[i], zeros, sizeof zeros);
        check_answers(true);
        overwrite(suffixes[i], ones, sizeof ones);
        check_answers(true);
        overwrite(suffixes[i], ones, 7);
        check_answers(true);
    }
}

static void a_flipped_bit_in_an_index_changes_no_answer(void **state)
{
    static const char *const suffixes[] = { ".index", ".timeindex" };
    for (int i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s", fixture_file(3 * BATCHES, suffixes[i]));
        int64_t bits = fixture_file_size(&f, path) * 8;
        assert_true(bits > 0);
        for (int64_t bit = 0; bit < bits; bit += ROUNDS_STRIDE) {
            struct log_fixture copy = copy_disk();
            assert_true(sim_disk_flip(copy.sim, path, bit));
            fixture_open(&copy, true);
            assert_null(model_check(&copy, &model, model.end, 700));
            for (int64_t offset = 40; offset < 80; offset++)
                assert_int_equal(fixture_read(&copy, offset, INT64_MAX, 1, true, bytes).next_offset,
                                 model.batches[model_find(&model, offset)].next_offset);
            for (int batch = BATCHES; batch < BATCHES + 4; batch++) /* all but the youngest, by which segments are chosen */
                assert_int_equal(fixture_lookup(&copy, 1000 * (batch + 1) + 1, NULL), 3 * batch + 1);
            fixture_release(&copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_tail_cut_at_any_byte_keeps_every_whole_batch),
        TEST(a_flipped_bit_found_by_recovery_costs_one_batch),
        TEST(a_flipped_bit_found_by_a_read_costs_one_batch),
        TEST(damage_is_set_aside_and_the_log_goes_on_behind_it),
        TEST(what_is_set_aside_at_one_offset_again_does_not_overwrite_what_is_there),
        TEST(lost_synced_offsets_are_not_given_out_again),
        TEST(a_batch_at_the_wrong_place_is_not_served),
#undef TEST
        cmocka_unit_test_setup_teardown(missing_hints_are_built_again, reopen_rolled, tear_down),
        cmocka_unit_test_setup_teardown(a_flipped_bit_in_an_index_changes_no_answer, reopen_rolled, tear_down),
        cmocka_unit_test_setup_teardown(hints_that_are_wrong_are_built_again, reopen_rolled, tear_down),
    };
    trace_set_level(getenv("LOG_TRACE") ? TRACE_DEBUG : TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
