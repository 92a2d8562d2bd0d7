/* Transactions end to end through the broker's face, in both versions of the protocol. */
#include "txn_rig.h"

#include "broker/group/coordinator.h"
#include "wire/api/api_versions.h"
#include "wire/api/delete_groups.h"
#include "wire/api/delete_topics.h"
#include "wire/api/find_coordinator.h"
#include "wire/api/list_groups.h"
#include "wire/api/list_transactions.h"
#include "wire/api/write_txn_markers.h"

/* What a crash leaves with the workers is never given back, by design. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static int version; /* of the protocol, for tests that run in both */

static struct txn_client new_client(struct rig *rig, const char *id)
{
    struct txn_client client = { .id = id, .version = version };
    assert_int_equal(txn_init(rig, &client), KAFKA_NONE);
    return client;
}

/* ---- what readers see ------------------------------------------------------------------------------------------------------ */

static void what_is_committed_is_seen_and_what_is_aborted_is_not(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 2, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    assert_int_equal(txn_write(rig, &client, "events", 1, "b"), KAFKA_NONE);
    assert_string_equal(txn_state(rig, "t"), "Ongoing");
    assert_string_equal(read_all(rig, "events", 0, true), "");
    assert_int_equal(end_offset(rig, "events", 0, true), 0);
    assert_int_equal(end_offset(rig, "events", 0, false), 1);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_string_equal(txn_state(rig, "t"), "CompleteCommit");
    assert_string_equal(read_all(rig, "events", 0, true), "a ");
    assert_string_equal(read_all(rig, "events", 1, true), "b ");
    assert_int_equal(end_offset(rig, "events", 0, true), 2); /* behind the marker */

    assert_int_equal(txn_write(rig, &client, "events", 0, "x"), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &client, false), KAFKA_NONE);
    assert_string_equal(txn_state(rig, "t"), "CompleteAbort");
    assert_int_equal(txn_write(rig, &client, "events", 0, "c"), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_string_equal(read_all(rig, "events", 0, true), "a c ");
    assert_string_equal(read_all(rig, "events", 0, false), "a x c ");
}

static void an_open_transaction_holds_back_what_comes_behind_it(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client slow = new_client(rig, "slow");
    struct txn_client quick = new_client(rig, "quick");
    assert_int_equal(txn_write(rig, &slow, "events", 0, "s"), KAFKA_NONE);
    assert_int_equal(txn_write(rig, &quick, "events", 0, "q"), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &quick, true), KAFKA_NONE);
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "plain" }, NULL);
    assert_string_equal(read_all(rig, "events", 0, true), "");
    assert_int_equal(txn_end(rig, &slow, false), KAFKA_NONE);
    assert_string_equal(read_all(rig, "events", 0, true), "q plain ");
}

static void a_fetch_that_waits_for_committed_records_is_woken_by_the_commit(void **state)
{
    struct rig *rig = *state;
    struct ask fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    ask_fetch(&fetch, "events", 0, 0, 1, 60000)->isolation_level = 1;
    rig_send(rig, &fetch);
    rig_pass(rig, SECOND_US);
    assert_false(fetch.answered);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    rig_wait(rig, &fetch);
    assert_int_equal(fetched_records(&fetch), 2); /* the marker too */
    assert_int_equal(fetched(&fetch)->aborted_transactions.count, 0);
    ask_end(&fetch);
}

static void readers_of_everything_get_no_list_of_aborts(void **state)
{
    struct rig *rig = *state;
    struct ask fetch;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &client, false), KAFKA_NONE);
    ask_fetch(&fetch, "events", 0, 0, 1, 0);
    rig_ask(rig, &fetch);
    assert_int_equal(fetched(&fetch)->aborted_transactions.count, -1);
    ask_end(&fetch);
}

/* ---- who may --------------------------------------------------------------------------------------------------------------- */

