/* Calls, links, metadata and coordinators, against a scripted cluster under virtual time. */
#include "fake_peer.h"

#include "base/trace.h"
#include "wire/api/heartbeat.h"
#include "wire/api/list_groups.h"

struct fixture {
    struct peer peer;
    struct client *client;
    struct call call;
    int calls; /* `done` */
    int code;
    int16_t version;
    int32_t broker;
    char text[ERROR_TEXT_BYTES];
};

static void call_done(struct call *call, const struct answer *answer, struct io_time now)
{
    struct fixture *f = call->ctx;
    f->calls++;
    f->code = answer->code;
    f->version = answer->version;
    f->broker = answer->broker;
    snprintf(f->text, sizeof f->text, "%s", answer->text);
}

static bool answer_empty(struct peer *peer, struct request *request)
{
    if (request->api->key != API_LIST_GROUPS && request->api->key != API_HEARTBEAT)
        return false;
    peer_response(request);
    peer_answer(peer, request);
    return true;
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    peer_init(&f.peer);
    f.client = peer_client(&f.peer);
    f.call = (struct call){ .api_key = API_LIST_GROUPS, .done = call_done, .ctx = &f };
    *state = &f;
    trace_set_level(getenv("TRACE") ? TRACE_DEBUG : TRACE_OFF);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    client_cancel(&f->call);
    peer_end(&f->peer, f->client);
    return 0;
}

static void call_any(struct fixture *f)
{
    client_call(f->client, &f->call, (struct route){ .kind = ROUTE_ANY });
}

static void a_call_connects_negotiates_and_is_answered(void **state)
{
    struct fixture *f = *state;
    f->peer.hook = answer_empty;
    f->peer.version_caps[API_LIST_GROUPS] = 3 + 1;

    call_any(f);
    assert_int_equal(f->calls, 0); /* never from within client_call */
    peer_run(&f->peer, 0);

    assert_int_equal(f->calls, 1);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->version, 3);
    assert_int_equal(f->peer.requests[API_API_VERSIONS], 1);
}

static void an_api_that_the_broker_lacks_is_named(void **state)
{
    struct fixture *f = *state;
    f->peer.not_offered[API_LIST_GROUPS] = true;

    call_any(f);
    peer_run(&f->peer, 0);

    assert_int_equal(f->code, MILL_EUNSUPPORTED);
    assert_non_null(strstr(f->text, "does not offer ListGroups"));
}

static void a_refused_connection_is_tried_again_with_a_growing_pause(void **state)
{
    struct fixture *f = *state;
    f->peer.refuse = true;
    f->peer.hook = answer_empty;

    call_any(f);
    peer_run(&f->peer, 3000);
    assert_int_equal(f->calls, 0);
    assert_in_range(f->peer.connects, 5, 9); /* 0, 50, 150, 350, 750, 1550, 2550 ms, jittered */

    f->peer.refuse = false;
    peer_run(&f->peer, 1300);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->code, 0);
}

static void a_call_that_never_finds_a_connection_times_out_and_says_why(void **state)
{
    struct fixture *f = *state;
    f->peer.refuse = true;

    call_any(f);
    peer_run(&f->peer, 29999);
    assert_int_equal(f->calls, 0);
    peer_run(&f->peer, 1);

    assert_int_equal(f->code, MILL_ETIMEOUT);
    assert_non_null(strstr(f->text, "bootstrap:9090"));
}

static void a_request_without_an_answer_takes_its_connection_with_it(void **state)
{
    struct fixture *f = *state;
    call_any(f);
    peer_run(&f->peer, 0);
    int connects = f->peer.connects;

    peer_run(&f->peer, 30000);
    assert_int_equal(f->code, MILL_ETIMEOUT);
    assert_true(list_empty(&f->peer.held));

    f->peer.hook = answer_empty;
    call_any(f);
    peer_run(&f->peer, 100);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->peer.connects, connects + 1);
}

static void a_lost_connection_ends_the_calls_on_it(void **state)
{
    struct fixture *f = *state;
    call_any(f);
    peer_run(&f->peer, 0);
    peer_cut_all(&f->peer);
    peer_run(&f->peer, 0);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->code, MILL_ECONNECTION);
}

