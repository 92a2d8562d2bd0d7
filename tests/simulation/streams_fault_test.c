/*
 * The nth allocation or the nth disk call of a process fails, for every n (a sample of them in a usual run): while it opens its
 * directory, joins, processes, commits, flushes, closes. The process may go on, or fail and say why, or not start; it never hangs
 * or crashes. The next process finds nothing acknowledged lost and comes to the right results. MILLSTREAM_NTH=<n> repeats one n.
 */
#include "simulation/streams_world.h"
#include "support/rounds.h"

enum {
    FED = 300,
    SAMPLES = 150,
    TROUBLE_US = 20 * 1000000, /* how long a process is left alone with it */
};

struct fault {
    unsigned kinds; /* of disk calls; 0: an allocation */
    uint64_t nth;
    int code;
    bool sticky;
    bool exactly_once;
};

static void arm(struct scenario *s, const struct fault *fault)
{
    if (fault->kinds == 0) {
        s->allocation_fails_at = fault->nth;
        s->allocations_fail_on = fault->sticky;
    } else {
        sim_disk_fail_at(s->machines[SERVER].disk, fault->kinds, fault->nth, fault->code, fault->sticky);
    }
}

/* Returns how many calls there were that could have failed. */
static uint64_t disarm(struct scenario *s, const struct fault *fault)
{
    s->allocation_fails_at = 0;
    uint64_t disk_calls = sim_disk_fail_at(s->machines[SERVER].disk, fault->kinds, 0, 0, false);
    return fault->kinds == 0 ? s->allocations : disk_calls;
}

/*
 * One allocation that fails is got over, or ends the process; a disk that fails, or memory that stays away, may also keep it from
 * going on: then it waits. Memory is there again for the close: what is durable has to be applied before it is answered.
 */
static void go_through(struct scenario *s, const struct fault *fault)
{
    bool must_end = fault->kinds == 0 && !fault->sticky;
    int code = run_until_done(s, must_end ? LIFETIME_US : TROUBLE_US);
    if (must_end)
        assert_int_equal(code, 0);
    if (process_failed(s))
        assert_string_not_equal(s->machines[SERVER].process->failure, "");
    if (fault->kinds == 0 && fault->sticky)
        s->allocations += sim_memory_fail_at(s->machines[SERVER].process->memory, 0, false);
}

static uint64_t live_through(const struct fault *fault, uint64_t seed)
{
    struct scenario s;
    scenario_begin(&s, seed, FED);
    if (fault->exactly_once)
        scenario_exactly_once(&s);
    bool is_killed = fault->nth != UINT64_MAX && prng_chance(sim_world_prng(s.world), 0.3);
    arm(&s, fault);
    if (process_start(&s, SERVER) == 0) {
        go_through(&s, fault);
        if (!is_killed)
            process_close(&s, SERVER);
    }
    uint64_t calls = disarm(&s, fault);
    if (s.machines[SERVER].process)
        process_kill(&s, SERVER, prng_chance(sim_world_prng(s.world), 0.5));
    s.faults++;
    assert_int_equal(process_start(&s, SERVER), 0);
    run_to_the_end(&s);
    return calls;
}

static void sweep(struct fault fault)
{
    fault.nth = UINT64_MAX;
    const uint64_t seed = test_seed(1);
    const char *only = getenv("MILLSTREAM_NTH");
    if (only) {
        fault.nth = strtoull(only, NULL, 10);
        live_through(&fault, seed);
        return;
    }
    uint64_t calls = live_through(&fault, seed);
    print_message("%llu calls\n", (unsigned long long)calls);
    assert_true(calls > 100);
    uint64_t samples = (uint64_t)test_rounds(SAMPLES);
    uint64_t step = calls / samples + 1;
    for (fault.nth = 1; fault.nth <= calls; fault.nth += fault.nth < 20 ? 1 : step) {
        print_message("nth %llu, ", (unsigned long long)fault.nth);
        live_through(&fault, seed);
    }
}

static void a_failed_allocation_ends_a_process_at_most(void **state)
{
    sweep((struct fault){ .sticky = false });
}

static void memory_that_stays_away_ends_a_process_at_most(void **state)
{
    sweep((struct fault){ .sticky = true });
}

static void a_failed_disk_call_ends_a_process_at_most(void **state)
{
    sweep((struct fault){ .kinds = SIM_DISK_ANY, .code = MILL_EIO });
}

static void a_disk_that_stays_broken_ends_a_process_at_most(void **state)
{
    sweep((struct fault){ .kinds = SIM_DISK_ANY, .code = MILL_EIO, .sticky = true });
}

static void a_full_disk_ends_a_process_at_most(void **state)
{
    sweep((struct fault){
        .kinds = SIM_DISK_OPEN | SIM_DISK_WRITE | SIM_DISK_MAKE_DIRECTORY, .code = MILL_EDISKFULL, .sticky = true });
}

static void exactly_once_a_failed_allocation_doubles_nothing(void **state)
{
    sweep((struct fault){ .exactly_once = true });
}

static void exactly_once_a_failed_disk_call_doubles_nothing(void **state)
{
    sweep((struct fault){ .kinds = SIM_DISK_ANY, .code = MILL_EIO, .exactly_once = true });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_allocation_ends_a_process_at_most),
        cmocka_unit_test(memory_that_stays_away_ends_a_process_at_most),
        cmocka_unit_test(a_failed_disk_call_ends_a_process_at_most),
        cmocka_unit_test(a_disk_that_stays_broken_ends_a_process_at_most),
        cmocka_unit_test(a_full_disk_ends_a_process_at_most),
        cmocka_unit_test(exactly_once_a_failed_allocation_doubles_nothing),
        cmocka_unit_test(exactly_once_a_failed_disk_call_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