static void a_newer_producer_aborts_and_fences_the_older(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client old = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &old, "events", 0, "zombie"), KAFKA_NONE);
    struct txn_client young = new_client(rig, "t");
    assert_int_equal(young.producer_id, old.producer_id);
    assert_true(young.epoch > old.epoch);
    assert_string_equal(txn_state(rig, "t"), "Empty");
    assert_int_equal(txn_produce(rig, &old, "events", 0, "late"), KAFKA_INVALID_PRODUCER_EPOCH);
    assert_int_equal(txn_end(rig, &old, true), KAFKA_PRODUCER_FENCED);
    assert_int_equal(txn_write(rig, &young, "events", 0, "alive"), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &young, true), KAFKA_NONE);
    assert_string_equal(read_all(rig, "events", 0, true), "alive ");
}

static void a_strange_producer_id_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    struct txn_client strange = client;
    strange.producer_id = 4711;
    assert_int_equal(txn_add(rig, &strange, "events", 0), KAFKA_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(txn_end(rig, &strange, true), KAFKA_INVALID_PRODUCER_ID_MAPPING);
    strange.id = "nobody";
    assert_int_equal(txn_add(rig, &strange, "events", 0), KAFKA_INVALID_PRODUCER_ID_MAPPING);
}

static void a_batch_for_a_partition_that_was_not_added_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 2, NULL, NULL);
    struct txn_client client = { .id = "t" };
    assert_int_equal(txn_init(rig, &client), KAFKA_NONE);
    assert_int_equal(txn_produce(rig, &client, "events", 0, "a"), KAFKA_TRANSACTION_ABORTABLE);
    assert_int_equal(txn_add(rig, &client, "events", 0), KAFKA_NONE);
    assert_int_equal(txn_produce(rig, &client, "events", 0, "a"), KAFKA_NONE);
    assert_int_equal(txn_produce(rig, &client, "events", 1, "b"), KAFKA_TRANSACTION_ABORTABLE);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_int_equal(txn_produce(rig, &client, "events", 0, "late"), KAFKA_TRANSACTION_ABORTABLE);
    assert_string_equal(read_all(rig, "events", 0, true), "a ");
}

static void a_late_batch_of_an_older_transaction_is_fenced_by_its_epoch(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = { .id = "t", .version = 2 };
    assert_int_equal(txn_init(rig, &client), KAFKA_NONE);
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    struct txn_client late = client;
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_int_equal(client.epoch, late.epoch + 1);
    assert_int_equal(txn_produce(rig, &late, "events", 0, "late"), KAFKA_INVALID_PRODUCER_EPOCH);
    assert_int_equal(txn_write(rig, &client, "events", 0, "b"), KAFKA_NONE);
    assert_int_equal(txn_produce(rig, &late, "events", 0, "late"), KAFKA_INVALID_PRODUCER_EPOCH);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_string_equal(read_all(rig, "events", 0, true), "a b ");
}

static void a_plain_batch_of_a_producer_in_a_transaction_is_refused(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    struct batch_spec spec = { .value = "v", .idempotent = true, .producer_id = client.producer_id, .sequence = 1 };
    spec.producer_epoch = client.epoch;
    assert_int_equal(rig_produce(rig, "events", 0, spec, NULL), KAFKA_INVALID_TXN_STATE);
}

/* ---- the end --------------------------------------------------------------------------------------------------------------- */

static void an_end_that_is_repeated_is_answered_again(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    struct txn_client again = client;
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    struct txn_client wrong = again;
    assert_int_equal(txn_end(rig, &wrong, false), KAFKA_INVALID_TXN_STATE);
    assert_int_equal(txn_end(rig, &again, true), KAFKA_NONE);
    assert_int_equal(again.epoch, client.epoch);
    assert_string_equal(read_all(rig, "events", 0, true), "a ");
}

static void two_ends_at_once_are_one(void **state)
{
    struct rig *rig = *state;
    struct ask first;
    struct ask second;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    struct txn_client again = client;
    ask_end_txn(&first, &client, true);
    ask_end_txn(&second, &again, true);
    rig_send(rig, &first);
    rig_send(rig, &second);
    rig_wait(rig, &first);
    rig_wait(rig, &second);
    assert_int_equal(end_answer(&first, &client), KAFKA_NONE);
    assert_int_equal(end_answer(&second, &again), KAFKA_NONE);
    assert_int_equal(again.epoch, client.epoch);
}