static void a_cancelled_call_is_not_answered(void **state)
{
    struct fixture *f = *state;
    call_any(f);
    peer_run(&f->peer, 0);
    client_cancel(&f->call);
    struct request *request = peer_held(&f->peer, API_LIST_GROUPS);
    peer_response(request);
    peer_answer(&f->peer, request);
    peer_run(&f->peer, 60000);
    assert_int_equal(f->calls, 0);
}

static bool refuse_new_api_versions(struct peer *peer, struct request *request)
{
    if (request->api->key != API_API_VERSIONS || request->api_version == 0)
        return answer_empty(peer, request);
    struct api_versions_response *body = peer_response(request);
    body->error_code = KAFKA_UNSUPPORTED_VERSION;
    peer_answer(peer, request);
    return true;
}

static bool hang_up_on_new_api_versions(struct peer *peer, struct request *request)
{
    if (request->api->key != API_API_VERSIONS || request->api_version == 0)
        return answer_empty(peer, request);
    peer_cut(request->holder, MILL_ECONNECTION);
    return true;
}

static void an_older_broker_is_asked_again_in_version_0(void **state)
{
    struct fixture *f = *state;
    f->peer.hook = refuse_new_api_versions;
    call_any(f);
    peer_run(&f->peer, 0);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->calls, 1);
}

static void a_broker_that_hangs_up_on_api_versions_gets_version_0_next(void **state)
{
    struct fixture *f = *state;
    f->peer.hook = hang_up_on_new_api_versions;
    call_any(f);
    peer_run(&f->peer, 200);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->calls, 1);
}

static void topics_are_asked_for_once_in_the_next_turn(void **state)
{
    struct fixture *f = *state;
    peer_add_topic(&f->peer, "a", 2, 1);
    peer_add_topic(&f->peer, "b", 1, 3);

    struct client_topic *a = client_topic(f->client, "a");
    struct client_topic *b = client_topic(f->client, "b");
    assert_int_equal(a->partition_count, -1);
    peer_run(&f->peer, 0);

    assert_int_equal(f->peer.requests[API_METADATA], 1);
    assert_int_equal(a->partition_count, 2);
    assert_int_equal(client_leader(f->client, b, 0), 3);
    assert_ptr_equal(client_topic(f->client, "a"), a);
    assert_ptr_equal(client_topic_by_id(f->client, b->id), b);
    assert_string_equal(client_cluster_id(f->client), "test");
}

static void a_missing_topic_is_asked_for_until_it_appears(void **state)
{
    struct fixture *f = *state;
    struct client_topic *late = client_topic(f->client, "late");
    peer_run(&f->peer, 1000);
    assert_int_equal(late->code, MILL_ENOTFOUND);
    assert_in_range(f->peer.requests[API_METADATA], 3, 6);

    peer_add_topic(&f->peer, "late", 1, 1);
    peer_run(&f->peer, 1500);
    assert_int_equal(late->code, 0);
    assert_int_equal(late->partition_count, 1);

    int asked = f->peer.requests[API_METADATA];
    peer_run(&f->peer, 200000);
    assert_int_equal(f->peer.requests[API_METADATA], asked);
    peer_run(&f->peer, 200000); /* metadata.max.age.ms */
    assert_int_equal(f->peer.requests[API_METADATA], asked + 1);
}

static void a_topic_that_is_left_is_not_asked_for_any_more(void **state)
{
    struct fixture *f = *state;
    struct peer_topic *topic = peer_add_topic(&f->peer, "a", 1, 2);
    struct client_topic *a = client_topic_there(f->client, "a");
    peer_run(&f->peer, 0);

    client_leave_topic(f->client, "a");
    topic->leaders[0] = 1;
    client_refresh(f->client);
    peer_run(&f->peer, 200);
    assert_int_equal(client_leader(f->client, a, 0), 2);

    assert_ptr_equal(client_topic_there(f->client, "a"), a);
    peer_run(&f->peer, 200);
    assert_int_equal(client_leader(f->client, a, 0), 1);
}

