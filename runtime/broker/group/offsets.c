#include "broker/group/offsets.h"

#include "base/alloc.h"
#include "broker/group/owned_bytes.h"
#include "millstream/error.h"

void group_offsets_init(struct group_offsets *offsets)
{
    hash_map_init(&offsets->topics);
}

static void free_topic(struct offset_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++)
        owned_bytes_free(&topic->partitions[i].metadata);
    mem_free(topic->partitions);
    owned_bytes_free(&topic->name);
    mem_free(topic);
}

void group_offsets_release(struct group_offsets *offsets)
{
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&offsets->topics, &at)) != NULL;)
        free_topic(entry->value);
    hash_map_release(&offsets->topics);
}

bool group_offsets_is_empty(const struct group_offsets *offsets)
{
    return hash_map_count(&offsets->topics) == 0;
}

/* The index of the first partition at or above `partition`. */
static size_t find(const struct offset_topic *topic, int32_t partition)
{
    size_t low = 0;
    size_t high = topic->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (topic->partitions[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool holds(const struct offset_topic *topic, size_t at, int32_t partition)
{
    return at < topic->count && topic->partitions[at].partition == partition;
}

const struct committed_offset *group_offsets_get(const struct group_offsets *offsets, mill_bytes name, int32_t partition)
{
    const struct offset_topic *topic = hash_map_get(&offsets->topics, name);
    if (!topic)
        return NULL;
    size_t at = find(topic, partition);
    return holds(topic, at, partition) ? &topic->partitions[at] : NULL;
}

struct committed_offset *group_offsets_find(struct group_offsets *offsets, mill_bytes name, int32_t partition)
{
    return (struct committed_offset *)group_offsets_get(offsets, name, partition);
}

static struct offset_topic *get_or_make_topic(struct group_offsets *offsets, mill_bytes name)
{
    struct offset_topic *topic = hash_map_get(&offsets->topics, name);
    if (topic)
        return topic;
    topic = mem_calloc(1, sizeof *topic);
    if (!topic)
        return NULL;
    if (!owned_bytes_copy(&topic->name, name) || hash_map_put(&offsets->topics, name, topic, NULL) != 0) {
        owned_bytes_free(&topic->name);
        mem_free(topic);
        return NULL;
    }
    return topic;
}

static void drop_topic_if_empty(struct group_offsets *offsets, struct offset_topic *topic)
{
    if (topic->count > 0)
        return;
    hash_map_remove(&offsets->topics, topic->name);
    free_topic(topic);
}

static bool make_room(struct offset_topic *topic)
{
    if (topic->count < topic->capacity)
        return true;
    size_t capacity = topic->capacity ? topic->capacity * 2 : 4;
    struct committed_offset *grown = mem_realloc(topic->partitions, capacity * sizeof *grown);
    if (!grown)
        return false;
    topic->partitions = grown;
    topic->capacity = capacity;
    return true;
}

int group_offsets_put(struct group_offsets *offsets, mill_bytes name, const struct committed_offset *committed)
{
    mill_bytes metadata;
    if (!owned_bytes_copy(&metadata, mill_is_null(committed->metadata) ? mill_string("") : committed->metadata))
        return MILL_ENOMEM;
    struct offset_topic *topic = get_or_make_topic(offsets, name);
    if (!topic || !make_room(topic)) {
        if (topic)
            drop_topic_if_empty(offsets, topic);
        owned_bytes_free(&metadata);
        return MILL_ENOMEM;
    }
    size_t at = find(topic, committed->partition);
    if (holds(topic, at, committed->partition)) {
        owned_bytes_free(&topic->partitions[at].metadata);
    } else {
        memmove(topic->partitions + at + 1, topic->partitions + at, (topic->count - at) * sizeof *topic->partitions);
        topic->count++;
    }
    topic->partitions[at] = *committed;
    topic->partitions[at].metadata = metadata;
    return 0;
}

void group_offsets_remove(struct group_offsets *offsets, mill_bytes name, int32_t partition)
{
    struct offset_topic *topic = hash_map_get(&offsets->topics, name);
    size_t at = topic ? find(topic, partition) : 0;
    if (!topic || !holds(topic, at, partition))
        return;
    owned_bytes_free(&topic->partitions[at].metadata);
    memmove(topic->partitions + at, topic->partitions + at + 1, (topic->count - at - 1) * sizeof *topic->partitions);
    topic->count--;
    drop_topic_if_empty(offsets, topic);
}

const struct offset_topic *group_offsets_next(const struct group_offsets *offsets, size_t *at)
{
    const struct hash_map_entry *entry = hash_map_next(&offsets->topics, at);
    return entry ? entry->value : NULL;
}