static void a_commit_of_nothing_is_refused_and_an_abort_raises_the_epoch(void **state)
{
    struct rig *rig = *state;
    struct txn_client client = { .id = "t", .version = 2 };
    assert_int_equal(txn_init(rig, &client), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_INVALID_TXN_STATE);
    int16_t epoch = client.epoch;
    assert_int_equal(txn_end(rig, &client, false), KAFKA_NONE);
    assert_int_equal(client.epoch, epoch + 1);
    client.version = 0;
    assert_int_equal(txn_init(rig, &client), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &client, false), KAFKA_INVALID_TXN_STATE);
}

static void a_transaction_that_is_too_old_is_aborted(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = { .id = "t", .version = version };
    assert_int_equal(txn_init_with(rig, &client, 20000, false), KAFKA_NONE);
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    rig_pass(rig, 19 * SECOND_US);
    assert_string_equal(txn_state(rig, "t"), "Ongoing");
    rig_pass(rig, 12 * SECOND_US);
    assert_string_equal(txn_state(rig, "t"), "CompleteAbort");
    assert_int_equal(txn_end(rig, &client, true), KAFKA_PRODUCER_FENCED);
    assert_int_equal(end_offset(rig, "events", 0, true), 2);
    assert_string_equal(read_all(rig, "events", 0, true), "");
}

static void time_outs_have_a_maximum(void **state)
{
    struct rig *rig = *state;
    struct txn_client client = { .id = "t" };
    assert_int_equal(txn_init_with(rig, &client, 900001, false), KAFKA_INVALID_TRANSACTION_TIMEOUT);
    assert_int_equal(txn_init_with(rig, &client, 0, false), KAFKA_INVALID_TRANSACTION_TIMEOUT);
    assert_int_equal(txn_init_with(rig, &client, 900000, false), KAFKA_NONE);
}

static void an_idle_id_is_forgotten(void **state)
{
    struct rig *rig = *state;
    struct txn_client client = new_client(rig, "t");
    rig_pass(rig, INT64_C(6) * 24 * 3600 * SECOND_US);
    assert_string_equal(txn_state(rig, "t"), "Empty");
    rig_pass(rig, INT64_C(26) * 3600 * SECOND_US);
    assert_string_equal(txn_state(rig, "t"), "TRANSACTIONAL_ID_NOT_FOUND");
    rig_restart(rig);
    rig_pass(rig, SECOND_US);
    assert_string_equal(txn_state(rig, "t"), "TRANSACTIONAL_ID_NOT_FOUND");
    int64_t producer_id = client.producer_id;
    client = new_client(rig, "t");
    assert_true(client.producer_id > producer_id);
}

