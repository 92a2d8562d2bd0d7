/*
 * The membership: a state machine over JoinGroup, SyncGroup, Heartbeat and LeaveGroup (the picture is in the header).
 *
 * Every step that calls the owner is taken from a timer or an answer, never from within the owner's own call. After such a
 * callback the state may be another: nothing is done behind one that relies on the state before it.
 */
#include "client/group_member.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "client/group_internal.h"
#include "wire/api/heartbeat.h"
#include "wire/api/join_group.h"
#include "wire/api/leave_group.h"
#include "wire/api/sync_group.h"
#include "wire/kafka_error.h"

enum {
    JOIN_GRACE_MS = 5000,    /* beyond the rebalance time-out, as Java's client waits */
    LEAVE_TIMEOUT_MS = 5000, /* leaving is a courtesy: the session time-out does the same, later */
    INCONSISTENT_RETRY_MS = 1000,
    EXPIRY_SLACK_MS = 2000,        /* a broker is not punctual to the millisecond */
    METADATA_BYTES_MAX = 16 << 20, /* of one member; Kafka's group.max.size and message limits are far below */
    LEADING_BYTES_MAX = 256 << 20,
};

static const char *const state_names[] = {
    [GROUP_MEMBER_IDLE] = "idle",           [GROUP_MEMBER_PREPARING] = "preparing", [GROUP_MEMBER_JOINING] = "joining",
    [GROUP_MEMBER_ASSIGNING] = "assigning", [GROUP_MEMBER_SYNCING] = "syncing",     [GROUP_MEMBER_STABLE] = "stable",
    [GROUP_MEMBER_LEAVING] = "leaving",     [GROUP_MEMBER_FAILED] = "failed",
};

static struct loop *loop_of(const struct group_member *member)
{
    return client_loop(member->client);
}

static void move(struct group_member *member, enum group_member_state state)
{
    trace_debug("client", "group %s: %s -> %s", member->options.group_id, state_names[member->state], state_names[state]);
    member->state = state;
}

static bool is_over(const struct group_member *member)
{
    return member->state == GROUP_MEMBER_IDLE || member->state == GROUP_MEMBER_LEAVING || member->state == GROUP_MEMBER_FAILED;
}

static struct route coordinator_route(const struct group_member *member, int lane)
{
    return (struct route){ .kind = ROUTE_COORDINATOR, .lane = lane, .type = COORDINATOR_GROUP, .key = member->options.group_id };
}

static mill_bytes instance_id(const struct group_member *member)
{
    return mill_string(member->options.group_instance_id);
}

static void step_after(struct group_member *member, int64_t pause_us)
{
    loop_timer_set(loop_of(member), &member->step_timer, loop_now(loop_of(member)).monotonic_us + pause_us);
}

static void back_off(struct group_member *member)
{
    step_after(member, client_retry_backoff_us(member->client, member->attempts++));
}

static void stop_joining(struct group_member *member)
{
    client_cancel(&member->join_call);
    loop_timer_cancel(loop_of(member), &member->step_timer);
}

void group_member_failed(struct group_member *member, int code, struct io_time now, const char *format, ...)
{
    struct error_text reason;
    struct error_text text;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason.text, sizeof reason.text, format, arguments);
    va_end(arguments);
    error_set(&text, code, "group %s: %s", member->options.group_id, reason.text);
    stop_joining(member);
    client_cancel(&member->heartbeat_call);
    loop_timer_cancel(loop_of(member), &member->heartbeat_timer);
    move(member, GROUP_MEMBER_FAILED);
    member->generation = -1;
    if (member->events->failed)
        member->events->failed(member->ctx, code, text.text, now);
}

/* ---- preparing ------------------------------------------------------------------------------------------------------------- */

static void prepare(struct group_member *member)
{
    stop_joining(member);
    move(member, GROUP_MEMBER_PREPARING);
    member->prepare_due = true;
    step_after(member, 0);
}

