#include "wire/api/describe_cluster.h"

#include "broker/api/authorized_operations.h"
#include "broker/internal.h"

enum { ENDPOINT_BROKERS = 1 };

void handle_describe_cluster(struct call *call, struct io_time now)
{
    const struct describe_cluster_request *request = call->request;
    struct describe_cluster_response *response = call->response;
    struct broker *broker = call->broker;
    struct describe_cluster_response_broker *self = call_array(call, describe_cluster_response_broker_array(call->arena, 1));
    response->endpoint_type = request->endpoint_type;
    if (request->endpoint_type != ENDPOINT_BROKERS) {
        response->error_code = KAFKA_UNSUPPORTED_ENDPOINT_TYPE;
        response->error_message = mill_string("controllers have no endpoints of their own here");
    } else if (self) {
        self->broker_id = broker->node_id;
        self->host = mill_string(broker->advertised_host ? broker->advertised_host : "");
        self->port = broker->advertised_port;
        response->brokers.items = self;
        response->brokers.count = 1;
        response->cluster_id = mill_string(broker_cluster_id(broker));
        response->controller_id = broker->node_id;
    }
    if (request->include_cluster_authorized_operations)
        response->cluster_authorized_operations = CLUSTER_OPERATIONS;
    call_reply(call, now);
}
