/*
 * The nth disk call and the nth allocation fail, for every n, once and from then on: no crash, no leak of what was begun, no
 * wrong answer, and what was acknowledged is there after a restart.
 */
#include "log_model.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "log/log_directory.h"

static struct log_model model;
static uint8_t bytes[1 << 20];
static const uint8_t topic_id[TOPIC_ID_BYTES] = { 5 };

struct outcome {
    int64_t acked;
    bool opened;
};

static int open_both(struct log_fixture *f, struct log_directory **directory)
{
    struct log_directory_options options = { .disk = sim_disk_disk(f->sim),
                                             .path = "/data",
                                             .identity = { .cluster_id = "test", .node_id = 1 } };
    struct error_text error;
    *directory = NULL;
    f->log = NULL;
    int code = log_directory_open(&options, directory, &error);
    if (code == 0)
        code = log_directory_open_log(*directory, "access-log", 0, topic_id, &f->config, f->now, &f->log, &error);
    return code;
}

/* Reads with whatever may fail; what comes must be right. */
static void read_some(struct log_fixture *f)
{
    for (int64_t offset = 0; offset < partition_log_end_offset(f->log); offset += 7) {
        struct slice slices[8];
        struct log_read read = {
            .offset = offset, .upper_offset = INT64_MAX, .bytes_max = 900, .first_always = true, .slices = slices, .slices_max = 8
        };
        int code = partition_log_read(f->log, &read);
        if (code == LOG_COLD) {
            log_read_run(&read);
            code = partition_log_read_end(f->log, &read);
        }
        if (code == 0 && read.slice_count > 0) {
            const struct model_batch *expected = &model.batches[model_find(&model, offset)];
            assert_true(slices[0].bytes.len >= expected->len);
            assert_memory_equal(slices[0].bytes.data, expected->bytes, expected->len);
        }
        log_read_release(&read);
    }
    struct log_lookup lookup = { .timestamp_ms = 5001, .upper_offset = INT64_MAX };
    int code = partition_log_lookup(f->log, &lookup);
    while (code == LOG_COLD) {
        log_lookup_run(&lookup);
        code = partition_log_lookup_end(f->log, &lookup);
    }
    if (code == 0 && lookup.offset >= 0)
        assert_true(lookup.found_timestamp_ms >= 5001);
    log_lookup_release(&lookup);
}

/* Everything a log does, going on after each error as a broker would. */
static struct outcome work(struct log_fixture *f)
{
    struct outcome outcome = { 0 };
    struct log_directory *directory;
    struct error_text error;
    if (open_both(f, &directory) == 0) {
        outcome.opened = true;
        for (int i = 0; i < 30; i++) {
            struct batch_shape shape = plain_batch(3, 1000 * i);
            if (i % 3 == 0) {
                shape.producer_id = i;
                shape.producer_epoch = 0;
                shape.base_sequence = 0;
            }
            /* The batch is made before faults count: only the log is under test. */
            struct slice batch = make_batch(shape);
            struct append_result result;
            if (partition_log_append(f->log, &batch, 1, APPEND_CLIENT, 0, f->now, &result) == 0 &&
                result.outcome == APPEND_DONE) {
                assert_int_equal(result.base_offset, model.end);
                model_append(&model, batch, shape.count, shape.timestamp_ms);
            }
            shared_buffer_drop(batch.buffer);
            if (i % 4 == 3 && partition_log_sync(f->log) == 0)
                outcome.acked = partition_log_high_watermark(f->log);
            if (i % 10 == 9)
                (void)fixture_run_checkpoint(directory, NULL);
        }
        read_some(f);
        (void)partition_log_maintain(f->log, f->now);
    }
    if (directory) {
        if (f->log && log_directory_close(directory, true, &error) == 0)
            outcome.acked = model.end;
        else if (!f->log)
            (void)log_directory_close(directory, false, &error);
    }
    f->log = NULL;
    return outcome;
}

static struct log_fixture new_fixture(void)
{
    struct log_fixture f = { .sim = sim_disk_new(3), .config = small_segments() };
    f.config.segment_bytes = 1200;
    f.config.index_interval_bytes = 300;
    f.now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    f.config.retention_ms = -1;
    model_init(&model);
    return f;
}