/* It is read by a pattern and written. */
static void a_topic_that_is_left_is_still_asked_for_by_who_named_it(void **state)
{
    struct fixture *f = *state;
    struct peer_topic *topic = peer_add_topic(&f->peer, "a", 1, 2);
    struct client_topic *a = client_topic(f->client, "a");
    assert_ptr_equal(client_topic_there(f->client, "a"), a);
    peer_run(&f->peer, 0);

    client_leave_topic(f->client, "a");
    topic->leaders[0] = 1;
    client_refresh(f->client);
    peer_run(&f->peer, 200);
    assert_int_equal(client_leader(f->client, a, 0), 1);

    client_forget_topic(f->client, "a");
    topic->leaders[0] = 3;
    client_refresh(f->client);
    peer_run(&f->peer, 200);
    assert_int_equal(client_leader(f->client, a, 0), 1);
}

static bool make_what_may_be_made(struct peer *peer, struct request *request)
{
    if (request->api->key != API_METADATA)
        return false;
    const struct metadata_request *body = request->body;
    for (int32_t i = 0; body->allow_auto_topic_creation && i < body->topics.count; i++)
        if (peer_find_topic(peer, body->topics.items[i].name) == NULL)
            peer_add_topic(peer, "a", 1, 1);
    return false;
}

static void asking_creates_a_named_topic_again_only_once_it_is_left(void **state)
{
    struct fixture *f = *state;
    f->peer.hook = make_what_may_be_made;
    struct client_topic *a = client_topic(f->client, "a");
    client_topic_there(f->client, "a");
    peer_run(&f->peer, 3000);
    assert_int_equal(a->code, MILL_ENOTFOUND);

    client_leave_topic(f->client, "a");
    peer_run(&f->peer, 3000);
    assert_int_equal(a->code, 0);
    assert_int_equal(client_leader(f->client, a, 0), 1);
}

static void an_answer_with_an_older_leader_epoch_is_ignored(void **state)
{
    struct fixture *f = *state;
    struct peer_topic *topic = peer_add_topic(&f->peer, "a", 1, 2);
    topic->epochs[0] = 7;
    struct client_topic *a = client_topic(f->client, "a");
    peer_run(&f->peer, 0);

    topic->leaders[0] = 1;
    topic->epochs[0] = 6;
    client_refresh(f->client);
    peer_run(&f->peer, 200);
    assert_int_equal(client_leader(f->client, a, 0), 2);

    topic->epochs[0] = 8;
    client_refresh(f->client);
    peer_run(&f->peer, 200);
    assert_int_equal(client_leader(f->client, a, 0), 1);
}

static void a_topic_made_anew_starts_over_with_its_epochs(void **state)
{
    struct fixture *f = *state;
    struct peer_topic *topic = peer_add_topic(&f->peer, "a", 4, 2);
    topic->epochs[0] = 7;
    struct client_topic *a = client_topic(f->client, "a");
    peer_run(&f->peer, 0);

    topic->id = 99;
    topic->partitions = 2;
    topic->epochs[0] = 0;
    topic->leaders[0] = 3;
    client_refresh(f->client);
    peer_run(&f->peer, 200);
    assert_int_equal(a->partition_count, 2);
    assert_int_equal(client_leader(f->client, a, 0), 3);
}

static void many_refreshes_are_one_request(void **state)
{
    struct fixture *f = *state;
    peer_add_topic(&f->peer, "a", 1, 1);
    client_topic(f->client, "a");
    peer_run(&f->peer, 0);
    for (int i = 0; i < 10; i++)
        client_refresh(f->client);
    peer_run(&f->peer, 99);
    assert_int_equal(f->peer.requests[API_METADATA], 1);
    peer_run(&f->peer, 1);
    assert_int_equal(f->peer.requests[API_METADATA], 2);
}

static void a_call_to_the_coordinator_finds_it_first(void **state)
{
    struct fixture *f = *state;
    f->peer.hook = answer_empty;
    struct route route = { .kind = ROUTE_COORDINATOR, .type = COORDINATOR_GROUP, .key = "g" };
    f->call.api_key = API_HEARTBEAT;
    client_call(f->client, &f->call, route);
    peer_run(&f->peer, 0);
    assert_int_equal(f->code, 0);
    assert_int_equal(f->broker, 2);

    client_call(f->client, &f->call, route);
    peer_run(&f->peer, 0);
    assert_int_equal(f->peer.requests[API_FIND_COORDINATOR], 1);

    f->peer.coordinator = 3;
    client_coordinator_lost(f->client, COORDINATOR_GROUP, "g");
    client_call(f->client, &f->call, route);
    peer_run(&f->peer, 0);
    assert_int_equal(f->broker, 3);
    assert_int_equal(f->peer.requests[API_FIND_COORDINATOR], 2);
}

