/*
 * One topic of the metadata image: its id, configs and partitions.
 *
 * Made, changed and freed only by applying metadata records (metadata.c); everyone else reads. Thread: the broker's loop.
 */
#ifndef BROKER_TOPIC_H
#define BROKER_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "broker/config.h"
#include "broker/partition.h"
#include "millstream/bytes.h"
#include "wire/codec.h"

enum {
    TOPIC_NAME_BYTES_MAX = 249,
    TOPIC_PARTITIONS_MAX = 100000, /* of one topic: bounds what one CreateTopics makes us allocate */
};

#define OFFSETS_TOPIC      "__consumer_offsets"
#define TRANSACTIONS_TOPIC "__transaction_state"
#define METADATA_TOPIC     "__cluster_metadata"

struct topic {
    char *name; /* NUL-terminated */
    struct wire_uuid id;
    bool internal;        /* one of the three above: clients may read but not write it */
    struct config config; /* what was set on it */
    struct topic_settings settings;
    struct partition **partitions;
    int32_t partition_count;
    int32_t partition_capacity;
};

/* NULL: no memory. */
struct topic *topic_new(mill_bytes name, struct wire_uuid id, const struct config *broker_config);
/* Closes its partitions; `remove` takes their files away, too. */
void topic_free(struct topic *topic, bool remove, struct io_time now);

/* Takes `partition` over on success. MILL_ENOMEM. */
int topic_add_partition(struct topic *topic, struct partition *partition);

/* NULL: it has no such partition. */
struct partition *topic_partition(const struct topic *topic, int32_t index);

/* A config of it has changed: resolves and hands the settings to its partitions. */
void topic_reconfigure(struct topic *topic, const struct config *broker_config);

/* 1 to 249 of [A-Za-z0-9._-], not "." or "..". */
bool topic_name_is_valid(mill_bytes name);
bool topic_name_is_internal(mill_bytes name);

#endif
