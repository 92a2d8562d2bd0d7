#include "broker_rig.h"

#include "wire/api/delete_groups.h"
#include "wire/api/delete_topics.h"
#include "wire/api/describe_groups.h"
#include "wire/api/find_coordinator.h"
#include "wire/api/heartbeat.h"
#include "wire/api/join_group.h"
#include "wire/api/leave_group.h"
#include "wire/api/list_groups.h"
#include "wire/api/offset_commit.h"
#include "wire/api/offset_fetch.h"
#include "wire/api/sync_group.h"

enum { SESSION_MS = 10000, REBALANCE_MS = 60000, ID_BYTES = 700 };

/* A member as a client has it. */
struct member {
    struct rig *rig;
    const char *group;
    char id[ID_BYTES];
    const char *instance;
    const char *protocols[3]; /* in order of preference */
    const char *metadata;
    const char *host;
    int32_t generation;
    struct ask ask;
};

static struct member new_member(struct rig *rig)
{
    return (struct member){
        .rig = rig, .group = "g", .protocols = { "range" }, .metadata = "m", .host = "/10.0.0.1", .generation = -1
    };
}

static mill_bytes text(const char *string)
{
    return string ? mill_string(string) : mill_null();
}

static void keep_id(struct member *member, mill_bytes id)
{
    assert_true(id.len < sizeof member->id);
    memcpy(member->id, id.data, id.len);
    member->id[id.len] = '\0';
}

static void send_join(struct member *member, int16_t version)
{
    struct join_group_request *request = ask_new(&member->ask, API_JOIN_GROUP, version);
    request->group_id = mill_string(member->group);
    request->session_timeout_ms = SESSION_MS;
    request->rebalance_timeout_ms = REBALANCE_MS;
    request->member_id = mill_string(member->id);
    request->group_instance_id = text(member->instance);
    request->protocol_type = mill_string("consumer");
    request->protocols.items = join_group_request_protocol_array(&member->ask.request->arena, 3);
    for (int i = 0; i < 3 && member->protocols[i]; i++) {
        request->protocols.items[i].name = mill_string(member->protocols[i]);
        request->protocols.items[i].metadata = mill_string(member->metadata);
        request->protocols.count = i + 1;
    }
    rig_send_from(member->rig, &member->ask, member->host);
}

static struct join_group_response *wait_join(struct member *member)
{
    struct join_group_response *response = rig_wait(member->rig, &member->ask);
    assert_non_null(response);
    if (response->member_id.len > 0)
        keep_id(member, response->member_id);
    if (response->error_code == KAFKA_NONE)
        member->generation = response->generation_id;
    return response;
}

/* Asks for an id, then joins with it; leaves the second request under way. */
static void start_join(struct member *member)
{
    if (member->id[0] == '\0' && !member->instance) {
        send_join(member, 7);
        assert_int_equal(wait_join(member)->error_code, KAFKA_MEMBER_ID_REQUIRED);
        ask_end(&member->ask);
    }
    send_join(member, 7);
}

static int16_t end_join(struct member *member)
{
    int16_t error = wait_join(member)->error_code;
    ask_end(&member->ask);
    return error;
}

static void send_sync(struct member *member, struct member *const *assigned, int32_t count)
{
    struct sync_group_request *request = ask_new(&member->ask, API_SYNC_GROUP, 5);
    request->group_id = mill_string(member->group);
    request->generation_id = member->generation;
    request->member_id = mill_string(member->id);
    request->group_instance_id = text(member->instance);
    request->protocol_type = mill_string("consumer");
    request->assignments.items = sync_group_request_assignment_array(&member->ask.request->arena, count);
    request->assignments.count = count;
    for (int32_t i = 0; i < count; i++) {
        request->assignments.items[i].member_id = mill_string(assigned[i]->id);
        request->assignments.items[i].assignment = mill_string(assigned[i]->id); /* to each its own id */
    }
    rig_send_from(member->rig, &member->ask, member->host);
}

static int16_t end_sync(struct member *member)
{
    struct sync_group_response *response = rig_wait(member->rig, &member->ask);
    int16_t error = response->error_code;
    if (error == KAFKA_NONE)
        assert_true(mill_bytes_equal(response->assignment, mill_string(member->id)));
    ask_end(&member->ask);
    return error;
}

static int16_t heartbeat(struct member *member)
{
    struct ask ask;
    struct heartbeat_request *request = ask_new(&ask, API_HEARTBEAT, 4);
    request->group_id = mill_string(member->group);
    request->generation_id = member->generation;
    request->member_id = mill_string(member->id);
    request->group_instance_id = text(member->instance);
    int16_t error = ((struct heartbeat_response *)rig_ask(member->rig, &ask))->error_code;
    ask_end(&ask);
    return error;
}

