/*
 * A changelog over a day: a commit a second, each writing the same keys anew, compacted as it goes. On a real disk, in simulated
 * time. At any time it holds at most twice its live keys beside the active segment, and opens at once.
 *
 * MILLSTREAM_CHANGELOG=full takes 86,400 commits of 10,000 keys in segments of 50 MiB; else it is a hundredth of that.
 */
#include "compaction_model.h"

#include "support/temp_dir.h"

enum { SLICES = 10 };

static int commits = 864;
static int keys = 1000;
static uint32_t segment_bytes = 512 << 10;

static struct temp_dir dir;
static struct partition_log *changelog;
static struct log_config config;
static struct io_time now = { .monotonic_us = 1000000, .wall_ms = 1700000000000 };
static int64_t live_bytes; /* what one commit writes */

static void open_log(bool clean, int64_t recovery_point, int64_t first_dirty)
{
    struct error_text error;
    struct partition_log_options options = { .disk = uv_disk(),
                                             .path = temp_dir_path(&dir, "by-page-changelog-0"),
                                             .config = config,
                                             .clean = clean,
                                             .recovery_point = recovery_point,
                                             .first_dirty = first_dirty,
                                             .now = now };
    if (partition_log_open(&options, &changelog, &error) != 0)
        fail_msg("%s", error.text);
}

/* A tenth of a commit: one batch without compression. */
static struct slice make_slice(int slice, struct shared_buffer **buffer)
{
    struct batch_writer writer;
    batch_writer_init(&writer, 16 << 20, 16 << 20);
    for (int i = slice * keys / SLICES; i < (slice + 1) * keys / SLICES; i++) {
        char key[16];
        uint8_t value[8] = { 0 };
        int len = snprintf(key, sizeof key, "/page/%d", i);
        mill_record record = { .key = mill_bytes_of(key, (size_t)len),
                               .value = mill_bytes_of(value, sizeof value),
                               .timestamp_ms = now.wall_ms };
        assert_int_equal(batch_writer_append(&writer, &record), 0);
    }
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    mill_bytes bytes;
    assert_int_equal(batch_writer_finish(&writer, &options, &bytes), 0);
    assert_int_equal(batch_writer_take(&writer, buffer), 0);
    batch_writer_release(&writer);
    return (struct slice){ mill_bytes_of((*buffer)->data, (*buffer)->len), NULL };
}

static void compact(void)
{
    struct compaction_need need;
    partition_log_compaction_need(changelog, INT64_MAX, now, &need);
    if (!need.is_due)
        return;
    struct compaction *compaction;
    assert_int_equal(partition_log_compaction_begin(changelog, INT64_MAX, 128 << 20, now, &compaction), 0);
    int code;
    do {
        compaction_run(compaction);
        code = partition_log_compaction_step(changelog, compaction, now);
    } while (code == 1);
    if (code != 0)
        fail_msg("%s", partition_log_error(changelog));
    assert_int_equal(partition_log_maintain(changelog, now), 0);
}

static int64_t closed_bytes(void)
{
    return partition_log_bytes(changelog) - partition_log_active_bytes(changelog);
}

/* A clock for what is printed. */
static int64_t clock_us(void)
{
    struct loop *loop = uv_loop_new_with(NULL);
    assert_non_null(loop);
    int64_t us = loop_now(loop).monotonic_us;
    uv_loop_free(loop);
    return us;
}

static void commit(const struct slice *slices)
{
    struct append_result result;
    assert_int_equal(partition_log_append(changelog, slices, SLICES, APPEND_CLIENT, 0, now, &result), 0);
    now.wall_ms += 1000;
    now.monotonic_us += 1000000;
    if (!partition_log_compaction_wants_look(changelog))
        return;
    assert_int_equal(partition_log_sync(changelog), 0);
    compact();
    /* A batch header or two stay where a segment ends. */
    assert_true(closed_bytes() <= 2 * live_bytes + 1024);
}

static void a_changelog_holds_at_most_twice_its_live_keys(void **state)
{
    temp_dir_init(&dir);
    config = LOG_CONFIG_DEFAULT;
    config.segment_bytes = segment_bytes;
    config.cleanup_compact = true;
    config.cleanup_delete = false;
    config.file_delete_delay_ms = 0;
    config.hot_tail_bytes = 0;
    open_log(false, 0, 0);
    struct slice slices[SLICES];
    struct shared_buffer *buffers[SLICES];
    for (int i = 0; i < SLICES; i++) {
        slices[i] = make_slice(i, &buffers[i]);
        live_bytes += (int64_t)slices[i].bytes.len;
    }
    int64_t start_us = clock_us();
    for (int i = 0; i < commits; i++)
        commit(slices);
    print_message("%d commits of %d keys, %lld MiB in all: %.1f s; now %lld KiB beside an active segment of %lld KiB\n", commits,
                  keys, (long long)(live_bytes * commits >> 20), (double)(clock_us() - start_us) / 1e6,
                  (long long)(closed_bytes() >> 10), (long long)(partition_log_active_bytes(changelog) >> 10));

    /* As after a kill -9: the last checkpoint is a minute old. */
    assert_int_equal(partition_log_sync(changelog), 0);
    int64_t end = partition_log_end_offset(changelog);
    int64_t first_dirty = partition_log_first_dirty_offset(changelog);
    partition_log_close(changelog, false, NULL);
    start_us = clock_us();
    open_log(false, end - 60 * keys, first_dirty);
    print_message("opened after a kill in %.1f ms\n", (double)(clock_us() - start_us) / 1e3);
    assert_int_equal(partition_log_end_offset(changelog), end);
    partition_log_close(changelog, false, NULL);
    for (int i = 0; i < SLICES; i++)
        shared_buffer_drop(buffers[i]);
    temp_dir_release(&dir);
}

int main(void)
{
    const char *scale = getenv("MILLSTREAM_CHANGELOG");
    if (scale && strcmp(scale, "full") == 0) {
        commits = 86400;
        keys = 10000;
        segment_bytes = 50 << 20;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_changelog_holds_at_most_twice_its_live_keys) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