void group_member_lost(struct group_member *member, struct io_time now)
{
    bool tell = member->has_assignment;
    if (is_over(member))
        return;
    trace_info("client", "group %s: the coordinator no longer knows member %s", member->options.group_id, member->member_id);
    member->member_id[0] = '\0';
    member->generation = -1;
    member->is_leader = false;
    member->has_assignment = false;
    client_cancel(&member->heartbeat_call);
    loop_timer_cancel(loop_of(member), &member->heartbeat_timer);
    prepare(member);
    if (tell && member->events->lost)
        member->events->lost(member->ctx, now);
}

static void send_join(struct group_member *member);

static void on_step(struct loop_timer *timer, struct io_time now)
{
    struct group_member *member = timer->ctx;
    if (member->state == GROUP_MEMBER_JOINING) {
        send_join(member);
    } else if (member->state == GROUP_MEMBER_PREPARING && member->prepare_due) {
        member->prepare_due = false;
        if (member->events->prepare)
            member->events->prepare(member->ctx, now);
        else
            group_member_join(member);
    }
}

/* ---- heartbeats ------------------------------------------------------------------------------------------------------------ */

static void plan_heartbeat(struct group_member *member)
{
    loop_timer_set(loop_of(member), &member->heartbeat_timer,
                   loop_now(loop_of(member)).monotonic_us + member->options.heartbeat_interval_ms * 1000);
}

static int fill_heartbeat(struct call *call, struct request *request)
{
    struct group_member *member = call->ctx;
    struct heartbeat_request *body = request->body;
    body->group_id = mill_string(member->options.group_id);
    body->generation_id = member->generation;
    body->member_id = mill_string(member->member_id);
    if (request->api_version >= 3)
        body->group_instance_id = instance_id(member);
    return 0;
}

static void on_heartbeat(struct call *call, const struct answer *answer, struct io_time now)
{
    struct group_member *member = call->ctx;
    const struct heartbeat_response *body = answer->body;
    if (!body)
        return; /* the next one tries again */
    switch (body->error_code) {
    case KAFKA_NONE:
        return;
    case KAFKA_REBALANCE_IN_PROGRESS:
        if (member->state == GROUP_MEMBER_STABLE || member->state == GROUP_MEMBER_ASSIGNING)
            prepare(member);
        return;
    case KAFKA_UNKNOWN_MEMBER_ID:
    case KAFKA_ILLEGAL_GENERATION:
        group_member_lost(member, now);
        return;
    case KAFKA_FENCED_INSTANCE_ID:
        group_member_failed(member, MILL_EFENCED, now, "another member runs under group.instance.id %s; give each its own",
                            member->options.group_instance_id);
        return;
    default:
        break;
    }
    if (client_error_action(body->error_code) == ERROR_COORDINATOR)
        client_coordinator_lost(member->client, COORDINATOR_GROUP, member->options.group_id);
    else if (client_error_action(body->error_code) == ERROR_FATAL)
        group_member_failed(member, kafka_error_to_mill(body->error_code), now, "heartbeat: %s",
                            kafka_error_text(body->error_code));
}

static void on_heartbeat_due(struct loop_timer *timer, struct io_time now)
{
    struct group_member *member = timer->ctx;
    bool silent = member->state == GROUP_MEMBER_JOINING || member->state == GROUP_MEMBER_SYNCING;
    if (member->generation < 0 || is_over(member))
        return;
    plan_heartbeat(member);
    if (!silent && !client_call_pending(&member->heartbeat_call))
        client_call(member->client, &member->heartbeat_call, coordinator_route(member, 0));
}

/* ---- joining --------------------------------------------------------------------------------------------------------------- */

