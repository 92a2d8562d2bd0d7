/*
 * One of the broker's own topics, made when it is first needed: `__consumer_offsets`, `__transaction_state`.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_INTERNAL_TOPIC_H
#define BROKER_INTERNAL_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/call.h"
#include "broker/metadata.h"

struct internal_topic {
    struct broker *broker;
    const char *name;
    const char *partitions_key; /* the broker's config key of how many partitions it gets */
    const char *segment_bytes_key;
    struct list waiting;
    struct metadata_change create;
    bool creating;
};

void internal_topic_init(struct internal_topic *topic, struct broker *broker, const char *name, const char *partitions_key,
                         const char *segment_bytes_key);

/* NULL: it is not there. */
struct topic *internal_topic_find(const struct internal_topic *topic);

typedef void internal_topic_run(struct call *call, struct io_time now);
typedef void internal_topic_refuse(struct call *call, int16_t error, struct io_time now);

/* It exists, or is now being created: `run` follows, at once or later, or `refuse` with COORDINATOR_NOT_AVAILABLE. */
void internal_topic_need(struct internal_topic *topic, struct call *call, internal_topic_run *run, internal_topic_refuse *refuse,
                         struct io_time now);

/*
 * Now and then: only what has rolled is compacted, and what is not compacted is read at every start, so a partition rolls after
 * 50,000 records, long before its segment is full.
 */
void internal_topic_roll(const struct internal_topic *topic, struct io_time now);

/* The broker closes: whoever waits is refused. */
void internal_topic_close(struct internal_topic *topic, struct io_time now);

/* Which of `count` partitions keeps what belongs to `id`: Java's String.hashCode over UTF-16, made positive as Kafka does. */
int32_t internal_topic_partition_of(mill_bytes id, int32_t count);

#endif
