/* Group membership and committed offsets, against a coordinator whose every answer the test gives. */
#include "fake_peer.h"

#include "base/trace.h"
#include "client/group_member.h"
#include "wire/api/heartbeat.h"
#include "wire/api/join_group.h"
#include "wire/api/leave_group.h"
#include "wire/api/offset_commit.h"
#include "wire/api/offset_fetch.h"
#include "wire/api/sync_group.h"
#include "wire/api/txn_offset_commit.h"

struct fixture {
    struct peer peer;
    struct client *client;
    struct group_options options;
    struct group_member *member;
    struct client_topic *topic;
    char log[1024]; /* of what the owner was told */
    bool join_at_once;
    bool assign_at_once;
    size_t peers;
    int failure_code;
    char failure_text[ERROR_TEXT_BYTES];
    int offsets_calls;
    int offsets_code;
    int64_t offset;
    char metadata[64];
};

static void note(struct fixture *f, const char *word)
{
    if (f->log[0])
        strcat(f->log, " ");
    strcat(f->log, word);
}

/* ---- the owner ------------------------------------------------------------------------------------------------------------- */

static void on_prepare(void *ctx, struct io_time now)
{
    struct fixture *f = ctx;
    note(f, "prepare");
    if (f->join_at_once)
        group_member_join(f->member);
}

static int on_subscribe(void *ctx, const char *protocol, struct buffer *metadata)
{
    buffer_append(metadata, "wants t", 7);
    return 0;
}

static void on_assign(void *ctx, const char *protocol, const struct group_peer *peers, size_t count, struct io_time now)
{
    struct fixture *f = ctx;
    mill_bytes assignments[4];
    note(f, "assign");
    f->peers = count;
    for (size_t i = 0; i < count; i++)
        assignments[i] = mill_string("share");
    if (f->assign_at_once)
        assert_int_equal(group_member_assign(f->member, assignments, count), 0);
}

static void on_assigned(void *ctx, const char *protocol, mill_bytes assignment, struct io_time now)
{
    char word[64];
    snprintf(word, sizeof word, "assigned(%.*s)", (int)assignment.len, (const char *)assignment.data);
    note(ctx, word);
}

static void on_lost(void *ctx, struct io_time now)
{
    note(ctx, "lost");
}

static void on_failed(void *ctx, int code, const char *text, struct io_time now)
{
    struct fixture *f = ctx;
    note(f, "failed");
    f->failure_code = code;
    snprintf(f->failure_text, sizeof f->failure_text, "%s", text);
}

static void on_left(void *ctx)
{
    note(ctx, "left");
}

static void on_offsets(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count, struct io_time now)
{
    struct fixture *f = ctx;
    f->offsets_calls++;
    f->offsets_code = code;
    f->offset = count > 0 ? offsets[0].offset : -2;
    if (count > 0)
        snprintf(f->metadata, sizeof f->metadata, "%.*s", (int)offsets[0].metadata.len, (const char *)offsets[0].metadata.data);
}

static void on_held(void *ctx, int64_t wait_ms, struct io_time now)
{
    char word[64];
    snprintf(word, sizeof word, "held(%lld)", (long long)wait_ms);
    note(ctx, word);
}

static const struct group_member_events member_events = { .prepare = on_prepare,
                                                          .subscribe = on_subscribe,
                                                          .assign = on_assign,
                                                          .assigned = on_assigned,
                                                          .lost = on_lost,
                                                          .failed = on_failed,
                                                          .held = on_held };
static const char *const protocols[] = { "stream", NULL };

/* ---- the coordinator ------------------------------------------------------------------------------------------------------- */

static struct request *take(struct fixture *f, enum api_key key)
{
    struct request *request = peer_held(&f->peer, key);
    if (!request) {
        print_message("no %s request came; so far: %s\n", api_find((int16_t)key)->name, f->log);
        fail();
    }
    assert_int_equal(peer_broker_of(request), f->peer.coordinator);
    return request;
}