static int fill_protocols(struct group_member *member, struct request *request, struct join_group_request *body)
{
    int32_t count = 0;
    while (member->protocols[count])
        count++;
    body->protocols.items = join_group_request_protocol_array(&request->arena, count);
    if (!body->protocols.items)
        return MILL_ENOMEM;
    struct buffer metadata;
    buffer_init(&metadata, METADATA_BYTES_MAX);
    int code = 0;
    for (int32_t i = 0; i < count && code == 0; i++) {
        buffer_clear(&metadata);
        code = member->events->subscribe(member->ctx, member->protocols[i], &metadata);
        mill_bytes bytes = metadata.len > 0 ? buffer_bytes(&metadata) : mill_bytes_of("", 0);
        body->protocols.items[i].name = mill_string(member->protocols[i]);
        body->protocols.items[i].metadata = arena_dup(&request->arena, bytes);
        if (code == 0 && (metadata.failed || mill_is_null(body->protocols.items[i].metadata)))
            code = MILL_ENOMEM;
    }
    body->protocols.count = count;
    buffer_release(&metadata);
    return code;
}

static int fill_join(struct call *call, struct request *request)
{
    struct group_member *member = call->ctx;
    struct join_group_request *body = request->body;
    body->group_id = mill_string(member->options.group_id);
    body->session_timeout_ms = (int32_t)member->options.session_timeout_ms;
    body->rebalance_timeout_ms = (int32_t)member->options.rebalance_timeout_ms;
    body->member_id = mill_string(member->member_id);
    body->protocol_type = mill_string(member->protocol_type);
    if (request->api_version >= 5)
        body->group_instance_id = instance_id(member);
    if (request->api_version >= 8)
        body->reason = mill_string(member->reason);
    return fill_protocols(member, request, body);
}

static void on_joined(struct call *call, const struct answer *answer, struct io_time now);
static void on_synced(struct call *call, const struct answer *answer, struct io_time now);

static void send_join(struct group_member *member)
{
    member->join_call.api_key = API_JOIN_GROUP;
    member->join_call.fill = fill_join;
    member->join_call.done = on_joined;
    member->join_call.timeout_ms = member->options.rebalance_timeout_ms + JOIN_GRACE_MS;
    client_call(member->client, &member->join_call, coordinator_route(member, member->join_lane));
}

void group_member_start(struct group_member *member)
{
    if (member->state == GROUP_MEMBER_IDLE)
        prepare(member);
}

void group_member_join(struct group_member *member)
{
    if (member->state != GROUP_MEMBER_PREPARING || member->prepare_due)
        return;
    member->attempts = 0;
    client_cancel(&member->heartbeat_call); /* its answer would be about a generation that is over */
    move(member, GROUP_MEMBER_JOINING);
    send_join(member);
}

void group_member_rejoin(struct group_member *member, const char *reason)
{
    if (is_over(member) || member->state == GROUP_MEMBER_PREPARING)
        return;
    member->reason = reason;
    if (member->state == GROUP_MEMBER_STABLE)
        prepare(member);
    else
        member->rejoin_wanted = true;
}

/* No answer came: the same again later, unless no repetition can help. */
static void join_unanswered(struct group_member *member, const struct answer *answer, struct io_time now)
{
    bool helpless = answer->code == MILL_EUNSUPPORTED || answer->code == MILL_EACCESS || answer->code == MILL_EINVALID;
    if (helpless) {
        group_member_failed(member, answer->code, now, "%s", answer->text);
        return;
    }
    trace_info("client", "group %s: %s; trying again", member->options.group_id, answer->text);
    move(member, GROUP_MEMBER_JOINING);
    back_off(member);
}

static void tell_held(struct group_member *member, struct io_time now)
{
    int64_t wait_ms = member->options.session_timeout_ms;
    member->inconsistent_until_us = now.monotonic_us + (wait_ms + EXPIRY_SLACK_MS) * 1000;
    if (member->events->held)
        member->events->held(member->ctx, wait_ms, now);
    else
        trace_warn("client",
                   "group %s has members that share no protocol with this program (%s): waiting up to %lld s for them to expire; "
                   "stop them, or choose another group",
                   member->options.group_id, member->protocols[0], (long long)(wait_ms / 1000));
}

