/*
 * OffsetFetch: what a group has committed, -1 where it has not. Up to version 7 one group, then many; the two forms of the answer
 * have the same fields, and are filled by the same code through the small writer below.
 */
#include "wire/api/offset_fetch.h"

#include "broker/internal.h"

static const struct committed_offset nothing = { .leader_epoch = -1, .offset = -1, .metadata = { (const uint8_t *)"", 0 } };

static const struct committed_offset *committed_by(const struct classic_group *group, mill_bytes topic, int32_t partition)
{
    const struct committed_offset *committed = group ? group_offsets_get(&group->offsets, topic, partition) : NULL;
    return committed ? committed : &nothing;
}

/* Whoever requires stable offsets waits for the end of a transaction that has written to this one (KIP-447). */
static bool is_unstable(const struct call *call, const struct classic_group *group, mill_bytes topic, int32_t partition)
{
    const struct offset_fetch_request *request = call->request;
    return request->require_stable && group && txn_offsets_pend(&group->coordinator->txns, group, topic, partition);
}

static int16_t check_group(const struct call *call, mill_bytes group_id)
{
    return group_id.len == 0 ? KAFKA_INVALID_GROUP_ID : coordinator_check(&call->broker->coordinator, group_id);
}

/* ---- one group, versions 1 to 7 -------------------------------------------------------------------------------------------- */

static void fill_old(struct call *call, struct offset_fetch_response_partition *out, int32_t partition,
                     const struct committed_offset *committed)
{
    out->partition_index = partition;
    out->committed_offset = committed->offset;
    out->committed_leader_epoch = committed->leader_epoch;
    out->metadata = call_copy(call, committed->metadata);
}

static struct offset_fetch_response_topic *old_topics(struct call *call, int32_t count)
{
    struct offset_fetch_response *response = call->response;
    response->topics.items = call_array(call, offset_fetch_response_topic_array(call->arena, count));
    response->topics.count = response->topics.items ? count : 0;
    return response->topics.items;
}

static struct offset_fetch_response_partition *old_partitions(struct call *call, struct offset_fetch_response_topic *topic,
                                                              int32_t count)
{
    topic->partitions.items = call_array(call, offset_fetch_response_partition_array(call->arena, count));
    topic->partitions.count = topic->partitions.items ? count : 0;
    return topic->partitions.items;
}

static void fetch_all_old(struct call *call, const struct classic_group *group)
{
    struct offset_fetch_response_topic *topics = old_topics(call, group ? (int32_t)hash_map_count(&group->offsets.topics) : 0);
    size_t at = 0;
    if (!topics || !group)
        return;
    for (const struct offset_topic *topic; (topic = group_offsets_next(&group->offsets, &at)) != NULL; topics++) {
        struct offset_fetch_response_partition *partitions = old_partitions(call, topics, (int32_t)topic->count);
        topics->name = call_copy(call, topic->name);
        for (size_t i = 0; partitions && i < topic->count; i++) {
            const struct committed_offset *committed = &topic->partitions[i];
            bool unstable = is_unstable(call, group, topic->name, committed->partition);
            fill_old(call, &partitions[i], committed->partition, unstable ? &nothing : committed);
            partitions[i].error_code = unstable ? KAFKA_UNSTABLE_OFFSET_COMMIT : KAFKA_NONE;
        }
    }
}

static void fetch_asked_old(struct call *call, const struct classic_group *group, int16_t error)
{
    const struct offset_fetch_request *request = call->request;
    struct offset_fetch_response_topic *topics = old_topics(call, request->topics.count);
    for (int32_t i = 0; topics && i < request->topics.count; i++) {
        const struct offset_fetch_request_topic *asked = &request->topics.items[i];
        struct offset_fetch_response_partition *partitions = old_partitions(call, &topics[i], asked->partition_indexes.count);
        topics[i].name = asked->name;
        for (int32_t j = 0; partitions && j < asked->partition_indexes.count; j++) {
            int32_t partition = asked->partition_indexes.items[j];
            bool unstable = is_unstable(call, group, asked->name, partition);
            fill_old(call, &partitions[j], partition, unstable ? &nothing : committed_by(group, asked->name, partition));
            partitions[j].error_code = unstable ? KAFKA_UNSTABLE_OFFSET_COMMIT : error;
        }
    }
}

static void fetch_old(struct call *call)
{
    const struct offset_fetch_request *request = call->request;
    struct offset_fetch_response *response = call->response;
    int16_t error = check_group(call, request->group_id);
    const struct classic_group *group =
        error == KAFKA_NONE ? coordinator_group(&call->broker->coordinator, request->group_id) : NULL;
    response->error_code = call->version >= 2 ? error : KAFKA_NONE;
    if (request->topics.count < 0)
        fetch_all_old(call, group);
    else
        fetch_asked_old(call, group, error);
}

