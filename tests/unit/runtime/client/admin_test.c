/* Administration against a scripted cluster. */
#include "fake_peer.h"

#include "base/trace.h"
#include "client/admin.h"
#include "wire/api/create_topics.h"
#include "wire/api/delete_records.h"
#include "wire/api/delete_topics.h"
#include "wire/api/describe_configs.h"
#include "wire/api/describe_groups.h"
#include "wire/api/list_groups.h"
#include "wire/api/list_offsets.h"
#include "wire/api/offset_fetch.h"

struct fixture {
    struct peer peer;
    struct client *client;
    int calls;
    int code;
    char text[ERROR_TEXT_BYTES];
    char seen[512]; /* what the result held */
    int16_t error;  /* for the next answer that has room for one */
};

static void note(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct fixture *f, const char *format, ...)
{
    size_t len = strlen(f->seen);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->seen + len, sizeof f->seen - len, format, arguments);
    va_end(arguments);
}

static void done(struct fixture *f, int code, const char *text)
{
    f->calls++;
    f->code = code;
    snprintf(f->text, sizeof f->text, "%s", text);
}

static int16_t next_error(struct fixture *f)
{
    int16_t error = f->error;
    f->error = 0;
    return error;
}

/* ---- the cluster ----------------------------------------------------------------------------------------------------------- */

static void answer_create(struct fixture *f, struct request *request)
{
    const struct create_topics_request *asked = request->body;
    struct create_topics_response *body = peer_response(request);
    int16_t error = next_error(f);
    assert_int_equal(peer_broker_of(request), f->peer.controller);
    body->topics.count = asked->topics.count;
    body->topics.items = create_topics_response_topic_array(&request->arena, asked->topics.count);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        body->topics.items[i].name = asked->topics.items[i].name;
        body->topics.items[i].error_code = error;
        body->topics.items[i].error_message = mill_string(error != 0 ? "said the broker" : NULL);
        if (error == 0 && !asked->validate_only)
            peer_add_topic(&f->peer, "new", asked->topics.items[i].num_partitions, -1); /* no leader yet */
    }
}

static void answer_delete(struct fixture *f, struct request *request)
{
    const struct delete_topics_request *asked = request->body;
    struct delete_topics_response *body = peer_response(request);
    bool by_struct = request->api_version >= 6;
    int32_t count = by_struct ? asked->topics.count : asked->topic_names.count;
    body->responses.count = count;
    body->responses.items = delete_topics_response_topic_array(&request->arena, count);
    for (int32_t i = 0; i < count; i++) {
        mill_bytes name = by_struct ? asked->topics.items[i].name : asked->topic_names.items[i];
        struct peer_topic *topic = peer_find_topic(&f->peer, name);
        body->responses.items[i].name = name;
        body->responses.items[i].error_code = topic ? 0 : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        if (topic)
            topic->name = NULL;
    }
}

static void answer_configs(struct fixture *f, struct request *request)
{
    struct describe_configs_response *body = peer_response(request);
    body->results.count = 1;
    body->results.items = describe_configs_response_result_array(&request->arena, 1);
    struct describe_configs_response_result *result = &body->results.items[0];
    result->error_code = next_error(f);
    result->configs.count = 2;
    result->configs.items = describe_configs_response_config_array(&request->arena, 2);
    result->configs.items[0].name = mill_string("retention.ms");
    result->configs.items[0].value = mill_string("1000");
    result->configs.items[0].config_source = 1;
    result->configs.items[1].name = mill_string("secret");
    result->configs.items[1].value = mill_null();
    result->configs.items[1].config_source = 5;
    result->configs.items[1].is_sensitive = true;
}

static void answer_delete_records(struct fixture *f, struct request *request)
{
    const struct delete_records_request *asked = request->body;
    struct delete_records_response *body = peer_response(request);
    body->topics.count = asked->topics.count;
    body->topics.items = delete_records_response_topic_array(&request->arena, asked->topics.count);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        int32_t count = asked->topics.items[i].partitions.count;
        body->topics.items[i].name = asked->topics.items[i].name;
        body->topics.items[i].partitions.count = count;
        body->topics.items[i].partitions.items = delete_records_response_partition_array(&request->arena, count);
        for (int32_t p = 0; p < count; p++) {
            const struct delete_records_request_partition *from = &asked->topics.items[i].partitions.items[p];
            struct peer_topic *topic = peer_find_topic(&f->peer, asked->topics.items[i].name);
            assert_int_equal(topic->leaders[from->partition_index], peer_broker_of(request));
            body->topics.items[i].partitions.items[p] = (struct delete_records_response_partition){
                .partition_index = from->partition_index,
                .low_watermark = from->offset < 0 ? 77 : from->offset,
                .error_code = next_error(f),
            };
        }
    }
}

