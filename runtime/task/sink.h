/*
 * The sink as a processor: chooses a record's partition and hands it to the task's output.
 *
 * The partition is the user's choice, else murmur2 of the key's bytes (of the inner key when windowed) as Kafka's default
 * partitioner; records without a key stay on one partition for a thousand records and move on, so that batches fill (KIP-480).
 * A multicast sink writes the record to each partition that the user names.
 */
#ifndef TASK_SINK_H
#define TASK_SINK_H

#include "millstream/processor.h"
#include "task/task.h"

struct sink_argument {
    struct task_topic *const *topics; /* several: options->choose_topic says which */
    size_t topic_count;
    const mill_sink_options *options;
    int32_t first_partition; /* for records without a key: the task's own number */
};

extern const mill_processor_type sink_processor;

/* The part of a key that decides its partition. */
mill_bytes sink_partition_key(mill_key_form form, mill_bytes key);

#endif