static void give(struct fixture *f, struct request *request)
{
    peer_answer(&f->peer, request);
    peer_run(&f->peer, 0);
}

static void answer_join(struct fixture *f, int16_t error, int32_t generation, bool leads, const char *member_id)
{
    struct request *request = take(f, API_JOIN_GROUP);
    struct join_group_response *body = peer_response(request);
    body->error_code = error;
    body->generation_id = generation;
    body->member_id = mill_string(member_id);
    body->leader = leads ? mill_string(member_id) : mill_string("another");
    body->protocol_name = mill_string("stream");
    if (leads) {
        body->members.count = 2;
        body->members.items = join_group_response_member_array(&request->arena, 2);
        body->members.items[0].member_id = mill_string(member_id);
        body->members.items[0].metadata = mill_string("wants t");
        body->members.items[1].member_id = mill_string("another");
        body->members.items[1].metadata = mill_string("wants t too");
    }
    give(f, request);
}

static void answer_sync(struct fixture *f, int16_t error, const char *assignment)
{
    struct request *request = take(f, API_SYNC_GROUP);
    struct sync_group_response *body = peer_response(request);
    body->error_code = error;
    body->assignment = mill_string(assignment);
    give(f, request);
}

static void answer_heartbeat(struct fixture *f, int16_t error)
{
    struct request *request = take(f, API_HEARTBEAT);
    ((struct heartbeat_response *)peer_response(request))->error_code = error;
    give(f, request);
}

static void answer_commit(struct fixture *f, int16_t error)
{
    struct request *request = take(f, API_OFFSET_COMMIT);
    const struct offset_commit_request *asked = request->body;
    struct offset_commit_response *body = peer_response(request);
    body->topics.count = 1;
    body->topics.items = offset_commit_response_topic_array(&request->arena, 1);
    body->topics.items[0].name = asked->topics.items[0].name;
    body->topics.items[0].topic_id = asked->topics.items[0].topic_id;
    body->topics.items[0].partitions.count = asked->topics.items[0].partitions.count;
    body->topics.items[0].partitions.items =
        offset_commit_response_partition_array(&request->arena, asked->topics.items[0].partitions.count);
    for (int32_t i = 0; i < asked->topics.items[0].partitions.count; i++) {
        body->topics.items[0].partitions.items[i].partition_index = asked->topics.items[0].partitions.items[i].partition_index;
        body->topics.items[0].partitions.items[i].error_code = error;
    }
    give(f, request);
}

static void answer_txn_commit(struct fixture *f, int16_t error)
{
    struct request *request = take(f, API_TXN_OFFSET_COMMIT);
    const struct txn_offset_commit_request *asked = request->body;
    struct txn_offset_commit_response *body = peer_response(request);
    int32_t partitions = asked->topics.items[0].partitions.count;
    body->topics.count = 1;
    body->topics.items = txn_offset_commit_response_topic_array(&request->arena, 1);
    body->topics.items[0].name = asked->topics.items[0].name;
    body->topics.items[0].partitions.count = partitions;
    body->topics.items[0].partitions.items = txn_offset_commit_response_partition_array(&request->arena, partitions);
    for (int32_t i = 0; i < partitions; i++)
        body->topics.items[0].partitions.items[i] =
            (struct txn_offset_commit_response_partition){ asked->topics.items[0].partitions.items[i].partition_index, error };
    give(f, request);
}