static void answer_list_groups(struct fixture *f, struct request *request)
{
    struct list_groups_response *body = peer_response(request);
    char *name = arena_string(&request->arena, mill_string("g-?"));
    name[2] = (char)('9' - peer_broker_of(request));
    body->groups.count = 1;
    body->groups.items = list_groups_response_group_array(&request->arena, 1);
    body->groups.items[0].group_id = mill_string(name);
    body->groups.items[0].protocol_type = mill_string("consumer");
    body->groups.items[0].group_state = mill_string("Stable");
}

static void answer_describe_group(struct fixture *f, struct request *request)
{
    struct describe_groups_response *body = peer_response(request);
    body->groups.count = 1;
    body->groups.items = describe_groups_response_group_array(&request->arena, 1);
    struct describe_groups_response_group *group = &body->groups.items[0];
    group->error_code = next_error(f);
    group->group_state = mill_string("Stable");
    group->protocol_type = mill_string("consumer");
    group->protocol_data = mill_string("stream");
    group->members.count = 1;
    group->members.items = describe_groups_response_member_array(&request->arena, 1);
    group->members.items[0].member_id = mill_string("m-1");
    group->members.items[0].client_id = mill_string("c");
    group->members.items[0].client_host = mill_string("/1.2.3.4");
}

static void answer_offsets(struct fixture *f, struct request *request)
{
    struct offset_fetch_response *body = peer_response(request);
    body->groups.count = 1;
    body->groups.items = offset_fetch_response_group_array(&request->arena, 1);
    body->groups.items[0].topics.count = 2;
    body->groups.items[0].topics.items = offset_fetch_response_group_topic_array(&request->arena, 2);
    static const char *const names[] = { "t", "gone" };
    for (int i = 0; i < 2; i++) {
        struct offset_fetch_response_group_topic *topic = &body->groups.items[0].topics.items[i];
        topic->name = mill_string(names[i]);
        topic->partitions.count = 1;
        topic->partitions.items = offset_fetch_response_group_partition_array(&request->arena, 1);
        topic->partitions.items[0].committed_offset = 30;
        topic->partitions.items[0].metadata = mill_string("note");
    }
}

static void answer_list_offsets(struct fixture *f, struct request *request)
{
    const struct list_offsets_request *asked = request->body;
    struct list_offsets_response *body = peer_response(request);
    assert_int_equal(asked->topics.count, 1);
    body->topics.count = 1;
    body->topics.items = list_offsets_response_topic_array(&request->arena, 1);
    body->topics.items[0].name = asked->topics.items[0].name;
    body->topics.items[0].partitions.count = 1;
    body->topics.items[0].partitions.items = list_offsets_response_partition_array(&request->arena, 1);
    body->topics.items[0].partitions.items[0].offset =
        asked->topics.items[0].partitions.items[0].timestamp == OFFSET_AT_END ? 42 : 5;
}

static bool cluster_hook(struct peer *peer, struct request *request)
{
    static void (*const answers[128])(struct fixture * f, struct request * request) = {
        [API_CREATE_TOPICS] = answer_create,     [API_DELETE_TOPICS] = answer_delete,
        [API_DESCRIBE_CONFIGS] = answer_configs, [API_DELETE_RECORDS] = answer_delete_records,
        [API_LIST_GROUPS] = answer_list_groups,  [API_DESCRIBE_GROUPS] = answer_describe_group,
        [API_OFFSET_FETCH] = answer_offsets,     [API_LIST_OFFSETS] = answer_list_offsets,
    };
    if (!answers[request->api->key])
        return false;
    answers[request->api->key](peer->ctx, request);
    peer_answer(peer, request);
    return true;
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    peer_init(&f.peer);
    f.peer.hook = cluster_hook;
    f.peer.ctx = &f;
    peer_add_topic(&f.peer, "t", 2, 1);
    f.peer.topics[0].leaders[1] = 3;
    f.client = peer_client(&f.peer);
    trace_set_level(TRACE_OFF);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    peer_end(&f->peer, f->client);
    return 0;
}

