/*
 * The in-process connector: the client's connection interface over the broker's local endpoint.
 *
 * Thread: connections live on the loop that made them; the connector itself is read-only.
 */
#ifndef APP_LOCAL_CONNECTOR_H
#define APP_LOCAL_CONNECTOR_H

#include "broker/broker.h"
#include "client/connection.h"

struct local_connector {
    struct connector base; /* first */
    struct broker *broker;
};

void local_connector_init(struct local_connector *connector, struct broker *broker);

#endif