/* Others hold the group with protocols that we do not have; if they are gone, their sessions will expire. */
static void join_inconsistent(struct group_member *member, struct io_time now)
{
    if (member->inconsistent_until_us == 0)
        tell_held(member, now);
    if (now.monotonic_us > member->inconsistent_until_us)
        group_member_failed(
            member, MILL_EINVALID, now,
            "after %lld s its members still share no protocol with this program (%s); stop them, or choose another "
            "group",
            (long long)(member->options.session_timeout_ms / 1000), member->protocols[0]);
    else
        step_after(member, INCONSISTENT_RETRY_MS * 1000);
}

/* An error of JoinGroup or SyncGroup. */
static void join_refused(struct group_member *member, int16_t error, struct io_time now)
{
    move(member, GROUP_MEMBER_JOINING);
    switch (error) {
    case KAFKA_UNKNOWN_MEMBER_ID:
    case KAFKA_ILLEGAL_GENERATION:
        group_member_lost(member, now);
        return;
    case KAFKA_FENCED_INSTANCE_ID:
        group_member_failed(member, MILL_EFENCED, now, "another member runs under group.instance.id %s; give each its own",
                            member->options.group_instance_id);
        return;
    case KAFKA_INCONSISTENT_GROUP_PROTOCOL:
        join_inconsistent(member, now);
        return;
    case KAFKA_REBALANCE_IN_PROGRESS:
        back_off(member);
        return;
    default:
        break;
    }
    enum error_action action = client_error_action(error);
    if (action == ERROR_COORDINATOR)
        client_coordinator_lost(member->client, COORDINATOR_GROUP, member->options.group_id);
    if (action == ERROR_FATAL)
        group_member_failed(member, kafka_error_to_mill(error), now, "%s: %s", kafka_error_name(error), kafka_error_text(error));
    else
        back_off(member);
}

static bool copy_text(char *into, size_t size, mill_bytes text)
{
    if (text.len >= size)
        return false;
    if (text.len > 0)
        memcpy(into, text.data, text.len);
    into[text.len] = '\0';
    return true;
}

static void send_sync(struct group_member *member);

static int copy_peers(struct group_member *member, const struct join_group_response *body)
{
    arena_clear(&member->leading);
    member->assignments = NULL;
    member->peer_count = (size_t)body->members.count;
    member->peers = arena_calloc(&member->leading, member->peer_count + 1, sizeof *member->peers);
    for (size_t i = 0; i < member->peer_count && member->peers; i++) {
        const struct join_group_response_member *from = &body->members.items[i];
        struct group_peer *peer = &member->peers[i];
        peer->member_id = arena_dup(&member->leading, from->member_id);
        peer->group_instance_id = arena_dup(&member->leading, from->group_instance_id);
        peer->metadata = arena_dup(&member->leading, from->metadata);
        bool lost_one = mill_is_null(peer->member_id) || mill_is_null(peer->metadata) ||
                        mill_is_null(peer->group_instance_id) != mill_is_null(from->group_instance_id);
        if (lost_one)
            return MILL_ENOMEM;
    }
    return member->peers ? 0 : MILL_ENOMEM;
}

static void lead(struct group_member *member, const struct join_group_response *body, struct io_time now)
{
    if (copy_peers(member, body) < 0) {
        move(member, GROUP_MEMBER_JOINING);
        back_off(member);
        return;
    }
    move(member, GROUP_MEMBER_ASSIGNING);
    plan_heartbeat(member);
    mill_assert(member->events->assign != NULL); /* the header asks for it */
    member->events->assign(member->ctx, member->protocol, member->peers, member->peer_count, now);
}