/* ---- topics ---------------------------------------------------------------------------------------------------------------- */

static void on_topics(void *ctx, int code, const char *text, const struct admin_topic_result *results, size_t count,
                      struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        note(ctx, "%s=%d ", results[i].name, results[i].code);
    done(ctx, code, text);
}

static void create(struct fixture *f)
{
    struct admin_config config = { "retention.ms", "-1" };
    struct admin_new_topic topic = { "new", 2, -1, &config, 1 };
    assert_non_null(admin_create_topics(f->client, &topic, 1, false, on_topics, f));
}

static void creating_ends_when_the_partitions_have_leaders(void **state)
{
    struct fixture *f = *state;
    create(f);
    assert_int_equal(f->calls, 0);
    peer_run(&f->peer, 500);
    assert_int_equal(f->calls, 0);
    f->peer.topics[1].leaders[0] = f->peer.topics[1].leaders[1] = 2;
    peer_run(&f->peer, 2000);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->code, 0);
    assert_string_equal(f->seen, "new=0 ");
}

static void a_refused_topic_says_why(void **state)
{
    struct fixture *f = *state;
    f->error = KAFKA_TOPIC_ALREADY_EXISTS;
    create(f);
    peer_run(&f->peer, 10);
    assert_int_equal(f->code, MILL_EEXISTS);
    assert_non_null(strstr(f->text, "topic new"));
    assert_non_null(strstr(f->text, "said the broker"));
}

static void a_controller_that_moved_is_asked_again(void **state)
{
    struct fixture *f = *state;
    f->error = KAFKA_NOT_CONTROLLER;
    create(f);
    peer_run(&f->peer, 200);
    peer_find_topic(&f->peer, mill_string("new"))->leaders[0] = 1;
    peer_find_topic(&f->peer, mill_string("new"))->leaders[1] = 1;
    peer_run(&f->peer, 2000);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->peer.requests[API_CREATE_TOPICS], 2);
}

static void an_operation_nobody_answers_times_out(void **state)
{
    struct fixture *f = *state;
    f->peer.refuse = true;
    create(f);
    peer_run(&f->peer, 95000);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->code, MILL_ETIMEOUT);
    assert_string_equal(f->seen, "new=-14 ");
}

static void a_cancelled_operation_tells_nothing(void **state)
{
    struct fixture *f = *state;
    struct admin_new_topic topic = { "new", 2, -1, NULL, 0 };
    struct admin_operation *operation = admin_create_topics(f->client, &topic, 1, false, on_topics, f);
    peer_run(&f->peer, 0);
    admin_cancel(operation);
    peer_run(&f->peer, 1000);
    assert_int_equal(f->calls, 0);
}

static void deleting_tells_of_each_topic_in_old_and_new_versions(void **state)
{
    struct fixture *f = *state;
    for (int16_t version = 5; version <= 6; version++) {
        tear_down(state);
        set_up(state);
        f->peer.version_caps[API_DELETE_TOPICS] = (int16_t)(version + 1);
        static const char *const names[] = { "t", "missing" };
        assert_non_null(admin_delete_topics(f->client, names, 2, on_topics, f));
        peer_run(&f->peer, 10);
        assert_int_equal(f->code, MILL_ENOTFOUND);
        assert_string_equal(f->seen, "t=0 missing=-6 ");
    }
}

static void on_described(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count,
                         struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        note(ctx, "%s:%d(%d) ", topics[i].name, (int)topics[i].partition_count,
             topics[i].partition_count > 1 ? (int)topics[i].partitions[1].leader : -1);
    done(ctx, code, text);
}

static void a_description_has_the_partitions_and_names_what_is_missing(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = { "t", "missing" };
    assert_non_null(admin_describe_topics(f->client, names, 2, on_described, f));
    peer_run(&f->peer, 10);
    assert_int_equal(f->code, MILL_ENOTFOUND);
    assert_string_equal(f->seen, "missing:0(-1) t:2(3) ");
}

static void on_configs(void *ctx, int code, const char *text, const struct admin_config_entry *entries, size_t count,
                       struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        note(ctx, "%s=%s%s ", entries[i].name, entries[i].value ? entries[i].value : "null",
             entries[i].is_default ? "(default)" : "");
    done(ctx, code, text);
}

