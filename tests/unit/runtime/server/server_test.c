/*
 * The listener with a real broker behind it, over the simulated network, seen by a peer that sends bytes of its own making.
 */
#include "unit/runtime/broker/broker_rig.h"

#include "server/server.h"
#include "wire/api/api_versions.h"
#include "wire/api/metadata.h"

enum { RECEIVED_MAX = 1 << 16 };

struct peer {
    struct rig *rig;
    struct net_stream *stream;
    uint8_t received[RECEIVED_MAX];
    size_t len;
    bool connected;
    bool ended; /* the other side has closed */
    bool closed;
};

struct fixture {
    struct rig rig;
    struct server *server;
    struct loop *client_loop;
    bool server_closed;
};

static bool is_true(void *ctx)
{
    return *(bool *)ctx;
}

static void wait_for(struct rig *rig, bool *flag)
{
    assert_int_equal(sim_world_run(rig->world, is_true, flag, 100 * SECOND_US), 0);
}

/* ---- the peer -------------------------------------------------------------------------------------------------------------- */

static uint8_t *reserve(void *ctx, size_t *len)
{
    struct peer *peer = ctx;
    assert_true(peer->len < RECEIVED_MAX);
    *len = RECEIVED_MAX - peer->len;
    return peer->received + peer->len;
}

static void got(void *ctx, ssize_t len, struct io_time now)
{
    struct peer *peer = ctx;
    if (len > 0)
        peer->len += (size_t)len;
    else
        peer->ended = true;
}

static void written(void *ctx, void *write_ctx, int code, struct io_time now)
{
    free(write_ctx);
}

static void closed(void *ctx)
{
    struct peer *peer = ctx;
    peer->closed = true;
}

static const struct net_stream_events PEER_EVENTS = { reserve, got, written, closed };

static void connected(void *ctx, int code, struct io_time now)
{
    struct peer *peer = ctx;
    assert_int_equal(code, 0);
    peer->connected = true;
}

static void peer_connect(struct fixture *f, struct peer *peer)
{
    *peer = (struct peer){ .rig = &f->rig };
    assert_int_equal(net_connect(f->client_loop, "broker", server_port(f->server), connected, &PEER_EVENTS, peer, &peer->stream),
                     0);
    wait_for(&f->rig, &peer->connected);
}

static void peer_close(struct peer *peer)
{
    net_close(peer->stream);
    wait_for(peer->rig, &peer->closed);
}

static void peer_send_bytes(struct peer *peer, const void *data, size_t len)
{
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, data, len);
    assert_int_equal(net_write(peer->stream, &(struct io_vector){ copy, len }, 1, copy), 0);
}

/* Encodes and frees the request. */
static void peer_send(struct peer *peer, struct ask *ask)
{
    struct wire_frame frame;
    uint8_t bytes[4096];
    size_t len = 0;
    assert_int_equal(request_encode(ask->request, &frame, NULL), 0);
    for (int32_t i = 0; i < frame.count; i++) {
        assert_true(len + frame.slices[i].bytes.len <= sizeof bytes);
        memcpy(bytes + len, frame.slices[i].bytes.data, frame.slices[i].bytes.len);
        len += frame.slices[i].bytes.len;
    }
    peer_send_bytes(peer, bytes, len);
    ask_end(ask);
}

