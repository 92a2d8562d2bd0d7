/*
 * The idempotent producer: records in, acknowledged batches at the leaders, each once and in order.
 *
 * Every partition has one open batch, into which producer_send encodes a record directly (the only copy of its key and value). A
 * batch is closed when it is full, when it has lingered, or at a flush; closed batches queue per partition, and each request to a
 * broker takes at most one batch from each of its partitions (Kafka allows no more). In-process the finished buffer itself goes
 * to the broker, reference-counted.
 *
 *     open --full, linger, flush--> queued --drain--> in flight --acknowledged--> gone
 *                                      ^                   |
 *                                      +---retriable error-+          or failed(): the records of the batch are lost for good
 *
 * Order and exactly-once-per-session (KIP-98, KIP-360): batches carry producer id, epoch and sequence, taken when a batch is
 * first sent. At most five of a partition are in flight. After a failure nothing of the partition is sent until all of it in
 * flight has been answered; then the batches go again in order, under their old sequences, and the broker drops those it has. A
 * hole in the sequence (a batch given up, state lost at the broker) moves to the next epoch and renumbers what is queued from 0.
 *
 * A batch that its topic finds too large (max.message.bytes) is split, down to single records, which are lost if they are too
 * large alone; the partition's next batches are smaller.
 *
 * acks is always "all": a record is acknowledged when it survives what the broker's settings promise to survive.
 *
 * With a transactional id the producer's records are always in a transaction: see below.
 *
 * Memory: batches take memory when opened. Above `buffer_bytes` producer_full() turns true and the caller holds back its next
 * record until `room`; the records that it is in the middle of are still taken, up to twice `buffer_bytes`. Nothing blocks,
 * nothing is dropped.
 *
 * Thread: that of the client's loop.
 */
#ifndef CLIENT_PRODUCER_H
#define CLIENT_PRODUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/group_member.h"
#include "client/options.h"
#include "millstream/record.h"

struct producer;
struct producer_topic; /* a resolved topic; valid until producer_free */

/* A batch that will never be delivered; its records are lost. Valid for the call. */
struct producer_failure {
    const char *topic;
    int32_t partition;
    int32_t record_count;
    /*
     * MILL_E*: ETIMEOUT, not delivered in time; ETOOLARGE, EINVALID, EACCESS, EBROKER: what the broker would say again of the
     * same records; EAGAIN, EFENCED: the producer's own numbers are at fault, or its transaction.
     */
    int code;
    const char *text; /* what happened, where and what to do */
};

/* May call the producer, but not producer_free. Any slot may be NULL. */
struct producer_events {
    void (*failed)(void *ctx, const struct producer_failure *failure);
    void (*room)(void *ctx, struct io_time now); /* producer_full() has turned false */
    /*
     * A batch has failed three times and goes again, which may last until its delivery.timeout.ms: `text` says why. Then at most
     * twice a minute, whichever batch it is; also for the want of a producer id, with partition -1. NULL: a trace tells.
     */
    void (*retrying)(void *ctx, const struct producer_failure *failure);
};

/* `options` is copied. NULL: no memory. Asks for its producer id in the background, with the first batch. */
struct producer *producer_new(struct client *client, const struct producer_options *options, const struct producer_events *events,
                              void *ctx);

/* Drops what is not acknowledged without a callback; answers that arrive later are ignored. For an orderly end flush first. */
void producer_free(struct producer *producer);

/*
 * The handle of a topic, made on first use; later calls find it by name. Metadata arrives in the background: sending may start at
 * once when the partition is known to the caller, but partition_count is -1 until then. NULL: no memory.
 */
struct producer_topic *producer_topic(struct producer *producer, const char *name);

/* How many partitions the topic has, -1 while unknown. client_topic_wait (client.h) tells when it is known. */
int32_t producer_topic_partition_count(const struct producer_topic *topic);
struct client_topic *producer_topic_handle(const struct producer_topic *topic);