static void answer_offset_fetch(struct fixture *f, int16_t error, int64_t offset, const char *metadata)
{
    struct request *request = take(f, API_OFFSET_FETCH);
    const struct offset_fetch_request *asked = request->body;
    struct offset_fetch_response *body = peer_response(request);
    if (request->api_version < 8) {
        body->topics.count = 1;
        body->topics.items = offset_fetch_response_topic_array(&request->arena, 1);
        body->topics.items[0].name = asked->topics.items[0].name;
        body->topics.items[0].partitions.count = 1;
        body->topics.items[0].partitions.items = offset_fetch_response_partition_array(&request->arena, 1);
        body->topics.items[0].partitions.items[0] = (struct offset_fetch_response_partition){ .committed_offset = offset,
                                                                                              .metadata = mill_string(metadata),
                                                                                              .error_code = error };
        give(f, request);
        return;
    }
    assert_true(asked->require_stable);
    body->groups.count = 1;
    body->groups.items = offset_fetch_response_group_array(&request->arena, 1);
    struct offset_fetch_response_group *group = &body->groups.items[0];
    group->topics.count = 1;
    group->topics.items = offset_fetch_response_group_topic_array(&request->arena, 1);
    group->topics.items[0].name = asked->groups.items[0].topics.items[0].name;
    group->topics.items[0].topic_id = asked->groups.items[0].topics.items[0].topic_id;
    group->topics.items[0].partitions.count = 1;
    group->topics.items[0].partitions.items = offset_fetch_response_group_partition_array(&request->arena, 1);
    group->topics.items[0].partitions.items[0] = (struct offset_fetch_response_group_partition){
        .committed_offset = offset, .metadata = mill_string(metadata), .error_code = error
    };
    give(f, request);
}

static void answer_leave(struct fixture *f)
{
    struct request *request = take(f, API_LEAVE_GROUP);
    peer_response(request);
    give(f, request);
}

/* ---- the fixture ----------------------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    static struct fixture f;
    struct config config;
    memset(&f, 0, sizeof f);
    peer_init(&f.peer);
    f.join_at_once = true;
    f.assign_at_once = true;
    peer_add_topic(&f.peer, "t", 2, 1);
    config_init(&config, &client_option_table);
    assert_int_equal(group_options_read(&f.options, &config), 0);
    config_release(&config);
    f.options.group_id = "g";
    f.client = peer_client(&f.peer);
    f.topic = client_topic(f.client, "t");
    trace_set_level(getenv("TRACE") ? TRACE_DEBUG : TRACE_OFF);
    peer_run(&f.peer, 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    group_member_free(f->member);
    peer_end(&f->peer, f->client);
    return 0;
}

static void start(struct fixture *f)
{
    f->member = group_member_new(f->client, &f->options, "consumer", protocols, &member_events, f);
    group_member_start(f->member);
    peer_run(&f->peer, 0);
}

static void become_stable(struct fixture *f)
{
    start(f);
    answer_join(f, KAFKA_MEMBER_ID_REQUIRED, -1, false, "m-1");
    answer_join(f, 0, 5, false, "m-1");
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "prepare assigned(p0)");
    f->log[0] = '\0';
}

static void commit(struct fixture *f, int64_t offset)
{
    struct group_offset offsets[2] = {
        { .topic = f->topic, .partition = 0, .offset = offset, .leader_epoch = -1, .metadata = mill_string("note") },
        { .topic = f->topic, .partition = 1, .offset = offset, .leader_epoch = -1 },
    };
    assert_int_equal(group_member_commit(f->member, offsets, 2, on_offsets, f), 0);
    peer_run(&f->peer, 0);
}

static void commit_in_transaction(struct fixture *f, int64_t offset)
{
    struct producer_identity producer = { .transactional_id = "app-1", .producer_id = 77, .producer_epoch = 3 };
    struct group_offset offsets[2] = {
        { .topic = f->topic, .partition = 0, .offset = offset, .leader_epoch = -1, .metadata = mill_string("note") },
        { .topic = f->topic, .partition = 1, .offset = offset, .leader_epoch = -1 },
    };
    assert_int_equal(group_member_commit_in_transaction(f->member, producer, offsets, 2, on_offsets, f), 0);
    peer_run(&f->peer, 0);
}

static void fetch(struct fixture *f)
{
    struct group_offset offset = { .topic = f->topic, .partition = 0 };
    assert_int_equal(group_member_committed(f->member, &offset, 1, true, on_offsets, f), 0);
    peer_run(&f->peer, 0);
}

/* ---- joining --------------------------------------------------------------------------------------------------------------- */

