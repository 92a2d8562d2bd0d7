#include "app/local_connector.h"

#include "base/alloc.h"
#include "broker/broker_local.h"

enum { CREDITS = 64 };

struct local_connection {
    struct connection base; /* first */
    struct broker_local *local;
    const struct connection_events *events;
    void *ctx;
    struct loop *loop;
    struct loop_timer opened; /* events never come from within connect */
    bool closing;
};

static void answered(void *ctx, struct request *request, struct io_time now)
{
    struct local_connection *connection = ctx;
    connection->events->answered(connection->ctx, request, now);
}

static void closed(void *ctx)
{
    struct local_connection *connection = ctx;
    connection->events->closed(connection->ctx, 0, "", loop_now(connection->loop));
    mem_free(connection);
}

static int local_send(struct connection *base, struct request *request, struct error_text *error)
{
    struct local_connection *connection = (struct local_connection *)base;
    if (request_own(request) < 0)
        return error_set(error, MILL_ENOMEM, "no memory for a request");
    if (!connection->closing && broker_local_send(connection->local, request))
        return 0;
    return error_set(error, MILL_ECLOSED, "the broker inside this process is closing");
}

static void local_close(struct connection *base)
{
    struct local_connection *connection = (struct local_connection *)base;
    if (connection->closing)
        return;
    connection->closing = true;
    loop_timer_cancel(connection->loop, &connection->opened);
    broker_local_close(connection->local, closed, connection);
}

static const struct connection_ops CONNECTION_OPS = { local_send, local_close };

static void tell_opened(struct loop_timer *timer, struct io_time now)
{
    struct local_connection *connection = timer->ctx;
    connection->events->opened(connection->ctx, now);
}

static int local_connect(struct connector *base, struct loop *loop, const char *host, int port,
                         const struct connection_events *events, void *ctx, struct connection **made)
{
    struct local_connector *connector = (struct local_connector *)base;
    struct local_connection *connection = mem_calloc(1, sizeof *connection);
    if (connection == NULL)
        return MILL_ENOMEM;
    *connection = (struct local_connection){ .base = { &CONNECTION_OPS, CREDITS }, .events = events, .ctx = ctx, .loop = loop };
    connection->opened = (struct loop_timer){ .fire = tell_opened, .ctx = connection };
    int code = broker_local_open(connector->broker, loop, CREDITS, answered, connection, &connection->local);
    if (code < 0) {
        mem_free(connection);
        return code;
    }
    loop_timer_set(loop, &connection->opened, loop_now(loop).monotonic_us);
    *made = &connection->base;
    return 0;
}

static const struct connector_ops CONNECTOR_OPS = { local_connect };

void local_connector_init(struct local_connector *connector, struct broker *broker)
{
    *connector = (struct local_connector){ { &CONNECTOR_OPS }, broker };
}