/*
 * Adds a record to the open batch of a partition; copies key, value and headers, so all are the caller's again on return. Neither
 * allocates (but once per batch) nor looks anything up. Sends when that fills a batch.
 * 0; MILL_ETOOLARGE: the record is above request_bytes_max; MILL_EAGAIN: twice buffer_bytes are taken, nothing was added;
 * MILL_EINVALID: partition below 0 or beyond the topic's; MILL_ENOMEM; MILL_EFENCED or another code: the producer failed for good
 * (producer_error).
 */
int producer_send(struct producer *producer, struct producer_topic *topic, int32_t partition, const mill_record *record);

/* Above the mark: take no further record until `room`. */
bool producer_full(const struct producer *producer);
size_t producer_buffered_bytes(const struct producer *producer);
int64_t producer_unacknowledged(const struct producer *producer); /* records; counts batches */

/*
 * Calls back once everything sent before is acknowledged or failed; lingering batches go at once. `code` is 0, or that of the
 * first batch that failed since the last flush was answered. May call back before it returns when nothing is outstanding. Flushes
 * are answered in order. MILL_ENOMEM: not accepted, no call.
 */
int producer_flush(struct producer *producer, void (*flushed)(void *ctx, int code, struct io_time now), void *ctx);

/* The offset behind the last acknowledged record of this producer in a partition; -1 when there is none (or it is not known). */
int64_t producer_acknowledged_end(const struct producer_topic *topic, int32_t partition);

/* 0, or why the producer takes no more records; `*text` (may be NULL) gets the reason, valid until producer_free. */
int producer_error(const struct producer *producer, const char **text);

/* ---- transactions (KIP-98, KIP-447) ---------------------------------------------------------------------------------------- */

/*
 * With options.transactional_id all records are in transactions, one after the other without a gap between:
 *
 *      UNREADY --init--> OPEN --commit--> COMMITTING --> OPEN
 *                        OPEN, or a commit that failed --abort--> ABORTING --> OPEN
 *                        any --a newer producer has the id--> UNREADY, with producer_error MILL_EFENCED; init begins anew
 *
 * A transaction begins at the broker with the first batch of a partition, which waits until the partition is added to it; where
 * the cluster has finalized transaction.version 2 (KIP-890), the batch adds it by itself and each end brings a new epoch. When a
 * batch is lost for good the transaction cannot be committed any more: `failed` tells, what is sent from then on is taken and
 * dropped, and only an abort leads on. After an abort the broker has given the producer its next epoch. What is sent after the
 * producer has failed is dropped, too.
 *
 * Every call is repeated until it is answered, since nobody knows what became of one that was not; only a free ends that.
 * Answers: 0; MILL_EFENCED: a newer producer has the transactional id; MILL_EAGAIN: abort, then go on; others: producer_error, or
 * without one, an abort leads on here, too, but the broker will answer the same again (MILL_EACCESS: of the group).
 * `done` is called once and may call the producer. One of these calls at a time.
 */
typedef void producer_done(void *ctx, int code, const char *text, struct io_time now);

/* Takes over the transactional id: what another producer left open under it is aborted, and that producer fenced. */
void producer_init_transactions(struct producer *producer, producer_done *done, void *ctx);

/*
 * The offsets of this group are going to be committed in the transaction, by group_member_commit_in_transaction. With
 * transaction.version 2 nothing is asked for that: `done` comes before return.
 */
void producer_add_group(struct producer *producer, const char *group_id, producer_done *done, void *ctx);

/*
 * Commits what is acknowledged: flush before. `done` comes before return when nothing was added since the last one, or when the
 * transaction must be aborted.
 */
void producer_commit_transaction(struct producer *producer, producer_done *done, void *ctx);

/* Drops what is not acknowledged and aborts. */
void producer_abort_transaction(struct producer *producer, producer_done *done, void *ctx);

/* What was sent since the last commit must not be committed: all that leads on is an abort. `code` and `text` say why. */
void producer_break_transaction(struct producer *producer, int code, const char *text);

/* In the state OPEN: one of the calls above may be made. */
bool producer_transaction_open(const struct producer *producer);

/* Must the transaction be aborted? The reason, or NULL. */
const char *producer_transaction_broken(const struct producer *producer);

struct producer_identity producer_identity(const struct producer *producer);

#endif