static void a_member_gets_an_id_joins_and_is_assigned(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    assert_int_equal(group_member_state(f->member), GROUP_MEMBER_STABLE);
    assert_int_equal(group_member_generation(f->member), 5);
    assert_string_equal(group_member_id(f->member), "m-1");
    assert_false(group_member_is_leader(f->member));
}

static void a_leader_assigns_for_all(void **state)
{
    struct fixture *f = *state;
    start(f);
    answer_join(f, 0, 1, true, "m-1");
    assert_int_equal(f->peers, 2);
    const struct sync_group_request *sync = take(f, API_SYNC_GROUP)->body;
    assert_int_equal(sync->assignments.count, 2);
    assert_true(mill_bytes_equal(sync->assignments.items[1].member_id, mill_string("another")));
    assert_true(mill_bytes_equal(sync->assignments.items[1].assignment, mill_string("share")));
    answer_sync(f, 0, "share");
    assert_string_equal(f->log, "prepare assign assigned(share)");
    assert_true(group_member_is_leader(f->member));
}

static void a_slow_leader_keeps_its_membership_and_may_be_overtaken(void **state)
{
    struct fixture *f = *state;
    f->assign_at_once = false;
    start(f);
    answer_join(f, 0, 1, true, "m-1");
    peer_run(&f->peer, 3000);
    answer_heartbeat(f, 0);
    peer_run(&f->peer, 3000);
    answer_heartbeat(f, KAFKA_REBALANCE_IN_PROGRESS); /* another one came */
    assert_int_equal(group_member_state(f->member), GROUP_MEMBER_JOINING);
    mill_bytes late[2] = { mill_string("x"), mill_string("y") };
    assert_int_equal(group_member_assign(f->member, late, 2), 0); /* too late: does nothing */
    assert_null(peer_held(&f->peer, API_SYNC_GROUP));
}

static void a_rebalance_waits_for_the_owner(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    f->join_at_once = false;
    peer_run(&f->peer, 3000);
    answer_heartbeat(f, KAFKA_REBALANCE_IN_PROGRESS);
    assert_string_equal(f->log, "prepare");
    peer_run(&f->peer, 3000);
    answer_heartbeat(f, KAFKA_REBALANCE_IN_PROGRESS); /* still alive, still preparing */
    assert_null(peer_held(&f->peer, API_JOIN_GROUP));
    commit(f, 7);
    answer_commit(f, 0);
    assert_int_equal(f->offsets_code, 0);

    group_member_join(f->member);
    peer_run(&f->peer, 0);
    const struct join_group_request *join = take(f, API_JOIN_GROUP)->body;
    assert_true(mill_bytes_equal(join->member_id, mill_string("m-1")));
    answer_join(f, 0, 6, false, "m-1");
    answer_sync(f, 0, "p1");
    assert_string_equal(f->log, "prepare assigned(p1)");
}

static void a_sync_that_a_rebalance_overtakes_joins_again(void **state)
{
    struct fixture *f = *state;
    start(f);
    answer_join(f, 0, 1, false, "m-1");
    answer_sync(f, KAFKA_REBALANCE_IN_PROGRESS, NULL);
    answer_join(f, 0, 2, false, "m-1");
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "prepare prepare assigned(p0)");
}

static void a_forgotten_member_loses_its_share_and_joins_as_a_new_one(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    peer_run(&f->peer, 3000);
    answer_heartbeat(f, KAFKA_UNKNOWN_MEMBER_ID);
    assert_string_equal(f->log, "lost prepare");
    const struct join_group_request *join = take(f, API_JOIN_GROUP)->body;
    assert_int_equal(join->member_id.len, 0);
    answer_join(f, 0, 8, false, "m-2");
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "lost prepare assigned(p0)");
}

static void a_join_that_a_member_never_completed_loses_nothing(void **state)
{
    struct fixture *f = *state;
    start(f);
    answer_join(f, KAFKA_UNKNOWN_MEMBER_ID, -1, false, "");
    answer_join(f, 0, 1, false, "m-1");
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "prepare prepare assigned(p0)");
}

