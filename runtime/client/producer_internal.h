/*
 * What producer.c (records into batches, flush, memory), sender.c (batches to brokers, answers, sequences) and transactions.c
 * share.
 *
 * A closed batch lies in `batches` (all of them, oldest first) and, at a time, in its partition's queue or in a produce call.
 * A partition lies in `lingering` while its batch is open and in `ready` while its queue is not empty.
 */
#ifndef CLIENT_PRODUCER_INTERNAL_H
#define CLIENT_PRODUCER_INTERNAL_H

#include "client/producer.h"
#include "record/batch_writer.h"

struct batch {
    struct list age;  /* in producer.batches */
    struct list link; /* in a partition's queue or a produce call */
    struct producer_partition *partition;
    struct shared_buffer *bytes;
    uint64_t number;     /* of its first record; records are numbered as their batches are closed, over all partitions */
    int64_t deadline_us; /* of its delivery */
    int32_t record_count;
    int32_t sequence;    /* of its first record; as stamped, as are the next two */
    int64_t producer_id; /* -1: not stamped yet */
    int16_t producer_epoch;
    bool in_flight;
    int attempts;
};

enum partition_in_transaction {
    PARTITION_OUTSIDE,
    PARTITION_WAITS, /* in transaction.adding: to be added, or asked for */
    PARTITION_ADDED
};

struct producer_partition {
    struct producer_topic *topic;
    int32_t index;
    enum partition_in_transaction in_transaction;
    struct list adding;
    struct batch_writer writer; /* the open batch */
    int64_t opened_us;
    size_t open_bytes; /* of the open batch, as counted in buffered_bytes */
    struct list lingering;
    struct list ready;
    struct list queue; /* of closed batches, in order */
    int in_flight;
    int32_t in_flight_at; /* the broker; another one gets nothing before they are back */
    bool recovering;      /* a batch must go again: nothing is sent until all in flight are back */
    int64_t retry_at_us;

    int64_t producer_id; /* -1: to be taken from the producer; numbers batches from 0 */
    int16_t producer_epoch;
    bool established;         /* the broker has taken a batch under these numbers */
    bool hole;                /* a sequence number will never arrive: renumber in the next epoch */
    int32_t sequence_next;    /* for the next batch closed */
    int32_t sequence_awaited; /* of the next batch to be acknowledged */
    uint64_t number_awaited;  /* batches below this number are acknowledged, or their turn is past */
    int64_t acknowledged_end;
    char *last_error; /* why the last batch that came back was not taken; NULL since one was */
};

struct producer_topic {
    struct producer *producer;
    struct client_topic *handle;
    struct producer_partition **partitions; /* by index; NULL: never sent to */
    int32_t partition_capacity;
    int32_t fill_slot; /* scratch of a request being filled: its place, -1 none */
    int32_t fill_count;
};

/* Requests out to one broker. */
struct producer_broker {
    int32_t id;
    int in_flight;
    struct produce_call *building; /* scratch of a drain */
};

struct flush_request {
    struct list link;
    uint64_t until; /* batches below this number are gone */
    void (*flushed)(void *ctx, int code, struct io_time now);
    void *ctx;
};

enum transaction_step {
    TRANSACTION_NONE, /* there is no transactional id */
    TRANSACTION_UNREADY,
    TRANSACTION_INITIALIZING,
    TRANSACTION_OPEN,
    TRANSACTION_ADDING_GROUP,
    TRANSACTION_COMMITTING,
    TRANSACTION_LANDING,  /* before an abort or a new beginning: what is in flight comes back first */
    TRANSACTION_ABORTING, /* EndTxn is out */
    TRANSACTION_BUMPING   /* InitProducerId is out, for the next epoch */
};

struct transaction {
    enum transaction_step step;
    bool joins_by_itself;     /* transaction version 2 (KIP-890), as finalized when this one began */
    bool begun;               /* the coordinator knows of it */
    int broken;               /* why it cannot be committed; 0 */
    struct error_text reason; /* of `broken` */
    struct call call;         /* of the step, or its repetition */
    struct loop_timer timer;
    int attempts;
    const char *group_id; /* of the step ADDING_GROUP */
    producer_done *done;
    void *ctx;

    struct list adding; /* partitions that wait to be added */
    struct call add_call;
    struct loop_timer add_timer;
    int add_attempts;
};

