#include "broker/txn/txn_partitions.h"

#include <string.h>

#include "broker/group/owned_bytes.h"

void txn_partitions_release(struct txn_partitions *partitions)
{
    for (size_t i = 0; i < partitions->count; i++) {
        owned_bytes_free(&partitions->topics[i].name);
        mem_free(partitions->topics[i].partitions);
    }
    mem_free(partitions->topics);
    *partitions = (struct txn_partitions){ 0 };
}

static struct txn_topic *find_topic(const struct txn_partitions *partitions, mill_bytes name)
{
    for (size_t i = 0; i < partitions->count; i++)
        if (mill_bytes_equal(partitions->topics[i].name, name))
            return &partitions->topics[i];
    return NULL;
}

/* The index of the first partition at or above `partition`. */
static int32_t find(const struct txn_topic *topic, int32_t partition)
{
    int32_t low = 0;
    int32_t high = topic->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (topic->partitions[middle] < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool txn_partitions_has(const struct txn_partitions *partitions, mill_bytes name, int32_t partition)
{
    const struct txn_topic *topic = find_topic(partitions, name);
    int32_t at = topic ? find(topic, partition) : 0;
    return topic && at < topic->count && topic->partitions[at] == partition;
}

static struct txn_topic *add_topic(struct txn_partitions *partitions, mill_bytes name)
{
    if (partitions->count == partitions->capacity) {
        size_t capacity = partitions->capacity ? partitions->capacity * 2 : 4;
        struct txn_topic *grown = mem_realloc(partitions->topics, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        partitions->topics = grown;
        partitions->capacity = capacity;
    }
    struct txn_topic *topic = &partitions->topics[partitions->count];
    *topic = (struct txn_topic){ 0 };
    if (!owned_bytes_copy(&topic->name, name))
        return NULL;
    partitions->count++;
    return topic;
}

int txn_partitions_add(struct txn_partitions *partitions, mill_bytes name, int32_t partition)
{
    struct txn_topic *topic = find_topic(partitions, name);
    if (!topic)
        topic = add_topic(partitions, name);
    if (!topic)
        return MILL_ENOMEM;
    int32_t at = find(topic, partition);
    if (at < topic->count && topic->partitions[at] == partition)
        return 0;
    if (topic->count == topic->capacity) {
        int32_t capacity = topic->capacity ? topic->capacity * 2 : 4;
        int32_t *grown = mem_realloc(topic->partitions, (size_t)capacity * sizeof *grown);
        if (!grown)
            return MILL_ENOMEM;
        topic->partitions = grown;
        topic->capacity = capacity;
    }
    memmove(topic->partitions + at + 1, topic->partitions + at, (size_t)(topic->count - at) * sizeof *topic->partitions);
    topic->partitions[at] = partition;
    topic->count++;
    return 0;
}

int txn_partitions_copy(struct txn_partitions *copy, const struct txn_partitions *partitions)
{
    for (size_t i = 0; i < partitions->count; i++)
        for (int32_t j = 0; j < partitions->topics[i].count; j++)
            if (txn_partitions_add(copy, partitions->topics[i].name, partitions->topics[i].partitions[j]) < 0) {
                txn_partitions_release(copy);
                return MILL_ENOMEM;
            }
    return 0;
}