static void on_joined(struct call *call, const struct answer *answer, struct io_time now)
{
    struct group_member *member = call->ctx;
    const struct join_group_response *body = answer->body;
    if (!body) {
        join_unanswered(member, answer, now);
        return;
    }
    if (body->error_code == KAFKA_MEMBER_ID_REQUIRED) {
        bool had_one = member->member_id[0] != '\0';
        bool has_one = copy_text(member->member_id, MEMBER_ID_BYTES, body->member_id);
        move(member, GROUP_MEMBER_JOINING);
        if (has_one && !had_one)
            send_join(member);
        else /* a coordinator that is never content: not in a hurry */
            back_off(member);
        return;
    }
    if (body->error_code != 0) {
        join_refused(member, body->error_code, now);
        return;
    }
    if (!copy_text(member->member_id, MEMBER_ID_BYTES, body->member_id) ||
        !copy_text(member->protocol, sizeof member->protocol, body->protocol_name)) {
        group_member_failed(member, MILL_EPROTOCOL, now, "the coordinator gave a member id or protocol name that is too long");
        return;
    }
    member->generation = body->generation_id;
    member->is_leader = mill_bytes_equal(body->leader, body->member_id);
    member->inconsistent_until_us = 0;
    member->reason = NULL;
    trace_info("client", "group %s: joined generation %d as %s%s", member->options.group_id, (int)member->generation,
               member->member_id, member->is_leader ? ", leading" : "");
    if (member->is_leader && !body->skip_assignment) {
        lead(member, body, now);
        return;
    }
    member->peer_count = 0;
    send_sync(member);
}

/* ---- assignments ----------------------------------------------------------------------------------------------------------- */

static int fill_sync(struct call *call, struct request *request)
{
    struct group_member *member = call->ctx;
    struct sync_group_request *body = request->body;
    body->group_id = mill_string(member->options.group_id);
    body->generation_id = member->generation;
    body->member_id = mill_string(member->member_id);
    if (request->api_version >= 3)
        body->group_instance_id = instance_id(member);
    body->protocol_type = mill_string(member->protocol_type);
    body->protocol_name = mill_string(member->protocol);
    body->assignments.items = sync_group_request_assignment_array(&request->arena, (int32_t)member->peer_count);
    if (!body->assignments.items)
        return MILL_ENOMEM;
    body->assignments.count = (int32_t)member->peer_count;
    for (size_t i = 0; i < member->peer_count; i++) {
        body->assignments.items[i].member_id = member->peers[i].member_id;
        body->assignments.items[i].assignment = member->assignments[i];
    }
    return 0;
}

static void send_sync(struct group_member *member)
{
    move(member, GROUP_MEMBER_SYNCING);
    plan_heartbeat(member);
    member->join_call.api_key = API_SYNC_GROUP;
    member->join_call.fill = fill_sync;
    member->join_call.done = on_synced;
    client_call(member->client, &member->join_call, coordinator_route(member, member->join_lane));
}

int group_member_assign(struct group_member *member, const mill_bytes *assignments, size_t count)
{
    if (member->state != GROUP_MEMBER_ASSIGNING)
        return 0;
    mill_assert(count == member->peer_count);
    member->assignments = arena_calloc(&member->leading, count + 1, sizeof *assignments);
    bool copied = member->assignments != NULL;
    for (size_t i = 0; i < count && copied; i++) {
        member->assignments[i] = arena_dup(&member->leading, assignments[i].data ? assignments[i] : mill_bytes_of("", 0));
        copied = !mill_is_null(member->assignments[i]);
    }
    if (!copied) {
        prepare(member);
        return MILL_ENOMEM;
    }
    send_sync(member);
    return 0;
}

static void on_synced(struct call *call, const struct answer *answer, struct io_time now)
{
    struct group_member *member = call->ctx;
    const struct sync_group_response *body = answer->body;
    arena_clear(&member->leading);
    member->peers = NULL;
    member->peer_count = 0;
    if (!body) {
        join_unanswered(member, answer, now);
        return;
    }
    if (body->error_code == KAFKA_REBALANCE_IN_PROGRESS) {
        prepare(member);
        return;
    }
    if (body->error_code != 0) {
        join_refused(member, body->error_code, now);
        return;
    }
    member->attempts = 0;
    member->has_assignment = true;
    move(member, GROUP_MEMBER_STABLE);
    bool again = member->rejoin_wanted;
    member->rejoin_wanted = false;
    member->events->assigned(member->ctx, member->protocol, body->assignment, now);
    if (again && member->state == GROUP_MEMBER_STABLE)
        prepare(member);
}