struct producer {
    struct client *client;
    struct producer_options options;
    const struct producer_events *events;
    void *ctx;
    int lane;
    struct hash_map topics;
    struct metadata_listener listener;

    struct list lingering;
    struct loop_timer linger_timer;
    struct list batches;
    uint64_t number_next;
    size_t buffered_bytes;
    bool told_full; /* producer_full was true since `room` was last called */

    struct list flushes;
    int failed_code; /* of the first batch lost since the last flush was answered */

    struct list ready;
    struct list calls; /* produce calls that are out */
    struct producer_broker *brokers;
    size_t broker_count;
    struct loop_timer retry_timer;
    struct loop_timer expiry_timer;
    int64_t retry_told_us; /* when a person was last told that a batch goes again and again; 0: never */

    int64_t producer_id; /* -1: not known yet */
    int16_t producer_epoch;
    struct call id_call;
    struct loop_timer id_timer;
    int id_attempts;
    int error; /* for good, or until the transactional id is taken over again */
    struct error_text error_text;
    struct transaction transaction;
};

/* ---- producer.c ------------------------------------------------------------------------------------------------------------ */

/* The batch is delivered or given up: frees it, and counts its memory as free. producer_settled follows when done with all. */
void producer_batch_gone(struct producer *producer, struct batch *batch);
/* Tells of a batch that is lost, then frees it. */
void producer_batch_lost(struct producer *producer, struct batch *batch, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The writer's records as a batch with these numbers, none with an id of -1; clears the writer. 0, or an error of the writer. */
int producer_encode(const struct producer *producer, struct batch_writer *writer, int64_t producer_id, int16_t producer_epoch,
                    int32_t sequence, struct shared_buffer **bytes);
/* Batches have gone: answers flushes and tells of room. */
void producer_settled(struct producer *producer, struct io_time now);

/* ---- batch_split.c --------------------------------------------------------------------------------------------------------- */

/*
 * A batch of two records at least, in no queue and not in flight: leaves it the first half of its records and gives the rest to
 * `*behind`, which is like it and in no queue either. `*bytes`: what the first half is without compression. 0, or MILL_ENOMEM,
 * which changes nothing.
 */
MILL_MUST_USE int batch_split(struct producer *producer, struct batch *whole, struct batch **behind, size_t *bytes);

/* ---- sender.c -------------------------------------------------------------------------------------------------------------- */

void sender_init(struct producer *producer);
void sender_release(struct producer *producer);
void sender_want_id(struct producer *producer);                    /* asks for a producer id when there is none */
void sender_queue(struct producer *producer, struct batch *batch); /* a closed batch */
void sender_drain(struct producer *producer, struct io_time now);
/* Stamps id, epoch and sequence into a batch and seals it; copies one that others see. 0 or MILL_ENOMEM. */
int sender_stamp(struct batch *batch, int64_t producer_id, int16_t producer_epoch, int32_t sequence);

/* Frees what is not in flight, without a word; what is in flight goes when it lands. */
void sender_drop_all(struct producer *producer);

/* ---- transactions.c -------------------------------------------------------------------------------------------------------- */

void transactions_init(struct producer *producer);
void transactions_release(struct producer *producer);

static inline bool is_transactional(const struct producer *producer)
{
    return producer->transaction.step != TRANSACTION_NONE;
}

/* What is sent or comes back belongs to a transaction that will be aborted: it is dropped. */
static inline bool transaction_drops(const struct producer *producer)
{
    return producer->transaction.broken < 0 || producer->transaction.step >= TRANSACTION_LANDING;
}

/* May a batch of the partition go? Else it is added to the transaction first, which drains again when done. */
bool transaction_admits(struct producer *producer, struct producer_partition *partition);
/* Sends what transaction_admits has gathered. */
void transaction_add_partitions(struct producer *producer);

/* A batch is lost, or its sequence: only an abort leads on. */
void transaction_break(struct producer *producer, int code, const char *text);
/* A newer producer has the transactional id. */
void transaction_fenced(struct producer *producer, const char *text, struct io_time now);
/* Answers have come. */
void transaction_landed(struct producer *producer, struct io_time now);

static inline int32_t sequence_after(int32_t sequence, int32_t record_count)
{
    return (int32_t)(((uint32_t)sequence + (uint32_t)record_count) & INT32_MAX); /* wraps to 0, as the broker's does */
}

#endif
