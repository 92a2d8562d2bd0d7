/*
 * Each allocation fails once, at every step of a broker's life: the step is refused or done, never half, and the next one works.
 */
#include "broker_rig.h"

#include "base/trace.h"
#include "wire/api/delete_topics.h"
#include "wire/api/init_producer_id.h"
#include "wire/api/join_group.h"
#include "wire/api/metadata.h"
#include "wire/api/offset_commit.h"
#include "wire/api/sync_group.h"

enum { TRIES_MAX = 2000 };

typedef void fill_request(struct rig *rig, struct ask *ask);

/* Repeats one request, failing allocation 1, 2, 3, ... of its handling, until none is left to fail. */
static void sweep(struct rig *rig, fill_request *fill)
{
    for (uint64_t nth = 1; nth < TRIES_MAX; nth++) {
        struct ask ask;
        fill(rig, &ask);
        mem_fail_at(nth, 0);
        rig_ask(rig, &ask);
        uint64_t calls = mem_fail_at(0, 0);
        ask_end(&ask);
        if (calls < nth)
            return;
    }
    fail_msg("still failing after %d tries", TRIES_MAX);
}

static void fill_create(struct rig *rig, struct ask *ask)
{
    static int number;
    struct create_topics_request *request = ask_new(ask, API_CREATE_TOPICS, 7);
    struct arena *arena = &ask->request->arena;
    char *name = arena_alloc(arena, 32);
    snprintf(name, 32, "topic-%d", number++);
    request->topics.items = create_topics_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(name);
    request->topics.items[0].num_partitions = 2;
    request->topics.items[0].replication_factor = -1;
    request->topics.items[0].configs.items = create_topics_request_config_array(arena, 1);
    request->topics.items[0].configs.count = 1;
    request->topics.items[0].configs.items[0].name = mill_string("retention.ms");
    request->topics.items[0].configs.items[0].value = mill_string("-1");
}

static void fill_produce(struct rig *rig, struct ask *ask)
{
    ask_produce(rig, ask, "events", 0, (struct batch_spec){ .key = "k", .value = "v", .compression = COMPRESSION_GZIP });
}

static void fill_fetch(struct rig *rig, struct ask *ask)
{
    ask_fetch(ask, "events", 0, 0, 0, 0);
}

static void fill_parked_fetch(struct rig *rig, struct ask *ask)
{
    ask_fetch(ask, "events", 1, 0, 1, 100);
}

static void fill_metadata(struct rig *rig, struct ask *ask)
{
    struct metadata_request *request = ask_new(ask, API_METADATA, 12);
    request->topics.count = -1;
}

static void fill_producer_id(struct rig *rig, struct ask *ask)
{
    struct init_producer_id_request *request = ask_new(ask, API_INIT_PRODUCER_ID, 4);
    request->transactional_id = mill_null();
}

static void fill_join(struct rig *rig, struct ask *ask)
{
    struct join_group_request *request = ask_new(ask, API_JOIN_GROUP, 3);
    request->group_id = mill_string("g");
    request->session_timeout_ms = 10000;
    request->rebalance_timeout_ms = 100; /* those before it are gone by then */
    request->protocol_type = mill_string("consumer");
    request->protocols.items = join_group_request_protocol_array(&ask->request->arena, 1);
    request->protocols.items[0].name = mill_string("range");
    request->protocols.items[0].metadata = mill_string("m");
    request->protocols.count = 1;
}

static void fill_commit(struct rig *rig, struct ask *ask)
{
    struct offset_commit_request *request = ask_new(ask, API_OFFSET_COMMIT, 8);
    struct arena *arena = &ask->request->arena;
    request->group_id = mill_string("tool");
    request->topics.items = offset_commit_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string("events");
    request->topics.items[0].partitions.items = offset_commit_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].committed_offset = 1;
    request->topics.items[0].partitions.items[0].committed_metadata = mill_string("text");
}

static void fill_delete(struct rig *rig, struct ask *ask)
{
    struct delete_topics_request *request = ask_new(ask, API_DELETE_TOPICS, 6);
    request->topics.items = delete_topics_request_topic_array(&ask->request->arena, 1);
    request->topics.items[0].name = mill_string("doomed");
    request->topics.count = 1;
}

static void every_request_survives_every_failed_allocation(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 2, NULL, NULL);
    rig_create_topic(rig, "doomed", 2, NULL, NULL);
    sweep(rig, fill_create);
    sweep(rig, fill_produce);
    sweep(rig, fill_fetch);
    sweep(rig, fill_parked_fetch);
    sweep(rig, fill_metadata);
    sweep(rig, fill_producer_id);
    sweep(rig, fill_join);
    sweep(rig, fill_commit);
    sweep(rig, fill_delete);
    assert_int_equal(rig_produce(rig, "events", 1, (struct batch_spec){ .value = "v" }, NULL), KAFKA_NONE);
    rig_restart(rig);
    assert_int_equal(rig_count(rig, "events", 1, 0), 1);
}

static void opening_survives_every_failed_allocation(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 2, "retention.ms", "-1");
    rig_produce(rig, "events", 0, (struct batch_spec){ .value = "v" }, NULL);
    sweep(rig, fill_commit);
    rig_stop(rig);
    struct broker_options options = {
        .disk = sim_disk_disk(rig->disk), .loop = rig->loop, .data_dir = "/data", .config = &rig->config
    };
    for (uint64_t nth = 1; nth < TRIES_MAX; nth++) {
        mem_fail_at(nth, 0);
        struct broker *broker = broker_new(&options);
        int code = broker ? broker_open(broker, sim_world_now(rig->world)) : MILL_ENOMEM;
        uint64_t calls = mem_fail_at(0, 0);
        if (broker && code == 0) {
            rig->broker = broker;
            rig_pass(rig, SECOND_US);
            rig_stop(rig);
        } else if (broker) {
            broker_free(broker);
        }
        if (calls < nth)
            break;
    }
    rig_start(rig);
    assert_int_equal(rig_count(rig, "events", 0, 0), 1);
}

/*
 * Of more segments than are kept open the sync has to open some again. Without memory for that it is tried again a little later;
 * then both its partition and the broker may have gone.
 */
static void a_broker_may_go_while_a_sync_waits_for_memory(void **state)
{
    enum { SEGMENTS = 300 };
    static struct ask asks[SEGMENTS];
    struct rig *rig = *state;
    for (uint64_t nth = 1; nth < 4; nth++) {
        assert_int_equal(rig_create_topic(rig, "doomed", 1, "segment.bytes", "100"), KAFKA_NONE);
        for (int i = 0; i < SEGMENTS; i++) {
            ask_produce(rig, &asks[i], "doomed", 0, (struct batch_spec){ .value = "v" });
            rig_send(rig, &asks[i]);
        }
        mem_fail_at(nth, 0);
        rig_pass(rig, 1000);
        mem_fail_at(0, 0);
        struct ask delete;
        fill_delete(rig, &delete);
        rig_ask(rig, &delete);
        ask_end(&delete);
        for (int i = 0; i < SEGMENTS; i++) {
            rig_wait(rig, &asks[i]);
            ask_end(&asks[i]);
        }
        rig_stop(rig);
        rig_pass(rig, SECOND_US);
        rig_start(rig);
    }
}

static int set_up(void **state)
{
    trace_set_level(TRACE_OFF); /* each failure would be told */
    return rig_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_request_survives_every_failed_allocation, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(opening_survives_every_failed_allocation, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(a_broker_may_go_while_a_sync_waits_for_memory, set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
