#include "broker/topic.h"

#include "base/alloc.h"
#include "base/assert.h"

struct topic *topic_new(mill_bytes name, struct wire_uuid id, const struct config *broker_config)
{
    struct topic *topic = mem_calloc(1, sizeof *topic);
    if (!topic)
        return NULL;
    topic->name = mem_calloc(1, name.len + 1);
    if (!topic->name) {
        mem_free(topic);
        return NULL;
    }
    memcpy(topic->name, name.data, name.len);
    topic->id = id;
    topic->internal = topic_name_is_internal(name);
    config_init(&topic->config, topic_config_table());
    topic_settings_resolve(&topic->settings, broker_config, &topic->config);
    return topic;
}

void topic_free(struct topic *topic, bool remove, struct io_time now)
{
    if (!topic)
        return;
    for (int32_t i = 0; i < topic->partition_count; i++)
        partition_close(topic->partitions[i], remove, now);
    mem_free(topic->partitions);
    config_release(&topic->config);
    mem_free(topic->name);
    mem_free(topic);
}

int topic_add_partition(struct topic *topic, struct partition *partition)
{
    mill_assert(partition->index == topic->partition_count);
    if (topic->partition_count == topic->partition_capacity) {
        int32_t capacity = topic->partition_capacity ? topic->partition_capacity * 2 : 4;
        struct partition **grown = mem_realloc(topic->partitions, (size_t)capacity * sizeof *grown);
        if (!grown)
            return MILL_ENOMEM;
        topic->partitions = grown;
        topic->partition_capacity = capacity;
    }
    topic->partitions[topic->partition_count++] = partition;
    return 0;
}

struct partition *topic_partition(const struct topic *topic, int32_t index)
{
    return index >= 0 && index < topic->partition_count ? topic->partitions[index] : NULL;
}

void topic_reconfigure(struct topic *topic, const struct config *broker_config)
{
    topic_settings_resolve(&topic->settings, broker_config, &topic->config);
    for (int32_t i = 0; i < topic->partition_count; i++)
        partition_configure(topic->partitions[i], &topic->settings);
}

bool topic_name_is_valid(mill_bytes name)
{
    if (name.len < 1 || name.len > TOPIC_NAME_BYTES_MAX)
        return false;
    if (mill_bytes_equal(name, mill_string(".")) || mill_bytes_equal(name, mill_string("..")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool legal =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!legal)
            return false;
    }
    return true;
}

bool topic_name_is_internal(mill_bytes name)
{
    return mill_bytes_equal(name, mill_string(OFFSETS_TOPIC)) || mill_bytes_equal(name, mill_string(TRANSACTIONS_TOPIC)) ||
           mill_bytes_equal(name, mill_string(METADATA_TOPIC));
}