/* ---- leaving --------------------------------------------------------------------------------------------------------------- */

static int fill_leave(struct call *call, struct request *request)
{
    struct group_member *member = call->ctx;
    struct leave_group_request *body = request->body;
    body->group_id = mill_string(member->options.group_id);
    if (request->api_version < 3) {
        body->member_id = mill_string(member->member_id);
        return 0;
    }
    body->members.items = leave_group_request_member_array(&request->arena, 1);
    if (!body->members.items)
        return MILL_ENOMEM;
    body->members.count = 1;
    body->members.items[0].member_id = mill_string(member->member_id);
    body->members.items[0].group_instance_id = instance_id(member);
    body->members.items[0].reason = mill_string("the consumer is being closed");
    return 0;
}

static void has_left(struct group_member *member)
{
    move(member, GROUP_MEMBER_IDLE);
    member->member_id[0] = '\0';
    member->generation = -1;
    member->is_leader = false;
    member->has_assignment = false;
    if (member->left)
        member->left(member->left_ctx);
}

static void on_left(struct call *call, const struct answer *answer, struct io_time now)
{
    has_left(call->ctx);
}

void group_member_leave(struct group_member *member, bool static_too, void (*left)(void *ctx), void *ctx)
{
    bool tell = member->member_id[0] != '\0' && member->state != GROUP_MEMBER_FAILED &&
                (static_too || !member->options.group_instance_id);
    stop_joining(member);
    client_cancel(&member->heartbeat_call);
    loop_timer_cancel(loop_of(member), &member->heartbeat_timer);
    member->left = left;
    member->left_ctx = ctx;
    if (!tell) {
        has_left(member);
        return;
    }
    move(member, GROUP_MEMBER_LEAVING);
    if (!client_call_pending(&member->leave_call))
        client_call(member->client, &member->leave_call, coordinator_route(member, 0));
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

struct group_member *group_member_new(struct client *client, const struct group_options *options, const char *protocol_type,
                                      const char *const *protocols, const struct group_member_events *events, void *ctx)
{
    struct group_member *member = mem_calloc(1, sizeof *member);
    if (!member)
        return NULL;
    member->client = client;
    member->options = *options;
    member->protocol_type = protocol_type;
    member->protocols = protocols;
    member->events = events;
    member->ctx = ctx;
    member->join_lane = client_lane_new(client);
    member->generation = -1;
    member->join_call.ctx = member;
    member->heartbeat_call =
        (struct call){ .api_key = API_HEARTBEAT, .fill = fill_heartbeat, .done = on_heartbeat, .ctx = member };
    member->leave_call = (struct call){
        .api_key = API_LEAVE_GROUP, .timeout_ms = LEAVE_TIMEOUT_MS, .fill = fill_leave, .done = on_left, .ctx = member
    };
    member->step_timer = (struct loop_timer){ .fire = on_step, .ctx = member };
    member->heartbeat_timer = (struct loop_timer){ .fire = on_heartbeat_due, .ctx = member };
    arena_init(&member->leading, 16 << 10, LEADING_BYTES_MAX);
    list_init(&member->operations);
    return member;
}

void group_member_free(struct group_member *member)
{
    if (!member)
        return;
    stop_joining(member);
    client_cancel(&member->heartbeat_call);
    client_cancel(&member->leave_call);
    loop_timer_cancel(loop_of(member), &member->heartbeat_timer);
    group_member_cancel_offsets(member);
    client_lane_close(member->client, member->join_lane);
    arena_release(&member->leading);
    mem_free(member);
}

enum group_member_state group_member_state(const struct group_member *member)
{
    return member->state;
}

const char *group_member_state_name(enum group_member_state state)
{
    return state_names[state];
}

const char *group_member_id(const struct group_member *member)
{
    return member->member_id;
}

int32_t group_member_generation(const struct group_member *member)
{
    return member->generation;
}

bool group_member_is_leader(const struct group_member *member)
{
    return member->is_leader;
}
