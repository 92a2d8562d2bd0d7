/*
 * Each allocation fails once, at every step of a transaction, and while the broker loads what transactions have left: a step is
 * refused or done, never half, and a producer that tries again comes to its end.
 */
#include "txn_rig.h"

#include "base/trace.h"

enum { TRIES_MAX = 3000 };

static struct txn_client client;

static bool is_retriable(int16_t error)
{
    return error == KAFKA_COORDINATOR_NOT_AVAILABLE || error == KAFKA_KAFKA_STORAGE_ERROR || error == KAFKA_NOT_ENOUGH_REPLICAS ||
           error == KAFKA_NOT_COORDINATOR;
}

/* -1: no answer, the connection is to be closed. */
static int ask_step(struct rig *rig, int step, uint64_t failing_nth, uint64_t *calls)
{
    struct ask ask;
    int error = -1;
    if (step == 0)
        ask_init(&ask, &client, 60000, false);
    else if (step == 1)
        ask_add(&ask, &client, "events", 0);
    else if (step == 2)
        ask_txn_produce(rig, &ask, &client, "events", 0, "v");
    else
        ask_end_txn(&ask, &client, true);
    mem_fail_at(failing_nth, 0);
    rig_send(rig, &ask);
    rig_wait(rig, &ask);
    *calls = mem_fail_at(0, 0);
    const void *body = ask.request->response.body;
    if (body && step == 0)
        return init_answer(&ask, &client);
    if (body && step == 1)
        error = ((const struct add_partitions_to_txn_response *)body)
                    ->results_by_topic_v3_and_below.items[0]
                    .results_by_partition.items[0]
                    .partition_error_code;
    if (body && step == 2)
        error = produced(&ask)->error_code;
    if (body && step == 3)
        return end_answer(&ask, &client);
    ask_end(&ask);
    return error;
}

/* Fails allocation `nth` of one step of a transaction, and tries the step again until it is done. */
static uint64_t transaction(struct rig *rig, int failing_step, uint64_t nth)
{
    uint64_t calls = 0;
    for (int step = 0; step < 4; step++) {
        if (client.version >= 2 && step == 1)
            continue;
        uint64_t counted;
        int error = ask_step(rig, step, step == failing_step ? nth : 0, &counted);
        if (step == failing_step)
            calls = counted;
        for (int tries = 0; error != KAFKA_NONE && tries < 5; tries++) {
            if (error != -1 && !is_retriable((int16_t)error))
                fail_msg("step %d, allocation %llu: error %d", step, (unsigned long long)nth, error);
            rig_pass(rig, SECOND_US);
            error = ask_step(rig, step, 0, &counted);
        }
        assert_int_equal(error, KAFKA_NONE);
        if (step == 2)
            client.sequences[0]++;
    }
    return calls;
}

static void sweep(struct rig *rig, int version)
{
    client = (struct txn_client){ .id = "t", .version = version };
    rig_create_topic(rig, "events", 1, NULL, NULL);
    int done = 0;
    for (int step = 0; step < 4; step++)
        for (uint64_t nth = 1; nth < TRIES_MAX; nth++, done++)
            if (transaction(rig, step, nth) < nth)
                break;
    assert_string_equal(txn_state(rig, "t"), "CompleteCommit");
    assert_int_equal(end_offset(rig, "events", 0, true), end_offset(rig, "events", 0, false));
    assert_true(done > 8);
}

static void every_step_survives_every_failed_allocation(void **state)
{
    sweep(*state, 0);
}

static void so_it_does_in_the_newer_protocol(void **state)
{
    sweep(*state, 2);
}

static void loading_survives_every_failed_allocation(void **state)
{
    struct rig *rig = *state;
    client = (struct txn_client){ .id = "t", .version = 2 };
    rig_create_topic(rig, "events", 1, NULL, NULL);
    assert_int_equal(txn_init(rig, &client), KAFKA_NONE);
    assert_int_equal(txn_commit_offset(rig, &client, "g", "events", 5, -1), KAFKA_NONE);
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    rig_stop(rig);
    struct broker_options options = {
        .disk = sim_disk_disk(rig->disk), .loop = rig->loop, .data_dir = "/data", .config = &rig->config
    };
    for (uint64_t nth = 1; nth < TRIES_MAX; nth++) {
        mem_fail_at(nth, 0);
        struct broker *broker = broker_new(&options);
        int code = broker ? broker_open(broker, sim_world_now(rig->world)) : MILL_ENOMEM;
        uint64_t calls = 0;
        if (code == 0) {
            rig->broker = broker;
            rig_pass(rig, 2 * SECOND_US); /* it loads */
            calls = mem_fail_at(0, 0);
            assert_string_equal(txn_state(rig, "t"), "Ongoing");
            assert_int_equal(committed_offset(rig, "g", "events", true), -KAFKA_UNSTABLE_OFFSET_COMMIT);
            rig_stop(rig);
        } else {
            calls = mem_fail_at(0, 0);
            broker_free(broker);
        }
        if (calls < nth)
            break;
    }
    rig_start(rig);
    rig_pass(rig, SECOND_US);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), 5);
    assert_string_equal(read_all(rig, "events", 0, true), "a ");
}

static int set_up(void **state)
{
    trace_set_level(TRACE_OFF); /* each failure would be told */
    return rig_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_step_survives_every_failed_allocation, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(so_it_does_in_the_newer_protocol, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(loading_survives_every_failed_allocation, set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
