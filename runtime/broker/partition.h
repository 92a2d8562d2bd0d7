/*
 * One partition: its log, its high watermark, and who waits for them.
 *
 * Everything is an operation that is submitted and calls back, at once or later: the caller embeds the operation, fills its
 * question, and leaves it alone until `done`. So a handler is the same whether the partition lives on its own loop or another's.
 *
 * The high watermark is where a sync has reached (log.sync.before.ack): an append is done once its records lie below it, and no
 * reader sees beyond it. A log is made on disk by the first append: a partition that was never written to costs no file.
 *
 * When the disk fails, the log is failed for good (log/partition_log.h): appends and those that wait are answered
 * KAFKA_STORAGE_ERROR, what was synced stays readable.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_PARTITION_H
#define BROKER_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/shared_buffer.h"
#include "broker/config.h"
#include "broker/turn.h"
#include "io/io.h"
#include "log/partition_log.h"
#include "wire/codec.h"
#include "wire/kafka_error.h"

struct broker;

struct partition {
    struct broker *broker;
    char *topic; /* its name; owned */
    int32_t index;
    struct wire_uuid topic_id;
    struct log_config config;
    int32_t leader_epoch;
    struct partition_log *log; /* NULL until something is written */
    int64_t high_watermark;
    bool blocked;     /* another topic's directory has its name: KAFKA_STORAGE_ERROR; Metadata knows no leader */
    bool closed;      /* its topic is deleted, or the broker closes: operations in flight end with an error */
    bool is_failing;  /* its storage; producers try again and again */
    int64_t told_us;  /* monotonic, when that was told last; 0: never */
    char *failure;    /* owned: what fails; NULL: nothing is known */
    uint32_t holders; /* the topic, and every operation that a worker runs: the last one frees */

    struct list appends;  /* partition_append, in the order of their ends: wait for the high watermark */
    struct list watchers; /* partition_watch */

    int64_t clean_after_us; /* cleaner.h's, as is the next: monotonic; 0: its compaction has not failed */
    int clean_failures;     /* in a row */

    struct list sync_link; /* sync_rounds.h's, as are the next two */
    struct log_sync sync;
    struct work_item sync_work;
};

/* Looks at no disk. NULL: no memory. */
struct partition *partition_new(struct broker *broker, const char *topic, struct wire_uuid topic_id, int32_t index,
                                int32_t leader_epoch, const struct topic_settings *settings);

/* Opens the log if there is, or was, one of this topic id on disk. 0, also when it is blocked, or as log_directory_open_log. */
int partition_open(struct partition *partition, struct io_time now, struct error_text *error);

/*
 * Looks whether the directory of its name is another topic's, tells so and blocks the partition then: its log would be that
 * one's. It stays so until the directory is moved away and the broker started again.
 */
void partition_look_for_stranger(struct partition *partition);

/* The topic id that the partition's directory names. False: there is no directory, or it names none. */
bool partition_id_on_disk(const struct broker *broker, const char *topic, int32_t index, struct wire_uuid *id);

/* The settings of its topic have changed. */
void partition_configure(struct partition *partition, const struct topic_settings *settings);

/*
 * Ends all that waits and lets the log go; with `remove`, from the disk as well (in the background). What workers still do for it
 * is released when they come back.
 */
void partition_close(struct partition *partition, bool remove, struct io_time now);

void partition_hold(struct partition *partition);
void partition_drop(struct partition *partition);

/* ---- where it stands: these answer at once --------------------------------------------------------------------------------- */

int64_t partition_log_start(const struct partition *partition);
int64_t partition_log_end(const struct partition *partition);
int64_t partition_high_watermark(const struct partition *partition);

/* Where a reader with read_committed must stop: every transaction below it has ended, durably. */
int64_t partition_last_stable_offset(const struct partition *partition);

/* As partition_log.h's of the same names; without a log there is nothing. */
const struct aborted_txn *partition_next_aborted(const struct partition *partition, int64_t from_offset, int64_t below_offset,
                                                 size_t *at);
