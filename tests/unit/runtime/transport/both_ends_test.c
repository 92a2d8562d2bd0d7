/*
 * A client's and a server's connection talking to each other: what comes back is what was asked for, whatever the sizes and
 * times.
 */
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "millstream/error.h"
#include "transport/client_connection.h"
#include "transport/server_connection.h"
#include "unit/runtime/transport/rig.h"
#include "wire/api/produce.h"

enum { REQUESTS = 400, RECORDS_MAX = 300000, HELD_MAX = 16 };

static struct client_connection_limits client_limits;
static struct client_connection *client;
static int sent, answered;
static bool client_closed;

static struct server_connection_limits server_limits;
static struct request *held[HELD_MAX];
static int held_count;
static bool server_closed;

static struct prng prng;
static uint8_t *payload;

static size_t records_of(int i)
{
    return i % 7 == 0 ? (size_t)i * 977 % RECORDS_MAX : (size_t)i % 300;
}

/* ---- the server: answers with the length of the records, in any order ------------------------------------------------------ */

static void answer_one(void)
{
    int i = (int)prng_below(&prng, (uint64_t)held_count);
    struct request *request = held[i];
    held[i] = held[--held_count];

    const struct produce_request *body = request->body;
    const struct wire_records *records = &body->topic_data.items[0].partition_data.items[0].records;
    for (int32_t s = 0; s < records->count; s++)
        assert_memory_equal(records->slices[s].bytes.data, payload, records->slices[s].bytes.len);
    struct produce_response *response = request_new_response(request);
    response->throttle_time_ms = (int32_t)records->len;
    server_connection_answer(request, loop_now(the_rig.loop));
}

static void on_request(void *ctx, struct server_connection *connection, struct request *request, struct io_time now)
{
    held[held_count++] = request;
    if (prng_chance(&prng, 0.3) || held_count == HELD_MAX)
        answer_one();
}

static bool always(void *ctx, const struct request *running, const struct request *next)
{
    return true;
}

static void on_server_closed(void *ctx, struct server_connection *connection, int code, const char *why)
{
    server_closed = true;
}

static const struct server_connection_events SERVER_EVENTS = { on_request, always, on_server_closed };

static void accept_connection(struct rig *rig, struct net_stream *stream)
{
    struct server_connection *connection;
    assert_int_equal(server_connection_open(rig->loop, stream, &server_limits, &SERVER_EVENTS, NULL, &connection), 0);
}

/* ---- the client ------------------------------------------------------------------------------------------------------------ */

static void send_more(void)
{
    while (sent < REQUESTS) {
        struct request *request = new_request(API_PRODUCE, 9, 0);
        struct produce_request *body = request->body;
        body->topic_data.items = produce_request_topic_array(&request->arena, 1);
        body->topic_data.count = 1;
        body->topic_data.items[0].partition_data.items = produce_request_partition_array(&request->arena, 1);
        body->topic_data.items[0].partition_data.count = 1;
        struct slice *slice = arena_calloc(&request->arena, 1, sizeof *slice);
        slice->bytes = mill_bytes_of(payload, records_of(sent));
        body->topic_data.items[0].partition_data.items[0].records = (struct wire_records){ slice, 1, slice->bytes.len };
        int code = client_connection_send(client, request, 0, NULL);
        if (code) {
            assert_int_equal(code, MILL_EAGAIN);
            request_free(request);
            return;
        }
        sent++;
    }
}

static void on_answered(void *ctx, struct client_connection *connection, struct request *request, struct io_time now)
{
    assert_int_equal(request->response.error, 0);
    const struct produce_response *response = request->response.body;
    assert_int_equal(response->throttle_time_ms, records_of(answered));
    answered++;
    request_free(request);
    send_more();
}

static void on_client_closed(void *ctx, struct client_connection *connection, int code, const char *why, struct io_time now)
{
    assert_int_equal(code, 0);
    client_closed = true;
}

static const struct client_connection_events CLIENT_EVENTS = { NULL, on_answered, on_client_closed };

static void every_request_comes_back_with_its_own_answer(void **state)
{
    prng_init(&prng, 7);
    payload = malloc(RECORDS_MAX);
    assert_non_null(payload);
    for (size_t i = 0; i < RECORDS_MAX; i++)
        payload[i] = (uint8_t)(i * 31);
    client_limits = client_connection_default_limits();
    server_limits = server_connection_default_limits();
    rig_open(accept_connection);
    assert_int_equal(
        client_connection_open(the_rig.loop, "127.0.0.1", the_rig.port, &client_limits, &CLIENT_EVENTS, NULL, &client), 0);

    send_more();
    while (answered < REQUESTS) {
        RUN_UNTIL(held_count > 0 || answered == REQUESTS);
        if (held_count > 0)
            answer_one();
    }

    client_connection_close(client);
    RUN_UNTIL(client_closed && server_closed);
    rig_close();
    free(payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_request_comes_back_with_its_own_answer) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