static void a_fenced_instance_fails_for_good(void **state)
{
    struct fixture *f = *state;
    f->options.group_instance_id = "i-1";
    start(f);
    const struct join_group_request *join = take(f, API_JOIN_GROUP)->body;
    assert_true(mill_bytes_equal(join->group_instance_id, mill_string("i-1")));
    answer_join(f, KAFKA_FENCED_INSTANCE_ID, -1, false, "");
    assert_string_equal(f->log, "prepare failed");
    assert_int_equal(f->failure_code, MILL_EFENCED);
    assert_non_null(strstr(f->failure_text, "i-1"));
    peer_run(&f->peer, 100000);
    assert_true(list_empty(&f->peer.held));
}

static void a_static_leader_that_returns_skips_the_assignment(void **state)
{
    struct fixture *f = *state;
    f->options.group_instance_id = "i-1";
    start(f);
    struct request *request = take(f, API_JOIN_GROUP);
    struct join_group_response *body = peer_response(request);
    body->generation_id = 3;
    body->member_id = mill_string("i-1-x");
    body->leader = body->member_id;
    body->protocol_name = mill_string("stream");
    body->skip_assignment = true;
    give(f, request);
    const struct sync_group_request *sync = take(f, API_SYNC_GROUP)->body;
    assert_int_equal(sync->assignments.count, 0);
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "prepare assigned(p0)");
}

static void a_foreign_protocol_is_waited_for_until_it_must_have_expired(void **state)
{
    struct fixture *f = *state;
    start(f);
    for (int second = 0; second <= 47; second++) {
        answer_join(f, KAFKA_INCONSISTENT_GROUP_PROTOCOL, -1, false, "");
        assert_string_equal(f->log, "prepare held(45000)"); /* told once */
        peer_run(&f->peer, 1000);
    }
    answer_join(f, KAFKA_INCONSISTENT_GROUP_PROTOCOL, -1, false, "");
    assert_string_equal(f->log, "prepare held(45000) failed");
    assert_int_equal(f->failure_code, MILL_EINVALID);
}

static void a_foreign_protocol_that_goes_away_lets_us_in(void **state)
{
    struct fixture *f = *state;
    start(f);
    answer_join(f, KAFKA_INCONSISTENT_GROUP_PROTOCOL, -1, false, "");
    peer_run(&f->peer, 1000);
    answer_join(f, 0, 1, false, "m-1");
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "prepare held(45000) assigned(p0)");
}

static void a_moved_coordinator_is_followed_with_the_membership(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    peer_run(&f->peer, 3000);
    f->peer.coordinator = 3;
    struct request *request = peer_held(&f->peer, API_HEARTBEAT);
    ((struct heartbeat_response *)peer_response(request))->error_code = KAFKA_NOT_COORDINATOR;
    give(f, request);
    peer_run(&f->peer, 3000);
    answer_heartbeat(f, 0);
    assert_string_equal(f->log, "");
    assert_int_equal(group_member_state(f->member), GROUP_MEMBER_STABLE);
}

static void a_lost_connection_does_not_cost_the_membership(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    f->peer.refuse = true;
    peer_cut_all(&f->peer);
    peer_run(&f->peer, 60000);
    f->peer.refuse = false;
    peer_run(&f->peer, 10000);
    answer_heartbeat(f, 0);
    assert_string_equal(f->log, "");
}

static void a_join_without_an_answer_is_sent_again(void **state)
{
    struct fixture *f = *state;
    start(f);
    peer_cut_all(&f->peer);
    peer_run(&f->peer, 1000);
    answer_join(f, 0, 1, false, "m-1");
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "prepare assigned(p0)");
}

static void an_authorization_failure_is_final(void **state)
{
    struct fixture *f = *state;
    start(f);
    answer_join(f, KAFKA_GROUP_AUTHORIZATION_FAILED, -1, false, "");
    assert_int_equal(f->failure_code, MILL_EACCESS);
}