static void wait_for_bytes(struct peer *peer, size_t len)
{
    for (int i = 0; i < 100000 && peer->len < len && !peer->ended; i++)
        sim_world_step(peer->rig->world);
    assert_true(peer->len >= len);
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

static void server_is_closed(void *ctx)
{
    struct fixture *f = ctx;
    f->server_closed = true;
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .server = NULL };
    rig_open(&f.rig, (const char *const[]){ "max.connections=2", NULL });
    f.client_loop = sim_world_add_loop(f.rig.world, "client");
    struct server_options options = server_default_options(f.rig.broker, f.rig.loop, "broker", 0);
    struct error_text error;
    assert_int_equal(server_open(&options, &f.server, &error), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    server_close(f->server, server_is_closed, f);
    wait_for(&f->rig, &f->server_closed);
    rig_close(&f->rig);
    return 0;
}

static void a_request_over_the_network_is_answered(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    struct ask ask;
    peer_connect(f, &peer);
    struct metadata_request *request = ask_new(&ask, API_METADATA, 1);
    request->topics.count = -1;
    ask.request->correlation_id = 77;
    peer_send(&peer, &ask);
    wait_for_bytes(&peer, 8);
    assert_int_equal(read_u32_be(peer.received + 4), 77);
    peer_close(&peer);
}

static void an_unknown_version_of_api_versions_is_answered_in_version_0(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    const uint8_t request[] = { 0, 0, 0, 11, 0, API_API_VERSIONS, 0, 99, 0, 0, 0, 5, 0, 0, 0 };
    peer_connect(f, &peer);
    peer_send_bytes(&peer, request, sizeof request);
    wait_for_bytes(&peer, 14);
    assert_int_equal(read_u32_be(peer.received + 4), 5);
    assert_int_equal(read_u16_be(peer.received + 8), KAFKA_UNSUPPORTED_VERSION);
    assert_true(read_u32_be(peer.received + 10) > 20); /* and what there is instead */
    peer_close(&peer);
}

static void other_unknown_versions_and_apis_end_the_connection(void **state)
{
    struct fixture *f = *state;
    const uint8_t requests[][15] = {
        { 0, 0, 0, 11, 0, API_METADATA, 0, 99, 0, 0, 0, 5, 0, 0, 0 },
        { 0, 0, 0, 11, 0, API_PRODUCE, 0, 2, 0, 0, 0, 5, 0, 0, 0 }, /* advertised, and refused */
        { 0, 0, 0, 11, 0, API_SASL_HANDSHAKE, 0, 0, 0, 0, 0, 5, 0, 0, 0 },
        { 0, 0, 0, 11, 9, 9, 0, 0, 0, 0, 0, 5, 0, 0, 0 },
        { 0x7f, 0xff, 0xff, 0xff, 0, 18, 0, 0, 0, 0, 0, 5, 0, 0, 0 },
        { 0x80, 0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 5, 0, 0, 0 },
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct peer peer;
        peer_connect(f, &peer);
        peer_send_bytes(&peer, requests[i], sizeof requests[i]);
        wait_for(&f->rig, &peer.ended);
        assert_int_equal(peer.len, 0);
        peer_close(&peer);
    }
}

static void a_connection_above_the_limit_is_closed_and_those_inside_stay(void **state)
{
    struct fixture *f = *state;
    struct peer one, two, three;
    struct ask ask;
    peer_connect(f, &one);
    peer_connect(f, &two);
    peer_connect(f, &three);
    wait_for(&f->rig, &three.ended);
    assert_int_equal(server_connections(f->server), 2);
    ask_new(&ask, API_API_VERSIONS, 0);
    peer_send(&one, &ask);
    wait_for_bytes(&one, 8);
    peer_close(&one);
    peer_close(&two);
    peer_close(&three);
}

static void a_parked_fetch_of_a_peer_that_has_gone_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    struct ask ask;
    rig_create_topic(&f->rig, "events", 1, NULL, NULL);
    peer_connect(f, &peer);
    ask_fetch(&ask, "events", 0, 0, 1, INT32_MAX);
    peer_send(&peer, &ask);
    rig_pass(&f->rig, SECOND_US);
    assert_int_equal(server_connections(f->server), 1);
    peer_close(&peer);
    rig_pass(&f->rig, SECOND_US);
    assert_int_equal(server_connections(f->server), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_over_the_network_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_version_of_api_versions_is_answered_in_version_0, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_unknown_versions_and_apis_end_the_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connection_above_the_limit_is_closed_and_those_inside_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_parked_fetch_of_a_peer_that_has_gone_is_given_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
