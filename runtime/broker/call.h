/*
 * One request on its way through the broker's handlers.
 *
 * A handler (api/<name>.c) reads `request`, fills `response` (the structs of wire/api; what they point to comes from the
 * request's arena) and ends with call_reply or call_fail, once. Until then the call may be parked with an owner: a partition that
 * awaits a sync, a group that awaits its members. Whoever parks a call that may wait long sets `hurry`.
 *
 * Lives in the request's arena: nothing of it is touched after the end. Thread: the broker's loop.
 */
#ifndef BROKER_CALL_H
#define BROKER_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/broker.h"
#include "wire/kafka_error.h"
#include "wire/message.h"

struct call {
    struct broker *broker;
    const void *request;
    void *response;
    int16_t version;
    struct arena *arena; /* the request's */
    mill_bytes client_id;
    const char *client_host;

    /* Ends the wait: the call is answered with what there is. NULL while nothing long is waited for. */
    void (*hurry)(struct call *call, struct io_time now);
    void *state; /* the handler's, in the arena */

    bool starved; /* call_copy or call_array found no memory: call_reply fails the call */
    struct request *message;
    broker_reply reply;
    void *reply_ctx;
    struct list link; /* of broker->calls */
};

void call_reply(struct call *call, struct io_time now);
void call_reply_nothing(struct call *call, struct io_time now); /* acks=0 */
/* There is no answer (MILL_ENOMEM, or MILL_ECLOSED for an acks=0 that failed): a connection is to be closed. */
void call_fail(struct call *call, int code, struct io_time now);

/*
 * For building a response: a copy of `bytes` in the call's arena (null stays null), and an array straight from its constructor.
 * Without memory they give "" and NULL, and the call fails at call_reply: so a response is built without asking at each field.
 */
mill_bytes call_copy(struct call *call, mill_bytes bytes);
void *call_array(struct call *call, void *array);

/* The handlers, one for each API that is answered. */
typedef void call_handler(struct call *call, struct io_time now);
call_handler handle_api_versions, handle_metadata, handle_create_topics, handle_delete_topics, handle_create_partitions,
    handle_produce, handle_fetch, handle_list_offsets, handle_offset_for_leader_epoch, handle_delete_records,
    handle_init_producer_id, handle_describe_configs, handle_incremental_alter_configs, handle_describe_cluster,
    handle_describe_topic_partitions, handle_find_coordinator, handle_join_group, handle_sync_group, handle_heartbeat,
    handle_leave_group, handle_offset_commit, handle_offset_fetch, handle_describe_groups, handle_list_groups,
    handle_delete_groups, handle_add_partitions_to_txn, handle_add_offsets_to_txn, handle_end_txn, handle_write_txn_markers,
    handle_txn_offset_commit, handle_describe_producers, handle_describe_transactions, handle_list_transactions;

#endif