static void check_after(struct log_fixture *f, struct outcome outcome, uint64_t nth)
{
    struct log_directory *directory;
    struct error_text error = { "" };
    int code = open_both(f, &directory);
    if (code != 0)
        fail_msg("call %llu: not to be opened afterwards", (unsigned long long)nth);
    /* A write that failed may have reached the disk whole: what lies above the acknowledged end is not compared. */
    const char *wrong = partition_log_end_offset(f->log) < outcome.acked ? "the acknowledged tail is lost" : NULL;
    for (int64_t offset = 0; offset < outcome.acked && !wrong;) {
        struct read_answer answer = fixture_read(f, offset, outcome.acked, 500, true, bytes);
        const struct model_batch *expected = &model.batches[model_find(&model, offset)];
        if (answer.code != 0 || answer.bytes < expected->len || memcmp(bytes, expected->bytes, expected->len) != 0)
            wrong = "an acknowledged batch is lost";
        offset = answer.next_offset;
    }
    if (wrong)
        fail_msg("call %llu: %s", (unsigned long long)nth, wrong);
    assert_int_equal(log_directory_close(directory, true, &error), 0);
    f->log = NULL;
}

static void sweep_disk(int code, bool sticky)
{
    for (uint64_t nth = 1;; nth++) {
        struct log_fixture f = new_fixture();
        sim_disk_fail_at(f.sim, SIM_DISK_ANY, nth, code, sticky);
        struct outcome outcome = work(&f);
        uint64_t calls = sim_disk_fail_at(f.sim, SIM_DISK_ANY, 0, 0, false);
        fixture_replace_disk(&f, sim_disk_after_kill(f.sim));
        check_after(&f, outcome, nth);
        fixture_release(&f);
        model_release(&model);
        if (nth > calls)
            break;
    }
}

static void any_disk_call_may_fail_once(void **state)
{
    sweep_disk(MILL_EIO, false);
}

static void the_disk_may_fail_for_good(void **state)
{
    sweep_disk(MILL_EIO, true);
}

static void the_disk_may_be_full_for_a_moment(void **state)
{
    sweep_disk(MILL_EDISKFULL, false);
}

static void sweep_memory(int sticky)
{
    for (uint64_t nth = 1; nth < 100000; nth++) {
        struct log_fixture f = new_fixture();
        /* Batches need memory too: they are of the same count in each run, and an empty one ends the run at once. */
        mem_fail_at(0, 0);
        struct log_directory *directory;
        struct error_text error = { "" };
        struct slice batches[12];
        for (int i = 0; i < 12; i++)
            batches[i] = make_batch(plain_batch(3, 1000 * i));
        mem_fail_at(nth, sticky);
        int64_t acked = 0;
        if (open_both(&f, &directory) == 0) {
            for (int i = 0; i < 12; i++) {
                struct append_result result;
                if (partition_log_append(f.log, &batches[i], 1, APPEND_CLIENT, 0, f.now, &result) == 0)
                    model_append(&model, batches[i], 3, 1000 * i);
                if (i % 4 == 3 && partition_log_sync(f.log) == 0)
                    acked = partition_log_high_watermark(f.log);
            }
            read_some(&f);
            (void)partition_log_maintain(f.log, f.now);
        }
        if (directory)
            (void)log_directory_close(directory, f.log != NULL, &error);
        uint64_t calls = mem_fail_at(0, 0);
        f.log = NULL;
        fixture_replace_disk(&f, sim_disk_after_kill(f.sim));
        check_after(&f, (struct outcome){ .acked = acked }, nth);
        for (int i = 0; i < 12; i++)
            shared_buffer_drop(batches[i].buffer);
        fixture_release(&f);
        model_release(&model);
        if (nth > calls)
            return;
    }
    fail_msg("the sweep does not end");
}

static void any_allocation_may_fail_once(void **state)
{
    sweep_memory(0);
}

static void memory_may_be_gone_for_good(void **state)
{
    sweep_memory(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_disk_call_may_fail_once),       cmocka_unit_test(the_disk_may_fail_for_good),
        cmocka_unit_test(the_disk_may_be_full_for_a_moment), cmocka_unit_test(any_allocation_may_fail_once),
        cmocka_unit_test(memory_may_be_gone_for_good),
    };
    trace_set_level(getenv("LOG_TRACE") ? TRACE_DEBUG : TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
