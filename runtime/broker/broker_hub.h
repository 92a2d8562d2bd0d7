/*
 * The broker's side of the in-process endpoints: the queue of requests and who wakes whom. For broker.c and broker_local.c.
 */
#ifndef BROKER_BROKER_HUB_H
#define BROKER_BROKER_HUB_H

struct broker;

int broker_hub_new(struct broker *broker);   /* MILL_ENOMEM */
int broker_hub_open(struct broker *broker);  /* when the broker opens: requests are taken from now on */
void broker_hub_free(struct broker *broker); /* every endpoint has closed */

#endif
