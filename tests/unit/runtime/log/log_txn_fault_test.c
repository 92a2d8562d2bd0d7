/*
 * The nth disk call and the nth allocation fail, for every n, while a log with transactions is written, aged, closed and opened:
 * what is known of the transactions afterwards is what follows from the batches that are there.
 */
#include "txn_model.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "log/log_directory.h"

enum { BATCHES = 36 };

static struct txn_model model;
static struct slice batches[BATCHES];
static struct txn_op ops[BATCHES];
static const uint8_t topic_id[TOPIC_ID_BYTES] = { 5 };

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

/* Made before faults count: only the log is under test. Two producers, every third transaction aborts. */
static void make_batches(void)
{
    int32_t sequences[2] = { 0 };
    for (int i = 0; i < BATCHES; i++) {
        int producer = i % 2;
        bool ends = i % 6 >= 4;
        enum control_type type = i % 4 < 2 ? CONTROL_ABORT : CONTROL_COMMIT;
        ops[i] = (struct txn_op){ ends ? type == CONTROL_ABORT ? TXN_OP_ABORT : TXN_OP_COMMIT : TXN_OP_DATA, producer };
        batches[i] = ends ? make_marker(type, producer, 0, 0) : make_batch(txn_batch(producer, 0, sequences[producer]++));
    }
}

static void drop_batches(void)
{
    for (int i = 0; i < BATCHES; i++)
        shared_buffer_drop(batches[i].buffer);
}

static void right(struct log_fixture *f, uint64_t nth)
{
    if (partition_log_end_offset(f->log) > model.end)
        return; /* a write that failed may have reached the disk whole */
    const char *wrong = txn_model_check(f->log, &model);
    if (wrong)
        fail_msg("call %llu: %s", (unsigned long long)nth, wrong);
}

static void append_all(struct log_fixture *f, struct log_directory *directory)
{
    for (int i = 0; i < BATCHES; i++) {
        struct append_result result;
        int code = partition_log_append(f->log, &batches[i], 1, ops[i].kind == TXN_OP_DATA ? APPEND_CLIENT : APPEND_BROKER, 0,
                                        f->now, &result);
        if (code == 0 && result.outcome == APPEND_DONE)
            txn_model_note(&model, ops[i].kind, ops[i].producer_id);
        if (i % 5 == 4)
            assert_true(partition_log_sync(f->log) <= 0);
        if (i % 12 == 11)
            (void)fixture_run_checkpoint(directory, NULL);
    }
}

static void work(struct log_fixture *f, uint64_t nth)
{
    struct log_directory *directory;
    struct error_text error;
    bool opened = open_both(f, &directory) == 0;
    if (opened) {
        append_all(f, directory);
        right(f, nth);
        int refused = partition_log_delete_records(f->log, model.end / 3, f->now);
        assert_true(refused <= 0);
        (void)partition_log_maintain(f->log, f->now);
        right(f, nth);
    }
    if (directory)
        (void)log_directory_close(directory, opened, &error);
    f->log = NULL;
}

static void check_after(struct log_fixture *f, uint64_t nth)
{
    struct log_directory *directory;
    struct error_text error = { "" };
    fixture_replace_disk(f, sim_disk_after_kill(f->sim));
    if (open_both(f, &directory) != 0)
        fail_msg("call %llu: not to be opened afterwards", (unsigned long long)nth);
    right(f, nth);
    assert_int_equal(log_directory_close(directory, true, &error), 0);
    f->log = NULL;
}

static struct log_fixture new_fixture(void)
{
    struct log_fixture f = { .sim = sim_disk_new(3), .config = small_segments() };
    f.config.segment_bytes = 700;
    f.config.index_interval_bytes = 200;
    f.now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    f.config.retention_ms = -1;
    f.config.file_delete_delay_ms = 0;
    model.end = 0;
    make_batches();
    return f;
}

static void sweep(bool memory, int code, bool sticky)
{
    for (uint64_t nth = 1; nth < 100000; nth++) {
        struct log_fixture f = new_fixture();
        if (memory)
            mem_fail_at(nth, sticky);
        else
            sim_disk_fail_at(f.sim, SIM_DISK_ANY, nth, code, sticky);
        work(&f, nth);
        uint64_t calls = memory ? mem_fail_at(0, 0) : sim_disk_fail_at(f.sim, SIM_DISK_ANY, 0, 0, false);
        check_after(&f, nth);
        fixture_release(&f);
        drop_batches();
        if (nth > calls)
            return;
    }
    fail_msg("the sweep does not end");
}

static void any_disk_call_may_fail_once(void **state)
{
    sweep(false, MILL_EIO, false);
}

static void the_disk_may_fail_for_good(void **state)
{
    sweep(false, MILL_EIO, true);
}

static void the_disk_may_be_full_for_a_moment(void **state)
{
    sweep(false, MILL_EDISKFULL, false);
}

static void any_allocation_may_fail_once(void **state)
{
    sweep(true, 0, false);
}

static void memory_may_be_gone_for_good(void **state)
{
    sweep(true, 0, true);
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