static int16_t leave(struct member *member)
{
    struct ask ask;
    struct leave_group_request *request = ask_new(&ask, API_LEAVE_GROUP, 2);
    request->group_id = mill_string(member->group);
    request->member_id = mill_string(member->id);
    int16_t error = ((struct leave_group_response *)rig_ask(member->rig, &ask))->error_code;
    ask_end(&ask);
    return error;
}

/* One member alone, stable. */
static struct member stable_member(struct rig *rig)
{
    struct member member = new_member(rig);
    start_join(&member);
    assert_int_equal(end_join(&member), KAFKA_NONE);
    send_sync(&member, (struct member *[]){ &member }, 1);
    assert_int_equal(end_sync(&member), KAFKA_NONE);
    return member;
}

/* Two members, stable; the first one leads. */
static void stable_pair(struct rig *rig, struct member *one, struct member *two)
{
    *one = stable_member(rig);
    *two = new_member(rig);
    start_join(two);
    assert_int_equal(heartbeat(one), KAFKA_REBALANCE_IN_PROGRESS);
    start_join(one);
    assert_int_equal(end_join(one), KAFKA_NONE);
    assert_int_equal(end_join(two), KAFKA_NONE);
    send_sync(two, NULL, 0);
    send_sync(one, (struct member *[]){ one, two }, 2);
    assert_int_equal(end_sync(one), KAFKA_NONE);
    assert_int_equal(end_sync(two), KAFKA_NONE);
}

static void group_state(struct rig *rig, const char *group, char state[32], int *members)
{
    struct ask ask;
    struct describe_groups_request *request = ask_new(&ask, API_DESCRIBE_GROUPS, 5);
    mill_bytes id = mill_string(group);
    request->groups.items = &id;
    request->groups.count = 1;
    struct describe_groups_response *response = rig_ask(rig, &ask);
    mill_bytes name = response->groups.items[0].group_state;
    snprintf(state, 32, "%.*s", (int)name.len, (const char *)name.data);
    *members = response->groups.items[0].members.count;
    ask_end(&ask);
}

static void expect_state(struct rig *rig, const char *state, int members)
{
    char is[32];
    int is_members;
    group_state(rig, "g", is, &is_members);
    assert_string_equal(is, state);
    assert_int_equal(is_members, members);
}

/* ---- joining --------------------------------------------------------------------------------------------------------------- */

static void a_member_is_told_its_id_and_leads_alone(void **state)
{
    struct rig *rig = *state;
    struct member member = new_member(rig);
    start_join(&member);
    struct join_group_response *response = wait_join(&member);
    assert_int_equal(response->error_code, KAFKA_NONE);
    assert_int_equal(response->generation_id, 1);
    assert_int_equal(response->members.count, 1);
    assert_true(mill_bytes_equal(response->leader, response->member_id));
    assert_memory_equal(member.id, "client-", 7);
    ask_end(&member.ask);
    expect_state(rig, "CompletingRebalance", 1);
    send_sync(&member, (struct member *[]){ &member }, 1);
    assert_int_equal(end_sync(&member), KAFKA_NONE);
    expect_state(rig, "Stable", 1);
    assert_int_equal(heartbeat(&member), KAFKA_NONE);
}

static void a_second_member_makes_the_first_one_join_again(void **state)
{
    struct rig *rig = *state;
    struct member one, two;
    stable_pair(rig, &one, &two);
    assert_int_equal(one.generation, 2);
    assert_int_equal(two.generation, 2);
    assert_string_not_equal(one.id, two.id);
    expect_state(rig, "Stable", 2);
    assert_int_equal(heartbeat(&one), KAFKA_NONE);
    assert_int_equal(heartbeat(&two), KAFKA_NONE);
}

static void only_the_leader_gets_the_members(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), two = new_member(rig);
    start_join(&two);
    start_join(&one);
    assert_int_equal(wait_join(&one)->members.count, 2);
    assert_int_equal(wait_join(&two)->members.count, 0);
    ask_end(&one.ask);
    ask_end(&two.ask);
}

static void who_does_not_rejoin_in_time_is_dropped(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), two = new_member(rig);
    start_join(&two);
    /* The first one's heart beats, but it never joins. */
    for (int ms = 0; ms < REBALANCE_MS - 5000; ms += 5000) {
        assert_int_equal(heartbeat(&one), KAFKA_REBALANCE_IN_PROGRESS);
        rig_pass(rig, 5 * SECOND_US);
        assert_false(two.ask.answered);
    }
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(heartbeat(&one), KAFKA_UNKNOWN_MEMBER_ID);
    expect_state(rig, "CompletingRebalance", 1);
}

static void a_silent_member_is_dropped_when_its_session_ends(void **state)
{
    struct rig *rig = *state;
    struct member one, two;
    stable_pair(rig, &one, &two);
    for (int i = 0; i < 3; i++) {
        rig_pass(rig, 4 * SECOND_US);
        if (i < 2)
            assert_int_equal(heartbeat(&one), KAFKA_NONE);
    }
    assert_int_equal(heartbeat(&one), KAFKA_REBALANCE_IN_PROGRESS);
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(heartbeat(&two), KAFKA_UNKNOWN_MEMBER_ID);
}

