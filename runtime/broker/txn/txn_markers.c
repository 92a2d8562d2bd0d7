#include "broker/txn/txn_markers.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/internal.h"
#include "broker/txn/txn_log.h"

enum { RETRY_US = 1000 * 1000 };

struct txn_marker {
    struct txn_ending *ending;
    mill_bytes topic; /* the transaction's, which does not change meanwhile */
    int32_t partition;
    bool written;
    struct shared_buffer *batch; /* on its way, or NULL */
    struct partition_append append;
};

struct txn_ending {
    struct txn_coordinator *coordinator;
    struct transaction *txn;
    void (*done)(void *ctx, struct io_time now);
    void *ctx;
    size_t pending; /* markers on their way, and one for the round itself */
    bool failed;    /* one of this round has to be tried again */
    struct loop_timer retry;
    struct list link; /* of coordinator->endings */
    size_t count;
    struct txn_marker markers[];
};

static void write_round(struct txn_ending *ending, struct io_time now);

static bool is_commit(const struct txn_ending *ending)
{
    return ending->txn->values.status == TXN_PREPARE_COMMIT;
}

static void tell(struct txn_ending *ending, struct io_time now)
{
    void (*done)(void *ctx, struct io_time now) = ending->done;
    ending->done = NULL;
    if (done)
        done(ending->ctx, now);
}

void txn_markers_close(struct txn_coordinator *coordinator, struct io_time now)
{
    list_for_each_safe (node, &coordinator->endings) {
        struct txn_ending *ending = list_entry(node, struct txn_ending, link);
        loop_timer_cancel(coordinator->broker->loop, &ending->retry);
        tell(ending, now);
    }
}

static void free_ending(struct txn_ending *ending)
{
    loop_timer_cancel(ending->coordinator->broker->loop, &ending->retry);
    list_remove(&ending->link);
    for (size_t i = 0; i < ending->count; i++)
        shared_buffer_drop(ending->markers[i].batch);
    mem_free(ending);
}

/* The decision is carried out: what is answered, and done next, may follow. */
static void complete(struct txn_ending *ending, struct io_time now)
{
    struct txn_coordinator *coordinator = ending->coordinator;
    struct transaction *txn = ending->txn;
    struct txn_values next;
    int16_t error = txn_plan_complete(txn, now, &next);
    mill_assert(error == KAFKA_NONE);
    txn_log_note(coordinator, txn, &next, now);
    txn->busy = false;
    txn->ending = NULL;
    tell(ending, now);
    free_ending(ending);
    txn_coordinator_ready(coordinator, txn, now);
}

static void end_round(struct txn_ending *ending, struct io_time now)
{
    if (--ending->pending > 0 || ending->coordinator->closed)
        return;
    if (!ending->failed) {
        complete(ending, now);
        return;
    }
    loop_timer_set(ending->coordinator->broker->loop, &ending->retry, now.monotonic_us + RETRY_US);
    tell(ending, now);
    /* It may take as long as a partition's disk is broken, and nobody's request should. */
    txn_coordinator_refuse_waiting(ending->txn, KAFKA_CONCURRENT_TRANSACTIONS, now);
}

/* Errors that a second try would meet again, of a partition that has no need of the marker. */
static bool needs_no_marker(int16_t error)
{
    return error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION || error == KAFKA_INVALID_PRODUCER_EPOCH ||
           error == KAFKA_TRANSACTION_COORDINATOR_FENCED;
}

static void is_durable(struct partition_append *append, struct io_time now)
{
    struct txn_marker *marker = append->ctx;
    struct txn_ending *ending = marker->ending;
    shared_buffer_drop(marker->batch);
    marker->batch = NULL;
    marker->written = append->error == KAFKA_NONE || needs_no_marker(append->error);
    ending->failed |= !marker->written;
    if (append->error == KAFKA_NONE && mill_bytes_equal(marker->topic, mill_string(OFFSETS_TOPIC)))
        coordinator_txn_ended(&ending->coordinator->broker->coordinator, marker->partition, ending->txn->values.producer_id,
                              is_commit(ending), now);
    end_round(ending, now);
}

