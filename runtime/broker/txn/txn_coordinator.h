/*
 * The transaction coordinator: owner of all transactional ids, and of `__transaction_state`, in which they are written down.
 *
 * An id lives in the partition that it hashes to. At start the topic is read (topic_loader.h); until all of it is read, whoever
 * asks is told COORDINATOR_LOAD_IN_PROGRESS, and then transactions that were ending are ended. Everything else is an operation:
 * it waits while the transaction is busy, is judged (transaction.h), written down, and done when that is durable. The end of a
 * transaction is done when its markers are durable, so that who is told of a commit finds it visible.
 *
 *     operation -> judged -> record durable -> done
 *                    EndTxn  '-> markers durable -> done
 *
 * A transaction that is older than its time-out is aborted and its producer fenced (every
 * transaction.abort.timed.out.transaction.cleanup.interval.ms); an id that is idle for transactional.id.expiration.ms is
 * forgotten.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_TXN_TXN_COORDINATOR_H
#define BROKER_TXN_TXN_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/hash_map.h"
#include "broker/internal_topic.h"
#include "broker/producer_ids.h"
#include "broker/topic_loader.h"
#include "broker/txn/transaction.h"
#include "record/batch_writer.h"

struct broker;
struct txn_ending;

/* The transaction.version that is finalized: epochs rise with every transaction (KIP-890). */
enum { TRANSACTION_VERSION = 2 };

struct txn_coordinator {
    struct broker *broker;
    struct internal_topic topic;
    struct topic_loader *loader;  /* NULL: everything is loaded */
    struct hash_map transactions; /* struct transaction by id */
    struct list endings;          /* struct txn_ending (txn_markers.h) */
    struct list changes;          /* struct txn_change of txn_log.c that are on their way */
    bool closed;
    struct batch_writer writer;
    struct buffer key;
    struct buffer value;
    struct loop_timer timeout_timer;
    struct loop_timer expiry_timer;
    struct loop_timer resume_timer; /* endings for which there was no memory */
};

void txn_coordinator_init(struct txn_coordinator *coordinator, struct broker *broker);

/* After the metadata is there: begins to load. MILL_ENOMEM. */
int txn_coordinator_open(struct txn_coordinator *coordinator, struct io_time now);

/* Answers all that waits; nothing is changed from here on. */
void txn_coordinator_close(struct txn_coordinator *coordinator, struct io_time now);
void txn_coordinator_release(struct txn_coordinator *coordinator);

/* NONE when ids can be asked for: else COORDINATOR_LOAD_IN_PROGRESS or, at close, NOT_COORDINATOR. */
int16_t txn_coordinator_check(const struct txn_coordinator *coordinator);

/* NULL: there is none. */
struct transaction *txn_coordinator_find(const struct txn_coordinator *coordinator, mill_bytes id);

/* Walks all of them: start with *at = 0; NULL at the end. */
struct transaction *txn_coordinator_next(const struct txn_coordinator *coordinator, size_t *at);

/* ---- operations: embedded by whoever asks, left alone until `done`, which may come at once --------------------------------- */

struct txn_operation {
    mill_bytes id; /* what it points to stays valid until done */
    void (*done)(struct txn_operation *operation, int16_t error, struct io_time now);
    void *ctx;

    struct txn_coordinator *coordinator; /* the coordinator's, as are the next two */
    void (*attempt)(struct txn_operation *operation, struct io_time now);
    struct list link;
};

/* A producer for the id: fences the one before, and aborts what it has under way. The topic exists. */
struct txn_init {
    struct txn_operation operation;
    int32_t timeout_ms;
    struct producer_identity expected;

    struct producer_identity producer; /* the answer */
    int64_t fresh_id;                  /* the coordinator's, as is the next */
    struct producer_id_request request;
};
void txn_coordinator_init_producer(struct txn_coordinator *coordinator, struct txn_init *init, struct io_time now);

/* Partitions join the producer's transaction, which begins when it must. */
struct txn_add {
    struct txn_operation operation;
    struct producer_identity producer;
    const struct txn_target *targets; /* valid until done */
    size_t target_count;
    int16_t version; /* transaction.version of the client: 0, or 2 for what Produce 12 and TxnOffsetCommit 5 bring */
};
void txn_coordinator_add(struct txn_coordinator *coordinator, struct txn_add *add, struct io_time now);

/* Commits or aborts. */
struct txn_end {
    struct txn_operation operation;
    struct producer_identity producer;
    bool commit;
    int16_t version;

    struct producer_identity next; /* the answer: with what the client goes on (version 2) */
    int64_t fresh_id;              /* the coordinator's, as is the next */
    struct producer_id_request request;
};
void txn_coordinator_end(struct txn_coordinator *coordinator, struct txn_end *end, struct io_time now);

/*
 * Is this partition in the producer's transaction? What a partition's leader asks before the first batch of a transaction
 * (KIP-890, part 1). Answers at once: NONE, COORDINATOR_LOAD_IN_PROGRESS, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED,
 * CONCURRENT_TRANSACTIONS, TRANSACTION_ABORTABLE.
 */
int16_t txn_coordinator_verify(const struct txn_coordinator *coordinator, mill_bytes id, struct producer_identity producer,
                               mill_bytes topic, int32_t partition);

/* ---- for txn_log.c, txn_markers.c and operations.c ------------------------------------------------------------------------- */

/* The transaction may be changed again: whoever waits tries again. It may be gone afterwards. */
void txn_coordinator_ready(struct txn_coordinator *coordinator, struct transaction *txn, struct io_time now);

/* Whoever waits is answered with an error instead. */
void txn_coordinator_refuse_waiting(struct transaction *txn, int16_t error, struct io_time now);

/* Adds one. NULL: no memory. */
struct transaction *txn_coordinator_add_transaction(struct txn_coordinator *coordinator, mill_bytes id, int64_t producer_id,
                                                    struct io_time now);
void txn_coordinator_remove(struct txn_coordinator *coordinator, struct transaction *txn);

/* The ongoing transaction is aborted and its producer fenced. Whoever waits is tried again afterwards. */
void txn_coordinator_fence(struct txn_coordinator *coordinator, struct transaction *txn, struct io_time now);

/* An ending has found no memory: it is begun again soon. */
void txn_coordinator_resume_later(struct txn_coordinator *coordinator, struct io_time now);

#endif