static void a_parked_join_does_not_let_the_session_end(void **state)
{
    struct rig *rig = *state;
    struct member one, two, three = new_member(rig);
    stable_pair(rig, &one, &two);
    start_join(&three);
    start_join(&one);
    for (int i = 0; i < 4; i++) {
        rig_pass(rig, 8 * SECOND_US);
        assert_int_equal(heartbeat(&two), KAFKA_REBALANCE_IN_PROGRESS);
    }
    start_join(&two);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(end_join(&three), KAFKA_NONE);
}

static void a_leaving_member_makes_the_others_rebalance_at_once(void **state)
{
    struct rig *rig = *state;
    struct member one, two;
    stable_pair(rig, &one, &two);
    assert_int_equal(leave(&one), KAFKA_NONE);
    assert_int_equal(heartbeat(&two), KAFKA_REBALANCE_IN_PROGRESS);
    start_join(&two);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(leave(&two), KAFKA_NONE);
    expect_state(rig, "Empty", 0);
    assert_int_equal(leave(&two), KAFKA_UNKNOWN_MEMBER_ID);
}

static void a_pending_member_holds_a_rebalance_up_until_its_time_is_over(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), two = new_member(rig), lost = new_member(rig);
    start_join(&two);
    send_join(&lost, 7);
    assert_int_equal(end_join(&lost), KAFKA_MEMBER_ID_REQUIRED);
    start_join(&one);
    rig_pass(rig, 5 * SECOND_US);
    assert_false(one.ask.answered);
    rig_pass(rig, 6 * SECOND_US);
    assert_true(one.ask.answered);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(end_join(&two), KAFKA_NONE);
}

static void a_group_of_which_only_a_pending_member_was_known_disappears(void **state)
{
    struct rig *rig = *state;
    struct member lost = new_member(rig);
    send_join(&lost, 7);
    assert_int_equal(end_join(&lost), KAFKA_MEMBER_ID_REQUIRED);
    expect_state(rig, "Empty", 0);
    rig_pass(rig, 11 * SECOND_US);
    expect_state(rig, "Dead", 0);
    send_join(&lost, 7);
    assert_int_equal(end_join(&lost), KAFKA_UNKNOWN_MEMBER_ID);
}

static void old_clients_join_without_an_id_of_their_own(void **state)
{
    struct rig *rig = *state;
    struct member member = new_member(rig);
    send_join(&member, 2);
    assert_int_equal(end_join(&member), KAFKA_NONE);
}

static void the_protocol_with_most_votes_among_common_ones_wins(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), two = new_member(rig), three = new_member(rig);
    one.protocols[0] = "sticky";
    one.protocols[1] = "range";
    two.protocols[0] = "range";
    two.protocols[1] = "sticky";
    three.protocols[0] = "private";
    three.protocols[1] = "range";
    three.protocols[2] = "sticky";
    start_join(&two);
    start_join(&three);
    send_join(&one, 7);
    assert_true(mill_bytes_equal(wait_join(&one)->protocol_name, mill_string("range")));
    ask_end(&one.ask);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(end_join(&three), KAFKA_NONE);
}

static void a_member_that_shares_no_protocol_is_refused(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), other = new_member(rig);
    other.protocols[0] = "unheard-of";
    send_join(&other, 7);
    assert_int_equal(end_join(&other), KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    assert_int_equal(heartbeat(&one), KAFKA_NONE);
}

static void a_follower_that_only_missed_its_answer_gets_the_same_generation(void **state)
{
    struct rig *rig = *state;
    struct member one, two;
    stable_pair(rig, &one, &two);
    send_join(&two, 7);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(two.generation, 2);
    assert_int_equal(heartbeat(&one), KAFKA_NONE);
    two.metadata = "another subscription";
    send_join(&two, 7);
    assert_int_equal(heartbeat(&one), KAFKA_REBALANCE_IN_PROGRESS);
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(two.generation, 3);
}

static void bad_joins_are_refused(void **state)
{
    struct rig *rig = *state;
    struct member member = new_member(rig);
    member.group = "";
    send_join(&member, 7);
    assert_int_equal(end_join(&member), KAFKA_INVALID_GROUP_ID);
    member.group = "g";
    snprintf(member.id, sizeof member.id, "made-up");
    send_join(&member, 7);
    assert_int_equal(end_join(&member), KAFKA_UNKNOWN_MEMBER_ID);
    struct join_group_request *request = ask_new(&member.ask, API_JOIN_GROUP, 7);
    request->group_id = mill_string("g");
    request->session_timeout_ms = 10;
    rig_ask(rig, &member.ask);
    assert_int_equal(end_join(&member), KAFKA_INVALID_SESSION_TIMEOUT);
}

