/*
 * The nth disk call and the nth allocation of compactions, and of the roll and the sync before, fail, for every n, once and from
 * then on: no crash, no leak, no current record lost, no aborted one back, neither at once nor after a restart; and where only
 * one call failed, the next compaction succeeds.
 */
#include "compaction_model.h"

#include "base/alloc.h"
#include "base/trace.h"

enum { BATCHES = 20 };

static struct log_fixture f;
static struct keyed_model model;

static void reopen(bool clean)
{
    if (f.log)
        partition_log_close(f.log, clean, NULL);
    fixture_open(&f, clean);
}

static void check(const char *kind, uint64_t nth)
{
    const char *wrong = keyed_check(&f, &model, model.end, 3000);
    if (wrong)
        fail_msg("%s %llu: %s", kind, (unsigned long long)nth, wrong);
}

static void set_up(void)
{
    struct prng prng;
    fixture_init(&f, 5);
    f.config.cleanup_compact = true;
    f.config.cleanup_delete = false;
    f.config.segment_bytes = 3000;
    f.config.hot_tail_bytes = 0;
    partition_log_set_config(f.log, &f.config);
    model = (struct keyed_model){ .retention_ms = f.config.delete_retention_ms };
    prng_init(&prng, 5);
    for (int i = 0; i < BATCHES; i++) {
        struct keyed_batch batch = random_keyed_batch(&prng, 9, f.now.wall_ms);
        if (i == 7) {
            batch.producer_id = KEYED_PRODUCERS;
            batch.producer_epoch = 0;
            batch.base_sequence = 0;
        }
        assert_int_equal(keyed_append(&f, &model, &batch), 0);
        assert_int_equal(keyed_txn_step(&f, &model, &prng, 9), 0);
    }
    for (int producer = 0; producer < KEYED_PRODUCERS; producer++)
        if (model.in_txn[producer])
            assert_int_equal(keyed_end_txn(&f, &model, producer, true), 0);
}

/* What the roll could not write is no reason to stop. */
static void roll_and_compact(void)
{
    int code = partition_log_roll(f.log, f.now);
    if (code == 0)
        code = partition_log_sync(f.log);
    if (code == 0)
        (void)keyed_compact(&f, &model, KEYED_MAP_BYTES);
}

/* After the fault: looked at as it is, compacted again, restarted both ways. */
static void go_on(const char *kind, uint64_t nth)
{
    check(kind, nth);
    reopen(false);
    check(kind, nth);
    int code = keyed_compact(&f, &model, KEYED_MAP_BYTES);
    if (code != 0 && code != MILL_EAGAIN)
        fail_msg("%s %llu: it cannot be compacted any more: %s", kind, (unsigned long long)nth, partition_log_error(f.log));
    check(kind, nth);
    reopen(true);
    check(kind, nth);
    fixture_release(&f);
    f.log = NULL;
}

static void sweep_disk(bool sticky)
{
    for (uint64_t nth = 1;; nth++) {
        set_up();
        sim_disk_fail_at(f.sim, SIM_DISK_ANY, nth, MILL_EIO, sticky);
        roll_and_compact();
        uint64_t calls = sim_disk_fail_at(f.sim, SIM_DISK_ANY, 0, 0, false);
        go_on(sticky ? "disk call and all after" : "disk call", nth);
        if (calls < nth)
            break;
    }
}

static void sweep_memory(int sticky)
{
    for (uint64_t nth = 1;; nth++) {
        set_up();
        mem_fail_at(nth, sticky);
        roll_and_compact();
        uint64_t calls = mem_fail_at(0, 0);
        go_on(sticky ? "allocation and all after" : "allocation", nth);
        if (calls < nth)
            break;
    }
}

static void every_disk_call_may_fail_once(void **state)
{
    sweep_disk(false);
}

static void every_disk_call_may_fail_for_good(void **state)
{
    sweep_disk(true);
}

static void every_allocation_may_fail_once(void **state)
{
    sweep_memory(0);
}

static void every_allocation_may_fail_for_good(void **state)
{
    sweep_memory(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_disk_call_may_fail_once),
        cmocka_unit_test(every_disk_call_may_fail_for_good),
        cmocka_unit_test(every_allocation_may_fail_once),
        cmocka_unit_test(every_allocation_may_fail_for_good),
    };
    trace_set_level(TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
