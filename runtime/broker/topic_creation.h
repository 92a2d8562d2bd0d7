/*
 * Making topics: checks and records, for CreateTopics, auto-creation and the broker's own topics.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_TOPIC_CREATION_H
#define BROKER_TOPIC_CREATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "broker/metadata.h"
#include "millstream/bytes.h"

struct new_topic_config {
    mill_bytes name;
    mill_bytes value;
};

struct new_topic {
    mill_bytes name;
    int32_t partitions; /* at least 1 */
    const struct new_topic_config *configs;
    size_t config_count;
};

/*
 * May this topic be made? NONE, TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG, with the
 * reason in `why`. Looks at the image as it is.
 */
int16_t topic_creation_check(const struct metadata *metadata, const struct new_topic *topic, struct error_text *why);

/* Inside a change's prepare: adds its records. `*id` is the new topic's. False: no random numbers. */
bool topic_creation_add(struct metadata *metadata, const struct new_topic *topic, struct wire_uuid *id, struct io_time now);

/* Adds one partition record; also for CreatePartitions. */
void topic_creation_add_partition(struct metadata *metadata, struct wire_uuid topic_id, int32_t index, int32_t leader_epoch,
                                  struct io_time now);

#endif