const struct producer_entry *partition_next_producer(const struct partition *partition, size_t *at);

/* Is this producer's transaction open here, in this epoch? What it writes then needs no question to the coordinator. */
bool partition_has_open_txn(const struct partition *partition, int64_t producer_id, int16_t epoch);

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

struct partition_append {
    struct slice batch; /* one batch, checked, its offsets from 0; see partition_log_append for its memory */
    enum append_origin origin;
    bool unacknowledged; /* acks=0: done once it is in the page cache */
    void (*done)(struct partition_append *append, struct io_time now);
    void *ctx;

    int16_t error;       /* enum kafka_error */
    const char *why;     /* during `done`: what the error is about, for the producer, or NULL */
    int64_t base_offset; /* also of a duplicate: that of then */
    struct list link;    /* the partition's, as is the next */
    int64_t end;
};

void partition_append(struct partition *partition, struct partition_append *append, struct io_time now);

struct partition_read {
    struct log_read log; /* set its offset, bytes_max, first_always, slices, slices_max */
    bool read_committed;
    int32_t current_leader_epoch; /* as the reader knows it; -1: does not say */
    void (*done)(struct partition_read *read, struct io_time now);
    void *ctx;

    int16_t error;
    int64_t high_watermark; /* -1, as the next two, when the partition could not be asked */
    int64_t last_stable_offset;
    int64_t log_start;
    struct partition *partition; /* the partition's, as is the next */
    struct work_item work;
};

/* On success the slices are held, by the caller from then on. */
void partition_read(struct partition *partition, struct partition_read *read, struct io_time now);

struct partition_lookup {
    int64_t timestamp; /* ListOffsets': a time, or -1 latest, -2 earliest, -3 the largest timestamp, -4 earliest local */
    bool read_committed;
    int32_t current_leader_epoch;
    void (*done)(struct partition_lookup *lookup, struct io_time now);
    void *ctx;

    int16_t error;
    int64_t offset; /* -1: none */
    int64_t found_timestamp;
    int32_t leader_epoch;
    struct partition *partition; /* the partition's, as are the next two */
    struct log_lookup log;
    struct work_item work;
};

void partition_lookup(struct partition *partition, struct partition_lookup *lookup, struct io_time now);

/*
 * DeleteRecords: moves the log start to `offset` (-1: the high watermark). Answers at once: enum kafka_error. Durable with the
 * data directory's next checkpoint, which the broker then begins; until it, a crash may bring records back, as in Kafka.
 */
int16_t partition_delete_records(struct partition *partition, int64_t offset, struct io_time now);

/* Offsets in the newest segment. */
int64_t partition_active_records(const struct partition *partition);

/* Starts a new segment, so that those before it can be compacted. False: it failed; nothing is lost by that. */
bool partition_roll(struct partition *partition, struct io_time now);

/* ---- watching: be told once when the high watermark moves, or the partition closes ----------------------------------------- */

struct partition_watch {
    struct list link; /* the partition's; linked to itself when not watching */
    void (*moved)(struct partition_watch *watch, struct io_time now);
    void *ctx;
};

/* `moved` comes once, then the watch is off again. Not called from inside this. */
void partition_watch_start(struct partition *partition, struct partition_watch *watch);
void partition_watch_stop(struct partition_watch *watch); /* harmless when off; init the link first */

/* A sync, or an append that needs none, has moved the log's own high watermark: answers appends, tells watchers. */
void partition_advance(struct partition *partition, struct io_time now);

/* The log has failed: all that wait are told. */
void partition_fail(struct partition *partition, struct io_time now);

/* Where leader epoch `epoch`, or the largest below it, ended; -1 and -1 when the log knows none. */
void partition_epoch_end(const struct partition *partition, int32_t epoch, int32_t *found_epoch, int64_t *end_offset);

/* Epoch check of Fetch and ListOffsets: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH or NONE. */
int16_t partition_check_epoch(const struct partition *partition, int32_t current_leader_epoch);

#endif