static void an_empty_group_waits_for_more_members_when_told_to(void **state)
{
    struct rig rig;
    rig_open(&rig, (const char *const[]){ "group.initial.rebalance.delay.ms=3000", NULL });
    struct member one = new_member(&rig), two = new_member(&rig);
    start_join(&one);
    rig_pass(&rig, 2 * SECOND_US);
    start_join(&two);
    rig_pass(&rig, 2 * SECOND_US);
    assert_false(one.ask.answered);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(one.generation, 1);
    assert_int_equal(two.generation, 1);
    rig_close(&rig);
}

/* ---- syncing --------------------------------------------------------------------------------------------------------------- */

static void heartbeats_and_syncs_know_their_generation(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig);
    one.generation++;
    assert_int_equal(heartbeat(&one), KAFKA_ILLEGAL_GENERATION);
    send_sync(&one, NULL, 0);
    assert_int_equal(end_sync(&one), KAFKA_ILLEGAL_GENERATION);
    one.generation--;
    send_sync(&one, NULL, 0); /* a repeated sync gets the assignment again */
    assert_int_equal(end_sync(&one), KAFKA_NONE);
}

static void a_member_that_sends_no_sync_is_dropped(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), two = new_member(rig);
    start_join(&two);
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    send_sync(&one, (struct member *[]){ &one, &two }, 2);
    assert_int_equal(end_sync(&one), KAFKA_NONE);
    for (int ms = 0; ms <= REBALANCE_MS; ms += 5000) {
        heartbeat(&one);
        heartbeat(&two);
        rig_pass(rig, 5 * SECOND_US);
    }
    assert_int_equal(heartbeat(&two), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(heartbeat(&one), KAFKA_REBALANCE_IN_PROGRESS);
}

static void a_rebalance_ends_parked_syncs(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), two = new_member(rig), three = new_member(rig);
    start_join(&two);
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    send_sync(&two, NULL, 0);
    start_join(&three);
    assert_int_equal(end_sync(&two), KAFKA_REBALANCE_IN_PROGRESS);
    start_join(&two);
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    assert_int_equal(end_join(&two), KAFKA_NONE);
    assert_int_equal(end_join(&three), KAFKA_NONE);
    assert_int_equal(three.generation, 3);
}

/* ---- static members -------------------------------------------------------------------------------------------------------- */

static void a_static_member_takes_its_old_place_and_fences_its_old_self(void **state)
{
    struct rig *rig = *state;
    struct member one = new_member(rig);
    one.instance = "instance";
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    send_sync(&one, (struct member *[]){ &one }, 1);
    assert_int_equal(end_sync(&one), KAFKA_NONE);

    struct member back = new_member(rig);
    back.instance = "instance";
    send_join(&back, 9);
    struct join_group_response *response = wait_join(&back);
    assert_int_equal(response->error_code, KAFKA_NONE);
    assert_int_equal(response->generation_id, 1);
    assert_true(response->skip_assignment);
    assert_true(mill_bytes_equal(response->leader, response->member_id));
    ask_end(&back.ask);
    assert_string_not_equal(back.id, one.id);
    assert_int_equal(heartbeat(&back), KAFKA_NONE);
    assert_int_equal(heartbeat(&one), KAFKA_FENCED_INSTANCE_ID);
    expect_state(rig, "Stable", 1);
}

static void an_old_client_that_returns_as_leader_does_not_learn_it(void **state)
{
    struct rig *rig = *state;
    struct member one = new_member(rig);
    one.instance = "instance";
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    send_sync(&one, (struct member *[]){ &one }, 1);
    assert_int_equal(end_sync(&one), KAFKA_NONE);
    struct member back = new_member(rig);
    back.instance = "instance";
    send_join(&back, 7);
    struct join_group_response *response = wait_join(&back);
    assert_true(mill_bytes_equal(response->leader, mill_string(one.id)));
    assert_int_equal(response->members.count, 0);
    ask_end(&back.ask);
}

static void a_static_member_stays_until_its_session_ends(void **state)
{
    struct rig *rig = *state;
    struct member one = new_member(rig);
    one.instance = "instance";
    start_join(&one);
    assert_int_equal(end_join(&one), KAFKA_NONE);
    send_sync(&one, (struct member *[]){ &one }, 1);
    assert_int_equal(end_sync(&one), KAFKA_NONE);
    rig_pass(rig, 9 * SECOND_US);
    expect_state(rig, "Stable", 1);
    rig_pass(rig, 2 * SECOND_US);
    expect_state(rig, "Empty", 0);
}

/* ---- offsets --------------------------------------------------------------------------------------------------------------- */

static void send_commit(struct member *member, struct ask *ask, const char *topic, int32_t partition, int64_t offset,
                        const char *metadata)
{
    struct offset_commit_request *request = ask_new(ask, API_OFFSET_COMMIT, 8);
    struct arena *arena = &ask->request->arena;
    request->group_id = mill_string(member->group);
    request->generation_id_or_member_epoch = member->generation;
    request->member_id = mill_string(member->id);
    request->topics.items = offset_commit_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partitions.items = offset_commit_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].partition_index = partition;
    request->topics.items[0].partitions.items[0].committed_offset = offset;
    request->topics.items[0].partitions.items[0].committed_leader_epoch = 0;
    request->topics.items[0].partitions.items[0].committed_metadata = text(metadata);
    rig_send(member->rig, ask);
}

