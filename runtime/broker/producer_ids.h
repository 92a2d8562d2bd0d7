/*
 * Producer ids: each is handed out once, ever.
 *
 * Ids come in blocks of 1,000: a ProducerIds record in the metadata log claims the block before the first of it is used, so a
 * restart goes on behind it; and behind all that lost metadata may have claimed, if some are lost. Whoever asks while a block is
 * being claimed waits for it. Thread: the broker's loop.
 */
#ifndef BROKER_PRODUCER_IDS_H
#define BROKER_PRODUCER_IDS_H

#include "base/list.h"
#include "broker/metadata.h"

enum { PRODUCER_ID_BLOCK = 1000 };

struct producer_ids {
    struct broker *broker;
    int64_t next;
    int64_t end; /* of the claimed block */
    struct list waiting;
    struct metadata_change claim;
    bool claiming;
};

struct producer_id_request {
    /* `error`: enum kafka_error. May be called inside producer_ids_take. */
    void (*done)(struct producer_id_request *request, int16_t error, int64_t producer_id, struct io_time now);
    void *ctx;
    struct list link;
};

void producer_ids_init(struct producer_ids *ids, struct broker *broker);
void producer_ids_take(struct producer_ids *ids, struct producer_id_request *request, struct io_time now);

#endif
