/*
 * The broker's insides, for this room's files.
 */
#ifndef BROKER_INTERNAL_H
#define BROKER_INTERNAL_H

#include "broker/broker.h"
#include "broker/call.h"
#include "broker/cleaner.h"
#include "broker/config.h"
#include "broker/group/coordinator.h"
#include "broker/sync_rounds.h"
#include "broker/metadata.h"
#include "broker/partition.h"
#include "broker/producer_ids.h"
#include "broker/turn.h"
#include "broker/txn/txn_coordinator.h"
#include "log/log_directory.h"
#include "metrics/metrics.h"
#include "record/batch_reader.h"

struct broker_hub;

enum broker_state { BROKER_NEW, BROKER_OPEN, BROKER_CLOSING, BROKER_CLOSED };

/* What is counted on the way of every request; made once at the start. */
struct broker_meters {
    struct metric *bytes_in;
    struct metric *bytes_out;
    struct metric *requests;
};

struct broker {
    struct disk *disk;
    struct loop *loop;
    char *data_dir;
    struct config config;
    struct error_text error;
    enum broker_state state;

    int32_t node_id;
    char *advertised_host;
    int advertised_port;

    struct turn turn;
    bool turn_is_open;
    struct log_directory *directory;
    struct sync_rounds syncs;
    struct cleaner cleaner;
    struct metadata metadata;
    struct producer_ids producer_ids;
    struct coordinator coordinator;
    struct txn_coordinator txns;
    struct broker_hub *hub; /* of the in-process endpoints */
    struct metrics *metrics;
    struct broker_meters meters;

    struct list calls;   /* in flight */
    struct list replies; /* to be sent at the end of the turn */
    struct turn_task send_replies;
    struct batch_reader check; /* scratch for produced batches */
    size_t works;              /* items that workers have */

    struct loop_timer upkeep_timer; /* ageing of logs, in slices */
    size_t upkeep_at;
    struct loop_timer flush_timer; /* only with log.sync.before.ack=false: flush.ms and flush.messages */
    struct loop_timer checkpoint_timer;
    struct log_checkpoint *checkpoint;
    struct work_item checkpoint_work;
    bool checkpoint_runs; /* a worker has it */
    bool checkpoint_again;
    int64_t checkpoint_began_us;  /* monotonic, as is the next */
    int64_t checkpoint_rested_us; /* since the last one */
    int64_t appended_bytes;       /* since one began */

    struct turn_task finish; /* looks whether closing is done */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* loop_work_submit, counted: the broker does not close before broker_work_done was called in `done`. */
void broker_work(struct broker *broker, enum work_class class, struct work_item *item);
void broker_work_done(struct broker *broker);

/* Writes log starts and recovery points down soon (DeleteRecords). */
void broker_checkpoint(struct broker *broker, struct io_time now);

/* So much has been appended to a log: now and then that is a reason for a checkpoint. */
void broker_count_appended(struct broker *broker, size_t bytes, struct io_time now);

#endif