static int16_t end_commit(struct member *member, struct ask *ask)
{
    struct offset_commit_response *response = rig_wait(member->rig, ask);
    int16_t error = response->topics.items[0].partitions.items[0].error_code;
    ask_end(ask);
    return error;
}

static int16_t commit(struct member *member, const char *topic, int32_t partition, int64_t offset, const char *metadata)
{
    struct ask ask;
    send_commit(member, &ask, topic, partition, offset, metadata);
    return end_commit(member, &ask);
}

/* The committed offset, or minus the error; `metadata` gets its text. */
static int64_t committed(struct rig *rig, const char *group, const char *topic, int32_t partition, char metadata[64])
{
    struct ask ask;
    struct offset_fetch_request *request = ask_new(&ask, API_OFFSET_FETCH, 8);
    struct arena *arena = &ask.request->arena;
    request->groups.items = offset_fetch_request_group_array(arena, 1);
    request->groups.count = 1;
    request->groups.items[0].group_id = mill_string(group);
    request->groups.items[0].topics.items = offset_fetch_request_group_topic_array(arena, 1);
    request->groups.items[0].topics.count = 1;
    request->groups.items[0].topics.items[0].name = mill_string(topic);
    request->groups.items[0].topics.items[0].partition_indexes.items = &partition;
    request->groups.items[0].topics.items[0].partition_indexes.count = 1;
    struct offset_fetch_response *response = rig_ask(rig, &ask);
    struct offset_fetch_response_group *answer = &response->groups.items[0];
    int64_t offset = -1000 - answer->error_code;
    if (answer->error_code == KAFKA_NONE) {
        struct offset_fetch_response_group_partition *found = &answer->topics.items[0].partitions.items[0];
        offset = found->committed_offset;
        if (metadata)
            snprintf(metadata, 64, "%.*s", (int)found->metadata.len, (const char *)found->metadata.data);
    }
    ask_end(&ask);
    return offset;
}

static void committed_offsets_come_back_with_their_metadata_after_a_power_cut(void **state)
{
    struct rig *rig = *state;
    char metadata[64];
    rig_create_topic(rig, "events", 2, NULL, NULL);
    struct member one = stable_member(rig);
    assert_int_equal(committed(rig, "g", "events", 0, NULL), -1);
    assert_int_equal(commit(&one, "events", 0, 41, "old"), KAFKA_NONE);
    assert_int_equal(commit(&one, "events", 0, 42, "partition time"), KAFKA_NONE);
    assert_int_equal(commit(&one, "events", 1, 7, NULL), KAFKA_NONE);
    rig_crash(rig, true);
    rig_pass(rig, SECOND_US);
    assert_int_equal(committed(rig, "g", "events", 0, metadata), 42);
    assert_string_equal(metadata, "partition time");
    assert_int_equal(committed(rig, "g", "events", 1, metadata), 7);
    assert_string_equal(metadata, "");
}

static void a_restarted_group_goes_on_in_its_generation(void **state)
{
    struct rig *rig = *state;
    struct member one, two;
    stable_pair(rig, &one, &two);
    rig_restart(rig);
    rig_pass(rig, SECOND_US);
    assert_int_equal(heartbeat(&one), KAFKA_NONE);
    assert_int_equal(heartbeat(&two), KAFKA_NONE);
    send_sync(&two, NULL, 0);
    assert_int_equal(end_sync(&two), KAFKA_NONE);
}

