/*
 * The nth disk call fails, for every n, while a transaction is opened, written, given an offset and ended, once and from then on:
 * what was answered is true for the broker that starts on the same disk, and a transaction is there whole or not at all.
 */
#include "txn_rig.h"

#include "base/trace.h"

enum { TRIES_MAX = 3000 };

enum step { STEP_INIT, STEP_WRITE, STEP_WRITE_ELSEWHERE, STEP_OFFSET, STEP_END, STEPS };

struct told {
    bool ended; /* the end was answered with NONE */
    bool asked; /* the end was asked for: it may have come about all the same */
    bool whole; /* all before it was answered with NONE */
};

/* As a producer goes on: a refused step ends the transaction. Returns what the broker said. */
static struct told run_transaction(struct rig *rig, struct txn_client *client, bool commit)
{
    struct told told = { 0 };
    for (enum step step = STEP_INIT; step < STEPS; step++) {
        int16_t error = KAFKA_NONE;
        if (step == STEP_INIT)
            error = txn_init(rig, client);
        else if (step == STEP_WRITE)
            error = txn_write(rig, client, "events", 0, "a");
        else if (step == STEP_WRITE_ELSEWHERE)
            error = txn_write(rig, client, "events", 1, "b");
        else if (step == STEP_OFFSET)
            error = client->version < 2 ? txn_add_offsets(rig, client, "g") : KAFKA_NONE;
        if (step == STEP_OFFSET && error == KAFKA_NONE)
            error = txn_commit_offset(rig, client, "g", "events", 5, -1);
        if (step == STEP_END) {
            told.whole = told.asked = true;
            error = txn_end(rig, client, commit);
            told.ended = error == KAFKA_NONE;
        }
        if (error != KAFKA_NONE)
            break;
    }
    return told;
}

static void copy_text(char *to, size_t room, const char *from)
{
    size_t len = strlen(from);
    assert_true(len < room);
    memcpy(to, from, len + 1);
}

/* What the disk has now is what the next broker finds. The one that was there may end in order: it ends on another disk. */
static void crash(struct rig *rig, bool power_cut)
{
    struct sim_disk *image = power_cut ? sim_disk_after_power_cut(rig->disk, rig->seed) : sim_disk_after_kill(rig->disk);
    rig_stop(rig);
    sim_disk_free(rig->disk);
    rig->disk = image;
    rig_start(rig);
}

/* The broker dies on its disk, and the next one, on a disk that works, says what there is. */
static void look(struct rig *rig, const struct told *told, bool commit, uint64_t nth)
{
    crash(rig, nth % 2 == 0);
    rig_pass(rig, 3 * SECOND_US);
    struct txn_client after = { .id = "t", .version = 2 };
    int16_t error = KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    for (int tries = 0; error != KAFKA_NONE && tries < 20; tries++) { /* ends what is open */
        error = txn_init(rig, &after);
        rig_pass(rig, SECOND_US);
    }
    if (error != KAFKA_NONE)
        fail_msg("call %llu: the id cannot be used any more: %s", (unsigned long long)nth, kafka_error_name(error));
    char first[16];
    char second[16];
    copy_text(first, sizeof first, read_all(rig, "events", 0, true));
    copy_text(second, sizeof second, read_all(rig, "events", 1, true));
    int64_t offset = committed_offset(rig, "g", "events", true);
    bool is_there = strcmp(first, "a ") == 0 && strcmp(second, "b ") == 0 && offset == 5;
    bool is_not = first[0] == '\0' && second[0] == '\0' && offset == -1;
    if (!is_there && !is_not)
        fail_msg("call %llu: half of it is there: \"%s\", \"%s\", offset %lld", (unsigned long long)nth, first, second,
                 (long long)offset);
    if (is_there && (!commit || !told->asked))
        fail_msg("call %llu: it was never committed", (unsigned long long)nth);
    if (is_not && commit && told->ended)
        fail_msg("call %llu: it was committed, and is gone", (unsigned long long)nth);
    assert_int_equal(txn_write(rig, &after, "events", 0, "c"), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &after, true), KAFKA_NONE);
    assert_int_equal(end_offset(rig, "events", 0, true), end_offset(rig, "events", 0, false));
}

static void sweep(unsigned kinds, int code, bool sticky, int version)
{
    uint64_t committed = 0;
    for (uint64_t nth = 1; nth < TRIES_MAX; nth++) {
        bool commit = nth % 3 != 0;
        struct rig rig;
        struct txn_client client = { .id = "t", .version = version };
        struct txn_client before = { .id = "before", .version = version };
        rig_open(&rig, NULL);
        rig_create_topic(&rig, "events", 2, NULL, NULL);
        assert_int_equal(txn_init(&rig, &before), KAFKA_NONE); /* makes the topic of transactions */
        assert_int_equal(plain_commit_offset(&rig, "other", "events", 1), KAFKA_NONE);
        rig_pass(&rig, SECOND_US);
        sim_disk_fail_at(rig.disk, kinds, nth, code, sticky);
        struct told told = run_transaction(&rig, &client, commit);
        uint64_t calls = sim_disk_fail_at(rig.disk, kinds, 0, 0, false);
        look(&rig, &told, commit, nth);
        committed += told.ended && commit;
        rig_close(&rig);
        if (calls < nth) {
            print_message("%llu disk calls, %llu committed all the same\n", (unsigned long long)calls,
                          (unsigned long long)committed);
            assert_true(told.ended && calls > 5);
            return;
        }
    }
    fail_msg("the sweep does not end");
}

static void any_disk_call_may_fail_once(void **state)
{
    sweep(SIM_DISK_ANY, MILL_EIO, false, 0);
    sweep(SIM_DISK_ANY, MILL_EIO, false, 2);
}

static void the_disk_may_fail_for_good(void **state)
{
    sweep(SIM_DISK_ANY, MILL_EIO, true, 0);
    sweep(SIM_DISK_ANY, MILL_EIO, true, 2);
}

static void the_disk_may_be_full(void **state)
{
    sweep(SIM_DISK_OPEN | SIM_DISK_WRITE | SIM_DISK_MAKE_DIRECTORY, MILL_EDISKFULL, false, 2);
    sweep(SIM_DISK_OPEN | SIM_DISK_WRITE | SIM_DISK_MAKE_DIRECTORY, MILL_EDISKFULL, true, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_disk_call_may_fail_once),
        cmocka_unit_test(the_disk_may_fail_for_good),
        cmocka_unit_test(the_disk_may_be_full),
    };
    trace_set_level(TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
