/*
 * What the cluster is: topics, partitions, configs, producer ids, as an image of the log `__cluster_metadata`.
 *
 * The log holds Apache Kafka's metadata records. The image changes only by applying them: at start all of them, later those of a
 * change once they lie below the metadata log's high watermark. So what was answered is durable, and what a restart sees is what
 * was seen before.
 *
 * A change is a small state machine: it waits for its turn, looks at the image and writes its records (or finds that there is
 * nothing to do), waits until they are durable and applied, and is done. One change at a time: each sees the image that all
 * before it have made.
 *
 *     metadata_submit -> prepare(writer) -> append, sync -> apply -> done
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_METADATA_H
#define BROKER_METADATA_H

#include "base/hash_map.h"
#include "base/list.h"
#include "broker/metadata_snapshot.h"
#include "broker/partition.h"
#include "broker/topic.h"
#include "broker/turn.h"
#include "io/io.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"
#include "wire/metadata_records.h"

struct broker;

/* The metadata.version that is finalized at the first start: 3.9's; its names are known to every 4.x tool. */
enum { METADATA_VERSION_LEVEL_MIN = 7, METADATA_VERSION_LEVEL = 21, METADATA_BATCH_BYTES_MAX = 16 << 20 };

struct metadata_change {
    /* Called when it is this change's turn: validates and adds records, none if there is nothing to do. */
    void (*prepare)(struct metadata_change *change, struct io_time now);
    /* `error`: NONE, also when there were no records; KAFKA_STORAGE_ERROR; UNKNOWN_SERVER_ERROR: no memory. May submit again. */
    void (*done)(struct metadata_change *change, int16_t error, struct io_time now);
    void *ctx;
    struct list link; /* metadata.c's */
};

struct metadata {
    struct broker *broker;
    struct hash_map topics;    /* by name */
    struct hash_map topic_ids; /* by the 16 bytes of the id */
    struct hash_map removed;   /* while opening: ids of topics that were deleted */
    int64_t next_producer_id;  /* ids below it are given out in blocks */
    int16_t version_level;     /* metadata.version; 0 before the first start has written it */
    int64_t applied_end;       /* the offset behind the last record applied */
    bool has_gap;              /* replay has found changes missing between two that are there */

    struct partition *log; /* __cluster_metadata-0 */
    struct list changes;   /* waiting for their turn */
    struct metadata_change *current;
    struct batch_writer writer;
    struct buffer body; /* of the record that is being added */
    bool add_failed;
    struct shared_buffer *batch; /* in flight */
    struct partition_append append;
    int32_t applied_records; /* of that batch */
    struct loop_timer retry;
    struct batch_reader reader;
    struct turn_task next;
    struct metadata_snapshot snapshot;
};

void metadata_init(struct metadata *metadata, struct broker *broker);
void metadata_release(struct metadata *metadata, struct io_time now);

/* Opens and replays the log; at the very first start writes what Kafka's bootstrap writes. The broker's error text says more. */
int metadata_open(struct metadata *metadata, struct io_time now);

/* After it: removes the directories of topics whose deletion a crash has interrupted, in the background. */
void metadata_remove_leftovers(struct metadata *metadata);

/* `change` stays valid until `done`, which may be called before this returns. */
void metadata_submit(struct metadata *metadata, struct metadata_change *change, struct io_time now);

/* Only inside `prepare`: adds one record, a struct of wire/metadata_records.h. A failure (no memory) fails the change. */
void metadata_add(struct metadata *metadata, enum metadata_record_type type, int version, const struct wire_message *message,
                  const void *record, struct io_time now);

/* The same for a config of a topic; `value` null resets it. */
void metadata_add_topic_config(struct metadata *metadata, mill_bytes topic, mill_bytes name, mill_bytes value,
                               struct io_time now);

/* While opening: applies all records of a batch, of the log or of a snapshot. 0, or an error with the broker's text. */
int metadata_apply_batch(struct metadata *metadata, mill_bytes batch, struct io_time now);

/* NULL: there is none. Valid until the loop goes on. */
struct topic *metadata_topic(const struct metadata *metadata, mill_bytes name);
struct topic *metadata_topic_by_id(const struct metadata *metadata, struct wire_uuid id);

/* The topic by its id when `name` is empty or null, else by name; the error is the one for what was asked. */
int16_t metadata_find(const struct metadata *metadata, mill_bytes name, struct wire_uuid id, struct topic **topic);

/* Walks the topics in order of creation: start with *at = 0; NULL at the end. */
struct topic *metadata_next_topic(const struct metadata *metadata, size_t *at);

/* True, with `*other`, when a topic exists whose name differs only in '.' and '_': their metrics would collide. */
bool metadata_name_collides(const struct metadata *metadata, mill_bytes name, const char **other);

/* A random version-4 id that no topic has. False: no random numbers to be had. */
bool metadata_new_id(struct metadata *metadata, struct wire_uuid *id);

#endif