static void a_rejoin_asked_while_joining_comes_after(void **state)
{
    struct fixture *f = *state;
    start(f);
    group_member_rejoin(f->member, "a task was lost");
    answer_join(f, 0, 1, false, "m-1");
    answer_sync(f, 0, "p0");
    answer_join(f, 0, 2, false, "m-1");
    answer_sync(f, 0, "p1");
    assert_string_equal(f->log, "prepare assigned(p0) prepare assigned(p1)");
}

/* ---- leaving --------------------------------------------------------------------------------------------------------------- */

static void leaving_tells_the_coordinator(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    group_member_leave(f->member, false, on_left, f);
    peer_run(&f->peer, 0);
    const struct leave_group_request *leave = take(f, API_LEAVE_GROUP)->body;
    assert_true(mill_bytes_equal(leave->members.items[0].member_id, mill_string("m-1")));
    assert_string_equal(f->log, "");
    answer_leave(f);
    assert_string_equal(f->log, "left");
    assert_int_equal(group_member_state(f->member), GROUP_MEMBER_IDLE);
}

static void a_static_member_leaves_without_a_word(void **state)
{
    struct fixture *f = *state;
    f->options.group_instance_id = "i-1";
    start(f);
    answer_join(f, 0, 1, false, "m-1");
    answer_sync(f, 0, "p0");
    group_member_leave(f->member, false, on_left, f);
    assert_null(peer_held(&f->peer, API_LEAVE_GROUP));
    assert_string_equal(f->log, "prepare assigned(p0) left");
}

static void leaving_does_not_wait_for_a_silent_coordinator(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    group_member_leave(f->member, false, on_left, f);
    peer_run(&f->peer, 5000);
    assert_string_equal(f->log, "left");
}

static void a_coordinator_that_is_never_content_with_a_member_id_is_not_pressed(void **state)
{
    struct fixture *f = *state;
    start(f);
    answer_join(f, KAFKA_MEMBER_ID_REQUIRED, -1, false, "m-1");
    answer_join(f, KAFKA_MEMBER_ID_REQUIRED, -1, false, "m-2");
    int joins = f->peer.requests[API_JOIN_GROUP];
    peer_run(&f->peer, 0);
    assert_int_equal(f->peer.requests[API_JOIN_GROUP], joins);
    peer_run(&f->peer, 2000);
    answer_join(f, 0, 5, false, "m-2");
    answer_sync(f, 0, "p0");
    assert_string_equal(f->log, "prepare assigned(p0)");
}

static void leaving_while_a_join_is_parked_goes_another_way(void **state)
{
    struct fixture *f = *state;
    start(f);
    answer_join(f, KAFKA_MEMBER_ID_REQUIRED, -1, false, "m-1");
    struct request *join = take(f, API_JOIN_GROUP);
    group_member_leave(f->member, false, on_left, f);
    peer_run(&f->peer, 0);
    assert_ptr_not_equal(take(f, API_LEAVE_GROUP)->holder, join->holder);
    answer_leave(f);
    assert_string_equal(f->log, "prepare left");
}

/* ---- offsets --------------------------------------------------------------------------------------------------------------- */

static void a_commit_carries_generation_and_metadata(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    commit(f, 7);
    const struct offset_commit_request *request = take(f, API_OFFSET_COMMIT)->body;
    assert_int_equal(request->generation_id_or_member_epoch, 5);
    assert_true(mill_bytes_equal(request->member_id, mill_string("m-1")));
    assert_int_equal(request->topics.count, 1);
    assert_int_equal(request->topics.items[0].partitions.count, 2);
    assert_true(mill_bytes_equal(request->topics.items[0].partitions.items[0].committed_metadata, mill_string("note")));
    answer_commit(f, 0);
    assert_int_equal(f->offsets_calls, 1);
    assert_int_equal(f->offsets_code, 0);
}