/* ---- many groups, from version 8 on ---------------------------------------------------------------------------------------- */

static void fill(struct call *call, struct offset_fetch_response_group_partition *out, int32_t partition,
                 const struct committed_offset *committed)
{
    out->partition_index = partition;
    out->committed_offset = committed->offset;
    out->committed_leader_epoch = committed->leader_epoch;
    out->metadata = call_copy(call, committed->metadata);
}

static struct offset_fetch_response_group_topic *new_topics(struct call *call, struct offset_fetch_response_group *out,
                                                            int32_t count)
{
    out->topics.items = call_array(call, offset_fetch_response_group_topic_array(call->arena, count));
    out->topics.count = out->topics.items ? count : 0;
    return out->topics.items;
}

static struct offset_fetch_response_group_partition *
new_partitions(struct call *call, struct offset_fetch_response_group_topic *topic, int32_t count)
{
    topic->partitions.items = call_array(call, offset_fetch_response_group_partition_array(call->arena, count));
    topic->partitions.count = topic->partitions.items ? count : 0;
    return topic->partitions.items;
}

static void fetch_all(struct call *call, const struct classic_group *group, struct offset_fetch_response_group *out)
{
    struct offset_fetch_response_group_topic *topics =
        new_topics(call, out, group ? (int32_t)hash_map_count(&group->offsets.topics) : 0);
    size_t at = 0;
    if (!topics || !group)
        return;
    for (const struct offset_topic *topic; (topic = group_offsets_next(&group->offsets, &at)) != NULL; topics++) {
        const struct topic *known = metadata_topic(&call->broker->metadata, topic->name);
        struct offset_fetch_response_group_partition *partitions = new_partitions(call, topics, (int32_t)topic->count);
        topics->name = call_copy(call, topic->name);
        if (known)
            topics->topic_id = known->id;
        for (size_t i = 0; partitions && i < topic->count; i++) {
            const struct committed_offset *committed = &topic->partitions[i];
            bool unstable = is_unstable(call, group, topic->name, committed->partition);
            fill(call, &partitions[i], committed->partition, unstable ? &nothing : committed);
            partitions[i].error_code = unstable ? KAFKA_UNSTABLE_OFFSET_COMMIT : KAFKA_NONE;
        }
    }
}

static void fetch_topic(struct call *call, const struct classic_group *group,
                        const struct offset_fetch_request_group_topic *asked, struct offset_fetch_response_group_topic *out)
{
    struct topic *topic = NULL;
    int16_t error = KAFKA_NONE;
    mill_bytes name = asked->name;
    if (call->version >= 10) {
        error = metadata_find(&call->broker->metadata, mill_null(), asked->topic_id, &topic);
        name = topic ? mill_string(topic->name) : mill_string("");
    }
    struct offset_fetch_response_group_partition *partitions = new_partitions(call, out, asked->partition_indexes.count);
    out->name = asked->name;
    out->topic_id = asked->topic_id;
    for (int32_t i = 0; partitions && i < asked->partition_indexes.count; i++) {
        int32_t partition = asked->partition_indexes.items[i];
        bool unstable = is_unstable(call, group, name, partition);
        fill(call, &partitions[i], partition, unstable ? &nothing : committed_by(group, name, partition));
        partitions[i].error_code = unstable ? KAFKA_UNSTABLE_OFFSET_COMMIT : error;
    }
}

static void fetch_group(struct call *call, const struct offset_fetch_request_group *asked,
                        struct offset_fetch_response_group *out)
{
    out->group_id = asked->group_id;
    out->error_code = check_group(call, asked->group_id);
    if (out->error_code != KAFKA_NONE)
        return;
    const struct classic_group *group = coordinator_group(&call->broker->coordinator, asked->group_id);
    if (asked->topics.count < 0) {
        fetch_all(call, group, out);
        return;
    }
    struct offset_fetch_response_group_topic *topics = new_topics(call, out, asked->topics.count);
    for (int32_t i = 0; topics && i < asked->topics.count; i++)
        fetch_topic(call, group, &asked->topics.items[i], &topics[i]);
}

static void fetch_new(struct call *call)
{
    const struct offset_fetch_request *request = call->request;
    struct offset_fetch_response *response = call->response;
    int32_t count = request->groups.count;
    response->groups.items = call_array(call, offset_fetch_response_group_array(call->arena, count));
    response->groups.count = response->groups.items ? count : 0;
    for (int32_t i = 0; i < response->groups.count; i++)
        fetch_group(call, &request->groups.items[i], &response->groups.items[i]);
}

void handle_offset_fetch(struct call *call, struct io_time now)
{
    if (call->version < 8)
        fetch_old(call);
    else
        fetch_new(call);
    call_reply(call, now);
}