static int32_t coordinator_epoch(const struct txn_ending *ending)
{
    const struct topic *topic = internal_topic_find(&ending->coordinator->topic);
    const struct partition *partition = topic ? topic_partition(topic, ending->txn->log_partition) : NULL;
    return partition ? partition->leader_epoch : 0;
}

static struct shared_buffer *make_batch(const struct txn_ending *ending, struct io_time now)
{
    struct shared_buffer *batch = shared_buffer_new(CONTROL_MARKER_BYTES);
    if (!batch)
        return NULL;
    struct control_marker marker = { .type = is_commit(ending) ? CONTROL_COMMIT : CONTROL_ABORT,
                                     .producer_id = ending->txn->values.producer_id,
                                     .producer_epoch = ending->txn->values.epoch,
                                     .coordinator_epoch = coordinator_epoch(ending),
                                     .timestamp_ms = now.wall_ms };
    control_marker_encode(&marker, batch->data);
    batch->len = CONTROL_MARKER_BYTES;
    return batch;
}

static void write_marker(struct txn_ending *ending, struct txn_marker *marker, struct io_time now)
{
    struct topic *topic = metadata_topic(&ending->coordinator->broker->metadata, marker->topic);
    struct partition *partition = topic ? topic_partition(topic, marker->partition) : NULL;
    marker->written = !partition;
    if (!partition)
        return;
    marker->batch = make_batch(ending, now);
    if (!marker->batch) {
        ending->failed = true;
        return;
    }
    marker->append = (struct partition_append){
        .batch = { mill_bytes_of(marker->batch->data, marker->batch->len), marker->batch },
        .origin = APPEND_BROKER,
        .done = is_durable,
        .ctx = marker,
    };
    ending->pending++;
    partition_append(partition, &marker->append, now);
}

static void write_round(struct txn_ending *ending, struct io_time now)
{
    ending->failed = false;
    ending->pending = 1;
    for (size_t i = 0; i < ending->count; i++)
        if (!ending->markers[i].written)
            write_marker(ending, &ending->markers[i], now);
    end_round(ending, now);
}

static void try_again(struct loop_timer *timer, struct io_time now)
{
    write_round(timer->ctx, now);
}

static size_t count_partitions(const struct txn_partitions *partitions)
{
    size_t count = 0;
    for (size_t i = 0; i < partitions->count; i++)
        count += (size_t)partitions->topics[i].count;
    return count;
}

static void list_partitions(struct txn_ending *ending)
{
    const struct txn_partitions *partitions = &ending->txn->values.partitions;
    struct txn_marker *marker = ending->markers;
    for (size_t i = 0; i < partitions->count; i++)
        for (int32_t j = 0; j < partitions->topics[i].count; j++, marker++) {
            marker->ending = ending;
            marker->topic = partitions->topics[i].name;
            marker->partition = partitions->topics[i].partitions[j];
        }
}

void txn_markers_write(struct txn_coordinator *coordinator, struct transaction *txn, void (*done)(void *ctx, struct io_time now),
                       void *ctx, struct io_time now)
{
    mill_assert(txn->busy && txn_is_ending(txn));
    size_t count = count_partitions(&txn->values.partitions);
    struct txn_ending *ending = mem_calloc(1, sizeof *ending + count * sizeof *ending->markers);
    if (!ending) {
        txn_coordinator_resume_later(coordinator, now);
        if (done)
            done(ctx, now);
        return;
    }
    txn->ending = ending;
    ending->coordinator = coordinator;
    ending->txn = txn;
    ending->done = done;
    ending->ctx = ctx;
    ending->count = count;
    ending->retry = (struct loop_timer){ .fire = try_again, .ctx = ending };
    list_push_back(&coordinator->endings, &ending->link);
    list_partitions(ending);
    write_round(ending, now);
}

void txn_markers_release(struct txn_coordinator *coordinator)
{
    list_for_each_safe (node, &coordinator->endings)
        free_ending(list_entry(node, struct txn_ending, link));
}
