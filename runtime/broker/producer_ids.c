#include "broker/producer_ids.h"

#include "broker/internal.h"

static void claim_block(struct metadata_change *change, struct io_time now)
{
    struct producer_ids *ids = change->ctx;
    struct metadata *metadata = &ids->broker->metadata;
    struct producer_ids_record record;
    producer_ids_record_init(&record);
    record.broker_id = ids->broker->node_id;
    record.broker_epoch = 0;
    record.next_producer_id = metadata->next_producer_id + PRODUCER_ID_BLOCK;
    metadata_add(metadata, METADATA_RECORD_PRODUCER_IDS, 0, &producer_ids_record_message, &record, now);
}

static void serve(struct producer_ids *ids, int16_t error, struct io_time now)
{
    while (!list_empty(&ids->waiting) && (error != KAFKA_NONE || ids->next < ids->end)) {
        struct producer_id_request *request = list_entry(list_pop_front(&ids->waiting), struct producer_id_request, link);
        request->done(request, error, error == KAFKA_NONE ? ids->next++ : -1, now);
    }
    if (list_empty(&ids->waiting) || ids->claiming)
        return;
    ids->claiming = true;
    metadata_submit(&ids->broker->metadata, &ids->claim, now);
}

static void block_claimed(struct metadata_change *change, int16_t error, struct io_time now)
{
    struct producer_ids *ids = change->ctx;
    ids->claiming = false;
    if (error == KAFKA_NONE) {
        ids->end = ids->broker->metadata.next_producer_id;
        ids->next = ids->end - PRODUCER_ID_BLOCK;
    }
    serve(ids, error, now);
}

void producer_ids_init(struct producer_ids *ids, struct broker *broker)
{
    *ids = (struct producer_ids){ .broker = broker };
    list_init(&ids->waiting);
    ids->claim = (struct metadata_change){ .prepare = claim_block, .done = block_claimed, .ctx = ids };
}

void producer_ids_take(struct producer_ids *ids, struct producer_id_request *request, struct io_time now)
{
    list_push_back(&ids->waiting, &request->link);
    serve(ids, KAFKA_NONE, now);
}
