#include "broker/topic_creation.h"

#include "broker/internal.h"

int16_t topic_creation_check(const struct metadata *metadata, const struct new_topic *topic, struct error_text *why)
{
    const char *other;
    if (!topic_name_is_valid(topic->name)) {
        error_set(why, 0, "a topic's name is 1 to %d characters of a-z, A-Z, 0-9, '.', '_' and '-', and not '.' or '..'",
                  TOPIC_NAME_BYTES_MAX);
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    if (metadata_topic(metadata, topic->name)) {
        error_set(why, 0, "topic '%.*s' exists already", (int)topic->name.len, (const char *)topic->name.data);
        return KAFKA_TOPIC_ALREADY_EXISTS;
    }
    if (metadata_name_collides(metadata, topic->name, &other)) {
        error_set(why, 0, "topic '%.*s' collides with '%s': '.' and '_' count as equal", (int)topic->name.len,
                  (const char *)topic->name.data, other);
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    if (topic->partitions < 1 || topic->partitions > TOPIC_PARTITIONS_MAX) {
        error_set(why, 0, "a topic has 1 to %d partitions, not %d", TOPIC_PARTITIONS_MAX, topic->partitions);
        return KAFKA_INVALID_PARTITIONS;
    }
    struct config scratch;
    int code = 0;
    config_init(&scratch, topic_config_table());
    for (size_t i = 0; i < topic->config_count && code == 0; i++)
        code = topic_config_set(&scratch, topic->configs[i].name, topic->configs[i].value);
    if (code == MILL_EINVALID)
        *why = scratch.error;
    config_release(&scratch);
    return code == 0 ? KAFKA_NONE : code == MILL_EINVALID ? KAFKA_INVALID_CONFIG : KAFKA_UNKNOWN_SERVER_ERROR;
}

void topic_creation_add_partition(struct metadata *metadata, struct wire_uuid topic_id, int32_t index, int32_t leader_epoch,
                                  struct io_time now)
{
    struct broker *broker = metadata->broker;
    struct wire_uuid directory;
    memcpy(directory.bytes, log_directory_identity(broker->directory)->directory_id, sizeof directory.bytes);
    struct partition_record record;
    partition_record_init(&record);
    record.partition_id = index;
    record.topic_id = topic_id;
    record.replicas.items = &broker->node_id;
    record.replicas.count = 1;
    record.isr = record.replicas;
    record.leader = broker->node_id;
    record.leader_epoch = leader_epoch;
    record.partition_epoch = 0;
    record.directories.items = &directory;
    record.directories.count = 1;
    metadata_add(metadata, METADATA_RECORD_PARTITION, 1, &partition_record_message, &record, now);
}

bool topic_creation_add(struct metadata *metadata, const struct new_topic *topic, struct wire_uuid *id, struct io_time now)
{
    if (!metadata_new_id(metadata, id))
        return false;
    struct topic_record record;
    topic_record_init(&record);
    record.name = topic->name;
    record.topic_id = *id;
    metadata_add(metadata, METADATA_RECORD_TOPIC, 0, &topic_record_message, &record, now);
    for (size_t i = 0; i < topic->config_count; i++)
        metadata_add_topic_config(metadata, topic->name, topic->configs[i].name, topic->configs[i].value, now);
    for (int32_t i = 0; i < topic->partitions; i++)
        topic_creation_add_partition(metadata, *id, i, 0, now);
    return true;
}