static void a_coordinator_that_is_not_available_is_looked_up_again(void **state)
{
    struct fixture *f = *state;
    f->peer.hook = answer_empty;
    f->peer.coordinator = -1;
    f->call.api_key = API_HEARTBEAT;
    client_call(f->client, &f->call, (struct route){ .kind = ROUTE_COORDINATOR, .key = "g" });
    peer_run(&f->peer, 500);
    assert_int_equal(f->calls, 0);
    f->peer.coordinator = 1;
    peer_run(&f->peer, 1000);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->broker, 1);
}

static void a_call_to_the_controller_waits_for_metadata(void **state)
{
    struct fixture *f = *state;
    f->peer.hook = answer_empty;
    f->peer.controller = 3;
    client_call(f->client, &f->call, (struct route){ .kind = ROUTE_CONTROLLER });
    peer_run(&f->peer, 0);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->broker, 3);
}

static void calls_beyond_the_credits_wait_their_turn(void **state)
{
    struct fixture *f = *state;
    struct call calls[40];
    for (int i = 0; i < 40; i++) {
        calls[i] = f->call;
        client_call(f->client, &calls[i], (struct route){ .kind = ROUTE_ANY });
    }
    peer_run(&f->peer, 0);
    assert_int_equal(f->peer.requests[API_LIST_GROUPS], 16);
    struct request *request;
    while ((request = peer_held(&f->peer, API_LIST_GROUPS))) {
        peer_response(request);
        peer_answer(&f->peer, request);
        peer_run(&f->peer, 0);
    }
    assert_int_equal(f->calls, 40);
}

static void bootstrap_servers_are_parsed_or_refused(void **state)
{
    struct fixture *f = *state;
    struct error_text error;
    struct client_options options = peer_client_options();
    static const char *const wrong[] = { "host", "host:", ":9092", "host:99999", "host:x", "a:1,b" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.bootstrap_servers = wrong[i];
        assert_null(client_new(&f->peer.loop, &options, &f->peer.connector, &error));
        assert_non_null(strstr(error.text, "bootstrap.servers"));
    }
    options.bootstrap_servers = "";
    assert_null(client_new(&f->peer.loop, &options, NULL, &error));
    options.bootstrap_servers = " [::1]:9092 ,, host:1 ";
    struct client *client = client_new(&f->peer.loop, &options, &f->peer.connector, &error);
    assert_non_null(client);
    client_free(client, NULL, NULL);
}

static void every_failed_allocation_is_survived(void **state)
{
    struct fixture *f = *state;
    for (uint64_t n = 1; n < 120; n++) {
        struct peer peer;
        peer_init(&peer);
        peer.hook = answer_empty;
        peer_add_topic(&peer, "a", 2, 1);
        peer_fail_at(n);
        struct client *client = peer_client(&peer);
        if (client) {
            f->calls = 0;
            f->call.api_key = API_HEARTBEAT;
            client_topic(client, "a");
            client_call(client, &f->call, (struct route){ .kind = ROUTE_COORDINATOR, .key = "g" });
            peer_run(&peer, 60000);
            assert_int_equal(f->calls, 1);
            peer_fail_at(0);
            peer_end(&peer, client);
        }
        peer_fail_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_connects_negotiates_and_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_api_that_the_broker_lacks_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_connection_is_tried_again_with_a_growing_pause, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_that_never_finds_a_connection_times_out_and_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_without_an_answer_takes_its_connection_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_connection_ends_the_calls_on_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_call_is_not_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_broker_is_asked_again_in_version_0, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broker_that_hangs_up_on_api_versions_gets_version_0_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(topics_are_asked_for_once_in_the_next_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_topic_is_asked_for_until_it_appears, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_is_left_is_not_asked_for_any_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_is_left_is_still_asked_for_by_who_named_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asking_creates_a_named_topic_again_only_once_it_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_with_an_older_leader_epoch_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_made_anew_starts_over_with_its_epochs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_refreshes_are_one_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_to_the_coordinator_finds_it_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_coordinator_that_is_not_available_is_looked_up_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_to_the_controller_waits_for_metadata, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calls_beyond_the_credits_wait_their_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bootstrap_servers_are_parsed_or_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_survived, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