static void a_deleted_topic_does_not_hold_up_the_end(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    rig_create_topic(rig, "doomed", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    client.sequences[0] = 0;
    assert_int_equal(txn_write(rig, &client, "doomed", 0, "a"), KAFKA_NONE);
    struct delete_topics_request *request = ask_new(&ask, API_DELETE_TOPICS, 6);
    request->topics.items = delete_topics_request_topic_array(&ask.request->arena, 1);
    request->topics.items[0].name = mill_string("doomed");
    request->topics.count = 1;
    rig_ask(rig, &ask);
    ask_end(&ask);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_string_equal(read_all(rig, "events", 0, true), "a ");
}

/* ---- producers that name themselves (KIP-360) ------------------------------------------------------------------------------ */

static void a_producer_that_names_itself_goes_on_with_the_next_epoch(void **state)
{
    struct rig *rig = *state;
    struct txn_client client = new_client(rig, "t");
    struct txn_client again = client;
    assert_int_equal(txn_init_with(rig, &client, 60000, true), KAFKA_NONE);
    assert_int_equal(client.epoch, again.epoch + 1);
    assert_int_equal(txn_init_with(rig, &again, 60000, true), KAFKA_NONE); /* the answer was lost */
    assert_int_equal(again.epoch, client.epoch);
    struct txn_client young = new_client(rig, "t");
    assert_int_equal(txn_init_with(rig, &client, 60000, true), KAFKA_PRODUCER_FENCED);
    young.producer_id++;
    assert_int_equal(txn_init_with(rig, &young, 60000, true), KAFKA_PRODUCER_FENCED);
}

/* ---- restarts -------------------------------------------------------------------------------------------------------------- */

static void a_transaction_goes_on_after_a_restart(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    rig_restart(rig);
    rig_pass(rig, SECOND_US);
    assert_string_equal(txn_state(rig, "t"), "Ongoing");
    assert_string_equal(read_all(rig, "events", 0, true), "");
    assert_int_equal(txn_write(rig, &client, "events", 0, "b"), KAFKA_NONE);
    rig_crash(rig, true);
    rig_pass(rig, SECOND_US);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    rig_crash(rig, true);
    rig_pass(rig, SECOND_US);
    assert_string_equal(read_all(rig, "events", 0, true), "a b ");
    assert_string_equal(txn_state(rig, "t"), "CompleteCommit");
}

static void a_restart_answers_load_in_progress_and_not_that_nobody_is_known(void **state)
{
    struct rig *rig = *state;
    struct txn_client client = new_client(rig, "t");
    rig_restart(rig);
    struct ask ask;
    ask_end_txn(&ask, &client, false);
    const struct end_txn_response *response = rig_ask(rig, &ask);
    assert_true(response->error_code == KAFKA_COORDINATOR_LOAD_IN_PROGRESS || response->error_code == KAFKA_INVALID_TXN_STATE ||
                response->error_code == KAFKA_NONE);
    ask_end(&ask);
}

/* ---- offsets --------------------------------------------------------------------------------------------------------------- */

static int16_t write_offset(struct rig *rig, struct txn_client *client, int64_t offset)
{
    if (client->version < 2)
        assert_int_equal(txn_add_offsets(rig, client, "g"), KAFKA_NONE);
    return txn_commit_offset(rig, client, "g", "events", offset, -1);
}

static void offsets_count_when_the_transaction_commits(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(plain_commit_offset(rig, "g", "events", 1), KAFKA_NONE);
    assert_int_equal(write_offset(rig, &client, 5), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", false), 1);
    assert_int_equal(committed_offset(rig, "g", "events", true), -KAFKA_UNSTABLE_OFFSET_COMMIT);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), 5);
    assert_int_equal(write_offset(rig, &client, 9), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &client, false), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), 5);
}

static void pending_offsets_survive_a_restart(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(write_offset(rig, &client, 5), KAFKA_NONE);
    rig_crash(rig, true);
    rig_pass(rig, SECOND_US);
    assert_int_equal(committed_offset(rig, "g", "events", false), -1);
    assert_int_equal(committed_offset(rig, "g", "events", true), -KAFKA_UNSTABLE_OFFSET_COMMIT);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), 5);
    rig_restart(rig);
    rig_pass(rig, SECOND_US);
    assert_int_equal(committed_offset(rig, "g", "events", true), 5);
}

static void a_later_plain_commit_wins_over_a_transaction_that_ends_behind_it(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(write_offset(rig, &client, 5), KAFKA_NONE);
    assert_int_equal(plain_commit_offset(rig, "g", "events", 7), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), 7);
    rig_restart(rig);
    rig_pass(rig, SECOND_US);
    assert_int_equal(committed_offset(rig, "g", "events", true), 7);
}