static void configs_are_described(void **state)
{
    struct fixture *f = *state;
    assert_non_null(admin_describe_configs(f->client, ADMIN_TOPIC, "t", on_configs, f));
    peer_run(&f->peer, 10);
    assert_int_equal(f->code, 0);
    assert_string_equal(f->seen, "retention.ms=1000 secret=null(default) ");
}

static void on_records(void *ctx, int code, const char *text, const struct offset_query *results, size_t count,
                       struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        note(ctx, "%d=%d ", (int)results[i].partition, (int)results[i].offset);
    done(ctx, code, text);
}

static void records_are_deleted_leader_by_leader_with_retries(void **state)
{
    struct fixture *f = *state;
    struct client_topic *topic = client_topic(f->client, "t");
    struct offset_query before[2] = { { .topic = topic, .partition = 0, .offset = 10 },
                                      { .topic = topic, .partition = 1, .offset = -1 } };
    f->error = KAFKA_NOT_LEADER_OR_FOLLOWER;
    assert_non_null(admin_delete_records(f->client, before, 2, on_records, f));
    peer_run(&f->peer, 2000);
    assert_int_equal(f->code, 0);
    assert_string_equal(f->seen, "0=10 1=77 ");
    assert_int_equal(f->peer.requests[API_DELETE_RECORDS], 3);
}

/* ---- groups ---------------------------------------------------------------------------------------------------------------- */

static void on_groups(void *ctx, int code, const char *text, const struct admin_group_listing *groups, size_t count,
                      struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        note(ctx, "%s ", groups[i].group_id);
    done(ctx, code, text);
}

static void groups_of_all_brokers_are_listed_in_order(void **state)
{
    struct fixture *f = *state;
    assert_non_null(admin_list_groups(f->client, on_groups, f));
    peer_run(&f->peer, 10);
    assert_int_equal(f->code, 0);
    assert_string_equal(f->seen, "g-6 g-7 g-8 ");
}

static void on_group(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now)
{
    if (group) {
        note(ctx, "%s %s %zu ", group->state, group->protocol, group->member_count);
        for (size_t i = 0; i < group->offset_count; i++)
            note(ctx, "%s-%d %d [%d,%d] lag=%d ", group->offsets[i].topic, (int)group->offsets[i].partition,
                 (int)group->offsets[i].committed, (int)group->offsets[i].log_start, (int)group->offsets[i].log_end,
                 (int)group->offsets[i].lag);
    }
    done(ctx, code, text);
}

static void a_group_is_described_with_its_lag(void **state)
{
    struct fixture *f = *state;
    assert_non_null(admin_describe_group(f->client, "g", on_group, f));
    peer_run(&f->peer, 20000);
    assert_int_equal(f->code, 0);
    assert_string_equal(f->seen, "Stable stream 1 gone-0 30 [-1,-1] lag=-1 t-0 30 [5,42] lag=12 ");
}

static void a_group_that_does_not_exist_is_not_found(void **state)
{
    struct fixture *f = *state;
    f->error = KAFKA_GROUP_ID_NOT_FOUND;
    assert_non_null(admin_describe_group(f->client, "g", on_group, f));
    peer_run(&f->peer, 10);
    assert_int_equal(f->code, MILL_ENOTFOUND);
    assert_string_equal(f->seen, "");
}

static void every_failed_allocation_is_survived(void **state)
{
    struct fixture *f = *state;
    for (uint64_t n = 1; n < 120; n++) {
        tear_down(state);
        set_up(state);
        peer_fail_at(n);
        struct admin_operation *operation = admin_describe_group(f->client, "g", on_group, f);
        peer_run(&f->peer, 100000);
        peer_fail_at(0);
        assert_int_equal(f->calls, operation ? 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(creating_ends_when_the_partitions_have_leaders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_topic_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_controller_that_moved_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_operation_nobody_answers_times_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_operation_tells_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deleting_tells_of_each_topic_in_old_and_new_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_description_has_the_partitions_and_names_what_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(configs_are_described, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_are_deleted_leader_by_leader_with_retries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(groups_of_all_brokers_are_listed_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_is_described_with_its_lag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_that_does_not_exist_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