static void members_of_the_last_process_are_dropped_at_a_restart(void **state)
{
    struct rig *rig = *state;
    struct member inside = new_member(rig), outside = new_member(rig);
    inside.host = BROKER_HOST_IN_PROCESS;
    start_join(&inside);
    assert_int_equal(end_join(&inside), KAFKA_NONE);
    start_join(&outside);
    start_join(&inside);
    assert_int_equal(end_join(&inside), KAFKA_NONE);
    assert_int_equal(end_join(&outside), KAFKA_NONE);
    send_sync(&outside, NULL, 0);
    send_sync(&inside, (struct member *[]){ &inside, &outside }, 2);
    assert_int_equal(end_sync(&inside), KAFKA_NONE);
    assert_int_equal(end_sync(&outside), KAFKA_NONE);
    rig_crash(rig, false);
    rig_pass(rig, SECOND_US / 10);
    assert_int_equal(heartbeat(&inside), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(heartbeat(&outside), KAFKA_REBALANCE_IN_PROGRESS);
    start_join(&outside);
    assert_int_equal(end_join(&outside), KAFKA_NONE);
    assert_int_equal(outside.generation, 3);
}

static void nobody_is_told_no_offset_while_groups_are_loaded(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct member one = stable_member(rig);
    assert_int_equal(commit(&one, "events", 0, 42, NULL), KAFKA_NONE);
    rig_crash(rig, true);
    bool was_loading = false;
    int64_t offset;
    while ((offset = committed(rig, "g", "events", 0, NULL)) != 42) {
        assert_int_equal(offset, -1000 - KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
        was_loading = true;
    }
    assert_true(was_loading);
}

static void commits_are_checked(void **state)
{
    struct rig *rig = *state;
    char large[4098];
    memset(large, 'x', 4097);
    large[4097] = '\0';
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct member one = stable_member(rig), stranger = new_member(rig);
    assert_int_equal(commit(&one, "nowhere", 0, 1, NULL), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(commit(&one, "events", 1, 1, NULL), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(commit(&one, "events", 0, 1, large), KAFKA_OFFSET_METADATA_TOO_LARGE);
    assert_int_equal(commit(&one, "events", 0, 1, large + 1), KAFKA_NONE);
    assert_int_equal(commit(&stranger, "events", 0, 1, NULL), KAFKA_UNKNOWN_MEMBER_ID);
    one.generation++;
    assert_int_equal(commit(&one, "events", 0, 1, NULL), KAFKA_ILLEGAL_GENERATION);
}

static void someone_without_membership_may_commit_for_an_empty_group(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct member tool = new_member(rig);
    assert_int_equal(commit(&tool, "events", 0, 5, NULL), KAFKA_NONE);
    assert_int_equal(committed(rig, "g", "events", 0, NULL), 5);
    tool.generation = 3;
    tool.group = "other";
    assert_int_equal(commit(&tool, "events", 0, 5, NULL), KAFKA_ILLEGAL_GENERATION);
}

static void offsets_of_an_empty_group_expire(void **state)
{
    struct rig rig;
    rig_open(&rig, (const char *const[]){ "offsets.retention.minutes=60", NULL });
    rig_create_topic(&rig, "events", 1, NULL, NULL);
    struct member one = stable_member(&rig);
    assert_int_equal(commit(&one, "events", 0, 5, NULL), KAFKA_NONE);
    for (int i = 0; i < 1000; i++) { /* as long as it has members they stay */
        rig_pass(&rig, 8 * SECOND_US);
        assert_int_equal(heartbeat(&one), KAFKA_NONE);
    }
    assert_int_equal(committed(&rig, "g", "events", 0, NULL), 5);
    assert_int_equal(leave(&one), KAFKA_NONE);
    rig_pass(&rig, 3000 * SECOND_US);
    assert_int_equal(committed(&rig, "g", "events", 0, NULL), 5);
    rig_pass(&rig, 2000 * SECOND_US);
    assert_int_equal(committed(&rig, "g", "events", 0, NULL), -1);
    rig_restart(&rig);
    rig_pass(&rig, SECOND_US);
    assert_int_equal(committed(&rig, "g", "events", 0, NULL), -1);
    rig_close(&rig);
}

static void commit_many(struct member *member, const char *topic, int32_t partitions, int64_t offset)
{
    struct ask ask;
    struct offset_commit_request *request = ask_new(&ask, API_OFFSET_COMMIT, 8);
    struct arena *arena = &ask.request->arena;
    request->group_id = mill_string(member->group);
    request->generation_id_or_member_epoch = member->generation;
    request->member_id = mill_string(member->id);
    request->topics.items = offset_commit_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partitions.items = offset_commit_request_partition_array(arena, partitions);
    request->topics.items[0].partitions.count = partitions;
    for (int32_t i = 0; i < partitions; i++) {
        request->topics.items[0].partitions.items[i].partition_index = i;
        request->topics.items[0].partitions.items[i].committed_offset = offset + i;
    }
    struct offset_commit_response *response = rig_ask(member->rig, &ask);
    assert_int_equal(response->topics.items[0].partitions.items[0].error_code, KAFKA_NONE);
    ask_end(&ask);
}

static void overtaken_commits_are_cleared_away_and_nothing_is_forgotten(void **state)
{
    enum { PARTITIONS = 100, COMMITS = 520, PARTITION_OF_G = 'g' % 50 };
    struct rig *rig = *state;
    rig_create_topic(rig, "events", PARTITIONS, NULL, NULL);
    struct member tool = new_member(rig);
    for (int i = 0; i < COMMITS; i++)
        commit_many(&tool, "events", PARTITIONS, i * 1000);
    assert_true(rig_count_all(rig, "__consumer_offsets", PARTITION_OF_G) >= PARTITIONS * COMMITS);
    rig_pass(rig, 700 * SECOND_US);
    assert_true(rig_count_all(rig, "__consumer_offsets", PARTITION_OF_G) < 2 * PARTITIONS);
    commit_many(&tool, "events", 1, 77);
    for (int round = 0; round < 2; round++) {
        rig_crash(rig, round == 1);
        rig_pass(rig, SECOND_US);
        assert_int_equal(committed(rig, "g", "events", 0, NULL), 77);
        for (int32_t i = 1; i < PARTITIONS; i++)
            assert_int_equal(committed(rig, "g", "events", i, NULL), (COMMITS - 1) * 1000 + i);
    }
}

static int16_t delete_group(struct rig *rig, const char *group)
{
    struct ask ask;
    struct delete_groups_request *request = ask_new(&ask, API_DELETE_GROUPS, 2);
    mill_bytes name = mill_string(group);
    request->groups_names.items = &name;
    request->groups_names.count = 1;
    int16_t error = ((struct delete_groups_response *)rig_ask(rig, &ask))->results.items[0].error_code;
    ask_end(&ask);
    return error;
}

static void a_group_is_deleted_with_its_offsets_once_it_is_empty(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    assert_int_equal(delete_group(rig, "g"), KAFKA_GROUP_ID_NOT_FOUND);
    struct member one = stable_member(rig);
    commit(&one, "events", 0, 5, NULL);
    assert_int_equal(delete_group(rig, "g"), KAFKA_NON_EMPTY_GROUP);
    assert_int_equal(leave(&one), KAFKA_NONE);
    assert_int_equal(delete_group(rig, "g"), KAFKA_NONE);
    assert_int_equal(committed(rig, "g", "events", 0, NULL), -1);
    rig_crash(rig, true);
    rig_pass(rig, SECOND_US);
    assert_int_equal(committed(rig, "g", "events", 0, NULL), -1);
    expect_state(rig, "Dead", 0);
}

/* The commit is in the log when the group is deleted, and durable only later. */
static void a_commit_under_way_is_deleted_with_its_group(void **state)
{
    struct rig *rig = *state;
    rig_create_topic(rig, "events", 1, NULL, NULL);
    struct member other = new_member(rig);
    other.group = "other";
    assert_int_equal(commit(&other, "events", 0, 1, NULL), KAFKA_NONE);
    struct member outsider = new_member(rig);
    struct ask ask;
    send_commit(&outsider, &ask, "events", 0, 5, NULL);
    assert_int_equal(delete_group(rig, "g"), KAFKA_NONE);
    assert_int_equal(end_commit(&outsider, &ask), KAFKA_NONE);
    assert_int_equal(committed(rig, "g", "events", 0, NULL), -1);
    rig_crash(rig, true);
    rig_pass(rig, SECOND_US);
    assert_int_equal(committed(rig, "g", "events", 0, NULL), -1);
    expect_state(rig, "Dead", 0);
}

static int16_t delete_events(struct rig *rig, struct ask *ask)
{
    struct delete_topics_response *response = rig_wait(rig, ask);
    int16_t error = response->responses.items[0].error_code;
    ask_end(ask);
    return error;
}

static void send_delete_events(struct rig *rig, struct ask *ask)
{
    struct delete_topics_request *request = ask_new(ask, API_DELETE_TOPICS, 6);
    request->topics.items = delete_topics_request_topic_array(&ask->request->arena, 1);
    request->topics.items[0].name = mill_string("events");
    request->topics.count = 1;
    request->timeout_ms = 1000;
    rig_send(rig, ask);
}

/* At every moment of the deletion a commit is sent; those that are taken are gone with the topic, and not the next one's. */
static void a_commit_under_way_is_deleted_with_its_topic(void **state)
{
    struct rig *rig = *state;
    int taken = 0;
    for (int64_t after_us = 0; after_us < 4000; after_us += 100) {
        struct ask deletion;
        struct ask ask;
        assert_int_equal(rig_create_topic(rig, "events", 1, NULL, NULL), KAFKA_NONE);
        struct member outsider = new_member(rig);
        if (after_us == 0)
            assert_int_equal(commit(&outsider, "events", 0, 1, NULL), KAFKA_NONE);
        send_delete_events(rig, &deletion);
        rig_pass(rig, after_us);
        send_commit(&outsider, &ask, "events", 0, 5 + after_us, NULL);
        taken += end_commit(&outsider, &ask) == KAFKA_NONE;
        assert_int_equal(delete_events(rig, &deletion), KAFKA_NONE);
        assert_int_equal(rig_create_topic(rig, "events", 1, NULL, NULL), KAFKA_NONE);
        assert_int_equal(committed(rig, "g", "events", 0, NULL), -1);
        rig_crash(rig, true);
        rig_pass(rig, SECOND_US);
        assert_int_equal(committed(rig, "g", "events", 0, NULL), -1);
        send_delete_events(rig, &deletion);
        assert_int_equal(delete_events(rig, &deletion), KAFKA_NONE);
    }
    assert_true(taken > 0);
}

static void closing_the_broker_answers_parked_members(void **state)
{
    struct rig *rig = *state;
    struct member one = stable_member(rig), two = new_member(rig);
    start_join(&two);
    rig_pass(rig, SECOND_US);
    rig_stop(rig);
    assert_true(two.ask.answered);
    assert_int_equal(end_join(&two), KAFKA_NOT_COORDINATOR);
    rig_start(rig);
    rig_pass(rig, SECOND_US);
    assert_int_equal(heartbeat(&one), KAFKA_NONE);
}

/* ---- a random crowd: whatever members do, generations only grow and each has one assignment per member --------------------- */

enum { CROWD = 6 };

static void members_that_come_and_go_at_random_settle_in_one_generation(void **state)
{
    struct rig *rig = *state;
    struct prng *prng = sim_world_prng(rig->world);
    struct member crowd[CROWD];
    int32_t generation = 0;
    for (int i = 0; i < CROWD; i++)
        crowd[i] = new_member(rig);
    for (int round = 0; round < 40; round++) {
        /* Some leave, fall silent for ever, or stay. */
        for (int i = 0; i < CROWD; i++) {
            if (crowd[i].id[0] && prng_chance(prng, 0.2) && leave(&crowd[i]) == KAFKA_NONE)
                crowd[i] = new_member(rig);
            else if (crowd[i].id[0] && prng_chance(prng, 0.1))
                crowd[i] = new_member(rig);
        }
        for (int i = 0; i < CROWD; i++)
            start_join(&crowd[i]);
        struct member *all[CROWD];
        int leader = -1;
        for (int i = 0; i < CROWD; i++) {
            struct join_group_response *response = wait_join(&crowd[i]);
            if (response->error_code == KAFKA_NONE && response->members.count > 0)
                leader = i;
            if (response->error_code == KAFKA_UNKNOWN_MEMBER_ID)
                crowd[i].id[0] = '\0';
            all[i] = &crowd[i];
            ask_end(&crowd[i].ask);
        }
        if (leader < 0)
            continue;
        assert_true(crowd[leader].generation > generation);
        generation = crowd[leader].generation;
        for (int i = 0; i < CROWD; i++)
            send_sync(&crowd[i], all, i == leader ? CROWD : 0);
        for (int i = 0; i < CROWD; i++) {
            int16_t error = end_sync(&crowd[i]);
            assert_true(error == KAFKA_NONE || error == KAFKA_REBALANCE_IN_PROGRESS || error == KAFKA_ILLEGAL_GENERATION ||
                        error == KAFKA_UNKNOWN_MEMBER_ID);
        }
    }
    assert_true(generation > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_member_is_told_its_id_and_leads_alone),
        RIG_TEST(a_second_member_makes_the_first_one_join_again),
        RIG_TEST(only_the_leader_gets_the_members),
        RIG_TEST(who_does_not_rejoin_in_time_is_dropped),
        RIG_TEST(a_silent_member_is_dropped_when_its_session_ends),
        RIG_TEST(a_parked_join_does_not_let_the_session_end),
        RIG_TEST(a_leaving_member_makes_the_others_rebalance_at_once),
        RIG_TEST(a_pending_member_holds_a_rebalance_up_until_its_time_is_over),
        RIG_TEST(a_group_of_which_only_a_pending_member_was_known_disappears),
        RIG_TEST(old_clients_join_without_an_id_of_their_own),
        RIG_TEST(the_protocol_with_most_votes_among_common_ones_wins),
        RIG_TEST(a_member_that_shares_no_protocol_is_refused),
        RIG_TEST(a_follower_that_only_missed_its_answer_gets_the_same_generation),
        RIG_TEST(bad_joins_are_refused),
        RIG_TEST(an_empty_group_waits_for_more_members_when_told_to),
        RIG_TEST(heartbeats_and_syncs_know_their_generation),
        RIG_TEST(a_member_that_sends_no_sync_is_dropped),
        RIG_TEST(a_rebalance_ends_parked_syncs),
        RIG_TEST(a_static_member_takes_its_old_place_and_fences_its_old_self),
        RIG_TEST(an_old_client_that_returns_as_leader_does_not_learn_it),
        RIG_TEST(a_static_member_stays_until_its_session_ends),
        RIG_TEST(committed_offsets_come_back_with_their_metadata_after_a_power_cut),
        RIG_TEST(a_restarted_group_goes_on_in_its_generation),
        RIG_TEST(members_of_the_last_process_are_dropped_at_a_restart),
        RIG_TEST(nobody_is_told_no_offset_while_groups_are_loaded),
        RIG_TEST(commits_are_checked),
        RIG_TEST(someone_without_membership_may_commit_for_an_empty_group),
        RIG_TEST(offsets_of_an_empty_group_expire),
        RIG_TEST(overtaken_commits_are_cleared_away_and_nothing_is_forgotten),
        RIG_TEST(a_group_is_deleted_with_its_offsets_once_it_is_empty),
        RIG_TEST(a_commit_under_way_is_deleted_with_its_group),
        RIG_TEST(a_commit_under_way_is_deleted_with_its_topic),
        RIG_TEST(closing_the_broker_answers_parked_members),
        RIG_TEST(members_that_come_and_go_at_random_settle_in_one_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