static void commits_go_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    commit(f, 7);
    commit(f, 8);
    assert_int_equal(f->peer.requests[API_OFFSET_COMMIT], 1);
    answer_commit(f, KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    peer_run(&f->peer, 200);
    const struct offset_commit_request *again = take(f, API_OFFSET_COMMIT)->body;
    assert_int_equal(again->topics.items[0].partitions.items[0].committed_offset, 7);
    answer_commit(f, 0);
    answer_commit(f, 0);
    assert_int_equal(f->offsets_calls, 2);
    assert_int_equal(f->peer.requests[API_OFFSET_COMMIT], 3);
}

static void a_commit_during_a_rebalance_is_to_be_made_again(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    commit(f, 7);
    answer_commit(f, KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(f->offsets_code, MILL_EAGAIN);
    assert_string_equal(f->log, "");
}

static void a_fenced_commit_loses_the_membership(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    commit(f, 7);
    answer_commit(f, KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(f->offsets_code, MILL_EFENCED);
    assert_string_equal(f->log, "lost prepare");
}

static void a_commit_is_not_carried_into_the_next_generation(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    commit(f, 7);
    answer_commit(f, KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    group_member_rejoin(f->member, "test");
    peer_run(&f->peer, 0);
    answer_join(f, 0, 6, false, "m-1");
    answer_sync(f, 0, "p1");
    peer_run(&f->peer, 1000);
    assert_int_equal(f->offsets_code, MILL_EAGAIN);
    assert_int_equal(f->peer.requests[API_OFFSET_COMMIT], 1);
}

static void a_commit_of_a_lost_membership_is_fenced(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    peer_run(&f->peer, 3000);
    answer_heartbeat(f, KAFKA_UNKNOWN_MEMBER_ID);
    commit(f, 7);
    assert_int_equal(f->offsets_code, MILL_EFENCED);
    assert_int_equal(f->peer.requests[API_OFFSET_COMMIT], 0);
}

static void a_commit_in_a_transaction_carries_producer_and_membership(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    commit_in_transaction(f, 7);
    struct request *request = take(f, API_TXN_OFFSET_COMMIT);
    const struct txn_offset_commit_request *body = request->body;
    assert_true(mill_bytes_equal(body->transactional_id, mill_string("app-1")));
    assert_true(mill_bytes_equal(body->group_id, mill_string("g")));
    assert_int_equal(body->producer_id, 77);
    assert_int_equal(body->producer_epoch, 3);
    assert_int_equal(body->generation_id, 5);
    assert_true(mill_bytes_equal(body->member_id, mill_string("m-1")));
    assert_int_equal(body->topics.count, 1);
    assert_int_equal(body->topics.items[0].partitions.count, 2);
    assert_int_equal(body->topics.items[0].partitions.items[0].committed_offset, 7);
    assert_true(mill_bytes_equal(body->topics.items[0].partitions.items[0].committed_metadata, mill_string("note")));
    assert_in_range(request->api_version, 3, 4); /* 5 would be KIP-890's, and 2 has no generation */
    answer_txn_commit(f, 0);
    assert_int_equal(f->offsets_calls, 1);
    assert_int_equal(f->offsets_code, 0);
}

static void a_commit_in_a_transaction_is_retried_and_fenced_by_generation(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    commit_in_transaction(f, 7);
    answer_txn_commit(f, KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    assert_int_equal(f->offsets_calls, 0);
    peer_run(&f->peer, 200);
    answer_txn_commit(f, KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(f->offsets_code, MILL_EAGAIN);
    commit_in_transaction(f, 7);
    answer_txn_commit(f, KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(f->offsets_code, MILL_EFENCED);
    assert_string_equal(f->log, "lost prepare");
}

static void a_fenced_producer_keeps_its_membership(void **state)
{
    struct fixture *f = *state;
    static const int16_t errors[] = { KAFKA_PRODUCER_FENCED, KAFKA_INVALID_PRODUCER_EPOCH };
    become_stable(f);
    for (size_t i = 0; i < 2; i++) {
        f->offsets_code = 0;
        commit_in_transaction(f, 7);
        answer_txn_commit(f, errors[i]);
        assert_int_equal(f->offsets_code, MILL_EFENCED);
    }
    assert_string_equal(f->log, "");
    assert_int_equal(group_member_state(f->member), GROUP_MEMBER_STABLE);
}

static void a_commit_nobody_answers_times_out(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    f->peer.refuse = true;
    peer_cut_all(&f->peer);
    commit(f, 7);
    peer_run(&f->peer, 92000);
    assert_int_equal(f->offsets_calls, 1);
    assert_true(f->offsets_code == MILL_ETIMEOUT || f->offsets_code == MILL_ECONNECTION);
}

static void committed_offsets_come_with_their_metadata_in_old_and_new_versions(void **state)
{
    struct fixture *f = *state;
    static const int16_t caps[] = { 5, 7, 8, 9, 10 };
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        tear_down(state);
        set_up(state);
        f->peer.version_caps[API_OFFSET_FETCH] = (int16_t)(caps[i] + 1);
        f->member = group_member_new(f->client, &f->options, "consumer", protocols, &member_events, f);
        fetch(f);
        answer_offset_fetch(f, 0, 42, "time");
        assert_int_equal(f->offsets_code, 0);
        assert_int_equal(f->offset, 42);
        assert_string_equal(f->metadata, "time");
    }
}

static void unstable_offsets_are_waited_for(void **state)
{
    struct fixture *f = *state;
    become_stable(f);
    fetch(f);
    answer_offset_fetch(f, KAFKA_UNSTABLE_OFFSET_COMMIT, -1, "");
    assert_int_equal(f->offsets_calls, 0);
    peer_run(&f->peer, 200);
    answer_offset_fetch(f, 0, 9, "");
    assert_int_equal(f->offsets_calls, 1);
    assert_int_equal(f->offset, 9);
}

static void a_group_without_members_can_be_committed_for(void **state)
{
    struct fixture *f = *state;
    f->member = group_member_new(f->client, &f->options, "consumer", protocols, &member_events, f);
    commit(f, 7);
    const struct offset_commit_request *request = take(f, API_OFFSET_COMMIT)->body;
    assert_int_equal(request->generation_id_or_member_epoch, -1);
    assert_int_equal(request->member_id.len, 0);
    answer_commit(f, 0);
    assert_int_equal(f->offsets_code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_member_gets_an_id_joins_and_is_assigned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_leader_assigns_for_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_leader_keeps_its_membership_and_may_be_overtaken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rebalance_waits_for_the_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sync_that_a_rebalance_overtakes_joins_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_forgotten_member_loses_its_share_and_joins_as_a_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_join_that_a_member_never_completed_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fenced_instance_fails_for_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_static_leader_that_returns_skips_the_assignment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_foreign_protocol_is_waited_for_until_it_must_have_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_foreign_protocol_that_goes_away_lets_us_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moved_coordinator_is_followed_with_the_membership, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_connection_does_not_cost_the_membership, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_join_without_an_answer_is_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_authorization_failure_is_final, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rejoin_asked_while_joining_comes_after, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaving_tells_the_coordinator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_static_member_leaves_without_a_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaving_does_not_wait_for_a_silent_coordinator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_coordinator_that_is_never_content_with_a_member_id_is_not_pressed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaving_while_a_join_is_parked_goes_another_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_carries_generation_and_metadata, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commits_go_one_after_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_during_a_rebalance_is_to_be_made_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fenced_commit_loses_the_membership, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_is_not_carried_into_the_next_generation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_of_a_lost_membership_is_fenced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_in_a_transaction_carries_producer_and_membership, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_in_a_transaction_is_retried_and_fenced_by_generation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fenced_producer_keeps_its_membership, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_nobody_answers_times_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(committed_offsets_come_with_their_metadata_in_old_and_new_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unstable_offsets_are_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_without_members_can_be_committed_for, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
