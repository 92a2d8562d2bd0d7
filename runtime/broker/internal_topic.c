/* Waiting for a topic, making it, and who belongs where in it. */
#include "broker/internal_topic.h"

#include <stdio.h>

#include "broker/internal.h"
#include "broker/topic_creation.h"

enum { ACTIVE_RECORDS_MAX = 50000 };

struct topic_wait {
    struct call *call;
    internal_topic_run *run;
    internal_topic_refuse *refuse;
    struct list link;
};

struct topic *internal_topic_find(const struct internal_topic *topic)
{
    return metadata_topic(&topic->broker->metadata, mill_string(topic->name));
}

static void end_waits(struct internal_topic *topic, int16_t error, struct io_time now)
{
    struct list waits;
    list_init(&waits);
    for (struct list *node; (node = list_pop_front(&topic->waiting)) != NULL;)
        list_push_back(&waits, node);
    for (struct list *node; (node = list_pop_front(&waits)) != NULL;) {
        struct topic_wait *wait = list_entry(node, struct topic_wait, link);
        if (error == KAFKA_NONE)
            wait->run(wait->call, now);
        else
            wait->refuse(wait->call, error, now);
    }
}

static void prepare(struct metadata_change *change, struct io_time now)
{
    struct internal_topic *internal = change->ctx;
    struct broker *broker = internal->broker;
    struct wire_uuid id;
    char segment_bytes[CONFIG_VALUE_BYTES];
    if (internal_topic_find(internal))
        return;
    snprintf(segment_bytes, sizeof segment_bytes, "%lld", (long long)config_int(&broker->config, internal->segment_bytes_key));
    const struct new_topic_config configs[] = {
        { mill_string("cleanup.policy"), mill_string("compact") },
        { mill_string("compression.type"), mill_string("producer") },
        { mill_string("segment.bytes"), mill_string(segment_bytes) },
    };
    struct new_topic topic = {
        .name = mill_string(internal->name),
        .partitions = (int32_t)config_int(&broker->config, internal->partitions_key),
        .configs = configs,
        .config_count = sizeof configs / sizeof *configs,
    };
    topic_creation_add(&broker->metadata, &topic, &id, now);
}

static void created(struct metadata_change *change, int16_t error, struct io_time now)
{
    struct internal_topic *topic = change->ctx;
    topic->creating = false;
    end_waits(topic, error != KAFKA_NONE || !internal_topic_find(topic) ? KAFKA_COORDINATOR_NOT_AVAILABLE : KAFKA_NONE, now);
}

void internal_topic_init(struct internal_topic *topic, struct broker *broker, const char *name, const char *partitions_key,
                         const char *segment_bytes_key)
{
    *topic = (struct internal_topic){
        .broker = broker, .name = name, .partitions_key = partitions_key, .segment_bytes_key = segment_bytes_key
    };
    list_init(&topic->waiting);
    topic->create = (struct metadata_change){ .prepare = prepare, .done = created, .ctx = topic };
}

void internal_topic_need(struct internal_topic *topic, struct call *call, internal_topic_run *run, internal_topic_refuse *refuse,
                         struct io_time now)
{
    if (internal_topic_find(topic)) {
        run(call, now);
        return;
    }
    struct topic_wait *wait = arena_alloc(call->arena, sizeof *wait);
    if (!wait) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *wait = (struct topic_wait){ .call = call, .run = run, .refuse = refuse };
    list_push_back(&topic->waiting, &wait->link);
    if (topic->creating)
        return;
    topic->creating = true;
    metadata_submit(&topic->broker->metadata, &topic->create, now);
}

void internal_topic_roll(const struct internal_topic *topic, struct io_time now)
{
    const struct topic *found = internal_topic_find(topic);
    for (int32_t i = 0; found && i < found->partition_count; i++)
        if (partition_active_records(found->partitions[i]) >= ACTIVE_RECORDS_MAX)
            partition_roll(found->partitions[i], now);
}

void internal_topic_close(struct internal_topic *topic, struct io_time now)
{
    end_waits(topic, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
}

/* ---- which partition ------------------------------------------------------------------------------------------------------- */

/* One code point of UTF-8, lenient: bytes that are none count as themselves. */
static uint32_t next_code_point(const uint8_t *data, size_t len, size_t *at)
{
    uint32_t lead = data[(*at)++];
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (more == 0 || *at + (size_t)more > len)
        return lead;
    uint32_t point = lead & (0x3fu >> more);
    for (int i = 0; i < more; i++)
        point = point << 6 | (data[(*at)++] & 0x3f);
    return point;
}

int32_t internal_topic_partition_of(mill_bytes id, int32_t count)
{
    uint32_t hash = 0;
    for (size_t at = 0; at < id.len;) {
        uint32_t point = next_code_point(id.data, id.len, &at);
        if (point < 0x10000) {
            hash = hash * 31 + point;
        } else { /* Java hashes the two halves of a surrogate pair */
            hash = hash * 31 + (0xd800 + ((point - 0x10000) >> 10));
            hash = hash * 31 + (0xdc00 + ((point - 0x10000) & 0x3ff));
        }
    }
    int32_t value = (int32_t)hash;
    if (value == INT32_MIN)
        return 0;
    return (value < 0 ? -value : value) % count;
}