static void of_two_transactions_the_later_commit_wins_whichever_ends_first(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client first = new_client(rig, "first");
    struct txn_client second = new_client(rig, "second");
    assert_int_equal(write_offset(rig, &first, 100), KAFKA_NONE);
    assert_int_equal(write_offset(rig, &second, 200), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &second, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", false), 200);
    assert_int_equal(txn_end(rig, &first, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), 200);
    rig_restart(rig);
    rig_pass(rig, SECOND_US);
    assert_int_equal(committed_offset(rig, "g", "events", true), 200);
}

static void a_member_of_another_generation_is_fenced(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    if (client.version < 2)
        assert_int_equal(txn_add_offsets(rig, &client, "g"), KAFKA_NONE);
    assert_int_equal(txn_commit_offset(rig, &client, "g", "events", 5, 3), KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(plain_commit_offset(rig, "g", "events", 1), KAFKA_NONE);
    assert_int_equal(txn_commit_offset(rig, &client, "g", "events", 5, 3), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(committed_offset(rig, "g", "events", true), 1);
}

static void offsets_of_a_group_that_was_not_added_are_refused(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = { .id = "t" };
    assert_int_equal(txn_init(rig, &client), KAFKA_NONE);
    assert_int_equal(txn_commit_offset(rig, &client, "g", "events", 5, -1), KAFKA_INVALID_TXN_STATE);
    assert_int_equal(committed_offset(rig, "g", "events", true), -1);
}

static int count_groups(struct rig *rig)
{
    struct ask ask;
    ask_new(&ask, API_LIST_GROUPS, 4);
    int count = ((const struct list_groups_response *)rig_ask(rig, &ask))->groups.count;
    ask_end(&ask);
    return count;
}

static void offsets_that_are_refused_leave_no_group_behind(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    struct txn_client stranger = { .id = "nobody", .version = client.version, .producer_id = 99 };
    assert_int_equal(txn_commit_offset(rig, &stranger, "g", "events", 5, -1), KAFKA_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(count_groups(rig), 0);
    assert_int_equal(write_offset(rig, &client, 5), KAFKA_NONE);
    assert_int_equal(count_groups(rig), 1);
    assert_int_equal(txn_end(rig, &client, false), KAFKA_NONE);
    assert_int_equal(count_groups(rig), 0);
    if (client.version < 2)
        assert_int_equal(txn_add_offsets(rig, &client, "g"), KAFKA_NONE);
    assert_int_equal(txn_commit_offset(rig, &client, "g", "no-such-topic", 5, -1), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(count_groups(rig), 0);
}

static void offsets_of_a_fenced_producer_are_refused(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client old = new_client(rig, "t");
    assert_int_equal(write_offset(rig, &old, 5), KAFKA_NONE);
    struct txn_client young = new_client(rig, "t");
    assert_int_equal(txn_commit_offset(rig, &old, "g", "events", 6, -1), KAFKA_INVALID_PRODUCER_EPOCH);
    assert_int_equal(committed_offset(rig, "g", "events", true), -1);
    assert_int_equal(write_offset(rig, &young, 7), KAFKA_NONE);
    assert_int_equal(txn_end(rig, &young, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), 7);
}

static void a_deleted_group_takes_its_pending_offsets_with_it(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(write_offset(rig, &client, 5), KAFKA_NONE);
    struct delete_groups_request *request = ask_new(&ask, API_DELETE_GROUPS, 2);
    request->groups_names.items = arena_alloc(&ask.request->arena, sizeof(mill_bytes));
    request->groups_names.items[0] = mill_string("g");
    request->groups_names.count = 1;
    assert_int_equal(((struct delete_groups_response *)rig_ask(rig, &ask))->results.items[0].error_code, KAFKA_NONE);
    ask_end(&ask);
    assert_int_equal(txn_end(rig, &client, true), KAFKA_NONE);
    assert_int_equal(committed_offset(rig, "g", "events", true), -1);
}

/* ---- administration -------------------------------------------------------------------------------------------------------- */

static void a_hanging_transaction_is_ended_by_hand(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "t");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    struct write_txn_markers_request *request = ask_new(&ask, API_WRITE_TXN_MARKERS, 1);
    struct arena *arena = &ask.request->arena;
    request->markers.items = write_txn_markers_request_marker_array(arena, 1);
    request->markers.count = 1;
    request->markers.items[0].producer_id = client.producer_id;
    request->markers.items[0].producer_epoch = client.epoch;
    request->markers.items[0].topics.items = write_txn_markers_request_topic_array(arena, 1);
    request->markers.items[0].topics.count = 1;
    request->markers.items[0].topics.items[0].name = mill_string("events");
    request->markers.items[0].topics.items[0].partition_indexes.items = arena_calloc(arena, 1, sizeof(int32_t));
    request->markers.items[0].topics.items[0].partition_indexes.count = 1;
    const struct write_txn_markers_response *response = rig_ask(rig, &ask);
    assert_int_equal(response->markers.items[0].topics.items[0].partitions.items[0].error_code, KAFKA_NONE);
    ask_end(&ask);
    assert_int_equal(end_offset(rig, "events", 0, true), 2);
    assert_string_equal(read_all(rig, "events", 0, true), "");
}

static int count_listed(struct rig *rig, const char *pattern, const char *state_name, int16_t *error)
{
    struct ask ask;
    struct list_transactions_request *request = ask_new(&ask, API_LIST_TRANSACTIONS, 2);
    request->transactional_id_pattern = mill_string(pattern);
    if (state_name) {
        request->state_filters.items = arena_alloc(&ask.request->arena, sizeof(mill_bytes));
        request->state_filters.items[0] = mill_string(state_name);
        request->state_filters.count = 1;
    }
    const struct list_transactions_response *response = rig_ask(rig, &ask);
    int count = response->transaction_states.count;
    *error = response->error_code;
    ask_end(&ask);
    return count;
}

static void transactions_are_listed_by_state_and_pattern(void **state)
{
    struct rig *rig = *state;
    int16_t error;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(rig, "app-1");
    new_client(rig, "app-2");
    new_client(rig, "other");
    assert_int_equal(txn_write(rig, &client, "events", 0, "a"), KAFKA_NONE);
    assert_int_equal(count_listed(rig, NULL, NULL, &error), 3);
    assert_int_equal(count_listed(rig, "app-.*", NULL, &error), 2);
    assert_int_equal(count_listed(rig, "app", NULL, &error), 0);
    assert_int_equal(count_listed(rig, NULL, "Ongoing", &error), 1);
    assert_int_equal(count_listed(rig, "app\\-[0-9]", NULL, &error), 2);
    assert_int_equal(count_listed(rig, "(", NULL, &error), 0);
    assert_int_equal(error, KAFKA_INVALID_REGULAR_EXPRESSION);
}

static void a_pattern_that_costs_too_much_is_refused(void **state)
{
    static char nested[100000 + 1];
    struct rig *rig = *state;
    int16_t error;
    new_client(rig, "app-1");
    assert_int_equal(count_listed(rig, "((a{1,1000}){1,1000}){1,1000}", NULL, &error), 0);
    assert_int_equal(error, KAFKA_INVALID_REGULAR_EXPRESSION);
    memset(nested, '(', sizeof nested - 1);
    assert_int_equal(count_listed(rig, nested, NULL, &error), 0);
    assert_int_equal(error, KAFKA_INVALID_REGULAR_EXPRESSION);
    assert_int_equal(count_listed(rig, "a++++++++++++++++++++++++++++++++++++++++", NULL, &error), 0);
    assert_int_equal(error, KAFKA_INVALID_REGULAR_EXPRESSION);
    assert_int_equal(count_listed(rig, "(a)\\1", NULL, &error), 0);
    assert_int_equal(error, KAFKA_INVALID_REGULAR_EXPRESSION);
    assert_int_equal(count_listed(rig, "((((((((a+)+)+)+)+)+)+)+)|app.1", NULL, &error), 1);
    assert_int_equal(error, KAFKA_NONE);
}

/* Three records each: a start must not read all of them. */
static void what_a_start_reads_does_not_grow_with_the_transactions_that_were(void **state)
{
    enum { TRANSACTIONS = 20000 };
    struct rig rig;
    rig_open(&rig, (const char *const[]){ "transaction.state.log.num.partitions=1", NULL });
    rig_create_topic(&rig, "events", 1, NULL, NULL);
    struct txn_client client = new_client(&rig, "t");
    client.version = 0;
    for (int i = 0; i < TRANSACTIONS; i++) {
        assert_int_equal(txn_add(&rig, &client, "events", 0), KAFKA_NONE);
        assert_int_equal(txn_end(&rig, &client, true), KAFKA_NONE);
    }
    assert_true(end_offset(&rig, "__transaction_state", 0, false) >= 3 * TRANSACTIONS);
    rig_pass(&rig, 60 * SECOND_US);
    rig_restart(&rig);
    assert_in_range(rig_count_all(&rig, "__transaction_state", 0), 1, TRANSACTIONS);
    rig_pass(&rig, SECOND_US);
    assert_string_equal(txn_state(&rig, "t"), "CompleteCommit");
    assert_int_equal(txn_add(&rig, &client, "events", 0), KAFKA_NONE);
    rig_close(&rig);
}

static void the_coordinator_is_found_and_the_version_is_told(void **state)
{
    struct rig *rig = *state;
    struct ask ask;
    struct find_coordinator_request *request = ask_new(&ask, API_FIND_COORDINATOR, 3);
    request->key = mill_string("t");
    request->key_type = 1;
    assert_int_equal(((struct find_coordinator_response *)rig_ask(rig, &ask))->error_code, KAFKA_NONE);
    ask_end(&ask);
    struct api_versions_request *versions = ask_new(&ask, API_API_VERSIONS, 4);
    versions->client_software_name = mill_string("test");
    versions->client_software_version = mill_string("1");
    const struct api_versions_response *response = rig_ask(rig, &ask);
    assert_int_equal(response->finalized_features.count, 2);
    assert_int_equal(response->finalized_features.items[1].max_version_level, 2);
    ask_end(&ask);
}

/* ---------------------------------------------------------------------------------------------------------------------------- */

static int set_up_old(void **state)
{
    version = 0;
    return rig_set_up(state);
}

static int set_up_new(void **state)
{
    version = 2;
    return rig_set_up(state);
}

#define IN_BOTH(name)                                                            \
    { #name " (transaction.version 0)", name, set_up_old, rig_tear_down, NULL }, \
    {                                                                            \
#name " (transaction.version 2)", name, set_up_new, rig_tear_down, NULL  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(what_is_committed_is_seen_and_what_is_aborted_is_not),
        IN_BOTH(an_open_transaction_holds_back_what_comes_behind_it),
        IN_BOTH(a_fetch_that_waits_for_committed_records_is_woken_by_the_commit),
        RIG_TEST(readers_of_everything_get_no_list_of_aborts),
        IN_BOTH(a_newer_producer_aborts_and_fences_the_older),
        IN_BOTH(a_strange_producer_id_is_refused),
        RIG_TEST(a_batch_for_a_partition_that_was_not_added_is_refused),
        RIG_TEST(a_late_batch_of_an_older_transaction_is_fenced_by_its_epoch),
        IN_BOTH(a_plain_batch_of_a_producer_in_a_transaction_is_refused),
        IN_BOTH(an_end_that_is_repeated_is_answered_again),
        IN_BOTH(two_ends_at_once_are_one),
        RIG_TEST(a_commit_of_nothing_is_refused_and_an_abort_raises_the_epoch),
        IN_BOTH(a_transaction_that_is_too_old_is_aborted),
        RIG_TEST(time_outs_have_a_maximum),
        RIG_TEST(an_idle_id_is_forgotten),
        IN_BOTH(a_deleted_topic_does_not_hold_up_the_end),
        RIG_TEST(a_producer_that_names_itself_goes_on_with_the_next_epoch),
        IN_BOTH(a_transaction_goes_on_after_a_restart),
        RIG_TEST(a_restart_answers_load_in_progress_and_not_that_nobody_is_known),
        IN_BOTH(offsets_count_when_the_transaction_commits),
        IN_BOTH(pending_offsets_survive_a_restart),
        IN_BOTH(a_later_plain_commit_wins_over_a_transaction_that_ends_behind_it),
        IN_BOTH(of_two_transactions_the_later_commit_wins_whichever_ends_first),
        IN_BOTH(a_member_of_another_generation_is_fenced),
        RIG_TEST(offsets_of_a_group_that_was_not_added_are_refused),
        IN_BOTH(offsets_that_are_refused_leave_no_group_behind),
        IN_BOTH(offsets_of_a_fenced_producer_are_refused),
        IN_BOTH(a_deleted_group_takes_its_pending_offsets_with_it),
        IN_BOTH(a_hanging_transaction_is_ended_by_hand),
        IN_BOTH(transactions_are_listed_by_state_and_pattern),
        RIG_TEST(a_pattern_that_costs_too_much_is_refused),
        cmocka_unit_test(what_a_start_reads_does_not_grow_with_the_transactions_that_were),
        RIG_TEST(the_coordinator_is_found_and_the_version_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
